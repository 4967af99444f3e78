import { describe, expect, test } from 'vitest'
import { limits } from '../../src/acl/entry.ts'
import {
  clientAclFromJson,
  formatAcl,
  issuerAclFromJson,
  parseClientAcl,
  parseIssuerAcl,
} from '../../src/acl/index.ts'
import { issueCa } from '../../src/testing/index.ts'
import { thrown } from './support.ts'

const digest = 'AB'.repeat(32)
const root = await issueCa('CN=Root')
const base64 = Buffer.from(root.der).toString('base64')

describe('the text form', () => {
  test('one entry a line, comments, quotes, options in any order', () => {
    const text = `\ufeff# who may vouch
allow dn "CN=Say \\""Hi\\"" # 1,O=a\\, b"   # a comment
\tdeny spki-sha256 ${digest.replace(/(..)(?=.)/g, '$1:')} note "key lost" at path\r
allow attributes CN="Issuing CA 1" OU=a OU=* expires 2027-12-31T23:59:59Z under dn CN=Root

deny key-id 01:AB under spki-sha256 ${digest} expires 10`
    const entries = [
      { effect: 'allow', match: { dn: 'CN=Say \\"Hi\\" # 1,O=a\\, b' }, at: 'issuer' },
      {
        effect: 'deny',
        match: { spkiSha256: digest.toLowerCase() },
        at: 'path',
        note: 'key lost',
      },
      {
        effect: 'allow',
        match: { attributes: { CN: 'Issuing CA 1', OU: ['a', '*'] } },
        at: 'issuer',
        under: { dn: 'CN=Root' },
        expires: 1_830_297_599,
      },
      {
        effect: 'deny',
        match: { keyId: '01ab' },
        at: 'issuer',
        under: { spkiSha256: digest.toLowerCase() },
        expires: 10,
      },
    ]
    const acl = parseIssuerAcl(text)
    expect(acl.entries).toEqual(entries)
    expect(issuerAclFromJson(entries).entries).toEqual(entries)
    expect(parseIssuerAcl(formatAcl(acl)).entries).toEqual(entries)
    expect(formatAcl(acl).split('\n')[1]).toBe(
      `deny spki-sha256 ${digest.toLowerCase()} at path note "key lost"`,
    )
  })

  test('entries cannot be changed afterwards', () => {
    const [entry] = parseIssuerAcl('allow attributes OU=a OU=b').entries
    expect([entry, entry?.match].every(Object.isFrozen)).toBe(true)
  })

  test.each([
    ['permit dn CN=a', 1, 'effect'],
    ['\n\nallow', 3, ''],
    ['allow name CN=a', 1, ''],
    ['allow dn', 1, ''],
    ['allow dn "CN=a', 1, ''],
    ['allow dn nonsense', 1, 'match.dn'],
    ['allow dn ""', 1, 'match.dn'],
    ['allow dn CN=Issuing CA', 1, ''],
    ['allow dn CN=a at', 1, ''],
    ['allow dn CN=a at home', 1, 'at'],
    ['allow dn CN=a at path at path', 1, ''],
    ['allow dn CN=a under', 1, ''],
    ['allow dn CN=a under key-id 00', 1, 'under.keyId'],
    ['allow dn CN=a under dn x', 1, 'under.dn'],
    ['allow dn CN=a under spki-sha256 00', 1, 'under.spkiSha256'],
    ['allow dn CN=a expires soon', 1, 'expires'],
    ['allow dn CN=a expires 2027-02-30T00:00:00Z', 1, 'expires'],
    ['allow dn CN=a expires 1969-12-31T23:59:59Z', 1, 'expires'],
    ['allow dn CN=a expires 999999999999', 1, 'expires'],
    ['allow attributes', 1, ''],
    ['allow attributes CN', 1, ''],
    ['allow attributes CN=', 1, 'match.attributes.CN'],
    ['allow attributes FOO=a', 1, 'match.attributes.FOO'],
    ['allow attributes __proto__=a', 1, 'match.attributes.__proto__'],
    ['allow attributes constructor=a', 1, 'match.attributes.constructor'],
    ['allow spki-sha256 00', 1, 'match.spkiSha256'],
    [`allow certificate-sha256 ${'g'.repeat(64)}`, 1, 'match.certificateSha256'],
    ['allow tbs-sha256 ""', 1, 'match.tbsSha256'],
    ['allow key-id 0', 1, 'match.keyId'],
    ['allow key-id 00:1', 1, 'match.keyId'],
    ['allow certificate AAAA', 1, 'match.certificate'],
    ['allow certificate !', 1, 'match.certificate'],
    ['allow san-dns a', 1, 'match'],
    [`# x\rallow dn CN=${'a'.repeat(limits.line)}`, 2, ''],
    [`allow attributes ${'OU=a '.repeat(limits.attributes + 1)}`, 1, 'match.attributes'],
    ['allow dn CN=a\n'.repeat(limits.entries + 1), limits.entries + 1, ''],
  ])('%.60j is refused with its line and field', (text, line, field) => {
    expect(thrown(() => parseIssuerAcl(text))).toMatchObject({ code: 'acl-invalid', line, field })
  })

  test.each([
    ['allow key-id 00', 'match'],
    ['allow dn CN=a at path', 'at'],
    ['allow san-dns *.example', 'match.sanDns'],
    ['allow san-dns ""', 'match.sanDns'],
    ['allow san-email example.com', 'match.sanEmail'],
    ['allow san-email *@example.com', 'match.sanEmail'],
    ['allow san-uri example', 'match.sanUri'],
    ['allow san-uri https://example.com/*', 'match.sanUri'],
    ['allow san-uri spiffe:///*', 'match.sanUri'],
    ['allow san-uri spiffe://d/a*', 'match.sanUri'],
    ['allow san-uri spiffe://d/a/../*', 'match.sanUri'],
    ['allow san-uri spiffe://*/a', 'match.sanUri'],
    [`allow san-uri spiffe://d${'/a'.repeat(limits.uriSegments + 1)}/*`, 'match.sanUri'],
    ['allow serial 00', ''],
    ['allow serial 00 from CN=a', ''],
    ['allow serial x issuer CN=a', 'match.serial'],
    ['allow serial 00 issuer a', 'match.issuer'],
  ])('%j is refused for clients', (text, field) => {
    expect(thrown(() => parseClientAcl(text))).toMatchObject({ code: 'acl-invalid', field })
  })

  test('the deepest prefix is read and written', () => {
    const text = `allow san-uri spiffe://d${'/a'.repeat(limits.uriSegments)}/*\n`
    expect(formatAcl(parseClientAcl(text))).toBe(text)
  })

  test('what is no text, or too much of it', () => {
    expect(thrown(() => parseIssuerAcl(undefined as unknown as string))).toMatchObject({
      code: 'acl-invalid',
      field: '',
    })
    expect(thrown(() => parseIssuerAcl(' '.repeat(limits.text + 1)))).toMatchObject({
      code: 'acl-invalid',
    })
  })

  test('ten thousand quotation marks are read in no time', () => {
    const text = `allow note ${'"'.repeat(40_001)}`
    expect(thrown(() => parseIssuerAcl(text))).toMatchObject({ code: 'acl-invalid', line: 1 })
  })
})

describe('the JSON form', () => {
  const match = { dn: 'CN=a' }
  test.each<[unknown, string]>([
    [undefined, ''],
    [{}, ''],
    ['allow dn CN=a', ''],
    [Array(limits.entries + 1).fill({ effect: 'allow', match }), ''],
    [Array(1), '[0]'],
    [[null], '[0]'],
    [[[]], '[0]'],
    [[{ match }], '[0].effect'],
    [[{ effect: 'Allow', match }], '[0].effect'],
    [[{ effect: 'allow', match }, { effect: 'allow' }], '[1].match'],
    [[{ effect: 'allow', match: {} }], '[0].match'],
    [[{ effect: 'allow', match: { toString: 'x' } }], '[0].match'],
    [[{ effect: 'allow', match: { ...match, keyId: '00' } }], '[0].match.keyId'],
    [[{ effect: 'allow', match: { ...match, at: 'path' } }], '[0].match.at'],
    [[{ effect: 'allow', match, at: null }], '[0].at'],
    [[{ effect: 'allow', match, expire: 1 }], '[0].expire'],
    [[{ effect: 'allow', match, expires: 1.5 }], '[0].expires'],
    [[{ effect: 'allow', match, expires: -1 }], '[0].expires'],
    [[{ effect: 'allow', match, note: 1 }], '[0].note'],
    [[{ effect: 'allow', match, note: 'a\nallow dn CN=b' }], '[0].note'],
    [[{ effect: 'allow', match, under: 'CN=a' }], '[0].under'],
    [[{ effect: 'allow', match, under: {} }], '[0].under'],
    [[{ effect: 'allow', match, under: { dn: 'CN=a', spkiSha256: digest } }], '[0].under'],
    [[{ effect: 'allow', match: { dn: 1 } }], '[0].match.dn'],
    [[{ effect: 'allow', match: { attributes: {} } }], '[0].match.attributes'],
    [[{ effect: 'allow', match: { attributes: [] } }], '[0].match.attributes'],
    [[{ effect: 'allow', match: { attributes: null } }], '[0].match.attributes'],
    [[{ effect: 'allow', match: { attributes: 'CN=a' } }], '[0].match.attributes'],
    [[{ effect: 'allow', match: { attributes: { CN: [] } } }], '[0].match.attributes.CN'],
    [[{ effect: 'allow', match: { attributes: { CN: 1 } } }], '[0].match.attributes.CN'],
    [[{ effect: 'allow', match: { attributes: { CN: '\ud800' } } }], '[0].match.attributes.CN'],
    [[{ effect: 'allow', match: { spkiSha256: 1 } }], '[0].match.spkiSha256'],
    [[{ effect: 'allow', match: { keyId: 1 } }], '[0].match.keyId'],
    [[{ effect: 'allow', match: { keyId: '' } }], '[0].match.keyId'],
    [[{ effect: 'allow', match: { certificate: 1 } }], '[0].match.certificate'],
  ])('%.80j is refused with its field', (value, field) => {
    expect(thrown(() => issuerAclFromJson(value))).toMatchObject({ code: 'acl-invalid', field })
  })

  test('an empty array is an ACL, for clients too', () => {
    expect(issuerAclFromJson([]).entries).toEqual([])
    expect(clientAclFromJson([]).entries).toEqual([])
    expect(
      thrown(() => clientAclFromJson([{ effect: 'allow', match: { sanDns: 1 } }])),
    ).toMatchObject({ code: 'acl-invalid', field: '[0].match.sanDns' })
  })

  test('a certificate as PEM or base64, written as base64', () => {
    for (const certificate of [root.pem, base64, `\n${root.pem}\n`]) {
      const acl = issuerAclFromJson([{ effect: 'deny', match: { certificate } }])
      expect(acl.entries[0]?.match).toEqual({ certificate: base64 })
    }
    const two = root.pem + root.pem
    expect(
      thrown(() => issuerAclFromJson([{ effect: 'deny', match: { certificate: two } }])),
    ).toMatchObject({ code: 'acl-invalid', field: '[0].match.certificate' })
  })

  test('a field that is undefined was left out', () => {
    const entry = { effect: 'allow', match, note: undefined, expires: undefined, at: undefined }
    expect(issuerAclFromJson([entry]).entries).toEqual([{ effect: 'allow', match, at: 'issuer' }])
  })
})
