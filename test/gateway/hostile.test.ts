/** What clients send to be taken for others, or for several. */
import { describe, expect, test } from 'vitest'
import * as sources from '../../src/http/sources/index.ts'
import {
  ask,
  askOn,
  codeOf,
  openHttp2,
  openWorld,
  raw,
  requestPolicies,
  seenIn,
  stateOf,
  until,
  validating,
  valuesOf,
  versions,
} from './support.ts'

const world = await openWorld()

const host = 'Host: api.example\r\n'

describe('HTTP/1.1: what is framed in two ways', () => {
  test.each([
    [
      'both framings',
      `POST / HTTP/1.1\r\n${host}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    [
      'two lengths',
      `POST / HTTP/1.1\r\n${host}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde`,
      400,
    ],
    ['a list of lengths', `POST / HTTP/1.1\r\n${host}Content-Length: 4, 4\r\n\r\nabcd`, 400],
    ['a signed length', `POST / HTTP/1.1\r\n${host}Content-Length: +4\r\n\r\nabcd`, 400],
    ['a length in hexadecimal', `POST / HTTP/1.1\r\n${host}Content-Length: 0x4\r\n\r\nabcd`, 400],
    [
      'a coding that is none',
      `POST / HTTP/1.1\r\n${host}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
      501,
    ],
    [
      'a coding before chunked',
      `POST / HTTP/1.1\r\n${host}Transfer-Encoding: gzip, chunked\r\nConnection: close\r\n\r\n0\r\n\r\n`,
      501,
    ],
    [
      'chunked twice',
      `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n`,
      400,
    ],
    [
      'chunked not last',
      `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`,
      400,
    ],
    [
      'a space before the colon',
      `POST / HTTP/1.1\r\n${host}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['a folded line', `GET / HTTP/1.1\r\n${host}X: a\r\n b\r\n\r\n`, 400],
    ['a bare CR', `GET / HTTP/1.1\r\n${host}X: a\rY: b\r\n\r\n`, 400],
    ['a bare LF', `GET / HTTP/1.1\nHost: api.example\n\n`, 400],
    ['a NUL', `GET / HTTP/1.1\r\n${host}X: a\0b\r\n\r\n`, 400],
    [
      'a chunk size with a sign',
      `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n`,
      400,
    ],
    [
      'chunked of an HTTP/1.0 client',
      `POST / HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['another protocol', 'EHLO api.example\r\n\r\n', 400],
    ['a head without end', `GET / HTTP/1.1\r\n${host}X: ${'x'.repeat(40_000)}\r\n\r\n`, 431],
  ])('%s', async (_name, text, status) => {
    let requests = 0
    const { port } = await world.serve((_request, response) => {
      requests++
      response.end('let in')
    })
    const answer = await raw(port, text)
    // What is found while the body is read has the connection closed.
    expect(answer === '' || answer.startsWith(`HTTP/1.1 ${status} `)).toBe(true)
    expect(answer.match(/^HTTP\/1\.1 /gm)?.length ?? 0).toBeLessThan(2)
    expect(answer).not.toContain('let in')
    expect(requests).toBeLessThan(2)
  })

  test('requests one behind the other are each judged by themselves', async () => {
    const { url } = await world.upstream()
    const policies = requestPolicies({
      ...validating,
      targetScope: 'ENDPOINT',
      targetEndpoint: '/admin',
      targetEndpointHTTPMethod: 'GET',
    })
    const { port } = await world.gateway(stateOf(world.snapshot(url, { policies })))
    const text = await raw(port, `GET /a HTTP/1.1\r\n${host}\r\nGET /admin HTTP/1.1\r\n${host}\r\n`)
    expect([...text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => status)).toEqual([
      '200',
      '401',
    ])
  })
})

describe('methods', () => {
  test.each(versions)('%s: TRACE is refused', async (version) => {
    const { port } = await world.serve()
    const answer = await ask(version, port, { method: 'TRACE' })
    expect([answer.status, codeOf(answer)]).toEqual([405, 'method-not-allowed'])
    expect(answer.headers.allow).toContain('GET')
  })

  test('CONNECT is refused', async () => {
    const { port } = await world.serve()
    const text = await raw(port, `CONNECT internal:22 HTTP/1.1\r\n${host}\r\n`)
    expect(text).toMatch(/^HTTP\/1\.1 405 /)
    const session = await openHttp2(port)
    world.after(() => session.destroy())
    const stream = session.request({ ':method': 'CONNECT', ':authority': 'internal:22' })
    const status = await new Promise((resolve) =>
      stream.on('response', (head) => resolve(head[':status'])),
    )
    expect(status).toBe(405)
  })

  test('HTTP/2: a method in lower case, or none at all', async () => {
    const { port } = await world.serve()
    expect((await ask('HTTP/2', port, { method: 'trace' })).status).toBe(405)
    expect((await ask('HTTP/2', port, { method: 'get' })).status).toBe(405)
    const odd = await ask('HTTP/2', port, { method: 'GET /x HTTP/1.1' }).catch(({ code }) => code)
    expect(odd).toBe('ERR_HTTP2_STREAM_ERROR')
    expect((await ask('HTTP/2', port, { method: 'PROPFIND' })).status).toBe(200)
  })
})

describe.each(versions)('%s: lines', (version) => {
  test('of any source of certificates go nowhere', async () => {
    const { port } = await world.serve()
    const formOf = new Map<unknown, object>([
      [sources.envoy, { form: 'text' }],
      [sources.istio, { form: 'text' }],
      [sources.cloudflare, { form: 'rfc9440' }],
    ])
    const trust = { addresses: ['10.0.0.0/8'] }
    const presets = [
      sources.akamai,
      sources.albPassthrough,
      sources.albVerify,
      sources.apache,
      sources.azureAppService,
      sources.azureApplicationGateway,
      sources.caddy,
      sources.cloudFront,
      sources.cloudflare,
      sources.envoy,
      sources.googleCloud,
      sources.gravitee,
      sources.haproxy,
      sources.ingressNginx,
      sources.istio,
      sources.linkerd,
      sources.nginx,
      sources.rfc9440,
      sources.traefik,
    ] as unknown as readonly ((options: object) => { readonly headers: readonly string[] })[]
    const names = new Set(
      presets.flatMap((preset) => preset({ trust, ...formOf.get(preset) }).headers),
    )
    expect(names.size).toBeGreaterThan(30)
    for (const joint of ['-', '_', '.']) {
      const spelled = [...names].map((name) => [name.replaceAll('-', joint), '1'])
      const answer = await ask(version, port, { headers: Object.fromEntries(spelled) })
      const passed = seenIn(answer)
        .rawHeaders.filter((_text, index) => index % 2 === 0)
        .map((name) => name.toLowerCase().replaceAll(joint, '-'))
      expect(passed.filter((name) => names.has(name))).toEqual([])
    }
  })

  test('that belong to a connection end there', async () => {
    const { port } = await world.serve()
    const headers: Record<string, string> =
      version === 'HTTP/2'
        ? {
            te: 'trailers',
            'proxy-authorization': 'Basic x',
            transfer_encoding: 'chunked',
            content_length: '5',
            'content.length': '6',
          }
        : {
            connection: 'keep-alive, X-Hop',
            'x-hop': '1',
            te: 'trailers',
            'proxy-authorization': 'Basic x',
            'keep-alive': 'timeout=9',
            transfer_encoding: 'chunked',
            content_length: '5',
            'content.length': '6',
          }
    const { rawHeaders } = seenIn(await ask(version, port, { headers }))
    for (const name of [
      'x-hop',
      'te',
      'proxy-authorization',
      'keep-alive',
      'transfer_encoding',
      'content_length',
      'content.length',
      'http2-settings',
    ]) {
      expect([name, valuesOf(rawHeaders, name)]).toEqual([name, []])
    }
    expect(valuesOf(rawHeaders, 'connection')).toEqual(['keep-alive'])
  })

  test('that would be two are none', async () => {
    const { port } = await world.serve()
    if (version === 'HTTP/1.1') return
    const session = await openHttp2(port)
    world.after(() => session.destroy())
    const value = 'a\r\nX-Injected: 1'
    for (const [name, text] of [
      ['x-a', value],
      ['x-request-id', value],
      ['cookie', value],
      ['via', 'a\nX-Injected: 1'],
    ]) {
      // The parser drops such a line, or resets the stream.
      const answer = await askOn(session, { headers: { [name as string]: text as string } }).catch(
        () => undefined,
      )
      if (answer === undefined) continue
      const { rawHeaders } = seenIn(answer)
      expect(valuesOf(rawHeaders, 'x-injected')).toEqual([])
      expect(rawHeaders.some((line) => /[\r\n\0]/.test(line))).toBe(false)
    }
  })

  test('that are nominated by Connection cannot be those that the gateway sets', async () => {
    if (version === 'HTTP/2') return
    const { url } = await world.upstream()
    const snapshot = world.snapshot(url, {
      policies: requestPolicies(validating),
      upstream: { identityHeaders: { 'X-Client-Subject': 'subject' } },
    })
    const { port } = await world.gateway(stateOf(snapshot))
    const names = [
      'X-Client-Subject',
      'X-Forwarded-For',
      'X-Request-Id',
      'Host',
      'Via',
      'Content-Length',
      'Forwarded',
    ]
    const headers = { connection: `close, ${names.join(', ')}` }
    const { rawHeaders } = seenIn(
      await ask(version, port, { client: world.pki.client, headers, method: 'POST', body: 'x' }),
    )
    expect(valuesOf(rawHeaders, 'x-client-subject')).toEqual(['CN=client-a,O=Example'])
    expect(valuesOf(rawHeaders, 'x-forwarded-for')).toEqual(['127.0.0.1'])
    expect(valuesOf(rawHeaders, 'host')).toEqual(['api.example'])
    expect(valuesOf(rawHeaders, 'content-length')).toEqual(['1'])
    expect(valuesOf(rawHeaders, 'x-request-id')).toHaveLength(1)
  })

  test('that name another method are none where policies go by method', async () => {
    const { url } = await world.upstream()
    const place = {
      targetScope: 'ENDPOINT',
      targetEndpoint: '/a',
      targetEndpointHTTPMethod: 'DELETE',
    }
    const policies = requestPolicies({ ...validating, ...place })
    const { port } = await world.gateway(stateOf(world.snapshot(url, { policies })))
    const headers = { 'x-http-method-override': 'DELETE' }
    const { rawHeaders } = seenIn(await ask(version, port, { method: 'POST', path: '/a', headers }))
    expect(valuesOf(rawHeaders, 'x-http-method-override')).toEqual([])
  })
})

describe('TLS', () => {
  test('of before 1.2 is not spoken', async () => {
    const { port } = await world.gateway(stateOf())
    const { connect } = await import('node:tls')
    const error = await new Promise<NodeJS.ErrnoException>((resolve, reject) => {
      const socket = connect({
        host: '127.0.0.1',
        port,
        rejectUnauthorized: false,
        minVersion: 'TLSv1.1',
        maxVersion: 'TLSv1.1',
        ciphers: 'DEFAULT@SECLEVEL=0',
      })
      socket.on('error', resolve)
      socket.on('secureConnect', () => reject(new Error('connected')))
    })
    expect(error.code).toMatch(/^ERR_SSL|ECONNRESET|EPROTO/)
  })

  test('that is none harms nobody', async () => {
    const { port } = await world.serve()
    const { connect } = await import('node:net')
    for (const text of ['GET / HTTP/1.1\r\nHost: a\r\n\r\n', '\x16\x03\x01\x00\x05hello', '']) {
      await new Promise<void>((resolve) => {
        const socket = connect(port, '127.0.0.1', () => socket.end(text, 'latin1'))
        socket.on('error', () => {})
        socket.resume()
        socket.on('close', () => resolve())
      })
    }
    expect((await ask('HTTP/1.1', port)).status).toBe(200)
  })
})

describe('whatever comes', () => {
  test('HTTP/1.1: half a thousand requests, each with a few octets changed', async () => {
    const { url } = await world.upstream()
    const { port, gateway } = await world.gateway(
      stateOf(world.snapshot(url, { policies: requestPolicies(validating) })),
      { limits: { headMs: 300, bodyIdleMs: 300 } },
    )
    const good = [
      `POST /a?b HTTP/1.1\r\n${host}Content-Length: 5\r\nX: y\r\nConnection: close\r\n\r\nhello`,
      `POST /a HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n`,
      `GET /ws HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n`,
    ]
    // A generator of our own, so that a failure comes again.
    let seed = 7
    const below = (end: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
      return seed % end
    }
    const mutated = Array.from({ length: 500 }, (_, n) => {
      const octets = Buffer.from(good[n % good.length] as string, 'latin1')
      for (let changes = 1 + below(4); changes > 0; changes--)
        octets[below(octets.length)] = below(256)
      return octets.toString('latin1')
    })
    const answers: string[] = []
    for (let at = 0; at < mutated.length; at += 50) {
      const some = mutated.slice(at, at + 50).map((text) => raw(port, text))
      answers.push(...(await Promise.all(some)))
    }
    for (const answer of answers) {
      expect(
        answer === '' ||
          /^HTTP\/1\.1 (?:400|401|404|405|408|413|417|421|431|501|505) /.test(answer),
      ).toBe(true)
    }
    expect((await ask('HTTP/1.1', port, { client: world.pki.client })).status).toBe(200)
    await until(() => gateway.requests === 0)
  })

  test.each(['HTTP/0.9', 'HTTP/2.0'])(
    'HTTP/1.1: a request that says %s is 505',
    async (version) => {
      const { port } = await world.serve()
      expect(await raw(port, `GET / ${version}\r\n${host}\r\n`)).toMatch(/^HTTP\/1\.1 505 /)
      const upgrade = `${host}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`
      expect(await raw(port, `GET / ${version}\r\n${upgrade}`)).toMatch(/^HTTP\/1\.1 505 /)
    },
  )

  test('HTTP/2: frames of noise behind a good beginning', async () => {
    const { port, gateway } = await world.serve()
    const { connect } = await import('node:tls')
    for (let n = 0; n < 50; n++) {
      const noise = Buffer.from(Array.from({ length: 200 }, (_, at) => (at * 31 + n * 17) % 256))
      // A length that is told, a type and flags, and stream 1.
      noise.set([0, 0, 100, n % 12, n % 64, 0, 0, 0, 1])
      await new Promise<void>((resolve) => {
        const socket = connect(
          {
            host: '127.0.0.1',
            port,
            servername: 'api.example',
            rejectUnauthorized: false,
            ALPNProtocols: ['h2'],
          },
          () => {
            socket.write(
              'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00',
              'latin1',
            )
            socket.end(noise)
          },
        )
        socket.resume()
        socket.on('error', () => {})
        socket.on('close', () => resolve())
      })
    }
    expect((await ask('HTTP/2', port)).status).toBe(200)
    await until(() => gateway.requests === 0)
  })

  test('HTTP/2: a body that is longer than it says', async () => {
    let body = ''
    const { port } = await world.serve((request, response) => {
      request.on('error', () => {})
      request.on('data', (chunk) => {
        body += chunk
      })
      request.on('end', () => response.end('x'))
    })
    const headers = { 'content-length': '2' }
    const smuggled = 'xxGET /smuggled HTTP/1.1\r\n\r\n'
    const asked = ask('HTTP/2', port, { method: 'POST', headers, body: smuggled })
    await expect(asked).rejects.toMatchObject({ code: expect.anything() })
    expect(body.length).toBeLessThan(3)
  })

  test('a hook that throws refuses the request, and no other', async () => {
    const { url } = await world.upstream()
    let isThrowing = true
    const hooks = {
      decision: () => {
        if (isThrowing) throw new Error('hook')
      },
    }
    const policies = requestPolicies(validating)
    const { port } = await world.gateway(stateOf(world.snapshot(url, { policies })), { hooks })
    for (const version of versions) {
      expect((await ask(version, port, { client: world.pki.client })).status).toBe(500)
    }
    isThrowing = false
    expect((await ask('HTTP/2', port, { client: world.pki.client })).status).toBe(200)
  })

  test('a client of HTTP/1.0 is served, and its connection closed', async () => {
    const { port } = await world.serve((_request, response) => {
      response.write('a')
      response.end('b')
    })
    const text = await raw(port, `GET / HTTP/1.0\r\n${host}\r\n`)
    expect(text).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\n\r\nab$/)
    expect(text).not.toMatch(/transfer-encoding/i)
  })
})
