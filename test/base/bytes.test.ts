import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  asciiBytes,
  asciiText,
  bytesEqual,
  compareBytes,
  concatBytes,
} from '../../src/base/bytes.ts'
import { fromHex, toHex } from '../../src/base/hex.ts'

const bytes = fc.uint8Array({ maxLength: 6, max: 3 })

describe('comparing', () => {
  test.each<[number[], number[], number]>([
    [[], [], 0],
    [[1], [], 1],
    [[], [0], -1],
    [[1, 2], [1, 3], -1],
    [[2], [1, 255], 1],
    [[1, 2], [1, 2, 0], -1],
    [[255], [0], 1],
  ])('%j and %j', (a, b, order) => {
    const left = Uint8Array.from(a)
    const right = Uint8Array.from(b)
    expect(Math.sign(compareBytes(left, right))).toBe(order)
    expect(Math.sign(compareBytes(right, left)) + order).toBe(0)
    expect(bytesEqual(left, right)).toBe(order === 0)
  })
  test('equal is what has the same octets, whatever the view', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        const same = a.join() === b.join()
        return bytesEqual(a, b) === same && (compareBytes(a, b) === 0) === same
      }),
    )
    const view = Uint8Array.of(9, 1, 2, 9).subarray(1, 3)
    expect(bytesEqual(view, Uint8Array.of(1, 2))).toBe(true)
    expect(bytesEqual(view, view)).toBe(true)
  })
})

describe('joining and text', () => {
  test('concatenation', () => {
    expect(concatBytes()).toEqual(new Uint8Array())
    expect(concatBytes(Uint8Array.of(1), new Uint8Array(), Uint8Array.of(2, 3))).toEqual(
      Uint8Array.of(1, 2, 3),
    )
  })
  test('Latin-1 there and back, and of a part', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (octets) => bytesEqual(asciiBytes(asciiText(octets)), octets)),
    )
    expect(asciiText(asciiBytes('a client'), 2, 6)).toBe('clie')
  })
  test('of every length, from every place', () => {
    const octets = Uint8Array.from({ length: 48 }, (_, i) => 0xff - 3 * i)
    const whole = Buffer.from(octets).toString('latin1')
    for (let start = 0; start < 9; start++) {
      for (let end = start; end <= octets.length; end++) {
        expect(asciiText(octets, start, end)).toBe(whole.slice(start, end))
      }
    }
  })
})

describe('hexadecimal', () => {
  test('two lower-case digits an octet, and back', () => {
    fc.assert(
      fc.property(
        fc.uint8Array(),
        (octets) => Buffer.from(octets).toString('hex') === toHex(octets),
      ),
    )
    expect(fromHex('00aBFf')).toEqual(Uint8Array.of(0, 0xab, 0xff))
    expect(fromHex('')).toEqual(new Uint8Array())
  })
  test.each(['0', '0g', 'g0', ' 00', '0x00', '00\n', '-1'])('%j is none', (text) => {
    expect(fromHex(text)).toBeUndefined()
  })
})
