/** What every entry point of the package shares; the drivers are added by `index.node.ts`, `index.web.ts` and `sync.ts`. @module */

export type { ClientAcl, IssuerAcl } from './acl/index.ts'
export type { CertificateSource, PresentedSource } from './client/certificate-source.ts'
export type { Failure, FailureCode } from './client/failure.ts'
export type { Identity, IssuerIdentity } from './client/identity.ts'
export { type Intermediates, parseIntermediates } from './client/intermediates.ts'
export type { Misuse, MisuseCode } from './client/misuse.ts'
export type { ValidateOptions } from './client/options.ts'
export type {
  IssuerRevocation,
  PerIssuer,
  RevocationOptions,
} from './client/revocation-options.ts'
export {
  parseTrustAnchors,
  type TrustAnchorSource,
  type TrustAnchors,
} from './client/trust-anchors.ts'
export type {
  Refused,
  RefusedPath,
  Unverified,
  Verdict,
  Verified,
  Warning,
} from './client/verdict.ts'
export type { TrustAnchor } from './path/trust-anchor.ts'
export type { RevocationFailure } from './revocation/check.ts'
export type { Crls } from './revocation/crls.ts'
export type { KillList } from './revocation/kill-list.ts'
export type { KillFailure } from './revocation/kill-lists.ts'
export type { StatusProvider, WantedStatus } from './revocation/provider.ts'
export type { OcspResponses } from './revocation/responses.ts'
export type {
  CertificateStatus,
  StatusEvidence,
  StatusIssuer,
  StatusProblem,
} from './revocation/status.ts'
export type { CallOptions, ValidatorCapacity, ValidatorOptions } from './runtime/validator.ts'
export type { Certificate } from './x509/certificate.ts'
export type { CertificateList, RevocationReason } from './x509/crl.ts'
export { formatName } from './x509/name-text.ts'
export { parseCertificate } from './x509/parse-certificate.ts'
