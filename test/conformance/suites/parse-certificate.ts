/** Strict parsing of certificates and of single extensions, and what is found in them. @module */

import { encodeBase64 } from '../../../src/base/base64.ts'
import { toHex } from '../../../src/base/hex.ts'
import { type Result, success } from '../../../src/base/result.ts'
import { formatTime } from '../../../src/base/time.ts'
import { DerReader } from '../../../src/der/reader.ts'
import { contextConstructed } from '../../../src/der/tags.ts'
import { decodeSignatureScheme } from '../../../src/x509/algorithms.ts'
import type { Certificate } from '../../../src/x509/certificate.ts'
import type {
  AccessDescription,
  DistributionPoint,
  Extensions,
  KeyUsage,
  KeyUsageName,
} from '../../../src/x509/extensions.ts'
import type { ParseFailure } from '../../../src/x509/failure.ts'
import type { GeneralName } from '../../../src/x509/general-name.ts'
import type { RelativeDistinguishedName } from '../../../src/x509/name.ts'
import { attributeTypeText } from '../../../src/x509/name-text.ts'
import { attributeText } from '../../../src/x509/name-value.ts'
import { parseCertificate, reading } from '../../../src/x509/parse-certificate.ts'
import { readExtensionValue } from '../../../src/x509/parse-extensions.ts'
import { readGeneralNames } from '../../../src/x509/parse-general-name.ts'
import {
  type CertificateShell,
  parseCertificateShell,
  parseTbsShell,
  type TbsShell,
} from '../../../src/x509/parse-shell.ts'
import { bytesOf } from '../inputs.ts'
import { answered, type Case, compared, type Suite } from '../suite.ts'

interface ParseCase {
  readonly id: string
  readonly op: Op
  readonly der: string
  readonly expected: { readonly accept: boolean; readonly result?: Fields }
  /** Only for distribution points: whether `der` is a whole certificate. */
  readonly input?: 'certificate' | 'extension-value'
}

type Fields = Readonly<Record<string, unknown>>

type Op =
  | 'certificate-shell'
  | 'tbs'
  | 'certificate'
  | 'key-usage'
  | 'authority-info-access'
  | 'crl-distribution-points'
  | 'authority-key-identifier'
  | 'subject-key-identifier'
  | 'certificate-policies'
  | 'general-names'

export const parseCertificateSuite: Suite = {
  name: 'parse-certificate',
  file: 'parse-certificate.json',
  drivers: ['sync'],
  profiles: ['interoperable'],
  recognises: ({ cases }) => cases?.[0]?.der !== undefined && cases[0].op !== undefined,
  read: ({ cases }) => (cases as unknown as readonly ParseCase[]).map(readCase),
}

function readCase(one: ParseCase): Case {
  return {
    id: one.id,
    run() {
      const { accept, result } = one.expected
      const found = parse(one)
      if (!found.ok) return answered(accept, false, found.failure.code)
      if (!accept || result === undefined) return answered(accept, true)
      const known = Object.fromEntries(
        Object.entries(result).filter(([name]) => name in found.value),
      )
      const left = Object.keys(result).filter((name) => !(name in known))
      const note = left.length > 0 ? `not compared: ${left.join()}` : undefined
      return { ...compared(known, pick(found.value, known)), note }
    },
  }
}

/** What was found under the names of `result`; of the extensions, the one that it names. */
function pick(found: Fields, result: Fields): Fields {
  return Object.fromEntries(
    Object.entries(result).map(([name, expected]) => {
      const value = found[name]
      return [name, value instanceof Map ? value.get((expected as Found).oid) : value]
    }),
  )
}

/** One extension in the suite's form. */
interface Found {
  readonly oid: string
  readonly critical: boolean
  readonly value_hex: string
}

function parse({ op, der, input }: ParseCase): Result<Fields, ParseFailure> {
  const bytes = bytesOf(der)
  switch (op) {
    case 'certificate':
      return mapped(parseCertificate(bytes), certificateFields)
    case 'certificate-shell':
      return mapped(parseCertificateShell(bytes), shellFields)
    case 'tbs':
      return mapped(parseTbsShell(bytes), tbsFields)
    case 'general-names':
      return reading(() => {
        const reader = new DerReader(bytes)
        const names = readGeneralNames(reader, 'general names')
        reader.finish()
        return generalNameFields(names)
      })
    default:
      if (input !== 'certificate') {
        return reading(() => extensionFields(readExtensionValue(oids[op], false, bytes)))
      }
      return mapped(parseCertificate(bytes), ({ tbsCertificate }) =>
        extensionFields(tbsCertificate.extensions),
      )
  }
}

function mapped<T>(result: Result<T, ParseFailure>, map: (value: T) => Fields) {
  return result.ok ? success(map(result.value)) : result
}

const oids = {
  'subject-key-identifier': '2.5.29.14',
  'key-usage': '2.5.29.15',
  'crl-distribution-points': '2.5.29.31',
  'certificate-policies': '2.5.29.32',
  'authority-key-identifier': '2.5.29.35',
  'authority-info-access': '1.3.6.1.5.5.7.1.1',
} as const

function shellFields(shell: CertificateShell): Fields {
  return {
    tbs_certificate: encodeBase64(shell.tbsCertificate),
    signature_algorithm: encodeBase64(shell.signatureAlgorithm),
    signature: encodeBase64(shell.signatureValue),
  }
}

function tbsFields(tbs: TbsShell): Fields {
  return {
    version: tbs.version,
    serial_hex: toHex(tbs.serialNumber),
    signature_algorithm: encodeBase64(tbs.signature),
    issuer: encodeBase64(tbs.issuer),
    subject: encodeBase64(tbs.subject),
    not_before: formatTime(tbs.validity.notBefore),
    not_after: formatTime(tbs.validity.notAfter),
    spki: encodeBase64(tbs.subjectPublicKeyInfo),
    issuer_unique_id: base64OrNull(tbs.issuerUniqueID),
    subject_unique_id: base64OrNull(tbs.subjectUniqueID),
    extensions: base64OrNull(tbs.extensions),
  }
}

function certificateFields({ tbsCertificate, signatureAlgorithm }: Certificate): Fields {
  const { extensions } = tbsCertificate
  const { basicConstraints, policyConstraints } = extensions
  return {
    serial_hex: toHex(tbsCertificate.serialNumber),
    signature_algorithm_known: decodeSignatureScheme(signatureAlgorithm).ok,
    extension_count: extensions.all.length,
    extension: new Map(
      extensions.all.map(({ oid, critical, value }): [string, Found] => [
        oid,
        { oid, critical, value_hex: toHex(value) },
      ]),
    ),
    extended_key_usage_count: extensions.extendedKeyUsage?.purposes.length ?? null,
    key_usage: keyUsageNames(extensions.keyUsage),
    has_subject_alt_name: extensions.subjectAltName !== undefined,
    authority_key_identifier_hex: hexOrNull(extensions.authorityKeyIdentifier?.keyIdentifier),
    subject_key_identifier_hex: hexOrNull(extensions.subjectKeyIdentifier?.keyIdentifier),
    basic_constraints: basicConstraints
      ? { ca: basicConstraints.cA, path_len: basicConstraints.pathLenConstraint ?? null }
      : null,
    policy_constraints: policyConstraints
      ? {
          require_explicit_policy: policyConstraints.requireExplicitPolicy ?? null,
          inhibit_policy_mapping: policyConstraints.inhibitPolicyMapping ?? null,
        }
      : null,
    inhibit_any_policy: extensions.inhibitAnyPolicy?.skipCerts ?? null,
  }
}

function extensionFields(extensions: Extensions): Fields {
  const { authorityKeyIdentifier: aki, authorityInfoAccess, subjectKeyIdentifier } = extensions
  const descriptions = authorityInfoAccess?.descriptions ?? []
  return {
    bits: keyUsageNames(extensions.keyUsage),
    description_count: descriptions.length,
    ca_issuers_uris: urisOf(descriptions, '1.3.6.1.5.5.7.48.2'),
    ocsp_uris: urisOf(descriptions, '1.3.6.1.5.5.7.48.1'),
    points: extensions.cRLDistributionPoints?.points.map(pointFields) ?? [],
    key_identifier_hex: hexOrNull(aki?.keyIdentifier ?? subjectKeyIdentifier?.keyIdentifier),
    issuer: aki?.authorityCertIssuer?.map(encodedDirectoryName).join() ?? null,
    serial_hex: hexOrNull(aki?.authorityCertSerialNumber),
    policies: extensions.certificatePolicies?.policies.map((policy) => policy.policyIdentifier),
  }
}

/** The suite names only the first name, and only where it is text. */
function generalNameFields([name]: readonly GeneralName[]): Fields {
  return { type: name?.kind ?? null, value: name && 'value' in name ? textOf(name.value) : null }
}

function textOf(value: string | Uint8Array): string | null {
  return typeof value === 'string' ? value : null
}

function keyUsageNames(keyUsage: KeyUsage | undefined): readonly KeyUsageName[] {
  return usages.filter((_, bit) => ((keyUsage?.bits ?? 0) >> bit) & 1)
}

const usages: readonly KeyUsageName[] = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
]

function urisOf(descriptions: readonly AccessDescription[], method: string): readonly string[] {
  return descriptions
    .filter(({ accessMethod }) => accessMethod === method)
    .flatMap(({ accessLocation: location }) =>
      location.kind === 'uniformResourceIdentifier' ? [location.value] : [],
    )
}

/** Only the fields that the point has, in the suite's order. */
function pointFields(point: DistributionPoint): Fields {
  const { fullName = [], nameRelativeToCRLIssuer: relative, reasons, cRLIssuer } = point
  const uris = fullName.flatMap((name) =>
    name.kind === 'uniformResourceIdentifier' ? [name.value] : [],
  )
  const directory = fullName.map(directoryText).find((text) => text !== undefined)
  const issuer = cRLIssuer?.map(directoryText).find((text) => text !== undefined)
  return {
    ...(uris.length > 0 ? { uris } : {}),
    ...(directory === undefined ? {} : { directory_name: directory }),
    ...(relative === undefined ? {} : { relative_name: rdnText(relative) }),
    ...(reasons === undefined ? {} : { reasons_hex: namedBitsHex(reasons) }),
    ...(issuer === undefined ? {} : { crl_issuer: issuer }),
  }
}

/** The suite writes a name in the order of its encoding, not in that of RFC 4514. */
function directoryText(name: GeneralName): string | undefined {
  return name.kind === 'directoryName' ? name.name.rdns.map(rdnText).join(',') : undefined
}

function rdnText(rdn: RelativeDistinguishedName): string {
  return rdn
    .map((attribute) => `${attributeTypeText(attribute.type)}=${attributeText(attribute)}`)
    .join('+')
}

/** [4] and the Name: the GeneralName as it was encoded. */
function encodedDirectoryName(name: GeneralName): string {
  if (name.kind !== 'directoryName') return name.kind
  const { der } = name.name
  return encodeBase64(Uint8Array.of(contextConstructed(4), der.length, ...der))
}

/** Contents of a BIT STRING with named bits: the number of unused bits, then the octets. X.690 11.2.2 */
function namedBitsHex(bits: number): string {
  const count = 32 - Math.clz32(bits)
  const octets = new Uint8Array(1 + Math.ceil(count / 8))
  octets[0] = (8 - (count % 8)) % 8
  for (let bit = 0; bit < count; bit++) {
    const at = 1 + (bit >> 3)
    if ((bits >> bit) & 1) octets[at] = (octets[at] ?? 0) | (0x80 >> (bit & 7))
  }
  return toHex(octets)
}

function hexOrNull(bytes: Uint8Array | undefined): string | null {
  return bytes ? toHex(bytes) : null
}

function base64OrNull(bytes: Uint8Array | undefined): string | null {
  return bytes ? encodeBase64(bytes) : null
}
