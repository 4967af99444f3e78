import { describe, expect, test } from 'vitest'
import { validateClientCertificate } from '../../src/index.web.ts'
import { parseCrls } from '../../src/revocation/crls.ts'
import { parseOcspResponses } from '../../src/revocation/responses.ts'
import { parseTrustAnchors, validateClientCertificateSync } from '../../src/sync.ts'
import {
  type CertificateAuthority,
  type IssuedCrl,
  issueCa,
  issueCrl,
  testTime,
} from '../../src/testing/index.ts'
import {
  type Bytes,
  day,
  type Given,
  hour,
  judge,
  nextUpdate,
  outcome,
  outcomeOf,
  thisUpdate,
  week,
} from './crl-support.ts'

const root = await issueCa('Root CA')
const issuing = await root.issueCa('Issuing CA')
const client = await issuing.issue('client-a')
const ofRoot = await root.issueCrl()
const ofIssuing = await issuing.issueCrl()
const other = await issueCa('Other CA', { key: 'P-256#60' })
const sent = { sent: [issuing] }
const past = { thisUpdate: thisUpdate - 2 * week, nextUpdate: thisUpdate - week }
const crlSigner = { keyUsage: ['cRLSign'], extendedKeyUsage: 'absent' } as const

describe('which certificates of the path', () => {
  test('every one below the anchor, by default', () => {
    expect(outcome(client, root, [ofRoot, ofIssuing], sent)).toBe('good')
    expect(outcome(client, root, [ofIssuing], sent)).toBe('crl-missing at 1')
    expect(outcome(client, root, [ofRoot], sent)).toBe('crl-missing')
  })

  test('depth target: the client alone', () => {
    const verdict = judge(client, root, [ofIssuing], { ...sent, rule: { depth: 'target' } })
    expect(verdict).toMatchObject({
      ok: true,
      warnings: [],
      revocation: [{ status: 'good' }, { status: 'not-checked', index: 1, because: 'depth' }],
    })
  })

  test('a CA that is revoked', async () => {
    const list = await root.issueCrl({ revoked: [issuing] })
    expect(outcome(client, root, [list, ofIssuing], sent)).toBe('revoked at 1')
    // What is known for certain is told before what is not.
    expect(outcome(client, root, [list], sent)).toBe('revoked at 1')
  })

  test('a target that is its own anchor is not asked about', async () => {
    const rule = { rule: {}, options: { pinnedTarget: 'accept' } }
    const pinned = await issueCa('Pinned', {
      keyUsage: ['digitalSignature'],
      basicConstraints: 'absent',
    })
    expect(judge(pinned, pinned, [], rule)).toMatchObject({
      ok: true,
      revocation: [{ status: 'not-checked', because: 'trust-anchor' }],
    })
  })

  test('an anchor that is a bare name and key signs lists', () => {
    const { subject, subjectPublicKeyInfo } = root.tbsCertificate
    const decide = (lists: readonly Bytes[]) =>
      outcomeOf(
        validateClientCertificateSync([client.der, issuing.der], {
          trustAnchors: parseTrustAnchors({ name: subject, subjectPublicKeyInfo }),
          time: new Date(testTime * 1000),
          revocation: { mode: 'crl', crls: parseCrls(lists.map(({ der }) => der)) },
        }),
      )
    expect(decide([ofRoot, ofIssuing])).toBe('good')
    expect(decide([ofIssuing])).toBe('crl-missing at 1')
  })
})

describe('a definite no', async () => {
  const bridge = await issueCa('Bridge CA', { key: 'P-256#40' })
  const crossed = await bridge.crossSign(issuing)
  const bridgeInRoot = await root.crossSign(bridge)
  const given = { sent: [issuing, crossed, bridgeInRoot] }
  const ofBridge = await bridge.issueCrl()

  test('a client that is revoked is refused on the first path, and no other is tried', async () => {
    const list = await issuing.issueCrl({ revoked: [client] })
    const verdict = judge(client, root, [list, ofRoot, ofBridge], given)
    expect(outcomeOf(verdict)).toBe('revoked')
    expect(verdict).toMatchObject({ attempts: [{}] })
  })

  test('a CA that is revoked may have another certificate', async () => {
    const list = await root.issueCrl({ revoked: [issuing] })
    const verdict = judge(client, root, [list, ofIssuing, ofBridge], given)
    expect(verdict.ok && verdict.verified && verdict.path.length).toBe(3)
    expect(verdict).toMatchObject({ attempts: [{}] })
  })

  test('what is unknown on one path may be known on another', () => {
    const verdict = judge(client, root, [ofRoot, ofIssuing], given)
    expect(verdict.ok && verdict.verified && verdict.path.length).toBe(2)
    expect(outcome(client, root, [ofRoot], given)).toBe('crl-missing')
  })

  test('no path brings a revoked client back, whatever anchors there are', async () => {
    const list = await issuing.issueCrl({ revoked: [client], ...past })
    for (const anchors of [
      [root, bridge],
      [bridge, root],
    ]) {
      for (const onUnknown of ['deny', 'allow']) {
        const pem = anchors.map((anchor) => anchor.pem).join('')
        const lists = [ofRoot, ofBridge, list, ofIssuing]
        expect(outcome(client, { pem }, lists, { ...given, rule: { onUnknown } })).toBe('revoked')
      }
    }
  })
})

describe('lists of one CA never touch clients of another one', async () => {
  const neighbour = await root.issueCa('Neighbour CA')
  const neighbours = await neighbour.issue('client-b')
  const good = [ofRoot, ofIssuing]

  test.each([
    ['missing', []],
    ['expired', [await neighbour.issueCrl(past)]],
    ['of the future', [await neighbour.issueCrl({ thisUpdate: testTime + day })]],
    ['forged', [await neighbour.issueCrl({ signingKey: 'P-256#50' })]],
    ['malformed', [{ der: (await neighbour.issueCrl()).der.subarray(0, 50) }]],
    ['a list that names its serial numbers', [await neighbour.issueCrl({ revoked: [client] })]],
    [
      'not to be processed',
      [
        await neighbour.issueCrl({
          rawExtensions: [{ oid: '1.2.3', critical: true, value: Uint8Array.of(5, 0) }],
        }),
      ],
    ],
  ] as const)('%s', (_, lists) => {
    for (const all of [
      [...good, ...lists],
      [...lists, ...good],
    ]) {
      expect(judge(client, root, all, sent)).toEqual(judge(client, root, good, sent))
      expect(outcome(neighbours, root, all, { sent: [neighbour] })).not.toBe('good')
    }
  })
})

describe('the rule for each issuer', () => {
  test('none for one of them', () => {
    const rule = { perIssuer: { 'cn=ROOT  ca': { mode: 'none' } } }
    const verdict = judge(client, root, [ofIssuing], { ...sent, rule })
    expect(verdict).toMatchObject({
      ok: true,
      revocation: [{ status: 'good' }, { status: 'not-checked', because: 'mode-none' }],
      warnings: [{ code: 'revocation-not-checked' }],
    })
  })

  test('none but for one of them', () => {
    const rule = { mode: 'none', perIssuer: { 'CN=Issuing CA': { mode: 'crl' } } }
    expect(outcome(client, root, [ofIssuing], { ...sent, rule })).toBe('good')
    expect(outcome(client, root, [ofRoot], { ...sent, rule })).toBe('crl-missing')
  })

  test('its own onUnknown, onStale and maxAge', async () => {
    const allow = { perIssuer: { 'CN=Root CA': { onUnknown: 'allow' } } }
    expect(outcome(client, root, [ofIssuing], { ...sent, rule: allow })).toBe('unknown')
    expect(outcome(client, root, [ofRoot], { ...sent, rule: allow })).toBe('crl-missing')
    const young = { perIssuer: { 'CN=Root CA': { maxAge: 60 } } }
    expect(outcome(client, root, [ofRoot, ofIssuing], { ...sent, rule: young })).toBe(
      'crl-too-old at 1',
    )
    const stale = { perIssuer: { 'CN=Root CA': { onStale: { allowFor: 2 * week } } } }
    const old = [await root.issueCrl(past), ofIssuing]
    expect(outcome(client, root, old, { ...sent, rule: stale })).toBe('good')
    expect(outcome(client, root, old, sent)).toBe('crl-expired at 1')
  })
})

describe('onUnknown: allow', () => {
  const rule = { onUnknown: 'allow' }

  test('lets pass what nobody knows, with a warning and the reasons', () => {
    const verdict = judge(client, root, [ofIssuing], { ...sent, rule })
    expect(verdict).toMatchObject({
      ok: true,
      warnings: [{ code: 'revocation-unknown', index: 1 }],
      revocation: [
        { status: 'good' },
        { status: 'unknown', index: 1, problems: [{ code: 'crl-missing' }] },
      ],
      validUntil: new Date(nextUpdate * 1000),
    })
  })

  test('and never what any list revokes, even one that ran out or has no signer to trust but its CA', async () => {
    const old = await issuing.issueCrl({ ...past, revoked: [client] })
    expect(outcome(client, root, [old], { ...sent, rule })).toBe('revoked')
    const scope = { issuingDistributionPoint: { onlyContainsCACerts: true } }
    const other = await issuing.issueCrl({ ...scope, revoked: [client] })
    expect(outcome(client, root, [other], { ...sent, rule })).toBe('revoked')
  })

  test('a forged list is no list', async () => {
    const forged = await issuing.issueCrl({ revoked: [client], signingKey: 'P-256#50' })
    expect(outcome(client, root, [forged], { ...sent, rule })).toBe('unknown')
  })

  test('holds until a list begins to count that is not valid yet', async () => {
    const soon = await issuing.issueCrl({ thisUpdate: testTime + hour, revoked: [client] })
    const verdict = judge(client, root, [ofRoot, soon], { ...sent, rule })
    expect(verdict).toMatchObject({
      ok: true,
      validUntil: new Date((testTime + hour - 1) * 1000),
    })
    expect(outcome(client, root, [ofRoot, soon], { ...sent, rule, later: hour })).toBe('revoked')
  })

  test('with nothing known at all it holds as long as the path', () => {
    const verdict = judge(client, root, [], { ...sent, rule })
    const notAfter = client.tbsCertificate.validity.notAfter
    expect(verdict).toMatchObject({ ok: true, validUntil: new Date(notAfter * 1000) })
  })
})

describe('noRevAvail, RFC 9608 §4', async () => {
  const short = await issuing.issue('client-c', { noRevAvail: 'present' })

  test('no status is needed', () => {
    const verdict = judge(short, root, [ofRoot], sent)
    expect(verdict).toMatchObject({
      ok: true,
      warnings: [],
      revocation: [{ status: 'not-checked', because: 'no-rev-avail' }, { status: 'good' }],
    })
  })

  test('a list that names it all the same is heard', async () => {
    const list = await issuing.issueCrl({ revoked: [short] })
    expect(outcome(short, root, [ofRoot, list], sent)).toBe('revoked')
    const soon = await issuing.issueCrl({ thisUpdate: testTime + 60, revoked: [short] })
    expect(judge(short, root, [ofRoot, soon], sent)).toMatchObject({
      ok: true,
      validUntil: new Date((testTime + 59) * 1000),
    })
  })

  test('a CA is not excepted', async () => {
    const ca = await root.issueCa('CA without', { noRevAvail: 'present' })
    const below = await ca.issue('client-d')
    expect(outcome(below, root, [await ca.issueCrl()], { sent: [ca] })).toBe('crl-missing at 1')
  })
})

describe('who signs a list, RFC 5280 §6.3.3 (f) and (g)', async () => {
  /** A list that bears the name of `ca` and is signed with another key. */
  const inTheNameOf = (
    ca: CertificateAuthority,
    signer: Parameters<typeof issueCrl>[0],
    options = {},
  ) => issueCrl(signer, { issuer: ca.tbsCertificate.subject.der, ...options })

  test('a CA without cRLSign may not', async () => {
    const mute = await root.issueCa('Mute CA', { keyUsage: ['keyCertSign'] })
    const leaf = await mute.issue('client-b')
    const given = { sent: [mute] }
    expect(outcome(leaf, root, [ofRoot, await mute.issueCrl()], given)).toBe(
      'crl-signer-no-crl-sign',
    )
    expect(outcome(leaf, root, [ofRoot, await mute.issueCrl({ revoked: [leaf] })], given)).toBe(
      'crl-signer-no-crl-sign',
    )
    const silent = await root.issueCa('Silent CA', { keyUsage: 'absent' })
    const another = await silent.issue('client-c')
    expect(outcome(another, root, [ofRoot, await silent.issueCrl()], { sent: [silent] })).toBe(
      'good',
    )
  })

  test('the new key of a CA signs for the old one, RFC 4210 §4.4', async () => {
    const renewed = await root.issueCa('Root CA', { key: 'P-256#20' })
    const direct = await root.issue('client-b')
    const byNew = await renewed.issueCrl()
    expect(outcome(direct, root, [byNew], { known: [renewed] })).toBe('good')
    expect(outcome(direct, root, [byNew])).toBe('crl-signature:signature-invalid')
    const revoking = await renewed.issueCrl({ revoked: [direct] })
    expect(outcome(direct, root, [ofRoot, revoking], { known: [renewed] })).toBe('revoked')
  })

  const apart = await root.issue('Issuing CA', { ...crlSigner, key: 'P-256#21' })
  const byApart = await inTheNameOf(issuing, apart)
  const given = { ...sent, known: [apart] }

  test('a key for lists alone, certified by a CA above', async () => {
    expect(outcome(client, root, [ofRoot, byApart], given)).toBe('good')
    expect(outcome(client, root, [ofRoot, byApart], sent)).toBe('crl-signature:signature-invalid')
    const revoking = await inTheNameOf(issuing, apart, { revoked: [client] })
    expect(outcome(client, root, [ofRoot, ofIssuing, revoking], given)).toBe('revoked')
  })

  test('or by the CA itself', async () => {
    const own = await issuing.issue('Issuing CA', { ...crlSigner, key: 'P-256#22' })
    expect(
      outcome(client, root, [ofRoot, await inTheNameOf(issuing, own)], { ...sent, known: [own] }),
    ).toBe('good')
  })

  test('or by another certificate of the CA, where its own lacks cRLSign', async () => {
    const mute = await root.issueCa('Two-faced CA', { keyUsage: ['keyCertSign'] })
    const speaking = await root.crossSign(mute, { notBefore: 1_500_000_000 })
    const leaf = await mute.issue('client-b')
    const lists = [ofRoot, await mute.issueCrl()]
    expect(outcome(leaf, root, lists, { sent: [mute] })).toBe('crl-signer-no-crl-sign')
    expect(outcome(leaf, root, lists, { sent: [mute], known: [speaking] })).toBe('good')
  })

  test('without cRLSign it may not, and whoever is no CA needs a key usage', async () => {
    const wrong = await root.issue('Issuing CA', {
      key: 'P-256#23',
      keyUsage: ['digitalSignature'],
    })
    const bare = await root.issue('Issuing CA', { key: 'P-256#24', keyUsage: 'absent' })
    expect(
      outcome(client, root, [ofRoot, await inTheNameOf(issuing, wrong)], {
        ...sent,
        known: [wrong],
      }),
    ).toBe('crl-signer-no-crl-sign')
    expect(
      outcome(client, root, [ofRoot, await inTheNameOf(issuing, bare)], { ...sent, known: [bare] }),
    ).toBe('crl-signature:signature-invalid')
  })

  test('a revoked signer may not', async () => {
    const list = await root.issueCrl({ revoked: [apart] })
    expect(outcome(client, root, [list, byApart], given)).toBe('crl-signer-revoked')
    expect(outcome(client, root, [list, byApart, ofIssuing], given)).toBe('good')
  })

  test('a signer of whom nobody knows whether it is revoked may not, and leaves nobody unrevoked', async () => {
    const middle = await root.issueCa('Middle CA')
    const leaf = await middle.issue('client-b')
    const odd = await root.issue('Middle CA', { ...crlSigner, key: 'P-256#25' })
    const only = {
      issuingDistributionPoint: { onlyContainsCACerts: true },
    }
    const cas = await root.issueCrl(only)
    const known = { sent: [middle], known: [odd] }
    expect(outcome(leaf, root, [cas, await inTheNameOf(middle, odd)], known)).toBe(
      'crl-signer-status-unknown',
    )
    const revoking = await inTheNameOf(middle, odd, { revoked: [leaf] })
    expect(outcome(leaf, root, [cas, await middle.issueCrl(), revoking], known)).toBe(
      'crl-signer-status-unknown',
    )
    // Where only the client is looked at, nobody asks about whoever signs.
    const target = { ...known, rule: { depth: 'target' } }
    expect(outcome(leaf, root, [cas, await inTheNameOf(middle, odd)], target)).toBe('good')
    expect(outcome(leaf, root, [cas, await middle.issueCrl(), revoking], target)).toBe('revoked')
  })

  test('a signer may be listed by itself: what its list says decides', async () => {
    const direct = await root.issue('client-b')
    const self = await root.issue('Root CA', { ...crlSigner, key: 'P-256#26' })
    const known = { known: [self] }
    expect(outcome(direct, root, [await inTheNameOf(root, self)], known)).toBe('good')
    expect(outcome(direct, root, [await inTheNameOf(root, self, { revoked: [self] })], known)).toBe(
      'crl-signer-revoked',
    )
  })

  test('two signers that vouch for each other do not outlast a list of the CA', async () => {
    const direct = await root.issue('client-b')
    const one = await root.issue('Root CA', { ...crlSigner, key: 'P-256#27' })
    const two = await root.issue('Root CA', { ...crlSigner, key: 'P-256#28' })
    const known = { known: [one, two] }
    const lists = [await inTheNameOf(root, one), await inTheNameOf(root, two)]
    expect(outcome(direct, root, lists, known)).toBe('good')
    const old = await root.issueCrl({ ...past, revoked: [one, two] })
    expect(outcome(direct, root, [...lists, old], known)).toContain('crl-signer-revoked')
  })

  test('noRevAvail excuses a signer, unless a list names it', async () => {
    const excused = await root.issue('Issuing CA', {
      ...crlSigner,
      key: 'P-256#29',
      noRevAvail: 'present',
    })
    const list = await inTheNameOf(issuing, excused)
    const known = { ...sent, known: [excused] }
    expect(outcome(client, root, [ofRoot, list], known)).toBe('good')
    expect(outcome(client, root, [await root.issueCrl({ revoked: [excused] }), list], known)).toBe(
      'crl-signer-revoked',
    )
  })

  test('a sub-CA cannot vouch for itself in the name of the CA above', async () => {
    // The lists of the root have run out; the sub-CA certifies a namesake of the root.
    const namesake = await issuing.issue('Root CA', { ...crlSigner, key: 'P-256#30' })
    const forged = await issueCrl(namesake)
    const known = { sent: [issuing, namesake], known: [namesake] }
    for (const lists of [
      [forged, ofIssuing],
      [await root.issueCrl(past), forged, ofIssuing],
    ]) {
      expect(outcome(client, root, lists, known)).not.toBe('good')
    }
    expect(outcome(client, root, [forged, ofIssuing], known)).toBe('crl-signer-unknown at 1')
  })

  test('a sub-CA cannot unrevoke what its neighbour has revoked', async () => {
    const neighbour = await root.issueCa('Neighbour CA', { key: 'P-256#31' })
    const namesake = await neighbour.issueCa('Issuing CA', { key: 'P-256#32' })
    const forged = await namesake.issueCrl()
    const lists = [ofRoot, forged, await neighbour.issueCrl()]
    expect(outcome(client, root, lists, { ...sent, known: [namesake, neighbour] })).toBe(
      'crl-signer-unknown',
    )
  })

  test('an anchor of another hierarchy signs nothing here', async () => {
    const other = await issueCa('Other Root', { key: 'P-256#33' })
    const namesake = await other.issueCa('Issuing CA', { key: 'P-256#34' })
    const pem = root.pem + other.pem
    const lists = [ofRoot, await namesake.issueCrl(), await other.issueCrl()]
    expect(outcome(client, { pem }, lists, { ...sent, known: [namesake] })).toBe(
      'crl-signer-unknown',
    )
    const another = await issueCa('Issuing CA', { key: 'P-256#35' })
    const both = root.pem + another.pem
    expect(outcome(client, { pem: both }, [ofRoot, await another.issueCrl()], sent)).toBe(
      'crl-signature:signature-invalid',
    )
  })
})

describe('the work of one validation has limits', async () => {
  const apart = await root.issue('Issuing CA', { ...crlSigner, key: 'P-256#41' })
  const revoking = await issueCrl(apart, { revoked: [client] })
  const namesakes = await Promise.all(
    Array.from({ length: 40 }, (_, i) =>
      root.issue('Issuing CA', { ...crlSigner, key: `P-256#${i % 64}` } as const),
    ),
  )

  test('namesakes that a client sends do not crowd out who is known', () => {
    const rule = { onUnknown: 'allow' }
    const given: Given = { sent: [issuing, ...namesakes], known: [apart], rule }
    expect(outcome(client, root, [ofRoot, ofIssuing, revoking], given)).toBe('revoked')
  })

  test('beyond them nobody knows, and no rule lets that pass', () => {
    const rule = { onUnknown: 'allow' }
    const given: Given = { ...sent, known: [...namesakes, apart], rule }
    expect(outcome(client, root, [ofRoot, ofIssuing, revoking], given)).toBe('status-limit')
  })

  test('a path of many keys of one CA does not multiply the signatures', async () => {
    const rule = { onUnknown: 'allow', depth: 'target' }
    const chain: CertificateAuthority[] = []
    for (let i = 0; i < 9; i++) {
      chain.push(
        await (chain.at(-1) ?? root).issueCa('Rolling CA', { key: `P-256#${i + 1}` as 'P-256#1' }),
      )
    }
    const leaf = await (chain.at(-1) ?? root).issue('client-b')
    const signers = await Promise.all(
      Array.from({ length: 16 }, (_, i) =>
        (chain[0] ?? root).issue('Rolling CA', {
          ...crlSigner,
          key: `P-256#${i + 20}` as 'P-256#1',
          authorityKeyIdentifier: 'absent',
        }),
      ),
    )
    const forged = await (chain.at(-1) ?? root).issueCrl({
      revoked: [leaf],
      signingKey: 'P-256#50',
    })
    expect(outcome(leaf, root, [forged], { sent: chain, known: signers, rule })).toBe(
      'budget-exhausted',
    )
    expect(outcome(leaf, root, [forged], { sent: chain, rule })).toBe('unknown')
  })

  test('a CA certificate that a client sends does not make a signer a revoked one', async () => {
    const again = await root.crossSign(issuing, { notAfter: testTime + day })
    const own = await issuing.issue('Issuing CA', { ...crlSigner, key: 'P-256#42' })
    const list = await issueCrl(own, { revoked: [client] })
    const lists = [await root.issueCrl({ revoked: [again] }), list]
    const given: Given = { sent: [again, issuing], known: [own], rule: { onUnknown: 'allow' } }
    expect(outcome(client, root, lists, given)).toBe('revoked')
    expect(outcome(client, root, lists, { ...given, sent: [issuing, again] })).toBe('revoked')
  })

  test('signers that all sign for each other end', async () => {
    const few = namesakes.slice(0, 12)
    const lists = await Promise.all(
      few.map((one) => issueCrl(one, { revoked: [{ serialNumber: 9_999 }] })),
    )
    const ofCas = await Promise.all(
      few.map((_, i) => root.issue('Root CA', { ...crlSigner, key: `P-256#${i + 45}` } as const)),
    )
    const ofRoots = await Promise.all(ofCas.map((one) => issueCrl(one)))
    const started = performance.now()
    const found = outcome(client, root, [...lists, ...ofRoots], {
      ...sent,
      known: [...few, ...ofCas],
    })
    expect(typeof found).toBe('string')
    expect(performance.now() - started).toBeLessThan(5_000)
  })
})

describe('lists and responses together, mode crl-or-ocsp', async () => {
  const direct = await root.issue('client-b')
  const kinds = {
    good: {
      crl: await root.issueCrl(),
      ocsp: await root.issueOcspResponse({ responses: [direct] }),
    },
    revoked: {
      crl: await root.issueCrl({ revoked: [direct] }),
      ocsp: await root.issueOcspResponse({
        responses: [{ certificate: direct, certStatus: 'revoked' }],
      }),
    },
    stale: {
      crl: await root.issueCrl(past),
      ocsp: await root.issueOcspResponse({ responses: [direct], ...past }),
    },
    unknown: {
      crl: await other.issueCrl(),
      ocsp: await root.issueOcspResponse({
        responses: [{ certificate: direct, certStatus: 'unknown' }],
      }),
    },
  }
  type Kind = keyof typeof kinds
  const decide = (crl: Kind, ocsp: Kind, rule: object = {}) =>
    judge(direct, root, [kinds[crl].crl], {
      rule: {
        mode: 'crl-or-ocsp',
        ocspResponses: parseOcspResponses(kinds[ocsp].ocsp.der),
        ...rule,
      },
    })

  test.each<readonly [Kind, Kind, string]>([
    ['good', 'good', 'good'],
    ['good', 'unknown', 'good'],
    ['unknown', 'good', 'good'],
    ['good', 'stale', 'good'],
    ['stale', 'good', 'good'],
    ['good', 'revoked', 'revoked'],
    ['revoked', 'good', 'revoked'],
    ['revoked', 'revoked', 'revoked'],
    ['unknown', 'revoked', 'revoked'],
    ['revoked', 'unknown', 'revoked'],
    ['unknown', 'unknown', 'crl-missing ocsp-unknown'],
    ['stale', 'unknown', 'crl-expired ocsp-unknown'],
    ['stale', 'stale', 'crl-expired ocsp-expired'],
  ])('a list says %s, a response says %s: %s', (crl, ocsp, expected) => {
    expect(outcomeOf(decide(crl, ocsp))).toBe(expected)
  })

  test('both are named as evidence, and a current one spares a stale one its warning', () => {
    const verdict = decide('good', 'good')
    const by = verdict.ok && verdict.verified ? verdict.revocation : []
    expect(by).toMatchObject([{ evidence: [{ by: 'crl' }, { by: 'ocsp' }] }])
    const rule = { onStale: { allowFor: 2 * week } }
    expect(decide('stale', 'good', rule)).toMatchObject({ ok: true, warnings: [] })
    expect(decide('good', 'stale', rule)).toMatchObject({ ok: true, warnings: [] })
    expect(decide('stale', 'stale', rule)).toMatchObject({
      ok: true,
      warnings: [{ code: 'revocation-stale' }],
    })
  })

  test('what nobody could judge is not made good by the other one', async () => {
    const forged = await Promise.all(
      Array.from({ length: 110 }, () =>
        root.issueCrl({ revoked: [direct], signingKey: 'P-256#50' }),
      ),
    )
    const responses = { ocspResponses: parseOcspResponses(kinds.good.ocsp.der) }
    const rule = { mode: 'crl-or-ocsp', onUnknown: 'allow', ...responses }
    expect(outcome(direct, root, forged, { rule })).toBe('crl-signature:budget-exhausted')
  })

  test('a delegate of the responder that a list revokes does not answer', async () => {
    const responder = await root.issueOcspResponder('Responder', { ocspNoCheck: 'absent' })
    const response = await root.issueOcspResponse({ responses: [direct], signer: responder })
    const rule = { mode: 'crl-or-ocsp', ocspResponses: parseOcspResponses(response.der) }
    expect(outcome(direct, root, [await other.issueCrl()], { rule })).toBe('good')
    const only = { issuingDistributionPoint: { onlyContainsCACerts: true } }
    const list = await root.issueCrl({ ...only, revoked: [responder] })
    expect(outcome(direct, root, [list], { rule })).toBe(
      'crl-out-of-scope:ca-certificates ocsp-responder-revoked',
    )
  })
})

describe('both drivers', async () => {
  test.each<readonly [string, readonly IssuedCrl[]]>([
    ['good', [ofRoot, ofIssuing]],
    ['missing', [ofIssuing]],
    ['revoked', [ofRoot, await issuing.issueCrl({ revoked: [client] })]],
    ['forged', [ofRoot, await issuing.issueCrl({ signingKey: 'P-256#50' })]],
  ])('%s: sync and async say the same', async (_, lists) => {
    const options = () => ({
      trustAnchors: parseTrustAnchors(root.pem),
      time: new Date(testTime * 1000),
      revocation: { mode: 'crl', crls: parseCrls(lists.map(({ der }) => der)) } as const,
    })
    const chain = [client.der, issuing.der]
    const atOnce = validateClientCertificateSync(chain, options())
    const later = await validateClientCertificate(chain, options())
    expect(outcomeOf(later)).toBe(outcomeOf(atOnce))
    expect(later.ok && later.verified && later.revocation).toEqual(
      atOnce.ok && atOnce.verified && atOnce.revocation,
    )
  })
})
