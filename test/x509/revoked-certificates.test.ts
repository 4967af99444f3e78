import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toHex } from '../../src/base/hex.ts'
import {
  writeBoolean,
  writeElement,
  writeNull,
  writeObjectIdentifier,
  writeSequence,
} from '../../src/der/writer.ts'
import { bulkSerialNumber, issueCa } from '../../src/testing/index.ts'
import { encodeName } from '../../src/testing/names.ts'
import { type RevocationReason, revocationReasons } from '../../src/x509/crl.ts'
import { parseCrl } from '../../src/x509/parse-crl.ts'
import type { RevokedCertificates } from '../../src/x509/revoked-certificates.ts'
import {
  codeOf,
  critical,
  crlBytes,
  crlOf,
  entry,
  extension,
  generalTime,
  none,
  utcTime,
} from './crl-support.ts'

const indirect = extension(
  '2.5.29.28',
  writeSequence(writeElement(0x84, Uint8Array.of(0xff))),
  critical,
)
const reason = (value: number) => extension('2.5.29.21', writeElement(0x0a, Uint8Array.of(value)))
const invalidity = (time: string) => extension('2.5.29.24', generalTime(time))
const uri = (text: string) =>
  writeElement(
    0x86,
    Uint8Array.from(text, (letter) => letter.charCodeAt(0)),
  )
const issuer = (...names: readonly Uint8Array[]) =>
  extension('2.5.29.29', writeSequence(...names), critical)
const serial = Uint8Array.of(5)
const at = utcTime('200102030405Z')
const withExtensions = (...all: readonly Uint8Array[]) => entry(serial, at, writeSequence(...all))

function indexOf(entries: readonly Uint8Array[]): RevokedCertificates {
  return crlOf({ entries, extensions: [indirect] }).tbsCertList.revokedCertificates
}

describe('an entry says', () => {
  test('its serial number and a date, at the least', () => {
    expect([...indexOf([entry(serial)])]).toEqual([
      {
        serialNumber: serial,
        revocationDate: Date.UTC(2020, 0, 2, 3, 4, 5) / 1000,
        reason: undefined,
        invalidityDate: undefined,
        certificateIssuer: undefined,
      },
    ])
  })

  test.each([
    [utcTime('240229235959Z'), Date.UTC(2024, 1, 29, 23, 59, 59) / 1000],
    [utcTime('240131000000Z'), Date.UTC(2024, 0, 31) / 1000],
    [utcTime('500101000000Z'), Date.UTC(1950, 0, 1) / 1000],
    [utcTime('491231235959Z'), Date.UTC(2049, 11, 31, 23, 59, 59) / 1000],
    [generalTime('20000229000000Z'), Date.UTC(2000, 1, 29) / 1000],
    [generalTime('20500101000000Z'), Date.UTC(2050, 0, 1) / 1000],
  ])('date %#', (date, seconds) => {
    const index = indexOf([entry(serial, date)])
    expect(index.find(serial)[0]?.revocationDate).toBe(seconds)
  })

  test.each([0, 1, 2, 3, 4, 5, 6, 8, 9, 10])('reason %i, critical or not', (value) => {
    const flagged = extension('2.5.29.21', writeElement(0x0a, Uint8Array.of(value)), critical)
    for (const one of [reason(value), flagged]) {
      const [found] = indexOf([withExtensions(one)]).find(serial)
      expect(found?.reason).toBe(revocationReasons[value])
    }
  })

  test('all that it can, in any order', () => {
    const parts = [
      reason(1),
      invalidity('20191231000000Z'),
      issuer(uri('a')),
      extension('1.2.3', none),
    ]
    fc.assert(
      fc.property(fc.shuffledSubarray(parts, { minLength: parts.length }), (all) => {
        const index = indexOf([withExtensions(...all)])
        expect(index.find(serial)).toEqual([
          {
            serialNumber: serial,
            revocationDate: Date.UTC(2020, 0, 2, 3, 4, 5) / 1000,
            reason: 'keyCompromise',
            invalidityDate: Date.UTC(2019, 11, 31) / 1000,
            certificateIssuer: [{ kind: 'uniformResourceIdentifier', value: 'a' }],
          },
        ])
        expect(index.unknownCriticalExtension).toBeUndefined()
      }),
    )
  })

  test('which unknown extension is critical, the first of the list', () => {
    const index = indexOf([
      withExtensions(extension('1.2.3', none), extension('1.2.4', none, critical)),
      withExtensions(extension('1.2.5', none, critical)),
    ])
    expect(index.unknownCriticalExtension).toBe('1.2.4')
  })

  test('whose certificates follow, until another one says so: RFC 5280 §5.3.3', () => {
    const number = (value: number) => Uint8Array.of(value)
    const index = indexOf([
      entry(number(1)),
      entry(number(2), at, writeSequence(issuer(uri('a')))),
      entry(number(3), at, writeSequence(reason(1))),
      entry(number(1), at, writeSequence(issuer(uri('b'), uri('c')))),
      entry(number(3)),
    ])
    const names = (value: number) =>
      index
        .find(number(value))
        .map(({ certificateIssuer }) =>
          certificateIssuer?.map((name) => ('value' in name ? name.value : name.kind)),
        )
    expect(names(1)).toEqual([undefined, ['b', 'c']])
    expect(names(2)).toEqual([['a']])
    expect(names(3)).toEqual([['a'], ['b', 'c']])
    expect(index.hasCertificateIssuers).toBe(true)
    expect([...index].map(({ certificateIssuer }) => certificateIssuer?.length)).toEqual([
      undefined,
      1,
      1,
      2,
      2,
    ])
  })
})

describe('the rules of an entry, each with its code', () => {
  const sixteen = Array.from({ length: 16 }, (_, i) => extension(`1.2.${i}`, none))
  test.each<readonly [string, Uint8Array, string | undefined]>([
    ['nothing wrong', entry(serial), undefined],
    ['no SEQUENCE', writeNull(), 'der-unexpected-tag'],
    ['no serial number', writeSequence(at), 'der-unexpected-tag'],
    ['an empty serial number', entry(none), 'der-integer'],
    ['a serial number with a leading zero', entry(Uint8Array.of(0, 5)), 'der-integer'],
    ['a serial number with a leading 0xff', entry(Uint8Array.of(0xff, 0x80)), 'der-integer'],
    ['the serial number 0', entry(Uint8Array.of(0)), undefined],
    ['a negative serial number', entry(Uint8Array.of(0x80)), undefined],
    ['another negative serial number', entry(Uint8Array.of(0xff, 0x7f)), undefined],
    ['a serial number of 200 octets', entry(new Uint8Array(200).fill(7)), undefined],
    ['something after the date', entry(serial, at, writeNull()), 'der-unexpected-tag'],
    [
      'something after the extensions',
      entry(serial, at, writeSequence(reason(1)), writeNull()),
      'der-trailing-data',
    ],
    ['an empty list of extensions', entry(serial, at, writeSequence()), 'der-truncated'],
    ['an extension twice', withExtensions(reason(1), reason(1)), 'extension-duplicate'],
    ['sixteen extensions', withExtensions(...sixteen), undefined],
    ['seventeen', withExtensions(...sixteen, reason(1)), 'extension-malformed'],
    ['reason 7', withExtensions(reason(7)), 'extension-malformed'],
    ['reason 11', withExtensions(reason(11)), 'extension-malformed'],
    ['reason -1', withExtensions(reason(255)), 'extension-malformed'],
    [
      'a reason of two octets',
      withExtensions(extension('2.5.29.21', writeElement(0x0a, Uint8Array.of(0, 1)))),
      'extension-malformed',
    ],
    [
      'an empty reason',
      withExtensions(extension('2.5.29.21', writeElement(0x0a))),
      'extension-malformed',
    ],
    [
      'a reason that is an INTEGER',
      withExtensions(extension('2.5.29.21', Uint8Array.of(2, 1, 1))),
      'der-unexpected-tag',
    ],
    [
      'something after the reason',
      withExtensions(extension('2.5.29.21', Uint8Array.of(0x0a, 1, 1, 5, 0))),
      'der-trailing-data',
    ],
    [
      'critical FALSE that is written',
      withExtensions(
        extension('2.5.29.21', writeElement(0x0a, Uint8Array.of(1)), writeBoolean(false)),
      ),
      'der-default-value',
    ],
    [
      'an invalidity date as UTCTime',
      withExtensions(extension('2.5.29.24', at)),
      'der-unexpected-tag',
    ],
    ['an invalidity date that is none', withExtensions(invalidity('20230229000000Z')), 'der-time'],
    [
      'something after the invalidity date',
      withExtensions(
        extension('2.5.29.24', Uint8Array.of(...generalTime('20200101000000Z'), 5, 0)),
      ),
      'der-trailing-data',
    ],
    ['no name of an issuer', withExtensions(issuer()), 'der-truncated'],
    [
      'an issuer that is no name',
      withExtensions(extension('2.5.29.29', writeSequence(writeNull()))),
      'der-unexpected-tag',
    ],
    [
      'something after the issuer',
      withExtensions(extension('2.5.29.29', Uint8Array.of(...writeSequence(uri('a')), 5, 0))),
      'der-trailing-data',
    ],
    [
      'an extension with three fields too many',
      withExtensions(writeSequence(writeObjectIdentifier('1.2.3'), critical, critical)),
      'der-unexpected-tag',
    ],
    ['a month 13', entry(serial, utcTime('201301000000Z')), 'der-time'],
    ['a month 0', entry(serial, utcTime('200001000000Z')), 'der-time'],
    ['a day 0', entry(serial, utcTime('200100000000Z')), 'der-time'],
    ['31 April', entry(serial, utcTime('200431000000Z')), 'der-time'],
    ['29 February of a common year', entry(serial, utcTime('210229000000Z')), 'der-time'],
    ['29 February 1900', entry(serial, generalTime('19000229000000Z')), 'der-time'],
    ['an hour 24', entry(serial, utcTime('200101240000Z')), 'der-time'],
    ['a minute 60', entry(serial, utcTime('200101006000Z')), 'der-time'],
    ['a second 60', entry(serial, utcTime('200101000060Z')), 'der-time'],
    ['a letter in the date', entry(serial, utcTime('2001010000a0Z')), 'der-time'],
    ['a date without Z', entry(serial, utcTime('2001010000000')), 'der-time'],
  ])('%s', (_, wrong, code) => {
    const right = entry(Uint8Array.of(9))
    for (const entries of [[wrong], [right, wrong], [wrong, right]]) {
      expect(codeOf(crlBytes({ entries, extensions: [indirect] }))).toBe(code)
    }
  })

  test.each([
    ['nothing in it', writeSequence()],
    ['no date', writeSequence(writeElement(2, serial))],
  ])('%s: what is read is the next entry, or the end', (_, wrong) => {
    expect(codeOf(crlBytes({ entries: [wrong] }))).toBe('der-truncated')
    expect(codeOf(crlBytes({ entries: [wrong, entry(serial)] }))).toBe('der-unexpected-tag')
  })

  test('a length in more octets than it needs', () => {
    const long = Uint8Array.of(0x30, 0x81, 18, ...entry(serial).subarray(2))
    expect(codeOf(crlBytes({ entries: [long] }))).toBe('der-length-not-minimal')
  })

  test('a length that runs into the next entry, or out of the list', () => {
    const longer = entry(serial)
    longer[1] = (longer[1] as number) + 2
    expect(codeOf(crlBytes({ entries: [longer] }))).toBe('der-truncated')
    expect(codeOf(crlBytes({ entries: [longer, entry(serial)] }))).not.toBeUndefined()
    const shorter = entry(serial)
    shorter[1] = (shorter[1] as number) - 1
    expect(codeOf(crlBytes({ entries: [shorter, entry(serial)] }))).toBe('der-unexpected-tag')
    for (const inner of [3, 6]) {
      const wide = entry(serial)
      wide[inner] = (wide[inner] as number) + 1
      expect(codeOf(crlBytes({ entries: [wide, entry(serial)] }))).not.toBeUndefined()
    }
  })

  test('extensions that are longer than their entry', () => {
    const wrong = withExtensions(reason(1))
    const length = wrong.length - 2 - 3 - 15 - 2
    wrong[2 + 3 + 15 + 1] = length + 1
    expect(codeOf(crlBytes({ entries: [wrong, entry(serial)] }))).toBe('der-truncated')
  })
})

describe('the index', () => {
  const content = fc
    .oneof(
      fc.uint8Array({ minLength: 1, maxLength: 4 }),
      fc.uint8Array({ minLength: 1, maxLength: 20 }),
      fc.uint8Array({ minLength: 100, maxLength: 200 }),
    )
    .map(minimal)
  const date = fc.constantFrom(
    at,
    utcTime('240229000000Z'),
    utcTime('491231235959Z'),
    generalTime('20240229000000Z'),
    generalTime('20510101000000Z'),
  )
  const extensionsOf = fc
    .record({
      reason: fc.option(fc.constantFrom<RevocationReason>('keyCompromise', 'removeFromCRL')),
      invalidity: fc.boolean(),
      issuer: fc.option(fc.constantFrom('a', 'b')),
      raw: fc.boolean(),
      order: fc.infiniteStream(fc.nat(3)),
    })
    .map((one) => ({ ...one, at: one.order.next().value as number }))
  const item = fc.record({ serialNumber: content, date, extensions: extensionsOf })

  interface Item {
    readonly serialNumber: Uint8Array
    readonly date: Uint8Array
    readonly extensions: {
      readonly reason: RevocationReason | null
      readonly invalidity: boolean
      readonly issuer: string | null
      readonly raw: boolean
      readonly at: number
    }
  }

  function encode({ serialNumber, date, extensions }: Item): Uint8Array {
    const all = [
      ...(extensions.reason === null ? [] : [reason(revocationReasons.indexOf(extensions.reason))]),
      ...(extensions.invalidity ? [invalidity('20200101000000Z')] : []),
      ...(extensions.issuer === null ? [] : [issuer(uri(extensions.issuer))]),
      ...(extensions.raw ? [extension('1.2.3', Uint8Array.of(5, 0))] : []),
    ]
    const turned = [...all.slice(extensions.at), ...all.slice(0, extensions.at)]
    return entry(serialNumber, date, ...(turned.length === 0 ? [] : [writeSequence(...turned)]))
  }

  /** What a plain map finds. */
  function oracle(items: readonly Item[]): Map<string, readonly (readonly unknown[])[]> {
    const map = new Map<string, (readonly unknown[])[]>()
    let current: string | undefined
    for (const { serialNumber, extensions } of items) {
      current = extensions.issuer ?? current
      const key = toHex(serialNumber)
      const others = map.get(key) ?? []
      others.push([extensions.reason ?? undefined, extensions.invalidity, current])
      map.set(key, others)
    }
    return map
  }

  function found(index: RevokedCertificates, serialNumber: Uint8Array) {
    return index.find(serialNumber).map((one) => {
      expect(one.serialNumber).toEqual(serialNumber)
      const [name] = one.certificateIssuer ?? []
      return [
        one.reason,
        one.invalidityDate !== undefined,
        name !== undefined && 'value' in name ? name.value : undefined,
      ]
    })
  }

  test('finds what a plain map finds, whatever the entries', () => {
    fc.assert(
      fc.property(
        fc.array(item, { minLength: 1, maxLength: 60 }),
        fc.array(content, { maxLength: 10 }),
        fc.uint8Array({ maxLength: 8 }),
        (items, absent, signatureValue) => {
          const { revokedCertificates: index } = crlOf({
            entries: items.map(encode),
            extensions: [indirect],
            signatureValue,
          }).tbsCertList
          const expected = oracle(items)
          expect(index.count).toBe(items.length)
          expect(index.isCrowded).toBe(false)
          for (const { serialNumber } of items) {
            expect(found(index, serialNumber)).toEqual(expected.get(toHex(serialNumber)))
          }
          for (const one of absent) {
            expect(found(index, one)).toEqual(expected.get(toHex(one)) ?? [])
          }
          expect([...index].map(({ serialNumber }) => toHex(serialNumber))).toEqual(
            items.map(({ serialNumber }) => toHex(serialNumber)),
          )
        },
      ),
      { numRuns: 300 },
    )
  })

  test('an empty list finds nothing', () => {
    const index = crlOf({}).tbsCertList.revokedCertificates
    expect([index.count, index.find(serial), [...index]]).toEqual([0, [], []])
    expect(index.hasCertificateIssuers).toBe(false)
  })

  test('a serial number that begins or ends as another one is another one', () => {
    const index = indexOf([entry(Uint8Array.of(1, 2, 3)), entry(Uint8Array.of(1, 2))])
    expect(index.find(Uint8Array.of(1, 2))).toHaveLength(1)
    expect(index.find(Uint8Array.of(1))).toEqual([])
    expect(index.find(Uint8Array.of(1, 2, 3, 4))).toEqual([])
    expect(index.find(none)).toEqual([])
  })

  test('holds at most 12 octets an entry, and finds each of many', async () => {
    const ca = await issueCa('Root CA')
    const { der } = await ca.issueCrl({ entries: 50_000 })
    const parsed = parseCrl(der)
    if (!parsed.ok) throw new Error(parsed.failure.code)
    const index = parsed.value.tbsCertList.revokedCertificates
    expect(index.indexBytes).toBeLessThanOrEqual(12 * 50_000)
    for (let i = 0; i < 50_000; i++) {
      if (index.find(bulkSerialNumber(i)).length !== 1) throw new Error(`entry ${i}`)
    }
    for (let i = 50_000; i < 51_000; i++) expect(index.find(bulkSerialNumber(i))).toEqual([])
    expect(index.isCrowded).toBe(false)
  })

  test('also where every entry names its issuer', () => {
    const many = Array.from({ length: 1_000 }, (_, i) =>
      entry(Uint8Array.of(1 + (i >> 7), i & 0x7f), at, writeSequence(issuer(uri('a')))),
    )
    expect(indexOf(many).indexBytes).toBeLessThanOrEqual(12 * 1_000 + 4)
  })
})

describe('entries that were made to collide', () => {
  test('up to 1,024 with one serial number are all found', () => {
    const same = Array.from({ length: 1_024 }, () => entry(serial))
    const index = indexOf(same)
    expect(index.isCrowded).toBe(false)
    expect(index.find(serial)).toHaveLength(1_024)
  })

  test('beyond that the list says that it is crowded, and a look-up stops', () => {
    const index = indexOf(Array.from({ length: 100_000 }, () => entry(serial)))
    expect(index.isCrowded).toBe(true)
    expect(index.find(serial)).toHaveLength(1_024)
    expect(index.count).toBe(100_000)
  })

  test('names that many entries share are read once', () => {
    const name = writeElement(0xa4, encodeName('CN=Somebody'))
    const names = Array.from({ length: 4 }, () => name)
    const index = indexOf([
      entry(serial, at, writeSequence(issuer(...names))),
      ...Array.from({ length: 1_000 }, () => entry(serial)),
    ])
    const all = index.find(serial)
    expect(all).toHaveLength(1_001)
    expect(new Set(all.map(({ certificateIssuer }) => certificateIssuer)).size).toBe(1)
    expect(new Set([...index].map(({ certificateIssuer }) => certificateIssuer)).size).toBe(1)
  })
})

/** The same octets without superfluous leading ones, as DER has an INTEGER. */
function minimal(octets: Uint8Array): Uint8Array {
  let start = 0
  while (start + 1 < octets.length) {
    const [first, second] = [octets[start] as number, octets[start + 1] as number]
    if (!((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) break
    start++
  }
  return octets.subarray(start)
}
