/** Requests as adapters hand them over, and the ways in which proxies write certificates. @module */
import type { Connection, HttpRequest } from '../../src/http/request.ts'
import type { Found } from '../../src/http/source.ts'
import { type IssuedCertificate, issueCa, toPem } from '../../src/testing/index.ts'

export const proxyAddress = '10.0.0.7'
export const trust = { addresses: ['10.0.0.0/8'] }

type Headers = readonly (readonly [string, string])[] | Readonly<Record<string, string>>

export function connectionFrom(
  remoteAddress: string | undefined,
  certificates?: readonly Uint8Array[],
): Connection {
  return {
    remoteAddress,
    tls: certificates && {
      serverName: 'app.example',
      isResumed: false,
      certificates: () => certificates,
    },
  }
}

/** A request on a connection of the proxy, unless another is given. */
export function requestWith(
  headers: Headers,
  connection: Connection | undefined = connectionFrom(proxyAddress),
): HttpRequest {
  const pairs = Array.isArray(headers) ? headers : Object.entries(headers)
  return {
    method: 'GET',
    target: '/',
    authority: 'app.example',
    isHttp1: true,
    rawHeaders: ['Host', 'app.example', ...pairs.flat(), 'Accept', '*/*'],
    connection,
    platform: undefined,
  }
}

export function requestWithoutConnection(headers: Headers): HttpRequest {
  return { ...requestWith(headers), connection: undefined }
}

/** The outcome in one word: a kind, the code of a failure, or the octets in hexadecimal. */
export function outcomeOf(found: Found): unknown {
  if (found.kind === 'unbelievable') return found.failure.code
  if (found.kind !== 'presented') return found.kind
  const read = found.read()
  return read.ok ? read.value.map(hex) : read.failure.code
}

export function failureOf(found: Found): unknown {
  if (found.kind === 'unbelievable') return found.failure
  if (found.kind !== 'presented') return undefined
  const read = found.read()
  return read.ok ? undefined : read.failure
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
export const joined = (parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts)

export const pemOf = (der: Uint8Array): string => toPem(der, 'CERTIFICATE')

/** As nginx writes it. */
export const percentPem = (...ders: readonly Uint8Array[]): string =>
  encodeURIComponent(ders.map(pemOf).join(''))
/** As AWS writes it: `+ / =` are left alone. */
export const awsPem = (...ders: readonly Uint8Array[]): string =>
  percentPem(...ders).replace(/%2B|%2F|%3D/g, decodeURIComponent)
/** As Apache httpd writes it, without the last space, which HTTP takes away. */
export const spacedPem = (der: Uint8Array): string => pemOf(der).replaceAll('\n', ' ').trim()
export const sfBinary = (der: Uint8Array): string => `:${base64(der)}:`
export const sfList = (...ders: readonly Uint8Array[]): string => ders.map(sfBinary).join(', ')

export interface Chain {
  readonly root: Uint8Array
  readonly issuing: Uint8Array
  readonly other: Uint8Array
  readonly leaf: Uint8Array
  readonly certificate: IssuedCertificate
}

export async function issueChain(): Promise<Chain> {
  const root = await issueCa('Root CA')
  const issuing = await root.issueCa('Issuing CA')
  const certificate = await issuing.issue('client-a')
  const other = await issuing.issue('client-b')
  return {
    root: root.der,
    issuing: issuing.der,
    other: other.der,
    leaf: certificate.der,
    certificate,
  }
}
