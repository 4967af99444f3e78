import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeBase64, encodeBase64, encodeBase64Url } from '../../src/base/base64.ts'
import { asciiBytes } from '../../src/base/bytes.ts'

describe('Base64, RFC 4648 §4', () => {
  test.each([
    ['', ''],
    ['f', 'Zg=='],
    ['fo', 'Zm8='],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg=='],
    ['fooba', 'Zm9vYmE='],
    ['foobar', 'Zm9vYmFy'],
  ])('%j is %j, RFC 4648 §10', (plain, text) => {
    expect(encodeBase64(asciiBytes(plain))).toBe(text)
    expect(decodeBase64(text)).toEqual(asciiBytes(plain))
  })
  test.each([' Zm9v', 'Z m9v ', 'Zm\r\n9v', 'Zm9v\n', '\tZm\v9\fv', 'Zg = =\n'])(
    'white space is skipped: %j',
    (text) => {
      expect(decodeBase64(text)).toBeDefined()
    },
  )
  test.each([
    ['a foreign character', 'Zm9!'],
    ['the URL alphabet', 'Zm9-'],
    ['a character beyond Latin-1 whose low octet is a letter', 'Zm9\u015a'],
    ['a NUL', 'Zm9\0'],
    ['one character', 'Z'],
    ['one character too many', 'Zm9vZ'],
    ['no padding after two', 'Zg'],
    ['no padding after three', 'Zm8'],
    ['half a padding', 'Zg='],
    ['too much padding', 'Zm8=='],
    ['three of padding', 'Zg==='],
    ['padding after a whole group', 'Zm9v='],
    ['padding after a whole group, twice', 'Zm9v=='],
    ['padding alone', '='],
    ['padding of four', '===='],
    ['a letter after padding', 'Zg==Zg=='],
    ['a letter between padding', 'Z=g='],
    ['bits that the last octet does not use', 'Zh=='],
    ['the highest of them', 'Zo=='],
    ['such bits after two octets', 'Zm9='],
    ['the higher of those', 'Zm+='],
  ])('%s is refused, RFC 4648 §3.5', (_, text) => {
    expect(decodeBase64(text)).toBeUndefined()
  })
  test('of a part of a text', () => {
    expect(decodeBase64('!!Zm9v!!', 2, 6)).toEqual(asciiBytes('foo'))
    expect(decodeBase64('!!', 1, 1)).toEqual(new Uint8Array())
  })
  test('there and back', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(decodeBase64(encodeBase64(bytes))).toEqual(bytes)
        expect(Buffer.from(bytes).toString('base64')).toBe(encodeBase64(bytes))
        expect(Buffer.from(bytes).toString('base64url')).toBe(encodeBase64Url(bytes))
      }),
    )
  })
  test('no two texts without white space have the same octets', () => {
    const letter = fc.constantFrom(...'AEIMQUYcgkosw048+/=Zm9vghoxyz')
    fc.assert(
      fc.property(fc.string({ unit: letter, maxLength: 12 }), (text) => {
        const bytes = decodeBase64(text)
        return bytes === undefined || encodeBase64(bytes) === text
      }),
      { numRuns: 2_000 },
    )
  })
})
