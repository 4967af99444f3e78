import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { currencyOf } from '../../src/revocation/currency.ts'

const rule = { time: 1_000, clockTolerance: 0, maxAge: undefined, staleFor: 0 }

describe('whether a list or a response counts, RFC 5280 §5.1.2.4 and RFC 5280 §5.1.2.5', () => {
  test.each([
    [{ thisUpdate: 1_001, nextUpdate: 2_000 }, {}, { state: 'not-yet-valid' }],
    [
      { thisUpdate: 1_001, nextUpdate: 2_000 },
      { clockTolerance: 1 },
      { state: 'current', until: 2_001 },
    ],
    [{ thisUpdate: 1_000, nextUpdate: 1_000 }, {}, { state: 'current', until: 1_000 }],
    [{ thisUpdate: 500, nextUpdate: 999 }, {}, { state: 'expired' }],
    [
      { thisUpdate: 500, nextUpdate: 999 },
      { clockTolerance: 1 },
      { state: 'current', until: 1_000 },
    ],
    [{ thisUpdate: 500, nextUpdate: 999 }, { staleFor: 1 }, { state: 'stale', until: 1_000 }],
    [{ thisUpdate: 500, nextUpdate: 998 }, { staleFor: 1 }, { state: 'expired' }],
    [{ thisUpdate: 500, nextUpdate: undefined }, {}, { state: 'too-old' }],
    [{ thisUpdate: 500, nextUpdate: undefined }, { staleFor: 9_999 }, { state: 'too-old' }],
    [
      { thisUpdate: 500, nextUpdate: undefined },
      { maxAge: 500 },
      { state: 'current', until: 1_000 },
    ],
    [{ thisUpdate: 500, nextUpdate: undefined }, { maxAge: 499 }, { state: 'too-old' }],
    [
      { thisUpdate: 500, nextUpdate: undefined },
      { maxAge: 499, staleFor: 1 },
      { state: 'stale', until: 1_000 },
    ],
    [{ thisUpdate: 500, nextUpdate: 2_000 }, { maxAge: 100 }, { state: 'too-old' }],
    [{ thisUpdate: 500, nextUpdate: 600 }, { maxAge: 200 }, { state: 'expired' }],
    [{ thisUpdate: 1_000, nextUpdate: 2_000 }, { maxAge: 0 }, { state: 'current', until: 1_000 }],
  ])('%j under %j', (updates, changes, expected) => {
    expect(currencyOf(updates, { ...rule, ...changes })).toEqual(expected)
  })

  test('what counts does so up to `until`, and not a second longer in the same state', () => {
    const small = fc.nat(50)
    fc.assert(
      fc.property(small, fc.option(small), fc.option(small), small, small, small, (...numbers) => {
        const [thisUpdate, next, age, clockTolerance, staleFor, time] = numbers
        const updates = { thisUpdate, nextUpdate: next === null ? undefined : thisUpdate + next }
        const maxAge = age ?? undefined
        const at = (second: number) =>
          currencyOf(updates, { time: second, clockTolerance, maxAge, staleFor })
        const found = at(time)
        if ('until' in found) {
          expect(at(found.until)).toEqual(found)
          expect(at(found.until + 1).state).not.toBe(found.state)
        }
      }),
    )
  })
})
