/** What an X.509 certificate holds, as readonly data: RFC 5280 §4.1. No verdicts here. @module */

import type { SignatureScheme } from '../base/signature-scheme.ts'
import type { Extensions } from './extensions.ts'
import type { Name } from './name.ts'

/**
 * A parsed certificate. Every `Uint8Array` in it is a view into `der`, or, in an AlgorithmIdentifier, shared by all certificates;
 * treat all of them as read-only.
 */
export interface Certificate {
  /** The whole certificate. */
  readonly der: Uint8Array
  readonly tbsCertificate: TbsCertificate
  /** The same bytes as `tbsCertificate.signature`: the reader refuses a certificate where they differ. */
  readonly signatureAlgorithm: AlgorithmIdentifier
  /** The octets of the BIT STRING; it has no unused bits. */
  readonly signatureValue: Uint8Array
}

export interface TbsCertificate {
  /** The bytes that are signed, tag and length included. */
  readonly der: Uint8Array
  readonly version: 1 | 2 | 3
  /** Content octets of the INTEGER, big-endian two's complement, minimal. RFC 5280 §4.1.2.2 */
  readonly serialNumber: Uint8Array
  readonly signature: AlgorithmIdentifier
  readonly issuer: Name
  /** Unix time in whole seconds, both bounds inclusive. RFC 5280 §4.1.2.5 */
  readonly validity: { readonly notBefore: number; readonly notAfter: number }
  readonly subject: Name
  readonly subjectPublicKeyInfo: SubjectPublicKeyInfo
  readonly issuerUniqueID: Uint8Array | undefined
  readonly subjectUniqueID: Uint8Array | undefined
  readonly extensions: Extensions
}

export interface AlgorithmIdentifier {
  /** The SEQUENCE, tag and length included. */
  readonly der: Uint8Array
  /** Dotted decimal. */
  readonly algorithm: string
  /** The element after the OID, tag and length included; absent when there is none. */
  readonly parameters: Uint8Array | undefined
}

export interface SubjectPublicKeyInfo {
  /** The SEQUENCE, tag and length included: what an SPKI pin hashes. */
  readonly der: Uint8Array
  readonly algorithm: AlgorithmIdentifier
  /** Octets of the BIT STRING; it has no unused bits. */
  readonly subjectPublicKey: Uint8Array
}

/** What kind of key an SPKI holds, decided by `describeKey` in `algorithms.ts`. Sizes are in bits. */
export type KeyDescription =
  | {
      readonly kind: 'RSA' | 'RSA-PSS'
      readonly size: number
      /** Big-endian, no leading zero. */
      readonly exponent: Uint8Array
      /** Only for RSA-PSS: the parameters that restrict the key; absent: unrestricted. RFC 4055 §3.3 */
      readonly restriction?: Extract<SignatureScheme, { name: 'RSASSA-PSS' }>
    }
  | { readonly kind: 'EC'; readonly curve: Curve; readonly size: number }
  | {
      readonly kind: 'DSA'
      readonly size: number /** False: inherited from the issuer. RFC 3279 §2.3.2 */
      readonly hasParameters: boolean
    }
  | { readonly kind: 'Ed25519' | 'Ed448'; readonly size: number }
  | { readonly kind: 'ML-DSA-44' | 'ML-DSA-65' | 'ML-DSA-87'; readonly size: number }
  | { readonly kind: 'unknown'; readonly algorithm: string }
  | { readonly kind: 'malformed'; readonly algorithm: string; readonly reason: string }

export type Curve = 'P-192' | 'P-224' | 'P-256' | 'P-384' | 'P-521' | 'secp256k1'
