/** What the builds of `mtls-policy/fetch` share: a handler of the Fetch API behind a guard. @module */

import { type Closable, closeWhenRefused } from './closing.ts'
import type { Decision } from './decision.ts'
import { decideFetch } from './fetch-guard.ts'
import type { Surroundings } from './fetch-request.ts'
import type { Guard } from './guard.ts'
import type { GuardOptions } from './options.ts'
import type { HttpRequest } from './request.ts'

export type { Closable } from './closing.ts'

/** What a handler learns of a request. */
export interface ClientContext {
  readonly clientCertificate: Decision
  /** Closes a WebSocket with 1008 as soon as its client would no longer be let in. */
  readonly watch: (webSocket: Closable) => void
}

export interface Mtls<Rest extends readonly unknown[]> {
  /** For `Deno.serve`, `Bun.serve`, or `export default { fetch }` of a Worker. */
  (request: Request, ...rest: Rest): Promise<Response>
  /**
   * Puts other options in force for the requests that begin from now on.
   *
   * @throws TypeError with a `code`; the old options stay then.
   */
  readonly update: (options: GuardOptions) => void
}

export type FetchHandler<Rest extends readonly unknown[]> = (
  request: Request,
  client: ClientContext,
  ...rest: Rest
) => Response | Promise<Response>

export function protectFetch<Rest extends readonly unknown[]>(
  guard: Guard,
  handler: FetchHandler<Rest>,
  surroundingsOf: (request: Request, rest: readonly unknown[]) => Surroundings,
): Mtls<Rest> {
  const fetch = async (request: Request, ...rest: Rest): Promise<Response> => {
    const {
      decision,
      seen,
      response,
      request: later,
    } = await decideFetch(guard, request, surroundingsOf(request, rest))
    return response ?? handler(later, contextOf(guard, decision, seen), ...rest)
  }
  return Object.assign(fetch, { update: (other: GuardOptions) => guard.update(other) })
}

function contextOf(guard: Guard, decision: Decision, seen: HttpRequest): ClientContext {
  return {
    clientCertificate: decision,
    watch: (webSocket) => closeWhenRefused(guard, seen, decision, webSocket),
  }
}
