import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CrlOptions, issueCa, issueCrl, testTime } from '../../src/testing/index.ts'
import { type Bytes, day, judge, outcomeOf, thisUpdate, week } from './crl-support.ts'

const root = await issueCa('Root CA')
const issuing = await root.issueCa('Issuing CA')
const client = await issuing.issue('client-a')
const other = await issuing.issue('client-b')
const neighbour = await root.issueCa('Neighbour CA')
const apart = await issuing.issue('Issuing CA', {
  keyUsage: ['cRLSign'],
  extendedKeyUsage: 'absent',
  key: 'P-256#21',
})
const { serialNumber } = client.tbsCertificate

const shapes: readonly CrlOptions[] = [
  {},
  { cRLNumber: 'absent' },
  { version: 1 },
  { thisUpdate: thisUpdate - 3 * week, nextUpdate: thisUpdate - 2 * week },
  { thisUpdate: testTime + day, nextUpdate: testTime + week },
  { nextUpdate: 'absent' },
  { baseCRLNumber: 5 },
  { authorityKeyIdentifier: 'absent' },
  { issuingDistributionPoint: { onlyContainsUserCerts: true } },
  { issuingDistributionPoint: { onlyContainsCACerts: true } },
  { issuingDistributionPoint: { uri: 'http://a/' } },
  { issuingDistributionPoint: { indirectCRL: true } },
  { issuingDistributionPoint: { onlySomeReasons: ['keyCompromise'] } },
  { issuingDistributionPoint: { onlySomeReasons: ['superseded'] } },
  { signingKey: 'P-256#50' },
  { rawExtensions: [{ oid: '1.2.3', critical: true, value: Uint8Array.of(5, 0) }] },
]

async function listsOf(revoked: CrlOptions['revoked']): Promise<readonly Bytes[]> {
  const withEntries = revoked === undefined ? {} : { revoked }
  const lists: Bytes[] = []
  for (const [i, shape] of shapes.entries()) {
    const options = { cRLNumber: 5 + i, ...shape, ...withEntries }
    if (shape.version !== 1) lists.push(await issuing.issueCrl(options))
    else lists.push(await issuing.issueCrl({ version: 1, ...(revoked && { revoked: [client] }) }))
  }
  return lists
}

const byApart = async (revoked: NonNullable<CrlOptions['revoked']>) =>
  issueCrl(apart, { issuer: issuing.tbsCertificate.subject.der, revoked })

const clean = await listsOf(undefined)
const onHold = (await listsOf([{ serialNumber, reason: 'certificateHold' }])).filter(
  (_, i) => shapes[i]?.version !== 1,
)
const lifted = (await listsOf([{ serialNumber, reason: 'removeFromCRL' }])).filter(
  (_, i) => shapes[i]?.version !== 1,
)
const others = (await listsOf([other])).filter((_, i) => shapes[i]?.version !== 1)
const ofRoot = [await root.issueCrl(), await root.issueCrl({ cRLNumber: 50, thisUpdate: testTime })]
const unrelated: readonly Bytes[] = [
  await neighbour.issueCrl({ revoked: [client] }),
  await neighbour.issueCrl({ signingKey: 'P-256#51' }),
  await (await issueCa('Stranger CA')).issueCrl({ revoked: [client] }),
]
const anything = [
  ...clean,
  await byApart([other]),
  await byApart([]),
  ...onHold,
  ...lifted,
  ...others,
  ...ofRoot,
  ...unrelated,
]
const given = { sent: [issuing], known: [apart] }

const rule = fc.record({
  onUnknown: fc.constantFrom('deny', 'allow'),
  onStale: fc.constantFrom('deny', { allowFor: 10 * week }),
  maxAge: fc.constantFrom(undefined, day, 100 * week),
  depth: fc.constantFrom('path', 'target'),
  perIssuer: fc.constantFrom({}, { 'CN=Root CA': { mode: 'none' } }),
})
const some = fc.shuffledSubarray(anything, { maxLength: 8 })

describe('whatever lists there are', async () => {
  /** Signed by the CA or by whom it lets sign; those that nobody may use, and those of the future, are not among them. */
  const reasons = ['keyCompromise', 'superseded', 'unspecified', undefined] as const
  const revoking: Bytes[] = []
  for (const reason of reasons) {
    const all = await listsOf([{ serialNumber, ...(reason && { reason }) }])
    revoking.push(...all.filter((_, i) => !isOfNoUse(shapes[i])))
  }

  test('whoever a list of its CA revokes is never accepted, with any others, in any order, under any rule', () => {
    fc.assert(
      fc.property(fc.constantFrom(...revoking), some, fc.nat(8), rule, (list, lists, at, one) => {
        const all = [...lists.slice(0, at), list, ...lists.slice(at)]
        const verdict = judge(client, root, all, { ...given, rule: one })
        expect(outcomeOf(verdict)).toBe('revoked')
      }),
      { numRuns: 200 },
    )
  })

  test('nor whom a list of its CA revokes that a separate key has signed', async () => {
    const list = await byApart([client])
    fc.assert(
      fc.property(some, rule, (lists, one) => {
        expect(judge(client, root, [...lists, list], { ...given, rule: one }).ok).toBe(false)
      }),
      { numRuns: 200 },
    )
  })

  test('the order of the lists changes nothing', () => {
    fc.assert(
      fc.property(some, rule, fc.infiniteStream(fc.nat()), (lists, one, keys) => {
        const turned = lists
          .map((list) => ({ list, key: keys.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .map(({ list }) => list)
        const all = { ...given, rule: one }
        expect(judge(client, root, turned, all)).toEqual(judge(client, root, lists, all))
      }),
      { numRuns: 150 },
    )
  })

  test('an unrelated list changes nothing', () => {
    fc.assert(
      fc.property(some, rule, fc.constantFrom(...unrelated), (lists, one, list) => {
        const without = lists.filter((each) => !unrelated.includes(each))
        const all = { ...given, rule: one }
        expect(judge(client, root, [list, ...without], all)).toEqual(
          judge(client, root, without, all),
        )
      }),
      { numRuns: 200 },
    )
  })

  test('whoever is accepted has a status for each certificate, and a reason for what is not good', () => {
    fc.assert(
      fc.property(some, rule, (lists, one) => {
        const verdict = judge(client, root, lists, { ...given, rule: one })
        if (!verdict.ok || !verdict.verified) return
        expect(verdict.revocation).toHaveLength(verdict.path.length)
        for (const status of verdict.revocation) {
          expect(status.status).not.toBe('revoked')
          if (status.status === 'unknown') {
            expect(one.onUnknown).toBe('allow')
            expect(status.problems.length).toBeGreaterThan(0)
          }
          if (status.status === 'good') expect(status.evidence.length).toBeGreaterThan(0)
        }
        const time = testTime * 1000
        expect(verdict.validFrom.getTime()).toBeLessThanOrEqual(time)
        expect(verdict.validUntil.getTime()).toBeGreaterThanOrEqual(time)
      }),
      { numRuns: 200 },
    )
  })

  test('until `validUntil` the same is accepted', () => {
    fc.assert(
      fc.property(some, rule, (lists, one) => {
        const all = { ...given, rule: one }
        const verdict = judge(client, root, lists, all)
        if (!verdict.ok || !verdict.verified) return
        const later = verdict.validUntil.getTime() / 1000 - testTime
        expect(judge(client, root, lists, { ...all, later }).ok).toBe(true)
      }),
      { numRuns: 150 },
    )
  })
})

function isOfNoUse(shape: CrlOptions | undefined): boolean {
  const { thisUpdate: made, signingKey, rawExtensions } = shape ?? {}
  return made === testTime + day || signingKey !== undefined || rawExtensions !== undefined
}
