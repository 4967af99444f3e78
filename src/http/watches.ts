/** Requests that stay open, looked at again when something new is known: what let them in may no longer hold. @module */

import type { Trust } from '../policy/trust.ts'
import type { Decision } from './decision.ts'
import type { HttpRequest } from './request.ts'

export class Watches {
  readonly #decide: (request: HttpRequest) => Decision | Promise<Decision>
  readonly #watched = new Set<Watched>()
  #unfollow: () => void = () => {}
  /** Those that are still to be looked at since something changed, in the order of their waiting. */
  readonly #due = new Set<Watched>()

  constructor(decide: (request: HttpRequest) => Decision | Promise<Decision>) {
    this.#decide = decide
  }

  /** Looks again whenever the kill list or the revocation source of `trust` changes, and no longer at those followed before. */
  follow({ killList, revocation }: Trust): void {
    this.#unfollow()
    const source = revocation?.source
    const ends = [killList, source].flatMap((live) =>
      isObservable(live) ? [live.onChange(() => this.lookAgain())] : [],
    )
    this.#unfollow = () => {
      for (const end of ends) end()
    }
  }

  add(request: HttpRequest, decision: Decision, refused: (decision: Decision) => void): () => void {
    const watched: Watched = { request, refused, timer: undefined, end: Number.POSITIVE_INFINITY }
    this.#watched.add(watched)
    this.#setTimer(watched, decision)
    // What was learned since the decision told nobody of this request yet. Not in this turn: the caller has nothing to end it with.
    queueMicrotask(() => {
      if (this.#watched.has(watched)) this.#look(watched)
    })
    return () => this.#end(watched)
  }

  /** All of them, in turns: ten thousand validations at once would keep everybody else waiting for a second. */
  lookAgain(): void {
    const isUnderWay = this.#due.size > 0
    for (const watched of this.#watched) this.#due.add(watched)
    if (!isUnderWay) this.#takeTurn()
  }

  #takeTurn(): void {
    const end = performance.now() + turn
    for (const watched of this.#due) {
      if (performance.now() > end) {
        setTimeout(() => this.#takeTurn(), 0)
        return
      }
      this.#due.delete(watched)
      this.#look(watched)
    }
  }

  #look(watched: Watched): void {
    const decision = this.#decide(watched.request)
    if (decision instanceof Promise) void decision.then((later) => this.#take(watched, later))
    else this.#take(watched, decision)
  }

  #take(watched: Watched, decision: Decision): void {
    if (!this.#watched.has(watched)) return
    if (decision.allowed) {
      this.#setTimer(watched, decision)
      return
    }
    this.#end(watched)
    watched.refused(decision)
  }

  #end(watched: Watched): void {
    clearTimeout(watched.timer)
    this.#watched.delete(watched)
    this.#due.delete(watched)
  }

  /** When the outcome runs out, or after a minute where each is good for its own second only, as one that nobody proved. */
  #setTimer(watched: Watched, { outcome }: Decision): void {
    clearTimeout(watched.timer)
    const end = ((outcome?.validUntil ?? 0) + 1) * 1000
    const now = Date.now()
    // Its last end has passed and it was let in all the same: the next one, within a second, will pass as well.
    const isMoving = now >= watched.end && end - now <= shortest
    watched.end = end
    const delay = isMoving ? again : Math.min(Math.max(end - now, 1), longest)
    const timer: unknown = setTimeout(() => this.#look(watched), delay)
    watched.timer = timer as Watched['timer']
    // A watch does not keep a program running; browsers have numbers.
    if (typeof timer === 'object') (timer as { unref?: () => void }).unref?.()
  }
}

interface Watched {
  readonly request: HttpRequest
  readonly refused: (decision: Decision) => void
  timer: ReturnType<typeof setTimeout> | undefined
  /** When the last outcome runs out: milliseconds since 1970. */
  end: number
}

function isObservable(live: unknown): live is { onChange(listener: () => void): () => void } {
  return (
    typeof live === 'object' &&
    live !== null &&
    'onChange' in live &&
    typeof live.onChange === 'function'
  )
}

/** Milliseconds of one turn. */
const turn = 5
/** What is good for its own second only ends after this many milliseconds at most. */
const shortest = 1000
const again = 60_000
/** What `setTimeout` takes. */
const longest = 2 ** 31 - 1
