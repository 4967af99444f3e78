/** Writes an OCSP request as DER: RFC 6960 §4.1. @module */

import { contextConstructed, tagInteger } from '../der/tags.ts'
import {
  writeElement,
  writeNull,
  writeObjectIdentifier,
  writeOctetString,
  writeSequence,
} from '../der/writer.ts'

/** A request about one certificate. */
export interface OcspRequestFields {
  /** By which both hashes were made. */
  readonly hash: 'SHA-1' | 'SHA-256'
  readonly issuerNameHash: Uint8Array
  readonly issuerKeyHash: Uint8Array
  /** Content octets of the INTEGER. */
  readonly serialNumber: Uint8Array
  /** RFC 9654 §2.1 */
  readonly nonce: Uint8Array | undefined
}

/** Unsigned, without a requestor's name; version 1 is the default and not written. */
export function writeOcspRequest({
  hash,
  issuerNameHash,
  issuerKeyHash,
  serialNumber,
  nonce,
}: OcspRequestFields): Uint8Array {
  const certID = writeSequence(
    writeSequence(writeObjectIdentifier(certIdHashes[hash]), writeNull()),
    writeOctetString(issuerNameHash),
    writeOctetString(issuerKeyHash),
    writeElement(tagInteger, serialNumber),
  )
  const requestList = writeSequence(writeSequence(certID))
  if (nonce === undefined) return writeSequence(writeSequence(requestList))
  const extension = writeSequence(
    writeObjectIdentifier('1.3.6.1.5.5.7.48.1.2'),
    writeOctetString(writeOctetString(nonce)),
  )
  const requestExtensions = writeElement(contextConstructed(2), writeSequence(extension))
  return writeSequence(writeSequence(requestList, requestExtensions))
}

/** The hashes by which a CertID names an issuer. */
export const certIdHashes = {
  'SHA-1': '1.3.14.3.2.26',
  'SHA-256': '2.16.840.1.101.3.4.2.1',
} as const
