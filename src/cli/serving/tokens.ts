/** Tokens that a start needs before anybody could ask for one. @module */

import type { Right } from '../../management/service/rights.ts'
import { createToken, holderOf, revokeToken } from '../../management/service/tokens.ts'
import type { Store } from '../../management/store/store.ts'
import { readIfThere, writeSecret } from './secret-file.ts'

export interface WantedToken {
  readonly store: Store
  /** Who it is in the audit log. */
  readonly name: string
  readonly rights: readonly Right[]
  readonly now: Date
}

/** The token in `file`, if it is good; or else a new one, which is written there and takes the place of one that was lost. */
export async function tokenIn(
  file: string,
  { store, name, rights, now }: WantedToken,
): Promise<string> {
  const known = (await readIfThere(file))?.trim() ?? ''
  if ((await holderOf(store.db, known, now)) !== undefined) return known
  return await store.transaction(async (trx) => {
    const change = { trx, actor: operator, now, ifMatch: undefined }
    const lost = await trx
      .selectFrom('tokens')
      .select('id')
      .where('name', '=', name)
      .where('revoked_at', 'is', null)
      .executeTakeFirst()
    if (lost !== undefined) await revokeToken(change, name)
    const { token } = await createToken(change, name, { rights })
    // Before it is good: what a crash leaves is a token that is none yet, and never one that nobody knows.
    await writeSecret(file, `${token}\n`)
    return token
  })
}

/** Whether somebody could make the other tokens. */
export async function hasAdmin(store: Store, now: Date): Promise<boolean> {
  const rows = await store.db
    .selectFrom('tokens')
    .select(['rights', 'expires_at'])
    .where('revoked_at', 'is', null)
    .execute()
  return rows.some(({ rights, expires_at: expires }) => {
    const all: readonly Right[] = JSON.parse(rights)
    return (
      all.some(({ right }) => right === 'admin') && (expires === null || new Date(expires) > now)
    )
  })
}

/** In the audit log. Whoever starts the program can read the database anyway. */
const operator = 'command line'
