/** One `policy-auth-mtls` document: what it says, its defaults, and what it must not say. @module */

import { isClientAcl } from '../acl/decider.ts'
import type { AclInvalid, ClientAcl } from '../acl/index.ts'
import { clientAclFromJson } from '../acl/read.ts'
import { parseClientAcl } from '../acl/text.ts'
import { Fields } from './fields.ts'
import { type PolicyProblem, policyInvalid } from './problem.ts'

export interface Policy {
  readonly type: 'policy-auth-mtls'
  /** Unique within an API proxy. */
  readonly name: string
  readonly description: string | undefined
  /** Default true. An inactive policy is skipped, and the trace says so. */
  readonly active: boolean
  /** Default true: signatures, dates, path, and everything else that is configured beside the documents. */
  readonly validateCertificate: boolean
  /** Default true: the issuer is in the issuer ACL, which is configured beside the documents. */
  readonly validateACLForIssuer: boolean
  /** An addition: default `enforce`. With `report` a refusal lets the request pass, and is told as what would have happened. */
  readonly mode: 'enforce' | 'report'
  /** An addition: who may come in, by their own certificate; the text form, the JSON form, or parsed. Absent: whoever else passes. */
  readonly clientAcl: ClientAcl | undefined
}

/**
 * Reads one document.
 *
 * @param document - JSON data, or a policy that was read before. Without a `name` it is called as its type.
 * @throws `TypeError` with `code: 'policy-invalid'` and all `problems`, each with the path of its field.
 * @example
 * const policy = parsePolicy({ type: 'policy-auth-mtls', validateACLForIssuer: false })
 * console.log(policy.active, policy.validateCertificate, policy.mode) // true true enforce
 */
export function parsePolicy(document: unknown): Policy {
  const problems: PolicyProblem[] = []
  const fields = new Fields(document, '', problems)
  const policy = readPolicy(fields)
  fields.done()
  if (problems.length > 0) throw policyInvalid(problems)
  return policy
}

/** The fields of a policy; other fields of the same object are the caller's. */
export function readPolicy(fields: Fields, name: string | undefined = readName(fields)): Policy {
  const type = fields.oneOf('type', ['policy-auth-mtls'])
  const policy: Policy = {
    type,
    name: name ?? type,
    description: fields.text('description'),
    active: fields.flag('active', true),
    validateCertificate: fields.flag('validateCertificate', true),
    validateACLForIssuer: fields.flag('validateACLForIssuer', true),
    mode: fields.oneOf('mode', ['enforce', 'report'], 'enforce'),
    clientAcl: readClientAcl(fields),
  }
  if (policy.clientAcl !== undefined && !policy.validateCertificate) {
    // Who the client is, only a validated path tells.
    fields.problem('clientAcl', 'conflict', 'none with validateCertificate: false')
  }
  return Object.freeze(policy)
}

function readName(fields: Fields): string | undefined {
  const name = fields.text('name')
  if (name === undefined || policyName.test(name)) return name
  fields.problem('name', 'invalid', 'at most 255 printable characters without /')
  return undefined
}

function readClientAcl(fields: Fields): ClientAcl | undefined {
  const value = fields.get('clientAcl')
  if (value === undefined) return undefined
  if (isClientAcl(value)) return value
  try {
    return typeof value === 'string' ? parseClientAcl(value) : clientAclFromJson(value)
  } catch (error) {
    if (!isAclInvalid(error)) throw error
    const line = error.line === undefined ? '' : ` line ${error.line}`
    const dot = error.field === '' || error.field.startsWith('[') ? '' : '.'
    fields.problem(`clientAcl${line}${dot}${error.field}`, 'invalid', error.expected)
    return undefined
  }
}

function isAclInvalid(error: unknown): error is AclInvalid {
  return error instanceof TypeError && 'code' in error && error.code === 'acl-invalid'
}

/** Local limit: it is a segment of the management API's paths, and a label of metrics. */
export const policyName: RegExp = /^[^\p{C}\p{Zl}\p{Zp}/]{1,255}$/u
