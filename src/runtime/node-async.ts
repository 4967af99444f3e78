/** As `node.ts`, for the async driver: it can wait, and what takes long does not keep others waiting. @module */

import { bytesEqual } from '../base/bytes.ts'
import type { AsyncHandlers, SignatureAnswer } from '../effect/effect.ts'
import type { RuntimeOptions } from './capacity.ts'
import { nodeHandlers } from './node.ts'
import { type SignatureQuestion, sameScheme } from './signature-memo.ts'
import { verifyInTurns } from './verify-in-turns.ts'
import { waitForAll } from './wait.ts'

interface Running {
  readonly question: SignatureQuestion
  readonly answer: Promise<SignatureAnswer>
}

/** Handlers with caches of their own. They answer at once but for large data and for what is waited for. */
export function asyncNodeHandlers(options?: RuntimeOptions): AsyncHandlers {
  const handlers = nodeHandlers(options)
  /** By the very octets that are signed: many clients of one CA ask the same at the same time. */
  const running = new WeakMap<Uint8Array, Running>()
  return {
    ...handlers,
    verifySignature: (question) => {
      const { data } = question
      if (data.length < largeOctets) return handlers.verifySignature(question)
      const begun = running.get(data)
      if (begun !== undefined && isSame(begun.question, question)) return begun.answer
      const answer = verifyInTurns(question)
      // Copies: their buffers may be the caller's, and the answer is about what they hold now.
      const { spki, signature } = question
      const own = { ...question, spki: spki.slice(), signature: signature.slice() }
      running.set(data, { question: own, answer })
      const done = (): void => {
        running.delete(data)
      }
      answer.then(done, done)
      return answer
    },
    wait: waitForAll,
  }
}

function isSame(a: SignatureQuestion, b: SignatureQuestion): boolean {
  return (
    sameScheme(a.scheme, b.scheme) &&
    bytesEqual(a.spki, b.spki) &&
    bytesEqual(a.signature, b.signature)
  )
}

/** Local limit: a millisecond of hashing. */
const largeOctets = 1 << 20
