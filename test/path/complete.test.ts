import { describe, expect, test } from 'vitest'
import { DerReader } from '../../src/der/reader.ts'
import { writeElement, writeSequence } from '../../src/der/writer.ts'
import { runSync } from '../../src/effect/effect.ts'
import { algorithmPolicy } from '../../src/path/algorithms.ts'
import { buildPath } from '../../src/path/build.ts'
import { nodeHandlers } from '../../src/runtime/node.ts'
import { type CertificateAuthority, issueCa, poolKey, testTime } from '../../src/testing/index.ts'
import { readSubjectPublicKeyInfo } from '../../src/x509/parse-certificate.ts'
import { anchorOf, bareAnchorOf, failureOf, type Given, optionsOf, search } from './support.ts'

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
  test('nor from a key that has none itself, at the anchor', async () => {
    const ca = await inheriting(dsaRoot, 'DSA CA', 'DSA-2048#0')
    const below = await inheriting(ca, 'DSA CA below', 'DSA-2048#0')
    const given: Given = { anchors: [ca], intermediates: [below], algorithms }
    expect(failureOf(search(await below.issue('x'), given))).toEqual({
      code: 'key-parameters-missing',
      index: 0,
    })
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

describe('policies below the anchor, RFC 5280 §6.1.3 (d)-(f) and RFC 5280 §6.1.4 (a), (b)', () => {
  const one = { certificatePolicies: ['1.2.3'] }
  const twice = { certificatePolicies: ['1.2.3', '1.2.3'] }
  const anyMapped = { ...one, policyMappings: [['2.5.29.32.0', '1.2.3'] as const] }
  const explicit = { ...one, policyConstraints: { requireExplicitPolicy: 0 } }

  test.each([
    ['policies twice', twice, 'policy-duplicate'],
    ['a mapping from anyPolicy', anyMapped, 'policy-mapping-any'],
  ])('a CA or an anchor with %s is refused at its place', async (_, options, code) => {
    const upper = await root.issueCa('Upper CA', options)
    const lower = await upper.issueCa('Lower CA', one)
    const target = await lower.issue('x', one)
    const intermediates = [upper, lower]
    expect(failureOf(search(target, { anchors: [root], intermediates }))).toMatchObject({
      code,
      index: 2,
    })
    const anchor = await issueCa('Policy Root CA', options)
    const ca = await anchor.issueCa('CA', one)
    const below = await ca.issue('x', one)
    expect(failureOf(search(below, { anchors: [anchor], intermediates: [ca] }))).toMatchObject({
      code,
      index: 2,
    })
  })
  test('a target that states a policy twice is refused', async () => {
    expect(failureOf(search(await root.issue('x', twice), { anchors: [root] }))).toMatchObject({
      code: 'policy-duplicate',
      index: 0,
    })
  })
  test('what a CA requires is missing at the certificate that ends it', async () => {
    const upper = await root.issueCa('Upper CA', explicit)
    const lower = await upper.issueCa('Lower CA')
    const given: Given = { anchors: [root], intermediates: [upper, lower] }
    expect(failureOf(search(await lower.issue('x', one), given))).toEqual({
      code: 'policy-required',
      index: 1,
    })
    expect(failureOf(search(await upper.issue('x'), given))).toEqual({
      code: 'policy-required',
      index: 0,
    })
    expect(failureOf(search(await upper.issue('x', one), given))).toBeUndefined()
  })
  test('a target is never spared as self-issued: anyPolicy in it is inhibited', async () => {
    const ca = await root.issueCa('CA', { ...explicit, inhibitAnyPolicy: 0 })
    const target = await ca.issue('x', { certificatePolicies: ['2.5.29.32.0'] })
    expect(failureOf(search(target, { anchors: [root], intermediates: [ca] }))).toEqual({
      code: 'policy-required',
      index: 0,
    })
  })
  test('none of the policies that the user wants', async () => {
    const ca = await root.issueCa('CA', explicit)
    const given: Given = {
      anchors: [root],
      intermediates: [ca],
      policies: { userInitialPolicySet: ['1.2.4'] },
    }
    expect(failureOf(search(await ca.issue('x', one), given))).toEqual({
      code: 'policy-required',
      index: 0,
    })
  })
})

describe('signatures of the path, RFC 5280 §6.1.3 (a)(1)', () => {
  const forged = {
    mutateSignature: (signature: Uint8Array) => {
      const other = Uint8Array.from(signature)
      const last = other.length - 1
      other[last] = (other[last] as number) ^ 1
      return other
    },
  }
  test('accepting a pinned target accepts no other one unread', async () => {
    const target = await root.issue('x', forged)
    for (const anchor of [anchorOf(root), bareAnchorOf(root)]) {
      const given: Given = { anchors: [anchor], pinnedTarget: 'accept' }
      expect(failureOf(search(target, given))).toEqual({ code: 'signature-invalid', index: 0 })
    }
  })
  test('a signature judged under a key says nothing of another certificate under that key', async () => {
    const upper = await root.issueCa('Upper CA', { key: 'P-256#30' })
    const lower = await upper.issueCa('Lower CA', { key: 'P-256#30', ...forged })
    const target = await lower.issue('x')
    const given: Given = { anchors: [root], intermediates: [upper, lower] }
    expect(failureOf(search(target, given))).toEqual({ code: 'signature-invalid', index: 1 })
  })

  /** Searches twice over the same issuers; each question as whose signature it is and whether it may be remembered. */
  const twice = async (lowerOptions: Partial<typeof forged>) => {
    const upper = await root.issueCa('Upper CA')
    const lower = await upper.issueCa('Lower CA', lowerOptions)
    const target = await lower.issue('x')
    const options = optionsOf({ anchors: [root], intermediates: [upper, lower] })
    const names = new Map([
      [target.tbsCertificate.der, 'target'],
      [lower.tbsCertificate.der, 'lower'],
      [upper.tbsCertificate.der, 'upper'],
    ])
    const node = nodeHandlers()
    return [1, 2].map(() => {
      const asked: [string | undefined, boolean][] = []
      const result = runSync(buildPath(target, options), {
        ...node,
        verifySignature: (effect) => {
          asked.push([names.get(effect.data), effect.memorable])
          return node.verifySignature(effect)
        },
      })
      return { failure: failureOf(result), asked }
    })
  }
  test('those of CAs are remembered, from the anchor down; that of a target never is', async () => {
    expect(await twice({})).toEqual([
      {
        failure: undefined,
        asked: [
          ['target', false],
          ['upper', true],
          ['lower', true],
        ],
      },
      { failure: undefined, asked: [['target', false]] },
    ])
  })
  test('one that did not verify is not remembered as if it had', async () => {
    const failure = { code: 'signature-invalid', index: 1 }
    expect(await twice(forged)).toMatchObject([{ failure }, { failure }])
  })
})

describe('the signature of an anchor is judged only where a rule turns on it, profile rfc5280', () => {
  test('not for a name and a key, nor for a certificate that says who issued it', async () => {
    const target = await root.issue('x')
    const given: Given = { anchors: [bareAnchorOf(root)], profile: 'rfc5280' }
    expect(failureOf(search(target, given))).toBeUndefined()
    const ca = await root.issueCa('CA')
    const below = await ca.issue('x')
    expect(failureOf(search(below, { anchors: [ca], profile: 'rfc5280' }))).toBeUndefined()
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
  test('what an anchor lists counts for what the path holds', async () => {
    const anchor = await issueCa('Server Root CA', { extendedKeyUsage: ['serverAuth'] })
    const target = await anchor.issue('x', {
      extendedKeyUsage: ['clientAuth', 'anyExtendedKeyUsage'],
    })
    const result = search(target, {
      anchors: [anchor],
      acceptedPurposes: ['clientAuth', 'serverAuth'],
    })
    expect(result.ok && result.path.warnings).toEqual([
      { code: 'extended-key-usage-any', index: 0 },
    ])
  })
})
