/** Writing PEM: RFC 7468 §3. @module */

import { encodeBase64 } from '../base/base64.ts'

/**
 * Armours DER: base64 in lines of 64 characters, a newline at the end.
 *
 * @param label - `CERTIFICATE`, `PRIVATE KEY`, `X509 CRL` …
 * @example
 * const pem = toPem(der, 'CERTIFICATE')
 * console.log(pem.split('\n')[0]) // -----BEGIN CERTIFICATE-----
 */
export function toPem(der: Uint8Array, label: string): string {
  const lines = encodeBase64(der).match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.map((line) => `${line}\n`).join('')}-----END ${label}-----\n`
}
