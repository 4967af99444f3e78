/**
 * The other way to write a certificate's ECDSA signature. If (r, s) verifies, so does (r, n - s), and anyone can compute
 * it: a list of denied fingerprints that does not know this is evaded by whoever sends the certificate.
 * RSA, EdDSA and DSA signatures have one form each under a strict verifier.
 * @module
 */

import { writeBitString, writeSequence } from '../der/writer.ts'
import { describeKey, mirrorEcdsaSignature, parseSubjectPublicKeyInfo } from './algorithms.ts'
import type { Certificate } from './certificate.ts'

/**
 * The certificate with n - s in place of s, re-encoded in DER.
 *
 * @param issuerSpki - DER of the key that the signature verifies under; it names the curve.
 * @returns `undefined` when the signature has no second form that we know.
 */
export function rewriteSignature(
  { tbsCertificate, signatureAlgorithm, signatureValue }: Certificate,
  issuerSpki: Uint8Array,
): Uint8Array | undefined {
  if (!signatureAlgorithm.algorithm.startsWith('1.2.840.10045.4.')) return undefined
  const spki = parseSubjectPublicKeyInfo(issuerSpki)
  const key = spki.ok ? describeKey(spki.value) : undefined
  const signature = key?.kind === 'EC' ? mirrorEcdsaSignature(signatureValue, key.curve) : undefined
  return (
    signature &&
    writeSequence(tbsCertificate.der, signatureAlgorithm.der, writeBitString(signature))
  )
}
