/** Remembers signatures that verified, so that a CA certificate is checked once and not for every client. @module */

import { bytesEqual } from '../base/bytes.ts'
import type { SignatureScheme } from '../base/signature-scheme.ts'
import type { Effect } from '../effect/effect.ts'
import { Generations } from './generations.ts'

export type SignatureQuestion = Extract<Effect, { op: 'verifySignature' }>

/** A question that verified, in bytes of our own. */
interface Remembered {
  readonly scheme: SignatureScheme
  readonly spki: Uint8Array
  readonly data: Uint8Array
  readonly signature: Uint8Array
}

/**
 * Holds only questions that are memorable and were answered `valid`, as copies, and compares every byte of them: a hash would be
 * one more thing to trust. Two questions that share the last octets of their signatures push each other out, which costs
 * time and nothing else.
 */
export class SignatureMemo {
  readonly #remembered: Generations<Remembered>
  readonly #equal: Equal

  /**
   * @param capacity - Signatures kept at least; twice as many at most, each with up to 16 KiB of bytes.
   * @param equal - Faster comparison of octets, where the runtime has one.
   */
  constructor(capacity: number, equal: Equal = bytesEqual) {
    this.#remembered = new Generations(capacity)
    this.#equal = equal
  }

  has(question: SignatureQuestion): boolean {
    if (!question.memorable) return false
    const remembered = this.#remembered.get(keyOf(question.signature))
    return (
      remembered !== undefined &&
      sameScheme(remembered.scheme, question.scheme) &&
      this.#equal(remembered.signature, question.signature) &&
      this.#equal(remembered.spki, question.spki) &&
      this.#equal(remembered.data, question.data)
    )
  }

  /** To be called with a question that verified, and with the very bytes that did. */
  remember({ memorable, scheme, spki, data, signature }: SignatureQuestion): void {
    if (!memorable || spki.length + data.length + signature.length > maxBytes) return
    this.#remembered.set(keyOf(signature), {
      scheme: { ...scheme },
      spki: new Uint8Array(spki),
      data: new Uint8Array(data),
      signature: new Uint8Array(signature),
    })
  }

  get size(): number {
    return this.#remembered.size
  }
}

type Equal = (a: Uint8Array, b: Uint8Array) => boolean

/** The last 16 octets, two in a code unit: random in every scheme, whereas the first ones of an ECDSA signature are DER. */
function keyOf(signature: Uint8Array): string {
  let key = ''
  for (let i = Math.max(1, signature.length - 15); i < signature.length; i += 2) {
    key += String.fromCharCode(signature[i - 1]! * 256 + signature[i]!)
  }
  return key
}

export function sameScheme(a: SignatureScheme, b: SignatureScheme): boolean {
  if (a === b) return true
  const left: { name: string; hash?: string; saltLength?: number } = a
  const right: { name: string; hash?: string; saltLength?: number } = b
  return (
    left.name === right.name && left.hash === right.hash && left.saltLength === right.saltLength
  )
}

/** Octets of one remembered question. A CA certificate and its issuer's key take about 2 KiB with RSA-4096, 10 with ML-DSA-87. */
const maxBytes = 16_384
