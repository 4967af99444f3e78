/** Calendar arithmetic in whole Unix seconds, without a clock and without `Date`'s leniency. @module */

const daysBeforeMonth = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]
const daysInMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/**
 * Unix seconds of a UTC date in the proleptic Gregorian calendar, years 0 to 9999.
 *
 * @param month - 1 to 12.
 * @returns `undefined` for a date that does not exist (30 February, hour 24, second 60).
 */
export function unixSeconds(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number | undefined {
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) return undefined
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const length = (daysInMonth[month - 1] as number) + (leap && month === 2 ? 1 : 0)
  if (day < 1 || day > length) return undefined
  const before = year - 1
  const days =
    365 * year +
    (year > 0
      ? Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400) + 1
      : 0) +
    (daysBeforeMonth[month - 1] as number) +
    (leap && month > 2 ? 1 : 0) +
    day -
    719529
  return days * 86400 + hour * 3600 + minute * 60 + second
}

/** ISO 8601 in UTC with whole seconds, for people: `2026-11-23T22:00:00Z`. */
export function formatTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}
