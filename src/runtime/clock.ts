/** The one place that reads the clock, once a call, when the caller gives no time. @module */

export function now(): Date {
  return new Date()
}
