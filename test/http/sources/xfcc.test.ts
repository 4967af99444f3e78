/** Envoy's and Istio's header as a source: forms as Envoy 1.40 wrote them, and what must never be believed. @module */

import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ForwardingFailure } from '../../../src/http/failure.ts'
import type { HttpRequest } from '../../../src/http/request.ts'
import type { Found } from '../../../src/http/source.ts'
import {
  type EnvoyOptions,
  envoy,
  type IstioOptions,
  istio,
} from '../../../src/http/sources/xfcc.ts'
import { type IssuedCertificate, issueCa } from '../../../src/testing/index.ts'

const header = 'x-forwarded-client-cert'
const trust = { addresses: ['10.0.0.1'] }
const json: EnvoyOptions = { trust, form: 'json' }
const text: EnvoyOptions = { trust, form: 'text' }

const root = await issueCa('Root CA')
const issuing = await root.issueCa('Issuing CA')
const client = await issuing.issue('client-a', { subjectAltName: [{ uri: 'spiffe://td/client' }] })
const victim = await issuing.issue('admin', { subjectAltName: [{ uri: 'spiffe://td/admin' }] })

const hashOf = ({ der }: { der: Uint8Array }) => createHash('sha256').update(der).digest('hex')
const escaped = (pem: string) => encodeURIComponent(pem)
const elementOf = (certificate: IssuedCertificate, rest: object = {}) => ({
  by: ['spiffe://td/proxy'],
  hash: hashOf(certificate),
  cert: certificate.pem,
  chain: [certificate.pem, issuing.pem],
  subject: 'CN=client-a',
  uri: ['spiffe://td/client'],
  ...rest,
})
const textOf = (certificate: IssuedCertificate, uri = 'spiffe://td/client') =>
  `By=spiffe://td/proxy;Hash=${hashOf(certificate)};Cert="${escaped(certificate.pem)}";Chain="${escaped(certificate.pem + issuing.pem)}";Subject="CN=client-a";URI=${uri}`
const nameOf = (certificate: IssuedCertificate, uri = 'spiffe://td/client') =>
  `By=spiffe://td/proxy;Hash=${hashOf(certificate)};Subject="";URI=${uri}`

function request(lines: readonly string[], remoteAddress = '10.0.0.1', name = header): HttpRequest {
  return {
    method: 'GET',
    target: '/',
    authority: 'api.example',
    isHttp1: true,
    rawHeaders: ['Host', 'api.example', ...lines.flatMap((line) => [name, line])],
    connection: { remoteAddress, tls: undefined },
    platform: undefined,
  }
}

const read = (options: EnvoyOptions, ...lines: string[]) => envoy(options).read(request(lines))

/** DER in hexadecimal, or the failure, whether it was found at once or on reading. */
function outcome(found: Found): readonly string[] | ForwardingFailure | string {
  if (found.kind === 'unbelievable') return found.failure
  if (found.kind !== 'presented') return found.kind
  const certificates = found.read()
  return certificates.ok ? certificates.value.map(hex) : certificates.failure
}
const hex = (der: Uint8Array) => Buffer.from(der).toString('hex')
const chain = [client.der, issuing.der].map(hex)
const codeOf = (found: Found) => {
  const failure = outcome(found)
  return typeof failure === 'object' && 'code' in failure ? failure.code : failure
}

describe('a certificate is presented', () => {
  test.each([
    ['JSON with chain', json, JSON.stringify([elementOf(client)]), chain],
    [
      'JSON with the certificate alone',
      json,
      JSON.stringify([elementOf(client, { chain: undefined })]),
      [chain[0]],
    ],
    [
      'JSON with the chain alone',
      json,
      JSON.stringify([elementOf(client, { cert: undefined })]),
      chain,
    ],
    ['JSON without a hash', json, JSON.stringify([elementOf(client, { hash: undefined })]), chain],
    [
      'JSON with a comma in a URI',
      json,
      JSON.stringify([elementOf(client, { uri: ['a,b;c'] })]),
      chain,
    ],
    ['text with chain', text, textOf(client), chain],
    [
      'text with the certificate alone',
      text,
      `Hash=${hashOf(client)};Cert="${escaped(client.pem)}"`,
      [chain[0]],
    ],
    ['text with the chain alone', text, `Chain="${escaped(client.pem + issuing.pem)}"`, chain],
    ['text without a URI', text, textOf(client, ''), chain],
  ])('%s', (_, options, value, certificates) => {
    const found = read(options, value)
    expect(outcome(found)).toEqual(certificates)
    expect(found.kind === 'presented' && found.key).toBe(value)
  })
  test('also where a name would be taken', () => {
    for (const [options, value] of [
      [json, JSON.stringify([elementOf(client)])],
      [text, textOf(client)],
    ] as const) {
      expect(outcome(read({ ...options, assertedIdentity: true }, value))).toEqual(chain)
    }
  })
  test('with the header in any case', () => {
    const found = envoy(text).read(request([textOf(client)], '10.0.0.1', 'X-Forwarded-Client-Cert'))
    expect(outcome(found)).toEqual(chain)
  })
})

test('without the header there was no certificate: Envoy writes it for every client that sent one', () => {
  expect(read(json)).toEqual({ kind: 'absent' })
  expect(read(text)).toEqual({ kind: 'absent' })
})

describe('refused is', () => {
  const own = hashOf(client)
  test.each([
    ['the text form where JSON is expected', json, textOf(client), 'header-malformed'],
    [
      'JSON where the text form is expected',
      text,
      JSON.stringify([elementOf(client)]),
      'header-malformed',
    ],
    [
      'a client header that forced the text form',
      json,
      `Hash=aa;URI=x,${textOf(client)}`,
      'header-malformed',
    ],
    [
      'the client header before an appended element',
      text,
      `${textOf(victim)},${textOf(client)}`,
      'proxy-hops',
    ],
    [
      'the same in JSON',
      json,
      JSON.stringify([elementOf(victim), elementOf(client)]),
      'proxy-hops',
    ],
    [
      'an element written by a comma in a URI',
      text,
      textOf(client, `x,Hash=${hashOf(victim)};Cert="${escaped(victim.pem)}"`),
      'proxy-hops',
    ],
    [
      'a certificate written by a semicolon in a URI',
      text,
      textOf(client, `x;Cert="${escaped(victim.pem)}"`),
      'header-malformed',
    ],
    [
      'the same where the proxy forwards none',
      text,
      nameOf(client, `x;Cert="${escaped(victim.pem)}"`),
      'header-malformed',
    ],
    [
      'two certificates',
      text,
      `Cert="${escaped(client.pem)}";Cert="${escaped(victim.pem)}"`,
      'header-malformed',
    ],
    [
      'two certificates in JSON',
      json,
      `[{"cert":"a","cert":${JSON.stringify(client.pem)}}]`,
      'header-malformed',
    ],
    [
      'a quotation mark that is never closed',
      text,
      textOf(client).slice(0, 200),
      'header-malformed',
    ],
    ['an empty header', text, '', 'header-malformed'],
    ['an empty header where JSON is expected', json, '', 'header-malformed'],
    ['a name alone', text, nameOf(client), 'identity-only'],
    [
      'a name alone in JSON',
      json,
      JSON.stringify([elementOf(client, { cert: undefined, chain: undefined })]),
      'identity-only',
    ],
    [
      'a chain of another certificate',
      text,
      `Cert="${escaped(client.pem)}";Chain="${escaped(victim.pem)}"`,
      'headers-contradict',
    ],
    [
      'the same in JSON',
      json,
      JSON.stringify([elementOf(client, { chain: [issuing.pem, client.pem] })]),
      'headers-contradict',
    ],
    [
      'a hash of another certificate',
      text,
      `Hash=${own};Cert="${escaped(victim.pem)}"`,
      'headers-contradict',
    ],
    [
      'a hash of another chain',
      json,
      JSON.stringify([elementOf(victim, { hash: own, cert: undefined })]),
      'headers-contradict',
    ],
    [
      'an empty chain',
      json,
      JSON.stringify([elementOf(client, { chain: [] })]),
      'header-malformed',
    ],
    ['an empty certificate', text, 'Cert=""', 'header-malformed'],
    [
      'two certificates in Cert',
      text,
      `Cert="${escaped(client.pem + issuing.pem)}"`,
      'header-malformed',
    ],
    [
      'two certificates in one text',
      json,
      JSON.stringify([elementOf(client, { cert: client.pem + issuing.pem })]),
      'header-malformed',
    ],
    [
      'two certificates in one text of the chain',
      json,
      JSON.stringify([elementOf(client, { chain: [client.pem + issuing.pem] })]),
      'header-malformed',
    ],
    ['a private key', text, `Cert="${escaped(client.privateKeyPem)}"`, 'header-malformed'],
    [
      'PEM that is not percent-encoded',
      text,
      `Cert="${client.pem.replaceAll('\n', ' ')}"`,
      'header-malformed',
    ],
    ['a certificate that is base64 alone', text, 'Cert="MIIB"', 'header-malformed'],
    [
      'eleven certificates',
      text,
      `Chain="${escaped(client.pem.repeat(11))}"`,
      'header-too-many-certificates',
    ],
    [
      'eleven certificates in JSON',
      json,
      JSON.stringify([elementOf(client, { chain: Array(11).fill(client.pem) })]),
      'header-too-many-certificates',
    ],
    ['more than 64 KiB', text, `Subject="${'a'.repeat(65_536)}"`, 'header-too-large'],
    [
      'two headers that a server joined',
      text,
      `${textOf(client)}, ${textOf(client)}`,
      'header-malformed',
    ],
    [
      'two JSON headers that a server joined',
      json,
      `${JSON.stringify([elementOf(client)])}, []`,
      'header-malformed',
    ],
  ] as const)('%s', (_, options, value, code) => {
    expect(codeOf(read(options, value))).toBe(code)
  })
  test('more than one line, equal or not', () => {
    const value = textOf(client)
    expect(outcome(read(text, value, value))).toEqual({ code: 'header-repeated', header })
    expect(outcome(read(text, value, ''))).toEqual({ code: 'header-repeated', header })
  })
  test('an underscore twin beside it or alone', () => {
    const twin = { code: 'header-twin', header, twin: 'x_forwarded_client_cert' }
    const alone = request([textOf(victim)], '10.0.0.1', 'X_Forwarded_Client_Cert')
    expect(outcome(envoy(text).read(alone))).toEqual(twin)
    const both = { ...alone, rawHeaders: [...alone.rawHeaders, header, textOf(client)] }
    expect(outcome(envoy(text).read(both))).toEqual(twin)
  })
  test('whatever comes from another address, and whatever comes with a rule that is empty', () => {
    const found = envoy(text).read(request([textOf(client)], '10.0.0.2'))
    expect(outcome(found)).toEqual({ code: 'proxy-not-trusted', because: 'address' })
    const nobody = envoy({ form: 'text', trust: { addresses: [] } }).read(request([textOf(client)]))
    expect(outcome(nobody)).toEqual({ code: 'proxy-not-trusted', because: 'no-rule' })
  })
})

describe('several hops', () => {
  const hops = (trustedHops: number): EnvoyOptions => ({ trust, form: 'json', trustedHops })
  const proxy = elementOf(victim, { subject: 'CN=first proxy' })
  test('the first element is the client, when exactly as many wrote as were named', () => {
    const value = JSON.stringify([elementOf(client), proxy])
    expect(outcome(read(hops(2), value))).toEqual(chain)
    expect(outcome(read(hops(1), value))).toEqual({ code: 'proxy-hops', header, expected: 1 })
    expect(outcome(read(hops(3), value))).toEqual({ code: 'proxy-hops', header, expected: 3 })
  })
  test('an element that a client wrote before them makes one too many', () => {
    const value = JSON.stringify([elementOf(victim), elementOf(client), proxy])
    expect(codeOf(read(hops(2), value))).toBe('proxy-hops')
  })
})

describe('an identity is asserted, when that was asked for,', () => {
  const asserting = { assertedIdentity: true } as const
  test('by Istio with hash, subject and URI', () => {
    const found = istio({ trust, ...asserting }).read(request([nameOf(client)]))
    expect(found).toEqual({
      kind: 'asserted',
      identity: {
        asserted: true,
        by: 'istio',
        subject: undefined,
        issuer: undefined,
        fingerprint: hashOf(client),
        uris: ['spiffe://td/client'],
        dnsNames: undefined,
      },
    })
  })
  test('by Envoy with all names in JSON', () => {
    const names = {
      hash: hashOf(client).toUpperCase(),
      subject: 'CN=a',
      issuer: 'CN=Issuing CA',
      uri: ['spiffe://td/a,b', 'spiffe://td/c'],
      dns: ['a.example'],
    }
    expect(read({ ...json, ...asserting }, JSON.stringify([names]))).toEqual({
      kind: 'asserted',
      identity: {
        asserted: true,
        by: 'envoy',
        subject: 'CN=a',
        issuer: 'CN=Issuing CA',
        fingerprint: hashOf(client),
        uris: ['spiffe://td/a,b', 'spiffe://td/c'],
        dnsNames: ['a.example'],
      },
    })
  })
  test.each([
    [
      'a second URI, which the first may have written',
      nameOf(client, 'spiffe://td/x;URI=spiffe://td/admin'),
    ],
    ['a DNS name after a URI', nameOf(client, 'spiffe://td/admin;DNS=q')],
    ['a DNS name after no URI', nameOf(client, ';DNS=admin.example')],
    ['an issuer after a URI', nameOf(client, 'spiffe://td/admin;Issuer="q"')],
    ['a URI in quotation marks', nameOf(client, '"spiffe://td/admin"')],
    ['a certificate that a URI wrote', nameOf(client, `x;Cert="${escaped(victim.pem)}"`)],
    ['a hash that a URI wrote', nameOf(client, `x;Hash=${hashOf(victim)}`)],
    ['a subject that a URI wrote', `Hash=${hashOf(client)};URI=x;Subject="CN=admin"`],
    ['no name at all', 'Subject=""'],
  ])('but not with %s', (_, value) => {
    expect(codeOf(read({ ...text, ...asserting }, value))).toBe('header-malformed')
  })
  test('but not with an element too many', () => {
    const value = nameOf(client, `x,${nameOf(victim)}`)
    expect(codeOf(read({ ...text, ...asserting }, value))).toBe('proxy-hops')
  })
})

describe('for every URI that a certificate may have', () => {
  const printable = fc.string({
    unit: fc.oneof(
      fc.constantFrom(';', ',', '"', '=', '\\', 'URI=', 'Cert=', 'Hash=', 'x'),
      fc.constantFrom(
        `;Cert="${escaped(victim.pem)}"`,
        `,${textOf(victim)}`,
        `;Hash=${hashOf(victim)}`,
      ),
      fc.constantFrom(',"', `",${nameOf(victim)}`, ';URI="', ';DNS=', ';Subject="CN=admin"'),
    ),
  })
  test('the text form lets nobody in but the client', () => {
    fc.assert(
      fc.property(printable, (uri) => {
        const read = outcome(envoy(text).read(request([textOf(client, uri)])))
        if (Array.isArray(read)) expect(read).toEqual(chain)
      }),
    )
  })
  test('nor does it where names are taken and no certificate is forwarded', () => {
    const source = istio({ trust, assertedIdentity: true })
    fc.assert(
      fc.property(printable, (uri) => {
        const found = source.read(request([nameOf(client, uri)]))
        expect(found.kind).not.toBe('presented')
        if (found.kind !== 'asserted') return
        expect(found.identity).toMatchObject({ fingerprint: hashOf(client), subject: undefined })
        expect(found.identity.uris).toEqual(uri === '' ? undefined : [uri])
        expect(found.identity.dnsNames).toBeUndefined()
      }),
    )
  })
  test('JSON gives the client in every case', () => {
    fc.assert(
      fc.property(printable, (uri) => {
        const value = JSON.stringify([elementOf(client, { uri: [uri] })])
        expect(outcome(envoy(json).read(request([value])))).toEqual(chain)
      }),
    )
  })
})

test('no header makes a source throw', () => {
  const sources = [
    envoy(json),
    envoy(text),
    envoy({ ...json, assertedIdentity: true }),
    envoy({ ...text, assertedIdentity: true }),
  ]
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('', '[{"cert":"', 'Cert="'),
      (tail, start) => {
        for (const source of sources)
          expect(outcome(source.read(request([start + tail])))).toBeDefined()
      },
    ),
  )
})

describe('options', () => {
  test.each([
    ['no form', { trust }, 'option-missing'],
    ['another form', { trust, form: 'xml' }, 'option-invalid'],
    ['no trust', { form: 'json' }, 'option-missing'],
    ['an unknown option', { ...json, hops: 1 }, 'option-unknown'],
    ['hops with the text form', { ...text, trustedHops: 2 }, 'options-conflict'],
    ['no hop', { ...json, trustedHops: 0 }, 'option-invalid'],
    ['half a hop', { ...json, trustedHops: 1.5 }, 'option-invalid'],
    ['too many hops', { ...json, trustedHops: 17 }, 'option-invalid'],
    ['hops as a text', { ...json, trustedHops: '2' }, 'option-invalid'],
    ['a flag that is a text', { ...json, assertedIdentity: 'false' }, 'option-invalid'],
    ['none', undefined, 'option-missing'],
  ])('with %s throw', (_, options, code) => {
    expect(() => envoy(options as EnvoyOptions)).toThrow(expect.objectContaining({ code }))
  })
  test('of Istio may leave out the form, which is text then', () => {
    expect(outcome(istio({ trust }).read(request([textOf(client)])))).toEqual(chain)
    const value = JSON.stringify([elementOf(client)])
    expect(outcome(istio({ trust, form: 'json' }).read(request([value])))).toEqual(chain)
    expect(() => istio(undefined as unknown as IstioOptions)).toThrow(
      expect.objectContaining({ code: 'option-missing' }),
    )
  })
  test('with a secret add its header to those that are taken away', () => {
    const secret = { header: 'X-Proxy-Secret', value: 'sixteen letters!' }
    const source = envoy({ form: 'text', trust: { secret } })
    expect(source.headers).toEqual([header, 'x-proxy-secret'])
  })
})
