import { createHash, verify, X509Certificate } from 'node:crypto'
import { fromBER } from 'asn1js'
import { BasicOCSPResponse, OCSPResponse } from 'pkijs'
import { describe, expect, test } from 'vitest'
import { type IssuedOcspResponse, issueCa, testTime } from '../../src/testing/index.ts'
import type { Certificate } from '../../src/x509/certificate.ts'
import type { BasicOcspResponse } from '../../src/x509/ocsp.ts'
import { parseOcspResponse } from '../../src/x509/parse-ocsp.ts'

const hour = 3_600
const day = 24 * hour
const week = 7 * day

describe('the OCSP responses that the test PKI issues', async () => {
  const root = await issueCa('Root CA')
  const client = await root.issue('client-a')
  const delegate = await root.issueOcspResponder('OCSP responder')

  test('about a certificate: good, signed by the CA, current at the fixed clock', async () => {
    const basic = read(await root.issueOcspResponse({ responses: [client] }))
    expect(basic).toMatchObject({
      producedAt: testTime - hour,
      certs: [],
      nonce: undefined,
      responseExtensions: [],
      responderID: { kind: 'byKey', keyHash: keyHash(root, 'sha1') },
    })
    expect(basic.responses).toMatchObject([
      {
        certID: {
          hashAlgorithm: { algorithm: '1.3.14.3.2.26' },
          issuerNameHash: nameHash(root, 'sha1'),
          issuerKeyHash: keyHash(root, 'sha1'),
          serialNumber: client.tbsCertificate.serialNumber,
        },
        certStatus: { status: 'good' },
        thisUpdate: testTime - hour,
        nextUpdate: testTime - hour + week,
        singleExtensions: [],
      },
    ])
    expect(isSignedBy(basic, root)).toBe(true)
  })

  test('pkijs reads what we write', async () => {
    const { der } = await root.issueOcspResponse({
      responses: [client, { serialNumber: 7, certStatus: { reason: 'keyCompromise' } }],
      signer: delegate,
      nonce: Uint8Array.of(1, 2, 3),
    })
    const response = OCSPResponse.fromBER(der as Uint8Array<ArrayBuffer>)
    const octets = response.responseBytes?.response.valueBlock.valueHexView as Uint8Array
    const basic = new BasicOCSPResponse({
      schema: fromBER(octets as Uint8Array<ArrayBuffer>).result,
    })
    expect(basic.tbsResponseData.responses).toHaveLength(2)
    expect(basic.certs).toHaveLength(1)
  })

  test('a responder has the usage, ocsp-nocheck and a path to the CA', () => {
    const { keyUsage, extendedKeyUsage, all } = delegate.tbsCertificate.extensions
    expect(keyUsage?.bits).toBe(1)
    expect(extendedKeyUsage?.purposes).toEqual(['1.3.6.1.5.5.7.3.9'])
    expect(all.at(-1)?.oid).toBe('1.3.6.1.5.5.7.48.1.5')
    expect(new X509Certificate(delegate.der).checkIssued(new X509Certificate(root.der))).toBe(true)
  })

  test('a delegate signs and sends its certificate along', async () => {
    const basic = read(await root.issueOcspResponse({ responses: [client], signer: delegate }))
    expect(basic.certs).toEqual([delegate.der])
    expect(basic.responderID).toEqual({ kind: 'byKey', keyHash: keyHash(delegate, 'sha1') })
    expect(basic.responses[0]?.certID.issuerKeyHash).toEqual(keyHash(root, 'sha1'))
    expect(isSignedBy(basic, delegate)).toBe(true)
    const bare = await root.issueOcspResponse({ signer: delegate, certs: [], responses: [client] })
    expect(read(bare).certs).toEqual([])
    const more = await root.issueOcspResponse({ certs: [root, Uint8Array.of(0x30, 0)] })
    expect(read(more).certs).toEqual([root.der, Uint8Array.of(0x30, 0)])
  })

  test('every status', async () => {
    const serialNumber = 5
    const { responses } = read(
      await root.issueOcspResponse({
        responses: [
          { serialNumber, certStatus: 'good' },
          { serialNumber, certStatus: 'unknown' },
          { serialNumber, certStatus: 'revoked' },
          { serialNumber, certStatus: { revocationTime: 1_000, reason: 'certificateHold' } },
        ],
      }),
    )
    expect(responses.map(({ certStatus }) => certStatus)).toEqual([
      { status: 'good' },
      { status: 'unknown' },
      { status: 'revoked', revocationTime: testTime - hour - day, reason: undefined },
      { status: 'revoked', revocationTime: 1_000, reason: 'certificateHold' },
    ])
  })

  test.each([
    ['SHA-1', 'sha1'],
    ['SHA-256', 'sha256'],
    ['SHA-384', 'sha384'],
    ['SHA-512', 'sha512'],
  ] as const)('a certID by %s', async (hash, digest) => {
    const { responses } = read(await root.issueOcspResponse({ hash, responses: [client] }))
    expect(responses[0]?.certID).toMatchObject({
      issuerNameHash: nameHash(root, digest),
      issuerKeyHash: keyHash(root, digest),
    })
  })

  test('hashes, times and extensions of one response are its own', async () => {
    const [issuerNameHash, issuerKeyHash] = [Uint8Array.of(1), Uint8Array.of(2)]
    const extension = { oid: '1.2.3', critical: true, value: Uint8Array.of(5, 0) }
    const { responses } = read(
      await root.issueOcspResponse({
        responses: [
          {
            certificate: client,
            hash: 'SHA-256',
            issuerNameHash,
            issuerKeyHash,
            thisUpdate: 1_000,
            nextUpdate: 'absent',
            singleExtensions: [extension],
          },
        ],
      }),
    )
    expect(responses).toMatchObject([
      {
        certID: {
          hashAlgorithm: { algorithm: '2.16.840.1.101.3.4.2.1' },
          issuerNameHash,
          issuerKeyHash,
        },
        thisUpdate: 1_000,
        nextUpdate: undefined,
        singleExtensions: [extension],
      },
    ])
  })

  test('a certID as it stands is written as it stands', async () => {
    const certID = Uint8Array.of(0x30, 0)
    const { der } = await root.issueOcspResponse({ responses: [{ certID }] })
    expect(parseOcspResponse(der)).toMatchObject({ ok: false })
  })

  test('nonce, extensions, producedAt and responderID', async () => {
    const extension = { oid: '1.2.3', critical: true, value: Uint8Array.of(5, 0) }
    const basic = read(
      await root.issueOcspResponse({
        nonce: Uint8Array.of(1, 2),
        responseExtensions: [extension],
        producedAt: new Date(5_000_000),
        responderID: 'byName',
      }),
    )
    expect(basic).toMatchObject({
      nonce: Uint8Array.of(1, 2),
      producedAt: 5_000,
      responderID: { kind: 'byName', name: { der: root.tbsCertificate.subject.der } },
    })
    expect(basic.responseExtensions.at(-1)).toEqual(extension)
    const named = await root.issueOcspResponse({ responderID: { byName: 'Somebody' } })
    expect(read(named).responderID.kind).toBe('byName')
    const keyHash = new Uint8Array(20)
    const keyed = await root.issueOcspResponse({ responderID: { byKey: keyHash } })
    expect(read(keyed).responderID).toEqual({ kind: 'byKey', keyHash })
  })

  test.each([
    'malformedRequest',
    'internalError',
    'tryLater',
    'sigRequired',
    'unauthorized',
  ] as const)('the error %s has nothing beside it', async (responseStatus) => {
    const { der } = await root.issueOcspResponse({ responseStatus, responses: [client] })
    expect(der).toHaveLength(5)
    expect(parseOcspResponse(der)).toMatchObject({ ok: true, value: { responseStatus } })
  })

  test('a status that does not exist, another response type', async () => {
    expect((await root.issueOcspResponse({ responseStatus: 4 })).der).toEqual(
      Uint8Array.of(0x30, 3, 0x0a, 1, 4),
    )
    const parsed = parseOcspResponse((await root.issueOcspResponse({ responseType: '1.2.3' })).der)
    expect(parsed).toMatchObject({ ok: true, value: { basic: undefined } })
  })

  test('a forgery and a damaged signature do not verify; a changed part is signed as it is', async () => {
    const flipLast = (bytes: Uint8Array) => bytes.with(-1, (bytes.at(-1) as number) ^ 1)
    const nonce = Uint8Array.of(1)
    const responses = [client]
    const issue = async (options: object) =>
      read(await root.issueOcspResponse({ responses, nonce, ...options }))
    expect(isSignedBy(await issue({ signingKey: 'P-256' }), root)).toBe(false)
    expect(isSignedBy(await issue({ mutateSignature: flipLast }), root)).toBe(false)
    expect(isSignedBy(await issue({ mutateTbs: flipLast }), root)).toBe(true)
    const algorithm = await issue({ signatureAlgorithm: { name: 'Ed25519' } })
    expect(algorithm.signatureAlgorithm.algorithm).toBe('1.3.101.112')
    const { der } = await root.issueOcspResponse({ mutateBasicResponse: (b) => b.subarray(0, -1) })
    expect(parseOcspResponse(der)).toMatchObject({ ok: false })
    const cut = await root.issueOcspResponse({ mutateResponse: (r) => r.subarray(0, -1) })
    expect(parseOcspResponse(cut.der)).toMatchObject({
      ok: false,
      failure: { code: 'der-truncated' },
    })
  })
})

function read({ der }: IssuedOcspResponse): BasicOcspResponse {
  const parsed = parseOcspResponse(der)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.failure))
  if (parsed.value.basic === undefined) throw new Error('no basic response')
  return parsed.value.basic
}

function isSignedBy(
  { tbsResponseData, signature }: BasicOcspResponse,
  { tbsCertificate }: Certificate,
): boolean {
  const key = Buffer.from(tbsCertificate.subjectPublicKeyInfo.der)
  return verify('sha256', tbsResponseData, { key, format: 'der', type: 'spki' }, signature)
}

function nameHash({ tbsCertificate }: Certificate, hash: string): Uint8Array {
  return Uint8Array.from(createHash(hash).update(tbsCertificate.subject.der).digest())
}

/** A P-256 key ends with its 65 octets. */
function keyHash({ tbsCertificate }: Certificate, hash: string): Uint8Array {
  const octets = tbsCertificate.subjectPublicKeyInfo.der.subarray(-65)
  return Uint8Array.from(createHash(hash).update(octets).digest())
}
