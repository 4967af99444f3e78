/** A certificate as people want to read it: every field as text, with its digests. @module */

import { encodeBase64, encodeBase64Url } from '../base/base64.ts'
import { toHex } from '../base/hex.ts'
import { ask, type DigestName, type Steps } from '../effect/effect.ts'
import { decodeSignatureScheme, describeKey } from '../x509/algorithms.ts'
import type { Certificate, SubjectPublicKeyInfo } from '../x509/certificate.ts'
import {
  type AccessDescription,
  type DistributionPoint,
  type Extensions,
  type KeyUsageName,
  keyUsageNames,
} from '../x509/extensions.ts'
import type { GeneralName } from '../x509/general-name.ts'
import { formatName } from '../x509/name-text.ts'
import { generalNameText } from './identity.ts'

/** Plain data that `JSON.stringify` writes as it stands. Nothing in it is proven. */
export interface CertificateDescription {
  readonly version: 1 | 2 | 3
  /** RFC 4514 text. */
  readonly subject: string
  readonly issuer: string
  /** Hexadecimal, two digits an octet, as encoded. */
  readonly serialNumber: string
  readonly notBefore: Date
  /** The last second that counts. */
  readonly notAfter: Date
  /** `ECDSA with SHA-256`, or the dotted OID of what is not known. */
  readonly signatureAlgorithm: string
  readonly key: {
    /** `EC`, `RSA`, `RSA-PSS`, `Ed25519` …; `unknown` and `malformed` too. */
    readonly kind: string
    /** In bits. */
    readonly size?: number
    readonly curve?: string
    /** Decimal. */
    readonly exponent?: string
  }
  /** `dNSName:client.example`, and likewise for the other forms. */
  readonly subjectAltNames: readonly string[]
  readonly keyUsage?: readonly KeyUsageName[]
  /** Short names, dotted decimal for those without. */
  readonly extendedKeyUsage?: readonly string[]
  readonly basicConstraints?: { readonly cA: boolean; readonly pathLenConstraint?: number }
  readonly nameConstraints?: {
    readonly permitted?: readonly string[]
    readonly excluded?: readonly string[]
  }
  /** Dotted decimal. */
  readonly certificatePolicies?: readonly string[]
  /** `issuerDomainPolicy = subjectDomainPolicy`. */
  readonly policyMappings?: readonly string[]
  readonly policyConstraints?: {
    readonly requireExplicitPolicy?: number
    readonly inhibitPolicyMapping?: number
  }
  /** skipCerts. */
  readonly inhibitAnyPolicy?: number
  /** Hexadecimal. */
  readonly subjectKeyIdentifier?: string
  readonly authorityKeyIdentifier?: string
  readonly crlUris: readonly string[]
  readonly ocspUris: readonly string[]
  readonly caIssuersUris: readonly string[]
  /** RFC 9608 §2 */
  readonly noRevAvail: boolean
  /** All of them in their order. */
  readonly extensions: readonly {
    readonly oid: string
    /** Absent when it is not known here. */
    readonly name?: string
    readonly critical: boolean
  }[]
  /** Of the certificate, hexadecimal. */
  readonly sha256: string
  /** Of the certificate, hexadecimal; to look it up in older systems, not to trust it by. */
  readonly sha1: string
  /** SHA-256 of the SubjectPublicKeyInfo, hexadecimal: what an ACL entry `spki-sha256` holds. */
  readonly spkiSha256: string
  /** The same in base64, as HTTP pins and curl write it. */
  readonly spkiPin: string
  /** Base64url. RFC 8705 §3.1 */
  readonly 'x5t#S256': string
}

/** Puts a certificate into words; asks for three digests. */
export function* describeCertificateSteps(certificate: Certificate): Steps<CertificateDescription> {
  const { tbsCertificate, der } = certificate
  const { extensions, validity, subjectPublicKeyInfo } = tbsCertificate
  const sha256 = yield* digest('SHA-256', der)
  const sha1 = yield* digest('SHA-1', der)
  const spki = yield* digest('SHA-256', subjectPublicKeyInfo.der)
  const scheme = decodeSignatureScheme(certificate.signatureAlgorithm)
  return {
    version: tbsCertificate.version,
    subject: formatName(tbsCertificate.subject),
    issuer: formatName(tbsCertificate.issuer),
    serialNumber: toHex(tbsCertificate.serialNumber),
    notBefore: new Date(validity.notBefore * 1000),
    notAfter: new Date(validity.notAfter * 1000),
    signatureAlgorithm: !scheme.ok
      ? certificate.signatureAlgorithm.algorithm
      : 'hash' in scheme.value
        ? `${scheme.value.name} with ${scheme.value.hash}`
        : scheme.value.name,
    key: keyOf(subjectPublicKeyInfo),
    ...describeExtensions(extensions),
    sha256: toHex(sha256),
    sha1: toHex(sha1),
    spkiSha256: toHex(spki),
    spkiPin: encodeBase64(spki),
    'x5t#S256': encodeBase64Url(sha256),
  }
}

function* digest(hash: DigestName, data: Uint8Array): Steps<Uint8Array> {
  return yield* ask({ op: 'digest', hash, data })
}

function keyOf(spki: SubjectPublicKeyInfo): CertificateDescription['key'] {
  const key = describeKey(spki)
  switch (key.kind) {
    case 'RSA':
    case 'RSA-PSS':
      return {
        kind: key.kind,
        size: key.size,
        exponent: BigInt(`0x${toHex(key.exponent) || '0'}`).toString(),
      }
    case 'EC':
      return { kind: key.kind, size: key.size, curve: key.curve }
    case 'unknown':
    case 'malformed':
      return { kind: key.kind }
    default:
      return { kind: key.kind, size: key.size }
  }
}

type ExtensionFields = Omit<
  CertificateDescription,
  | 'version'
  | 'subject'
  | 'issuer'
  | 'serialNumber'
  | 'notBefore'
  | 'notAfter'
  | 'signatureAlgorithm'
  | 'key'
  | 'sha256'
  | 'sha1'
  | 'spkiSha256'
  | 'spkiPin'
  | 'x5t#S256'
>

function describeExtensions(extensions: Extensions): ExtensionFields {
  const { keyUsage, basicConstraints, nameConstraints, policyConstraints, inhibitAnyPolicy } =
    extensions
  const purposes = extensions.extendedKeyUsage?.purposes
  const policies = extensions.certificatePolicies?.policies
  const mappings = extensions.policyMappings?.mappings
  const subjectKey = extensions.subjectKeyIdentifier?.keyIdentifier
  const authorityKey = extensions.authorityKeyIdentifier?.keyIdentifier
  const access = extensions.authorityInfoAccess?.descriptions ?? []
  return {
    subjectAltNames: (extensions.subjectAltName?.names ?? []).map(generalNameText),
    ...(keyUsage && { keyUsage: keyUsageNames.filter((_, bit) => keyUsage.bits & (1 << bit)) }),
    ...(purposes && { extendedKeyUsage: purposes.map((oid) => purposeNames[oid] ?? oid) }),
    ...(basicConstraints && {
      basicConstraints: defined({
        cA: basicConstraints.cA,
        pathLenConstraint: basicConstraints.pathLenConstraint,
      }),
    }),
    ...(nameConstraints && {
      nameConstraints: defined({
        permitted: nameConstraints.permittedSubtrees?.map(({ base }) => subtreeText(base)),
        excluded: nameConstraints.excludedSubtrees?.map(({ base }) => subtreeText(base)),
      }),
    }),
    ...(policies && {
      certificatePolicies: policies.map(({ policyIdentifier }) => policyIdentifier),
    }),
    ...(mappings && {
      policyMappings: mappings.map(
        ({ issuerDomainPolicy, subjectDomainPolicy }) =>
          `${issuerDomainPolicy} = ${subjectDomainPolicy}`,
      ),
    }),
    ...(policyConstraints && {
      policyConstraints: defined({
        requireExplicitPolicy: policyConstraints.requireExplicitPolicy,
        inhibitPolicyMapping: policyConstraints.inhibitPolicyMapping,
      }),
    }),
    ...(inhibitAnyPolicy && { inhibitAnyPolicy: inhibitAnyPolicy.skipCerts }),
    ...(subjectKey && { subjectKeyIdentifier: toHex(subjectKey) }),
    ...(authorityKey && { authorityKeyIdentifier: toHex(authorityKey) }),
    crlUris: crlUris(extensions.cRLDistributionPoints?.points ?? []),
    ocspUris: accessUris(access, '1.3.6.1.5.5.7.48.1'),
    caIssuersUris: accessUris(access, '1.3.6.1.5.5.7.48.2'),
    noRevAvail: extensions.noRevAvail !== undefined,
    extensions: extensions.all.map(({ oid, critical }) => {
      const name = extensionNames[oid]
      return name === undefined ? { oid, critical } : { oid, name, critical }
    }),
  }
}

/** Without the fields that are undefined. */
function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }
}

/** An address constraint is address and mask: written with a prefix length, or with the mask when its ones have gaps. */
function subtreeText(base: GeneralName): string {
  if (base.kind !== 'iPAddress') return generalNameText(base)
  const half = base.octets.length / 2
  const address = generalNameText({ kind: 'iPAddress', octets: base.octets.subarray(0, half) })
  const mask = base.octets.subarray(half)
  const bits = [...mask].map((octet) => octet.toString(2).padStart(8, '0')).join('')
  const ones = /^(1*)0*$/.exec(bits)?.[1]
  return `${address}/${ones === undefined ? toHex(mask) : ones.length}`
}

function crlUris(points: readonly DistributionPoint[]): string[] {
  return points.flatMap(({ fullName }) => (fullName ?? []).flatMap(uriOf))
}

function accessUris(descriptions: readonly AccessDescription[], method: string): string[] {
  return descriptions.flatMap(({ accessMethod, accessLocation }) =>
    accessMethod === method ? uriOf(accessLocation) : [],
  )
}

function uriOf(name: GeneralName): string[] {
  return name.kind === 'uniformResourceIdentifier' ? [name.value] : []
}

/** RFC 5280 §4.2.1.12, and two of Microsoft's that client certificates often have. */
const purposeNames: Readonly<Record<string, string>> = {
  '2.5.29.37.0': 'anyExtendedKeyUsage',
  '1.3.6.1.5.5.7.3.1': 'serverAuth',
  '1.3.6.1.5.5.7.3.2': 'clientAuth',
  '1.3.6.1.5.5.7.3.3': 'codeSigning',
  '1.3.6.1.5.5.7.3.4': 'emailProtection',
  '1.3.6.1.5.5.7.3.8': 'timeStamping',
  '1.3.6.1.5.5.7.3.9': 'OCSPSigning',
  '1.3.6.1.4.1.311.20.2.2': 'smartcardLogon',
  '1.3.6.1.4.1.311.10.3.4': 'encryptingFileSystem',
}

const extensionNames: Readonly<Record<string, string>> = {
  '2.5.29.9': 'subjectDirectoryAttributes',
  '2.5.29.14': 'subjectKeyIdentifier',
  '2.5.29.15': 'keyUsage',
  '2.5.29.17': 'subjectAltName',
  '2.5.29.18': 'issuerAltName',
  '2.5.29.19': 'basicConstraints',
  '2.5.29.30': 'nameConstraints',
  '2.5.29.31': 'cRLDistributionPoints',
  '2.5.29.32': 'certificatePolicies',
  '2.5.29.33': 'policyMappings',
  '2.5.29.35': 'authorityKeyIdentifier',
  '2.5.29.36': 'policyConstraints',
  '2.5.29.37': 'extKeyUsage',
  '2.5.29.46': 'freshestCRL',
  '2.5.29.54': 'inhibitAnyPolicy',
  '2.5.29.56': 'noRevAvail',
  '1.3.6.1.5.5.7.1.1': 'authorityInfoAccess',
  '1.3.6.1.5.5.7.1.11': 'subjectInfoAccess',
  '1.3.6.1.5.5.7.1.24': 'tlsFeature',
  '1.3.6.1.4.1.11129.2.4.2': 'signedCertificateTimestamps',
}
