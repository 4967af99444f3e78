/**
 * All that the core may ask, and the two drivers that answer, now or later. The core is a generator: it does no I/O, reads
 * no clock and holds no key handle, so one algorithm serves sync and async callers alike.
 * @module
 */

import type { SignatureScheme } from '../base/signature-scheme.ts'

/** All that the core may ask. Bytes only, so that any runtime can answer. */
export type Effect =
  | {
      readonly op: 'verifySignature'
      readonly scheme: SignatureScheme
      /** DER of a SubjectPublicKeyInfo that common libraries import (an id-RSASSA-PSS key comes as rsaEncryption). */
      readonly spki: Uint8Array
      readonly data: Uint8Array
      /** As in the BIT STRING: ECDSA and DSA as DER of r and s, already known to be strict. */
      readonly signature: Uint8Array
      /** True for what many clients share (a CA certificate): a runtime may remember that it verified. */
      readonly memorable: boolean
    }
  | { readonly op: 'digest'; readonly hash: DigestName; readonly data: Uint8Array }
  /** For what is perhaps never read, as fingerprints are: a runtime that can may put the work off. */
  | {
      readonly op: 'digestsWhenRead'
      readonly hash: DigestName
      readonly data: readonly Uint8Array[]
    }
  /** Until all have settled or the time is over, whichever comes first. Who cannot wait goes on at once. */
  | {
      readonly op: 'wait'
      readonly until: readonly Promise<void>[]
      readonly milliseconds: number
    }

export type DigestName = 'SHA-1' | 'SHA-256'

/** `unsupported`: this runtime lacks the algorithm or cannot import the key; never the same as "invalid". */
export type SignatureAnswer = 'valid' | 'invalid' | 'unsupported'

export interface Answers {
  readonly verifySignature: SignatureAnswer
  readonly digest: Uint8Array
  /** In the order of `data`, which stays as it is: the core asks for octets of its own. */
  readonly digestsWhenRead: () => readonly Uint8Array[]
  /** Milliseconds that it took; `undefined` from who cannot wait. */
  readonly wait: number | undefined
}
type Op = keyof Answers
type Answer = Answers[Op]

export type Handlers = {
  readonly [O in Op]: (effect: Extract<Effect, { op: O }>) => Answers[O]
}
export type AsyncHandlers = {
  readonly [O in Op]: (effect: Extract<Effect, { op: O }>) => Answers[O] | Promise<Answers[O]>
}
export type Steps<T> = Generator<Effect, T, Answer>

/** The one cast that joins a question to the type of its answer. */
export function* ask<E extends Effect>(effect: E): Generator<Effect, Answers[E['op']], Answer> {
  return (yield effect) as Answers[E['op']]
}

/**
 * Runs the core to its end; `handlers` answer at once.
 *
 * @example
 * const result = runSync(buildPath(certificate, options), handlers)
 */
export function runSync<T>(steps: Steps<T>, handlers: Handlers): T {
  let step = steps.next()
  while (!step.done) {
    step = steps.next((handlers[step.value.op] as (effect: Effect) => Answer)(step.value))
  }
  return step.value
}

/**
 * Runs the core to its end; `handlers` may answer later, and a rejection passes through.
 *
 * @example
 * const result = await runAsync(buildPath(certificate, options), handlers)
 */
export async function runAsync<T>(steps: Steps<T>, handlers: AsyncHandlers): Promise<T> {
  let step = steps.next()
  while (!step.done) {
    const answer = (handlers[step.value.op] as (effect: Effect) => Answer | Promise<Answer>)(
      step.value,
    )
    // An answer that is already there must not cost a turn of the microtask queue.
    step = steps.next(answer instanceof Promise ? await answer : answer)
  }
  return step.value
}

/**
 * Runs the core as far as answers are there at once, often to its end: then no promise is made, and the caller goes on in the same turn.
 *
 * @returns The result, or a promise of it.
 */
export function runReady<T>(steps: Steps<T>, handlers: AsyncHandlers): T | Promise<T> {
  let step = steps.next()
  while (!step.done) {
    const answer = (handlers[step.value.op] as (effect: Effect) => Answer | Promise<Answer>)(
      step.value,
    )
    if (answer instanceof Promise) {
      return answer.then((later) => runAsync(resumed(steps, later), handlers))
    }
    step = steps.next(answer)
  }
  return step.value
}

/** The same steps from an answer on. */
function* resumed<T>(steps: Steps<T>, answer: Answer): Steps<T> {
  let step = steps.next(answer)
  while (!step.done) step = steps.next(yield step.value)
  return step.value
}
