/** The JSON form of `x-forwarded-client-cert`: one shape, and nothing that two readers could read differently. @module */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readXfccJson } from '../../../src/http/headers/xfcc-json.ts'

const hash = 'f90fdeee05b42431d8d0dfcd31e835290d0da8ae111c0d190b844799d9d08c0a'
const nothing = {
  by: [],
  hash: undefined,
  certificate: undefined,
  chain: undefined,
  subject: undefined,
  issuer: undefined,
  uris: [],
  dnsNames: [],
  namesAmbiguous: false,
}
const reading = (text: string) => {
  const read = readXfccJson(text)
  return read.ok ? read.value : read.failure.expected
}

describe('an element', () => {
  test('has all keys that Envoy can write', () => {
    const pem = '-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n'
    const text = JSON.stringify([
      {
        by: ['spiffe://td/a', 'spiffe://td/b'],
        hash,
        cert: pem,
        chain: [pem, pem],
        subject: 'CN=\\C3\\BCn,O=A \\"quoted\\"',
        uri: ['spiffe://td/x,Hash=00;Cert="victim"', 'spiffe://td/d'],
        dns: ['a,b;c="d"\\'],
        issuer: 'CN=Issuing CA',
      },
    ])
    expect(reading(text)).toEqual([
      {
        by: ['spiffe://td/a', 'spiffe://td/b'],
        hash,
        certificate: pem,
        chain: [pem, pem],
        subject: 'CN=\\C3\\BCn,O=A \\"quoted\\"',
        issuer: 'CN=Issuing CA',
        uris: ['spiffe://td/x,Hash=00;Cert="victim"', 'spiffe://td/d'],
        dnsNames: ['a,b;c="d"\\'],
        namesAmbiguous: false,
      },
    ])
  })
  test('may have no key at all, and white space between its parts', () => {
    expect(reading('[ { } ,\t{ "by" : [ ] } ] ')).toEqual([nothing, nothing])
  })
  test('may have every escape of RFC 8259 §7', () => {
    expect(reading('[{"cert":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9"}]')).toEqual([
      { ...nothing, certificate: '"\\/\b\f\n\r\tAé' },
    ])
  })
})

describe('refused is', () => {
  const key = 'one of the keys that Envoy writes'
  const ascii = 'printable ASCII'
  const names = 'names of printable ASCII'
  const deep = '['.repeat(60_000)
  test.each([
    ['nothing', '', 'a JSON array, not the text form'],
    ['the text form', `Hash=${hash}`, 'a JSON array, not the text form'],
    ['an object', '{"hash":"aa"}', 'a JSON array, not the text form'],
    ['space before the array', ' []', 'a JSON array, not the text form'],
    ['an empty array', '[]', 'an object'],
    ['an array of something else', '["a"]', 'an object'],
    ['an array in the array', '[[]]', 'an object'],
    ['sixty thousand of them', deep, 'an object'],
    ['null', '[null]', 'an object'],
    ['a comma at the end of the array', '[{},]', 'an object'],
    ['an array that does not end', '[{}', 'the end of the array'],
    ['a client header that Envoy appended its text form to', '[{"hash":"aa",By=a', 'a text'],
    ['something after the array', '[{}]a', 'nothing after the array'],
    ['a second array', '[{}],[{}]', 'nothing after the array'],
    ['an object that does not end', '[{"subject":"a"', 'the end of the object'],
    ['a comma at the end of the object', '[{"subject":"a",}]', 'a text'],
    ['a key without quotation marks', '[{subject:"a"}]', 'a text'],
    ['a key without a value', '[{"subject"}]', 'a colon after a key'],
    ['an unknown key', '[{"cn":"a"}]', key],
    ['a key in another case', '[{"Subject":"a"}]', key],
    ['the key of a prototype', '[{"__proto__":"a"}]', key],
    ['a text twice', '[{"subject":"a","subject":"b"}]', 'every key once'],
    ['a text twice, once escaped', '[{"subject":"a","\\u0073ubject":"b"}]', 'every key once'],
    ['a list twice', '[{"uri":["a"],"uri":["b"]}]', 'every key once'],
    ['a list instead of a text', '[{"subject":["a"]}]', 'a text'],
    ['a number instead of a text', '[{"subject":1}]', 'a text'],
    ['null instead of a text', '[{"cert":null}]', 'a text'],
    ['a text instead of a list', '[{"uri":"a"}]', 'a list'],
    ['a list of lists', '[{"uri":[["a"]]}]', 'a text'],
    ['a list that does not end', '[{"uri":["a"}]', 'the end of the list'],
    ['a comma at the end of a list', '[{"uri":["a",]}]', 'a text'],
    ['a text that does not end', '[{"subject":"a', 'a closing quotation mark'],
    ['a backslash at the end', '[{"subject":"a\\', 'an escape'],
    ['an unknown escape', '[{"subject":"\\x41"}]', 'an escape'],
    ['an escape of three digits', '[{"subject":"\\u004"}]', 'an escape'],
    ['a raw line end', '[{"cert":"a\nb"}]', ascii],
    ['anything beyond ASCII', '[{"uri":["aÃ¼"]}]', ascii],
    ['an escaped zero in a name', '[{"uri":["a\\u0000"]}]', names],
    ['an escaped line end in a name', '[{"subject":"a\\nb"}]', names],
    ['half a surrogate pair', '[{"dns":["\\ud800"]}]', names],
    ['a hash of another length', '[{"hash":"aa"}]', 'a SHA-256 in hexadecimal'],
    ['seventeen elements', `[${Array(17).fill('{}').join(',')}]`, 'at most 16 elements'],
  ])('%s', (_, text, expected) => {
    expect(reading(text)).toBe(expected)
  })
})

describe('for every text', () => {
  test('the answer is elements or what was expected, never a throw; and JSON.parse takes what is taken', () => {
    const pieces = fc
      .array(
        fc.oneof(
          fc.constantFrom('[', ']', '{', '}', ':', ',', '"', '\\', '\\u00', '"subject"', '"uri"'),
          fc.constantFrom('[{"uri":["', '"]}]', '{"cert":"', ' ', 'null', '1'),
          fc.string({ unit: 'binary', maxLength: 3 }),
        ),
      )
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(fc.oneof(pieces, fc.json()), (text) => {
        const read = readXfccJson(text)
        if (read.ok) expect(JSON.parse(text)).toHaveLength(read.value.length)
        else expect(read.failure.expected).not.toBe('')
      }),
    )
  })
  test('what JSON.stringify wrote is read again', () => {
    const name = fc.string({
      unit: fc.integer({ min: 32, max: 126 }).map((code) => String.fromCharCode(code)),
    })
    const pem = fc.string({
      unit: fc.oneof(
        fc.constantFrom('\n', '\t', '"', '\\'),
        fc.integer({ min: 32, max: 126 }).map((code) => String.fromCharCode(code)),
      ),
    })
    const element = fc.record(
      {
        by: fc.array(name, { maxLength: 3 }),
        hash: fc.constant(hash),
        cert: pem,
        chain: fc.array(pem, { maxLength: 3 }),
        subject: name,
        uri: fc.array(name, { maxLength: 3 }),
        dns: fc.array(name, { maxLength: 3 }),
        issuer: name,
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.array(element, { minLength: 1, maxLength: 16 }), (elements) => {
        expect(reading(JSON.stringify(elements))).toEqual(
          elements.map(({ cert, uri = [], dns = [], by = [], ...rest }) => ({
            ...nothing,
            ...rest,
            by,
            certificate: cert,
            uris: uri,
            dnsNames: dns,
          })),
        )
      }),
    )
  })
})

test('64 KiB of brackets, escapes or quotation marks are read in linear time', { retry: 2 }, () => {
  for (const part of ['[', '{', '"', '\\n', '\\u0041', '",', ' ', '":"']) {
    const started = performance.now()
    readXfccJson(`[{"subject":"${part.repeat(65_536 / part.length)}`)
    readXfccJson(`[{"uri":["${'a","'.repeat(16_384)}`)
    expect(performance.now() - started).toBeLessThan(200)
  }
})
