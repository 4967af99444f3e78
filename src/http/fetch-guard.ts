/** Decides about requests of the Fetch API, over one set of handlers. @module */

import type { Decision } from './decision.ts'
import { fetchRequest, type Surroundings } from './fetch-request.ts'
import type { Guard } from './guard.ts'
import type { HttpRequest } from './request.ts'

export interface FetchDecision {
  readonly decision: Decision
  readonly seen: HttpRequest
  /** The answer for a client that may not come in. */
  readonly response: Response | undefined
  /** The request as it goes on: without what the client must not pass on, with what was proven. */
  readonly request: Request
}

export async function decideFetch(
  guard: Guard,
  request: Request,
  surroundings: Surroundings,
): Promise<FetchDecision> {
  const seen = received.get(request) ?? fetchRequest(request, surroundings)
  const decision = await guard.decide(seen)
  if (decision.allowed) {
    const later = rewritten(guard, request, decision)
    if (later !== request) received.set(later, seen)
    return { decision, seen, response: undefined, request: later }
  }
  surroundings.beforeRefusal?.()
  const { status, headers, body } = guard.answer(decision, seen)
  const response = new Response(request.method === 'HEAD' ? null : body, { status, headers })
  return { decision, seen, response, request }
}

/** What a rewritten request was, for the next guard. */
const received = new WeakMap<Request, HttpRequest>()

/** The same request where nothing changes. */
function rewritten(guard: Guard, request: Request, decision: Decision): Request {
  const strippedHeaders = guard.strippedHeaders(decision)
  if (strippedHeaders.isEmpty) return request
  const headers = new Headers(request.headers)
  for (const name of [...headers.keys()]) if (strippedHeaders.has(name)) headers.delete(name)
  for (const [name, value] of guard.identityHeaders(decision)) headers.set(name, value)
  return new Request(request, { headers })
}
