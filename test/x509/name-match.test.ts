import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AttributeTypeAndValue, Name } from '../../src/x509/name.ts'
import { nameKey, namesMatch } from '../../src/x509/name-match.ts'
import { makeName } from '../../src/x509/name-text.ts'

const utf8 = new TextEncoder()
const cn = '2.5.4.3'
const o = '2.5.4.10'

function attribute(type: string, text: string, tag = 12): AttributeTypeAndValue {
  return { type, tag, value: encode(text, tag) }
}

function encode(text: string, tag: number): Uint8Array {
  const width = tag === 30 ? 2 : tag === 28 ? 4 : 1
  if (width === 1) return utf8.encode(text)
  const points = [...text].map((character) => character.codePointAt(0) as number)
  return Uint8Array.from(
    points.flatMap((point) => [point >>> 24, point >>> 16, point >>> 8, point].slice(4 - width)),
  )
}

function nameOf(...rdns: (AttributeTypeAndValue | AttributeTypeAndValue[])[]): Name {
  return makeName(rdns.map((rdn) => (Array.isArray(rdn) ? rdn : [rdn])))
}

/** Whether `name` lies in the subtree that `base` roots, as the keys of both say. */
function isWithin(name: Name, base: Name): boolean {
  return nameKey(name).startsWith(nameKey(base))
}

/** Every way to compare must agree. */
function match(a: Name, b: Name): boolean {
  const result = namesMatch(a, b)
  expect(namesMatch(b, a)).toBe(result)
  expect(nameKey(a) === nameKey(b)).toBe(result)
  expect(isWithin(a, b) && isWithin(b, a)).toBe(result)
  return result
}

describe('names match, RFC 5280 §7.1', () => {
  test.each([
    ['the same', attribute(cn, 'Client A'), attribute(cn, 'Client A')],
    ['case and spaces', attribute(cn, ' client   A '), attribute(cn, 'CLIENT a')],
    ['PrintableString and UTF8String', attribute(cn, 'Client', 19), attribute(cn, 'client')],
    [
      'IA5String',
      attribute('1.2.840.113549.1.9.1', 'A@B.C', 22),
      attribute('1.2.840.113549.1.9.1', 'a@b.c'),
    ],
    ['BMPString', attribute(cn, 'Zoë', 30), attribute(cn, 'ZOË')],
    ['UniversalString', attribute(cn, 'Zoë😀', 28), attribute(cn, 'zoe\u0308😀')],
    ['empty and blank', attribute(cn, ''), attribute(cn, '  ')],
    [
      'control characters are mapped to nothing',
      attribute(cn, 'a\u0000b', 22),
      attribute(cn, 'ab'),
    ],
    ['TeletexString with itself', attribute(cn, 'A', 20), attribute(cn, 'A', 20)],
    ['private characters with themselves', attribute(cn, 'a\ue000', 30), attribute(cn, 'a\ue000')],
  ])('%s', (_, a, b) => {
    expect(match(nameOf(a), nameOf(b))).toBe(true)
  })

  test.each([
    ['another type', attribute(cn, 'a'), attribute(o, 'a')],
    ['another value', attribute(cn, 'a'), attribute(cn, 'b')],
    ['TeletexString and PrintableString', attribute(cn, 'A', 20), attribute(cn, 'A', 19)],
    ['TeletexString in another case', attribute(cn, 'A', 20), attribute(cn, 'a', 20)],
    ['NumericString and UTF8String', attribute(cn, '1', 18), attribute(cn, '1')],
    ['private characters in another case', attribute(cn, 'A\ue000'), attribute(cn, 'a\ue000')],
    ['a lost space', attribute(cn, 'ab'), attribute(cn, 'a b')],
  ])('not: %s', (_, a, b) => {
    expect(match(nameOf(a), nameOf(b))).toBe(false)
  })

  test('a multi-valued RDN is a set: its order does not count, its size does', () => {
    const a = attribute(cn, 'a')
    const b = attribute(o, 'b')
    expect(
      match(
        { der: new Uint8Array([1]), rdns: [[a, b]] },
        { der: new Uint8Array([2]), rdns: [[b, a]] },
      ),
    ).toBe(true)
    expect(match(nameOf([a, b]), nameOf(a, b))).toBe(false)
    expect(match(nameOf([a, a, b]), nameOf([a, b, b]))).toBe(false)
    expect(match(nameOf([a, b]), nameOf(a))).toBe(false)
    expect(match(nameOf(a, b), nameOf(b, a))).toBe(false)
  })

  test('a repeated RDN counts', () => {
    const a = attribute(cn, 'a')
    expect(match(nameOf(a, a), nameOf(a))).toBe(false)
  })

  test('a value cannot imitate the borders of RDNs', () => {
    const inner = nameKey(nameOf(attribute(o, 'b')))
    expect(
      match(nameOf(attribute(cn, `a${inner}`)), nameOf(attribute(cn, 'a'), attribute(o, 'b'))),
    ).toBe(false)
  })
})

describe('directory subtrees, RFC 5280 §4.2.1.10', () => {
  const base = nameOf(attribute(o, 'Example'))
  test.each([
    ['the base itself', nameOf(attribute(o, 'EXAMPLE')), true],
    ['below', nameOf(attribute(o, 'example'), attribute(cn, 'a')), true],
    ['above', nameOf(), false],
    ['beside', nameOf(attribute(o, 'Example 2'), attribute(cn, 'a')), false],
    ['the base as part of an RDN', nameOf([attribute(o, 'Example'), attribute(cn, 'a')]), false],
    ['the base at the end', nameOf(attribute(cn, 'a'), attribute(o, 'Example')), false],
  ])('%s', (_, name, within) => {
    expect(isWithin(name, base)).toBe(within)
    expect(isWithin(name, nameOf())).toBe(true)
  })
})

test('a key has values prepared, save those that cannot be', () => {
  const keyOf = (text: string, tag?: number) => nameKey(nameOf(attribute(cn, text, tag)))
  expect(keyOf(' Client  A ')).toBe('1;2.5.4.3=8:client a')
  expect(keyOf('ÀB')).toBe('1;2.5.4.3=2:àb')
  expect(keyOf('A', 20)).toBe('1;2.5.4.3#20:1:A')
  expect(keyOf('\ue000')).toBe('1;2.5.4.3!1:\ue000')
})

const values = fc.string({ unit: fc.constantFrom(...'aAbB  ßé=:;#1'), maxLength: 4 })
const arbitraryName = fc
  .array(
    fc.array(fc.tuple(fc.constantFrom(cn, o), values, fc.constantFrom(12, 12, 20, 28, 30)), {
      minLength: 1,
      maxLength: 2,
    }),
    { maxLength: 3 },
  )
  .map((rdns) =>
    nameOf(...rdns.map((rdn) => rdn.map(([type, text, tag]) => attribute(type, text, tag)))),
  )

test('key, match and subtree say the same of any two names', () => {
  fc.assert(
    fc.property(arbitraryName, arbitraryName, (a, b) => {
      const equal = nameKey(a) === nameKey(b)
      return (
        namesMatch(a, b) === equal &&
        isWithin(a, b) === namesMatch(makeName(a.rdns.slice(0, b.rdns.length)), b) &&
        (!equal || a.rdns.length === b.rdns.length)
      )
    }),
  )
})
