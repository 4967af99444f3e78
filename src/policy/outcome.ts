/** What evaluating policies comes to: data, with everything that led there. @module */

import type { Failure } from '../client/failure.ts'
import type { Identity } from '../client/identity.ts'
import type { Verdict } from '../client/verdict.ts'
import type { ForwardingFailure } from './forwarding.ts'
import type { PipelineName, PlacedPolicy } from './pipelines.ts'

/** Why a policy refuses; `code` tells them apart. */
export type PolicyFailure =
  | Failure
  | ForwardingFailure
  /** A proxy vouches for a name, but the policy validates certificates or issuers, and none came. */
  | { readonly code: 'identity-not-proven' }
  /** The client presented no certificate. */
  | { readonly code: 'certificate-missing' }
  /** The request target means different endpoints to different servers, and endpoints have policies of their own. */
  | { readonly code: 'request-target-ambiguous' }

/** One policy of a pipeline, in the order of execution. Policies after the one that refused did not run and are not listed. */
export interface TraceStep {
  readonly pipeline: PipelineName
  readonly policy: string
  readonly targetScope: PlacedPolicy['targetScope']
  /** `skipped`: inactive. `would-refuse`: in report mode, so that the request goes on. */
  readonly result: 'passed' | 'refused' | 'would-refuse' | 'skipped'
  readonly failure: PolicyFailure | undefined
  /** What validating the certificate came to; absent when there was none to validate. */
  readonly verdict: Verdict | undefined
}

export type Outcome = Allowed | RefusedOutcome

interface Common {
  readonly trace: readonly TraceStep[]
  /** Unix seconds, both inclusive: as long as nothing new is learned, the outcome holds while the clock is between them. */
  readonly validFrom: number
  readonly validUntil: number
}

/** No policy refuses. That nobody was identified is possible: without policies, with report mode, or with `validateCertificate: false`. */
export interface Allowed extends Common {
  readonly allowed: true
  /** Who the client is, as a validated path proves it; absent when no policy that passed validated one. */
  readonly identity: Identity | undefined
  /** Of the policy that identified the client, or else of the last one that passed. */
  readonly verdict: Verdict | undefined
}

export interface RefusedOutcome extends Common {
  readonly allowed: false
  /** Every refusal by policy: RFC 9110 §15.5.2. */
  readonly status: 401
  readonly code: PolicyFailure['code']
  readonly failure: PolicyFailure
  /** Name of the policy that refused; absent when the request was refused before any ran. */
  readonly policy: string | undefined
  readonly verdict: Verdict | undefined
}
