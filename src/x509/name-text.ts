/** Names as text: RFC 4514 §2 and §3, and OpenSSL's `/C=…/CN=…` as input. @module */

import { compareBytes } from '../base/bytes.ts'
import { fromHex, toHex } from '../base/hex.ts'
import { oidBytes } from '../base/oid.ts'
import { failed, type Result, success } from '../base/result.ts'
import { writeElement, writeObjectIdentifier, writeSequence, writeSetOf } from '../der/writer.ts'
import type { AttributeTypeAndValue, Name, RelativeDistinguishedName } from './name.ts'
import {
  attributeText,
  checkAttributeValue,
  hasCharacters,
  tagIA5String,
  tagPrintableString,
  tagUtf8String,
} from './name-value.ts'

/**
 * The name as text of RFC 4514 §2: most specific RDN first, `,` between RDNs, `+` inside one. Types without a short name are
 * dotted, and their values, like those of string types that are compared octet by octet, are `#` and the hex of the element, so that the text reads back to a name
 * that matches.
 *
 * @example
 * console.log(formatName(certificate.tbsCertificate.subject)) // CN=client-a,O=Example
 */
export function formatName(name: Name): string {
  let text = ''
  for (let i = name.rdns.length - 1; i >= 0; i--) {
    if (text !== '') text += ','
    text += formatRdn(name.rdns[i] as RelativeDistinguishedName)
  }
  return text
}

export interface NameTextFailure {
  readonly code: 'name-text-invalid'
  /** In UTF-16 code units from the start of the text. */
  readonly offset: number
  readonly expected: string
}

/**
 * Reads text of RFC 4514 §3 (spaces around `,`, `+` and `=` allowed, as older writers put them), or, when it starts with `/`, the
 * form `/C=DE/O=Example/CN=client-a`, whose order is that of the encoding. The empty text is the empty name.
 *
 * Values become UTF8String; C, serialNumber and dnQualifier PrintableString; DC and emailAddress IA5String.
 */
export function parseNameText(text: string): Result<Name, NameTextFailure> {
  const slashed = text.startsWith('/')
  const cursor: Cursor = { text, offset: slashed ? 1 : 0, separator: slashed ? '/' : ',' }
  if (text.trim() === '') return success(makeName([]))
  const rdns: RelativeDistinguishedName[] = []
  for (;;) {
    const rdn: AttributeTypeAndValue[] = []
    for (;;) {
      const attribute = readAttribute(cursor)
      if ('code' in attribute) return failed(attribute)
      rdn.push(attribute)
      if (cursor.text[cursor.offset] !== '+') break
      cursor.offset++
    }
    rdns.push(rdn)
    if (cursor.offset === text.length) break
    cursor.offset++
  }
  return success(makeName(slashed ? rdns : rdns.reverse()))
}

/** Encodes a name; each RDN is put in DER order. */
export function makeName(rdns: readonly RelativeDistinguishedName[]): Name {
  const ordered: AttributeTypeAndValue[][] = []
  const sets: Uint8Array[] = []
  for (const rdn of rdns) {
    const encoded = rdn.map((attribute) => ({ attribute, der: encodeAttribute(attribute) }))
    encoded.sort((a, b) => compareBytes(a.der, b.der))
    ordered.push(encoded.map((entry) => entry.attribute))
    sets.push(writeSetOf(...encoded.map((entry) => entry.der)))
  }
  return { der: writeSequence(...sets), rdns: ordered }
}

/** The short name of an attribute type, or the dotted type itself. */
export function attributeTypeText(type: string): string {
  return shortNames.get(type) ?? type
}

function encodeAttribute(attribute: AttributeTypeAndValue): Uint8Array {
  return writeSequence(writeObjectIdentifier(attribute.type), element(attribute))
}

function element({ tag, value }: AttributeTypeAndValue): Uint8Array {
  return isPrimitive(tag) ? writeElement(tag, value) : value
}

/** Whether `AttributeTypeAndValue.value` has the content octets only. */
function isPrimitive(tag: number): boolean {
  return tag < 0x20
}

function formatRdn(rdn: RelativeDistinguishedName): string {
  return rdn.map(formatAttribute).join('+')
}

function formatAttribute(attribute: AttributeTypeAndValue): string {
  const short = shortNames.get(attribute.type)
  if (short === undefined || !hasCharacters(attribute.tag)) {
    return `${short ?? attribute.type}=#${toHex(element(attribute))}`
  }
  return `${short}=${escapeValue(attributeText(attribute))}`
}

/** RFC 4514 §2.4. Control characters are written in hex as well: text for people must not carry them. */
function escapeValue(value: string): string {
  let text = ''
  let offset = 0
  for (const character of value) {
    const last = offset + character.length === value.length
    if ('"+,;<>\\'.includes(character)) text += `\\${character}`
    else if (character === ' ' && (offset === 0 || last)) text += '\\ '
    else if (character === '#' && offset === 0) text += '\\#'
    else if (control.test(character)) text += escapeOctets(character)
    else text += character
    offset += character.length
  }
  return text
}

function escapeOctets(character: string): string {
  let text = ''
  for (const octet of utf8.encode(character)) text += `\\${octet.toString(16).padStart(2, '0')}`
  return text
}

interface Cursor {
  readonly text: string
  offset: number
  readonly separator: ',' | '/'
}

function readAttribute(cursor: Cursor): AttributeTypeAndValue | NameTextFailure {
  skipSpaces(cursor)
  const start = cursor.offset
  const equals = cursor.text.indexOf('=', start)
  const keyword = equals < 0 ? '' : cursor.text.slice(start, equals).trim()
  const type = attributeType(keyword)
  if (type === undefined) return expected(start, 'an attribute type and =')
  cursor.offset = equals + 1
  skipSpaces(cursor)
  const at = cursor.offset
  if (cursor.text[at] === '#') return readHexValue(cursor, type)
  const octets = readValue(cursor)
  if (!(octets instanceof Uint8Array)) return octets
  const tag = valueTags.get(type) ?? tagUtf8String
  if (checkAttributeValue(tag, octets)) return { type, tag, value: octets }
  // What PrintableString cannot hold may still be meant, and matches as UTF8String all the same.
  if (tag !== tagUtf8String && checkAttributeValue(tagUtf8String, octets)) {
    return { type, tag: tagUtf8String, value: octets }
  }
  return expected(at, 'a value in UTF-8')
}

function readHexValue(cursor: Cursor, type: string): AttributeTypeAndValue | NameTextFailure {
  const start = cursor.offset
  let end = start + 1
  while (end < cursor.text.length && !isEnd(cursor, cursor.text[end] as string)) end++
  const octets = fromHex(cursor.text.slice(start + 1, end).trim())
  const length = octets === undefined ? undefined : contentOffset(octets)
  if (octets === undefined || length === undefined)
    return expected(start, '# and the hex of one DER element')
  const tag = octets[0] as number
  const value = isPrimitive(tag) ? octets.subarray(length) : octets
  if (!checkAttributeValue(tag, value))
    return expected(start, 'characters that the string type allows')
  cursor.offset = end
  return { type, tag, value }
}

/** Where the contents start, when `octets` is one element with a minimal length and nothing behind it. */
function contentOffset(octets: Uint8Array): number | undefined {
  const tag = octets[0]
  const first = octets[1]
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) return undefined
  let offset = 2
  let length = first
  if (first >= 0x80) {
    const count = first & 0x7f
    if (count === 0 || count > 4 || octets.length < 2 + count) return undefined
    length = 0
    for (; offset < 2 + count; offset++) length = length * 256 + (octets[offset] as number)
    if (length < 0x80 || octets[2] === 0) return undefined
  }
  return octets.length === offset + length ? offset : undefined
}

/** Reads up to a separator; outer spaces that are not escaped do not count. */
function readValue(cursor: Cursor): Uint8Array | NameTextFailure {
  const { text } = cursor
  const octets: number[] = []
  let kept = 0
  while (cursor.offset < text.length) {
    const character = String.fromCodePoint(text.codePointAt(cursor.offset) as number)
    if (isEnd(cursor, character)) break
    if (character === '\\') {
      const failure = readEscape(cursor, octets)
      if (failure !== undefined) return failure
      kept = octets.length
      continue
    }
    if (cursor.separator === ',' && '";<>'.includes(character)) {
      return expected(cursor.offset, `\\ before ${character}`)
    }
    if (/\p{Cs}/u.test(character)) return expected(cursor.offset, 'well-formed Unicode')
    for (const octet of utf8.encode(character)) octets.push(octet)
    if (character !== ' ') kept = octets.length
    cursor.offset += character.length
  }
  return Uint8Array.from(octets.slice(0, kept))
}

function readEscape(cursor: Cursor, octets: number[]): NameTextFailure | undefined {
  const { text, offset } = cursor
  const next = text[offset + 1]
  // OpenSSL writes \xC3, RFC 4514 §2.4 has \C3.
  const digits = cursor.separator === '/' && next === 'x' ? offset + 2 : offset + 1
  const pair = text.slice(digits, digits + 2)
  if (/^[0-9a-fA-F]{2}$/.test(pair)) {
    octets.push(Number.parseInt(pair, 16))
    cursor.offset = digits + 2
  } else if (next !== undefined && ' "#+,;<=>\\/'.includes(next)) {
    octets.push(next.charCodeAt(0))
    cursor.offset = offset + 2
  } else return expected(offset, 'two hex digits or a special character after \\')
  return undefined
}

function isEnd(cursor: Cursor, character: string): boolean {
  return character === cursor.separator || character === '+'
}

function skipSpaces(cursor: Cursor): void {
  while (cursor.text[cursor.offset] === ' ') cursor.offset++
}

function attributeType(keyword: string): string | undefined {
  const known = typesByName.get(keyword.toLowerCase())
  if (known !== undefined) return known
  const dotted = /^oid\./i.test(keyword) ? keyword.slice(4) : keyword
  return oidBytes(dotted) === undefined ? undefined : dotted
}

function expected(offset: number, what: string): NameTextFailure {
  return { code: 'name-text-invalid', offset, expected: what }
}

const utf8: TextEncoder = new TextEncoder()
const control: RegExp = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

/** The first name of a type is the one that is written. RFC 4514 §3, then what OpenSSL and browsers write. */
const names: readonly (readonly [type: string, ...names: string[]])[] = [
  ['2.5.4.3', 'CN', 'commonName'],
  ['2.5.4.7', 'L', 'localityName'],
  ['2.5.4.8', 'ST', 'stateOrProvinceName', 'S'],
  ['2.5.4.10', 'O', 'organizationName'],
  ['2.5.4.11', 'OU', 'organizationalUnitName'],
  ['2.5.4.6', 'C', 'countryName'],
  ['2.5.4.9', 'STREET', 'streetAddress'],
  ['0.9.2342.19200300.100.1.25', 'DC', 'domainComponent'],
  ['0.9.2342.19200300.100.1.1', 'UID', 'userId'],
  ['1.2.840.113549.1.9.1', 'emailAddress', 'E', 'email'],
  ['2.5.4.5', 'serialNumber'],
  ['2.5.4.4', 'SN', 'surname'],
  ['2.5.4.42', 'GN', 'givenName'],
  ['2.5.4.43', 'initials'],
  ['2.5.4.12', 'title', 'T'],
  ['2.5.4.13', 'description'],
  ['2.5.4.15', 'businessCategory'],
  ['2.5.4.17', 'postalCode'],
  ['2.5.4.41', 'name'],
  ['2.5.4.44', 'generationQualifier'],
  ['2.5.4.46', 'dnQualifier'],
  ['2.5.4.65', 'pseudonym'],
  ['2.5.4.97', 'organizationIdentifier'],
  ['1.3.6.1.4.1.311.60.2.1.1', 'jurisdictionL', 'jurisdictionLocalityName'],
  ['1.3.6.1.4.1.311.60.2.1.2', 'jurisdictionST', 'jurisdictionStateOrProvinceName'],
  ['1.3.6.1.4.1.311.60.2.1.3', 'jurisdictionC', 'jurisdictionCountryName'],
]
const shortNames: ReadonlyMap<string, string> = new Map(
  names.map(([type, name]) => [type, name as string]),
)
const typesByName: ReadonlyMap<string, string> = new Map(
  names.flatMap(([type, ...all]) => all.map((name) => [name.toLowerCase(), type] as const)),
)

/** The types whose syntax in RFC 5280 §A.1 is not DirectoryString. */
const valueTags: ReadonlyMap<string, number> = new Map([
  ['2.5.4.6', tagPrintableString],
  ['2.5.4.5', tagPrintableString],
  ['2.5.4.46', tagPrintableString],
  ['1.3.6.1.4.1.311.60.2.1.3', tagPrintableString],
  ['0.9.2342.19200300.100.1.25', tagIA5String],
  ['1.2.840.113549.1.9.1', tagIA5String],
])
