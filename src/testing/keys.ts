/** The keys of the test PKI: a committed pool, so that a test sees the same keys in every run and waits for none. @module */

import { decodeBase64 } from '../base/base64.ts'
import pool from './key-pool.json' with { type: 'json' }
import type { WebCrypto } from './web-crypto.ts'

/** The kinds in the pool. The last six are there to be refused. */
export type KeyKind =
  | 'P-256'
  | 'P-384'
  | 'P-521'
  | 'Ed25519'
  | 'Ed448'
  | 'RSA-2048'
  | 'RSA-3072'
  | 'RSA-4096'
  | 'RSA-8192'
  | 'RSA-2048-e3'
  | 'RSA-PSS-2048'
  | 'RSA-PSS-2048-SHA-256'
  | 'RSA-1024'
  | 'P-224'
  | 'P-192'
  | 'secp256k1'
  | 'DSA-1024'
  | 'DSA-2048'

/** A key pair of the test PKI. Keys from the pool are public: they protect nothing. */
export interface TestKey {
  /** `P-256#3`, or any text that tells two keys apart. */
  readonly id: string
  readonly kind: KeyKind
  /** PKCS#8 DER. */
  readonly privateKey: Uint8Array
  /** SubjectPublicKeyInfo DER. */
  readonly publicKey: Uint8Array
}

/** A kind (the test PKI takes a key that its hierarchy has not used), one key of the pool, or a key of your own. */
export type KeyInput = KeyKind | `${KeyKind}#${number}` | TestKey

const taken = new Map<string, TestKey>()

/**
 * One key of the pool.
 *
 * @param index - From 0; the pool starts again after `poolSize(kind)` keys.
 * @example
 * const root = await issueCa('Root CA', { key: poolKey('P-256', 5) })
 * console.log(root.key.id) // P-256#5
 */
export function poolKey(kind: KeyKind, index: number): TestKey {
  const pairs = pool.keys[kind]
  const position = index % pairs.length
  const id = `${kind}#${position}`
  const known = taken.get(id)
  if (known !== undefined) return known
  const [privateKey, publicKey] = pairs[position] as [string, string]
  const key = { id, kind, privateKey: octets(privateKey), publicKey: octets(publicKey) }
  taken.set(id, key)
  return key
}

/**
 * How many keys of a kind the pool has.
 *
 * @example
 * console.log(poolKey('P-256', poolSize('P-256')) === poolKey('P-256', 0)) // true
 */
export function poolSize(kind: KeyKind): number {
  return pool.keys[kind].length
}

/**
 * A fresh key, for whoever needs more than the pool has; not the same in the next run. WebCrypto's kinds only.
 *
 * @example
 * const root = await issueCa('Root CA', { key: await generateKey('P-256') })
 */
export async function generateKey(
  kind: KeyKind,
  crypto: WebCrypto = globalThis.crypto,
): Promise<TestKey> {
  const pair = (await crypto.subtle.generateKey(generation(kind), true, [
    'sign',
    'verify',
  ])) as CryptoKeyPair
  const publicKey = new Uint8Array(await crypto.subtle.exportKey('spki', pair.publicKey))
  const privateKey = new Uint8Array(await crypto.subtle.exportKey('pkcs8', pair.privateKey))
  return { id: `${kind} ${publicKey.subarray(-12).join('.')}`, kind, privateKey, publicKey }
}

function generation(kind: KeyKind): RsaHashedKeyGenParams | EcKeyGenParams | Algorithm {
  const rsa = /^RSA-(\d+)(-e3)?$/.exec(kind)
  if (rsa !== null) {
    const publicExponent = rsa[2] === undefined ? Uint8Array.of(1, 0, 1) : Uint8Array.of(3)
    return {
      name: 'RSASSA-PKCS1-v1_5',
      modulusLength: Number(rsa[1]),
      publicExponent,
      hash: 'SHA-256',
    }
  }
  if (kind.startsWith('P-')) return { name: 'ECDSA', namedCurve: kind }
  return { name: kind }
}

/**
 * Hands out the pool's keys within one hierarchy. CAs draw from the first half and leaves from the second, by their name,
 * so that a certificate keeps its key when a test issues another one before it. No two CAs share a key, and no leaf has a
 * CA's while CAs fit into their half; leaves share keys when there are many.
 */
export class KeyRing {
  readonly #used = new Set<string>()

  /**
   * @param name - DER of the subject.
   * @throws TypeError with code `testing-keys-exhausted` when CAs have used up a kind, rather than give two CAs one key.
   */
  take(input: KeyInput, role: 'ca' | 'leaf', name: Uint8Array): TestKey {
    if (typeof input !== 'string') return input
    const [kind, index] = input.split('#') as [KeyKind, string | undefined]
    if (!Object.hasOwn(pool.keys, kind)) throw new TypeError(`not a key kind: ${kind}`)
    const key =
      index === undefined ? this.#draw(kind, role, fnv1a(name)) : poolKey(kind, Number(index))
    this.#used.add(key.id)
    return key
  }

  #draw(kind: KeyKind, role: 'ca' | 'leaf', start: number): TestKey {
    const half = poolSize(kind) >> 1
    const halves = role === 'ca' ? [0, half] : [half]
    for (const first of halves) {
      for (let step = 0; step < half; step++) {
        const key = poolKey(kind, first + ((start + step) % half))
        if (!this.#used.has(key.id)) return key
      }
    }
    if (role === 'leaf') return poolKey(kind, half + (start % half))
    throw Object.assign(new TypeError(`no ${kind} key is left: pass keys from generateKey`), {
      code: 'testing-keys-exhausted',
    })
  }
}

/** FNV-1a, 32 bits: a spread of names over keys, nothing more. */
function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (const octet of bytes) hash = Math.imul(hash ^ octet, 0x01000193) >>> 0
  return hash
}

function octets(text: string): Uint8Array {
  return decodeBase64(text) as Uint8Array
}
