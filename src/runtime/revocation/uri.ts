/** Which URIs are fetched at all, before any name is looked up. @module */

import { failed, type Result, success } from '../../base/result.ts'

export type UriFailure =
  /** No URI, longer than 2,048 characters, or with characters that none has. */
  | { readonly code: 'uri-invalid' }
  | { readonly code: 'uri-scheme'; readonly scheme: string }
  | { readonly code: 'uri-credentials' }
  /** A port of another protocol, which could take a request for its own commands. */
  | { readonly code: 'uri-port'; readonly port: number }

/**
 * Reads an `http:` or `https:` URI without user, password and fragment. An address in an odd form (decimal, octal, hexadecimal, short)
 * comes out in its usual one, so that what is judged is what is connected to.
 */
export function readUri(text: string): Result<URL, UriFailure> {
  if (text.length > maxLength || !/^[\x21-\x7e]+$/.test(text) || !URL.canParse(text)) {
    return failed({ code: 'uri-invalid' })
  }
  const url = new URL(text)
  const { protocol, username, password, port } = url
  if (protocol !== 'http:' && protocol !== 'https:') {
    return failed({ code: 'uri-scheme', scheme: protocol.slice(0, -1) })
  }
  if (username !== '' || password !== '') return failed({ code: 'uri-credentials' })
  if (port !== '' && foreignPorts.has(Number(port))) {
    return failed({ code: 'uri-port', port: Number(port) })
  }
  url.hash = ''
  return success(url)
}

/** Local limit: what proxies and servers are known to take; URIs of CAs have a tenth of that. */
const maxLength = 2048

/** The bad ports of the Fetch standard, section 2.9. */
const foreignPorts: ReadonlySet<number> = /* @__PURE__ */ new Set([
  0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102,
  103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465,
  512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993,
  995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668,
  6669, 6679, 6697, 10080,
])
