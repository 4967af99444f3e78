/** Readers of one header value: what was written comes back, and nothing else does. @module */
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { type CertificateEncoding, readers } from '../../../src/http/headers/encodings.ts'
import { readPemText } from '../../../src/http/headers/pem.ts'
import {
  awsPem,
  base64,
  type Chain,
  hex,
  issueChain,
  joined,
  pemOf,
  percentPem,
  sfBinary,
  sfList,
  spacedPem,
} from '../support.ts'

const encodings = Object.keys(readers) as readonly CertificateEncoding[]
const many: readonly CertificateEncoding[] = [
  'rfc9440-list',
  'percent-pem',
  'spaced-pem',
  'base64-pem',
  'base64-der-concatenated',
  'base64-der-list',
]

const writers: { readonly [E in CertificateEncoding]: (ders: readonly Uint8Array[]) => string } = {
  rfc9440: ([der]) => sfBinary(der as Uint8Array),
  'rfc9440-list': (ders) => sfList(...ders),
  'percent-pem': (ders) => percentPem(...ders),
  'spaced-pem': (ders) => ders.map(spacedPem).join(' '),
  'base64-pem': (ders) => base64(Buffer.from(ders.map(pemOf).join(''))),
  'base64-der': ([der]) => base64(der as Uint8Array),
  'base64-der-concatenated': (ders) => base64(joined(ders)),
  'base64-der-list': (ders) => ders.map(base64).join(','),
  'pem-or-base64-der': ([der]) => spacedPem(der as Uint8Array),
}

const outcome = (encoding: CertificateEncoding, text: string): unknown => {
  const read = readers[encoding](text)
  return read.ok ? read.value.map(hex) : read.failure.problem
}

/** A SEQUENCE of any length. */
const der = fc.uint8Array({ minLength: 1, maxLength: 400 }).map((content) => {
  const length = content.length
  const header =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Uint8Array.of(0x30, ...header, ...content)
})

let chain: Chain
beforeAll(async () => {
  chain = await issueChain()
})

describe.each(encodings)('%s', (encoding) => {
  test('reads what was written', () => {
    const ders = many.includes(encoding)
      ? fc.array(der, { minLength: 1, maxLength: 10 })
      : fc.tuple(der)
    fc.assert(
      fc.property(ders, (given) => {
        expect(outcome(encoding, writers[encoding](given))).toEqual(given.map(hex))
      }),
    )
  })
  test('answers any text without throwing', () => {
    const fragment = fc.constantFrom(
      ':',
      ',',
      ';a=',
      '-----BEGIN CERTIFICATE-----',
      '-----END CERTIFICATE-----',
      '-----BEGIN%20CERTIFICATE-----%0A',
      '%0A',
      '%',
      '%f',
      '%ff',
      'MAA=',
      'MAEA',
      '=',
      '+',
      ' ',
      '\n',
      '%"%ff"',
    )
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fragment).map((parts) => parts.join('')),
    )
    fc.assert(fc.property(text, (value) => typeof readers[encoding](value).ok === 'boolean'))
  })
  test('tells a changed character, or reads the same octets, or others where base64 cannot tell', () => {
    const written = writers[encoding]([chain.leaf])
    const position = fc.nat({ max: written.length - 1 })
    const put = fc.constantFrom(
      ' ',
      '\t',
      '\n',
      '\r',
      '-',
      '_',
      '%',
      ':',
      ',',
      '=',
      '"',
      '\0',
      'é',
      '\u0141',
    )
    fc.assert(
      fc.property(position, put, (at, character) => {
        const changed = written.slice(0, at) + character + written.slice(at + 1)
        const read = readers[encoding](changed)
        if (read.ok) expect(read.value.map(hex)).toEqual([hex(chain.leaf)])
      }),
      { numRuns: 500 },
    )
  })
  test('tells one character more and one less', () => {
    const written = writers[encoding]([chain.leaf])
    fc.assert(
      fc.property(fc.nat({ max: written.length - 1 }), fc.boolean(), (at, more) => {
        const changed = more
          ? `${written.slice(0, at)}A${written.slice(at)}`
          : written.slice(0, at) + written.slice(at + 1)
        const read = readers[encoding](changed)
        // Padding and newlines may be left out where the encoding says so.
        if (read.ok) expect(read.value.map(hex)).toEqual([hex(chain.leaf)])
      }),
      { numRuns: 500 },
    )
  })
  test.each([
    ['nothing', ''],
    ['one space', ' '],
    ['a word', 'null'],
    ['an empty byte sequence', '::'],
    ['base64 of no DER', 'AAAA'],
    ['base64 of an OCTET STRING', 'BAEA'],
    ['an empty SEQUENCE', 'MAA='],
    ['a SEQUENCE of indefinite length', base64(Uint8Array.of(0x30, 0x80, 1, 1, 0, 0, 0))],
    ['a length that is not minimal', base64(Uint8Array.of(0x30, 0x81, 1, 5))],
    ['a length with a leading zero', base64(Uint8Array.of(0x30, 0x82, 0, 1, 5))],
    ['a length of five octets', base64(Uint8Array.of(0x30, 0x85, 0, 0, 0, 0, 1, 5))],
    ['a length beyond the end', base64(Uint8Array.of(0x30, 5, 1))],
    ['a length of which octets are missing', base64(Uint8Array.of(0x30, 0x82, 1))],
    ['octets after the SEQUENCE', base64(Uint8Array.of(0x30, 1, 5, 9))],
  ])('refuses %s', (_what, text) => {
    const expected = text === '' && encoding === 'rfc9440-list' ? [] : 'malformed'
    expect(outcome(encoding, text)).toEqual(
      text === ' ' && encoding === 'rfc9440-list' ? [] : expected,
    )
    if (!text.includes(':')) expect(outcome(encoding, `:${text}!:`)).toBe('malformed')
  })
})

test.each(many)('%s refuses the eleventh certificate', (encoding) => {
  const eleven = Array.from({ length: 11 }, () => chain.leaf)
  expect(outcome(encoding, writers[encoding](eleven))).toBe('too-many')
})

describe('percent-encoded PEM', () => {
  const read = (text: string) => outcome('percent-pem', text)
  test('of AWS leaves + / = as they are, and a plus is no space', () => {
    expect(read(awsPem(chain.leaf, chain.issuing))).toEqual([hex(chain.leaf), hex(chain.issuing)])
    expect(awsPem(chain.leaf, chain.issuing, chain.root, chain.other)).toContain('+')
    expect(read(percentPem(chain.leaf).replaceAll('%20', '+'))).toBe('malformed')
  })
  test('takes lower-case digits, CRLF and no newline at the end', () => {
    expect(read(percentPem(chain.leaf).replaceAll('%0A', '%0d%0a'))).toEqual([hex(chain.leaf)])
    expect(read(percentPem(chain.leaf).replace(/%0A$/, ''))).toEqual([hex(chain.leaf)])
  })
  test.each([
    ['a text before', (text: string) => `a${text}`],
    ['a newline before', (text: string) => `%0A${text}`],
    ['a text after', (text: string) => `${text}a`],
    ['a text between', (text: string) => `${text}a%0A${text}`],
    ['no newline between', (text: string) => text.replace(/%0A$/, '') + text],
    ['raw spaces', (text: string) => text.replaceAll('%20', ' ')],
    ['raw newlines', (text: string) => text.replaceAll('%0A', '\n')],
    ['another label', (text: string) => text.replaceAll('CERTIFICATE', 'X509%20CERTIFICATE')],
    [
      'a trusted certificate',
      (text: string) => text.replaceAll('CERTIFICATE', 'TRUSTED%20CERTIFICATE'),
    ],
    ['encoding twice', (text: string) => encodeURIComponent(text)],
    ['a % at the end', (text: string) => `${text}%`],
    ['an octet that is no UTF-8', (text: string) => `${text}%ff`],
    ['a NUL', (text: string) => `${text}%00`],
    [
      'spaces in the body',
      (text: string) => text.replace('CERTIFICATE-----%0A', 'CERTIFICATE-----%0A%20'),
    ],
    ['a header of RFC 1421', (text: string) => text.replace('%0A', '%0AProc-Type:%204%0A%0A')],
    ['no newline after the label', (text: string) => text.replace('%0A', '')],
    ['a damaged second block', (text: string) => `${text}-----BEGIN%20CERTIFICATE-----%0A`],
  ])('refuses %s', (_what, change) => {
    expect(read(change(percentPem(chain.leaf)))).toBe('malformed')
  })
  test('refuses a key in the second place', () => {
    const key = '-----BEGIN PRIVATE KEY-----\nMAEA\n-----END PRIVATE KEY-----\n'
    expect(read(percentPem(chain.leaf) + encodeURIComponent(key))).toBe('malformed')
  })
  test('knows two joined lines', () => {
    const text = percentPem(chain.leaf)
    expect(read(`${text}, ${text}`)).toBe('repeated')
    expect(read(`${text},${text}`)).toBe('repeated')
  })
})

describe('PEM with spaces', () => {
  const read = (text: string) => outcome('spaced-pem', text)
  test.each([
    ['newlines', (text: string) => text.replaceAll(' ', '\n')],
    ['tabs', (text: string) => text.replace('- M', '-\tM')],
    ['(null)', () => '(null)'],
    ['a space before', (text: string) => ` ${text}`],
  ])('refuses %s', (_what, change) => {
    expect(read(change(spacedPem(chain.leaf)))).toBe('malformed')
  })
  test('knows two joined lines', () => {
    expect(read(`${spacedPem(chain.leaf)}, ${spacedPem(chain.leaf)}`)).toBe('repeated')
    expect(read(`(null), ${spacedPem(chain.leaf)}`)).toBe('repeated')
  })
})

describe('base64', () => {
  test.each(['base64-der', 'base64-der-concatenated', 'base64-pem'] as const)(
    '%s is exact',
    (encoding) => {
      const text = writers[encoding]([chain.leaf])
      for (const changed of [
        ` ${text}`,
        `${text} `,
        `${text.slice(0, 64)}\n${text.slice(64)}`,
        `    ${text}`,
        `${text.slice(0, 4)}    ${text.slice(4)}`,
        `${text}====`,
        text.replace(/=*$/, '').replace(/.$/, ''),
        `"${text}"`,
        pemOf(chain.leaf),
      ]) {
        expect(outcome(encoding, changed)).toBe('malformed')
      }
      expect(outcome(encoding, `${text}, ${text}`)).toBe('repeated')
    },
  )
  test('of URLs is another alphabet', () => {
    const url = Uint8Array.of(0x30, 3, 0xfb, 0xef, 0xff)
    expect(outcome('base64-der', base64(url))).toEqual([hex(url)])
    expect(outcome('base64-der', base64(url).replaceAll('+', '-').replaceAll('/', '_'))).toBe(
      'malformed',
    )
  })
  test('has no bits that no octet uses', () => {
    expect(outcome('base64-der', base64(Uint8Array.of(0x30, 2, 5, 0)))).toEqual(['30020500'])
    expect(outcome('base64-der', 'MAIFAB==')).toBe('malformed')
  })
  test('concatenated: the last one may not be cut off', () => {
    const both = joined([chain.leaf, chain.issuing])
    expect(outcome('base64-der-concatenated', base64(both.subarray(0, -1)))).toBe('malformed')
    expect(outcome('base64-der', base64(both))).toBe('malformed')
  })
})

describe("Traefik's list", () => {
  const read = (text: string) => outcome('base64-der-list', text)
  test('is read in the escaped form of 2.8 to 2.9.1', () => {
    const text = encodeURIComponent([chain.leaf, chain.issuing].map(base64).join(','))
    expect(read(text)).toEqual([hex(chain.leaf), hex(chain.issuing)])
  })
  test('is escaped as a whole or not at all', () => {
    const [a, b] = [base64(chain.leaf), base64(chain.issuing)]
    expect(read(`${encodeURIComponent(a)},${encodeURIComponent(b)}`)).toBe('malformed')
    expect(read(`${a}%2C${b}`)).toBe('malformed')
    expect(read('%')).toBe('malformed')
  })
  test('has neither empty members nor spaces', () => {
    const text = base64(chain.leaf)
    for (const changed of [`${text},`, `,${text}`, `${text},,${text}`]) {
      expect(read(changed)).toBe('malformed')
    }
    expect(read(`${text}, ${text}`)).toBe('repeated')
  })
})

describe('PEM or base64 DER under one name', () => {
  test('is told apart by how it begins', () => {
    for (const text of [percentPem(chain.leaf), spacedPem(chain.leaf), base64(chain.leaf)]) {
      expect(outcome('pem-or-base64-der', text)).toEqual([hex(chain.leaf)])
    }
    expect(outcome('pem-or-base64-der', '-----BEGIN+CERTIFICATE-----')).toBe('malformed')
    expect(outcome('pem-or-base64-der', pemOf(chain.leaf))).toBe('malformed')
  })
})

test('PEM as a text is read as it stands in a file', () => {
  const text = pemOf(chain.leaf) + pemOf(chain.issuing)
  const read = readPemText(text)
  expect(read.ok && read.value.map(hex)).toEqual([hex(chain.leaf), hex(chain.issuing)])
  expect(readPemText(`# a\n${text}`).ok).toBe(false)
})

describe('structured fields', () => {
  const item = (text: string) => outcome('rfc9440', text)
  const list = (text: string) => outcome('rfc9440-list', text)
  const short = '30020500'
  const text = ':MAIFAA==:'

  test.each([
    text,
    `  ${text}  `,
    ':MAIFAA:',
    `${text};a`,
    `${text};a=1;b=-1.5;c="x, \\"y\\\\";*d=tok/en:*;e=?0;f=:AAA=:;g=@-1;h=%"%c3%a9 x"`,
    `${text}; a;  b=::`,
    `${text};a_b-c.d*=?1`,
  ])('RFC 9651 §4.2: %s is an item', (value) => {
    expect(item(value)).toEqual([short])
    expect(list(value)).toEqual([short])
  })
  test.each([
    ['without its colons', 'MAIFAA=='],
    ['without the last colon', ':MAIFAA=='],
    ['with half of its padding', ':MAIFAA=:'],
    ['with too much padding', ':MAIFAA===:'],
    ['with a space inside', ':MAIF AA==:'],
    ['with a newline inside', ':MAIF\nAA==:'],
    ['with the alphabet of URLs', ':MAIF_A==:'],
    ['with bits that no octet uses', ':MAIFAB:'],
    ['with one character left over', ':MAIFA:'],
    ['as a string', '"MAIFAA=="'],
    ['as a token', 'MAIFAA'],
    ['in an inner list', `(${text})`],
    ['after a tab', `\t${text}`],
    ['before a tab', `${text}\t`],
    ['with a space before the parameter', `${text} ;a`],
    ['with an upper-case key', `${text};A`],
    ['with an empty parameter', `${text};`],
    ['with a value that is none', `${text};a=`],
    ['with a space around =', `${text};a= 1`],
    ['with an open string', `${text};a="x`],
    ['with an escape that is none', `${text};a="\\x"`],
    ['with a number of 16 digits', `${text};a=1234567890123456`],
    ['with a decimal of 4 places', `${text};a=1.2345`],
    ['with a decimal without places', `${text};a=1.`],
    ['with a boolean that is none', `${text};a=?2`],
    ['with a date of parts of a second', `${text};a=@1.5`],
    ['with a byte sequence that is none', `${text};a=:A:`],
    ['with a display string in upper case', `${text};a=%"%C3%A9"`],
    ['with a display string that is no UTF-8', `${text};a=%"%ff"`],
    ['with a word behind', `${text} x`],
    ['twice without a comma', `${text}${text}`],
  ])('RFC 9651 §4.2: refuses one %s', (_what, value) => {
    expect(item(value)).toBe('malformed')
    expect(list(value)).toBe('malformed')
  })
  test('RFC 9440 §2.2: the leaf is an item, so that a list of two is a joined line', () => {
    expect(item(`${text}, ${text}`)).toBe('repeated')
    expect(item(`${text};a="x" , ${text}`)).toBe('repeated')
  })
  test.each([
    ['a comma at the end', `${text},`],
    ['a comma before', `,${text}`],
    ['an empty member', `${text},,${text}`],
    ['another type', `${text}, 1`],
  ])('RFC 9651 §4.2.1: a list refuses %s', (_what, value) => {
    expect(list(value)).toBe('malformed')
  })
  test('RFC 9651 §4.2.1: members may have spaces and tabs around their commas', () => {
    expect(list(`${text} \t,\t ${text};a`)).toEqual([short, short])
  })
})
