/**
 * What RFC 5280 §4 asks of whoever issues a certificate and RFC 5280 §6.1 does not ask of whoever validates one: refused under
 * profile `rfc5280`, let pass under `interoperable`. The table says why each is safe to let pass; nothing else is relaxed, and
 * what a certificate does say is enforced all the same.
 *
 * Not here: what both profiles refuse (empty extensions, half an authority key identifier: the reader does that; an empty
 * issuer: `checkIssuerName`) and what both read: GeneralizedTime before 2050, because RFC 5280 §4.1.2.5 asks applications to.
 *
 * @module
 */
import type { Certificate } from '../x509/certificate.ts'
import { namesMatch } from '../x509/name-match.ts'

export type Profile = 'interoperable' | 'rfc5280'

/** The part that a certificate plays on the path. */
export type Role = 'target' | 'ca' | 'anchor'

/** `index`: position in the path, 0 is the target; the trust anchor's is the number of certificates below it. */
export interface ProfileFailure {
  readonly code: ProfileCode
  readonly index: number
}

/**
 * Reports the first rule of the certificate profile, RFC 5280 §4, that `certificate` breaks. Only for profile `rfc5280`.
 *
 * `name-constraint-leading-period` is in the table too, but is found where name constraints are read.
 */
export function checkProfile(
  certificate: Certificate,
  index: number,
  role: Role,
): ProfileFailure | undefined {
  const code =
    checkSerialNumber(certificate.tbsCertificate.serialNumber) ??
    checkKeyIdentifiers(certificate, role) ??
    checkCriticality(certificate, role) ??
    checkCaFields(certificate, role) ??
    checkSubject(certificate)
  return code === undefined ? undefined : { code, index }
}

/**
 * Reports an empty issuer, under either profile: RFC 5280 §4.1.2.4. It is no pedantry. A CA without a name is outside every
 * permitted directory name without being refused by one (RFC 5280 §6.1.3 (b)), and no issuer ACL can name it.
 */
export function checkIssuerName(
  certificate: Certificate,
  index: number,
): { readonly code: 'issuer-empty'; readonly index: number } | undefined {
  return certificate.tbsCertificate.issuer.rdns.length === 0
    ? { code: 'issuer-empty', index }
    : undefined
}

/**
 * Whether the certificate of an anchor must be self-signed under profile `rfc5280`, because it names no key of an issuer:
 * RFC 5280 §4.2.1.1 excepts self-signed certificates alone. One whose issuer and subject are the same name is taken to be.
 */
export function mustBeSelfSigned(anchor: Certificate): boolean {
  const { extensions, issuer, subject } = anchor.tbsCertificate
  return (
    extensions.authorityKeyIdentifier?.keyIdentifier === undefined && !namesMatch(issuer, subject)
  )
}

/** RFC 5280 §4.1.2.2 */
function checkSerialNumber(serialNumber: Uint8Array): ProfileCode | undefined {
  const first = serialNumber[0] ?? 0
  if (first === 0 && serialNumber.length <= 1) return 'serial-number-zero'
  if (first >= 0x80) return 'serial-number-negative'
  return serialNumber.length > 20 ? 'serial-number-too-long' : undefined
}

/** RFC 5280 §4.2.1.1, RFC 5280 §4.2.1.2 */
function checkKeyIdentifiers(certificate: Certificate, role: Role): ProfileCode | undefined {
  const { authorityKeyIdentifier, subjectKeyIdentifier } = certificate.tbsCertificate.extensions
  // An anchor may omit it if it is self-signed, which only its signature tells: `mustBeSelfSigned`.
  if (authorityKeyIdentifier?.keyIdentifier === undefined && role !== 'anchor') {
    return 'authority-key-identifier-missing'
  }
  if (authorityKeyIdentifier?.critical) return 'authority-key-identifier-critical'
  if (subjectKeyIdentifier === undefined && isCa(certificate, role)) {
    return 'subject-key-identifier-missing'
  }
  if (subjectKeyIdentifier?.critical) return 'subject-key-identifier-critical'
  return undefined
}

/** The extensions for which RFC 5280 §4.2 leaves the issuer no choice. */
function checkCriticality(certificate: Certificate, role: Role): ProfileCode | undefined {
  const { extensions } = certificate.tbsCertificate
  if (extensions.basicConstraints?.critical === false && isCa(certificate, role)) {
    return 'basic-constraints-not-critical'
  }
  if (extensions.nameConstraints?.critical === false) return 'name-constraints-not-critical'
  if (extensions.policyConstraints?.critical === false) return 'policy-constraints-not-critical'
  if (extensions.inhibitAnyPolicy?.critical === false) return 'inhibit-any-policy-not-critical'
  if (extensions.freshestCRL?.critical) return 'freshest-crl-critical'
  if (extensions.noRevAvail?.critical) return 'no-rev-avail-critical'
  return undefined
}

/** What belongs in the certificate of a CA and nowhere else. RFC 5280 §4.2.1.3, RFC 5280 §4.2.1.9, RFC 5280 §4.2.1.10 */
function checkCaFields(certificate: Certificate, role: Role): ProfileCode | undefined {
  const { keyUsage, basicConstraints, nameConstraints } = certificate.tbsCertificate.extensions
  const signs = keyUsage !== undefined && (keyUsage.bits & keyCertSign) !== 0
  const ca = basicConstraints?.cA === true
  if (signs && !ca) return 'key-usage-cert-sign-without-ca'
  if (basicConstraints?.pathLenConstraint !== undefined && !(ca && signs)) {
    return 'path-length-without-ca'
  }
  if (nameConstraints !== undefined && !isCa(certificate, role)) {
    return 'name-constraints-in-end-entity'
  }
  return undefined
}

/** RFC 5280 §4.1.2.6, RFC 5280 §4.2.1.6 */
function checkSubject(certificate: Certificate): ProfileCode | undefined {
  const { subject, extensions } = certificate.tbsCertificate
  const { subjectAltName } = extensions
  if (subject.rdns.length === 0) {
    if (subjectAltName === undefined) return 'subject-empty'
    if (!subjectAltName.critical) return 'subject-alt-name-not-critical'
  }
  for (const name of subjectAltName?.names ?? []) {
    if (name.kind !== 'dNSName') continue
    if (ipv4Text.test(name.value) || ipv6Text.test(name.value)) return 'dns-name-is-ip-address'
    if (!isPreferredSyntax(name.value)) return 'dns-name-not-preferred-syntax'
  }
  return undefined
}

/** RFC 1034 §3.5 with RFC 1123 §2.1, besides a leftmost `*` label, which RFC 5280 §4.2.1.6 leaves to applications. */
function isPreferredSyntax(dnsName: string): boolean {
  if (dnsName.length > 253) return false
  const labels = dnsName.split('.')
  if (labels.length > 1 && labels[0] === '*') labels.shift()
  return labels.every((text) => label.test(text))
}

function isCa(certificate: Certificate, role: Role): boolean {
  return role !== 'target' || certificate.tbsCertificate.extensions.basicConstraints?.cA === true
}

const keyCertSign = 1 << 5
const ipv4Text = /^\d{1,3}(\.\d{1,3}){3}$/
const ipv6Text = /^[0-9a-f.]*:[0-9a-f.:]*$/i
const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i

export type ProfileCode =
  | 'serial-number-zero'
  | 'serial-number-negative'
  | 'serial-number-too-long'
  | 'authority-key-identifier-missing'
  | 'authority-key-identifier-critical'
  | 'subject-key-identifier-missing'
  | 'subject-key-identifier-critical'
  | 'basic-constraints-not-critical'
  | 'name-constraints-not-critical'
  | 'policy-constraints-not-critical'
  | 'inhibit-any-policy-not-critical'
  | 'freshest-crl-critical'
  | 'no-rev-avail-critical'
  | 'key-usage-cert-sign-without-ca'
  | 'path-length-without-ca'
  | 'name-constraints-in-end-entity'
  | 'subject-empty'
  | 'subject-alt-name-not-critical'
  | 'dns-name-is-ip-address'
  | 'dns-name-not-preferred-syntax'
