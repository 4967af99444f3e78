/** Bad input to running servers: each case has one status and one code, and the server goes on. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { DecisionEvent } from '../../src/http/index.ts'
import { nginx, rfc9440 } from '../../src/http/sources/index.ts'
import { parseIntermediates } from '../../src/index.node.ts'
import { type ClientName, createWorld, optionsOf, type World } from '../http/adapters/world.ts'
import { percentPem } from '../http/support.ts'
import { FrameClient, fields, flag, frameType } from './frames.ts'
import { http1Servers, type Running, startHttp2, startUpgrades } from './servers.ts'
import { type Exchange, exchange, KeptConnection, open, request } from './wire.ts'

let world: World
const events: DecisionEvent[] = []
/** What would end a process that has no test runner in it. */
const faults: unknown[] = []
const fault = (reason: unknown): void => {
  faults.push(reason)
}
beforeAll(async () => {
  world = await createWorld()
  process.on('uncaughtException', fault)
  process.on('unhandledRejection', fault)
})
afterAll(() => {
  process.off('uncaughtException', fault)
  process.off('unhandledRejection', fault)
})

/** Whether this Node drops header lines after the first 1,000 or so; later ones refuse such a request. */
let dropsLines: boolean
beforeAll(async () => {
  const server = createServer((_request, response) => response.end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const [status] = await exchange(port, { parts: [request('/', [...linesOf(3000), close])] })
  server.close()
  expect([200, 431]).toContain(status)
  dropsLines = status === 200
})

let running: Running

interface Told {
  readonly statuses: readonly number[]
  /** One for each request that was decided about: status, and code or outcome. */
  readonly events: readonly string[]
}

/** Sends, and tells what came of it: in answers, and in hooks. */
async function tell(sent: Exchange): Promise<Told> {
  events.length = 0
  const statuses = await exchange(running.port, sent)
  return { statuses, events: heard() }
}

function heard(): readonly string[] {
  return events.map(({ status, code, outcome }) => `${status} ${code ?? outcome}`)
}

/** Requests that are answered as they are decided. */
const decided = (...words: string[]): Told => ({
  statuses: words.map((word) => Number(word.slice(0, 3))),
  events: words,
})
const allowed = decided('200 allowed')
const refusedWith = (code: string): Told => decided(`401 ${code}`)
const refusedByNode = (status: number): Told => ({ statuses: [status], events: [] })

const secure = (): object => ({ ...world.server, requestCert: true, rejectUnauthorized: false })
/** TLS as that client. */
const as = (client: ClientName): object => world.clients[client] ?? {}

const close = 'Connection: close'
const good = request('/api/x')
const refused = request('/api/admin')
/** Ends the connection, so that nothing is waited for. */
const last = request('/api/last', [close])

/**
 * One client is let in and another refused, on connections that are older than the last case. 'second' may come in, but not to
 * `/api/admin`.
 *
 * @param secured - Whether it is TLS of the server that tells who the client is, and no header.
 */
async function isAlive(secured: boolean, ofProxy: typeof linesFor = linesFor): Promise<void> {
  const ask = async (client: 'second' | 'foreign'): Promise<Told> => {
    const wire = request('/', secured ? [] : ofProxy(client))
    const kept = keptConnections.get(running) ?? new Map<ClientName, KeptConnection>()
    keptConnections.set(running, kept)
    const connection =
      kept.get(client) ?? new KeptConnection(running.port, secured ? as(client) : undefined)
    kept.set(client, connection)
    events.length = 0
    return { statuses: [await connection.ask(wire)], events: heard() }
  }
  expect(await ask('second')).toEqual(allowed)
  expect(await ask('foreign')).toEqual(refusedWith('issuer-unknown'))
  await setImmediate()
  expect(faults).toEqual([])
}

const keptConnections = new WeakMap<Running, Map<ClientName, KeptConnection>>()

/** What Node answers by itself, before anybody else sees a request: its parser is strict. RFC 9112 §2.2, §3, §5, §6. */
const malformed: readonly (readonly [what: string, wire: string])[] = [
  ['NUL in the target', request('/api/\0', [close])],
  ['a control octet in the target', request('/api/\x01', [close])],
  ['broken UTF-8 in the target', request('/api/\xc3\x28', [close])],
  ['a surrogate in the target', request('/api/\xed\xa0\x80', [close])],
  ['a space in the target', request('/api/x y', [close])],
  ['NUL in a certificate header', request('/api/x', [close, 'Client-Cert: :MI\0I:'])],
  ['a control octet in a certificate header', request('/api/x', [close, 'Client-Cert: :M\x01I:'])],
  ['DEL in a certificate header', request('/api/x', [close, 'Client-Cert: :M\x7fI:'])],
  ['a folded certificate header', request('/api/x', [close, 'Client-Cert: :MI', ' I:'])],
  ['a bare LF behind a header', request('/api/x', [close, 'Client-Cert: :MI:\nA: b'])],
  ['a bare CR in a header', request('/api/x', [close, 'Client-Cert: :MI:\rA: b'])],
  ['a space before the colon', request('/api/x', [close, 'Client-Cert : :MI:'])],
  ['a name that is no token', request('/api/x', [close, 'Client[Cert: :MI:'])],
  ['a header without a name', request('/api/x', [close, ': :MI:'])],
  ['a header without a colon', request('/api/x', [close, 'Client-Cert'])],
  ['no Host', `GET /api/x HTTP/1.1\r\n${close}\r\n\r\n`],
  ['an unknown method', request('/api/x', [close], { method: 'GIVE' })],
  ['another version', `GET /api/x HTTP/3.1\r\nHost: localhost\r\n${close}\r\n\r\n`],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['a TLS handshake', '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03'],
]

/** Bodies that two readers may end in two places: RFC 9112 §6.1, §6.3. What stands in them is a request. */
const ambiguous: readonly (readonly [what: string, lines: readonly string[]])[] = [
  ['a length and chunks', ['Content-Length: 5', 'Transfer-Encoding: chunked']],
  ['chunks and a length', ['Transfer-Encoding: chunked', 'Content-Length: 5']],
  ['two lengths', ['Content-Length: 5', 'Content-Length: 0']],
  ['a list of lengths', ['Content-Length: 5, 5']],
  ['a negative length', ['Content-Length: -5']],
  ['a length with a sign', ['Content-Length: +5']],
  ['a hexadecimal length', ['Content-Length: 0x5']],
  ['a length past all numbers', ['Content-Length: 99999999999999999999']],
  ['chunks that are not the last coding', ['Transfer-Encoding: chunked, identity']],
  ['chunks, then another line', ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity']],
  ['a space before the colon', ['Transfer-Encoding : chunked']],
]

function chunked(text: string, trailers: readonly string[] = []): string {
  const lines = ['0', ...trailers, '', '']
  return `${text.length.toString(16)}\r\n${text}\r\n${lines.join('\r\n')}`
}

/** With two more lines it stays below 16 KiB, Node's limit for all of them. */
const linesOf = (count: number): readonly string[] => Array<string>(count).fill('A: b')

describe.each(http1Servers)('%s, over its own TLS', (name, start) => {
  /** Fastify decides a turn later than the parser goes on. */
  const isLater = name === 'Fastify'

  beforeAll(async () => {
    running = await start(optionsOf(world, events), secure())
    return () => running.stop()
  })
  afterEach(() => isAlive(true))

  const tellAs = (client: ClientName, ...parts: string[]): Promise<Told> =>
    tell({ parts, tls: as(client) })

  test.each(malformed)('400 by Node, and no decision: %s', async (_, wire) => {
    expect(await tellAs('second', wire)).toEqual(refusedByNode(400))
  })

  test.each([-1, 0, 1])('431 by Node, and no decision: a header of 64 KiB and %i', async (more) => {
    const wire = request('/api/x', [close, `Client-Cert: ${'A'.repeat(65_536 + more)}`])
    expect(await tellAs('second', wire)).toEqual(refusedByNode(431))
  })

  test('431 by Node, and no decision: a target of 64 KiB', async () => {
    const wire = request(`/api/${'x'.repeat(65_536)}`, [close])
    expect(await tellAs('second', wire)).toEqual(refusedByNode(431))
  })

  test('1,000 header lines are nothing to a certificate of TLS', async () => {
    // `Host` and `Connection` are two of them.
    const wire = request('/api/x', [...linesOf(998), close])
    expect(await tellAs('second', wire)).toEqual(allowed)
    expect(await tellAs('foreign', wire)).toEqual(refusedWith('issuer-unknown'))
  })

  test('beyond 1,000, Node drops lines or answers 431', async () => {
    const wire = request('/api/x', [close, ...linesOf(3000)])
    expect(await tellAs('second', wire)).toEqual(dropsLines ? allowed : refusedByNode(431))
    const kept = dropsLines ? refusedWith('issuer-unknown') : refusedByNode(431)
    expect(await tellAs('foreign', wire)).toEqual(kept)
  })

  test.each(['%00', '%5c', '%2fx', '%00%ED%A0%80'])('%s in a target: 401', async (octets) => {
    const told = await tellAs('second', request(`/api/${octets}`, [close]))
    // Fastify cannot decode a surrogate, and answers 400 before any hook.
    const isFirst = isLater && octets.includes('ED')
    expect(told).toEqual(isFirst ? refusedByNode(400) : refusedWith('request-target-ambiguous'))
  })

  test.each([
    ['a lone surrogate', '%ED%A0%80'],
    ['an overlong slash', '%C0%AF'],
    ['half a character', '%E2%82'],
    ['what is no UTF-8', '%FF'],
    ['half an escape', '%4'],
    ['a broken escape', '%zz'],
  ])('%s in a target: 401, or 400 by Fastify', async (_, octets) => {
    const expected = isLater ? refusedByNode(400) : refusedWith('request-target-ambiguous')
    for (const path of [`/api/admin${octets}`, `/${octets}/admin`]) {
      const wire = request(path, [close])
      for (const client of ['second', 'none'] as const) {
        expect(await tellAs(client, wire), path).toEqual(expected)
      }
    }
  })

  test.each([
    ['another path', 'http://localhost/api/x', '200 allowed'],
    ['a guarded path', 'http://localhost/api/admin', '401 client-not-allowed'],
    ['a guarded path, by any scheme', 'other://localhost:1/api/admin?x', '401 client-not-allowed'],
    ['another host', 'http://other.example/api/x', '421 request-misdirected'],
    ['another host behind a name', 'http://localhost@other.example/', '421 request-misdirected'],
    ['no host', 'http:///api/admin', '421 request-misdirected'],
  ])('the absolute form with %s', async (_, target, event) => {
    const told = await tellAs('second', request(target, [close]))
    // Fastify cannot read a URL without a host.
    const isFirst = isLater && target.startsWith('http:///')
    expect(told).toEqual(isFirst ? refusedByNode(400) : decided(event))
  })

  test('the asterisk form has no endpoint', async () => {
    for (const method of ['GET', 'OPTIONS']) {
      const wire = request('*', [close], { method })
      expect(await tellAs('second', wire)).toEqual(allowed)
      expect(await tellAs('foreign', wire)).toEqual(refusedWith('issuer-unknown'))
    }
  })

  test('CONNECT: Node closes the connection, and no decision', async () => {
    for (const target of ['localhost:443', '/api/x']) {
      const wire = request(target, [], { method: 'CONNECT', rest: good })
      expect(await tellAs('second', wire)).toEqual({ statuses: [], events: [] })
    }
  })

  test('another Host behind the first: 421', async () => {
    const told = await tellAs('second', request('/api/x', ['Host: other.example', close]))
    expect(told).toEqual(decided('421 request-misdirected'))
  })

  describe('one request behind the other', () => {
    const junk = '\0\xff junk\r\n\r\n'

    test('a good one, and junk behind its answer', async () => {
      expect(await tellAs('second', good, junk)).toEqual({
        statuses: [200, 400],
        events: ['200 allowed'],
      })
    })
    test('a good one, and junk before its answer: decided once', async () => {
      // Node ends the connection at once, so that an answer a turn later is lost.
      expect(await tellAs('second', good + junk)).toEqual({
        statuses: [isLater ? 400 : 200],
        events: ['200 allowed'],
      })
    })
    test('a refused one, and junk before its answer', async () => {
      expect(await tellAs('second', refused + junk)).toEqual(refusedWith('client-not-allowed'))
      expect(await tellAs('foreign', good + junk)).toEqual(refusedWith('issuer-unknown'))
      expect(await tellAs('none', good + junk)).toEqual(refusedWith('certificate-missing'))
    })
    test('refused, good, refused, and junk: only the first is answered, each is decided', async () => {
      expect(await tellAs('second', refused + good + refused + junk)).toEqual({
        statuses: [401],
        events: ['401 client-not-allowed', '200 allowed', '401 client-not-allowed'],
      })
    })
    test('100 of them, each decided on its own', async () => {
      const isGood = Array.from({ length: 100 }, (_, i) => i % 3 === 0 || i % 7 === 0)
      const wire = isGood.map((is) => (is ? good : refused)).join('') + last
      const words = isGood.map((is) => (is ? '200 allowed' : '401 client-not-allowed'))
      expect(await tellAs('second', wire)).toEqual(decided(...words, '200 allowed'))
      const none = Array<string>(101).fill('401 issuer-unknown')
      expect(await tellAs('foreign', wire)).toEqual(decided(...none))
    })
    test('100 without a certificate: the first answer ends the connection', async () => {
      expect(await tellAs('none', good.repeat(100))).toEqual({
        statuses: [401],
        events: Array(100).fill('401 certificate-missing'),
      })
    })
    test('an upgrade that nobody takes: what follows is not read', async () => {
      const wire = request('/api/x', ['Connection: Upgrade', 'Upgrade: websocket']) + good + junk
      expect(await tell({ parts: [wire], tls: as('foreign'), answers: 1 })).toEqual(
        refusedWith('issuer-unknown'),
      )
    })
  })

  describe('a request in the body of a refused one is none', () => {
    const inner = request('/api/smuggled')
    const expected = decided('401 client-not-allowed', '200 allowed')

    test.each([
      ['a length', [`Content-Length: ${inner.length}`], inner],
      ['chunks', ['Transfer-Encoding: chunked'], chunked(inner)],
      ['chunks and trailers', ['Transfer-Encoding: CHUNKED'], chunked(inner, ['Client-Cert: x'])],
    ])('with %s', async (_, lines, rest) => {
      const wire = request('/api/admin', lines, { rest }) + last
      expect(await tellAs('second', wire)).toEqual(expected)
      expect(events[1]?.target).toBe('/api/last')
    })

    test('nor is one behind the answer that ends the connection', async () => {
      const lines = [`Content-Length: ${inner.length}`]
      const wire = request('/api/x', lines, { rest: inner })
      expect(await tellAs('none', wire)).toEqual(refusedWith('certificate-missing'))
    })

    test.each(ambiguous)('400 by Node, and no decision: %s', async (_, lines) => {
      const wire = request('/api/admin', lines, { rest: `0\r\n\r\n${inner}` }) + last
      expect(await tellAs('second', wire)).toEqual(refusedByNode(400))
    })

    test.each([
      ['an unknown coding', ['Transfer-Encoding: xchunked'], '0\r\n\r\n'],
      ['a chunk without a size', ['Transfer-Encoding: chunked'], 'zz\r\n\r\n'],
      ['a chunk longer than its size', ['Transfer-Encoding: chunked'], '1\r\nabc\r\n0\r\n\r\n'],
      ['an endless extension', ['Transfer-Encoding: chunked'], `0;${'a'.repeat(20_000)}`],
    ])('%s: decided once, and the connection ends', async (_, lines, rest) => {
      const wire = request('/api/admin', lines, { rest: rest + inner }) + last
      expect(await tellAs('second', wire)).toEqual(refusedWith('client-not-allowed'))
    })

    test('a length that is too short: what follows is decided on its own', async () => {
      const wire = request('/api/x', ['Content-Length: 4'], { rest: `abcd${refused}` }) + last
      const expected = decided('200 allowed', '401 client-not-allowed', '200 allowed')
      expect(await tellAs('second', wire)).toEqual(expected)
    })
  })
})

/** As a proxy of RFC 9440 writes what the client presented. */
function linesFor(client: ClientName): readonly string[] {
  const [leaf, ...chain] = dersOf(client).map((der) => `:${der}:`)
  return leaf === undefined
    ? []
    : [
        `Client-Cert: ${leaf}`,
        ...(chain.length === 0 ? [] : [`Client-Cert-Chain: ${chain.join(', ')}`]),
      ]
}

/** Base64 of DER. */
function dersOf(client: ClientName): readonly string[] {
  const blocks = world.clients[client]?.cert.matchAll(/-----BEGIN [^-]+-----([^-]+)-----END/g) ?? []
  return [...blocks].map(([, text = '']) => text.replaceAll('\n', ''))
}

const trust = { addresses: ['127.0.0.1'] }

describe.each(http1Servers)('%s, behind a proxy', (_name, start) => {
  beforeAll(async () => {
    const source = rfc9440({ trust })
    running = await start({ ...optionsOf(world, events), source }, {})
    return () => running.stop()
  })
  afterEach(() => isAlive(false))

  const tellWith = (...lines: string[]): Promise<Told> =>
    tell({ parts: [request('/api/x', [...lines, close])] })

  test.each([
    ['broken UTF-8', ':\xc3\x28MII:'],
    ['UTF-8 of a surrogate', ':\xed\xa0\x80:'],
    ['Latin-1', ':MI\xcd=:'],
    ['a no-break space', '\xa0:MII=:'],
    ['a tab', ':MI\tI=:'],
    ['junk', '}{][,;"'],
  ])('%s in the certificate header: header-malformed', async (_, value) => {
    expect(await tellWith(`Client-Cert: ${value}`)).toEqual(refusedWith('header-malformed'))
  })

  test('broken UTF-8 behind a good certificate: header-malformed', async () => {
    const [leaf, ...chain] = linesFor('good')
    const told = await tellWith(`${leaf}\xff`, ...chain)
    expect(told).toEqual(refusedWith('header-malformed'))
  })

  test.each(malformed)('400 by Node, and no decision: %s', async (_, wire) => {
    expect(await tell({ parts: [wire] })).toEqual(refusedByNode(400))
  })

  test.each([-1, 0, 1])('431 by Node, and no decision: a header of 64 KiB and %i', async (more) => {
    const told = await tellWith(`Client-Cert: ${'A'.repeat(65_536 + more)}`)
    expect(told).toEqual(refusedByNode(431))
  })

  describe('a second line behind many of the client’s', () => {
    test.each([
      ['a second certificate', () => linesFor('good').slice(0, 1), 'header-repeated'],
      ['a twin', () => ['Client_Cert: :AAAA:'], 'header-twin'],
      ['nothing', () => [], undefined],
    ])('is found as far as Node keeps it: %s', async (_, ofProxy, code) => {
      // `Host` and `Connection` are two more, and the certificate with its chain are two.
      for (const count of [0, 994]) {
        const told = await tellWith(...linesFor('good'), ...linesOf(count), ...ofProxy())
        expect(told, `${count}`).toEqual(code === undefined ? allowed : refusedWith(code))
      }
    })
    test('exactly as many as Node keeps: headers-too-many', async () => {
      const told = await tellWith(...linesFor('good'), ...linesOf(996))
      expect(told).toEqual(refusedWith('headers-too-many'))
    })
    test('beyond that nobody knows: headers-too-many, or 431 by Node', async () => {
      // It drops them in batches: up to 1,023 are there.
      for (const count of [995, 1000, 1018, 1019, 1020, 1100, 3000]) {
        const told = await tellWith(...linesFor('good'), ...linesOf(count), ...linesFor('good'))
        const expected = dropsLines ? refusedWith('headers-too-many') : refusedByNode(431)
        expect(told, `${count}`).toEqual(expected)
      }
    })
    test('the same without a certificate: the proxy’s own may be lost', async () => {
      const told = await tellWith(...linesOf(1100), ...linesFor('good'))
      expect(told).toEqual(dropsLines ? refusedWith('headers-too-many') : refusedByNode(431))
    })
  })

  test('100 requests of 10 clients on one connection of the proxy, each decided on its own', async () => {
    const [leaf = '', chain = ''] = linesFor('good')
    const ofClients: readonly (readonly [wire: string, word: string])[] = [
      [request('/api/admin', linesFor('good')), '200 allowed'],
      [request('/api/admin', linesFor('second')), '401 client-not-allowed'],
      [request('/api/x', linesFor('second')), '200 allowed'],
      [request('/api/x', linesFor('foreign')), '401 issuer-unknown'],
      [request('/api/x', linesFor('expired')), '401 certificate-expired'],
      [request('/api/x', linesFor('otherIssuer')), '401 issuer-not-allowed'],
      [request('/api/x', [leaf, leaf]), '401 header-repeated'],
      [request('/api/x', [leaf, chain, 'client_cert: x']), '401 header-twin'],
      [request('/api/x', [leaf.slice(0, -9), chain]), '401 header-malformed'],
      [request('/api/%2e%2e/admin', linesFor('good')), '401 request-target-ambiguous'],
    ]
    const all = Array.from({ length: 100 }, (_, i) => ofClients[(i * 7) % 10] ?? ['', ''])
    const wire = all.map(([one]) => one).join('')
    const told = await tell({ parts: [wire + request('/', [close])] })
    const words = all.map(([, word]) => word)
    expect(told).toEqual(decided(...words, '401 certificate-missing'))
  })

  test('a request in the body of a refused one is none', async () => {
    const inner = request('/api/smuggled', linesFor('good'))
    const more = [...linesFor('second'), `Content-Length: ${inner.length}`]
    const wire = request('/api/admin', more, { rest: inner }) + request('/', [close])
    const words = ['401 client-not-allowed', '401 certificate-missing']
    expect(await tell({ parts: [wire] })).toEqual(decided(...words))
  })

  test.each(ambiguous)('400 by Node, and no decision: %s', async (_, lines) => {
    const rest = `0\r\n\r\n${request('/api/smuggled', linesFor('good'))}`
    const wire = request('/api/admin', [...linesFor('second'), ...lines], { rest })
    expect(await tell({ parts: [wire] })).toEqual(refusedByNode(400))
  })

  test('a certificate in trailers is none', async () => {
    const lines = ['Transfer-Encoding: chunked', close]
    const wire = request('/api/x', lines, { rest: chunked('x', linesFor('good')) })
    expect(await tell({ parts: [wire] })).toEqual(refusedWith('certificate-missing'))
  })
})

describe.each(http1Servers)('%s, behind a proxy, with 256 KiB of headers', (_name, start) => {
  beforeAll(async () => {
    const intermediates = parseIntermediates(world.pki.intermediatesPem)
    const options = { ...optionsOf(world, events), intermediates, source: nginx({ trust }) }
    running = await start(options, { maxHeaderSize: 4 * 65_536 })
    return () => running.stop()
  })
  const linesWith = (value: string): readonly string[] => [
    'X-SSL-Client-Verify: SUCCESS',
    `X-SSL-Client-Cert: ${value}`,
  ]
  const tellWith = (value: string): Promise<Told> =>
    tell({ parts: [request('/api/x', [...linesWith(value), close])] })
  afterEach(() =>
    isAlive(false, (client) => {
      const [der = ''] = dersOf(client)
      return linesWith(percentPem(Buffer.from(der, 'base64')))
    }),
  )

  test.each([
    [65_535, allowed],
    [65_536, allowed],
    [65_537, refusedWith('header-too-large')],
    [131_072, refusedWith('header-too-large')],
  ])('a good certificate in a header of %i characters', async (length, expected) => {
    expect(await tellWith(pemOf(length))).toEqual(expected)
  })
  test('junk of 64 KiB and a character less: header-malformed', async () => {
    expect(await tellWith('A'.repeat(65_536))).toEqual(refusedWith('header-malformed'))
    expect(await tellWith('%'.repeat(65_535))).toEqual(refusedWith('header-malformed'))
  })
  test('above 256 KiB: 431 by Node, and no decision', async () => {
    expect(await tellWith(pemOf(4 * 65_536))).toEqual(refusedByNode(431))
  })
  test('64 KiB in every header of a source', async () => {
    const lines = [
      `X-SSL-Client-Verify: ${'S'.repeat(65_537)}`,
      `X-SSL-Client-Cert: ${pemOf(65_536)}`,
    ]
    const told = await tell({ parts: [request('/api/x', [...lines, close])] })
    expect(told).toEqual(refusedWith('proxy-refused'))
  })
})

/** Percent-encoded PEM of the good client, made as long as that by newlines behind it and by letters that need no escape. */
function pemOf(length: number): string {
  const pem = percentPem(world.pki.client.der)
  const lack = length - pem.length
  // An escaped letter is two characters more, an escaped newline three.
  const letters = [0, 2, 1][lack % 3] as number
  const body = pem.indexOf('MII')
  const begin = '%4D%49'.slice(0, 3 * letters) + 'MI'.slice(letters)
  const text = pem.slice(0, body) + begin + pem.slice(body + 2)
  return text + '%0A'.repeat((lack - 2 * letters) / 3)
}

describe('a parser that was made lenient (insecureHTTPParser)', () => {
  const [, start] = http1Servers.at(-1) as (typeof http1Servers)[number]
  beforeAll(async () => {
    const options = { ...optionsOf(world, events), source: rfc9440({ trust }) }
    running = await start(options, { insecureHTTPParser: true })
    return () => running.stop()
  })
  afterEach(() => isAlive(false))

  test.each([
    ['NUL', ':MI\0I=:'],
    ['a control octet', ':MI\x01I=:'],
    ['DEL', ':MI\x7fI=:'],
    ['a fold', ':MI\r\n I=:'],
    ['a fold without a space', ':MI\r\n\tI=:'],
  ])('%s in the certificate header reaches the source: header-malformed', async (_, value) => {
    const told = await tell({ parts: [request('/api/x', [`Client-Cert: ${value}`, close])] })
    expect(told).toEqual(refusedWith('header-malformed'))
  })
  test('a request behind two lengths is one, and decided on its own', async () => {
    const both = ['Content-Length: 5', 'Transfer-Encoding: chunked']
    const rest = `0\r\n\r\n${request('/api/admin', [...linesFor('second'), close])}`
    const wire = request('/api/x', [...linesFor('good'), ...both], { rest })
    const words = ['200 allowed', '401 client-not-allowed']
    expect(await tell({ parts: [wire] })).toEqual(decided(...words))
  })
})

test.each([
  [100, 96],
  [31, 27],
])('a server that keeps %i lines: as many are headers-too-many', async (maxHeadersCount, count) => {
  const [, start] = http1Servers.at(-1) as (typeof http1Servers)[number]
  running = await start({ ...optionsOf(world, events), source: rfc9440({ trust }) }, {})
  ;(running.server as Server).maxHeadersCount = maxHeadersCount
  try {
    const tellWith = (...more: string[]): Promise<Told> =>
      tell({ parts: [request('/api/x', [...linesFor('good'), ...more, close])] })
    expect(await tellWith(...linesOf(count - 1))).toEqual(allowed)
    expect(await tellWith(...linesOf(count))).toEqual(refusedWith('headers-too-many'))
    const cut = dropsLines ? refusedWith('headers-too-many') : refusedByNode(431)
    expect(await tellWith(...linesOf(count + 40), ...linesFor('good'))).toEqual(cut)
    await isAlive(false)
  } finally {
    await running.stop()
  }
})

test('a server that keeps all lines: a second certificate behind 3,000 is found', async () => {
  const [, start] = http1Servers.at(-1) as (typeof http1Servers)[number]
  const options = { ...optionsOf(world, events), source: rfc9440({ trust }) }
  running = await start(options, { maxHeaderSize: 65_536 })
  ;(running.server as Server).maxHeadersCount = 0
  try {
    const lines = [...linesFor('good'), ...linesOf(3000), close]
    expect(await tell({ parts: [request('/api/x', lines)] })).toEqual(allowed)
    const twice = request('/api/x', [...lines, ...linesFor('second').slice(0, 1)])
    expect(await tell({ parts: [twice] })).toEqual(refusedWith('header-repeated'))
    await isAlive(false)
  } finally {
    await running.stop()
  }
})

describe.each(http1Servers)('%s, that waits', (_name, start) => {
  beforeAll(async () => {
    const times = { headersTimeout: 150, requestTimeout: 300, connectionsCheckingInterval: 50 }
    running = await start(optionsOf(world, events), { ...secure(), ...times })
    return () => running.stop()
  })
  afterEach(() => isAlive(true))

  test('half a request, then silence: others are served, and Node answers 408', async () => {
    const begins = ['', 'GET /api/x HT', 'GET /api/x HTTP/1.1\r\nHost: local', good.slice(0, -2)]
    const silent = begins.map((begin) =>
      exchange(running.port, { parts: [begin], tls: as('second') }),
    )
    await isAlive(true)
    events.length = 0
    expect(await Promise.all(silent)).toEqual([[408], [408], [408], [408]])
    expect(heard()).toEqual([])
  })

  test('a body of a refused one that never ends: 401 at once, and Node ends it with 408', async () => {
    events.length = 0
    const chunks = { lines: ['Transfer-Encoding: chunked'], part: '5\r\nabcde\r\n' }
    const octets = { lines: ['Content-Length: 1000000000'], part: 'abcde' }
    const endless = (['second', 'foreign', 'none'] as const).flatMap((client) =>
      [chunks, octets].map(({ lines, part }) => {
        const parts = [request('/api/admin', lines, { rest: part })]
        return exchange(running.port, { parts, drip: part, tls: as(client) })
      }),
    )
    expect(await Promise.all(endless)).toEqual(Array(6).fill([401, 408]))
    const codes = ['certificate-missing', 'client-not-allowed', 'issuer-unknown']
    const twice = codes.flatMap((code) => [`401 ${code}`, `401 ${code}`])
    expect(heard().toSorted()).toEqual(twice)
  })
})

test('a refused client that never ends its body is waited for 30 s, where Node does not end it', async () => {
  const [, start] = http1Servers.at(-1) as (typeof http1Servers)[number]
  const options = { ...optionsOf(world, events), source: rfc9440({ trust }) }
  running = await start(options, { requestTimeout: 0 })
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const socket = open(running.port, undefined)
  try {
    let text = ''
    let isClosed = false
    socket.on('data', (part) => {
      text += part.toString()
    })
    socket.on('close', () => {
      isClosed = true
    })
    socket.write(request('/api/x', ['Transfer-Encoding: chunked'], { rest: '5\r\nabcde\r\n' }))
    while (!text.includes('certificate is required') || vi.getTimerCount() === 0)
      await setImmediate()
    vi.advanceTimersByTime(29_999)
    socket.write('5\r\nabcde\r\n')
    for (let turn = 0; turn < 20; turn++) await setImmediate()
    expect(isClosed).toBe(false)
    vi.advanceTimersByTime(1)
    while (!isClosed) await setImmediate()
    expect(text).toMatch(/^HTTP\/1\.1 401 /)
    await isAlive(false)
  } finally {
    vi.useRealTimers()
    socket.destroy()
    await running.stop()
  }
})

describe('an upgrade to WebSocket', () => {
  beforeAll(async () => {
    running = await startUpgrades(optionsOf(world, events), secure())
    return () => running.stop()
  })
  const upgrade = [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  ]
  const tellAs = (client: ClientName, ...parts: string[]): Promise<Told> =>
    tell({ parts, tls: as(client) })
  afterEach(async () => {
    // A masked frame that closes with 1000: RFC 6455 §5.2.
    const goodbye = '\x88\x82\0\0\0\0\x03\xe8'
    const upgraded = { statuses: [101], events: ['200 allowed'] }
    expect(await tellAs('second', request('/', upgrade), goodbye)).toEqual(upgraded)
    expect(await tellAs('foreign', request('/', upgrade))).toEqual(refusedWith('issuer-unknown'))
    await setImmediate()
    expect(faults).toEqual([])
  })

  test.each([
    ['a request', good],
    ['a frame that is not masked', '\x81\x02hi'],
    ['a frame of 8 EiB', `\x82\xff\x7f${'\xff'.repeat(7)}\0\0\0\0`],
    ['a text that is no UTF-8', '\x81\x82\0\0\0\0\xc3\x28'],
    ['octets', '\xff'.repeat(100_000)],
  ])('of a good client with %s behind it: 101, and the WebSocket is closed', async (_, junk) => {
    const upgraded = { statuses: [101], events: ['200 allowed'] }
    expect(await tellAs('second', request('/', upgrade) + junk)).toEqual(upgraded)
    expect(await tellAs('second', request('/', upgrade), junk)).toEqual(upgraded)
  })

  test.each([
    ['a request', good],
    ['an upgrade', request('/', upgrade)],
    ['8 MiB of octets', '\xff'.repeat(2 ** 23)],
  ])('of a refused one with %s behind it: one answer, one decision', async (_, junk) => {
    expect(await tellAs('foreign', request('/', upgrade) + junk)).toEqual(
      refusedWith('issuer-unknown'),
    )
    expect(await tellAs('none', request('/', upgrade) + junk)).toEqual(
      refusedWith('certificate-missing'),
    )
  })

  test('to what nobody speaks: decided first, then 400', async () => {
    for (const lines of [
      ['Connection: Upgrade', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'],
      ['Connection: Upgrade', 'Upgrade: websocket'],
      [...upgrade.slice(0, 3), 'Sec-WebSocket-Key: \xff'],
    ]) {
      const wire = request('/', lines)
      expect(await tellAs('second', wire)).toEqual({ statuses: [400], events: ['200 allowed'] })
      expect(await tellAs('foreign', wire)).toEqual(refusedWith('issuer-unknown'))
    }
  })

  test('of more header lines than Node keeps, behind a proxy: headers-too-many', async () => {
    const source = rfc9440({ trust })
    const proxied = await startUpgrades({ ...optionsOf(world, events), source }, {})
    try {
      const tellWith = async (count: number): Promise<Told> => {
        events.length = 0
        const lines = [...upgrade, ...linesFor('good'), ...linesOf(count), ...linesFor('second')]
        const statuses = await exchange(proxied.port, { parts: [request('/', lines)] })
        return { statuses, events: heard() }
      }
      expect(await tellWith(900)).toEqual(refusedWith('header-repeated'))
      const cut = dropsLines ? refusedWith('headers-too-many') : refusedByNode(431)
      expect(await tellWith(1100)).toEqual(cut)
    } finally {
      await proxied.stop()
    }
  })
})

describe('HTTP/2', () => {
  const request2 = (path: string, more: readonly (readonly [string, string])[] = []) =>
    fields(...pseudo(path), ...more)
  const pseudo = (
    path: string,
    authority = 'localhost',
  ): readonly (readonly [string, string])[] => [
    [':method', 'GET'],
    [':scheme', 'https'],
    [':path', path],
    [':authority', authority],
  ]
  const lines2 = (client: ClientName): readonly (readonly [string, string])[] =>
    linesFor(client).map((line) => {
      const [name = '', value = ''] = line.split(': ')
      return [name.toLowerCase(), value] as const
    })
  const many = (count: number): readonly (readonly [string, string])[] =>
    Array(count).fill(['a', 'b'])

  async function say(block: Buffer, client: ClientName = 'none') {
    events.length = 0
    const connection = await FrameClient.open(running.port, as(client))
    connection.sendHeaders(1, block)
    const word = await connection.word
    connection.close()
    return { word, events: heard() }
  }
  const answered = (event: string) => ({ word: event.slice(0, 3), events: [event] })
  const undecided = (word: string) => ({ word, events: [] })

  async function isAlive2(): Promise<void> {
    const both = [request2('/api/x', lines2('second')), request2('/api/x', lines2('foreign'))]
    expect(await say(both[0] as Buffer, 'second')).toEqual(answered('200 allowed'))
    expect(await say(both[1] as Buffer, 'foreign')).toEqual(answered('401 issuer-unknown'))
    await setImmediate()
    expect(faults).toEqual([])
  }
  afterEach(isAlive2)

  describe('over its own TLS', () => {
    beforeAll(async () => {
      running = await startHttp2(optionsOf(world, events), secure())
      return () => running.stop()
    })

    test.each([
      ['NUL in the target', pseudo('/api/\0')],
      ['a space in the target', pseudo('/api/ x')],
      ['no target', pseudo('')],
      ['the absolute form', pseudo('https://localhost/api/admin')],
      ['the asterisk form of a GET', pseudo('*')],
      ['a target without a slash', pseudo('api/x')],
      ['two targets', [...pseudo('/api/x'), [':path', '/api/admin'] as const]],
      ['a target behind a header', [...pseudo('/api/x'), ...many(1), [':path', '/'] as const]],
      ['a capital in a name', [...pseudo('/api/x'), ['Client-Cert', 'x'] as const]],
      ['Connection', [...pseudo('/api/x'), ['connection', 'client-cert'] as const]],
      ['Transfer-Encoding', [...pseudo('/api/x'), ['transfer-encoding', 'chunked'] as const]],
      ['a length of a body that is not there', [...pseudo('/'), ['content-length', '5'] as const]],
      ['neither authority nor Host', pseudo('/api/x').slice(0, 3)],
      [
        'extended CONNECT',
        [
          ...pseudo('/api/x').slice(1),
          [':method', 'CONNECT'] as const,
          [':protocol', 'websocket'] as const,
        ],
      ],
    ])('PROTOCOL_ERROR by Node, and no decision: %s', async (_, block) => {
      expect(await say(fields(...block), 'second')).toEqual(undecided('stream: PROTOCOL_ERROR'))
    })
    test('CONNECT: 405 by Node, and no decision', async () => {
      const block = fields([':method', 'CONNECT'], [':authority', 'localhost:443'])
      expect(await say(block, 'second')).toEqual(undecided('405'))
    })
    test.each(['%ED%A0%80', '%00', '%zz', '%2fx', '%2e%2e/admin'])(
      '%s in the target',
      async (octets) => {
        const expected = answered('401 request-target-ambiguous')
        expect(await say(request2(`/api/${octets}`), 'second')).toEqual(expected)
      },
    )
    test('broken UTF-8 in the target is another path', async () => {
      expect(await say(request2('/api/admin\xc3\x28'), 'second')).toEqual(answered('200 allowed'))
      expect(await say(request2('/api/admin'), 'second')).toEqual(
        answered('401 client-not-allowed'),
      )
    })
    test('another Host beside the authority: 421', async () => {
      const expected = answered('421 request-misdirected')
      const host = (name: string) => request2('/api/x', [['host', name]])
      expect(await say(host('other.example'), 'second')).toEqual(expected)
      expect(await say(host('localhost:8443'), 'second')).toEqual(answered('200 allowed'))
      const without = [...pseudo('/api/x').slice(0, 3), ['host', 'other.example'] as const]
      expect(await say(fields(...without), 'second')).toEqual(expected)
      expect(await say(fields(...pseudo('/api/x', 'other.example')), 'second')).toEqual(expected)
    })
    test('more than 128 header lines: Node resets the stream, and no decision', async () => {
      expect(await say(request2('/api/x', many(124)), 'second')).toEqual(answered('200 allowed'))
      for (const count of [125, 1000]) {
        const told = await say(request2('/api/x', many(count)), 'second')
        expect(told, `${count}`).toEqual(undecided('stream: ENHANCE_YOUR_CALM'))
      }
    })
    test('a block that is no HPACK: Node ends the connection', async () => {
      expect(await say(Buffer.alloc(8, 0xff), 'second')).toEqual(
        undecided('connection: COMPRESSION_ERROR'),
      )
    })
    test.each([
      ['of empty frames', Buffer.alloc(0)],
      ['of short lines', fields(['a', 'b'])],
      ['of full frames', Buffer.concat(Array(1000).fill(fields(['a', '0123456789'])))],
    ])('a flood of CONTINUATION %s: Node ends the connection', async (_, block) => {
      events.length = 0
      const flood = await FrameClient.open(running.port, as('second'))
      flood.send(frameType.headers, flag.endStream, 1, request2('/api/x'))
      let frames = 0
      for (; frames < 10_000 && !flood.isClosed; frames++) {
        flood.send(frameType.continuation, 0, 1, block)
        await setImmediate()
      }
      expect(flood.isClosed).toBe(true)
      expect(frames).toBeLessThan(10_000)
      expect(heard()).toEqual([])
    })
  })

  describe('behind a proxy', () => {
    beforeAll(async () => {
      const options = { ...optionsOf(world, events), source: rfc9440({ trust }) }
      running = await startHttp2(options, { ...secure(), maxHeaderListPairs: 2000 })
      return () => running.stop()
    })

    test('a second certificate behind 1,000 header lines is found', async () => {
      const lines = [...lines2('good'), ...many(1000)]
      expect(await say(request2('/api/x', lines))).toEqual(answered('200 allowed'))
      const twice = request2('/api/x', [...lines, ...lines2('second').slice(0, 1)])
      expect(await say(twice)).toEqual(answered('401 header-repeated'))
    })
    test('more lines than Node keeps: it resets the stream, and no decision', async () => {
      const told = await say(request2('/api/x', [...lines2('good'), ...many(2000)]))
      expect(told).toEqual(undecided('stream: ENHANCE_YOUR_CALM'))
    })
    test('64 KiB are the most that Node reads: its end of the connection comes before our limit', async () => {
      const block = (length: number) => request2('/api/x', [['client-cert', 'A'.repeat(length)]])
      expect(await say(block(65_535))).toEqual(answered('401 header-malformed'))
      expect(await say(block(65_536))).toEqual(answered('401 header-malformed'))
      expect(await say(block(65_537))).toEqual(undecided('connection: COMPRESSION_ERROR'))
    })
    test('a value with NUL, CR or LF is dropped by Node: there is no certificate', async () => {
      for (const octet of ['\0', '\r', '\n']) {
        const told = await say(request2('/api/x', [['client-cert', `:MI${octet}I=:`]]))
        expect(told).toEqual(answered('401 certificate-missing'))
      }
    })
    test('broken UTF-8 in the certificate header: header-malformed', async () => {
      const told = await say(request2('/api/x', [['client-cert', ':MI\xc3\x28:']]))
      expect(told).toEqual(answered('401 header-malformed'))
    })
  })
})
