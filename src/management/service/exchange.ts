/** A whole project as one file, and back. No tokens, no keys, nothing about what is deployed. @module */

import { setImmediate } from 'node:timers/promises'
import { decodeBase64, encodeBase64 } from '../../base/base64.ts'
import type { RevocationSettings } from '../../deployment/index.ts'
import { liveLimits } from '../../deployment/live-limits.ts'
import { Fields } from '../../policy/fields.ts'
import type { CertificateList } from '../../x509/crl.ts'
import type {
  ExportedProxy,
  ExportedSettings,
  IssuerAclResource,
  KillEntryJson,
  ProjectExport,
} from '../resources.ts'
import { type ApiProxyDocument, apiProxyFrom, apiProxyOf } from './api-proxy-document.ts'
import type { Change } from './change.ts'
import { isSmall, smallWords } from './limits.ts'
import { addCrl, addKills, allCrls, allKills, readCrlUpload, readKill } from './live.ts'
import type { Db, Owner, ProjectRow } from './lookups.ts'
import { isNewName, newNameWords } from './names.ts'
import {
  insertPolicies,
  type NewPolicy,
  policiesOf,
  policyLists,
  readPolicyLists,
} from './policies.ts'
import { createApiProxy, createProject, descriptionWords, isDescription } from './projects.ts'
import { type FieldProblem, invalid, invalidField, Refusal } from './refusal.ts'
import {
  ownSettings,
  putSetting,
  readIssuerAcl,
  readRevocation,
  readTrustStore,
  type StoredTrustStore,
  trustStoreDetail,
} from './settings.ts'

export async function exportProject(db: Db, project: ProjectRow): Promise<ProjectExport> {
  const rows = await db
    .selectFrom('api_proxies')
    .selectAll()
    .where('project_id', '=', project.id)
    .orderBy('name')
    .execute()
  const apiProxies: ExportedProxy[] = []
  for (const row of rows) {
    const { name, ...policies } = policyLists(row.name, await policiesOf(db, row.id)).apiProxy
    apiProxies.push({
      name,
      ...apiProxyOf(row),
      policies,
      settings: await exportSettings(db, { kind: 'proxy', id: row.id }),
    })
  }
  return {
    version: 1,
    project: { name: project.name, description: project.description },
    settings: await exportSettings(db, { kind: 'project', id: project.id }),
    apiProxies,
  }
}

/** What a file says, held against all that can be known without the store. */
export interface ProjectFile {
  readonly description: string
  readonly settings: FileSettings
  readonly apiProxies: readonly FileProxy[]
}

interface FileProxy {
  readonly name: string
  readonly document: ApiProxyDocument
  readonly policies: readonly NewPolicy[]
  readonly settings: FileSettings
}

interface FileSettings {
  readonly trustStore: StoredTrustStore | undefined
  readonly issuerAcl: IssuerAclResource | undefined
  readonly revocation: RevocationSettings | undefined
  readonly crls: readonly CertificateList[]
  readonly killList: readonly KillEntryJson[]
}

/**
 * Reads a file by the rules that each part has where it comes in a request of its own. Others get their turn between its parts.
 *
 * @throws Refusal with the path of each bad field.
 */
export async function readProjectFile(value: unknown): Promise<ProjectFile> {
  const problems: FieldProblem[] = []
  const fields = new Fields(value, '', problems)
  if (fields.get('version') !== 1) fields.problem('version', 'invalid', '1')
  const project = new Fields(fields.get('project') ?? {}, 'project', problems)
  project.text('name')
  const description = project.text('description') ?? ''
  if (!isDescription(description)) project.problem('description', 'invalid', descriptionWords)
  project.done()
  const settings = await readSettings(fields.get('settings') ?? {}, 'settings', problems)
  const apiProxies: FileProxy[] = []
  const names = new Set<string>()
  for (const [index, one] of fields.list('apiProxies').entries()) {
    await setImmediate()
    apiProxies.push(await readProxy(one, `apiProxies[${index}]`, names, problems))
    if (problems.length >= maxProblems) break
  }
  fields.done()
  if (problems.length > 0) throw invalid(problems)
  return { description, settings, apiProxies }
}

/**
 * Makes a project from a file; there must be none of this name. All or nothing.
 *
 * @param name - The new project's, whatever the file says.
 */
export async function importProject(
  change: Change,
  name: string,
  { description, settings, apiProxies }: ProjectFile,
): Promise<void> {
  const project = await createProject(change, name, description)
  await putSettings(change, ownerOf(project), settings)
  for (const [index, proxy] of apiProxies.entries()) {
    const path = `apiProxies[${index}]`
    const row = await createApiProxy(change, project, proxy.name, proxy.document, path)
    await insertPolicies(change, row, proxy.policies)
    const owner: Owner = {
      kind: 'proxy',
      id: row.id,
      projectId: project.id,
      projectName: project.name,
      apiProxyName: proxy.name,
    }
    await putSettings(change, owner, proxy.settings)
  }
}

/** @param names - Of those before it; its own joins them. */
async function readProxy(
  value: unknown,
  path: string,
  names: Set<string>,
  problems: FieldProblem[],
): Promise<FileProxy> {
  const fields = new Fields(value, path, problems)
  const name = fields.text('name') ?? ''
  if (!isNewName(name)) fields.problem('name', 'invalid', newNameWords)
  else if (names.has(name)) fields.problem('name', 'not-unique', 'a name of its own')
  names.add(name)
  const document = apiProxyFrom(fields, problems)
  const policies = fields.get('policies') ?? {}
  const settings = fields.get('settings') ?? {}
  fields.done()
  return {
    name,
    document,
    policies: readPolicyLists(policies, `${path}.policies`, document, problems),
    settings: await readSettings(settings, `${path}.settings`, problems),
  }
}

async function readSettings(
  value: unknown,
  path: string,
  problems: FieldProblem[],
): Promise<FileSettings> {
  const fields = new Fields(value, path, problems)
  const read = <T>(name: string, reader: (given: unknown, at: string) => T): T | undefined => {
    const given = fields.get(name)
    return given === undefined
      ? undefined
      : orProblem(problems, () => reader(given, `${path}.${name}`))
  }
  const each = async <T>(
    name: string,
    maximum: number,
    reader: (given: unknown, at: string) => T,
  ): Promise<readonly T[]> => {
    const items: T[] = []
    const list = fields.list(name)
    // Before any is read; with those of the other parts they are counted again when they are stored.
    if (list.length > maximum) {
      fields.problem(name, 'invalid', `at most ${maximum} items`)
      return items
    }
    for (const [index, one] of list.entries()) {
      if (index % turn === 0) await setImmediate()
      const item = orProblem(problems, () => [reader(one, `${path}.${name}[${index}]`)])
      if (item !== undefined) items.push(...item)
      if (problems.length >= maxProblems) break
    }
    return items
  }
  const settings = {
    trustStore: read('trustStore', trustStoreFrom),
    issuerAcl: read('issuerAcl', (given, at) => readIssuerAcl(small(given, at), at)),
    revocation: read('revocation', (given, at) => readRevocation(small(given, at), at)),
    crls: (await each('crls', liveLimits.crls.perProject, crlsFrom)).flat(),
    killList: await each('killList', liveLimits.killEntries.perProject, (given, at) =>
      readKill(small(given, at), at),
    ),
  }
  fields.done()
  return settings
}

function trustStoreFrom(value: unknown, path: string): StoredTrustStore {
  const problems: FieldProblem[] = []
  const fields = new Fields(value, path, problems)
  const texts = (name: string): readonly string[] =>
    fields.list(name).filter((one, index): one is string => {
      if (typeof one === 'string') return true
      fields.problem(`${name}[${index}]`, 'invalid', 'base64 of DER')
      return false
    })
  const given = { anchors: texts('anchors'), intermediates: texts('intermediates') }
  fields.done()
  if (problems.length > 0) throw invalid(problems)
  return readTrustStore(given, path)
}

function crlsFrom(value: unknown, path: string): readonly CertificateList[] {
  const der = typeof value === 'string' ? decodeBase64(value) : undefined
  if (der === undefined) throw invalidField(path, 'base64 of DER')
  return readCrlUpload(der, path)
}

/** Alone it could not have come. */
function small(value: unknown, path: string): unknown {
  if (isSmall(value)) return value
  throw invalidField(path, smallWords)
}

/** What is wrong with one part does not hide what is wrong with the others. */
function orProblem<T>(problems: FieldProblem[], read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof Refusal) || error.details === undefined) throw error
    problems.push(...error.details)
    return undefined
  }
}

async function putSettings(
  change: Change,
  owner: Owner,
  { trustStore, issuerAcl, revocation, crls, killList }: FileSettings,
): Promise<void> {
  if (trustStore !== undefined) {
    await putSetting(change, owner, 'trustStore', trustStore, trustStoreDetail(trustStore))
  }
  if (issuerAcl !== undefined) await putSetting(change, owner, 'issuerAcl', issuerAcl)
  if (revocation !== undefined) await putSetting(change, owner, 'revocation', revocation)
  for (const list of crls) await addCrl(change, owner, list)
  if (killList.length > 0) await addKills(change, owner, killList)
}

async function exportSettings(
  db: Db,
  owner: Pick<Owner, 'kind' | 'id'>,
): Promise<ExportedSettings> {
  const { trustStore, issuerAcl, revocation } = await ownSettings(db, owner)
  const killList: readonly KillEntryJson[] = await allKills(db, [owner.id])
  return {
    ...(trustStore === undefined ? {} : { trustStore }),
    ...(issuerAcl === undefined ? {} : { issuerAcl: issuerAcl.acl }),
    ...(revocation === undefined ? {} : { revocation }),
    crls: (await allCrls(db, [owner.id])).map(encodeBase64),
    killList,
  }
}

function ownerOf({ id, name }: ProjectRow): Owner {
  return { kind: 'project', id, projectId: id, projectName: name, apiProxyName: undefined }
}

/** How many are read in one turn. */
const turn = 100
/** Local limit: nobody reads more. */
const maxProblems = 1000
