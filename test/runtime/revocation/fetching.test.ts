/** Lists from URIs, over real connections: what is fetched, what is refused, and what a bad server can do. */

import { createServer as createTlsServer } from 'node:https'
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import {
  type CertificateAuthority,
  issueCa,
  type ResponderFault,
} from '../../../src/testing/index.ts'
import {
  eventually,
  failuresOf,
  pause,
  pointsTo,
  rawServer,
  respondWith,
  sourceWith,
  typesOf,
  wantedOf,
} from './support.ts'

let ca: CertificateAuthority
beforeAll(async () => {
  ca = await issueCa('Issuing CA')
})

const silent = { refresh: { minimum: 60_000 }, retry: { first: 60_000 } } as const

describe('a configured URL', () => {
  test('is fetched at the start, and its list is in force when the source is ready', async () => {
    const responder = await respondWith({ '/ca.crl': { crlOf: ca } })
    const source = sourceWith({ crls: { urls: [responder.url('/ca.crl')] } })
    expect([source.epoch, source.crls.lists.length]).toEqual([0, 0])
    await source.ready()
    expect([source.epoch, source.crls.lists.length]).toEqual([1, 1])
    expect(typesOf(source)).toEqual(['fetched', 'loaded'])
    expect(source.status()).toMatchObject([
      { kind: 'crl', origin: responder.url('/ca.crl'), state: 'current', failures: 0 },
    ])
  })

  test('is fetched again before its list runs out', async () => {
    const begin = Math.floor(Date.now() / 1000)
    const options = { thisUpdate: begin - 10, nextUpdate: begin + 3 }
    const responder = await respondWith({ '/ca.crl': { crlOf: ca, options } })
    const now = () => new Date()
    const source = sourceWith({
      crls: { urls: [responder.url('/ca.crl')] },
      refresh: { minimum: 50 },
      now,
    })
    await source.ready()
    responder.set('/ca.crl', { crlOf: ca, options: { ...options, nextUpdate: begin + 3_600 } })
    await eventually(() => source.events.some(({ type }) => type === 'replaced'))
    expect(Date.now()).toBeLessThan((begin + 3) * 1000)
    expect(source.epoch).toBe(2)
    expect(source.crls.lists).toHaveLength(1)
  })

  test('is asked for only what is newer, and 304 changes nothing', async () => {
    const responder = await respondWith({ '/ca.crl': { crlOf: ca } })
    const source = sourceWith({ crls: { urls: [responder.url('/ca.crl')] } })
    await source.ready()
    const { crls, epoch } = source
    await source.refresh(responder.url('/ca.crl'))
    expect(typesOf(source)).toEqual(['fetched', 'loaded', 'not-modified'])
    expect(responder.requests[0]?.headers['if-none-match']).toBeUndefined()
    expect(responder.requests[1]?.headers['if-none-match']).toMatch(/^"/)
    expect(responder.requests[1]?.headers['if-modified-since']).toMatch(/GMT$/)
    expect(source.crls).toBe(crls)
    expect(source.epoch).toBe(epoch)
  })

  test('may send the same octets again, and nothing changes', async () => {
    const { der } = await ca.issueCrl()
    const responder = await respondWith({ '/ca.crl': { body: der } })
    const source = sourceWith({ crls: { urls: [responder.url('/ca.crl')] } })
    await source.ready()
    responder.set('/ca.crl', { body: der })
    await source.refresh()
    expect(typesOf(source)).toEqual(['fetched', 'loaded', 'fetched', 'unchanged'])
    expect(source.epoch).toBe(1)
  })

  test('may serve PEM', async () => {
    const { pem } = await ca.issueCrl()
    const responder = await respondWith({ '/ca.crl': { body: Buffer.from(pem) } })
    const source = sourceWith({ crls: { urls: [responder.url('/ca.crl')] } })
    await source.ready()
    expect(source.crls.lists).toHaveLength(1)
  })

  test('that answers 304 to no condition is a failure', async () => {
    const responder = await respondWith({ '/ca.crl': { crlOf: ca, fault: 'not-modified' } })
    const source = sourceWith({ crls: { urls: [responder.url('/ca.crl')] } })
    await source.ready()
    expect(failuresOf(source)).toEqual([{ code: 'status', status: 304 }])
  })
})

describe('a failure', () => {
  test.each<[string, ResponderFault | ResponderFault['kind'], object]>([
    ['a reset connection', 'reset', { code: 'network', error: 'ECONNRESET' }],
    ['half a body', 'truncated', { code: 'truncated' }],
    ['a page in HTML', 'wrong-content', { code: 'not-a-list' }],
    ['404', { kind: 'status', status: 404 }, { code: 'status', status: 404 }],
    ['a body without an end', 'huge', { code: 'too-large', maxBytes: 100_000 }],
    ['a body that inflates without an end', 'gzip-bomb', { code: 'too-large', maxBytes: 100_000 }],
    ['silence', 'never', { code: 'timeout', milliseconds: 500 }],
    [
      'a slow answer',
      { kind: 'slow', milliseconds: 5_000 },
      { code: 'timeout', milliseconds: 500 },
    ],
    ['a dripping body', { kind: 'drip', milliseconds: 20 }, { code: 'timeout', milliseconds: 500 }],
  ])('by %s is data, in time, and the list of before stays', async (_what, fault, failure) => {
    const responder = await respondWith({ '/ca.crl': { crlOf: ca } })
    const source = sourceWith({
      crls: { urls: [responder.url('/ca.crl')] },
      timeout: 500,
      maxBytes: 100_000,
    })
    await source.ready()
    expect(failuresOf(source)).toEqual([])
    const { crls, epoch } = source
    responder.set('/ca.crl', { crlOf: ca, fault })
    const begin = performance.now()
    await source.refresh()
    expect(performance.now() - begin).toBeLessThan(3_000)
    expect(failuresOf(source)).toEqual([failure])
    expect(source.crls).toBe(crls)
    expect(source.epoch).toBe(epoch)
    expect(source.status()).toMatchObject([{ state: 'current', failures: 1, lastFailure: failure }])
  })

  test.each([
    [
      'a look-up that never ends',
      'http://crl.example/',
      () => new Promise<string[]>(() => undefined),
    ],
    ['a handshake that never ends', 'https://127.0.0.1:PORT/', undefined],
  ])('by %s ends with the timeout', async (_what, url, lookup) => {
    const port = await rawServer(() => undefined)
    const urls = [url.replace('PORT', String(port))]
    const source = sourceWith({ crls: { urls }, timeout: 300, ...(lookup && { lookup }) })
    const begin = performance.now()
    await source.ready()
    expect(performance.now() - begin).toBeLessThan(3_000)
    expect(failuresOf(source)).toEqual([{ code: 'timeout', milliseconds: 300 }])
  })

  test('by a name that nobody has is data', async () => {
    const lookup = () => Promise.reject(Object.assign(new Error('none'), { code: 'ENOTFOUND' }))
    const source = sourceWith({ crls: { urls: ['http://crl.example/'] }, lookup })
    await source.ready()
    expect(failuresOf(source)).toEqual([{ code: 'network', error: 'ENOTFOUND' }])
  })

  test('by no HTTP at all is data', async () => {
    const port = await rawServer((socket) => socket.end('220 mail.example ESMTP\r\n'))
    const source = sourceWith({ crls: { urls: [`http://127.0.0.1:${port}/`] } })
    await source.ready()
    expect(failuresOf(source)).toEqual([{ code: 'network', error: 'HPE_INVALID_CONSTANT' }])
  })

  test('is tried again, ever more rarely, until it goes well', async () => {
    const responder = await respondWith({ '/ca.crl': { crlOf: ca } })
    responder.fail('/ca.crl', { kind: 'status', status: 503 }, 3)
    const source = sourceWith({
      crls: { urls: [responder.url('/ca.crl')] },
      retry: { first: 40 },
      random: () => 0.999,
    })
    const begin = performance.now()
    await source.ready()
    expect(failuresOf(source)).toHaveLength(1)
    await eventually(() => source.crls.lists.length === 1)
    // 40, 80 and 160 ms.
    expect(performance.now() - begin).toBeGreaterThan(270)
    expect(responder.requests).toHaveLength(4)
    expect(source.status()).toMatchObject([{ failures: 0, lastFailure: undefined }])
  })

  test('is tried again no sooner than the server asks', async () => {
    const responder = await respondWith({ '/ca.crl': { crlOf: ca } })
    responder.fail('/ca.crl', { kind: 'status', status: 503, retryAfter: 7_200 }, 1)
    const now = Date.now()
    const source = sourceWith({
      crls: { urls: [responder.url('/ca.crl')] },
      retry: { first: 10, maximum: 9_000_000 },
      now: () => new Date(now),
    })
    await source.ready()
    expect(source.status()[0]?.nextFetch?.getTime()).toBe(now + 7_200_000)
  })
})

describe('compression', () => {
  test('gzip is asked for and inflated', async () => {
    const responder = await respondWith({ '/ca.crl': { crlOf: ca, fault: 'gzip' } })
    const source = sourceWith({ crls: { urls: [responder.url('/ca.crl')] } })
    await source.ready()
    expect(source.crls.lists).toHaveLength(1)
    expect(responder.requests[0]?.headers['accept-encoding']).toBe('gzip')
  })

  test.each([
    ['br', 'x', { code: 'encoding', encoding: 'br' }],
    ['gzip, gzip', 'x', { code: 'encoding', encoding: 'gzip, gzip' }],
    ['gzip', 'this is not gzip', { code: 'truncated' }],
    ['gzip', gzipSync('half').subarray(0, 12), { code: 'truncated' }],
  ])('%s with %j is refused', async (encoding, body, failure) => {
    const port = await rawServer((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Encoding: ${encoding}\r\n`)
      socket.write(`Content-Length: ${body.length}\r\n\r\n`)
      socket.end(body)
    })
    const source = sourceWith({ crls: { urls: [`http://127.0.0.1:${port}/`] } })
    await source.ready()
    expect(failuresOf(source)).toEqual([failure])
  })

  test('a body that says it is too large is not read', async () => {
    const port = await rawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n')
    })
    const source = sourceWith({ crls: { urls: [`http://127.0.0.1:${port}/`] } })
    await source.ready()
    expect(failuresOf(source)).toEqual([{ code: 'too-large', maxBytes: 67_108_864 }])
  })
})

describe('a redirect', () => {
  test('to the same host is followed', async () => {
    const responder = await respondWith({ '/ca.crl': { crlOf: ca, fault: 'redirect' } })
    const source = sourceWith({ crls: { urls: [responder.url('/ca.crl')] } })
    await source.ready()
    expect(source.crls.lists).toHaveLength(1)
  })

  test.each([
    ['to another host', 'other-host'],
    ['to another port', 'http://127.0.0.1:8/ca.crl'],
    ['to the metadata of a cloud', 'http://169.254.169.254/latest/meta-data/'],
    ['to another scheme', 'file:///etc/passwd'],
    ['with credentials', 'http://a:b@127.0.0.1/'],
  ] as const)('%s is refused', async (_where, to) => {
    const responder = await respondWith({ '/ca.crl': { crlOf: ca } })
    responder.fail('/ca.crl', { kind: 'redirect', to })
    const source = sourceWith({ crls: { urls: [responder.url('/ca.crl')] } })
    await source.ready()
    expect(failuresOf(source)).toMatchObject([{ code: 'redirect-refused' }])
    expect(responder.requests).toHaveLength(1)
  })

  test('is followed three times and no more', async () => {
    const responder = await respondWith({ '/ca.crl': { crlOf: ca } })
    responder.fail('/ca.crl', { kind: 'redirect', to: 'loop' })
    const source = sourceWith({ crls: { urls: [responder.url('/ca.crl')] } })
    await source.ready()
    expect(failuresOf(source)).toEqual([{ code: 'redirect-refused', location: '/ca.crl' }])
    expect(responder.requests).toHaveLength(4)
  })

  test('from https to http is refused, and https works', async () => {
    const server = await ca.issue('localhost', {
      subjectAltName: [{ dns: 'localhost' }],
      extendedKeyUsage: ['serverAuth'],
      notBefore: 0,
    })
    const { der } = await ca.issueCrl()
    const tls = createTlsServer(
      { key: server.privateKeyPem, cert: server.pem },
      (request, response) => {
        if (request.url === '/ca.crl') response.end(der)
        else response.writeHead(302, { location: 'http://localhost/ca.crl' }).end()
      },
    )
    await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      tls.close()
      tls.closeAllConnections()
    })
    const address = tls.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const root = await issueCa('Issuing CA', { notBefore: 0 })
    const source = sourceWith({
      crls: { urls: [`https://localhost:${port}/ca.crl`, `https://localhost:${port}/down`] },
      lookup: () => Promise.resolve(['127.0.0.1']),
      tlsCa: root.pem,
    })
    await source.ready()
    expect(failuresOf(source)).toEqual([
      { code: 'redirect-refused', location: 'http://localhost/ca.crl' },
    ])
    expect(source.crls.lists).toHaveLength(1)
  })
})

describe('a server that certificates must not lead to', () => {
  test.each([
    'http://127.0.0.1:PORT/ca.crl',
    'http://2130706433:PORT/ca.crl',
    'http://0x7f000001:PORT/ca.crl',
    'http://0177.0.0.1:PORT/ca.crl',
    'http://127.1:PORT/ca.crl',
    'http://[::ffff:127.0.0.1]:PORT/ca.crl',
    'http://[::ffff:7f00:1]:PORT/ca.crl',
    'http://localhost:PORT/ca.crl',
  ])('%s is never connected to', async (pattern) => {
    let connections = 0
    const port = await rawServer((socket) => {
      connections++
      socket.end()
    })
    const uri = pattern.replace('PORT', String(port))
    const client = await ca.issue('client-a', pointsTo(uri))
    const source = sourceWith({ crls: { distributionPoints: true }, allowAddresses: [] })
    await source.request(wantedOf(client, ca))
    expect(failuresOf(source)).toMatchObject([{ code: 'address-refused' }])
    expect(connections).toBe(0)
  })

  test('under a name of its own is refused by its address', async () => {
    let connections = 0
    const port = await rawServer(() => connections++)
    const client = await ca.issue('client-a', pointsTo(`http://crl.example:${port}/`))
    const source = sourceWith({
      crls: { distributionPoints: true },
      allowAddresses: [],
      lookup: () => Promise.resolve(['10.0.0.1', '127.0.0.1', '::1']),
    })
    await source.request(wantedOf(client, ca))
    const addresses = ['10.0.0.1', '127.0.0.1', '::1']
    expect(failuresOf(source)).toEqual([
      { code: 'address-refused', host: 'crl.example', addresses },
    ])
    expect(connections).toBe(0)
  })

  test('cannot be reached by a name that changes its address between check and connection', async () => {
    const responder = await respondWith({ '/ca.crl': { crlOf: ca } })
    const answers = [['127.0.0.1'], ['127.0.0.2']]
    let lookups = 0
    const source = sourceWith({
      crls: { urls: [`http://crl.example:${responder.port}/ca.crl`] },
      allowAddresses: ['127.0.0.1'],
      lookup: () => Promise.resolve(answers[lookups++] ?? []),
    })
    await source.ready()
    // One look-up, whose answer was judged and connected to.
    expect([lookups, source.crls.lists.length, responder.requests.length]).toEqual([1, 1, 1])
    await source.refresh()
    expect(failuresOf(source)).toEqual([
      { code: 'address-refused', host: 'crl.example', addresses: ['127.0.0.2'] },
    ])
    expect(responder.requests).toHaveLength(1)
  })

  test('is left out where a name has another address', async () => {
    const responder = await respondWith({ '/ca.crl': { crlOf: ca } })
    const source = sourceWith({
      crls: { urls: [`http://crl.example:${responder.port}/ca.crl`] },
      lookup: () => Promise.resolve(['10.0.0.1', '169.254.169.254', '127.0.0.1']),
    })
    await source.ready()
    expect(source.crls.lists).toHaveLength(1)
  })

  test('is not reached through a proxy that the environment names', async () => {
    let connections = 0
    const proxy = await rawServer(() => connections++)
    const names = ['http_proxy', 'HTTP_PROXY', 'ALL_PROXY', 'NODE_USE_ENV_PROXY']
    for (const name of names) process.env[name] = `http://127.0.0.1:${proxy}`
    onTestFinished(() => {
      for (const name of names) delete process.env[name]
    })
    const responder = await respondWith({ '/ca.crl': { crlOf: ca } })
    const source = sourceWith({ crls: { urls: [responder.url('/ca.crl')] } })
    await source.ready()
    expect([source.crls.lists.length, connections]).toEqual([1, 0])
  })
})

describe('the URIs of a certificate', () => {
  test('are asked once for a thousand that want them at the same time', async () => {
    const responder = await respondWith({ '/ca.crl': { crlOf: ca }, '/ocsp': { ocspOf: ca } })
    responder.fail('/ca.crl', { kind: 'slow', milliseconds: 100 })
    const client = await ca.issue('client-a', {
      ...pointsTo(responder.url('/ca.crl')),
      authorityInfoAccess: { ocsp: responder.url('/ocsp') },
    })
    const source = sourceWith({ crls: { distributionPoints: true }, ocsp: { responder: 'aia' } })
    await Promise.all(Array.from({ length: 1_000 }, () => source.request(wantedOf(client, ca))))
    expect(responder.requests.map(({ path }) => path).sort()).toEqual(['/ca.crl', '/ocsp'])
    expect([source.crls.lists.length, source.responses.responses.length]).toEqual([1, 1])
  })

  test('are not asked again and again while they fail, nor right after they went well', async () => {
    const responder = await respondWith({ '/ca.crl': { crlOf: ca } })
    const client = await ca.issue('client-a', pointsTo(responder.url('/ca.crl')))
    responder.fail('/ca.crl', 'status', 1)
    const source = sourceWith({ crls: { distributionPoints: true }, retry: { first: 200 } })
    await source.request(wantedOf(client, ca))
    for (let i = 0; i < 100; i++) expect(source.request(wantedOf(client, ca))).toBeUndefined()
    expect(responder.requests).toHaveLength(1)
    await eventually(() => source.crls.lists.length === 1)
    for (let i = 0; i < 100; i++) expect(source.request(wantedOf(client, ca))).toBeUndefined()
    expect(responder.requests).toHaveLength(2)
  })

  test('are not asked unless that is configured', async () => {
    const responder = await respondWith({ '/ca.crl': { crlOf: ca }, '/ocsp': { ocspOf: ca } })
    const client = await ca.issue('client-a', {
      ...pointsTo(responder.url('/ca.crl')),
      authorityInfoAccess: { ocsp: responder.url('/ocsp') },
    })
    const source = sourceWith({ crls: { urls: [] } })
    expect(source.request(wantedOf(client, ca))).toBeUndefined()
    expect(responder.requests).toEqual([])
  })

  test('are not asked for what is not wanted', async () => {
    const responder = await respondWith({ '/ca.crl': { crlOf: ca }, '/ocsp': { ocspOf: ca } })
    const client = await ca.issue('client-a', {
      ...pointsTo(responder.url('/ca.crl')),
      authorityInfoAccess: { ocsp: responder.url('/ocsp') },
    })
    const source = sourceWith({ crls: { distributionPoints: true }, ocsp: { responder: 'aia' } })
    await source.request(wantedOf(client, ca, { ocsp: false }))
    expect(responder.requests.map(({ path }) => path)).toEqual(['/ca.crl'])
    expect(source.request(wantedOf(client, ca, { crl: false, ocsp: false }))).toBeUndefined()
  })

  test('are passed over where they are not of HTTP', async () => {
    const client = await ca.issue('client-a', pointsTo('ldap://ldap.example/cn=CA', 'file:///a'))
    const source = sourceWith({ crls: { distributionPoints: true } })
    expect(source.request(wantedOf(client, ca))).toBeUndefined()
    expect(source.status()).toEqual([])
  })

  test('of one point are asked in their order, until one answers', async () => {
    const responder = await respondWith({
      '/gone.crl': { crlOf: ca, fault: 'status' },
      '/ca.crl': { crlOf: ca },
      '/spare.crl': { crlOf: ca },
    })
    const paths = ['/gone.crl', '/ca.crl', '/spare.crl']
    const client = await ca.issue('client-a', pointsTo(...paths.map(responder.url)))
    const source = sourceWith({ crls: { distributionPoints: true }, ...silent })
    await source.request(wantedOf(client, ca))
    expect(responder.requests.map(({ path }) => path)).toEqual(['/gone.crl', '/ca.crl'])
    expect(source.crls.lists).toHaveLength(1)
  })

  test('are four at the most, whatever the certificate says', async () => {
    const responder = await respondWith({})
    const points = Array.from({ length: 10 }, (_, i) => ({
      names: [{ uri: responder.url(`/${i}.crl`) }],
    }))
    const client = await ca.issue('client-a', { cRLDistributionPoints: points })
    const source = sourceWith({ crls: { distributionPoints: true }, ...silent })
    await source.request(wantedOf(client, ca))
    expect(responder.requests).toHaveLength(4)
  })

  test('are forgotten when others were wanted more lately, those without a list first', async () => {
    const responder = await respondWith({ '/0.crl': { crlOf: ca }, '/2.crl': { crlOf: ca } })
    const source = sourceWith({ crls: { distributionPoints: true, maxLearned: 2 }, ...silent })
    for (const i of [0, 1, 2]) {
      const client = await ca.issue(`client-${i}`, pointsTo(responder.url(`/${i}.crl`)))
      await source.request(wantedOf(client, ca))
    }
    const origins = () => source.status().map(({ origin }) => origin.slice(-5))
    expect(origins()).toEqual(['0.crl', '2.crl'].map((name) => `/${name}`.slice(-5)))
    const another = await ca.issue('client-3', pointsTo(responder.url('/3.crl')))
    await source.request(wantedOf(another, ca))
    expect(origins()).toEqual(['2.crl', '3.crl'].map((name) => `/${name}`.slice(-5)))
    await eventually(() => source.crls.lists.length === 1)
    expect(typesOf(source)).toContain('removed')
  })

  test('lead on to the delta lists that a verified list names', async () => {
    const responder = await respondWith({ '/delta.crl': { deltaCrlOf: ca } })
    const freshestCRL = [{ names: [{ uri: responder.url('/delta.crl') }] }]
    responder.set('/ca.crl', { crlOf: ca, options: { freshestCRL } })
    const client = await ca.issue('client-a', pointsTo(responder.url('/ca.crl')))
    const source = sourceWith({ crls: { distributionPoints: true } })
    await source.request(wantedOf(client, ca))
    expect(responder.requests.map(({ path }) => path)).toEqual(['/ca.crl', '/delta.crl'])
    expect(source.crls.lists).toHaveLength(2)
  })
})

describe('the connections', () => {
  test('that are open at once are bounded', async () => {
    let open = 0
    let most = 0
    const port = await rawServer((socket) => {
      most = Math.max(most, ++open)
      setTimeout(() => {
        open--
        socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n')
      }, 20)
    })
    const urls = Array.from({ length: 12 }, (_, i) => `http://127.0.0.1:${port}/${i}`)
    const source = sourceWith({ crls: { urls }, maxConcurrent: 3, ...silent })
    await source.ready()
    expect(failuresOf(source)).toHaveLength(12)
    expect(most).toBe(3)
  })

  test('are ended when the source is closed, and nothing is fetched after that', async () => {
    const responder = await respondWith({ '/ca.crl': { crlOf: ca, fault: 'never' } })
    const client = await ca.issue('client-a', pointsTo(responder.url('/ca.crl')))
    const source = sourceWith({ crls: { distributionPoints: true } })
    const begun = source.request(wantedOf(client, ca))
    await eventually(() => responder.requests.length === 1)
    const begin = performance.now()
    await source.close()
    await begun
    expect(performance.now() - begin).toBeLessThan(1_000)
    expect(source.request(wantedOf(client, ca))).toBeUndefined()
    await source.refresh()
    await pause(50)
    expect(responder.requests).toHaveLength(1)
  })
})

test('a listener hears of every change, until it has enough', async () => {
  const responder = await respondWith({ '/ca.crl': { crlOf: ca } })
  const source = sourceWith({ crls: { urls: [responder.url('/ca.crl')] } })
  const heard: number[] = []
  const stop = source.onChange(() => heard.push(source.epoch))
  await source.ready()
  stop()
  responder.set('/ca.crl', { crlOf: ca })
  await source.refresh()
  expect([heard, source.epoch]).toEqual([[1], 2])
})
