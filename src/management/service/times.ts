/** Times in requests: RFC 3339 §5.6. @module */

import { invalidField } from './refusal.ts'

/** Whether there is such a day: `Date` goes on counting where a month has ended. */
export function isTime(text: string): boolean {
  const time = Date.parse(text)
  return !Number.isNaN(time) && new Date(time).toISOString().slice(0, 10) === text.slice(0, 10)
}

export const timeWords = 'a time such as 2026-11-23T22:00:00Z, on a day that there is'

/** In UTC it has a year of four digits, as RFC 3339 wants it. What is no time at all is not for this to say. */
export function isWritableTime(text: string): boolean {
  const time = Date.parse(text)
  return Number.isNaN(time) || (time >= firstTime && time <= lastTime)
}

export const writableTimeWords = 'a time that in UTC is from the year 0 to the year 9999'

/** @throws Refusal `invalid`. */
export function demandToCome(text: string, now: Date, path: string): Date {
  const time = Date.parse(text)
  if (time > now.getTime() && time <= lastTime) return new Date(time)
  throw invalidField(path, 'a time to come, until the end of the year 9999')
}

const firstTime = Date.parse('0000-01-01T00:00:00Z')
const lastTime = Date.parse('9999-12-31T23:59:59.999Z')
