import { verify } from 'node:crypto'
import fc from 'fast-check'
import { CertificateRevocationList } from 'pkijs'
import { describe, expect, test } from 'vitest'
import { writeOctetString, writeSequence } from '../../src/der/writer.ts'
import {
  bulkSerialNumber,
  type CrlOptions,
  type IssuedCrl,
  issueCa,
  issueCrl,
  issueDeltaCrl,
  testTime,
  toPem,
} from '../../src/testing/index.ts'
import type { Certificate } from '../../src/x509/certificate.ts'
import type { CertificateList } from '../../src/x509/crl.ts'
import { parseCrl } from '../../src/x509/parse-crl.ts'

const day = 86_400
const week = 7 * day
const hour = 3_600

describe('the CRLs that the test PKI issues', async () => {
  const root = await issueCa('Root CA')
  const issuing = await root.issueCa('Issuing CA')
  const client = await issuing.issue('client-a')
  const other = await root.issue('client-b')

  test('without options: version 2, no entries, current at the fixed clock', async () => {
    const { tbsCertList } = read(await issuing.issueCrl())
    expect(tbsCertList).toMatchObject({
      version: 2,
      thisUpdate: testTime - hour,
      nextUpdate: testTime - hour + week,
    })
    expect(tbsCertList.revokedCertificates.count).toBe(0)
    expect(tbsCertList.issuer.der).toEqual(issuing.tbsCertificate.subject.der)
    const { authorityKeyIdentifier, all } = tbsCertList.crlExtensions
    expect(authorityKeyIdentifier?.keyIdentifier).toEqual(
      issuing.tbsCertificate.extensions.subjectKeyIdentifier?.keyIdentifier,
    )
    expect(all.map(({ oid, critical }) => [oid, critical])).toEqual([
      ['2.5.29.20', false],
      ['2.5.29.35', false],
    ])
  })

  test('a certificate is revoked by its serial number, a day before thisUpdate', async () => {
    const list = read(await issuing.issueCrl({ revoked: [client] }))
    expect([...list.tbsCertList.revokedCertificates]).toEqual([
      {
        serialNumber: client.tbsCertificate.serialNumber,
        revocationDate: testTime - hour - day,
        reason: undefined,
        invalidityDate: undefined,
        certificateIssuer: undefined,
      },
    ])
  })

  test.each(['P-256', 'P-384', 'RSA-2048', 'Ed25519', 'RSA-PSS-2048'] as const)(
    'the key of a CA of kind %s verifies its list',
    async (key) => {
      const ca = await issueCa('CA', { key })
      expect(isSignedBy(await ca.issueCrl({ revoked: [client] }), ca)).toBe(true)
    },
  )

  test('an entry says what it is told to', async () => {
    const issued = await issuing.issueCrl({
      revoked: [
        {
          serialNumber: 128,
          revocationDate: 1_000,
          reason: 'keyCompromise',
          invalidityDate: new Date(500_000),
        },
        { serialNumber: Uint8Array.of(7), reason: 'removeFromCRL' },
      ],
    })
    const entries = [...read(issued).tbsCertList.revokedCertificates]
    expect(entries).toMatchObject([
      {
        serialNumber: Uint8Array.of(0, 128),
        revocationDate: 1_000,
        reason: 'keyCompromise',
        invalidityDate: 500,
      },
      { serialNumber: Uint8Array.of(7), reason: 'removeFromCRL' },
    ])
    const byPkijs = CertificateRevocationList.fromBER(issued.der as Uint8Array<ArrayBuffer>)
    expect(byPkijs.revokedCertificates).toHaveLength(2)
  })

  test('in an indirect CRL a certificate of another issuer names it, RFC 5280 §5.3.3', async () => {
    const signer = await root.issue('CRL issuer', { keyUsage: ['cRLSign'] })
    const issued = await issueCrl(signer, {
      revoked: [
        client,
        await issuing.issue('client-c'),
        other,
        { serialNumber: 9, certificateIssuer: 'Somebody' },
        { serialNumber: 10, certificateIssuer: [{ dns: 'a.example' }] },
        other,
      ],
      issuingDistributionPoint: { indirectCRL: true },
    })
    const { tbsCertList } = read(issued)
    expect(tbsCertList.issuer.der).toEqual(signer.tbsCertificate.subject.der)
    const issuers = [...tbsCertList.revokedCertificates].map(({ certificateIssuer }) =>
      certificateIssuer?.map((name) => (name.kind === 'directoryName' ? cn(name.name) : name.kind)),
    )
    expect(issuers).toEqual([
      ['Issuing CA'],
      ['Issuing CA'],
      ['Root CA'],
      ['Somebody'],
      ['dNSName'],
      ['Root CA'],
    ])
    expect(isSignedBy(issued, signer)).toBe(true)
  })

  test('what is not indirect never names an issuer', async () => {
    const { revokedCertificates } = read(await root.issueCrl({ revoked: [client] })).tbsCertList
    expect([...revokedCertificates].map(({ certificateIssuer }) => certificateIssuer)).toEqual([
      undefined,
    ])
  })

  test('complete and delta CRLs of a CA share one sequence, RFC 5280 §5.2.3', async () => {
    const ca = await issueCa('Counting CA')
    const numbers = async (issued: Promise<IssuedCrl>) => {
      const { cRLNumber, deltaCRLIndicator } = read(await issued).tbsCertList.crlExtensions
      return [cRLNumber?.number[0], deltaCRLIndicator?.number[0], deltaCRLIndicator?.critical]
    }
    expect(await numbers(ca.issueCrl())).toEqual([1, undefined, undefined])
    expect(await numbers(ca.issueDeltaCrl())).toEqual([2, 1, true])
    expect(await numbers(ca.issueCrl({ cRLNumber: 9 }))).toEqual([9, undefined, undefined])
    expect(await numbers(ca.issueDeltaCrl())).toEqual([3, 9, true])
    expect(await numbers(issueDeltaCrl(ca, { baseCRLNumber: 5, cRLNumber: 6 }))).toEqual([
      6,
      5,
      true,
    ])
    expect(await numbers(ca.issueCrl({ cRLNumber: 'absent' }))).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    expect(await numbers((await issueCa('Fresh CA')).issueDeltaCrl())).toEqual([1, 0, true])
  })

  test('the issuing distribution point says what it is told to, RFC 5280 §5.2.5', async () => {
    const pointOf = async (issuingDistributionPoint: CrlOptions['issuingDistributionPoint']) =>
      read(await issuing.issueCrl({ issuingDistributionPoint: issuingDistributionPoint ?? {} }))
        .tbsCertList.crlExtensions.issuingDistributionPoint
    expect(
      await pointOf({
        uri: 'http://a/crl',
        fullName: [{ directoryName: 'CN=x' }],
        onlyContainsUserCerts: true,
        onlySomeReasons: ['keyCompromise', 'aACompromise'],
        indirectCRL: true,
      }),
    ).toMatchObject({
      fullName: [{ kind: 'directoryName' }, { kind: 'uniformResourceIdentifier' }],
      nameRelativeToCRLIssuer: undefined,
      onlyContainsUserCerts: true,
      onlyContainsCACerts: false,
      onlySomeReasons: 0b1_0000_0010,
      indirectCRL: true,
      critical: true,
    })
    expect(
      await pointOf({
        nameRelativeToCRLIssuer: { type: 'CN', value: 'part 1' },
        onlyContainsCACerts: true,
      }),
    ).toMatchObject({
      fullName: undefined,
      nameRelativeToCRLIssuer: [{ type: '2.5.4.3' }],
      onlyContainsCACerts: true,
    })
    expect(
      await pointOf({ onlyContainsAttributeCerts: true, onlySomeReasons: 0b10 }),
    ).toMatchObject({ onlyContainsAttributeCerts: true, onlySomeReasons: 2 })
  })

  test('freshest CRL, information access and any other extension stand in the list', async () => {
    const issued = await issuing.issueCrl({
      freshestCRL: [{ uri: 'http://a/delta' }],
      authorityInfoAccess: { caIssuers: ['http://a/ca', 'http://b/ca'] },
      authorityKeyIdentifier: 'absent',
      rawExtensions: [{ oid: '1.2.3', critical: true, value: Uint8Array.of(5, 0) }],
      criticality: { cRLNumber: true, freshestCRL: true },
    })
    const { all, freshestCRL, authorityInfoAccess } = read(issued).tbsCertList.crlExtensions
    expect(all.map(({ oid, critical }) => [oid, critical])).toEqual([
      ['2.5.29.20', true],
      ['2.5.29.46', true],
      ['1.3.6.1.5.5.7.1.1', false],
      ['1.2.3', true],
    ])
    expect(freshestCRL?.points).toHaveLength(1)
    expect(authorityInfoAccess?.descriptions).toHaveLength(2)
  })

  test('a critical entry extension that nobody knows is there', async () => {
    const rawExtensions = [{ oid: '1.2.3', critical: true, value: Uint8Array.of(5, 0) }]
    const list = read(await issuing.issueCrl({ revoked: [{ serialNumber: 1, rawExtensions }] }))
    expect(list.tbsCertList.revokedCertificates.unknownCriticalExtension).toBe('1.2.3')
  })

  test('version 1 has no extensions unless they are named', async () => {
    const list = read(await issuing.issueCrl({ version: 1, revoked: [client], entries: 9 }))
    expect(list.tbsCertList).toMatchObject({ version: 1, crlExtensions: { all: [] } })
    expect(list.tbsCertList.revokedCertificates.count).toBe(10)
    const named = await issuing.issueCrl({ version: 1, cRLNumber: 1 })
    expect(parseCrl(named.der)).toMatchObject({ ok: false })
  })

  test('times are UTCTime before 2050 and GeneralizedTime from then on', async () => {
    const nextUpdate = Date.UTC(2050, 0, 1) / 1000
    const { der } = await issuing.issueCrl({ thisUpdate: nextUpdate - 1, nextUpdate })
    const text = Buffer.from(der).toString('latin1')
    expect(text).toContain('\x17\x0d491231235959Z\x18\x0f20500101000000Z')
  })

  test('a list without nextUpdate, and one that ran out, have a thisUpdate before', async () => {
    const without = read(await issuing.issueCrl({ nextUpdate: 'absent' })).tbsCertList
    expect([without.thisUpdate, without.nextUpdate]).toEqual([testTime - hour, undefined])
    const nextUpdate = testTime - 2 * hour
    const over = read(await issuing.issueCrl({ nextUpdate: new Date(nextUpdate * 1000) }))
    expect(over.tbsCertList).toMatchObject({ thisUpdate: nextUpdate - week, nextUpdate })
    const thisUpdate = 1_700_000_000
    const now = read(await issuing.issueCrl({ thisUpdate })).tbsCertList
    expect(now).toMatchObject({ thisUpdate, nextUpdate: thisUpdate + week })
  })

  test('a forgery, a damaged signature and a changed list do not verify', async () => {
    const flipLast = (bytes: Uint8Array) => bytes.with(-1, (bytes.at(-1) as number) ^ 1)
    expect(isSignedBy(await issuing.issueCrl({ mutateTbs: flipLast }), issuing)).toBe(true)
    expect(isSignedBy(await issuing.issueCrl({ signingKey: 'P-256' }), issuing)).toBe(false)
    const damaged = await issuing.issueCrl({ mutateSignature: flipLast })
    expect(isSignedBy(damaged, issuing)).toBe(false)
    const changed = await issuing.issueCrl({ mutateCrl: (der) => der.subarray(1) })
    expect(changed.der[0]).not.toBe(0x30)
  })

  test('issuer name, algorithms and scheme are written as the test says', async () => {
    const list = read(
      await issuing.issueCrl({ issuer: 'Somebody', tbsSignature: { name: 'Ed25519' } }),
    )
    expect(cn(list.tbsCertList.issuer)).toBe('Somebody')
    expect(list.signatureAlgorithm.algorithm).toBe('1.3.101.112')
    const { der } = await issuing.issueCrl({ signatureAlgorithm: { name: 'Ed25519' } })
    expect(parseCrl(der)).toMatchObject({
      ok: false,
      failure: { code: 'signature-algorithm-mismatch' },
    })
    const weak = await (await issueCa('RSA CA', { key: 'RSA-2048' })).issueCrl({
      signatureScheme: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-1' },
    })
    expect(read(weak).signatureAlgorithm.algorithm).toBe('1.2.840.113549.1.1.5')
  })

  test('pem is the list in PEM', async () => {
    const { der, pem } = await issuing.issueCrl()
    expect(pem).toBe(toPem(der, 'X509 CRL'))
  })

  test('a huge list holds every serial number that it promises, and the certificates named', async () => {
    const count = 20_000
    const list = read(await issuing.issueCrl({ entries: count, revoked: [client] }))
    const entries = [...list.tbsCertList.revokedCertificates]
    expect(entries).toHaveLength(count + 1)
    expect(entries.slice(0, 9).map(({ serialNumber }) => serialNumber)).toEqual(
      Array.from({ length: 9 }, (_, index) => bulkSerialNumber(index)),
    )
    expect(entries.slice(0, 9).map(({ reason }) => reason)).toEqual([
      'superseded',
      ...Array(7).fill(undefined),
      'superseded',
    ])
    expect(entries.at(-1)?.serialNumber).toEqual(client.tbsCertificate.serialNumber)
  })

  test('more certificates than a call takes arguments are no trouble', async () => {
    const revoked = Array.from({ length: 200_000 }, (_, serialNumber) => ({ serialNumber }))
    const { revokedCertificates } = read(await issuing.issueCrl({ revoked })).tbsCertList
    expect(revokedCertificates.count).toBe(200_000)
  })

  test('no two bulk serial numbers are alike, and each is a positive minimal INTEGER', () => {
    const index = fc.nat(2 ** 31 - 1)
    fc.assert(
      fc.property(index, index, (a, b) => {
        const [one, two] = [bulkSerialNumber(a), bulkSerialNumber(b)]
        const first = one[0] as number
        return (
          one.length === 16 &&
          first > 0 &&
          first < 128 &&
          (a === b) === Buffer.from(one).equals(two)
        )
      }),
    )
  })
})

describe('certificates that say where their status is', async () => {
  const root = await issueCa('Root CA')

  test('distribution points by full and relative name, with reasons and a CRL issuer', async () => {
    const { tbsCertificate } = await root.issue('client-a', {
      cRLDistributionPoints: [
        { fullName: [{ uri: 'http://a/crl' }, { directoryName: 'CN=x' }] },
        {
          nameRelativeToCRLIssuer: [
            { type: 'CN', value: 'part 1' },
            { type: 'OU', value: 'x' },
          ],
          reasons: ['keyCompromise', 'certificateHold'],
          crlIssuer: [{ directoryName: 'CN=CRL issuer' }, { dns: 'crl.example' }],
        },
      ],
      freshestCRL: [{ uri: 'http://a/delta' }],
    })
    const { cRLDistributionPoints, freshestCRL } = tbsCertificate.extensions
    expect(cRLDistributionPoints?.points).toMatchObject([
      { fullName: [{ kind: 'uniformResourceIdentifier' }, { kind: 'directoryName' }] },
      {
        fullName: undefined,
        reasons: 0b100_0010,
        cRLIssuer: [{ kind: 'directoryName' }, { kind: 'dNSName' }],
      },
    ])
    expect(cRLDistributionPoints?.points[1]?.nameRelativeToCRLIssuer).toHaveLength(2)
    expect(freshestCRL).toMatchObject({ critical: false })
    expect(freshestCRL?.points).toHaveLength(1)
  })

  test('several responders in information access, and ocsp-nocheck', async () => {
    const { tbsCertificate } = await root.issue('client-a', {
      authorityInfoAccess: { ocsp: ['http://a/ocsp', 'http://b/ocsp'], caIssuers: 'http://a/ca' },
      ocspNoCheck: 'present',
    })
    const { authorityInfoAccess, all } = tbsCertificate.extensions
    expect(authorityInfoAccess?.descriptions.map(({ accessMethod }) => accessMethod)).toEqual([
      '1.3.6.1.5.5.7.48.1',
      '1.3.6.1.5.5.7.48.1',
      '1.3.6.1.5.5.7.48.2',
    ])
    expect(all.at(-1)).toEqual({
      oid: '1.3.6.1.5.5.7.48.1.5',
      critical: false,
      value: Uint8Array.of(5, 0),
    })
  })

  test('what is written by hand wins over what is named', async () => {
    const value = writeSequence(writeOctetString(Uint8Array.of(1)))
    const { der } = await root.issueBytes('client-a', {
      cRLDistributionPoints: [{}],
      rawExtensions: [{ oid: '2.5.29.46', value }],
    })
    expect(Buffer.from(der).includes(Buffer.from(value))).toBe(true)
  })
})

function read({ der }: IssuedCrl): CertificateList {
  const parsed = parseCrl(der)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.failure))
  return parsed.value
}

function isSignedBy(issued: IssuedCrl, { tbsCertificate }: Certificate): boolean {
  const { tbsCertList, signatureValue, signatureAlgorithm } = read(issued)
  const pss = signatureAlgorithm.algorithm === '1.2.840.113549.1.1.10'
  const hash = hashes[signatureAlgorithm.algorithm]
  return verify(
    hash,
    tbsCertList.der,
    {
      key: Buffer.from(tbsCertificate.subjectPublicKeyInfo.der),
      format: 'der',
      type: 'spki',
      ...(pss ? { padding: 6, saltLength: 32 } : {}),
    },
    signatureValue,
  )
}

/** Ed25519 has none. */
const hashes: { readonly [oid: string]: string } = {
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.10': 'sha256',
}

function cn({ rdns }: { readonly rdns: readonly (readonly { readonly value: Uint8Array }[])[] }) {
  return Buffer.from(rdns[0]?.[0]?.value ?? []).toString()
}
