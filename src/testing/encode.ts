/**
 * The DER that the test PKI needs beside the writer's: nothing here refuses nonsense, because broken certificates are made
 * of it. Object identifiers and wide strings come from asn1js, which knows nothing of the reader under test.
 * @module
 */

import * as asn1js from 'asn1js'
import { writeElement, writeText } from '../der/writer.ts'

/** A context-specific constructed element: EXPLICIT, or IMPLICIT over a SEQUENCE. */
export function constructed(number: number, ...contents: readonly Uint8Array[]): Uint8Array {
  return writeElement(0xa0 | number, ...contents)
}

/** A context-specific primitive element: IMPLICIT over a primitive type. */
export function primitive(number: number, ...contents: readonly Uint8Array[]): Uint8Array {
  return writeElement(0x80 | number, ...contents)
}

/** @param value - A number, or the content octets as they shall stand. */
export function integer(value: number | bigint | Uint8Array): Uint8Array {
  return value instanceof Uint8Array
    ? writeElement(0x02, value)
    : writeElement(0x02, integerContents(value))
}

/** Content octets of an INTEGER: big-endian two's complement, minimal. X.690 §8.3 */
export function integerContents(value: number | bigint): Uint8Array {
  let rest = BigInt(value)
  const octets: number[] = []
  do {
    octets.unshift(Number(BigInt.asUintN(8, rest)))
    rest >>= 8n
  } while (!(rest === 0n && octets[0]! < 0x80) && !(rest === -1n && octets[0]! >= 0x80))
  return Uint8Array.from(octets)
}

const oids = new Map<string, Uint8Array>()

/** @param text - Dotted decimal. */
export function oid(text: string): Uint8Array {
  const known = oids.get(text)
  if (known !== undefined) return known
  const der = new Uint8Array(new asn1js.ObjectIdentifier({ value: text }).toBER())
  oids.set(text, der)
  return der
}

/** A named bit list: bit n of `bits` is bit n of the type, trailing zero bits cut off. X.690 §11.2.2 */
export function namedBits(bits: number): Uint8Array {
  return writeElement(0x03, namedBitsContents(bits))
}

export function namedBitsContents(bits: number): Uint8Array {
  if (bits === 0) return Uint8Array.of(0)
  const highest = 31 - Math.clz32(bits)
  const octets = new Uint8Array(2 + (highest >> 3))
  octets[0] = 7 - (highest & 7)
  for (let bit = 0; bit <= highest; bit++) {
    if (bits & (1 << bit)) octets[1 + (bit >> 3)]! |= 0x80 >> (bit & 7)
  }
  return octets
}

/** The string types of a DirectoryString and the two of RFC 5280 §4.1.2.4 for DC and e-mail. */
export type StringType =
  | 'UTF8String'
  | 'PrintableString'
  | 'TeletexString'
  | 'IA5String'
  | 'UniversalString'
  | 'BMPString'

/** Text in one of the string types; characters that the type does not allow are written all the same. */
export function string(type: StringType, text: string): Uint8Array {
  switch (type) {
    case 'UTF8String':
      return writeElement(0x0c, utf8(text))
    case 'PrintableString':
      return writeText(0x13, text)
    case 'TeletexString':
      return writeText(0x14, text)
    case 'IA5String':
      return writeText(0x16, text)
    case 'UniversalString':
      return new Uint8Array(new asn1js.UniversalString({ value: text }).toBER())
    case 'BMPString':
      return new Uint8Array(new asn1js.BmpString({ value: text }).toBER())
  }
}

/** `Date` or Unix seconds; a `Uint8Array` is written as it stands (one element). */
export type TimeInput = Date | number | Uint8Array

/** UTCTime up to 2049, GeneralizedTime from 2050. RFC 5280 §4.1.2.5 */
export function time(value: TimeInput): Uint8Array {
  if (value instanceof Uint8Array) return value
  const year = new Date(secondsOf(value) * 1000).getUTCFullYear()
  return year >= 1950 && year < 2050
    ? writeText(0x17, timeDigits(value).slice(2))
    : generalizedTime(value)
}

/** GeneralizedTime, whatever the year. RFC 6960 §4.2.2.1 */
export function generalizedTime(value: TimeInput): Uint8Array {
  return value instanceof Uint8Array ? value : writeText(0x18, timeDigits(value))
}

/** Unix seconds. */
export function secondsOf(value: Date | number): number {
  return typeof value === 'number' ? value : Math.floor(value.getTime() / 1000)
}

function timeDigits(value: Date | number): string {
  const text = new Date(secondsOf(value) * 1000).toISOString()
  return `${text.replace(/\.\d+Z$|[-:T]/g, '')}Z`
}

/** Content octets below 128. */
export function enumerated(value: number): Uint8Array {
  return writeElement(0x0a, integerContents(value))
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** The elements inside a SEQUENCE, tag and length included. */
export function elementsOf(der: Uint8Array): Uint8Array[] {
  const { result } = asn1js.fromBER(der)
  if (!(result instanceof asn1js.Sequence)) throw new TypeError('not a SEQUENCE')
  return result.valueBlock.value.map((child) => new Uint8Array(child.valueBeforeDecodeView))
}
