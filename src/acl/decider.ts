/**
 * What an ACL answers, carried by the ACL itself: a validator asks through this and loads nothing of how entries are matched, so that
 * who has no ACL does not pay for one.
 * @module
 */

import type { Steps } from '../effect/effect.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { ClientAclDecision } from './client.ts'
import type { IssuerAclDecision } from './issuer.ts'
import type { ClientAcl, IssuerAcl } from './read.ts'
import type { AclPath } from './search.ts'
import type { AclWarning } from './warnings.ts'

/** The key under which an ACL carries its answers: only what was read by this package has one. */
export const decider: unique symbol = /* @__PURE__ */ Symbol('decider')

/** Times are Unix time in whole seconds. */
export interface IssuerDecider {
  /** See `decideIssuerAcl`. */
  readonly decide: (path: AclPath, time: number) => Steps<IssuerAclDecision>
  /** See `decideUnverifiedIssuer`. */
  readonly decideUnverified: (certificate: Certificate, time: number) => Steps<IssuerAclDecision>
  /** See `resolveDenied`. */
  readonly widen: (known: Iterable<Certificate>) => Steps<IssuerAcl>
  /** See `issuerAclWarnings`. */
  readonly warnings: (anchorCount: number) => readonly AclWarning[]
}

export interface ClientDecider {
  /** See `decideClientAcl`. */
  readonly decide: (path: AclPath, time: number) => Steps<ClientAclDecision>
}

/** Whether `value` was made by this package for issuers. */
export function isIssuerAcl(value: unknown): value is IssuerAcl {
  return isAcl(value) && 'widen' in value[decider]
}

/** As {@link isIssuerAcl}, for clients. */
export function isClientAcl(value: unknown): value is ClientAcl {
  return isAcl(value) && !('widen' in value[decider])
}

function isAcl(value: unknown): value is { readonly [decider]: object } {
  return typeof value === 'object' && value !== null && decider in value
}
