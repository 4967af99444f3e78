/**
 * AlgorithmIdentifiers that nearly every certificate has, made once: a certificate holds three, and reading each anew is a
 * tenth of reading the certificate. Whatever differs in one octet is read.
 * @module
 */

import { fromHex } from '../base/hex.ts'
import type { AlgorithmIdentifier } from './certificate.ts'

/** The shared AlgorithmIdentifier whose DER stands at `start`, to `end` exclusive; `undefined` when it is none of these. */
export function findKnownAlgorithm(
  bytes: Uint8Array,
  start: number,
  end: number,
): AlgorithmIdentifier | undefined {
  const length = end - start
  // The last octet of the OID tells them apart.
  for (const known of knownAlgorithms) {
    const { der } = known
    if (der.length !== length) continue
    let i = 0
    while (i < length && der[i] === bytes[start + i]) i++
    if (i === length) return known
  }
  return undefined
}

function known(algorithm: string, parametersAt: number, hex: string): AlgorithmIdentifier {
  const der = fromHex(hex) as Uint8Array
  const parameters = parametersAt === 0 ? undefined : der.subarray(parametersAt)
  return { der, algorithm, parameters }
}

/** rsaEncryption with its NULL: RFC 3279 §2.3.1. */
export const rsaAlgorithm: AlgorithmIdentifier = /* @__PURE__ */ known(
  '1.2.840.113549.1.1.1',
  13,
  '300d06092a864886f70d0101010500',
)

const knownAlgorithms: readonly AlgorithmIdentifier[] = [
  /* @__PURE__ */ known('1.2.840.10045.4.3.2', 0, '300a06082a8648ce3d040302'), // ecdsa-with-SHA256
  /* @__PURE__ */ known('1.2.840.10045.4.3.3', 0, '300a06082a8648ce3d040303'), // ecdsa-with-SHA384
  // id-ecPublicKey with P-256
  /* @__PURE__ */ known('1.2.840.10045.2.1', 11, '301306072a8648ce3d020106082a8648ce3d030107'),
  // sha256WithRSAEncryption
  /* @__PURE__ */ known('1.2.840.113549.1.1.11', 13, '300d06092a864886f70d01010b0500'),
  rsaAlgorithm,
]
