import { describe, expect, test } from 'vitest'
import { parseTrustAnchors, validateClientCertificate } from '../../src/index.node.ts'
import { issueCa, testTime } from '../../src/testing/index.ts'
import { failuresOf, respondWith, sourceWith, wantedOf } from '../runtime/revocation/support.ts'

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
