/** What the parts of a source share. @module */

import type { CacheFolder } from './cache-folder.ts'
import type { RevocationEvent, RevocationEventFacts } from './event.ts'
import { type Answer, type ExchangeRules, exchange, type Question } from './exchange.ts'
import type { Signers } from './read-lists.ts'
import type { Gate } from './turns.ts'
import type { UpkeepRules } from './upkeep.ts'

export interface SourceContext {
  readonly exchange: ExchangeRules
  readonly upkeep: UpkeepRules
  readonly signers: Signers
  /** Bounds the exchanges that are open at once. */
  readonly connections: Gate
  /** One place: the turns of two computations follow each other without a pause. */
  readonly computing: Gate
  readonly cache: CacheFolder | undefined
  /**
   * Settles when the cache was read. Nothing is fetched before: what comes must be held against what was there, and can only be
   * written to a folder that is open.
   */
  readonly restored: () => Promise<void>
  readonly closing: AbortSignal
  readonly tell: (
    kind: RevocationEvent['kind'],
    origin: string,
    facts: RevocationEventFacts,
  ) => void
  /** Closing waits for it. */
  readonly track: (work: Promise<void>) => void
  /** Says that lists or responses changed; settles when the change is in force. */
  readonly publish: () => Promise<void>
}

/** Asks, and tells what came over the wire. */
export function askServer(
  { connections, exchange: rules, closing, tell }: SourceContext,
  kind: RevocationEvent['kind'],
  question: Question,
  origin: string,
): Promise<Answer> {
  return connections.pass(async () => {
    const begin = performance.now()
    const answer = await exchange(question, rules, closing)
    const milliseconds = performance.now() - begin
    if (answer.status === 'new') {
      tell(kind, origin, { type: 'fetched', bytes: answer.body.length, milliseconds })
    } else if (answer.status === 'not-modified') tell(kind, origin, { type: 'not-modified' })
    return answer
  })
}

/** Keeps an answer for the next start. Nothing waits for the disk. */
export function keepAnswer(
  { cache, tell, track }: SourceContext,
  answer: Parameters<CacheFolder['write']>[0],
): void {
  if (cache === undefined) return
  const writing = cache.write(answer).then((failure) => {
    if (failure !== undefined) tell(answer.kind, answer.uri, { type: 'cache-failed', failure })
  })
  track(writing)
}
