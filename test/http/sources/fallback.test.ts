/** Several sources in turn: absence alone goes on to the next. @module */
import { beforeAll, describe, expect, test } from 'vitest'
import type { HttpRequest } from '../../../src/http/request.ts'
import type { ClientCertificateSource, Found } from '../../../src/http/source.ts'
import * as presets from '../../../src/http/sources/index.ts'
import {
  base64,
  type Chain,
  connectionFrom,
  hex,
  issueChain,
  outcomeOf,
  proxyAddress,
  requestWith,
  sfBinary,
  trust,
} from '../support.ts'

const { caddy, fallback, haproxy, nginx, rfc9440 } = presets

/** Sources of what a connection or a platform shows, and what makes sources of others. */
const connectionSources = ['tls', 'apiGateway', 'cloudflareWorker', 'fallback', 'fromHeader']

/** Options that a preset cannot do without. */
const needed: Readonly<Record<string, object>> = {
  envoy: { form: 'json' },
  kong: { header: 'X-Client-Cert', format: 'base64_encoded' },
}

let chain: Chain
beforeAll(async () => {
  chain = await issueChain()
})

/** As the source of the TLS connection. */
const socket: ClientCertificateSource = {
  name: 'tls',
  headers: [],
  read: ({ connection }: HttpRequest): Found => {
    const certificates = connection?.tls?.certificates() ?? []
    if (connection === undefined || certificates.length === 0) return { kind: 'absent' }
    return { kind: 'presented', key: connection, read: () => ({ ok: true, value: certificates }) }
  },
}

describe('the second source', () => {
  test('is asked when the first finds nothing', () => {
    const source = fallback(rfc9440({ trust }), caddy({ trust }))
    expect(outcomeOf(source.read(requestWith({ 'X-Client-Cert': base64(chain.leaf) })))).toEqual([
      hex(chain.leaf),
    ])
    expect(outcomeOf(source.read(requestWith({ 'X-Client-Cert': '' })))).toBe('absent')
  })
  test('is not asked when the first has a certificate, or a header that cannot be believed', () => {
    const source = fallback(rfc9440({ trust }), caddy({ trust }))
    const other = { 'X-Client-Cert': base64(chain.other) }
    const good = source.read(requestWith({ 'Client-Cert': sfBinary(chain.leaf), ...other }))
    expect(outcomeOf(good)).toEqual([hex(chain.leaf)])
    const bad = source.read(requestWith({ 'Client-Cert': 'MIIB', ...other }))
    expect(outcomeOf(bad)).toBe('header-malformed')
    const twin = source.read(requestWith({ client_cert: 'MIIB', ...other }))
    expect(outcomeOf(twin)).toBe('header-twin')
  })
  test("never takes the proxy's own certificate for that of a client without one", () => {
    const own = connectionFrom(proxyAddress, [chain.other])
    const direct = connectionFrom('192.0.2.1', [chain.leaf])
    const elsewhere = rfc9440({ trust: { addresses: ['192.0.2.9'] } })
    for (const source of [
      fallback(nginx({ trust }), socket),
      fallback(fallback(nginx({ trust }), elsewhere), socket),
      fallback(nginx({ trust }), fallback(elsewhere, socket)),
    ]) {
      const found = source.read(requestWith({ 'X-SSL-Client-Verify': 'NONE' }, own))
      expect(outcomeOf(found)).toBe('absent')
      expect(outcomeOf(source.read(requestWith({}, direct)))).toEqual([hex(chain.leaf)])
    }
  })
})

describe('whatever header source comes first', () => {
  const headerSources = Object.entries(presets).filter(
    (entry): entry is [string, (options: object) => ClientCertificateSource] =>
      typeof entry[1] === 'function' && !connectionSources.includes(entry[0]),
  )
  test.each(headerSources)(
    '%s over a trusted connection keeps the proxy from being the client',
    (name, make) => {
      const source = fallback(make({ trust, ...needed[name] }), socket)
      const own = connectionFrom(proxyAddress, [chain.other])
      const found = source.read({ ...requestWith({}), connection: own })
      expect(found.kind).not.toBe('presented')
    },
  )
})

test('equal texts of two sources have keys of their own, whatever the nesting', () => {
  const names = ['X-A', 'X-B', 'X-C']
  const [a, b, c] = names.map((header) => caddy({ trust, header }))
  if (a === undefined || b === undefined || c === undefined) throw new Error('three sources')
  const empty: Record<string, string> = { 'X-A': '', 'X-B': '', 'X-C': '' }
  for (const source of [fallback(fallback(a, b), c), fallback(a, fallback(b, c))]) {
    const keys = names.map((name) => {
      const found = source.read(requestWith({ ...empty, [name]: base64(chain.leaf) }))
      return found.kind === 'presented' && found.key
    })
    expect(new Set(keys).size).toBe(3)
    expect(keys[0]).toBe(base64(chain.leaf))
  }
})

test('names and headers are those of all, each once', () => {
  const source = fallback(nginx({ trust }), haproxy({ trust }))
  expect([source.name, source.headers]).toEqual([
    'nginx, haproxy',
    ['x-ssl-client-cert', 'x-ssl-client-verify', 'x-ssl-client-chain', 'x-ssl-client-used'],
  ])
})

test('what is no source throws option-missing', () => {
  const nothing = undefined as unknown as ClientCertificateSource
  expect(() => fallback(nothing, socket)).toThrow(
    expect.objectContaining({ code: 'option-missing' }),
  )
  expect(() => fallback(socket, nothing)).toThrow(
    expect.objectContaining({ code: 'option-missing' }),
  )
})

test('each is told what was let in', () => {
  const told: unknown[] = []
  const listening = {
    ...socket,
    accepted: (certificates: readonly Uint8Array[]) => told.push(certificates),
  }
  fallback(rfc9440({ trust }), fallback(listening, listening)).accepted?.([chain.leaf])
  expect(told).toEqual([[chain.leaf], [chain.leaf]])
})
