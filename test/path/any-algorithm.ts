/** A policy that leaves mathematics alone to judge. @module */

import type { HashName } from '../../src/base/signature-scheme.ts'
import type { AlgorithmPolicy } from '../../src/path/algorithms.ts'
import type { Curve } from '../../src/x509/certificate.ts'

/** Every hash, curve and size that a runtime may have. */
export const anyAlgorithm: AlgorithmPolicy = {
  minimumRsaBits: 0,
  // OPENSSL_RSA_MAX_MODULUS_BITS
  maximumRsaBits: 16_384,
  wholeOctets: false,
  hashes: new Set<HashName>(['MD5', 'SHA-1', 'SHA-224', 'SHA-256', 'SHA-384', 'SHA-512']),
  curves: new Set<Curve>(['P-192', 'P-224', 'P-256', 'P-384', 'P-521', 'secp256k1']),
  dsa: true,
}
