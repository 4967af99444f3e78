/** The entry `mtls-policy/express`: middleware for Express 4 and 5, and whatever else calls `(request, response, next)`. @module */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Decision } from './decision.ts'
import { attach } from './node/attach.ts'
import { createNodeGuard } from './node/guard.ts'
import { handle } from './node/handle.ts'
import type { GuardOptions } from './options.ts'

export * from './index.ts'

declare global {
  namespace Express {
    interface Request {
      /** Set by `mtls` before any later handler runs. */
      clientCertificate?: Decision
    }
  }
}

export interface Mtls {
  (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void): void
  /**
   * Puts other options in force for the requests that begin from now on.
   *
   * @throws TypeError with a `code`; the old options stay then.
   */
  readonly update: (options: GuardOptions) => void
}

/**
 * Middleware that lets a request pass or answers it with 401. `request.clientCertificate` has the verdict and the identity.
 *
 * @throws TypeError with a `code` for options that make no sense.
 * @example
 * app.use(mtls({
 *   policy: { type: 'policy-auth-mtls', validateACLForIssuer: false },
 *   trustAnchors: parseTrustAnchors(caPem),
 * }))
 * app.get('/', (request, response) => response.send(request.clientCertificate.identity.subject))
 */
export function mtls(options: GuardOptions): Mtls {
  const guard = createNodeGuard(options)
  const middleware = (
    request: IncomingMessage,
    response: ServerResponse,
    next: (error?: unknown) => void,
  ): void => {
    const keep = (decision: Decision): void => attach(request, decision)
    handle(guard, request, response, undefined, keep, () => next())
  }
  return Object.assign(middleware, { update: (other: GuardOptions) => guard.update(other) })
}
