/** A WebSocket lives as long as its client may come in. RFC 6455 §7.4.1: 1008. */
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { DecisionEvent } from '../../../src/http/index.ts'
import { type Mtls, mtls } from '../../../src/http/node-http.ts'
import { type ClientName, createWorld, optionsOf, type World } from './world.ts'

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

describe('an open WebSocket is closed', () => {
  test('when its client is killed; others stay', async () => {
    const { socket } = await connect('good')
    const other = await connect('second')
    const closed = closing(socket)
    const begin = performance.now()
    const id = world.killList.add({ certificate: world.pki.client.pem })
    expect(await closed).toEqual(refused)
    expect(performance.now() - begin).toBeLessThan(500)
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

test('hooks hear nothing of those that are looked at again and stay', async () => {
  await connect('good')
  const before = events.length
  world.killList.remove(world.killList.add({ spkiSha256: 'ab'.repeat(32) }))
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(events.length).toBe(before)
})

test('only what was let in can be watched', () => {
  expect(() => guard.watch({} as never, { close: () => {}, addEventListener: () => {} })).toThrow(
    TypeError,
  )
})
