/**
 * Whether a request comes from a proxy that may speak for clients, decided before any of its headers counts.
 *
 * @module
 */

import { fromHex, toHex } from '../base/hex.ts'
import { misuse } from '../client/misuse.ts'
import { parseCertificate } from '../x509/parse-certificate.ts'
import { type AddressRange, holds, parsePeer, parseRange } from './address-range.ts'
import type { ForwardingFailure } from './failure.ts'
import { sha256 } from './headers/sha256.ts'
import { type HeaderLines, WantedHeaders } from './lines.ts'
import type { Connection, HttpRequest } from './request.ts'
import { type Absent, absent, type Unbelievable, unbelievable } from './source.ts'
import type { ProxyTrust } from './trust.ts'

type Distrust = Extract<ForwardingFailure, { code: 'proxy-not-trusted' }>['because']

/** Headers of one source, read from trusted proxies only. */
export interface TrustedHeaders {
  /** Lower case, the secret's last: what is to be taken away before the request goes on. */
  readonly names: readonly string[]
  /**
   * Lines of the headers, if the proxy may write them and no twin of them came.
   *
   * From another address, or over a connection without the proxy's key, a request that has none of these headers is nobody's word:
   * `absent`, so that a source after this one may look at the connection itself. A missing secret is never that: without it a
   * client that made the proxy drop headers (`Connection: …`) would look like one that came directly.
   */
  read(request: HttpRequest): HeaderLines | Absent | Unbelievable
}

/** There is none, and a trusted proxy is who says so: whatever its connection shows besides is the proxy's own. */
export const absentByProxy: Absent = { kind: 'absent' }

/**
 * Compiles a rule; whatever is wrong with it throws a `TypeError` with a code.
 *
 * @param headers - Names that the source reads; their positions are those of the lines.
 */
export function trustedHeaders(
  trust: ProxyTrust | undefined,
  headers: readonly string[],
): TrustedHeaders {
  const ofConnection = connectionRule(trust)
  const secret = trust?.secret
  const names = secret === undefined ? headers : [...headers, secret.header]
  checkNames(names)
  const wanted = new WantedHeaders(names)
  return {
    names: wanted.names,
    read: (request) => {
      const lines = wanted.find(request.rawHeaders)
      const because = ofConnection(request.connection)
      if (because !== undefined) {
        return lines.isEmpty ? absent : unbelievable({ code: 'proxy-not-trusted', because })
      }
      // A second line, or a twin, may be among those that were dropped: the proxy's own, behind a thousand of the client's.
      const { maxHeaderLines } = request
      if (maxHeaderLines !== undefined && request.rawHeaders.length >= 2 * maxHeaderLines) {
        return unbelievable({ code: 'headers-too-many', maximum: maxHeaderLines })
      }
      if (secret !== undefined) {
        const value = lines.values[headers.length]
        const isOne = lines.repeated === undefined || !lines.repeated.has(headers.length)
        if (value === undefined || !isOne || !isSecret(value, secret.value)) {
          return unbelievable({ code: 'proxy-not-trusted', because: 'secret' })
        }
      }
      if (lines.twin === undefined) return lines
      const { index, name } = lines.twin
      return unbelievable({
        code: 'header-twin',
        header: wanted.names[index] as string,
        twin: name,
      })
    },
  }
}

/** What cannot change on a connection, found out once for each. */
function connectionRule(
  trust: ProxyTrust | undefined,
): (connection: Connection | undefined) => Distrust | undefined {
  if (typeof trust !== 'object' || trust === null) {
    throw misuse('option-missing', 'trust must say who may write the header', { option: 'trust' })
  }
  for (const field of Object.keys(trust)) {
    if (!fields.includes(field)) {
      throw misuse('option-unknown', `trust has no field ${field}`, { option: `trust.${field}` })
    }
  }
  const { addresses, proxyKeys, secret } = trust
  const ranges = addresses && listOf('addresses', addresses).map(rangeOf)
  const keys = proxyKeys && new Set(listOf('proxyKeys', proxyKeys).map(parseKey))
  if (secret !== undefined) checkSecret(secret)
  if (ranges === undefined && keys === undefined && secret === undefined) return () => 'no-rule'
  if (ranges?.length === 0 || keys?.size === 0) return () => 'no-rule'
  if (ranges === undefined && keys === undefined) return () => undefined

  const judge = (connection: Connection): Distrust | undefined => {
    if (ranges !== undefined) {
      const address = parsePeer(connection.remoteAddress)
      if (address === undefined || !ranges.some((range) => holds(range, address))) return 'address'
    }
    return keys === undefined || hasKey(connection, keys) ? undefined : 'certificate'
  }
  const known = new WeakMap<Connection, { readonly because: Distrust | undefined }>()
  return (connection) => {
    if (connection === undefined) return ranges === undefined ? 'certificate' : 'address'
    const before = known.get(connection)
    if (before !== undefined) return before.because
    const because = judge(connection)
    // A closed socket has lost its address: that says nothing of the connection.
    if (because !== 'address' || connection.remoteAddress !== undefined) {
      known.set(connection, { because })
    }
    return because
  }
}

function rangeOf(text: string): AddressRange {
  const range = parseRange(text)
  if (typeof range === 'string') throw invalid('addresses', range)
  return range
}

/**
 * Whether the proxy showed a pinned key on this very connection. No path is validated, nor dates: the TLS handshake proved that the
 * peer holds the private key, and the rule names that key and no CA.
 */
function hasKey(connection: Connection, keys: ReadonlySet<string>): boolean {
  const der = connection.tls?.certificates()[0]
  if (der === undefined) return false
  const parsed = parseCertificate(der)
  return parsed.ok && keys.has(toHex(sha256(parsed.value.tbsCertificate.subjectPublicKeyInfo.der)))
}

function parseKey(text: string): string {
  const octets = fromHex(text)
  if (octets?.length !== 32) throw invalid('proxyKeys', `${text} is no SHA-256 in hexadecimal`)
  return toHex(octets)
}

/** In a time that depends on the length of the secret alone. */
function isSecret(value: string, secret: string): boolean {
  let difference = value.length ^ secret.length
  for (let i = 0; i < secret.length; i++) {
    // Past the end of `value` this is NaN, which counts as 0.
    difference |= value.charCodeAt(i) ^ secret.charCodeAt(i)
  }
  return difference === 0
}

function checkSecret(secret: { readonly header: string; readonly value: string }): void {
  if (typeof secret?.header !== 'string' || typeof secret.value !== 'string') {
    throw invalid('secret', 'secret needs a header and a value')
  }
  // The value itself stays out of the message, which may be logged.
  if (!/^[!-~](?:[ -~]*[!-~])?$/.test(secret.value)) {
    throw invalid('secret', 'the secret must be printable ASCII without spaces at its ends')
  }
  if (secret.value.length < minimumSecret) {
    throw invalid('secret', `the secret must have at least ${minimumSecret} characters`)
  }
}

function checkNames(names: readonly string[]): void {
  const seen = new Set<string>()
  for (const name of names) {
    if (typeof name !== 'string' || !/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) {
      throw misuse('option-invalid', `${name} is no name of a header`, { option: 'header' })
    }
    const folded = name.toLowerCase().replaceAll('_', '-')
    if (seen.has(folded)) {
      throw misuse('options-conflict', `the header ${name} is named twice`, { option: 'header' })
    }
    seen.add(folded)
  }
}

function listOf(field: string, value: readonly string[]): readonly string[] {
  if (!Array.isArray(value) || value.some((one) => typeof one !== 'string')) {
    throw invalid(field, `${field} must be a list of texts`)
  }
  return value
}

function invalid(field: string, message: string): TypeError {
  return misuse('option-invalid', `trust: ${message}`, { option: `trust.${field}` })
}

const fields: readonly string[] = ['addresses', 'proxyKeys', 'secret']

/** Local limit: 16 random letters or digits are about 95 bits. */
const minimumSecret = 16
