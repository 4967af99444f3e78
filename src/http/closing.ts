/** Closes a WebSocket whose client would no longer be let in. @module */

import type { Decision } from './decision.ts'
import type { Guard } from './guard.ts'
import type { HttpRequest } from './request.ts'

/** A WebSocket of any kind: the platform's, or that of the package `ws`. */
export interface Closable {
  close(code: number, reason: string): void
  addEventListener(type: 'close', listener: () => void): void
}

/** RFC 6455 §7.4.1. The reason is no more than a stranger may know. */
export const policyViolated = {
  code: 1008,
  reason: 'client certificate no longer accepted',
} as const

export function closeWhenRefused(
  guard: Guard,
  request: HttpRequest,
  decision: Decision,
  webSocket: Closable,
): void {
  const end = guard.watch(request, decision, () => {
    webSocket.close(policyViolated.code, policyViolated.reason)
  })
  webSocket.addEventListener('close', end)
}
