/** The extensions of RFC 5280 §4.2 as a test asks for them, and their DER. @module */

import { writeBoolean, writeNull, writeOctetString, writeSequence } from '../der/writer.ts'
import {
  type KeyUsageName,
  keyUsageNames,
  type ReasonFlagName,
  reasonFlagNames,
} from '../x509/extensions.ts'
import {
  constructed,
  integer,
  integerContents,
  namedBits,
  namedBitsContents,
  oid,
  primitive,
  string,
} from './encode.ts'
import {
  encodeGeneralName,
  encodeGeneralNames,
  encodeRdn,
  type GeneralNameInput,
  type NameInput,
  type NamesInput,
  type RdnInput,
} from './names.ts'

/** Leaves a default extension out. */
export type Absent = 'absent'

export interface BasicConstraintsInput {
  readonly cA: boolean
  readonly pathLenConstraint?: number
}

export interface NameConstraintsInput {
  readonly permitted?: readonly GeneralNameInput[]
  readonly excluded?: readonly GeneralNameInput[]
}

/** A policy as dotted decimal, or with qualifiers. */
export type PolicyInput =
  | string
  | { readonly policy: string; readonly cps?: string; readonly userNotice?: string }

export interface AuthorityKeyIdentifierInput {
  readonly keyIdentifier?: Uint8Array
  readonly issuer?: NameInput
  readonly serialNumber?: number | bigint | Uint8Array
}

/** Where a list is, or what it is called. RFC 5280 §4.2.1.13 */
export interface DistributionPointNameInput {
  /** One URI of `fullName`, after those that are there. */
  readonly uri?: string
  readonly fullName?: readonly GeneralNameInput[]
  /** Written where there is no full name. */
  readonly nameRelativeToCRLIssuer?: RdnInput
}

export interface DistributionPointInput extends DistributionPointNameInput {
  /** The same as `fullName`. */
  readonly names?: readonly GeneralNameInput[]
  readonly reasons?: ReasonsInput
  readonly crlIssuer?: NamesInput
}

/** The bits of ReasonFlags in their order. RFC 5280 §4.2.1.13 */
export type ReasonName = ReasonFlagName

/** Names, or the bits: bit n is ReasonFlags bit n. */
export type ReasonsInput = readonly ReasonName[] | number

/** What to write into the extensions; what is not named keeps the default of a CA or a client. */
export interface ExtensionOptions {
  readonly basicConstraints?: BasicConstraintsInput | Absent
  readonly keyUsage?: readonly KeyUsageName[] | Absent
  /** Short names (`clientAuth`, `serverAuth`, `anyExtendedKeyUsage` …) or dotted decimal. */
  readonly extendedKeyUsage?: readonly string[] | Absent
  readonly subjectAltName?: readonly GeneralNameInput[] | Absent
  readonly issuerAltName?: readonly GeneralNameInput[] | Absent
  readonly nameConstraints?: NameConstraintsInput | Absent
  readonly certificatePolicies?: readonly PolicyInput[] | Absent
  /** Pairs of issuerDomainPolicy and subjectDomainPolicy. */
  readonly policyMappings?: readonly (readonly [issuer: string, subject: string])[] | Absent
  readonly policyConstraints?:
    | { readonly requireExplicitPolicy?: number; readonly inhibitPolicyMapping?: number }
    | Absent
  /** skipCerts. */
  readonly inhibitAnyPolicy?: number | Absent
  /** The key identifier; default: the SHA-1 of the key's bits. RFC 5280 §4.2.1.2 (1) */
  readonly subjectKeyIdentifier?: Uint8Array | Absent
  /** Default: the issuer's subjectKeyIdentifier. */
  readonly authorityKeyIdentifier?: AuthorityKeyIdentifierInput | Absent
  readonly cRLDistributionPoints?: readonly DistributionPointInput[] | Absent
  /** Where the delta CRLs are. RFC 5280 §4.2.1.15 */
  readonly freshestCRL?: readonly DistributionPointInput[] | Absent
  /** URIs. */
  readonly authorityInfoAccess?:
    | {
        readonly ocsp?: string | readonly string[]
        readonly caIssuers?: string | readonly string[]
      }
    | Absent
  /** RFC 9608 §2 */
  readonly noRevAvail?: 'present' | Absent
  /** id-pkix-ocsp-nocheck: the status of this OCSP responder is not to be asked for. RFC 6960 §4.2.2.2.1 */
  readonly ocspNoCheck?: 'present' | Absent
  /** Further extensions, written after the others in this order; the same OID twice is written twice. */
  readonly rawExtensions?: readonly RawExtension[]
  /** Sets the critical bit against the usual choice of RFC 5280 §4.2. */
  readonly criticality?: { readonly [E in ExtensionName]?: boolean }
}

export interface RawExtension {
  /** Dotted decimal. */
  readonly oid: string
  readonly critical?: boolean
  /** The octets inside extnValue. */
  readonly value: Uint8Array
}

export type ExtensionName = Exclude<keyof ExtensionOptions, 'rawExtensions' | 'criticality'>

/** @returns The Extension elements in a fixed order; empty when every extension is absent. */
export function encodeExtensions(options: ExtensionOptions): Uint8Array[] {
  const encoded: Uint8Array[] = []
  for (const name of extensionNames) {
    const value = encodeValue(name, options)
    if (value === undefined) continue
    const [id, usuallyCritical] = known[name]
    encoded.push(encodeExtension(id, options.criticality?.[name] ?? usuallyCritical, value))
  }
  for (const raw of options.rawExtensions ?? []) {
    encoded.push(encodeExtension(raw.oid, raw.critical ?? false, raw.value))
  }
  return encoded
}

/** One Extension. RFC 5280 §4.1.2.9 */
export function encodeExtension(id: string, critical: boolean, value: Uint8Array): Uint8Array {
  return critical
    ? writeSequence(oid(id), writeBoolean(true), writeOctetString(value))
    : writeSequence(oid(id), writeOctetString(value))
}

function encodeValue<E extends ExtensionName>(
  name: E,
  options: ExtensionOptions,
): Uint8Array | undefined {
  const value = options[name]
  if (value === undefined || value === 'absent') return undefined
  // The table below has one encoder for each name; the compiler cannot follow that link through a union.
  const encode = known[name][2] as (value: unknown) => Uint8Array
  return encode(value)
}

type Value<E extends ExtensionName> = Exclude<ExtensionOptions[E], undefined | Absent>

const known: {
  readonly [E in ExtensionName]: readonly [
    oid: string,
    usuallyCritical: boolean,
    encode: (value: Value<E>) => Uint8Array,
  ]
} = {
  basicConstraints: [
    '2.5.29.19',
    true,
    ({ cA, pathLenConstraint }) =>
      writeSequence(
        ...(cA ? [writeBoolean(true)] : []),
        ...(pathLenConstraint === undefined ? [] : [integer(pathLenConstraint)]),
      ),
  ],
  keyUsage: [
    '2.5.29.15',
    true,
    (usages) =>
      namedBits(usages.reduce((bits, usage) => bits | (1 << keyUsageNames.indexOf(usage)), 0)),
  ],
  extendedKeyUsage: [
    '2.5.29.37',
    false,
    (purposes) => writeSequence(...purposes.map((purpose) => oid(keyPurposes[purpose] ?? purpose))),
  ],
  subjectAltName: ['2.5.29.17', false, (names) => writeSequence(...names.map(encodeGeneralName))],
  issuerAltName: ['2.5.29.18', false, (names) => writeSequence(...names.map(encodeGeneralName))],
  nameConstraints: [
    '2.5.29.30',
    true,
    ({ permitted, excluded }) =>
      writeSequence(
        ...(permitted === undefined ? [] : [constructed(0, ...permitted.map(encodeSubtree))]),
        ...(excluded === undefined ? [] : [constructed(1, ...excluded.map(encodeSubtree))]),
      ),
  ],
  certificatePolicies: [
    '2.5.29.32',
    false,
    (policies) => writeSequence(...policies.map(encodePolicy)),
  ],
  policyMappings: [
    '2.5.29.33',
    true,
    (pairs) =>
      writeSequence(...pairs.map(([issuer, subject]) => writeSequence(oid(issuer), oid(subject)))),
  ],
  policyConstraints: [
    '2.5.29.36',
    true,
    ({ requireExplicitPolicy, inhibitPolicyMapping }) =>
      writeSequence(
        ...(requireExplicitPolicy === undefined
          ? []
          : [primitive(0, integerContents(requireExplicitPolicy))]),
        ...(inhibitPolicyMapping === undefined
          ? []
          : [primitive(1, integerContents(inhibitPolicyMapping))]),
      ),
  ],
  inhibitAnyPolicy: ['2.5.29.54', true, (skipCerts) => integer(skipCerts)],
  subjectKeyIdentifier: ['2.5.29.14', false, (identifier) => writeOctetString(identifier)],
  authorityKeyIdentifier: [
    '2.5.29.35',
    false,
    ({ keyIdentifier, issuer, serialNumber }) =>
      writeSequence(
        ...(keyIdentifier === undefined ? [] : [primitive(0, keyIdentifier)]),
        ...(issuer === undefined
          ? []
          : [constructed(1, encodeGeneralName({ directoryName: issuer }))]),
        ...(serialNumber === undefined
          ? []
          : [
              primitive(
                2,
                serialNumber instanceof Uint8Array ? serialNumber : integerContents(serialNumber),
              ),
            ]),
      ),
  ],
  cRLDistributionPoints: [
    '2.5.29.31',
    false,
    (points) => writeSequence(...points.map(encodeDistributionPoint)),
  ],
  freshestCRL: [
    '2.5.29.46',
    false,
    (points) => writeSequence(...points.map(encodeDistributionPoint)),
  ],
  authorityInfoAccess: [
    '1.3.6.1.5.5.7.1.1',
    false,
    ({ ocsp = [], caIssuers = [] }) =>
      writeSequence(
        ...[ocsp].flat().map((uri) => encodeAccess('1.3.6.1.5.5.7.48.1', uri)),
        ...[caIssuers].flat().map((uri) => encodeAccess('1.3.6.1.5.5.7.48.2', uri)),
      ),
  ],
  noRevAvail: ['2.5.29.56', false, () => writeNull()],
  ocspNoCheck: ['1.3.6.1.5.5.7.48.1.5', false, () => writeNull()],
}

const extensionNames = Object.keys(known) as readonly ExtensionName[]

function encodeSubtree(base: GeneralNameInput): Uint8Array {
  return writeSequence(encodeGeneralName(base))
}

function encodePolicy(input: PolicyInput): Uint8Array {
  if (typeof input === 'string') return writeSequence(oid(input))
  const qualifiers: Uint8Array[] = []
  if (input.cps !== undefined) {
    qualifiers.push(writeSequence(oid('1.3.6.1.5.5.7.2.1'), string('IA5String', input.cps)))
  }
  if (input.userNotice !== undefined) {
    qualifiers.push(
      writeSequence(
        oid('1.3.6.1.5.5.7.2.2'),
        writeSequence(string('UTF8String', input.userNotice)),
      ),
    )
  }
  return qualifiers.length === 0
    ? writeSequence(oid(input.policy))
    : writeSequence(oid(input.policy), writeSequence(...qualifiers))
}

function encodeAccess(method: string, uri: string): Uint8Array {
  return writeSequence(oid(method), encodeGeneralName({ uri }))
}

function encodeDistributionPoint(input: DistributionPointInput): Uint8Array {
  const { names = [], fullName = [], reasons, crlIssuer } = input
  return writeSequence(
    ...encodeDistributionPointName({ ...input, fullName: [...names, ...fullName] }),
    ...(reasons === undefined ? [] : [primitive(1, reasonFlagsContents(reasons))]),
    ...(crlIssuer === undefined ? [] : [constructed(2, ...encodeGeneralNames(crlIssuer))]),
  )
}

/** @returns The field distributionPoint `[0]`, or nothing when there is no name. RFC 5280 §4.2.1.13 */
export function encodeDistributionPointName({
  uri,
  fullName = [],
  nameRelativeToCRLIssuer: relative,
}: DistributionPointNameInput): Uint8Array[] {
  const names = [...fullName, ...(uri === undefined ? [] : [{ uri }])].map(encodeGeneralName)
  if (names.length > 0) return [constructed(0, constructed(0, ...names))]
  if (relative === undefined) return []
  // IMPLICIT: the SET's own tag gives way to the choice's.
  const name = Uint8Array.from(encodeRdn(relative))
  name[0] = 0xa1
  return [constructed(0, name)]
}

/** The content octets of a ReasonFlags. */
export function reasonFlagsContents(reasons: ReasonsInput): Uint8Array {
  if (typeof reasons === 'number') return namedBitsContents(reasons)
  return namedBitsContents(
    reasons.reduce((bits, name) => bits | (1 << reasonFlagNames.indexOf(name)), 0),
  )
}

const keyPurposes: { readonly [name: string]: string } = {
  anyExtendedKeyUsage: '2.5.29.37.0',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  emailProtection: '1.3.6.1.5.5.7.3.4',
  timeStamping: '1.3.6.1.5.5.7.3.8',
  OCSPSigning: '1.3.6.1.5.5.7.3.9',
}
