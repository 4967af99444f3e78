/** Putting what is stored in force: deploy, roll back, undeploy, and what became of it. @module */

import type { Selectable } from 'kysely'
import { describeDeploymentFailure, type Snapshot } from '../../deployment/index.ts'
import type { Publisher } from '../channel/publish.ts'
import type {
  Deployment,
  DeploymentDifference,
  DeploymentResult,
  DeploymentStatus,
  Difference,
  EnvironmentResult,
} from '../resources.ts'
import type { DeploymentTable } from '../store/schema.ts'
import { apiProxyOf } from './api-proxy-document.ts'
import { recordChange } from './audit.ts'
import type { Change } from './change.ts'
import { newId } from './ids.ts'
import {
  type ApiProxyRow,
  type Db,
  type EnvironmentRow,
  environmentNamed,
  environmentsNamed,
} from './lookups.ts'
import { type Page, type PageQuery, pageOf } from './pages.ts'
import type { Places } from './places.ts'
import { Refusal } from './refusal.ts'
import { candidateOf } from './snapshot.ts'

/** What deploys: kept as long as the manager runs. */
export interface Deployer {
  readonly publisher: Publisher
  readonly places: Places
}

/** What was stored for one environment, before any gateway was heard. */
export interface StoredDeployment extends EnvironmentResult {
  /** Of the row in the history. */
  readonly id: string
  /** `undefined`: it failed, and no gateway has to do anything. */
  readonly sequence: number | undefined
}

/**
 * Deploys what is stored. It is one transaction with the change that leads to it: there is no moment between them at which a crash
 * could leave one without the other.
 *
 * @param names - Of environments; empty: every one that runs the proxy.
 */
export async function deploy(
  change: Change,
  deployer: Deployer,
  proxy: ApiProxyRow,
  names: readonly string[],
): Promise<readonly StoredDeployment[]> {
  const { trx } = change
  const { environments: own } = apiProxyOf(proxy)
  const environments = await environmentsNamed(trx, names.length === 0 ? own : names)
  if (environments.length === 0) return []
  const candidate = await candidateOf(trx, proxy)
  const stored: StoredDeployment[] = []
  for (const environment of environments) {
    const problem = own.includes(environment.name)
      ? (candidate.problem ??
        (await collisionIn(deployer, trx, environment, candidate.snapshot, proxy)))
      : 'The environment does not run this API proxy: add it to environments of the API proxy'
    stored.push(
      await store(change, deployer, proxy, environment, 'deploy', candidate.snapshot, problem),
    )
  }
  return stored
}

/** Puts an older revision in force again. What is stored stays as it is, so that a redeployment may be due. */
export async function rollBack(
  change: Change,
  deployer: Deployer,
  proxy: ApiProxyRow,
  environmentName: string,
  revision: number,
): Promise<readonly StoredDeployment[]> {
  const { trx } = change
  const environment = await environmentNamed(trx, environmentName)
  const snapshot = await snapshotOfRevision(trx, proxy, environment, revision)
  const { environments, tls } = apiProxyOf(proxy)
  const problem = !environments.includes(environmentName)
    ? 'The environment does not run this API proxy: add it to environments of the API proxy'
    : tls
      ? await collisionIn(deployer, trx, environment, snapshot, proxy)
      : 'The API proxy has no TLS: set tls to true'
  return [await store(change, deployer, proxy, environment, 'rollback', snapshot, problem)]
}

/** Takes the proxy out of an environment. */
export async function undeploy(
  change: Change,
  deployer: Deployer,
  proxy: ApiProxyRow,
  environmentName: string,
): Promise<readonly StoredDeployment[]> {
  const environment = await environmentNamed(change.trx, environmentName)
  const pointer = await pointerOf(change.trx, proxy, environment)
  if (pointer?.hash === null || pointer === undefined) {
    throw new Refusal('not-found', 'the API proxy is not deployed to this environment')
  }
  return [await store(change, deployer, proxy, environment, 'undeploy', null, undefined)]
}

/** The document's `deploymentResult`. */
export function deploymentResult(results: readonly EnvironmentResult[]): DeploymentResult {
  return {
    success: results.every(({ success }) => success),
    deploymentResults: results.map(({ environmentName, success, message }) => ({
      environmentName,
      success,
      message,
    })),
  }
}

/** What the gateways said, for the history. Each row is this request's alone: nobody has to wait for a turn. */
export async function writeResults(
  db: Db,
  stored: readonly StoredDeployment[],
  results: readonly EnvironmentResult[],
): Promise<void> {
  for (const [index, { id }] of stored.entries()) {
    const result = results[index]
    if (result === undefined) continue
    await db
      .updateTable('deployments')
      .set({ success: result.success ? 1 : 0, message: result.message, settled: 1 })
      .where('id', '=', id)
      .execute()
  }
}

/**
 * Deployments that nobody has waited to the end for: their manager was ended, or the store was away when gateways had been heard.
 *
 * @param before - Whoever made later ones may still be waiting.
 */
export async function openDeployments(db: Db, before: Date): Promise<readonly StoredDeployment[]> {
  const rows = await db
    .selectFrom('deployments')
    .innerJoin('environments', 'environments.id', 'deployments.environment_id')
    .select(['deployments.id', 'deployments.sequence', 'deployments.message'])
    .select('environments.name as environmentName')
    .where('deployments.settled', '=', 0)
    .where('deployments.created_at', '<', before.toISOString())
    .orderBy('deployments.created_at')
    .limit(openAtOnce)
    .execute()
  return rows.map(({ id, sequence, message, environmentName }) => ({
    id,
    environmentName,
    success: false,
    message,
    sequence: sequence === null ? undefined : Number(sequence),
  }))
}

/** Per environment that runs the proxy, or did. */
export async function statusesOf(db: Db, proxy: ApiProxyRow): Promise<readonly DeploymentStatus[]> {
  const pointers = await db
    .selectFrom('pointers')
    .innerJoin('environments', 'environments.id', 'pointers.environment_id')
    .select(['environments.name', 'environments.id', 'pointers.hash', 'pointers.sequence'])
    .where('pointers.api_proxy_id', '=', proxy.id)
    .execute()
  // The last one that had a number. Not the pointer's number: it is another one when the pointer was signed anew.
  const revisions = await db
    .selectFrom('deployments')
    .select(({ fn }) => ['environment_id', fn.max('revision').as('revision')])
    .where('api_proxy_id', '=', proxy.id)
    .where('sequence', 'is not', null)
    .groupBy('environment_id')
    .execute()
  const { environments } = apiProxyOf(proxy)
  const { hash: storedHash, problem } = await candidateOf(db, proxy)
  const names = [...new Set([...environments, ...pointers.map(({ name }) => name)])].sort()
  return names.map((environmentName) => {
    const pointer = pointers.find(({ name }) => name === environmentName)
    const hash = pointer?.hash ?? null
    const last = revisions.find((one) => one.environment_id === pointer?.id)
    const runs = environments.includes(environmentName)
    return {
      environmentName,
      hash,
      sequence: pointer === undefined ? null : Number(pointer.sequence),
      revision: last === undefined ? null : Number(last.revision),
      redeployRequired: runs ? hash !== storedHash : hash !== null,
      ...(runs && problem !== undefined ? { problem } : {}),
    }
  })
}

/** The newest first. */
export async function historyOf(
  db: Db,
  proxy: ApiProxyRow,
  environmentName: string,
  { limit, cursor }: PageQuery,
): Promise<Page<Deployment>> {
  const environment = await environmentNamed(db, environmentName)
  let query = db
    .selectFrom('deployments')
    .selectAll()
    .where('environment_id', '=', environment.id)
    .where('api_proxy_id', '=', proxy.id)
  if (cursor !== undefined) {
    const before = Number(cursor)
    if (!Number.isSafeInteger(before)) throw new Refusal('invalid', 'not a cursor of this list')
    query = query.where('revision', '<', before)
  }
  const rows = await query
    .orderBy('revision', 'desc')
    .limit(limit + 1)
    .execute()
  return pageOf(rows.map(deploymentResource), limit, ({ revision }) => String(revision))
}

/** @param revision - To compare with what is stored; absent: what is in force. */
export async function differenceOf(
  db: Db,
  proxy: ApiProxyRow,
  environmentName: string,
  revision: number | undefined,
): Promise<DeploymentDifference> {
  const environment = await environmentNamed(db, environmentName)
  const pointer = await pointerOf(db, proxy, environment)
  const running =
    revision === undefined
      ? pointer?.hash == null
        ? undefined
        : await snapshotByHash(db, pointer.hash)
      : await snapshotOfRevision(db, proxy, environment, revision)
  const { snapshot, hash, problem } = await candidateOf(db, proxy)
  const differences: Difference[] = []
  compare(running, snapshot, '', differences)
  const runningHash =
    revision === undefined
      ? (pointer?.hash ?? null)
      : await hashOfRevision(db, proxy, environment, revision)
  return {
    environmentName,
    runningHash,
    storedHash: hash,
    ...(problem === undefined ? {} : { problem }),
    differences,
  }
}

export async function isDeployed(db: Db, apiProxyId: string): Promise<boolean> {
  const row = await db
    .selectFrom('pointers')
    .select('sequence')
    .where('api_proxy_id', '=', apiProxyId)
    .where('hash', 'is not', null)
    .executeTakeFirst()
  return row !== undefined
}

async function store(
  { trx, actor, now }: Change,
  deployer: Deployer,
  proxy: ApiProxyRow,
  environment: EnvironmentRow,
  kind: Deployment['kind'],
  snapshot: Snapshot | null,
  problem: string | undefined,
): Promise<StoredDeployment> {
  const published =
    problem === undefined
      ? await deployer.publisher.publishSnapshot(trx, {
          environmentId: environment.id,
          apiProxyId: proxy.id,
          snapshot,
        })
      : undefined
  const failure =
    published === undefined
      ? problem
      : published.ok
        ? undefined
        : `Gateways would refuse it: ${describeDeploymentFailure(published.failure)}`
  const pointer = published?.ok ? published.value : undefined
  // Not a success before anybody was heard: a crash may leave it so.
  const isOpen = pointer !== undefined
  const message = failure ?? (isOpen ? 'Stored; gateways have not been heard yet' : 'Stored')
  const row: Omit<Selectable<DeploymentTable>, 'revision'> = {
    id: newId(now),
    environment_id: environment.id,
    api_proxy_id: proxy.id,
    hash: pointer?.hash ?? null,
    sequence: pointer?.sequence ?? null,
    created_at: now.toISOString(),
    actor,
    kind,
    success: failure === undefined && !isOpen ? 1 : 0,
    message,
    settled: isOpen ? 0 : 1,
  }
  const { revision } = await trx
    .insertInto('deployments')
    .values(({ selectFrom, fn, val }) => ({
      ...row,
      revision: selectFrom('deployments')
        .select(({ eb }) => eb(fn.coalesce(fn.max('revision'), val(0)), '+', 1).as('next'))
        .where('environment_id', '=', environment.id)
        .where('api_proxy_id', '=', proxy.id),
    }))
    .returning('revision')
    .executeTakeFirstOrThrow()
  const { project_name: project, name: apiProxy } = proxy
  await recordChange(
    trx,
    { actor, now },
    `deployment.${kind}`,
    `projects/${project}/apiProxies/${apiProxy}/deployments/${environment.name}`,
    {
      revision: Number(revision),
      hash: row.hash,
      sequence: row.sequence,
      success: failure === undefined,
    },
  )
  return {
    id: row.id,
    environmentName: environment.name,
    success: row.success === 1,
    message,
    sequence: pointer?.sequence,
  }
}

/**
 * Two proxies that answer to the same requests: which one would judge them, nobody could say. Between projects a path below the other's
 * is as bad: whoever may deploy there would take requests out of the policy of somebody else. Held against what runs, not what is stored.
 */
async function collisionIn(
  { places }: Deployer,
  db: Db,
  environment: EnvironmentRow,
  snapshot: Snapshot,
  proxy: ApiProxyRow,
): Promise<string | undefined> {
  const others = await db
    .selectFrom('pointers')
    .select('hash')
    .where('environment_id', '=', environment.id)
    .where('api_proxy_id', '!=', proxy.id)
    .where('hash', 'is not', null)
    .execute()
  const hashes = others.flatMap(({ hash }) => hash ?? [])
  // Gateways route without regard to case: one that starts anew would take either of two.
  const path = snapshot.basePath.toLowerCase()
  for (const { hosts, basePath, project, apiProxy } of await places.of(db, hashes)) {
    const host = hosts.find((one) => snapshot.hosts.includes(one))
    const other = basePath.toLowerCase()
    const isOwn = project === proxy.project_name
    const meets = isOwn ? other === path : isBelow(other, path) || isBelow(path, other)
    if (!meets || host === undefined) continue
    // Not its name: the token may have no right to see that project.
    const which = isOwn ? `API proxy ${apiProxy}` : 'an API proxy of another project'
    return `${which} answers to host ${host} with base path ${basePath} there: change hosts or basePath`
  }
  return undefined
}

/** Whether `path` is `base` or below it. */
function isBelow(path: string, base: string): boolean {
  return base === '/' || path === base || path.startsWith(`${base}/`)
}

async function pointerOf(
  db: Db,
  proxy: ApiProxyRow,
  environment: EnvironmentRow,
): Promise<{ readonly hash: string | null; readonly sequence: number } | undefined> {
  return await db
    .selectFrom('pointers')
    .select(['hash', 'sequence'])
    .where('environment_id', '=', environment.id)
    .where('api_proxy_id', '=', proxy.id)
    .executeTakeFirst()
}

async function hashOfRevision(
  db: Db,
  proxy: ApiProxyRow,
  environment: EnvironmentRow,
  revision: number,
): Promise<string> {
  const row = await db
    .selectFrom('deployments')
    .select('hash')
    .where('environment_id', '=', environment.id)
    .where('api_proxy_id', '=', proxy.id)
    .where('revision', '=', revision)
    .executeTakeFirst()
  if (row === undefined) throw new Refusal('revision-not-found', 'there is no such revision')
  if (row.hash === null) {
    throw new Refusal('revision-not-found', 'the revision put nothing in force')
  }
  return row.hash
}

async function snapshotOfRevision(
  db: Db,
  proxy: ApiProxyRow,
  environment: EnvironmentRow,
  revision: number,
): Promise<Snapshot> {
  return await snapshotByHash(db, await hashOfRevision(db, proxy, environment, revision))
}

async function snapshotByHash(db: Db, hash: string): Promise<Snapshot> {
  const { body } = await db
    .selectFrom('snapshots')
    .select('body')
    .where('hash', '=', hash)
    .executeTakeFirstOrThrow()
  return JSON.parse(body) as Snapshot
}

function deploymentResource(row: Selectable<DeploymentTable>): Deployment {
  return {
    revision: Number(row.revision),
    kind: row.kind,
    hash: row.hash,
    sequence: row.sequence === null ? null : Number(row.sequence),
    createdAt: row.created_at,
    actor: row.actor,
    success: Number(row.success) === 1,
    message: row.message,
  }
}

/** Field by field; what is on one side only is reported whole. */
function compare(running: unknown, stored: unknown, path: string, found: Difference[]): void {
  if (Object.is(running, stored)) return
  if (isBranch(running) && isBranch(stored) && Array.isArray(running) === Array.isArray(stored)) {
    const keys = new Set([...Object.keys(running), ...Object.keys(stored)])
    for (const key of [...keys].sort()) {
      const at = Array.isArray(stored) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`
      compare(running[key], stored[key], at, found)
    }
    return
  }
  found.push({
    path,
    ...(running === undefined ? {} : { running }),
    ...(stored === undefined ? {} : { stored }),
  })
}

function isBranch(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

/** Local limit. */
const openAtOnce = 100
