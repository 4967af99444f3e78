/** CRLs and kill list entries, of a project or of one API proxy: in force at once, without a deployment. @module */

import { createHash } from 'node:crypto'
import { type Selectable, sql } from 'kysely'
import { toHex } from '../../base/hex.ts'
import { formatTime } from '../../base/time.ts'
import { checkKillEntry, type KillEntryJson } from '../../deployment/index.ts'
import { parseCrls } from '../../revocation/crls.ts'
import type { KillListEntry, KillListInvalid } from '../../revocation/kill-list-entry.ts'
import { readKillEntry } from '../../revocation/kill-list-entry.ts'
import { isSignedBy } from '../../runtime/revocation/verify-list.ts'
import type { CertificateList } from '../../x509/crl.ts'
import { nameKey } from '../../x509/name-match.ts'
import { formatName } from '../../x509/name-text.ts'
import type { Crl, KillEntry } from '../resources.ts'
import type { CrlTable, KillEntryTable } from '../store/schema.ts'
import { recordChange, recordChanges } from './audit.ts'
import { textOf } from './certificates.ts'
import type { Change } from './change.ts'
import { chunksOf } from './chunks.ts'
import { crlSignerOf, crlSignersOf } from './crl-signers.ts'
import { newId } from './ids.ts'
import { demandRoom } from './live-room.ts'
import { type Db, type Owner, ownerTarget } from './lookups.ts'
import { type Page, type PageQuery, pageOf } from './pages.ts'
import { invalidField, Refusal } from './refusal.ts'
import { isTime, timeWords } from './times.ts'

/**
 * Reads revocation lists as uploaded.
 *
 * @throws Refusal `invalid` when any cannot be read: what it says would be unknown.
 */
export function readCrlUpload(
  source: string | Uint8Array,
  path: string,
): readonly CertificateList[] {
  const { lists, unreadable } = parseCrls(textOf(source))
  const [bad] = unreadable
  if (bad !== undefined) throw invalidField(path, `a CRL as DER or PEM (${bad.failure.code})`)
  if (lists.length === 0) throw invalidField(path, 'at least one CRL')
  return lists
}

/**
 * Takes a list over. One that its issuer has signed takes the place of the older one of the same issuer, key and scope; an older one than what
 * is there is refused, so that nobody who was revoked comes back by mistake. A list whose issuer is not among the CAs that are known here
 * stands beside the others: nobody can say that it is to replace one.
 *
 * @throws Refusal `crl-signature-invalid` for one that has the name of a CA that is known here, and not its signature.
 */
export async function addCrl(change: Change, owner: Owner, list: CertificateList): Promise<Crl> {
  const { trx, actor, now } = change
  const sha256 = createHash('sha256').update(list.der).digest('hex')
  const { issuer, thisUpdate, nextUpdate } = list.tbsCertList
  const issuerText = formatName(issuer)
  const signer = await crlSignerOf(list, await crlSignersOf(trx, owner, list))
  if (signer.by === 'nobody') {
    const expected = `a CRL that ${issuerText} has signed, as it stands in the trust store`
    const message = `${issuerText} has not signed this CRL: it is damaged, or of another CA of this name`
    throw new Refusal('crl-signature-invalid', message, {
      details: [{ path: 'crl', problem: 'invalid', expected }],
    })
  }
  const rows = await ownCrls(trx, owner).where('issuer', '=', issuerText).selectAll().execute()
  const scope = scopeOf(list)
  let beside = 0
  for (const row of rows) {
    if (row.sha256 === sha256) return crlResource({ ...row, octets: row.der.length })
    const [other] = readCrlUpload(octetsOf(row.der), 'crl')
    if (other === undefined || scopeOf(other) !== scope) continue
    // Of another key with the same name, or of nobody: neither is newer or older than this one.
    const isSame =
      signer.by === 'known'
        ? (await isSignedBy(other, signer.spki)) === true
        : keyIdentifierOf(other) === keyIdentifierOf(list)
    if (!isSame) continue
    if (other.tbsCertList.thisUpdate > thisUpdate || numberOf(other) > numberOf(list)) {
      throw new Refusal(
        'already-exists',
        `a newer list of this issuer is there: thisUpdate ${row.this_update}`,
      )
    }
    if (signer.by === 'unknown') beside++
    else await trx.deleteFrom('crls').where('id', '=', row.id).execute()
  }
  if (beside >= maxBeside) {
    const message =
      `${beside} lists of this issuer stand beside each other, since its certificate is not known here: ` +
      'add it to the intermediates of the trust store, or delete those that are not needed'
    throw new Refusal('limit-reached', message)
  }
  const row = {
    id: newId(now),
    owner_kind: owner.kind,
    owner_id: owner.id,
    issuer: issuerText,
    this_update: formatTime(thisUpdate),
    next_update: nextUpdate === undefined ? null : formatTime(nextUpdate),
    sha256,
    der: list.der,
  }
  await trx.insertInto('crls').values(row).execute()
  await demandRoom(change, owner)
  const resource = crlResource({ ...row, octets: list.der.length })
  await recordChange(trx, { actor, now }, 'crl.add', `${ownerTarget(owner)}/crls/${sha256}`, {
    ...resource,
  })
  return resource
}

export async function crlsPage(
  db: Db,
  owner: Owner,
  { limit, cursor }: PageQuery,
): Promise<Page<Crl>> {
  let query = ownCrls(db, owner)
    .select(['sha256', 'issuer', 'this_update', 'next_update'])
    .select(sql<number>`length(der)`.as('octets'))
  if (cursor !== undefined) query = query.where('sha256', '>', cursor)
  const rows = await query
    .orderBy('sha256')
    .limit(limit + 1)
    .execute()
  return pageOf(rows.map(crlResource), limit, ({ sha256 }) => sha256)
}

/** The list itself. */
export async function crlNamed(
  db: Db,
  owner: Owner,
  sha256: string,
): Promise<Selectable<CrlTable>> {
  const row = await ownCrls(db, owner).selectAll().where('sha256', '=', sha256).executeTakeFirst()
  if (row === undefined) throw new Refusal('not-found', 'there is no such CRL here')
  return { ...row, der: octetsOf(row.der) }
}

export async function deleteCrl(change: Change, owner: Owner, sha256: string): Promise<void> {
  const { trx, actor, now } = change
  const { id, issuer } = await crlNamed(trx, owner, sha256)
  await trx.deleteFrom('crls').where('id', '=', id).execute()
  const target = `${ownerTarget(owner)}/crls/${sha256}`
  await recordChange(trx, { actor, now }, 'crl.delete', target, { issuer })
}

/**
 * Reads a kill list entry.
 *
 * @throws Refusal `invalid`.
 */
export function readKill(value: unknown, path = ''): KillEntryJson {
  const checked = checkKillEntry(value)
  const at = (field: string): string => [path, field].filter((part) => part !== '').join('.')
  if (!checked.ok) {
    const { failure } = checked
    const expected = 'expected' in failure ? failure.expected : failure.code
    throw invalidField(at(failure.path), expected)
  }
  try {
    readKillEntry(killListEntry(checked.value), 0)
  } catch (error) {
    if (!isKillListInvalid(error)) throw error
    throw invalidField(at(error.field), error.expected)
  }
  const { expires } = checked.value
  if (expires !== undefined && !isTime(expires)) throw invalidField(at('expires'), timeWords)
  return checked.value
}

/** As a kill list takes it. */
export function killListEntry({ expires, ...entry }: KillEntryJson): KillListEntry {
  return {
    ...entry,
    ...(expires === undefined ? {} : { expires: new Date(expires) }),
  } as KillListEntry
}

export async function addKill(
  change: Change,
  owner: Owner,
  entry: KillEntryJson,
): Promise<KillEntry> {
  const [added] = await addKills(change, owner, [entry])
  return added as KillEntry
}

/** All or nothing, as one: each alone would count again what is there. */
export async function addKills(
  change: Change,
  owner: Owner,
  entries: readonly KillEntryJson[],
): Promise<readonly KillEntry[]> {
  const { trx, actor, now } = change
  const added: KillEntry[] = []
  for (const some of chunksOf(entries)) {
    const rows = some.map((entry) => ({
      id: newId(now),
      owner_kind: owner.kind,
      owner_id: owner.id,
      entry: JSON.stringify(entry),
      created_at: now.toISOString(),
      expires: entry.expires ?? null,
    }))
    await trx.insertInto('kill_entries').values(rows).execute()
    added.push(...rows.map(killResource))
  }
  await demandRoom(change, owner)
  await recordChanges(
    trx,
    { actor, now },
    added.map(({ id, entry }) => ({
      action: 'killList.add',
      target: `${ownerTarget(owner)}/killList/${id}`,
      detail: { ...entry },
    })),
  )
  return added
}

export async function killsPage(
  db: Db,
  owner: Owner,
  { limit, cursor }: PageQuery,
): Promise<Page<KillEntry>> {
  let query = ownKills(db, owner).selectAll()
  if (cursor !== undefined) query = query.where('id', '>', cursor)
  const rows = await query
    .orderBy('id')
    .limit(limit + 1)
    .execute()
  return pageOf(rows.map(killResource), limit, ({ id }) => id)
}

export async function deleteKill(change: Change, owner: Owner, id: string): Promise<void> {
  const { trx, actor, now } = change
  const row = await ownKills(trx, owner).selectAll().where('id', '=', id).executeTakeFirst()
  if (row === undefined) throw new Refusal('not-found', 'there is no such entry here')
  await trx.deleteFrom('kill_entries').where('id', '=', id).execute()
  await recordChange(
    trx,
    { actor, now },
    'killList.delete',
    `${ownerTarget(owner)}/killList/${id}`,
    {
      ...(JSON.parse(row.entry) as KillEntryJson),
    },
  )
}

/** Of these owners, for an export or a trial. */
export async function allKills(
  db: Db,
  ownerIds: readonly string[],
): Promise<readonly KillEntryJson[]> {
  const rows = await db
    .selectFrom('kill_entries')
    .select('entry')
    .where('owner_id', 'in', [...ownerIds])
    .orderBy('id')
    .execute()
  return rows.map(({ entry }) => JSON.parse(entry) as KillEntryJson)
}

export async function allCrls(db: Db, ownerIds: readonly string[]): Promise<readonly Uint8Array[]> {
  const rows = await db
    .selectFrom('crls')
    .select('der')
    .where('owner_id', 'in', [...ownerIds])
    .orderBy('sha256')
    .execute()
  return rows.map(({ der }) => octetsOf(der))
}

function ownCrls(db: Db, { kind, id }: Owner) {
  return db.selectFrom('crls').where('owner_kind', '=', kind).where('owner_id', '=', id)
}

function ownKills(db: Db, { kind, id }: Owner) {
  return db.selectFrom('kill_entries').where('owner_kind', '=', kind).where('owner_id', '=', id)
}

function crlResource(
  row: Pick<Selectable<CrlTable>, 'sha256' | 'issuer' | 'this_update' | 'next_update'> & {
    readonly octets: number
  },
): Crl {
  return {
    sha256: row.sha256,
    issuer: row.issuer,
    thisUpdate: row.this_update,
    nextUpdate: row.next_update,
    octets: Number(row.octets),
  }
}

function killResource(row: Selectable<KillEntryTable>): KillEntry {
  return {
    id: row.id,
    createdAt: row.created_at,
    entry: JSON.parse(row.entry) as KillEntryJson,
  }
}

/** What tells lists of one issuer apart: complete or delta, and for which certificates they speak. RFC 5280 §5.2.5 */
function scopeOf({ tbsCertList: { issuer, crlExtensions } }: CertificateList): string {
  const { issuingDistributionPoint, deltaCRLIndicator } = crlExtensions
  const point = issuingDistributionPoint === undefined ? '' : toHex(issuingDistributionPoint.der)
  return `${nameKey(issuer)} ${deltaCRLIndicator === undefined ? 'complete' : 'delta'} ${point}`
}

/** RFC 5280 §5.2.1 */
function keyIdentifierOf({ tbsCertList: { crlExtensions } }: CertificateList): string {
  const identifier = crlExtensions.authorityKeyIdentifier?.keyIdentifier
  return identifier === undefined ? '' : toHex(identifier)
}

function numberOf({ tbsCertList: { crlExtensions } }: CertificateList): bigint {
  const number = crlExtensions.cRLNumber?.number
  return number === undefined ? -1n : BigInt(`0x${toHex(number)}`)
}

/** A driver's Buffer may lie in a pool. */
function octetsOf(der: Uint8Array): Uint8Array {
  return new Uint8Array(der)
}

function isKillListInvalid(error: unknown): error is KillListInvalid {
  return error instanceof TypeError && 'code' in error && error.code === 'kill-list-invalid'
}

/** Local limit: gateways try the signature of each. */
const maxBeside = 16
