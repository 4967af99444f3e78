/** The answer to an upgrade that is refused: there is a socket, and no response. @module */

import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Answer } from '../answer.ts'

/** Writes an HTTP/1.1 response (RFC 9112 §2.1) and closes the socket. */
export function refuseUpgrade(socket: Duplex, { status, headers, body }: Answer): void {
  const octets = new TextEncoder().encode(body)
  const fields = { ...headers, connection: 'close', 'content-length': String(octets.length) }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  // Whoever is refused may be gone already, and nobody else listens.
  socket.on('error', () => socket.destroy())
  socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n`)
  socket.end(octets)
}
