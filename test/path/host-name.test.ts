import { describe, expect, test } from 'vitest'
import {
  endsInNumber,
  parseHostName,
  parseInternationalMailbox,
  parseMailbox,
  parsePresentedHost,
  parseUriHost,
} from '../../src/path/host-name.ts'

const label = 'a'.repeat(63)

describe('host names, RFC 1034 §3.5', () => {
  test.each([
    ['Example.COM', 'example.com'],
    ['example.com.', 'example.com'],
    ['a_b.example', 'a_b.example'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    [
      `${label}.${label}.${label}.${'a'.repeat(61)}`,
      `${label}.${label}.${label}.${'a'.repeat(61)}`,
    ],
    ['', undefined],
    ['.', undefined],
    ['..', undefined],
    ['.example.com', undefined],
    ['a..b', undefined],
    ['a.b..', undefined],
    ['*.example.com', undefined],
    ['a b', undefined],
    ['bücher.example', undefined],
    ['a\n', undefined],
    ['a\u0000.b', undefined],
    [`a${label}`, undefined],
    [`${label}.${label}.${label}.${label}`, undefined],
  ])('%j: %s', (text, host) => {
    expect(parseHostName(text)).toBe(host)
  })

  test.each([
    ['*.Example.com', '*.example.com'],
    ['f*o.example.com', 'f*o.example.com'],
    ['*', '*'],
    ['', ''],
    ['.example.com', undefined],
    ['*..com', undefined],
    ['a/b', undefined],
    [`${label}.${label}.${label}.${label}`, undefined],
  ])('as presented, %j: %s', (text, host) => {
    expect(parsePresentedHost(text)).toBe(host)
  })

  test('hosts that programs read as IPv4', () => {
    expect(['127.0.0.1', '1', 'a.0x7f', '0x'].every(endsInNumber)).toBe(true)
    expect(['1.a', 'a1', '0xg', 'x0x1'].some(endsInNumber)).toBe(false)
  })
})

describe('mailboxes, RFC 5280 §4.2.1.6', () => {
  test('the local part keeps its case, the host does not', () => {
    expect(parseMailbox('FoO.b+c@Example.COM')).toEqual({ local: 'FoO.b+c', host: 'example.com' })
    expect(parseMailbox('*@example.com')).toEqual({ local: '*', host: 'example.com' })
  })

  test.each([
    '',
    'example.com',
    '@example.com',
    'a@',
    'a@b@example.com',
    '"a"@example.com',
    'a b@example.com',
    '.a@example.com',
    'a.@example.com',
    'a..b@example.com',
    'a@example.com.',
    'a@[8.8.8.8]',
    'a@.example.com',
    'a@example.com ',
    'ü@example.com',
    `${'a'.repeat(65)}@example.com`,
  ])('none: %j', (text) => {
    expect(parseMailbox(text)).toBeUndefined()
  })

  test('an SmtpUTF8Mailbox has a local part beyond ASCII and a host in A-labels, RFC 9598 §3', () => {
    expect(parseInternationalMailbox('u\u0308.x@Example.com')).toEqual({
      local: 'ü.x',
      host: 'example.com',
    })
    for (const text of [
      'a@example.com',
      'ü',
      '@ü',
      'ü@bücher.example',
      'ü@example.com.',
      'ü@',
      'ü\u202e@example.com',
      'ü a@example.com',
      'ü..a@example.com',
      'ü@a@example.com',
    ]) {
      expect(parseInternationalMailbox(text)).toBeUndefined()
    }
  })
})

describe('hosts of URIs, RFC 3986 §3.2', () => {
  test.each([
    ['https://Example.com', 'example.com'],
    ['https://example.com:8443/a?b#c', 'example.com'],
    ['https://user:pw@example.com/', 'example.com'],
    ['spiffe://prod/ns/a/sa/b', 'prod'],
    ['https://example.com./', 'example.com'],
    ['https://example.com?@evil.example', 'example.com'],
    ['https://example.com:', 'example.com'],
    ['mailto:a@example.com', undefined],
    ['urn:uuid:1', undefined],
    ['https:example.com', undefined],
    ['//example.com', undefined],
    ['https:///a', undefined],
    ['https://', undefined],
    ['https://:80', undefined],
    ['https://192.0.2.1/', undefined],
    ['https://0x7f.1/', undefined],
    ['https://[2001:db8::1]/', undefined],
    ['https://ex%61mple.com/', undefined],
    ['https://example.com\\@evil.example/', undefined],
    ['https://a@b@example.com/', undefined],
    ['https://example.com:80a/', undefined],
    ['https://exa mple.com/', undefined],
    ['https://*.example.com/', undefined],
    ['https://example.com/a b', undefined],
    ['1http://example.com', undefined],
  ])('%s: %s', (text, host) => {
    expect(parseUriHost(text)).toBe(host)
  })
})
