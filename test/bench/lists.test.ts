/** The lists that benchmarks read are what they say. @module */

import { describe, expect, test } from 'vitest'
import { type ListShape, signList, writeEntries, writeEntry } from '../../bench/lists.ts'
import { benchTime } from '../../bench/material.ts'
import { isHeld } from '../../bench/result.ts'
import { parseTrustAnchors } from '../../src/index.ts'
import { parseCrls } from '../../src/revocation.ts'
import { validateClientCertificateSync } from '../../src/sync.ts'
import { issueCa } from '../../src/testing/index.ts'

const validity = { notBefore: Date.UTC(2026, 0, 1) / 1000, notAfter: Date.UTC(2036, 0, 1) / 1000 }
const ca = await issueCa('Root', validity)

function entriesOf(list: Uint8Array) {
  return parseCrls(list).lists[0]?.tbsCertList.revokedCertificates
}

describe.each<ListShape>(['usual', 'mixed'])('a list of the shape %s', (shape) => {
  const written = writeEntries(2000, shape)
  const list = signList(ca, { number: 200, entries: [written.der] })

  test('has as many entries as were asked for, and every tenth can be named', () => {
    const entries = entriesOf(list)
    expect(entries?.count).toBe(2000)
    expect(written.listed).toBe(200)
    for (let i = 0; i < 200; i++) expect(entries?.find(written.serialAt(i))).toHaveLength(1)
  })

  test('has no serial number that begins as those do that are looked up in vain', () => {
    for (const { serialNumber } of entriesOf(list) ?? []) {
      expect(serialNumber[0]).toBeGreaterThanOrEqual(0x40)
    }
  })

  test('is the same each time', () => {
    expect(writeEntries(2000, shape).der).toEqual(written.der)
  })

  test('decides about clients, with an entry that is added', async () => {
    const { der } = await ca.issueBytes('client', { ...validity, serialNumber: Uint8Array.of(1) })
    const more = signList(ca, {
      number: 201,
      entries: [written.der, writeEntry(Uint8Array.of(1))],
    })
    const verdicts = [list, more].map((one) =>
      validateClientCertificateSync(der, {
        trustAnchors: parseTrustAnchors(ca.der),
        time: benchTime,
        revocation: { mode: 'crl', crls: parseCrls(one) },
      }),
    )
    expect(verdicts.map((verdict) => verdict.ok || verdict.failure.code)).toEqual([
      true,
      'certificate-revoked',
    ])
  })
})

test('the usual shape has 16 octets, one date and a reason on every tenth entry', () => {
  const list = signList(ca, { number: 1, entries: [writeEntries(100, 'usual').der] })
  const entries = [...(entriesOf(list) ?? [])]
  expect(new Set(entries.map(({ serialNumber }) => serialNumber.length))).toEqual(new Set([16]))
  expect(new Set(entries.map(({ revocationDate }) => revocationDate)).size).toBe(1)
  expect(entries.filter(({ reason }) => reason !== undefined)).toHaveLength(10)
})

test('the mixed shape has 8 to 20 octets, many dates, every reason, and invalidity dates', () => {
  const list = signList(ca, { number: 1, entries: [writeEntries(2000, 'mixed').der] })
  const entries = [...(entriesOf(list) ?? [])]
  const sizes = new Set(entries.map(({ serialNumber }) => serialNumber.length))
  expect([...sizes].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 13 }, (_, i) => 8 + i))
  expect(new Set(entries.map(({ revocationDate }) => revocationDate)).size).toBeGreaterThan(900)
  expect(new Set(entries.map(({ reason }) => reason)).size).toBe(9)
  expect(entries.every(({ reason }) => reason !== undefined)).toBe(true)
  const doubted = entries.filter(({ invalidityDate }) => invalidityDate !== undefined)
  expect(doubted).toHaveLength(667)
})

test('a figure is held up to its limit, and always without one', () => {
  const figure = { row: 'row', what: 'what', unit: 'ms' }
  expect(isHeld({ ...figure, value: 5, limit: 5 })).toBe(true)
  expect(isHeld({ ...figure, value: 5.01, limit: 5 })).toBe(false)
  expect(isHeld({ ...figure, value: 1e9 })).toBe(true)
})
