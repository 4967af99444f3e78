/** Answers to what the core asks, from `node:crypto`: synchronously, with keys and CA signatures remembered. @module */

import * as crypto from 'node:crypto'
import type { HashName, SignatureScheme } from '../base/signature-scheme.ts'
import type { DigestName, Handlers, SignatureAnswer } from '../effect/effect.ts'
import { defaultCapacity, type RuntimeOptions } from './capacity.ts'
import { KeyCache } from './key-cache.ts'
import { SignatureMemo, type SignatureQuestion } from './signature-memo.ts'

/** Handlers with caches of their own. They answer at once, so the async driver takes them too. */
export function nodeHandlers({
  keys = defaultCapacity.keys,
  signatures = defaultCapacity.signatures,
}: RuntimeOptions = {}): Handlers {
  const cache = new KeyCache<crypto.KeyObject | undefined>(keys, sameBytes, latin1)
  const memo = new SignatureMemo(signatures, sameBytes)
  return {
    verifySignature: (question) => {
      if (memo.has(question)) return 'valid'
      const key = cache.get(question.spki, '', importKey)
      const answer = key === undefined ? 'unsupported' : verify(question, key)
      if (answer === 'valid') memo.remember(question)
      return answer
    },
    digest: ({ hash, data }) => digest(hash, data),
    digestsWhenRead: ({ hash, data }) => {
      let made: readonly Uint8Array[] | undefined
      return () => {
        made ??= data.map((one) => digest(hash, one))
        return made
      }
    },
    wait: () => undefined,
  }
}

function importKey(spki: Uint8Array): crypto.KeyObject | undefined {
  try {
    return crypto.createPublicKey({ key: bufferOf(spki), format: 'der', type: 'spki' })
  } catch (error) {
    return unlessOfCrypto(error)
  }
}

function verify(
  { scheme, spki, data, signature }: SignatureQuestion,
  key: crypto.KeyObject,
): SignatureAnswer {
  if ('Deno' in globalThis && isBeyondDeno(scheme, spki)) return 'unsupported'
  try {
    const hash = 'hash' in scheme ? hashNames[scheme.hash] : null
    return crypto.verify(hash, data, inputOf(scheme, key), signature) ? 'valid' : 'invalid'
  } catch (error) {
    return unlessOfCrypto(error) ?? 'unsupported'
  }
}

function inputOf(
  scheme: SignatureScheme,
  key: crypto.KeyObject,
): crypto.KeyObject | crypto.VerifyKeyObjectInput {
  if (scheme.name !== 'RSASSA-PSS') return key
  const { saltLength } = scheme
  return { key, padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength }
}

/**
 * Throws on what does not come from the cryptography. OpenSSL's errors carry ERR_OSSL_…; Node's own for a hash, a key or an
 * option that it lacks ERR_CRYPTO_… or, for an option that this version does not know, ERR_INVALID_ARG_VALUE.
 */
function unlessOfCrypto(error: unknown): undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code ?? '') : ''
  if (/^ERR_(OSSL|CRYPTO|INVALID_ARG_VALUE|FEATURE_UNAVAILABLE)/.test(code)) return undefined
  // Bun and Deno throw plain errors without a code for a key that they cannot read.
  if (error instanceof Error && error.constructor === Error && code === '') return undefined
  throw error
}

/**
 * Whether node:crypto of Deno 2.9 answers wrongly. It takes an Ed448 signature whose s is past the order of the group, against
 * RFC 8032 §5.2.7; and it refuses ECDSA whose hash has less than half the octets of the curve, or whose s is high on secp256k1.
 */
function isBeyondDeno(scheme: SignatureScheme, spki: Uint8Array): boolean {
  if (scheme.name !== 'ECDSA') return scheme.name === 'Ed448'
  const { hash } = scheme
  if (spki.length < p256SpkiOctets) return true
  if (hash === 'SHA-1') return spki.length > p256SpkiOctets
  return (hash === 'SHA-224' || hash === 'SHA-256') && spki.length > p384SpkiOctets
}

/** With an uncompressed point. RFC 5480 §2 */
const p256SpkiOctets = 91
const p384SpkiOctets = 120

function digest(hash: DigestName, data: Uint8Array): Uint8Array {
  const name = hashNames[hash]
  // One call since Node 20.12; three objects less than createHash.
  const made =
    typeof crypto.hash === 'function'
      ? crypto.hash(name, data, 'buffer')
      : crypto.createHash(name).update(data).digest()
  return new Uint8Array(made.buffer, made.byteOffset, made.byteLength)
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0
}

function latin1(bytes: Uint8Array): string {
  return (
    bufferPrototype.latin1Slice?.call(bytes, 0, bytes.length) ?? bufferOf(bytes).toString('latin1')
  )
}

/** What `toString` calls; asked directly, it takes any array and needs no Buffer around it. Runtimes beside Node may lack it. */
const bufferPrototype: {
  readonly latin1Slice?: (this: Uint8Array, start: number, end: number) => string
} = Buffer.prototype

const hashNames: { readonly [H in HashName]: string } = {
  MD5: 'md5',
  'SHA-1': 'sha1',
  'SHA-224': 'sha224',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
}
