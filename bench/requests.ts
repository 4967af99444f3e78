/** Requests as a server hands them to a guard: 12 header lines, and a connection that was seen before or not. @module */

import type { Connection, HttpRequest } from '../src/http/request.ts'
import { toPem } from '../src/testing/index.ts'

export const host = 'api.example'

/** Of a proxy, whose addresses are trusted in the rows about headers. */
export const proxyAddress = '10.0.0.7'
export const trust = { addresses: ['10.0.0.0/8', 'fd00::/8'] }

/** What a browser sends, more or less. */
export const usualLines: readonly string[] = [
  ...['Host', host],
  ...['Connection', 'keep-alive'],
  ...['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'],
  ...['Accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
  ...['Accept-Language', 'en-US,en;q=0.5'],
  ...['Accept-Encoding', 'gzip, deflate, br, zstd'],
  ...['Cookie', 'session=2f1c9be0a7d94c1c8f6d3b5e7a902c44; theme=light'],
  ...['Upgrade-Insecure-Requests', '1'],
  ...['Sec-Fetch-Dest', 'document'],
  ...['Sec-Fetch-Mode', 'navigate'],
  ...['X-Forwarded-For', '203.0.113.7'],
  ...['X-Request-Id', '0198f3f2-5c7e-7cc2-9b0d-3f6a0c9d2e11'],
]

/** @param certificates - What the client presented in the handshake; absent: the connection is not encrypted. */
export function connectionWith(
  remoteAddress: string,
  certificates?: readonly Uint8Array[],
): Connection {
  const tls = certificates && {
    serverName: host,
    isResumed: false,
    certificates: () => certificates,
  }
  return { remoteAddress, tls }
}

/**
 * A request whose lines are texts of its own, as those from a parser are: a text that was looked up before is found faster.
 *
 * @param more - Names and values in turns. They take the place of the last of the usual lines.
 */
export function requestOn(connection: Connection, more: readonly string[] = []): HttpRequest {
  const lines = [...usualLines.slice(0, usualLines.length - more.length), ...more]
  return {
    method: 'GET',
    target: '/accounts/42?expand=owner',
    authority: host,
    isHttp1: true,
    rawHeaders: lines.map(copyOf),
    maxHeaderLines: 1000,
    connection,
    platform: undefined,
  }
}

/** As `$ssl_client_escaped_cert` of nginx. */
export function percentPem(der: Uint8Array): string {
  return encodeURIComponent(toPem(der, 'CERTIFICATE'))
}

/** The two lines that nginx sets. */
export function nginxLines(der: Uint8Array): readonly string[] {
  return ['X-SSL-Client-Cert', percentPem(der), 'X-SSL-Client-Verify', 'SUCCESS']
}

/** RFC 9440 §2.2. */
export function rfc9440Lines(der: Uint8Array): readonly string[] {
  return ['Client-Cert', `:${Buffer.from(der).toString('base64')}:`]
}

function copyOf(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}
