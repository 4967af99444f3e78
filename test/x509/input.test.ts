import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeBase64 } from '../../src/base/base64.ts'
import { asciiBytes, concatBytes } from '../../src/base/bytes.ts'
import { writePem } from '../../src/base/pem.ts'
import { describeFailure } from '../../src/client/failure.ts'
import {
  writeBitString,
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
import { type OtherKind, readCertificateInput } from '../../src/x509/input.ts'

const root = await issueCa('Root CA')
const client = await root.issue('client-a')
const pem = client.pem

function failureOf(input: string | Uint8Array) {
  const read = readCertificateInput(input)
  return read.ok ? undefined : read.failure
}

function dersOf(input: string | Uint8Array) {
  const read = readCertificateInput(input)
  return read.ok ? read.value.certificates : undefined
}

describe('certificates as PEM, RFC 7468 §5', () => {
  test.each([
    ['LF', pem],
    ['CRLF', pem.replaceAll('\n', '\r\n')],
    ['CR', pem.replaceAll('\n', '\r')],
    ['one line', pem.replaceAll('\n', '')],
    ['lines of 76', pem.replaceAll('\n', '').replace(/([^-]{76})/g, '$1\n')],
    ['text around', `subject=/CN=client-a\n${pem}\nand more\n`],
    ['label X509 CERTIFICATE', pem.replaceAll('CERTIFICATE', 'X509 CERTIFICATE')],
    ['a byte order mark', `\ufeff${pem}`],
  ])('%s, as text and as octets', (_, text) => {
    expect(dersOf(text)).toEqual([client.der])
    expect(dersOf(new TextEncoder().encode(text))).toEqual([client.der])
  })
  test('several, in their order', () => {
    expect(dersOf(pem + root.pem)).toEqual([client.der, root.der])
  })
  test('a private key after the certificate is passed over, and one before it is not', () => {
    expect(dersOf(pem + client.privateKeyPem + root.pem)).toEqual([client.der, root.der])
    expect(failureOf(client.privateKeyPem + pem)).toEqual({
      code: 'input-not-a-certificate',
      kind: 'private-key',
      label: 'PRIVATE KEY',
    })
  })
  test('trust attributes after the certificate are refused, not passed over', () => {
    const trusted = root.pem.replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE')
    expect(failureOf(pem + trusted)).toMatchObject({ kind: 'trusted-certificate' })
  })
  test.each([
    ['no END', pem.replace(/-----END.*/, ''), 'no-end'],
    ['the END of another label', pem.replace('END CERTIFICATE', 'END X'), 'no-end'],
    ['a foreign character', pem.replace('MII', 'M*I').replace('MIIB', 'M*IB'), 'base64'],
    ['no contents', '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----', 'base64'],
  ])('damage in the first block is a failure: %s', (_, text, reason) => {
    const failure = { code: 'input-pem-malformed', block: 0, reason }
    expect(failureOf(text)).toEqual(failure)
    expect(failureOf(asciiBytes(text))).toEqual(failure)
    // The certificate behind it never takes its place.
    expect(failureOf(text + root.pem)?.code).toBe('input-pem-malformed')
  })
  test('damage after the first block is reported beside what was read', () => {
    const read = readCertificateInput(`${pem}-----BEGIN CERTIFICATE-----\n!`)
    expect(read).toEqual({
      ok: true,
      value: {
        certificates: [client.der],
        damaged: { code: 'input-pem-malformed', block: 1, reason: 'no-end' },
      },
    })
    const text = readCertificateInput(`${pem}-----BEGIN X-----\n*\n-----END X-----`)
    expect(text.ok && text.value.damaged).toEqual({
      code: 'input-pem-malformed',
      block: 1,
      reason: 'base64',
    })
  })
})

describe('DER and Base64 of DER', () => {
  test('DER is handed on as it is', () => {
    expect(dersOf(client.der)).toEqual([client.der])
  })
  test('Base64 without armour, in any lines', () => {
    const text = encodeBase64(client.der)
    expect(dersOf(text)).toEqual([client.der])
    expect(dersOf(asciiBytes(text))).toEqual([client.der])
    expect(dersOf(`\n  ${text.replace(/(.{40})/g, '$1\r\n')}\n`)).toEqual([client.der])
  })
  test.each<[string, string | Uint8Array, string]>([
    ['no text', '', 'input-empty'],
    ['no octets', new Uint8Array(), 'input-empty'],
    ['blanks', ' \r\n\t', 'input-empty'],
    ['words', 'not a certificate', 'input-unrecognized'],
    ['Base64 of something else', encodeBase64(asciiBytes('hello there')), 'input-unrecognized'],
    ['Base64 of nothing', '====', 'input-unrecognized'],
    ['noise', Uint8Array.of(0, 159, 146, 150), 'input-unrecognized'],
    ['a SET', Uint8Array.of(0x31, 0), 'input-unrecognized'],
    ['UTF-16', new Uint8Array(Buffer.from(pem, 'utf16le')), 'input-unrecognized'],
    ['JSON', '{"certificate":"MIIB"}', 'input-unrecognized'],
  ])('%s is %s', (_, input, code) => {
    expect(failureOf(input)).toEqual({ code })
  })
  test('what is cut off is left to the parser, which says where', () => {
    expect(dersOf(client.der.subarray(0, 50))).toHaveLength(1)
    expect(dersOf(Uint8Array.of(0x30))).toHaveLength(1)
  })
})

describe('what is no certificate is called by its name', () => {
  const algorithm = writeSequence(writeObjectIdentifier('1.2.840.10045.4.3.2'))
  const signed = (...fields: Uint8Array[]) =>
    writeSequence(writeSequence(...fields), algorithm, writeBitString(Uint8Array.of(1)))
  const name = writeSequence(
    writeSetOf(writeSequence(writeObjectIdentifier('2.5.4.3'), writeText(0x0c, 'x'))),
  )
  const thisUpdate = writeText(0x17, '300101000000Z')
  const lateUpdate = writeText(0x18, '20500101000000Z')
  const spki = client.tbsCertificate.subjectPublicKeyInfo.der
  const zero = writeInteger(0)
  const attributes = writeElement(0xa0)
  const contentInfo = (oid: string) =>
    writeSequence(writeObjectIdentifier(oid), writeElement(0xa0, writeSequence()))
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const exported = (type: 'pkcs1' | 'pkcs8' | 'sec1', key: typeof ec.privateKey) =>
    new Uint8Array(key.export({ type, format: 'der' } as { type: 'pkcs8'; format: 'der' }))

  const samples: readonly [string, OtherKind, string, Uint8Array][] = [
    ['PKCS#8', 'private-key', 'PRIVATE KEY', exported('pkcs8', ec.privateKey)],
    ['PKCS#8 of RSA', 'private-key', 'PRIVATE KEY', exported('pkcs8', rsa.privateKey)],
    ['PKCS#1', 'private-key', 'RSA PRIVATE KEY', exported('pkcs1', rsa.privateKey)],
    ['SEC 1', 'private-key', 'EC PRIVATE KEY', exported('sec1', ec.privateKey)],
    ['an SPKI', 'public-key', 'PUBLIC KEY', spki],
    [
      'a request',
      'certificate-request',
      'CERTIFICATE REQUEST',
      signed(zero, name, spki, attributes),
    ],
    ['an old request', 'certificate-request', 'NEW CERTIFICATE REQUEST', signed(zero, name, spki)],
    [
      'a request with odd attributes',
      'certificate-request',
      'CERTIFICATE REQUEST',
      signed(zero, name, spki, writeElement(0x80)),
    ],
    [
      'a CRL',
      'certificate-revocation-list',
      'X509 CRL',
      signed(writeInteger(1), algorithm, name, thisUpdate),
    ],
    [
      'a CRL of version 1',
      'certificate-revocation-list',
      'CRL',
      signed(algorithm, name, thisUpdate),
    ],
    [
      'a CRL after 2050',
      'certificate-revocation-list',
      'X509 CRL',
      signed(writeInteger(1), algorithm, name, lateUpdate),
    ],
    ['PKCS#7', 'pkcs7', 'PKCS7', contentInfo('1.2.840.113549.1.7.2')],
    ['CMS', 'pkcs7', 'CMS', contentInfo('1.2.840.113549.1.7.2')],
    [
      'PKCS#12',
      'pkcs12',
      'PKCS12',
      writeSequence(writeInteger(3), contentInfo('1.2.840.113549.1.7.1')),
    ],
  ]
  test.each(samples)(
    '%s: PEM with its own label, with CERTIFICATE, Base64, DER',
    (_, kind, label, der) => {
      expect(failureOf(writePem(label, der))).toEqual({
        code: 'input-not-a-certificate',
        kind,
        label,
      })
      expect(failureOf(writePem('CERTIFICATE', der))).toEqual({
        code: 'input-not-a-certificate',
        kind,
        label: 'CERTIFICATE',
      })
      expect(failureOf(der)).toEqual({ code: 'input-not-a-certificate', kind })
      expect(failureOf(encodeBase64(der))).toEqual({ code: 'input-not-a-certificate', kind })
      // It never gives way to the certificate after it.
      expect(failureOf(writePem(label, der) + pem)).toMatchObject({ kind })
    },
  )
  test.each<[string, OtherKind]>([
    ['ENCRYPTED PRIVATE KEY', 'private-key'],
    ['OPENSSH PRIVATE KEY', 'private-key'],
    ['DSA PRIVATE KEY', 'private-key'],
    ['RSA PUBLIC KEY', 'public-key'],
    ['TRUSTED CERTIFICATE', 'trusted-certificate'],
    ['PKCS #7 SIGNED DATA', 'pkcs7'],
    ['DH PARAMETERS', 'other-pem'],
    ['certificate', 'other-pem'],
    ['ATTRIBUTE CERTIFICATE', 'other-pem'],
    ['', 'other-pem'],
  ])('the label %j is %s', (label, kind) => {
    expect(failureOf(writePem(label, client.der))).toEqual({
      code: 'input-not-a-certificate',
      kind,
      label,
    })
  })
  test.each<OtherKind>([
    'private-key',
    'public-key',
    'certificate-request',
    'certificate-revocation-list',
    'trusted-certificate',
    'pkcs12',
    'pkcs7',
    'other-pem',
  ])('%s has a remedy of its own', (kind) => {
    const { message, remedy } = describeFailure({ code: 'input-not-a-certificate', kind })
    expect(message).toMatch(/^this is /)
    expect(remedy).toMatch(/give|convert|extract|have/)
    const all = new Set(
      samples.map(
        ([, other]) => describeFailure({ code: 'input-not-a-certificate', kind: other }).remedy,
      ),
    )
    expect(all.size).toBe(new Set(samples.map(([, other]) => other)).size)
  })
  test('the label is told', () => {
    const { message } = describeFailure({
      code: 'input-not-a-certificate',
      kind: 'other-pem',
      label: 'DH PARAMETERS',
    })
    expect(message).toContain('DH PARAMETERS')
  })
  test.each<[string, Uint8Array]>([
    ['an empty SEQUENCE', writeSequence()],
    ['an OBJECT IDENTIFIER alone', writeSequence(writeObjectIdentifier('1.2.3'))],
    ['an INTEGER alone', writeSequence(writeInteger(1))],
    ['an INTEGER and a NULL', writeSequence(writeInteger(3), writeNull())],
    ['an OCTET STRING', writeSequence(writeOctetString(Uint8Array.of(1)))],
    ['SEQUENCE and BIT STRING', writeSequence(writeSequence(writeNull()), writeBitString(spki))],
    ['a request without a name', signed(zero, zero, spki, attributes)],
    ['a request without a key', signed(zero, name, zero, attributes)],
    ['a request with another field', signed(zero, name, spki, zero)],
    ['a request of version 1 without its INTEGER', signed(name, name, spki)],
    ['a list without a signature algorithm', signed(writeInteger(1), zero, name, thisUpdate)],
    ['a list without an issuer', signed(writeInteger(1), algorithm, zero, thisUpdate)],
    ['a list without a time', signed(writeInteger(1), algorithm, name, name)],
    [
      'a certificate of version 1',
      signed(writeInteger(1), algorithm, name, writeSequence(), name, spki),
    ],
  ])('%s is left to the parser', (_, der) => {
    expect(failureOf(der)).toBeUndefined()
    expect(dersOf(der)).toEqual([der])
  })
})

describe('no input makes it throw', () => {
  test('octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.boolean(), (bytes, der) => {
        readCertificateInput(der ? concatBytes(Uint8Array.of(0x30, bytes.length), bytes) : bytes)
      }),
      { numRuns: 500 },
    )
  })
  test('text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        readCertificateInput(text)
        readCertificateInput(`-----BEGIN ${text}`)
      }),
    )
  })
})
