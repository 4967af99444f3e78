/** Policies of an API proxy: list, add, update, delete, as the document has them. @module */

import type { Selectable } from 'kysely'
import type { HttpMethod } from '../../policy/endpoint.ts'
import { Fields } from '../../policy/fields.ts'
import { listNames, type PipelineName, pipelineNames } from '../../policy/pipelines.ts'
import { type Place, placeKey } from '../../policy/place.ts'
import type { ApiProxy, ListedPolicy, PolicyLists, PolicyResource } from '../resources.ts'
import type { PolicyTable } from '../store/schema.ts'
import { apiProxyOf } from './api-proxy-document.ts'
import { recordChange, recordChanges } from './audit.ts'
import { type Change, expectVersion } from './change.ts'
import { chunksOf } from './chunks.ts'
import { newId } from './ids.ts'
import { isSmall, maxPolicies, smallWords } from './limits.ts'
import type { ApiProxyRow, Db } from './lookups.ts'
import { isNewName, newNameWords } from './names.ts'
import { type Operation, readStoredPolicy, type StoredPolicy } from './policy-body.ts'
import {
  closedUp,
  compareListed,
  isSamePlace,
  type Placed,
  placed,
  positionsOf,
} from './policy-place.ts'
import { type FieldProblem, invalidField, Refusal } from './refusal.ts'

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
  if (row === undefined) throw noSuchPolicy()
  return policyOf(row)
}

function policyAmong(all: readonly Policy[], name: string): Policy {
  const policy = all.find((one) => one.name === name)
  if (policy === undefined) throw noSuchPolicy()
  return policy
}

function noSuchPolicy(): Refusal {
  return new Refusal('policy-not-found', 'the API proxy has no such policy')
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
  const taken = new Set(all.map((one) => one.name))
  const objection = admission(apiProxyOf(proxy), taken)(name, operation.place)
  if (objection !== undefined) throw refusals[objection]()
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
  const policy = policyAmong(all, name)
  expectVersion(change, policyTag(policy))
  if (!placesIn(apiProxyOf(proxy))(operation.place)) throw refusals.endpoint()
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
  const all = await policiesOf(trx, proxy.id)
  const policy = policyAmong(all, name)
  expectVersion(change, policyTag(policy))
  if (!isSamePlace(policy, operation)) {
    throw new Refusal('place-mismatch', `the policy is not there: ${placeWords(policy)}`)
  }
  await trx.deleteFrom('policies').where('id', '=', policy.id).execute()
  await writePositions(trx, closedUp(all, policy), policy.id)
  await recordChange(trx, { actor, now }, 'policy.delete', targetOf(proxy, name), {
    pipeline: policy.pipeline,
    ...policy.place,
    order: policy.position,
  })
}

/** A policy of a file. */
export interface NewPolicy {
  readonly name: string
  readonly pipeline: PipelineName
  readonly place: Place
  readonly document: StoredPolicy
}

/**
 * Reads the lists of a file as they were shown, by the rules that Add has.
 *
 * @param proxy - As the file has it.
 */
export function readPolicyLists(
  value: unknown,
  path: string,
  proxy: Pick<ApiProxy, 'endpoints'>,
  problems: FieldProblem[],
): readonly NewPolicy[] {
  const before = problems.length
  const fields = new Fields(value, path, problems)
  if (problems.length > before) return []
  const lists = pipelineNames.map((pipeline) => {
    const listName = listNames[pipeline]
    return { pipeline, listName, items: fields.list(listName) }
  })
  fields.done()
  // Before any is read: their number is all that is needed.
  if (lists.reduce((sum, { items }) => sum + items.length, 0) > maxPolicies) {
    problems.push({ path, problem: 'invalid', expected: objections.limit })
    return []
  }
  const objectionTo = admission(proxy, new Set())
  return lists.flatMap(({ pipeline, listName, items }) => {
    if (fields.get(listName) === undefined) fields.problem(listName, 'missing', 'a list')
    return items.map((one, index): NewPolicy => {
      const own = `${fields.pathOf(listName)}[${index}]`
      const known = problems.length
      if (!isSmall(one)) problems.push({ path: own, problem: 'invalid', expected: smallWords })
      const { name, place, policy } = readStoredPolicy(one, own, problems)
      const objection = problems.length > known ? undefined : objectionTo(name, place)
      if (objection !== undefined) {
        problems.push({
          path: `${own}.${objection === 'endpoint' ? 'targetEndpoint' : 'name'}`,
          problem: objection === 'taken' ? 'not-unique' : 'invalid',
          expected: objections[objection],
        })
      }
      return { name, pipeline, place, document: policy }
    })
  })
}

/**
 * @param proxy - One without policies.
 * @param policies - From {@link readPolicyLists}.
 */
export async function insertPolicies(
  { trx, actor, now }: Change,
  proxy: ApiProxyRow,
  policies: readonly NewPolicy[],
): Promise<void> {
  const positions = positionsOf(policies)
  const positioned = policies.map((one, index) => ({ ...one, order: positions[index] as number }))
  const rows = positioned.map(({ name, pipeline, place, document, order }) => ({
    id: newId(now),
    api_proxy_id: proxy.id,
    name,
    ...placeColumns(pipeline, place, order),
    document: JSON.stringify(document),
    version: 1,
  }))
  for (const some of chunksOf(rows))
    await trx
      .insertInto('policies')
      .values([...some])
      .execute()
  await recordChanges(
    trx,
    { actor, now },
    positioned.map(({ name, pipeline, place, document, order }) => ({
      action: 'policy.add',
      target: targetOf(proxy, name),
      detail: { pipeline, ...place, order, policy: document },
    })),
  )
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

type Objection = keyof typeof objections

/**
 * What stands against one more policy; asked in turn for each that comes.
 *
 * @param taken - Names that are there; each one that may come joins them.
 */
function admission(
  proxy: Pick<ApiProxy, 'endpoints'>,
  taken: Set<string>,
): (name: string, place: Place) => Objection | undefined {
  const isPlace = placesIn(proxy)
  return (name, place) => {
    if (!isNewName(name)) return 'name'
    if (taken.has(name)) return 'taken'
    if (taken.size >= maxPolicies) return 'limit'
    if (!isPlace(place)) return 'endpoint'
    taken.add(name)
    return undefined
  }
}

const objections = {
  name: newNameWords,
  taken: 'a name that no other policy of the API proxy has',
  limit: `at most ${maxPolicies} policies in an API proxy`,
  endpoint: 'one of the endpoints of the API proxy, with its method',
}
const refusals: { readonly [O in Objection]: () => Refusal } = {
  name: () => invalidField('policyName', objections.name),
  taken: () => new Refusal('already-exists', 'the API proxy has a policy of this name'),
  limit: () => new Refusal('limit-reached', objections.limit),
  endpoint: () => invalidField('operationMetadata.targetEndpoint', objections.endpoint),
}

/** An API proxy that names its endpoints has no others: a misspelt one would leave the real one without its policy. */
export function placesIn({ endpoints }: Pick<ApiProxy, 'endpoints'>): (place: Place) => boolean {
  if (endpoints.length === 0) return () => true
  const keys = new Set(
    endpoints.map(({ path, method }) =>
      placeKey({
        targetScope: 'ENDPOINT',
        targetEndpoint: path,
        targetEndpointHTTPMethod: method,
      }),
    ),
  )
  return (place) => place.targetScope === 'ALL' || keys.has(placeKey(place))
}

function placeWords({ pipeline, place }: Placed): string {
  return place.targetScope === 'ALL'
    ? `it is in pipeline ${pipeline} with scope ALL`
    : `it is in pipeline ${pipeline} of ${place.targetEndpointHTTPMethod} ${place.targetEndpoint}`
}

function targetOf(proxy: ApiProxyRow, name: string): string {
  return `projects/${proxy.project_name}/apiProxies/${proxy.name}/policies/${name}`
}
