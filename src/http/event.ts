/** What a log, a registry of metrics or a tracer learns of each decision. The shape is stable: fields are added, none is taken away. @module */

import type { Verdict } from '../client/verdict.ts'
import type { HttpMethod } from '../policy/endpoint.ts'
import type { Outcome, PolicyFailure } from '../policy/outcome.ts'
import type { AssertedIdentity } from './asserted.ts'

export interface DecisionEvent {
  readonly version: 1
  readonly type: 'decision'
  /** The one that the client was told, when it was refused. */
  readonly id: string
  /** Milliseconds since 1970. */
  readonly time: number
  /** `would-refuse`: let in because the policies that refuse are in report mode. `error`: refused because deciding failed. */
  readonly outcome: 'allowed' | 'would-refuse' | 'refused' | 'error'
  readonly status: 200 | 401 | 421 | 500
  /** Why; for `would-refuse` of the first policy that would. Absent: allowed. */
  readonly code: DecisionCode | undefined
  /** Name of the policy that decided: the one that refused or would, or else the last one that passed. */
  readonly policy: string | undefined
  /** As configured, so that there are as many values as endpoints. */
  readonly endpoint: { readonly path: string; readonly method: HttpMethod } | undefined
  readonly method: string
  /** As received, with its query: a log's to cut, and never a label. */
  readonly target: string
  /** Name of the source of the certificate. */
  readonly source: string
  /** Whether the outcome was known already, from this connection or from the same header. */
  readonly isRemembered: boolean
  /** What deciding took. */
  readonly milliseconds: number
  /** Every policy in report mode that would have refused. */
  readonly wouldRefuse: readonly { readonly policy: string; readonly code: PolicyFailure['code'] }[]
  /** The full trace; absent when no policy was asked. */
  readonly details: Outcome | undefined
  readonly verdict: Verdict | undefined
  readonly asserted: AssertedIdentity | undefined
  /** What was thrown; only with `error`. */
  readonly error: unknown
}

export type DecisionCode =
  | PolicyFailure['code']
  /** The request's authority does not fit the connection's server name: RFC 9110 §15.5.20. */
  | 'request-misdirected'
  /** Something threw while deciding; nobody is let in by a fault. */
  | 'decision-failed'

/** Called in their order, after each decision and before the request goes on. What a hook throws fails the request with 500. */
export interface Hooks {
  readonly decision?: ((event: DecisionEvent) => void) | undefined
}
