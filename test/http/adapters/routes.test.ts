/** A guard on some routes of a server, and none on the others. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import express5, { type Request, type Response } from 'express'
// @ts-expect-error: the types are those of Express 5; what is used here is the same.
import express4 from 'express4'
import fastify from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import * as forExpress from '../../../src/http/express.ts'
import * as forFastify from '../../../src/http/fastify.ts'
import * as forHono from '../../../src/http/hono.node.ts'
import type {
  ClientCertificateSource,
  DecisionEvent,
  GuardOptions,
} from '../../../src/http/index.ts'
import * as forKoa from '../../../src/http/koa.ts'
import * as forNode from '../../../src/http/node-http.ts'
import { rfc9440 } from '../../../src/http/sources/index.ts'
import { sfBinary } from '../support.ts'
import { askHttp1, createWorld, optionsOf, type World } from './world.ts'

/** `/api` is guarded by the first guard, `/api/admin` by the second one as well, and all else by none. */
type Application = (outer: GuardOptions, inner: GuardOptions) => Promise<RequestListener>

function withExpress(make: typeof express5): Application {
  return async (outer, inner) => {
    const app = make()
    const api = make.Router()
    api.use('/admin', forExpress.mtls(inner))
    api.use((request: Request, response: Response) => {
      response.send(request.clientCertificate?.identity?.subject)
    })
    app.use('/api', forExpress.mtls(outer), api)
    app.use((request, response) => {
      response.send(String(request.clientCertificate?.id))
    })
    return app
  }
}

const applications: readonly (readonly [string, Application])[] = [
  ['Express 5', withExpress(express5)],
  ['Express 4', withExpress(express4)],
  [
    'Fastify',
    async (outer, inner) => {
      const { onRequest } = forFastify.mtls(outer)
      const second = forFastify.mtls(inner)
      const app = fastify()
      app.get('/open', async (request) => String(request.clientCertificate?.id))
      app.get('/api/x', { onRequest }, async ({ clientCertificate }) => {
        return clientCertificate?.identity?.subject
      })
      app.register(async (part) => {
        part.addHook('onRequest', onRequest)
        part.register(second)
        part.get('/api/admin', async ({ clientCertificate }) => {
          return clientCertificate?.identity?.subject
        })
      })
      await app.ready()
      return (request, response) => app.routing(request, response)
    },
  ],
  [
    'Koa',
    async (outer, inner) => {
      const guards = [
        ['/api', forKoa.mtls(outer)],
        ['/api/admin', forKoa.mtls(inner)],
      ] as const
      const app = new Koa()
      for (const [path, guard] of guards) {
        app.use((context, next) => (context.path.startsWith(path) ? guard(context, next) : next()))
      }
      app.use(async (context) => {
        const { clientCertificate } = context.state
        context.body = context.path === '/open' ? 'undefined' : clientCertificate.identity.subject
      })
      return app.callback()
    },
  ],
  [
    'Hono',
    async (outer, inner) => {
      const app = new Hono<{ Variables: forHono.Variables }>()
      app.use('/api/*', forHono.mtls(outer))
      app.use('/api/admin', forHono.mtls(inner))
      app.get('/open', (context) => context.text(String(context.get('clientCertificate')?.id)))
      app.all('*', (context) => {
        return context.text(context.get('clientCertificate').identity?.subject ?? '')
      })
      return getRequestListener(app.fetch)
    },
  ],
  [
    'node:https',
    async (outer, inner) => {
      const answer = forNode
        .mtls(inner)
        .protect<IncomingMessage, ServerResponse>((request, response) => {
          response.end(`${request.clientCertificate.identity?.subject}`)
        })
      const api = forNode
        .mtls(outer)
        .protect<IncomingMessage, ServerResponse>((request, response) => {
          if (request.url === '/api/admin') answer(request, response)
          else response.end(`${request.clientCertificate.identity?.subject}`)
        })
      return (request, response) => {
        if (request.url?.startsWith('/api')) api(request, response)
        else response.end('undefined')
      }
    },
  ],
]

let world: World
beforeAll(async () => {
  world = await createWorld()
})

describe.each(applications)('%s', (_, application) => {
  const events: DecisionEvent[] = []
  const running: Server[] = []
  let port: number
  async function listen(source?: ClientCertificateSource): Promise<number> {
    const options = { ...optionsOf(world, events), source }
    const type = 'policy-auth-mtls'
    const admins = { type, name: 'inner', clientAcl: 'allow attributes CN=client-a' }
    const app = await application(options, { ...options, policies: [admins] })
    const tls = { ...world.server, requestCert: true, rejectUnauthorized: false }
    const server = createServer(tls, app)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    running.push(server)
    return (server.address() as AddressInfo).port
  }
  beforeAll(async () => {
    port = await listen()
  })
  afterAll(() => {
    for (const server of running) {
      server.closeAllConnections()
      server.close()
    }
  })

  test('answers everybody where there is no guard', async () => {
    const { status, body } = await askHttp1(world, { port, client: 'none', path: '/open' })
    expect({ status, body }).toEqual({ status: 200, body: 'undefined' })
    expect(events).toEqual([])
  })
  test('asks the guard of a route', async () => {
    expect((await askHttp1(world, { port, client: 'none' })).status).toBe(401)
    const { status, body } = await askHttp1(world, { port, client: 'second' })
    expect({ status, body }).toEqual({ status: 200, body: 'CN=client-b' })
    expect(events.at(-1)).toMatchObject({ policy: 'everybody', target: '/api/x' })
  })
  test('asks the guard within a guard, about the whole path', async () => {
    const path = '/api/admin'
    const { body } = await askHttp1(world, { port, client: 'good', path })
    expect(body).toBe('CN=client-a,O=Example')
    expect(events.slice(-2)).toMatchObject([
      { policy: 'admins', target: path, outcome: 'allowed' },
      { policy: 'inner', target: path, outcome: 'allowed' },
    ])
    const before = events.length
    expect((await askHttp1(world, { port, client: 'second', path })).status).toBe(401)
    expect(events.slice(before)).toMatchObject([{ policy: 'admins', outcome: 'refused' }])
  })
  test('has both guards see what the proxy wrote', async () => {
    const behind = await listen(rfc9440({ trust: { addresses: ['127.0.0.1'] } }))
    const { client, issuing } = world.pki
    const headers = {
      'Client-Cert': sfBinary(client.der),
      'Client-Cert-Chain': sfBinary(issuing.der),
      'X-Client-Subject': 'CN=admin',
    }
    const asked = { port: behind, client: 'none', path: '/api/admin', headers } as const
    const { status, body } = await askHttp1(world, asked)
    expect({ status, body }).toEqual({ status: 200, body: 'CN=client-a,O=Example' })
    expect(events.at(-1)).toMatchObject({ policy: 'inner', source: 'rfc9440' })
  })
})

test('a server that never asks for certificates is told so once', async () => {
  const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  const { protect } = forNode.mtls(optionsOf(world, []))
  const handler = protect((_, response) => response.end())
  for (const [requestCert, count] of [
    [false, 1],
    [true, 0],
  ] as const) {
    const server = createServer(
      { ...world.server, requestCert, rejectUnauthorized: false },
      handler,
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    for (let i = 0; i < 2; i++) {
      expect((await askHttp1(world, { port, client: 'none' })).status).toBe(401)
    }
    server.closeAllConnections()
    server.close()
    expect(warnings.mock.calls.map(([, options]) => options)).toEqual(
      Array.from({ length: count }, () =>
        expect.objectContaining({ code: 'MTLS_POLICY_NOT_REQUESTED' }),
      ),
    )
    warnings.mockClear()
  }
  warnings.mockRestore()
})
