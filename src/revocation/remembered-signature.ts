/** A signature that many validations ask about and that is verified once. @module */

import { ask, type Steps } from '../effect/effect.ts'
import type { AlgorithmPolicy } from '../path/algorithms.ts'
import {
  askSignature,
  judgeSignature,
  type SignatureBudget,
  type SignatureFailure,
} from '../path/signature.ts'
import type {
  AlgorithmIdentifier,
  KeyDescription,
  SubjectPublicKeyInfo,
} from '../x509/certificate.ts'
import { JudgedKeys } from '../x509/judged-keys.ts'

/**
 * Keeps under which few keys it was found to verify or not. What a policy takes is asked each time, because the next validation may
 * have another one.
 */
export class RememberedSignature {
  readonly #algorithm: AlgorithmIdentifier
  readonly #data: Uint8Array
  readonly #signature: Uint8Array
  readonly #judgedKeys: JudgedKeys = new JudgedKeys()

  /** The octets are not copied and must stay as they are. */
  constructor(algorithm: AlgorithmIdentifier, data: Uint8Array, signature: Uint8Array) {
    this.#algorithm = algorithm
    this.#data = data
    this.#signature = signature
  }

  /**
   * Reports why it does not count; `undefined` when it verifies under a key and a scheme that the policy takes.
   *
   * @param key - `describeKey(spki)`.
   */
  *check(
    spki: SubjectPublicKeyInfo,
    key: KeyDescription,
    policy: AlgorithmPolicy,
    budget: SignatureBudget,
  ): Steps<SignatureFailure | undefined> {
    const known = this.#judgedKeys.verifiesUnder(spki.der)
    const question = askSignature({
      algorithm: this.#algorithm,
      data: this.#data,
      signature: this.#signature,
      spki,
      key,
      policy,
      memorable: false,
      isVerified: known !== undefined,
      budget,
    })
    if (question === undefined) return known ? undefined : { code: 'signature-invalid' }
    if ('code' in question) return question
    // Of the key as it is now: its buffer is the caller's.
    const asked = spki.der.slice()
    const answer = yield* ask(question)
    if (answer !== 'unsupported') this.#judgedKeys.remember(asked, answer === 'valid')
    return judgeSignature(question, answer)
  }
}
