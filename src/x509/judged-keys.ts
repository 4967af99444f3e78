/** Under which keys one signed list was found to verify or not: it is held against few keys, again and again. @module */

import { bytesEqual } from '../base/bytes.ts'

/**
 * Answers that were found once; the octets that they are about never change. What does not verify is remembered as well, because a forged
 * list of 35 MB beside the right one must not be hashed for every client.
 */
export class JudgedKeys {
  #answers: readonly Answer[] = []

  /** `undefined`: not tried yet. `spki` is a SubjectPublicKeyInfo in DER. */
  verifiesUnder(spki: Uint8Array): boolean | undefined {
    for (const answer of this.#answers) {
      if (bytesEqual(answer.spki, spki)) return answer.verifies
    }
    return undefined
  }

  /** The key under which it was last found to verify. */
  get proven(): Uint8Array | undefined {
    return this.#answers.find(({ verifies }) => verifies)?.spki
  }

  remember(spki: Uint8Array, verifies: boolean): void {
    // The newest first, in a copy: the caller may reuse its buffer.
    const answer = { spki: new Uint8Array(spki), verifies }
    const others = this.#answers.filter((one) => !bytesEqual(one.spki, spki))
    this.#answers = [answer, ...others].slice(0, maxAnswers)
  }
}

interface Answer {
  readonly spki: Uint8Array
  readonly verifies: boolean
}

/** Local limit: a CA has a key or two at a time. */
const maxAnswers = 8
