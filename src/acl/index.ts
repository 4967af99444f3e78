/** ACLs over the issuers of client certificates and over the clients themselves. @module */

export { type ClientAclDecision, decideClientAcl } from './client.ts'
export type {
  AclEffect,
  AclEntry,
  AclPosition,
  AnchorMatch,
  AttributePatterns,
  CertificateMatch,
  ClientAclEntry,
  ClientAclMatch,
  IssuerAclEntry,
  IssuerAclMatch,
} from './entry.ts'
export {
  type AclDifference,
  type AclExplanation,
  explainClientAcl,
  explainIssuerAcl,
} from './explain.ts'
export {
  type AclFailure,
  aclFailures,
  type ClientAclFailure,
  type IssuerAclFailure,
} from './failure.ts'
export {
  decideIssuerAcl,
  decideUnverifiedIssuer,
  type IssuerAclDecision,
  resolveDenied,
} from './issuer.ts'
export type { AclInvalid } from './misuse.ts'
export { type ClientAcl, clientAclFromJson, type IssuerAcl, issuerAclFromJson } from './read.ts'
export type { AclAnchor, AclPath } from './search.ts'
export { formatAcl, formatEntry, parseClientAcl, parseIssuerAcl } from './text.ts'
export { type AclWarning, issuerAclWarnings } from './warnings.ts'
