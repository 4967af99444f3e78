/** Trust anchors: RFC 5280 §6.1.1 (d), with the constraints of RFC 5937. @module */

import type { Certificate, SubjectPublicKeyInfo } from '../x509/certificate.ts'
import type { NameConstraints } from '../x509/extensions.ts'
import type { Name } from '../x509/name.ts'

/** A name and a key that are trusted, as a certificate or bare. */
export interface TrustAnchor {
  readonly name: Name
  readonly subjectPublicKeyInfo: SubjectPublicKeyInfo
  /** Absent for a bare name and key. Its signature is never judged. */
  readonly certificate: Certificate | undefined
  /** Beside those of the certificate; always applied. RFC 5937 §3.2 */
  readonly constraints?: AnchorConstraints | undefined
}

export interface AnchorConstraints {
  readonly nameConstraints?: NameConstraints | undefined
  /** How many intermediates that are not self-issued may follow. */
  readonly pathLenConstraint?: number | undefined
}

/** Which fields of an anchor's certificate count; both by default. */
export interface AnchorChecks {
  /** notBefore and notAfter. */
  readonly validity: boolean
  /** basicConstraints, keyUsage, extended key usage, name constraints, policies, unknown critical extensions. */
  readonly constraints: boolean
}
