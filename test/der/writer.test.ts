import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { asciiText } from '../../src/base/bytes.ts'
import { DerError } from '../../src/der/error.ts'
import { DerReader } from '../../src/der/reader.ts'
import {
  contextConstructed,
  contextPrimitive,
  tagIA5String,
  tagOctetString,
  tagSequence,
  tagSet,
} from '../../src/der/tags.ts'
import {
  writeBitString,
  writeBoolean,
  writeElement,
  writeInteger,
  writeNull,
  writeObjectIdentifier,
  writeOctetString,
  writeSequence,
  writeSetOf,
  writeText,
} from '../../src/der/writer.ts'
import { hex } from './support.ts'

describe('what is written', () => {
  test.each<[string, Uint8Array, string]>([
    ['an empty SEQUENCE', writeSequence(), '3000'],
    ['a SEQUENCE of two', writeSequence(writeNull(), writeBoolean(true)), '300505000101ff'],
    ['FALSE', writeBoolean(false), '010100'],
    ['0', writeInteger(0), '020100'],
    ['127', writeInteger(127), '02017f'],
    ['128, with its sign octet', writeInteger(128), '02020080'],
    ['65,537', writeInteger(65_537n), '0203010001'],
    ['an OBJECT IDENTIFIER', writeObjectIdentifier('1.2.840'), '06032a8648'],
    ['an OCTET STRING', writeOctetString(hex('ab')), '0401ab'],
    ['a BIT STRING', writeBitString(hex('ab')), '030200ab'],
    ['text', writeText(tagIA5String, 'a@b'), '1603614062'],
    [
      'a SET OF in order',
      writeSetOf(hex('020102'), hex('0500'), hex('020101')),
      '31080201010201020500',
    ],
    ['[1] primitive', writeElement(contextPrimitive(1), hex('07')), '810107'],
    ['[1] constructed', writeElement(contextConstructed(1), hex('0500')), 'a1020500'],
  ])('%s', (_, written, expected) => {
    expect(written).toEqual(hex(expected))
  })
  test.each(['', '1', '3.1', '1.40', '0.40', '1.2.', '1.02', '1.-1', 'a.b'])(
    '%j is no object identifier',
    (text) => {
      expect(() => writeObjectIdentifier(text)).toThrow(RangeError)
    },
  )
})

describe('what is written is read', () => {
  test('octets of any length', () => {
    const length = fc.oneof(fc.nat(300), fc.constantFrom(127, 128, 255, 256, 65_535, 65_536))
    fc.assert(
      fc.property(length, (size) => {
        const reader = new DerReader(writeOctetString(new Uint8Array(size)))
        reader.read(tagOctetString, 'octets')
        return reader.atEnd() && reader.content().length === size
      }),
    )
  })
  test('numbers', () => {
    fc.assert(
      fc.property(fc.nat(0x7fffffff), (value) => {
        const reader = new DerReader(writeInteger(value))
        return reader.smallInteger('a number', 0x7fffffff) === value && reader.atEnd()
      }),
    )
  })
  test('object identifiers', () => {
    const arcs = fc.array(fc.bigInt({ min: 0n, max: 2n ** 100n }), { maxLength: 3 })
    const first = fc.oneof(
      fc.tuple(fc.constantFrom(0, 1), fc.nat(39)),
      fc.tuple(fc.constant(2), fc.nat(100_000)),
    )
    fc.assert(
      fc.property(first, arcs, (start, rest) => {
        const text = [...start, ...rest].join('.')
        expect(new DerReader(writeObjectIdentifier(text)).objectIdentifier('an id')).toBe(text)
      }),
    )
  })
  test('sets, whatever order they were given in', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 4 })), (contents) => {
        const elements = contents.map(writeOctetString)
        const set = new DerReader(writeSetOf(...elements)).enter(tagSet, 'a set')
        for (let start = -1, end = -1; !set.atEnd(); start = set.start, end = set.position) {
          set.readAny('an element')
          if (start >= 0) set.checkSetOrder(start, end)
        }
      }),
    )
  })
  test('text', () => {
    const reader = new DerReader(writeSequence(writeText(tagIA5String, 'client')))
    const inner = reader.enter(tagSequence, 'a list')
    inner.read(tagIA5String, 'text')
    expect(asciiText(inner.content())).toBe('client')
  })
})

test('no octets make the reader throw anything but its own error', () => {
  const methods = [
    'boolean',
    'integer',
    'objectIdentifier',
    'octetsOfBitString',
    'bitString',
    'null',
    'time',
    'readAny',
  ] as const
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), fc.constantFrom(...methods), (bytes, method) => {
      const reader = new DerReader(bytes)
      try {
        reader[method]('anything')
        return reader.position <= bytes.length && reader.position >= 2
      } catch (error) {
        return error instanceof DerError && error.offset <= bytes.length
      }
    }),
    { numRuns: 1_000 },
  )
})
