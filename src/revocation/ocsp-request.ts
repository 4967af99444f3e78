/** What to ask an OCSP responder about one certificate: RFC 6960 §4.1 and RFC 9654 §2.1. @module */

import type { DigestName, Steps } from '../effect/effect.ts'
import type { Certificate } from '../x509/certificate.ts'
import { writeOcspRequest } from '../x509/write-ocsp.ts'
import { hashIssuer } from './known-issuers.ts'
import type { StatusIssuer } from './status.ts'

export interface OcspRequestOptions {
  /** Default: SHA-1, which every responder knows (RFC 5019 §2.1.1); it names an issuer here, and no one's trust rests on it. */
  readonly hash?: DigestName | undefined
  /** 1 to 128 octets that nobody can foretell; a response that was made in advance cannot hold them. Default: none. */
  readonly nonce?: Uint8Array | undefined
}

/**
 * Builds the DER of a request.
 *
 * @throws RangeError with code `ocsp-nonce-length` for a nonce of another length than 1 to 128 octets.
 */
export function* buildOcspRequest(
  certificate: Certificate,
  issuer: StatusIssuer,
  { hash = 'SHA-1', nonce }: OcspRequestOptions = {},
): Steps<Uint8Array> {
  if (nonce !== undefined && (nonce.length < 1 || nonce.length > 128)) {
    throw Object.assign(new RangeError('a nonce has 1 to 128 octets'), {
      code: 'ocsp-nonce-length',
    })
  }
  const { issuer: name, serialNumber } = certificate.tbsCertificate
  // The name as the certificate writes it: RFC 6960 §4.1.1.
  const hashes = yield* hashIssuer(hash, name, issuer.subjectPublicKeyInfo)
  return writeOcspRequest({ hash, ...hashes, serialNumber, nonce })
}
