/** The extensions of RFC 5280 §4.2 as data; decoded once, by the reader. @module */

import type { GeneralName, GeneralSubtree } from './general-name.ts'
import type { RelativeDistinguishedName } from './name.ts'

/** One extension as it stands in the certificate. */
export interface Extension {
  /** Dotted decimal. */
  readonly oid: string
  readonly critical: boolean
  /** The octets inside extnValue. */
  readonly value: Uint8Array
}

/** The extensions of one certificate: those that we know, decoded, and all of them as bytes in their order. */
export interface Extensions {
  readonly all: readonly Extension[]
  readonly authorityKeyIdentifier?: (AuthorityKeyIdentifier & Criticality) | undefined
  readonly subjectKeyIdentifier?: ({ readonly keyIdentifier: Uint8Array } & Criticality) | undefined
  readonly keyUsage?: (KeyUsage & Criticality) | undefined
  readonly certificatePolicies?:
    | ({ readonly policies: readonly PolicyInformation[] } & Criticality)
    | undefined
  readonly policyMappings?:
    | ({ readonly mappings: readonly PolicyMapping[] } & Criticality)
    | undefined
  readonly subjectAltName?: ({ readonly names: readonly GeneralName[] } & Criticality) | undefined
  readonly issuerAltName?: ({ readonly names: readonly GeneralName[] } & Criticality) | undefined
  readonly basicConstraints?: (BasicConstraints & Criticality) | undefined
  readonly nameConstraints?: (NameConstraints & Criticality) | undefined
  readonly policyConstraints?: (PolicyConstraints & Criticality) | undefined
  readonly extendedKeyUsage?:
    | ({ /** Dotted decimal. */ readonly purposes: readonly string[] } & Criticality)
    | undefined
  readonly cRLDistributionPoints?:
    | ({ readonly points: readonly DistributionPoint[] } & Criticality)
    | undefined
  readonly freshestCRL?:
    | ({ readonly points: readonly DistributionPoint[] } & Criticality)
    | undefined
  /** skipCerts. RFC 5280 §4.2.1.14 */
  readonly inhibitAnyPolicy?: ({ readonly skipCerts: number } & Criticality) | undefined
  readonly authorityInfoAccess?:
    | ({ readonly descriptions: readonly AccessDescription[] } & Criticality)
    | undefined
  readonly subjectInfoAccess?:
    | ({ readonly descriptions: readonly AccessDescription[] } & Criticality)
    | undefined
  /** RFC 9608 §2 */
  readonly noRevAvail?: Criticality | undefined
}

export interface Criticality {
  readonly critical: boolean
}

/** RFC 5280 §4.2.1.1 */
export interface AuthorityKeyIdentifier {
  readonly keyIdentifier: Uint8Array | undefined
  readonly authorityCertIssuer: readonly GeneralName[] | undefined
  /** Content octets of the INTEGER. */
  readonly authorityCertSerialNumber: Uint8Array | undefined
}

/** Bit n of a key usage is the name at n. RFC 5280 §4.2.1.3 */
export const keyUsageNames = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const

export type KeyUsageName = (typeof keyUsageNames)[number]

/** Bit n of ReasonFlags is the name at n. RFC 5280 §4.2.1.13 */
export const reasonFlagNames = [
  'unused',
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  'privilegeWithdrawn',
  'aACompromise',
] as const

export type ReasonFlagName = (typeof reasonFlagNames)[number]

/** RFC 5280 §4.2.1.3. Bit n of `bits` (1 << n) is the bit n of the extension: digitalSignature 0 … decipherOnly 8. */
export interface KeyUsage {
  readonly bits: number
}

/** RFC 5280 §4.2.1.4 */
export interface PolicyInformation {
  /** Dotted decimal. */
  readonly policyIdentifier: string
  readonly policyQualifiers: readonly PolicyQualifier[]
}

export interface PolicyQualifier {
  readonly policyQualifierId: string
  /** The element, tag and length included. */
  readonly qualifier: Uint8Array
}

/** RFC 5280 §4.2.1.5. Neither side is anyPolicy-checked here: that is a rule of the path. */
export interface PolicyMapping {
  readonly issuerDomainPolicy: string
  readonly subjectDomainPolicy: string
}

/** RFC 5280 §4.2.1.9 */
export interface BasicConstraints {
  readonly cA: boolean
  readonly pathLenConstraint: number | undefined
}

/** RFC 5280 §4.2.1.10. Absent and present-but-missing subtrees differ only in `undefined`. */
export interface NameConstraints {
  readonly permittedSubtrees: readonly GeneralSubtree[] | undefined
  readonly excludedSubtrees: readonly GeneralSubtree[] | undefined
}

/** RFC 5280 §4.2.1.11 */
export interface PolicyConstraints {
  readonly requireExplicitPolicy: number | undefined
  readonly inhibitPolicyMapping: number | undefined
}

/** RFC 5280 §4.2.1.13 */
export interface DistributionPoint {
  readonly fullName: readonly GeneralName[] | undefined
  readonly nameRelativeToCRLIssuer: RelativeDistinguishedName | undefined
  /** Bit n is ReasonFlags bit n (1 keyCompromise … 8 aACompromise). */
  readonly reasons: number | undefined
  readonly cRLIssuer: readonly GeneralName[] | undefined
}

/** RFC 5280 §4.2.2.1 */
export interface AccessDescription {
  readonly accessMethod: string
  readonly accessLocation: GeneralName
}
