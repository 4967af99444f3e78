import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createKillList } from '../../src/revocation/kill-list.ts'
import { expectedProblems, judgeUnchanged, runStatusFuzz } from './fuzz/status-run.ts'

const count = process.env.SLOW === '1' ? 200_000 : 10_000

describe(`${count} mutated lists and responses`, async () => {
  const report = await runStatusFuzz(count, 20_261_123)

  test('nothing throws', () => {
    expect(report.thrown.slice(0, 5)).toEqual([])
  })

  test('no client is good but by what an independent reading says is signed, current, for it and does not revoke it', () => {
    expect(report.turned.slice(0, 5)).toEqual([])
    expect(report.outcomes.get('good')).toBeGreaterThan(count / 10)
  })

  test('no client is called revoked whom nothing revokes that is signed by whom it should be', () => {
    expect(report.slandered.slice(0, 5)).toEqual([])
    expect(report.outcomes.get('revoked')).toBeGreaterThan(count / 10)
  })

  test('at least half were signed again after the change', () => {
    expect(report.resigned).toBeGreaterThan(count / 2)
  })

  test('every reason why a list or a response does not count shows up', () => {
    const least = count / 10_000
    expect(expectedProblems.filter((code) => (report.problems.get(code) ?? 0) < least)).toEqual([])
  })
})

test('unchanged lists and responses decide as the independent reading does', async () => {
  const judged = await judgeUnchanged()
  expect(judged.filter(({ oracle, verdict }) => oracle !== verdict)).toEqual([])
  expect(new Set(judged.map(({ verdict }) => verdict))).toEqual(
    new Set(['good', 'revoked', 'unknown']),
  )
})

test('the same seed gives the same report', async () => {
  expect(await runStatusFuzz(200, 7)).toEqual(await runStatusFuzz(200, 7))
})

describe('what is no kill list entry', () => {
  const fields = fc.constantFrom(
    'issuer',
    'serialNumber',
    'spkiSha256',
    'certificateSha256',
    'certificate',
    'issuerSpkiSha256',
    'note',
    'expires',
    '__proto__',
  )
  const value = fc.oneof(
    fc.jsonValue(),
    fc.string(),
    fc.bigInt(),
    fc.date({ noInvalidDate: false }),
    fc.uint8Array(),
    fc.constantFrom('CN=Example', 'ab'.repeat(32), '0x0a', '-1', undefined, Number.NaN),
  )
  const entry = fc.oneof(
    fc.jsonValue(),
    fc.dictionary(fields, value, { maxKeys: 4 }),
    fc.anything({
      withBigInt: true,
      withDate: true,
      withTypedArray: true,
      withNullPrototype: true,
    }),
  )

  test('is refused by a TypeError with code kill-list-invalid and nothing else', () => {
    let refused = 0
    const property = fc.property(fc.oneof(entry, fc.array(entry, { maxLength: 3 })), (given) => {
      const outcome = outcomeOf(() => createKillList(given as never))
      if (outcome !== 'taken') refused++
      expect(outcome).toBeOneOf(['taken', 'TypeError kill-list-invalid'])
    })
    fc.assert(property, { numRuns: 5_000 })
    expect(refused).toBeGreaterThan(2_500)
  })

  test('leaves the list as it was', () => {
    const property = fc.property(entry, entry, (one, other) => {
      const list = createKillList([{ issuer: 'CN=Example' }])
      for (const change of [() => list.add([one, other] as never), () => list.add(one as never)]) {
        const { size, epoch } = list
        if (outcomeOf(change) === 'taken') continue
        expect([list.size, list.epoch]).toEqual([size, epoch])
      }
    })
    fc.assert(property, { numRuns: 500 })
  })
})

function outcomeOf(change: () => unknown): string {
  try {
    change()
    return 'taken'
  } catch (error) {
    const { code } = error as { readonly code?: unknown }
    return `${(error as Error).constructor.name} ${String(code)}`
  }
}
