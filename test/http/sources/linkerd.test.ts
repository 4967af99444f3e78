/** Linkerd's header: a name by the proxy's word, and never more than that. @module */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { HttpRequest } from '../../../src/http/request.ts'
import { type LinkerdOptions, linkerd } from '../../../src/http/sources/linkerd.ts'

const header = 'l5d-client-id'
const trust = { addresses: ['127.0.0.1'] }
const client = 'client.default.serviceaccount.identity.linkerd.cluster.local'

function request(rawHeaders: readonly string[], remoteAddress = '127.0.0.1'): HttpRequest {
  return {
    method: 'GET',
    target: '/',
    authority: 'api.example',
    isHttp1: true,
    rawHeaders,
    connection: { remoteAddress, tls: undefined },
    platform: undefined,
  }
}
const asserting = linkerd({ trust, assertedIdentity: true })

test.each([
  ['a DNS name', client, { dnsNames: [client] }],
  ['one in upper case', 'A.Example', { dnsNames: ['a.example'] }],
  ['a SPIFFE id', 'spiffe://td/ns/a/sa/b', { uris: ['spiffe://td/ns/a/sa/b'] }],
])('%s is asserted, when that was asked for', (_, value, names) => {
  expect(asserting.read(request([header, value]))).toEqual({
    kind: 'asserted',
    identity: { asserted: true, by: 'linkerd', ...names },
  })
})

test('without the header the client is not in the mesh', () => {
  expect(asserting.read(request(['Host', 'api.example']))).toEqual({ kind: 'absent' })
})

describe('refused is', () => {
  const failure = (...lines: string[]) => {
    const found = asserting.read(request(lines))
    return found.kind === 'unbelievable' ? found.failure : found
  }
  test('a name, when nobody asked for names', () => {
    expect(linkerd({ trust }).read(request([header, client]))).toEqual({
      kind: 'unbelievable',
      failure: { code: 'identity-only', header },
    })
  })
  test('a second line', () => {
    expect(failure(header, client, 'L5D-Client-Id', client)).toEqual({
      code: 'header-repeated',
      header,
    })
  })
  test('an underscore twin', () => {
    expect(failure('l5d_client_id', client)).toEqual({
      code: 'header-twin',
      header,
      twin: 'l5d_client_id',
    })
  })
  test.each([
    ['two names in one line', `${client}, ${client}`],
    ['two SPIFFE ids in one line', 'spiffe://td/a,spiffe://td/b'],
    ['an empty value', ''],
    ['a space', 'a b'],
    ['a URI of another kind', 'https://a.example/'],
    ['a name that is too long', `${'a.'.repeat(130)}b`],
    ['anything beyond ASCII', 'ä.example'],
  ])('%s', (_, value) => {
    expect(failure(header, value)).toEqual({
      code: 'header-malformed',
      header,
      expected: 'a DNS name or a SPIFFE id',
    })
  })
  test('whatever comes from another address', () => {
    expect(asserting.read(request([header, client], '10.0.0.1'))).toEqual({
      kind: 'unbelievable',
      failure: { code: 'proxy-not-trusted', because: 'address' },
    })
  })
})

test('no value makes the source throw, and a name is the whole value', () => {
  fc.assert(
    fc.property(fc.oneof(fc.domain(), fc.string({ unit: 'binary' })), (value) => {
      const found = asserting.read(request([header, value]))
      if (found.kind !== 'asserted') return
      const { dnsNames = [], uris = [] } = found.identity
      expect([...dnsNames, ...uris]).toEqual([value.toLowerCase()])
    }),
  )
})

test.each([
  ['no trust', { assertedIdentity: true }, 'option-missing'],
  ['an unknown option', { trust, form: 'text' }, 'option-unknown'],
  ['a flag that is a number', { trust, assertedIdentity: 1 }, 'option-invalid'],
])('options with %s throw', (_, options, code) => {
  expect(() => linkerd(options as LinkerdOptions)).toThrow(expect.objectContaining({ code }))
})
