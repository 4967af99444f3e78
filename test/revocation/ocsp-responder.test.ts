/** Who may sign: RFC 6960 §4.2.2.2. */
import { describe, expect, test } from 'vitest'
import { writeNull } from '../../src/der/writer.ts'
import {
  type CertificateOptions,
  type IssuedCertificate,
  issueCa,
  testTime,
} from '../../src/testing/index.ts'
import type { Certificate } from '../../src/x509/certificate.ts'
import { Counter, codesOf, day, nextUpdate, saying, statusBy, thisUpdate } from './ocsp-support.ts'

const root = await issueCa('Root CA')
const other = await issueCa('Other CA')
const client = await root.issue('client-a')
const delegate = await root.issueOcspResponder('Responder')

async function byDelegate(options: CertificateOptions) {
  const signer = await root.issueOcspResponder('Responder', options)
  return root.issueOcspResponse({ signer, responses: [client] })
}

describe('the CA itself', () => {
  test.each(['byName', 'byKey'] as const)('named %s', async (responderID) => {
    const response = await root.issueOcspResponse({ responderID, responses: [client] })
    expect(statusBy(client, root, [response]).status).toBe('good')
  })

  test('by a name that matches its own, RFC 5280 §7.1', async () => {
    const responderID = { byName: 'ROOT  ca' }
    const response = await root.issueOcspResponse({ responderID, responses: [client] })
    expect(statusBy(client, root, [response]).status).toBe('good')
  })

  test.each([
    ['another name', { byName: 'Somebody' }],
    ['another key', { byKey: new Uint8Array(20) }],
  ])('its signature does not count under %s', async (_, responderID) => {
    const response = await root.issueOcspResponse({ responderID, responses: [client] })
    expect(codesOf(statusBy(client, root, [response]))).toBe('ocsp-responder-unknown')
  })

  test('another key in its name is a forgery', async () => {
    const responses = [client]
    const response = await root.issueOcspResponse({ responses, signingKey: 'P-256#9' })
    expect(statusBy(client, root, [response])).toMatchObject({
      problems: [{ code: 'ocsp-signature', failure: { code: 'signature-invalid' } }],
    })
  })

  test('another CA may not answer for it, even with the certID of its certificate', async () => {
    const response = await root.issueOcspResponse({ signer: other, responses: [client] })
    expect(codesOf(statusBy(client, root, [response]))).toBe('ocsp-responder-not-authorized')
  })
})

describe('a delegate', () => {
  test.each(['byName', 'byKey'] as const)('that the CA issued, named %s', async (responderID) => {
    const options = { signer: delegate, responderID, responses: [client] }
    const response = await root.issueOcspResponse(options)
    expect(statusBy(client, root, [response]).status).toBe('good')
  })

  test('its certificate has to be there', async () => {
    const options = { signer: delegate, certs: [], responses: [client] }
    const response = await root.issueOcspResponse(options)
    expect(codesOf(statusBy(client, root, [response]))).toBe('ocsp-responder-unknown')
  })

  test('among others, and after what is no certificate', async () => {
    const certs = [Uint8Array.of(0x30, 0), root, other, delegate]
    const response = await root.issueOcspResponse({ signer: delegate, certs, responses: [client] })
    expect(statusBy(client, root, [response]).status).toBe('good')
  })

  test('not behind more certificates than are looked at', async () => {
    const certs = [...Array.from({ length: 8 }, () => other), delegate]
    const response = await root.issueOcspResponse({ signer: delegate, certs, responses: [client] })
    const limit = [{ code: 'status-limit', of: 'ocsp-certificates' }]
    expect(statusBy(client, root, [response])).toMatchObject({ problems: limit })
    const late = await root.issueOcspResponse({
      signer: delegate,
      certs,
      responses: [{ certificate: client, certStatus: 'revoked' }],
    })
    const good = await root.issueOcspResponse({ responses: [client] })
    expect(statusBy(client, root, [late, good])).toMatchObject({ problems: limit })
  })

  test('with the very name of the CA and another key', async () => {
    const signer = await root.issueOcspResponder('Root CA', { key: 'P-256#3' })
    const options = { signer, responderID: 'byName', responses: [client] } as const
    const response = await root.issueOcspResponse(options)
    expect(statusBy(client, root, [response]).status).toBe('good')
  })

  test.each<[string, CertificateOptions, string]>([
    ['no extended key usage', { extendedKeyUsage: 'absent' }, 'extended-key-usage'],
    ['clientAuth alone', { extendedKeyUsage: ['clientAuth'] }, 'extended-key-usage'],
    [
      'anyExtendedKeyUsage, which is not id-kp-OCSPSigning',
      { extendedKeyUsage: ['anyExtendedKeyUsage'] },
      'extended-key-usage',
    ],
    ['a key usage without signatures', { keyUsage: ['keyCertSign', 'cRLSign'] }, 'key-usage'],
    [
      'an unknown critical extension',
      { rawExtensions: [{ oid: '1.2.3.4', critical: true, value: writeNull() }] },
      'critical-extension',
    ],
    [
      'name constraints',
      { nameConstraints: { permitted: [{ dns: 'example.com' }] } },
      'critical-extension',
    ],
    ['the name of another issuer', { issuer: 'Other CA' }, 'issued-by-another'],
    ['a signature of another key', { signingKey: 'P-256#9' }, 'signature-invalid'],
    ['a time that is over', { notAfter: testTime - 1 }, 'certificate-expired'],
    ['a time to come', { notBefore: testTime + 1 }, 'certificate-not-yet-valid'],
  ])('with %s does not count', async (_, options, what) => {
    const finding = statusBy(client, root, [await byDelegate(options)])
    expect(finding).toMatchObject({
      status: 'unknown',
      problems: [{ code: 'ocsp-responder-not-authorized', what }],
    })
  })

  test.each<[string, CertificateOptions]>([
    ['several purposes', { extendedKeyUsage: ['clientAuth', 'OCSPSigning'] }],
    ['no key usage', { keyUsage: 'absent' }],
    ['nonRepudiation, RFC 5280 §4.2.1.12', { keyUsage: ['nonRepudiation'] }],
    ['a critical ocsp-nocheck', { criticality: { ocspNoCheck: true } }],
  ])('with %s counts', async (_, options) => {
    expect(statusBy(client, root, [await byDelegate(options)]).status).toBe('good')
  })

  test('of version 1 has no extended key usage', async () => {
    const response = await byDelegate({ version: 1 })
    expect(statusBy(client, root, [response])).toMatchObject({
      problems: [{ what: 'extended-key-usage' }],
    })
  })

  test('under profile rfc5280 its certificate keeps to RFC 5280 §4', async () => {
    const response = await byDelegate({ serialNumber: 0 })
    expect(statusBy(client, root, [response]).status).toBe('good')
    expect(statusBy(client, root, [response], { profile: 'rfc5280' })).toMatchObject({
      problems: [{ what: 'serial-number-zero' }],
    })
  })

  test('of the CA above does not count for the CA below', async () => {
    const issuing = await root.issueCa('Issuing CA')
    const leaf = await issuing.issue('client-b')
    const response = await issuing.issueOcspResponse({ signer: delegate, responses: [leaf] })
    expect(statusBy(leaf, issuing, [response])).toMatchObject({
      problems: [{ code: 'ocsp-responder-not-authorized', what: 'issued-by-another' }],
    })
  })

  test('signed by its own key and no other', async () => {
    const options = { signer: delegate, signingKey: 'P-256#9', responses: [client] } as const
    const response = await root.issueOcspResponse(options)
    expect(codesOf(statusBy(client, root, [response]))).toBe('ocsp-signature')
  })

  test('a key that the policy does not take does not count', async () => {
    const response = await byDelegate({ key: 'RSA-1024' })
    expect(statusBy(client, root, [response])).toMatchObject({
      problems: [{ code: 'ocsp-signature', failure: { code: 'key-too-weak' } }],
    })
  })

  test('narrows the time for which the finding holds', async () => {
    const response = await byDelegate({ notBefore: testTime - 60, notAfter: testTime + day })
    expect(statusBy(client, root, [response])).toMatchObject({
      from: testTime - 60,
      until: testTime + day,
    })
  })

  test('that becomes valid changes the finding, which says when', async () => {
    const response = await byDelegate({ notBefore: testTime + 60 })
    expect(statusBy(client, root, [response])).toMatchObject({ until: testTime + 59 })
  })

  test('a revocation outlives the certificate of whoever told it, a good answer does not', async () => {
    const signer = await root.issueOcspResponder('Responder', { notAfter: thisUpdate + 60 })
    const answer = (certStatus: 'good' | 'revoked') =>
      root.issueOcspResponse({ signer, responses: [{ certificate: client, certStatus }] })
    expect(statusBy(client, root, [await answer('revoked')]).status).toBe('revoked')
    expect(codesOf(statusBy(client, root, [await answer('good')]))).toBe(
      'ocsp-responder-not-authorized',
    )
    const later = await root.issueOcspResponse({
      signer,
      producedAt: thisUpdate + 61,
      responses: [{ certificate: client, certStatus: 'revoked' }],
    })
    expect(codesOf(statusBy(client, root, [later]))).toBe('ocsp-responder-not-authorized')
  })
})

describe('the status of a delegate, RFC 6960 §4.2.2.2.1', () => {
  const ask = async (options: CertificateOptions, answer: boolean) => {
    const asked: Certificate[] = []
    const isRevoked = saying(answer, asked)
    const finding = statusBy(client, root, [await byDelegate(options)], { isRevoked })
    return { finding, asked: asked.length }
  }

  test('with ocsp-nocheck nobody asks', async () => {
    expect(await ask({}, true)).toMatchObject({ finding: { status: 'good' }, asked: 0 })
  })

  test('without it, a delegate that is not revoked counts', async () => {
    const answer = await ask({ ocspNoCheck: 'absent' }, false)
    expect(answer).toMatchObject({ finding: { status: 'good' }, asked: 1 })
  })

  test('and one that is revoked does not', async () => {
    const { finding } = await ask({ ocspNoCheck: 'absent' }, true)
    expect(codesOf(finding)).toBe('ocsp-responder-revoked')
  })

  test('an ocsp-nocheck that is not NULL is none', async () => {
    const raw = { oid: '1.3.6.1.5.5.7.48.1.5', value: Uint8Array.of(0x30, 0) }
    const answer = await ask({ ocspNoCheck: 'absent', rawExtensions: [raw] }, true)
    expect(codesOf(answer.finding)).toBe('ocsp-responder-revoked')
  })

  test('nobody asks about one whose signatures do not verify', async () => {
    const answer = await ask({ ocspNoCheck: 'absent', signingKey: 'P-256#9' }, true)
    expect(answer.asked).toBe(0)
  })
})

test('a delegate whose certificate cannot be verified for want of budget keeps good answers out', async () => {
  const response = await root.issueOcspResponse({
    signer: delegate,
    responses: [{ certificate: client, certStatus: 'revoked' }],
  })
  const good = await root.issueOcspResponse({ responses: [client] })
  for (const signatures of [0.5, 1.5]) {
    const finding = statusBy(client, root, [response, good], { budget: { signatures } })
    expect(finding).toMatchObject({
      status: 'unknown',
      problems: [{ code: 'ocsp-signature', failure: { code: 'budget-exhausted' } }],
    })
  }
})

test('a flaw that public responders have: an empty subjectAltName', async () => {
  const empty = { oid: '2.5.29.17', value: Uint8Array.of(0x30, 0) }
  const bytes = await root.issueBytes('Responder', {
    extendedKeyUsage: ['OCSPSigning'],
    rawExtensions: [empty],
  })
  const certs = [bytes.der]
  const signer = delegate satisfies IssuedCertificate
  const response = await root.issueOcspResponse({
    responderID: { byName: 'Responder' },
    signingKey: bytes.key,
    signer,
    certs,
    responses: [client],
  })
  const asked: Certificate[] = []
  const counter = new Counter()
  const finding = statusBy(client, root, [response], { isRevoked: saying(false, asked), counter })
  expect(finding).toMatchObject({ status: 'good', until: nextUpdate })
  expect(asked).toHaveLength(1)
  expect(counter.verifications).toBe(2)
})
