/** Closes a connection in stages, so that a client that is still sending sees the answer it got meanwhile: RFC 9112 §9.6. @module */

import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { NodeRequest } from './request.ts'

/**
 * To be called before a refused request is answered. If the server closes the connection after the answer, it does so when the rest
 * of the body was read, or after a while. Otherwise the system resets the connection, and many clients lose the answer to that.
 */
export function closeAfterBody(request: NodeRequest): void {
  // HTTP/2 ends streams, not connections.
  if (request.httpVersionMajor !== 1) return
  const incoming = request as IncomingMessage
  const { socket } = incoming
  const isKnown = refusedOn.has(socket)
  refusedOn.set(socket, incoming)
  if (isKnown || typeof socket.destroySoon !== 'function') return
  const close = socket.destroySoon.bind(socket)
  // What Node calls after an answer with `Connection: close`.
  socket.destroySoon = () => {
    const last = refusedOn.get(socket)
    if (last === undefined || last.complete || last.destroyed) {
      close()
      return
    }
    const timer = setTimeout(close, longest)
    timer.unref()
    socket.once('close', () => clearTimeout(timer))
    last.once('end', close)
  }
}

/** The last one that was refused. */
const refusedOn = new WeakMap<Socket, IncomingMessage>()

/** Local limit, in milliseconds: time for a large body over a slow line; servers usually wait that long. */
const longest = 30_000
