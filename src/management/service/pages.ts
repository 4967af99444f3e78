/** Lists that grow come in pages: `limit`, and a `cursor` from the page before. @module */

import { Refusal } from './refusal.ts'

export interface PageQuery {
  readonly limit: number
  /** Key of the last item of the page before. */
  readonly cursor: string | undefined
}

export interface Page<T> {
  readonly items: readonly T[]
  /** For the next page; absent: there is none. */
  readonly nextCursor: string | undefined
}

/** @param rows - One more than `limit`, if there are so many. */
export function pageOf<T>(rows: readonly T[], limit: number, keyOf: (row: T) => string): Page<T> {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  const isMore = rows.length > limit && last !== undefined
  return {
    items,
    nextCursor: isMore ? Buffer.from(keyOf(last)).toString('base64url') : undefined,
  }
}

/** What a cursor stands for; only what `pageOf` wrote is one. */
export function readCursor(cursor: string): string {
  const key = Buffer.from(cursor, 'base64url').toString()
  if (key === '' || key.includes('\0') || Buffer.from(key).toString('base64url') !== cursor) {
    throw new Refusal('invalid', 'not a cursor of this list', {
      details: [{ path: 'cursor', problem: 'invalid', expected: 'nextCursor of a page' }],
    })
  }
  return key
}
