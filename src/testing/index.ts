/**
 * A test PKI: certificates for tests, right and wrong, with a fixed clock and keys that are the same in every run.
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
export type { StringType } from './encode.ts'
export type {
  Absent,
  AuthorityKeyIdentifierInput,
  BasicConstraintsInput,
  DistributionPointInput,
  ExtensionName,
  ExtensionOptions,
  NameConstraintsInput,
  PolicyInput,
  RawExtension,
} from './extensions.ts'
export { type CertificateOptions, defaultValidity, testTime } from './issue.ts'
export {
  generateKey,
  type KeyInput,
  type KeyKind,
  poolKey,
  poolSize,
  type TestKey,
} from './keys.ts'
export type { AttributeInput, GeneralNameInput, NameInput, RdnInput } from './names.ts'
export { toPem } from './pem.ts'
export { createPki, type Pki, type PkiOptions } from './pki.ts'
export {
  type Expected,
  type IssuedVariant,
  issueVariant,
  type VariantInputs,
  type VariantName,
  variantNames,
  variants,
} from './variants.ts'
