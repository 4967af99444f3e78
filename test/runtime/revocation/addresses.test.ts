/** Which addresses and URIs a certificate may make us fetch from. */

import { isIPv4 } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ipAddressText } from '../../../src/path/ip-address.ts'
import { AddressRules } from '../../../src/runtime/revocation/addresses.ts'
import { readUri } from '../../../src/runtime/revocation/uri.ts'

/** What is fetched from when nothing is allowed besides. */
function isPublic(address: string): boolean {
  return new AddressRules().allows('host.example', address)
}

describe('an address that not everybody reaches is not public', () => {
  test.each([
    ['unspecified', '0.0.0.0'],
    ['this network', '0.1.2.3'],
    ['private', '10.1.2.3'],
    ['private', '172.16.0.1'],
    ['private', '172.31.255.255'],
    ['private', '192.168.1.1'],
    ['carrier-grade NAT', '100.64.0.1'],
    ['loopback', '127.0.0.1'],
    ['loopback', '127.255.255.254'],
    ['link-local, with the metadata of clouds', '169.254.169.254'],
    ['protocol assignments', '192.0.0.1'],
    ['documentation', '192.0.2.1'],
    ['6to4 relay', '192.88.99.1'],
    ['benchmark', '198.19.0.1'],
    ['documentation', '198.51.100.1'],
    ['documentation', '203.0.113.1'],
    ['multicast', '224.0.0.1'],
    ['reserved', '240.0.0.1'],
    ['broadcast', '255.255.255.255'],
    ['unspecified', '::'],
    ['loopback', '::1'],
    ['link-local', 'fe80::1'],
    ['link-local with a zone', 'fe80::1%eth0'],
    ['site-local', 'fec0::1'],
    ['unique local', 'fc00::1'],
    ['unique local', 'fd12:3456:789a::1'],
    ['multicast', 'ff02::1'],
    ['IPv4-mapped', '::ffff:10.0.0.1'],
    ['IPv4-mapped, written in groups', '::ffff:7f00:1'],
    ['IPv4-mapped, written out', '0:0:0:0:0:ffff:a9fe:a9fe'],
    ['IPv4-compatible', '::127.0.0.1'],
    ['NAT64 of a private address', '64:ff9b::10.0.0.1'],
    ['NAT64 for local use', '64:ff9b:1::1'],
    ['6to4 of a private address', '2002:a00:1::1'],
    ['6to4 of the metadata address', '2002:a9fe:a9fe::1'],
    ['Teredo', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
    ['documentation', '2001:db8::1'],
    ['documentation', '3fff::1'],
    ['discard only', '100::1'],
    ['segment routing', '5f00::1'],
    ['no address', 'localhost'],
    ['no address', ''],
  ])('%s: %s', (_what, address) => {
    expect(isPublic(address)).toBe(false)
  })
})

test.each(['8.8.8.8', '1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700:4700::1111', '2a00::1'])(
  '%s is public',
  (address) => {
    expect(isPublic(address)).toBe(true)
  },
)

test.each(['::ffff:8.8.8.8', '64:ff9b::8.8.8.8', '2002:808:808::1'])(
  '%s is as public as the address inside',
  (address) => {
    expect(isPublic(address)).toBe(true)
  },
)

test('a network holds an address when its first bits are the same, octet for octet', () => {
  const octets = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  )
  fc.assert(
    fc.property(octets, octets, fc.nat(128), fc.nat(128), (network, other, length, shared) => {
      const bits = Math.min(length, network.length * 8)
      // An address that agrees with the network for `shared` bits, so that both answers occur.
      const address = network.map((octet, i) => {
        const kept = Math.max(0, Math.min(8, shared - i * 8))
        const mask = (0xff00 >> kept) & 0xff
        return (octet & mask) | ((other[i % other.length] as number) & ~mask & 0xff)
      })
      const text = ipAddressText(address)
      // A mapped address is one of the other family.
      fc.pre(!text.startsWith('::ffff:') && !ipAddressText(network).startsWith('::ffff:'))
      const rules = new AddressRules([`${ipAddressText(network)}/${bits}`])
      const bit = (of: Uint8Array, i: number) => ((of[i >> 3] as number) >> (7 - (i & 7))) & 1
      const isInside = Array.from({ length: bits }, (_, i) => i).every(
        (i) => bit(network, i) === bit(address, i),
      )
      expect(rules.allows('host.example', text)).toBe(isInside || isPublic(text))
    }),
  )
})

test('every IPv4 address is judged alike when it is mapped to IPv6', () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      expect(isIPv4(address)).toBe(true)
      expect(isPublic(`::ffff:${address}`)).toBe(isPublic(address))
    }),
  )
})

describe('what is allowed besides', () => {
  test.each([
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.1', true], // public
    ['10.0.0.0/8', '::ffff:10.0.0.1', true], // the system connects to the address inside
    ['10.0.0.0/8', '192.168.0.1', false],
    ['192.168.1.7', '192.168.1.7', true],
    ['192.168.1.7', '192.168.1.8', false],
    ['fd00::/8', 'fd00::1', true],
    ['fd00::/8', 'fc00::1', false],
    ['private', '10.0.0.1', true],
    ['private', '172.20.0.1', true],
    ['private', '192.168.0.1', true],
    ['private', '100.64.0.1', true],
    ['private', 'fd00::1', true],
    ['private', '127.0.0.1', false],
    ['private', '169.254.169.254', false],
    ['loopback', '127.0.0.1', true],
    ['loopback', '::1', true],
    ['loopback', '10.0.0.1', false],
    ['crl.example', '10.0.0.1', true],
    ['CRL.Example', '169.254.169.254', true],
    ['other.example', '10.0.0.1', false],
  ])('%s allows %s for crl.example: %s', (rule, address, allowed) => {
    expect(new AddressRules([rule]).allows('crl.example', address)).toBe(allowed)
  })

  test.each(['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '300.0.0.0/8', 'fd00::/129', 'a b', ''])(
    '%j is no rule',
    (rule) => {
      expect(() => new AddressRules([rule])).toThrow(
        expect.objectContaining({ code: 'option-invalid', option: 'allowAddresses' }),
      )
    },
  )
})

describe('a URI that is not fetched', () => {
  test.each([
    ['ldap://ldap.example/cn=CA?certificateRevocationList', { code: 'uri-scheme', scheme: 'ldap' }],
    ['file:///etc/passwd', { code: 'uri-scheme', scheme: 'file' }],
    ['data:application/pkix-crl;base64,MAA=', { code: 'uri-scheme', scheme: 'data' }],
    ['ftp://crl.example/ca.crl', { code: 'uri-scheme', scheme: 'ftp' }],
    ['javascript:alert(1)', { code: 'uri-scheme', scheme: 'javascript' }],
    ['http://user:secret@crl.example/', { code: 'uri-credentials' }],
    ['http://user@crl.example/', { code: 'uri-credentials' }],
    ['http://crl.example:25/', { code: 'uri-port', port: 25 }],
    ['http://crl.example:6379@evil.example/', { code: 'uri-credentials' }],
    ['http://crl.example:22/', { code: 'uri-port', port: 22 }],
    ['', { code: 'uri-invalid' }],
    ['crl.example/ca.crl', { code: 'uri-invalid' }],
    ['http://', { code: 'uri-invalid' }],
    ['http://a b/', { code: 'uri-invalid' }],
    ['http://crl.example/\r\nHost: evil', { code: 'uri-invalid' }],
    ['http://crl.example/\u00e9', { code: 'uri-invalid' }],
    [`http://crl.example/${'a'.repeat(2048)}`, { code: 'uri-invalid' }],
  ])('%j', (uri, failure) => {
    expect(readUri(uri)).toEqual({ ok: false, failure })
  })
})

test.each([
  'http://2130706433/',
  'http://0x7f000001/',
  'http://0177.0.0.1/',
  'http://017700000001/',
  'http://127.1/',
  'http://0x7f.1/',
  'http://127.0.0.1./',
  'http://%31%32%37.0.0.1/',
])('%s is 127.0.0.1, however it is written', (uri) => {
  const read = readUri(uri)
  expect(read.ok && read.value.hostname).toBe('127.0.0.1')
})

test('the fragment is no part of what is fetched', () => {
  const read = readUri('http://crl.example/ca.crl#a')
  expect(read.ok && read.value.href).toBe('http://crl.example/ca.crl')
})
