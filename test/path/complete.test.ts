import { describe, expect, test } from 'vitest'
import { DerReader } from '../../src/der/reader.ts'
import { writeElement, writeSequence } from '../../src/der/writer.ts'
import { algorithmPolicy } from '../../src/path/algorithms.ts'
import { type CertificateAuthority, issueCa, poolKey, testTime } from '../../src/testing/index.ts'
import { readSubjectPublicKeyInfo } from '../../src/x509/parse-certificate.ts'
import { bareAnchorOf, failureOf, type Given, search } from './support.ts'

const root = await issueCa('Root CA')

describe('working_public_key_parameters, RFC 5280 §6.1.4 (e) and (f)', async () => {
  const algorithms = algorithmPolicy({ dangerouslyAllowDsa: true })
  const dsaRoot = await issueCa('DSA Root CA', { key: 'DSA-2048#0' })
  /** The SubjectPublicKeyInfo of a key without its parameters. RFC 3279 §2.3.2 */
  const bareOf = (publicKey: Uint8Array) => {
    const { algorithm, subjectPublicKey } = readSubjectPublicKeyInfo(new DerReader(publicKey))
    const inner = new DerReader(algorithm.der).enter(0x30, 'an algorithm')
    inner.objectIdentifier('an algorithm')
    return writeSequence(
      writeSequence(inner.element()),
      writeElement(0x03, Uint8Array.of(0), subjectPublicKey),
    )
  }
  const inheriting = (above: CertificateAuthority, name: string, key: 'DSA-2048#0') =>
    above.issueCa(name, {
      key,
      subjectPublicKeyInfo: bareOf(poolKey('DSA-2048', Number(key.split('#')[1])).publicKey),
    })

  test('a key without parameters takes those of the key above it', async () => {
    const ca = await inheriting(dsaRoot, 'DSA CA', 'DSA-2048#0')
    const target = await ca.issue('x')
    const given: Given = { anchors: [dsaRoot], intermediates: [ca], algorithms }
    expect(failureOf(search(target, given))).toBeUndefined()
    const below = await inheriting(ca, 'DSA CA below', 'DSA-2048#0')
    const deep = await below.issue('x')
    expect(failureOf(search(deep, { ...given, intermediates: [ca, below] }))).toBeUndefined()
  })
  test('but not from a key of another algorithm', async () => {
    const ca = await inheriting(root, 'DSA CA', 'DSA-2048#0')
    const target = await ca.issue('x')
    expect(failureOf(search(target, { anchors: [root], intermediates: [ca], algorithms }))).toEqual(
      {
        code: 'key-parameters-missing',
        index: 0,
      },
    )
  })
})

describe('names on the path, RFC 5280 §6.1.3 (b)', () => {
  test('constraints of a CA count for the CAs below it, but not for self-issued ones', async () => {
    const ca = await root.issueCa('Constrained CA', {
      nameConstraints: { permitted: [{ directoryName: 'O=Example' }] },
    })
    const rekeyed = await ca.issueCa('Constrained CA', { key: 'P-256#20' })
    const inside = await rekeyed.issue('x', { subject: 'CN=x,O=Example' })
    const given: Given = { anchors: [root], intermediates: [ca, rekeyed] }
    expect(failureOf(search(inside, given))).toBeUndefined()
    const other = await ca.issueCa('Other CA')
    const below = await other.issue('x', { subject: 'CN=x,O=Example' })
    expect(failureOf(search(below, { anchors: [root], intermediates: [ca, other] }))).toMatchObject(
      { code: 'name-not-permitted', index: 1 },
    )
  })
  test('those of an anchor certificate count unless anchorChecks.constraints is false', async () => {
    const anchor = await issueCa('Constrained Root CA', {
      nameConstraints: { excluded: [{ dns: 'bad.example' }] },
    })
    const target = await anchor.issue('x', { subjectAltName: [{ dns: 'bad.example' }] })
    expect(failureOf(search(target, { anchors: [anchor] }))).toMatchObject({
      code: 'name-excluded',
      index: 0,
    })
    const anchorChecks = { validity: true, constraints: false }
    expect(search(target, { anchors: [anchor], anchorChecks }).ok).toBe(true)
    expect(search(target, { anchors: [bareAnchorOf(anchor)] }).ok).toBe(true)
  })
  test('a malformed constraint has the position of its certificate', async () => {
    const holes = { ip: Uint8Array.of(10, 0, 0, 0, 255, 0, 255, 0) }
    const nameConstraints = { permitted: [holes] }
    const ca = await root.issueCa('Constrained CA', { nameConstraints })
    const target = await ca.issue('x')
    expect(failureOf(search(target, { anchors: [root], intermediates: [ca] }))).toMatchObject({
      code: 'name-constraint-malformed',
      index: 1,
    })
    const anchor = await issueCa('Constrained Root CA', { nameConstraints })
    expect(failureOf(search(await anchor.issue('x'), { anchors: [anchor] }))).toMatchObject({
      code: 'name-constraint-malformed',
      index: 1,
    })
  })
})

describe('policies of an anchor, RFC 5937 §3.2', () => {
  test('count unless anchorChecks.constraints is false', async () => {
    const anchor = await issueCa('Policy Root CA', {
      policyConstraints: { requireExplicitPolicy: 0 },
      certificatePolicies: ['1.2.3'],
    })
    const target = await anchor.issue('x')
    expect(failureOf(search(target, { anchors: [anchor] }))).toMatchObject({
      code: 'policy-required',
    })
    const anchorChecks = { validity: true, constraints: false }
    expect(search(target, { anchors: [anchor], anchorChecks }).ok).toBe(true)
    const held = await anchor.issue('x', { certificatePolicies: ['1.2.3'] })
    const result = search(held, { anchors: [anchor] })
    expect(result.ok && result.path.policies).toMatchObject({
      explicitPolicy: true,
      userConstrainedPolicySet: ['1.2.3'],
    })
  })
})

describe('the period of a path', () => {
  test.each([
    [true, -2, 2],
    [false, -5, 5],
  ])('anchorChecks.validity %s', async (validity, from, until) => {
    const anchor = await issueCa('Short Root CA', {
      notBefore: testTime - 2,
      notAfter: testTime + 2,
    })
    const target = await anchor.issue('x', { notBefore: testTime - 5, notAfter: testTime + 5 })
    const anchorChecks = { validity, constraints: true }
    const result = search(target, { anchors: [anchor], anchorChecks, clockTolerance: 1 })
    expect(result.ok && result.path).toMatchObject({
      validFrom: testTime + from - 1,
      validUntil: testTime + until + 1,
    })
  })
})

describe('anyExtendedKeyUsage is warned of where it alone lets a certificate stand', () => {
  test('target and anchor', async () => {
    const any = { extendedKeyUsage: ['anyExtendedKeyUsage'] }
    const anchor = await issueCa('Any Root CA', any)
    const target = await anchor.issue('x', any)
    const warnings = (constraints: boolean) => {
      const anchorChecks = { validity: true, constraints }
      const result = search(target, { anchors: [anchor], anchorChecks })
      return result.ok && result.path.warnings
    }
    expect(warnings(true)).toEqual([
      { code: 'extended-key-usage-any', index: 0 },
      { code: 'extended-key-usage-any', index: 1 },
    ])
    expect(warnings(false)).toEqual([{ code: 'extended-key-usage-any', index: 0 }])
  })
})
