import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../src/base/hex.ts'
import { oidBytes, oidText } from '../../src/base/oid.ts'

describe('object identifiers, X.690 8.19', () => {
  test.each([
    ['00', '0.0'],
    ['27', '0.39'],
    ['28', '1.0'],
    ['4f', '1.39'],
    ['50', '2.0'],
    ['7f', '2.47'],
    ['8100', '2.48'],
    ['8837', '2.999'],
    ['2a8648', '1.2.840'],
    ['550403', '2.5.4.3'],
    ['55047f', '2.5.4.127'],
    ['55048100', '2.5.4.128'],
    ['551d11', '2.5.29.17'],
    ['550511', '2.5.5.17'],
    ['2b0601', '1.3.6.1'],
    ['2a864886f70d01010b', '1.2.840.113549.1.1.11'],
    ['2a864886f70d01010f', '1.2.840.113549.1.1.15'],
    ['2b06010505070302', '1.3.6.1.5.5.7.3.2'],
    ['69837f', '2.25.511'],
  ])('%s is %s', (octets, text) => {
    expect(oidText(fromHex(octets) as Uint8Array)).toBe(text)
    expect(toHex(oidBytes(text) as Uint8Array)).toBe(octets)
  })
  test.each(['', '80', '8001', '2a80', '2a8001', '2aff', '5504ff', '551d80', '01'.repeat(65)])(
    '%s is none',
    (octets) => {
      expect(oidText(fromHex(octets) as Uint8Array)).toBeUndefined()
    },
  )
  test('64 octets are read', () => {
    expect(oidText(new Uint8Array(64).fill(1))).toBe(`0.1${'.1'.repeat(63)}`)
  })
  test.each(['', '1', '3.1', '0.40', '1.40', '1.2.', '.1.2', '1.02', '1.+2', '1.2 ', 'x'])(
    '%j is no text of one',
    (text) => {
      expect(oidBytes(text)).toBeUndefined()
    },
  )
  test('of a part of the octets', () => {
    const octets = fromHex('ff550403ff') as Uint8Array
    expect(oidText(octets, 1, 4)).toBe('2.5.4.3')
    expect(oidText(octets, 1, 1)).toBeUndefined()
  })
  test('arcs of 128 bits and more, as under 2.25, keep every digit', () => {
    for (const arc of [
      2n ** 49n - 1n,
      2n ** 49n,
      2n ** 53n,
      2n ** 56n,
      2n ** 128n - 1n,
      2n ** 200n,
    ]) {
      for (const text of [`2.25.${arc}`, `1.3.${arc}.1`, `2.${arc}`]) {
        expect(oidText(oidBytes(text) as Uint8Array)).toBe(text)
      }
    }
  })
  test('no two encodings have one text', () => {
    const octets = fc.oneof(
      fc.uint8Array({ maxLength: 10 }),
      fc.uint8Array({ maxLength: 3 }).map((rest) => Uint8Array.of(0x55, ...rest)),
    )
    fc.assert(
      fc.property(octets, (bytes) => {
        const text = oidText(bytes)
        return text === undefined || toHex(oidBytes(text) as Uint8Array) === toHex(bytes)
      }),
      { numRuns: 2_000 },
    )
  })
})
