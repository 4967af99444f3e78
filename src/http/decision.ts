/** What a request was answered, and why. @module */

import type { Identity } from '../client/identity.ts'
import type { Verdict } from '../client/verdict.ts'
import type { Outcome } from '../policy/outcome.ts'
import type { Route } from '../policy/pipelines.ts'
import type { AssertedIdentity } from './asserted.ts'
import type { DecisionCode } from './event.ts'

/** Found at `request.clientCertificate`, or at the framework's own place. */
export class Decision {
  readonly allowed: boolean
  readonly status: 200 | 401 | 421 | 500
  /** Why it was refused. */
  readonly code: DecisionCode | undefined
  /** Every policy that ran, with its verdict; absent when none was asked. */
  readonly outcome: Outcome | undefined
  /** A name that only a proxy vouches for; never proven. */
  readonly asserted: AssertedIdentity | undefined
  readonly endpoint: Route['endpoint']
  /** What was thrown, with code `decision-failed`. */
  readonly error: unknown
  readonly #under: unknown
  #id: string | undefined

  /** @param under - The guard's own: what was in force when it decided. */
  constructor(
    status: Decision['status'],
    code: DecisionCode | undefined,
    outcome?: Outcome,
    asserted?: AssertedIdentity,
    endpoint?: Route['endpoint'],
    error?: unknown,
    under?: unknown,
  ) {
    this.allowed = status === 200
    this.status = status
    this.code = code
    this.outcome = outcome
    this.asserted = asserted
    this.endpoint = endpoint
    this.error = error
    this.#under = under
  }

  /** What `decision` was made under. Others may be in force when it is applied to request and response, and must not mix with those. */
  static under(decision: Decision): unknown {
    return decision.#under
  }

  /** A UUID of this decision alone: the one in the client's answer and in the log. Made when it is read. */
  get id(): string {
    this.#id ??= crypto.randomUUID()
    return this.#id
  }

  /** Who the client is, as a validated path proves it. Absent: nobody was identified, even if the request may pass. */
  get identity(): Identity | undefined {
    return this.outcome?.allowed === true ? this.outcome.identity : undefined
  }

  /** Whether a validated path proves who the client is. */
  get verified(): boolean {
    return this.identity !== undefined
  }

  get verdict(): Verdict | undefined {
    return this.outcome?.verdict
  }
}
