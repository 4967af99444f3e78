/**
 * Trust store, issuer ACL and revocation settings, of a project or of one API proxy. A proxy's own replaces the project's, and never adds
 * to it: two trust stores that become one would trust what neither was meant to.
 *
 * @module
 */

import { formatAcl, type IssuerAcl, issuerAclFromJson, parseIssuerAcl } from '../../acl/index.ts'
import type { AclInvalid } from '../../acl/misuse.ts'
import { encodeBase64 } from '../../base/base64.ts'
import {
  checkRevocation,
  defaultRevocation,
  type RevocationSettings,
} from '../../deployment/index.ts'
import type { IssuerAclResource, TrustStore } from '../resources.ts'
import { recordChange } from './audit.ts'
import { readCertificateUpload, storedDer, summaryOf } from './certificates.ts'
import { type Change, expectNothing, expectVersion } from './change.ts'
import { type Db, type Owner, ownerTarget } from './lookups.ts'
import { invalidField, Refusal } from './refusal.ts'

export type SettingKind = 'trustStore' | 'issuerAcl' | 'revocation'

/** As stored: base64 of DER. */
export interface StoredTrustStore {
  readonly anchors: readonly string[]
  readonly intermediates: readonly string[]
}

/** What counts for one owner, each absent if nobody configured it. */
export interface Settings {
  readonly trustStore?: StoredTrustStore
  readonly issuerAcl?: IssuerAclResource
  readonly revocation?: RevocationSettings
}

export interface Setting<T> {
  readonly value: T
  readonly tag: string
}

export async function settingOf(
  db: Db,
  owner: Pick<Owner, 'kind' | 'id'>,
  kind: SettingKind,
): Promise<Setting<unknown> | undefined> {
  const row = await db
    .selectFrom('settings')
    .selectAll()
    .where('owner_kind', '=', owner.kind)
    .where('owner_id', '=', owner.id)
    .where('kind', '=', kind)
    .executeTakeFirst()
  return row && { value: JSON.parse(row.document) as unknown, tag: `${kind}.${row.version}` }
}

export async function settingNamed(
  db: Db,
  owner: Owner,
  kind: SettingKind,
): Promise<Setting<unknown>> {
  const setting = await settingOf(db, owner, kind)
  if (setting === undefined) throw new Refusal('not-found', `no ${kind} is configured here`)
  return setting
}

/** What is configured for the proxy itself and, where it has nothing of its own, for its project. */
export async function settingsFor(db: Db, proxyId: string, projectId: string): Promise<Settings> {
  const rows = await db
    .selectFrom('settings')
    .selectAll()
    .where('owner_id', 'in', [proxyId, projectId])
    .execute()
  const of = (kind: SettingKind): unknown => {
    const row =
      rows.find((one) => one.kind === kind && one.owner_kind === 'proxy') ??
      rows.find((one) => one.kind === kind)
    return row && (JSON.parse(row.document) as unknown)
  }
  return settingsOf(of('trustStore'), of('issuerAcl'), of('revocation'))
}

/** Against which certificates of the owner are judged: its own store, or its project's; of a project those of its proxies, too. */
export async function storedTrustStores(
  db: Db,
  owner: Owner,
): Promise<readonly StoredTrustStore[]> {
  if (owner.kind === 'proxy') {
    const { trustStore } = await settingsFor(db, owner.id, owner.projectId)
    return trustStore === undefined ? [] : [trustStore]
  }
  const proxies = db.selectFrom('api_proxies').select('id').where('project_id', '=', owner.id)
  const rows = await db
    .selectFrom('settings')
    .select('document')
    .where('kind', '=', 'trustStore')
    .where(({ or, eb }) => or([eb('owner_id', '=', owner.id), eb('owner_id', 'in', proxies)]))
    .execute()
  return rows.map(({ document }) => JSON.parse(document) as StoredTrustStore)
}

/** What is configured for this owner alone. */
export async function ownSettings(db: Db, owner: Pick<Owner, 'kind' | 'id'>): Promise<Settings> {
  const rows = await db
    .selectFrom('settings')
    .selectAll()
    .where('owner_kind', '=', owner.kind)
    .where('owner_id', '=', owner.id)
    .execute()
  const of = (kind: SettingKind): unknown => {
    const row = rows.find((one) => one.kind === kind)
    return row && (JSON.parse(row.document) as unknown)
  }
  return settingsOf(of('trustStore'), of('issuerAcl'), of('revocation'))
}

function settingsOf(trustStore: unknown, issuerAcl: unknown, revocation: unknown): Settings {
  return {
    ...(trustStore === undefined ? {} : { trustStore: trustStore as StoredTrustStore }),
    ...(issuerAcl === undefined ? {} : { issuerAcl: issuerAcl as IssuerAclResource }),
    ...(revocation === undefined ? {} : { revocation: revocation as RevocationSettings }),
  }
}

/** @returns The tag of what is there now. */
export async function putSetting(
  change: Change,
  owner: Owner,
  kind: SettingKind,
  value: object,
  detail: object = value,
): Promise<string> {
  const { trx, actor, now } = change
  const before = await settingOf(trx, owner, kind)
  if (before === undefined) expectNothing(change)
  else expectVersion(change, before.tag)
  const document = JSON.stringify(value)
  const where = { owner_kind: owner.kind, owner_id: owner.id, kind }
  // Never the same number twice: a setting that is deleted and made again must not look like the old one.
  const version = Math.max(now.getTime(), versionOf(before) + 1)
  await trx
    .insertInto('settings')
    .values({ ...where, document, version })
    .onConflict((conflict) =>
      conflict.columns(['owner_kind', 'owner_id', 'kind']).doUpdateSet({ document, version }),
    )
    .execute()
  await recordChange(trx, { actor, now }, `${kind}.put`, `${ownerTarget(owner)}/${kind}`, detail)
  return `${kind}.${version}`
}

export async function deleteSetting(
  change: Change,
  owner: Owner,
  kind: SettingKind,
): Promise<void> {
  const { trx, actor, now } = change
  expectVersion(change, (await settingNamed(trx, owner, kind)).tag)
  await trx
    .deleteFrom('settings')
    .where('owner_kind', '=', owner.kind)
    .where('owner_id', '=', owner.id)
    .where('kind', '=', kind)
    .execute()
  await recordChange(trx, { actor, now }, `${kind}.delete`, `${ownerTarget(owner)}/${kind}`, {})
}

/**
 * @param path - Of the trust store, for problems.
 * @throws Refusal `invalid`.
 */
export function readTrustStore(
  given: {
    readonly anchors: readonly (string | Uint8Array)[]
    readonly intermediates: readonly (string | Uint8Array)[]
  },
  path = '',
): StoredTrustStore {
  const at = (part: string): string => (path === '' ? part : `${path}.${part}`)
  const anchors = readCertificateUpload(given.anchors, at('anchors'))
  if (anchors.length === 0) {
    throw invalidField(at('anchors'), 'at least one CA certificate', 'missing')
  }
  const intermediates = readCertificateUpload(given.intermediates, at('intermediates'))
  return { anchors: anchors.map(encodeBase64), intermediates: intermediates.map(encodeBase64) }
}

export function trustStoreResource({ anchors, intermediates }: StoredTrustStore): TrustStore {
  const summaries = (list: readonly string[]): TrustStore['anchors'] =>
    list.map((text) => summaryOf(storedDer(text)))
  return { anchors: summaries(anchors), intermediates: summaries(intermediates) }
}

/** For the audit log: which certificates, not their octets. */
export function trustStoreDetail({ anchors, intermediates }: StoredTrustStore): object {
  const names = (list: readonly string[]): readonly object[] =>
    list.slice(0, 100).map((text) => {
      const { subject, sha256 } = summaryOf(storedDer(text))
      return { subject, sha256 }
    })
  return {
    anchors: names(anchors),
    intermediates: names(intermediates),
    counts: { anchors: anchors.length, intermediates: intermediates.length },
  }
}

/**
 * Reads an issuer ACL: its text form, or the JSON form.
 *
 * @throws Refusal `invalid`.
 */
export function readIssuerAcl(acl: unknown, path = 'acl'): IssuerAclResource {
  try {
    const read: IssuerAcl = typeof acl === 'string' ? parseIssuerAcl(acl) : issuerAclFromJson(acl)
    return { acl: typeof acl === 'string' ? acl : formatAcl(read) }
  } catch (error) {
    if (!isAclInvalid(error)) throw error
    const line = error.line === undefined ? '' : ` line ${error.line}`
    const dot = error.field === '' || error.field.startsWith('[') ? '' : '.'
    throw invalidField(`${path}${line}${dot}${error.field}`, error.expected)
  }
}

/**
 * Reads settings of revocation; what is left out gets its default.
 *
 * @throws Refusal `invalid`.
 */
export function readRevocation(value: unknown, path = ''): RevocationSettings {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  const checked = checkRevocation(isObject ? { ...defaultRevocation, ...value } : value)
  if (checked.ok) return checked.value
  const { failure } = checked
  const expected = 'expected' in failure ? failure.expected : failure.code
  throw invalidField([path, failure.path].filter((part) => part !== '').join('.'), expected)
}

function versionOf(setting: Setting<unknown> | undefined): number {
  return setting === undefined ? 0 : Number(setting.tag.slice(setting.tag.lastIndexOf('.') + 1))
}

function isAclInvalid(error: unknown): error is AclInvalid {
  return error instanceof TypeError && 'code' in error && error.code === 'acl-invalid'
}
