/** OCSP responses, over real connections. */

import { beforeAll, describe, expect, test } from 'vitest'
import { runSync } from '../../../src/effect/effect.ts'
import { holderOf } from '../../../src/revocation/held-response.ts'
import { nodeHandlers } from '../../../src/runtime/node.ts'
import {
  type CertificateAuthority,
  type IssuedCertificate,
  issueCa,
  type ResponderFault,
  testTime,
} from '../../../src/testing/index.ts'
import {
  eventually,
  failuresOf,
  pause,
  respondWith,
  sourceWith,
  typesOf,
  type Watched,
  wantedOf,
} from './support.ts'

let ca: CertificateAuthority
let client: IssuedCertificate
beforeAll(async () => {
  ca = await issueCa('Issuing CA')
  client = await ca.issue('client-a')
})

const patient = { retry: { first: 60_000 } }

function statusOf(source: Watched, certificate: IssuedCertificate): readonly string[] {
  const { issuer } = wantedOf(certificate, ca)
  const { answers } = runSync(source.responses.find(certificate, issuer), nodeHandlers())
  return answers.map(({ single }) => single.certStatus.status)
}

describe('a responder', () => {
  test('is asked about one certificate, by POST, and the answer is in force', async () => {
    const responder = await respondWith({
      '/ocsp': { ocspOf: ca, statuses: [{ certificate: client, certStatus: 'revoked' }] },
    })
    const source = sourceWith({ ocsp: { responder: responder.url('/ocsp') } })
    await source.ready()
    expect(responder.requests).toEqual([])
    await source.request(wantedOf(client, ca))
    expect(statusOf(source, client)).toEqual(['revoked'])
    expect(responder.requests).toMatchObject([
      { method: 'POST', headers: { 'content-type': 'application/ocsp-request' } },
    ])
    expect(source.events).toMatchObject([
      { kind: 'ocsp', type: 'fetched' },
      { kind: 'ocsp', type: 'loaded', from: 'network', verified: true },
    ])
    expect(source.status()).toMatchObject([
      { kind: 'ocsp', origin: responder.url('/ocsp'), serialNumber: expect.any(String) },
    ])
  })

  test('that the certificate names is asked, and the next one when it fails', async () => {
    const responder = await respondWith({
      '/down': { ocspOf: ca, fault: 'status' },
      '/ocsp': { ocspOf: ca },
    })
    const named = await ca.issue('client-b', {
      authorityInfoAccess: {
        ocsp: ['ldap://a.example', responder.url('/down'), responder.url('/ocsp')],
        caIssuers: responder.url('/ca.cer'),
      },
    })
    const source = sourceWith({ ocsp: { responder: 'aia' }, ...patient })
    await source.request(wantedOf(named, ca))
    expect(responder.requests.map(({ path }) => path)).toEqual(['/down', '/ocsp'])
    expect(statusOf(source, named)).toEqual(['good'])
    expect(source.request(wantedOf(client, ca))).toBeUndefined()
  })

  test('on a private address is refused like any other', async () => {
    const responder = await respondWith({ '/ocsp': { ocspOf: ca } })
    const source = sourceWith({
      ocsp: { responder: responder.url('/ocsp') },
      allowAddresses: ['private'],
    })
    await source.request(wantedOf(client, ca))
    expect(failuresOf(source)).toMatchObject([{ code: 'address-refused', host: '127.0.0.1' }])
    expect(responder.requests).toEqual([])
  })

  test('is asked by GET where the request is short', async () => {
    const responder = await respondWith({ '/': { ocspOf: ca } })
    const source = sourceWith({
      ocsp: { responder: responder.url('/'), method: 'get-when-short' },
    })
    await source.request(wantedOf(client, ca))
    expect(statusOf(source, client)).toEqual(['good'])
    expect(responder.requests[0]?.method).toBe('GET')
    // Every character of base64 that a path cannot have is escaped.
    expect(responder.requests[0]?.path).toMatch(/^\/(?:[A-Za-z0-9]|%2B|%2F|%3D)+$/)
  })

  test.each([
    ['longer than that', { path: `/${'a'.repeat(150)}`, nonce: 'none' as const }],
    ['with a nonce', { path: '/', nonce: 'send' as const }],
  ])('is asked by POST where the request is %s', async (_what, { path, nonce }) => {
    const responder = await respondWith({ [path]: { ocspOf: ca } })
    const source = sourceWith({
      ocsp: { responder: responder.url(path), method: 'get-when-short', nonce },
    })
    await source.request(wantedOf(client, ca))
    expect(responder.requests.map(({ method }) => method)).toEqual(['POST'])
  })

  test('may be asked with SHA-256', async () => {
    const responder = await respondWith({ '/ocsp': { ocspOf: ca } })
    const source = sourceWith({ ocsp: { responder: responder.url('/ocsp'), hash: 'SHA-256' } })
    await source.request(wantedOf(client, ca))
    expect(statusOf(source, client)).toEqual(['good'])
    const sha256 = Buffer.from('608648016503040201', 'hex')
    expect(Buffer.from(responder.requests[0]?.body ?? []).includes(sha256)).toBe(true)
  })
})

describe('an answer', () => {
  test.each<[string, ResponderFault['kind'], object]>([
    ['from a page in HTML', 'wrong-content', { code: 'unreadable' }],
    ['that is cut short', 'truncated', { code: 'truncated' }],
    ['without an end', 'huge', { code: 'too-large' }],
    ['304, to no condition', 'not-modified', { code: 'status', status: 304 }],
    ['500', 'status', { code: 'status', status: 500 }],
    ['signed by somebody else', 'wrong-signer', { code: 'signer-unknown' }],
    ['that is older', 'stale', { code: 'older' }],
  ])('%s replaces nothing', async (_what, fault, failure) => {
    const responder = await respondWith({ '/ocsp': { ocspOf: ca } })
    const source = sourceWith({ ocsp: { responder: responder.url('/ocsp') }, maxBytes: 10_000 })
    await source.request(wantedOf(client, ca))
    const { responses } = source
    responder.fail('/ocsp', fault)
    await source.refresh()
    expect(failuresOf(source)).toMatchObject([failure])
    expect(source.responses).toBe(responses)
    expect(statusOf(source, client)).toEqual(['good'])
  })

  test('from nobody known is taken where there is none, and judged by validation', async () => {
    const responder = await respondWith({ '/ocsp': { ocspOf: ca, fault: 'wrong-signer' } })
    const source = sourceWith({ ocsp: { responder: responder.url('/ocsp') } })
    await source.request(wantedOf(client, ca))
    expect(source.events.at(-1)).toMatchObject({ type: 'loaded', verified: false })
    responder.heal('/ocsp')
    await source.refresh()
    expect(source.events.at(-1)).toMatchObject({ type: 'replaced', verified: true })
  })

  test.each(['tryLater', 'internalError', 'unauthorized', 'malformedRequest'] as const)(
    '%s is a failure',
    async (responseStatus) => {
      const responder = await respondWith({ '/ocsp': { ocspOf: ca, options: { responseStatus } } })
      const source = sourceWith({ ocsp: { responder: responder.url('/ocsp') } })
      await source.request(wantedOf(client, ca))
      expect(failuresOf(source)).toEqual([{ code: 'ocsp-error', responseStatus }])
    },
  )

  test('of another type is a failure', async () => {
    const responder = await respondWith({
      '/ocsp': { ocspOf: ca, options: { responseType: '1.2.3.4' } },
    })
    const source = sourceWith({ ocsp: { responder: responder.url('/ocsp') } })
    await source.request(wantedOf(client, ca))
    expect(failuresOf(source)).toEqual([{ code: 'ocsp-type-unknown' }])
  })

  test('about another certificate is a failure', async () => {
    const other = await ca.issue('client-c')
    const { der } = await ca.issueOcspResponse({ responses: [other] })
    const responder = await respondWith({ '/ocsp': { body: der } })
    const source = sourceWith({ ocsp: { responder: responder.url('/ocsp') } })
    await source.request(wantedOf(client, ca))
    expect(failuresOf(source)).toEqual([{ code: 'ocsp-other-certificate' }])
    expect(source.responses.responses).toEqual([])
  })

  test('from the future is a failure', async () => {
    const thisUpdate = testTime + 3_600
    const responder = await respondWith({ '/ocsp': { ocspOf: ca, options: { thisUpdate } } })
    const source = sourceWith({ ocsp: { responder: responder.url('/ocsp') } })
    await source.request(wantedOf(client, ca))
    expect(failuresOf(source)).toEqual([{ code: 'not-yet-valid', thisUpdate }])
  })

  test('"unknown" is in force like any other', async () => {
    const responder = await respondWith({ '/ocsp': { ocspOf: ca, otherwise: 'unknown' } })
    const source = sourceWith({ ocsp: { responder: responder.url('/ocsp') } })
    await source.request(wantedOf(client, ca))
    expect(statusOf(source, client)).toEqual(['unknown'])
    expect(source.status()).toMatchObject([{ verified: true }])
  })

  test('by a delegate of the CA is verified', async () => {
    const signer = await ca.issueOcspResponder('OCSP responder')
    const responder = await respondWith({ '/ocsp': { ocspOf: ca, options: { signer } } })
    const source = sourceWith({ ocsp: { responder: responder.url('/ocsp') } })
    await source.request(wantedOf(client, ca))
    expect(source.status()).toMatchObject([{ verified: true }])
  })
})

describe('a nonce', () => {
  test.each([
    ['none', 'echo', undefined, []],
    ['send', 'echo', undefined, []],
    ['send', 'absent', undefined, []],
    ['require', 'echo', undefined, []],
    ['require', 'absent', undefined, [{ code: 'ocsp-nonce', present: false }]],
    ['send', 'echo', 'wrong-nonce', [{ code: 'ocsp-nonce', present: true }]],
    ['require', 'echo', 'wrong-nonce', [{ code: 'ocsp-nonce', present: true }]],
    ['none', 'echo', 'wrong-nonce', []],
  ] as const)('%s, and %s (%s): %j', async (rule, nonce, fault, failures) => {
    const responder = await respondWith({ '/ocsp': { ocspOf: ca, nonce, ...(fault && { fault }) } })
    const source = sourceWith({ ocsp: { responder: responder.url('/ocsp'), nonce: rule } })
    await source.request(wantedOf(client, ca))
    expect(failuresOf(source)).toEqual(failures)
  })

  test('is another one each time', async () => {
    const responder = await respondWith({ '/ocsp': { ocspOf: ca } })
    const source = sourceWith({ ocsp: { responder: responder.url('/ocsp'), nonce: 'require' } })
    await source.request(wantedOf(client, ca))
    await source.refresh()
    const [first, second] = responder.requests.map(({ body }) => Buffer.from(body).toString('hex'))
    expect(first).not.toBe(second)
  })
})

describe('responses', () => {
  test('are kept for each certificate, and no more of them than asked for', async () => {
    const responder = await respondWith({ '/ocsp': { ocspOf: ca } })
    const source = sourceWith({ ocsp: { responder: responder.url('/ocsp'), maxResponses: 3 } })
    const clients = await Promise.all([0, 1, 2, 3].map((i) => ca.issue(`client-${i}`)))
    for (const one of clients) await source.request(wantedOf(one, ca))
    await eventually(() => source.responses.responses.length === 3)
    expect(clients.map((one) => statusOf(source, one).length)).toEqual([0, 1, 1, 1])
  })

  test('are asked for once, however many want them at the same time', async () => {
    const responder = await respondWith({ '/ocsp': { ocspOf: ca } })
    const source = sourceWith({ ocsp: { responder: responder.url('/ocsp') } })
    await Promise.all(Array.from({ length: 1_000 }, () => source.request(wantedOf(client, ca))))
    expect(responder.requests).toHaveLength(1)
    expect(source.request(wantedOf(client, ca))).toBeUndefined()
  })

  test('are fetched again before they run out while they are of use, and then no more', async () => {
    const begin = Math.floor(Date.now() / 1000)
    const options = { thisUpdate: begin - 1, nextUpdate: begin + 3_600 }
    const responder = await respondWith({ '/ocsp': { ocspOf: ca, options } })
    const source = sourceWith({
      ocsp: { responder: responder.url('/ocsp') },
      refresh: { minimum: 100, maximum: 100 },
      now: () => new Date(),
    })
    await source.request(wantedOf(client, ca))
    for (const response of source.responses.responses) holderOf(response).used = true
    await eventually(() => typesOf(source).includes('replaced'))
    await pause(400)
    expect(responder.requests).toHaveLength(2)
    await source.request(wantedOf(client, ca))
    expect(responder.requests).toHaveLength(3)
  })
})
