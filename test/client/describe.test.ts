import { describe, expect, test } from 'vitest'
import { describeCertificateSteps } from '../../src/client/describe.ts'
import { writeNull, writeObjectIdentifier, writeSequence } from '../../src/der/writer.ts'
import { type CertificateOptions, issueCa, type KeyInput } from '../../src/testing/index.ts'
import type { Certificate } from '../../src/x509/certificate.ts'
import { run, sha256, spkiSha256 } from '../acl/support.ts'

const root = await issueCa('Root CA')
const inWords = (certificate: Certificate) => run(describeCertificateSteps(certificate))
const issued = async (options: CertificateOptions) => inWords(await root.issue('client-a', options))

describe('a certificate in words', () => {
  test('names, dates, fingerprints', async () => {
    const client = await root.issue('client-a', { serialNumber: 0x80n })
    const hash = sha256(client.der)
    expect(inWords(client)).toMatchObject({
      version: 3,
      subject: 'CN=client-a',
      issuer: 'CN=Root CA',
      serialNumber: '0080',
      notBefore: new Date('2020-01-01T00:00:00Z'),
      notAfter: new Date('2049-12-31T23:59:59Z'),
      signatureAlgorithm: 'ECDSA with SHA-256',
      sha256: hash,
      sha1: expect.stringMatching(/^[0-9a-f]{40}$/),
      spkiSha256: spkiSha256(client),
      spkiPin: Buffer.from(spkiSha256(client), 'hex').toString('base64'),
      'x5t#S256': Buffer.from(hash, 'hex').toString('base64url'),
      subjectAltNames: [],
      crlUris: [],
      ocspUris: [],
      caIssuersUris: [],
      noRevAvail: false,
      keyUsage: ['digitalSignature'],
      extendedKeyUsage: ['clientAuth'],
    })
  })
  test.each<[KeyInput, object]>([
    ['P-384', { kind: 'EC', size: 384, curve: 'P-384' }],
    ['RSA-2048', { kind: 'RSA', size: 2048, exponent: '65537' }],
    ['RSA-2048-e3', { kind: 'RSA', size: 2048, exponent: '3' }],
    ['RSA-PSS-2048', { kind: 'RSA-PSS', size: 2048, exponent: '65537' }],
    ['Ed25519', { kind: 'Ed25519' }],
  ])('a key of kind %s', async (key, expected) => {
    expect((await issued({ key })).key).toMatchObject(expected)
  })
  test('keys and schemes that are not known', async () => {
    const spki = writeSequence(
      writeSequence(writeObjectIdentifier('1.2.3')),
      Uint8Array.of(3, 1, 0),
    )
    expect((await issued({ subjectPublicKeyInfo: spki })).key).toEqual({ kind: 'unknown' })
    const rsa = writeSequence(
      writeSequence(writeObjectIdentifier('1.2.840.113549.1.1.1'), writeNull()),
      Uint8Array.of(3, 1, 0),
    )
    expect((await issued({ subjectPublicKeyInfo: rsa })).key).toEqual({ kind: 'malformed' })
    const tbsSignature = writeSequence(writeObjectIdentifier('1.2.3'))
    expect((await issued({ tbsSignature })).signatureAlgorithm).toBe('1.2.3')
    const ed = await issueCa('Ed CA', { key: 'Ed25519' })
    expect(inWords(ed).signatureAlgorithm).toBe('Ed25519')
  })
  test('extensions', async () => {
    const words = await issued({
      basicConstraints: { cA: true, pathLenConstraint: 3 },
      nameConstraints: {
        permitted: [{ dns: 'a.example' }, { ip: '10.0.0.0/8' }],
        excluded: [{ ip: Uint8Array.of(10, 0, 0, 0, 255, 0, 255, 0) }],
      },
      certificatePolicies: ['1.2.3'],
      policyMappings: [['1.2.3', '1.2.4']],
      policyConstraints: { requireExplicitPolicy: 1, inhibitPolicyMapping: 2 },
      inhibitAnyPolicy: 4,
      subjectKeyIdentifier: Uint8Array.of(0xab),
      authorityKeyIdentifier: { keyIdentifier: Uint8Array.of(0xcd) },
      extendedKeyUsage: ['clientAuth', '1.2.5'],
      subjectAltName: [{ dns: 'client.example' }],
      cRLDistributionPoints: [
        { uri: 'http://e/crl' },
        { names: [{ dns: 'e' }] },
        { crlIssuer: 'CN=x' },
      ],
      authorityInfoAccess: { ocsp: 'http://e/ocsp', caIssuers: 'http://e/ca' },
      noRevAvail: 'present',
      rawExtensions: [{ oid: '1.2.6', critical: true, value: writeNull() }],
    })
    expect(words).toMatchObject({
      basicConstraints: { cA: true, pathLenConstraint: 3 },
      nameConstraints: {
        permitted: ['dNSName:a.example', 'iPAddress:10.0.0.0/8'],
        excluded: ['iPAddress:10.0.0.0/ff00ff00'],
      },
      certificatePolicies: ['1.2.3'],
      policyMappings: ['1.2.3 = 1.2.4'],
      policyConstraints: { requireExplicitPolicy: 1, inhibitPolicyMapping: 2 },
      inhibitAnyPolicy: 4,
      subjectKeyIdentifier: 'ab',
      authorityKeyIdentifier: 'cd',
      extendedKeyUsage: ['clientAuth', '1.2.5'],
      subjectAltNames: ['dNSName:client.example'],
      crlUris: ['http://e/crl'],
      ocspUris: ['http://e/ocsp'],
      caIssuersUris: ['http://e/ca'],
      noRevAvail: true,
    })
    expect(words.extensions.at(-1)).toEqual({ oid: '1.2.6', critical: true })
    expect(words.extensions[0]).toHaveProperty('name')
  })
  test('no extensions at all', async () => {
    const words = await issued({ version: 1 })
    expect(words).toMatchObject({ version: 1, subjectAltNames: [], extensions: [] })
    expect(words).not.toHaveProperty('keyUsage')
    expect(words).not.toHaveProperty('basicConstraints')
  })
  test('absent fields are left out', async () => {
    const { basicConstraints } = inWords(root)
    expect(basicConstraints).toEqual({ cA: true })
  })
})
