/** What is allowed by an ACL but worth a second look. @module */

import type { IssuerAclEntry } from './entry.ts'
import type { IssuerAcl } from './read.ts'

export interface AclWarning {
  readonly code: 'issuer-acl-by-name'
  readonly entry: IssuerAclEntry
}

/**
 * Entries that allow by nothing but a name (or a key identifier, which is as freely chosen) beside several trust anchors:
 * any of those can issue a sub-CA of that name. An anchor's own name was chosen by who configured it.
 *
 * @example
 * const acl = parseIssuerAcl('allow dn CN=CA')
 * console.log(issuerAclWarnings(acl, 2)[0]?.code) // issuer-acl-by-name
 */
export function issuerAclWarnings(acl: IssuerAcl, anchorCount: number): readonly AclWarning[] {
  if (anchorCount < 2) return []
  return acl.entries
    .filter(
      ({ effect, match, at, under }) =>
        effect === 'allow' &&
        at !== 'anchor' &&
        under === undefined &&
        ('dn' in match || 'attributes' in match || 'keyId' in match),
    )
    .map((entry) => ({ code: 'issuer-acl-by-name', entry }))
}
