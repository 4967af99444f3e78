/** A WebSocket lives as long as its client may come in. RFC 6455 §7.4.1: 1008. */
import { createServer as createPlainServer } from 'node:http'
import { createServer, type Server } from 'node:https'
import { type AddressInfo, connect as tcpConnect } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { connect as tlsConnect } from 'node:tls'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import * as forFetch from '../../../src/http/fetch.web.ts'
import type { DecisionEvent } from '../../../src/http/index.ts'
import { type Mtls, mtls } from '../../../src/http/node-http.ts'
import { rfc9440 } from '../../../src/http/sources/index.ts'
import { sfBinary } from '../support.ts'
import { type ClientName, createWorld, optionsOf, sendThenRead, type, type World } from './world.ts'

let world: World
let guard: Mtls
let server: Server
let sockets: WebSocketServer
let opened: WebSocket[]
const events: DecisionEvent[] = []

beforeAll(async () => {
  world = await createWorld()
})

beforeEach(async () => {
  opened = []
  guard = mtls(optionsOf(world, events))
  sockets = new WebSocketServer({ noServer: true })
  server = createServer({ ...world.server, requestCert: true, rejectUnauthorized: false })
  server.on('upgrade', async (request, socket, head) => {
    const decision = await guard.upgrade(request, socket)
    if (!decision.allowed) return
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      guard.watch(request, webSocket)
      webSocket.send(decision.identity?.subject ?? '')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

afterEach(async () => {
  for (const socket of opened) socket.terminate()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

/** The first message of a server that lets the client in, or the status of one that does not. */
function connect(client: ClientName): Promise<{ socket: WebSocket; first: string | number }> {
  const { port } = server.address() as AddressInfo
  const socket = new WebSocket(`wss://localhost:${port}/`, {
    rejectUnauthorized: false,
    ...world.clients[client],
  })
  opened.push(socket)
  return new Promise((resolve) => {
    socket.on('error', () => {})
    socket.on('message', (message) => resolve({ socket, first: String(message) }))
    socket.on('unexpected-response', (_request, { statusCode = 0 }) =>
      resolve({ socket, first: statusCode }),
    )
  })
}

function closing(socket: WebSocket): Promise<{ code: number; reason: string }> {
  return new Promise((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }))
  })
}

const refused = { code: 1008, reason: 'client certificate no longer accepted' }

describe('an upgrade', () => {
  test('is refused with 401', async () => {
    expect((await connect('none')).first).toBe(401)
    expect(events.at(-1)).toMatchObject({ code: 'certificate-missing' })
    expect((await connect('foreign')).first).toBe(401)
  })
  test('is let through for a good client', async () => {
    expect((await connect('good')).first).toBe('CN=client-a,O=Example')
  })
})

describe('a client of an upgrade', () => {
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n'
  const head = `GET / HTTP/1.1\r\nHost: localhost\r\n${upgrade}Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`

  test('is told why in one whole answer', async () => {
    const { port } = server.address() as AddressInfo
    const { text, error } = await sendThenRead(world, { port, client: 'foreign' }, head)
    expect(error).toBeUndefined()
    const [, lines = '', body = ''] =
      /^HTTP\/1\.1 401 Unauthorized\r\n(.*)\r\n\r\n(.*)$/s.exec(text) ?? []
    expect(lines.toLowerCase().split('\r\n').toSorted()).toEqual([
      'cache-control: no-store',
      'connection: close',
      `content-length: ${body.length}`,
      'content-type: application/problem+json',
      'www-authenticate: clientcertificate realm="mtls"',
    ])
    expect(JSON.parse(body).instance).toBe(`urn:uuid:${events.at(-1)?.id}`)
  })

  test('that keeps its end open is cut off', async () => {
    const closed = new Promise<void>((resolve) => {
      server.once('upgrade', (_request, socket) => socket.once('close', resolve))
    })
    const { port } = server.address() as AddressInfo
    const options = { host: '127.0.0.1', port, rejectUnauthorized: false, allowHalfOpen: true }
    const socket = tlsConnect(options, () => socket.write(head))
    socket.on('error', () => {})
    await closed
    socket.destroy()
  })

  test.each([
    ['is let in', true],
    ['is refused', false],
  ])('may go away while it is decided that it %s', async (_, allowed) => {
    // Without TLS nobody else listens to errors of the socket.
    const plain = createPlainServer()
    const mode = allowed ? 'report' : 'enforce'
    guard.update({ ...optionsOf(world, events), policies: [{ type, mode }] })
    const gone = new Promise<boolean>((resolve) => {
      plain.on('upgrade', async (request, socket) => {
        const decided = guard.upgrade(request, socket)
        socket.destroy(new Error('reset'))
        resolve((await decided).allowed)
      })
    })
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve))
    const { port } = plain.address() as AddressInfo
    const socket = tcpConnect(port, '127.0.0.1', () => socket.write(head))
    expect(await gone).toBe(allowed)
    await setTimeout(20)
    socket.destroy()
    plain.close()
  })

  test('gets 500 when its answer cannot be made', async () => {
    const change = (): never => {
      throw new Error('the page is missing')
    }
    guard.update({ ...optionsOf(world, events), answer: { change } })
    expect((await connect('none')).first).toBe(500)
    expect(events.at(-1)).toMatchObject({ outcome: 'error', code: 'decision-failed' })
  })
})

describe('an open WebSocket is closed', () => {
  test('when its client is killed; others stay', { retry: 2 }, async () => {
    const { socket } = await connect('good')
    const other = await connect('second')
    const closed = closing(socket)
    const begin = performance.now()
    const id = world.killList.add({ certificate: world.pki.client.pem })
    expect(await closed).toEqual(refused)
    // A tenth of a second is what is promised; looking again takes a millisecond.
    expect(performance.now() - begin).toBeLessThan(100)
    world.killList.remove(id)
    expect(other.socket.readyState).toBe(WebSocket.OPEN)
    expect(events.at(-1)).toMatchObject({ outcome: 'refused', code: 'certificate-killed' })
  })
  test('when another policy is in force', async () => {
    const { socket } = await connect('second')
    const closed = closing(socket)
    const policies = [{ type: 'policy-auth-mtls', clientAcl: 'allow attributes CN=client-a' }]
    guard.update({ ...optionsOf(world, events), policies })
    expect(await closed).toEqual(refused)
  })
  test('when its certificate expires', async () => {
    const end = Math.floor(Date.now() / 1000) + 2
    const brief = await world.pki.issuing.issue('client-brief', { notAfter: end })
    const clients = { ...world.clients, second: { cert: brief.chainPem, key: brief.privateKeyPem } }
    world = { ...world, clients }
    const { socket, first } = await connect('second')
    expect(first).toBe('CN=client-brief')
    expect(await closing(socket)).toEqual(refused)
    // The last second still counts.
    expect(Date.now() / 1000).toBeGreaterThanOrEqual(end + 1)
    expect(Date.now() / 1000).toBeLessThan(end + 3)
  })
})

test('a client that was killed before its WebSocket was opened does not keep it', async () => {
  server.removeAllListeners('upgrade')
  server.on('upgrade', async (request, socket, head) => {
    await guard.upgrade(request, socket)
    const id = world.killList.add({ certificate: world.pki.client.pem })
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      guard.watch(request, webSocket)
      webSocket.on('close', () => world.killList.remove(id))
      webSocket.send('open')
    })
  })
  const { socket } = await connect('good')
  expect(await closing(socket)).toEqual(refused)
})

test('a WebSocket of a fetch handler is closed', async () => {
  const { client, issuing } = world.pki
  let closed: (() => void) | undefined
  const code = new Promise<number>((resolve) => {
    const webSocket = {
      close: resolve,
      addEventListener: (_: 'close', listener: () => void) => {
        closed = listener
      },
    }
    const source = rfc9440({ trust: { addresses: ['127.0.0.1'] } })
    const fetch = forFetch.mtls<[unknown]>(
      (_request, { watch }) => {
        watch(webSocket)
        return new Response()
      },
      { ...optionsOf(world, events), source },
    )
    const headers = {
      'Client-Cert': sfBinary(client.der),
      'Client-Cert-Chain': sfBinary(issuing.der),
    }
    const request = new Request('https://localhost/', { headers })
    void fetch(request, { remoteAddr: { hostname: '127.0.0.1' } }).then(({ status }) => {
      expect(status).toBe(200)
      world.killList.remove(world.killList.add({ certificate: client.pem }))
    })
  })
  expect(await code).toBe(1008)
  expect(closed).toBeTypeOf('function')
})

test('hooks hear nothing of those that are looked at again and stay', async () => {
  await connect('good')
  const before = events.length
  world.killList.remove(world.killList.add({ spkiSha256: 'ab'.repeat(32) }))
  await setTimeout(50)
  expect(events.length).toBe(before)
})

test('only what was let in can be watched', () => {
  expect(() => guard.watch({} as never, { close: () => {}, addEventListener: () => {} })).toThrow(
    TypeError,
  )
})
