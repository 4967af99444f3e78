/** Answers to what the core asks, from WebCrypto: for browsers, Deno and edge runtimes; keys and CA signatures are remembered. @module */

import type { SignatureScheme } from '../base/signature-scheme.ts'
import type { AsyncHandlers, SignatureAnswer } from '../effect/effect.ts'
import { defaultCapacity, type RuntimeOptions } from './capacity.ts'
import { KeyCache } from './key-cache.ts'
import { SignatureMemo, type SignatureQuestion } from './signature-memo.ts'
import { waitForAll } from './wait.ts'

export interface WebOptions extends RuntimeOptions {
  /** Whose `subtle` answers; the platform's when absent. */
  readonly crypto?: { readonly subtle: SubtleCrypto } | undefined
}

/**
 * Handlers with caches of their own. What this WebCrypto lacks (MD5, SHA-224, DSA, small curves; on some platforms P-521,
 * Ed25519, Ed448, ML-DSA) is answered `unsupported`.
 *
 * @throws TypeError with code `webcrypto-missing` when there is none: browsers have it in secure contexts only.
 */
export function webHandlers({
  crypto = globalThis.crypto,
  keys = defaultCapacity.keys,
  signatures = defaultCapacity.signatures,
}: WebOptions = {}): AsyncHandlers {
  const subtle = crypto?.subtle
  if (subtle === undefined) {
    throw Object.assign(new TypeError('this platform has no WebCrypto'), {
      code: 'webcrypto-missing',
    })
  }
  const cache = new KeyCache<Slot>(keys)
  const memo = new SignatureMemo(signatures)
  return {
    verifySignature: (question) => {
      if (memo.has(question)) return 'valid'
      const method = methodOf(question.scheme, question.spki)
      if (method === undefined) return 'unsupported'
      const slot = cache.get(question.spki, method.use, (spki) => openSlot(subtle, method, spki))
      // WebCrypto copies its input when it is called. What is looked at later than now must be ours already, or an answer
      // could be about other bytes than those that the memo holds.
      const settled = 'key' in slot
      const own = settled && !question.memorable ? question : copyOf(question)
      return settled
        ? verify(subtle, method, slot.key, own, memo)
        : slot.pending.then((key) => verify(subtle, method, key, own, memo))
    },
    digest: async ({ hash, data }) => new Uint8Array(await subtle.digest(hash, source(data))),
    // Nothing can be put off here: what is read later is read at once.
    digestsWhenRead: async ({ hash, data }) => {
      const digests = data.map((one) => subtle.digest(hash, source(one)))
      const made = (await Promise.all(digests)).map((one) => new Uint8Array(one))
      return () => made
    },
    wait: waitForAll,
  }
}

/** A key that is being imported, and then is there; `undefined`: this platform does not import it. */
interface Slot {
  readonly pending: Promise<CryptoKey | undefined>
  key?: CryptoKey | undefined
}

/** How WebCrypto is asked. `octets`: of r and of s in the raw form of an ECDSA signature, which has no DER. */
interface Method {
  readonly use: string
  readonly importing: RsaHashedImportParams | EcKeyImportParams | Algorithm
  readonly verifying: Algorithm | EcdsaParams | RsaPssParams
  readonly octets?: number
}

function methodOf(scheme: SignatureScheme, spki: Uint8Array): Method | undefined {
  if ('hash' in scheme && (scheme.hash === 'MD5' || scheme.hash === 'SHA-224')) return undefined
  const { name } = scheme
  switch (name) {
    case 'ECDSA': {
      const curve = curves.get(spki.length)
      if (curve === undefined) return undefined
      const { namedCurve, octets } = curve
      // Deno 2.9 takes every P-384 signature over SHA-1 for a wrong one.
      if (octets === 48 && scheme.hash === 'SHA-1' && 'Deno' in globalThis) return undefined
      const verifying = { name, hash: scheme.hash }
      return { use: name, importing: { name, namedCurve }, verifying, octets }
    }
    case 'RSASSA-PKCS1-v1_5': {
      const importing = { name, hash: scheme.hash }
      return { use: name + scheme.hash, importing, verifying: { name } }
    }
    case 'RSASSA-PSS': {
      const importing = { name: 'RSA-PSS', hash: scheme.hash }
      const verifying = { name: 'RSA-PSS', saltLength: scheme.saltLength }
      return { use: name + scheme.hash, importing, verifying }
    }
    case 'DSA':
      return undefined
    default:
      return { use: name, importing: { name }, verifying: { name } }
  }
}

function openSlot(subtle: SubtleCrypto, { importing }: Method, spki: Uint8Array): Slot {
  const slot: Slot = {
    pending: attempt(() => subtle.importKey('spki', source(spki), importing, false, ['verify'])),
  }
  void slot.pending.then((key) => {
    slot.key = key
  })
  return slot
}

async function verify(
  subtle: SubtleCrypto,
  { verifying, octets }: Method,
  key: CryptoKey | undefined,
  question: SignatureQuestion,
  memo: SignatureMemo,
): Promise<SignatureAnswer> {
  if (key === undefined) return 'unsupported'
  const { data } = question
  const signature =
    octets === undefined ? question.signature : rawSignature(question.signature, octets)
  if (signature === undefined) return 'invalid'
  const valid = await attempt(() => subtle.verify(verifying, key, source(signature), source(data)))
  if (valid === undefined) return 'unsupported'
  if (!valid) return 'invalid'
  memo.remember(question)
  return 'valid'
}

/**
 * `undefined` when the platform refuses to do it. Whatever it rejects with counts: platforms have no common errors for what they
 * lack, and all of them must end as a refusal.
 */
async function attempt<T>(operation: () => Promise<T>): Promise<T | undefined> {
  try {
    return await operation()
  } catch {
    return undefined
  }
}

function copyOf(question: SignatureQuestion): SignatureQuestion {
  return {
    ...question,
    spki: new Uint8Array(question.spki),
    data: new Uint8Array(question.data),
    signature: new Uint8Array(question.signature),
  }
}

/** r and s side by side, from DER that is known to be strict; `undefined` when they are too long for the curve. */
function rawSignature(der: Uint8Array, octets: number): Uint8Array | undefined {
  const raw = new Uint8Array(2 * octets)
  let offset = der[1]! < 0x80 ? 2 : 3
  for (let i = 0; i < 2; i++) {
    const length = der[offset + 1]!
    const start = offset + 2
    offset = start + length
    // A leading zero says only that the number is positive.
    const number = der.subarray(der[start] === 0 ? start + 1 : start, offset)
    if (number.length > octets) return undefined
    raw.set(number, (i + 1) * octets - number.length)
  }
  return raw
}

/** WebCrypto's types exclude shared memory; given one, it rejects, and that is a refusal. */
function source(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>
}

/**
 * By the octets of an SPKI with an uncompressed point, RFC 5480 §2. The key's own OID is WebCrypto's to hold against
 * `namedCurve` when it imports.
 */
const curves: ReadonlyMap<number, { readonly namedCurve: string; readonly octets: number }> =
  new Map([
    [91, { namedCurve: 'P-256', octets: 32 }],
    [120, { namedCurve: 'P-384', octets: 48 }],
    [158, { namedCurve: 'P-521', octets: 66 }],
  ])
