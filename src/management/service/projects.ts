/** Projects, environments and API proxies: what policies belong to, and where they run. @module */

import { namePattern } from '../../deployment/fields.ts'
import type { Publisher } from '../channel/publish.ts'
import type { ApiProxy, Environment, Project } from '../resources.ts'
import { type ApiProxyDocument, apiProxyOf } from './api-proxy-document.ts'
import { recordChange } from './audit.ts'
import { type Change, expectNothing, expectVersion } from './change.ts'
import { isDeployed } from './deployments.ts'
import { apiProxyId, newId } from './ids.ts'
import {
  type ApiProxyRow,
  type Db,
  environmentNamed,
  type ProjectRow,
  projectNamed,
  proxyNamed,
} from './lookups.ts'
import { type Page, type PageQuery, pageOf } from './pages.ts'
import { placesIn, policiesOf } from './policies.ts'
import { type FieldProblem, invalid, Refusal } from './refusal.ts'

export async function createProject(
  change: Change,
  name: string,
  description: string,
): Promise<ProjectRow> {
  const { trx, actor, now } = change
  expectNothing(change)
  const known = await trx
    .selectFrom('projects')
    .select('id')
    .where('name', '=', name)
    .executeTakeFirst()
  if (known !== undefined) throw new Refusal('already-exists', 'there is a project of this name')
  const row = { id: newId(now), name, description, version: 1 }
  await trx.insertInto('projects').values(row).execute()
  await recordChange(trx, { actor, now }, 'project.create', `projects/${name}`, { description })
  return row
}

export async function updateProject(
  change: Change,
  name: string,
  description: string,
): Promise<ProjectRow> {
  const { trx, actor, now } = change
  const project = await projectNamed(trx, name)
  expectVersion(change, projectTag(project))
  const row = { ...project, description, version: Number(project.version) + 1 }
  await trx
    .updateTable('projects')
    .set({ description, version: row.version })
    .where('id', '=', project.id)
    .execute()
  await recordChange(trx, { actor, now }, 'project.update', `projects/${name}`, { description })
  return row
}

export async function deleteProject(change: Change, name: string): Promise<void> {
  const { trx, actor, now } = change
  const project = await projectNamed(trx, name)
  expectVersion(change, projectTag(project))
  const proxy = await trx
    .selectFrom('api_proxies')
    .select('name')
    .where('project_id', '=', project.id)
    .limit(1)
    .executeTakeFirst()
  if (proxy !== undefined) {
    throw new Refusal(
      'in-use',
      `the project has API proxies: delete them first, such as ${proxy.name}`,
    )
  }
  await deleteOwned(trx, project.id)
  await trx.deleteFrom('projects').where('id', '=', project.id).execute()
  await recordChange(trx, { actor, now }, 'project.delete', `projects/${name}`, {})
}

/** @param names - Those that the token may see; absent: all. */
export async function projectsPage(
  db: Db,
  names: readonly string[] | undefined,
  { limit, cursor }: PageQuery,
): Promise<Page<Project>> {
  if (names?.length === 0) return { items: [], nextCursor: undefined }
  let query = db.selectFrom('projects').select(['name', 'description'])
  if (names !== undefined) query = query.where('name', 'in', [...names])
  if (cursor !== undefined) query = query.where('name', '>', cursor)
  const rows = await query
    .orderBy('name')
    .limit(limit + 1)
    .execute()
  return pageOf(rows, limit, ({ name }) => name)
}

export function projectTag({ id, version }: Pick<ProjectRow, 'id' | 'version'>): string {
  return `${id}.${version}`
}

export async function createEnvironment(
  change: Change,
  publisher: Publisher,
  name: string,
): Promise<void> {
  const { trx, actor, now } = change
  const known = await trx
    .selectFrom('environments')
    .select('id')
    .where('name', '=', name)
    .executeTakeFirst()
  if (known !== undefined) {
    throw new Refusal('already-exists', 'there is an environment of this name')
  }
  const id = newId(now)
  await trx.insertInto('environments').values({ id, name, sequence: 0 }).execute()
  await publisher.publishEmpty(trx, id)
  await recordChange(trx, { actor, now }, 'environment.create', `environments/${name}`, {})
}

export async function deleteEnvironment(change: Change, name: string): Promise<void> {
  const { trx, actor, now } = change
  const { id, sequence } = await environmentNamed(trx, name)
  expectVersion(change, id)
  // Its number is what gateways hold pointers against: an environment that begins again at 1 would look to them like a replay.
  if (Number(sequence) > 0) {
    throw new Refusal(
      'in-use',
      'something was deployed to the environment: its numbers must not begin again',
    )
  }
  const proxies = await trx.selectFrom('api_proxies').select('document').execute()
  if (proxies.some((proxy) => apiProxyOf(proxy).environments.includes(name))) {
    throw new Refusal('in-use', 'API proxies name the environment: take it out of them first')
  }
  await trx.deleteFrom('environments').where('id', '=', id).execute()
  await recordChange(trx, { actor, now }, 'environment.delete', `environments/${name}`, {})
}

/** @param names - Those that the token may see; absent: all. */
export async function environmentsPage(
  db: Db,
  names: readonly string[] | undefined,
  { limit, cursor }: PageQuery,
): Promise<Page<Environment>> {
  if (names?.length === 0) return { items: [], nextCursor: undefined }
  let query = db.selectFrom('environments').select('name')
  if (names !== undefined) query = query.where('name', 'in', [...names])
  if (cursor !== undefined) query = query.where('name', '>', cursor)
  const rows = await query
    .orderBy('name')
    .limit(limit + 1)
    .execute()
  return pageOf(rows, limit, ({ name }) => name)
}

/** @param path - Of the document, for problems. */
export async function createApiProxy(
  change: Change,
  project: ProjectRow,
  name: string,
  document: ApiProxyDocument,
  path = '',
): Promise<ApiProxyRow> {
  const { trx, actor, now } = change
  expectNothing(change)
  const id = apiProxyId(project.name, name)
  const known = await trx
    .selectFrom('api_proxies')
    .select('id')
    .where('id', '=', id)
    .executeTakeFirst()
  if (known !== undefined) {
    throw new Refusal('already-exists', 'the project has an API proxy of this name')
  }
  await demandEnvironments(trx, document, path)
  const row = {
    id,
    project_id: project.id,
    name,
    document: JSON.stringify(document),
    // Never the same number twice: an API proxy that is deleted and made again must not look like the old one.
    version: now.getTime(),
  }
  await trx.insertInto('api_proxies').values(row).execute()
  await recordChange(
    trx,
    { actor, now },
    'apiProxy.create',
    `projects/${project.name}/apiProxies/${name}`,
    document,
  )
  return { ...row, project_name: project.name }
}

export async function updateApiProxy(
  change: Change,
  projectName: string,
  name: string,
  document: ApiProxyDocument,
): Promise<ApiProxyRow> {
  const { trx, actor, now } = change
  const proxy = await proxyNamed(trx, projectName, name)
  expectVersion(change, apiProxyTag(proxy))
  await demandEnvironments(trx, document)
  await demandEndpoints(trx, proxy, document)
  const row = {
    ...proxy,
    document: JSON.stringify(document),
    version: Math.max(now.getTime(), Number(proxy.version) + 1),
  }
  await trx
    .updateTable('api_proxies')
    .set({ document: row.document, version: row.version })
    .where('id', '=', proxy.id)
    .execute()
  await recordChange(
    trx,
    { actor, now },
    'apiProxy.update',
    `projects/${projectName}/apiProxies/${name}`,
    document,
  )
  return row
}

export async function deleteApiProxy(
  change: Change,
  projectName: string,
  name: string,
): Promise<void> {
  const { trx, actor, now } = change
  const proxy = await proxyNamed(trx, projectName, name)
  expectVersion(change, apiProxyTag(proxy))
  if (await isDeployed(trx, proxy.id)) {
    throw new Refusal('in-use', 'the API proxy is deployed: undeploy it first')
  }
  await deleteOwned(trx, proxy.id)
  await trx.deleteFrom('api_proxies').where('id', '=', proxy.id).execute()
  await recordChange(
    trx,
    { actor, now },
    'apiProxy.delete',
    `projects/${projectName}/apiProxies/${name}`,
    {},
  )
}

export async function apiProxiesPage(
  db: Db,
  project: ProjectRow,
  { limit, cursor }: PageQuery,
): Promise<Page<ApiProxy>> {
  let query = db
    .selectFrom('api_proxies')
    .select(['name', 'document'])
    .where('project_id', '=', project.id)
  if (cursor !== undefined) query = query.where('name', '>', cursor)
  const rows = await query
    .orderBy('name')
    .limit(limit + 1)
    .execute()
  return pageOf(rows.map(apiProxyResource), limit, ({ name }) => name)
}

export function apiProxyResource(row: Pick<ApiProxyRow, 'name' | 'document'>): ApiProxy {
  return { name: row.name, ...apiProxyOf(row) }
}

export function apiProxyTag({ id, version }: Pick<ApiProxyRow, 'id' | 'version'>): string {
  return `${id}.${version}`
}

async function demandEnvironments(
  trx: Db,
  { environments }: ApiProxyDocument,
  path = '',
): Promise<void> {
  const possible = environments.filter((name) => namePattern.test(name))
  const rows =
    possible.length === 0
      ? []
      : await trx.selectFrom('environments').select('name').where('name', 'in', possible).execute()
  const problems = environments.flatMap((name, index): FieldProblem[] =>
    rows.some((row) => row.name === name)
      ? []
      : [
          {
            path: `${path === '' ? '' : `${path}.`}environments[${index}]`,
            problem: 'invalid',
            expected: 'an environment that exists',
          },
        ],
  )
  if (problems.length > 0) throw invalid(problems)
}

/** No policy may be left at an endpoint that the proxy no longer names. */
async function demandEndpoints(
  trx: Db,
  proxy: ApiProxyRow,
  document: ApiProxyDocument,
): Promise<void> {
  if (document.endpoints.length === 0) return
  const isPlace = placesIn(document)
  const left = (await policiesOf(trx, proxy.id)).find(({ place }) => !isPlace(place))
  if (left !== undefined) {
    throw new Refusal('in-use', `policy ${left.name} is at an endpoint that is not among endpoints`)
  }
}

/** What hangs on an owner by its identifier alone. */
async function deleteOwned(trx: Db, ownerId: string): Promise<void> {
  await trx.deleteFrom('settings').where('owner_id', '=', ownerId).execute()
  await trx.deleteFrom('crls').where('owner_id', '=', ownerId).execute()
  await trx.deleteFrom('kill_entries').where('owner_id', '=', ownerId).execute()
}

/** Text that both databases keep. */
export function isDescription(text: string): boolean {
  return text.length <= 65_536 && !text.includes('\0')
}

export const descriptionWords = 'a text of at most 65536 characters without NUL'
