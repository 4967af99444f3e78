import { describe, expect, test } from 'vitest'
import {
  type CertificateOptions,
  type CrlOptions,
  issueCa,
  issueCrl,
  type RevokedInput,
} from '../../src/testing/index.ts'
import { outcome } from './crl-support.ts'

type Point = NonNullable<CrlOptions['issuingDistributionPoint']>
type Points = NonNullable<CertificateOptions['cRLDistributionPoints']>

const root = await issueCa('CN=Root CA,O=Example')
const uri = 'http://crl.example/1'
const plain = await root.issue('plain')

async function withPoints(...cRLDistributionPoints: readonly Points[number][]) {
  return root.issue('client-a', { cRLDistributionPoints } as CertificateOptions)
}

async function listOf(issuingDistributionPoint: Point, options: CrlOptions = {}) {
  return root.issueCrl({ issuingDistributionPoint, ...options })
}

const whole = await root.issueCrl()

describe('names of distribution points, RFC 5280 §6.3.3 (b)(2)(i)', () => {
  test('a list without one is for every distribution point of its issuer', async () => {
    expect(outcome(plain, root, [whole])).toBe('good')
    expect(outcome(await withPoints({ uri }), root, [whole])).toBe('good')
  })

  const other = 'http://crl.example/2'
  test.each<readonly [string, Points[number] | undefined, Point, string]>([
    ['the same URI', { uri }, { uri }, 'good'],
    ['another URI', { uri: other }, { uri }, 'crl-out-of-scope:distribution-point'],
    [
      'a URI in capitals',
      { uri: uri.toUpperCase() },
      { uri },
      'crl-out-of-scope:distribution-point',
    ],
    [
      'one URI of several',
      { fullName: [{ uri: other }, { uri }] },
      { fullName: [{ uri: 'http://a/' }, { uri }] },
      'good',
    ],
    ['no point, and a URI', undefined, { uri }, 'crl-out-of-scope:distribution-point'],
    [
      'no point, and the name of the issuer',
      undefined,
      { fullName: [{ directoryName: 'CN=root  ca,O=EXAMPLE' }] },
      'good',
    ],
    [
      'the same directory name, otherwise written',
      { fullName: [{ directoryName: 'CN=Part 1' }] },
      { fullName: [{ directoryName: 'CN=part  1' }] },
      'good',
    ],
    [
      'the same relative name',
      { nameRelativeToCRLIssuer: { type: 'CN', value: 'Part 1' } },
      { nameRelativeToCRLIssuer: { type: 'CN', value: 'part 1' } },
      'good',
    ],
    [
      'another relative name',
      { nameRelativeToCRLIssuer: { type: 'CN', value: 'Part 1' } },
      { nameRelativeToCRLIssuer: { type: 'CN', value: 'Part 2' } },
      'crl-out-of-scope:distribution-point',
    ],
    [
      'a relative name and the same as a full one',
      { nameRelativeToCRLIssuer: { type: 'OU', value: 'Part' } },
      {
        fullName: [
          {
            directoryName: [
              { type: 'O', value: 'Example' },
              { type: 'CN', value: 'Root CA' },
              { type: 'OU', value: 'Part' },
            ],
          },
        ],
      },
      'good',
    ],
    [
      'a DNS name and a URI of the same text',
      { fullName: [{ dns: 'a' }] },
      { fullName: [{ uri: 'a' }] },
      'crl-out-of-scope:distribution-point',
    ],
    ['the same DNS name', { fullName: [{ dns: 'a' }] }, { fullName: [{ dns: 'a' }] }, 'good'],
    [
      'the same address',
      { fullName: [{ ip: '10.0.0.1' }] },
      { fullName: [{ ip: '10.0.0.1' }] },
      'good',
    ],
    [
      'the same registered identifier',
      { fullName: [{ registeredId: '1.2.3' }] },
      { fullName: [{ registeredId: '1.2.3' }] },
      'good',
    ],
    [
      'the same other name',
      { fullName: [{ otherName: { typeId: '1.2.3', value: Uint8Array.of(5, 0) } }] },
      { fullName: [{ otherName: { typeId: '1.2.3', value: Uint8Array.of(5, 0) } }] },
      'good',
    ],
    [
      'the same EDI party name',
      { fullName: [{ der: Uint8Array.of(0xa5, 2, 0x81, 0) }] },
      { fullName: [{ der: Uint8Array.of(0xa5, 2, 0x81, 0) }] },
      'good',
    ],
  ])('%s', async (_, point, listPoint, expected) => {
    const client = point === undefined ? plain : await withPoints(point)
    expect(outcome(client, root, [await listOf(listPoint)])).toBe(expected)
  })

  test('one of several points is enough', async () => {
    const client = await withPoints({ uri: 'http://a/' }, { uri })
    expect(outcome(client, root, [await listOf({ uri })])).toBe('good')
  })

  test('points beyond the local limit do not count, but a list that revokes does', async () => {
    const many = Array.from({ length: 1_000 }, (_, i) => ({ uri: `http://crl.example/${i}` }))
    const client = await root.issue('client-b', { cRLDistributionPoints: many })
    expect(outcome(client, root, [whole])).toBe('status-limit')
    expect(outcome(client, root, [await listOf({ uri }, { revoked: [client] })])).toBe('revoked')
  })
})

describe('kinds of certificates, RFC 5280 §6.3.3 (b)(2)(ii) to (iv)', async () => {
  const ca = await root.issueCa('Issuing CA')
  const below = await ca.issue('client-b')
  const ofCa = await ca.issueCrl()
  const user = await listOf({ onlyContainsUserCerts: true })
  const cas = await listOf({ onlyContainsCACerts: true })
  const attributes = await listOf({ onlyContainsAttributeCerts: true })
  const old = await root.issue('client-c', {
    version: 1,
    subjectKeyIdentifier: 'absent',
    authorityKeyIdentifier: 'absent',
    keyUsage: 'absent',
    extendedKeyUsage: 'absent',
  })

  test('user certificates', () => {
    expect(outcome(plain, root, [user])).toBe('good')
    expect(outcome(plain, root, [cas])).toBe('crl-out-of-scope:ca-certificates')
    expect(outcome(plain, root, [attributes])).toBe('crl-out-of-scope:attribute-certificates')
  })

  test('CA certificates', () => {
    const sent = { sent: [ca] }
    expect(outcome(below, root, [ofCa, cas], sent)).toBe('good')
    expect(outcome(below, root, [ofCa, user], sent)).toBe('crl-out-of-scope:user-certificates at 1')
    expect(outcome(below, root, [ofCa, attributes], sent)).toBe(
      'crl-out-of-scope:attribute-certificates at 1',
    )
  })

  test('a certificate of version 1 cannot say which it is', () => {
    expect(outcome(old, root, [whole])).toBe('good')
    expect(outcome(old, root, [user])).toBe('crl-out-of-scope:user-certificates')
    expect(outcome(old, root, [cas])).toBe('crl-out-of-scope:ca-certificates')
  })

  test('out of its scope a list of the CA revokes all the same, unless it is for attribute certificates', async () => {
    const revoked = { revoked: [plain] }
    expect(
      outcome(plain, root, [whole, await listOf({ onlyContainsCACerts: true }, revoked)]),
    ).toBe('revoked')
    expect(outcome(plain, root, [whole, await listOf({ uri }, revoked)])).toBe('revoked')
    expect(
      outcome(plain, root, [whole, await listOf({ onlyContainsAttributeCerts: true }, revoked)]),
    ).toBe('good')
  })
})

describe('reasons, RFC 5280 §6.3.3 (d), (e) and (l)', async () => {
  const some = ['keyCompromise', 'cACompromise'] as const
  const others = [
    'affiliationChanged',
    'superseded',
    'cessationOfOperation',
    'certificateHold',
    'privilegeWithdrawn',
    'aACompromise',
  ] as const
  const first = await listOf({ onlySomeReasons: some })
  const second = await listOf({ onlySomeReasons: others })

  test('two halves make a whole, in any order', () => {
    expect(outcome(plain, root, [first, second])).toBe('good')
    expect(outcome(plain, root, [second, first])).toBe('good')
  })

  test('one half is not enough', () => {
    expect(outcome(plain, root, [first])).toBe('crl-reasons-missing')
    expect(outcome(plain, root, [second])).toBe('crl-reasons-missing')
  })

  test('neither half alone lets a certificate pass that the other one lists', async () => {
    const listed = await listOf({ onlySomeReasons: some }, { revoked: [plain] })
    expect(outcome(plain, root, [second, listed])).toBe('revoked')
  })

  test('the points of a certificate say for which reasons as well', async () => {
    const halves = await withPoints({ uri, reasons: some }, { uri: 'http://b/', reasons: others })
    const atFirst = await listOf({ uri })
    const atSecond = await listOf({ uri: 'http://b/' })
    expect(outcome(halves, root, [atFirst, atSecond])).toBe('good')
    expect(outcome(halves, root, [atFirst])).toBe('crl-reasons-missing')
    expect(outcome(halves, root, [whole])).toBe('good')
  })

  test('reasons that have nothing in common', async () => {
    const half = await withPoints({ uri, reasons: some })
    const pointed = await listOf({ uri, onlySomeReasons: ['superseded'] })
    expect(outcome(half, root, [pointed])).toBe('crl-out-of-scope:reasons')
    const unused = await listOf({ onlySomeReasons: ['unused'] })
    expect(outcome(plain, root, [unused])).toBe('crl-out-of-scope:reasons')
  })

  test('what is missing is said', async () => {
    const half = await withPoints({ uri, reasons: some })
    expect(outcome(half, root, [second])).toBe('crl-reasons-missing')
  })

  test('a list of the issuer for all points covers more than a point asks it for', async () => {
    const half = await withPoints({ uri, reasons: some })
    expect(outcome(half, root, [whole])).toBe('good')
    expect(outcome(half, root, [await root.issueCrl({ revoked: [half] })])).toBe('revoked')
  })
})

describe('indirect lists, RFC 5280 §6.3.3 (b)(1)', async () => {
  const issuing = await root.issueCa('Issuing CA')
  const signer = await root.issue('CRL issuer', {
    keyUsage: ['cRLSign'],
    extendedKeyUsage: 'absent',
  })
  const client = await issuing.issue('client-a', {
    cRLDistributionPoints: [{ crlIssuer: 'CRL issuer' }],
  })
  const ofRoot = await root.issueCrl()
  const indirect = (revoked: CrlOptions['revoked'] = [], point: Point = {}) =>
    issueCrl(signer, { revoked, issuingDistributionPoint: { indirectCRL: true, ...point } })
  const given = { sent: [issuing], known: [signer] }
  const number = client.tbsCertificate.serialNumber

  test('good and revoked', async () => {
    expect(outcome(client, root, [ofRoot, await indirect()], given)).toBe('good')
    expect(outcome(client, root, [ofRoot, await indirect([client])], given)).toBe('revoked')
  })

  test('who signs it must be known', async () => {
    expect(outcome(client, root, [ofRoot, await indirect()], { sent: [issuing] })).toBe(
      'crl-signer-unknown',
    )
  })

  test('a list that does not say that it is indirect is none', async () => {
    const direct = await issueCrl(signer)
    expect(outcome(client, root, [ofRoot, direct], given)).toBe('crl-out-of-scope:indirect')
  })

  test("the CA's own list is not the one that is asked for, but it revokes", async () => {
    expect(outcome(client, root, [ofRoot, await issuing.issueCrl()], given)).toBe(
      'crl-out-of-scope:crl-issuer',
    )
    const lists = [ofRoot, await indirect(), await issuing.issueCrl({ revoked: [client] })]
    expect(outcome(client, root, lists, given)).toBe('revoked')
    expect(outcome(client, root, lists.toReversed(), given)).toBe('revoked')
  })

  test('a list that calls itself indirect revokes what its issuer has issued', async () => {
    const own = await root.issue('client-b', { cRLDistributionPoints: [{ uri }] })
    const list = await listOf({ indirectCRL: true }, { revoked: [own] })
    expect(outcome(own, root, [list])).toBe('revoked')
    expect(outcome(own, root, [whole, list])).toBe('revoked')
    expect(outcome(own, root, [await listOf({ indirectCRL: true })])).toBe(
      'crl-out-of-scope:indirect',
    )
    expect(outcome(plain, root, [await listOf({ indirectCRL: true })])).toBe('good')
  })

  const entry = (more: object): RevokedInput => ({ serialNumber: number, ...more })
  test.each<readonly [string, readonly RevokedInput[], string]>([
    ['the issuer of the list, when no entry says', [entry({})], 'good'],
    [
      'another issuer with the same serial number',
      [entry({ certificateIssuer: 'Root CA' })],
      'good',
    ],
    ['the issuer of the certificate', [entry({ certificateIssuer: 'Issuing CA' })], 'revoked'],
    ['its name, otherwise written', [entry({ certificateIssuer: 'ISSUING  ca' })], 'revoked'],
    [
      'an entry before it',
      [{ serialNumber: 200, certificateIssuer: 'Issuing CA' }, entry({})],
      'revoked',
    ],
    [
      'the last of the entries before it',
      [
        { serialNumber: 200, certificateIssuer: 'Issuing CA' },
        { serialNumber: 201, certificateIssuer: 'Somebody' },
        entry({}),
      ],
      'good',
    ],
    [
      'one of two entries with its serial number',
      [
        entry({ certificateIssuer: 'Somebody' }),
        entry({ certificateIssuer: 'Issuing CA' }),
        entry({ certificateIssuer: 'Somebody else' }),
      ],
      'revoked',
    ],
    [
      'one of the names of an entry',
      [entry({ certificateIssuer: [{ dns: 'a' }, { directoryName: 'CN=Issuing CA' }] })],
      'revoked',
    ],
    [
      'a name that is none of a CA',
      [entry({ certificateIssuer: [{ dns: 'Issuing CA' }] })],
      'good',
    ],
  ])('whose certificate it is: %s, RFC 5280 §5.3.3', async (_, revoked, expected) => {
    expect(outcome(client, root, [ofRoot, await indirect(revoked)], given)).toBe(expected)
  })

  test('a point with the name of its issuer of lists, RFC 5280 §4.2.1.13', async () => {
    const named = await issuing.issue('client-c', {
      cRLDistributionPoints: [{ crlIssuer: 'CRL issuer', uri }],
    })
    expect(outcome(named, root, [ofRoot, await indirect([], { uri })], given)).toBe('good')
    expect(outcome(named, root, [ofRoot, await indirect([], { uri: 'http://b/' })], given)).toBe(
      'crl-out-of-scope:distribution-point',
    )
    expect(
      outcome(named, root, [ofRoot, await indirect([named], { uri: 'http://b/' })], given),
    ).toBe('revoked')
    // Without a name of its own the point is named as its issuer of lists.
    const byName = { fullName: [{ directoryName: 'CN=CRL issuer' }] }
    expect(outcome(client, root, [ofRoot, await indirect([], byName)], given)).toBe('good')
  })

  test('a relative name below the one name of the issuer of lists', async () => {
    const nameRelativeToCRLIssuer = { type: 'OU', value: 'Part' }
    const relative = await issuing.issue('client-d', {
      cRLDistributionPoints: [{ crlIssuer: 'CRL issuer', nameRelativeToCRLIssuer }],
    })
    const list = await indirect([], { nameRelativeToCRLIssuer })
    expect(outcome(relative, root, [ofRoot, list], given)).toBe('good')
    const two = await issuing.issue('client-e', {
      cRLDistributionPoints: [
        {
          crlIssuer: [{ directoryName: 'CRL issuer' }, { directoryName: 'Another' }],
          nameRelativeToCRLIssuer,
        },
      ],
    })
    expect(outcome(two, root, [ofRoot, list], given)).toBe('crl-out-of-scope:distribution-point')
  })

  test('an issuer of lists without a directory name is found by none', async () => {
    const odd = await issuing.issue('client-f', {
      cRLDistributionPoints: [{ crlIssuer: [{ dns: 'crl.example' }] }],
    })
    expect(outcome(odd, root, [ofRoot, await indirect()], given)).toBe('crl-missing')
  })

  test('a point for the CA and one for another issuer of lists: each is heard', async () => {
    const two = await issuing.issue('client-g', {
      cRLDistributionPoints: [{ uri }, { crlIssuer: 'CRL issuer' }],
    })
    expect(outcome(two, root, [ofRoot, await issuing.issueCrl()], given)).toBe('good')
    expect(outcome(two, root, [ofRoot, await indirect()], given)).toBe('good')
    const lists = [ofRoot, await issuing.issueCrl(), await indirect([two])]
    expect(outcome(two, root, lists, given)).toBe('revoked')
  })

  test('a sub-CA cannot make itself the issuer of lists about its neighbours', async () => {
    const neighbour = await root.issueCa('Neighbour CA', { key: 'P-256#30' })
    const forger = await neighbour.issue('CRL issuer', {
      keyUsage: ['cRLSign'],
      extendedKeyUsage: 'absent',
      key: 'P-256#31',
    })
    const forged = await issueCrl(forger, { issuingDistributionPoint: { indirectCRL: true } })
    const lists = [ofRoot, forged, await neighbour.issueCrl()]
    expect(outcome(client, root, lists, { sent: [issuing], known: [forger, neighbour] })).toBe(
      'crl-signer-unknown',
    )
  })
})
