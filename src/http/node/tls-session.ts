/** OpenSSL's own encoding of a TLS session (`i2d_SSL_SESSION`), as Node shows it. @module */

import type { TLSSocket } from 'node:tls'

/**
 * Reads the session of a connection, and blanks it: keys are in it.
 *
 * @returns `undefined` as well for a socket that is closed: it has no session, and Node says so with `null`.
 */
export function readSession<T>(
  socket: TLSSocket,
  read: (session: Uint8Array) => T | undefined,
): T | undefined {
  const session = socket.getSession() as Buffer | null | undefined
  const found = session ? read(session) : undefined
  session?.fill(0)
  return found
}

/**
 * Looks through the elements of the SEQUENCE that a session is.
 *
 * @param find - Told of each tag and content, in their order, until it returns something.
 * @returns `undefined`: nothing was found, or this is no such encoding.
 */
export function findInSession<T>(
  session: Uint8Array,
  find: (tag: number, content: Uint8Array) => T | undefined,
): T | undefined {
  const outer = elementAt(session, 0)
  if (outer?.tag !== 0x30) return undefined
  for (let at = outer.from; at < outer.end; ) {
    const element = elementAt(session, at)
    if (element === undefined) return undefined
    const found = find(element.tag, session.subarray(element.from, element.end))
    if (found !== undefined) return found
    at = element.end
  }
  return undefined
}

/** Tag, and where the content begins and ends. */
function elementAt(
  octets: Uint8Array,
  at: number,
): { readonly tag: number; readonly from: number; readonly end: number } | undefined {
  const tag = octets[at]
  const first = octets[at + 1]
  if (tag === undefined || first === undefined) return undefined
  let from = at + 2
  let length = first
  if (first >= 0x80) {
    length = 0
    for (let count = first & 0x7f; count > 0; count--) length = length * 256 + (octets[from++] ?? 0)
  }
  const end = from + length
  return end <= octets.length ? { tag, from, end } : undefined
}
