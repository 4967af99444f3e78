/** What a validation answers. @module */

import type { AclWarning } from '../acl/index.ts'
import type { Attempt } from '../path/build.ts'
import type { PolicyOutcome } from '../path/policies.ts'
import type { PurposeWarning } from '../path/purpose.ts'
import type { TrustAnchor } from '../path/trust-anchor.ts'
import type { CertificateStatus } from '../revocation/status.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { Failure } from './failure.ts'
import type { Identity, IssuerIdentity } from './identity.ts'

export type Verdict = Verified | Unverified | Refused

/** Every rule held. */
export interface Verified {
  readonly ok: true
  readonly verified: true
  /** The target first; the last one is signed by the anchor. */
  readonly path: readonly Certificate[]
  readonly anchor: TrustAnchor
  /** The direct issuer: the one that the path proves, not the one that is claimed. */
  readonly issuer: IssuerIdentity
  readonly identity: Identity
  readonly policies: PolicyOutcome
  /** For each certificate of `path`: which list or response decided, or what was missing. Empty: revocation was not checked. */
  readonly revocation: readonly CertificateStatus[]
  /** Whole seconds, both inclusive: as long as the clock is between them, and nothing new is learned, the verdict holds. */
  readonly validFrom: Date
  readonly validUntil: Date
  readonly warnings: readonly Warning[]
  /** Candidate paths that were refused before this one was found. */
  readonly attempts: readonly RefusedPath[]
}

/** `validateCertificate` was false: nothing is proven. */
export interface Unverified {
  readonly ok: true
  readonly verified: false
  /** What the client claims. Anybody can make such a certificate. */
  readonly presented: Certificate
  readonly warnings: readonly Warning[]
}

export interface Refused {
  readonly ok: false
  /** The most telling reason. */
  readonly failure: Failure
  /** Every candidate path that was tried, at most 100; empty when the target alone was reason enough. */
  readonly attempts: readonly RefusedPath[]
  /** How many more were tried. */
  readonly attemptsOmitted: number
  /** The target, when it could be read. Nothing about it is proven. */
  readonly presented: Certificate | undefined
  readonly warnings: readonly Warning[]
}

export type RefusedPath = Attempt<Failure>

export type Warning =
  | PurposeWarning
  | AclWarning
  | { readonly code: 'revocation-not-checked' }
  /** No usable list or response says anything about the certificate at `index`, and the rule lets that pass. */
  | { readonly code: 'revocation-unknown'; readonly index: number }
  /** What says that the certificate at `index` is good is past its time, within what the rule allows. */
  | { readonly code: 'revocation-stale'; readonly index: number }
  /** No signature, date or path was checked. */
  | { readonly code: 'certificate-not-verified' }
  /** An issuer's name decided that nobody has proven. */
  | { readonly code: 'issuer-not-verified' }
  /** Something that the client sent after its certificate could not be read, and was left out. */
  | { readonly code: 'presented-unreadable'; readonly index: number }
  /** Something that the client sent after its certificate is no CA certificate: a second leaf, perhaps, which is not judged. */
  | { readonly code: 'presented-not-a-ca'; readonly certificate: Certificate }
