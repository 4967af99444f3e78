/** What a certificate revocation list holds, as readonly data: RFC 5280 §5.1. No verdicts here. @module */

import type { AlgorithmIdentifier } from './certificate.ts'
import type {
  AccessDescription,
  AuthorityKeyIdentifier,
  Criticality,
  DistributionPoint,
  Extension,
} from './extensions.ts'
import type { GeneralName } from './general-name.ts'
import type { Name, RelativeDistinguishedName } from './name.ts'
import type { RevokedCertificates } from './revoked-certificates.ts'

/** A parsed CRL, complete or delta. Every `Uint8Array` in it is a view into `der`; treat all of them as read-only. */
export interface CertificateList {
  /** The whole list. */
  readonly der: Uint8Array
  readonly tbsCertList: TbsCertList
  /** The same bytes as `tbsCertList.signature`: the reader refuses a list where they differ. */
  readonly signatureAlgorithm: AlgorithmIdentifier
  /** The octets of the BIT STRING; it has no unused bits. */
  readonly signatureValue: Uint8Array
}

export interface TbsCertList {
  /** The bytes that are signed, tag and length included. */
  readonly der: Uint8Array
  readonly version: 1 | 2
  readonly signature: AlgorithmIdentifier
  readonly issuer: Name
  /** Unix time in whole seconds. RFC 5280 §5.1.2.4 */
  readonly thisUpdate: number
  /** Absent: the list does not say when it runs out, against RFC 5280 §5.1.2.5. */
  readonly nextUpdate: number | undefined
  readonly revokedCertificates: RevokedCertificates
  readonly crlExtensions: CrlExtensions
}

/** The extensions of RFC 5280 §5.2: those that we know, decoded, and all of them as bytes in their order. */
export interface CrlExtensions {
  readonly all: readonly Extension[]
  readonly authorityKeyIdentifier: (AuthorityKeyIdentifier & Criticality) | undefined
  /** Content octets of the INTEGER, not negative, at most 20. RFC 5280 §5.2.3 */
  readonly cRLNumber: ({ readonly number: Uint8Array } & Criticality) | undefined
  /** BaseCRLNumber as `cRLNumber`: this is a delta CRL. RFC 5280 §5.2.4 */
  readonly deltaCRLIndicator: ({ readonly number: Uint8Array } & Criticality) | undefined
  readonly issuingDistributionPoint: (IssuingDistributionPoint & Criticality) | undefined
  readonly freshestCRL:
    | ({ readonly points: readonly DistributionPoint[] } & Criticality)
    | undefined
  readonly authorityInfoAccess:
    | ({ readonly descriptions: readonly AccessDescription[] } & Criticality)
    | undefined
}

/** RFC 5280 §5.2.5. At most one of the three `onlyContains…` is true: the reader refuses others. */
export interface IssuingDistributionPoint {
  /** The value of the extension, octet for octet: a delta has the scope of its base when they are equal. */
  readonly der: Uint8Array
  readonly fullName: readonly GeneralName[] | undefined
  readonly nameRelativeToCRLIssuer: RelativeDistinguishedName | undefined
  readonly onlyContainsUserCerts: boolean
  readonly onlyContainsCACerts: boolean
  /** Bit n is ReasonFlags bit n (1 keyCompromise … 8 aACompromise). */
  readonly onlySomeReasons: number | undefined
  readonly indirectCRL: boolean
  readonly onlyContainsAttributeCerts: boolean
}

/** One entry of `revokedCertificates`, decoded when it is asked for. RFC 5280 §5.3 */
export interface RevokedCertificate {
  /** Content octets of the INTEGER. */
  readonly serialNumber: Uint8Array
  /** Unix seconds. */
  readonly revocationDate: number
  /** Absent: unspecified. */
  readonly reason: RevocationReason | undefined
  /** Unix seconds. RFC 5280 §5.3.2 */
  readonly invalidityDate: number | undefined
  /**
   * Whose certificate it is, in an indirect CRL: of this entry, or of the last one before it that has the extension; absent: the
   * issuer of the list. RFC 5280 §5.3.3
   */
  readonly certificateIssuer: readonly GeneralName[] | undefined
}

/** CRLReason of RFC 5280 §5.3.1, in the order of its values; 7 is not used. */
export const revocationReasons = [
  'unspecified',
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  undefined,
  'removeFromCRL',
  'privilegeWithdrawn',
  'aACompromise',
] as const

export type RevocationReason = NonNullable<(typeof revocationReasons)[number]>
