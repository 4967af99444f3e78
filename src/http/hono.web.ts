/** The entry `mtls-policy/hono` for Workers, Deno and other edge runtimes. @module */

import { type Mtls, middleware } from './hono.ts'
import type { GuardOptions } from './options.ts'
import { surroundingsOf } from './surroundings.ts'
import { createWebGuard } from './web/guard.ts'

export type { Context, Mtls, Variables } from './hono.ts'
export * from './index.ts'

/**
 * Middleware that lets a request pass or answers it with 401. `context.get('clientCertificate')` has the verdict and the identity;
 * `source` says where the certificate is from.
 *
 * @throws TypeError with a `code` for options that make no sense.
 * @example
 * const source = rfc9440({ trust: { addresses: ['10.0.0.0/8'] } })
 * const policy = { type: 'policy-auth-mtls', validateACLForIssuer: false }
 * hono.use(mtls({ policy, source, trustAnchors: parseTrustAnchors(caPem) }))
 */
export function mtls(options: GuardOptions): Mtls {
  return middleware(createWebGuard(options), surroundingsOf)
}
