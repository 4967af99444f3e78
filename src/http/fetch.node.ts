/** The entry `mtls-policy/fetch` under Node and Bun. @module */

import { type FetchHandler, type Mtls, protectFetch } from './fetch.ts'
import type { Guard } from './guard.ts'
import { createNodeGuard } from './node/guard.ts'
import { nodeSurroundingsOf } from './node/surroundings.ts'
import type { GuardOptions } from './options.ts'

export type { ClientContext, Closable, FetchHandler, Mtls } from './fetch.ts'
export type { Guard } from './guard.ts'
export * from './index.ts'
export type { Connection, HttpRequest, TlsConnection } from './request.ts'

/**
 * A fetch handler that runs for clients that may come in; others get 401.
 *
 * @throws TypeError with a `code` for options that make no sense.
 * @example
 * const source = rfc9440({ trust: { addresses: ['10.0.0.0/8'] } })
 * const policy = { type: 'policy-auth-mtls', validateACLForIssuer: false }
 * const handler = (request, { clientCertificate }) => new Response(clientCertificate.identity.subject)
 * const fetch = mtls(handler, { policy, source, trustAnchors: parseTrustAnchors(caPem) })
 */
export function mtls<Rest extends readonly unknown[]>(
  handler: FetchHandler<Rest>,
  options: GuardOptions,
): Mtls<Rest> {
  return protectFetch(createNodeGuard(options), handler, nodeSurroundingsOf)
}

/**
 * A guard to be called for each request, by whoever has a server of their own.
 *
 * @throws TypeError with a `code` for options that make no sense.
 * @example
 * const source = rfc9440({ trust: { addresses: ['10.0.0.0/8'] } })
 * const policy = { type: 'policy-auth-mtls', validateACLForIssuer: false }
 * const guard = createGuard({ policy, source, trustAnchors: parseTrustAnchors(caPem) })
 */
export function createGuard(options: GuardOptions): Guard {
  return createNodeGuard(options)
}
