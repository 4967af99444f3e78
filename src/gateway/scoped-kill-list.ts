/** The kill list of one proxy: its own entries over those of its project, which all proxies of it share. @module */

import type { Steps } from '../effect/effect.ts'
import type { Refusal } from '../path/build.ts'
import type { ValidatedPath } from '../path/complete.ts'
import { KillList } from '../revocation/kill-list.ts'
import type { KillFailure, KillQuestions } from '../revocation/kill-lists.ts'
import type { Certificate } from '../x509/certificate.ts'

/** Asks both lists. What is added, removed and counted are the proxy's own entries. */
export class ScopedKillList extends KillList {
  readonly #ofProject: KillList

  constructor(ofProject: KillList) {
    super([])
    this.#ofProject = ofProject
  }

  /** Grows with each change of either list. */
  override get epoch(): number {
    return super.epoch + this.#ofProject.epoch
  }

  override onChange(listener: () => void): () => void {
    const ends = [super.onChange(listener), this.#ofProject.onChange(listener)]
    return () => {
      for (const end of ends) end()
    }
  }

  override ask(time: number): KillQuestions {
    return new BothLists(super.ask(time), this.#ofProject.ask(time))
  }
}

class BothLists implements KillQuestions {
  readonly #own: KillQuestions
  readonly #ofProject: KillQuestions

  constructor(own: KillQuestions, ofProject: KillQuestions) {
    this.#own = own
    this.#ofProject = ofProject
  }

  get from(): number {
    return Math.max(this.#own.from, this.#ofProject.from)
  }

  get isIdle(): boolean {
    return this.#own.isIdle && this.#ofProject.isIdle
  }

  get isOutdated(): boolean {
    return this.#own.isOutdated || this.#ofProject.isOutdated
  }

  *target(target: Certificate): Steps<KillFailure | undefined> {
    return (yield* this.#ofProject.target(target)) ?? (yield* this.#own.target(target))
  }

  /** What is about the target comes first: after the rest, another path would be tried. */
  *path(path: ValidatedPath): Steps<Refusal<KillFailure> | undefined> {
    const ofProject = yield* this.#ofProject.path(path)
    if (ofProject?.definite === true) return ofProject
    const own = yield* this.#own.path(path)
    return own?.definite === true ? own : (ofProject ?? own)
  }
}
