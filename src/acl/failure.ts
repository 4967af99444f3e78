/** Why an ACL refuses: the codes, their source and their text. @module */

import type { ClientAclEntry, IssuerAclEntry } from './entry.ts'

export type IssuerAclFailure =
  | { readonly code: 'acl-empty' }
  | { readonly code: 'issuer-not-allowed' }
  | { readonly code: 'issuer-denied'; readonly entry: IssuerAclEntry }
  /** Nothing of the path is proven, and this entry, which denies, needs more than the presented issuer name to be ruled out. */
  | { readonly code: 'issuer-deny-unchecked'; readonly entry: IssuerAclEntry }

export type ClientAclFailure =
  | { readonly code: 'acl-empty' }
  | { readonly code: 'client-not-allowed' }
  | { readonly code: 'client-denied'; readonly entry: ClientAclEntry }

export type AclFailure = IssuerAclFailure | ClientAclFailure

type Describe<C> = readonly [
  source: string,
  text: (failure: Extract<AclFailure, { code: C }>) => string,
]

export const aclFailures: { readonly [C in AclFailure['code']]: Describe<C> } = {
  'acl-empty': ['ACL', () => 'the ACL has no entries, so it allows nobody'],
  'issuer-not-allowed': ['ACL', () => 'no entry of the issuer ACL allows the issuer'],
  'issuer-denied': ['ACL', (f) => `the issuer ACL denies the issuer${noted(f.entry)}`],
  'issuer-deny-unchecked': [
    'ACL',
    (f) =>
      `an entry that denies cannot be checked without validating the certificate${noted(f.entry)}`,
  ],
  'client-not-allowed': ['ACL', () => 'no entry of the client ACL allows the client'],
  'client-denied': ['ACL', (f) => `the client ACL denies the client${noted(f.entry)}`],
}

function noted(entry: { readonly note?: string }): string {
  return entry.note === undefined ? '' : `: ${entry.note}`
}
