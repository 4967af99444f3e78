/** One behaviour under every framework, over real TLS. */
import { Agent } from 'node:https'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Answer, DecisionEvent } from '../../../src/http/index.ts'
import { rfc9440 } from '../../../src/http/sources/index.ts'
import { sfBinary } from '../support.ts'
import { http1Servers, http2Servers, type Running, type Seen } from './servers.ts'
import {
  askHttp1,
  askHttp2,
  askStream,
  type ClientName,
  connectHttp2,
  createWorld,
  optionsOf,
  sendThenRead,
  type World,
} from './world.ts'

let world: World
beforeAll(async () => {
  world = await createWorld()
})

const versions = [
  ...http1Servers.map(([name, start]) => [`${name} over HTTP/1.1`, start, askHttp1] as const),
  ...http2Servers.map(([name, start]) => [`${name} over HTTP/2`, start, askHttp2] as const),
]

describe.each(versions)('%s', (name, start, ask) => {
  const events: DecisionEvent[] = []
  const isHttp1 = name.endsWith('1.1')
  let server: Running
  beforeAll(async () => {
    server = await start(world, optionsOf(world, events))
  })
  afterAll(() => server.stop())

  test('lets a good client in, and says who it is', async () => {
    const { status, body } = await ask(world, { port: server.port, client: 'good' })
    expect(status).toBe(200)
    expect(JSON.parse(body)).toMatchObject({
      subject: 'CN=client-a,O=Example',
      verified: true,
      header: 'CN=client-a,O=Example',
    })
    expect(events.at(-1)).toMatchObject({ outcome: 'allowed', source: 'tls', status: 200 })
  })

  test.each<[ClientName, string]>([
    ['none', 'certificate-missing'],
    ['foreign', 'issuer-unknown'],
    ['expired', 'certificate-expired'],
    ['otherIssuer', 'issuer-not-allowed'],
  ])('answers 401 to the client %s: %s', async (client, code) => {
    const { status, headers, body } = await ask(world, { port: server.port, client })
    const event = events.at(-1)
    expect(status).toBe(401)
    expect(event).toMatchObject({ outcome: 'refused', code, policy: 'everybody' })
    expect(headers).toMatchObject({
      'www-authenticate': 'ClientCertificate realm="mtls"',
      'content-type': expect.stringMatching(/^application\/problem\+json/),
      'cache-control': 'no-store',
    })
    const detail =
      client === 'none'
        ? 'A client certificate is required.'
        : 'The client certificate was not accepted.'
    const instance = `urn:uuid:${event?.id}`
    expect(JSON.parse(body)).toEqual({ title: 'Unauthorized', status: 401, detail, instance })
    // So that the client can come back with one.
    if (isHttp1 && client === 'none') expect(headers.connection).toBe('close')
  })

  test('takes away what a client says of itself', async () => {
    const headers = { 'X-Client-Subject': 'CN=admin', X_Client_Subject: 'CN=admin' }
    const { body } = await ask(world, { port: server.port, client: 'good', headers })
    const seen: Seen = JSON.parse(body)
    expect(seen.header).toBe('CN=client-a,O=Example')
    expect(seen.twin).toBeUndefined()
    expect(seen.raw).toEqual(['x-client-subject'])
  })

  test('guards an endpoint by its own policy, however its path is written', async () => {
    for (const path of ['/api/admin', '/api/admin?x', '/API//Admin/', '/api/%61dmin']) {
      const { port } = server
      expect((await ask(world, { port, client: 'second', path })).status, path).toBe(401)
      expect(events.at(-1)).toMatchObject({ code: 'client-not-allowed', policy: 'admins' })
    }
    const other = { port: server.port, client: 'second', path: '/api/y' } as const
    expect((await ask(world, other)).status).toBe(200)
    const own = { port: server.port, client: 'good', path: '/api/admin' } as const
    expect((await ask(world, own)).status).toBe(200)
  })

  test('passes a body on, and refuses one without reading it', async () => {
    const body = 'x'.repeat(100_000)
    const post = {
      port: server.port,
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body,
    }
    const passed = await ask(world, { ...post, client: 'good' })
    expect(JSON.parse(passed.body).body).toBe(body)
    expect((await ask(world, { ...post, client: 'foreign' })).status).toBe(401)
  })

  test.runIf(isHttp1).each<[ClientName, string]>([
    ['none', ''],
    // As clients of HTTP/1.0 do, and some that ask once.
    ['foreign', 'Connection: close\r\n'],
  ])('is heard by the client %s that sends a large body first', async (client, lines) => {
    const body = 'x'.repeat(8_000_000)
    const head = `POST /api/x HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n${lines}`
    const request = `${head}Content-Length: ${body.length}\r\n\r\n${body}`
    const { text, error } = await sendThenRead(world, { port: server.port, client }, request)
    expect(error).toBeUndefined()
    expect(text).toMatch(/^HTTP\/1\.1 401 .*\r\n/)
    expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1)
    expect(text).toMatch(/^connection: close\r$/im)
    expect(text).toMatch(/"instance":"urn:uuid:[\da-f-]{36}"\}\n$/)
  })

  test.runIf(isHttp1)('refuses a body that is announced with Expect: 100-continue', async () => {
    const headers = { 'content-type': 'text/plain', expect: '100-continue' }
    const post = { port: server.port, method: 'POST', headers, body: 'x'.repeat(1_000_000) }
    expect((await ask(world, { ...post, client: 'none' })).status).toBe(401)
    expect((await ask(world, { ...post, client: 'foreign' })).status).toBe(401)
    expect(JSON.parse((await ask(world, { ...post, client: 'good' })).body).body).toBe(post.body)
  })

  test('answers HEAD without a body', async () => {
    const { status, body } = await ask(world, { port: server.port, client: 'none', method: 'HEAD' })
    expect({ status, body }).toEqual({ status: 401, body: '' })
  })

  test('answers 421 for another host than the connection was made for', async () => {
    const name = isHttp1 ? 'host' : ':authority'
    const headers = { [name]: 'other.example' }
    expect((await ask(world, { port: server.port, client: 'good', headers })).status).toBe(421)
    expect(events.at(-1)).toMatchObject({ code: 'request-misdirected', status: 421 })
  })

  test('remembers a connection', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const asked = { port: server.port, client: 'good', agent } as const
    if (isHttp1) {
      await ask(world, asked)
      await ask(world, asked)
      agent.destroy()
    } else {
      const session = connectHttp2(world, asked)
      await askStream(session, asked)
      await askStream(session, asked)
      session.close()
    }
    expect(events.slice(-2).map(({ isRemembered }) => isRemembered)).toEqual([false, true])
  })

  test('refuses who was killed in the meantime', async () => {
    const id = world.killList.add({ certificate: world.pki.client.pem })
    const killed = await ask(world, { port: server.port, client: 'good' })
    world.killList.remove(id)
    expect(killed.status).toBe(401)
    expect(events.at(-1)?.code).toBe('certificate-killed')
    expect((await ask(world, { port: server.port, client: 'good' })).status).toBe(200)
  })

  test('takes other options over, and answers as it is told', async () => {
    const options = optionsOf(world, events)
    server.update({
      ...options,
      policies: [
        { type: 'policy-auth-mtls', name: 'nobody', clientAcl: 'allow attributes CN=nobody' },
      ],
      answer: {
        realm: 'partners',
        reason: 'code',
        change: (answer) => ({
          ...answer,
          headers: { ...answer.headers, 'x-help': 'https://help.example' },
        }),
      },
    })
    const refused = await ask(world, { port: server.port, client: 'good' })
    expect(refused.status).toBe(401)
    expect(refused.headers).toMatchObject({
      'www-authenticate': 'ClientCertificate realm="partners"',
      'x-help': 'https://help.example',
    })
    expect(JSON.parse(refused.body)).toMatchObject({ code: 'client-not-allowed' })
    expect(() => server.update({ ...options, policies: [] })).toThrow(
      expect.objectContaining({ code: 'option-invalid' }),
    )
    server.update(options)
    expect((await ask(world, { port: server.port, client: 'good' })).status).toBe(200)
  })

  test.each<[string, (answer: Answer) => Answer]>([
    [
      'throws',
      () => {
        throw new Error('the page is missing')
      },
    ],
    ['cannot be sent', (answer) => ({ ...answer, status: 1000 })],
    ['has two lines in one', (answer) => ({ ...answer, headers: { 'x-help': 'a\r\nb: c' } })],
  ])('answers 500 when the answer that it is told %s', async (_, change) => {
    const options = optionsOf(world, events)
    server.update({ ...options, answer: { change } })
    for (const client of ['none', 'foreign'] as const) {
      const { status, headers, body } = await ask(world, { port: server.port, client })
      const [refused, failed] = events.slice(-2)
      expect(refused).toMatchObject({ outcome: 'refused', status: 401 })
      expect(failed).toMatchObject({ outcome: 'error', status: 500, code: 'decision-failed' })
      expect(failed?.error).toBeInstanceOf(Error)
      expect(status).toBe(500)
      expect(headers['content-type']).toMatch(/^application\/problem\+json/)
      expect(headers['www-authenticate']).toBeUndefined()
      expect(JSON.parse(body).instance).toBe(`urn:uuid:${failed?.id}`)
      expect(body).not.toContain('missing')
    }
    server.update(options)
    expect((await ask(world, { port: server.port, client: 'good' })).status).toBe(200)
  })

  test('says how long an answer is by itself', async () => {
    const options = optionsOf(world, events)
    const change = (): Answer => ({
      status: 403,
      headers: { 'Content-Type': 'text/plain', 'Content-Length': '1', 'Transfer-Encoding': 'x' },
      body: 'Nein, tut mir leid: ä',
    })
    server.update({ ...options, answer: { change } })
    const { status, headers, body } = await ask(world, { port: server.port, client: 'foreign' })
    server.update(options)
    expect({ status, body }).toEqual({ status: 403, body: 'Nein, tut mir leid: ä' })
    expect(headers['content-type']).toMatch(/^text\/plain/)
  })

  test('reads the headers of a trusted proxy, and of nobody else', async () => {
    const options = optionsOf(world, events)
    const { client, issuing } = world.pki
    const forwarded = {
      'Client-Cert': sfBinary(client.der),
      'Client-Cert-Chain': sfBinary(issuing.der),
    }
    const source = rfc9440({ trust: { addresses: ['127.0.0.1'] } })
    server.update({ ...options, source })
    const asked = { port: server.port, client: 'none' } as const
    const { status, body } = await ask(world, { ...asked, headers: forwarded })
    expect(status).toBe(200)
    expect(events.at(-1)).toMatchObject({ outcome: 'allowed', source: 'rfc9440' })
    expect(JSON.parse(body)).toMatchObject({ subject: 'CN=client-a,O=Example', forwarded: [] })

    const refusals: [Record<string, string>, string][] = [
      [{}, 'certificate-missing'],
      [{ ...forwarded, client_cert: 'x' }, 'header-twin'],
      [{ ...forwarded, 'Client-Cert': 'MIIB' }, 'header-malformed'],
    ]
    for (const [headers, code] of refusals) {
      // What the connection itself presents is not asked then.
      const own = { port: server.port, client: 'good', headers } as const
      expect((await ask(world, own)).status).toBe(401)
      expect(events.at(-1)).toMatchObject({ outcome: 'refused', code })
    }
    server.update({ ...options, source: rfc9440({ trust: { addresses: ['127.0.0.2'] } }) })
    expect((await ask(world, { ...asked, headers: forwarded })).status).toBe(401)
    expect(events.at(-1)).toMatchObject({ code: 'proxy-not-trusted' })
    server.update(options)
  })

  test('counts the lines of a header as they came', async () => {
    if (!isHttp1) return
    const options = optionsOf(world, events)
    server.update({ ...options, source: rfc9440({ trust: { addresses: ['127.0.0.1'] } }) })
    const line = `Client-Cert: ${sfBinary(world.pki.client.der)}\r\n`
    const head = 'GET /api/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n'
    const asked = { port: server.port, client: 'none' } as const
    const { text } = await sendThenRead(world, asked, `${head}${line}${line}\r\n`)
    server.update(options)
    expect(text).toMatch(/^HTTP\/1\.1 401 /)
    expect(events.at(-1)).toMatchObject({ code: 'header-repeated' })
  })

  test('lets nobody in while a hook fails', async () => {
    const options = optionsOf(world, events)
    const hooks = {
      decision: () => {
        throw new Error('the log is full')
      },
    }
    server.update({ ...options, hooks })
    const { status, body } = await ask(world, { port: server.port, client: 'good' })
    server.update(options)
    expect(status).toBe(500)
    expect(body).not.toContain('log is full')
  })

  test('in report mode lets everybody in, and identifies nobody', async () => {
    const options = optionsOf(world, events)
    server.update({ ...options, policies: [{ type: 'policy-auth-mtls', mode: 'report' }] })
    for (const client of ['none', 'foreign'] as const) {
      const { status, body } = await ask(world, { port: server.port, client })
      expect(status).toBe(200)
      expect(JSON.parse(body)).toMatchObject({ verified: false })
      expect(JSON.parse(body).header).toBeUndefined()
      expect(events.at(-1)?.outcome).toBe('would-refuse')
    }
    server.update(options)
  })
})
