/** Comparing distinguished names: RFC 5280 §7.1, with the string preparation of RFC 4518 §2. @module */

import { asciiText, bytesEqual } from '../base/bytes.ts'
import type { AttributeTypeAndValue, Name, RelativeDistinguishedName } from './name.ts'
import { attributeText, hasCharacters, tagBmpString, tagUniversalString } from './name-value.ts'
import { prepareString } from './string-preparation.ts'

/** Whether `a` and `b` are the same name. */
export function namesMatch(a: Name, b: Name): boolean {
  return bytesEqual(a.der, b.der) || nameKey(a) === nameKey(b)
}

/**
 * A text that two names share exactly when they match: a key for maps. One name lies in the subtree that another roots
 * (RFC 5280 §4.2.1.10) exactly when its key starts with the other's. Not for people.
 */
export function nameKey(name: Name): string {
  let key = ''
  for (const rdn of name.rdns) key += rdnKey(rdn)
  return key
}

/** The key of `name` with one more RDN below it. */
export function relativeNameKey(name: Name, rdn: RelativeDistinguishedName): string {
  return nameKey(name) + rdnKey(rdn)
}

// Every part is led by its length or its count, so that no two different names can share a key.
function rdnKey(rdn: RelativeDistinguishedName): string {
  if (rdn.length === 1) return `1;${attributeKey(rdn[0] as AttributeTypeAndValue)}`
  return `${rdn.length};${rdn.map(attributeKey).sort().join('')}`
}

function attributeKey(attribute: AttributeTypeAndValue): string {
  return attribute.type + valueKey(attribute)
}

/**
 * Begins with a character that is in no OID: `=` prepared, `!` as it stands, with a character that RFC 4518 §2.4 prohibits, `#`
 * octets, of a type that is compared octet by octet.
 */
function valueKey(attribute: AttributeTypeAndValue): string {
  const { tag, value } = attribute
  if (!hasCharacters(tag)) return `#${tag}:${value.length}:${asciiText(value)}`
  const ascii = asciiPrepared(value, tag)
  if (ascii !== undefined) return `=${ascii.length}:${ascii}`
  const text = attributeText(attribute)
  const prepared = prepareString(text)
  return prepared === undefined ? `!${text.length}:${text}` : `=${prepared.length}:${prepared}`
}

/** What nearly every value is: printable ASCII, prepared without a detour over Unicode. Anything else: `undefined`. */
function asciiPrepared(value: Uint8Array, tag: number): string | undefined {
  if (tag === tagBmpString || tag === tagUniversalString) return undefined
  let text = ''
  let spaces = false
  for (let i = 0; i < value.length; i++) {
    const octet = value[i] as number
    if (octet === 0x20) {
      spaces = true
      continue
    }
    const character = folded[octet]
    if (character === undefined) return undefined
    if (spaces) {
      if (text !== '') text += ' '
      spaces = false
    }
    text += character
  }
  return text
}

/** The folded character of each printable ASCII octet but space. */
const folded: readonly (string | undefined)[] = Array.from({ length: 256 }, (_, octet) =>
  octet > 0x20 && octet < 0x7f ? String.fromCharCode(octet).toLowerCase() : undefined,
)
