import { describe, expect, test } from 'vitest'
import { Issuer } from '../../src/path/issuer.ts'
import { IssuerIndex } from '../../src/path/issuer-index.ts'
import { issueCa, testTime } from '../../src/testing/index.ts'
import { anchorIssuer, anchorOf, bareAnchorOf, issuerOf } from './support.ts'

const root = await issueCa('Root CA')
const early = await root.issueCa('Issuing CA', { notBefore: 1_000 })
const late = await root.issueCa('Issuing CA', {
  key: early.key,
  notBefore: 2_000,
  notAfter: testTime,
})
const later = await root.issueCa('Issuing CA', { key: early.key, notBefore: 2_000 })
const selfIssued = await early.issueCa('Issuing CA', { notBefore: 2_000, key: early.key })
const other = await root.issueCa('Other CA', { subjectKeyIdentifier: 'absent' })
const identifier = early.tbsCertificate.extensions.subjectKeyIdentifier?.keyIdentifier

describe('an index of issuers, RFC 4158 §3.5', () => {
  const all = [early, late, later, selfIssued, other].map(issuerOf)
  const [first, second, third, fourth, fifth] = all as [Issuer, Issuer, Issuer, Issuer, Issuer]
  const index = new IssuerIndex(all)

  test('by name: newest first, then the later end', () => {
    expect(index.named(first.name)).toEqual([third, fourth, second, first])
    expect(index.named(fifth.name)).toEqual([fifth])
    expect(index.named(root.tbsCertificate.subject)).toEqual([])
  })
  test('whatever the order of the input', () => {
    const turned = new IssuerIndex(all.toReversed())
    expect(turned.named(first.name)).toEqual([fourth, third, second, first])
    expect(turned.issuers).toEqual(all.toReversed())
  })
  test('by a name however it is written, RFC 5280 §7.1', async () => {
    const shouting = await root.issueCa('X', {
      subject: [{ type: 'CN', value: 'ISSUING  CA', as: 'PrintableString' }],
      notBefore: 3_000,
    })
    const both = new IssuerIndex([first, issuerOf(shouting)])
    expect(both.named(first.name)).toHaveLength(2)
    expect(both.named(shouting.tbsCertificate.subject)).toEqual(both.named(first.name))
    const third = await root.issue('x', { subject: 'CN=issuing ca' })
    expect(both.named(third.tbsCertificate.subject)).toEqual(both.named(first.name))
  })
  test('names that are written in many ways', async () => {
    const ways = Array.from({ length: 12 }, (_, i) => `CN=Issuing${' '.repeat(i + 1)}CA`)
    const issuers: Issuer[] = []
    for (const subject of ways)
      issuers.push(issuerOf(await root.issueCa('X', { subject, key: early.key })))
    const many = new IssuerIndex(issuers)
    for (const { name } of issuers) expect(many.named(name)).toHaveLength(12)
  })
  test('by content, octet for octet', () => {
    for (const issuer of all) expect(index.find(issuer.certificate?.der as Uint8Array)).toBe(issuer)
    expect(index.find(root.der)).toBeUndefined()
    const changed = early.der.slice()
    changed[20] = (changed[20] as number) ^ 1
    // The same signature, hence the same bucket, and still another certificate.
    expect(index.find(changed)).toBeUndefined()
    expect(index.find(early.der.subarray(1))).toBeUndefined()
    expect(new IssuerIndex([]).find(early.der)).toBeUndefined()
    expect(index.find(new Uint8Array(3))).toBeUndefined()
  })
  test('a root that is an anchor comes before an anchor that cross-signs it', async () => {
    const cross = await early.crossSign(root, { notBefore: testTime })
    const crossed = anchorIssuer(anchorOf(cross))
    const self = anchorIssuer(anchorOf(root))
    for (const anchors of [
      [crossed, self],
      [self, crossed],
    ]) {
      expect(new IssuerIndex(anchors).named(self.name)).toEqual([self, crossed])
    }
    const pool = [issuerOf(root), issuerOf(cross)] as const
    expect(new IssuerIndex(pool).named(self.name)).toEqual([pool[1], pool[0]])
  })
  test('of equal certificates the first is kept', () => {
    const again = new IssuerIndex([first, issuerOf(early), first, third])
    expect(again.issuers).toEqual([first, third])
    expect(again.named(first.name)).toEqual([third, first])
  })
  test('bare anchors are all kept, and found by name', () => {
    const bare = anchorIssuer(bareAnchorOf(root))
    const bares = new IssuerIndex([bare, anchorIssuer(bareAnchorOf(root))])
    expect(bares.issuers).toHaveLength(2)
    expect(bares.named(bare.name)).toHaveLength(2)
    expect(bares.find(root.der)).toBeUndefined()
    const mixed = new IssuerIndex([bare, anchorIssuer(anchorOf(root))])
    // A bare anchor has always been there: the certificate is newer.
    expect(mixed.named(bare.name)).toEqual([mixed.issuers[1], bare])
    expect(mixed.find(root.der)).toBe(mixed.issuers[1])
  })
})

describe('an issuer', () => {
  test('of a certificate', () => {
    const issuer = issuerOf(early)
    expect(issuer.nameKey).toBe(issuerOf(late).nameKey)
    expect(issuer.issuerKey).toBe(issuerOf(root).nameKey)
    expect(issuer.selfIssued).toBe(false)
    expect(issuer.keyIdentifier).toEqual(identifier)
    expect(issuer.key.kind).toBe('EC')
    expect([issuer.notBefore, issuerOf(late).notAfter]).toEqual([1_000, testTime])
  })
  test('self-issued is a matter of names, not of octets, RFC 5280 §6.1', async () => {
    expect(issuerOf(root).selfIssued).toBe(true)
    expect(issuerOf(selfIssued).selfIssued).toBe(true)
    const shouting = await early.issueCa('Issuing CA', { issuer: 'CN=ISSUING  ca', key: early.key })
    expect(issuerOf(shouting).selfIssued).toBe(true)
  })
  test('the same CA is the same name and the same key, RFC 4158 §2.4.2', async () => {
    const rekeyed = await root.issueCa('Issuing CA')
    const renamed = await root.issueCa('Third CA', { key: early.key })
    expect(issuerOf(early).isSameCa(issuerOf(late))).toBe(true)
    expect(issuerOf(early).isSameCa(issuerOf(rekeyed))).toBe(false)
    expect(issuerOf(early).isSameCa(issuerOf(renamed))).toBe(false)
  })
  test('of a name and a key', () => {
    const bare = anchorIssuer(bareAnchorOf(root))
    expect(bare.nameKey).toBe(issuerOf(root).nameKey)
    expect(bare.issuerKey).toBe(bare.nameKey)
    expect(bare.selfIssued).toBe(true)
    expect(bare.keyIdentifier).toBeUndefined()
    expect(bare.notBefore).toBe(Number.NEGATIVE_INFINITY)
    expect(bare.notAfter).toBe(Number.POSITIVE_INFINITY)
  })
  test('of nothing is a mistake', () => {
    expect(() => new Issuer(undefined, undefined)).toThrow(TypeError)
  })
})
