/** The ERROR pipeline of one request: asked once, about whatever goes wrong first, so that a refusal in it leads into it no second time. @module */

import type { Decision } from '../http/decision.ts'
import type { Guard } from '../http/guard.ts'
import type { HttpRequest } from '../http/request.ts'
import type { ApiProxy } from './api-proxy.ts'

/** What ERROR itself does not let through. */
export interface Refusal {
  readonly guard: Guard
  readonly decision: Decision
}

/** Runs a part of a request's work, and answers for what it throws. */
export type Safely = (work: () => void) => void

export class ErrorPipeline {
  readonly #safely: Safely
  readonly #tell: (decision: Decision) => void
  #isAsked = false

  /** @param tell - Told of its decision, before anybody acts on it. */
  constructor(safely: Safely, tell: (decision: Decision) => void) {
    this.#safely = safely
    this.#tell = tell
  }

  /** Nobody is asked any more. */
  close(): void {
    this.#isAsked = true
  }

  /**
   * @param proxy - `undefined`: none was found.
   * @param then - Told of a refusal; `undefined`: the client may be told what went wrong.
   */
  ask(
    proxy: ApiProxy | undefined,
    request: HttpRequest,
    then: (refusal: Refusal | undefined) => void,
  ): void {
    const guard = proxy?.guards.ERROR
    if (guard === undefined || this.#isAsked) {
      then(undefined)
      return
    }
    this.#isAsked = true
    const decided = (decision: Decision): void => {
      this.#tell(decision)
      then(decision.allowed ? undefined : { guard, decision })
    }
    decide(guard, request, decided, this.#safely)
  }
}

/** Goes on in the same turn where everything is known. */
export function decide(
  guard: Guard,
  request: HttpRequest,
  decided: (decision: Decision) => void,
  safely: Safely,
): void {
  const decision = guard.decide(request)
  if (decision instanceof Promise) void decision.then((later) => safely(() => decided(later)))
  else decided(decision)
}
