/** What is found out once: a validation does no public-key work and no digest that another one did. */
import { describe, expect, test } from 'vitest'
import { holderOf } from '../../src/revocation/held-response.ts'
import { OcspResponses, parseOcspResponses } from '../../src/revocation/responses.ts'
import { issueCa } from '../../src/testing/index.ts'
import type { OcspResponse } from '../../src/x509/ocsp.ts'
import { parseCertificate } from '../../src/x509/parse-certificate.ts'
import { Counter, codesOf, contextOf, nextUpdate, saying, statusBy } from './ocsp-support.ts'

const root = await issueCa('Root CA')
const client = await root.issue('client-a')
const delegate = await root.issueOcspResponder('Responder')
const good = await root.issueOcspResponse({ responses: [client] })
const delegated = await root.issueOcspResponse({ signer: delegate, responses: [client] })

function again(der: Uint8Array) {
  const parsed = parseCertificate(der)
  if (!parsed.ok) throw new Error(parsed.failure.code)
  return parsed.value
}

describe('the second validation', () => {
  test.each([
    ['by the CA', good, 1],
    ['by a delegate', delegated, 2],
  ])('asks nothing: %s', (_, response, verifications) => {
    const responses = parseOcspResponses(response.der)
    const first = new Counter()
    expect(statusBy(client, root, responses, { counter: first }).status).toBe('good')
    expect(first.verifications).toBe(verifications)
    const second = new Counter()
    // The CA's certificate, read once more: the same CA, although another object.
    const finding = statusBy(client, again(root.der.slice()), responses, { counter: second })
    expect(finding.status).toBe('good')
    expect(second).toMatchObject({ verifications: 0, digests: 0 })
  })

  test('with another policy refuses what it does not take', () => {
    const responses = parseOcspResponses(good.der)
    expect(statusBy(client, root, responses).status).toBe('good')
    const algorithms = { ...contextOf().algorithms, curves: new Set<never>() }
    expect(statusBy(client, root, responses, { algorithms })).toMatchObject({
      problems: [{ code: 'ocsp-signature', failure: { code: 'key-algorithm-not-allowed' } }],
    })
  })

  test('asks nothing about what does not verify, either', async () => {
    const forged = await root.issueOcspResponse({ responses: [client], signingKey: 'P-256#9' })
    const responses = parseOcspResponses(forged.der)
    const counter = new Counter()
    for (let i = 0; i < 3; i++) {
      expect(codesOf(statusBy(client, root, responses, { counter }))).toBe('ocsp-signature')
    }
    expect(counter.verifications).toBe(1)
  })

  test('asks once more what this runtime could not say', () => {
    const responses = parseOcspResponses(good.der)
    const lacking = new Counter({ verifySignature: () => 'unsupported' })
    expect(codesOf(statusBy(client, root, responses, { counter: lacking }))).toBe('ocsp-signature')
    expect(statusBy(client, root, responses).status).toBe('good')
  })

  test('asks about the delegate again, which may be revoked by now', async () => {
    const signer = await root.issueOcspResponder('Responder', { ocspNoCheck: 'absent' })
    const response = await root.issueOcspResponse({ signer, responses: [client] })
    const responses = parseOcspResponses(response.der)
    expect(statusBy(client, root, responses).status).toBe('good')
    const finding = statusBy(client, root, responses, { isRevoked: saying(true) })
    expect(codesOf(finding)).toBe('ocsp-responder-revoked')
  })
})

test('what verified under one key of a name says nothing about another key', async () => {
  const twin = await issueCa('Root CA', { key: 'P-256#6' })
  const named = await root.issueOcspResponse({ responderID: 'byName', responses: [client] })
  const responses = parseOcspResponses(named.der)
  expect(statusBy(client, root, responses).status).toBe('good')
  expect(codesOf(statusBy(client, twin, responses))).toBe('ocsp-other-certificate')
})

test('what verified under a key is not believed of another key in the same buffer', async () => {
  const twin = await issueCa('Root CA', { key: 'P-256#6' })
  const buffer = root.der.slice()
  const issuer = again(buffer)
  const responses = parseOcspResponses(
    (await root.issueOcspResponse({ responderID: 'byName', responses: [client] })).der,
  )
  expect(statusBy(client, issuer, responses).status).toBe('good')
  issuer.tbsCertificate.subjectPublicKeyInfo.der.set(twin.tbsCertificate.subjectPublicKeyInfo.der)
  expect(codesOf(statusBy(client, issuer, responses))).toBe('ocsp-other-certificate')
})

test('a parsed response keeps what is known of it in the next set', () => {
  const first = parseOcspResponses(good.der)
  expect(statusBy(client, root, first).status).toBe('good')
  const counter = new Counter()
  const next = new OcspResponses(first.responses)
  expect(statusBy(client, root, next, { counter }).status).toBe('good')
  expect(counter.verifications).toBe(0)
})

describe('a response that decided is marked as used', () => {
  test.each(['good', 'revoked', 'unknown'] as const)('%s', async (certStatus) => {
    const issued = await root.issueOcspResponse({
      responses: [{ certificate: client, certStatus }],
    })
    const responses = parseOcspResponses([issued.der, good.der])
    const used = () => responses.responses.map((response) => holderOf(response).used)
    expect(used()).toEqual([false, false])
    expect(statusBy(client, root, responses).status).toBe(certStatus)
    expect(used()).toEqual([true, false])
  })

  test('one that does not count is not', () => {
    const responses = parseOcspResponses(good.der)
    statusBy(client, root, responses, { time: nextUpdate + 1 })
    expect(responses.responses.map((response) => holderOf(response).used)).toEqual([false])
  })
})

describe('what is known of a response', () => {
  test('is one and the same in every set that it is in', () => {
    const first = parseOcspResponses(good.der)
    const second = parseOcspResponses(first.responses)
    expect(statusBy(client, root, first).status).toBe('good')
    expect(second.responses.map((response) => holderOf(response).used)).toEqual([true])
    const counter = new Counter()
    expect(statusBy(client, root, second, { counter }).status).toBe('good')
    expect(counter.verifications).toBe(0)
  })

  test('is nothing where the parser did not make it', () => {
    const [response] = parseOcspResponses(good.der).responses
    expect(() => holderOf({ ...response } as OcspResponse)).toThrow(TypeError)
  })
})

test('of ten thousand responses only those about the certificate are looked at', async () => {
  const many = await root.issueOcspResponse({
    responses: [client, ...Array.from({ length: 1000 }, (_, i) => ({ serialNumber: 10_000 + i }))],
  })
  const responses = parseOcspResponses(Array.from({ length: 10 }, () => many.der))
  const [first] = responses.responses
  let reads = 0
  for (const single of first?.basic?.responses ?? []) {
    const { certStatus } = single
    Object.defineProperty(single, 'certStatus', {
      get: () => {
        reads++
        return certStatus
      },
    })
  }
  expect(statusBy(client, root, responses).status).toBe('good')
  expect(reads).toBeLessThan(10)
})
