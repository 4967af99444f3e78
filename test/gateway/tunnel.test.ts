/** WebSockets: let in once, and let stay for as long as they would be let in. */
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { Snapshot } from '../../src/deployment/snapshot.ts'
import { issueCa } from '../../src/testing/index.ts'
import {
  type Credentials,
  openWorld,
  raw,
  recordLog,
  requestPolicies,
  stateOf,
  tlsOptions,
  until,
  validating,
  valuesOf,
} from './support.ts'

const world = await openWorld()

const upgrade =
  'GET / HTTP/1.1\r\nHost: api.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'

/** Says back what it hears, and begins with the header lines that it saw. */
async function echoServer(): Promise<string> {
  const { url, server } = await world.upstream((_request, response) => {
    response.writeHead(426, { 'x-from': 'upstream' })
    response.end('use a WebSocket')
  })
  const webSockets = new WebSocketServer({ noServer: true })
  server.on('upgrade', (request, socket: Duplex, head: Buffer) => {
    if (request.url === '/refuse') {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nX-From: upstream\r\n\r\nno')
      return
    }
    if (request.url === '/h2c') {
      socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n')
      return
    }
    if (request.url === '/stall') return
    webSockets.handleUpgrade(request, socket, head, (one) => {
      one.send(JSON.stringify({ rawHeaders: request.rawHeaders, url: request.url }))
      one.on('message', (data, isBinary) => one.send(data, { binary: isBinary }))
      one.on('error', () => {})
    })
  })
  world.after(() => {
    for (const one of webSockets.clients) one.terminate()
  })
  return url
}

interface Open {
  readonly webSocket: WebSocket
  readonly messages: string[]
  readonly closed: () => number | undefined
}

async function open(port: number, client?: Credentials, path = '/ws', headers = {}): Promise<Open> {
  const { rejectUnauthorized, cert, key } = tlsOptions(port, { client })
  const webSocket = new WebSocket(`wss://127.0.0.1:${port}${path}`, {
    servername: 'api.example',
    rejectUnauthorized,
    headers: { host: 'api.example', ...headers },
    ...(cert === undefined ? {} : { cert, key }),
  } as ConstructorParameters<typeof WebSocket>[2])
  world.after(() => webSocket.terminate())
  const messages: string[] = []
  let code: number | undefined
  webSocket.on('message', (data) => messages.push(String(data)))
  webSocket.on('close', (one) => {
    code = one
  })
  await new Promise<void>((resolve, reject) => {
    webSocket.once('open', () => resolve())
    webSocket.once('unexpected-response', (_request, response) => {
      let body = ''
      response.on('data', (chunk) => {
        body += chunk
      })
      response.on('end', () =>
        reject(
          Object.assign(new Error(body), {
            status: response.statusCode,
            headers: response.headers,
          }),
        ),
      )
    })
    webSocket.once('error', reject)
  })
  webSocket.on('error', () => {})
  return { webSocket, messages, closed: () => code }
}

const guarded = (more: Partial<Snapshot> = {}) => ({
  policies: requestPolicies(validating),
  ...more,
})

describe('a WebSocket', () => {
  test('goes through both ways, with who the client is', async () => {
    const url = await echoServer()
    const snapshot = world.snapshot(url, {
      ...guarded(),
      basePath: '/live',
      upstream: { identityHeaders: { 'X-Client-Subject': 'subject' } },
    })
    const { port, gateway } = await world.gateway(stateOf(snapshot))
    const { webSocket, messages } = await open(port, world.pki.client, '/live/a?b', {
      'x-client-subject': 'CN=admin',
      'x-forwarded-for': '1',
    })
    await until(() => messages.length === 1)
    const seen = JSON.parse(messages[0] as string)
    expect(seen.url).toBe('/a?b')
    expect(valuesOf(seen.rawHeaders, 'x-client-subject')).toEqual(['CN=client-a,O=Example'])
    expect(valuesOf(seen.rawHeaders, 'x-forwarded-for')).toEqual(['127.0.0.1'])
    expect(valuesOf(seen.rawHeaders, 'connection')).toEqual(['Upgrade'])
    const large = 'x'.repeat(1_000_000)
    webSocket.send('hello')
    webSocket.send(large)
    await until(() => messages.length === 3)
    expect(messages.slice(1)).toEqual(['hello', large])
    webSocket.close(1000)
    await until(() => gateway.requests === 0)
  })

  test('without policies goes through, whoever asks', async () => {
    const { port } = await world.gateway(stateOf(world.snapshot(await echoServer())))
    const { messages } = await open(port)
    await until(() => messages.length === 1)
  })

  test('is refused by REQUEST, and never reaches the upstream', async () => {
    const { port } = await world.gateway(stateOf(world.snapshot(await echoServer(), guarded())))
    await expect(open(port)).rejects.toMatchObject({ status: 401 })
  })

  test('is refused by RESPONSE, after the upstream has agreed', async () => {
    const policies = {
      responsePolicyList: [validating],
      errorPolicyList: [{ ...validating, name: 'last' }],
    }
    const { port, gateway } = await world.gateway(
      stateOf(world.snapshot(await echoServer(), { policies })),
    )
    await expect(open(port)).rejects.toMatchObject({ status: 401 })
    const { messages } = await open(port, world.pki.client)
    await until(() => messages.length === 1)
    await gateway.close()
    await until(() => gateway.requests === 0)
  })

  test('that the upstream refuses has its answer', async () => {
    const { port } = await world.gateway(stateOf(world.snapshot(await echoServer())))
    await expect(open(port, undefined, '/refuse')).rejects.toMatchObject({
      status: 403,
      message: 'no',
      headers: { 'x-from': 'upstream' },
    })
  })

  test('that becomes another protocol is 502', async () => {
    const { port } = await world.gateway(stateOf(world.snapshot(await echoServer())))
    await expect(open(port, undefined, '/h2c')).rejects.toMatchObject({ status: 502 })
  })

  test('to an upstream that stalls is 504, to one that is not there 502', async () => {
    const stalling = world.snapshot(await echoServer(), { upstream: { timeoutMs: 100 } })
    const { port } = await world.gateway(stateOf(stalling))
    await expect(open(port, undefined, '/stall')).rejects.toMatchObject({ status: 504 })
    const { url, server } = await world.upstream()
    await new Promise((closed) => server.close(closed))
    const policies = { errorPolicyList: [validating] }
    const gone = await world.gateway(stateOf(world.snapshot(url, { policies })))
    await expect(open(gone.port)).rejects.toMatchObject({ status: 401 })
    await expect(open(gone.port, world.pki.client)).rejects.toMatchObject({ status: 502 })
  })

  test('nowhere is 404', async () => {
    const { port } = await world.gateway(stateOf())
    await expect(open(port)).rejects.toMatchObject({ status: 404 })
  })

  test.each([
    [
      'h2c',
      'GET / HTTP/1.1\r\nHost: api.example\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n',
      501,
    ],
    [
      'two protocols',
      'GET / HTTP/1.1\r\nHost: api.example\r\nConnection: Upgrade\r\nUpgrade: websocket, h2c\r\n\r\n',
      501,
    ],
    [
      'another method',
      'POST / HTTP/1.1\r\nHost: api.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      400,
    ],
    [
      'a body',
      'GET / HTTP/1.1\r\nHost: api.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 28\r\n\r\nGET /admin HTTP/1.1\r\nHost: x',
      400,
    ],
    [
      'another host',
      'GET / HTTP/1.1\r\nHost: other.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      421,
    ],
  ])('with %s is refused', async (_name, text, status) => {
    const { port } = await world.gateway(stateOf(world.snapshot(await echoServer())))
    expect((await raw(port, text)).slice(0, 12)).toBe(`HTTP/1.1 ${status}`)
  })

  test('whose upstream goes away is ended', async () => {
    const sockets = new Set<Socket>()
    const url = await world.tcpUpstream((socket) => {
      sockets.add(socket)
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      )
    })
    const { port, gateway } = await world.gateway(stateOf(world.snapshot(url)))
    const text = raw(port, upgrade)
    await until(() => sockets.size === 1)
    for (const socket of sockets) socket.resetAndDestroy()
    await text
    await until(() => gateway.requests === 0)
  })
})

describe('an upstream of WebSockets', () => {
  /** What it is sent, and says to the first of it. */
  async function saying(text: string) {
    let received = ''
    const url = await world.tcpUpstream((socket) => {
      socket.once('data', () => socket.write(text, 'latin1'))
      socket.on('data', (data) => {
        received += data.toString('latin1')
      })
    })
    return { url, received: () => received }
  }
  const agreed =
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'

  test('gets what the client sent along, once it has agreed, and not before', async () => {
    const { url, received } = await saying(`${agreed}hello`)
    const { port, gateway } = await world.gateway(stateOf(world.snapshot(url)))
    let answer = ''
    const socket = connect(tlsOptions(port), () => socket.write(`${upgrade}early`))
    world.after(() => socket.destroy())
    socket.on('data', (data) => {
      answer += data
    })
    await until(() => answer.endsWith('hello') && received().endsWith('early'))
    expect(received().split('\r\n\r\n')).toHaveLength(2)
    socket.destroy()
    await until(() => gateway.requests === 0)
  })

  test.each([
    ['a status that is none', 'HTTP/1.1 099 Odd\r\nContent-Length: 2\r\n\r\nno', 502],
    ['another protocol', agreed.replace('websocket', 'h2c'), 502],
    ['that it changes, and not its connection', agreed.replace('Connection: Upgrade\r\n', ''), 502],
  ])('that answers %s is %3$i', async (_, text, status) => {
    const { url } = await saying(text)
    const { port } = await world.gateway(stateOf(world.snapshot(url)))
    const answer = await raw(port, upgrade)
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(answer).toContain('"code":"upstream-failed"')
  })

  test('that breaks its refusal off breaks off', async () => {
    const url = await world.tcpUpstream((socket) => {
      socket.once('data', () =>
        socket.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 10\r\n\r\nhalf', () =>
          socket.resetAndDestroy(),
        ),
      )
    })
    const { port, gateway } = await world.gateway(stateOf(world.snapshot(url)))
    expect(await raw(port, upgrade)).not.toMatch(/half.+/)
    await until(() => gateway.requests === 0)
  })

  test('is spoken to by TLS where its URL says so, and verified', async () => {
    const ca = await issueCa('Upstream CA')
    const issued = await ca.issue('localhost', {
      subjectAltName: [{ dns: 'localhost' }],
      extendedKeyUsage: ['serverAuth'],
    })
    const server = createTlsServer({ cert: issued.chainPem, key: issued.privateKeyPem })
    server.on('upgrade', (_request, socket: Duplex) => socket.end(`${agreed}hello`))
    const snapshot = world.snapshot(`https://localhost:${await world.listen(server)}`)
    const trusting = await world.gateway(stateOf(snapshot), { upstream: { ca: ca.pem } })
    expect(await raw(trusting.port, upgrade)).toMatch(/^HTTP\/1\.1 101 [\s\S]*hello$/)
    const strict = await world.gateway(stateOf(snapshot))
    expect(await raw(strict.port, upgrade)).toMatch(/^HTTP\/1\.1 502 /)
  })
})

describe('a WebSocket in the log', () => {
  test('has its end, and why it was refused', async () => {
    const { lines, logger } = recordLog()
    const snapshot = world.snapshot(await echoServer(), guarded())
    const { port, gateway } = await world.gateway(stateOf(snapshot), { logger })
    await raw(port, upgrade.replace('GET / ', 'GET /ws?token=secret '))
    await raw(port, upgrade.replace('websocket', 'h2c'))
    const { webSocket, messages } = await open(port, world.pki.client)
    await until(() => messages.length === 1)
    webSocket.close(1000)
    await until(() => gateway.requests === 0)
    const ends = lines.filter(({ message }) => message === 'websocket')
    expect(ends).toMatchObject([
      { level: 'info', facts: { status: 401, code: 'certificate-missing', path: '/ws' } },
      { level: 'info', facts: { status: 501, code: 'upgrade-unsupported', path: '/' } },
      { level: 'debug', facts: { status: 101, project: 'shop', proxy: 'orders', path: '/ws' } },
    ])
    expect(ends[0]?.facts.decisionId).toMatch(/^[\da-f-]{36}$/)
    expect(JSON.stringify(lines)).not.toContain('secret')
  })
})

describe('an open WebSocket is ended', () => {
  async function opened(more: Partial<Snapshot> = {}) {
    const snapshot = world.snapshot(await echoServer(), guarded(more))
    const { port, gateway } = await world.gateway(stateOf(snapshot))
    return { snapshot, gateway, port, ...(await open(port, world.pki.client)) }
  }

  test('when its client is killed', async () => {
    const { snapshot, gateway, closed } = await opened()
    const entry = { issuer: 'CN=Example Issuing CA,O=Example' }
    await gateway.apply({
      ...stateOf(snapshot),
      killList: [{ project: 'shop', apiProxy: null, entry }],
    })
    await until(() => closed() !== undefined)
    expect(closed()).toBe(1008)
    await until(() => gateway.requests === 0)
  })

  test('when other policies would not let it in', async () => {
    const { snapshot, gateway, closed } = await opened()
    const strict = {
      ...snapshot,
      policies: requestPolicies({ ...validating, clientAcl: 'allow dn CN=somebody' }),
    }
    expect((await gateway.apply(stateOf(strict))).problems).toEqual([])
    await until(() => closed() !== undefined)
    expect(closed()).toBe(1008)
  })

  test('when policies come where there were none', async () => {
    const snapshot = world.snapshot(await echoServer())
    const { port, gateway } = await world.gateway(stateOf(snapshot))
    const nobody = await open(port)
    const somebody = await open(port, world.pki.client)
    await gateway.apply(stateOf({ ...snapshot, policies: requestPolicies(validating) }))
    await until(() => nobody.closed() !== undefined)
    expect(nobody.closed()).toBe(1008)
    somebody.webSocket.send('still here')
    await until(() => somebody.messages.includes('still here'))
  })

  test('when its proxy is gone', async () => {
    const { gateway, closed } = await opened()
    await gateway.apply(stateOf())
    await until(() => closed() !== undefined)
    expect(closed()).toBe(1001)
  })

  test('when its certificate runs out', async () => {
    const snapshot = world.snapshot(await echoServer(), guarded())
    const { port } = await world.gateway(stateOf(snapshot))
    const client = await world.pki.issuing.issue('short', {
      notAfter: Math.floor(Date.now() / 1000) + 2,
    })
    const { closed } = await open(port, client)
    await until(() => closed() !== undefined)
    expect(closed()).toBe(1008)
  })

  test.each([
    ['other policies would not let it in', true],
    ['its proxy is gone', false],
  ])('as soon as it stands when %s meanwhile', async (_, remains) => {
    const { url, server } = await world.upstream()
    let agree = (): void => {}
    const asked = new Promise<void>((resolve) => {
      server.on('upgrade', (_request, socket: Duplex) => {
        agree = () =>
          socket.write(
            'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
          )
        resolve()
      })
    })
    const snapshot = world.snapshot(url, guarded())
    const { port, gateway } = await world.gateway(stateOf(snapshot))
    const text = raw(port, upgrade, { client: world.pki.client })
    await asked
    const strict = { ...validating, clientAcl: 'allow dn CN=somebody' }
    // Its own comes, goes, and is not the one that it is held against in the end.
    for (const policy of [strict, { ...validating, name: 'other' }, strict]) {
      await gateway.apply(stateOf({ ...snapshot, policies: requestPolicies(policy) }))
    }
    if (!remains) await gateway.apply(stateOf())
    agree()
    await until(() => gateway.requests === 0)
    await text
  })

  test('and not when it would still be let in', async () => {
    const { snapshot, gateway, webSocket, messages, closed } = await opened()
    for (let n = 0; n < 5; n++) {
      const policies = requestPolicies({ ...validating, name: `mtls-${n}` })
      expect((await gateway.apply(stateOf({ ...snapshot, policies }))).built).toBe(1)
    }
    webSocket.send('still here')
    await until(() => messages.includes('still here'))
    expect(closed()).toBeUndefined()
  })
})

describe('what a WebSocket is told when it is ended', () => {
  const agreed = Buffer.from(
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  )
  /** A binary message of 10,000 octets, of which an upstream may be in the middle. */
  const header = Buffer.of(0x82, 126, 0x27, 0x10)
  const killing = { issuer: 'CN=Example Issuing CA,O=Example' }

  /** An upstream that says what it is told to. */
  async function speaking(...first: readonly Buffer[]) {
    const sockets: Socket[] = []
    let received = 0
    const url = await world.tcpUpstream((socket) => {
      socket.once('data', () => {
        socket.write(Buffer.concat([agreed, ...first]))
        sockets.push(socket)
        socket.on('data', (data) => {
          received += data.length
        })
      })
    })
    const snapshot = world.snapshot(url, guarded())
    const { port, gateway } = await world.gateway(stateOf(snapshot))
    const chunks: Buffer[] = []
    let isEnded = false
    const socket = connect(tlsOptions(port, { client: world.pki.client }), () =>
      socket.write(upgrade),
    )
    world.after(() => socket.destroy())
    socket.on('data', (data) => chunks.push(data))
    socket.on('error', () => {})
    socket.on('close', () => {
      isEnded = true
    })
    const said = () => {
      const all = Buffer.concat(chunks)
      const end = all.indexOf('\r\n\r\n')
      return end === -1 ? undefined : all.subarray(end + 4)
    }
    await until(() => said() !== undefined && sockets.length === 1)
    const kill = () =>
      gateway.apply({
        ...stateOf(snapshot),
        killList: [{ project: 'shop', apiProxy: null, entry: killing }],
      })
    const upstream = sockets[0] as Socket
    return {
      gateway,
      socket,
      upstream,
      said,
      kill,
      received: () => received,
      isEnded: () => isEnded,
    }
  }
  const closing = (code: number, reason = '') =>
    Buffer.concat([Buffer.of(0x88, 2 + reason.length, code >> 8, code & 255), Buffer.from(reason)])
  const refused = closing(1008, 'client certificate no longer accepted')

  test('nothing was said: why, at once', async () => {
    const { kill, said, isEnded, socket, received } = await speaking()
    await kill()
    // What it still says goes nowhere.
    socket.write(Buffer.of(0x81, 0x80, 0, 0, 0, 0))
    await until(isEnded)
    expect(said()).toEqual(refused)
    expect(received()).toBe(0)
  })

  test('between two messages, and between two fragments of one: why', async () => {
    for (const first of [Buffer.of(0x81, 2, 104, 105), Buffer.of(0x01, 2, 104, 105)]) {
      const { kill, said, isEnded } = await speaking(first)
      await until(() => said()?.length === 4)
      await kill()
      await until(isEnded)
      expect(said()).toEqual(Buffer.concat([first, refused]))
    }
  })

  test('within a message nothing: it gets no more of that, and neither does the upstream', async () => {
    const { kill, said, isEnded, upstream, received, socket } = await speaking(header)
    const timer = setInterval(() => {
      if (upstream.writable) upstream.write(Buffer.alloc(10, 1))
      if (socket.writable) socket.write(Buffer.alloc(10, 2))
    }, 2)
    world.after(() => clearInterval(timer))
    await until(() => (said()?.length ?? 0) > 50 && received() > 0)
    await kill()
    const before = [said()?.length ?? 0, received()]
    await until(isEnded)
    // A write or two were on their way.
    expect((said()?.length ?? 0) - (before[0] as number)).toBeLessThanOrEqual(100)
    expect(received() - (before[1] as number)).toBeLessThanOrEqual(100)
    expect(said()?.subarray(-refused.length)).not.toEqual(refused)
  })

  test('behind a close of the upstream’s own nothing', async () => {
    const { kill, said, isEnded } = await speaking(closing(1000))
    await until(() => said()?.length === 4)
    await kill()
    await until(isEnded)
    expect(said()).toEqual(closing(1000))
  })

  test('its proxy is gone: that, once the frame is over', async () => {
    const { gateway, said, isEnded, upstream } = await speaking(header, Buffer.alloc(9999, 1))
    await until(() => said()?.length === 10_003)
    await gateway.apply(stateOf())
    upstream.write(Buffer.alloc(1, 1))
    await until(isEnded)
    expect(said()?.subarray(10_004)).toEqual(closing(1001))
  })

  test('its proxy is gone: nothing, if the frame is not over soon', async () => {
    const { gateway, said, isEnded } = await speaking(header)
    await until(() => said()?.length === 4)
    await gateway.apply(stateOf())
    await until(isEnded)
    expect(said()).toEqual(header)
  })
})
