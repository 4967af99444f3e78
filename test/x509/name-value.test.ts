import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex } from '../../src/base/hex.ts'
import { attributeText, checkAttributeValue, hasCharacters } from '../../src/x509/name-value.ts'

const octets = (hex: string): Uint8Array => fromHex(hex) as Uint8Array
const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('characters of attribute values, X.680 41', () => {
  test.each([
    ['PrintableString', 19, "09azAZ '()+,-./:=?", '*', '&', '@', '_'],
    ['NumericString', 18, '0 9', 'a', '-'],
    ['VisibleString', 26, ' ~a', '\u007f', '\n'],
    ['IA5String', 22, '\u0000\u007f@*', '\u0080'],
  ])('%s', (_, tag, good, ...bad) => {
    expect(checkAttributeValue(tag, ascii(good))).toBe(true)
    expect(checkAttributeValue(tag, new Uint8Array())).toBe(true)
    for (const character of bad)
      expect(checkAttributeValue(tag, ascii(`a${character}`))).toBe(false)
  })

  test.each([
    ['00', true],
    ['7f', true],
    ['80', false],
    ['c2', false], // cut off
    ['c1bf', false], // longer than need be
    ['c280', true],
    ['df7f', false],
    ['e09fbf', false],
    ['e0a080', true],
    ['ed9fbf', true],
    ['eda080', false], // a surrogate
    ['ee8080', true],
    ['e28228', false],
    ['f08fbfbf', false],
    ['f0908080', true],
    ['f48fbfbf', true],
    ['f4908080', false], // above U+10FFFF
    ['f5808080', false],
    ['f09f98', false],
  ])('UTF8String %s: %s, RFC 3629 §4', (hex, good) => {
    expect(checkAttributeValue(12, octets(hex))).toBe(good)
  })

  test('UTF8String agrees with the strict decoder of the platform', () => {
    const decoder = new TextDecoder('utf-8', { fatal: true })
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 6 }), (value) => {
        let good = true
        try {
          decoder.decode(value)
        } catch {
          good = false
        }
        return checkAttributeValue(12, value) === good
      }),
    )
  })

  test.each([
    [30, '0041', true],
    [30, '004', false],
    [30, '00', false],
    [30, 'd7ff', true],
    [30, 'd800', false],
    [30, 'dfff', false],
    [30, 'e000', true],
    [28, '0001f600', true],
    [28, '000041', false],
    [28, '00110000', false],
    [28, '01000041', false],
    [28, '0000d800', false],
    [28, '0001d800', true],
  ])('tag %i, %s: %s', (tag, hex, good) => {
    const value = fromHex(hex)
    expect(value !== undefined && checkAttributeValue(tag, value)).toBe(good)
  })

  test('TeletexString and what is no string are not looked into', () => {
    expect(checkAttributeValue(20, octets('ff00'))).toBe(true)
    expect(checkAttributeValue(2, octets('ff'))).toBe(true)
  })
})

test('attribute values as text', () => {
  const text = (tag: number, hex: string) =>
    attributeText({ type: '2.5.4.3', tag, value: octets(hex) })
  expect(text(12, 'c3bc')).toBe('ü')
  expect(text(12, 'efbbbf61')).toBe('\ufeffa')
  expect(text(19, '4142')).toBe('AB')
  expect(text(18, '31')).toBe('1')
  expect(text(20, 'fc')).toBe('ü')
  expect(text(22, '40')).toBe('@')
  expect(text(26, '21')).toBe('!')
  expect(text(30, '004120ac')).toBe('A€')
  expect(text(28, '0001f600')).toBe('😀')
  expect(text(0x30, '3000')).toBe('#3000')
})

test('only types whose characters are known are compared by them', () => {
  expect([12, 18, 19, 20, 22, 26, 28, 30, 48].filter(hasCharacters)).toEqual([12, 19, 22, 28, 30])
})
