/** Mutations of what a certificate says, field by field, signed by the right issuer. @module */

import type {
  CertificateOptions,
  GeneralNameInput,
  KeyKind,
  NameInput,
  SignatureScheme,
} from '../../src/testing/index.ts'
import { testTime } from '../../src/testing/index.ts'
import type { KeyUsageName } from '../../src/x509/extensions.ts'
import type { Role } from './plan.ts'
import type { Random } from './random.ts'

export interface FieldMutation {
  readonly name: string
  readonly roles: readonly Role[]
  /** How often it is taken, beside the others; default 1. */
  readonly weight?: number
  make(random: Random, role: Role): CertificateOptions
}

const all: readonly Role[] = ['root', 'ca', 'leaf']
const cas: readonly Role[] = ['root', 'ca']
const issued: readonly Role[] = ['ca', 'leaf']

/** Extensions that say where to ask or what not to expect; and those below, made critical against RFC 5280. */
const further = {
  subjectKeyIdentifier: { subjectKeyIdentifier: Uint8Array.of(1, 2, 3) },
  authorityKeyIdentifier: { authorityKeyIdentifier: { keyIdentifier: Uint8Array.of(1, 2, 3) } },
  noRevAvail: { noRevAvail: 'present' },
  cRLDistributionPoints: { cRLDistributionPoints: [{ uri: 'http://crl.example.com/a.crl' }] },
  authorityInfoAccess: { authorityInfoAccess: { ocsp: 'http://ocsp.example.com/' } },
  issuerAltName: { issuerAltName: [{ dns: 'issuer.example.com' }] },
} as const satisfies { readonly [name: string]: CertificateOptions }
const furtherNames = Object.keys(further) as readonly (keyof typeof further)[]

/** The name of the issuer in other ways: the first few are the same name by RFC 5280 §7.1, the others are not. */
const issuerForms: { readonly [name: string]: (cn: string) => NameInput } = {
  'issuer-case': (value) => [{ type: 'CN', value: value.toUpperCase() }],
  'issuer-outer-spaces': (value) => [{ type: 'CN', value: ` ${value}  ` }],
  'issuer-inner-spaces': (value) => [{ type: 'CN', value: value.replace(' ', '  ') }],
  'issuer-printable': (value) => [{ type: 'CN', value, as: 'PrintableString' }],
  'issuer-bmp': (value) => [{ type: 'CN', value, as: 'BMPString' }],
  'issuer-universal': (value) => [{ type: 'CN', value, as: 'UniversalString' }],
  'issuer-nul': (value) => [{ type: 'CN', value: `${value}\u0000` }],
  'issuer-teletex': (value) => [{ type: 'CN', value, as: 'TeletexString' }],
  'issuer-ia5': (value) => [{ type: 'CN', value, as: 'IA5String' }],
  'issuer-no-space': (value) => [{ type: 'CN', value: value.replace(' ', '') }],
  'issuer-other-attribute': (value) => [{ type: 'O', value }],
  'issuer-one-more': (value) => [
    { type: 'CN', value },
    { type: 'O', value: 'x' },
  ],
  'issuer-empty': () => [],
}

export const fieldMutations: readonly FieldMutation[] = [
  {
    name: 'validity',
    roles: all,
    make: (random) => ({
      notBefore: testTime + random.pick([-86_400, -1, 0, 1, -1_000_000_000, 86_400]),
      notAfter: testTime + random.pick([-86_400, -1, 0, 1, 1_000_000_000, 86_400]),
    }),
  },
  {
    name: 'basic-constraints',
    roles: all,
    weight: 2,
    make: (random) => ({
      basicConstraints: random.pick([
        'absent' as const,
        { cA: false },
        { cA: true },
        { cA: true, pathLenConstraint: 0 },
        { cA: true, pathLenConstraint: 1 },
        { cA: true, pathLenConstraint: 2 },
        { cA: false, pathLenConstraint: 0 },
        { cA: true, pathLenConstraint: -1 },
      ]),
      criticality: { basicConstraints: random.chance(70) },
    }),
  },
  {
    name: 'key-usage',
    roles: all,
    weight: 2,
    make: (random) => ({
      keyUsage: random.chance(15) ? 'absent' : random.some(usages, 0, 3),
      criticality: { keyUsage: random.chance(70) },
    }),
  },
  {
    name: 'extended-key-usage',
    roles: all,
    weight: 2,
    make: (random) => ({
      extendedKeyUsage: random.chance(15) ? 'absent' : random.some(purposes, 1, 2),
      criticality: { extendedKeyUsage: random.chance(20) },
    }),
  },
  {
    name: 'subject-alt-name',
    roles: all,
    weight: 2,
    make: (random) => ({
      subjectAltName: random.chance(10)
        ? 'absent'
        : [random.pick(names), random.pick(names)].slice(random.below(2)),
      criticality: { subjectAltName: random.chance(20) },
    }),
  },
  {
    name: 'name-constraints',
    roles: all,
    weight: 4,
    make: (random) => ({
      nameConstraints: {
        ...(random.chance(60) ? { permitted: random.some(subtrees, 1, 4) } : {}),
        ...(random.chance(60) ? { excluded: random.some(subtrees, 1, 2) } : {}),
      },
      criticality: { nameConstraints: random.chance(80) },
    }),
  },
  {
    name: 'certificate-policies',
    roles: all,
    make: (random) => ({
      certificatePolicies: random.chance(20)
        ? 'absent'
        : [random.pick(policies), random.pick(policies)].slice(random.below(2)),
      criticality: { certificatePolicies: random.chance(30) },
    }),
  },
  {
    name: 'policy-constraints',
    roles: cas,
    weight: 2,
    make: (random) => ({
      ...(random.chance(50)
        ? {
            policyConstraints: {
              ...(random.chance(70) ? { requireExplicitPolicy: random.below(3) } : {}),
              ...(random.chance(50) ? { inhibitPolicyMapping: random.below(2) } : {}),
            },
          }
        : {}),
      ...(random.chance(40)
        ? {
            policyMappings: [
              [random.pick(policies), random.pick(policies)] as const,
              [random.pick(policies), random.pick(policies)] as const,
            ].slice(random.below(2)),
          }
        : {}),
      ...(random.chance(30) ? { inhibitAnyPolicy: random.below(2) } : {}),
      criticality: { policyConstraints: random.chance(80), policyMappings: random.chance(80) },
    }),
  },
  {
    name: 'key-identifiers',
    roles: all,
    make: (random) => ({
      subjectKeyIdentifier: random.chance(40) ? 'absent' : random.octets(random.pick([1, 8, 20])),
      ...(random.chance(60)
        ? {
            authorityKeyIdentifier: random.pick([
              'absent' as const,
              { keyIdentifier: random.octets(20) },
              { issuer: 'CN=Nobody', serialNumber: 1 },
              { serialNumber: 77 },
              {},
            ]),
          }
        : {}),
    }),
  },
  {
    name: 'unknown-extension',
    roles: all,
    make: (random) => ({
      rawExtensions: [
        {
          oid: random.pick([
            '1.3.6.1.4.1.32473.1',
            '2.5.29.99',
            '2.16.840.1.113730.1.1',
            '2.5.29.9',
          ]),
          critical: random.chance(50),
          value: random.pick([Uint8Array.of(5, 0), Uint8Array.of(), random.octets(5)]),
        },
      ],
    }),
  },
  {
    name: 'known-extension-noise',
    roles: all,
    weight: 2,
    make: (random) => ({
      rawExtensions: [
        {
          oid: random.pick(knownExtensions),
          critical: random.chance(50),
          value: random.pick([
            Uint8Array.of(5, 0),
            Uint8Array.of(),
            Uint8Array.of(0x30, 0),
            Uint8Array.of(0x30, 3, 1, 1, 0xff),
            random.octets(5),
          ]),
        },
      ],
    }),
  },
  ...Object.entries(further).map(
    ([name, options]): FieldMutation => ({ name, roles: all, make: () => options }),
  ),
  ...furtherNames.map(
    (name): FieldMutation => ({
      name: `critical-${name}`,
      roles: all,
      make: () => ({ ...further[name], criticality: { [name]: true } }),
    }),
  ),
  {
    name: 'serial-number',
    roles: all,
    make: (random) => ({
      serialNumber: random.pick([
        0,
        -1,
        -128,
        2n ** 159n,
        2n ** 160n,
        2n ** 300n,
        Uint8Array.of(),
        Uint8Array.of(0, 1),
        Uint8Array.of(0xff, 0x80),
      ]),
    }),
  },
  {
    name: 'version',
    roles: all,
    make: (random, role) => {
      const version = random.pick([1, 2] as const)
      return random.chance(50)
        ? { version }
        : role === 'leaf'
          ? { version, subjectAltName: [{ dns: 'client-a.example.com' }] }
          : { version, basicConstraints: { cA: true } }
    },
  },
  {
    name: 'unique-ids',
    roles: all,
    make: (random) => ({
      version: random.pick([2, 3] as const),
      ...(random.chance(60) ? { issuerUniqueID: random.octets(3) } : {}),
      subjectUniqueID: random.octets(3),
    }),
  },
  { name: 'leaf-key', roles: ['leaf'], make: (random) => ({ key: random.pick(kinds) }) },
  {
    name: 'forged',
    roles: all,
    make: (random) => ({ signingKey: random.pick(['P-256', 'P-384', 'RSA-2048', 'Ed25519']) }),
  },
  {
    name: 'signature-scheme',
    roles: issued,
    make: (random) => ({
      signatureScheme: { name: 'ECDSA', hash: random.pick(['SHA-1', 'SHA-384', 'SHA-512']) },
    }),
  },
  {
    name: 'signature-algorithms-differ',
    roles: all,
    make: (random) =>
      random.chance(50)
        ? { tbsSignature: random.pick(schemes) }
        : { signatureAlgorithm: random.pick(schemes) },
  },
  {
    name: 'signature-algorithm-wrong',
    roles: issued,
    make: (random) => {
      const scheme = random.pick(schemes)
      return { tbsSignature: scheme, signatureAlgorithm: scheme }
    },
  },
  {
    name: 'signature-octets',
    roles: issued,
    weight: 2,
    make: (random) => {
      const how = random.below(7)
      const at = random.below(64)
      const bit = 1 << random.below(8)
      return {
        mutateSignature: (signature) => {
          const changed = Uint8Array.from(signature)
          switch (how) {
            case 0:
              return changed.subarray(0, -1)
            case 1:
              return Uint8Array.of(...changed, 0)
            case 2:
              return Uint8Array.of()
            case 3:
              return Uint8Array.of(0x30, 6, 2, 1, 0, 2, 1, 0)
            case 4:
              return Uint8Array.of(0x30, 0x81, changed[1]!, ...changed.subarray(2))
            case 5:
              return Uint8Array.of(0x30, 6, 2, 1, 1, 2, 1, 1)
            default:
              changed[at]! ^= bit
              return changed
          }
        },
      }
    },
  },
  ...Object.entries(issuerForms).map(
    ([name, form]): FieldMutation => ({
      name,
      roles: issued,
      make: (_, role) => ({ issuer: form(role === 'leaf' ? 'Issuing CA' : 'Root CA') }),
    }),
  ),
  {
    name: 'subject',
    roles: all,
    weight: 2,
    make: (random) => ({
      subject: random.pick([
        [],
        [{ type: 'CN', value: '' }],
        [{ type: 'CN', value: 'Issuing CA' }],
        [{ type: 'CN', value: 'Root CA' }],
        [{ type: 'C', value: 'Germany' }],
        [{ type: 'C', value: 'DE', as: 'UTF8String' as const }],
        [{ type: 'CN', value: 'a*b', as: 'PrintableString' as const }],
        [{ type: 'CN', value: 'x'.repeat(65) }],
        [{ type: 'CN', value: 'x'.repeat(200) }],
        [{ type: 'emailAddress', value: 'mallory@evil.example' }],
        [
          { type: 'O', value: 'Example' },
          { type: 'CN', value: 'client-a.evil.example' },
        ],
        [
          [
            { type: 'O', value: 'Example' },
            { type: 'CN', value: 'other' },
          ],
        ],
      ]),
    }),
  },
]

const usages: readonly KeyUsageName[] = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
]
const purposes = [
  'clientAuth',
  'clientAuth',
  'serverAuth',
  'anyExtendedKeyUsage',
  'codeSigning',
  '1.3.6.1.4.1.32473.2',
]
const policies = ['1.3.6.1.4.1.32473.3.1', '1.3.6.1.4.1.32473.3.2', '2.5.29.32.0']
const kinds: readonly KeyKind[] = [
  'P-384',
  'P-521',
  'Ed25519',
  'Ed448',
  'RSA-2048',
  'RSA-3072',
  'RSA-2048-e3',
  'RSA-PSS-2048',
  'RSA-PSS-2048-SHA-256',
  'RSA-1024',
  'P-224',
  'P-192',
  'secp256k1',
  'DSA-2048',
]
const schemes: readonly SignatureScheme[] = [
  { name: 'ECDSA', hash: 'SHA-384' },
  { name: 'ECDSA', hash: 'SHA-1' },
  { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  { name: 'RSASSA-PSS', hash: 'SHA-256', saltLength: 32 },
  { name: 'Ed25519' },
]
const knownExtensions = [
  '2.5.29.14',
  '2.5.29.15',
  '2.5.29.17',
  '2.5.29.18',
  '2.5.29.19',
  '2.5.29.30',
  '2.5.29.31',
  '2.5.29.32',
  '2.5.29.33',
  '2.5.29.35',
  '2.5.29.36',
  '2.5.29.37',
  '2.5.29.46',
  '2.5.29.54',
  '1.3.6.1.5.5.7.1.1',
  '1.3.6.1.5.5.7.1.11',
]
/** Names that the subtrees below permit, exclude or leave alone. */
const names: readonly GeneralNameInput[] = [
  { dns: 'client-a.example.com' },
  { dns: 'example.com' },
  { dns: 'EXAMPLE.com' },
  { dns: '*.example.com' },
  { dns: 'notexample.com' },
  { dns: 'client-a.example.com.' },
  { dns: '' },
  { dns: 'bad_name.example.com' },
  { dns: 'a.b.example.com' },
  { dns: '10.0.0.1' },
  { email: 'a@example.com' },
  { email: 'A@EXAMPLE.COM' },
  { email: 'a@b.example.com' },
  { email: 'no-at-sign' },
  { email: '"a@b"@example.com' },
  { uri: 'spiffe://example.com/a' },
  { uri: 'https://b.example.com:8443/x' },
  { uri: 'https://user@example.com/' },
  { uri: 'https://10.0.0.1/' },
  { uri: 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6' },
  { ip: '10.0.0.1' },
  { ip: '2001:db8::1' },
  { ip: '192.168.1.1' },
  { ip: Uint8Array.of(10, 0, 0) },
  { directoryName: 'CN=client-a,O=Example' },
  { directoryName: 'CN=x,O=Other' },
  { directoryName: [] },
  { registeredId: '1.2.3' },
  { smtpUtf8: 'ä@example.com' },
  { otherName: { typeId: '1.3.6.1.4.1.311.20.2.3', value: Uint8Array.of(0x0c, 1, 0x61) } },
]
const subtrees: readonly GeneralNameInput[] = [
  { dns: 'example.com' },
  { dns: '.example.com' },
  { dns: 'a.b.example.com' },
  { dns: '' },
  { dns: 'com' },
  { dns: '*.example.com' },
  { dns: 'EXAMPLE.COM' },
  { email: 'example.com' },
  { email: '.example.com' },
  { email: 'a@example.com' },
  { uri: 'example.com' },
  { uri: '.example.com' },
  { uri: 'https://example.com' },
  { ip: '10.0.0.0/8' },
  { ip: '0.0.0.0/0' },
  { ip: '2001:db8::/32' },
  { ip: Uint8Array.of(10, 0, 0, 0, 255, 0, 255, 0) },
  { ip: '10.0.0.1' },
  { directoryName: 'O=Example' },
  { directoryName: 'CN=client-a' },
  { directoryName: [] },
  { registeredId: '1.2.3' },
]
