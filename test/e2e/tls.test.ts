/** Our own TLS: resumption, host names, HTTP/2 on one connection, what happens while a connection is open. */
import http2 from 'node:http2'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { connect, createSecureContext, type SecureContextOptions } from 'node:tls'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type GuardOptions, mtls } from '../../src/http/node-http.ts'
import { tls as tlsSource } from '../../src/http/sources/index.ts'
import { parseTrustAnchors } from '../../src/index.node.ts'
import { createKillList } from '../../src/revocation.ts'
import { createPki, type IssuedCertificate, issueCa, type Pki } from '../../src/testing/index.ts'
import { type Answer, type Credentials, TlsClient } from './proxies/client.ts'

const type = 'policy-auth-mtls'
let pki: Pki
let partners: Pki
let server: IssuedCertificate
beforeAll(async () => {
  pki = await createPki()
  partners = await createPki({ organization: 'Partners' })
  server = await (await issueCa('Server CA')).issue('api.example', {
    subjectAltName: [{ dns: 'api.example' }, { dns: 'other.example' }],
    extendedKeyUsage: ['serverAuth'],
  })
})

function optionsOf({ anchorsPem }: Pki, more: object = {}): GuardOptions {
  return {
    policy: { type, validateACLForIssuer: false },
    trustAnchors: parseTrustAnchors(anchorsPem),
    ...more,
  }
}

const running: { close(): void }[] = []
afterEach(() => {
  for (const one of running.splice(0)) one.close()
})

/** Hosts of one server, each with a guard of its own; sessions of one are resumed at the other. */
async function serve(
  guards: Readonly<Record<string, ReturnType<typeof mtls>>>,
  more: object = {},
): Promise<number> {
  const handlers = Object.entries(guards).map(
    ([host, guard]) =>
      [
        host,
        guard.protect((request, response) => {
          const subject = request.clientCertificate.identity?.subject ?? null
          response.end(JSON.stringify({ subject, host }))
        }),
      ] as const,
  )
  const tls: SecureContextOptions = { key: server.privateKeyPem, cert: server.chainPem }
  const secureServer: Server = createServer(
    {
      ...tls,
      requestCert: true,
      rejectUnauthorized: false,
      ticketKeys: Buffer.alloc(48, 7),
      SNICallback: (_name, done) => done(null, createSecureContext(tls)),
      ...more,
    },
    (request, response) => {
      const host = (request.headers.host ?? '').split(':')[0]
      const handler = handlers.find(([name]) => name === host) ?? handlers[0]
      handler?.[1](request, response)
    },
  )
  await new Promise<void>((resolve) => secureServer.listen(0, '127.0.0.1', resolve))
  running.push({
    close: () => {
      secureServer.close()
      secureServer.closeAllConnections()
    },
  })
  return (secureServer.address() as AddressInfo).port
}

function outcomeOf({ status, body }: Answer): unknown {
  return status === 200 ? JSON.parse(body).subject : status
}

const clientA = 'CN=client-a,O=Example'

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('%s', (maxVersion) => {
  /** A session, and what its first connection was answered. */
  async function begin(port: number, client: Credentials | undefined) {
    const tls = await TlsClient.open(port, { client, maxVersion })
    const answer = await tls.get()
    const { session } = tls
    tls.close()
    return { answer: outcomeOf(answer), session }
  }
  async function resume(port: number, session: Buffer | undefined, servername = 'api.example') {
    const tls = await TlsClient.open(port, { session, maxVersion, servername })
    const { isResumed } = tls
    const answer = await tls.get([], servername)
    tls.close()
    return { isResumed, answer: outcomeOf(answer) }
  }

  test('a session with a chain is resumed: what the client sent before is remembered', async () => {
    const port = await serve({ 'api.example': mtls(optionsOf(pki)) })
    const { answer, session } = await begin(port, pki.client)
    expect(answer).toBe(clientA)
    const resumed = await resume(port, session)
    expect(resumed).toEqual({ isResumed: true, answer: clientA })
  })

  test('a session whose chain is not remembered is refused', async () => {
    const source = tlsSource({ rememberedChains: 0 })
    const port = await serve({ 'api.example': mtls(optionsOf(pki, { source })) })
    const { session } = await begin(port, pki.client)
    const { isResumed, answer } = await resume(port, session)
    expect({ isResumed, answer }).toEqual({ isResumed: true, answer: 401 })
  })

  test('a session without a certificate is refused when it is resumed, whatever TLS says of it', async () => {
    const port = await serve({ 'api.example': mtls(optionsOf(pki)) })
    const { answer, session } = await begin(port, undefined)
    expect(answer).toBe(401)
    expect(await resume(port, session)).toEqual({ isResumed: true, answer: 401 })
  })

  test('a session of one host is judged by the policy of the host that is asked', async () => {
    const guards = {
      'api.example': mtls(optionsOf(pki)),
      'other.example': mtls(optionsOf(partners)),
    }
    const port = await serve(guards)
    const { answer, session } = await begin(port, pki.client)
    expect(answer).toBe(clientA)
    // The session is resumed; the client of one host is nobody at the other all the same. With TLS 1.2 its name is not the connection's.
    const resumed = await resume(port, session, 'other.example')
    expect(resumed).toEqual({ isResumed: true, answer: maxVersion === 'TLSv1.2' ? 421 : 401 })
    const other = await begin(port, partners.client)
    expect(other.answer).toBe(401)
  })

  test('a request for another host on the same connection gets 421', async () => {
    const guards = {
      'api.example': mtls(optionsOf(pki)),
      'other.example': mtls(optionsOf(partners)),
    }
    const port = await serve(guards)
    const tls = await TlsClient.open(port, { client: pki.client, maxVersion })
    expect(outcomeOf(await tls.get([], 'api.example'))).toBe(clientA)
    expect((await tls.get([], 'other.example')).status).toBe(421)
    expect(outcomeOf(await tls.get([], 'api.example'))).toBe(clientA)
    tls.close()
  })

  test('a client that is killed gets no second answer on its connection', async () => {
    const killList = createKillList()
    const port = await serve({ 'api.example': mtls(optionsOf(pki, { killList })) })
    const tls = await TlsClient.open(port, { client: pki.client, maxVersion })
    expect(outcomeOf(await tls.get())).toBe(clientA)
    killList.add({ certificate: pki.client.pem })
    expect((await tls.get()).status).toBe(401)
    tls.close()
  })

  test('another policy counts for the next request of an open connection', async () => {
    const guard = mtls(optionsOf(pki))
    const port = await serve({ 'api.example': guard })
    const tls = await TlsClient.open(port, { client: pki.client, maxVersion })
    expect(outcomeOf(await tls.get())).toBe(clientA)
    guard.update(optionsOf(partners))
    expect((await tls.get()).status).toBe(401)
    guard.update(optionsOf(pki))
    expect(outcomeOf(await tls.get())).toBe(clientA)
    tls.close()
  })

  test('a certificate that expires while its connection is open is refused from then on', async () => {
    const end = Math.floor(Date.now() / 1000) + 1
    const brief = await pki.issuing.issue('client-brief', { notAfter: end })
    const port = await serve({ 'api.example': mtls(optionsOf(pki)) })
    const tls = await TlsClient.open(port, { client: brief, maxVersion })
    expect(outcomeOf(await tls.get())).toBe('CN=client-brief')
    await new Promise((resolve) => setTimeout(resolve, (end + 1) * 1000 - Date.now() + 20))
    expect((await tls.get()).status).toBe(401)
    tls.close()
  })
})

test('TLS 1.2: a resumed session is for the host that it was begun for', async () => {
  const guards = {
    'api.example': mtls(optionsOf(pki)),
    'other.example': mtls(optionsOf(partners)),
  }
  const port = await serve(guards)
  const maxVersion = 'TLSv1.2'
  const first = await TlsClient.open(port, { client: pki.client, maxVersion })
  expect(outcomeOf(await first.get([], 'api.example'))).toBe(clientA)
  const { session } = first
  first.close()
  const resumed = await TlsClient.open(port, { session, maxVersion, servername: 'api.example' })
  expect(resumed.isResumed).toBe(true)
  expect((await resumed.get([], 'other.example')).status).toBe(421)
  expect(outcomeOf(await resumed.get([], 'api.example'))).toBe(clientA)
  resumed.close()
})

test('TLS 1.2: of a session that no guard saw begin no name is known, and the policy of the host that is asked judges', async () => {
  const guards = {
    'api.example': mtls(optionsOf(pki, { intermediates: [pki.issuing.der] })),
    'other.example': mtls(optionsOf(partners)),
  }
  const maxVersion = 'TLSv1.2'
  const port = await serve(guards)
  // Nobody asks anything on the connection that begins it.
  const first = await TlsClient.open(port, { client: pki.client, maxVersion })
  const { session } = first
  first.close()
  const resumed = await TlsClient.open(port, { session, maxVersion, servername: 'api.example' })
  expect(resumed.isResumed).toBe(true)
  expect((await resumed.get([], 'other.example')).status).toBe(401)
  expect(outcomeOf(await resumed.get([], 'api.example'))).toBe(clientA)
  resumed.close()
})

test('TLS 1.2: a client that negotiates again on its connection stays who it is', async () => {
  const port = await serve({ 'api.example': mtls(optionsOf(pki)) })
  const { chainPem: cert, privateKeyPem: key } = pki.client
  const options = {
    maxVersion: 'TLSv1.2',
    servername: 'api.example',
    rejectUnauthorized: false,
    cert,
    key,
  } as const
  const socket = connect({ host: '127.0.0.1', port, ...options })
  const ask = (): Promise<string> =>
    new Promise((resolve, reject) => {
      socket.once('data', (data) => resolve(data.toString()))
      socket.once('error', reject)
      socket.write('GET / HTTP/1.1\r\nHost: api.example\r\n\r\n')
    })
  expect(await ask()).toContain(clientA)
  const error = await new Promise((resolve) => {
    socket.renegotiate({ rejectUnauthorized: false }, resolve)
  })
  expect(error).toBeNull()
  expect(await ask()).toContain(clientA)
  socket.destroy()
})

test('a client that sends a hundred intermediates is judged, or its connection refused', async () => {
  const issuers = await Promise.all(
    Array.from({ length: 100 }, (_, i) => issueCa(`Other ${i}`).then(({ pem }) => pem)),
  )
  const chainPem = pki.client.chainPem + issuers.join('')
  const port = await serve({ 'api.example': mtls(optionsOf(pki)) })
  const client = { chainPem, privateKeyPem: pki.client.privateKeyPem }
  const tls = await TlsClient.open(port, { client }).catch(() => undefined)
  const answer = tls === undefined ? 0 : outcomeOf(await tls.get())
  tls?.close()
  expect([0, 401, clientA]).toContain(answer)
  const next = await TlsClient.open(port, { client: pki.client })
  expect(outcomeOf(await next.get())).toBe(clientA)
  next.close()
})

describe('HTTP/2', () => {
  async function serveHttp2(guard: ReturnType<typeof mtls>): Promise<number> {
    const secureServer = http2.createSecureServer(
      {
        key: server.privateKeyPem,
        cert: server.chainPem,
        requestCert: true,
        rejectUnauthorized: false,
      },
      guard.protect((request, response) => {
        response.end(`${request.clientCertificate.identity?.subject}`)
      }),
    )
    await new Promise<void>((resolve) => secureServer.listen(0, '127.0.0.1', resolve))
    running.push(secureServer)
    return (secureServer.address() as AddressInfo).port
  }
  function connect2(port: number, servername: string, { client }: Pki): http2.ClientHttp2Session {
    return http2.connect(`https://${servername}:${port}`, {
      host: '127.0.0.1',
      servername,
      rejectUnauthorized: false,
      cert: client.chainPem,
      key: client.privateKeyPem,
    })
  }
  function ask(session: http2.ClientHttp2Session, authority: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const stream = session.request({ ':path': '/', ':authority': authority })
      stream.on('response', (fields) => resolve(Number(fields[':status'])))
      stream.on('error', reject)
      stream.resume().end()
    })
  }

  test('requests for two hosts on one connection: 421, and a connection of its own works', async () => {
    const port = await serveHttp2(mtls(optionsOf(pki)))
    const session = connect2(port, 'api.example', pki)
    const statuses = await Promise.all(
      ['api.example', 'other.example', `api.example:${port}`, 'api.example.evil'].map((authority) =>
        ask(session, authority),
      ),
    )
    session.close()
    expect(statuses).toEqual([200, 421, 200, 421])
    const own = connect2(port, 'other.example', pki)
    expect(await ask(own, 'other.example')).toBe(200)
    own.close()
  })
  test('many streams of one connection are one client', async () => {
    const port = await serveHttp2(mtls(optionsOf(pki)))
    const good = connect2(port, 'api.example', pki)
    const bad = connect2(port, 'api.example', partners)
    const ask50 = (session: http2.ClientHttp2Session) =>
      Promise.all(Array.from({ length: 50 }, () => ask(session, 'api.example')))
    const [ins, outs] = await Promise.all([ask50(good), ask50(bad)])
    good.close()
    bad.close()
    expect(new Set(ins)).toEqual(new Set([200]))
    expect(new Set(outs)).toEqual(new Set([401]))
  })
})

test('policies that are swapped under load: every decision by a whole old or a whole new one', async () => {
  // They differ in anchors and in the policy's name: a mixture would be seen.
  const seen = new Map<string, number>()
  const of = (one: Pki, name: string): GuardOptions => ({
    ...optionsOf(one, { policy: { type, name, validateACLForIssuer: false } }),
    hooks: {
      decision: ({ policy, outcome, verdict }) => {
        const anchor = verdict?.ok === true && verdict.verified ? verdict.anchor : undefined
        const is = `${policy} ${outcome} ${anchor === undefined ? '' : 'anchored'}`
        seen.set(is, (seen.get(is) ?? 0) + 1)
      },
    },
  })
  const [first, second] = [of(pki, 'first'), of(partners, 'second')]
  const guard = mtls(first)
  const port = await serve({ 'api.example': guard })
  const end = Date.now() + (process.env.SLOW ? 30_000 : 3000)
  let swaps = 0
  const timer = setInterval(() => guard.update(swaps++ % 2 === 0 ? second : first), 10)
  const load = async (client: Pki): Promise<number> => {
    let errors = 0
    const tls = await TlsClient.open(port, { client: client.client })
    while (Date.now() < end) {
      const { status } = await tls.get()
      if (status !== 200 && status !== 401) errors++
    }
    tls.close()
    return errors
  }
  const errors = await Promise.all([load(pki), load(pki), load(partners), load(partners)])
  clearInterval(timer)
  expect(errors).toEqual([0, 0, 0, 0])
  expect(swaps).toBeGreaterThan(100)
  expect([...seen.keys()].toSorted()).toEqual([
    'first allowed anchored',
    'first refused ',
    'second allowed anchored',
    'second refused ',
  ])
  const total = [...seen.values()].reduce((sum, count) => sum + count, 0)
  console.log(`${swaps} swaps under ${total} requests: 0 errors`)
})
