/** What an issued certificate signs with, and what is counted for it. @module */

import type { IssuedCertificate } from './authority.ts'
import { elementsOf } from './encode.ts'
import { type KeyInput, KeyRing, type TestKey } from './keys.ts'
import type { WebCrypto } from './web-crypto.ts'

/** What all certificates below one root share. */
export interface Hierarchy {
  readonly crypto: WebCrypto
  readonly keys: KeyRing
}

/** What a CA signs with, shared by all certificates of that CA. */
export interface Signer {
  readonly hierarchy: Hierarchy
  /** DER. */
  readonly name: Uint8Array
  readonly key: TestKey
  /** Counts up from 1, so that no two certificates of a CA share one. */
  nextSerialNumber: number
  /** Counts up from 1; complete and delta CRLs share one sequence. RFC 5280 §5.2.3 */
  nextCRLNumber: number
  /** Of the last complete CRL; 0 before there is one. */
  completeCRLNumber: number | bigint | Uint8Array
}

const signers = new WeakMap<IssuedCertificate, Signer>()

export function newSigner(hierarchy: Hierarchy, name: Uint8Array, key: TestKey): Signer {
  return { hierarchy, name, key, nextSerialNumber: 1, nextCRLNumber: 1, completeCRLNumber: 0 }
}

export function rememberSigner(certificate: IssuedCertificate, signer: Signer): void {
  signers.set(certificate, signer)
}

export function knownSigner(certificate: IssuedCertificate): Signer | undefined {
  return signers.get(certificate)
}

/** The signer of a certificate, which gets one with its first signature: an indirect CRL issuer, an OCSP responder. */
export function signerOf(certificate: IssuedCertificate, hierarchy?: Hierarchy): Signer {
  const known = signers.get(certificate)
  if (known !== undefined) return known
  const { crypto } = globalThis
  const { subject } = certificate.tbsCertificate
  const own = hierarchy ?? { crypto, keys: new KeyRing() }
  const signer = newSigner(own, subject.der, certificate.key)
  signers.set(certificate, signer)
  return signer
}

/** The key to sign with: the signer's own, or the one that forges; `name` chooses among those of a kind. */
export function signingKeyOf(
  { hierarchy, key, name: own }: Signer,
  forged: KeyInput | undefined,
  name: Uint8Array = own,
): TestKey {
  return forged === undefined ? key : hierarchy.keys.take(forged, 'leaf', name)
}

/** The digest of the octets of a public key, without the tag, length and unused bits of its BIT STRING. */
export async function publicKeyDigest(
  subjectPublicKeyInfo: Uint8Array,
  hash: string,
  crypto: WebCrypto,
): Promise<Uint8Array> {
  const [, bits] = elementsOf(subjectPublicKeyInfo) as [Uint8Array, Uint8Array]
  const header = bits[1]! < 0x80 ? 2 : 2 + (bits[1]! & 0x7f)
  return digest(bits.subarray(header + 1), hash, crypto)
}

export async function digest(
  data: Uint8Array,
  hash: string,
  crypto: WebCrypto,
): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest(hash, data as BufferSource))
}
