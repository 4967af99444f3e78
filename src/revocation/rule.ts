/** The operator's rule: what is asked, of which certificates, and what happens when there is no answer. @module */

import type { CrlAnswers } from './crl-answers.ts'
import type { OcspAnswers } from './ocsp-answers.ts'
import type { StatusProvider } from './provider.ts'

/** `crl-or-ocsp`: both are looked at; one that says revoked is enough to refuse, and one that says good enough to accept. */
export type RevocationMode = 'none' | 'crl' | 'ocsp' | 'crl-or-ocsp'

/** The rule for the certificates of one issuer, or of all. */
export interface IssuerRule {
  readonly mode: RevocationMode
  /** What no usable list or response says anything about. */
  readonly onUnknown: 'deny' | 'allow'
  /** Seconds past its time for which a good answer still counts; 0: none. */
  readonly staleFor: number
  /** Seconds from thisUpdate; absent: nextUpdate alone counts. */
  readonly maxAge: number | undefined
}

/** Options that were checked. */
export interface PreparedRevocation {
  readonly rule: IssuerRule
  /** By the `nameKey` of the issuer. */
  readonly perIssuer: ReadonlyMap<string, IssuerRule>
  /** `target`: only the client's own certificate. `path`: every certificate below the anchor. */
  readonly depth: 'target' | 'path'
  readonly material: RevocationMaterial
  /** Milliseconds to wait for what is fetched; 0: not at all. */
  readonly wait: number
}

/** Given once, or by a provider that changes. */
export type RevocationMaterial = StatusProvider | GivenMaterial

export interface GivenMaterial {
  /** Absent: no rule looks at any. */
  readonly crls: CrlAnswers | undefined
  readonly responses: OcspAnswers | undefined
  readonly request?: undefined
}
