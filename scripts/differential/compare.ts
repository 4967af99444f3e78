/** Our answers beside those of the peers. @module */

import { readFileSync } from 'node:fs'
import type { Peer } from './peers.ts'

/** What we said to one case. */
export interface Answer {
  readonly id: string
  readonly accepted: boolean
  /** Our failure code, when we refused. */
  readonly code: string | undefined
}

/** Where we accept what every peer refuses, and are right. */
export interface DifferentialException {
  /** The id of a case without its number, or one of the two rules in it; `*` for any text. */
  readonly id: string
  /** `RFC nnnn §x.y`, which lets the certificate pass. */
  readonly source: string
  readonly reason: string
}

export interface Comparison {
  readonly accepted: number
  readonly refused: number
  /** All peers say what we say. */
  readonly unanimous: number
  /** We accept and every peer refuses; the exception where one is listed. */
  readonly alone: readonly {
    readonly id: string
    readonly exception: DifferentialException | undefined
  }[]
  /** We refuse and every peer accepts. */
  readonly strict: readonly Answer[]
  /** Cases that no peer has an opinion about. */
  readonly unjudged: number
}

export function compare(
  answers: readonly Answer[],
  peers: readonly Peer[],
  exceptions: readonly DifferentialException[],
): Comparison {
  const alone: Comparison['alone'][number][] = []
  const strict: Answer[] = []
  let [accepted, unanimous, unjudged] = [0, 0, 0]
  for (const answer of answers) {
    const { id } = answer
    if (answer.accepted) accepted++
    const verdicts = peers.map((peer) => peer.verdict(id)).filter((one) => one !== undefined)
    const ours = answer.accepted ? 'accept' : 'refuse'
    if (verdicts.length === 0) unjudged++
    else if (verdicts.every((one) => one === ours)) unanimous++
    else if (!verdicts.includes(ours)) {
      if (answer.accepted) alone.push({ id, exception: exceptions.find((one) => matches(one, id)) })
      else strict.push(answer)
    }
  }
  return { accepted, refused: answers.length - accepted, unanimous, alone, strict, unjudged }
}

/** @throws Error when an entry lacks one of its texts or cites no section of an RFC. */
export function readExceptions(file: URL): readonly DifferentialException[] {
  const exceptions = JSON.parse(readFileSync(file, 'utf8')) as readonly DifferentialException[]
  for (const { id, source, reason } of exceptions) {
    if (!id || !reason || !/^RFC \d+ §\d/.test(source ?? '')) {
      throw new Error(`incomplete exception: ${id}`)
    }
  }
  return exceptions
}

/**
 * Of two mutations one is enough: every peer refuses whatever has it, so that nothing can be learned about the other.
 */
function matches({ id: pattern }: DifferentialException, id: string): boolean {
  const texts = pattern.split('*').map((text) => text.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
  const whole = new RegExp(`^${texts.join('.*')}$`)
  const [source, rule = ''] = id.split('::')
  if (source !== 'mutated') return whole.test(id)
  const [family = '', ...rest] = rule.split('/')
  return rest
    .join('/')
    .split('+')
    .some((one) => whole.test(`${source}::${family}/${one}`))
}

/** Groups in the order in which their keys appear. */
export function groupBy<T>(all: readonly T[], key: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const one of all) {
    const name = key(one)
    const group = groups.get(name)
    if (group) group.push(one)
    else groups.set(name, [one])
  }
  return groups
}
