import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../src/base/hex.ts'
import type { AttributeTypeAndValue, Name } from '../../src/x509/name.ts'
import { namesMatch } from '../../src/x509/name-match.ts'
import { attributeTypeText, formatName, makeName, parseNameText } from '../../src/x509/name-text.ts'
import { attributeText } from '../../src/x509/name-value.ts'

function parsed(text: string): Name {
  const result = parseNameText(text)
  if (!result.ok) throw new Error(`${result.failure.offset}: ${result.failure.expected}`)
  return result.value
}

function failure(text: string): readonly [number, string] | undefined {
  const result = parseNameText(text)
  return result.ok ? undefined : [result.failure.offset, result.failure.expected]
}

const attribute = (type: string, text: string, tag = 12): AttributeTypeAndValue => ({
  type,
  tag,
  value: new TextEncoder().encode(text),
})

describe('names as text, RFC 4514 §2', () => {
  test.each([
    ['CN=client-a,O=Example,C=DE'],
    ['UID=jsmith,DC=example,DC=net'],
    ['OU=Sales+CN=J.  Smith,DC=example,DC=net'],
    ['CN=James \\"Jim\\" Smith\\, III,DC=example'],
    ['CN=Before\\0dAfter'],
    ['CN=\\ both ends \\ '],
    ['CN=\\#no hex'],
    ['CN=a\\+b\\;c\\<d\\>e\\\\f=g'],
    ['CN=Lučić'],
    ['CN=\\e2\\80\\ae reversed'],
    ['CN='],
    ['emailAddress=a@b.example,serialNumber=12,GN=A,SN=B,title=C'],
    ['1.3.6.1.4.1.1466.0=#04024869'],
    ['1.2.3.4=#0c0161'],
    ['CN=#140141'],
    [''],
  ])('%s', (text) => {
    expect(formatName(parsed(text))).toBe(text)
  })

  test('the most specific RDN comes first', () => {
    expect(parsed('CN=a,C=DE').rdns.map((rdn) => rdn[0]?.type)).toEqual(['2.5.4.6', '2.5.4.3'])
  })

  test('is encoded as RFC 5280 §A.1 has it', () => {
    expect(toHex(parsed('CN=a,C=DE').der)).toBe(
      '3019310b3009060355040613024445310a300806035504030c0161',
    )
    const tags = parsed('CN=a,C=DE,serialNumber=1,dnQualifier=x,DC=c,emailAddress=a@b,O=ü')
      .rdns.flat()
      .map(({ tag }) => tag)
    expect(tags).toEqual([12, 22, 22, 19, 19, 19, 12])
    expect(parsed('C=Ü').rdns[0]?.[0]?.tag).toBe(12)
  })

  test('an RDN is put in DER order', () => {
    const name = parsed('OU=b+CN=a')
    expect(name.rdns[0]?.map(({ type }) => type)).toEqual(['2.5.4.3', '2.5.4.11'])
  })

  test('names of types are read in any case, dotted and with OID.', () => {
    for (const text of [
      'cn=a',
      'commonName=a',
      '2.5.4.3=a',
      'OID.2.5.4.3=a',
      'oid.2.5.4.3=a',
      ' CN = a ',
    ]) {
      expect(formatName(parsed(text))).toBe('CN=a')
    }
    expect(attributeTypeText('2.5.4.97')).toBe('organizationIdentifier')
    expect(attributeTypeText('1.2.3')).toBe('1.2.3')
  })

  test('spaces around separators are no part of a value', () => {
    expect(formatName(parsed('CN = a b , O= c + OU =d'))).toBe('CN=a b,O=c+OU=d')
  })

  test('hex is one whole DER element', () => {
    expect(parsed('CN=#0C0161').rdns[0]?.[0]).toEqual(attribute('2.5.4.3', 'a'))
    const long = `1.2.3=#048180${'00'.repeat(128)}`
    expect(formatName(parsed(long))).toBe(long)
    expect(parsed('1.2.3=#3000').rdns[0]?.[0]?.value).toEqual(fromHex('3000'))
  })

  test.each([
    ['CN', 0, 'an attribute type and ='],
    ['=a', 0, 'an attribute type and ='],
    ['XX=a', 0, 'an attribute type and ='],
    ['3.1=a', 0, 'an attribute type and ='],
    ['CN=a,', 5, 'an attribute type and ='],
    ['CN=a+', 5, 'an attribute type and ='],
    ['CN=a,,O=b', 5, 'an attribute type and ='],
    ['CN=a;O=b', 4, '\\ before ;'],
    ['CN="a"', 3, '\\ before "'],
    ['CN=a\\', 4, 'two hex digits or a special character after \\'],
    ['CN=a\\z', 4, 'two hex digits or a special character after \\'],
    ['CN=a\\x41', 4, 'two hex digits or a special character after \\'],
    ['CN=\\c3', 3, 'a value in UTF-8'],
    ['CN=\ud800', 3, 'well-formed Unicode'],
    ['CN=#', 3, '# and the hex of one DER element'],
    ['CN=#0c', 3, '# and the hex of one DER element'],
    ['CN=#0c0', 3, '# and the hex of one DER element'],
    ['CN=#zz', 3, '# and the hex of one DER element'],
    ['CN=#0c026', 3, '# and the hex of one DER element'],
    ['CN=#0c0261', 3, '# and the hex of one DER element'],
    ['CN=#0c016162', 3, '# and the hex of one DER element'],
    ['CN=#0c8000', 3, '# and the hex of one DER element'],
    ['CN=#0c810161', 3, '# and the hex of one DER element'],
    ['CN=#0c82', 3, '# and the hex of one DER element'],
    ['CN=#0c85000000000161', 3, '# and the hex of one DER element'],
    ['CN=#1f0161', 3, '# and the hex of one DER element'],
    ['CN=#13012a', 3, 'characters that the string type allows'],
  ])('%j fails at %i: %s', (text, offset, expected) => {
    expect(failure(text)).toEqual([offset, expected])
  })
})

describe("OpenSSL's form", () => {
  test.each([
    ['/C=DE/O=Example/CN=client-a', 'CN=client-a,O=Example,C=DE'],
    ['/CN=a, b; "c"', 'CN=a\\, b\\; \\"c\\"'],
    ['/CN=a\\/b', 'CN=a/b'],
    ['/CN=Z\\xC3\\xBC', 'CN=Zü'],
    ['/DC=net/DC=example/CN=a+UID=b', 'CN=a+UID=b,DC=example,DC=net'],
  ])('%s', (text, rfc4514) => {
    expect(namesMatch(parsed(text), parsed(rfc4514))).toBe(true)
  })

  test.each([
    ['/', 1],
    ['/CN=a/', 6],
    ['/CN=a/b', 6], // could be one value or two RDNs: nobody guesses
    ['//CN=a', 1],
  ])('%s fails at %i', (text, offset) => {
    expect(failure(text)).toEqual([offset, 'an attribute type and ='])
  })
})

const types = ['2.5.4.3', '2.5.4.10', '2.5.4.6', '1.2.840.113549.1.9.1', '1.2.3.4.5']
const arbitraryAttribute = fc.oneof(
  fc
    .tuple(fc.constantFrom(...types), fc.string({ unit: 'binary' }))
    .filter(([, text]) => !/\p{Cs}/u.test(text))
    .map(([type, text]) => attribute(type, text)),
  fc
    .tuple(fc.constantFrom(...types), fc.constantFrom(18, 20, 26), fc.stringMatching(/^[0-9 ]*$/))
    .map(([type, tag, text]) => attribute(type, text, tag)),
  fc
    .tuple(fc.constantFrom(...types), fc.uint8Array({ maxLength: 200 }))
    .map(([type, value]) => ({ type, tag: 4, value })),
)
const arbitraryName = fc
  .array(fc.array(arbitraryAttribute, { minLength: 1, maxLength: 3 }), { maxLength: 4 })
  .map(makeName)

test('what is written reads back to a name that matches', () => {
  fc.assert(fc.property(arbitraryName, (name) => namesMatch(parsed(formatName(name)), name)))
})

test('no text makes the reader throw, and what it reads keeps its values', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'CNO=,+/\\# "1.ü0a') })),
      (text) => {
        const result = parseNameText(text)
        if (!result.ok) return result.failure.offset <= text.length
        const again = parsed(formatName(result.value))
        const read = (name: Name) => name.rdns.flat().map(attributeText)
        expect(read(again)).toEqual(read(result.value))
        return true
      },
    ),
  )
})
