/** What reaches an application behind each real proxy, configured by `mtls-policy proxy-snippet`: the certificate, and no forgery. @module */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { twinsOf } from '../../../src/cli/proxy-snippets/snippet.ts'
import { type Backend, type Seen, startBackend } from './backend.ts'
import { type Credentials, curl, TlsClient, valuesOf } from './client.ts'
import { forms } from './forms.ts'
import { issueProxyPki } from './pki.ts'
import { hasProxy, type ProxyName, proxyNames, type RunningProxy, startProxy } from './proxy.ts'

const pki = await issueProxyPki()
const { clients } = pki
const secret = 'a-secret-that-only-the-proxy-knows'
const installed = new Set<ProxyName>(proxyNames.filter(hasProxy))
let backend: Backend
beforeAll(async () => {
  backend = await startBackend()
})
afterAll(() => backend.stop())

describe.each(forms)('behind %s', (_name, form) => {
  describe.skipIf(!installed.has(form.proxy))('as its snippet configures it', () => {
    let proxy: RunningProxy
    beforeAll(async () => {
      proxy = await startProxy(form.proxy, {
        upstreamPort: backend.port,
        pki,
        secret,
        ...(form.arguments === undefined ? {} : { arguments: form.arguments }),
      })
    })
    afterAll(() => proxy?.stop())

    /** What a client without tricks makes the application see under the proxy's names. */
    const written = (seen: Seen | undefined) =>
      proxy.headers.map((name) => [name, valuesOf(seen, name)])
    const expectAbsence = (seen: Seen | undefined) => {
      const found = Object.keys(form.absent).map((name) => [name, valuesOf(seen, name)])
      const expected = Object.entries(form.absent).map(([name, value]) => [
        name,
        value === undefined ? [] : [value],
      ])
      expect(found).toEqual(expected)
      expect(valuesOf(seen, 'X-Proxy-Secret')).toEqual([secret])
    }
    const expectVerdict = (seen: Seen | undefined, expected: string | RegExp) => {
      if (form.verdict === undefined) return
      const [value] = valuesOf(seen, form.verdict.header)
      if (typeof expected === 'string') expect(value).toBe(expected)
      else expect(value).toMatch(expected)
    }

    describe.each([false, true])('over HTTP/2: %s', (http2) => {
      test.each([
        'ecdsa',
        'rsa',
        'ecdsaWithIntermediate',
        'rsaWithIntermediate',
        'commaInUri',
        'large',
      ] as const)(
        'the certificate of the client %s arrives octet by octet, with its chain',
        async (name) => {
          const client = clients[name]
          const { status, version, seen } = await curl(proxy.port, { client, http2 })
          expect([status, version]).toEqual([200, http2 ? '2' : '1.1'])
          expect(hex(form.leaf(seen))).toBe(hex(client.der))
          if (form.chain !== undefined) {
            expect(form.chain(seen).map(hex)).toEqual(client.chain.slice(1).map(hex))
          }
          expectVerdict(seen, form.verdict?.good ?? '')
          expect(valuesOf(seen, 'X-Proxy-Secret')).toEqual([secret])
        },
      )

      test('without a certificate, absence has one exact form', async () => {
        const { status, seen } = await curl(proxy.port, { http2 })
        expect(status).toBe(200)
        expectAbsence(seen)
      })

      test('an expired certificate reaches the application, where the proxy can let it in', async () => {
        const client = clients.expired
        const { status, seen } = await curl(proxy.port, { client, http2, data: 'a body' })
        expect(status).toBe(form.letsExpiredIn ? 200 : 0)
        if (!form.letsExpiredIn) return
        expect(seen?.method).toBe('POST')
        expect(hex(form.leaf(seen))).toBe(hex(client.der))
        expectVerdict(seen, form.verdict?.expired ?? '')
      })

      test('a certificate of a foreign CA reaches the application, and is not called good', async () => {
        const { status, seen } = await curl(proxy.port, { client: clients.foreign, http2 })
        expect(status).toBe(200)
        expect(hex(form.leaf(seen))).toBe(hex(clients.foreign.der))
        expectVerdict(seen, form.verdict?.foreign ?? '')
      })

      test.each([
        ['without a certificate', undefined],
        ['with one', clients.ecdsa],
      ])('%s, nothing that a client writes under these names arrives', async (_what, client) => {
        const honest = await curl(proxy.port, { client, http2 })
        for (const name of proxy.headers) {
          const spelled = [name, name, name.toUpperCase(), ...twinsOf(name)]
          const headers = [
            ...spelled.map((spelling, at) => `${spelling}: forged-${at}`),
            // An empty value beside a forged one.
            `${name.replaceAll('-', '_')};`,
          ]
          const { status, seen } = await curl(proxy.port, { client, http2, headers })
          expect([name, status]).toEqual([name, 200])
          expect(forgeries(seen, proxy.headers)).toEqual([])
          expect(written(seen)).toEqual(written(honest.seen))
        }
      })

      test('one forged header joined of two values does not arrive either', async () => {
        for (const name of proxy.headers) {
          const headers = [`${name}: forged-0, forged-1`]
          const { seen } = await curl(proxy.port, { client: clients.ecdsa, http2, headers })
          expect(forgeries(seen, proxy.headers)).toEqual([])
        }
      })
    })

    test('a header that no HTTP parser should take is not taken for ours', async () => {
      for (const name of proxy.headers) {
        const tricks = [
          [`${name} : forged`],
          [`${name}\t: forged`],
          [`X-Other: a\r\n ${name}: forged`],
          [`${name}:\r\n forged`],
          [`${name}\0: forged`],
          [`X-Other: a\n${name}: forged`],
          [`X-Other: a\r${name}: forged`],
        ]
        for (const headers of tricks) {
          const tls = await TlsClient.open(proxy.port)
          const { status, seen } = await tls.get([...headers, 'Connection: close'])
          tls.close()
          expect([headers, forgeries(seen, proxy.headers)]).toEqual([headers, []])
          if (status === 200) expectAbsence(seen)
        }
      }
    })

    test("a client's Connection header strips none of the proxy's", async () => {
      const client = clients.ecdsa
      const honest = await curl(proxy.port, { client })
      const all = proxy.headers.join(', ')
      for (const value of [...proxy.headers, all, all.toLowerCase(), `close, ${all}`]) {
        const tls = await TlsClient.open(proxy.port, { client })
        const { status, seen } = await tls.get([`Connection: ${value}`])
        tls.close()
        expect(status).toBe(200)
        expect(written(seen)).toEqual(written(honest.seen))
        // What stands behind this proxy must not be told to strip them either.
        const nominated = valuesOf(seen, 'Connection').join().toLowerCase()
        expect(proxy.headers.filter((name) => nominated.includes(name.toLowerCase()))).toEqual([])
      }
    })

    describe.each(['TLSv1.2', 'TLSv1.3'] as const)(
      'a session of %s that is resumed',
      (maxVersion) => {
        const again = async (client: Credentials | undefined) => {
          const first = await TlsClient.open(proxy.port, { client, maxVersion })
          await first.get()
          const { session } = first
          first.close()
          if (session === undefined) return undefined
          // Without certificate and key: what arrives is remembered.
          const second = await TlsClient.open(proxy.port, { session, maxVersion })
          const { isResumed } = second
          const { seen } = await second.get()
          second.close()
          return { isResumed, seen }
        }

        test('remembers the certificate of a client, and its chain only where the proxy does', async () => {
          const client = clients.ecdsaWithIntermediate
          const resumed = await again(client)
          if (form.resumption === 'none') {
            expect(resumed?.isResumed ?? false).toBe(false)
            if (resumed !== undefined) expectAbsence(resumed.seen)
            return
          }
          expect(resumed?.isResumed).toBe(true)
          expect(hex(form.leaf(resumed?.seen))).toBe(hex(client.der))
          expectVerdict(resumed?.seen, form.verdict?.good ?? '')
          if (form.chain === undefined) return
          const known = form.resumption === 'with chain' ? client.chain.slice(1).map(hex) : []
          expect(form.chain(resumed?.seen).map(hex)).toEqual(known)
        })

        test('does not turn a foreign certificate into a good one', async () => {
          const resumed = await again(clients.foreign)
          if (form.resumption === 'none') {
            expect(resumed?.isResumed ?? false).toBe(false)
            return
          }
          expect(hex(form.leaf(resumed?.seen))).toBe(hex(clients.foreign.der))
          expectVerdict(resumed?.seen, form.verdict?.foreign ?? '')
        })

        test('without a certificate stays without one', async () => {
          const resumed = await again(undefined)
          if (resumed !== undefined) expectAbsence(resumed.seen)
        })
      },
    )

    test('requests on one connection do not open one each to the application', async () => {
      const tls = await TlsClient.open(proxy.port, { client: clients.ecdsa })
      const connections = new Set<number | undefined>()
      for (let count = 0; count < 6; count++) connections.add((await tls.get()).seen?.connection)
      tls.close()
      // HAProxy takes a new one for the first request, by http-reuse safe.
      expect(connections.size).toBeLessThanOrEqual(2)
    })
  })
})

/** Values that a client has written and that arrived under one of `names`, however spelt. */
function forgeries(seen: Seen | undefined, names: readonly string[]): readonly string[] {
  const folded = (name: string) => name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '')
  const ours = new Set(names.map(folded))
  const raw = seen?.rawHeaders ?? []
  return raw.filter(
    (value, at) => at % 2 === 1 && ours.has(folded(raw[at - 1] ?? '')) && value.includes('forged'),
  )
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
