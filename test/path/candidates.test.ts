import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Candidates } from '../../src/path/candidates.ts'
import { IssuerIndex } from '../../src/path/issuer-index.ts'
import { issueCa, testTime } from '../../src/testing/index.ts'
import type { Certificate } from '../../src/x509/certificate.ts'
import { anchorIssuer, anchorOf, bareAnchorOf, issuerOf } from './support.ts'

const year = 31_536_000
const root = await issueCa('Root CA')
const ca = await root.issueCa('Issuing CA')
const client = await ca.issue('client-a')
const unidentified = await ca.issue('client-a', { authorityKeyIdentifier: 'absent' })

/** The certificates in the order of their turn. */
function order(target: Certificate, sources: readonly IssuerIndex[], time = testTime) {
  const candidates = new Candidates(target, sources, time, { looks: 0 })
  const turns = []
  for (let next = candidates.next(); next !== undefined; next = candidates.next()) {
    turns.push(next.certificate)
  }
  expect(candidates.next()).toBeUndefined()
  return turns
}

const pool = (...certificates: Certificate[]) => new IssuerIndex(certificates.map(issuerOf))
const name = { subject: 'Issuing CA' }
const other = { ...name, key: 'P-256#9' } as const

describe('the order of possible issuers, RFC 4158 §3.5', async () => {
  const newer = await root.issueCa('Issuing CA', { key: ca.key, notBefore: testTime - year })
  const expired = await root.issueCa('Issuing CA', { key: ca.key, notAfter: testTime - 1 })
  const future = await root.issueCa('Issuing CA', { key: ca.key, notBefore: testTime + 1 })
  const otherKey = await root.issueCa('Issuing CA', { ...other, notBefore: testTime - 2 * year })
  const otherExpired = await root.issueCa('Issuing CA', { ...other, notAfter: testTime - 1 })
  const unknownKey = await root.issueCa('Issuing CA', { ...other, subjectKeyIdentifier: 'absent' })
  const foreign = await root.issueCa('Other CA', { key: ca.key })
  const all = [otherExpired, unknownKey, future, otherKey, expired, ca, foreign, newer]

  test('key identifier, then current, then newest', () => {
    expect(order(client, [pool(...all)])).toEqual([
      newer,
      ca,
      future,
      expired,
      otherKey,
      unknownKey,
      otherExpired,
    ])
  })
  test('without a key identifier: current, then newest', () => {
    expect(order(unidentified, [pool(...all)])).toEqual([
      newer,
      otherKey,
      unknownKey, // as new as the next one, and given before it
      ca,
      future,
      otherExpired,
      expired,
    ])
  })
  test('both ends of a validity period are current', () => {
    for (const time of [ca, expired, future].flatMap(({ tbsCertificate: { validity } }) => [
      validity.notBefore,
      validity.notAfter,
    ])) {
      const turns = order(client, [pool(otherKey, ca, expired, future)], time)
      expect(turns).toHaveLength(4)
    }
    const { notAfter } = expired.tbsCertificate.validity
    expect(order(client, [pool(expired, ca)], notAfter)[0]).toBe(ca)
    const start = future.tbsCertificate.validity.notBefore
    expect(order(client, [pool(future, ca)], start)[0]).toBe(future)
    expect(order(client, [pool(future, ca)], start - 1)[0]).toBe(ca)
    expect(order(client, [pool(expired, future)], notAfter)[0]).toBe(expired)
    expect(order(client, [pool(expired, future)], notAfter + 1)[0]).toBe(future)
  })
  test('the sources in their order, in each group', () => {
    const anchors = new IssuerIndex([anchorIssuer(anchorOf(expired)), anchorIssuer(anchorOf(ca))])
    expect(order(client, [anchors, pool(newer, otherKey), pool(future)])).toEqual([
      ca,
      newer,
      expired,
      future,
      otherKey,
    ])
  })
  test('what stands in an earlier source has had its turn', () => {
    const anchors = new IssuerIndex([anchorIssuer(anchorOf(ca))])
    expect(order(client, [anchors, pool(ca, newer), pool(newer, ca)])).toEqual([ca, newer])
    expect(order(unidentified, [anchors, pool(ca, newer), pool(newer, ca)])).toEqual([ca, newer])
  })
  test('an anchor of a name and a key is current, and is tried once', () => {
    const bare = anchorIssuer(bareAnchorOf(ca))
    expect(order(client, [new IssuerIndex([bare]), pool(ca)])).toEqual([ca, undefined])
    expect(order(unidentified, [new IssuerIndex([bare]), pool(ca)])).toEqual([undefined, ca])
    expect(order(unidentified, [pool(ca), new IssuerIndex([bare])])).toEqual([ca, undefined])
  })
  test('every look counts, passed over or not', () => {
    const effort = { looks: 0 }
    const candidates = new Candidates(client, [pool(otherExpired, ca)], testTime, effort)
    expect(candidates.next()?.certificate).toBe(ca)
    const { looks } = effort
    expect(looks).toBeGreaterThan(0)
    expect(candidates.next()?.certificate).toBe(otherExpired)
    expect(candidates.next()).toBeUndefined()
    expect(effort.looks).toBeGreaterThan(looks)
  })
  test('nobody of that name', () => {
    expect(order(client, [pool(foreign)])).toEqual([])
    expect(order(client, [])).toEqual([])
  })
  test('each of that name once, whatever the pools', () => {
    const named = all.filter((one) => one !== foreign)
    const some = fc.subarray(all)
    fc.assert(
      fc.property(fc.array(some, { maxLength: 3 }), fc.boolean(), (pools, identified) => {
        const expected = new Set(pools.flat().filter((one) => named.includes(one)))
        const turns = order(
          identified ? client : unidentified,
          pools.map((one) => pool(...one)),
        )
        expect(turns).toHaveLength(expected.size)
        expect(new Set(turns)).toEqual(expected)
      }),
    )
  })
})
