/** What is put in force: nothing older than what is held, and nothing that those who are named have not signed. */

import { beforeAll, describe, expect, test } from 'vitest'
import { parseIntermediates, parseTrustAnchors } from '../../../src/index.ts'
import {
  type CertificateAuthority,
  type CrlOptions,
  issueCa,
  testTime,
} from '../../../src/testing/index.ts'
import { failuresOf, pointsTo, respondWith, sourceWith, typesOf, wantedOf } from './support.ts'

let ca: CertificateAuthority
let other: CertificateAuthority
beforeAll(async () => {
  ca = await issueCa('Issuing CA')
  other = await issueCa('Other CA', { key: 'P-256#5' })
})

const hour = 3_600
const signersOf = (one: CertificateAuthority) => parseTrustAnchors(one.pem)

/** Serves the first list, then the second; returns the source after both. */
async function afterBoth(
  first: CrlOptions,
  second: CrlOptions,
  options: Partial<Parameters<typeof sourceWith>[0]> = {},
  by: CertificateAuthority = ca,
) {
  const responder = await respondWith({ '/ca.crl': { crlOf: ca, options: first } })
  const source = sourceWith({ crls: { urls: [responder.url('/ca.crl')] }, ...options })
  await source.ready()
  expect(failuresOf(source)).toEqual([])
  responder.set('/ca.crl', { crlOf: by, options: second })
  await source.refresh()
  return source
}

describe('a list from the same URI', () => {
  test.each([
    ['that is newer', { thisUpdate: testTime - hour, cRLNumber: 2 }, true],
    ['that is newer and counts anew', { thisUpdate: testTime - hour, cRLNumber: 0 }, true],
    [
      'of the same second and a higher number',
      { thisUpdate: testTime - 2 * hour, cRLNumber: 300 },
      true,
    ],
    [
      'of the same second and the same number',
      { thisUpdate: testTime - 2 * hour, cRLNumber: 1 },
      true,
    ],
    [
      'of the same second and a lower number',
      { thisUpdate: testTime - 2 * hour, cRLNumber: 0 },
      false,
    ],
    [
      'of the same second without a number',
      { thisUpdate: testTime - 2 * hour, cRLNumber: 'absent' as const },
      false,
    ],
    ['that is older', { thisUpdate: testTime - 3 * hour, cRLNumber: 1 }, false],
    [
      'that is older and has a higher number',
      { thisUpdate: testTime - 3 * hour, cRLNumber: 9 },
      false,
    ],
  ])('%s: taken %#', async (_what, second, taken) => {
    const source = await afterBoth({ thisUpdate: testTime - 2 * hour, cRLNumber: 1 }, second)
    expect(typesOf(source).at(-1)).toBe(taken ? 'replaced' : 'failed')
    expect(source.epoch).toBe(taken ? 2 : 1)
    if (taken) return
    expect(failuresOf(source)).toEqual([
      { code: 'older', thisUpdate: second.thisUpdate, held: testTime - 2 * hour },
    ])
    expect(source.crls.lists[0]?.tbsCertList.thisUpdate).toBe(testTime - 2 * hour)
  })

  test('of another issuer does not make room for an old one', async () => {
    const first = { thisUpdate: testTime - 2 * hour }
    const responder = await respondWith({ '/ca.crl': { crlOf: ca, options: first } })
    const source = sourceWith({ crls: { urls: [responder.url('/ca.crl')] } })
    await source.ready()
    responder.set('/ca.crl', { crlOf: other })
    await source.refresh()
    responder.set('/ca.crl', { crlOf: ca, options: { thisUpdate: testTime - 3 * hour } })
    await source.refresh()
    expect(failuresOf(source)).toMatchObject([{ code: 'older', held: testTime - 2 * hour }])
  })

  test('of ever more issuers is refused', async () => {
    const responder = await respondWith({ '/ca.crl': { crlOf: ca } })
    const source = sourceWith({ crls: { urls: [responder.url('/ca.crl')] } })
    await source.ready()
    for (let i = 0; i < 8; i++) {
      responder.set('/ca.crl', { crlOf: ca, options: { issuer: `CA ${i}` } })
      await source.refresh()
    }
    expect(failuresOf(source)).toEqual([{ code: 'issuers', maximum: 8 }])
  })

  test('from the future is refused', async () => {
    const source = await afterBoth({}, { thisUpdate: testTime + hour })
    expect(failuresOf(source)).toEqual([{ code: 'not-yet-valid', thisUpdate: testTime + hour }])
  })

  test('that cannot be read is refused', async () => {
    const mutateCrl = (list: Uint8Array) => list.subarray(0, -1)
    const source = await afterBoth({}, { mutateCrl })
    expect(failuresOf(source)).toMatchObject([{ code: 'unreadable' }])
    expect(source.crls.lists).toHaveLength(1)
  })
})

describe('signers', () => {
  test('verify a list before it is in force', async () => {
    const source = await afterBoth({}, { thisUpdate: testTime - 60 }, { signers: signersOf(ca) })
    expect(source.events).toMatchObject([
      { type: 'fetched' },
      { type: 'loaded', verified: true },
      { type: 'fetched' },
      { type: 'replaced', verified: true },
    ])
    expect(source.status()).toMatchObject([{ verified: true }])
  })

  test.each([
    ['P-256#7'],
    // Of another kind: a key for ECDSA has certainly not made a signature with RSA.
    ['RSA-2048'],
  ] as const)('keep out a list that %s has signed under their name', async (signingKey) => {
    const forged = { thisUpdate: testTime - 60, signingKey }
    const source = await afterBoth({}, forged, { signers: [signersOf(ca)] })
    expect(failuresOf(source)).toEqual([{ code: 'signature-invalid' }])
    expect(source.epoch).toBe(1)
  })

  test('keep out such a list from the start', async () => {
    const responder = await respondWith({ '/ca.crl': { crlOf: ca, fault: 'wrong-signer' } })
    const source = sourceWith({
      crls: { urls: [responder.url('/ca.crl')] },
      signers: parseIntermediates(ca.pem),
    })
    await source.ready()
    expect(failuresOf(source)).toEqual([{ code: 'signature-invalid' }])
    expect(source.crls.lists).toEqual([])
  })

  test('may be several keys of one name', async () => {
    const renewed = await issueCa('Issuing CA', { key: 'P-256#9' })
    const source = await afterBoth(
      {},
      { thisUpdate: testTime - 60 },
      { signers: [signersOf(ca), signersOf(renewed)] },
      renewed,
    )
    expect(source.events.at(-1)).toMatchObject({ type: 'replaced', verified: true })
  })

  test('do not know every issuer: such a list is taken as it comes', async () => {
    const source = await afterBoth({}, { thisUpdate: testTime - 60 }, { signers: signersOf(other) })
    expect(source.events.at(-1)).toMatchObject({ type: 'replaced', verified: false })
  })

  test('have the last word: what they verified is not replaced by what nobody can tell', async () => {
    const source = await afterBoth({}, {}, { signers: signersOf(ca) }, other)
    expect(failuresOf(source)).toEqual([{ code: 'signer-unknown' }])
    expect(source.crls.lists[0]?.tbsCertList.issuer.der).toEqual(ca.tbsCertificate.subject.der)
  })

  test.each(['RSA-2048', 'P-384', 'Ed25519'] as const)('may have a key of kind %s', async (key) => {
    const signer = await issueCa('Issuing CA', { key })
    const responder = await respondWith({ '/ca.crl': { crlOf: signer } })
    const source = sourceWith({
      crls: { urls: [responder.url('/ca.crl')] },
      signers: signersOf(signer),
    })
    await source.ready()
    expect(source.status()).toMatchObject([{ verified: true }])
  })
})

describe('the issuer of a certificate whose path is valid', () => {
  test('verifies the list that the certificate names', async () => {
    const responder = await respondWith({ '/ca.crl': { crlOf: ca } })
    const client = await ca.issue('client-a', pointsTo(responder.url('/ca.crl')))
    const source = sourceWith({ crls: { distributionPoints: true } })
    await source.request(wantedOf(client, ca))
    expect(source.events.at(-1)).toMatchObject({ type: 'loaded', verified: true })
  })

  test('may sign lists with another key: what it did not sign is taken, and judged by validation', async () => {
    const responder = await respondWith({ '/ca.crl': { crlOf: ca, fault: 'wrong-signer' } })
    const client = await ca.issue('client-a', pointsTo(responder.url('/ca.crl')))
    const source = sourceWith({ crls: { distributionPoints: true } })
    await source.request(wantedOf(client, ca))
    expect(source.events.at(-1)).toMatchObject({ type: 'loaded', verified: false })
  })

  test('is not locked out by a forged list that came first and claims to be newer', async () => {
    const forged = { thisUpdate: testTime - 60, cRLNumber: 1_000, signingKey: 'P-256#7' as const }
    const responder = await respondWith({ '/ca.crl': { crlOf: ca, options: forged } })
    const client = await ca.issue('client-a', pointsTo(responder.url('/ca.crl')))
    const source = sourceWith({ crls: { distributionPoints: true } })
    await source.request(wantedOf(client, ca))
    responder.set('/ca.crl', { crlOf: ca, options: { thisUpdate: testTime - hour, cRLNumber: 5 } })
    await source.refresh()
    expect(source.events.at(-1)).toMatchObject({ type: 'replaced', verified: true })
  })
})
