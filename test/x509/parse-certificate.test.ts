import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  writeBitString,
  writeBoolean,
  writeElement,
  writeInteger,
  writeNull,
  writeObjectIdentifier,
  writeOctetString,
  writeSequence,
  writeSetOf,
  writeText,
} from '../../src/der/writer.ts'
import { issueCa } from '../../src/testing/index.ts'
import { parseCertificate, reading } from '../../src/x509/parse-certificate.ts'
import { parseCertificateShell, parseTbsShell } from '../../src/x509/parse-shell.ts'
import { offsetOf } from './support.ts'

const ecdsa = writeSequence(writeObjectIdentifier('1.2.840.10045.4.3.2'))
const ecdsa384 = writeSequence(writeObjectIdentifier('1.2.840.10045.4.3.3'))
const utc = (text: string) => writeText(0x17, text)
const spki = writeSequence(
  writeSequence(
    writeObjectIdentifier('1.2.840.10045.2.1'),
    writeObjectIdentifier('1.2.840.10045.3.1.7'),
  ),
  writeBitString(new Uint8Array(65).fill(4)),
)
const nameOf = (text: string) =>
  writeSequence(writeSetOf(writeSequence(writeObjectIdentifier('2.5.4.3'), writeText(0x0c, text))))
const extension = (oid: string, value: Uint8Array) =>
  writeSequence(writeObjectIdentifier(oid), writeOctetString(value))
const unknown = extension('1.2.3', writeNull())

interface Parts {
  /** The fields of the tbsCertificate in their order; an empty one is left out. */
  readonly version?: Uint8Array
  readonly serialNumber?: Uint8Array
  readonly signature?: Uint8Array
  readonly issuer?: Uint8Array
  readonly validity?: Uint8Array
  readonly subject?: Uint8Array
  readonly spki?: Uint8Array
  readonly issuerUniqueID?: Uint8Array
  readonly subjectUniqueID?: Uint8Array
  readonly extensions?: Uint8Array
  readonly after?: Uint8Array
  readonly outer?: Uint8Array
  readonly signatureValue?: Uint8Array
  readonly behind?: Uint8Array
}

const none = new Uint8Array()
const v1 = none
const v2 = writeElement(0xa0, writeInteger(1))
const v3 = writeElement(0xa0, writeInteger(2))

function tbs(parts: Parts = {}): Uint8Array {
  return writeSequence(
    parts.version ?? v3,
    parts.serialNumber ?? writeInteger(7),
    parts.signature ?? ecdsa,
    parts.issuer ?? nameOf('Issuer'),
    parts.validity ?? writeSequence(utc('200101000000Z'), utc('491231235959Z')),
    parts.subject ?? nameOf('Subject'),
    parts.spki ?? spki,
    parts.issuerUniqueID ?? none,
    parts.subjectUniqueID ?? none,
    parts.extensions ?? writeElement(0xa3, writeSequence(unknown)),
    parts.after ?? none,
  )
}

function certificate(parts: Parts = {}): Uint8Array {
  return writeSequence(
    tbs(parts),
    parts.outer ?? ecdsa,
    parts.signatureValue ?? writeBitString(Uint8Array.of(1, 2)),
    parts.behind ?? none,
  )
}

function failureOf(parts: Parts) {
  const read = parseCertificate(certificate(parts))
  return read.ok ? undefined : read.failure
}

describe('a certificate, RFC 5280 §4.1', () => {
  test('all fields, as they stand', () => {
    const der = certificate({
      issuerUniqueID: writeElement(0x81, Uint8Array.of(0, 5)),
      subjectUniqueID: writeElement(0x82, Uint8Array.of(4, 0xf0)),
    })
    const read = parseCertificate(der)
    if (!read.ok) throw new Error(read.failure.code)
    const { tbsCertificate, signatureAlgorithm, signatureValue } = read.value
    expect(read.value.der).toEqual(der)
    expect(signatureValue).toEqual(Uint8Array.of(1, 2))
    expect(signatureAlgorithm).toEqual({
      der: ecdsa,
      algorithm: '1.2.840.10045.4.3.2',
      parameters: undefined,
    })
    expect(tbsCertificate.version).toBe(3)
    expect(tbsCertificate.serialNumber).toEqual(Uint8Array.of(7))
    expect(tbsCertificate.issuer.der).toEqual(nameOf('Issuer'))
    expect(tbsCertificate.subject.rdns).toHaveLength(1)
    expect(tbsCertificate.validity).toEqual({ notBefore: 1_577_836_800, notAfter: 2_524_607_999 })
    expect(tbsCertificate.subjectPublicKeyInfo.der).toEqual(spki)
    expect(tbsCertificate.subjectPublicKeyInfo.subjectPublicKey).toHaveLength(65)
    expect(tbsCertificate.subjectPublicKeyInfo.algorithm.parameters).toEqual(
      writeObjectIdentifier('1.2.840.10045.3.1.7'),
    )
    expect(tbsCertificate.issuerUniqueID).toEqual(Uint8Array.of(5))
    expect(tbsCertificate.subjectUniqueID).toEqual(Uint8Array.of(0xf0))
    expect(tbsCertificate.extensions.all).toEqual([
      { oid: '1.2.3', critical: false, value: writeNull() },
    ])
  })
  test('GeneralizedTime before 2050 is read: real CAs write it', () => {
    const validity = writeSequence(writeText(0x18, '20200101000000Z'), utc('491231235959Z'))
    expect(failureOf({ validity })).toBeUndefined()
  })
  test.each<[string, Parts, number]>([
    ['1 without unique ids', { version: v1, extensions: none }, 1],
    ['2', { version: v2, extensions: none }, 2],
    [
      '2 with unique ids',
      { version: v2, extensions: none, issuerUniqueID: writeElement(0x81, Uint8Array.of(0, 1)) },
      2,
    ],
    ['3 without extensions', { extensions: none }, 3],
  ])('version %s', (_, parts, version) => {
    const read = parseCertificate(certificate(parts))
    expect(read.ok && read.value.tbsCertificate.version).toBe(version)
  })
})

describe('what is refused, with the octet', () => {
  const twice = (one: Uint8Array) => writeElement(0xa3, writeSequence(one, unknown, one))
  /** In a certificate of these parts the failure stands at `needle`, plus `more` octets. */
  test.each<[string, string, Parts, Uint8Array, number]>([
    [
      'extensions in version 1, RFC 5280 §4.1.2.9',
      'certificate-version',
      { version: v1 },
      writeElement(0xa3, writeSequence(unknown)),
      0,
    ],
    [
      'extensions in version 2, RFC 5280 §4.1.2.9',
      'certificate-version',
      { version: v2 },
      writeElement(0xa3, writeSequence(unknown)),
      0,
    ],
    [
      'version 4, RFC 5280 §4.1.2.1',
      'certificate-version',
      { version: writeElement(0xa0, writeInteger(3)) },
      writeElement(0xa0, writeInteger(3)),
      4,
    ],
    [
      'version 1 written, X.690 11.5',
      'der-default-value',
      { version: writeElement(0xa0, writeInteger(0)) },
      writeElement(0xa0, writeInteger(0)),
      2,
    ],
    [
      'a negative version',
      'der-integer',
      { version: writeElement(0xa0, Uint8Array.of(2, 1, 0xff)) },
      Uint8Array.of(0xa0, 3, 2, 1, 0xff),
      4,
    ],
    [
      'an octet after the version',
      'der-trailing-data',
      { version: writeElement(0xa0, writeInteger(2), writeNull()) },
      Uint8Array.of(5, 0),
      0,
    ],
    [
      'an issuer id in version 1, RFC 5280 §4.1.2.8',
      'certificate-version',
      { version: v1, extensions: none, issuerUniqueID: Uint8Array.of(0x81, 2, 0, 1) },
      Uint8Array.of(0x81, 2, 0, 1),
      0,
    ],
    [
      'a subject id in version 1, RFC 5280 §4.1.2.8',
      'certificate-version',
      { version: v1, extensions: none, subjectUniqueID: Uint8Array.of(0x82, 2, 0, 1) },
      Uint8Array.of(0x82, 2, 0, 1),
      0,
    ],
    [
      'unused bits of an issuer id',
      'der-bit-string',
      { issuerUniqueID: Uint8Array.of(0x81, 2, 9, 1) },
      Uint8Array.of(0x81, 2, 9, 1),
      2,
    ],
    [
      'unused bits of a subject id',
      'der-bit-string',
      { subjectUniqueID: Uint8Array.of(0x82, 2, 9, 1) },
      Uint8Array.of(0x82, 2, 9, 1),
      2,
    ],
    [
      'unique ids in the wrong order',
      'der-trailing-data',
      {
        issuerUniqueID: Uint8Array.of(0x82, 2, 0, 1),
        subjectUniqueID: Uint8Array.of(0x81, 2, 0, 1),
      },
      Uint8Array.of(0x81, 2, 0, 1),
      0,
    ],
    [
      'a serial number with a superfluous octet',
      'der-integer',
      { serialNumber: Uint8Array.of(2, 2, 0, 7) },
      Uint8Array.of(2, 2, 0, 7),
      2,
    ],
    [
      'a serial number of another type',
      'der-unexpected-tag',
      { serialNumber: Uint8Array.of(4, 1, 7) },
      Uint8Array.of(4, 1, 7),
      0,
    ],
    ['an issuer that is a SET', 'der-unexpected-tag', { issuer: writeSetOf() }, writeSetOf(), 0],
    [
      'notBefore with a fraction',
      'der-time',
      { validity: writeSequence(writeText(0x18, '20200101000000.1Z'), utc('491231235959Z')) },
      writeText(0x18, '20200101000000.1Z'),
      2,
    ],
    [
      'notAfter that is no date',
      'der-time',
      { validity: writeSequence(utc('200101000000Z'), utc('490231235959Z')) },
      utc('490231235959Z'),
      2,
    ],
    [
      'three times',
      'der-trailing-data',
      { validity: writeSequence(utc('200101000000Z'), utc('491231235959Z'), utc('500101000000Z')) },
      utc('500101000000Z'),
      0,
    ],
    [
      'no notAfter',
      'der-truncated',
      { validity: writeSequence(utc('200101000000Z')) },
      nameOf('Subject'),
      0,
    ],
    [
      'a key with unused bits',
      'der-bit-string',
      { spki: writeSequence(ecdsa384, Uint8Array.of(3, 2, 1, 0)) },
      Uint8Array.of(3, 2, 1, 0),
      2,
    ],
    [
      'an octet after the key',
      'der-trailing-data',
      { spki: writeSequence(ecdsa384, writeBitString(none), writeNull()) },
      Uint8Array.of(5, 0),
      0,
    ],
    [
      'two parameters',
      'der-trailing-data',
      { signature: writeSequence(writeObjectIdentifier('1.2.3'), writeBoolean(true), writeNull()) },
      Uint8Array.of(5, 0, 0x30),
      0,
    ],
    [
      'an extension twice, RFC 5280 §4.2',
      'extension-duplicate',
      { extensions: twice(extension('1.2.4', writeBoolean(true))) },
      Uint8Array.of(5, 0, 0x30),
      2,
    ],
    [
      'no extensions in their list',
      'der-truncated',
      { extensions: writeElement(0xa3, writeSequence()) },
      writeElement(0xa3, writeSequence()),
      4,
    ],
    [
      'an octet after the extensions',
      'der-trailing-data',
      { extensions: writeElement(0xa3, writeSequence(unknown), writeBoolean(true)) },
      writeBoolean(true),
      0,
    ],
    [
      'an octet at the end of the tbsCertificate',
      'der-trailing-data',
      { after: writeBoolean(true) },
      writeBoolean(true),
      0,
    ],
    [
      'a signature with unused bits',
      'der-bit-string',
      { signatureValue: Uint8Array.of(3, 2, 1, 0) },
      Uint8Array.of(3, 2, 1, 0),
      2,
    ],
    [
      'a signature of another type',
      'der-unexpected-tag',
      { signatureValue: Uint8Array.of(4, 2, 0, 0) },
      Uint8Array.of(4, 2, 0, 0),
      0,
    ],
    [
      'an octet after the signature',
      'der-trailing-data',
      { behind: writeBoolean(true) },
      writeBoolean(true),
      0,
    ],
    [
      'algorithms that differ, RFC 5280 §4.1.1.2',
      'signature-algorithm-mismatch',
      { outer: ecdsa384 },
      ecdsa384,
      0,
    ],
    [
      'algorithms that differ in NULL parameters',
      'signature-algorithm-mismatch',
      { outer: writeSequence(writeObjectIdentifier('1.2.840.10045.4.3.2'), writeNull()) },
      writeSequence(writeObjectIdentifier('1.2.840.10045.4.3.2'), writeNull()),
      0,
    ],
  ])('%s: %s', (_, code, parts, needle, more) => {
    const failure = failureOf(parts)
    expect([failure?.code, failure?.offset]).toEqual([
      code,
      offsetOf(certificate(parts), needle) + more,
    ])
    expect(failure?.expected).not.toBe('')
  })
  test('an octet after the certificate', () => {
    const der = certificate()
    expect(parseCertificate(Uint8Array.of(...der, 0))).toEqual({
      ok: false,
      failure: {
        code: 'der-trailing-data',
        offset: der.length,
        expected: 'nothing after the last element',
      },
    })
  })
  test('a certificate cut off anywhere', () => {
    const der = certificate()
    for (let length = 0; length < der.length; length++) {
      const read = parseCertificate(der.subarray(0, length))
      expect(read.ok ? 'accepted' : read.failure.code).toBe('der-truncated')
    }
  })
  test.each<[string, Parts, boolean]>([
    ['1 MiB', {}, true],
    ['one octet more', { signatureValue: writeBitString(new Uint8Array(3)) }, false],
  ])('a certificate of %s', (_, parts, accepted) => {
    const limit = 1_048_576
    const filled = (size: number) =>
      certificate({
        ...parts,
        extensions: writeElement(0xa3, writeSequence(extension('1.2.3', new Uint8Array(size)))),
      })
    const size = 1_000_000
    const bare = certificate({
      extensions: writeElement(0xa3, writeSequence(extension('1.2.3', new Uint8Array(size)))),
    }).length
    const read = parseCertificate(filled(size + limit - bare))
    expect(read.ok).toBe(accepted)
    if (!read.ok) {
      expect(read.failure).toMatchObject({ code: 'certificate-too-large', offset: limit })
    }
  })
})

describe('the outer structure alone', () => {
  const der = certificate()
  test('three parts', () => {
    const read = parseCertificateShell(der)
    expect(read).toEqual({
      ok: true,
      value: {
        tbsCertificate: tbs(),
        signatureAlgorithm: ecdsa,
        signatureValue: Uint8Array.of(1, 2),
      },
    })
  })
  test.each<[string, Uint8Array, string]>([
    ['an octet after it', Uint8Array.of(...der, 0), 'der-trailing-data'],
    ['an octet inside', certificate({ behind: writeNull() }), 'der-trailing-data'],
    ['no signature', writeSequence(tbs(), ecdsa), 'der-truncated'],
    ['a tbsCertificate that is none', writeSequence(writeNull(), ecdsa), 'der-unexpected-tag'],
  ])('%s is refused', (_, bytes, code) => {
    const read = parseCertificateShell(bytes)
    expect(read.ok ? undefined : read.failure.code).toBe(code)
  })
  test('the fields of the tbsCertificate', () => {
    expect(parseTbsShell(tbs())).toEqual({
      ok: true,
      value: {
        version: 3,
        serialNumber: Uint8Array.of(7),
        signature: ecdsa,
        issuer: nameOf('Issuer'),
        validity: { notBefore: 1_577_836_800, notAfter: 2_524_607_999 },
        subject: nameOf('Subject'),
        subjectPublicKeyInfo: spki,
        issuerUniqueID: undefined,
        subjectUniqueID: undefined,
        extensions: writeSequence(unknown),
      },
    })
    const bare = parseTbsShell(tbs({ extensions: none }))
    expect(bare.ok && bare.value.extensions).toBeUndefined()
  })
  test.each<[string, Uint8Array, string]>([
    ['an octet after it', Uint8Array.of(...tbs(), 0), 'der-trailing-data'],
    ['an octet inside', tbs({ after: writeNull() }), 'der-trailing-data'],
    ['extensions in version 1', tbs({ version: v1 }), 'certificate-version'],
    [
      'an octet after the extensions',
      tbs({ extensions: writeElement(0xa3, writeSequence(unknown), writeNull()) }),
      'der-trailing-data',
    ],
  ])('%s is refused', (_, bytes, code) => {
    const read = parseTbsShell(bytes)
    expect(read.ok ? undefined : read.failure.code).toBe(code)
  })
})

test('an error that is not of the reader passes through', () => {
  expect(() =>
    reading(() => {
      throw new RangeError('no')
    }),
  ).toThrow(RangeError)
})

describe('properties', async () => {
  const root = await issueCa('Root CA', { nameConstraints: { permitted: [{ dns: 'example' }] } })
  const client = await root.issue('client-a', {
    subjectAltName: [{ dns: 'a.example' }, { uri: 'spiffe://example/a' }],
    certificatePolicies: [{ policy: '1.2.3', cps: 'https://example/cps', userNotice: 'Notice' }],
    cRLDistributionPoints: [{ uri: 'http://example/crl', reasons: 6 }],
  })
  test.each([root, client])('no changed octet makes it throw', (issued) => {
    for (let i = 0; i < issued.der.length; i++) {
      for (const change of [0x01, 0x80, 0xff]) {
        const bytes = issued.der.slice()
        bytes[i] = (bytes[i] as number) ^ change
        const read = parseCertificate(bytes)
        if (read.ok) expect(read.value.der).toEqual(bytes)
        else expect(read.failure.offset).toBeLessThanOrEqual(bytes.length)
      }
    }
  })
  test('nor do octets taken out or put in', () => {
    const { der } = client
    fc.assert(
      fc.property(
        fc.nat(der.length),
        fc.nat(3),
        fc.uint8Array({ maxLength: 3 }),
        (at, cut, put) => {
          const bytes = Uint8Array.of(...der.subarray(0, at), ...put, ...der.subarray(at + cut))
          const read = parseCertificate(bytes)
          return !read.ok || read.value.der.length === bytes.length
        },
      ),
      { numRuns: 500 },
    )
  })
  test('nor any octets', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => !parseCertificate(bytes).ok))
  })
})
