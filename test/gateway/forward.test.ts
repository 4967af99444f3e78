/** What goes through: to whom, with which lines, and what comes back. */

import type http2 from 'node:http2'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import { connect } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { issueCa } from '../../src/testing/index.ts'
import {
  type Answered,
  ask,
  askOn,
  codeOf,
  openHttp2,
  openWorld,
  raw,
  recordLog,
  requestPolicies,
  seenIn,
  stateOf,
  tlsOptions,
  until,
  validating,
  valuesOf,
  versions,
} from './support.ts'

const world = await openWorld()

/** An upstream that is told all that it is sent. */
function tcpUpstream(work: (socket: Socket, text: string) => void): Promise<string> {
  return world.tcpUpstream((socket) => {
    socket.on('data', (chunk) => work(socket, chunk.toString('latin1')))
  })
}

const idOf = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/

function judged(answer: Answered): readonly unknown[] {
  return [answer.status, codeOf(answer)]
}

describe.each(versions)('%s', (version) => {
  test('a request without policies goes through, whoever asks', async () => {
    const { port } = await world.serve()
    const answer = await ask(version, port, { path: '/a?b=1' })
    expect(answer.status).toBe(200)
    expect(seenIn(answer)).toMatchObject({ method: 'GET', url: '/a?b=1', body: '' })
  })

  test('a body goes through with its length', async () => {
    const { port } = await world.serve()
    const headers = { 'content-length': '5' }
    const answer = await ask(version, port, { method: 'POST', body: 'hello', headers })
    const { rawHeaders, body } = seenIn(answer)
    expect(body).toBe('hello')
    expect(valuesOf(rawHeaders, 'content-length')).toEqual(['5'])
    expect(valuesOf(rawHeaders, 'transfer-encoding')).toEqual([])
  })

  test('a body without a length is sent in chunks, even that of a GET', async () => {
    const { port } = await world.serve()
    const headers: Record<string, string> =
      version === 'HTTP/1.1' ? { 'transfer-encoding': 'chunked' } : {}
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n'
    for (const method of ['GET', 'DELETE', 'POST']) {
      const answer = await ask(version, port, { method, body: smuggled, headers })
      const seen = seenIn(answer)
      expect([seen.method, seen.url, seen.body]).toEqual([method, '/', smuggled])
      expect(valuesOf(seen.rawHeaders, 'transfer-encoding')).toEqual(['chunked'])
    }
  })

  test('where a body is usual, that there is none is said', async () => {
    const { port } = await world.serve()
    const headers = version === 'HTTP/1.1' ? { 'content-length': '0' } : {}
    const answer = await ask(version, port, { method: 'POST', headers })
    const { rawHeaders } = seenIn(answer)
    expect(valuesOf(rawHeaders, 'content-length')).toEqual(['0'])
    expect(valuesOf(rawHeaders, 'transfer-encoding')).toEqual([])
  })

  test('where a request came from is said anew, whatever the client says', async () => {
    const { port } = await world.serve()
    const headers = {
      forwarded: 'for=6.6.6.6',
      'x-forwarded-for': '6.6.6.6',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-user': 'root',
      'x-real-ip': '6.6.6.6',
      'x-original-url': '/admin',
    }
    const { rawHeaders } = seenIn(
      await ask(version, port, { headers, host: `api.example:${port}` }),
    )
    expect(valuesOf(rawHeaders, 'host')).toEqual([`api.example:${port}`])
    expect(valuesOf(rawHeaders, 'x-forwarded-for')).toEqual(['127.0.0.1'])
    expect(valuesOf(rawHeaders, 'x-forwarded-proto')).toEqual(['https'])
    expect(valuesOf(rawHeaders, 'x-forwarded-host')).toEqual([`api.example:${port}`])
    expect(valuesOf(rawHeaders, 'x-forwarded-port')).toEqual([String(port)])
    expect(valuesOf(rawHeaders, 'forwarded')).toEqual([
      `for=127.0.0.1;host="api.example:${port}";proto=https`,
    ])
    for (const name of ['x-forwarded-user', 'x-real-ip', 'x-original-url']) {
      expect(valuesOf(rawHeaders, name)).toEqual([])
    }
    const by = version === 'HTTP/2' ? '2.0' : '1.1'
    expect(valuesOf(rawHeaders, 'via')).toEqual([`${by} mtls-policy`])
  })

  test('lines of one name stay lines, and cookies are one', async () => {
    const { port } = await world.serve()
    const headers = {
      'x-a': ['1', '2'],
      cookie: version === 'HTTP/2' ? ['a=1', 'b=2'] : 'a=1; b=2',
    }
    const { rawHeaders } = seenIn(await ask(version, port, { headers }))
    expect(valuesOf(rawHeaders, 'x-a').join()).toBe('1,2')
    expect(valuesOf(rawHeaders, 'cookie')).toEqual(['a=1; b=2'])
  })

  test('a request id is passed on, or made, and comes back', async () => {
    const { port } = await world.serve()
    const given = await ask(version, port, { headers: { 'x-request-id': 'abc-1' } })
    expect(valuesOf(seenIn(given).rawHeaders, 'x-request-id')).toEqual(['abc-1'])
    expect(given.headers['x-request-id']).toBe('abc-1')
    for (const bad of ['a b', 'x'.repeat(129), '"']) {
      const made = await ask(version, port, { headers: { 'x-request-id': bad } })
      expect(made.headers['x-request-id']).toMatch(idOf)
    }
    const { port: closed } = await world.gateway(stateOf())
    const missing = await ask(version, closed, { headers: { 'x-request-id': 'abc-2' } })
    expect(JSON.parse(missing.body)).toMatchObject({ status: 404, requestId: 'abc-2' })
  })

  test('the base path is the proxy’s own: neither policies nor upstream see it', async () => {
    const { url } = await world.upstream()
    const endpoint = {
      targetScope: 'ENDPOINT',
      targetEndpoint: '/admin',
      targetEndpointHTTPMethod: 'GET',
    }
    const snapshot = world.snapshot(`${url}/v1/`, {
      basePath: '/shop',
      policies: requestPolicies({ ...validating, ...endpoint }),
    })
    const { port } = await world.gateway(stateOf(snapshot))
    const paths = ['/shop', '/shop/', '/shop?a=1', '/shop/x//y?z', '/SHOP/x']
    const seen = await Promise.all(
      paths.map(async (path) => seenIn(await ask(version, port, { path })).url),
    )
    expect(seen).toEqual(['/v1/', '/v1/', '/v1/?a=1', '/v1/x//y?z', '/v1/x'])
    const answer = await ask(version, port, { path: '/shop/x' })
    expect(valuesOf(seenIn(answer).rawHeaders, 'x-forwarded-prefix')).toEqual(['/shop'])
    expect((await ask(version, port, { path: '/shop/admin' })).status).toBe(401)
    expect((await ask(version, port, { path: '/shopping' })).status).toBe(404)
    expect((await ask(version, port, { path: '/' })).status).toBe(404)
  })

  test('what servers read in another way than we do leaves no base path', async () => {
    const { url } = await world.upstream()
    const open = world.snapshot(url, { apiProxy: 'open', basePath: '/open' })
    const rest = world.snapshot(url, { policies: requestPolicies(validating) })
    const { port } = await world.gateway(stateOf(open, rest))
    for (const path of [
      '/open/../x',
      '/open/%2e%2e/x',
      '/open/..;a/x',
      '/open/..%2fx',
      '/open\\..\\x',
      '/open/%252e%252e/x',
      '//open/x',
      '/%6fpen/x',
      '/open;a/x',
    ]) {
      const answer = await ask(version, port, { path })
      expect([path, ...judged(answer)]).toEqual([path, 400, 'request-target-ambiguous'])
    }
    expect((await ask(version, port, { path: '/open/a%20b' })).status).toBe(200)
    expect((await ask(version, port, { path: '/x/%c3%a4' })).status).toBe(401)
  })

  test('an answer comes back whole: status, lines, body', async () => {
    const { port } = await world.serve((_request, response) => {
      response.writeHead(418, {
        'set-cookie': ['a=1', 'b=2'],
        'x-latin': 'caf\u00e9',
        connection: 'x-hop',
        'x-hop': '1',
        'keep-alive': 'timeout=9',
      })
      response.end('teapot')
    })
    const { status, headers, body } = await ask(version, port)
    expect([status, body]).toEqual([418, 'teapot'])
    expect(headers['set-cookie']).toEqual(['a=1', 'b=2'])
    expect(headers['x-latin']).toBe('caf\u00e9')
    expect(headers['x-hop']).toBeUndefined()
  })

  test.each([
    ['GET', undefined],
    ['DELETE', undefined],
    ['POST', '0'],
    ['PROPFIND', '0'],
  ])('%s without a body is forwarded without one', async (method, length) => {
    const { port } = await world.serve((request, response) => {
      response.end(`[${request.headers['transfer-encoding']} ${request.headers['content-length']}]`)
    })
    const text =
      version === 'HTTP/2'
        ? (await ask(version, port, { method })).body
        : await raw(port, `${method} / HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\r\n`)
    expect(text).toContain(`[undefined ${length}]`)
  })

  test('HEAD, 204 and 304 have no body', async () => {
    const { port } = await world.serve((request, response) => {
      response.writeHead(
        Number((request.url ?? '').slice(1)),
        request.method === 'HEAD' ? { 'content-length': '5' } : {},
      )
      response.end()
    })
    const head = await ask(version, port, { method: 'HEAD', path: '/200' })
    expect([head.status, head.headers['content-length'], head.body]).toEqual([200, '5', ''])
    expect((await ask(version, port, { path: '/204' })).status).toBe(204)
    expect((await ask(version, port, { path: '/304' })).status).toBe(304)
  })

  test('trailers come back, and go there without what a header may not say', async () => {
    const { url } = await world.upstream((request, response) => {
      request.resume()
      request.on('end', () => {
        response.writeHead(200, { trailer: 'x-sum' })
        response.write('body')
        response.addTrailers({ 'x-sum': '42', 'x-got': JSON.stringify(request.trailers) })
        response.end()
      })
    })
    const snapshot = world.snapshot(url, {
      upstream: { identityHeaders: { 'X-Client-Subject': 'subject' } },
    })
    const { port } = await world.gateway(stateOf(snapshot))
    if (version === 'HTTP/2') {
      const session = await openHttp2(port)
      world.after(() => session.destroy())
      const stream = session.request(
        { ':method': 'POST', ':authority': 'api.example' },
        { waitForTrailers: true, endStream: false },
      )
      stream.on('wantTrailers', () =>
        stream.sendTrailers({
          'x-mine': '1',
          'x-client-subject': 'CN=admin',
          'x-forwarded-for': '1',
        }),
      )
      const trailers = new Promise<http2.IncomingHttpHeaders>((resolve) =>
        stream.on('trailers', resolve),
      )
      stream.resume()
      stream.end('x')
      expect(await trailers).toMatchObject({ 'x-sum': '42', 'x-got': '{"x-mine":"1"}' })
      return
    }
    const text = await raw(
      port,
      'POST / HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Mine: 1\r\nX-Client-Subject: CN=admin\r\nX-Forwarded-For: 1\r\n\r\n',
    )
    expect(text).toContain('x-sum: 42\r\nx-got: {"x-mine":"1"}\r\n')
  })

  test('100-continue comes from the upstream', async () => {
    let isAsked = false
    const { url, server } = await world.upstream()
    server.on('checkContinue', (request, response) => {
      isAsked = true
      response.writeContinue()
      server.emit('request', request, response)
    })
    const { port } = await world.gateway(stateOf(world.snapshot(url)))
    const answer = await ask(version, port, {
      method: 'POST',
      body: 'hello',
      headers: { expect: '100-continue' },
    })
    expect([isAsked, answer.informed, seenIn(answer).body]).toEqual([true, [100], 'hello'])
    const other = await ask(version, port, {
      method: 'POST',
      body: 'x',
      headers: { expect: 'tea' },
    })
    expect(judged(other)).toEqual([417, 'expectation-failed'])
  })

  test('early hints come through, unless RESPONSE policies have yet to speak', async () => {
    const { url } = await world.upstream((_request, response) => {
      response.writeEarlyHints({ link: '</a.css>; rel=preload; as=style' }, () => response.end('x'))
    })
    const open = await world.gateway(stateOf(world.snapshot(url)))
    expect((await ask(version, open.port)).informed).toEqual([103])
    const closed = await world.gateway(
      stateOf(world.snapshot(url, { policies: { responsePolicyList: [validating] } })),
    )
    expect((await ask(version, closed.port)).informed).toEqual([])
  })

  test('a body above the limit is 413, at once when its length says so', async () => {
    let count = 0
    const { url } = await world.upstream((request, response) => {
      count++
      request.resume()
      request.on('end', () => response.end('x'))
    })
    const { port } = await world.gateway(
      stateOf(world.snapshot(url, { upstream: { maxBodyBytes: 100_000 } })),
    )
    const body = Buffer.alloc(100_001, 'x')
    const long = await ask(version, port, {
      method: 'POST',
      body,
      headers: { 'content-length': '100001' },
    })
    expect([...judged(long), count]).toEqual([413, 'body-too-large', 0])
    const chunked: Record<string, string> =
      version === 'HTTP/1.1' ? { 'transfer-encoding': 'chunked' } : {}
    expect(
      judged(
        await ask(version, port, {
          method: 'POST',
          body: Buffer.alloc(3_000_000, 'x'),
          headers: chunked,
        }),
      ),
    ).toEqual([413, 'body-too-large'])
    expect(
      (await ask(version, port, { method: 'POST', body: body.subarray(1), headers: chunked }))
        .status,
    ).toBe(200)
  })

  test('an upstream that is not there is 502', async () => {
    const { url, server } = await world.upstream()
    await new Promise((closed) => server.close(closed))
    const { port } = await world.gateway(stateOf(world.snapshot(url)))
    expect(judged(await ask(version, port))).toEqual([502, 'upstream-unreachable'])
  })

  test.each([
    ['ends without a word', (socket: Socket) => socket.destroy()],
    ['resets', (socket: Socket) => socket.resetAndDestroy()],
    ['answers nonsense', (socket: Socket) => socket.end('SMTP 220 hello\r\n\r\n')],
    [
      'has both framings',
      (socket: Socket) =>
        socket.end(
          'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
        ),
    ],
    [
      'has a coding that is none of ours',
      (socket: Socket) =>
        socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'),
    ],
    [
      'has two lengths',
      (socket: Socket) =>
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx'),
    ],
    [
      'has a head without end',
      (socket: Socket) => socket.end(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`),
    ],
    ['folds a line', (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nX: a\r\n\x00b: c\r\n\r\n')],
    [
      'switches unasked',
      (socket: Socket) =>
        socket.end(
          'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n',
        ),
    ],
  ])('an upstream that %s is 502', async (_name, work) => {
    const url = await tcpUpstream(work)
    const { port } = await world.gateway(stateOf(world.snapshot(url)))
    expect(judged(await ask(version, port))).toEqual([502, 'upstream-failed'])
  })

  test('a status that HTTP/2 does not have is 502 there', async () => {
    const url = await tcpUpstream((socket) =>
      socket.end('HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n'),
    )
    const { port } = await world.gateway(stateOf(world.snapshot(url)))
    expect((await ask(version, port)).status).toBe(version === 'HTTP/2' ? 502 : 999)
  })

  test('an upstream that stalls is 504', async () => {
    const url = await tcpUpstream(() => {})
    const { port } = await world.gateway(
      stateOf(world.snapshot(url, { upstream: { timeoutMs: 100 } })),
    )
    expect(judged(await ask(version, port))).toEqual([504, 'upstream-timeout'])
  })

  test('an answer that breaks off is broken off', async () => {
    const url = await tcpUpstream((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf', () =>
        setTimeout(() => socket.destroy(), 20),
      )
    })
    const { port } = await world.gateway(stateOf(world.snapshot(url)))
    await expect(ask(version, port)).rejects.toThrow(
      version === 'HTTP/2' ? 'INTERNAL_ERROR' : 'aborted',
    )
  })

  test('an answer that stalls is broken off', async () => {
    const url = await tcpUpstream((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'),
    )
    const { port } = await world.gateway(stateOf(world.snapshot(url)), {
      limits: { answerIdleMs: 100 },
    })
    await expect(ask(version, port)).rejects.toThrow(
      version === 'HTTP/2' ? 'INTERNAL_ERROR' : 'aborted',
    )
  })

  test('a large body and a large answer stream at the pace of the slower side', async () => {
    const { port } = await world.serve((request, response) => request.pipe(response))
    const body = Buffer.alloc(8_000_000, 'abcdefgh')
    const answer = await ask(version, port, { method: 'POST', body })
    expect(answer.body.length).toBe(body.length)
    expect(answer.body === body.toString('latin1')).toBe(true)
  })

  test('a client that goes away ends what it asked for', async () => {
    let isGone = false
    let isAsked = false
    const { port, gateway } = await world.serve((request) => {
      isAsked = true
      request.on('close', () => {
        isGone = true
      })
    })
    const session = version === 'HTTP/2' ? await openHttp2(port) : undefined
    const leaving =
      session === undefined ? raw(port, 'GET / HTTP/1.1\r\nHost: api.example\r\n\r\n') : undefined
    session?.request({ ':authority': 'api.example' }).on('error', () => {})
    await until(() => isAsked)
    if (session !== undefined) session.destroy()
    else await gateway.close()
    await leaving
    await until(() => isGone && gateway.requests === 0)
  })
})

describe('a connection to the upstream', () => {
  test('is kept, and a request is sent again when it had just ended', async () => {
    let connections = 0
    const url = await tcpUpstream((socket, text) => {
      connections++
      const isFirst = (socket as { asked?: boolean }).asked !== true
      ;(socket as { asked?: boolean }).asked = true
      if (isFirst) socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`)
      else {
        expect(text.startsWith('GET')).toBe(true)
        socket.resetAndDestroy()
      }
    })
    const { port } = await world.gateway(stateOf(world.snapshot(url)))
    for (const _time of [1, 2, 3]) expect((await ask('HTTP/1.1', port)).body).toBe('ok')
    expect(connections).toBeGreaterThan(3)
  })

  test('a request with a body is not sent again', async () => {
    let requests = 0
    const url = await tcpUpstream((socket) => {
      if (++requests === 1) socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`)
      else socket.resetAndDestroy()
    })
    const { port } = await world.gateway(stateOf(world.snapshot(url)))
    const asked = { method: 'POST', body: 'x', headers: { 'content-length': '1' } }
    expect((await ask('HTTP/1.1', port, asked)).status).toBe(200)
    expect(judged(await ask('HTTP/1.1', port, asked))).toEqual([502, 'upstream-failed'])
  })

  test('by TLS is verified', async () => {
    const ca = await issueCa('Upstream CA')
    const issued = await ca.issue('localhost', {
      subjectAltName: [{ dns: 'localhost' }],
      extendedKeyUsage: ['serverAuth'],
    })
    let names: unknown[] = []
    const server = createTlsServer(
      { cert: issued.chainPem, key: issued.privateKeyPem },
      (request, response) => {
        names.push((request.socket as { servername?: unknown }).servername, request.headers.host)
        response.end('secret')
      },
    )
    const upstreamPort = await world.listen(server)
    const snapshot = world.snapshot(`https://localhost:${upstreamPort}`)
    const trusting = await world.gateway(stateOf(snapshot), { upstream: { ca: ca.pem } })
    expect((await ask('HTTP/1.1', trusting.port)).body).toBe('secret')
    expect(names).toEqual(['localhost', 'api.example'])
    names = []
    const renaming = await world.gateway(stateOf(snapshot), {
      upstream: { ca: ca.pem, host: 'upstream' },
    })
    expect((await ask('HTTP/1.1', renaming.port)).body).toBe('secret')
    expect(names).toEqual(['localhost', `localhost:${upstreamPort}`])
    const strict = await world.gateway(stateOf(snapshot))
    expect(judged(await ask('HTTP/1.1', strict.port))).toEqual([502, 'upstream-failed'])
    const elsewhere = world.snapshot(`https://127.0.0.1:${upstreamPort}`)
    const misnamed = await world.gateway(stateOf(elsewhere), { upstream: { ca: ca.pem } })
    expect(judged(await ask('HTTP/1.1', misnamed.port))).toEqual([502, 'upstream-failed'])
  })
})

describe('slow clients', () => {
  test('a head that does not end is 408', async () => {
    const { port } = await world.gateway(stateOf(), { limits: { headMs: 200 } })
    const text = await raw(port, 'GET / HTTP/1.1\r\nHost: api')
    expect(text).toMatch(/^HTTP\/1\.1 408 /)
    expect(text).toContain('"code":"request-timeout"')
  })

  test('what comes behind a 408 is no request', async () => {
    const { lines, logger } = recordLog()
    const { url } = await world.upstream()
    const { port } = await world.gateway(stateOf(world.snapshot(url)), {
      limits: { headMs: 100 },
      logger,
    })
    for (const upgrade of ['', 'Connection: Upgrade\r\nUpgrade: websocket\r\n']) {
      const text = await new Promise<string>((resolve, reject) => {
        let received = ''
        const socket = connect(tlsOptions(port), () =>
          socket.write(`GET / HTTP/1.1\r\nHost: api.example\r\n${upgrade}X: `),
        )
        // It knows the answer, and goes on.
        socket.on('data', (data) => {
          received += data
          socket.write('y\r\n\r\n')
        })
        socket.on('error', reject)
        socket.on('close', () => resolve(received))
      })
      expect(text.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 408'])
    }
    expect(lines.map(({ message }) => message)).toEqual(['state in force'])
  })

  test('a body that stalls is 408, and the upstream is not kept waiting', async () => {
    let isGone = false
    const { url } = await world.upstream((request) => {
      request.on('error', () => {})
      request.on('close', () => {
        isGone = true
      })
      request.resume()
    })
    const { port } = await world.gateway(stateOf(world.snapshot(url)), {
      limits: { bodyIdleMs: 100 },
    })
    const text = await raw(
      port,
      'POST / HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\nContent-Length: 10\r\n\r\nhalf',
    )
    expect(text).toMatch(/^HTTP\/1\.1 408 /)
    await until(() => isGone)
  })

  test('a body that drips is 408 in the end', async () => {
    const { url } = await world.upstream((request) => request.resume())
    const { port } = await world.gateway(stateOf(world.snapshot(url)), {
      limits: { requestMs: 200 },
    })
    const session = await openHttp2(port)
    world.after(() => session.destroy())
    const stream = session.request({ ':method': 'POST', ':authority': 'api.example' })
    stream.on('error', () => {})
    const drip = setInterval(() => stream.write('x'), 10)
    world.after(() => clearInterval(drip))
    const status = await new Promise((resolve) =>
      stream.on('response', (head) => resolve(head[':status'])),
    )
    clearInterval(drip)
    expect(status).toBe(408)
  })

  test('several requests share one connection of HTTP/2, and one that fails leaves the others alone', async () => {
    const { port } = await world.serve((request, response) => {
      if (request.url === '/bad') request.socket.destroy()
      else setTimeout(() => response.end('ok'), 30)
    })
    const session = await openHttp2(port)
    world.after(() => session.destroy())
    const answers = await Promise.all(
      ['/', '/bad', '/', '/none'].map((path) => askOn(session, { path })),
    )
    expect(answers.map(({ status }) => status)).toEqual([200, 502, 200, 200])
  })
})
