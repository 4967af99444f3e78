/**
 * The closed list of what the default profile lets pass, with the reason why each lets nobody in. `profile.ts` enforces the rules
 * about certificates under profile `rfc5280`, `revocation` those about lists.
 * @module
 */

import type { ProfileCode } from './profile.ts'

/** One rule that the default profile does not enforce. */
export interface Relaxation {
  /** What a conforming certificate has. */
  readonly rule: string
  readonly source: string
  /** Why letting it pass lets nobody in. */
  readonly because: string
  /** x509-limbo's cases that expect a refusal for it. */
  readonly limboIds: readonly string[]
  /** The code of the failure under profile `rfc5280`, where it is not the row's own. */
  readonly refusedWith?: string
}

/** A row that another file enforces under profile `rfc5280`. */
export type RelaxationCode = ProfileCode | 'name-constraint-leading-period' | CrlRelaxationCode

/** What a list lacks is no failure by itself: another one may count, and the rule `onUnknown` decides. */
type CrlRelaxationCode =
  | 'crl-version-1'
  | 'crl-next-update-missing'
  | 'crl-number-missing'
  | 'crl-authority-key-identifier-missing'

/** The closed list of what the default profile lets pass. */
export const relaxations: { readonly [C in RelaxationCode]: Relaxation } = {
  'serial-number-zero': {
    rule: 'the serial number is positive',
    source: 'RFC 5280 §4.1.2.2',
    because:
      'an odd serial number still names one certificate of its issuer; users are asked to cope',
    limboIds: ['rfc5280::serial::zero'],
  },
  'serial-number-negative': {
    rule: 'the serial number is positive',
    source: 'RFC 5280 §4.1.2.2',
    because:
      'an odd serial number still names one certificate of its issuer; users are asked to cope',
    limboIds: ['rfc5280::serial::negative'],
  },
  'serial-number-too-long': {
    rule: 'the serial number has at most 20 octets',
    source: 'RFC 5280 §4.1.2.2',
    because: 'serial numbers are compared as octets of any length',
    limboIds: ['rfc5280::serial::too-long'],
  },
  'authority-key-identifier-missing': {
    rule: 'a certificate below the anchor names the key of its issuer',
    source: 'RFC 5280 §4.2.1.1',
    because: 'it only ranks candidate issuers; the signature decides',
    limboIds: [
      'rfc5280::aki::leaf-missing-aki',
      'rfc5280::aki::intermediate-missing-aki',
      'rfc5280::aki::cross-signed-root-missing-aki',
    ],
  },
  'authority-key-identifier-critical': {
    rule: 'the authority key identifier is not critical',
    source: 'RFC 5280 §4.2.1.1',
    because: 'we process it, which is all that critical asks for',
    limboIds: ['rfc5280::aki::critical-aki'],
  },
  'subject-key-identifier-missing': {
    rule: 'the certificate of a CA names its key',
    source: 'RFC 5280 §4.2.1.2',
    because: 'it only ranks candidate issuers; the signature decides',
    limboIds: ['rfc5280::ski::root-missing-ski', 'rfc5280::ski::intermediate-missing-ski'],
  },
  'subject-key-identifier-critical': {
    rule: 'the subject key identifier is not critical',
    source: 'RFC 5280 §4.2.1.2',
    because: 'we process it, which is all that critical asks for',
    limboIds: ['rfc5280::ski::critical-ski'],
  },
  'basic-constraints-not-critical': {
    rule: 'the basic constraints of a CA are critical',
    source: 'RFC 5280 §4.2.1.9',
    because: 'we enforce them either way',
    limboIds: ['rfc5280::root-non-critical-basic-constraints'],
  },
  'name-constraints-not-critical': {
    rule: 'name constraints are critical',
    source: 'RFC 5280 §4.2.1.10',
    because: 'we enforce them either way',
    limboIds: ['rfc5280::nc::permitted-dns-match-noncritical'],
  },
  'policy-constraints-not-critical': {
    rule: 'policy constraints are critical',
    source: 'RFC 5280 §4.2.1.11',
    because: 'we enforce them either way',
    limboIds: ['rfc5280::pc::ica-noncritical-pc'],
  },
  'inhibit-any-policy-not-critical': {
    rule: 'inhibitAnyPolicy is critical',
    source: 'RFC 5280 §4.2.1.14',
    because: 'we enforce it either way',
    limboIds: [],
  },
  'freshest-crl-critical': {
    rule: 'freshest CRL is not critical',
    source: 'RFC 5280 §4.2.1.15',
    because: 'it says where to ask, not what to believe',
    limboIds: [],
  },
  'no-rev-avail-critical': {
    rule: 'noRevAvail is not critical',
    source: 'RFC 9608 §2',
    because: 'we process it, which is all that critical asks for',
    limboIds: [],
  },
  'key-usage-cert-sign-without-ca': {
    rule: 'only a CA asserts keyCertSign',
    source: 'RFC 5280 §4.2.1.3',
    because: 'nothing below it is accepted without cA: RFC 5280 §6.1.4 (k)',
    limboIds: ['rfc5280::leaf-ku-keycertsign'],
  },
  'path-length-without-ca': {
    rule: 'only a CA that asserts keyCertSign has a path length',
    source: 'RFC 5280 §4.2.1.9',
    because: 'nothing below it is accepted without cA, nor where key usage lacks keyCertSign',
    limboIds: [],
  },
  'name-constraints-in-end-entity': {
    rule: 'only a CA has name constraints',
    source: 'RFC 5280 §4.2.1.10',
    because: 'they bind certificates below it, and there are none',
    limboIds: [
      'rfc5280::nc::not-allowed-in-ee-noncritical',
      'rfc5280::nc::not-allowed-in-ee-critical',
    ],
  },
  'subject-empty': {
    rule: 'an empty subject comes with a subject alternative name',
    source: 'RFC 5280 §4.1.2.6',
    because:
      'no name is then claimed: name matching and ACLs over the client find nothing to allow',
    limboIds: [],
  },
  'subject-alt-name-not-critical': {
    rule: 'beside an empty subject, the subject alternative name is critical',
    source: 'RFC 5280 §4.2.1.6',
    because: 'we process it either way',
    limboIds: ['rfc5280::san::noncritical-with-empty-subject'],
  },
  'dns-name-is-ip-address': {
    rule: 'an IP address is an iPAddress, not a dNSName',
    source: 'RFC 5280 §4.2.1.6',
    because: 'it is matched and constrained as a host name only, never as an address',
    limboIds: ['rfc5280::san::ip-in-dns'],
  },
  'dns-name-not-preferred-syntax': {
    rule: 'a dNSName has letters, digits and inner hyphens in each label',
    source: 'RFC 5280 §4.2.1.6',
    because: 'names are compared whole and constrained label by label, whatever their characters',
    limboIds: ['rfc5280::san::underscore-dns'],
  },
  'name-constraint-leading-period': {
    rule: 'a dNSName constraint does not begin with a period',
    source: 'RFC 5280 §4.2.1.10',
    because:
      'it is read as it was meant, and then permits or excludes no more than without the period',
    limboIds: ['rfc5280::nc::invalid-dnsname-leading-period'],
    refusedWith: 'name-constraint-malformed',
  },
  'crl-version-1': {
    rule: 'a CRL is of version 2',
    source: 'RFC 5280 §5.1.2.1',
    because: 'without extensions it is complete, and for every certificate of its issuer',
    limboIds: [],
    refusedWith: 'revocation-unknown',
  },
  'crl-next-update-missing': {
    rule: 'a CRL says when the next one is due',
    source: 'RFC 5280 §5.1.2.5',
    because: 'it counts for as long as maxAge says, and not at all without it',
    limboIds: [],
    refusedWith: 'revocation-unknown',
  },
  'crl-number-missing': {
    rule: 'a CRL has a number',
    source: 'RFC 5280 §5.2.3',
    because: 'signature and times decide whether it counts; no delta is ever joined to it',
    limboIds: ['crl::crlnumber-missing'],
    refusedWith: 'revocation-unknown',
  },
  'crl-authority-key-identifier-missing': {
    rule: 'a CRL names the key that signed it',
    source: 'RFC 5280 §5.2.1',
    because: 'the signature decides which key that was',
    limboIds: [],
    refusedWith: 'revocation-unknown',
  },
}
