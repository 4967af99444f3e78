import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { writeNull, writeOctetString } from '../../src/der/writer.ts'
import { parseOcspResponses } from '../../src/revocation/responses.ts'
import { generalizedTime } from '../../src/testing/encode.ts'
import { issueCa, testTime } from '../../src/testing/index.ts'
import {
  Counter,
  codesOf,
  contextOf,
  day,
  hour,
  nextUpdate,
  statusBy,
  thisUpdate,
  week,
} from './ocsp-support.ts'

const root = await issueCa('Root CA')
const other = await issueCa('Other CA')
const client = await root.issue('client-a')
const good = await root.issueOcspResponse({ responses: [client] })
const revoked = await root.issueOcspResponse({
  responses: [
    { certificate: client, certStatus: { revocationTime: 1_700_000_000, reason: 'keyCompromise' } },
  ],
})
const unknown = await root.issueOcspResponse({
  responses: [{ certificate: client, certStatus: 'unknown' }],
})

describe('what an answer says, RFC 6960 §2.2', () => {
  test('good, with its evidence and how long it holds', () => {
    expect(statusBy(client, root, [good])).toEqual({
      status: 'good',
      evidence: [
        { by: 'ocsp', issuer: root.tbsCertificate.subject, thisUpdate, nextUpdate, age: hour },
      ],
      stale: false,
      from: thisUpdate,
      until: nextUpdate,
    })
  })

  test('a tolerance widens how long it holds at both ends', () => {
    const finding = statusBy(client, root, [good], { clockTolerance: 60 })
    expect(finding).toMatchObject({ from: thisUpdate - 60, until: nextUpdate + 60 })
  })

  test('revoked, with time and reason', () => {
    expect(statusBy(client, root, [revoked])).toEqual({
      status: 'revoked',
      evidence: {
        by: 'ocsp',
        issuer: root.tbsCertificate.subject,
        thisUpdate,
        nextUpdate,
        age: hour,
      },
      revocationDate: 1_700_000_000,
      reason: 'keyCompromise',
      invalidityDate: undefined,
    })
  })

  test('an invalidity date is an extension of the answer, RFC 6960 §4.4.5', async () => {
    const dated = await root.issueOcspResponse({
      responses: [
        {
          certificate: client,
          certStatus: 'revoked',
          singleExtensions: [{ oid: '2.5.29.24', critical: true, value: generalizedTime(5 * day) }],
        },
      ],
    })
    expect(statusBy(client, root, [dated])).toMatchObject({
      status: 'revoked',
      invalidityDate: 5 * day,
    })
  })

  test('"unknown" is no good answer, and changes nothing by time alone before it runs out', () => {
    expect(statusBy(client, root, [unknown])).toEqual({
      status: 'unknown',
      problems: [{ code: 'ocsp-unknown' }],
      until: nextUpdate,
    })
  })
})

describe('the worst answer counts', () => {
  test.each([
    ['revoked over good', [good, revoked], 'revoked'],
    ['revoked over unknown', [unknown, revoked], 'revoked'],
    ['unknown over good', [good, unknown], 'ocsp-unknown'],
  ])('%s, in either order', (_, responses, expected) => {
    expect(codesOf(statusBy(client, root, responses))).toBe(expected)
    expect(codesOf(statusBy(client, root, responses.toReversed()))).toBe(expected)
  })

  test('within one response, too', async () => {
    const both = await root.issueOcspResponse({
      responses: [client, { certificate: client, certStatus: 'revoked' }],
    })
    expect(statusBy(client, root, [both]).status).toBe('revoked')
  })

  test('whatever hash its certID has', async () => {
    const sha256 = await root.issueOcspResponse({
      hash: 'SHA-256',
      responses: [{ certificate: client, certStatus: 'revoked' }],
    })
    expect(statusBy(client, root, [good, sha256]).status).toBe('revoked')
  })

  test('no set of answers is better than any of its answers', () => {
    const rank = { good: 0, unknown: 1, revoked: 2 }
    const kinds = { good, unknown, revoked }
    const kind = fc.constantFrom<keyof typeof kinds>('good', 'unknown', 'revoked')
    fc.assert(
      fc.property(fc.array(kind, { minLength: 1, maxLength: 5 }), (chosen) => {
        const { status } = statusBy(
          client,
          root,
          chosen.map((one) => kinds[one]),
        )
        return rank[status] === Math.max(...chosen.map((one) => rank[one]))
      }),
    )
  })

  test('a forged answer that revokes or does not know takes nothing from a good one', async () => {
    const forged = await Promise.all(
      (['revoked', 'unknown'] as const).map((certStatus) =>
        root.issueOcspResponse({
          responses: [{ certificate: client, certStatus }],
          mutateSignature: flipped,
        }),
      ),
    )
    expect(statusBy(client, root, [...forged, good]).status).toBe('good')
    expect(codesOf(statusBy(client, root, forged))).toBe('ocsp-signature ocsp-signature')
  })

  test('an answer that revokes and cannot be verified for want of budget keeps good ones out', () => {
    const finding = statusBy(client, root, [revoked, good], { budget: { signatures: 0.5 } })
    expect(finding).toEqual({
      status: 'unknown',
      problems: [
        { code: 'ocsp-signature', failure: { code: 'budget-exhausted', of: 'signatures' } },
      ],
      until: Number.POSITIVE_INFINITY,
      isSuspected: true,
    })
  })

  test('nor does a runtime without the algorithm turn it into a good one', () => {
    const data = parseOcspResponses(revoked.der).responses[0]?.basic?.tbsResponseData
    const lacking = new Counter({
      verifySignature: (effect) => (effect.data.length === data?.length ? 'unsupported' : 'valid'),
    })
    const finding = statusBy(client, root, [good, revoked], { counter: lacking })
    expect(codesOf(finding)).toBe('ocsp-signature')
  })
})

describe('which certificate an answer is about, RFC 6960 §4.1.1', () => {
  test.each(['SHA-1', 'SHA-256'] as const)('a certID by %s', async (hash) => {
    const response = await root.issueOcspResponse({ hash, responses: [client] })
    expect(statusBy(client, root, [response]).status).toBe('good')
  })

  test('a hash that is not asked for here names nobody', async () => {
    const response = await root.issueOcspResponse({ hash: 'SHA-512', responses: [client] })
    expect(codesOf(statusBy(client, root, [response]))).toBe('ocsp-other-certificate')
  })

  test.each([
    ['issuerNameHash', { issuerNameHash: new Uint8Array(20) }],
    ['issuerKeyHash', { issuerKeyHash: new Uint8Array(20) }],
    ['issuerKeyHash of another length', { issuerKeyHash: new Uint8Array(32) }],
  ])('another %s is another certificate', async (_, change) => {
    const response = await root.issueOcspResponse({
      responses: [{ certificate: client, ...change }],
    })
    expect(codesOf(statusBy(client, root, [response]))).toBe('ocsp-other-certificate')
  })

  test('the same serial number of another CA is another certificate, even if it is revoked', async () => {
    const { serialNumber } = client.tbsCertificate
    const response = await other.issueOcspResponse({
      responses: [{ serialNumber, certStatus: 'revoked' }],
    })
    expect(codesOf(statusBy(client, root, [response]))).toBe('ocsp-other-certificate')
  })

  test('another serial number says nothing', async () => {
    const response = await root.issueOcspResponse({ responses: [{ serialNumber: 77 }] })
    expect(codesOf(statusBy(client, root, [response]))).toBe('ocsp-missing')
    expect(codesOf(statusBy(client, root, []))).toBe('ocsp-missing')
  })

  test('the hash may be of the name as the certificate writes it or as the CA does', async () => {
    const shouting = await root.issue('client-b', { issuer: 'ROOT CA' })
    const bySubject = await root.issueOcspResponse({ responses: [shouting] })
    expect(statusBy(shouting, root, [bySubject]).status).toBe('good')
    const twin = await issueCa('ROOT CA', { key: root.key })
    const byIssuer = await twin.issueOcspResponse({ responses: [shouting] })
    expect(statusBy(shouting, root, [byIssuer]).status).toBe('good')
    expect(statusBy(shouting, root, [bySubject, byIssuer]).status).toBe('good')
  })
})

describe('what is no answer, RFC 6960 §4.2.1', () => {
  test.each([
    'malformedRequest',
    'internalError',
    'tryLater',
    'sigRequired',
    'unauthorized',
  ] as const)('%s', async (responseStatus) => {
    const response = await root.issueOcspResponse({ responseStatus })
    expect(statusBy(client, root, [response, response])).toEqual({
      status: 'unknown',
      problems: [{ code: 'ocsp-error', responseStatus }],
      until: Number.POSITIVE_INFINITY,
    })
  })

  test('a type other than basic', async () => {
    const response = await root.issueOcspResponse({ responseType: '1.2.3', responses: [client] })
    expect(codesOf(statusBy(client, root, [response]))).toBe('ocsp-type-unknown')
  })

  test('errors are of no interest where there is an answer', async () => {
    const error = await root.issueOcspResponse({ responseStatus: 'tryLater' })
    expect(statusBy(client, root, [error, good]).status).toBe('good')
  })
})

describe('time, RFC 6960 §4.2.2.1', () => {
  test.each([
    [thisUpdate - 1, 'ocsp-not-yet-valid'],
    [thisUpdate, 'good'],
    [nextUpdate, 'good'],
    [nextUpdate + 1, 'ocsp-expired'],
  ])('a good answer at second %i: %s', (time, expected) => {
    expect(codesOf(statusBy(client, root, [good], { time }))).toBe(expected)
  })

  test('nothing changes before an answer becomes valid', () => {
    expect(statusBy(client, root, [good], { time: thisUpdate - 10, clockTolerance: 2 })).toEqual({
      status: 'unknown',
      problems: [{ code: 'ocsp-not-yet-valid', thisUpdate }],
      until: thisUpdate - 3,
    })
  })

  test('without nextUpdate it counts for maxAge, and not at all without one', async () => {
    const endless = await root.issueOcspResponse({ responses: [client], nextUpdate: 'absent' })
    const at = (time: number, maxAge?: number) =>
      statusBy(client, root, [endless], { time, maxAge })
    expect(at(testTime)).toMatchObject({
      problems: [{ code: 'ocsp-too-old', thisUpdate, maxAge: undefined }],
    })
    expect(at(thisUpdate + 100, 100)).toMatchObject({ status: 'good', until: thisUpdate + 100 })
    expect(at(thisUpdate + 101, 100)).toMatchObject({
      problems: [{ code: 'ocsp-too-old', thisUpdate, maxAge: 100 }],
    })
  })

  test('a stale good answer counts as long as the rule lets it, and says so', () => {
    const at = (time: number) => statusBy(client, root, [good], { time, staleFor: day })
    expect(at(nextUpdate + day)).toMatchObject({
      status: 'good',
      stale: true,
      until: nextUpdate + day,
    })
    expect(codesOf(at(nextUpdate + day + 1))).toBe('ocsp-expired')
  })

  test('of good answers the newest that is current decides', async () => {
    const older = await root.issueOcspResponse({
      responses: [client],
      thisUpdate: thisUpdate - day,
      nextUpdate: testTime + day,
    })
    const stale = await root.issueOcspResponse({
      responses: [client],
      thisUpdate: testTime - 10,
      nextUpdate: testTime - 5,
    })
    expect(statusBy(client, root, [stale, older, good], { staleFor: week })).toMatchObject({
      stale: false,
      until: nextUpdate,
      evidence: [{ thisUpdate }],
    })
  })

  test('an answer that revokes counts when it has run out, and not before it is valid', () => {
    expect(statusBy(client, root, [revoked], { time: nextUpdate + week }).status).toBe('revoked')
    expect(statusBy(client, root, [revoked], { time: testTime, maxAge: 1 }).status).toBe('revoked')
    const early = statusBy(client, root, [revoked], { time: thisUpdate - 1 })
    expect(codesOf(early)).toBe('ocsp-not-yet-valid')
  })

  test('a good finding ends before an answer becomes valid that revokes', async () => {
    const soon = await root.issueOcspResponse({
      responses: [{ certificate: client, certStatus: 'revoked' }],
      thisUpdate: testTime + hour,
    })
    const until = testTime + hour - 1
    expect(statusBy(client, root, [good, soon])).toMatchObject({ status: 'good', until })
    expect(statusBy(client, root, [good, soon], { time: until + 1 }).status).toBe('revoked')
  })

  test('an expired "unknown" takes nothing from a newer good answer', async () => {
    const past = await root.issueOcspResponse({
      responses: [{ certificate: client, certStatus: 'unknown' }],
      thisUpdate: testTime - week,
      nextUpdate: testTime - day,
    })
    expect(statusBy(client, root, [past, good]).status).toBe('good')
    expect(codesOf(statusBy(client, root, [past]))).toBe('ocsp-expired')
  })
})

describe('producedAt', () => {
  const { notBefore, notAfter } = client.tbsCertificate.validity

  test.each([
    ['before the certificate was', notBefore - 1, testTime, 'ocsp-produced-at'],
    ['when it began', notBefore, testTime, 'good'],
    ['when it ends', notAfter, notAfter, 'good'],
    ['after the certificate', notAfter + 1, notAfter + 1, 'ocsp-produced-at'],
    ['in the future', testTime + 1, testTime, 'ocsp-produced-at'],
    ['now', testTime, testTime, 'good'],
  ])('%s', async (_, producedAt, time, expected) => {
    const response = await root.issueOcspResponse({
      responses: [client],
      producedAt,
      thisUpdate: Math.min(thisUpdate, producedAt),
      nextUpdate: notAfter + week,
    })
    expect(codesOf(statusBy(client, root, [response], { time }))).toBe(expected)
  })

  test('what is from the future becomes valid, and until then nothing changes', async () => {
    const response = await root.issueOcspResponse({
      responses: [client],
      producedAt: testTime + 10,
    })
    expect(statusBy(client, root, [response])).toMatchObject({ until: testTime + 9 })
    expect(statusBy(client, root, [response], { time: testTime + 10 })).toMatchObject({
      status: 'good',
      from: testTime + 10,
    })
  })

  test('a revocation is not undone by it', async () => {
    const response = await root.issueOcspResponse({
      responses: [{ certificate: client, certStatus: 'revoked' }],
      producedAt: notBefore - 1,
    })
    expect(statusBy(client, root, [response]).status).toBe('revoked')
  })
})

describe('critical extensions, RFC 6960 §4.4', () => {
  const strange = { oid: '1.2.3.4', critical: true, value: writeNull() }

  test('an unknown one of the response or of the answer makes it unusable', async () => {
    const ofResponse = { responses: [client], responseExtensions: [strange] }
    const ofAnswer = { responses: [{ certificate: client, singleExtensions: [strange] }] }
    for (const options of [ofResponse, ofAnswer]) {
      expect(statusBy(client, root, [await root.issueOcspResponse(options)])).toMatchObject({
        problems: [{ code: 'ocsp-unknown-critical-extension', oid: '1.2.3.4' }],
      })
    }
  })

  test('one on an answer that revokes leaves no good answer beside it', async () => {
    const response = await root.issueOcspResponse({
      responses: [{ certificate: client, certStatus: 'revoked', singleExtensions: [strange] }],
    })
    const finding = statusBy(client, root, [good, response])
    expect(codesOf(finding)).toBe('ocsp-unknown-critical-extension')
  })

  test('one that is not critical is passed over', async () => {
    const response = await root.issueOcspResponse({
      responses: [client],
      responseExtensions: [{ ...strange, critical: false }],
    })
    expect(statusBy(client, root, [response]).status).toBe('good')
  })

  test.each([
    ['CRL references', '1.3.6.1.5.5.7.48.1.3'],
    ['archive cutoff', '1.3.6.1.5.5.7.48.1.6'],
    ['certificate timestamps', '1.3.6.1.4.1.11129.2.4.5'],
  ])('%s may be critical', async (_, oid) => {
    const singleExtensions = [{ oid, critical: true, value: writeNull() }]
    const response = await root.issueOcspResponse({
      responses: [{ certificate: client, singleExtensions }],
    })
    expect(statusBy(client, root, [response]).status).toBe('good')
  })

  test.each([
    ['a nonce', '1.3.6.1.5.5.7.48.1.2', 'good'],
    ['the extended definition of revoked', '1.3.6.1.5.5.7.48.1.9', 'good'],
    ['an extension of requests', '1.3.6.1.5.5.7.48.1.7', 'ocsp-unknown-critical-extension'],
  ])('%s of the response: %s, %s', async (_, oid, expected) => {
    const value = writeOctetString(new Uint8Array(16))
    const response = await root.issueOcspResponse({
      responses: [client],
      responseExtensions: [{ oid, critical: true, value }],
    })
    expect(codesOf(statusBy(client, root, [response]))).toBe(expected)
  })
})

test('a signature by an algorithm that the policy does not take is none', async () => {
  const rsa = await issueCa('RSA CA', { key: 'RSA-2048' })
  const leaf = await rsa.issue('client-a')
  const signatureScheme = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-1' } as const
  const weak = await rsa.issueOcspResponse({ responses: [leaf], signatureScheme })
  expect(statusBy(leaf, rsa, [weak])).toMatchObject({
    problems: [{ code: 'ocsp-signature', failure: { code: 'signature-algorithm-weak' } }],
  })
  const hashes = new Set([...contextOf().algorithms.hashes, 'SHA-1' as const])
  const algorithms = { ...contextOf().algorithms, hashes }
  expect(statusBy(leaf, rsa, [weak], { algorithms }).status).toBe('good')
})

function flipped(signature: Uint8Array): Uint8Array {
  const last = signature.length - 1
  return signature.with(last, (signature[last] as number) ^ 1)
}
