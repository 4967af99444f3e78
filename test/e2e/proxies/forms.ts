/** How each proxy writes a certificate down, read by the simplest means: what the sources of this package are held against. @module */

import { X509Certificate } from 'node:crypto'
import type { Seen } from './backend.ts'
import { valuesOf } from './client.ts'
import type { ProxyName } from './proxy.ts'

export interface Form {
  readonly proxy: ProxyName
  /** Further arguments of `proxy-snippet`. */
  readonly arguments?: readonly string[]
  /** The header lines when no certificate came; undefined: no such line. */
  readonly absent: Readonly<Record<string, string | undefined>>
  /** DER of the client's own certificate. */
  readonly leaf: (seen: Seen | undefined) => Buffer
  /** DER of what the client sent after it; undefined where the proxy does not pass it on. */
  readonly chain?: (seen: Seen | undefined) => readonly Buffer[]
  /** What the proxy itself says; absent where it says nothing. */
  readonly verdict?: {
    readonly header: string
    readonly good: string
    readonly expired: string
    readonly foreign: RegExp
  }
  /** Whether a request with an expired certificate reaches the application, which can say why it is refused. */
  readonly letsExpiredIn: boolean
  /** Whether a session is resumed, and whether the chain is known then. */
  readonly resumption: 'none' | 'without chain' | 'with chain'
}

export const forms: readonly (readonly [name: string, form: Form])[] = [
  [
    'nginx',
    {
      proxy: 'nginx',
      absent: { 'X-SSL-Client-Cert': undefined, 'X-SSL-Client-Verify': 'NONE' },
      leaf: (seen) => pemOf(decodeURIComponent(only(seen, 'X-SSL-Client-Cert'))),
      verdict: {
        header: 'X-SSL-Client-Verify',
        good: 'SUCCESS',
        expired: 'FAILED:certificate has expired',
        foreign: /^FAILED:unable to verify the first certificate$/,
      },
      letsExpiredIn: true,
      resumption: 'without chain',
    },
  ],
  [
    'haproxy',
    {
      proxy: 'haproxy',
      absent: {
        'X-SSL-Client-Cert': '',
        'X-SSL-Client-Chain': '',
        'X-SSL-Client-Verify': '0',
        'X-SSL-Client-Used': '0',
      },
      leaf: (seen) => base64(only(seen, 'X-SSL-Client-Cert')),
      chain: (seen) => elements(base64(only(seen, 'X-SSL-Client-Chain'))),
      // Numbers of OpenSSL: certificate expired, unable to verify the first certificate.
      verdict: { header: 'X-SSL-Client-Verify', good: '0', expired: '10', foreign: /^2[01]$/ },
      letsExpiredIn: true,
      resumption: 'without chain',
    },
  ],
  [
    'apache',
    {
      proxy: 'apache',
      absent: {
        'X-SSL-Client-Cert': '(null)',
        'X-SSL-Client-Verify': 'NONE',
        'X-SSL-Client-Chain-0': '(null)',
        'X-SSL-Client-Chain-1': '(null)',
        'X-SSL-Client-Chain-2': '(null)',
        'X-SSL-Client-Chain-3': '(null)',
      },
      leaf: (seen) => spacedPem(only(seen, 'X-SSL-Client-Cert')),
      chain: (seen) =>
        [0, 1, 2, 3]
          .map((at) => only(seen, `X-SSL-Client-Chain-${at}`))
          .filter((value) => value !== '(null)')
          .map(spacedPem),
      verdict: {
        header: 'X-SSL-Client-Verify',
        good: 'SUCCESS',
        expired: '',
        foreign: /^(FAILED:unable to verify the first certificate|GENEROUS)$/,
      },
      letsExpiredIn: false,
      resumption: 'none',
    },
  ],
  [
    'caddy',
    {
      proxy: 'caddy',
      absent: { 'X-Client-Cert': '' },
      leaf: (seen) => base64(only(seen, 'X-Client-Cert')),
      letsExpiredIn: true,
      resumption: 'without chain',
    },
  ],
  [
    'envoy, JSON',
    {
      proxy: 'envoy',
      absent: { 'x-forwarded-client-cert': undefined },
      leaf: (seen) => pemOf(xfccJson(seen).cert),
      chain: (seen) => xfccJson(seen).chain.slice(1).map(pemOf),
      letsExpiredIn: true,
      resumption: 'with chain',
    },
  ],
  [
    'envoy, text',
    {
      proxy: 'envoy',
      arguments: ['--form', 'text'],
      absent: { 'x-forwarded-client-cert': undefined },
      leaf: (seen) => pemOf(xfccText(seen, 'Cert')),
      chain: (seen) => xfccText(seen, 'Chain').match(pemBlock)?.slice(1).map(pemOf) ?? [],
      letsExpiredIn: true,
      resumption: 'with chain',
    },
  ],
]

/** @throws Error unless there is exactly one line. */
function only(seen: Seen | undefined, name: string): string {
  const values = valuesOf(seen, name)
  const [value] = values
  if (value === undefined || values.length > 1) throw new Error(`${name}: ${values.length} lines`)
  return value
}

/** DER of a text that is one PEM block and nothing else. */
function pemOf(text: string): Buffer {
  const shape =
    /^-----BEGIN CERTIFICATE-----\n(?:[A-Za-z0-9+/=]{1,64}\n)+-----END CERTIFICATE-----\n?$/
  if (!shape.test(text)) throw new Error(`not one PEM block: ${text}`)
  return new X509Certificate(text).raw
}

/** httpd writes a space for each line's end. */
function spacedPem(text: string): Buffer {
  const shape = /^-----BEGIN CERTIFICATE----- (?:[A-Za-z0-9+/=]{1,64} )+-----END CERTIFICATE-----$/
  if (!shape.test(text)) throw new Error(`not PEM with spaces: ${text}`)
  const body = text.replaceAll(/-----(BEGIN|END) CERTIFICATE-----/g, '')
  return base64(body.replaceAll(' ', ''))
}

function base64(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') !== text) throw new Error(`not base64: ${text}`)
  return bytes
}

/** DER elements that stand one after the other, each with a length of two octets. */
function elements(bytes: Buffer): readonly Buffer[] {
  const found: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    if (bytes.readUInt16BE(at) !== 0x3082) throw new Error(`no certificate at octet ${at}`)
    const end = at + 4 + bytes.readUInt16BE(at + 2)
    found.push(bytes.subarray(at, end))
    at = end
  }
  return found
}

interface XfccElement {
  readonly hash: string
  readonly cert: string
  readonly chain: readonly string[]
}

function xfccJson(seen: Seen | undefined): XfccElement {
  const value: readonly XfccElement[] = JSON.parse(only(seen, 'x-forwarded-client-cert'))
  const [element] = value
  if (element === undefined || value.length > 1) throw new Error(`${value.length} elements`)
  if (element.hash.length !== 64) throw new Error(`hash: ${element.hash}`)
  return element
}

function xfccText(seen: Seen | undefined, key: 'Cert' | 'Chain'): string {
  const value = only(seen, 'x-forwarded-client-cert')
  const shape = /^Hash=[0-9a-f]{64};Cert="([A-Za-z0-9%._~-]+)";Chain="([A-Za-z0-9%._~-]+)"$/
  const match = shape.exec(value)
  if (match === null) throw new Error(`another form: ${value}`)
  return decodeURIComponent(match[key === 'Cert' ? 1 : 2] ?? '')
}

const pemBlock = /-----BEGIN CERTIFICATE-----\n[^-]+-----END CERTIFICATE-----\n/g
