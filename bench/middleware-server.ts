/**
 * One process with an Express application of each kind, over TLS on ports of their own; started with an IPC channel, of which it is
 * told what to serve. Says on which ports, and then, when asked, how much processor time it has used: that is its own alone, whatever
 * else the machine does.
 * @module
 */

import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { loadSubject } from './bundle.ts'

/** `none`: no middleware. `empty`: one that passes everybody on. `ours`: it decides. */
export type Kind = 'none' | 'empty' | 'ours'

/** Texts are PEM. */
export interface Served {
  readonly kinds: readonly Kind[]
  readonly anchors: string
  readonly cert: string
  readonly key: string
}

export type Asked = { readonly serve: Served } | { readonly ask: 'cpu' }

/** `cpu`: microseconds. */
export type Said = { readonly ports: readonly number[] } | { readonly cpu: number }

process.on('message', async (asked: Asked) => {
  if ('serve' in asked) {
    say({ ports: await serve(asked.serve) })
  } else {
    const { user, system } = process.cpuUsage()
    say({ cpu: user + system })
  }
})
process.on('disconnect', () => process.exit())

function say(said: Said): void {
  process.send?.(said)
}

async function serve({ kinds, anchors, cert, key }: Served): Promise<readonly number[]> {
  const { mtls, parseTrustAnchors } = await loadSubject()
  const ports: number[] = []
  for (const kind of kinds) {
    const app = express()
    if (kind === 'empty') app.use((_request, _response, next) => next())
    if (kind === 'ours') {
      const policy = { type: 'policy-auth-mtls', validateACLForIssuer: false }
      app.use(mtls({ policy, trustAnchors: parseTrustAnchors(anchors) }))
    }
    app.get('/', (_request, response) => {
      response.send('Hello')
    })
    app.get('/subject', (request, response) => {
      response.send(request.clientCertificate?.identity?.subject ?? 'nobody')
    })
    const server = createServer({ cert, key, requestCert: true, rejectUnauthorized: false }, app)
    // What the others' rounds take must not end the connections.
    server.keepAliveTimeout = 0
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    ports.push((server.address() as AddressInfo).port)
  }
  return ports
}
