/** Bearer tokens: 256 random bits, of which the store has only a digest. RFC 6750 §2.1 @module */

import { createHash, randomBytes } from 'node:crypto'
import type { Selectable } from 'kysely'
import { namePattern } from '../../deployment/fields.ts'
import type { NewToken, Token, TokenRequest } from '../resources.ts'
import type { TokenTable } from '../store/schema.ts'
import { recordChange } from './audit.ts'
import { type Change, expectVersion } from './change.ts'
import { newId } from './ids.ts'
import type { Db } from './lookups.ts'
import { isNewName, newNameWords } from './names.ts'
import { type Page, type PageQuery, pageOf } from './pages.ts'
import { invalidField, Refusal } from './refusal.ts'
import type { Actor, Right } from './rights.ts'
import { demandToCome } from './times.ts'

/** @returns What no one but the caller will ever see again, under `token`. */
export async function createToken(
  { trx, actor, now }: Omit<Change, 'ifMatch'>,
  name: string,
  { rights, expiresAt = null }: TokenRequest,
): Promise<NewToken> {
  if (!isNewName(name)) throw invalidField('tokenName', newNameWords)
  for (const [index, right] of rights.entries()) {
    const scope =
      'project' in right ? right.project : 'environment' in right ? right.environment : '*'
    if (!namePattern.test(scope)) throw invalidField(`rights[${index}]`, 'a name, or *')
  }
  const expires = expiresAt === null ? undefined : demandToCome(expiresAt, now, 'expiresAt')
  const others = await trx.selectFrom('tokens').selectAll().where('name', '=', name).execute()
  if (others.some((other) => isGood(other, now))) {
    throw new Refusal('already-exists', 'there is a token of this name: revoke it first')
  }
  const token = `${prefix}${randomBytes(32).toString('base64url')}`
  const row: Selectable<TokenTable> = {
    id: newId(now),
    name,
    hash: digestOf(token),
    rights: JSON.stringify(rights),
    created_at: now.toISOString(),
    expires_at: expires?.toISOString() ?? null,
    revoked_at: null,
    last_used_at: null,
  }
  await trx.insertInto('tokens').values(row).execute()
  await recordChange(trx, { actor, now }, 'token.create', `tokens/${name}`, {
    rights,
    expiresAt: row.expires_at,
  })
  return { ...tokenResource(row), token }
}

/** Who holds this token; `undefined`: nobody, any more or ever. */
export async function holderOf(db: Db, token: string, now: Date): Promise<Actor | undefined> {
  if (!tokenPattern.test(token)) return undefined
  const row = await db
    .selectFrom('tokens')
    .selectAll()
    .where('hash', '=', digestOf(token))
    .executeTakeFirst()
  if (row === undefined || !isGood(row, now)) return undefined
  return { tokenId: row.id, name: row.name, rights: JSON.parse(row.rights) as readonly Right[] }
}

/** Once a minute is enough to see which tokens nobody uses. */
export async function noteUse(db: Db, { tokenId }: Actor, now: Date): Promise<void> {
  await db
    .updateTable('tokens')
    .set({ last_used_at: now.toISOString() })
    .where('id', '=', tokenId)
    .execute()
}

export async function revokeToken(change: Change, name: string): Promise<void> {
  const { trx, actor, now } = change
  const rows = await trx
    .selectFrom('tokens')
    .selectAll()
    .where('name', '=', name)
    .where('revoked_at', 'is', null)
    .orderBy('id', 'desc')
    .execute()
  const [newest] = rows
  if (newest === undefined) throw new Refusal('token-not-found', 'there is no such token in force')
  expectVersion(change, tokenTag(newest))
  await trx
    .updateTable('tokens')
    .set({ revoked_at: now.toISOString() })
    .where('name', '=', name)
    .where('revoked_at', 'is', null)
    .execute()
  await recordChange(trx, { actor, now }, 'token.revoke', `tokens/${name}`, {})
}

/** The newest of this name. */
export async function tokenNamed(db: Db, name: string): Promise<Selectable<TokenTable>> {
  const row = await db
    .selectFrom('tokens')
    .selectAll()
    .where('name', '=', name)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (row === undefined) throw new Refusal('token-not-found', 'there is no such token')
  return row
}

export async function tokensPage(db: Db, { limit, cursor }: PageQuery): Promise<Page<Token>> {
  let query = db.selectFrom('tokens').selectAll()
  if (cursor !== undefined) query = query.where('id', '>', cursor)
  const rows = await query
    .orderBy('id')
    .limit(limit + 1)
    .execute()
  const page = pageOf(rows, limit, ({ id }) => id)
  return { ...page, items: page.items.map(tokenResource) }
}

/** For maps that must not hold the token. */
export function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

function isGood(row: Selectable<TokenTable>, now: Date): boolean {
  return (
    row.revoked_at === null &&
    (row.expires_at === null || Date.parse(row.expires_at) > now.getTime())
  )
}

/** Another one after every use that is seen in it: whoever revokes a token that nobody uses wants to know that somebody does. */
export function tokenTag({ id, revoked_at, last_used_at }: Selectable<TokenTable>): string {
  const numberOf = (time: string | null): number => (time === null ? 0 : Date.parse(time))
  return `${id}.${numberOf(revoked_at)}.${numberOf(last_used_at)}`
}

export function tokenResource(row: Selectable<TokenTable>): Token {
  return {
    name: row.name,
    rights: JSON.parse(row.rights) as readonly Right[],
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    lastUsedAt: row.last_used_at,
  }
}

/** Scanners for leaked secrets find them by it. */
const prefix = 'mtlsp_'
const tokenPattern = /^mtlsp_[A-Za-z0-9_-]{43}$/
