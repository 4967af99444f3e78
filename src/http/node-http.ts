/** The entry `mtls-policy/node-http`: handlers and WebSocket upgrades of Node's own servers, HTTP/1.1 and HTTP/2. @module */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Duplex } from 'node:stream'
import { type Closable, closeWhenRefused } from './closing.ts'
import type { Decision } from './decision.ts'
import { applyHeaders } from './node/apply.ts'
import { createNodeGuard } from './node/guard.ts'
import { handle } from './node/handle.ts'
import { NodeHttpRequest } from './node/request.ts'
import { holdSocket, refuseUpgrade } from './node/upgrade.ts'
import type { GuardOptions } from './options.ts'
import type { HttpRequest } from './request.ts'

export type { Closable } from './closing.ts'
export * from './index.ts'

export interface Mtls {
  /**
   * A handler of `node:http`, `node:https` or `node:http2` that runs for clients that may come in; others get 401.
   * `request.clientCertificate` has the verdict and the identity.
   */
  protect<
    Request extends IncomingMessage | Http2ServerRequest,
    Response extends ServerResponse | Http2ServerResponse,
  >(
    handler: (request: Request & WithClientCertificate, response: Response) => void,
  ): (request: Request, response: Response) => void
  /**
   * For the event `upgrade`: a client that may not come in is answered 401, and its socket is closed.
   *
   * @returns The decision; when it is allowed, the connection is still to be upgraded.
   */
  upgrade(request: IncomingMessage, socket: Duplex): Promise<Decision>
  /**
   * Closes a WebSocket with 1008 as soon as its client would no longer be let in: killed, revoked, expired, or by another policy.
   *
   * @param request - The one that `upgrade` decided about.
   */
  watch(request: IncomingMessage, webSocket: Closable): void
  /**
   * Puts other options in force for the requests that begin from now on.
   *
   * @throws TypeError with a `code`; the old options stay then.
   */
  update(options: GuardOptions): void
}

export interface WithClientCertificate {
  /** Set before the handler runs. */
  clientCertificate: Decision
}

/**
 * A guard for Node's own servers.
 *
 * @throws TypeError with a `code` for options that make no sense.
 * @example
 * const guard = mtls({ policy: { type: 'policy-auth-mtls', validateACLForIssuer: false }, trustAnchors: parseTrustAnchors(caPem) })
 * const handler = guard.protect((request, response) => response.end(request.clientCertificate.identity.subject))
 */
export function mtls(options: GuardOptions): Mtls {
  const guard = createNodeGuard(options)
  const upgraded = new WeakMap<IncomingMessage, Upgraded>()
  return {
    protect: (handler) => (request, response) => {
      handle(
        guard,
        request,
        response,
        request.url,
        () => {},
        (decision) => {
          handler(Object.assign(request, { clientCertificate: decision }), response)
        },
      )
    },
    upgrade: async (request, socket) => {
      const release = holdSocket(socket)
      const seen = new NodeHttpRequest(request, request.url)
      const decision = await guard.decide(seen)
      applyHeaders(guard, request, decision)
      if (decision.allowed) {
        upgraded.set(request, { seen, decision })
        release()
      } else {
        refuseUpgrade(socket, guard.answer(decision, seen))
      }
      return decision
    },
    watch: (request, webSocket) => {
      const one = upgraded.get(request)
      if (one === undefined) throw new TypeError('watch: upgrade has not let this request in')
      closeWhenRefused(guard, one.seen, one.decision, webSocket)
    },
    update: (other) => guard.update(other),
  }
}

interface Upgraded {
  readonly seen: HttpRequest
  readonly decision: Decision
}
