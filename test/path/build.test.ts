import { describe, expect, test } from 'vitest'
import { algorithmPolicy } from '../../src/path/algorithms.ts'
import { defaultBudget } from '../../src/path/budget.ts'
import type { PathFailure } from '../../src/path/failure.ts'
import {
  type CertificateAuthority,
  type CertificateOptions,
  issueCa,
  testTime,
} from '../../src/testing/index.ts'
import type { Certificate } from '../../src/x509/certificate.ts'
import { accepting, anchorOf, bareAnchorOf, failureOf, type Given, search } from './support.ts'

const root = await issueCa('Root CA')
const issuing = await root.issueCa('Issuing CA')
const client = await issuing.issue('client-a')
const otherRoot = await issueCa('Other Root CA')

const anchored: Given = { anchors: [root], intermediates: [issuing] }

/** Codes of all attempts, in their order. */
function attemptsOf(result: ReturnType<typeof search>): readonly string[] {
  return result.attempts.list.map(({ failure }) => (failure as PathFailure).code)
}

/** The certificates of the path that was found, by their octets. */
function pathOf(result: ReturnType<typeof search>): readonly Certificate[] | undefined {
  return result.ok ? result.path.certificates : undefined
}

describe('a path, RFC 5280 §6.1', () => {
  test('target, intermediate, anchor', () => {
    const result = search(client, anchored)
    expect(pathOf(result)).toEqual([client, issuing])
    expect(result.ok && result.path.anchor.certificate).toBe(root)
    expect(result.attempts).toEqual({ list: [], omitted: 0 })
  })
  test('an intermediate may be an anchor, and then ends the path', () => {
    const result = search(client, { anchors: [root, issuing], intermediates: [issuing] })
    expect(pathOf(result)).toEqual([client])
    expect(result.ok && result.path.anchor.certificate).toBe(issuing)
  })
  test('an anchor that is a name and a key', () => {
    const bare = bareAnchorOf(issuing)
    const result = search(client, { anchors: [bare] })
    expect(pathOf(result)).toEqual([client])
    expect(result.ok && result.path.anchor).toBe(bare)
  })
  test('nobody knows the issuer, RFC 5280 §6.1.3 (a)(4)', () => {
    const { issuer, extensions } = client.tbsCertificate
    expect(search(client, { anchors: [root] })).toMatchObject({
      ok: false,
      failure: {
        code: 'issuer-unknown',
        index: 0,
        issuer,
        keyIdentifier: extensions.authorityKeyIdentifier?.keyIdentifier,
      },
      attempts: { list: [{ certificates: [client], anchor: undefined }], omitted: 0 },
    })
    expect(
      failureOf(search(client, { anchors: [otherRoot], intermediates: [issuing] })),
    ).toMatchObject({
      code: 'issuer-unknown',
      index: 1,
      issuer: root.tbsCertificate.subject,
    })
  })
  test('the path ends at a root that nobody trusts, RFC 5280 §6.1.1 (d)', () => {
    const result = search(client, { anchors: [otherRoot], intermediates: [issuing, root] })
    expect(failureOf(result)).toEqual({
      code: 'root-not-trusted',
      index: 2,
      subject: root.tbsCertificate.subject,
    })
    expect(result.attempts.list[0]?.certificates).toEqual([client, issuing, root])
  })
  test('a self-signed CA as the target is such a root, a self-signed client is not', async () => {
    const signing = await issueCa('Signing CA', {
      keyUsage: ['digitalSignature', 'keyCertSign'],
      key: 'P-256#40',
    })
    expect(failureOf(search(signing, { anchors: [root] }))).toMatchObject({
      code: 'root-not-trusted',
      index: 0,
    })
    const alone = await issueCa('client-b', { basicConstraints: 'absent', keyUsage: 'absent' })
    expect(failureOf(search(alone, { anchors: [root] }))).toMatchObject({
      code: 'issuer-unknown',
      index: 0,
    })
  })
  test('the key identifier only ranks: a wrong one does not refuse', async () => {
    const odd = await issuing.issue('client-b', {
      authorityKeyIdentifier: { keyIdentifier: Uint8Array.of(1, 2, 3) },
    })
    expect(search(odd, anchored).ok).toBe(true)
  })
})

describe('the target first, RFC 5280 §6.1.3 and RFC 5280 §6.1.5', () => {
  test.each<[string, CertificateOptions, Partial<Given>]>([
    ['certificate-expired', { notAfter: testTime - 1 }, {}],
    ['certificate-not-yet-valid', { notBefore: testTime + 1 }, {}],
    ['issuer-empty', { issuer: [] }, {}],
    [
      'unknown-critical-extension',
      { rawExtensions: [{ oid: '1.2.3', critical: true, value: Uint8Array.of(5, 0) }] },
      {},
    ],
    [
      'authority-key-identifier-missing',
      { authorityKeyIdentifier: 'absent' },
      { profile: 'rfc5280' },
    ],
    ['extended-key-usage-server-only', { extendedKeyUsage: ['serverAuth'] }, {}],
    ['extended-key-usage-missing', { extendedKeyUsage: ['codeSigning'] }, {}],
    ['key-usage-no-digital-signature', { keyUsage: ['keyAgreement'] }, {}],
    ['key-too-weak', { key: 'RSA-1024' }, {}],
    ['key-algorithm-not-allowed', { key: 'secp256k1' }, {}],
    ['peer-name-mismatch', {}, { expectedPeerNames: [{ kind: 'DNS', value: 'a.example' }] }],
  ])('%s ends the search before it begins', async (code, options, given) => {
    const target = await issuing.issue('client-b', options)
    const verified: Uint8Array[] = []
    const result = search(target, { ...anchored, ...given }, undefined, verified)
    expect(result).toMatchObject({ ok: false, failure: { code, index: 0 } })
    expect(result.attempts).toEqual({ list: [], omitted: 0 })
    expect(verified).toEqual([])
  })
  test('its position is 0, wherever the rule comes from', async () => {
    const target = await issuing.issue('client-b', { key: 'RSA-1024' })
    const algorithms = algorithmPolicy({ dangerouslyMinimumRsaBits: 1024 })
    expect(search(target, { ...anchored, algorithms }).ok).toBe(true)
    expect(search(target, { ...anchored, clockTolerance: 5 })).toMatchObject({
      failure: { index: 0 },
    })
  })
})

describe('backtracking, RFC 4158 §2.3', () => {
  test('a CA of the same name and another key is tried and left', async () => {
    const impostor = await otherRoot.issueCa('Issuing CA', {
      key: 'P-256#41',
      notBefore: testTime - 5,
    })
    const target = await issuing.issue('client-b', { authorityKeyIdentifier: 'absent' })
    const result = search(target, {
      anchors: [root, otherRoot],
      intermediates: [impostor, issuing],
    })
    expect(pathOf(result)).toEqual([target, issuing])
    expect(attemptsOf(result)).toEqual(['signature-invalid'])
    expect(result.attempts.list[0]).toMatchObject({
      certificates: [target, impostor],
      failure: { index: 0 },
    })
    expect(result.attempts.list[0]?.anchor?.certificate).toBe(otherRoot)
  })
  test('a dead end above is left for another certificate of the same CA', async () => {
    const lost = await issueCa('Lost Root CA', { key: 'P-256#42' })
    const crossed = await lost.crossSign(issuing, { notBefore: testTime - 5 })
    const result = search(client, { anchors: [root], intermediates: [issuing, crossed] })
    expect(pathOf(result)).toEqual([client, issuing])
    expect(result.attempts.list).toMatchObject([
      { certificates: [client, crossed], failure: { code: 'issuer-unknown', index: 1 } },
    ])
  })
  test('every refused certificate is an attempt; the most telling is the failure', async () => {
    const expired = await root.issueCa('Issuing CA', { key: issuing.key, notAfter: testTime - 1 })
    const lost = await issueCa('Lost Root CA', { key: 'P-256#42' })
    const crossed = await lost.crossSign(issuing, { notBefore: testTime - 5 })
    const result = search(client, { anchors: [root], intermediates: [expired, crossed] })
    expect(failureOf(result)).toMatchObject({ code: 'certificate-expired', index: 1 })
    expect(attemptsOf(result)).toEqual(['issuer-unknown', 'certificate-expired'])
    expect(result.attempts.list[1]?.certificates).toEqual([client, expired])
  })
  test('attempts are at most 100, and the rest are counted', async () => {
    const many: Certificate[] = []
    for (let i = 0; i < 103; i++) {
      many.push(await root.issueCa('Issuing CA', { key: issuing.key, notAfter: 1_600_000_000 + i }))
    }
    const result = search(client, { anchors: [root], intermediates: many })
    expect(result.attempts.list).toHaveLength(100)
    expect(result.attempts.omitted).toBe(3)
    expect(failureOf(result)).toMatchObject({ code: 'certificate-expired' })
  })
})

describe('loops, RFC 4158 §2.4.2', async () => {
  const a = await root.issueCa('CA A')
  const b = await root.issueCa('CA B')
  const aByB = await b.crossSign(a, { notBefore: testTime - 5 })
  const bByA = await a.crossSign(b, { notBefore: testTime - 5 })
  const target = await a.issue('client-b')

  test('two CAs that certify each other', () => {
    const verified: Uint8Array[] = []
    const lost = search(
      target,
      { anchors: [otherRoot], intermediates: [aByB, bByA] },
      undefined,
      verified,
    )
    expect(failureOf(lost)?.valueOf()).toMatchObject({ code: 'issuer-unknown' })
    expect(verified).toEqual([])
    const found = search(target, { anchors: [root], intermediates: [aByB, bByA, b] })
    expect(pathOf(found)).toEqual([target, aByB, b])
  })
  test('the key and name of the target do not stand above it', async () => {
    const ca = await a.issueCa('CA C', { keyUsage: ['digitalSignature', 'keyCertSign'] })
    const again = await ca.issueCa('CA C', { key: ca.key })
    const result = search(ca, { anchors: [root], intermediates: [again, a] })
    expect(pathOf(result)).toEqual([ca, a])
    const selfSigned = await issueCa('CA D', { keyUsage: ['digitalSignature', 'keyCertSign'] })
    const twin = await root.crossSign(selfSigned, {
      keyUsage: ['digitalSignature', 'keyCertSign'],
      notBefore: testTime - 5,
    })
    // The twin has the name and key of the target: as an intermediate it is passed over.
    expect(failureOf(search(selfSigned, { anchors: [root], intermediates: [twin] }))).toMatchObject(
      {
        code: 'root-not-trusted',
      },
    )
    // As an anchor it is a re-issued certificate of the same CA, and nothing follows it.
    expect(search(selfSigned, { anchors: [twin] }).ok).toBe(true)
  })
  test('a namesake with another key is no loop', async () => {
    const rekeyed = await a.issueCa('CA A', { key: 'P-256#43' })
    const below = await rekeyed.issue('client-c')
    const result = search(below, { anchors: [root], intermediates: [rekeyed, a] })
    expect(pathOf(result)).toEqual([below, rekeyed, a])
  })
})

describe('length of the path', async () => {
  const levels: CertificateAuthority[] = [root]
  for (let i = 1; i <= 3; i++)
    levels.push(await (levels.at(-1) as CertificateAuthority).issueCa(`CA ${i}`))
  const target = await (levels[3] as CertificateAuthority).issue('client-b')
  const intermediates = levels.slice(1)

  test.each([
    [3, undefined],
    [2, { code: 'path-too-long', index: 3, maxIntermediates: 2 }],
    [0, { code: 'path-too-long', index: 1, maxIntermediates: 0 }],
  ])('at most %i intermediates', (maxIntermediates, failure) => {
    const result = search(target, { anchors: [root], intermediates, maxIntermediates })
    expect(failureOf(result)).toEqual(failure)
  })
  test('self-issued certificates do not count, RFC 5280 §6.1.4 (l)', async () => {
    const limited = await root.issueCa('Rekeyed CA', {
      basicConstraints: { cA: true, pathLenConstraint: 0 },
    })
    const rekeyed = await limited.issueCa('Rekeyed CA', { key: 'P-256#44' })
    const below = await rekeyed.issue('client-b')
    const given = { anchors: [root], intermediates: [limited, rekeyed], maxIntermediates: 1 }
    expect(search(below, given).ok).toBe(true)
    expect(failureOf(search(below, { ...given, maxIntermediates: 0 }))).toMatchObject({
      code: 'path-too-long',
      index: 2,
    })
  })
  test('all certificates count for the local limit, self-issued ones too', async () => {
    let top = await issueCa('Long CA', { key: 'RSA-2048#0' })
    const first = top
    const chain: CertificateAuthority[] = []
    for (let i = 0; i < 129; i++) {
      top = await top.issueCa('Long CA', {
        key: `P-256#${i % 64}`,
        subjectKeyIdentifier: Uint8Array.of(i),
      })
      chain.push(top)
      if (i >= 62) break
    }
    const leaf = await top.issue('client-b')
    const result = search(leaf, { anchors: [first], intermediates: chain, maxIntermediates: 0 })
    expect(result.ok).toBe(true)
  })
  test('path length of an anchor counts the intermediates below it, RFC 5280 §6.1.4 (l)', async () => {
    const short = await issueCa('Short Root CA', {
      basicConstraints: { cA: true, pathLenConstraint: 1 },
    })
    const one = await short.issueCa('CA 1')
    const two = await one.issueCa('CA 2')
    const given = { anchors: [short], intermediates: [one, two] }
    expect(search(await one.issue('client-b'), given).ok).toBe(true)
    expect(failureOf(search(await two.issue('client-b'), given))).toEqual({
      code: 'path-length-exceeded',
      index: 3,
      pathLenConstraint: 1,
      intermediates: 2,
    })
  })
})

describe('purposes narrow along the path, RFC 5280 §4.2.1.12', () => {
  test('of two accepted purposes one must hold all the way', async () => {
    const servers = await root.issueCa('Server CA', { extendedKeyUsage: ['serverAuth'] })
    const both = await servers.issue('x', { extendedKeyUsage: ['clientAuth', 'serverAuth'] })
    const one = await servers.issue('x', { extendedKeyUsage: ['clientAuth'] })
    const given: Given = {
      anchors: [root],
      intermediates: [servers],
      acceptedPurposes: ['clientAuth', 'serverAuth'],
    }
    expect(search(both, given).ok).toBe(true)
    expect(failureOf(search(one, given))).toMatchObject({
      code: 'extended-key-usage-missing',
      index: 1,
      wanted: ['clientAuth'],
    })
    expect(search(one, { ...given, acceptedPurposes: undefined, purpose: 'any' }).ok).toBe(true)
  })
  test('two CAs of different purposes leave none', async () => {
    const clients = await root.issueCa('Client CA', { extendedKeyUsage: ['clientAuth'] })
    const servers = await clients.issueCa('Server CA', { extendedKeyUsage: ['serverAuth'] })
    const target = await servers.issue('x', { extendedKeyUsage: 'absent' })
    const given: Given = {
      anchors: [root],
      intermediates: [clients, servers],
      acceptedPurposes: ['clientAuth', 'serverAuth'],
    }
    expect(failureOf(search(target, given))).toMatchObject({
      code: 'extended-key-usage-missing',
      index: 2,
      wanted: ['serverAuth'],
    })
  })
})

describe('a target that is itself an anchor', async () => {
  const options: CertificateOptions = { keyUsage: ['digitalSignature', 'keyCertSign'] }
  const selfSigned = await issueCa('Pinned', options)
  const pinnedLeaf = client

  test('is refused by default: it proves nothing by a path', () => {
    expect(failureOf(search(selfSigned, { anchors: [selfSigned] }))).toEqual({
      code: 'target-is-trust-anchor',
      index: 0,
    })
    // Not its own issuer: nobody of its issuer's name is known.
    expect(failureOf(search(pinnedLeaf, { anchors: [pinnedLeaf] }))).toMatchObject({
      code: 'issuer-unknown',
    })
  })
  test.each([
    ['refuse', false, false],
    ['accept', true, true],
    ['accept-self-signed', true, false],
  ] as const)('with %s: self-signed %s, a leaf %s', (pinnedTarget, self, leaf) => {
    expect(search(selfSigned, { anchors: [selfSigned], pinnedTarget }).ok).toBe(self)
    expect(search(pinnedLeaf, { anchors: [pinnedLeaf], pinnedTarget }).ok).toBe(leaf)
  })
  test('under accept-self-signed the signature is judged', async () => {
    const forged = await issueCa('Pinned', { ...options, signingKey: 'P-256#45' })
    const given: Given = { anchors: [forged], pinnedTarget: 'accept-self-signed' }
    expect(failureOf(search(forged, given))).toMatchObject({ code: 'signature-invalid', index: 0 })
    const verified: Uint8Array[] = []
    expect(search(forged, { ...given, pinnedTarget: 'accept' }, undefined, verified).ok).toBe(true)
    expect(verified).toEqual([])
  })
  test('a pinned target is judged by all other rules', async () => {
    const expired = await issuing.issue('client-b', { notAfter: testTime - 1 })
    expect(
      failureOf(search(expired, { anchors: [expired], pinnedTarget: 'accept' })),
    ).toMatchObject({
      code: 'certificate-expired',
    })
  })
  test('a target that is no anchor goes its usual way', () => {
    expect(pathOf(search(client, { ...anchored, pinnedTarget: 'accept' }))).toEqual([
      client,
      issuing,
    ])
    expect(search(client, { anchors: [otherRoot], pinnedTarget: 'accept' }).ok).toBe(false)
    // Its octets among the intermediates pin nothing.
    const given: Given = { anchors: [otherRoot], intermediates: [client], pinnedTarget: 'accept' }
    expect(search(client, given).ok).toBe(false)
  })
  test('whoever accepts may refuse it', () => {
    const refused = search<{ code: string }>(
      client,
      { anchors: [client], pinnedTarget: 'accept' },
      accepting(() => {
        return { failure: { code: 'no' }, definite: false }
      }),
    )
    expect(refused).toMatchObject({ ok: false, failure: { code: 'no' } })
  })
})

describe('a caller that does not accept a path', async () => {
  const crossed = await otherRoot.crossSign(issuing, { notBefore: testTime - 5 })
  const given: Given = { anchors: [root, otherRoot], intermediates: [issuing, crossed] }
  const no = (definite: boolean) => ({ failure: { code: 'no' }, definite })

  test('is asked about the next one', () => {
    const asked: unknown[] = []
    const result = search<{ code: string }>(
      client,
      given,
      accepting((path) => {
        asked.push(path.anchor.certificate)
        return path.anchor.certificate === root ? undefined : no(false)
      }),
    )
    expect(asked).toEqual([otherRoot, root])
    expect(result.ok && result.path.anchor.certificate).toBe(root)
    expect(result.attempts.list).toMatchObject([{ failure: { code: 'no' } }])
  })
  test('the first of such refusals is the failure, whatever else is wrong', async () => {
    const expired = await root.issueCa('Issuing CA', { key: issuing.key, notAfter: testTime - 1 })
    let turn = 0
    const all = { ...given, intermediates: [issuing, crossed, expired] }
    const result = search<{ code: string; turn: number }>(
      client,
      all,
      accepting(() => {
        return { failure: { code: 'no', turn: turn++ }, definite: false }
      }),
    )
    expect(result).toMatchObject({ ok: false, failure: { code: 'no', turn: 0 } })
    expect(turn).toBe(2)
    expect(result.attempts.list).toHaveLength(3)
  })
  test('a definite refusal ends the search', () => {
    let turn = 0
    const result = search<{ code: string }>(
      client,
      given,
      accepting(() => {
        turn++
        return no(true)
      }),
    )
    expect(result).toMatchObject({ ok: false, failure: { code: 'no' } })
    expect(turn).toBe(1)
  })
})

describe('signatures, RFC 5280 §6.1.3 (a)(1)', () => {
  const flip = (signature: Uint8Array) => {
    const changed = signature.slice()
    changed[changed.length - 1] = (changed.at(-1) as number) ^ 1
    return changed
  }
  test('of the target and of every intermediate, with the position', async () => {
    const forged = await issuing.issue('client-b', { mutateSignature: flip })
    expect(failureOf(search(forged, anchored))).toEqual({ code: 'signature-invalid', index: 0 })
    const forgedCa = await root.issueCa('Forged CA', { mutateSignature: flip })
    const below = await forgedCa.issueCa('CA below')
    const target = await below.issue('client-b')
    expect(
      failureOf(search(target, { anchors: [root], intermediates: [forgedCa, below] })),
    ).toEqual({
      code: 'signature-invalid',
      index: 2,
    })
  })
  test('the target first, then from the anchor down', async () => {
    const below = await issuing.issueCa('CA below')
    const target = await below.issue('client-b')
    const verified: Uint8Array[] = []
    search(target, { anchors: [root], intermediates: [issuing, below] }, undefined, verified)
    expect(verified).toEqual(
      [target, issuing, below].map(({ tbsCertificate }) => tbsCertificate.der),
    )
  })
  test('an anchor’s own is never judged', async () => {
    const forged = await issueCa('Forged Root CA', { mutateSignature: flip })
    expect(search(await forged.issue('client-b'), { anchors: [forged] }).ok).toBe(true)
  })
  test('each pair of certificate and key once in a search', async () => {
    // Two roots of one key over one intermediate: the second path repeats what the first one judged.
    const twin = await issueCa('Root CA', { key: root.key, notBefore: testTime - 5 })
    const verified: Uint8Array[] = []
    const result = search<{ code: string }>(
      client,
      { anchors: [root, twin], intermediates: [issuing] },
      accepting(() => {
        return { failure: { code: 'no' }, definite: false }
      }),
      verified,
    )
    expect(result.attempts.list).toHaveLength(2)
    expect(verified).toHaveLength(2)
  })
  test('what failed once fails again, without being asked', async () => {
    const forged = await issuing.issue('client-b', { mutateSignature: flip })
    const twin = await issueCa('Root CA', { key: root.key, notBefore: testTime - 5 })
    const verified: Uint8Array[] = []
    const result = search(
      forged,
      { anchors: [root, twin], intermediates: [issuing] },
      undefined,
      verified,
    )
    expect(attemptsOf(result)).toEqual(['signature-invalid', 'signature-invalid'])
    expect(result.attempts.list[1]?.failure).toMatchObject({ index: 0 })
    expect(verified).toHaveLength(1)
  })
  test('one that failed under one key may hold under another', async () => {
    const impostor = await otherRoot.issueCa('Issuing CA', {
      key: 'P-256#41',
      notBefore: testTime - 5,
    })
    const target = await issuing.issue('client-b', { authorityKeyIdentifier: 'absent' })
    const given = { anchors: [root, otherRoot], intermediates: [impostor, issuing] }
    expect(search(target, given).ok).toBe(true)
  })
})

describe('budgets', async () => {
  const below = await issuing.issueCa('CA below')
  const target = await below.issue('client-b')
  const given: Given = { anchors: [root], intermediates: [issuing, below] }

  test.each([
    [2, 'candidates'],
    [3, undefined],
  ])('%i candidates', (candidates, of) => {
    const result = search(target, { ...given, budget: { candidates } })
    expect(failureOf(result)).toEqual(of && { code: 'budget-exhausted', of })
    if (of) expect(attemptsOf(result)).toEqual(['budget-exhausted'])
  })
  test.each([
    [2, 'signatures'],
    [3, undefined],
  ])('%i signatures with P-256', (signatures, of) => {
    const result = search(target, { ...given, budget: { signatures } })
    expect(failureOf(result)).toEqual(of && { code: 'budget-exhausted', of, index: 1 })
  })
  test('names held against constraints', async () => {
    const constrained = await root.issueCa('Constrained CA', {
      nameConstraints: { permitted: [{ dns: 'a.example' }, { dns: 'b.example' }] },
    })
    const named = await constrained.issue('client-b', {
      subjectAltName: [{ dns: 'b.example' }, { dns: 'b.example' }],
    })
    const names: Given = { anchors: [root], intermediates: [constrained] }
    expect(search(named, names).ok).toBe(true)
    expect(failureOf(search(named, { ...names, budget: { nameComparisons: 1 } }))).toEqual({
      code: 'budget-exhausted',
      of: 'name-comparisons',
      index: 0,
    })
  })
  test('policies', async () => {
    const ca = await root.issueCa('Policy CA', { certificatePolicies: ['1.2.3', '1.2.4'] })
    const held = await ca.issue('client-b', { certificatePolicies: ['1.2.3', '1.2.4'] })
    const policies: Given = { anchors: [root], intermediates: [ca] }
    expect(search(held, policies).ok).toBe(true)
    expect(failureOf(search(held, { ...policies, budget: { policies: 1 } }))).toMatchObject({
      code: 'budget-exhausted',
      of: 'policies',
    })
  })
  test('a spent budget ends the search, though another path would do', async () => {
    const crossed = await otherRoot.crossSign(below, { notBefore: testTime - 5 })
    const result = search(target, {
      anchors: [root, otherRoot],
      intermediates: [issuing, below, crossed],
      budget: { signatures: 1 },
    })
    expect(failureOf(result)).toMatchObject({ code: 'budget-exhausted', of: 'signatures' })
    expect(result.attempts.list).toHaveLength(1)
  })
  test('all candidate paths share one', async () => {
    const impostors: Certificate[] = []
    for (let i = 0; i < 5; i++) {
      impostors.push(
        await otherRoot.issueCa('CA below', { key: `P-256#${50 + i}`, notBefore: testTime - 5 }),
      )
    }
    const open = await below.issue('client-b', { authorityKeyIdentifier: 'absent' })
    const mesh: Given = {
      anchors: [root, otherRoot],
      intermediates: [issuing, below, ...impostors],
    }
    expect(search(open, mesh).ok).toBe(true)
    expect(failureOf(search(open, { ...mesh, budget: { signatures: 4 } }))).toMatchObject({
      code: 'budget-exhausted',
    })
    expect(search(open, { ...mesh, budget: { signatures: 5 + 3 } }).ok).toBe(true)
    expect(search(open, { ...mesh, budget: { signatures: 5 + 2 } }).ok).toBe(false)
  })
  test('the defaults', () => {
    expect(defaultBudget).toMatchObject({
      signatures: 100,
      candidates: 2_000,
      nameComparisons: 250_000,
    })
  })
})

describe('anchors with constraints, RFC 5937 §3.2', () => {
  const nameConstraints = {
    permittedSubtrees: [{ base: { kind: 'dNSName', value: 'a.example' } as const }],
    excludedSubtrees: undefined,
  }
  test.each([anchorOf, bareAnchorOf])(
    'name constraints beside an anchor always apply',
    async (make) => {
      const anchors = [make(root, { nameConstraints })]
      const anchorChecks = { validity: false, constraints: false }
      const inside = await issuing.issue('x', { subjectAltName: [{ dns: 'x.a.example' }] })
      const outside = await issuing.issue('x', { subjectAltName: [{ dns: 'b.example' }] })
      expect(search(inside, { anchors, intermediates: [issuing], anchorChecks }).ok).toBe(true)
      expect(
        failureOf(search(outside, { anchors, intermediates: [issuing], anchorChecks })),
      ).toMatchObject({
        code: 'name-not-permitted',
        index: 0,
        name: 'b.example',
      })
    },
  )
  test.each([anchorOf, bareAnchorOf])('and so does a path length', (make) => {
    const limited = [make(root, { pathLenConstraint: 0 })]
    expect(failureOf(search(client, { anchors: limited, intermediates: [issuing] }))).toMatchObject(
      {
        code: 'path-length-exceeded',
        index: 2,
      },
    )
    const enough = [make(root, { pathLenConstraint: 1 })]
    expect(search(client, { anchors: enough, intermediates: [issuing] }).ok).toBe(true)
  })
})
