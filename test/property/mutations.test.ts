import { describe, expect, test } from 'vitest'
import { concatBytes } from '../../src/base/bytes.ts'
import type { FailureCode } from '../../src/client/failure.ts'
import {
  writeBitString,
  writeElement,
  writeInteger,
  writeNull,
  writeSequence,
} from '../../src/der/writer.ts'
import { parseTrustAnchors, validateClientCertificateSync } from '../../src/sync.ts'
import { oid } from '../../src/testing/encode.ts'
import { type CertificateOptions, issueCa, poolKey, testTime } from '../../src/testing/index.ts'
import type { KeyUsageName } from '../../src/x509/extensions.ts'
import { allNodes, encodeTree, type Node, parseTree } from './fuzz/tree.ts'

/** `same`: nothing that the rules see has changed. */
type Outcome = FailureCode | 'same'

interface Mutation {
  /** The field, and what becomes of it. */
  readonly field: string
  readonly options: CertificateOptions
  /** Under the default profile, and under `rfc5280`; one for both. */
  readonly expected: Outcome | readonly [interoperable: Outcome, rfc5280: Outcome]
}

const time = new Date(testTime * 1000)
const policyA = '1.3.6.1.4.1.32473.1'
const policyB = '1.3.6.1.4.1.32473.2'

const root = await issueCa('CN=Root CA,O=Example')
const trustAnchors = parseTrustAnchors(root.pem)

const goodCa: CertificateOptions = {
  basicConstraints: { cA: true, pathLenConstraint: 0 },
  nameConstraints: { permitted: [{ dns: 'example.com' }, { directoryName: 'O=Example' }] },
  certificatePolicies: [policyA],
}
const goodClient: CertificateOptions = {
  subjectAltName: [{ dns: 'a.example.com' }],
  certificatePolicies: [policyA],
}
const issuing = await root.issueCa('CN=Issuing CA,O=Example', goodCa)

async function judgeClient(options: CertificateOptions, profile: 'interoperable' | 'rfc5280') {
  const client = await issuing.issueBytes('CN=client-a,O=Example', { ...goodClient, ...options })
  return outcome([client.der, issuing.der], profile)
}

async function judgeCa(options: CertificateOptions, profile: 'interoperable' | 'rfc5280') {
  const ca = await root.issueBytes('CN=Issuing CA,O=Example', {
    ...goodCa,
    basicConstraints: { cA: true, pathLenConstraint: 0 },
    keyUsage: ['keyCertSign', 'cRLSign'],
    extendedKeyUsage: 'absent',
    key: issuing.key,
    ...options,
  })
  const client = await issuing.issueBytes('CN=client-a,O=Example', goodClient)
  return outcome([client.der, ca.der], profile)
}

function outcome(presented: readonly Uint8Array[], profile: 'interoperable' | 'rfc5280'): string {
  const verdict = validateClientCertificateSync(presented, { trustAnchors, time, profile })
  return verdict.ok ? 'same' : verdict.failure.code
}

/** Changes the signed part as a tree; the right issuer signs what comes out. */
function inTbs(change: (fields: Node[], tbs: Node) => void): CertificateOptions {
  return {
    mutateTbs: (der) => {
      const tbs = parseTree(der) as Node
      change(tbs.children as Node[], tbs)
      return encodeTree(tbs)
    },
  }
}

const raw = (id: string, value: Uint8Array, critical = false): CertificateOptions => ({
  rawExtensions: [{ oid: id, value, critical }],
})

const critical = (
  extension: keyof NonNullable<CertificateOptions['criticality']>,
  value: boolean,
): CertificateOptions => ({ criticality: { [extension]: value } })

function version(fields: readonly Node[], value: number): void {
  fields[0]!.children![0]!.content = Uint8Array.of(value)
}

const element = (der: Uint8Array) => parseTree(der) as Node

const clientMutations: readonly Mutation[] = [
  { field: 'nothing', options: {}, expected: 'same' },
  // version
  {
    field: 'version 4',
    options: inTbs((f) => version(f, 3)),
    expected: 'certificate-version',
  },
  {
    field: 'version 2 with extensions',
    options: inTbs((f) => version(f, 1)),
    expected: 'certificate-version',
  },
  {
    field: 'version 1, written although it is the default',
    options: inTbs((f) => version(f, 0)),
    expected: 'der-default-value',
  },
  {
    field: 'version left out, with extensions',
    options: inTbs((f) => void f.shift()),
    expected: 'certificate-version',
  },
  // serialNumber
  { field: 'another serial number', options: { serialNumber: 987_654_321 }, expected: 'same' },
  {
    field: 'serial number 0',
    options: { serialNumber: 0 },
    expected: ['same', 'serial-number-zero'],
  },
  {
    field: 'negative serial number',
    options: { serialNumber: -5 },
    expected: ['same', 'serial-number-negative'],
  },
  {
    field: 'serial number of 21 octets',
    options: { serialNumber: 1n << 160n },
    expected: ['same', 'serial-number-too-long'],
  },
  {
    field: 'serial number not minimal',
    options: { serialNumber: Uint8Array.of(0, 5) },
    expected: 'der-integer',
  },
  {
    field: 'empty serial number',
    options: { serialNumber: new Uint8Array(0) },
    expected: 'der-integer',
  },
  // signature
  {
    field: 'another signature algorithm inside',
    options: {
      tbsSignature: { name: 'ECDSA', hash: 'SHA-384' },
      signatureAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    },
    expected: 'signature-algorithm-mismatch',
  },
  {
    field: 'ECDSA with SHA-384, in fact',
    options: { signatureScheme: { name: 'ECDSA', hash: 'SHA-384' } },
    expected: 'same',
  },
  {
    field: 'ECDSA with SHA-1, in fact',
    options: { signatureScheme: { name: 'ECDSA', hash: 'SHA-1' } },
    expected: 'signature-algorithm-weak',
  },
  {
    field: 'ECDSA with SHA-512 claimed',
    options: { tbsSignature: { name: 'ECDSA', hash: 'SHA-512' } },
    expected: 'signature-invalid',
  },
  {
    field: 'RSA claimed',
    options: { tbsSignature: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } },
    expected: 'signature-algorithm-key-mismatch',
  },
  {
    field: 'ECDSA with NULL parameters',
    options: { tbsSignature: writeSequence(oid('1.2.840.10045.4.3.2'), writeNull()) },
    expected: 'signature-algorithm-parameters',
  },
  {
    field: 'unknown signature algorithm',
    options: { tbsSignature: writeSequence(oid('1.2.3.4')) },
    expected: 'signature-algorithm-unknown',
  },
  // issuer
  {
    field: 'issuer nobody has',
    options: { issuer: 'CN=Nobody,O=Example' },
    expected: 'issuer-unknown',
  },
  {
    field: 'issuer in other letters and spaces',
    options: { issuer: 'CN=issuing  ca,O=EXAMPLE' },
    expected: 'same',
  },
  {
    field: 'issuer with its attributes in another order',
    options: { issuer: 'O=Example,CN=Issuing CA' },
    expected: 'issuer-unknown',
  },
  { field: 'empty issuer', options: { issuer: [] }, expected: 'issuer-empty' },
  {
    field: 'the root as issuer',
    options: { issuer: 'CN=Root CA,O=Example' },
    expected: 'signature-invalid',
  },
  // validity
  {
    field: 'notAfter a second ago',
    options: { notAfter: testTime - 1 },
    expected: 'certificate-expired',
  },
  { field: 'notAfter now', options: { notAfter: testTime }, expected: 'same' },
  { field: 'notBefore now', options: { notBefore: testTime }, expected: 'same' },
  {
    field: 'notBefore in a second',
    options: { notBefore: testTime + 1 },
    expected: 'certificate-not-yet-valid',
  },
  {
    field: 'notAfter before notBefore',
    options: { notBefore: testTime + 10, notAfter: testTime - 10 },
    expected: 'certificate-not-yet-valid',
  },
  {
    field: 'notAfter without Z',
    options: { notAfter: writeElement(0x17, new TextEncoder().encode('491231235959')) },
    expected: 'der-time',
  },
  {
    field: 'notAfter as GeneralizedTime before 2050',
    options: { notAfter: writeElement(0x18, new TextEncoder().encode('20491231235959Z')) },
    expected: 'same',
  },
  // subject
  {
    field: 'another subject in the permitted subtree',
    options: { subject: 'CN=client-b,O=Example' },
    expected: 'same',
  },
  {
    field: 'subject with its attributes in another order',
    options: { subject: 'O=Example,CN=client-b' },
    expected: 'name-not-permitted',
  },
  {
    field: 'empty subject, subjectAltName critical',
    options: { subject: [], ...critical('subjectAltName', true) },
    expected: 'same',
  },
  {
    field: 'empty subject, subjectAltName not critical',
    options: { subject: [], ...critical('subjectAltName', false) },
    expected: ['same', 'subject-alt-name-not-critical'],
  },
  {
    field: 'empty subject, no subjectAltName',
    options: { subject: [], subjectAltName: 'absent' },
    expected: ['same', 'subject-empty'],
  },
  {
    field: 'subject outside the permitted subtree',
    options: { subject: 'CN=client-a,O=Other' },
    expected: 'name-not-permitted',
  },
  // subjectPublicKeyInfo
  { field: 'another key', options: { key: 'Ed25519' }, expected: 'same' },
  { field: 'RSA key of 1024 bits', options: { key: 'RSA-1024' }, expected: 'key-too-weak' },
  { field: 'key on P-224', options: { key: 'P-224' }, expected: 'key-algorithm-not-allowed' },
  {
    field: 'point of a wrong length',
    options: inTbs((f) => {
      const point = f[6]!.children![1]!
      point.content = point.content.subarray(0, -1)
    }),
    expected: 'key-malformed',
  },
  {
    field: 'unknown key algorithm',
    options: {
      subjectPublicKeyInfo: writeSequence(
        writeSequence(oid('1.2.3.4')),
        writeBitString(new Uint8Array(8)),
      ),
    },
    expected: 'key-algorithm-unknown',
  },
  // unique identifiers
  {
    field: 'unique identifiers',
    options: { issuerUniqueID: Uint8Array.of(1), subjectUniqueID: Uint8Array.of(2) },
    expected: 'same',
  },
  // extensions: as a whole
  {
    field: 'no extensions',
    options: inTbs((f) => void f.splice(7, 1)),
    expected: ['same', 'authority-key-identifier-missing'],
  },
  {
    field: 'empty extensions',
    options: inTbs((f) => void f[7]!.children![0]!.children!.splice(0)),
    expected: 'der-truncated',
  },
  {
    field: 'extensions in another order',
    options: inTbs((f) => void f[7]!.children![0]!.children!.reverse()),
    expected: 'same',
  },
  { field: 'unknown extension', options: raw('1.2.3.4', Uint8Array.of(5, 0)), expected: 'same' },
  {
    field: 'unknown critical extension',
    options: raw('1.2.3.4', Uint8Array.of(5, 0), true),
    expected: 'unknown-critical-extension',
  },
  {
    field: 'key usage twice',
    options: raw('2.5.29.15', Uint8Array.of(3, 2, 7, 0x80), true),
    expected: 'extension-duplicate',
  },
  {
    field: 'field after the extensions',
    options: inTbs((f) => void f.push(element(writeElement(0xa4, writeNull())))),
    expected: 'der-trailing-data',
  },
  // keyUsage
  { field: 'key usage absent', options: { keyUsage: 'absent' }, expected: 'same' },
  { field: 'key usage not critical', options: critical('keyUsage', false), expected: 'same' },
  {
    field: 'key usage without bits',
    options: { keyUsage: 'absent', ...raw('2.5.29.15', Uint8Array.of(3, 1, 0), true) },
    expected: 'extension-malformed',
  },
  {
    field: 'key usage with a trailing zero bit',
    options: { keyUsage: 'absent', ...raw('2.5.29.15', Uint8Array.of(3, 2, 6, 0x80), true) },
    expected: 'der-bit-string',
  },
  ...(
    ['nonRepudiation', 'keyEncipherment', 'dataEncipherment', 'keyAgreement', 'cRLSign'] as const
  ).map(
    (bit: KeyUsageName): Mutation => ({
      field: `key usage ${bit} alone`,
      options: { keyUsage: [bit] },
      expected: 'key-usage-no-digital-signature',
    }),
  ),
  ...(
    ['nonRepudiation', 'keyEncipherment', 'dataEncipherment', 'keyAgreement', 'cRLSign'] as const
  ).map(
    (bit: KeyUsageName): Mutation => ({
      field: `key usage digitalSignature and ${bit}`,
      options: { keyUsage: ['digitalSignature', bit] },
      expected: 'same',
    }),
  ),
  {
    field: 'key usage keyCertSign alone',
    options: { keyUsage: ['keyCertSign'] },
    expected: ['key-usage-no-digital-signature', 'key-usage-cert-sign-without-ca'],
  },
  {
    field: 'key usage with keyCertSign',
    options: { keyUsage: ['digitalSignature', 'keyCertSign'] },
    expected: ['same', 'key-usage-cert-sign-without-ca'],
  },
  // extKeyUsage
  { field: 'extended key usage absent', options: { extendedKeyUsage: 'absent' }, expected: 'same' },
  {
    field: 'extended key usage critical',
    options: critical('extendedKeyUsage', true),
    expected: 'same',
  },
  {
    field: 'extended key usage any',
    options: { extendedKeyUsage: ['anyExtendedKeyUsage'] },
    expected: 'same',
  },
  {
    field: 'extended key usage serverAuth',
    options: { extendedKeyUsage: ['serverAuth'] },
    expected: 'extended-key-usage-server-only',
  },
  {
    field: 'extended key usage codeSigning',
    options: { extendedKeyUsage: ['codeSigning'] },
    expected: 'extended-key-usage-missing',
  },
  {
    field: 'extended key usage one arc off',
    options: { extendedKeyUsage: ['1.3.6.1.5.5.7.3.2.1'] },
    expected: 'extended-key-usage-missing',
  },
  {
    field: 'extended key usage empty',
    options: { extendedKeyUsage: [] },
    expected: 'der-truncated',
  },
  // basicConstraints
  {
    field: 'basic constraints without cA',
    options: { basicConstraints: { cA: false } },
    expected: 'same',
  },
  {
    field: 'basic constraints with cA',
    options: { basicConstraints: { cA: true } },
    expected: 'same',
  },
  {
    field: 'path length without cA',
    options: raw('2.5.29.19', writeSequence(writeInteger(0)), true),
    expected: ['same', 'path-length-without-ca'],
  },
  {
    field: 'negative path length',
    options: raw('2.5.29.19', writeSequence(writeElement(2, Uint8Array.of(0xff))), true),
    expected: 'der-integer',
  },
  {
    field: 'cA FALSE, written',
    options: raw('2.5.29.19', writeSequence(writeElement(1, Uint8Array.of(0)))),
    expected: 'der-default-value',
  },
  {
    field: 'cA as 0x01',
    options: raw('2.5.29.19', writeSequence(writeElement(1, Uint8Array.of(1)))),
    expected: 'der-boolean',
  },
  // subjectAltName
  { field: 'subjectAltName absent', options: { subjectAltName: 'absent' }, expected: 'same' },
  { field: 'subjectAltName critical', options: critical('subjectAltName', true), expected: 'same' },
  {
    field: 'DNS name not permitted',
    options: { subjectAltName: [{ dns: 'a.example.org' }] },
    expected: 'name-not-permitted',
  },
  {
    field: 'second DNS name not permitted',
    options: { subjectAltName: [{ dns: 'a.example.com' }, { dns: 'a.example.org' }] },
    expected: 'name-not-permitted',
  },
  {
    field: 'DNS name that ends alike',
    options: { subjectAltName: [{ dns: 'badexample.com' }] },
    expected: 'name-not-permitted',
  },
  {
    field: 'DNS name with an empty label',
    options: { subjectAltName: [{ dns: 'a..example.com' }] },
    expected: ['name-malformed', 'dns-name-not-preferred-syntax'],
  },
  {
    field: 'DNS name in capitals',
    options: { subjectAltName: [{ dns: 'A.EXAMPLE.COM' }] },
    expected: 'same',
  },
  {
    field: 'directory name not permitted',
    options: { subjectAltName: [{ directoryName: 'O=Other' }] },
    expected: 'name-not-permitted',
  },
  {
    field: 'name of an unconstrained form',
    options: { subjectAltName: [{ uri: 'spiffe://other/a' }] },
    expected: 'same',
  },
  {
    field: 'IP address of five octets',
    options: { subjectAltName: [{ ip: new Uint8Array(5) }] },
    expected: 'extension-malformed',
  },
  { field: 'subjectAltName empty', options: { subjectAltName: [] }, expected: 'der-truncated' },
  // nameConstraints
  {
    field: 'name constraints in the client',
    options: { nameConstraints: { excluded: [{ dns: 'example.com' }] } },
    expected: ['same', 'name-constraints-in-end-entity'],
  },
  {
    field: 'name constraints empty',
    options: raw('2.5.29.30', writeSequence(), true),
    expected: 'extension-malformed',
  },
  // policies
  { field: 'another policy', options: { certificatePolicies: [policyB] }, expected: 'same' },
  {
    field: 'policy twice',
    options: { certificatePolicies: [policyA, policyA] },
    expected: 'policy-duplicate',
  },
  { field: 'policies absent', options: { certificatePolicies: 'absent' }, expected: 'same' },
  { field: 'policies critical', options: critical('certificatePolicies', true), expected: 'same' },
  {
    field: 'explicit policy required from here, policy held',
    options: { policyConstraints: { requireExplicitPolicy: 0 } },
    expected: 'same',
  },
  {
    field: 'explicit policy required from here, another policy',
    options: { certificatePolicies: [policyB], policyConstraints: { requireExplicitPolicy: 0 } },
    expected: 'policy-required',
  },
  // key identifiers
  {
    field: 'authority key identifier absent',
    options: { authorityKeyIdentifier: 'absent' },
    expected: ['same', 'authority-key-identifier-missing'],
  },
  {
    field: 'authority key identifier of another key',
    options: { authorityKeyIdentifier: { keyIdentifier: new Uint8Array(20) } },
    expected: 'same',
  },
  {
    field: 'authority key identifier critical',
    options: critical('authorityKeyIdentifier', true),
    expected: ['same', 'authority-key-identifier-critical'],
  },
  {
    field: 'issuer without serial number in the authority key identifier',
    options: { authorityKeyIdentifier: { issuer: 'CN=a' } },
    expected: 'extension-malformed',
  },
  {
    field: 'subject key identifier absent',
    options: { subjectKeyIdentifier: 'absent' },
    expected: 'same',
  },
  {
    field: 'subject key identifier critical',
    options: critical('subjectKeyIdentifier', true),
    expected: ['same', 'subject-key-identifier-critical'],
  },
  // where to ask
  {
    field: 'CRL distribution point',
    options: { cRLDistributionPoints: [{ uri: 'http://example.com/crl' }] },
    expected: 'same',
  },
  {
    field: 'CRL distribution point critical',
    options: {
      cRLDistributionPoints: [{ uri: 'http://example.com/crl' }],
      ...critical('cRLDistributionPoints', true),
    },
    expected: 'same',
  },
  {
    field: 'authority information access critical',
    options: {
      authorityInfoAccess: { ocsp: 'http://example.com' },
      ...critical('authorityInfoAccess', true),
    },
    expected: 'unknown-critical-extension',
  },
  { field: 'noRevAvail', options: { noRevAvail: 'present' }, expected: 'same' },
  {
    field: 'noRevAvail critical',
    options: { noRevAvail: 'present', ...critical('noRevAvail', true) },
    expected: ['same', 'no-rev-avail-critical'],
  },
]

const caMutations: readonly Mutation[] = [
  { field: 'nothing', options: {}, expected: 'same' },
  {
    field: 'version 1',
    options: {
      version: 1,
      basicConstraints: 'absent',
      nameConstraints: 'absent',
      certificatePolicies: 'absent',
      keyUsage: 'absent',
    },
    expected: 'basic-constraints-missing',
  },
  { field: 'another serial number', options: { serialNumber: 987_654_321 }, expected: 'same' },
  {
    field: 'serial number 0',
    options: { serialNumber: 0 },
    expected: ['same', 'serial-number-zero'],
  },
  { field: 'issuer nobody has', options: { issuer: 'CN=Nobody' }, expected: 'issuer-unknown' },
  { field: 'empty issuer', options: { issuer: [] }, expected: 'issuer-empty' },
  {
    field: 'subject nobody names',
    options: { subject: 'CN=Other CA,O=Example' },
    expected: 'issuer-unknown',
  },
  {
    field: 'subject in other letters',
    options: { subject: 'CN=ISSUING CA,O=example' },
    expected: 'same',
  },
  { field: 'empty subject', options: { subject: [] }, expected: 'issuer-unknown' },
  { field: 'expired', options: { notAfter: testTime - 1 }, expected: 'certificate-expired' },
  {
    field: 'not yet valid',
    options: { notBefore: testTime + 1 },
    expected: 'certificate-not-yet-valid',
  },
  { field: 'another key', options: { key: 'P-256#31' }, expected: 'signature-invalid' },
  {
    field: 'key of another kind',
    options: { key: 'RSA-2048#3' },
    expected: 'signature-algorithm-key-mismatch',
  },
  { field: 'RSA key of 1024 bits', options: { key: 'RSA-1024' }, expected: 'key-too-weak' },
  {
    field: 'point that is not on its curve',
    options: { subjectPublicKeyInfo: offCurve() },
    expected: 'signature-algorithm-unsupported',
  },
  {
    field: 'basic constraints absent',
    options: { basicConstraints: 'absent' },
    expected: 'basic-constraints-missing',
  },
  {
    field: 'basic constraints without cA',
    options: { basicConstraints: { cA: false } },
    expected: 'not-a-ca',
  },
  {
    field: 'basic constraints not critical',
    options: critical('basicConstraints', false),
    expected: ['same', 'basic-constraints-not-critical'],
  },
  { field: 'no path length', options: { basicConstraints: { cA: true } }, expected: 'same' },
  // A CA certificate that cannot be read is left out, as if it had not been sent.
  {
    field: 'path length of 300',
    options: { basicConstraints: { cA: true, pathLenConstraint: 300 } },
    expected: 'issuer-unknown',
  },
  {
    field: 'key usage absent',
    options: { keyUsage: 'absent' },
    expected: ['same', 'path-length-without-ca'],
  },
  {
    field: 'key usage absent, no path length',
    options: { keyUsage: 'absent', basicConstraints: { cA: true } },
    expected: 'same',
  },
  { field: 'key usage not critical', options: critical('keyUsage', false), expected: 'same' },
  ...(['digitalSignature', 'cRLSign', 'keyAgreement'] as const).map(
    (bit): Mutation => ({
      field: `key usage ${bit} alone`,
      options: { keyUsage: [bit] },
      expected: 'key-usage-no-cert-sign',
    }),
  ),
  {
    field: 'extended key usage serverAuth',
    options: { extendedKeyUsage: ['serverAuth'] },
    expected: 'extended-key-usage-missing',
  },
  {
    field: 'extended key usage clientAuth',
    options: { extendedKeyUsage: ['clientAuth'] },
    expected: 'same',
  },
  {
    field: 'extended key usage any',
    options: { extendedKeyUsage: ['anyExtendedKeyUsage'] },
    expected: 'same',
  },
  {
    field: 'DNS name of the client excluded',
    options: { nameConstraints: { excluded: [{ dns: 'example.com' }] } },
    expected: 'name-excluded',
  },
  {
    field: 'other DNS names permitted',
    options: { nameConstraints: { permitted: [{ dns: 'example.org' }] } },
    expected: 'name-not-permitted',
  },
  { field: 'name constraints absent', options: { nameConstraints: 'absent' }, expected: 'same' },
  {
    field: 'name constraints not critical',
    options: critical('nameConstraints', false),
    expected: ['same', 'name-constraints-not-critical'],
  },
  {
    field: 'DNS constraint with a leading period',
    options: { nameConstraints: { permitted: [{ dns: '.example.com' }] } },
    expected: ['same', 'name-constraint-malformed'],
  },
  {
    field: 'address constraint with a hole in its mask',
    options: {
      nameConstraints: { permitted: [{ ip: Uint8Array.of(10, 0, 0, 0, 255, 0, 255, 0) }] },
    },
    expected: 'name-constraint-malformed',
  },
  { field: 'another policy', options: { certificatePolicies: [policyB] }, expected: 'same' },
  {
    field: 'explicit policy required',
    options: { policyConstraints: { requireExplicitPolicy: 0 } },
    expected: 'same',
  },
  {
    field: 'explicit policy required, another policy',
    options: { certificatePolicies: [policyB], policyConstraints: { requireExplicitPolicy: 0 } },
    expected: 'policy-required',
  },
  {
    field: 'policy constraints not critical',
    options: {
      policyConstraints: { requireExplicitPolicy: 0 },
      ...critical('policyConstraints', false),
    },
    expected: ['same', 'policy-constraints-not-critical'],
  },
  {
    field: 'policy constraints empty',
    options: raw('2.5.29.36', writeSequence(), true),
    expected: 'issuer-unknown',
  },
  { field: 'anyPolicy inhibited', options: { inhibitAnyPolicy: 0 }, expected: 'same' },
  {
    field: 'anyPolicy inhibited, not critical',
    options: { inhibitAnyPolicy: 0, ...critical('inhibitAnyPolicy', false) },
    expected: ['same', 'inhibit-any-policy-not-critical'],
  },
  {
    field: 'mapping from anyPolicy',
    options: { policyMappings: [['2.5.29.32.0', policyA]] },
    expected: 'policy-mapping-any',
  },
  {
    field: 'mapping to anyPolicy',
    options: { policyMappings: [[policyA, '2.5.29.32.0']] },
    expected: 'policy-mapping-any',
  },
  {
    field: 'mapping to another policy',
    options: { policyMappings: [[policyA, policyB]] },
    expected: 'same',
  },
  {
    field: 'mapping away, explicit policy required',
    options: {
      policyMappings: [[policyA, policyB]],
      policyConstraints: { requireExplicitPolicy: 0 },
    },
    expected: 'policy-required',
  },
  {
    field: 'unknown critical extension',
    options: raw('1.2.3.4', Uint8Array.of(5, 0), true),
    expected: 'unknown-critical-extension',
  },
  {
    field: 'subject key identifier absent',
    options: { subjectKeyIdentifier: 'absent' },
    expected: ['same', 'subject-key-identifier-missing'],
  },
  {
    field: 'another subject key identifier',
    options: { subjectKeyIdentifier: new Uint8Array(20) },
    expected: 'same',
  },
  {
    field: 'authority key identifier absent',
    options: { authorityKeyIdentifier: 'absent' },
    expected: ['same', 'authority-key-identifier-missing'],
  },
]

function offCurve(): Uint8Array {
  const spki = Uint8Array.from(poolKey('P-256', 0).publicKey)
  spki[spki.length - 1]! ^= 1
  return spki
}

function ofProfile({ expected }: Mutation, profile: 0 | 1): Outcome {
  return typeof expected === 'string' ? expected : expected[profile]
}

describe('one field of the client is another, and the right CA signed it', () => {
  test.each(clientMutations)('$field', async (mutation) => {
    expect(await judgeClient(mutation.options, 'interoperable')).toBe(ofProfile(mutation, 0))
    expect(await judgeClient(mutation.options, 'rfc5280')).toBe(ofProfile(mutation, 1))
  })
})

describe('one field of the issuing CA is another, and the root signed it', () => {
  test.each(caMutations)('$field', async (mutation) => {
    expect(await judgeCa(mutation.options, 'interoperable')).toBe(ofProfile(mutation, 0))
    expect(await judgeCa(mutation.options, 'rfc5280')).toBe(ofProfile(mutation, 1))
  })
})

describe('one octet of the client is another, and nobody signed it', () => {
  test('every octet of the signed part is covered by the signature', async () => {
    const client = await issuing.issue('CN=client-a,O=Example', goodClient)
    const { byteOffset, length } = client.tbsCertificate.der
    const start = byteOffset - client.der.byteOffset
    for (let at = start; at < start + length; at++) {
      const changed = Uint8Array.from(client.der)
      changed[at]! ^= 1 << (at % 8)
      expect(outcome([changed, issuing.der], 'interoperable')).not.toBe('same')
    }
  })

  test('nothing may stand before, between or after the parts', async () => {
    const client = await issuing.issue('CN=client-a,O=Example', goodClient)
    const tree = element(client.der)
    for (const node of allNodes(tree).filter(({ children }) => children !== undefined)) {
      const children = node.children as Node[]
      for (let at = 0; at <= children.length; at++) {
        children.splice(at, 0, element(writeNull()))
        expect(outcome([encodeTree(tree), issuing.der], 'interoperable')).not.toBe('same')
        children.splice(at, 1)
      }
    }
    expect(outcome([concatBytes(client.der, Uint8Array.of(0)), issuing.der], 'interoperable')).toBe(
      'der-trailing-data',
    )
  })
})
