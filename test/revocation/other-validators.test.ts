import { describe, expect, test } from 'vitest'
import { toHex } from '../../src/base/hex.ts'
import { createKillList } from '../../src/revocation.ts'
import { issueCa, testTime } from '../../src/testing/index.ts'
import { day, outcome, thisUpdate, week } from './crl-support.ts'

// Bugs and wants of other validators and gateways about revocation; each is a test by its name. Repository and number in the name.

const root = await issueCa('Root CA')
const client = await root.issue('client-a')
const serialNumber = client.tbsCertificate.serialNumber
const past = { thisUpdate: thisUpdate - 2 * week, nextUpdate: thisUpdate - week }
const allow = { rule: { onUnknown: 'allow' } }

describe('a delta CRL is taken as a base (openssl#31040)', async () => {
  const some = { issuingDistributionPoint: { onlySomeReasons: ['keyCompromise'] } } as const

  test('alone it is no answer, with or without reasons of its own', async () => {
    for (const scope of [{}, some]) {
      const delta = await root.issueDeltaCrl({ baseCRLNumber: 1, cRLNumber: 2, ...scope })
      expect(outcome(client, root, [delta])).toBe('crl-delta-without-base')
    }
  })

  test('it covers no reasons, so the base beside it must', async () => {
    const others = [
      'cACompromise',
      'affiliationChanged',
      'superseded',
      'cessationOfOperation',
      'certificateHold',
      'privilegeWithdrawn',
      'aACompromise',
    ] as const
    const base = await root.issueCrl({
      cRLNumber: 1,
      issuingDistributionPoint: { onlySomeReasons: others },
    })
    const delta = await root.issueDeltaCrl({ baseCRLNumber: 1, cRLNumber: 2, ...some })
    expect(outcome(client, root, [base, delta])).toBe('crl-reasons-missing crl-delta-without-base')
  })

  test('what the base lists stays revoked, whatever the delta leaves out', async () => {
    const base = await root.issueCrl({ cRLNumber: 1, revoked: [client] })
    const delta = await root.issueDeltaCrl({ baseCRLNumber: 1, cRLNumber: 2 })
    expect(outcome(client, root, [base, delta], allow)).toBe('revoked')
    expect(outcome(client, root, [delta, base], allow)).toBe('revoked')
  })
})

describe('an expired delta CRL, or one of the future, is accepted (openssl#31297)', async () => {
  const base = await root.issueCrl({
    cRLNumber: 1,
    revoked: [{ serialNumber, reason: 'certificateHold' }],
  })
  const lifting = {
    baseCRLNumber: 1,
    revoked: [{ serialNumber, reason: 'removeFromCRL' }],
  } as const

  test.each([
    ['expired', past],
    ['of the future', { thisUpdate: testTime + 1, nextUpdate: testTime + day }],
  ])('one that is %s takes nothing back', async (_, updates) => {
    const delta = await root.issueDeltaCrl({ ...lifting, ...updates, cRLNumber: 2 })
    expect(outcome(client, root, [base, delta])).toBe('revoked')
  })

  test('a current one does', async () => {
    const delta = await root.issueDeltaCrl({ ...lifting, cRLNumber: 2 })
    expect(outcome(client, root, [base, delta])).toBe('good')
  })

  test('nor does it bring a base up to date that ran out as well', async () => {
    const old = await root.issueCrl({ cRLNumber: 5, ...past })
    const delta = await root.issueDeltaCrl({ baseCRLNumber: 5, cRLNumber: 6, ...past })
    expect(outcome(client, root, [old, delta])).toBe('crl-expired')
  })
})

describe('the scope of a list lets a revoked certificate through (aws-lc#3109)', async () => {
  const uri = 'http://crl.example/1'
  const other = 'http://crl.example/2'
  const pointed = await root.issue('client-b', { cRLDistributionPoints: [{ uri }] })
  const listOf = (issuingDistributionPoint: object, revoked = [pointed]) =>
    root.issueCrl({ issuingDistributionPoint, revoked })
  const whole = await root.issueCrl()

  test.each([
    ['a list of the point of the certificate', { uri }],
    ['one of several names', { fullName: [{ uri: other }, { uri }] }],
    ['a list of another point, which lists it all the same', { uri: other }],
    ['a list for some reasons', { onlySomeReasons: ['superseded'] }],
  ])('%s', async (_, point) => {
    const list = await listOf(point)
    expect(outcome(pointed, root, [list], allow)).toBe('revoked')
    expect(outcome(pointed, root, [whole, list], allow)).toBe('revoked')
    expect(outcome(pointed, root, [list, whole], allow)).toBe('revoked')
  })

  test('a point with reasons or an issuer of lists does not put every list in scope', async () => {
    for (const point of [
      { uri: other, reasons: ['keyCompromise'] as const },
      { uri: other, crlIssuer: 'CRL issuer' },
      { uri: other, reasons: ['keyCompromise'] as const, crlIssuer: 'CRL issuer' },
    ]) {
      const odd = await root.issue('client-c', { cRLDistributionPoints: [point] })
      expect(outcome(odd, root, [await listOf({ uri }, [])])).toMatch(/^crl-out-of-scope:/u)
    }
  })

  test('a newer list for everything does not outrank the one of its point (aws-lc#3264)', async () => {
    const newer = await root.issueCrl({ thisUpdate: testTime, cRLNumber: 90 })
    const list = await listOf({ uri })
    expect(outcome(pointed, root, [newer, list])).toBe('revoked')
    expect(outcome(pointed, root, [list, newer])).toBe('revoked')
  })
})

describe('a missing or expired list of one CA breaks clients of another one (node-v0.x-archive#25668, haproxy#1201, haproxy#85)', async () => {
  const second = await issueCa('Second CA')
  const other = await second.issue('client-d')
  const anchors = { pem: root.pem + second.pem }
  const list = await root.issueCrl()

  test.each([
    ['missing', [], 'crl-missing'],
    ['expired', [await second.issueCrl(past)], 'crl-expired'],
    ['malformed', [{ der: Uint8Array.of(0x30, 0) }], 'crl-missing'],
  ])('%s', (_, lists, code) => {
    expect(outcome(client, anchors, [list, ...lists])).toBe('good')
    expect(outcome(client, anchors, [...lists, list])).toBe('good')
    expect(outcome(other, anchors, [list, ...lists])).toBe(code)
  })

  test('a CA that has no lists at all has a rule of its own', () => {
    const rule = { perIssuer: { 'CN=Second CA': { mode: 'none' } } }
    expect(outcome(other, anchors, [list], { rule })).toBe('good')
    expect(outcome(client, anchors, [], { rule })).toBe('crl-missing')
  })
})

describe('one certificate cannot be revoked now (traefik#3433, traefik#9817, caddy#2341)', () => {
  test('a list or an entry of the kill list is enough, for the next validation', async () => {
    const list = await root.issueCrl({ revoked: [client] })
    expect(outcome(client, root, [list])).toBe('revoked')
    const killList = createKillList([{ issuer: 'CN=Root CA', serialNumber: toHex(serialNumber) }])
    const good = [await root.issueCrl()]
    expect(outcome(client, root, good, { options: { killList } })).toBe('certificate-killed')
  })
})

describe('there is no rule for a responder that is down (loki#18198, envoy-gateway#3021, azure-docs#62607)', () => {
  test('nothing known: refused, or let pass with a warning, as the operator says', async () => {
    expect(outcome(client, root, [])).toBe('crl-missing')
    expect(outcome(client, root, [], allow)).toBe('unknown')
    const old = [await root.issueCrl(past)]
    expect(outcome(client, root, old)).toBe('crl-expired')
    expect(outcome(client, root, old, { rule: { onStale: { allowFor: 2 * week } } })).toBe('good')
  })
})

describe('the reader of lists is lax (PKI.js#425)', async () => {
  const { der } = await root.issueCrl({ revoked: [client] })

  test('octets after the list, and any octet cut off, are refused', () => {
    expect(outcome(client, root, [{ der: Uint8Array.of(...der, 0) }])).toBe('crl-missing')
    for (const length of [1, 10, der.length - 1]) {
      expect(outcome(client, root, [{ der: der.subarray(0, length) }])).toBe('crl-missing')
    }
  })
})
