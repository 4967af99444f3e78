/** `/metrics`, `/health` and `/ready` of a gateway, on an address that no client reaches. @module */

import { createServer, type Server } from 'node:http'
import type { RunningGateway } from './run-gateway.ts'

/**
 * `/health` says that the process answers; `/ready` that something of every API proxy was in force since the start, and that the gateway is
 * not about to end. What cannot be put in force later is a problem of its proxy: it takes no gateway away from the others.
 */
export async function startMetrics(
  { gateway, subscription, registry, isDraining }: RunningGateway,
  host: string,
  port: number,
): Promise<Server> {
  let isReady = false
  void subscription.ready.then(() => {
    isReady = true
  })
  const server = createServer(async (request, response) => {
    const { method, url = '' } = request
    const path = url.replace(/\/?(?:\?.*)?$/, '')
    const answer = (status: number, body: string, type = 'application/json'): void => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' })
      response.end(method === 'HEAD' ? undefined : body)
    }
    if (method !== 'GET' && method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD')
      answer(405, '{"status":"method not allowed"}\n')
    } else if (path === '/health') answer(200, '{"status":"ok"}\n')
    else if (path === '/ready') {
      const { channel, runs, problems, held, wasComplete } = subscription.status()
      const begun = !isReady ? 'starting' : wasComplete ? 'ready' : 'incomplete'
      const status = isDraining() ? 'draining' : begun
      const facts = {
        status,
        channel,
        runs,
        problems,
        held,
        requests: gateway.requests,
      }
      answer(status === 'ready' ? 200 : 503, `${JSON.stringify(facts)}\n`)
    } else if (path === '/metrics') answer(200, await registry.metrics(), registry.contentType)
    else answer(404, '{"status":"not found"}\n')
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return server
}
