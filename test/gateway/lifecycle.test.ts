/** States come and go, certificates are exchanged, and the gateway ends: nobody who asks meanwhile notices. */
import { rename, writeFile } from 'node:fs/promises'
import http2 from 'node:http2'
import https from 'node:https'
import { connect, type TLSSocket } from 'node:tls'
import client from 'prom-client'
import { describe, expect, test } from 'vitest'
import type { Snapshot } from '../../src/deployment/snapshot.ts'
import { createPki, issueCa } from '../../src/testing/index.ts'
import {
  ask,
  askOn,
  openHttp2,
  openWorld,
  raw,
  recordLog,
  requestPolicies,
  serverCertificate,
  stateOf,
  tlsOptions,
  until,
  validating,
} from './support.ts'

const world = await openWorld()

const seconds = process.env.SLOW === '1' ? 30 : 3

describe('states', () => {
  test(
    `a hundred a second for ${seconds} seconds: every answer is one of the old state or one of the new`,
    async () => {
      // Each generation has another upstream, other policies, and another name for the client's subject.
      const upstreams = await Promise.all(
        [0, 1].map((generation) =>
          world.upstream((request, response) => {
            response.end(
              JSON.stringify([
                generation,
                request.headers['x-subject-0'] !== undefined,
                request.headers['x-subject-1'] !== undefined,
              ]),
            )
          }),
        ),
      )
      const generations: readonly Snapshot[] = upstreams.map(({ url }, generation) =>
        world.snapshot(url, {
          policies: {
            requestPolicyList: [{ ...validating, name: `g${generation}` }],
            responsePolicyList: [{ ...validating, name: `r${generation}` }],
          },
          upstream: { identityHeaders: { [`X-Subject-${generation}`]: 'subject' } },
        }),
      )
      const { gateway, port } = await world.gateway(stateOf(generations[0] as Snapshot))
      let isOver = false
      let swaps = 0
      const swapping = (async () => {
        const begin = performance.now()
        while (!isOver) {
          const { problems } = await gateway.apply(stateOf(generations[++swaps % 2] as Snapshot))
          expect(problems).toEqual([])
          const wait = begin + swaps * 10 - performance.now()
          if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
        }
      })()
      const answers = new Map<string, number>()
      const session = await openHttp2(port, { client: world.pki.client })
      world.after(() => session.destroy())
      const agent = new https.Agent({
        keepAlive: true,
        maxSockets: 4,
        ...tlsOptions(port, { client: world.pki.client }),
      })
      world.after(() => agent.destroy())
      const overHttp1 = () =>
        new Promise<string>((resolve, reject) => {
          const request = https.request(
            { agent, host: '127.0.0.1', port, headers: { host: 'api.example' } },
            (response) => {
              let text = `${response.statusCode} `
              response.on('data', (chunk) => {
                text += chunk
              })
              response.on('end', () => resolve(text))
              response.on('error', reject)
            },
          )
          request.on('error', reject)
          request.end()
        })
      const overHttp2 = async () => {
        const { status, body } = await askOn(session)
        return `${status} ${body}`
      }
      const end = performance.now() + seconds * 1000
      const load = async (one: () => Promise<string>) => {
        while (performance.now() < end) {
          const answer = await one()
          answers.set(answer, (answers.get(answer) ?? 0) + 1)
        }
      }
      await Promise.all([load(overHttp1), load(overHttp1), load(overHttp2), load(overHttp2)])
      isOver = true
      await swapping
      expect([...answers.keys()].sort()).toEqual(['200 [0,true,false]', '200 [1,false,true]'])
      expect(swaps).toBeGreaterThan(seconds * 50)
    },
    (seconds + 30) * 1000,
  )

  test('a request under way ends under what it began with', async () => {
    let answer = () => {}
    const { url } = await world.upstream((_request, response) => {
      answer = () => response.end('late')
    })
    const snapshot = world.snapshot(url, { policies: { responsePolicyList: [validating] } })
    const { gateway, port } = await world.gateway(stateOf(snapshot))
    const nothing = answer
    const asked = ask('HTTP/2', port, { client: world.pki.client })
    await until(() => answer !== nothing)
    await gateway.apply(
      stateOf({
        ...snapshot,
        policies: { responsePolicyList: [{ ...validating, clientAcl: 'allow dn CN=nobody' }] },
      }),
    )
    await gateway.apply(stateOf())
    answer()
    expect((await asked).body).toBe('late')
    expect((await ask('HTTP/2', port, { client: world.pki.client })).status).toBe(404)
  })

  test('of a thousand proxies the one that changed is built, and no other', async () => {
    const { url } = await world.upstream()
    const policies = requestPolicies(
      ...Array.from({ length: 10 }, (_, n) => ({ ...validating, name: `p${n}` })),
    )
    const many = Array.from({ length: 1000 }, (_, n) =>
      world.snapshot(url, { apiProxy: `p${n}`, hosts: [`h${n}.example`], policies }),
    )
    const { gateway, port } = await world.gateway(undefined)
    expect((await gateway.apply(stateOf(...many))).built).toBe(1000)
    const changed = { ...(many[7] as Snapshot), basePath: '/seven' }
    expect((await gateway.apply(stateOf(...many.with(7, changed)))).built).toBe(1)
    const host = 'h999.example'
    expect(
      (await ask('HTTP/2', port, { host, servername: host, client: world.pki.client })).status,
    ).toBe(200)
  })

  test('who comes to a place that is taken is refused; who was there stays', async () => {
    const { url } = await world.upstream((_request, response) => response.end('first'))
    const other = await world.upstream((_request, response) => response.end('second'))
    const first = world.snapshot(url, { apiProxy: 'b' })
    const second = world.snapshot(other.url, { apiProxy: 'a', basePath: '/a' })
    const { gateway, port } = await world.gateway(stateOf(first, second))
    const { problems } = await gateway.apply(stateOf({ ...second, basePath: '/' }, first))
    expect(problems).toMatchObject([{ apiProxy: 'a', code: 'route-taken' }])
    expect((await ask('HTTP/1.1', port)).body).toBe('first')
    expect((await ask('HTTP/1.1', port, { path: '/a' })).body).toBe('second')
    // Both move at once: the one takes the place that the other leaves.
    const moved = stateOf({ ...second, basePath: '/' }, { ...first, basePath: '/b' })
    expect((await gateway.apply(moved)).problems).toEqual([])
    expect((await ask('HTTP/1.1', port)).body).toBe('second')
  })
})

function certificateOf(port: number, servername = 'api.example'): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...tlsOptions(port, { servername }) }, () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber ?? '')
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

describe('server certificates', () => {
  test('are read again when their files change, and no connection is lost', async () => {
    const { url } = await world.upstream((_request, response) => response.end('ok'))
    const old = await world.certificate('exchanged', ['api.example'])
    const { lines, logger } = recordLog()
    const said = (message: string) => lines.some((line) => line.message === message)
    const { port } = await world.gateway(stateOf(world.snapshot(url)), {
      limits: { reloadMs: 20 },
      listener: { certificates: [{ hosts: ['api.example'], cert: old.cert, key: old.key }] },
      logger,
    })
    const session = await openHttp2(port)
    world.after(() => session.destroy())
    const before = await certificateOf(port)
    const fresh = await serverCertificate(['api.example', 'fresh.example'])
    const other = await issueCa('Other key', { key: 'P-256#9' })
    // Half of an exchange: the key does not fit yet.
    await writeFile(`${old.key}.new`, other.privateKeyPem)
    await rename(`${old.key}.new`, old.key)
    await until(() => said('server certificate not reloaded, the old one stays'))
    expect(await certificateOf(port)).toBe(before)
    const sender = (async () => {
      const statuses = new Set<number>()
      for (let n = 0; n < 100; n++) {
        statuses.add((await askOn(session)).status)
        statuses.add((await ask('HTTP/1.1', port)).status)
      }
      return [...statuses]
    })()
    await world.write('exchanged', fresh)
    await until(() => said('server certificate reloaded'))
    expect(await certificateOf(port)).not.toBe(before)
    expect(await certificateOf(port, '')).not.toBe(before)
    expect(await sender).toEqual([200])
  })

  test('that do not fit their key open no gateway', async () => {
    const { cert } = await world.certificate('one', ['api.example'])
    const other = await issueCa('Other key', { key: 'P-256#9' })
    const { key } = await world.write('two', other)
    const certificates = [{ hosts: ['api.example'], cert, key }]
    await expect(world.gateway(undefined, { listener: { certificates } })).rejects.toThrow(
      /key values mismatch/,
    )
    const none = [{ hosts: [], cert: '/nowhere/cert.pem', key }]
    await expect(world.gateway(undefined, { listener: { certificates: none } })).rejects.toThrow(
      /ENOENT/,
    )
  })
})

/** What the CertificateRequest names; OpenSSL shows it to who asks with `openssl s_client`. */
async function acceptable(port: number, servername?: string): Promise<readonly string[]> {
  const { execFile } = await import('node:child_process')
  const text = await new Promise<string>((resolve) => {
    const name = servername === undefined ? ['-noservername'] : ['-servername', servername]
    const child = execFile(
      'openssl',
      ['s_client', '-connect', `127.0.0.1:${port}`, ...name, '-tls1_2'],
      (_error, stdout) => resolve(stdout),
    )
    child.stdin?.end()
  })
  const names =
    /Acceptable client certificate CA names\n([\s\S]*?)\n(?:Client|Requested|Peer)/.exec(text)?.[1]
  return names === undefined ? [] : names.split('\n')
}

describe('the CAs that clients are told', () => {
  test('are those of the host that they ask for', async () => {
    const partners = await createPki({ organization: 'Partners' })
    const { url } = await world.upstream()
    const policies = requestPolicies(validating)
    const shop = world.snapshot(url, { policies })
    const partner = world.snapshot(url, {
      apiProxy: 'partner',
      hosts: ['other.example'],
      policies,
      trustAnchors: [Buffer.from(partners.root.der).toString('base64')],
    })
    const { port, gateway } = await world.gateway(stateOf(shop, partner), {
      listener: { advertise: 'anchors' },
    })
    expect(await acceptable(port, 'api.example')).toEqual(['O = Example, CN = Example Root CA'])
    expect(await acceptable(port, 'other.example')).toEqual(['O = Partners, CN = Partners Root CA'])
    expect(await acceptable(port)).toHaveLength(2)
    expect(await acceptable(port, 'nobody.example')).toEqual([])
    await gateway.apply(stateOf(shop, { ...partner, hosts: ['api.example'], basePath: '/partner' }))
    expect(await acceptable(port, 'api.example')).toHaveLength(2)
  })

  test('are none when they are too many, or nobody is to be told', async () => {
    const { url } = await world.upstream()
    const policies = requestPolicies(validating)
    const long = await Promise.all(
      Array.from({ length: 40 }, async (_, n) => {
        const subject = Array.from({ length: 30 }, (_, m) => ({
          type: 'OU',
          value: `${n} ${m} ${'x'.repeat(50)}`,
        }))
        return Buffer.from((await issueCa(`CA ${n}`, { subject })).der).toString('base64')
      }),
    )
    const many = await world.gateway(
      stateOf(world.snapshot(url, { policies, trustAnchors: long })),
      { listener: { advertise: 'anchors' } },
    )
    expect(await acceptable(many.port, 'api.example')).toEqual([])
    const some = await world.gateway(
      stateOf(world.snapshot(url, { policies, trustAnchors: long.slice(0, 20) })),
      { listener: { advertise: 'anchors' } },
    )
    expect(await acceptable(some.port, 'api.example')).toHaveLength(20)
    const silent = await world.gateway(stateOf(world.snapshot(url, { policies })))
    expect(await acceptable(silent.port, 'api.example')).toEqual([])
  })
})

describe('draining', () => {
  test.each(['HTTP/1.1', 'HTTP/2'] as const)(
    '%s: requests under way end, nobody else comes in',
    async (version) => {
      let answer = () => {}
      const { url } = await world.upstream((_request, response) => {
        response.write('first ')
        answer = () => response.end('last')
      })
      const { gateway, port } = await world.gateway(stateOf(world.snapshot(url)))
      const idle = connect({ ...tlsOptions(port, {}), ALPNProtocols: ['http/1.1'] })
      idle.on('error', () => {})
      await new Promise((resolve) => idle.once('secureConnect', resolve))
      const nothing = answer
      const asked = ask(version, port)
      await until(() => answer !== nothing)
      let isDrained = false
      const drained = gateway.drain(5000).then(() => {
        isDrained = true
      })
      await until(() => idle.destroyed)
      await expect(ask(version, port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
      expect(isDrained).toBe(false)
      answer()
      expect((await asked).body).toBe('first last')
      await drained
      expect(gateway.requests).toBe(0)
    },
  )

  test('ends what does not end by itself', async () => {
    const { url } = await world.upstream(() => {})
    const { gateway, port } = await world.gateway(stateOf(world.snapshot(url)))
    const asked = raw(port, 'GET / HTTP/1.1\r\nHost: api.example\r\n\r\n')
    await until(() => gateway.requests === 1)
    await gateway.drain(50)
    expect(await asked).toBe('')
    await until(() => gateway.requests === 0)
    await gateway.close()
  })

  test('an answer meanwhile says that it is the last', async () => {
    let answer = () => {}
    const { url } = await world.upstream((_request, response) => {
      answer = () => response.end('last')
    })
    const { gateway, port } = await world.gateway(stateOf(world.snapshot(url)))
    const nothing = answer
    const asked = raw(port, 'GET / HTTP/1.1\r\nHost: api.example\r\n\r\n')
    await until(() => answer !== nothing)
    const drained = gateway.drain()
    answer()
    expect(await asked).toMatch(/^connection: close\r$/im)
    await drained
  })
})

describe('what operators see', () => {
  test('metrics', async () => {
    const register = new client.Registry()
    const { url } = await world.upstream()
    const { port, gateway } = await world.gateway(
      stateOf(world.snapshot(url, { policies: requestPolicies(validating) })),
      { metrics: { client, register } },
    )
    await ask('HTTP/2', port, { client: world.pki.client })
    await ask('HTTP/1.1', port)
    await ask('HTTP/1.1', port, { path: '/', host: 'other.example' })
    await new Promise((resolve) => {
      const socket = connect({
        host: '127.0.0.1',
        port,
        maxVersion: 'TLSv1.1',
        minVersion: 'TLSv1.1',
        ciphers: 'DEFAULT@SECLEVEL=0',
      })
      socket.on('error', resolve)
    })
    await until(() => gateway.requests === 0)
    const text = await register.metrics()
    for (const line of [
      'requests_total{project="shop",proxy="orders",status="200"} 1',
      'requests_total{project="shop",proxy="orders",status="401"} 1',
      'requests_total{project="",proxy="",status="421"} 1',
      'failures_total{code="request-misdirected"} 1',
      'handshake_failures_total 1',
      'applied_total 1',
      'apply_problems 0',
      'proxies 1',
      'requests 0',
      'request_seconds_count 3',
    ]) {
      expect(text).toContain(`mtls_policy_gateway_${line}`)
    }
    expect(text).toMatch(/certificate_not_after_seconds \d{10}/)
    await expect(world.gateway(undefined, { metrics: { client, register } })).rejects.toMatchObject(
      { code: 'options-conflict' },
    )
  })

  test('logs have ids and no queries', async () => {
    const { lines, logger } = recordLog()
    const { url, server } = await world.upstream()
    const { port } = await world.gateway(
      stateOf(world.snapshot(url, { policies: requestPolicies(validating) })),
      { logger },
    )
    const refused = await ask('HTTP/1.1', port, {
      path: '/a?token=secret',
      headers: { 'x-request-id': 'id-1' },
    })
    await new Promise((closed) => {
      server.close(closed)
      server.closeAllConnections()
    })
    await ask('HTTP/2', port, { client: world.pki.client, path: '/b?token=secret' })
    await until(() => lines.filter(({ message }) => message === 'request').length === 2)
    const ofRefusal = lines.filter(({ facts }) => facts.code === 'certificate-missing')
    expect(ofRefusal.map(({ level, message }) => [level, message])).toEqual([
      ['warn', 'refused'],
      ['info', 'request'],
    ])
    expect(ofRefusal[1]).toMatchObject({
      level: 'info',
      facts: {
        requestId: 'id-1',
        decisionId: JSON.parse(refused.body).instance.slice(9),
        project: 'shop',
        proxy: 'orders',
        path: '/a',
        status: 401,
      },
      message: 'request',
    })
    expect(lines.find(({ message }) => message === 'gateway error')).toMatchObject({
      level: 'warn',
      facts: { code: 'upstream-unreachable', path: '/b' },
      message: 'gateway error',
    })
    expect(JSON.stringify(lines)).not.toContain('secret')
  })
})

describe('listeners', () => {
  test('several, each with its own way to ask', async () => {
    const { cert, key } = await world.certificate('several', ['api.example'])
    const { createGateway } = await import('../../src/gateway/index.ts')
    const base = {
      host: '127.0.0.1',
      port: 0,
      advertise: 'none' as const,
      certificates: [{ hosts: ['api.example'], cert, key }],
    }
    const gateway = await createGateway({
      listeners: [
        { ...base, clientCertificate: 'request' },
        { ...base, clientCertificate: 'none' },
      ],
    })
    world.after(() => gateway.close())
    const { url } = await world.upstream()
    await gateway.apply(stateOf(world.snapshot(url, { policies: requestPolicies(validating) })))
    const statuses = await Promise.all(
      gateway.addresses.map(
        async ({ port }) => (await ask('HTTP/2', port, { client: world.pki.client })).status,
      ),
    )
    expect(statuses).toEqual([200, 401])
    const [first] = gateway.addresses
    await expect(
      createGateway({
        listeners: [
          { ...base, clientCertificate: 'none' },
          { ...base, clientCertificate: 'none', port: first?.port as number },
        ],
      }),
    ).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })

  test('HTTP/2 is preferred, HTTP/1.1 is for who says nothing', async () => {
    const { port } = await world.gateway(stateOf())
    const protocolOf = (protocols?: string[]) =>
      new Promise((resolve) => {
        const socket: TLSSocket = connect(
          {
            ...tlsOptions(port, {}),
            ...(protocols === undefined ? {} : { ALPNProtocols: protocols }),
          },
          () => {
            resolve(socket.alpnProtocol)
            socket.destroy()
          },
        )
      })
    expect(await protocolOf(['http/1.1', 'h2'])).toBe('h2')
    expect(await protocolOf(['http/1.1'])).toBe('http/1.1')
    expect(await protocolOf()).toBe(false)
  })

  test('an idle connection of HTTP/2 is closed, a busy one is not', async () => {
    const { url } = await world.upstream((request, response) => {
      if (request.url === '/slow') setTimeout(() => response.end('x'), 400)
      else response.end('x')
    })
    const { port } = await world.gateway(stateOf(world.snapshot(url)), {
      limits: { keepAliveMs: 100 },
    })
    const busy = await openHttp2(port)
    const slow = askOn(busy, { path: '/slow' })
    const idle = await openHttp2(port)
    await until(() => idle.closed)
    expect((await slow).body).toBe('x')
    expect(http2.constants.NGHTTP2_NO_ERROR).toBe(0)
  })
})
