import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromHex, toHex } from '../../src/base/hex.ts'
import { ipAddressText, parseIpAddress } from '../../src/path/ip-address.ts'

test.each([
  ['192.0.2.1', 'c0000201'],
  ['0.0.0.0', '00000000'],
  ['255.255.255.255', 'ffffffff'],
  ['::', '00000000000000000000000000000000'],
  ['::1', '00000000000000000000000000000001'],
  ['2001:DB8::8a2e:370:7334', '20010db80000000000008a2e03707334'],
  ['1::', '00010000000000000000000000000000'],
  ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
  ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
  ['::ffff:192.0.2.1', '00000000000000000000ffffc0000201'],
  ['1:2:3:4:5:6:192.0.2.1', '000100020003000400050006c0000201'],
])('%s is %s, RFC 4291 §2.2', (text, hex) => {
  expect(toHex(parseIpAddress(text) as Uint8Array)).toBe(hex)
})

test.each([
  '',
  '1.2.3',
  '1.2.3.4.5',
  '01.2.3.4',
  '256.1.1.1',
  '0x7f.0.0.1',
  '1.2.3.4 ',
  '1.2.3.-4',
  ':',
  ':::',
  '1:2',
  '1::2::3',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7:8::',
  '::1:2:3:4:5:6:7:8',
  '1:2:3:4:5:6:7',
  ':1:2:3:4:5:6:7',
  '12345::',
  'g::',
  '[::1]',
  'fe80::1%eth0',
  '192.0.2.1::',
  '1.2.3.4:1:2:3:4:5:6',
  '::1.2.3',
  '::1.2.3.4:1',
])('%j is no address', (text) => {
  expect(parseIpAddress(text)).toBeUndefined()
})

test.each([
  ['c0000201', '192.0.2.1'],
  ['20010db8000000000001000000000001', '2001:db8::1:0:0:1'],
  ['20010db8000100010001000100010001', '2001:db8:1:1:1:1:1:1'],
  ['20010db8000000010001000100010001', '2001:db8:0:1:1:1:1:1'],
  ['00000000000000000000000000000000', '::'],
  ['c0000200ffffff00', '192.0.2.0/255.255.255.0'],
  [`20010db8${'00'.repeat(12)}ffffffff${'00'.repeat(12)}`, '2001:db8::/ffff:ffff::'],
  ['010203', '1 2 3'],
])('%s reads %s, RFC 5952 §4', (hex, text) => {
  expect(ipAddressText(fromHex(hex) as Uint8Array)).toBe(text)
})

test('what is written reads back', () => {
  const octets = fc.constantFrom(4, 16).chain((length) => {
    const octet = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 }))
    return fc.array(octet, { minLength: length, maxLength: length })
  })
  fc.assert(
    fc.property(octets, (address) => {
      const bytes = Uint8Array.from(address)
      expect(parseIpAddress(ipAddressText(bytes))).toEqual(bytes)
    }),
  )
})
