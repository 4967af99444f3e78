/** The string types of attribute values: which octets they allow and what they say. RFC 5280 §4.1.2.4, X.680 41 @module */

import { asciiText } from '../base/bytes.ts'
import { toHex } from '../base/hex.ts'
import {
  tagBmpString,
  tagIA5String,
  tagPrintableString,
  tagTeletexString,
  tagUniversalString,
  tagUtf8String,
} from '../der/tags.ts'
import type { AttributeTypeAndValue } from './name.ts'

/** Universal tags of the string types that names use and nothing else does. */
export const tagNumericString = 18
export const tagVisibleString = 26

export {
  tagBmpString,
  tagIA5String,
  tagPrintableString,
  tagTeletexString,
  tagUniversalString,
  tagUtf8String,
}

/**
 * True for the string types that are compared by their characters. TeletexString is not: nobody agrees what its octets mean.
 */
export function hasCharacters(tag: number): boolean {
  return (
    tag === tagUtf8String ||
    tag === tagPrintableString ||
    tag === tagIA5String ||
    tag === tagBmpString ||
    tag === tagUniversalString
  )
}

/**
 * Whether the content octets are ones that the string type of `tag` allows. TeletexString and types that are no strings are
 * never looked into. Allocates nothing.
 */
export function checkAttributeValue(tag: number, value: Uint8Array): boolean {
  switch (tag) {
    case tagPrintableString:
      return everyOctetIs(value, printable)
    case tagUtf8String:
      return isUtf8(value)
    case tagIA5String:
      return everyOctetIs(value, ia5)
    case tagNumericString:
      return everyOctetIs(value, numeric)
    case tagVisibleString:
      return everyOctetIs(value, visible)
    case tagBmpString:
      return isBmp(value)
    case tagUniversalString:
      return isUniversal(value)
    default:
      return true
  }
}

/** Text for people: the characters of a string (TeletexString read as Latin-1), `#` and hex for anything else. */
export function attributeText(attribute: AttributeTypeAndValue): string {
  const { tag, value } = attribute
  switch (tag) {
    case tagUtf8String:
      return utf8.decode(value)
    case tagNumericString:
    case tagPrintableString:
    case tagTeletexString:
    case tagIA5String:
    case tagVisibleString:
      return asciiText(value)
    case tagUniversalString:
      return universalText(value)
    case tagBmpString:
      return bmpText(value)
    default:
      return `#${toHex(value)}`
  }
}

function everyOctetIs(value: Uint8Array, allowed: number): boolean {
  for (let i = 0; i < value.length; i++) {
    if (((octetClasses[value[i] as number] as number) & allowed) === 0) return false
  }
  return true
}

/** Shortest form only, no surrogates, nothing above U+10FFFF. RFC 3629 §4 */
function isUtf8(value: Uint8Array): boolean {
  const length = value.length
  let i = 0
  while (i < length) {
    const first = value[i++] as number
    if (first < 0x80) continue
    let more: number
    let low = 0x80
    let high = 0xbf
    if (first >= 0xc2 && first <= 0xdf) more = 1
    else if (first >= 0xe0 && first <= 0xef) {
      more = 2
      if (first === 0xe0) low = 0xa0
      else if (first === 0xed) high = 0x9f
    } else if (first >= 0xf0 && first <= 0xf4) {
      more = 3
      if (first === 0xf0) low = 0x90
      else if (first === 0xf4) high = 0x8f
    } else return false
    if (i + more > length) return false
    const second = value[i++] as number
    if (second < low || second > high) return false
    while (--more > 0) if (((value[i++] as number) & 0xc0) !== 0x80) return false
  }
  return true
}

function isBmp(value: Uint8Array): boolean {
  if (value.length % 2 !== 0) return false
  for (let i = 0; i < value.length; i += 2) if (((value[i] as number) & 0xf8) === 0xd8) return false
  return true
}

function isUniversal(value: Uint8Array): boolean {
  if (value.length % 4 !== 0) return false
  for (let i = 0; i < value.length; i += 4) {
    const plane = value[i + 1] as number
    if (value[i] !== 0 || plane > 0x10) return false
    if (plane === 0 && ((value[i + 2] as number) & 0xf8) === 0xd8) return false
  }
  return true
}

function bmpText(value: Uint8Array): string {
  let text = ''
  for (let i = 0; i + 1 < value.length; i += 2) {
    text += String.fromCharCode(((value[i] as number) << 8) | (value[i + 1] as number))
  }
  return text
}

function universalText(value: Uint8Array): string {
  let text = ''
  for (let i = 0; i + 3 < value.length; i += 4) {
    const codePoint =
      ((value[i + 1] as number) << 16) | ((value[i + 2] as number) << 8) | (value[i + 3] as number)
    text += String.fromCodePoint(codePoint)
  }
  return text
}

// ignoreBOM: a leading U+FEFF is a character of the value, not a mark to swallow.
const utf8: TextDecoder = new TextDecoder('utf-8', { ignoreBOM: true })

const printable = 1
const ia5 = 2
const numeric = 4
const visible = 8

/** For each octet, the one-octet string types that allow it. X.680 41.4 table 10 for PrintableString. */
const octetClasses: Uint8Array = Uint8Array.from({ length: 256 }, (_, octet) => {
  const character = String.fromCharCode(octet)
  return (
    (/[A-Za-z0-9 '()+,\-./:=?]/.test(character) ? printable : 0) |
    (octet < 0x80 ? ia5 : 0) |
    (/[0-9 ]/.test(character) ? numeric : 0) |
    (octet >= 0x20 && octet < 0x7f ? visible : 0)
  )
})
