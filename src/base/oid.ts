/** Object identifiers: DER content octets to dotted text and back (X.690 8.19). The known ones are interned. @module */

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

type Interned = ReadonlyMap<number, { readonly text: string; readonly octets: Uint8Array }>

/** Made when the first is looked for: importing the package must cost little. */
let longOids: Interned | undefined

const longOidTexts = [
  '1.2.840.10045.2.1', // id-ecPublicKey
  '1.2.840.10045.3.1.7', // P-256
  '1.3.132.0.34', // P-384
  '1.3.132.0.35', // P-521
  '1.2.840.10045.4.3.2', // ecdsa-with-SHA256
  '1.2.840.10045.4.3.3', // ecdsa-with-SHA384
  '1.2.840.10045.4.3.4', // ecdsa-with-SHA512
  '1.2.840.113549.1.1.1', // rsaEncryption
  '1.2.840.113549.1.1.10', // id-RSASSA-PSS
  '1.2.840.113549.1.1.11', // sha256WithRSAEncryption
  '1.2.840.113549.1.1.12', // sha384WithRSAEncryption
  '1.2.840.113549.1.1.13', // sha512WithRSAEncryption
  '1.2.840.113549.1.9.1', // emailAddress
  '0.9.2342.19200300.100.1.25', // domainComponent
  '0.9.2342.19200300.100.1.1', // userId
  '1.3.6.1.5.5.7.1.1', // authorityInfoAccess
  '1.3.6.1.5.5.7.1.11', // subjectInfoAccess
  '1.3.6.1.5.5.7.2.1', // id-qt-cps
  '1.3.6.1.5.5.7.2.2', // id-qt-unotice
  '1.3.6.1.5.5.7.3.1', // serverAuth
  '1.3.6.1.5.5.7.3.2', // clientAuth
  '1.3.6.1.5.5.7.3.4', // emailProtection
  '1.3.6.1.5.5.7.48.1', // ocsp
  '1.3.6.1.5.5.7.48.2', // caIssuers
  '1.3.6.1.4.1.311.20.2.3', // userPrincipalName
  '2.5.29.32.0', // anyPolicy
  '2.5.29.37.0', // anyExtendedKeyUsage
  '2.23.140.1.2.1', // domain-validated
  '2.23.140.1.2.2', // organization-validated
  '1.3.6.1.4.1.11129.2.4.2', // signed certificate timestamps
]

function internOids(): Interned {
  const table = new Map<number, { readonly text: string; readonly octets: Uint8Array }>()
  for (const text of longOidTexts) {
    const octets = oidBytes(text)
    if (octets !== undefined) table.set(hashOctets(octets, 0, octets.length), { text, octets })
  }
  return table
}
