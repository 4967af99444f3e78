/** The entry `mtls-policy/fetch` for Workers, Deno and other edge runtimes. @module */

import { type FetchHandler, type Mtls, protectFetch } from './fetch.ts'
import type { Guard } from './guard.ts'
import type { GuardOptions } from './options.ts'
import { surroundingsOf } from './surroundings.ts'
import { createWebGuard } from './web/guard.ts'

export type { ClientContext, Closable, FetchHandler, Mtls } from './fetch.ts'
export type { Guard } from './guard.ts'
export * from './index.ts'
export type { Connection, HttpRequest, TlsConnection } from './request.ts'

/**
 * A fetch handler that runs for clients that may come in; others get 401. `source` says where the certificate is from.
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
  return protectFetch(createWebGuard(options), handler, surroundingsOf)
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
  return createWebGuard(options)
}
