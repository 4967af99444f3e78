/** Policies of an API proxy: list, add, update, delete, as the document has them. @module */

import type { Selectable } from 'kysely'
import type { HttpMethod } from '../../policy/endpoint.ts'
import { listNames, type PipelineName } from '../../policy/pipelines.ts'
import { type Place, placeKey } from '../../policy/place.ts'
import type { ApiProxy, ListedPolicy, PolicyLists, PolicyResource } from '../resources.ts'
import type { PolicyTable } from '../store/schema.ts'
import { apiProxyOf } from './api-proxy-document.ts'
import { recordChange } from './audit.ts'
import { type Change, expectVersion } from './change.ts'
import { newId } from './ids.ts'
import type { ApiProxyRow, Db } from './lookups.ts'
import { type Operation, readStoredPolicy, type StoredPolicy } from './policy-body.ts'
import { closedUp, compareListed, isSamePlace, type Placed, placed } from './policy-place.ts'
import { type FieldProblem, invalid, invalidField, Refusal } from './refusal.ts'

type PolicyRow = Selectable<PolicyTable>

/** A row with what is in it. */
export interface Policy extends Placed {
  readonly name: string
  readonly document: StoredPolicy
  readonly version: number
}

/** In the order of the lists. */
export async function policiesOf(db: Db, apiProxyId: string): Promise<readonly Policy[]> {
  const rows = await db
    .selectFrom('policies')
    .selectAll()
    .where('api_proxy_id', '=', apiProxyId)
    .execute()
  return rows.map(policyOf).sort(compareListed)
}

export function policyLists(name: string, policies: readonly Policy[]): PolicyLists {
  const list = (pipeline: PipelineName): readonly ListedPolicy[] =>
    policies.filter((one) => one.pipeline === pipeline).map(listed)
  return {
    apiProxy: {
      name,
      requestPolicyList: list('REQUEST'),
      responsePolicyList: list('RESPONSE'),
      errorPolicyList: list('ERROR'),
    },
  }
}

export async function policyNamed(db: Db, proxy: ApiProxyRow, name: string): Promise<Policy> {
  const row = await db
    .selectFrom('policies')
    .selectAll()
    .where('api_proxy_id', '=', proxy.id)
    .where('name', '=', name)
    .executeTakeFirst()
  if (row === undefined) throw new Refusal('policy-not-found', 'the API proxy has no such policy')
  return policyOf(row)
}

export function policyResource(policy: Policy): PolicyResource {
  return { ...listed(policy), targetPipeline: policy.pipeline, order: policy.position }
}

export async function addPolicy(
  { trx, actor, now }: Change,
  proxy: ApiProxyRow,
  name: string,
  operation: Operation,
  document: StoredPolicy,
): Promise<void> {
  const all = await policiesOf(trx, proxy.id)
  if (all.some((one) => one.name === name)) {
    throw new Refusal('already-exists', 'the API proxy has a policy of this name')
  }
  if (all.length >= maxPolicies) {
    throw new Refusal('limit-reached', `an API proxy has at most ${maxPolicies} policies`)
  }
  demandEndpoint(proxy, operation.place)
  const id = newId(now)
  const { pipeline, place } = operation
  const changed = placed(all, { id, pipeline, place }, operation.order)
  const position = changed.find((one) => one.id === id)?.position ?? 1
  await trx
    .insertInto('policies')
    .values({
      id,
      api_proxy_id: proxy.id,
      name,
      ...placeColumns(pipeline, place, position),
      document: JSON.stringify(document),
      version: 1,
    })
    .execute()
  await writePositions(trx, changed, id)
  await recordChange(trx, { actor, now }, 'policy.add', targetOf(proxy, name), {
    pipeline,
    ...place,
    order: position,
    policy: document,
  })
}

export async function updatePolicy(
  change: Change,
  proxy: ApiProxyRow,
  name: string,
  operation: Operation,
  document: StoredPolicy,
): Promise<void> {
  const { trx, actor, now } = change
  const all = await policiesOf(trx, proxy.id)
  const policy = await policyNamed(trx, proxy, name)
  expectVersion(change, policyTag(policy))
  demandEndpoint(proxy, operation.place)
  const { pipeline, place } = operation
  const changed = placed(all, { id: policy.id, pipeline, place }, operation.order)
  const position = changed.find((one) => one.id === policy.id)?.position ?? policy.position
  await trx
    .updateTable('policies')
    .set({
      ...placeColumns(pipeline, place, position),
      document: JSON.stringify(document),
      version: policy.version + 1,
    })
    .where('id', '=', policy.id)
    .execute()
  await writePositions(trx, changed, policy.id)
  await recordChange(trx, { actor, now }, 'policy.update', targetOf(proxy, name), {
    pipeline,
    ...place,
    order: position,
    policy: document,
  })
}

export async function deletePolicy(
  change: Change,
  proxy: ApiProxyRow,
  name: string,
  operation: Operation,
): Promise<void> {
  const { trx, actor, now } = change
  const policy = await policyNamed(trx, proxy, name)
  expectVersion(change, policyTag(policy))
  if (!isSamePlace(policy, operation)) {
    throw new Refusal('place-mismatch', `the policy is not there: ${placeWords(policy)}`)
  }
  const all = await policiesOf(trx, proxy.id)
  await trx.deleteFrom('policies').where('id', '=', policy.id).execute()
  await writePositions(trx, closedUp(all, policy), policy.id)
  await recordChange(trx, { actor, now }, 'policy.delete', targetOf(proxy, name), {})
}

/** For an import: the lists as they were shown. */
export async function insertPolicies(
  { trx, now }: Change,
  apiProxyId: string,
  lists: Partial<Record<string, unknown>>,
  path: string,
): Promise<void> {
  const problems: FieldProblem[] = []
  let all: readonly Placed[] = []
  const names = new Set<string>()
  const rows: { readonly id: string; readonly name: string; readonly document: string }[] = []
  for (const [pipeline, listName] of Object.entries(listNames) as [PipelineName, string][]) {
    const list = lists[listName]
    if (!Array.isArray(list)) {
      problems.push({ path: `${path}.${listName}`, problem: 'invalid', expected: 'a list' })
      continue
    }
    for (const [index, one] of list.entries()) {
      const at = `${path}.${listName}[${index}]`
      const { name, place, policy } = readStoredPolicy(one, at, problems)
      if (names.has(name)) {
        problems.push({ path: `${at}.name`, problem: 'not-unique', expected: 'a name of its own' })
      }
      names.add(name)
      const id = newId(now)
      rows.push({ id, name, document: JSON.stringify(policy) })
      const changed = placed(all, { id, pipeline, place }, undefined)
      all = [...all.filter((other) => !changed.some((same) => same.id === other.id)), ...changed]
    }
  }
  if (problems.length > 0) throw invalid(problems)
  for (const { id, name, document } of rows) {
    const { pipeline, place, position } = all.find((one) => one.id === id) as Placed
    await trx
      .insertInto('policies')
      .values({
        id,
        api_proxy_id: apiProxyId,
        name,
        ...placeColumns(pipeline, place, position),
        document,
        version: 1,
      })
      .execute()
  }
}

/** Another one after every write that is seen in the resource. */
export function policyTag({ id, version }: Policy): string {
  // The identifier: a policy that is deleted and added again begins anew with version 1.
  return `${id}.${version}`
}

function listed({ name, document, place }: Policy): ListedPolicy {
  const { type, description, ...rest } = document
  return {
    type,
    name,
    ...(description === undefined ? {} : { description }),
    ...rest,
    ...(place.targetScope === 'ENDPOINT' ? place : {}),
  }
}

function policyOf(row: PolicyRow): Policy {
  const place: Place =
    row.endpoint === null
      ? { targetScope: 'ALL' }
      : {
          targetScope: 'ENDPOINT',
          targetEndpoint: row.endpoint,
          targetEndpointHTTPMethod: row.method as HttpMethod,
        }
  return {
    id: row.id,
    name: row.name,
    pipeline: row.pipeline as PipelineName,
    place,
    position: row.position + 1,
    document: JSON.parse(row.document) as StoredPolicy,
    version: row.version,
  }
}

/** The store counts from 0, the document from 1. */
function placeColumns(
  pipeline: PipelineName,
  place: Place,
  position: number,
): Pick<PolicyRow, 'pipeline' | 'scope' | 'endpoint' | 'method' | 'position'> {
  return {
    pipeline,
    scope: place.targetScope,
    endpoint: place.targetEndpoint ?? null,
    method: place.targetEndpointHTTPMethod ?? null,
    position: position - 1,
  }
}

/** @param written - Who is written already. */
async function writePositions(trx: Db, changed: readonly Placed[], written: string): Promise<void> {
  for (const { id, position } of changed) {
    if (id === written) continue
    await trx
      .updateTable('policies')
      .set(({ eb }) => ({ position: position - 1, version: eb('version', '+', 1) }))
      .where('id', '=', id)
      .execute()
  }
}

/** An API proxy that names its endpoints has no others: a misspelt one would leave the real one without its policy. */
function demandEndpoint(proxy: ApiProxyRow, place: Place): void {
  if (place.targetScope === 'ALL') return
  const { endpoints } = apiProxyOf(proxy)
  if (endpoints.length === 0 || isAmong(endpoints, place)) return
  throw invalidField(
    'operationMetadata.targetEndpoint',
    'one of the endpoints of the API proxy, with its method',
  )
}

export function isAmong(endpoints: ApiProxy['endpoints'], place: Place): boolean {
  const key = placeKey(place)
  return endpoints.some(
    ({ path, method }) =>
      placeKey({
        targetScope: 'ENDPOINT',
        targetEndpoint: path,
        targetEndpointHTTPMethod: method,
      }) === key,
  )
}

function placeWords({ pipeline, place }: Placed): string {
  return place.targetScope === 'ALL'
    ? `it is in pipeline ${pipeline} with scope ALL`
    : `it is in pipeline ${pipeline} of ${place.targetEndpointHTTPMethod} ${place.targetEndpoint}`
}

function targetOf(proxy: ApiProxyRow, name: string): string {
  return `projects/${proxy.project_name}/apiProxies/${proxy.name}/policies/${name}`
}

/** Local limit: every policy of a proxy is looked at when one is moved. */
const maxPolicies = 1000
