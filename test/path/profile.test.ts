import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  checkIssuerName,
  checkProfile,
  type ProfileCode,
  type Role,
} from '../../src/path/profile.ts'
import { relaxations } from '../../src/path/relaxations.ts'
import type { Certificate, TbsCertificate } from '../../src/x509/certificate.ts'
import type { Extensions } from '../../src/x509/extensions.ts'
import type { GeneralName } from '../../src/x509/general-name.ts'
import { certificateOf, nameOf } from './certificate-of.ts'

type Change = Partial<Extensions> & { readonly without?: keyof Extensions } & Partial<
    Pick<TbsCertificate, 'serialNumber' | 'subject' | 'issuer'>
  >

const keyIdentifier = Uint8Array.of(1, 2, 3)
const critical = true
const info = { descriptions: [] }
const signs = { bits: 1 << 5, critical }
const dns = (value: string): GeneralName => ({ kind: 'dNSName', value })
const san = (value: string) => ({ subjectAltName: { names: [dns(value)], critical: false } })

describe('what RFC 5280 asks of issuers, RFC 5280 §4', () => {
  test.each(['target', 'ca', 'anchor'] as const)('a conforming %s passes', (role) => {
    expect(codeOf(role)).toBeUndefined()
  })
  test.each<[ProfileCode, Role, Change]>([
    ['serial-number-zero', 'target', { serialNumber: Uint8Array.of(0) }],
    ['serial-number-zero', 'ca', { serialNumber: Uint8Array.of() }],
    ['serial-number-negative', 'target', { serialNumber: Uint8Array.of(0x80) }],
    ['serial-number-negative', 'anchor', { serialNumber: Uint8Array.of(0xff, 1) }],
    ['serial-number-too-long', 'target', { serialNumber: new Uint8Array(21).fill(1) }],
    ['authority-key-identifier-missing', 'target', { without: 'authorityKeyIdentifier' }],
    ['authority-key-identifier-missing', 'ca', { without: 'authorityKeyIdentifier' }],
    [
      'authority-key-identifier-missing',
      'ca',
      { authorityKeyIdentifier: identifier(undefined, false) },
    ],
    [
      'authority-key-identifier-critical',
      'target',
      { authorityKeyIdentifier: identifier(keyIdentifier, critical) },
    ],
    [
      'authority-key-identifier-critical',
      'anchor',
      { authorityKeyIdentifier: identifier(keyIdentifier, critical) },
    ],
    ['subject-key-identifier-missing', 'ca', { without: 'subjectKeyIdentifier' }],
    ['subject-key-identifier-missing', 'anchor', { without: 'subjectKeyIdentifier' }],
    ['subject-key-identifier-missing', 'target', { basicConstraints: ca(critical) }],
    [
      'subject-key-identifier-critical',
      'target',
      { subjectKeyIdentifier: { keyIdentifier, critical } },
    ],
    ['basic-constraints-not-critical', 'ca', { basicConstraints: ca(false) }],
    ['basic-constraints-not-critical', 'anchor', { basicConstraints: ca(false) }],
    ['name-constraints-not-critical', 'ca', { nameConstraints: constraints(false) }],
    ['name-constraints-not-critical', 'target', { nameConstraints: constraints(false) }],
    ['name-constraints-in-end-entity', 'target', { nameConstraints: constraints(critical) }],
    [
      'policy-constraints-not-critical',
      'ca',
      {
        policyConstraints: {
          requireExplicitPolicy: 0,
          inhibitPolicyMapping: undefined,
          critical: false,
        },
      },
    ],
    [
      'inhibit-any-policy-not-critical',
      'ca',
      { inhibitAnyPolicy: { skipCerts: 0, critical: false } },
    ],
    ['freshest-crl-critical', 'target', { freshestCRL: { points: [], critical } }],
    ['no-rev-avail-critical', 'target', { noRevAvail: { critical } }],
    ['key-usage-cert-sign-without-ca', 'target', { keyUsage: signs }],
    [
      'key-usage-cert-sign-without-ca',
      'target',
      { keyUsage: signs, basicConstraints: { cA: false, pathLenConstraint: undefined, critical } },
    ],
    ['key-usage-cert-sign-without-ca', 'ca', { without: 'basicConstraints' }],
    [
      'path-length-without-ca',
      'target',
      { basicConstraints: { cA: false, pathLenConstraint: 0, critical } },
    ],
    [
      'path-length-without-ca',
      'ca',
      { basicConstraints: ca(critical, 0), keyUsage: { bits: 1, critical } },
    ],
    ['path-length-without-ca', 'ca', { basicConstraints: ca(critical, 0), without: 'keyUsage' }],
    ['subject-empty', 'target', { subject: nameOf('') }],
    ['subject-alt-name-not-critical', 'target', { subject: nameOf(''), ...san('a.example') }],
    ['dns-name-is-ip-address', 'target', san('192.0.2.1')],
    ['dns-name-is-ip-address', 'target', san('2001:db8::1')],
    ['dns-name-is-ip-address', 'target', san('::ffff:192.0.2.1')],
    ['dns-name-not-preferred-syntax', 'target', san('a_b.example')],
    ['dns-name-not-preferred-syntax', 'ca', san('host:443')],
    ['dns-name-not-preferred-syntax', 'target', san('*')],
    ['dns-name-not-preferred-syntax', 'target', san('a.*.example')],
    ['dns-name-not-preferred-syntax', 'target', san('-a.example')],
    ['dns-name-not-preferred-syntax', 'target', san('a-.example')],
    ['dns-name-not-preferred-syntax', 'target', san('a.example.')],
    ['dns-name-not-preferred-syntax', 'target', san('.example')],
    ['dns-name-not-preferred-syntax', 'target', san('')],
    ['dns-name-not-preferred-syntax', 'target', san(' ')],
    ['dns-name-not-preferred-syntax', 'target', san(`${'a'.repeat(64)}.example`)],
    ['dns-name-not-preferred-syntax', 'target', san('a.'.repeat(127))],
    ['dns-name-not-preferred-syntax', 'target', san(`${'a.'.repeat(126)}aa`)],
  ])('%s: in %s, %o', (code, role, change) => {
    expect(codeOf(role, change)).toBe(code)
  })
  test.each<[string, Role, Change]>([
    ['a serial number of 20 octets', 'target', { serialNumber: new Uint8Array(20).fill(0x7f) }],
    ['a serial number with its sign octet', 'target', { serialNumber: Uint8Array.of(0, 0x80) }],
    ['an anchor that names no issuer key', 'anchor', { without: 'authorityKeyIdentifier' }],
    ['a target that names no key of its own', 'target', { without: 'subjectKeyIdentifier' }],
    [
      'basic constraints without cA, not critical',
      'target',
      { basicConstraints: { cA: false, pathLenConstraint: undefined, critical: false } },
    ],
    [
      'a CA as the target',
      'target',
      { basicConstraints: ca(critical), ...identified, nameConstraints: constraints(critical) },
    ],
    ['a path length', 'ca', { basicConstraints: ca(critical, 0) }],
    ['critical name constraints', 'ca', { nameConstraints: constraints(critical) }],
    ['information access', 'target', { authorityInfoAccess: { ...info, critical: false } }],
    [
      'an empty subject beside a critical name',
      'target',
      { subject: nameOf(''), subjectAltName: { names: [dns('a.example')], critical } },
    ],
    ['a wildcard', 'target', san('*.example')],
    ['a punycode name', 'target', san('xn--bcher-kva.Example')],
    ['a name of 253 characters', 'target', san(`${'a.'.repeat(126)}a`)],
    ['a label of 63 characters', 'target', san('a'.repeat(63))],
    [
      'other kinds of name',
      'target',
      { subjectAltName: { names: [{ kind: 'rfc822Name', value: 'a_b' }], critical: false } },
    ],
  ])('%s passes', (_, role, change) => {
    expect(codeOf(role, change)).toBeUndefined()
  })
  test('the failure has the position', () => {
    expect(checkProfile(certificate('ca', { basicConstraints: ca(false) }), 4, 'ca')?.index).toBe(4)
  })
})

test('dNSNames of letters, digits and inner hyphens pass', () => {
  fc.assert(fc.property(fc.domain(), (name) => codeOf('target', san(name)) === undefined))
})

describe('an empty issuer, RFC 5280 §4.1.2.4', () => {
  test('is refused under either profile', () => {
    expect(checkIssuerName(certificate('target', { issuer: nameOf('') }), 1)).toEqual({
      code: 'issuer-empty',
      index: 1,
    })
    expect(checkIssuerName(certificate('target'), 1)).toBeUndefined()
  })
})

describe('the table of relaxations', () => {
  test('every row has a rule, a section and a reason', () => {
    for (const [code, row] of Object.entries(relaxations)) {
      expect(row.rule, code).not.toBe('')
      expect(row.source, code).toMatch(/^RFC \d{4} §[\d.]+$/)
      expect(row.because, code).not.toBe('')
    }
  })
  test('no case of x509-limbo is in two rows', () => {
    const ids = Object.values(relaxations).flatMap((row) => row.limboIds)
    expect(new Set(ids).size).toBe(ids.length)
  })
})

const identified = { subjectKeyIdentifier: { keyIdentifier, critical: false } }

function codeOf(role: Role, change: Change = {}): ProfileCode | undefined {
  return checkProfile(certificate(role, change), 0, role)?.code
}

/** A certificate that conforms in its role, but for `change`. */
function certificate(role: Role, change: Change = {}): Certificate {
  const { without, serialNumber, subject, issuer, ...extensions } = change
  const conforming: Partial<Extensions> = {
    authorityKeyIdentifier: identifier(keyIdentifier, false),
    ...(role !== 'target' && { ...identified, basicConstraints: ca(critical), keyUsage: signs }),
    ...extensions,
  }
  if (without !== undefined)
    delete (conforming as { -readonly [K in keyof Extensions]?: unknown })[without]
  return certificateOf({
    ...(serialNumber && { serialNumber }),
    ...(subject && { subject }),
    ...(issuer && { issuer }),
    extensions: conforming,
  })
}

function identifier(id: Uint8Array | undefined, isCritical: boolean) {
  return {
    keyIdentifier: id,
    authorityCertIssuer: undefined,
    authorityCertSerialNumber: undefined,
    critical: isCritical,
  }
}

function ca(isCritical: boolean, pathLenConstraint?: number) {
  return { cA: true, pathLenConstraint, critical: isCritical }
}

function constraints(isCritical: boolean) {
  return {
    permittedSubtrees: [{ base: dns('example') }],
    excludedSubtrees: undefined,
    critical: isCritical,
  }
}
