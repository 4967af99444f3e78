/** What a request says of a policy: the document's two objects, `operationMetadata` and `policy`. @module */

import { Fields } from '../../policy/fields.ts'
import type { PipelineName } from '../../policy/pipelines.ts'
import { type Place, placeKey, readPlace } from '../../policy/place.ts'
import { readPolicy } from '../../policy/policy.ts'
import { type FieldProblem, invalid } from './refusal.ts'

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

/**
 * Reads the body of Add and Update.
 *
 * @param name - From the path; a `policy.name` must be the same.
 * @throws Refusal `invalid` with every bad field.
 */
export function readPolicyBody(
  body: unknown,
  name: string,
): { readonly operation: Operation; readonly policy: StoredPolicy } {
  const problems: FieldProblem[] = []
  const fields = new Fields(body, '', problems)
  const operation = readOperation(fields, problems)
  const policy = readPolicyFields(required(fields, 'policy'), name, operation.place, problems)
  fields.done()
  if (problems.length > 0) throw invalid(problems)
  return { operation, policy }
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
  const pipeline = fields.oneOf('targetPipeline', ['REQUEST', 'RESPONSE', 'ERROR'])
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

function readPolicyFields(
  value: unknown,
  name: string,
  place: Place,
  problems: FieldProblem[],
): StoredPolicy {
  const fields = new Fields(value, 'policy', problems)
  const given = fields.get('name')
  if (given !== undefined && given !== name) {
    fields.problem('name', 'conflict', 'the name in the path, or none')
  }
  readSamePlace(fields, place)
  const policy = storedOf(fields, name)
  fields.done()
  return policy
}

/** The list shows an endpoint beside the policy's own fields: what was read there can be written back. */
function readSamePlace(fields: Fields, place: Place): void {
  const names = ['targetScope', 'targetEndpoint', 'targetEndpointHTTPMethod'] as const
  const given = names.map((name) => [name, fields.get(name)] as const)
  for (const [name, value] of given) {
    const same = name === 'targetEndpoint' ? isSamePath(value, place) : value === place[name]
    if (value !== undefined && !same) {
      fields.problem(name, 'conflict', 'as in operationMetadata, or left out')
    }
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
