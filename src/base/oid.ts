/** Object identifiers: DER content octets to dotted text and back (X.690 8.19). The known ones are interned. @module */

import { fromHex } from './hex.ts'

/**
 * Reads the content octets of an OBJECT IDENTIFIER.
 *
 * @returns Dotted decimal, or `undefined` when the octets are none: empty, cut off, or an arc with a leading 0x80.
 */
export function oidText(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): string | undefined {
  const length = end - start
  if (length === 3 && bytes[start] === 0x55) {
    const arc = bytes[start + 2] as number
    if (bytes[start + 1] === 0x04) {
      const text = attributeArcs[arc]
      if (text !== undefined) return text
    } else if (bytes[start + 1] === 0x1d) {
      const text = extensionArcs[arc]
      if (text !== undefined) return text
    }
  } else if (length > 3) {
    longOids ??= internOids()
    const known = longOids.get(hashOctets(bytes, start, end))
    if (known !== undefined && sameOctets(known.octets, bytes, start, length)) return known.text
  }
  return decode(bytes, start, end)
}

/** @returns Content octets, or `undefined` when `text` is no object identifier. */
export function oidBytes(text: string): Uint8Array | undefined {
  if (!/^[0-2](\.(0|[1-9][0-9]*))+$/.test(text)) return undefined
  const [first = 0n, second = 0n, ...rest] = text.split('.').map(BigInt)
  if (first < 2n && second > 39n) return undefined
  const octets: number[] = []
  for (const arc of [first * 40n + second, ...rest]) {
    const group = [Number(arc & 0x7fn)]
    for (let left = arc >> 7n; left > 0n; left >>= 7n) group.unshift(Number(left & 0x7fn) | 0x80)
    octets.push(...group)
  }
  return Uint8Array.from(octets)
}

function decode(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (start >= end || (bytes[end - 1] as number) >= 0x80) return undefined
  // An arc may be wider than 53 bits (2.25 UUIDs are 128): then it is read as a BigInt. The bound keeps decoding linear.
  if (end - start > maxOidOctets) return undefined
  let text = ''
  for (let i = start; i < end; ) {
    if (bytes[i] === 0x80) return undefined
    const from = i
    let arc = 0
    while ((bytes[i] as number) >= 0x80) arc = arc * 128 + ((bytes[i++] as number) & 0x7f)
    arc = arc * 128 + (bytes[i++] as number)
    const exact = i - from > 7 ? wideArc(bytes, from, i) : arc
    if (from > start) text += `.${exact}`
    else if (exact < 40) text = `0.${exact}`
    else if (exact < 80) text = `1.${Number(exact) - 40}`
    else text = `2.${typeof exact === 'bigint' ? exact - 80n : exact - 80}`
  }
  return text
}

function wideArc(bytes: Uint8Array, start: number, end: number): bigint {
  let arc = 0n
  for (let i = start; i < end; i++) arc = (arc << 7n) | BigInt((bytes[i] as number) & 0x7f)
  return arc
}

function hashOctets(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0
  for (let i = start; i < end; i++) hash = (hash * 31 + (bytes[i] as number)) | 0
  return hash
}

function sameOctets(known: Uint8Array, bytes: Uint8Array, start: number, length: number): boolean {
  if (known.length !== length) return false
  for (let i = 0; i < length; i++) if (known[i] !== bytes[start + i]) return false
  return true
}

/** Local limit: OpenSSL and Windows stop at 128 arcs and 1 KiB of text or less; no registered OID is near 64 octets. */
const maxOidOctets = 64

const attributeArcs: readonly string[] = Array.from({ length: 128 }, (_, arc) => `2.5.4.${arc}`)
const extensionArcs: readonly string[] = Array.from({ length: 128 }, (_, arc) => `2.5.29.${arc}`)

/** Of the OIDs that client certificates have and that are not under 2.5.4 or 2.5.29: text by a hash of the octets. */
type Interned = ReadonlyMap<number, { readonly text: string; readonly octets: Uint8Array }>

/** Made when the first is looked for: importing the package must cost little. */
let longOids: Interned | undefined

/** Content octets in hexadecimal. */
const longOidOctets = [
  '2a864886f70d010901', // emailAddress
  '0992268993f22c640119', // domainComponent
  '0992268993f22c640101', // userId
  '2b06010505070101', // authorityInfoAccess
  '2b06010505070201', // id-qt-cps
  '2b06010505070301', // serverAuth
  '2b06010505070302', // clientAuth
  '2b06010505070304', // emailProtection
  '2b06010505073001', // ocsp
  '2b06010505073002', // caIssuers
]

function internOids(): Interned {
  const table = new Map<number, { readonly text: string; readonly octets: Uint8Array }>()
  for (const hex of longOidOctets) {
    const octets = fromHex(hex) as Uint8Array
    const text = decode(octets, 0, octets.length) as string
    table.set(hashOctets(octets, 0, octets.length), { text, octets })
  }
  return table
}
