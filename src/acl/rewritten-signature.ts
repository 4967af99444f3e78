/**
 * The other way to write a certificate's ECDSA signature. If (r, s) verifies, so does (r, n - s), and anyone can compute
 * it: a list of denied fingerprints that does not know this is evaded by whoever sends the certificate.
 * RSA, EdDSA and DSA signatures have one form each under a strict verifier.
 * @module
 */

import type { Certificate } from '../x509/certificate.ts'

/**
 * The certificate with n - s in place of s, re-encoded in DER.
 *
 * @param issuerSpki - DER of the key that the signature verifies under; it names the curve.
 * @returns `undefined` when the signature has no second form that we know.
 */
export function rewriteSignature(
  certificate: Certificate,
  issuerSpki: Uint8Array,
): Uint8Array | undefined {
  if (!certificate.signatureAlgorithm.algorithm.startsWith('1.2.840.10045.4.')) return undefined
  const order = curveOrder(issuerSpki)
  const scalars = order === undefined ? undefined : readScalars(certificate.signatureValue)
  if (order === undefined || scalars === undefined || scalars.s >= order) return undefined
  const signature = element(0x30, [...scalars.r, ...element(0x02, positive(order - scalars.s))])
  const body = [
    ...certificate.tbsCertificate.der,
    ...certificate.signatureAlgorithm.der,
    ...element(0x03, [0, ...signature]),
  ]
  return Uint8Array.from(element(0x30, body))
}

/** r as its whole element; s as a number. Lengths are short: 2 × 66 octets with their headers stay below 256. */
function readScalars(signature: Uint8Array): { r: Uint8Array; s: bigint } | undefined {
  const start = signature[1] === 0x81 ? 3 : 2
  const sStart = start + 2 + (signature[start + 1] ?? 0)
  const digits = signature.subarray(sStart + 2)
  if (signature[0] !== 0x30 || signature[start] !== 0x02 || signature[sStart] !== 0x02) {
    return undefined
  }
  if (digits.length === 0 || digits.length !== signature[sStart + 1]) return undefined
  let s = 0n
  for (const octet of digits) s = (s << 8n) | BigInt(octet)
  return { r: signature.subarray(start, sStart), s }
}

function positive(value: bigint): number[] {
  const octets: number[] = []
  for (let rest = value; rest > 0n; rest >>= 8n) octets.unshift(Number(rest & 0xffn))
  if (octets.length === 0 || (octets[0] as number) >= 0x80) octets.unshift(0)
  return octets
}

function element(tag: number, content: readonly number[]): number[] {
  const length: number[] = []
  for (let rest = content.length; rest > 0; rest >>>= 8) length.unshift(rest & 0xff)
  if (content.length === 0) length.push(0)
  return content.length < 0x80
    ? [tag, ...length, ...content]
    : [tag, 0x80 | length.length, ...length, ...content]
}

/** The curve's OID follows id-ecPublicKey within the first 27 octets of the SPKI. RFC 5480 §2.1.1 */
function curveOrder(spki: Uint8Array): bigint | undefined {
  let head = ''
  for (const octet of spki.subarray(0, 27)) head += octet.toString(16).padStart(2, '0')
  const at = head.indexOf(ecPublicKey)
  if (at < 0) return undefined
  const after = head.slice(at + ecPublicKey.length)
  return orders.find(([oid]) => after.startsWith(oid))?.[1]
}

const ecPublicKey = '06072a8648ce3d0201'

/** Orders of the base points: NIST SP 800-186, section 3.2.1. */
const orders: readonly (readonly [oid: string, n: bigint])[] = [
  ['06082a8648ce3d030107', 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n],
  [
    '06052b81040022',
    0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  ],
  [
    '06052b81040023',
    0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
  ],
]
