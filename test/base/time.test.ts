import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatTime, unixSeconds } from '../../src/base/time.ts'

describe('Unix seconds of a date', () => {
  test('the same as Date, from year 0 to 9999', () => {
    const min = new Date('0000-01-01T00:00:00Z')
    const max = new Date('9999-12-31T23:59:59Z')
    fc.assert(
      fc.property(fc.date({ min, max, noInvalidDate: true }), (date) => {
        const seconds = unixSeconds(
          date.getUTCFullYear(),
          date.getUTCMonth() + 1,
          date.getUTCDate(),
          date.getUTCHours(),
          date.getUTCMinutes(),
          date.getUTCSeconds(),
        )
        expect(seconds).toBe(Math.floor(date.getTime() / 1000))
      }),
      { numRuns: 2_000 },
    )
  })
  test.each([0, 1, 4, 100, 400, 1900, 1970, 2000, 2024, 2023, 2100, 9999])(
    'every first and last day of a month in %i',
    (year) => {
      for (let month = 1; month <= 12; month++) {
        const first = new Date(0)
        first.setUTCFullYear(year, month - 1, 1)
        expect(unixSeconds(year, month, 1, 0, 0, 0)).toBe(first.getTime() / 1000)
        const last = new Date(0)
        last.setUTCFullYear(year, month, 0)
        const day = last.getUTCDate()
        expect(unixSeconds(year, month, day, 23, 59, 59)).toBe(last.getTime() / 1000 + 86_399)
        expect(unixSeconds(year, month, day + 1, 0, 0, 0)).toBeUndefined()
      }
    },
  )
  test.each<[number, number, number, number, number, number]>([
    [2024, 0, 1, 0, 0, 0],
    [2024, 13, 1, 0, 0, 0],
    [2024, 1, 0, 0, 0, 0],
    [2024, 1, 1, 24, 0, 0],
    [2024, 1, 1, 0, 60, 0],
    [2024, 1, 1, 0, 0, 60],
    [1900, 2, 29, 0, 0, 0],
    [2023, 2, 29, 0, 0, 0],
  ])('%i-%i-%i %i:%i:%i is none', (...fields) => {
    expect(unixSeconds(...fields)).toBeUndefined()
  })
  test('for people', () => {
    expect(formatTime(0)).toBe('1970-01-01T00:00:00Z')
    expect(formatTime(2_524_607_999)).toBe('2049-12-31T23:59:59Z')
  })
})
