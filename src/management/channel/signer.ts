/**
 * Whose signature is in force: one key for all managers of a store. A manager that starts with another key has taken the place of the
 * old one, and signs what is in force anew: gateways that pin the new key would refuse it otherwise until something changes.
 *
 * @module
 */

import type { Transaction } from 'kysely'
import { publicKeyText, type SigningKey } from '../../deployment/keys.ts'
import {
  type LivePointer,
  type Pointer,
  readSigned,
  type Signed,
  signDocument,
} from '../../deployment/pointer.ts'
import { recordChange } from '../service/audit.ts'
import { chunksOf } from '../service/chunks.ts'
import type { Db } from '../service/lookups.ts'
import { Places } from '../service/places.ts'
import type { Schema } from '../store/schema.ts'
import type { Store } from '../store/store.ts'
import { environmentsWithoutSet, signSet } from './sets.ts'

/** What was signed anew. */
export interface SignedAnew {
  readonly environments: readonly string[]
  /** Of API proxies and live data, in all of them. */
  readonly pointers: number
  /** As `publicKeyText` has it; `undefined`: of a store that did not remember it yet. */
  readonly replacedKey: string | undefined
  readonly publicKey: string
}

/** This manager's key is no longer the one that signs in this store: gateways would refuse what it signs. */
export class SigningKeyReplaced extends Error {
  readonly code = 'signing-key-replaced'

  constructor() {
    super('another signing key has taken the place of the one of this manager')
    this.name = 'SigningKeyReplaced'
  }
}

/** The public key whose signatures are in force, as `publicKeyText` has it; `undefined`: nobody has signed yet. */
export async function signerOf(db: Db): Promise<string | undefined> {
  const row = await db
    .selectFrom('meta')
    .select('value')
    .where('key', '=', signerKey)
    .executeTakeFirst()
  return row?.value
}

/** @throws {SigningKeyReplaced} When somebody has signed, and it was not this key. */
export async function demandSigner(db: Db, publicKey: string): Promise<void> {
  const signer = await signerOf(db)
  if (signer !== undefined && signer !== publicKey) throw new SigningKeyReplaced()
}

/**
 * Makes this key the one that signs. Where another one did, all that is in force gets a new number and a new signature, in the same
 * transaction: of managers that start at once the first does it, and the others find it done. Where this one did, only sets are signed that
 * are missing, or that do not have the last change.
 *
 * @returns `undefined`: it was the one already, or there was nothing to sign anew.
 */
export async function takeOver(
  store: Pick<Store, 'transaction' | 'notify'>,
  signingKey: SigningKey,
  now: Date,
): Promise<SignedAnew | undefined> {
  const publicKey = publicKeyText(signingKey.publicKey)
  const places = new Places()
  return await store.transaction(async (trx) => {
    const signSets = async (ids: readonly string[]): Promise<void> => {
      for (const id of ids) await signSet(trx, id, { signingKey, places, now: () => now })
    }
    const replacedKey = await signerOf(trx)
    if (replacedKey === publicKey) {
      const ids = await environmentsWithoutSet(trx)
      // Under a number of its own: other managers remember the state of the last one without this set.
      const names = await countUp(trx, ids)
      await signSets(ids)
      for (const name of names) await store.notify(trx, name)
      return undefined
    }
    await trx
      .insertInto('meta')
      .values({ key: signerKey, value: publicKey })
      .onConflict((conflict) => conflict.column('key').doUpdateSet({ value: publicKey }))
      .execute()
    const rows = await signedRows(trx)
    // A store of a version that remembered no key: its managers may have this one.
    const isKnown = replacedKey === undefined && isSignedWith(rows, signingKey)
    if (rows.length === 0 || isKnown) {
      await signSets(await environmentIds(trx))
      return undefined
    }
    const environments: string[] = []
    for (const id of new Set(rows.map(({ environmentId }) => environmentId))) {
      const own = rows.filter(({ environmentId }) => environmentId === id)
      const name = await signRows(trx, id, own, signingKey, now)
      environments.push(name)
      await store.notify(trx, name)
    }
    // Of those that have nothing as well.
    await signSets(await environmentIds(trx))
    const done = { environments, pointers: rows.length, replacedKey, publicKey }
    await recordChange(trx, { actor, now }, 'signingKey.replace', 'signingKey', {
      ...done,
      replacedKey: replacedKey ?? null,
    })
    return done
  })
}

/** @returns The names of the environments. */
async function countUp(
  trx: Transaction<Schema>,
  ids: readonly string[],
): Promise<readonly string[]> {
  const names: string[] = []
  for (const id of ids) {
    const { name } = await trx
      .updateTable('environments')
      .set(({ eb }) => ({ sequence: eb('sequence', '+', 1) }))
      .where('id', '=', id)
      .returning('name')
      .executeTakeFirstOrThrow()
    names.push(name)
  }
  return names
}

async function environmentIds(trx: Transaction<Schema>): Promise<readonly string[]> {
  return (await trx.selectFrom('environments').select('id').execute()).map(({ id }) => id)
}

interface SignedRow {
  readonly environmentId: string
  /** `undefined`: the live data. */
  readonly apiProxyId: string | undefined
  readonly sequence: number
  readonly signed: Signed<Pointer | LivePointer>
}

/** In the order of their numbers. */
async function signedRows(trx: Transaction<Schema>): Promise<readonly SignedRow[]> {
  const pointers = await trx
    .selectFrom('pointers')
    .select(['environment_id', 'api_proxy_id', 'sequence', 'signed'])
    .execute()
  const live = await trx
    .selectFrom('live_states')
    .select(['environment_id', 'sequence', 'signed'])
    .execute()
  const all = [...pointers, ...live.map((row) => ({ ...row, api_proxy_id: undefined }))]
  return all
    .map((row) => ({
      environmentId: row.environment_id,
      apiProxyId: row.api_proxy_id,
      sequence: Number(row.sequence),
      signed: JSON.parse(row.signed) as Signed<Pointer | LivePointer>,
    }))
    .sort((a, b) => a.sequence - b.sequence)
}

function isSignedWith(rows: readonly SignedRow[], { publicKey }: SigningKey): boolean {
  return rows.every(({ signed }) => readSigned(signed, publicKey).ok)
}

/** @returns The name of the environment. */
async function signRows(
  trx: Transaction<Schema>,
  environmentId: string,
  rows: readonly SignedRow[],
  signingKey: SigningKey,
  now: Date,
): Promise<string> {
  const { name, sequence: last } = await trx
    .updateTable('environments')
    .set(({ eb }) => ({ sequence: eb('sequence', '+', rows.length) }))
    .where('id', '=', environmentId)
    .returning(['name', 'sequence'])
    .executeTakeFirstOrThrow()
  const issuedAt = now.toISOString()
  const renewed = rows.map(({ apiProxyId, signed: { document } }, index) => {
    const sequence = Number(last) - rows.length + index + 1
    const signed = JSON.stringify(signDocument({ ...document, sequence, issuedAt }, signingKey))
    return { apiProxyId, hash: document.hash, sequence, signed }
  })
  const pointers = renewed.flatMap(({ apiProxyId, ...row }) =>
    apiProxyId === undefined
      ? []
      : [{ environment_id: environmentId, api_proxy_id: apiProxyId, ...row }],
  )
  for (const some of chunksOf(pointers)) {
    await trx
      .insertInto('pointers')
      .values([...some])
      .onConflict((conflict) =>
        conflict.columns(['environment_id', 'api_proxy_id']).doUpdateSet(({ ref }) => ({
          sequence: ref('excluded.sequence'),
          signed: ref('excluded.signed'),
        })),
      )
      .execute()
  }
  const live = renewed.find(({ apiProxyId }) => apiProxyId === undefined)
  if (live !== undefined) {
    await trx
      .updateTable('live_states')
      .set({ sequence: live.sequence, signed: live.signed })
      .where('environment_id', '=', environmentId)
      .execute()
  }
  return name
}

/** In `meta`. */
export const signerKey = 'signing-key'
/** In the audit log. */
const actor = 'manager'
