/** Retries of a POST with the same `Idempotency-Key` do nothing again and get the same answer. @module */

import type { Db } from './lookups.ts'
import { Refusal } from './refusal.ts'

/** What a request is told by. */
export interface RetryKey {
  readonly key: string
  readonly tokenId: string
  /** Of method, path, query and body. */
  readonly requestHash: string
}

export interface RememberedAnswer {
  readonly status: number
  readonly body: string
}

/** @throws Refusal when the key was used for another request. */
export async function rememberedAnswer(
  trx: Db,
  { key, tokenId, requestHash }: RetryKey,
): Promise<RememberedAnswer | undefined> {
  const row = await trx
    .selectFrom('idempotency')
    .selectAll()
    .where('key', '=', key)
    .where('token_id', '=', tokenId)
    .executeTakeFirst()
  if (row === undefined) return undefined
  if (row.request_hash !== requestHash) {
    throw new Refusal('idempotency-key-reused', 'the Idempotency-Key was used for another request')
  }
  return { status: Number(row.status), body: row.body }
}

/** In the transaction of the change itself, so that there is an answer as soon as there is something to answer for. */
export async function rememberAnswer(
  trx: Db,
  { key, tokenId, requestHash }: RetryKey,
  answer: RememberedAnswer,
  now: Date,
): Promise<void> {
  const before = new Date(now.getTime() - keptMs).toISOString()
  await trx.deleteFrom('idempotency').where('created_at', '<', before).execute()
  await trx
    .insertInto('idempotency')
    .values({
      key,
      token_id: tokenId,
      request_hash: requestHash,
      ...answer,
      created_at: now.toISOString(),
    })
    .onConflict((conflict) => conflict.columns(['key', 'token_id']).doUpdateSet(answer))
    .execute()
}

/** Local limit: a day. */
const keptMs = 86_400_000
