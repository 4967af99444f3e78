/** API Gateway events: the certificate of `requestContext`, and nothing that a client could have written. @module */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { HttpRequest } from '../../../src/http/request.ts'
import { apiGateway } from '../../../src/http/sources/api-gateway.ts'
import { issueCa } from '../../../src/testing/index.ts'

const issuing = await (await issueCa('Root CA')).issueCa('Issuing CA')
const client = await issuing.issue('client-a')
const described = {
  clientCertPem: client.pem,
  subjectDN: 'CN=client-a',
  issuerDN: 'CN=Issuing CA',
  serialNumber: '1',
  validity: { notBefore: 'May 28 12:30:02 2019 GMT', notAfter: 'Aug  5 09:36:04 2031 GMT' },
}
const v1 = { requestContext: { identity: { sourceIp: '192.0.2.1', clientCert: described } } }
const v2 = { version: '2.0', requestContext: { authentication: { clientCert: described } } }

function request(platform: unknown, rawHeaders: readonly string[] = []): HttpRequest {
  return {
    method: 'GET',
    target: '/',
    authority: 'api.example',
    isHttp1: true,
    rawHeaders,
    connection: undefined,
    platform,
  }
}
const read = (event: unknown) => apiGateway().read(request(event))
const reading = (event: unknown) => {
  const found = read(event)
  if (found.kind !== 'presented') return found
  const certificates = found.read()
  return certificates.ok ? certificates.value : certificates.failure
}

describe('a certificate is presented', () => {
  test.each([
    ['payload format 1.0', v1],
    ['payload format 2.0', v2],
    [
      'format 2.0 beside an identity without one',
      { requestContext: { ...v2.requestContext, identity: {} } },
    ],
    [
      'format 1.0 beside a null',
      { requestContext: { ...v1.requestContext, authentication: null } },
    ],
  ])('%s', (_, event) => {
    expect(reading(event)).toEqual([client.der])
    const found = read(event)
    expect(found.kind === 'presented' && found.key).toBe(client.pem)
  })
  test('PEM without a newline at its end', () => {
    const clientCert = { clientCertPem: client.pem.trimEnd() }
    expect(reading({ requestContext: { authentication: { clientCert } } })).toEqual([client.der])
  })
})

test.each([
  ['an event of a domain without mutual TLS, 1.0', { requestContext: { identity: {} } }],
  ['the same in 2.0', { version: '2.0', requestContext: { http: {} } }],
  ['a null', { requestContext: { authentication: { clientCert: null } } }],
  ['null parents', { requestContext: { identity: null, authentication: null } }],
])('there is no certificate in %s', (_, event) => {
  expect(read(event)).toEqual({ kind: 'absent' })
})

describe('refused is', () => {
  const identity = 'requestContext.identity.clientCert'
  const malformed = (header: string, expected: string) => ({
    code: 'header-malformed',
    header,
    expected,
  })
  const holding = (clientCertPem: unknown) => ({
    requestContext: { identity: { clientCert: { clientCertPem } } },
  })
  const field = `${identity}.clientCertPem`
  test.each([
    ['no event', undefined, { code: 'header-missing', header: 'requestContext' }],
    ['a text', 'event', { code: 'header-missing', header: 'requestContext' }],
    ['a list', [v1], { code: 'header-missing', header: 'requestContext' }],
    [
      'an event of something else',
      { Records: [] },
      { code: 'header-missing', header: 'requestContext' },
    ],
    [
      'one that only inherits its context',
      Object.create(v1),
      { code: 'header-missing', header: 'requestContext' },
    ],
    ['a context that is a text', { requestContext: 'a' }, malformed('requestContext', 'an object')],
    [
      'an identity that is a text',
      { requestContext: { identity: 'a' } },
      malformed('requestContext.identity', 'an object'),
    ],
    [
      'a certificate that is a text',
      { requestContext: { identity: { clientCert: client.pem } } },
      malformed(identity, 'an object'),
    ],
    [
      'a list in the second place',
      { requestContext: { authentication: { clientCert: [] } } },
      malformed('requestContext.authentication.clientCert', 'an object'),
    ],
    [
      'both',
      { requestContext: { ...v1.requestContext, ...v2.requestContext } },
      {
        code: 'headers-contradict',
        header: identity,
        other: 'requestContext.authentication.clientCert',
      },
    ],
    [
      'one good and one broken',
      { requestContext: { ...v1.requestContext, authentication: 1 } },
      malformed('requestContext.authentication', 'an object'),
    ],
    [
      'names without a certificate',
      { requestContext: { identity: { clientCert: { subjectDN: 'CN=admin' } } } },
      { code: 'header-missing', header: field },
    ],
    ['a number', holding(1), malformed(field, 'a text')],
    ['bytes', holding(client.der), malformed(field, 'a text')],
    ['an empty text', holding(''), malformed(field, 'PEM of certificates')],
    ['text around the PEM', holding(`a${client.pem}`), malformed(field, 'PEM of certificates')],
    ['a private key', holding(client.privateKeyPem), malformed(field, 'PEM of certificates')],
    [
      'percent-encoded PEM',
      holding(encodeURIComponent(client.pem)),
      malformed(field, 'PEM of certificates'),
    ],
    [
      'eleven certificates',
      holding(client.pem.repeat(11)),
      { code: 'header-too-many-certificates', header: field, maximum: 10 },
    ],
    [
      'more than 64 KiB',
      holding('a'.repeat(65_537)),
      { code: 'header-too-large', header: field, maximum: 65_536 },
    ],
  ])('%s', (_, event, failure) => {
    const found = reading(event)
    expect('kind' in found && found.kind === 'unbelievable' ? found.failure : found).toEqual(
      failure,
    )
  })
})

test("the event's headers are never read, nor are the request's", () => {
  const headers = { 'x-amzn-mtls-clientcert': encodeURIComponent(client.pem) }
  const event = { headers, multiValueHeaders: {}, requestContext: { identity: {} } }
  const raw = ['X-Amzn-Mtls-Clientcert', encodeURIComponent(client.pem)]
  expect(apiGateway().read(request(event, raw))).toEqual({ kind: 'absent' })
  expect(apiGateway().headers).toEqual([])
})

test('no event makes the source throw', () => {
  const context = fc.record({ identity: fc.anything(), authentication: fc.anything() })
  const pem = fc.record({ clientCert: fc.record({ clientCertPem: fc.anything() }) })
  fc.assert(
    fc.property(
      fc.oneof(
        fc.anything(),
        fc.record({ requestContext: fc.oneof(fc.anything(), context) }),
        fc.record({ requestContext: fc.record({ identity: pem }) }),
      ),
      (event) => {
        expect(reading(event)).toBeDefined()
      },
    ),
  )
})
