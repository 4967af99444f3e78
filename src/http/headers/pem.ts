/**
 * PEM as it fits into a header line: percent-encoded, in base64, or with its newlines turned into spaces. Unlike a file it holds the
 * blocks and nothing around them: RFC 7468 §3.
 *
 * @module
 */

import { decodeBase64 } from '../../base/base64.ts'
import { asciiText } from '../../base/bytes.ts'
import { success } from '../../base/result.ts'
import { decodeExactBase64, isOneSequence } from './der.ts'
import { malformed, maxCertificates, type ReadCertificates, tooMany, unexpected } from './limits.ts'

/** Blocks labelled `CERTIFICATE`, with newlines between and after them. Every label else, and every text else, is refused. */
export function readPemText(text: string): ReadCertificates {
  return readBlocks(text, false) ?? malformed(expectedPem)
}

/**
 * PEM in percent-encoding, RFC 3986 §2.1. `+` is a plus and never a space: `$ssl_client_escaped_cert` of nginx encodes it, AWS leaves it
 * as it is.
 */
export function readPercentEncodedPem(text: string): ReadCertificates {
  const expected = 'percent-encoded PEM of certificates'
  const decoded = decodePercent(text)
  if (decoded === undefined) return unexpected(text, expected)
  return readBlocks(decoded, false) ?? malformed(expected)
}

/** PEM whose newlines became one space each, as Apache httpd's `%{SSL_CLIENT_CERT}s` is. */
export function readSpacedPem(text: string): ReadCertificates {
  return readBlocks(text, true) ?? unexpected(text, 'PEM of certificates, spaces for its newlines')
}

/** A whole PEM text in base64. */
export function readBase64Pem(text: string): ReadCertificates {
  const expected = 'base64 of PEM of certificates'
  const octets = decodeExactBase64(text)
  if (octets === undefined) return unexpected(text, expected)
  return readBlocks(asciiText(octets), false) ?? malformed(expected)
}

/** Decodes `%` and two hexadecimal digits; beside them only what RFC 3986 §2.3 leaves alone, and `+ / =`. */
export function decodePercent(text: string): string | undefined {
  if (!/^[A-Za-z0-9\-._~+/=%]+$/.test(text)) return undefined
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (!(error instanceof URIError)) throw error
    return undefined
  }
}

/** @returns `undefined`: not PEM. */
function readBlocks(text: string, spaced: boolean): ReadCertificates | undefined {
  const certificates: Uint8Array[] = []
  let position = 0
  do {
    if (!text.startsWith(begin, position)) return undefined
    const start = position + begin.length
    const end = text.indexOf(finish, start)
    if (end === -1 || !isBody(text, start, end, spaced)) return undefined
    const der = decodeBase64(text, start, end)
    if (der === undefined || !isOneSequence(der)) return undefined
    if (certificates.push(der) > maxCertificates) return tooMany
    position = end + finish.length
    if (position === text.length) return success(certificates)
    if (!isBreak(text.charCodeAt(position), spaced)) return undefined
    while (isBreak(text.charCodeAt(position), spaced)) position++
  } while (position < text.length)
  return success(certificates)
}

/** Lines, each with a break before it and the last with one behind it; no white space but breaks. */
function isBody(text: string, start: number, end: number, spaced: boolean): boolean {
  if (!isBreak(text.charCodeAt(start), spaced)) return false
  if (!isBreak(text.charCodeAt(end - 1), spaced)) return false
  for (let i = start; i < end; i++) {
    const unit = text.charCodeAt(i)
    // What else is no base64, the decoder refuses.
    if (unit <= 0x20 && !isBreak(unit, spaced)) return false
  }
  return true
}

function isBreak(unit: number, spaced: boolean): boolean {
  return spaced ? unit === 0x20 : unit === 0x0a || unit === 0x0d
}

const begin = '-----BEGIN CERTIFICATE-----'
const finish = '-----END CERTIFICATE-----'
const expectedPem = 'PEM of certificates'
