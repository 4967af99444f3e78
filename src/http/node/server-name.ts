/**
 * The server name that a client gave (RFC 6066 §3), for sessions that TLS 1.2 resumes as well. Of those Node shows none: OpenSSL goes by
 * the name within the session then, and there is none, because Node chooses the certificate later than OpenSSL asks whether the name is
 * known. So it is remembered here by the session's master secret, which is the same whenever it is resumed.
 *
 * RFC 6066 §3 forbids to resume a session under another name than it was begun with. OpenSSL does it, and shows nobody the name that
 * came: a connection is held to the one that its session was begun with.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { Generations } from '../../runtime/generations.ts'
import { findInSession, readSession } from './tls-session.ts'

/** In the client's own case; `undefined`: it named none, or the session was begun where nobody remembered. */
export function serverNameOf(socket: TLSSocket): string | undefined {
  return named(socket) ?? (isOfOldKind(socket) ? nameOfSession(socket) : undefined)
}

/** For the sessions that begin on this connection. */
export function rememberServerName(socket: TLSSocket): void {
  const name = named(socket)
  if (name === undefined || !isOfOldKind(socket)) return
  const key = keyOf(socket)
  if (key !== undefined) names.set(key, name)
}

/** `false` when the client named none. */
function named({ servername }: { servername?: string | false | null }): string | undefined {
  return servername || undefined
}

/** TLS 1.3 has the name of each connection. */
function isOfOldKind(socket: TLSSocket): boolean {
  const protocol = socket.getProtocol()
  return protocol !== null && protocol !== 'TLSv1.3'
}

function nameOfSession(socket: TLSSocket): string | undefined {
  if (!socket.isSessionReused()) return undefined
  const key = keyOf(socket)
  return key === undefined ? undefined : names.get(key)
}

function keyOf(socket: TLSSocket): string | undefined {
  return readSession(socket, keyOfSession)
}

/** The master secret is the third OCTET STRING: cipher, session id, master key. Its digest gives nothing of it away. */
function keyOfSession(session: Uint8Array): string | undefined {
  let strings = 0
  return findInSession(session, (tag, content) => {
    if (tag !== 0x04 || ++strings < 3) return undefined
    return createHash('sha256').update(content).digest('base64')
  })
}

/**
 * Local limit: at least so many of the newest sessions, for the whole process, some 15 MB when full. Node resumes a session for five
 * minutes: it is enough for 160 new connections of TLS 1.2 a second.
 */
const names = new Generations<string>(50_000)
