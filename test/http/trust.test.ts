/** Who may speak for a client in a header. @module */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import type { HttpRequest } from '../../src/http/request.ts'
import { fallback, fromHeader, rfc9440 } from '../../src/http/sources/index.ts'
import type { ProxyTrust } from '../../src/http/trust.ts'
import {
  type Chain,
  connectionFrom,
  failureOf,
  hex,
  issueChain,
  outcomeOf,
  requestWith,
  requestWithoutConnection,
  sfBinary,
} from './support.ts'

let chain: Chain
let headers: Readonly<Record<string, string>>
beforeAll(async () => {
  chain = await issueChain()
  headers = { 'Client-Cert': sfBinary(chain.leaf) }
})

const outcome = (trust: ProxyTrust, request: HttpRequest): unknown => {
  const found = rfc9440({ trust }).read(request)
  const failure = failureOf(found)
  return failure === undefined ? found.kind : failure
}
const distrusted = (because: string) => ({ code: 'proxy-not-trusted', because })
const from = (address: string | undefined) => requestWith(headers, connectionFrom(address))
const codeOf = (make: () => unknown): unknown => {
  try {
    make()
  } catch (error) {
    if (error instanceof TypeError && 'code' in error) return error.code
    throw error
  }
  return undefined
}

describe('addresses', () => {
  test.each([
    ['10.0.0.0/8', '10.0.0.0', '10.255.255.255', ['9.255.255.255', '11.0.0.0']],
    ['192.0.2.1', '192.0.2.1', '::ffff:192.0.2.1', ['192.0.2.2', '::192.0.2.1']],
    ['192.0.2.128/25', '192.0.2.128', '::FFFF:192.0.2.255', ['192.0.2.127']],
    ['10.0.0.8/29', '10.0.0.8', '10.0.0.15', ['10.0.0.7', '10.0.0.16']],
    ['0.0.0.0/0', '1.2.3.4', '::ffff:1.2.3.4', ['::1', '2001:db8::1']],
    ['::/0', '2001:db8::1', '::1', ['1.2.3.4', '::ffff:1.2.3.4']],
    ['fd00::/8', 'fd00::1', 'fdff:ffff::', ['fc00::1', 'fe00::']],
    ['2001:db8::/33', '2001:db8:7fff::', '2001:DB8::', ['2001:db8:8000::']],
    ['fe80::/10', 'fe80::1', 'fe80::1%eth0', ['fec0::1']],
    ['::ffff:10.0.0.0/104', '10.1.2.3', '::ffff:10.1.2.3', ['11.0.0.0', '::10.1.2.3']],
    ['::ffff:0:0/96', '1.2.3.4', '255.255.255.255', ['::1']],
    ['::1', '::1', '0:0:0:0:0:0:0:1', ['::', '127.0.0.1']],
  ])('%s holds %s and %s, but not %j', (range, first, second, outside) => {
    const trust = { addresses: ['203.0.113.9', range] }
    expect([outcome(trust, from(first)), outcome(trust, from(second))]).toEqual([
      'presented',
      'presented',
    ])
    for (const address of outside) {
      expect(outcome(trust, from(address))).toEqual(distrusted('address'))
    }
  })
  test.each([
    '10.0.0.1/8',
    '10.0.0.0/08',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/+8',
    '10.0.0.0/8/8',
    '10.0.0.0 /8',
    '010.0.0.0/8',
    '10.0.0/8',
    '10.0.0.256',
    '2001:db8::1/64',
    '::ffff:0:0/90',
    '::/129',
    'fe80::1%eth0',
    '[::1]',
    'localhost',
    '*',
    '',
  ])('%j is refused, and named', (range) => {
    const make = () => rfc9440({ trust: { addresses: [range] } })
    expect(codeOf(make)).toBe('option-invalid')
    expect(make).toThrow(`trust: ${range} `)
  })
  test('a range of any prefix holds what shares its bits', () => {
    const octets = fc.uint8Array({ minLength: 4, maxLength: 4 })
    fc.assert(
      fc.property(octets, octets, fc.nat({ max: 32 }), (base, peer, prefix) => {
        const number = (bytes: Uint8Array) => Buffer.from(bytes).readUInt32BE()
        const mask = prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0
        const start = Buffer.alloc(4)
        start.writeUInt32BE((number(base) & mask) >>> 0)
        const expected = (number(peer) & mask) >>> 0 === start.readUInt32BE()
        const trust = { addresses: [`${start.join('.')}/${prefix}`] }
        expect(outcome(trust, from(peer.join('.')))).toEqual(
          expected ? 'presented' : distrusted('address'),
        )
      }),
    )
  })
  test('a closed socket, no connection, and what is no address are not trusted', () => {
    const trust = { addresses: ['0.0.0.0/0', '::/0'] }
    expect(outcome(trust, from(undefined))).toEqual(distrusted('address'))
    expect(outcome(trust, requestWithoutConnection(headers))).toEqual(distrusted('address'))
    for (const text of ['', 'unix', '1.2.3', '::ffff:1.2.3.256', '%eth0']) {
      expect(outcome(trust, from(text))).toEqual(distrusted('address'))
    }
  })
  test('are asked once for a connection, unless its socket was closed at the time', () => {
    let asked = 0
    let address: string | undefined
    const connection = {
      get remoteAddress() {
        asked++
        return address
      },
      tls: undefined,
    }
    const source = rfc9440({ trust: { addresses: ['10.0.0.0/8'] } })
    expect(source.read(requestWith(headers, connection)).kind).toBe('unbelievable')
    address = '10.0.0.1'
    expect(source.read(requestWith(headers, connection)).kind).toBe('presented')
    asked = 0
    expect(source.read(requestWith(headers, connection)).kind).toBe('presented')
    expect(asked).toBe(0)
  })
  test('no request from elsewhere is ever presented', () => {
    const source = fromHeader({
      trust: { addresses: ['10.0.0.0/8'] },
      certificate: { header: 'Client-Cert', encoding: 'rfc9440' },
      verdict: { header: 'Client-Verify', success: ['0'], absent: ['0'] },
    })
    const name = fc.constantFrom('Client-Cert', 'client_cert', 'Client-Verify', 'X-Forwarded-For')
    const value = fc.constantFrom(sfBinary(chain.leaf), '0', '', '10.0.0.1')
    const address = fc.oneof(
      fc.ipV6(),
      fc.ipV4().filter((text) => !text.startsWith('10.')),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), address, (pairs, remote) => {
        const found = source.read(requestWith(pairs, connectionFrom(remote)))
        const isSilent = pairs.every(([one]) => one === 'X-Forwarded-For')
        expect(found.kind).toBe(isSilent ? 'absent' : 'unbelievable')
      }),
    )
  })
})

describe("the proxy's own key", () => {
  const pinOf = (der: Uint8Array) => createHash('sha256').update(der).digest('hex')
  const pinned = () => pinOf(chain.certificate.tbsCertificate.subjectPublicKeyInfo.der)
  const over = (...certificates: Uint8Array[]) =>
    requestWith(headers, connectionFrom(undefined, certificates))

  test('is that of the certificate on this connection, in either case of the digits', () => {
    const trust = { proxyKeys: ['0'.repeat(64), pinned().toUpperCase()] }
    expect(outcome(trust, over(chain.leaf, chain.issuing))).toBe('presented')
  })
  test('is not that of a certificate sent along, of none, of another, or of what is none', () => {
    const trust = { proxyKeys: [pinned()] }
    for (const request of [
      over(chain.issuing, chain.leaf),
      over(),
      over(chain.issuing),
      over(chain.leaf.subarray(0, -1)),
      over(new Uint8Array()),
      from('10.0.0.1'),
      requestWithoutConnection(headers),
    ]) {
      expect(outcome(trust, request)).toEqual(distrusted('certificate'))
    }
  })
  test('is the key, and not the certificate', () => {
    const trust = { proxyKeys: [pinOf(chain.leaf)] }
    expect(outcome(trust, over(chain.leaf))).toEqual(distrusted('certificate'))
  })
  test('is looked at once for a connection', () => {
    let asked = 0
    const connection = {
      remoteAddress: undefined,
      tls: {
        serverName: undefined,
        isResumed: true,
        certificates: () => {
          asked++
          return [chain.leaf]
        },
      },
    }
    const source = rfc9440({ trust: { proxyKeys: [pinned()] } })
    source.read(requestWith(headers, connection))
    expect(source.read(requestWith(headers, connection)).kind).toBe('presented')
    expect(asked).toBe(1)
  })
  test.each(['', 'ab', 'g'.repeat(64), '0'.repeat(62), '0'.repeat(66), `${'00:'.repeat(31)}00`])(
    '%j is refused as a pin',
    (pin) => {
      expect(codeOf(() => rfc9440({ trust: { proxyKeys: [pin] } }))).toBe('option-invalid')
    },
  )
})

describe('the secret', () => {
  const value = 'Vq3fZ0m1Xk8sT5yB'
  const trust = { secret: { header: 'X-Proxy-Secret', value } }
  const withSecret = (...lines: readonly (readonly [string, string])[]) =>
    requestWithoutConnection([...Object.entries(headers), ...lines])

  test('is one line with exactly this value', () => {
    expect(outcome(trust, withSecret(['x-proxy-secret', value]))).toBe('presented')
    expect(rfc9440({ trust }).headers).toEqual([
      'client-cert',
      'client-cert-chain',
      'x-proxy-secret',
    ])
  })
  test.each([
    [],
    [['X-Proxy-Secret', '']],
    [['X-Proxy-Secret', value.toLowerCase()]],
    [['X-Proxy-Secret', value.slice(0, -1)]],
    [['X-Proxy-Secret', `${value}x`]],
    [['X-Proxy-Secret', `${value}\0`]],
    [['X-Proxy-Secret', `${value}, ${value}`]],
    [
      ['X-Proxy-Secret', value],
      ['X-Proxy-Secret', value],
    ],
    [['X_Proxy_Secret', value]],
  ] as const)('is not %j', (...lines) => {
    expect(outcome(trust, withSecret(...lines))).toEqual(distrusted('secret'))
  })
  test('is missing even where no other header came: a client may have made the proxy drop them', () => {
    expect(outcome(trust, requestWith({}))).toEqual(distrusted('secret'))
  })
  test('has no twin', () => {
    const request = withSecret(['X-Proxy-Secret', value], ['X_Proxy_Secret', 'x'])
    expect(outcome(trust, request)).toEqual({
      code: 'header-twin',
      header: 'x-proxy-secret',
      twin: 'x_proxy_secret',
    })
  })
  test.each(['', 'fifteen-letters', ` ${value}`, `${value} `, `${value}\n`, `${value}é`])(
    '%j is refused, and not named',
    (secret) => {
      const make = () => rfc9440({ trust: { secret: { header: 'X-Secret', value: secret } } })
      expect(codeOf(make)).toBe('option-invalid')
      if (secret !== '') expect(make).not.toThrow(secret)
    },
  )
})

describe('the rule', () => {
  test('trusts nobody when it is empty or has an empty list', () => {
    for (const trust of [
      {},
      { addresses: [] },
      { proxyKeys: [] },
      { addresses: ['0.0.0.0/0'], proxyKeys: [] },
      { addresses: undefined },
      { addresses: [], secret: { header: 'X-Secret', value: '0123456789abcdef' } },
    ]) {
      expect(outcome(trust, from('10.0.0.1'))).toEqual(distrusted('no-rule'))
    }
  })
  test('holds only when all of its fields do', () => {
    const secret = { header: 'X-Secret', value: '0123456789abcdef' }
    const spki = chain.certificate.tbsCertificate.subjectPublicKeyInfo.der
    const proxyKeys = [createHash('sha256').update(spki).digest('hex')]
    const all = { addresses: ['10.0.0.0/8'], proxyKeys, secret }
    const request = (address: string, certificate: Uint8Array, word: string) =>
      requestWith({ ...headers, 'X-Secret': word }, connectionFrom(address, [certificate]))
    expect(outcome(all, request('10.0.0.1', chain.leaf, secret.value))).toBe('presented')
    expect(outcome(all, request('11.0.0.1', chain.leaf, secret.value))).toEqual(
      distrusted('address'),
    )
    expect(outcome(all, request('10.0.0.1', chain.issuing, secret.value))).toEqual(
      distrusted('certificate'),
    )
    expect(outcome(all, request('10.0.0.1', chain.leaf, 'x'.repeat(16)))).toEqual(
      distrusted('secret'),
    )
  })
  test.each([
    ['option-missing', undefined],
    ['option-missing', null],
    ['option-missing', '10.0.0.0/8'],
    ['option-unknown', { adresses: ['10.0.0.0/8'] }],
    ['option-invalid', { addresses: '10.0.0.0/8' }],
    ['option-invalid', { addresses: [1] }],
    ['option-invalid', { proxyKeys: 'ab' }],
    ['option-invalid', { secret: null }],
    ['option-invalid', { secret: { header: 'X-Secret' } }],
    ['option-invalid', { secret: { header: 'X Secret', value: '0123456789abcdef' } }],
    ['options-conflict', { secret: { header: 'Client_Cert', value: '0123456789abcdef' } }],
  ])('throws %s for %j', (code, trust) => {
    expect(codeOf(() => rfc9440({ trust: trust as ProxyTrust }))).toBe(code)
  })
  test('lets a direct connection without any of the headers pass to the next source', () => {
    const direct = connectionFrom('192.0.2.1', [chain.leaf])
    const tls = {
      name: 'tls',
      headers: [],
      read: (request: HttpRequest) => ({
        kind: 'presented' as const,
        key: request.connection ?? {},
        read: () => ({ ok: true as const, value: request.connection?.tls?.certificates() ?? [] }),
      }),
    }
    const source = fallback(rfc9440({ trust: { addresses: ['10.0.0.0/8'] } }), tls)
    expect(outcomeOf(source.read(requestWith({}, direct)))).toEqual([hex(chain.leaf)])
    expect(outcomeOf(source.read(requestWith(headers, direct)))).toBe('proxy-not-trusted')
  })
})
