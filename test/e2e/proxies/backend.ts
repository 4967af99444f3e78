/** The application's place behind a proxy: says which header lines it saw, one after the other. @module */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Seen {
  readonly method: string
  readonly url: string
  /** Names and values in turns, as they came. */
  readonly rawHeaders: readonly string[]
  /** Which of the backend's connections this was, from 1 on. */
  readonly connection: number
}

export interface Backend {
  readonly port: number
  stop(): Promise<void>
}

export async function startBackend(): Promise<Backend> {
  let connections = 0
  const numbers = new WeakMap<object, number>()
  // A certificate with a chain goes past Node's own limit of 16 KiB.
  const server = createServer({ maxHeaderSize: 128 * 1024 }, (request, response) => {
    const seen: Seen = {
      method: request.method ?? '',
      url: request.url ?? '',
      rawHeaders: request.rawHeaders,
      connection: numbers.get(request.socket) ?? 0,
    }
    request.resume().on('end', () => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(seen))
    })
  })
  server.on('connection', (socket) => numbers.set(socket, ++connections))
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((stopped) => {
        server.close(() => stopped())
        server.closeAllConnections()
      }),
  }
}
