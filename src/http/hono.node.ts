/** The entry `mtls-policy/hono` under Node and Bun. @module */

import { type Mtls, middleware } from './hono.ts'
import { createNodeGuard } from './node/guard.ts'
import { nodeSurroundingsOf } from './node/surroundings.ts'
import type { GuardOptions } from './options.ts'

export type { Context, Mtls, Variables } from './hono.ts'
export * from './index.ts'

/**
 * Middleware that lets a request pass or answers it with 401. `context.get('clientCertificate')` has the verdict and the identity.
 *
 * @throws TypeError with a `code` for options that make no sense.
 * @example
 * const source = rfc9440({ trust: { addresses: ['10.0.0.0/8'] } })
 * const policy = { type: 'policy-auth-mtls', validateACLForIssuer: false }
 * hono.use(mtls({ policy, source, trustAnchors: parseTrustAnchors(caPem) }))
 */
export function mtls(options: GuardOptions): Mtls {
  return middleware(createNodeGuard(options), nodeSurroundingsOf)
}
