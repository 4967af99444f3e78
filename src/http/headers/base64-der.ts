/** Certificates in base64 without PEM's lines: one, several one after the other, or Traefik's list. @module */

import { success } from '../../base/result.ts'
import { decodeExactBase64, endOfSequence, isOneSequence } from './der.ts'
import { malformed, maxCertificates, type ReadCertificates, tooMany, unexpected } from './limits.ts'
import { decodePercent } from './pem.ts'

/** Base64 of the DER of one certificate. */
export function readBase64Der(text: string): ReadCertificates {
  const expected = 'base64 of the DER of one certificate'
  const octets = decodeExactBase64(text)
  if (octets === undefined) return unexpected(text, expected)
  return isOneSequence(octets) ? success([octets]) : malformed(expected)
}

/** Base64 of several DER one after the other, as HAProxy's `ssl_c_chain_der,base64` is; each ends where its own length says. */
export function readConcatenatedDer(text: string): ReadCertificates {
  const expected = 'base64 of DER of certificates, one after the other'
  const octets = decodeExactBase64(text)
  if (octets === undefined) return unexpected(text, expected)
  const certificates: Uint8Array[] = []
  for (let start = 0; start < octets.length; ) {
    const end = endOfSequence(octets, start)
    if (end === undefined) return malformed(expected)
    if (certificates.push(octets.subarray(start, end)) > maxCertificates) return tooMany
    start = end
  }
  return success(certificates)
}

/**
 * Traefik's `X-Forwarded-Tls-Client-Cert`: base64 DER joined by `,`, the leaf first. Traefik 2.8.0 to 2.9.1 escaped it as a URL query
 * besides. A comma with a space is not Traefik's: a server on the way has joined lines.
 */
export function readTraefikList(text: string): ReadCertificates {
  const expected = 'base64 of DER of certificates, joined by commas'
  const plain = text.includes('%') ? decodeEscapedList(text) : text
  if (plain === undefined) return malformed(expected)
  const certificates: Uint8Array[] = []
  for (let start = 0; start <= plain.length; ) {
    const comma = plain.indexOf(',', start)
    const end = comma === -1 ? plain.length : comma
    const der = decodeExactBase64(plain, start, end)
    if (der === undefined || !isOneSequence(der)) {
      const isJoined = /,[ \t]/.test(plain)
      return isJoined
        ? { ok: false, failure: { problem: 'repeated', expected } }
        : malformed(expected)
    }
    if (certificates.push(der) > maxCertificates) return tooMany
    start = end + 1
  }
  return success(certificates)
}

/** Go's `url.QueryEscape` leaves neither `+ / =` nor a comma: where one is left, the value was put together by somebody else. */
function decodeEscapedList(text: string): string | undefined {
  return /[+/=,]/.test(text) ? undefined : decodePercent(text)
}
