import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parseTrustAnchors, validateClientCertificate } from '../../src/index.node.ts'
import { issueCa, testTime } from '../../src/testing/index.ts'
import {
  failuresOf,
  pointsTo,
  rawServer,
  respondWith,
  sourceWith,
  wantedOf,
} from '../runtime/revocation/support.ts'

// Whoever sits before a responder sends what the CA has not published there.

const ca = await issueCa('Issuing CA')
const other = await issueCa('Other CA', { key: 'P-256#5' })
const client = await ca.issue('client-a')
const trustAnchors = parseTrustAnchors([ca.pem, other.pem])
const time = new Date(testTime * 1000)
const day = 86_400

/** What becomes of the client under the laxest rule. */
async function laxOutcome(source: ReturnType<typeof sourceWith>): Promise<string> {
  const verdict = await validateClientCertificate(client.der, {
    trustAnchors,
    time,
    revocation: { mode: 'crl', source, onUnknown: 'allow' },
  })
  return verdict.ok ? 'let in' : verdict.failure.code
}

describe('what a list has revoked stays revoked when its URI answers', () => {
  const revoking = { crlOf: ca, options: { revoked: [client] } }
  test.each([
    ['the list of another CA', { crlOf: other }],
    [
      'a list of the same CA for other certificates',
      { crlOf: ca, options: { issuingDistributionPoint: { onlyContainsCACerts: true } } },
    ],
    ['a delta of the same CA', { deltaCrlOf: ca }],
    ['a list whose CA nobody knows', { crlOf: ca, options: { issuer: 'Nobody' } }],
  ])('%s', async (_, second) => {
    for (const signers of [trustAnchors, undefined]) {
      const responder = await respondWith({ '/ca.crl': revoking })
      const source = sourceWith({
        crls: { urls: [responder.url('/ca.crl')] },
        ...(signers && { signers }),
      })
      await source.ready()
      expect(await laxOutcome(source)).toBe('certificate-revoked')
      responder.set('/ca.crl', second as Parameters<typeof responder.set>[1])
      await source.refresh()
      expect(await laxOutcome(source)).toBe('certificate-revoked')
    }
  })

  test('a newer list of the same name that nobody can tell, once a validation has relied on the one before', async () => {
    const responder = await respondWith({ '/ca.crl': revoking })
    const source = sourceWith({ crls: { urls: [responder.url('/ca.crl')] } })
    await source.ready()
    expect(await laxOutcome(source)).toBe('certificate-revoked')
    const forged = { thisUpdate: testTime - 60, signingKey: 'P-256#7' as const }
    responder.set('/ca.crl', { crlOf: ca, options: forged })
    await source.refresh()
    expect(failuresOf(source)).toEqual([{ code: 'signer-unknown' }])
    expect(await laxOutcome(source)).toBe('certificate-revoked')
    responder.set('/ca.crl', { crlOf: ca, options: { thisUpdate: testTime - 60 } })
    await source.refresh()
    expect(source.status()).toMatchObject([{ verified: true, failures: 0 }])
  })

  test('a list under the name of the CA, by a CA that another anchor has certified', async () => {
    const impostor = await other.issueCa('Issuing CA', { key: 'P-256#7' })
    const guest = await impostor.issue('guest')
    const responder = await respondWith({ '/ca.crl': revoking })
    const source = sourceWith({ crls: { urls: [responder.url('/ca.crl')] } })
    await source.ready()
    expect(await laxOutcome(source)).toBe('certificate-revoked')
    source.request(wantedOf(guest, impostor))
    responder.set('/ca.crl', { crlOf: impostor, options: { thisUpdate: testTime - 60 } })
    await source.refresh()
    expect(source.status()).toMatchObject([{ verified: true }])
    expect(await laxOutcome(source)).toBe('certificate-revoked')
    // And the CA goes on from where it was, whatever the other one claims.
    responder.set('/ca.crl', { crlOf: ca, options: { thisUpdate: testTime - 120, cRLNumber: 9 } })
    await source.refresh()
    expect(failuresOf(source)).toEqual([])
  })
})

describe('a list of a scope that the CA has given up', () => {
  test('makes room once it ran out before the list that is served now was issued', async () => {
    const old = { thisUpdate: testTime - 3 * day, nextUpdate: testTime - 2 * day }
    const responder = await respondWith({ '/ca.crl': { crlOf: ca, options: old } })
    const source = sourceWith({
      crls: { urls: [responder.url('/ca.crl')] },
      signers: trustAnchors,
    })
    await source.ready()
    const scoped = { issuingDistributionPoint: { onlyContainsUserCerts: true } }
    responder.set('/ca.crl', { crlOf: ca, options: scoped })
    await source.refresh()
    expect(source.crls.lists).toHaveLength(1)
  })
})

describe('lists that nobody has signed, as many as a URI may have', () => {
  test('give way to one whose signer is known', async () => {
    const responder = await respondWith({ '/ca.crl': { crlOf: ca, options: { issuer: 'CA 0' } } })
    const source = sourceWith({
      crls: { urls: [responder.url('/ca.crl')] },
      signers: parseTrustAnchors(ca.pem),
    })
    await source.ready()
    for (let i = 1; i < 9; i++) {
      responder.set('/ca.crl', { crlOf: ca, options: { issuer: `CA ${i}` } })
      await source.refresh()
    }
    expect(failuresOf(source)).toEqual([{ code: 'issuers', maximum: 8 }])
    responder.set('/ca.crl', { crlOf: ca })
    await source.refresh()
    expect(source.status()).toMatchObject([{ verified: true }])
    expect(source.crls.lists).toHaveLength(8)
  })
})

/** A server that answers with a list and these header fields, and keeps the requests. */
async function serverOf(body: Uint8Array, fields: string) {
  const requests: string[] = []
  const port = await rawServer((socket) => {
    socket.on('data', (octets) => {
      requests.push(octets.toString('latin1'))
      socket.write(`HTTP/1.1 200 OK\r\n${fields}Content-Length: ${body.length}\r\n\r\n`)
      socket.end(body)
    })
  })
  return { requests, url: `http://127.0.0.1:${port}/ca.crl` }
}

describe('what somebody on the way sent once does not keep a source on an old list', () => {
  test.each([
    ['an ETag that matches whatever comes later', 'ETag: *\r\n'],
    ['a list of ETags', 'ETag: "a", *\r\n'],
    ['an ETag without quotes', 'ETag: a\r\n'],
    ['a time of modification that lies ahead', 'Last-Modified: Thu, 01 Jan 2099 00:00:00 GMT\r\n'],
    ['a time of modification that is none', 'Last-Modified: never\r\n'],
  ])('%s', async (_, fields) => {
    const { requests, url } = await serverOf((await ca.issueCrl()).der, fields)
    const source = sourceWith({ crls: { urls: [url] } })
    await source.ready()
    await source.refresh()
    expect(requests).toHaveLength(2)
    expect(requests[1]).not.toMatch(/^if-/im)
  })

  test('and what is well formed is sent back, as long as the list has not run out', async () => {
    const fields = 'ETag: W/"a"\r\nLast-Modified: Wed, 01 Jan 2020 00:00:00 GMT\r\n'
    for (const hasRunOut of [false, true]) {
      const nextUpdate = testTime + (hasRunOut ? -60 : day)
      const { requests, url } = await serverOf((await ca.issueCrl({ nextUpdate })).der, fields)
      const source = sourceWith({ crls: { urls: [url] } })
      await source.ready()
      await source.refresh()
      expect(/^if-none-match: W\/"a"\r$/im.test(requests[1] ?? '')).toBe(!hasRunOut)
      expect(/^if-modified-since: Wed, 01/im.test(requests[1] ?? '')).toBe(!hasRunOut)
    }
  })
})

describe('certificates that name ever more URIs', () => {
  test('push out lists that nobody has signed before those that are proven', async () => {
    const routes: Record<string, object> = { '/0': { crlOf: ca } }
    for (const i of [1, 2, 3]) routes[`/${i}`] = { crlOf: ca, fault: 'wrong-signer' }
    const responder = await respondWith(routes as Parameters<typeof respondWith>[0])
    const source = sourceWith({ crls: { distributionPoints: true, maxLearned: 2 } })
    for (const i of [0, 1, 2, 3]) {
      const one = await ca.issue('client-a', pointsTo(responder.url(`/${i}`)))
      await source.request(wantedOf(one, ca))
    }
    expect(
      source.status().map(({ origin, verified }) => [new URL(origin).pathname, verified]),
    ).toEqual([
      ['/0', true],
      ['/3', false],
    ])
  })
})

describe('a body of ever so many small lists', () => {
  test('does not stop the event loop', async () => {
    const { pem } = await ca.issueCrl()
    const body = new TextEncoder().encode(pem.repeat(10_000))
    const { url } = await serverOf(body, '')
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    const source = sourceWith({ crls: { urls: [url] }, timeout: 20_000 })
    await source.ready()
    clearInterval(timer)
    expect(failuresOf(source)).toEqual([{ code: 'not-a-list' }])
    // Some 200 ms of work, in turns of 3 ms.
    expect(turns).toBeGreaterThan(20)
  })
})

describe('the cache folder, written to by somebody else', () => {
  test.each([
    ['no JSON', '{'],
    ['null', 'null'],
    ['no URI', '{"kind":"crl","uri":1,"subject":""}'],
    ['a kind that is none', '{"kind":"other","uri":"http://127.0.0.1/a","subject":""}'],
  ])('a file with the right digest and %s is as good as none', async (_, facts) => {
    const folder = await mkdtemp(join(tmpdir(), 'cache-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const rest = `${facts}\n`
    const digest = createHash('sha256').update(rest).digest('hex')
    const text = `mtls-policy revocation cache 1 ${digest}\n${rest}`
    await writeFile(join(folder, `${'0'.repeat(64)}.answer`), text)
    const source = sourceWith({ crls: { distributionPoints: true }, cacheFolder: folder })
    await expect(source.ready()).resolves.toBeUndefined()
    expect(source.crls.lists).toEqual([])
  })
})

describe('an answer that revokes', () => {
  const at = (seconds: number) => ({
    thisUpdate: testTime - seconds,
    producedAt: testTime - seconds,
  })
  const says = (certStatus: 'good' | 'revoked' | 'unknown', seconds: number) => ({
    ocspOf: ca,
    statuses: [{ certificate: client, certStatus, hash: 'SHA-256' as const }],
    options: at(seconds),
  })
  const decide = async (source: ReturnType<typeof sourceWith>) => {
    const verdict = await validateClientCertificate(client.der, {
      trustAnchors,
      time,
      revocation: { mode: 'ocsp', source, onUnknown: 'allow' },
    })
    return verdict.ok ? 'let in' : verdict.failure.code
  }

  test('stays when the responder says later that it knows nothing, and goes when it says good', async () => {
    const responder = await respondWith({ '/ocsp': says('revoked', 300) })
    const source = sourceWith({ ocsp: { responder: responder.url('/ocsp') } })
    await source.request(wantedOf(client, ca))
    expect(await decide(source)).toBe('certificate-revoked')
    responder.set('/ocsp', says('unknown', 200))
    await source.refresh()
    expect(await decide(source)).toBe('certificate-revoked')
    responder.set('/ocsp', says('good', 100))
    await source.refresh()
    expect(await decide(source)).toBe('let in')
    expect(source.responses.responses).toHaveLength(1)
  })
})
