/** A connection that is to be upgraded has left the server: there is a socket, and no response. @module */

import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Answer } from '../answer.ts'

/**
 * Bears with a client that goes away while it is decided about: an error that nobody listens to would end the process.
 *
 * @returns Leaves the socket to whoever comes next.
 */
export function holdSocket(socket: Duplex): () => void {
  const fail = (): void => {
    socket.destroy()
  }
  socket.on('error', fail)
  return () => socket.off('error', fail)
}

/** Writes an HTTP/1.1 response (RFC 9112 §2.1) and closes the socket, even if the client keeps its end open. */
export function refuseUpgrade(socket: Duplex, { status, headers, body }: Answer): void {
  const octets = new TextEncoder().encode(body)
  const fields = { ...headers, connection: 'close', 'content-length': String(octets.length) }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  const timer = setTimeout(() => socket.destroy(), longest)
  timer.unref()
  socket.once('close', () => clearTimeout(timer))
  // Read on to the client's own end, and do not keep what it says.
  socket.once('end', () => socket.destroy())
  socket.resume()
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n`
  // Values are Latin-1: RFC 9110 §5.5.
  socket.write(head, 'latin1')
  socket.end(octets)
}

/** Local limit, in milliseconds: a round trip over any line, and no more. */
const longest = 2000
