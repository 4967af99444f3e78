/** The text form of `x-forwarded-client-cert`: what Envoy writes is read, what a certificate could write into it is not. @module */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readXfccText, type XfccElement } from '../../../src/http/headers/xfcc.ts'

const hash = 'f90fdeee05b42431d8d0dfcd31e835290d0da8ae111c0d190b844799d9d08c0a'
const other = '0'.repeat(64)
const nothing = { by: [], uris: [], dnsNames: [], namesAmbiguous: false }

function elementsOf(text: string): readonly XfccElement[] {
  const read = readXfccText(text)
  if (!read.ok) throw new Error(read.failure.expected)
  return read.value
}
const expectedBy = (text: string) => {
  const read = readXfccText(text)
  return read.ok ? undefined : read.failure.expected
}

describe('an element', () => {
  test('has all keys that Envoy can write', () => {
    const text = `By=spiffe://td/a;By=spiffe://td/b;Hash=${hash};Cert="-----BEGIN%20";Chain="-----BEGIN%20-----";Subject="CN=client-a";URI=spiffe://td/c;URI=spiffe://td/d;DNS=a.example;DNS=b.example;Issuer="CN=Issuing CA"`
    expect(elementsOf(text)).toEqual([
      {
        by: ['spiffe://td/a', 'spiffe://td/b'],
        hash,
        certificate: '-----BEGIN%20',
        chain: ['-----BEGIN%20-----'],
        subject: 'CN=client-a',
        issuer: 'CN=Issuing CA',
        uris: ['spiffe://td/c', 'spiffe://td/d'],
        dnsNames: ['a.example', 'b.example'],
        namesAmbiguous: true,
      },
    ])
  })
  test('has an empty URI or By for a certificate without one', () => {
    expect(elementsOf(`By=;Hash=${hash};Subject="";URI=`)).toEqual([
      { ...nothing, hash, subject: '' },
    ])
  })
  test('may have semicolons, commas and quotation marks in a quoted value', () => {
    const subject = 'CN=\\C3\\BCn,O=A \\"quoted\\" \\\\ comma\\, semi\\; eq= plus\\+,C=DE'
    expect(elementsOf(`Hash=${hash};Subject="${subject}"`)).toEqual([{ ...nothing, hash, subject }])
  })
  test('may have a quoted name', () => {
    expect(elementsOf('URI="a;b,c=\\"d\\""')).toEqual([
      { ...nothing, uris: ['a;b,c="d"'], namesAmbiguous: true },
    ])
  })
  test('has keys of any case', () => {
    expect(elementsOf(`HASH=${hash.toUpperCase()};sUBJECT="a";uri=B`)).toEqual([
      { ...nothing, hash, subject: 'a', uris: ['B'] },
    ])
  })
  test.each([
    ['one URI', 'Subject="";URI=a', false],
    ['one DNS name', 'Subject="";DNS=a', false],
    ['two URIs', 'Subject="";URI=a;URI=b', true],
    ['a URI and a DNS name', 'URI=a;DNS=b', true],
    ['no URI and a DNS name, which may be a URI that begins with a semicolon', 'URI=;DNS=b', true],
    ['a URI and an issuer', 'URI=a;Issuer="b"', true],
    ['a URI in quotation marks, which Envoy does not write', 'URI="a"', true],
  ])('with %s is ambiguous or not', (_, text, ambiguous) => {
    expect(elementsOf(text)[0]?.namesAmbiguous).toBe(ambiguous)
  })
})

test('a comma begins the next element, also one that a certificate wrote', () => {
  expect(elementsOf(`Hash=${hash};URI=a,Hash=${other};URI=b`)).toEqual([
    { ...nothing, hash, uris: ['a'] },
    { ...nothing, hash: other, uris: ['b'] },
  ])
})

describe('refused is', () => {
  const order = 'keys in the order in which Envoy writes them'
  const key = 'one of the keys that Envoy writes'
  test.each([
    ['nothing', '', key],
    ['a value without a key', `=${hash}`, key],
    ['a key without a value', 'Hash', key],
    ['an unknown key', 'Hush=1', key],
    ['a long unknown key', 'Certificate=1', key],
    ['a key with a space before it', ' Hash=1', key],
    ['a pair that is empty', `Hash=${hash};;URI=a`, key],
    ['a semicolon at the end', `Hash=${hash};`, key],
    ['a comma at the end', `Hash=${hash},`, key],
    ['an element that is empty', `Hash=${hash},,Hash=${hash}`, key],
    ['JSON', '[{"hash":"aa"}]', 'the text form, not JSON'],
    ['a second certificate', 'Cert="a";Cert="b"', 'cert once in an element'],
    ['a second chain', 'Chain="a";Chain="b"', 'chain once in an element'],
    ['a second hash', `Hash=${hash};Hash=${hash}`, 'hash once in an element'],
    ['a second subject', 'Subject="a";Subject="b"', 'subject once in an element'],
    ['a second issuer', 'Issuer="a";Issuer="b"', 'issuer once in an element'],
    ['a certificate after a URI', 'URI=a;Cert="victim"', order],
    ['a chain after a URI', 'URI=a;Chain="victim"', order],
    ['a subject after a DNS name', 'DNS=a;Subject="CN=admin"', order],
    ['a hash after a URI', `URI=a;Hash=${hash}`, order],
    ['a proxy after a URI', 'URI=a;By=b', order],
    ['a URI after a DNS name', 'DNS=a;URI=b', order],
    ['a quotation mark that is never closed', 'Subject="CN=a', 'a closing quotation mark'],
    ['one that is escaped instead', 'Subject="CN=a\\"', 'a closing quotation mark'],
    ['a backslash at the very end', 'Subject="\\', 'a closing quotation mark'],
    ['text after a quoted value', 'Subject="a"b', 'quotation marks around a whole value'],
    ['a quotation mark inside a value', 'URI=a"b"', 'quotation marks around a whole value'],
    ['a hash of another length', 'Hash=aa', 'a SHA-256 in hexadecimal'],
    ['a hash with colons', `Hash=${'aa:'.repeat(31)}aa`, 'a SHA-256 in hexadecimal'],
    ['a line end', 'URI=a\nb', 'printable ASCII'],
    ['anything beyond ASCII', 'URI=aü', 'printable ASCII'],
    ['seventeen elements', Array(17).fill('URI=a').join(','), 'at most 16 elements'],
  ])('%s', (_, text, expected) => {
    expect(expectedBy(text)).toBe(expected)
  })
})

describe('for every text', () => {
  const printable = fc.string({
    unit: fc.integer({ min: 32, max: 126 }).map((c) => String.fromCharCode(c)),
  })
  const pieces = fc
    .array(
      fc.oneof(
        fc.constantFrom('By=', `Hash=${hash}`, 'Cert=', 'Chain=', 'Subject=', 'URI=', 'DNS='),
        fc.constantFrom('Issuer=', '"', '\\"', '\\', ';', ',', '=', '[', 'a'),
        fc.string({ unit: 'binary', maxLength: 3 }),
      ),
    )
    .map((parts) => parts.join(''))
  test('the answer is elements or what was expected, never a throw', () => {
    fc.assert(
      fc.property(fc.oneof(pieces, fc.string({ unit: 'binary' })), (text) => {
        const read = readXfccText(text)
        expect(read.ok ? read.value.length > 0 : read.failure.expected.length > 0).toBe(true)
      }),
    )
  })
  test('what was written by the documented rules is read again', () => {
    const name = printable.filter((text) => text !== '' && !text.endsWith('\\'))
    // A backslash before a quotation mark is its escape, so that no name can have both in this order.
    const quotable = name.filter((text) => !text.includes('\\"'))
    const quoted = (text: string) =>
      /[",;=]/.test(text) ? `"${text.replaceAll('"', '\\"')}"` : text
    const element = fc.record({
      by: fc.array(quotable, { maxLength: 3 }),
      uris: fc.array(quotable, { maxLength: 3 }),
      dnsNames: fc.array(quotable, { maxLength: 3 }),
    })
    fc.assert(
      fc.property(fc.array(element, { minLength: 1, maxLength: 16 }), (elements) => {
        const text = elements
          .map(({ by, uris, dnsNames }) =>
            [
              ...by.map((value) => `By=${quoted(value)}`),
              `Hash=${hash}`,
              ...uris.map((value) => `URI=${quoted(value)}`),
              ...dnsNames.map((value) => `DNS=${quoted(value)}`),
            ].join(';'),
          )
          .join(',')
        expect(elementsOf(text)).toEqual(
          elements.map((one) => ({
            ...one,
            hash,
            namesAmbiguous:
              one.uris.length + one.dnsNames.length > 1 ||
              [...one.uris, ...one.dnsNames].some((value) => quoted(value) !== value),
          })),
        )
      }),
    )
  })
  test('a URI that Envoy does not escape never adds a hash, a certificate, a chain or a subject to the only element', () => {
    fc.assert(
      fc.property(fc.oneof(pieces, printable), (uri) => {
        const read = readXfccText(`Hash=${hash};Cert="mine";Subject="CN=me";URI=${uri}`)
        if (!read.ok || read.value.length !== 1) return
        expect(read.value[0]).toMatchObject({
          hash,
          certificate: 'mine',
          chain: undefined,
          subject: 'CN=me',
        })
      }),
    )
  })
  test('nor where the proxy forwards no certificate, and its own name is the one read unless it is ambiguous', () => {
    fc.assert(
      fc.property(fc.oneof(pieces, printable), (uri) => {
        const read = readXfccText(`Hash=${hash};URI=${uri}`)
        if (!read.ok || read.value.length !== 1) return
        const [element] = read.value
        expect(element).toMatchObject({ hash, certificate: undefined, chain: undefined })
        expect(element?.subject).toBeUndefined()
        if (!element?.namesAmbiguous) {
          expect(element?.uris).toEqual(uri === '' ? [] : [uri])
        }
      }),
    )
  })
})

test('64 KiB of quotation marks, pairs or elements are read in linear time', { retry: 2 }, () => {
  for (const part of ['"', '\\"', ';', 'URI=;', 'URI=,', '=', 'By="\\']) {
    const started = performance.now()
    readXfccText(`URI=${part.repeat(65_536 / part.length)}`)
    expect(performance.now() - started).toBeLessThan(200)
  }
})
