/** What the demo's proxy stands before: it says who is asking, as the gateway tells it. @module */

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** @param wanted - The port of the last start, so that nothing has to be deployed again; another one where it is taken. */
export async function startDemoUpstream(
  wanted: number,
): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createServer((request, response) => {
    const subject = request.headers['x-client-subject'] ?? 'nobody in particular'
    response.setHeader('content-type', 'text/plain; charset=utf-8')
    response.end(`Hello ${subject}\n`)
  })
  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject)
        resolve()
      })
    })
  await listen(wanted).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error
    return listen(0)
  })
  return { port: (server.address() as AddressInfo).port, server }
}
