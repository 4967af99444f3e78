/**
 * Which keys and signature schemes count: the local algorithm policy, and what a verification costs. RFC 5280 §6.1.1 leaves
 * both to the implementation.
 * @module
 */

import type { HashName, SignatureScheme } from '../base/signature-scheme.ts'
import type { Curve, KeyDescription } from '../x509/certificate.ts'

/** What a caller may loosen. Absent options deny. */
export interface AlgorithmOptions {
  /** SHA-1 in certificates signed by RSA, ECDSA or DSA keys: collisions have been practical since 2017. */
  readonly dangerouslyAllowSha1?: boolean | undefined
  /** MD5 under RSA: a rogue CA certificate was made with it in 2008. */
  readonly dangerouslyAllowMd5?: boolean | undefined
  /** DSA keys from 1024 to 3072 bits, of leaves and of CAs. FIPS 186-5 withdrew it. */
  readonly dangerouslyAllowDsa?: boolean | undefined
  /** Bits; below the default of 2048. Old keys of this kind may also have a size that is no multiple of 8. */
  readonly dangerouslyMinimumRsaBits?: number | undefined
}

/** Made by `algorithmPolicy`. Sizes are bits of the modulus, both inclusive. */
export interface AlgorithmPolicy {
  readonly minimumRsaBits: number
  readonly maximumRsaBits: number
  /** Whether a modulus must have a whole number of octets. */
  readonly wholeOctets: boolean
  readonly hashes: ReadonlySet<HashName>
  readonly curves: ReadonlySet<Curve>
  readonly dsa: boolean
}

export type KeyFailure =
  | {
      readonly code: 'key-too-weak'
      readonly kind: KeyKind
      readonly size: number
      readonly minimum: number
    }
  | {
      readonly code: 'key-too-large'
      readonly kind: KeyKind
      readonly size: number
      readonly maximum: number
    }
  | { readonly code: 'key-size-not-octets'; readonly kind: KeyKind; readonly size: number }
  | { readonly code: 'key-exponent'; readonly kind: KeyKind; readonly exponent: Uint8Array }
  | { readonly code: 'key-algorithm-not-allowed'; readonly kind: KeyKind; readonly curve?: Curve }
  /** `algorithm`: dotted decimal; for an EC key that of its curve. */
  | { readonly code: 'key-algorithm-unknown'; readonly algorithm: string }
  | { readonly code: 'key-malformed'; readonly algorithm: string; readonly reason: string }

export type SchemePolicyFailure =
  | { readonly code: 'signature-algorithm-weak'; readonly scheme: SignatureScheme }
  | {
      readonly code: 'signature-algorithm-key-mismatch'
      readonly scheme: SignatureScheme
      readonly kind: KeyKind
    }

export type KeyKind = KeyDescription['kind']

/**
 * The policy that `options` make of the defaults; no options: the one shared default.
 *
 * @example
 * console.log(algorithmPolicy().minimumRsaBits) // 2048
 * console.log(algorithmPolicy({ dangerouslyAllowSha1: true }).hashes.has('SHA-1')) // true
 */
export function algorithmPolicy(options?: AlgorithmOptions): AlgorithmPolicy {
  if (options === undefined) return defaultAlgorithmPolicy
  const hashes = new Set(defaultAlgorithmPolicy.hashes)
  if (options.dangerouslyAllowSha1) hashes.add('SHA-1')
  if (options.dangerouslyAllowMd5) hashes.add('MD5')
  return {
    ...defaultAlgorithmPolicy,
    minimumRsaBits: options.dangerouslyMinimumRsaBits ?? defaultAlgorithmPolicy.minimumRsaBits,
    wholeOctets: options.dangerouslyMinimumRsaBits === undefined,
    hashes,
    dsa: options.dangerouslyAllowDsa === true,
  }
}

/** Why `policy` does not take `key`, in a leaf or in a CA alike; `undefined` when it does. */
export function checkKey(key: KeyDescription, policy: AlgorithmPolicy): KeyFailure | undefined {
  switch (key.kind) {
    case 'EC':
      if (policy.curves.has(key.curve)) return undefined
      return { code: 'key-algorithm-not-allowed', kind: 'EC', curve: key.curve }
    case 'RSA':
    case 'RSA-PSS':
      return checkRsaKey(key, policy)
    case 'DSA':
      if (!policy.dsa) return { code: 'key-algorithm-not-allowed', kind: 'DSA' }
      if (key.size > maximumDsaBits) {
        return { code: 'key-too-large', kind: 'DSA', size: key.size, maximum: maximumDsaBits }
      }
      // Without parameters the size is that of the public value, which is below p by a few bits now and then.
      if (key.hasParameters && key.size < minimumDsaBits) {
        return { code: 'key-too-weak', kind: 'DSA', size: key.size, minimum: minimumDsaBits }
      }
      return undefined
    case 'unknown':
      return { code: 'key-algorithm-unknown', algorithm: key.algorithm }
    case 'malformed':
      return { code: 'key-malformed', algorithm: key.algorithm, reason: key.reason }
    case 'Ed25519':
    case 'Ed448':
    case 'ML-DSA-44':
    case 'ML-DSA-65':
    case 'ML-DSA-87':
      return undefined
  }
}

function checkRsaKey(
  { kind, size, exponent }: RsaDescription,
  { minimumRsaBits, maximumRsaBits, wholeOctets }: AlgorithmPolicy,
): KeyFailure | undefined {
  if (size < minimumRsaBits) return { code: 'key-too-weak', kind, size, minimum: minimumRsaBits }
  if (size > maximumRsaBits) return { code: 'key-too-large', kind, size, maximum: maximumRsaBits }
  if (wholeOctets && size % 8 !== 0) return { code: 'key-size-not-octets', kind, size }
  const first = exponent[0]!
  const last = exponent[exponent.length - 1]!
  const tooSmall = exponent.length === 1 && first < 3
  const tooLarge = exponent.length > 5 || (exponent.length === 5 && first > 1)
  if (tooSmall || tooLarge || (last & 1) === 0) return { code: 'key-exponent', kind, exponent }
  return undefined
}

/**
 * Why a signature by `scheme` does not count under `policy` and a key of that kind; `undefined` when it may be verified.
 * The key itself is `checkKey`'s.
 */
export function checkScheme(
  scheme: SignatureScheme,
  key: KeyDescription,
  policy: AlgorithmPolicy,
): SchemePolicyFailure | undefined {
  if ('hash' in scheme && !policy.hashes.has(scheme.hash)) {
    return { code: 'signature-algorithm-weak', scheme }
  }
  if (fits(scheme, key)) return undefined
  return { code: 'signature-algorithm-key-mismatch', scheme, kind: key.kind }
}

function fits(scheme: SignatureScheme, key: KeyDescription): boolean {
  switch (scheme.name) {
    case 'ECDSA':
      return key.kind === 'EC'
    case 'RSASSA-PKCS1-v1_5':
      // RFC 4055 §1.2: an id-RSASSA-PSS key signs with RSASSA-PSS and nothing else.
      return key.kind === 'RSA'
    case 'RSASSA-PSS':
      if (key.kind === 'RSA') return true
      if (key.kind !== 'RSA-PSS') return false
      // RFC 4055 §3.3: the same hash, and a salt that is at least as long.
      return (
        key.restriction === undefined ||
        (key.restriction.hash === scheme.hash && key.restriction.saltLength <= scheme.saltLength)
      )
    default:
      return key.kind === scheme.name
  }
}

/**
 * What one verification with `key` costs, as a multiple of one with P-256; kinds that no verification takes cost 1.
 *
 * Measured medians, Node 20.20 (OpenSSL 3.0), one core of a two-core Linux box, 2026-11-23, 700 octets of data:
 * P-256 86 µs (1), P-384 922 (10.7), P-521 1455 (16.9), Ed25519 125 (1.45), Ed448 223 (2.6); RSA with exponent 65537:
 * 2048 bits 22 (0.25), 3072 41 (0.47), 4096 66 (0.77), 8192 322 (3.7); with exponent 2^33-1: 2048 bits 45 (0.5), 4096 199
 * (2.3), 8192 810 (9.4); DSA 1024 bits 68 (0.8), 2048 322 (3.7), 3072 683 (7.9).
 */
export function signatureCost(key: KeyDescription): number {
  switch (key.kind) {
    case 'EC':
      return curveCosts[key.curve]
    case 'RSA':
    case 'RSA-PSS':
      // The square of the size; an exponent beyond three octets costs up to three times as many multiplications.
      return 0.25 * (key.size / 2048) ** 2 * (key.exponent.length > 3 ? 3 : 1)
    case 'DSA':
      return 0.95 * (key.size / 1024) ** 2
    case 'Ed25519':
      return 1.5
    case 'Ed448':
      return 2.6
    default:
      return 1
  }
}

type RsaDescription = Extract<KeyDescription, { kind: 'RSA' | 'RSA-PSS' }>

/** FIPS 186-4 §4.2: the sizes that DSA ever had. */
const minimumDsaBits = 1024
const maximumDsaBits = 3072

/** Curves below P-256 were not measured and are refused by default: counted like P-384. */
const curveCosts: { readonly [C in Curve]: number } = {
  'P-192': 11,
  'P-224': 11,
  'P-256': 1,
  'P-384': 11,
  'P-521': 17,
  secp256k1: 11,
}

/**
 * RSA from 2048 bits (NIST SP 800-131A) to 8192 (a longer key is a CPU attack: CVE-2023-29409) in whole octets (CA/Browser
 * Forum BR 6.1.5), exponents odd from 3 to 2^33-1 (the bound of *ring* and BoringSSL); the curves of FIPS 186-5 §6.1.1;
 * SHA-256 and longer.
 */
export const defaultAlgorithmPolicy: AlgorithmPolicy = {
  minimumRsaBits: 2048,
  maximumRsaBits: 8192,
  wholeOctets: true,
  hashes: new Set<HashName>(['SHA-256', 'SHA-384', 'SHA-512']),
  curves: new Set<Curve>(['P-256', 'P-384', 'P-521']),
  dsa: false,
}
