import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  writeBoolean,
  writeElement,
  writeInteger,
  writeNull,
  writeObjectIdentifier,
  writeSequence,
} from '../../src/der/writer.ts'
import { issueCa } from '../../src/testing/index.ts'
import { isParsedCrl, judgedKeysOf, parseCrl, parseCrlInSteps } from '../../src/x509/parse-crl.ts'
import {
  codeOf,
  critical,
  crlBytes,
  crlOf,
  ecdsa,
  entry,
  extension,
  generalTime,
  none,
  utcTime,
} from './crl-support.ts'

const one = entry(Uint8Array.of(5))
const cRLNumber = (value: Uint8Array, flag = none) =>
  extension('2.5.29.20', writeElement(0x02, value), flag)
const pointExtension = (...fields: readonly Uint8Array[]) =>
  extension('2.5.29.28', writeSequence(...fields), critical)
const flag = (number: number, value = 0xff) => writeElement(0x80 | number, Uint8Array.of(value))
const fullName = writeElement(0xa0, writeElement(0xa0, writeElement(0x86, Uint8Array.of(0x61))))

describe('what a list says', () => {
  test('version 2, with everything', () => {
    const { tbsCertList, signatureValue } = crlOf({
      entries: [one],
      extensions: [cRLNumber(Uint8Array.of(7))],
      signatureValue: Uint8Array.of(9, 8),
    })
    expect(tbsCertList).toMatchObject({
      version: 2,
      thisUpdate: Date.UTC(2020, 0, 1) / 1000,
      nextUpdate: Date.UTC(2020, 0, 8) / 1000,
      crlExtensions: { cRLNumber: { number: Uint8Array.of(7), critical: false } },
    })
    expect(tbsCertList.revokedCertificates.count).toBe(1)
    expect(signatureValue).toEqual(Uint8Array.of(9, 8))
  })

  test('version 1 has no version field, and its entries have no extensions', () => {
    const { tbsCertList } = crlOf({ version: none, entries: [one] })
    expect(tbsCertList.version).toBe(1)
    expect(tbsCertList.revokedCertificates.count).toBe(1)
    expect(tbsCertList.crlExtensions.all).toEqual([])
  })

  test('without nextUpdate it does not say when it runs out', () => {
    expect(crlOf({ nextUpdate: none }).tbsCertList.nextUpdate).toBeUndefined()
    expect(crlOf({ nextUpdate: none, entries: [one] }).tbsCertList.nextUpdate).toBeUndefined()
  })

  test.each([
    [utcTime('500101000000Z'), Date.UTC(1950, 0, 1) / 1000],
    [utcTime('491231235959Z'), Date.UTC(2049, 11, 31, 23, 59, 59) / 1000],
    [generalTime('20500101000000Z'), Date.UTC(2050, 0, 1) / 1000],
    [generalTime('99991231235959Z'), Date.UTC(9999, 11, 31, 23, 59, 59) / 1000],
    [utcTime('240229000000Z'), Date.UTC(2024, 1, 29) / 1000],
  ])('a time as %s is read', (nextUpdate, seconds) => {
    expect(crlOf({ nextUpdate }).tbsCertList.nextUpdate).toBe(seconds)
  })

  test('the issuing distribution point, RFC 5280 §5.2.5', () => {
    const point = crlOf({
      extensions: [
        pointExtension(fullName, flag(1), writeElement(0x83, Uint8Array.of(5, 0x60)), flag(4)),
      ],
    }).tbsCertList.crlExtensions.issuingDistributionPoint
    expect(point).toMatchObject({
      fullName: [{ kind: 'uniformResourceIdentifier', value: 'a' }],
      onlyContainsUserCerts: true,
      onlyContainsCACerts: false,
      onlySomeReasons: 0b110,
      indirectCRL: true,
      onlyContainsAttributeCerts: false,
      critical: true,
    })
  })

  test('the octets that are signed are those of tbsCertList', async () => {
    const { der } = await (await issueCa('Root CA')).issueCrl()
    const parsed = parseCrl(der)
    const list = parsed.ok ? parsed.value : undefined
    expect(list?.tbsCertList.der[0]).toBe(0x30)
    expect(list?.tbsCertList.der.buffer).toBe(der.buffer)
    expect(list?.signatureAlgorithm.der).toEqual(list?.tbsCertList.signature.der)
  })
})

describe('every rule has its code', () => {
  test.each<readonly [string, Parameters<typeof crlBytes>[0], string | undefined]>([
    ['nothing wrong', {}, undefined],
    ['version 1 that is written', { version: writeInteger(0) }, 'der-integer'],
    ['version 3', { version: writeInteger(2) }, 'der-integer'],
    ['a version of two octets', { version: writeElement(2, Uint8Array.of(0, 1)) }, 'der-integer'],
    ['octets after the signature', { afterSignature: writeNull() }, 'der-trailing-data'],
    ['octets after the extensions', { afterExtensions: writeNull() }, 'der-trailing-data'],
    ['no thisUpdate', { thisUpdate: none, nextUpdate: none }, 'der-truncated'],
    ['a thisUpdate that is no time', { thisUpdate: writeNull() }, 'der-unexpected-tag'],
    ['a time without seconds', { thisUpdate: utcTime('2001010000Z') }, 'der-time'],
    ['a time with a fraction', { nextUpdate: generalTime('20200108000000.5Z') }, 'der-time'],
    ['a time with an offset', { nextUpdate: utcTime('200108000000+0100') }, 'der-time'],
    ['29 February of a common year', { thisUpdate: utcTime('230229000000Z') }, 'der-time'],
    ['a third time', { revokedCertificates: utcTime('200109000000Z') }, 'der-trailing-data'],
    ['an empty list of entries', { revokedCertificates: writeSequence() }, 'extension-malformed'],
    [
      'two algorithms that differ',
      { signatureAlgorithm: writeSequence(writeObjectIdentifier('1.2.840.10045.4.3.3')) },
      'signature-algorithm-mismatch',
    ],
    [
      'a parameter in one of the algorithms',
      {
        signatureAlgorithm: writeSequence(
          writeObjectIdentifier('1.2.840.10045.4.3.2'),
          writeNull(),
        ),
      },
      'signature-algorithm-mismatch',
    ],
    [
      'extensions in version 1',
      { version: none, extensions: [cRLNumber(Uint8Array.of(1))] },
      'extension-malformed',
    ],
    [
      'extensions of entries in version 1',
      {
        version: none,
        entries: [
          entry(
            Uint8Array.of(1),
            utcTime('200101000000Z'),
            writeSequence(extension('2.5.29.21', writeElement(0x0a, Uint8Array.of(1)))),
          ),
        ],
      },
      'extension-malformed',
    ],
    [
      'no extension in their list',
      { crlExtensions: writeElement(0xa0, writeSequence()) },
      'der-truncated',
    ],
    ['no list of extensions', { crlExtensions: writeElement(0xa0) }, 'der-truncated'],
    [
      'two lists of extensions',
      {
        crlExtensions: writeElement(
          0xa0,
          writeSequence(cRLNumber(Uint8Array.of(1))),
          writeSequence(cRLNumber(Uint8Array.of(1))),
        ),
      },
      'der-trailing-data',
    ],
    [
      'an extension twice',
      { extensions: [cRLNumber(Uint8Array.of(1)), cRLNumber(Uint8Array.of(2))] },
      'extension-duplicate',
    ],
    [
      'an unknown extension twice',
      { extensions: [extension('1.2.3', none), extension('1.2.3', none)] },
      'extension-duplicate',
    ],
    [
      'critical FALSE that is written',
      { extensions: [cRLNumber(Uint8Array.of(1), writeBoolean(false))] },
      'der-default-value',
    ],
    [
      'a critical that is neither',
      { extensions: [cRLNumber(Uint8Array.of(1), writeElement(1, Uint8Array.of(1)))] },
      'der-boolean',
    ],
    [
      'octets after the value of an extension',
      { extensions: [writeSequence(cRLNumber(Uint8Array.of(1)), writeNull())] },
      'der-unexpected-tag',
    ],
    ['a negative number', { extensions: [cRLNumber(Uint8Array.of(0xfe))] }, 'der-integer'],
    [
      'a number of 21 octets',
      { extensions: [cRLNumber(new Uint8Array(21).fill(1))] },
      'der-integer',
    ],
    ['a number of 20 octets', { extensions: [cRLNumber(new Uint8Array(20).fill(1))] }, undefined],
    [
      'a number with a leading zero',
      { extensions: [cRLNumber(Uint8Array.of(0, 1))] },
      'der-integer',
    ],
    ['an empty number', { extensions: [cRLNumber(none)] }, 'der-integer'],
    [
      'something after a number',
      { extensions: [extension('2.5.29.20', Uint8Array.of(2, 1, 1, 5, 0))] },
      'der-trailing-data',
    ],
    [
      'an empty issuing distribution point',
      { extensions: [pointExtension()] },
      'extension-malformed',
    ],
    ['a flag that is FALSE', { extensions: [pointExtension(flag(1, 0))] }, 'der-default-value'],
    ['a flag that is neither', { extensions: [pointExtension(flag(4, 1))] }, 'der-boolean'],
    [
      'user and CA certificates only',
      { extensions: [pointExtension(flag(1), flag(2))] },
      'extension-malformed',
    ],
    [
      'user and attribute certificates only',
      { extensions: [pointExtension(flag(1), flag(5))] },
      'extension-malformed',
    ],
    ['flags out of order', { extensions: [pointExtension(flag(2), flag(1))] }, 'der-trailing-data'],
    ['an unknown field', { extensions: [pointExtension(flag(1), flag(6))] }, 'der-trailing-data'],
    [
      'reasons beyond those that have names',
      { extensions: [pointExtension(writeElement(0x83, Uint8Array.of(5, 0, 0x20)))] },
      'der-bit-string',
    ],
    [
      'certificateIssuer in a list that is not indirect',
      {
        entries: [
          entry(
            Uint8Array.of(1),
            utcTime('200101000000Z'),
            writeSequence(
              extension('2.5.29.29', writeSequence(writeElement(0x86, Uint8Array.of(0x61)))),
            ),
          ),
        ],
      },
      'extension-malformed',
    ],
    [
      'unused bits in the signature',
      { signatureAlgorithm: ecdsa, afterSignature: none },
      undefined,
    ],
  ])('%s', (_, parts, code) => {
    expect(codeOf(crlBytes(parts))).toBe(code)
  })

  test('a failure names the octet', () => {
    const der = crlBytes({ thisUpdate: writeNull() })
    const offset = der.indexOf(0x05)
    expect(parseCrl(der)).toEqual({
      ok: false,
      failure: { code: 'der-unexpected-tag', offset, expected: 'thisUpdate' },
    })
  })

  test('what is not DER at all', () => {
    expect(codeOf(none)).toBe('der-truncated')
    expect(codeOf(Uint8Array.of(0x30, 0x80, 0, 0))).toBe('der-indefinite-length')
    expect(codeOf(Uint8Array.of(0x30, 0x81, 0x85))).toBe('der-truncated')
    expect(codeOf(Uint8Array.of(0x30, 0x81, 5))).toBe('der-length-not-minimal')
    expect(codeOf(Uint8Array.of(0x30, 0x85, 1, 1, 1, 1, 1))).toBe('der-length-too-large')
    expect(codeOf(Uint8Array.of(0x31, 0))).toBe('der-unexpected-tag')
    expect(codeOf(Uint8Array.of(0x30, 0))).toBe('der-truncated')
  })

  test('octets after the list', () => {
    expect(codeOf(Uint8Array.of(...crlBytes(), 0))).toBe('der-trailing-data')
  })

  test('a list of more than half a gigabyte is not looked at', () => {
    // Read-only zero pages: nothing is touched before the refusal.
    expect(codeOf(new Uint8Array(536_870_913))).toBe('der-length-too-large')
  })

  test('cut anywhere, a list is refused', () => {
    const der = crlBytes({
      entries: [one, entry(Uint8Array.of(6))],
      extensions: [cRLNumber(Uint8Array.of(7)), pointExtension(fullName, flag(4))],
    })
    for (let length = 0; length < der.length; length++) {
      expect(codeOf(der.subarray(0, length))).toBe('der-truncated')
    }
  })
})

describe('a list is read in steps', () => {
  const many = Array.from({ length: 20_000 }, (_, i) =>
    entry(Uint8Array.of(1 + (i >> 14), (i >> 7) & 0x7f, i & 0x7f)),
  )

  test('that end in what parseCrl says', () => {
    const der = crlBytes({ entries: many })
    const steps = parseCrlInSteps(der)
    let pauses = 0
    let step = steps.next()
    for (; !step.done; step = steps.next()) pauses++
    expect(pauses).toBeGreaterThanOrEqual(4)
    const whole = parseCrl(der)
    if (!step.value.ok || !whole.ok) throw new Error('not read')
    const [inSteps, atOnce] = [step.value.value.tbsCertList, whole.value.tbsCertList]
    expect([...inSteps.revokedCertificates]).toEqual([...atOnce.revokedCertificates])
    expect({ ...inSteps, revokedCertificates: undefined }).toEqual({
      ...atOnce,
      revokedCertificates: undefined,
    })
  })

  test('a failure in the middle is the same failure', () => {
    const wrong = [...many.slice(0, 12_345), writeNull(), ...many.slice(12_345)]
    const der = crlBytes({ entries: wrong })
    const steps = parseCrlInSteps(der)
    let step = steps.next()
    while (!step.done) step = steps.next()
    expect(step.value).toEqual(parseCrl(der))
    expect(step.value).toMatchObject({ ok: false, failure: { code: 'der-unexpected-tag' } })
  })
})

describe('only what the reader made is a list', () => {
  test('a copy is none, and neither is anything else', () => {
    const list = crlOf({})
    expect(isParsedCrl(list)).toBe(true)
    for (const other of [{ ...list }, Object.create(list), undefined, null, 'list', list.der]) {
      expect(isParsedCrl(other)).toBe(false)
    }
    expect(() => judgedKeysOf({ ...list })).toThrow(TypeError)
  })

  test('its judged keys are the newest eight, compared octet by octet', () => {
    const keys = judgedKeysOf(crlOf({}))
    const buffer = Uint8Array.of(0)
    expect(keys.verifiesUnder(buffer)).toBeUndefined()
    for (let i = 0; i < 9; i++) {
      buffer[0] = i
      keys.remember(buffer, i % 2 === 0)
    }
    expect(keys.verifiesUnder(Uint8Array.of(0))).toBeUndefined()
    for (let i = 1; i < 9; i++) expect(keys.verifiesUnder(Uint8Array.of(i))).toBe(i % 2 === 0)
    keys.remember(Uint8Array.of(1), true)
    expect(keys.verifiesUnder(Uint8Array.of(1))).toBe(true)
    expect(keys.verifiesUnder(Uint8Array.of(2))).toBe(true)
  })
})

describe('no bytes make the reader throw', () => {
  const valid = crlBytes({
    entries: [one, entry(Uint8Array.of(6), generalTime('20240229000000Z'))],
    extensions: [cRLNumber(Uint8Array.of(7)), pointExtension(fullName, flag(4))],
  })

  test('any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        parseCrl(bytes)
      }),
    )
  })

  test('any octet of a list changed', () => {
    fc.assert(
      fc.property(fc.nat(valid.length - 1), fc.nat(255), (at, octet) => {
        const changed = valid.slice()
        changed[at] = octet
        const parsed = parseCrl(changed)
        if (parsed.ok)
          for (const { serialNumber } of parsed.value.tbsCertList.revokedCertificates)
            expect(serialNumber.length).toBeGreaterThan(0)
      }),
      { numRuns: 2_000 },
    )
  })
})
