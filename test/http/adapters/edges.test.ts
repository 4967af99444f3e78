/** Clients that go away, answers of others, handshakes that fail: the server stays up. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import http2, { type Http2ServerResponse } from 'node:http2'
import { createServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'
import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import { Guard } from '../../../src/http/guard.ts'
import type { DecisionEvent } from '../../../src/http/index.ts'
import { createNodeGuard } from '../../../src/http/node/guard.ts'
import { handle } from '../../../src/http/node/handle.ts'
import type { NodeRequest } from '../../../src/http/node/request.ts'
import { mtls } from '../../../src/http/node-http.ts'
import { askHttp1, connectHttp2, createWorld, optionsOf, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await createWorld()
})

const running: { close(): void }[] = []
afterEach(() => {
  for (const server of running.splice(0)) server.close()
})

async function listen(server: Server): Promise<number> {
  running.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

const tls = (): object => ({ ...world.server, requestCert: true, rejectUnauthorized: false })

type Handler = (request: NodeRequest, response: ServerResponse | Http2ServerResponse) => void

/** Decides as any guard does, but not at once: as if it had to fetch something. */
function handlerThatWaits(events: DecisionEvent[], milliseconds: number): Handler {
  const guard = createNodeGuard(optionsOf(world, events))
  vi.spyOn(guard, 'decide').mockImplementation(async (request) => {
    const decision = await Guard.prototype.decide.call(guard, request)
    await setTimeout(milliseconds)
    return decision
  })
  return (request, response) =>
    handle(
      guard,
      request,
      response,
      request.url,
      () => {},
      () => (response as ServerResponse).end('in'),
    )
}

test('nothing is sent twice when somebody else answers while it is decided', async () => {
  const events: DecisionEvent[] = []
  const handler = handlerThatWaits(events, 10)
  const server = createServer(tls(), (request, response) => {
    handler(request, response)
    response.writeHead(503).end('busy')
  })
  const port = await listen(server)
  const { status, body } = await askHttp1(world, { port, client: 'foreign' })
  expect({ status, body }).toEqual({ status: 503, body: 'busy' })
  expect(events).toMatchObject([{ outcome: 'refused', code: 'issuer-unknown' }])
  await setTimeout(20)
})

test('a client of HTTP/1.1 may go away while it is decided', async () => {
  const events: DecisionEvent[] = []
  const handler = handlerThatWaits(events, 10)
  const server = createServer(tls(), (request, response) => {
    handler(request, response)
    request.socket.destroy()
  })
  const port = await listen(server)
  for (const client of ['foreign', 'good', 'none'] as const) {
    await expect(askHttp1(world, { port, client })).rejects.toThrow()
  }
  expect(events).toHaveLength(3)
  await setTimeout(20)
})

test.each(['stream', 'session'])(
  'clients of HTTP/2 may end their %s while it is decided',
  async (what) => {
    const events: DecisionEvent[] = []
    const handler = handlerThatWaits(events, 10)
    const server = http2.createSecureServer(tls(), (request, response) => {
      handler(request, response)
      if (what === 'stream') request.stream.close(http2.constants.NGHTTP2_CANCEL)
      else request.stream.session?.destroy()
    })
    server.on('sessionError', () => {})
    const port = await listen(server)
    for (const client of ['foreign', 'good', 'none'] as const) {
      const session = connectHttp2(world, { port, client })
      session.on('error', () => {})
      await new Promise<void>((resolve) => {
        const stream = session.request({ ':path': '/api/x' })
        stream.on('error', () => {})
        stream.on('close', resolve)
        stream.resume()
      })
      session.destroy()
    }
    expect(events).toHaveLength(3)
    await setTimeout(20)
  },
)

test('a client whose certificates TLS does not take gets no answer, and others do', async () => {
  const many = Array.from({ length: 6000 }, (_, i) => ({ dns: `name-${i}.client.example` }))
  const large = await world.pki.issuing.issue('client-large', { subjectAltName: many })
  const second = { cert: large.chainPem, key: large.privateKeyPem }
  const server = createServer(
    tls(),
    mtls(optionsOf(world, [])).protect((_, response) => response.end('in')),
  )
  const failed = new Promise<NodeJS.ErrnoException>((resolve) => {
    server.on('tlsClientError', (error: NodeJS.ErrnoException, _socket: TLSSocket) =>
      resolve(error),
    )
  })
  const port = await listen(server)
  const clients = { ...world.clients, second }
  // Above 100 KiB, which is the limit of OpenSSL: the handshake ends with an alert.
  await expect(askHttp1({ ...world, clients }, { port, client: 'second' })).rejects.toThrow()
  expect((await failed).code).toBe('ERR_SSL_EXCESSIVE_MESSAGE_SIZE')
  expect((await askHttp1(world, { port, client: 'good' })).status).toBe(200)
})

test.each([
  ['asked for before', true],
  ['asked for after', false],
])('headersDistinct, %s, has what was proven and nothing of the client', async (_when, before) => {
  const { protect } = mtls(optionsOf(world, []))
  const handler = protect<IncomingMessage, ServerResponse>((request, response) =>
    response.end(JSON.stringify(request.headersDistinct)),
  )
  const server = createServer(tls(), (request, response) => {
    if (before) expect(request.headersDistinct['x-client-subject']).toEqual(['CN=admin'])
    handler(request, response)
  })
  const port = await listen(server)
  const headers = { 'X-Client-Subject': 'CN=admin', X_Client_Subject: 'CN=admin', Accept: '*/*' }
  const answered = await askHttp1(world, { port, client: 'good', headers })
  const seen = JSON.parse(answered.body)
  expect(seen['x-client-subject']).toEqual(['CN=client-a,O=Example'])
  expect(seen).not.toHaveProperty('x_client_subject')
  expect(seen.accept).toEqual(['*/*'])
})
