import { describe, expect, test } from 'vitest'
import { parseIpAddress } from '../../src/path/ip-address.ts'
import { checkPeerNames, isPeerNameReadable, type PeerName } from '../../src/path/peer-names.ts'
import type { GeneralName } from '../../src/x509/general-name.ts'
import { certificateOf, nameOf } from './certificate-of.ts'

const dns = (value: string): GeneralName => ({ kind: 'dNSName', value })
const ip = (text: string): GeneralName => ({
  kind: 'iPAddress',
  octets: parseIpAddress(text) as Uint8Array,
})
const mail = (value: string): GeneralName => ({ kind: 'rfc822Name', value })
const withNames = (...names: GeneralName[]) =>
  certificateOf({ extensions: { subjectAltName: { names, critical: false } } })
const expectDns = (value: string): PeerName => ({ kind: 'DNS', value })

const accepted = (names: GeneralName[], ...expected: PeerName[]): boolean => {
  const failure = checkPeerNames(withNames(...names), expected)
  if (failure !== undefined) expect(failure.code).toBe('peer-name-mismatch')
  return failure === undefined
}

describe('service identity, RFC 9525 §6.3', () => {
  test.each([
    ['example.com', 'example.com', true],
    ['Example.COM', 'eXample.com', true],
    ['example.com.', 'example.com', true],
    ['example.com', 'example.com.', true],
    ['xn--bcher-kva.example', 'XN--BCHER-KVA.example', true],
    ['example.com', 'example2.com', false],
    ['example.com', 'a.example.com', false],
    ['a.example.com', 'example.com', false],
    ['*.example.com', 'a.example.com', true],
    ['*.Example.com', 'A.example.com', true],
    ['*.example.com', 'example.com', false],
    ['*.example.com', 'a.b.example.com', false],
    ['*.example.com', 'a.example.org', false],
    ['*', 'example.com', false],
    ['*', 'com', false],
    ['*.', 'com', false],
    ['*.com', 'example.com', false],
    ['*.com.', 'example.com', false],
    ['a*.example.com', 'ab.example.com', false],
    ['*a.example.com', 'ba.example.com', false],
    ['a.*.example.com', 'a.b.example.com', false],
    ['*.*.example.com', 'a.b.example.com', false],
    ['*.example.com', '*.example.com', false],
    ['*.example.com', '.example.com', false],
    ['', '', false],
    ['192.0.2.1', '192.0.2.1', false],
    ['*.0.2.1', '192.0.2.1', false],
    ['bücher.example', 'bücher.example', false],
  ])('dNSName %j for %j: %s', (presented, reference, match) => {
    expect(accepted([dns(presented)], expectDns(reference))).toBe(match)
  })

  test.each([
    ['192.0.2.1', '192.0.2.1', true],
    ['192.0.2.1', '192.0.2.2', false],
    ['2001:db8::1', '2001:DB8:0:0::1', true],
    ['::ffff:192.0.2.1', '192.0.2.1', false],
    ['192.0.2.1', '192.0.2.01', false],
  ])('iPAddress %s for %s: %s', (presented, value, match) => {
    expect(accepted([ip(presented)], { kind: 'IP', value })).toBe(match)
  })

  test.each([
    ['a@example.com', 'a@EXAMPLE.com', true],
    ['a@example.com', 'A@example.com', false],
    ['a@example.com', 'a@example.org', false],
    ['a@b@example.com', 'a@b@example.com', false],
  ])('rfc822Name %s for %s: %s', (presented, value, match) => {
    expect(accepted([mail(presented)], { kind: 'RFC822', value })).toBe(match)
  })

  test('kinds never stand in for one another', () => {
    expect(accepted([dns('192.0.2.1')], { kind: 'IP', value: '192.0.2.1' })).toBe(false)
    expect(accepted([dns('a@example.com')], { kind: 'RFC822', value: 'a@example.com' })).toBe(false)
    expect(accepted([mail('example.com')], expectDns('example.com'))).toBe(false)
    expect(accepted([ip('1.2.3.4')], expectDns('1.2.3.4'))).toBe(false)
  })

  test('the common name never counts', () => {
    const certificate = certificateOf({ subject: nameOf('example.com') })
    expect(checkPeerNames(certificate, [expectDns('example.com')])).toEqual({
      code: 'peer-name-mismatch',
      expected: [{ kind: 'DNS', value: 'example.com' }],
      present: [],
    })
  })

  test('one of several is enough, unless every one is asked for; none expected is met by none', () => {
    const certificate = withNames(dns('a.example'), dns('b.example'))
    const [a, b, c] = ['a.example', 'b.example', 'c.example'].map(expectDns) as [
      PeerName,
      PeerName,
      PeerName,
    ]
    expect(checkPeerNames(certificate, [c, b])).toBeUndefined()
    expect(checkPeerNames(certificate, [c, b], 'every')?.code).toBe('peer-name-mismatch')
    expect(checkPeerNames(certificate, [a, b], 'every')).toBeUndefined()
    expect(checkPeerNames(certificate, [])?.code).toBe('peer-name-mismatch')
    expect(checkPeerNames(certificate, [], 'every')?.code).toBe('peer-name-mismatch')
  })

  test('the failure tells what is there, not without end', () => {
    const uri: GeneralName = { kind: 'uniformResourceIdentifier', value: 'https://a.example' }
    const certificate = withNames(uri, dns('a.example'), ip('::1'), mail('a@b.example'))
    expect(checkPeerNames(certificate, [expectDns('x')])?.present).toEqual([
      'DNS:a.example',
      'IP:::1',
      'RFC822:a@b.example',
    ])
    const many = withNames(...Array.from({ length: 40 }, (_, i) => dns(`n${i}.example`)))
    expect(checkPeerNames(many, [expectDns('x')])?.present).toHaveLength(16)
  })

  test('what a caller may expect', () => {
    const readable = (kind: PeerName['kind'], value: string) => isPeerNameReadable({ kind, value })
    expect(readable('DNS', 'a.example')).toBe(true)
    expect(readable('DNS', '*.example.com')).toBe(false)
    expect(readable('DNS', '192.0.2.1')).toBe(false)
    expect(readable('IP', '192.0.2.1')).toBe(true)
    expect(readable('IP', 'a.example')).toBe(false)
    expect(readable('RFC822', 'a@b.example')).toBe(true)
    expect(readable('RFC822', 'b.example')).toBe(false)
  })
})
