/** A whole project as one file, and back. No tokens, no keys, nothing about what is deployed. @module */

import { decodeBase64, encodeBase64 } from '../../base/base64.ts'
import { namePattern, nameWords } from '../../deployment/fields.ts'
import { Fields } from '../../policy/fields.ts'
import type { ExportedProxy, ExportedSettings, KillEntryJson, ProjectExport } from '../resources.ts'
import { apiProxyFrom, apiProxyOf } from './api-proxy-document.ts'
import type { Change } from './change.ts'
import { addCrl, addKill, allCrls, allKills, readCrlUpload, readKill } from './live.ts'
import { type Db, type Owner, type ProjectRow, proxyNamed } from './lookups.ts'
import { insertPolicies, policiesOf, policyLists } from './policies.ts'
import { createApiProxy, createProject } from './projects.ts'
import { type FieldProblem, invalid, invalidField } from './refusal.ts'
import {
  ownSettings,
  putSetting,
  readIssuerAcl,
  readRevocation,
  readTrustStore,
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

/**
 * Makes a project from a file; there must be none of this name. All or nothing.
 *
 * @param name - The new project's, whatever the file says.
 * @throws Refusal with the path of each bad field.
 */
export async function importProject(change: Change, name: string, value: unknown): Promise<void> {
  const problems: FieldProblem[] = []
  const fields = new Fields(value, '', problems)
  if (fields.get('version') !== 1) fields.problem('version', 'invalid', '1')
  const projectFields = new Fields(fields.get('project') ?? {}, 'project', problems)
  projectFields.text('name')
  const description = projectFields.text('description') ?? ''
  projectFields.done()
  const settings = fields.get('settings') ?? {}
  const proxies = fields.list('apiProxies')
  fields.done()
  if (description.includes('\0'))
    projectFields.problem('description', 'invalid', 'a text without NUL')
  if (problems.length > 0) throw invalid(problems)
  const project = await createProject(change, name, description)
  await importSettings(change, ownerOf(project), settings, 'settings')
  for (const [index, one] of proxies.entries()) {
    await importProxy(change, project, one, `apiProxies[${index}]`)
  }
}

async function importProxy(
  change: Change,
  project: ProjectRow,
  value: unknown,
  path: string,
): Promise<void> {
  const problems: FieldProblem[] = []
  const fields = new Fields(value, path, problems)
  const name = fields.text('name') ?? ''
  if (!namePattern.test(name)) fields.problem('name', 'invalid', nameWords)
  const document = apiProxyFrom(fields, problems)
  const policies = fields.get('policies') ?? {}
  const settings = fields.get('settings') ?? {}
  fields.done()
  if (typeof policies !== 'object' || Array.isArray(policies)) {
    fields.problem('policies', 'invalid', 'an object with the three lists')
  }
  if (problems.length > 0) throw invalid(problems)
  const row = await createApiProxy(change, project, name, document)
  await insertPolicies(
    change,
    row.id,
    policies as Partial<Record<string, unknown>>,
    `${path}.policies`,
  )
  const proxy = await proxyNamed(change.trx, project.name, name)
  const owner: Owner = {
    kind: 'proxy',
    id: proxy.id,
    projectId: project.id,
    projectName: project.name,
    apiProxyName: name,
  }
  await importSettings(change, owner, settings, `${path}.settings`)
}

async function importSettings(
  change: Change,
  owner: Owner,
  value: unknown,
  path: string,
): Promise<void> {
  const problems: FieldProblem[] = []
  const fields = new Fields(value, path, problems)
  const trustStore = fields.get('trustStore')
  const issuerAcl = fields.get('issuerAcl')
  const revocation = fields.get('revocation')
  const crls = fields.list('crls')
  const killList = fields.list('killList')
  fields.done()
  if (problems.length > 0) throw invalid(problems)
  if (trustStore !== undefined) {
    const store = new Fields(trustStore, `${path}.trustStore`, problems)
    const [anchors, intermediates] = ['anchors', 'intermediates'].map((name) => store.list(name))
    store.done()
    const texts = [...(anchors ?? []), ...(intermediates ?? [])]
    if (!texts.every((one) => typeof one === 'string')) {
      store.problem('anchors', 'invalid', 'base64 of DER')
    }
    if (problems.length > 0) throw invalid(problems)
    const read = readTrustStore({
      anchors: anchors as readonly string[],
      intermediates: intermediates as readonly string[],
    })
    await putSetting(change, owner, 'trustStore', read, trustStoreDetail(read))
  }
  if (issuerAcl !== undefined) {
    await putSetting(change, owner, 'issuerAcl', readIssuerAcl(issuerAcl, `${path}.issuerAcl`))
  }
  if (revocation !== undefined) {
    const read = readRevocation(revocation, `${path}.revocation`)
    await putSetting(change, owner, 'revocation', read)
  }
  for (const [index, crl] of crls.entries()) {
    const at = `${path}.crls[${index}]`
    const der = typeof crl === 'string' ? decodeBase64(crl) : undefined
    if (der === undefined) throw invalidField(at, 'base64 of DER')
    for (const list of readCrlUpload(der, at)) await addCrl(change, owner, list)
  }
  for (const [index, entry] of killList.entries()) {
    await addKill(change, owner, readKill(entry, `${path}.killList[${index}]`))
  }
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
