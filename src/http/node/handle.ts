/** Decides about a request of Node, and answers it or lets it pass. @module */

import type { ServerResponse } from 'node:http'
import type { Http2ServerResponse } from 'node:http2'
import type { Decision } from '../decision.ts'
import type { Guard } from '../guard.ts'
import { applyHeaders, respond } from './apply.ts'
import { NodeHttpRequest, type NodeRequest } from './request.ts'

/**
 * @param target - The request target as received; default: `request.originalUrl`, or else `request.url`.
 * @param decided - Told of every decision, before a refused request is answered.
 * @param pass - Goes on with a request that may come in, in the same turn where everything is known.
 */
export function handle(
  guard: Guard,
  request: NodeRequest,
  response: ServerResponse | Http2ServerResponse,
  target: string | undefined,
  decided: (decision: Decision) => void,
  pass: (decision: Decision) => void,
): void {
  const seen = new NodeHttpRequest(request, target)
  const apply = (decision: Decision): void => {
    decided(decision)
    applyHeaders(guard, request, decision)
    if (decision.allowed) pass(decision)
    else respond(request, response, guard.answer(decision, seen))
  }
  const decision = guard.decide(seen)
  if (decision instanceof Promise) void decision.then(apply)
  else apply(decision)
}
