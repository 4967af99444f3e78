/** What a request says of a policy: the document's two objects, `operationMetadata` and `policy`. @module */

import { Fields } from '../../policy/fields.ts'
import type { PipelineName } from '../../policy/pipelines.ts'
import { type Place, placeKey, readPlace } from '../../policy/place.ts'
import { readPolicy } from '../../policy/policy.ts'
import { type FieldProblem, invalid } from './refusal.ts'
import { readSameName } from './same-name.ts'

/** The object `operationMetadata`, with its defaults. */
export interface Operation {
  readonly pipeline: PipelineName
  readonly place: Place
  readonly deploy: boolean
  /** Empty: every environment that runs the API proxy. */
  readonly environments: readonly string[]
  readonly order: number | undefined
}

/** What is kept of a policy, and shown: the document's fields with their defaults, and additions only where they were given. */
export interface StoredPolicy {
  readonly type: 'policy-auth-mtls'
  readonly description?: string
  readonly active: boolean
  readonly validateCertificate: boolean
  readonly validateACLForIssuer: boolean
  readonly mode?: 'enforce' | 'report'
  /** As it was given: text, or JSON data. */
  readonly clientAcl?: unknown
}

export interface PolicyBody {
  readonly operation: Operation
  readonly policy: StoredPolicy
}

/**
 * Reads the body of Add and Update.
 *
 * @param name - From the path; a `policy.name` must be the same.
 * @throws Refusal `invalid` with every bad field.
 */
export function readPolicyBody(body: unknown, name: string): PolicyBody {
  const problems: FieldProblem[] = []
  const fields = new Fields(body, '', problems)
  const operation = readOperation(fields, problems)
  const { policy, order } = readPolicyFields(required(fields, 'policy'), name, operation, problems)
  fields.done()
  if (problems.length > 0) throw invalid(problems)
  return { operation: { ...operation, order }, policy }
}

/** Reads the body of Update: that of Add, or a policy with its place, as it is read. The latter is stored and not deployed. */
export function readPolicyUpdate(body: unknown, name: string): PolicyBody {
  if (!isAsRead(body)) return readPolicyBody(body, name)
  const problems: FieldProblem[] = []
  const fields = new Fields(body, '', problems)
  readSameName(fields, name)
  const place = readPlace(fields, 'ALL')
  const pipeline = fields.oneOf('targetPipeline', pipelines)
  const order = fields.position('order')
  const policy = storedOf(fields, name)
  fields.done()
  if (problems.length > 0) throw invalid(problems)
  return { operation: { pipeline, place, deploy: false, environments: [], order }, policy }
}

/** Reads the body of Delete. */
export function readOperationBody(body: unknown): Operation {
  const problems: FieldProblem[] = []
  const fields = new Fields(body, '', problems)
  const operation = readOperation(fields, problems)
  fields.done()
  if (problems.length > 0) throw invalid(problems)
  return operation
}

/** Reads a policy that comes without a request of its own: from an import. */
export function readStoredPolicy(
  value: unknown,
  path: string,
  problems: FieldProblem[],
): { readonly name: string; readonly place: Place; readonly policy: StoredPolicy } {
  const fields = new Fields(value, path, problems)
  const name = fields.text('name')
  if (name === undefined) fields.problem('name', 'missing', 'the name of the policy')
  const place = readPlace(fields, 'ALL')
  const policy = storedOf(fields, name)
  fields.done()
  return { name: name ?? '', place, policy }
}

function readOperation(body: Fields, problems: FieldProblem[]): Operation {
  const fields = new Fields(required(body, 'operationMetadata'), 'operationMetadata', problems)
  const place = readPlace(fields)
  const pipeline = fields.oneOf('targetPipeline', pipelines)
  const deploy = fields.flag('deploy', true)
  const named = 'deployTargetEnvironmentNameList'
  const environments = fields.list(named).filter((one, index): one is string => {
    if (typeof one === 'string' && one !== '') return true
    fields.problem(`${named}[${index}]`, 'invalid', 'the name of an environment')
    return false
  })
  const order = fields.position('order')
  fields.done()
  return { pipeline, place, deploy, environments: [...new Set(environments)], order }
}

/** @returns The policy, and the order that counts. */
function readPolicyFields(
  value: unknown,
  name: string,
  operation: Operation,
  problems: FieldProblem[],
): { readonly policy: StoredPolicy; readonly order: number | undefined } {
  const fields = new Fields(value, 'policy', problems)
  readSameName(fields, name)
  readSamePlace(fields, operation)
  const order = fields.position('order')
  if (order !== undefined && operation.order !== undefined && order !== operation.order) {
    fields.problem('order', 'conflict', sameWords)
  }
  const policy = storedOf(fields, name)
  fields.done()
  return { policy, order: operation.order ?? order }
}

function isAsRead(body: unknown): boolean {
  const isObject = typeof body === 'object' && body !== null
  const has = (name: string): boolean => isObject && Object.hasOwn(body, name)
  return has('targetPipeline') && !has('operationMetadata') && !has('policy')
}

/** A policy is shown with its place beside its own fields: what was read there can be written back. */
function readSamePlace(fields: Fields, { place, pipeline }: Operation): void {
  const names = ['targetScope', 'targetEndpoint', 'targetEndpointHTTPMethod'] as const
  const given = names.map((name) => [name, fields.get(name)] as const)
  for (const [name, value] of given) {
    const same = name === 'targetEndpoint' ? isSamePath(value, place) : value === place[name]
    if (value !== undefined && !same) fields.problem(name, 'conflict', sameWords)
  }
  const shown = fields.get('targetPipeline')
  if (shown !== undefined && shown !== pipeline) {
    fields.problem('targetPipeline', 'conflict', sameWords)
  }
}

function isSamePath(value: unknown, place: Place): boolean {
  if (place.targetScope === 'ALL' || typeof value !== 'string') return value === undefined
  return placeKey({ ...place, targetEndpoint: value }) === placeKey(place)
}

function storedOf(fields: Fields, name: string | undefined): StoredPolicy {
  const { type, description, active, validateCertificate, validateACLForIssuer, mode } = readPolicy(
    fields,
    name ?? 'policy',
  )
  const clientAcl = fields.get('clientAcl')
  return {
    type,
    ...(description === undefined ? {} : { description }),
    active,
    validateCertificate,
    validateACLForIssuer,
    ...(fields.get('mode') === undefined ? {} : { mode }),
    ...(clientAcl === undefined ? {} : { clientAcl }),
  }
}

function required(fields: Fields, name: string): unknown {
  const value = fields.get(name)
  if (value !== undefined) return value
  fields.problem(name, 'missing', 'an object')
  return {}
}

const pipelines = ['REQUEST', 'RESPONSE', 'ERROR'] as const
const sameWords = 'as in operationMetadata, or left out'
