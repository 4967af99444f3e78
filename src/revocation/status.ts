/** What is known of one certificate's revocation, and what stood in the way: data for verdicts. @module */

import type { SignatureFailure } from '../path/signature.ts'
import type { Certificate, KeyDescription, SubjectPublicKeyInfo } from '../x509/certificate.ts'
import type { RevocationReason } from '../x509/crl.ts'
import type { Name } from '../x509/name.ts'

/** Who issued a certificate, as its path proves: a CA certificate, or an anchor that may be a bare name and key. */
export interface StatusIssuer {
  readonly name: Name
  readonly subjectPublicKeyInfo: SubjectPublicKeyInfo
  /** `describeKey(subjectPublicKeyInfo)`, where it is at hand. */
  readonly key?: KeyDescription | undefined
  readonly certificate: Certificate | undefined
}

/** The list or response that decided. Times are Unix seconds. */
export interface StatusEvidence {
  readonly by: 'crl' | 'ocsp'
  /** Of the list; of the OCSP responder's CA. */
  readonly issuer: Name
  readonly thisUpdate: number
  readonly nextUpdate: number | undefined
  /** Seconds from thisUpdate to the time of the validation. */
  readonly age: number
  /** The delta CRL beside a complete one. */
  readonly delta?:
    | { readonly thisUpdate: number; readonly nextUpdate: number | undefined }
    | undefined
}

/** For each certificate of the path. `index` 0 is the target. */
export type CertificateStatus =
  | {
      readonly status: 'good'
      readonly index: number
      /** Every list or response that was needed: several when each covers some reasons. */
      readonly evidence: readonly StatusEvidence[]
      /** Past its nextUpdate, within what `onStale` allows. */
      readonly stale: boolean
    }
  | RevokedStatus
  | {
      readonly status: 'unknown'
      readonly index: number
      /** Why each list and response at hand does not count, or what was not there. */
      readonly problems: readonly StatusProblem[]
    }
  | {
      readonly status: 'not-checked'
      readonly index: number
      /**
       * `mode-none`: the operator's rule for this issuer; `depth`: only the target is checked; `no-rev-avail`: RFC 9608 §4;
       * `trust-anchor`: the target is its own anchor.
       */
      readonly because: 'mode-none' | 'depth' | 'no-rev-avail' | 'trust-anchor'
    }

export interface RevokedStatus {
  readonly status: 'revoked'
  readonly index: number
  readonly evidence: StatusEvidence
  /** Unix seconds. */
  readonly revocationDate: number
  readonly reason: RevocationReason | undefined
  readonly invalidityDate: number | undefined
}

/** Why something at hand does not count, or what is missing. `issuer` tells which list, where there may be several. */
export type StatusProblem =
  /** No list whose issuer issues for this certificate. */
  | { readonly code: 'crl-missing'; readonly issuer: Name }
  | { readonly code: 'crl-not-yet-valid'; readonly thisUpdate: number }
  | { readonly code: 'crl-expired'; readonly nextUpdate: number }
  /** Older than `maxAge`; or without nextUpdate, and no `maxAge` says how long it counts. */
  | {
      readonly code: 'crl-too-old'
      readonly thisUpdate: number
      readonly maxAge: number | undefined
    }
  /** A list for other certificates or other distribution points. RFC 5280 §6.3.3 (b) */
  | { readonly code: 'crl-out-of-scope'; readonly of: CrlScopeMismatch }
  /** RFC 5280 §5.2, RFC 5280 §5.3 */
  | { readonly code: 'crl-unknown-critical-extension'; readonly oid: string }
  /** Against RFC 5280 §5.2.1, RFC 5280 §5.2.3 or another rule for whoever issues lists. */
  | { readonly code: 'crl-malformed'; readonly what: string }
  /** No key that may sign it: none with the name of its issuer and cRLSign has a path to the same anchor. RFC 5280 §6.3.3 (f) */
  | { readonly code: 'crl-signer-unknown' }
  | { readonly code: 'crl-signer-no-crl-sign' }
  | { readonly code: 'crl-signer-revoked' }
  /** Nothing says whether the certificate of the key that signs it is revoked. */
  | { readonly code: 'crl-signer-status-unknown' }
  | { readonly code: 'crl-signature'; readonly failure: SignatureFailure }
  /** A delta whose base is not there. RFC 5280 §5.2.4 */
  | { readonly code: 'crl-delta-without-base' }
  /** Lists for some reasons only: others may have revoked it. RFC 5280 §6.3.3 (e) */
  | { readonly code: 'crl-reasons-missing'; readonly reasons: number }
  | { readonly code: 'ocsp-missing' }
  | { readonly code: 'ocsp-error'; readonly responseStatus: string }
  | { readonly code: 'ocsp-type-unknown' }
  | { readonly code: 'ocsp-other-certificate' }
  | { readonly code: 'ocsp-not-yet-valid'; readonly thisUpdate: number }
  | { readonly code: 'ocsp-expired'; readonly nextUpdate: number }
  | {
      readonly code: 'ocsp-too-old'
      readonly thisUpdate: number
      readonly maxAge: number | undefined
    }
  | { readonly code: 'ocsp-produced-at'; readonly producedAt: number }
  | { readonly code: 'ocsp-unknown-critical-extension'; readonly oid: string }
  | { readonly code: 'ocsp-responder-unknown' }
  | { readonly code: 'ocsp-responder-not-authorized'; readonly what: string }
  | { readonly code: 'ocsp-responder-revoked' }
  | { readonly code: 'ocsp-signature'; readonly failure: SignatureFailure }
  /** The responder does not know the certificate. RFC 6960 §2.2 */
  | { readonly code: 'ocsp-unknown' }
  /** Past a local limit on the work for one certificate. */
  | { readonly code: 'status-limit'; readonly of: string }

export type CrlScopeMismatch =
  | 'distribution-point'
  | 'crl-issuer'
  | 'indirect'
  | 'user-certificates'
  | 'ca-certificates'
  | 'attribute-certificates'
  | 'reasons'
