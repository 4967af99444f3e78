import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { Crypto as PeculiarCrypto } from '@peculiar/webcrypto'
import fc from 'fast-check'
import { Certificate as PkijsCertificate } from 'pkijs'
import { describe, expect, test } from 'vitest'
import {
  type CertificateOptions,
  createPki,
  defaultValidity,
  generateKey,
  issueCa,
  type KeyKind,
  poolKey,
  poolSize,
  testTime,
  toPem,
} from '../../src/testing/index.ts'

const kinds: readonly KeyKind[] = [
  'P-256',
  'P-384',
  'P-521',
  'Ed25519',
  'Ed448',
  'RSA-2048',
  'RSA-3072',
  'RSA-4096',
  'RSA-8192',
  'RSA-2048-e3',
  'RSA-PSS-2048',
  'RSA-PSS-2048-SHA-256',
  'RSA-1024',
  'P-224',
  'P-192',
  'secp256k1',
  'DSA-1024',
  'DSA-2048',
]

const signedBy = (der: Uint8Array, issuer: Uint8Array): boolean =>
  new X509Certificate(der).verify(new X509Certificate(issuer).publicKey)

describe('what the test PKI issues', async () => {
  const root = await issueCa('Root CA')
  const issuing = await root.issueCa('Issuing CA')

  test('a client is a Certificate with its key and its chain', async () => {
    const client = await issuing.issue('client-a', { notBefore: 1_000, notAfter: 2_000 })
    expect(client.tbsCertificate.validity).toEqual({ notBefore: 1_000, notAfter: 2_000 })
    expect(client.tbsCertificate.extensions.keyUsage).toEqual({ bits: 1, critical: true })
    expect(client.tbsCertificate.extensions.extendedKeyUsage?.purposes).toEqual([
      '1.3.6.1.5.5.7.3.2',
    ])
    expect(client.chain).toEqual([client.der, issuing.der])
    expect(client.chainPem).toBe(client.pem + issuing.pem)
    expect(client.pem).toBe(toPem(client.der, 'CERTIFICATE'))
    expect(root.chain).toEqual([])
    const publicKey = createPublicKey(createPrivateKey(client.privateKeyPem))
    expect(new X509Certificate(client.pem).publicKey.equals(publicKey)).toBe(true)
  })

  test('the default validity holds at the fixed clock and for decades around it', () => {
    const { validity } = root.tbsCertificate
    expect(validity).toEqual(defaultValidity)
    expect(testTime).toBeGreaterThan(validity.notBefore)
    expect(testTime).toBeLessThan(validity.notAfter)
  })

  test.each(kinds)('Node verifies what a CA with a key of kind %s signed', async (key) => {
    const ca = await issueCa(`CA ${key}`, { key })
    const client = await ca.issue('client-a')
    expect(signedBy(ca.der, ca.der)).toBe(true)
    expect(signedBy(client.der, ca.der)).toBe(true)
    expect(new X509Certificate(client.der).checkIssued(new X509Certificate(ca.der))).toBe(true)
  })

  test.each([
    { name: 'RSASSA-PKCS1-v1_5', hash: 'MD5' },
    { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-1' },
    { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-224' },
    { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-512' },
    { name: 'RSASSA-PSS', hash: 'SHA-1', saltLength: 20 },
    { name: 'RSASSA-PSS', hash: 'SHA-224', saltLength: 28 },
    { name: 'RSASSA-PSS', hash: 'SHA-384', saltLength: 48 },
  ] as const)('Node verifies a signature by $name with $hash', async (signatureScheme) => {
    const ca = await issueCa('RSA CA', { key: 'RSA-2048' })
    expect(signedBy((await ca.issue('client-a', { signatureScheme })).der, ca.der)).toBe(true)
  })

  test('a scheme that the key cannot sign is misuse', async () => {
    const signatureScheme = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } as const
    for (const scheme of [signatureScheme, { name: 'Ed25519' }, { name: 'ML-DSA-44' }] as const) {
      await expect(root.issue('client-a', { signatureScheme: scheme })).rejects.toMatchObject({
        code: 'testing-cannot-sign',
      })
    }
    const md5 = { name: 'ECDSA', hash: 'MD5' } as const
    await expect(root.issue('client-a', { signatureScheme: md5 })).rejects.toThrow(TypeError)
  })

  test('every extension that we write, Node, pkijs and our reader read', async () => {
    const options: CertificateOptions = {
      subject: 'CN=client\\, a+OU=x,O=Example,C=DE',
      basicConstraints: { cA: true, pathLenConstraint: 200 },
      keyUsage: ['digitalSignature', 'decipherOnly'],
      extendedKeyUsage: ['clientAuth', '1.2.3.4'],
      subjectAltName: [
        { dns: 'a.example' },
        { email: 'a@example' },
        { uri: 'spiffe://example/a' },
        { ip: '10.1.2.3' },
        { ip: '2001:db8::1' },
        { ip: '::ffff:1:2' },
        { ip: '1:2:3:4:5:6:7:8' },
        { ip: Uint8Array.of(127, 0, 0, 1) },
        { directoryName: 'O=Example' },
        { otherName: { typeId: '1.2.3', value: Uint8Array.of(5, 0) } },
        { smtpUtf8: 'ü@example' },
        { registeredId: '1.2.3.4' },
        { der: Uint8Array.of(0x82, 1, 0x62) },
      ],
      issuerAltName: [{ dns: 'ca.example' }],
      nameConstraints: {
        permitted: [{ ip: '10.0.0.0/12' }, { ip: '2001:db8::/33' }, { dns: '' }],
        excluded: [{ directoryName: 'O=Other' }],
      },
      certificatePolicies: [
        '1.2.3',
        { policy: '1.2.4' },
        { policy: '1.2.5', cps: 'http://a/', userNotice: 'ü' },
      ],
      policyMappings: [['1.2.3', '1.2.9']],
      policyConstraints: { requireExplicitPolicy: 1, inhibitPolicyMapping: 200 },
      inhibitAnyPolicy: 2,
      subjectKeyIdentifier: Uint8Array.of(1, 2, 3),
      authorityKeyIdentifier: {
        keyIdentifier: Uint8Array.of(4),
        issuer: 'Root CA',
        serialNumber: 128,
      },
      cRLDistributionPoints: [
        { uri: 'http://a/crl', reasons: 0b10, crlIssuer: 'CRL CA' },
        { names: [{ directoryName: 'x' }] },
        { crlIssuer: 'CRL CA', reasons: 0 },
      ],
      authorityInfoAccess: { ocsp: 'http://a/ocsp', caIssuers: 'http://a/ca' },
      noRevAvail: 'present',
      rawExtensions: [{ oid: '1.2.3.4.5', critical: true, value: Uint8Array.of(5, 0) }],
      criticality: { subjectAltName: true, keyUsage: false },
    }
    const { der, tbsCertificate } = await issuing.issue('client-a', options)
    const { extensions } = tbsCertificate
    expect(extensions).toMatchObject({
      basicConstraints: { cA: true, pathLenConstraint: 200, critical: true },
      keyUsage: { bits: 0x101, critical: false },
      extendedKeyUsage: { purposes: ['1.3.6.1.5.5.7.3.2', '1.2.3.4'] },
      policyConstraints: { requireExplicitPolicy: 1, inhibitPolicyMapping: 200 },
      inhibitAnyPolicy: { skipCerts: 2 },
      policyMappings: { mappings: [{ issuerDomainPolicy: '1.2.3', subjectDomainPolicy: '1.2.9' }] },
      noRevAvail: { critical: false },
      subjectKeyIdentifier: { keyIdentifier: Uint8Array.of(1, 2, 3) },
    })
    expect(extensions.authorityKeyIdentifier?.authorityCertSerialNumber).toEqual(
      Uint8Array.of(0, 128),
    )
    expect(extensions.subjectAltName?.names).toHaveLength(13)
    expect(extensions.subjectAltName?.critical).toBe(true)
    const permitted = extensions.nameConstraints?.permittedSubtrees?.map(({ base }) => base)
    expect(permitted?.[0]).toEqual({
      kind: 'iPAddress',
      octets: Uint8Array.of(10, 0, 0, 0, 255, 240, 0, 0),
    })
    expect(extensions.all.at(-1)).toEqual({
      oid: '1.2.3.4.5',
      critical: true,
      value: Uint8Array.of(5, 0),
    })
    const node = new X509Certificate(der)
    expect(node.subject).toBe('C=DE\nO=Example\nOU=x + CN=client\\, a')
    expect(node.subjectAltName).toContain('IP Address:2001:DB8:0:0:0:0:0:1')
    const pkijs = PkijsCertificate.fromBER(der as Uint8Array<ArrayBuffer>)
    expect(pkijs.extensions?.map(({ extnID }) => extnID)).toEqual(
      extensions.all.map(({ oid }) => oid),
    )
    expect(
      pkijs.extensions?.every(
        ({ parsedValue }) =>
          parsedValue === undefined || !('parsingError' in parsedValue && parsedValue.parsingError),
      ),
    ).toBe(true)
  })

  test('absent leaves a default extension out, and version 1 all of them', async () => {
    const bare = await issuing.issue('client-a', {
      keyUsage: 'absent',
      extendedKeyUsage: 'absent',
      subjectKeyIdentifier: 'absent',
      authorityKeyIdentifier: 'absent',
    })
    expect(bare.tbsCertificate.extensions.all).toEqual([])
    const first = await issuing.issue('client-a', { version: 1 })
    expect(first.tbsCertificate).toMatchObject({ version: 1, extensions: { all: [] } })
    const second = await issuing.issue('client-a', {
      version: 2,
      issuerUniqueID: Uint8Array.of(1),
      subjectUniqueID: Uint8Array.of(2),
    })
    expect(second.tbsCertificate).toMatchObject({ version: 2, subjectUniqueID: Uint8Array.of(2) })
  })

  test('beside an empty subject the subjectAltName is critical, RFC 5280 §4.1.2.6', async () => {
    const client = await issuing.issue('', { subject: [], subjectAltName: [{ dns: 'a.example' }] })
    expect(client.tbsCertificate.subject.rdns).toEqual([])
    expect(client.tbsCertificate.extensions.subjectAltName?.critical).toBe(true)
  })

  test.each([
    'UTF8String',
    'PrintableString',
    'IA5String',
    'BMPString',
    'UniversalString',
    'TeletexString',
  ] as const)('a %s reads back', async (as) => {
    const { der } = await issuing.issue('', {
      subject: [{ type: '2.5.4.3', value: 'client a', as }],
    })
    expect(new X509Certificate(der).subject).toBe('CN=client a')
  })

  test('a name that is neither text nor attributes is misuse', async () => {
    await expect(issuing.issue('CN=client-a,Example')).rejects.toThrow(TypeError)
    await expect(
      issuing.issue('', { subject: [{ type: 'nickname', value: 'a' }] }),
    ).rejects.toThrow()
    const same = await issuing.issue('CN=client-a,O=Example')
    const der = await issuing.issue('', { subject: same.tbsCertificate.subject.der })
    expect(der.tbsCertificate.subject).toEqual(same.tbsCertificate.subject)
  })

  test('dates before 1950 and from 2050 are GeneralizedTime, RFC 5280 §4.1.2.5', async () => {
    const notBefore = Date.UTC(1949, 11, 31) / 1000
    const notAfter = Date.UTC(9999, 11, 31, 23, 59, 59) / 1000
    const client = await issuing.issue('client-a', {
      notBefore,
      notAfter: new Date(notAfter * 1000),
    })
    expect(client.tbsCertificate.validity).toEqual({ notBefore, notAfter })
  })

  test('serial numbers are written in two’s complement, minimal', async () => {
    await fc.assert(
      fc.asyncProperty(fc.bigInt(-(2n ** 70n), 2n ** 70n), async (serialNumber) => {
        const { der } = await issuing.issueBytes('client-a', { serialNumber })
        const { valueBlock } = PkijsCertificate.fromBER(der as Uint8Array<ArrayBuffer>).serialNumber
        const hex = Buffer.from(valueBlock.valueHexView).toString('hex')
        return (
          BigInt.asIntN(valueBlock.valueHexView.length * 8, BigInt(`0x${hex}`)) === serialNumber
        )
      }),
      { numRuns: 30 },
    )
  })

  test('what the reader refuses is thrown by issue and returned by issueBytes', async () => {
    const mutateCertificate = (der: Uint8Array): Uint8Array => der.slice(0, -1)
    await expect(issuing.issue('client-a', { mutateCertificate })).rejects.toMatchObject({
      code: 'testing-certificate-unreadable',
      failure: { code: 'der-truncated' },
    })
    expect((await issuing.issueBytes('client-a', { mutateCertificate })).der.at(0)).toBe(0x30)
  })

  test('a changed tbsCertificate is signed as it is, a changed signature is not right', async () => {
    const flip = (bytes: Uint8Array): Uint8Array =>
      bytes.map((octet, i) => (i === bytes.length - 1 ? octet ^ 1 : octet))
    const tbs = await issuing.issueBytes('client-a', { mutateTbs: flip })
    expect(signedBy(tbs.der, issuing.der)).toBe(true)
    const signature = await issuing.issueBytes('client-a', { mutateSignature: flip })
    expect(signedBy(signature.der, issuing.der)).toBe(false)
    const forged = await issuing.issue('client-a', { signingKey: 'P-256' })
    expect(signedBy(forged.der, issuing.der)).toBe(false)
  })

  test('issuer, algorithms and public key are written as the test says', async () => {
    const other = poolKey('RSA-2048', 0)
    const { tbsCertificate } = await issuing.issue('client-a', {
      issuer: 'Somebody',
      tbsSignature: { name: 'Ed25519' },
      subjectPublicKeyInfo: other.publicKey,
      notBefore: Uint8Array.from('\x17\x0d250101000000Z', (c) => c.charCodeAt(0)),
    })
    expect(tbsCertificate.signature.algorithm).toBe('1.3.101.112')
    expect(tbsCertificate.subjectPublicKeyInfo.der).toEqual(other.publicKey)
    expect(tbsCertificate.validity.notBefore).toBe(Date.UTC(2025, 0, 1) / 1000)
    const { der } = await issuing.issueBytes('a', { signatureAlgorithm: Uint8Array.of(0x30, 0) })
    expect(Buffer.from(der).includes(Buffer.from('300003', 'hex'))).toBe(true)
  })
})

describe('keys of the test PKI', () => {
  test('the same name has the same key in every hierarchy, two CAs of one hierarchy never share one', async () => {
    const ids: string[] = []
    const root = await issueCa('Root CA')
    for (let i = 0; i < 20; i++) ids.push((await root.issueCa(`CA ${i}`)).key.id)
    expect(new Set([root.key.id, ...ids]).size).toBe(21)
    expect((await issueCa('Root CA')).key.id).toBe(root.key.id)
  })

  test('CAs that use up a kind are misuse, leaves share its keys', async () => {
    const root = await issueCa('Root CA', { key: 'RSA-1024' })
    const second = await root.issueCa('Second CA', { key: 'RSA-1024' })
    await expect(root.issueCa('Third CA', { key: 'RSA-1024' })).rejects.toMatchObject({
      code: 'testing-keys-exhausted',
    })
    const clients = [
      await second.issue('a', { key: 'RSA-1024' }),
      await root.issue('b', { key: 'RSA-1024' }),
    ]
    expect(clients[0]?.key).toBe(clients[1]?.key)
  })

  test('a leaf never has the key of a CA while CAs fit into their half', async () => {
    const root = await issueCa('Root CA')
    const cas = new Set<string>([root.key.id])
    for (let i = 0; i < 31; i++) cas.add((await root.issueCa(`CA ${i}`)).key.id)
    for (let i = 0; i < 40; i++)
      expect(cas).not.toContain((await root.issueBytes(`client ${i}`)).key.id)
  })

  test('every public key of the pool belongs to its private key', () => {
    for (const kind of kinds) {
      for (let i = 0; i < poolSize(kind); i++) {
        const { privateKey, publicKey } = poolKey(kind, i)
        const pair = createPrivateKey({
          key: Buffer.from(privateKey),
          format: 'der',
          type: 'pkcs8',
        })
        const spki = createPublicKey(pair).export({ format: 'der', type: 'spki' })
        expect(Buffer.from(publicKey).equals(spki)).toBe(true)
      }
    }
  })

  test('pool keys, own keys and fresh keys', async () => {
    expect(poolKey('P-256', poolSize('P-256'))).toBe(poolKey('P-256', 0))
    for (const kind of ['P-384', 'RSA-2048', 'Ed25519', 'RSA-2048-e3'] as const) {
      const fresh = await generateKey(kind)
      const ca = await issueCa('Fresh CA', { key: fresh })
      expect(ca.key).toBe(fresh)
      expect(signedBy(ca.der, ca.der)).toBe(true)
    }
    expect((await issueCa('Root CA', { key: 'P-256#5' })).key).toBe(poolKey('P-256', 5))
    await expect(issueCa('Root CA', { key: 'P-999' as 'P-256' })).rejects.toThrow(TypeError)
  })

  test('another WebCrypto signs as well', async () => {
    const crypto = new PeculiarCrypto()
    const { root, client } = await createPki({ crypto, organization: 'Acme', clientName: 'c' })
    expect(signedBy(root.der, root.der)).toBe(true)
    expect(new X509Certificate(client.der).subject).toBe('O=Acme\nCN=c')
  })
})

describe('hierarchies', () => {
  test('createPki: root, issuing CA, client', async () => {
    const pki = await createPki()
    expect(pki.chainPem).toBe(pki.clientPem + pki.intermediatesPem)
    expect(signedBy(pki.client.der, pki.issuing.der)).toBe(true)
    expect(signedBy(pki.issuing.der, pki.root.der)).toBe(true)
    expect(pki.anchorsPem).toBe(pki.root.pem)
    expect(createPrivateKey(pki.clientKeyPem).asymmetricKeyType).toBe('ec')
  })

  test('crossSign: the name and key of another CA under this one', async () => {
    const first = await issueCa('First CA')
    const second = await issueCa('Second CA', { key: 'P-384' })
    const bridge = await first.crossSign(second)
    expect(bridge.key).toBe(second.key)
    expect(bridge.tbsCertificate.subject.der).toEqual(second.tbsCertificate.subject.der)
    expect(signedBy(bridge.der, first.der)).toBe(true)
    const serials = [await bridge.issue('a'), await second.issue('b')].map(
      (c) => c.tbsCertificate.serialNumber,
    )
    expect(serials[0]).not.toEqual(serials[1])
    expect(signedBy((await bridge.issue('a')).der, second.der)).toBe(true)
    await expect(first.crossSign({ ...second })).rejects.toThrow(TypeError)
  })
})
