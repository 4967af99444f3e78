/** When a list is fetched again. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { freshFor, retryAfter } from '../../../src/runtime/revocation/freshness.ts'
import { refreshDelay, retryDelay } from '../../../src/runtime/revocation/schedule.ts'

const now = Date.parse('2026-11-24T00:00:00Z')
const rule = { fraction: 0.5, minimum: 1_000, maximum: 86_400_000 }
const retry = { first: 1_000, maximum: 60_000 }
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

describe('the next fetch', () => {
  test.each([
    ['in half of what is left', { nextUpdate: now / 1000 + 1_000, freshFor: undefined }, 500_000],
    [
      'a day later at the latest',
      { nextUpdate: now / 1000 + 1e7, freshFor: undefined },
      86_400_000,
    ],
    ['an hour later without nextUpdate', { nextUpdate: undefined, freshFor: undefined }, 3_600_000],
    ['earlier when HTTP says so', { nextUpdate: now / 1000 + 1_000, freshFor: 60_000 }, 60_000],
    ['no later when HTTP says so', { nextUpdate: now / 1000 + 1_000, freshFor: 1e9 }, 500_000],
    ['not at once when HTTP says so', { nextUpdate: now / 1000 + 1_000, freshFor: 0 }, 1_000],
    ['soon when it has run out', { nextUpdate: now / 1000 - 5, freshFor: undefined }, 1_000],
  ])('is %s', (_when, held, delay) => {
    expect(refreshDelay(held, rule, now, 0)).toBe(delay)
  })

  test('is before nextUpdate, and after the minimum, whatever chance and HTTP say', () => {
    const fresh = fc.option(fc.nat(1e9), { nil: undefined })
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 1e7 }), fresh, chance, (left, freshFor, random) => {
        const delay = refreshDelay({ nextUpdate: now / 1000 + left, freshFor }, rule, now, random)
        expect(delay).toBeGreaterThanOrEqual(rule.minimum)
        expect(delay).toBeLessThanOrEqual((left * 1000) / 2)
      }),
    )
  })

  test('differs from one member of a fleet to the next', () => {
    const held = { nextUpdate: now / 1000 + 1_000, freshFor: undefined }
    expect(refreshDelay(held, rule, now, 0.5)).toBe(450_000)
  })
})

describe('after a failure the next try', () => {
  test.each([
    [1, 500],
    [2, 1_000],
    [3, 2_000],
    [7, 30_000],
    [1_000, 30_000],
  ])('number %i comes after %i ms at the least', (failures, delay) => {
    expect(retryDelay(failures, retry, 0, undefined)).toBe(delay)
  })

  test.each([
    ['waits as long as the server asks', 1, 20_000, 20_000],
    ['waits no longer than the maximum', 1, 1e9, 60_000],
    ['waits no less than it would', 7, 0, 30_000],
  ])('%s', (_what, failures, asked, delay) => {
    expect(retryDelay(failures, retry, 0, asked)).toBe(delay)
  })

  test('is never later than the maximum and never earlier than half the first delay', () => {
    const asked = fc.option(fc.nat(1e9), { nil: undefined })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), chance, asked, (failures, random, after) => {
        const delay = retryDelay(failures, retry, random, after)
        expect(delay).toBeGreaterThanOrEqual(500)
        expect(delay).toBeLessThanOrEqual(60_000)
      }),
    )
  })
})

describe('HTTP says how long an answer is fresh', () => {
  test.each([
    [{}, undefined],
    [{ 'cache-control': 'max-age=60' }, 60_000],
    [{ 'cache-control': 'public, Max-Age=60, must-revalidate' }, 60_000],
    [{ 'cache-control': 'max-age="60"' }, 60_000],
    [{ 'cache-control': 'max-age=60', age: '50' }, 10_000],
    [{ 'cache-control': 'max-age=60', age: '90' }, 0],
    [{ 'cache-control': 'max-age=60', age: 'x' }, 0],
    [{ 'cache-control': 'max-age=-1' }, 0],
    [{ 'cache-control': 'no-cache' }, 0],
    [{ 'cache-control': 'max-age=60, no-store' }, 0],
    [{ 'cache-control': 'public' }, undefined],
    [{ expires: 'Tue, 24 Nov 2026 00:01:00 GMT' }, 60_000],
    [{ expires: 'Tue, 24 Nov 2026 00:01:00 GMT', date: 'Tue, 24 Nov 2026 00:00:30 GMT' }, 30_000],
    [{ expires: '0' }, 0],
    [{ expires: 'Mon, 23 Nov 2026 00:00:00 GMT' }, 0],
    [{ 'cache-control': 'max-age=60', expires: '0' }, 60_000],
  ])('%j: %s', (headers, milliseconds) => {
    expect(freshFor(headers, now)).toBe(milliseconds)
  })
})

test.each([
  [undefined, undefined],
  ['120', 120_000],
  ['Tue, 24 Nov 2026 00:01:00 GMT', 60_000],
  ['Mon, 23 Nov 2026 00:01:00 GMT', 0],
  ['soon', undefined],
])('Retry-After: %s is %s', (text, milliseconds) => {
  const headers = text === undefined ? {} : { 'retry-after': text }
  expect(retryAfter(headers, now)).toBe(milliseconds)
})
