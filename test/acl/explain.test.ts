import { describe, expect, test } from 'vitest'
import {
  aclFailures,
  explainClientAcl,
  explainIssuerAcl,
  parseClientAcl,
  parseIssuerAcl,
} from '../../src/acl/index.ts'
import { issueCa } from '../../src/testing/index.ts'
import { pathOf, run, sha256, spkiSha256 } from './support.ts'

const root = await issueCa('CN=Root')
const ca = await root.issueCa('CN=Issuing,O=Bank,C=DE')
const client = await ca.issue('CN=client', { subjectAltName: [{ dns: 'a.b' }, { dns: 'c.d' }] })
const path = pathOf([client, ca], root)
const explain = (text: string, over = path) => run(explainIssuerAcl(parseIssuerAcl(text), over, 50))

describe('which entry decided', () => {
  test('one that allows, one that denies, none', () => {
    expect(explain('allow attributes O=bank note mine')).toEqual({
      decision: {
        allowed: true,
        entry: {
          effect: 'allow',
          match: { attributes: { O: 'bank' } },
          at: 'issuer',
          note: 'mine',
        },
      },
    })
    const denied = explain('allow attributes O=Bank\ndeny attributes CN=*')
    expect(denied.decision).toMatchObject({ code: 'issuer-denied', entry: { effect: 'deny' } })
    expect(denied.nearest).toBeUndefined()
    expect(explain('')).toEqual({ decision: { allowed: false, code: 'acl-empty' } })
    expect(explain('deny dn CN=Other').nearest).toBeUndefined()
  })
})

describe('the nearest entry and what differs', () => {
  const other = '00'.repeat(32)
  const own = 'CN=Issuing,O=Bank,C=DE'
  test.each([
    ['dn "CN=Issuing,O=Banque,C=DE"', [['O', 'Banque', 'Bank']]],
    ['dn "CN=Issuing,C=DE"', [['O', undefined, 'Bank']]],
    ['dn "CN=Issuing,OU=x,O=Bank,C=DE"', [['OU', 'x', undefined]]],
    ['dn "C=DE,O=Bank,CN=Issuing"', [['dn', 'C=DE,O=Bank,CN=Issuing', own]]],
    ['attributes O=Banque CN=Issuing', [['O', 'Banque', 'Bank']]],
    ['attributes L=*', [['L', '*', undefined]]],
    [`spki-sha256 ${other}`, [['spkiSha256', other, spkiSha256(ca)]]],
    [`tbs-sha256 ${other}`, [['tbsSha256', other, sha256(ca.tbsCertificate.der)]]],
    ['dn CN=Rooty at anchor', [['CN', 'Rooty', 'Root']]],
    [`dn "${own}" expires 49`, [['expires', '49', '50']]],
    [`dn "${own}" under dn CN=Other`, [['under', 'CN=Other', 'CN=Root']]],
    [`dn "${own}" under dn CN=Root expires 49`, [['expires', '49', '50']]],
    [`dn "${own}" under spki-sha256 ${other}`, [['under', other, spkiSha256(root)]]],
  ])('%s', (match, expected) => {
    const { nearest, decision } = explain(`allow ${match}`)
    expect(decision).toMatchObject({ allowed: false, code: 'issuer-not-allowed' })
    expect(nearest?.differences).toEqual(
      expected.map(([field, wanted, actual]) => ({ field, expected: wanted, actual })),
    )
  })

  test('a certificate of the same name is told apart by its field', async () => {
    const again = await root.issueCa(own, { key: 'P-256#9' })
    const entry = `allow certificate ${Buffer.from(again.der).toString('base64')}`
    expect(explain(entry).nearest?.differences).toEqual([
      { field: 'certificate', expected: own, actual: own },
    ])
  })

  test('a name that nearly fits is nearer than a hash that does not', () => {
    const text = `deny dn CN=x\nallow spki-sha256 ${other}\nallow dn CN=x\nallow dn "CN=Issuing,O=Bank,C=FR"`
    expect(explain(text).nearest?.entry.match).toEqual({ dn: 'CN=Issuing,O=Bank,C=FR' })
  })

  test('any CA of the path may be the nearest; a stated issuer is none', () => {
    expect(explain('allow dn CN=Root,O=x at path').nearest?.differences).toHaveLength(1)
    const pinned = pathOf([client], client)
    expect(explain('allow attributes CN=Issuing', pinned).nearest).toBeUndefined()
  })

  test('a key id that the issuer does not have', async () => {
    const plain = await root.issueCa('CN=Plain', { subjectKeyIdentifier: 'absent' })
    const over = pathOf([await plain.issue('CN=x'), plain], root)
    expect(explain('allow key-id 00', over).nearest?.differences).toEqual([
      { field: 'keyId', expected: '00', actual: undefined },
    ])
  })
})

describe('clients', () => {
  const explainClient = (text: string, over = path) =>
    run(explainClientAcl(parseClientAcl(text), over, 50))
  test('alternative names', () => {
    expect(explainClient('allow san-dns x.y').nearest?.differences).toEqual([
      { field: 'sanDns', expected: 'x.y', actual: 'a.b, c.d' },
    ])
    expect(explainClient('allow san-uri spiffe://d/*').nearest?.differences).toEqual([
      { field: 'sanUri', expected: 'spiffe://d/*', actual: undefined },
    ])
  })

  test('decided, and nobody there', () => {
    expect(explainClient('allow san-dns a.b').nearest).toBeUndefined()
    expect(explainClient('deny san-dns a.b').nearest).toBeUndefined()
    expect(explainClient('allow san-dns a.b', pathOf([], root)).nearest).toBeUndefined()
  })
})

test('every code has a source and a text', () => {
  const issuer = { effect: 'deny', match: { dn: 'CN=a' }, at: 'issuer' } as const
  const noted = { ...issuer, note: 'lost' } as const
  const texts = [
    aclFailures['acl-empty'][1]({ code: 'acl-empty' }),
    aclFailures['issuer-not-allowed'][1]({ code: 'issuer-not-allowed' }),
    aclFailures['client-not-allowed'][1]({ code: 'client-not-allowed' }),
    ...[issuer, noted].flatMap((entry) => [
      aclFailures['issuer-denied'][1]({ code: 'issuer-denied', entry }),
      aclFailures['issuer-deny-unchecked'][1]({ code: 'issuer-deny-unchecked', entry }),
      aclFailures['client-denied'][1]({ code: 'client-denied', entry }),
    ]),
  ]
  expect(new Set(texts).size).toBe(9)
  for (const [source] of Object.values(aclFailures)) expect(source).not.toBe('')
})
