/** One signature under an issuer's key: RFC 5280 §6.1.3 (a)(1). @module */

import type { HashName, SignatureScheme } from '../base/signature-scheme.ts'
import { type Answers, ask, type Effect, type Steps } from '../effect/effect.ts'
import {
  decodeSignatureScheme,
  describeKey,
  importableSpki,
  isStrictDsaSignature,
  isStrictEcdsaSignature,
  parseAlgorithmIdentifier,
  parseSignatureValue,
  parseSubjectPublicKeyInfo,
  type SchemeFailure,
} from '../x509/algorithms.ts'
import type {
  AlgorithmIdentifier,
  KeyDescription,
  SubjectPublicKeyInfo,
} from '../x509/certificate.ts'
import type { ParseFailure } from '../x509/failure.ts'
import {
  type AlgorithmPolicy,
  checkKey,
  checkScheme,
  type KeyFailure,
  type SchemePolicyFailure,
  signatureCost,
} from './algorithms.ts'

export type SignatureFailure =
  | SchemeFailure
  | SchemePolicyFailure
  | KeyFailure
  /** A DSA key without parameters whose issuer had none to inherit. */
  | { readonly code: 'key-parameters-missing' }
  /** The runtime lacks the scheme or cannot import the key. */
  | { readonly code: 'signature-algorithm-unsupported'; readonly scheme: SignatureScheme }
  | { readonly code: 'signature-invalid' }
  | { readonly code: 'budget-exhausted'; readonly of: 'signatures' }

/** What is left to spend, in verifications with P-256 (`signatureCost`). */
export interface SignatureBudget {
  signatures: number
}

/** One signature and the key that is said to have made it. */
export interface SignatureCheck {
  readonly algorithm: AlgorithmIdentifier
  /** The bytes that are signed. */
  readonly data: Uint8Array
  /** The octets of the BIT STRING. */
  readonly signature: Uint8Array
  /** The issuer's key. */
  readonly spki: SubjectPublicKeyInfo
  /** `describeKey(spki)`, where the caller keeps it. */
  readonly key?: KeyDescription | undefined
  readonly policy: AlgorithmPolicy
  /** True for what many clients share, as a CA certificate: the runtime may remember that it verified. */
  readonly memorable: boolean
  /** True when it is known to verify: then only the policy is asked, which may be another one than before. */
  readonly isVerified?: boolean
  /** Shared by all signatures of one search. */
  readonly budget: SignatureBudget
}

/** What a runtime is asked for one signature. */
export type SignatureQuestion = Extract<Effect, { op: 'verifySignature' }>

/**
 * What is to be asked about a signature; or the failure that policy and encoding settle, which costs no budget; or `undefined`
 * when it is known to verify. With `judgeSignature` the two halves of `checkSignature`, for the one place where its generator
 * would cost every client as much as the rules of the path do.
 */
export function askSignature({
  algorithm,
  data,
  signature,
  spki,
  key = describeKey(spki),
  policy,
  memorable,
  isVerified = false,
  budget,
}: SignatureCheck): SignatureQuestion | SignatureFailure | undefined {
  const decoded = decodeSignatureScheme(algorithm)
  if (!decoded.ok) return decoded.failure
  const scheme = decoded.value
  const refused = checkKey(key, policy) ?? checkScheme(scheme, key, policy)
  if (refused !== undefined) return refused
  if (key.kind === 'DSA' && !key.hasParameters) return { code: 'key-parameters-missing' }
  // What verified before was well formed then.
  if (isVerified) return undefined
  if (!isWellFormed(signature, key, scheme)) return { code: 'signature-invalid' }
  // Counted before asking, or a mesh of look-alike CAs costs verifications without bound (CVE-2018-16875).
  budget.signatures -= signatureCost(key)
  if (budget.signatures < 0) return { code: 'budget-exhausted', of: 'signatures' }
  const importable = key.kind === 'RSA-PSS' ? importableSpki(spki) : spki.der
  return { op: 'verifySignature', scheme, spki: importable, data, signature, memorable }
}

/** Reports what an answer means; `undefined` when the signature verifies. */
export function judgeSignature(
  { scheme }: SignatureQuestion,
  answer: Answers['verifySignature'],
): SignatureFailure | undefined {
  if (answer === 'valid') return undefined
  if (answer === 'invalid') return { code: 'signature-invalid' }
  return { code: 'signature-algorithm-unsupported', scheme }
}

/**
 * Reports why the signature does not count; `undefined` when it verifies under a key and a scheme that the policy takes.
 * What policy and encoding settle costs no budget.
 */
export function* checkSignature(check: SignatureCheck): Steps<SignatureFailure | undefined> {
  const question = askSignature(check)
  if (question === undefined || 'code' in question) return question
  return judgeSignature(question, yield* ask(question))
}

/** Whether the octets have the one form that a signature with `key` can have. */
function isWellFormed(
  signature: Uint8Array,
  key: KeyDescription,
  scheme: SignatureScheme,
): boolean {
  switch (key.kind) {
    case 'EC':
      return isStrictEcdsaSignature(signature, key.curve)
    case 'RSA':
    case 'RSA-PSS':
      // RFC 8017 §8.1.2 (1), RFC 8017 §8.2.2 (1): as long as the modulus.
      if (signature.length !== (key.size + 7) >> 3) return false
      // RFC 8017 §9.1.2 (3): libraries differ on a salt for which the key has no room.
      return scheme.name !== 'RSASSA-PSS' || saltFits(scheme, key.size)
    case 'DSA':
      return isStrictDsaSignature(signature)
    case 'Ed25519':
      return signature.length === 64
    case 'Ed448':
      return signature.length === 114
    case 'ML-DSA-44':
      return signature.length === 2420
    case 'ML-DSA-65':
      return signature.length === 3309
    case 'ML-DSA-87':
      return signature.length === 4627
    default:
      return false
  }
}

function saltFits({ hash, saltLength }: PssScheme, size: number): boolean {
  return hashOctets[hash] + saltLength + 2 <= (size + 6) >> 3
}

type PssScheme = Extract<SignatureScheme, { name: 'RSASSA-PSS' }>

const hashOctets: { readonly [H in HashName]: number } = {
  MD5: 16,
  'SHA-1': 20,
  'SHA-224': 28,
  'SHA-256': 32,
  'SHA-384': 48,
  'SHA-512': 64,
}

/** Parts of a signed structure, each as DER that stands alone. */
export interface SignedData {
  /** A SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
  /** An AlgorithmIdentifier. */
  readonly algorithm: Uint8Array
  readonly data: Uint8Array
  /** A BIT STRING. */
  readonly signature: Uint8Array
}

/**
 * Judges a signature alone under `policy`, from the DER of its parts; without a budget, for one signature.
 *
 * @returns Why it does not count: what is wrong with the DER, or with the signature; `undefined` when it verifies.
 */
export function* checkSignedData(
  signed: SignedData,
  policy: AlgorithmPolicy,
): Steps<ParseFailure | SignatureFailure | undefined> {
  const spki = parseSubjectPublicKeyInfo(signed.spki)
  if (!spki.ok) return spki.failure
  const algorithm = parseAlgorithmIdentifier(signed.algorithm)
  if (!algorithm.ok) return algorithm.failure
  const signature = parseSignatureValue(signed.signature)
  if (!signature.ok) return signature.failure
  return yield* checkSignature({
    algorithm: algorithm.value,
    data: signed.data,
    signature: signature.value,
    spki: spki.value,
    policy,
    memorable: false,
    budget: { signatures: Number.POSITIVE_INFINITY },
  })
}
