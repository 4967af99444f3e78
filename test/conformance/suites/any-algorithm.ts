/** The policy that refuses no algorithm: for suites that judge a signature and nothing else. @module */
import { type AlgorithmPolicy, defaultAlgorithmPolicy } from '../../../src/path/algorithms.ts'

export const anyAlgorithm: AlgorithmPolicy = {
  ...defaultAlgorithmPolicy,
  minimumRsaBits: 0,
  maximumRsaBits: Number.POSITIVE_INFINITY,
  wholeOctets: false,
  hashes: new Set(['MD5', 'SHA-1', 'SHA-224', 'SHA-256', 'SHA-384', 'SHA-512']),
  curves: new Set(['P-192', 'P-224', 'P-256', 'P-384', 'P-521', 'secp256k1']),
  dsa: true,
}
