/** Finding what a path names. @module */

import type { Kysely, Selectable } from 'kysely'
import { namePattern } from '../../deployment/fields.ts'
import type {
  ApiProxyTable,
  EnvironmentTable,
  OwnerKind,
  ProjectTable,
  Schema,
} from '../store/schema.ts'
import { Refusal } from './refusal.ts'

/** The store, or a transaction in it. */
export type Db = Kysely<Schema>

export type ProjectRow = Selectable<ProjectTable>
export type EnvironmentRow = Selectable<EnvironmentTable>
export type ApiProxyRow = Selectable<ApiProxyTable> & { readonly project_name: string }

/** Who has settings, CRLs and kill list entries of their own. */
export interface Owner {
  readonly kind: OwnerKind
  readonly id: string
  readonly projectId: string
  readonly projectName: string
  readonly apiProxyName: string | undefined
}

export async function projectNamed(db: Db, name: string): Promise<ProjectRow> {
  const row = await db
    .selectFrom('projects')
    .selectAll()
    .where('name', '=', name)
    .executeTakeFirst()
  if (row === undefined) throw new Refusal('project-not-found', 'there is no such project')
  return row
}

export async function proxyNamed(db: Db, project: string, name: string): Promise<ApiProxyRow> {
  const row = await db
    .selectFrom('api_proxies')
    .innerJoin('projects', 'projects.id', 'api_proxies.project_id')
    .selectAll('api_proxies')
    .select('projects.name as project_name')
    .where('projects.name', '=', project)
    .where('api_proxies.name', '=', name)
    .executeTakeFirst()
  if (row !== undefined) return row
  await projectNamed(db, project)
  throw new Refusal('api-proxy-not-found', 'there is no such API proxy in the project')
}

export async function environmentNamed(db: Db, name: string): Promise<EnvironmentRow> {
  const [row] = await environmentsNamed(db, [name])
  return row as EnvironmentRow
}

/** In the order of `names`. */
export async function environmentsNamed(
  db: Db,
  names: readonly string[],
): Promise<readonly EnvironmentRow[]> {
  if (names.length === 0) return []
  // What can be no name is not asked for: PostgreSQL takes no NUL in a text.
  const possible = names.filter((name) => namePattern.test(name))
  const rows =
    possible.length === 0
      ? []
      : await db.selectFrom('environments').selectAll().where('name', 'in', possible).execute()
  return names.map((name) => {
    const row = rows.find((one) => one.name === name)
    if (row !== undefined) return row
    throw new Refusal('environment-not-found', `there is no environment ${name}`)
  })
}

/** @param apiProxy - Absent: the project itself. */
export async function ownerNamed(
  db: Db,
  project: string,
  apiProxy: string | undefined,
): Promise<Owner> {
  if (apiProxy === undefined) {
    const { id } = await projectNamed(db, project)
    return { kind: 'project', id, projectId: id, projectName: project, apiProxyName: undefined }
  }
  const row = await proxyNamed(db, project, apiProxy)
  return {
    kind: 'proxy',
    id: row.id,
    projectId: row.project_id,
    projectName: project,
    apiProxyName: row.name,
  }
}

/** As the audit log names it. */
export function ownerTarget({ projectName, apiProxyName }: Owner): string {
  return apiProxyName === undefined
    ? `projects/${projectName}`
    : `projects/${projectName}/apiProxies/${apiProxyName}`
}
