/** Certificates that OpenSSL stumbles over by itself: who presents one is told as anybody else who is refused, and nobody else notices. */
import type { RequestListener, ServerResponse } from 'node:http'
import https from 'node:https'
import { createServer, connect as openTcp, type Socket } from 'node:net'
import { connect } from 'node:tls'
import client from 'prom-client'
import { describe, expect, test } from 'vitest'
import type { ListenerOptions } from '../../src/gateway/options.ts'
import { issueVariant } from '../../src/testing/index.ts'
import {
  type Asked,
  ask,
  askOn,
  openHttp2,
  openWorld,
  recordLog,
  requestPolicies,
  stateOf,
  tlsOptions,
  until,
  type Version,
  validating,
  versions,
} from './support.ts'

const world = await openWorld()
const { pem, chainPem, privateKeyPem } = await world.pki.issuing.issue('client-forged', {
  mutateSignature: (octets) => octets.with(-1, (octets.at(-1) as number) ^ 1),
})
/** With its issuer, and without. */
const forged = {
  chain: { chainPem, privateKeyPem },
  leaf: { chainPem: pem, privateKeyPem },
}

/** A gateway, and what it tells of. The root's clients send their issuer along; the issuing CA's need not. */
async function start(
  listener: Partial<ListenerOptions> = {},
  anchor: 'root' | 'issuing' = 'root',
  handler: RequestListener = (_request, response) => response.end('let in'),
) {
  const register = new client.Registry()
  const { lines, logger } = recordLog()
  const { url } = await world.upstream(handler)
  const snapshot = world.snapshot(url, {
    policies: requestPolicies(validating),
    trustAnchors: [Buffer.from(world.pki[anchor].der).toString('base64')],
  })
  const open = world.snapshot(url, { apiProxy: 'open', basePath: '/open' })
  const { port, gateway } = await world.gateway(stateOf(snapshot, open), {
    listener,
    logger,
    metrics: { client, register },
  })
  const metrics = async () => (await register.metrics()).replaceAll('mtls_policy_gateway_', '')
  const connections = async () => Number(/^connections (\d+)$/m.exec(await metrics())?.[1])
  return { port, gateway, lines, metrics, connections }
}

function refusals(lines: ReturnType<typeof recordLog>['lines']): unknown[] {
  return lines.filter(({ message }) => message === 'request').map(({ facts }) => facts.code)
}

describe.each(versions)('%s', (version) => {
  describe.each(['TLSv1.2', 'TLSv1.3'] as const)('%s', (tls) => {
    test.each([
      ['with its issuer', 'chain', 'root', 'none'],
      ['with its issuer', 'chain', 'root', 'anchors'],
      ['alone', 'leaf', 'issuing', 'none'],
      ['alone', 'leaf', 'issuing', 'anchors'],
    ] as const)(
      'a forged certificate %s is refused by the policy (%s, under the %s CA, advertise %s)',
      async (_, sent, anchor, advertise) => {
        const { port, gateway, lines, metrics } = await start({ advertise }, anchor)
        const answer = await ask(version, port, { client: forged[sent], tls })
        expect(answer.status).toBe(401)
        expect(answer.headers).toMatchObject({
          'www-authenticate': 'ClientCertificate realm="mtls"',
          'content-type': 'application/problem+json',
        })
        const problem = JSON.parse(answer.body)
        expect(Object.keys(problem)).toEqual(['title', 'status', 'detail', 'instance'])
        await until(() => gateway.requests === 0)
        expect(refusals(lines)).toEqual(['signature-invalid'])
        const { decisionId } = lines.at(-1)?.facts ?? {}
        expect(problem.instance).toBe(`urn:uuid:${decisionId}`)
        const text = await metrics()
        expect(text).toContain('requests_total{project="shop",proxy="orders",status="401"} 1\n')
        expect(text).not.toMatch(/^failures_total\{/m)
        expect(text).toContain('handshake_failures_total 0\n')
      },
    )

    test('a certificate that OpenSSL cannot read to its end is refused by the policy', async () => {
      const { port, gateway, lines } = await start()
      const { client } = await issueVariant('duplicate-extension')
      expect((await ask(version, port, { client, tls })).status).toBe(401)
      await until(() => gateway.requests === 0)
      expect(refusals(lines)).toEqual(['extension-duplicate'])
    })

    test('where no policy asks for one, a forged certificate is none of our business', async () => {
      const { port } = await start()
      const answer = await ask(version, port, { client: forged.chain, tls, path: '/open/a' })
      expect([answer.status, answer.body]).toEqual([200, 'let in'])
    })
  })
})

describe('a connection that is kept', () => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)('%s, HTTP/1.1: every request', async (tls) => {
    const { port, lines } = await start()
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 })
    world.after(() => agent.destroy())
    const options = { ...tlsOptions(port, { client: forged.chain, tls }), agent }
    const sockets = new Set<unknown>()
    const statuses: unknown[] = []
    for (const path of ['/open', '/open', '/']) {
      const status = await new Promise((resolve, reject) => {
        const headers = { host: 'api.example' }
        const request = https.get({ ...options, path, headers }, (response) => {
          sockets.add(response.socket)
          response.resume()
          response.on('end', () => resolve(response.statusCode))
        })
        request.on('error', reject)
      })
      statuses.push(status)
    }
    expect(statuses).toEqual([200, 200, 401])
    expect(sockets.size).toBe(1)
    await until(() => refusals(lines).length === 3)
    expect(refusals(lines)).toEqual([undefined, undefined, 'signature-invalid'])
  })

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('%s, HTTP/2: every stream', async (tls) => {
    const { port } = await start()
    const session = await openHttp2(port, { client: forged.chain, tls })
    world.after(() => session.destroy())
    const answers = await Promise.all([askOn(session), askOn(session), askOn(session)])
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401])
    expect((await askOn(session)).status).toBe(401)
    expect(session.destroyed).toBe(false)
  })
})

describe('a handshake in pieces', () => {
  // What Node has of the certificate's error comes before anybody could be answered.
  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    '%s: the connection of a forged certificate ends, and is counted as a handshake that failed',
    async (tls) => {
      const { port, lines, metrics, connections } = await start()
      const { port: slow } = await relay(port, 'in pieces')
      for (const version of versions) {
        expect(await statusOf(version, slow, { client: forged.chain, tls })).toBe(0)
      }
      await until(async () => (await connections()) === 0)
      expect(refusals(lines)).toEqual([])
      const text = await metrics()
      expect(text).toContain('handshake_failures_total 2\n')
      expect(text).not.toMatch(/^failures_total\{/m)
      // A good one may take its time.
      for (const version of versions) {
        expect((await ask(version, slow, { client: world.pki.client, tls })).status).toBe(200)
      }
    },
  )
})

describe('who else is there', () => {
  test('two hundred good requests under way see nothing of forged certificates', async () => {
    const waiting: ServerResponse[] = []
    const { port } = await start({}, 'root', (_request, response) => void waiting.push(response))
    const { port: slow } = await relay(port, 'in pieces')
    const good = { client: world.pki.client }
    const asked = Array.from({ length: 40 }, () => ask('HTTP/1.1', port, good))
    for (const _session of [1, 2]) {
      const session = await openHttp2(port, good)
      world.after(() => session.destroy())
      asked.push(...Array.from({ length: 80 }, () => askOn(session)))
    }
    await until(() => waiting.length === 200, 20_000)
    for (const version of versions) {
      for (const tls of ['TLSv1.2', 'TLSv1.3'] as const) {
        const bad = { client: forged.chain, tls }
        expect((await ask(version, port, bad)).status).toBe(401)
        expect(await statusOf(version, slow, bad)).toBe(0)
      }
    }
    for (const response of waiting) response.end('let in')
    const answers = await Promise.all(asked)
    expect(new Set(answers.map(({ status, body }) => `${status} ${body}`))).toEqual(
      new Set(['200 let in']),
    )
    const later = ask('HTTP/2', port, good)
    await until(() => waiting.length === 201)
    waiting.at(-1)?.end('let in')
    expect((await later).status).toBe(200)
  })
})

describe('a record that does not decrypt, after a good handshake', () => {
  test.each([
    ['HTTP/1.1', undefined],
    ['HTTP/1.1', 'good'],
    ['HTTP/1.1', 'forged'],
    ['HTTP/2', undefined],
    ['HTTP/2', 'good'],
    ['HTTP/2', 'forged'],
  ] as const)(
    '%s: ends the connection without an answer (certificate: %s)',
    async (version, who) => {
      const { port, metrics, connections } = await start()
      const between = await relay(port, 'whole')
      const known = { good: world.pki.client, forged: forged.chain }
      const options = tlsOptions(between.port, { client: who && known[who], tls: 'TLSv1.3' })
      const ALPNProtocols = [version === 'HTTP/2' ? 'h2' : 'http/1.1']
      let received = ''
      const socket = connect({ ...options, ALPNProtocols })
      const ended = new Promise((resolve) => socket.on('close', resolve))
      socket.on('error', () => {})
      socket.on('data', (data) => {
        received += data.toString('latin1')
      })
      await until(async () => (await connections()) === 1)
      between.send(Buffer.from(`1703030020${'5a'.repeat(32)}`, 'hex'))
      await ended
      await until(async () => (await connections()) === 0)
      expect(received).not.toMatch(/HTTP\/1\.1|401/)
      expect(await metrics()).not.toMatch(/^failures_total\{|^requests_total\{/m)
    },
  )
})

/** 0: the connection has ended without an answer. */
function statusOf(version: Version, port: number, asked: Asked): Promise<number> {
  return ask(version, port, asked).then(
    ({ status }) => status,
    () => 0,
  )
}

/**
 * Passes on what clients send.
 *
 * @param how - `in pieces`: a record of TLS at a time, each so late that the one before has been read.
 */
async function relay(target: number, how: 'whole' | 'in pieces') {
  let last: Socket | undefined
  const server = createServer((client) => {
    const upstream = openTcp({ host: '127.0.0.1', port: target, noDelay: true })
    last = upstream
    upstream.on('error', () => {})
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
    upstream.pipe(client)
    if (how === 'whole') client.pipe(upstream)
    else passRecords(client, upstream)
  })
  return {
    port: await world.listen(server),
    /** Octets behind those of the last client. */
    send: (octets: Buffer) => last?.write(octets),
  }
}

function passRecords(from: Socket, to: Socket): void {
  let buffered: Buffer = Buffer.alloc(0)
  from.on('data', (data: Buffer) => {
    buffered = Buffer.concat([buffered, data])
  })
  const pace = setInterval(() => {
    if (buffered.length < 5) return
    const length = 5 + buffered.readUInt16BE(3)
    if (buffered.length < length) return
    to.write(buffered.subarray(0, length))
    buffered = buffered.subarray(length)
  }, 4)
  from.on('close', () => clearInterval(pace))
}
