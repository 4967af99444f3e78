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
  if (authority === undefined || !isFor(authority, serverName)) return true
  if (!request.isHttp1 && namesAnother(request.rawHeaders, serverName)) return true
  // The absolute form names a host of its own, which counts in place of `Host`: RFC 9112 §3.2.2.
  if (target.startsWith('/')) return false
  const named = /^[a-z][a-z\d+.-]*:\/\/(?:[^/?#]*@)?([^/?#]*)/i.exec(target)?.[1]
  return named !== undefined && !isFor(named, serverName)
}

/** Whether there is a `Host` beside `:authority`, for an application to take for it, that is another: RFC 9113 §8.3.1. */
function namesAnother(rawHeaders: readonly string[], serverName: string): boolean {
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue
    if (!isFor(rawHeaders[i + 1] as string, serverName)) return true
  }
  return false
}

function isFor(authority: string, serverName: string): boolean {
  // Most are written alike; nothing is allocated for those.
  const { length } = serverName
  if (authority.startsWith(serverName)) {
    if (authority.length === length || isPort(authority, length)) return true
  }
  return hostOf(authority) === serverName.toLowerCase()
}

/**
 * Without port and without the root's dot, in lower case; an IPv6 address keeps its brackets, which no server name has. Whole, where
 * no port follows: URL takes what comes before an `@` for a user and reads another host.
 */
function hostOf(authority: string): string {
  const end = authority.startsWith('[') ? -1 : authority.indexOf(':')
  if (end !== -1 && !isPort(authority, end)) return authority
  const host = (end === -1 ? authority : authority.slice(0, end)).toLowerCase()
  return host.endsWith('.') ? host.slice(0, -1) : host
}

/** RFC 3986 §3.2.3: a colon and digits, or none, up to the end. */
function isPort(authority: string, start: number): boolean {
  if (authority.charCodeAt(start) !== 0x3a) return false
  for (let i = start + 1; i < authority.length; i++) {
    const unit = authority.charCodeAt(i)
    if (unit < 0x30 || unit > 0x39) return false
  }
  return true
}
