import { describe, expect, test } from 'vitest'
import { type CrlOptions, issueCa, testTime } from '../../src/testing/index.ts'
import { day, hour, judge, nextUpdate, outcome, thisUpdate, week } from './crl-support.ts'

const root = await issueCa('Root CA')
const client = await root.issue('client-a')
const serialNumber = client.tbsCertificate.serialNumber
const other = await issueCa('Other CA')

const past = { thisUpdate: thisUpdate - 2 * week, nextUpdate: thisUpdate - week }
const onHold = { revoked: [{ serialNumber, reason: 'certificateHold' }] } as const
const lifted = { revoked: [{ serialNumber, reason: 'removeFromCRL' }] } as const
const complete = (cRLNumber: number, options: CrlOptions = {}) =>
  root.issueCrl({ cRLNumber, ...options })
const delta = (baseCRLNumber: number, cRLNumber: number, options: CrlOptions = {}) =>
  root.issueDeltaCrl({ baseCRLNumber, cRLNumber, ...options })

const base = await complete(5)

describe('complete lists', () => {
  test('good, with evidence and how long it holds', () => {
    const verdict = judge(client, root, [base])
    expect(verdict).toMatchObject({
      ok: true,
      validFrom: new Date(thisUpdate * 1000),
      validUntil: new Date(nextUpdate * 1000),
      warnings: [],
      revocation: [
        {
          status: 'good',
          index: 0,
          stale: false,
          evidence: [
            {
              by: 'crl',
              issuer: root.tbsCertificate.subject,
              thisUpdate,
              nextUpdate,
              age: hour,
              delta: undefined,
            },
          ],
        },
      ],
    })
  })

  test('revoked, with everything that the entry says', async () => {
    const list = await complete(6, {
      revoked: [
        {
          serialNumber,
          revocationDate: 1_700_000_000,
          reason: 'keyCompromise',
          invalidityDate: 1_600_000_000,
        },
      ],
    })
    expect(judge(client, root, [list])).toMatchObject({
      ok: false,
      failure: {
        code: 'certificate-revoked',
        index: 0,
        revocationDate: 1_700_000_000,
        reason: 'keyCompromise',
        invalidityDate: 1_600_000_000,
        evidence: { by: 'crl', thisUpdate, nextUpdate, age: hour },
      },
    })
  })

  test.each([
    'unspecified',
    'keyCompromise',
    'cACompromise',
    'affiliationChanged',
    'superseded',
    'cessationOfOperation',
    'certificateHold',
    'removeFromCRL',
    'privilegeWithdrawn',
    'aACompromise',
  ] as const)('reason %s in a complete list refuses', async (reason) => {
    const list = await complete(6, { revoked: [{ serialNumber, reason }] })
    expect(outcome(client, root, [list])).toBe('revoked')
    expect(outcome(client, root, [list, base])).toBe('revoked')
  })

  test('no list, and the list of another CA', async () => {
    const foreign = await other.issueCrl({ revoked: [client] })
    expect(outcome(client, root, [])).toBe('crl-missing')
    expect(outcome(client, root, [foreign])).toBe('crl-missing')
    expect(outcome(client, root, [foreign, base])).toBe('good')
  })

  test('another certificate with a serial number that begins like this one', async () => {
    const longer = await root.issue('client-b', { serialNumber: 0x1234 })
    const list = await complete(6, {
      revoked: [{ serialNumber: 0x12 }, { serialNumber: 0x123456 }],
    })
    expect(outcome(longer, root, [list])).toBe('good')
  })

  test('a list of version 1 counts, and not under profile rfc5280', async () => {
    const first = await root.issueCrl({ version: 1 })
    expect(outcome(client, root, [first])).toBe('good')
    expect(outcome(client, root, [first], { options: { profile: 'rfc5280' } })).toBe(
      'crl-malformed',
    )
    const revoking = await root.issueCrl({ version: 1, revoked: [client] })
    expect(outcome(client, root, [revoking], { options: { profile: 'rfc5280' } })).toBe('revoked')
  })

  test.each([
    ['cRLNumber', { cRLNumber: 'absent' }],
    ['authorityKeyIdentifier', { authorityKeyIdentifier: 'absent' }],
  ] as const)('what profile rfc5280 asks for: %s', async (_, options) => {
    const list = await root.issueCrl(options)
    expect(outcome(client, root, [list])).toBe('good')
    expect(outcome(client, root, [list], { options: { profile: 'rfc5280' } })).toBe('crl-malformed')
    expect(outcome(client, root, [base], { options: { profile: 'rfc5280' } })).toBe('good')
  })
})

describe('time, RFC 5280 §6.3.3 (a)', () => {
  const expired = { code: 'crl-expired' }
  test.each([
    [-hour - 1, 'crl-not-yet-valid'],
    [-hour, 'good'],
    [0, 'good'],
    [week - hour, 'good'],
    [week - hour + 1, expired.code],
  ])('%i seconds after the clock of the test PKI: %s', (later, expected) => {
    expect(outcome(client, root, [base], { later })).toBe(expected)
  })

  test('a tolerance widens both ends', () => {
    const options = { clockTolerance: 60 }
    expect(outcome(client, root, [base], { options, later: -hour - 60 })).toBe('good')
    expect(outcome(client, root, [base], { options, later: -hour - 61 })).toBe('crl-not-yet-valid')
    expect(outcome(client, root, [base], { options, later: week - hour + 60 })).toBe('good')
    expect(outcome(client, root, [base], { options, later: week - hour + 61 })).toBe('crl-expired')
    expect(judge(client, root, [base], { options })).toMatchObject({
      validFrom: new Date((thisUpdate - 60) * 1000),
      validUntil: new Date((nextUpdate + 60) * 1000),
    })
  })

  test('an expired list revokes all the same, one of the future does not yet', async () => {
    expect(outcome(client, root, [await complete(1, { ...past, revoked: [client] }), base])).toBe(
      'revoked',
    )
    const soon = { thisUpdate: testTime + hour, nextUpdate: testTime + week }
    const future = await complete(9, { ...soon, revoked: [client] })
    expect(outcome(client, root, [future])).toBe('crl-not-yet-valid')
    const verdict = judge(client, root, [base, future])
    expect(verdict).toMatchObject({
      ok: true,
      validUntil: new Date((testTime + hour - 1) * 1000),
    })
    expect(outcome(client, root, [base, future], { later: hour })).toBe('revoked')
  })

  test('within onStale an expired list counts, with a warning, and no longer', async () => {
    const list = await complete(4, past)
    const rule = { onStale: { allowFor: week + 2 * hour } }
    const verdict = judge(client, root, [list], { rule })
    expect(verdict).toMatchObject({
      ok: true,
      revocation: [{ status: 'good', stale: true }],
      warnings: [{ code: 'revocation-stale', index: 0 }],
      validUntil: new Date((past.nextUpdate + rule.onStale.allowFor) * 1000),
    })
    expect(outcome(client, root, [list], { rule, later: hour })).toBe('good')
    expect(outcome(client, root, [list], { rule, later: hour + 1 })).toBe('crl-expired')
    const fresh = judge(client, root, [list, base], { rule })
    expect(fresh).toMatchObject({ warnings: [], revocation: [{ stale: false }] })
    expect(judge(client, root, [base, list], { rule })).toEqual(fresh)
  })

  test('maxAge shortens what nextUpdate says, and stands in where it says nothing', async () => {
    const forever = await complete(5, { nextUpdate: 'absent' })
    expect(outcome(client, root, [forever])).toBe('crl-too-old')
    const rule = { maxAge: 2 * hour }
    for (const list of [forever, base]) {
      expect(outcome(client, root, [list], { rule, later: hour })).toBe('good')
      expect(outcome(client, root, [list], { rule, later: hour + 1 })).toBe('crl-too-old')
      expect(judge(client, root, [list], { rule })).toMatchObject({
        validUntil: new Date((thisUpdate + 2 * hour) * 1000),
      })
    }
    expect(outcome(client, root, [base], { rule: { maxAge: 10 * week }, later: week })).toBe(
      'crl-expired',
    )
  })

  test('the newest list decides, in whatever order they come', async () => {
    const older = await complete(4, { thisUpdate: thisUpdate - day, nextUpdate: nextUpdate + day })
    const verdict = judge(client, root, [older, base])
    expect(verdict).toMatchObject({ revocation: [{ evidence: [{ thisUpdate }] }] })
    expect(judge(client, root, [base, older])).toEqual(verdict)
  })
})

describe('delta lists, RFC 5280 §5.2.4 and RFC 5280 §6.3.3 (c), (h), (i), (k)', () => {
  test('a delta without its base never counts', async () => {
    expect(outcome(client, root, [await delta(5, 6)])).toBe('crl-delta-without-base')
    expect(outcome(client, root, [await delta(5, 6), await delta(5, 7)])).toBe(
      'crl-delta-without-base crl-delta-without-base',
    )
  })

  test('beside its base it is named, and narrows how long the answer holds', async () => {
    const beside = await delta(5, 6, { thisUpdate: testTime - 60, nextUpdate: testTime + 600 })
    for (const lists of [
      [base, beside],
      [beside, base],
    ]) {
      expect(judge(client, root, lists)).toMatchObject({
        ok: true,
        validFrom: new Date((testTime - 60) * 1000),
        validUntil: new Date((testTime + 600) * 1000),
        revocation: [
          {
            evidence: [
              { thisUpdate, delta: { thisUpdate: testTime - 60, nextUpdate: testTime + 600 } },
            ],
          },
        ],
      })
    }
  })

  test('revoked in a delta alone', async () => {
    const beside = await delta(5, 6, { revoked: [client] })
    expect(outcome(client, root, [base, beside])).toBe('revoked')
    expect(outcome(client, root, [beside, base])).toBe('revoked')
    // Without its base it is still signed by the CA.
    expect(outcome(client, root, [beside])).toBe('revoked')
  })

  test('an expired delta says nothing good, and still revokes', async () => {
    const old = { thisUpdate: thisUpdate - week, nextUpdate: thisUpdate }
    const expired = await delta(5, 6, old)
    expect(judge(client, root, [base, expired])).toMatchObject({
      ok: true,
      revocation: [{ evidence: [{ delta: undefined }] }],
    })
    expect(outcome(client, root, [base, await delta(5, 6, { ...old, revoked: [client] })])).toBe(
      'revoked',
    )
  })

  test('a current delta brings a base up to date that ran out, RFC 5280 §5.2.4', async () => {
    const old = await complete(5, past)
    expect(outcome(client, root, [old, await delta(5, 6)])).toBe('good')
    expect(outcome(client, root, [await delta(5, 6), old])).toBe('good')
    expect(outcome(client, root, [old, await delta(6, 7)])).toBe(
      'crl-delta-without-base crl-expired',
    )
    expect(outcome(client, root, [old, await delta(5, 6, past)])).toBe('crl-expired')
    const forged = await delta(5, 6, { signingKey: 'P-256#50' })
    expect(outcome(client, root, [old, forged])).toBe('crl-signature:signature-invalid crl-expired')
  })

  test('a forged base does not make a delta count', async () => {
    const forged = await complete(5, { signingKey: 'P-256#50' })
    expect(outcome(client, root, [forged, await delta(5, 6)])).toBe(
      'crl-signature:signature-invalid',
    )
  })

  test.each([
    ['older than BaseCRLNumber', 6, 8, 5],
    ['as new as the delta', 3, 5, 5],
    ['newer than the delta', 2, 4, 5],
  ])('a base that is %s is none', async (_, from, number, numberOfBase) => {
    const held = await complete(numberOfBase, onHold)
    expect(outcome(client, root, [held, await delta(from, number, lifted)])).toBe('revoked')
    const clean = await complete(numberOfBase)
    expect(judge(client, root, [clean, await delta(from, number)])).toMatchObject({
      revocation: [{ evidence: [{ delta: undefined }] }],
    })
  })

  test('numbers of more octets are larger', async () => {
    const held = await complete(0x80, onHold)
    expect(outcome(client, root, [held, await delta(0x7f, 0x100, lifted)])).toBe('good')
    expect(outcome(client, root, [held, await delta(0x81, 0x100, lifted)])).toBe('revoked')
  })

  test('the latest of several deltas is the one', async () => {
    const lists = [
      base,
      await delta(5, 6),
      await delta(5, 8, { nextUpdate: testTime + 60 }),
      await delta(5, 7),
    ]
    const expected = { revocation: [{ evidence: [{ delta: { nextUpdate: testTime + 60 } }] }] }
    expect(judge(client, root, lists)).toMatchObject(expected)
    expect(judge(client, root, lists.toReversed())).toMatchObject(expected)
  })

  test.each<readonly [string, CrlOptions]>([
    ['another scope', { issuingDistributionPoint: { onlyContainsUserCerts: true } }],
    ['another key', { authorityKeyIdentifier: { keyIdentifier: Uint8Array.of(1, 2) } }],
    ['no key identifier', { authorityKeyIdentifier: 'absent' }],
    ['no number', { cRLNumber: 'absent' }],
    ['another signature', { signingKey: 'P-256#50' }],
    [
      'an unknown critical extension',
      { rawExtensions: [{ oid: '1.2.3', critical: true, value: Uint8Array.of(5, 0) }] },
    ],
    ['a time that is past', past],
    ['a time to come', { thisUpdate: testTime + 1, nextUpdate: testTime + day }],
  ])('a delta with %s lifts nothing', async (_, options) => {
    const held = await complete(5, onHold)
    expect(outcome(client, root, [held, await delta(5, 6, { ...lifted, ...options })])).toBe(
      'revoked',
    )
  })

  test('a delta of the same scope and key does', async () => {
    const scope = { issuingDistributionPoint: { onlyContainsUserCerts: true } }
    const held = await complete(5, { ...onHold, ...scope })
    const lists = [held, await delta(5, 6, { ...lifted, ...scope })]
    expect(outcome(client, root, lists)).toBe('good')
  })

  test('more deltas than the local limit: nothing good, and all that revokes', async () => {
    const many = await Promise.all(Array.from({ length: 65 }, (_, i) => delta(5, 6 + i)))
    expect(outcome(client, root, [base, ...many.slice(0, 64)])).toBe('good')
    expect(outcome(client, root, [base, ...many])).toBe('status-limit')
    const rule = { onUnknown: 'allow' }
    expect(outcome(client, root, [base, ...many], { rule })).toBe('unknown')
    const revoking = await delta(5, 90, { revoked: [client] })
    expect(outcome(client, root, [base, ...many, revoking], { rule })).toBe('revoked')
    const held = await complete(5, onHold)
    expect(outcome(client, root, [held, ...many, await delta(5, 90, lifted)], { rule })).toBe(
      'revoked',
    )
  })
})

describe('certificates on hold, RFC 5280 §5.3.1', async () => {
  const held = await complete(5, onHold)
  const later = { thisUpdate: testTime - 60 }

  test('a delta with removeFromCRL takes the hold back', async () => {
    for (const lists of [
      [held, await delta(5, 6, lifted)],
      [await delta(5, 6, lifted), held],
    ]) {
      expect(outcome(client, root, lists)).toBe('good')
    }
  })

  test.each(['keyCompromise', 'superseded', undefined] as const)(
    'and nothing but a hold: reason %s',
    async (reason) => {
      const revoked = await complete(5, { revoked: [{ serialNumber, ...(reason && { reason }) }] })
      expect(outcome(client, root, [revoked, await delta(5, 6, lifted)])).toBe('revoked')
      expect(outcome(client, root, [revoked, await complete(6, later)])).toBe('revoked')
    },
  )

  test('a later complete list without it takes the hold back', async () => {
    expect(outcome(client, root, [held, await complete(6, later)])).toBe('good')
    expect(outcome(client, root, [await complete(6), held])).toBe('good')
  })

  test.each<readonly [string, CrlOptions]>([
    ['earlier', { cRLNumber: 4 }],
    ['of the same number', { cRLNumber: 5 }],
    ['later by number and earlier by time', { thisUpdate: thisUpdate - 1 }],
    ['forged', { signingKey: 'P-256#50' }],
    ['expired', past],
    ['for CA certificates only', { issuingDistributionPoint: { onlyContainsCACerts: true } }],
    [
      'for user certificates only, where the hold was in a whole list',
      { issuingDistributionPoint: { onlyContainsUserCerts: true } },
    ],
    ['of another key', { authorityKeyIdentifier: { keyIdentifier: Uint8Array.of(1, 2) } }],
  ])('a list that is %s does not', async (_, options) => {
    expect(outcome(client, root, [held, await complete(6, options)])).toBe('revoked')
  })

  test('without numbers the time of the lists counts', async () => {
    const first = await root.issueCrl({ cRLNumber: 'absent', ...onHold })
    expect(outcome(client, root, [first, await root.issueCrl({ cRLNumber: 'absent' })])).toBe(
      'revoked',
    )
    expect(
      outcome(client, root, [first, await root.issueCrl({ cRLNumber: 'absent', ...later })]),
    ).toBe('good')
  })

  test('a later list that holds it again says what a delta lifts', async () => {
    const old = await complete(1, { ...past, ...onHold })
    const lists = [old, held, await delta(5, 6, lifted)]
    expect(outcome(client, root, lists)).toBe('good')
    expect(outcome(client, root, lists.toReversed())).toBe('good')
  })

  test('a hold in a delta is lifted by a later delta or a later complete list', async () => {
    const holding = await delta(5, 6, onHold)
    expect(outcome(client, root, [base, holding])).toBe('revoked')
    expect(outcome(client, root, [base, holding, await delta(5, 7, { ...lifted, ...later })])).toBe(
      'good',
    )
    expect(
      outcome(client, root, [base, await delta(5, 7, onHold), await delta(5, 6, lifted)]),
    ).toBe('revoked')
    expect(outcome(client, root, [base, holding, await complete(7, later)])).toBe('good')
  })

  test('whoever is on hold and then revoked stays revoked', async () => {
    const worse = await complete(6, { revoked: [{ serialNumber, reason: 'keyCompromise' }] })
    const lists = [held, worse, await complete(7, later), await delta(5, 8, lifted)]
    expect(outcome(client, root, lists)).toBe('revoked')
    const both = await complete(5, { revoked: [...onHold.revoked, { serialNumber }] })
    expect(outcome(client, root, [both, await complete(7, later)])).toBe('revoked')
  })
})

describe('what cannot be processed, RFC 5280 §5.2 and RFC 5280 §5.3', () => {
  const unknown = { oid: '1.2.3', critical: true, value: Uint8Array.of(5, 0) }

  test('an unknown critical extension of a list, or of any of its entries', async () => {
    expect(outcome(client, root, [await complete(5, { rawExtensions: [unknown] })])).toBe(
      'crl-unknown-critical-extension',
    )
    const ofEntry = { revoked: [{ serialNumber: 99, rawExtensions: [unknown] }] }
    expect(outcome(client, root, [await complete(5, ofEntry)])).toBe(
      'crl-unknown-critical-extension',
    )
    const mine = { revoked: [{ serialNumber, rawExtensions: [unknown] }] }
    expect(outcome(client, root, [await complete(5, mine)])).toBe('crl-unknown-critical-extension')
    expect(outcome(client, root, [await complete(5, mine), base])).toBe('good')
  })

  test('one that is not critical is nothing to refuse for', async () => {
    const harmless = { ...unknown, critical: false }
    const list = await complete(5, {
      rawExtensions: [harmless],
      revoked: [{ serialNumber: 99, rawExtensions: [harmless] }],
    })
    expect(outcome(client, root, [list])).toBe('good')
  })

  test.each([
    ['cRLNumber', true, {}],
    [
      'issuingDistributionPoint',
      false,
      { issuingDistributionPoint: { onlyContainsUserCerts: true } },
    ],
    ['deltaCRLIndicator', false, { baseCRLNumber: 1 }],
  ] as const)(
    '%s critical: %s is against its rule, yet such a list revokes',
    async (name, critical, options) => {
      const wrong = { ...options, criticality: { [name]: critical } }
      const good = name === 'deltaCRLIndicator' ? 'crl-delta-without-base' : 'crl-malformed'
      expect(outcome(client, root, [await complete(5, wrong)])).toBe(good)
      expect(
        outcome(client, root, [base, await complete(6, { ...wrong, revoked: [client] })]),
      ).toBe('revoked')
    },
  )

  test('critical extensions that are processed do no harm', async () => {
    const list = await complete(5, {
      freshestCRL: [{ uri: 'http://a/' }],
      criticality: { freshestCRL: true, authorityKeyIdentifier: true },
    })
    expect(outcome(client, root, [list])).toBe('good')
    const access = { authorityInfoAccess: { caIssuers: 'http://a/' } }
    expect(outcome(client, root, [await complete(5, access)])).toBe('good')
    expect(
      outcome(client, root, [
        await complete(5, { ...access, criticality: { authorityInfoAccess: true } }),
      ]),
    ).toBe('crl-unknown-critical-extension')
  })

  test('a list crowded with one serial number says nothing good', async () => {
    const crowd = Array.from({ length: 1_100 }, () => ({ serialNumber: 99 }))
    expect(outcome(client, root, [await complete(5, { revoked: crowd })])).toBe('crl-malformed')
    const mine = Array.from({ length: 1_100 }, () => ({ serialNumber }))
    expect(outcome(client, root, [base, await complete(5, { revoked: mine })])).toBe('revoked')
  })
})

describe('many lists', () => {
  test('what is listed as a problem has a limit', async () => {
    const old = await Promise.all(
      Array.from({ length: 120 }, (_, i) =>
        complete(i + 1, { ...past, thisUpdate: past.thisUpdate + i }),
      ),
    )
    const verdict = judge(client, root, old)
    const problems = !verdict.ok && 'problems' in verdict.failure ? verdict.failure.problems : []
    expect(problems).toHaveLength(101)
    expect(problems.at(-1)).toEqual({ code: 'status-limit', of: 'problems that are listed' })
  })

  test('of many current lists one signature is enough', async () => {
    const many = await Promise.all(
      Array.from({ length: 150 }, (_, i) => complete(i + 1, { thisUpdate: thisUpdate + i })),
    )
    expect(outcome(client, root, many)).toBe('good')
    expect(outcome(client, root, many.toReversed())).toBe('good')
  })

  test('forged lists that exhaust the signatures leave nobody unrevoked, whatever the rule', async () => {
    const forged = await Promise.all(
      Array.from({ length: 120 }, (_, i) =>
        complete(100 + i, {
          revoked: [client],
          signingKey: 'P-256#50',
          thisUpdate: thisUpdate + 1 + i,
        }),
      ),
    )
    const real = await complete(6, { revoked: [client] })
    const rule = { onUnknown: 'allow' }
    expect(outcome(client, root, [...forged, real], { rule })).toBe(
      'crl-signature:budget-exhausted',
    )
    expect(outcome(client, root, [...forged, base], { rule })).toBe(
      'crl-signature:budget-exhausted',
    )
    expect(outcome(client, root, [...forged.slice(0, 50), real], { rule })).toBe('revoked')
    expect(outcome(client, root, [...forged.slice(0, 50), base], { rule })).toBe('good')
  })
})
