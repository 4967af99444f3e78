/**
 * A test PKI: certificates, CRLs and OCSP responses for tests, right and wrong, with a fixed clock and keys that are the same
 * in every run.
 * @module
 */

export type { HashName, SignatureScheme } from '../base/signature-scheme.ts'
export {
  type CertificateAuthority,
  type IssuedBytes,
  type IssuedCertificate,
  issueCa,
  type RootOptions,
} from './authority.ts'
export type { StringType, TimeInput } from './encode.ts'
export type {
  Absent,
  AuthorityKeyIdentifierInput,
  BasicConstraintsInput,
  DistributionPointInput,
  DistributionPointNameInput,
  ExtensionName,
  ExtensionOptions,
  NameConstraintsInput,
  PolicyInput,
  RawExtension,
  ReasonName,
  ReasonsInput,
} from './extensions.ts'
export { type CertificateOptions, defaultValidity, testTime } from './issue.ts'
export {
  bulkSerialNumber,
  type CrlExtensionName,
  type CrlOptions,
  type IntegerInput,
  type IssuedCrl,
  type IssuingDistributionPointInput,
  issueCrl,
  issueDeltaCrl,
  type RevokedInput,
} from './issue-crl.ts'
export type {
  CertIDHash,
  CertStatusInput,
  IssuedOcspResponse,
  OcspResponseOptions,
  SingleResponseInput,
} from './issue-ocsp.ts'
export {
  generateKey,
  type KeyInput,
  type KeyKind,
  poolKey,
  poolSize,
  type TestKey,
} from './keys.ts'
export type {
  AttributeInput,
  GeneralNameInput,
  NameInput,
  NamesInput,
  RdnInput,
} from './names.ts'
export { toPem } from './pem.ts'
export { createPki, type Pki, type PkiOptions } from './pki.ts'
export {
  type OcspContent,
  type RedirectTarget,
  type Responder,
  type ResponderContent,
  type ResponderFault,
  type ResponderOptions,
  type ResponderRequest,
  type ResponderRoute,
  startResponder,
} from './responder.ts'
export type { SignatureOptions } from './sign.ts'
export type { UpdateOptions } from './updates.ts'
export {
  type Expected,
  type IssuedVariant,
  issueVariant,
  type VariantInputs,
  type VariantName,
  variantNames,
  variants,
} from './variants.ts'
