/**
 * Whether a request is for the host that its connection was made for. Over HTTP/2 a client may send requests for any host that the
 * server's certificate covers (RFC 9113 §9.1.1), and a server whose hosts differ in what they ask of clients answers 421.
 *
 * @module
 */

import type { HttpRequest } from './request.ts'

/** Whether the request names another host than the connection's handshake did. Nothing can be told where that named none. */
export function isMisdirected(request: HttpRequest): boolean {
  const { authority, target, connection } = request
  const serverName = connection?.tls?.serverName
  if (serverName === undefined) return false
  if (authority === undefined || hostOf(authority) !== serverName.toLowerCase()) return true
  if (namesAnother(request.rawHeaders, serverName.toLowerCase())) return true
  // The absolute form names a host of its own, which counts in place of `Host`: RFC 9112 §3.2.2.
  if (target.startsWith('/')) return false
  const named = /^[a-z][a-z\d+.-]*:\/\/(?:[^/?#]*@)?([^/?#]*)/i.exec(target)?.[1]
  return named !== undefined && hostOf(named) !== serverName.toLowerCase()
}

/** Whether a `Host` is another, for an application to take: a second one, RFC 9112 §3.2, or one beside `:authority`, RFC 9113 §8.3.1. */
function namesAnother(rawHeaders: readonly string[], host: string): boolean {
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue
    if (hostOf(rawHeaders[i + 1] as string) !== host) return true
  }
  return false
}

/** Without port and without the root's dot, in lower case; an IPv6 address keeps its brackets, which no server name has. */
function hostOf(authority: string): string {
  const colon = authority.startsWith('[') ? -1 : authority.indexOf(':')
  const host = (colon === -1 ? authority : authority.slice(0, colon)).toLowerCase()
  return host.endsWith('.') ? host.slice(0, -1) : host
}
