/** One change: a transaction, who makes it, and under which conditions. @module */

import type { Transaction } from 'kysely'
import type { Schema } from '../store/schema.ts'
import { Refusal } from './refusal.ts'

export interface Change {
  readonly trx: Transaction<Schema>
  /** Name of the token. */
  readonly actor: string
  readonly now: Date
  /** Tags that the caller has seen, from If-Match; `*`: any that exists; absent: no condition. */
  readonly ifMatch: '*' | readonly string[] | undefined
}

/**
 * RFC 9110 §13.1.1: not done when somebody else has written since.
 *
 * @param tag - Of what is there now.
 */
export function expectVersion({ ifMatch }: Pick<Change, 'ifMatch'>, tag: string): void {
  if (ifMatch === undefined || ifMatch === '*' || ifMatch.includes(tag)) return
  throw new Refusal('version-mismatch', 'it was changed meanwhile: read it again')
}

/** For what is made new: a condition on what is there cannot hold. */
export function expectNothing({ ifMatch }: Pick<Change, 'ifMatch'>): void {
  if (ifMatch === undefined) return
  throw new Refusal('version-mismatch', 'If-Match names what is there, and there is nothing')
}
