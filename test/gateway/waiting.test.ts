/** Decisions that wait for a list of revoked certificates, and clients that go away meanwhile. */
import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { connect } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { defaultRevocation } from '../../src/deployment/snapshot.ts'
import type { DecisionEvent } from '../../src/http/event.ts'
import { issueCrl, startResponder } from '../../src/testing/index.ts'
import {
  ask,
  type Credentials,
  codeOf,
  openHttp2,
  openWorld,
  recordLog,
  stateOf,
  tlsOptions,
  until,
  type Version,
  validating,
  versions,
} from './support.ts'

const world = await openWorld()
type Pipeline = 'request' | 'response' | 'error'

/** A gateway whose clients name a list, which comes when it is let go, and everything that is told meanwhile. */
async function start(pipeline: Pipeline, { isRevoked = false, fails = false } = {}) {
  const held: (() => void)[] = []
  const lists = await world.upstream((_request, response) => {
    held.push(() => response.end(crl.der))
  })
  const uri = `${lists.url}/issuing.crl`
  const client = await world.pki.issuing.issue('client-a', {
    cRLDistributionPoints: [{ names: [{ uri }] }],
  })
  const crl = await issueCrl(world.pki.issuing, {
    thisUpdate: Math.floor(Date.now() / 1000) - 60,
    revoked: isRevoked ? [client] : [],
  })
  const asked: string[] = []
  const { url, server } = await world.upstream((request, response: ServerResponse) => {
    asked.push(request.url ?? '')
    if (fails) request.socket.destroy()
    else response.end('let in')
  })
  server.on('upgrade', (request, socket: Duplex) => {
    asked.push(request.url ?? '')
    if (fails) socket.destroy()
    else
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      )
  })
  const events: DecisionEvent[] = []
  const snapshot = world.snapshot(url, {
    policies: { [`${pipeline}PolicyList`]: [validating] },
    revocation: {
      ...defaultRevocation,
      depth: 'target',
      distributionPoints: true,
      allowAddresses: ['127.0.0.1'],
    },
  })
  const { port, gateway } = await world.gateway(stateOf(snapshot), {
    hooks: { decision: (event) => events.push(event) },
  })
  return {
    ...{ port, gateway, client, asked, events, snapshot },
    /** Whether it is waited for. */
    isHeld: () => held.length > 0,
    letGo: () => {
      for (const one of held.splice(0)) one()
    },
  }
}

/** Sends a request, or asks for a WebSocket, and leaves when it is told to. */
async function send(port: number, how: Version | 'WebSocket', client: Credentials) {
  if (how === 'HTTP/2') {
    const session = await openHttp2(port, { client })
    session.request({ ':authority': 'api.example' }).on('error', () => {})
    return () => session.destroy()
  }
  const lines = how === 'WebSocket' ? 'Connection: Upgrade\r\nUpgrade: websocket\r\n' : ''
  const socket = connect(tlsOptions(port, { client }), () =>
    socket.write(`GET / HTTP/1.1\r\nHost: api.example\r\n${lines}\r\n`),
  )
  socket.on('error', () => {})
  world.after(() => socket.destroy())
  return () => socket.destroy()
}

describe.each(versions)('%s: a decision that waits', (version) => {
  test.each(['request', 'response'] as const)('lets in, in %s', async (pipeline) => {
    const { port, client, letGo, isHeld, events } = await start(pipeline)
    const answer = ask(version, port, { client })
    await until(isHeld)
    expect(events).toEqual([])
    letGo()
    expect(await answer).toMatchObject({ status: 200, body: 'let in' })
    expect(events.map(({ code }) => code)).toEqual([undefined])
  })

  test.each([
    ['request', 0],
    ['response', 1],
  ] as const)('refuses, in %s', async (pipeline, requests) => {
    const { port, client, letGo, isHeld, events, asked } = await start(pipeline, {
      isRevoked: true,
    })
    const answer = ask(version, port, { client })
    await until(isHeld)
    letGo()
    expect((await answer).status).toBe(401)
    expect(events.map(({ code }) => code)).toEqual(['certificate-revoked'])
    expect(asked).toHaveLength(requests)
  })

  test.each([
    [false, 502, 'upstream-failed'],
    [true, 401, undefined],
  ])('in error (revoked: %s) answers %i', async (isRevoked, status, code) => {
    const { port, client, letGo, isHeld } = await start('error', { isRevoked, fails: true })
    const asked = ask(version, port, { client })
    await until(isHeld)
    letGo()
    const answer = await asked
    expect([answer.status, codeOf(answer)]).toEqual([status, code])
  })
})

describe.each([...versions, 'WebSocket'] as const)('%s: who goes away meanwhile', (how) => {
  test.each([
    ['request', 0],
    ['response', 1],
    ['error', 1],
  ] as const)('in %s asks for nothing more', async (pipeline, requests) => {
    const fails = pipeline === 'error'
    const { port, gateway, client, letGo, isHeld, events, asked } = await start(pipeline, { fails })
    const leave = await send(port, how, client)
    await until(isHeld)
    leave()
    await until(() => gateway.requests === 0)
    letGo()
    await until(() => events.length === 1)
    expect(asked).toHaveLength(requests)
    // It goes on for others.
    expect((await ask('HTTP/1.1', port, { client })).status).toBe(fails ? 502 : 200)
  })
})

describe('a WebSocket that is looked at under policies that wait', () => {
  test.each([false, true])('(revoked: %s)', async (isRevoked) => {
    const { port, gateway, client, letGo, isHeld, snapshot } = await start('request', { isRevoked })
    const open = { ...snapshot, policies: {} }
    await gateway.apply(stateOf(open))
    await send(port, 'WebSocket', client)
    await until(() => gateway.requests === 1)
    await gateway.apply(stateOf(snapshot))
    await until(isHeld)
    expect(gateway.requests).toBe(1)
    letGo()
    if (isRevoked) await until(() => gateway.requests === 0)
    else expect((await ask('HTTP/1.1', port, { client })).status).toBe(200)
    expect(gateway.requests).toBe(isRevoked ? 0 : 1)
  })

  test('may go away before they are asked', async () => {
    const { port, gateway, client, letGo, isHeld, snapshot, events } = await start('request')
    await gateway.apply(stateOf({ ...snapshot, policies: {} }))
    const leave = await send(port, 'WebSocket', client)
    await until(() => gateway.requests === 1)
    await gateway.apply(stateOf(snapshot))
    await until(isHeld)
    leave()
    await until(() => gateway.requests === 0)
    letGo()
    await until(() => events.length === 1)
    expect(events.map(({ code }) => code)).toEqual([undefined])
  })
})

describe('a responder', () => {
  const recently = Math.floor(Date.now() / 1000) - 60

  async function behindResponder() {
    const { issuing, client } = world.pki
    const responder = await startResponder({
      routes: {
        '/ocsp': {
          ocspOf: issuing,
          statuses: [{ certificate: client, certStatus: 'revoked', thisUpdate: recently }],
          options: { producedAt: recently },
        },
      },
    })
    world.after(() => responder.close())
    const { lines, logger } = recordLog()
    const events: DecisionEvent[] = []
    const { port } = await world.serve(
      (_request, response) => response.end('let in'),
      {
        policies: { requestPolicyList: [validating] },
        revocation: {
          ...defaultRevocation,
          mode: 'ocsp',
          depth: 'target',
          allowAddresses: ['127.0.0.1'],
          responder: responder.url('/ocsp'),
        },
      },
      { logger, hooks: { decision: (event) => events.push(event) } },
    )
    return { responder, port, client, lines, events }
  }

  test('is asked about the first of its clients, who waits for it', async () => {
    const { port, client, events } = await behindResponder()
    expect((await ask('HTTP/2', port, { client })).status).toBe(401)
    expect(events.map(({ code }) => code)).toEqual(['certificate-revoked'])
  })

  test('that fails lets nobody in, and is in the log', async () => {
    const { port, client, responder, lines, events } = await behindResponder()
    responder.fail('/ocsp', { kind: 'status', status: 500 })
    expect((await ask('HTTP/2', port, { client })).status).toBe(401)
    expect(events.map(({ code }) => code)).toEqual(['revocation-unknown'])
    const failed = lines.filter(
      ({ level, message }) => level === 'warn' && message === 'revocation data',
    )
    expect(failed[0]?.facts).toMatchObject({ project: 'shop', apiProxy: 'orders' })
  })
})
