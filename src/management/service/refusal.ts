/** Why a request to the manager is not done: status, code and facts. Thrown, so that a transaction is rolled back on the way out. @module */

import type { PolicyProblem } from '../../policy/problem.ts'

/** One bad field, named by its path, such as `policy.validateCertificate`. */
export type FieldProblem = PolicyProblem

export type RefusalCode = keyof typeof statuses

/** What the failure envelope says. */
export class Refusal extends Error {
  readonly code: RefusalCode
  readonly status: number
  readonly details: readonly FieldProblem[] | undefined
  readonly headers: Readonly<Record<string, string>>

  constructor(
    code: RefusalCode,
    message: string,
    more: {
      readonly details?: readonly FieldProblem[]
      readonly headers?: Readonly<Record<string, string>>
    } = {},
  ) {
    super(message)
    this.name = 'Refusal'
    this.code = code
    this.status = statuses[code]
    this.details = more.details
    this.headers = more.headers ?? {}
  }
}

/** Well-formed, but not valid: each bad field by its path; of more than a thousand the first. */
export function invalid(details: readonly FieldProblem[]): Refusal {
  const shown = details
    .slice(0, maxShown)
    .map(({ path, expected }) => `${path === '' ? 'body' : path}: ${expected}`)
    .join('; ')
  const more = details.length > maxShown ? ` and ${details.length - maxShown} more` : ''
  return new Refusal('invalid', `not valid: ${shown}${more}`, {
    details: details.slice(0, maxDetails),
  })
}

export function invalidField(
  path: string,
  expected: string,
  problem: FieldProblem['problem'] = 'invalid',
): Refusal {
  return invalid([{ path, problem, expected }])
}

/** A code once published keeps its meaning and status. */
const statuses = {
  'body-malformed': 400,
  'json-duplicate-key': 400,
  'path-malformed': 400,
  'header-malformed': 400,
  'token-missing': 401,
  'token-invalid': 401,
  'right-missing': 403,
  'not-found': 404,
  'project-not-found': 404,
  'api-proxy-not-found': 404,
  'environment-not-found': 404,
  'policy-not-found': 404,
  'token-not-found': 404,
  'revision-not-found': 404,
  'method-not-allowed': 405,
  'body-slow': 408,
  'already-exists': 409,
  'place-mismatch': 409,
  'in-use': 409,
  'limit-reached': 409,
  'request-in-progress': 409,
  'version-mismatch': 412,
  'body-too-large': 413,
  'content-type-unsupported': 415,
  invalid: 422,
  'crl-signature-invalid': 422,
  'idempotency-key-reused': 422,
  'too-many-attempts': 429,
  internal: 500,
  'store-away': 503,
  'signing-key-replaced': 503,
} as const

const maxShown = 5
/** Local limit: the answer is not many times what was sent. */
const maxDetails = 1000
