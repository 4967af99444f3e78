import { describe, expect, test } from 'vitest'
import { clientAclFromJson, decideClientAcl, parseClientAcl } from '../../src/acl/index.ts'
import { type CertificateOptions, issueCa } from '../../src/testing/index.ts'
import { pathOf, run, sha256, spkiSha256 } from './support.ts'

const root = await issueCa('CN=Root')
const ca = await root.issueCa('CN=Issuing')
const client = await ca.issue('CN=client-a,OU=Pay,O=Bank', {
  serialNumber: 0x80ff,
  subjectAltName: [
    { dns: 'Client-A.example' },
    { email: 'Ann@Example.com' },
    { uri: 'SPIFFE://Prod.example/ns/pay/sa/ann' },
  ],
})

function outcome(text: string, certificate = client, time = 0): string {
  const path = pathOf([certificate, ca], root)
  const decision = run(decideClientAcl(parseClientAcl(text), path, time))
  return decision.allowed ? 'allowed' : decision.code
}

describe('entries match the client', () => {
  test.each([
    ['', 'acl-empty'],
    ['allow dn "CN=Client-A,OU=Pay,O=Bank"', 'allowed'],
    ['allow dn CN=client-a', 'client-not-allowed'],
    ['allow dn CN=Issuing', 'client-not-allowed'],
    ['allow attributes O=Bank CN=*', 'allowed'],
    ['allow attributes O=Other', 'client-not-allowed'],
    [`allow spki-sha256 ${spkiSha256(client)}`, 'allowed'],
    [`allow spki-sha256 ${spkiSha256(ca)}`, 'client-not-allowed'],
    [`allow certificate-sha256 ${sha256(client.der)}`, 'allowed'],
    [`allow tbs-sha256 ${sha256(client.tbsCertificate.der)}`, 'allowed'],
    [`allow certificate ${Buffer.from(client.der).toString('base64')}`, 'allowed'],
    ['allow san-dns client-a.EXAMPLE', 'allowed'],
    ['allow san-dns *', 'allowed'],
    ['allow san-dns example', 'client-not-allowed'],
    ['allow san-email Ann@example.COM', 'allowed'],
    ['allow san-email ann@example.com', 'client-not-allowed'],
    ['allow san-email *', 'allowed'],
    ['allow san-uri spiffe://prod.example/ns/pay/sa/ann', 'allowed'],
    ['allow san-uri spiffe://prod.example/ns/pay/sa/Ann', 'client-not-allowed'],
    ['allow san-uri *', 'allowed'],
    ['allow san-uri spiffe://prod.example/*', 'allowed'],
    ['allow san-uri spiffe://prod.example/ns/pay/*', 'allowed'],
    ['allow san-uri spiffe://prod.example/ns/pa/*', 'client-not-allowed'],
    ['allow san-uri spiffe://prod.example/ns/pay/sa/ann/*', 'client-not-allowed'],
    ['allow san-uri spiffe://prod.example.evil/*', 'client-not-allowed'],
    ['allow serial 80:FF issuer CN=Issuing', 'allowed'],
    ['allow serial 0080ff issuer "cn= issuing"', 'allowed'],
    ['allow serial 80ff issuer CN=Root', 'client-not-allowed'],
    ['allow serial 80fe issuer CN=Issuing', 'client-not-allowed'],
    ['allow attributes CN=*\ndeny serial 80ff issuer CN=Issuing', 'client-denied'],
    ['allow attributes CN=*\ndeny san-email ANN@example.com', 'client-denied'],
    ['allow attributes CN=*\ndeny san-email *', 'client-denied'],
    ['allow attributes CN=*\ndeny san-dns client-a.example', 'client-denied'],
    ['allow attributes CN=* under dn CN=Root', 'allowed'],
    ['allow attributes CN=* under dn CN=Issuing', 'client-not-allowed'],
  ])('%s: %s', (text, expected) => {
    expect(outcome(text)).toBe(expected)
  })

  test('a decision says until when it stands', () => {
    const path = pathOf([client, ca], root)
    const decide = (text: string) => run(decideClientAcl(parseClientAcl(text), path, 5))
    expect(decide('allow attributes CN=* expires 7')).toMatchObject({ allowed: true, expires: 7 })
    expect(decide('deny attributes CN=* expires 8')).toMatchObject({
      code: 'client-denied',
      expires: 8,
    })
    expect(decide('allow attributes CN=* expires 4')).toEqual({
      allowed: false,
      code: 'client-not-allowed',
    })
  })

  test('a client directly below its anchor, and a path without one', async () => {
    const direct = await root.issue('CN=direct')
    const acl = parseClientAcl(`allow certificate-sha256 ${sha256(direct.der)}`)
    expect(run(decideClientAcl(acl, pathOf([direct], root), 0)).allowed).toBe(true)
    expect(run(decideClientAcl(acl, pathOf([], root), 0))).toMatchObject({
      code: 'client-not-allowed',
    })
  })
})

describe('alternative names that want care', () => {
  const issue = (names: Exclude<CertificateOptions['subjectAltName'], undefined>) =>
    ca.issue('CN=x', { subjectAltName: names })
  const any = 'allow attributes CN=*\n'

  test.each([
    'spiffe://d/a/../b',
    'spiffe://d/a//b',
    'spiffe://d/a/%62',
    'spiffe://d/a/b?c',
    'spiffe://d/a/b#c',
    'spiffe://d/a/.',
  ])('%s has two readings: below a prefix it may be denied, never allowed', async (uri) => {
    const certificate = await issue([{ uri }])
    expect(outcome('allow san-uri spiffe://d/a/*', certificate)).toBe('client-not-allowed')
    expect(outcome(`${any}deny san-uri spiffe://d/a/*`, certificate)).toBe('client-denied')
  })

  test('the folder itself is not below itself', async () => {
    const certificate = await issue([{ uri: 'spiffe://d/a/' }])
    expect(outcome('allow san-uri spiffe://d/a/*', certificate)).toBe('client-not-allowed')
    expect(outcome('allow san-uri spiffe://d/*', await issue([{ uri: 'spiffe://d' }]))).toBe(
      'client-not-allowed',
    )
  })

  test('of two SPIFFE ids none allows and each denies', async () => {
    const certificate = await issue([{ uri: 'spiffe://d/a' }, { uri: 'spiffe://d/b' }])
    expect(outcome('allow san-uri spiffe://d/a', certificate)).toBe('client-not-allowed')
    expect(outcome('allow san-uri *', certificate)).toBe('client-not-allowed')
    expect(outcome('allow san-uri spiffe://d/*', certificate)).toBe('client-not-allowed')
    expect(outcome(`${any}deny san-uri spiffe://d/b`, certificate)).toBe('client-denied')
    expect(outcome(`${any}deny san-uri spiffe://d/*`, certificate)).toBe('client-denied')
  })

  test('other URIs may stand side by side', async () => {
    const certificate = await issue([{ uri: 'urn:a:B' }, { uri: 'https://H/p' }])
    expect(outcome('allow san-uri URN:a:B', certificate)).toBe('allowed')
    expect(outcome('allow san-uri urn:a:b', certificate)).toBe('client-not-allowed')
    expect(outcome('allow san-uri https://h/p', certificate)).toBe('allowed')
  })

  test('SmtpUTF8Mailbox is an e-mail address, RFC 9598 §3', async () => {
    const certificate = await issue([{ smtpUtf8: 'jörg@example.com' }])
    expect(outcome('allow san-email jörg@EXAMPLE.com', certificate)).toBe('allowed')
    expect(outcome(`${any}deny san-email JÖRG@example.com`, certificate)).toBe('client-denied')
    const long = `${'ö'.repeat(80)}@example.com`
    expect(outcome(`allow san-email ${long}`, await issue([{ smtpUtf8: long }]))).toBe('allowed')
  })

  test('other names and no names are no e-mail addresses', async () => {
    const value = Uint8Array.of(4, 1, 0x61)
    const mistyped = await issue([{ otherName: { typeId: '1.3.6.1.5.5.7.8.9', value } }])
    const foreign = await issue([{ otherName: { typeId: '1.2.3', value } }, { ip: '10.0.0.1' }])
    const none = await ca.issue('CN=x')
    for (const certificate of [mistyped, foreign, none]) {
      expect(outcome('allow san-email *', certificate)).toBe('client-not-allowed')
    }
  })

  test('a negative serial may be denied under its digits, never allowed', async () => {
    const certificate = await ca.issue('CN=x', { serialNumber: -1n })
    expect(outcome('allow serial ff issuer CN=Issuing', certificate)).toBe('client-not-allowed')
    expect(outcome(`${any}deny serial ff issuer CN=Issuing`, certificate)).toBe('client-denied')
  })
})

test('an ACL in JSON decides as the same in text', () => {
  const acl = clientAclFromJson([
    { effect: 'allow', match: { serial: '80ff', issuer: 'CN=Issuing' } },
  ])
  expect(run(decideClientAcl(acl, pathOf([client, ca], root), 0)).allowed).toBe(true)
  expect(acl.entries[0]).toEqual({
    effect: 'allow',
    match: { serial: '80ff', issuer: 'CN=Issuing' },
  })
})
