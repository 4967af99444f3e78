/** What Cloudflare shows to a Worker: a certificate counts only beside a good verdict that says it is not revoked. @module */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ForwardingFailure } from '../../../src/http/failure.ts'
import type { HttpRequest } from '../../../src/http/request.ts'
import type { Found } from '../../../src/http/source.ts'
import {
  type CloudflareWorkerOptions,
  cloudflareWorker,
} from '../../../src/http/sources/cloudflare-worker.ts'
import { issueCa } from '../../../src/testing/index.ts'

const issuing = await (await issueCa('Root CA')).issueCa('Issuing CA')
const client = await issuing.issue('client-a')
const item = (der: Uint8Array) => `:${Buffer.from(der).toString('base64')}:`
const fingerprint = 'ab'.repeat(32)
const good = {
  certPresented: '1',
  certVerified: 'SUCCESS',
  certRevoked: '0',
  certSubjectDNRFC2253: 'CN=client-a',
  certIssuerDNRFC2253: 'CN=Issuing CA',
  certSerial: '00936EACBE07F201DF',
  certFingerprintSHA256: fingerprint.toUpperCase(),
  certRFC9440: item(client.der),
  certRFC9440TooLarge: false,
  certChainRFC9440: item(issuing.der),
  certChainRFC9440TooLarge: false,
}
const placeholder = {
  certPresented: '0',
  certVerified: 'NONE',
  certRevoked: '0',
  certSubjectDNRFC2253: '',
  certIssuerDNRFC2253: '',
  certSerial: '',
  certFingerprintSHA256: '',
  certRFC9440: '',
  certRFC9440TooLarge: false,
  certChainRFC9440: '',
  certChainRFC9440TooLarge: false,
}
const nameOnly = {
  certPresented: '1',
  certVerified: 'SUCCESS',
  certRevoked: '0',
  certSubjectDNRFC2253: 'CN=client-a',
  certIssuerDNRFC2253: 'CN=Issuing CA',
  certSerial: '00936EACBE07F201DF',
  certFingerprintSHA256: fingerprint.toUpperCase(),
}

function request(platform: unknown): HttpRequest {
  return {
    method: 'GET',
    target: '/',
    authority: 'api.example',
    isHttp1: false,
    rawHeaders: ['Client-Cert', item(client.der), 'Cf-Client-Cert-Der-Base64', 'MIIB'],
    connection: undefined,
    platform,
  }
}
const readCf = (cf: unknown, options?: CloudflareWorkerOptions) =>
  cloudflareWorker(options).read(request(cf))
const read = (tlsClientAuth: unknown, options?: CloudflareWorkerOptions) =>
  readCf({ colo: 'AMS', tlsClientAuth }, options)
function outcome(found: Found): readonly Uint8Array[] | ForwardingFailure | Found {
  if (found.kind === 'unbelievable') return found.failure
  if (found.kind !== 'presented') return found
  const certificates = found.read()
  return certificates.ok ? certificates.value : certificates.failure
}

describe('a certificate is presented', () => {
  test('with its chain', () => {
    const found = read(good)
    expect(outcome(found)).toEqual([client.der, issuing.der])
    expect(found.kind === 'presented' && found.key).toBe(
      `${good.certRFC9440}\n${good.certChainRFC9440}`,
    )
  })
  test('alone', () => {
    const found = read({ ...good, certChainRFC9440: '' })
    expect(outcome(found)).toEqual([client.der])
    expect(found.kind === 'presented' && found.key).toBe(good.certRFC9440)
  })
  test('also where a name would be taken', () => {
    expect(outcome(read(good, { assertedIdentity: true }))).toEqual([client.der, issuing.der])
  })
})

describe('there is no certificate', () => {
  test.each([
    ['in the placeholder', { tlsClientAuth: placeholder }],
    [
      'in the placeholder of before March 2026',
      { tlsClientAuth: { certPresented: '0', certVerified: 'NONE' } },
    ],
    ['in a zone that asks for none', { tlsClientAuth: null }],
    ['in a plan that has none', { colo: 'AMS' }],
  ])('%s', (_, cf) => {
    expect(readCf(cf)).toEqual({ kind: 'absent' })
  })
})

describe('refused is', () => {
  const at = (field: string) => `cf.tlsClientAuth.${field}`
  const missing = (field: string) => ({ code: 'header-missing', header: at(field) })
  const malformed = (field: string, expected: string) => ({
    code: 'header-malformed',
    header: at(field),
    expected,
  })
  const refused = (field: string, verdict: string) => ({
    code: 'proxy-refused',
    header: at(field),
    verdict,
  })
  const contradiction = (field: string, other: string) => ({
    code: 'headers-contradict',
    header: at(field),
    other: at(other),
  })
  const omitted = (field: string) => ({ code: 'proxy-omitted-certificate', header: at(field) })
  const oneItem = 'one byte sequence of DER, as in :MIIB…:'
  const list = 'byte sequences of DER, as in :MIIB…:, :MIIC…:'
  test.each([
    [
      'a failed verdict',
      { ...good, certVerified: 'FAILED:self signed certificate' },
      refused('certVerified', 'FAILED:self signed certificate'),
    ],
    [
      'a verdict of odd characters',
      { ...good, certVerified: `FAILED:ü\n${'x'.repeat(200)}` },
      refused('certVerified', `FAILED:??${'x'.repeat(91)}`),
    ],
    [
      'a verdict in another case',
      { ...good, certVerified: 'success' },
      refused('certVerified', 'success'),
    ],
    [
      'a boolean in its place',
      { ...good, certVerified: true },
      malformed('certVerified', 'a text'),
    ],
    ['no verdict', { ...good, certVerified: undefined }, missing('certVerified')],
    [
      'NONE beside a certificate',
      { ...good, certVerified: 'NONE' },
      refused('certVerified', 'NONE'),
    ],
    ['a revoked certificate', { ...good, certRevoked: '1' }, refused('certRevoked', 'revoked')],
    ['no word of revocation', { ...good, certRevoked: undefined }, missing('certRevoked')],
    [
      'a boolean for revocation',
      { ...good, certRevoked: false },
      malformed('certRevoked', 'a text'),
    ],
    ['another word for it', { ...good, certRevoked: 'no' }, malformed('certRevoked', '0 or 1')],
    ['no word of presence', { ...good, certPresented: undefined }, missing('certPresented')],
    [
      'another word for it',
      { ...good, certPresented: 'true' },
      malformed('certPresented', '0 or 1'),
    ],
    [
      'success without a certificate',
      { ...placeholder, certVerified: 'SUCCESS' },
      contradiction('certVerified', 'certPresented'),
    ],
    [
      'a certificate that was not presented',
      { ...placeholder, certRFC9440: good.certRFC9440 },
      contradiction('certRFC9440', 'certPresented'),
    ],
    [
      'presence without a certificate',
      { ...good, certRFC9440: '' },
      contradiction('certRFC9440', 'certPresented'),
    ],
    [
      'a certificate that is too large',
      { ...good, certRFC9440: '', certRFC9440TooLarge: true },
      omitted('certRFC9440TooLarge'),
    ],
    [
      'a chain that is too large',
      { ...good, certChainRFC9440: '', certChainRFC9440TooLarge: true },
      omitted('certChainRFC9440TooLarge'),
    ],
    [
      'a flag that is a text',
      { ...good, certRFC9440TooLarge: '0' },
      malformed('certRFC9440TooLarge', 'a boolean'),
    ],
    [
      'a flag that is missing',
      { ...good, certChainRFC9440TooLarge: undefined },
      missing('certChainRFC9440TooLarge'),
    ],
    ['a certificate that is missing', { ...good, certRFC9440: undefined }, missing('certRFC9440')],
    [
      'a chain that is missing',
      { ...good, certChainRFC9440: undefined },
      missing('certChainRFC9440'),
    ],
    [
      'a certificate that is no byte sequence',
      { ...good, certRFC9440: 'MIIB' },
      malformed('certRFC9440', oneItem),
    ],
    [
      'a list as the certificate',
      { ...good, certRFC9440: `${good.certRFC9440}, ${good.certRFC9440}` },
      { code: 'header-repeated', header: at('certRFC9440') },
    ],
    [
      'a chain that is no list',
      { ...good, certChainRFC9440: 'MIIB' },
      malformed('certChainRFC9440', list),
    ],
    [
      'eleven certificates in the chain',
      { ...good, certChainRFC9440: Array(11).fill(good.certChainRFC9440).join(', ') },
      { code: 'header-too-many-certificates', header: at('certChainRFC9440'), maximum: 10 },
    ],
    [
      'a name without a certificate',
      nameOnly,
      { code: 'identity-only', header: 'cf.tlsClientAuth' },
    ],
    [
      'a text',
      'SUCCESS',
      { code: 'header-malformed', header: 'cf.tlsClientAuth', expected: 'an object' },
    ],
  ])('%s', (_, tls, failure) => {
    expect(outcome(read(tls))).toEqual(failure)
  })
  test.each([[undefined], [null], ['cf'], [[]]])('%j in place of request.cf', (cf) => {
    expect(outcome(readCf(cf))).toEqual({ code: 'header-missing', header: 'cf' })
  })
})

describe('an identity is asserted, when that was asked for,', () => {
  const options = { assertedIdentity: true }
  test('by names, serial number and fingerprint', () => {
    expect(read(nameOnly, options)).toEqual({
      kind: 'asserted',
      identity: {
        asserted: true,
        by: 'cloudflare-worker',
        subject: 'CN=client-a',
        issuer: 'CN=Issuing CA',
        serialNumber: '00936eacbe07f201df',
        fingerprint,
      },
    })
  })
  test.each([
    [
      'a fingerprint of another length',
      { ...nameOnly, certFingerprintSHA256: 'ab' },
      'header-malformed',
    ],
    ['a serial number that is none', { ...nameOnly, certSerial: '1:2' }, 'header-malformed'],
    [
      'a subject of odd characters',
      { ...nameOnly, certSubjectDNRFC2253: 'CN=\n' },
      'header-malformed',
    ],
    ['no subject', { ...nameOnly, certSubjectDNRFC2253: undefined }, 'header-missing'],
    ['a revoked certificate', { ...nameOnly, certRevoked: '1' }, 'proxy-refused'],
    ['a failed verdict', { ...nameOnly, certVerified: 'FAILED' }, 'proxy-refused'],
  ])('but not with %s', (_, tls, code) => {
    expect(outcome(read(tls, options))).toMatchObject({ code })
  })
})

test('headers are never read', () => {
  expect(cloudflareWorker().headers).toEqual([])
  expect(readCf({ tlsClientAuth: placeholder })).toEqual({ kind: 'absent' })
})

test('nothing in request.cf makes the source throw, and nothing but SUCCESS and 0 lets a certificate in', () => {
  const source = cloudflareWorker({ assertedIdentity: true })
  const text = fc.constantFrom('0', '1', 'SUCCESS', 'NONE', 'FAILED', '', undefined, true, null)
  const record = fc.record({ certPresented: text, certVerified: text, certRevoked: text })
  fc.assert(
    fc.property(fc.oneof(fc.anything(), record), (some) => {
      const tls = typeof some === 'object' && some !== null ? { ...good, ...some } : some
      const found = source.read(request({ tlsClientAuth: tls }))
      if (found.kind !== 'presented') return
      expect(tls).toMatchObject({ certPresented: '1', certVerified: 'SUCCESS', certRevoked: '0' })
      found.read()
    }),
  )
})

test.each([
  ['an unknown option', { trust: {} }, 'option-unknown'],
  ['a flag that is a text', { assertedIdentity: 'yes' }, 'option-invalid'],
  ['null', null, 'option-missing'],
])('options with %s throw', (_, options, code) => {
  expect(() => cloudflareWorker(options as CloudflareWorkerOptions)).toThrow(
    expect.objectContaining({ code }),
  )
})
