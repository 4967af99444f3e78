/** The entry `mtls-policy/fastify`: a plugin for Fastify 4 and 5, for a whole server or one route. @module */

import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import type {} from 'fastify'
import type { Decision } from './decision.ts'
import { applyHeaders } from './node/apply.ts'
import { closeAfterBody } from './node/close-later.ts'
import { createNodeGuard } from './node/guard.ts'
import { NodeHttpRequest } from './node/request.ts'
import type { GuardOptions } from './options.ts'

export * from './index.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by `mtls` before any later hook runs. */
    clientCertificate?: Decision
  }
}

/** Of a Fastify request, what is used here. */
interface Request {
  readonly raw: IncomingMessage | Http2ServerRequest
  readonly originalUrl: string
  clientCertificate?: Decision
}

/** Of a Fastify reply. */
interface Reply {
  code(status: number): unknown
  headers(headers: Readonly<Record<string, string>>): unknown
  send(body: string): unknown
}

/** Of a Fastify instance. */
interface Instance {
  addHook(name: 'onRequest', hook: Mtls['onRequest']): unknown
  hasRequestDecorator(name: 'clientCertificate'): boolean
  decorateRequest(name: 'clientCertificate', value: null): unknown
}

export interface Mtls {
  /** For `server.register(mtls(options))`: every route of the server. */
  (server: Instance): Promise<void>
  /** For one route: `{ onRequest: guard.onRequest }`. */
  readonly onRequest: (request: Request, reply: Reply) => Promise<unknown>
  /**
   * Puts other options in force for the requests that begin from now on.
   *
   * @throws TypeError with a `code`; the old options stay then.
   */
  readonly update: (options: GuardOptions) => void
}

/**
 * A plugin that lets a request pass or answers it with 401. `request.clientCertificate` has the verdict and the identity.
 *
 * @throws TypeError with a `code` for options that make no sense.
 * @example
 * const guard = mtls({ policy: { type: 'policy-auth-mtls', validateACLForIssuer: false }, trustAnchors: parseTrustAnchors(caPem) })
 * fastify.register(guard)
 */
export function mtls(options: GuardOptions): Mtls {
  const guard = createNodeGuard(options)
  const onRequest = async (request: Request, reply: Reply): Promise<unknown> => {
    const seen = new NodeHttpRequest(request.raw, request.originalUrl)
    const found = guard.decide(seen)
    const decision = found instanceof Promise ? await found : found
    request.clientCertificate = decision
    applyHeaders(guard, request.raw, decision)
    if (decision.allowed) return undefined
    closeAfterBody(request.raw)
    const { status, headers, body } = guard.answer(decision, seen)
    reply.code(status)
    reply.headers(headers)
    return reply.send(body)
  }
  const plugin = async (server: Instance): Promise<void> => {
    // A part of the server may have a second guard.
    if (!server.hasRequestDecorator('clientCertificate')) {
      server.decorateRequest('clientCertificate', null)
    }
    server.addHook('onRequest', onRequest)
  }
  return Object.assign(plugin, {
    onRequest,
    update: (other: GuardOptions) => guard.update(other),
    // The hook is for the whole server, not for this plugin's own scope; and the name that errors show.
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: 'mtls-policy',
  })
}
