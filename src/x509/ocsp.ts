/** What an OCSP response holds, as readonly data: RFC 6960 §4.2. No verdicts here. @module */

import type { AlgorithmIdentifier } from './certificate.ts'
import type { RevocationReason } from './crl.ts'
import type { Extension } from './extensions.ts'
import type { Name } from './name.ts'

/** OCSPResponseStatus of RFC 6960 §4.2.1, in the order of its values; 4 is not used. */
export const ocspResponseStatuses = [
  'successful',
  'malformedRequest',
  'internalError',
  'tryLater',
  undefined,
  'sigRequired',
  'unauthorized',
] as const

export type OcspResponseStatus = NonNullable<(typeof ocspResponseStatuses)[number]>

/** A parsed response. Every `Uint8Array` in it is a view into `der`; treat all of them as read-only. */
export type OcspResponse =
  | {
      readonly der: Uint8Array
      readonly responseStatus: Exclude<OcspResponseStatus, 'successful'>
      readonly basic?: undefined
    }
  | {
      readonly der: Uint8Array
      readonly responseStatus: 'successful'
      /** Absent: a response type other than id-pkix-ocsp-basic, which nobody uses. */
      readonly basic: BasicOcspResponse | undefined
    }

/** RFC 6960 §4.2.1, BasicOCSPResponse and ResponseData */
export interface BasicOcspResponse {
  /** ResponseData: the bytes that are signed, tag and length included. */
  readonly tbsResponseData: Uint8Array
  readonly responderID: ResponderID
  /** Unix seconds. */
  readonly producedAt: number
  readonly responses: readonly SingleResponse[]
  readonly responseExtensions: readonly Extension[]
  /** Octets inside the nonce extension's OCTET STRING. RFC 9654 §2.1 */
  readonly nonce: Uint8Array | undefined
  readonly signatureAlgorithm: AlgorithmIdentifier
  /** The octets of the BIT STRING; it has no unused bits. */
  readonly signature: Uint8Array
  /** DER of the certificates that the responder sends along, unread. */
  readonly certs: readonly Uint8Array[]
}

export type ResponderID =
  | { readonly kind: 'byName'; readonly name: Name }
  /** SHA-1 of the octets of the responder's public key. */
  | { readonly kind: 'byKey'; readonly keyHash: Uint8Array }

/** RFC 6960 §4.1.1 */
export interface CertID {
  readonly hashAlgorithm: AlgorithmIdentifier
  readonly issuerNameHash: Uint8Array
  readonly issuerKeyHash: Uint8Array
  /** Content octets of the INTEGER. */
  readonly serialNumber: Uint8Array
}

export interface SingleResponse {
  readonly certID: CertID
  readonly certStatus:
    | { readonly status: 'good' }
    | {
        readonly status: 'revoked'
        /** Unix seconds. */
        readonly revocationTime: number
        readonly reason: RevocationReason | undefined
      }
    | { readonly status: 'unknown' }
  /** Unix seconds. */
  readonly thisUpdate: number
  readonly nextUpdate: number | undefined
  /** Unix seconds. An extension of CRL entries, allowed here too: RFC 6960 §4.4.5. */
  readonly invalidityDate: number | undefined
  readonly singleExtensions: readonly Extension[]
}
