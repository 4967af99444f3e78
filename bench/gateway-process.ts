/**
 * One process of the gateway's benchmark, started with an IPC channel: an upstream, or a gateway before it. Says on which ports, and then,
 * when asked, how much processor time it has used: that is its own alone, whatever else the machine does.
 * @module
 */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { GatewayOptions, GatewayState } from '../src/gateway/index.ts'
import { createGateway } from '../src/gateway/index.ts'

export type Asked =
  | { readonly begin: 'upstream' }
  | { readonly begin: 'gateway'; readonly options: GatewayOptions; readonly state: GatewayState }
  | { readonly ask: 'cpu' }

/** `cpu`: microseconds. `milliseconds`: that opening the gateway and putting the state in force took. */
export type Said =
  | { readonly ports: readonly number[]; readonly milliseconds: number }
  | { readonly cpu: number }

process.on('message', async (asked: Asked) => {
  if ('ask' in asked) {
    const { user, system } = process.cpuUsage()
    say({ cpu: user + system })
  } else if (asked.begin === 'upstream') {
    say({ ports: [await upstream()], milliseconds: 0 })
  } else {
    const begin = performance.now()
    const gateway = await createGateway(asked.options)
    const { problems } = await gateway.apply(asked.state)
    const milliseconds = performance.now() - begin
    if (problems.length > 0) throw new Error(JSON.stringify(problems))
    say({ ports: gateway.addresses.map(({ port }) => port), milliseconds })
  }
})
process.on('disconnect', () => process.exit())

function say(said: Said): void {
  process.send?.(said)
}

async function upstream(): Promise<number> {
  const body = 'Hello'
  const server = createServer((_request, response) => {
    response.setHeader('content-length', body.length)
    response.end(body)
  })
  // What the others' rounds take must not end the connections.
  server.keepAliveTimeout = 0
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return (server.address() as AddressInfo).port
}
