/** The entry `mtls-policy/koa`: middleware for Koa 2 and 3. @module */

import type { IncomingMessage } from 'node:http'
import type { Decision } from './decision.ts'
import { applyHeaders } from './node/apply.ts'
import { closeAfterBody } from './node/close-later.ts'
import { createNodeGuard } from './node/guard.ts'
import { NodeHttpRequest } from './node/request.ts'
import type { GuardOptions } from './options.ts'

export * from './index.ts'

/** Of a Koa context, what is used here. */
export interface Context {
  readonly req: IncomingMessage
  readonly originalUrl: string
  /** `state.clientCertificate` is set before any later middleware runs. */
  readonly state: { clientCertificate?: Decision }
  status: number
  body: unknown
  set(headers: Readonly<Record<string, string>>): void
}

export interface Mtls {
  (context: Context, next: () => Promise<unknown>): Promise<void>
  /**
   * Puts other options in force for the requests that begin from now on.
   *
   * @throws TypeError with a `code`; the old options stay then.
   */
  readonly update: (options: GuardOptions) => void
}

/**
 * Middleware that lets a request pass or answers it with 401. `context.state.clientCertificate` has the verdict and the identity.
 *
 * @throws TypeError with a `code` for options that make no sense.
 * @example
 * koa.use(mtls({ policy: { type: 'policy-auth-mtls', validateACLForIssuer: false }, trustAnchors: parseTrustAnchors(caPem) }))
 */
export function mtls(options: GuardOptions): Mtls {
  const guard = createNodeGuard(options)
  const middleware = async (context: Context, next: () => Promise<unknown>): Promise<void> => {
    const seen = new NodeHttpRequest(context.req, context.originalUrl)
    const found = guard.decide(seen)
    const decision = found instanceof Promise ? await found : found
    context.state.clientCertificate = decision
    applyHeaders(guard, context.req, decision)
    if (decision.allowed) {
      await next()
      return
    }
    closeAfterBody(context.req)
    const { status, headers, body } = guard.answer(decision, seen)
    context.status = status
    context.body = body
    // After the body, which sets a type of its own.
    context.set(headers)
  }
  return Object.assign(middleware, { update: (other: GuardOptions) => guard.update(other) })
}
