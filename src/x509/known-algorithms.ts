/**
 * AlgorithmIdentifiers that nearly every certificate has, made once: a certificate holds three, and reading each anew is a
 * tenth of reading the certificate. Whatever differs in one octet is read.
 * @module
 */

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

function known(algorithm: string, parametersAt: number, ...der: number[]): AlgorithmIdentifier {
  const bytes = Uint8Array.from(der)
  const parameters = parametersAt === 0 ? undefined : bytes.subarray(parametersAt)
  return { der: bytes, algorithm, parameters }
}

const knownAlgorithms: readonly AlgorithmIdentifier[] = [
  /* @__PURE__ */ known('1.2.840.10045.4.3.2', 0, 0x30, 10, 6, 8, 42, 134, 72, 206, 61, 4, 3, 2),
  /* @__PURE__ */ known('1.2.840.10045.4.3.3', 0, 0x30, 10, 6, 8, 42, 134, 72, 206, 61, 4, 3, 3),
  /* @__PURE__ */ known(
    '1.2.840.10045.2.1', // id-ecPublicKey with P-256
    11,
    ...[0x30, 19, 6, 7, 42, 134, 72, 206, 61, 2, 1, 6, 8, 42, 134, 72, 206, 61, 3, 1, 7],
  ),
  /* @__PURE__ */ known(
    '1.2.840.113549.1.1.11', // sha256WithRSAEncryption
    13,
    ...[0x30, 13, 6, 9, 42, 134, 72, 134, 247, 13, 1, 1, 11, 5, 0],
  ),
  /* @__PURE__ */ known(
    '1.2.840.113549.1.1.1', // rsaEncryption
    13,
    ...[0x30, 13, 6, 9, 42, 134, 72, 134, 247, 13, 1, 1, 1, 5, 0],
  ),
]
