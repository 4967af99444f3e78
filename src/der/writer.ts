/** Writing DER: for names and for tests; what is written here, the reader accepts. @module */

import { asciiBytes, compareBytes, concatBytes } from '../base/bytes.ts'
import { oidBytes } from '../base/oid.ts'
import {
  tagBitString,
  tagBoolean,
  tagInteger,
  tagNull,
  tagObjectIdentifier,
  tagOctetString,
  tagSequence,
  tagSet,
} from './tags.ts'

/** One element: identifier octet, minimal length, contents. */
export function writeElement(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const content of contents) length += content.length
  const octets: number[] = []
  for (let left = length; left > 0; left = Math.floor(left / 256)) octets.unshift(left & 0xff)
  const header = length < 0x80 ? [tag, length] : [tag, 0x80 | octets.length, ...octets]
  return concatBytes(Uint8Array.from(header), ...contents)
}

export function writeSequence(...elements: readonly Uint8Array[]): Uint8Array {
  return writeElement(tagSequence, ...elements)
}

/** Sorts, as X.690 11.6 asks. */
export function writeSetOf(...elements: readonly Uint8Array[]): Uint8Array {
  return writeElement(tagSet, ...[...elements].sort(compareBytes))
}

/** A non-negative INTEGER. */
export function writeInteger(value: number | bigint): Uint8Array {
  const octets: number[] = []
  let left = BigInt(value)
  do {
    octets.unshift(Number(left & 0xffn))
    left >>= 8n
  } while (left > 0n)
  if ((octets[0] as number) >= 0x80) octets.unshift(0)
  return writeElement(tagInteger, Uint8Array.from(octets))
}

export function writeBoolean(value: boolean): Uint8Array {
  return writeElement(tagBoolean, Uint8Array.of(value ? 0xff : 0))
}

export function writeNull(): Uint8Array {
  return writeElement(tagNull)
}

/** @throws RangeError when `oid` is no dotted decimal object identifier. */
export function writeObjectIdentifier(oid: string): Uint8Array {
  const octets = oidBytes(oid)
  if (octets === undefined) throw new RangeError(`not an object identifier: ${oid}`)
  return writeElement(tagObjectIdentifier, octets)
}

export function writeOctetString(octets: Uint8Array): Uint8Array {
  return writeElement(tagOctetString, octets)
}

/** A BIT STRING of whole octets. */
export function writeBitString(octets: Uint8Array): Uint8Array {
  return writeElement(tagBitString, Uint8Array.of(0), octets)
}

/** A string type of one octet a character. */
export function writeText(tag: number, text: string): Uint8Array {
  return writeElement(tag, asciiBytes(text))
}
