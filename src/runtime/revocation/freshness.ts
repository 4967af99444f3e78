/** What HTTP says of time: how long an answer is fresh, and when to come back. RFC 9111 §4.2, RFC 9110 §10.2.3 @module */

import type { IncomingHttpHeaders } from 'node:http'

/**
 * How long an answer stays fresh; `undefined` when nothing says so. What cannot be read counts as stale: the result only ever makes a
 * fetch earlier.
 *
 * @param now - Unix milliseconds.
 * @returns Milliseconds from now, at least 0.
 */
export function freshFor(headers: IncomingHttpHeaders, now: number): number | undefined {
  const directives = (headers['cache-control'] ?? '').toLowerCase().split(',').map(trimmed)
  if (directives.some((one) => /^no-(?:store|cache)\b/.test(one))) return 0
  const maxAge = directives.find((one) => one.startsWith('max-age='))
  if (maxAge !== undefined) {
    const age = seconds(headers.age ?? '0') ?? Number.POSITIVE_INFINITY
    return Math.max(0, (seconds(maxAge.slice('max-age='.length)) ?? 0) - age) * 1000
  }
  if (headers.expires === undefined) return undefined
  const expires = Date.parse(headers.expires)
  const date = Date.parse(headers.date ?? '')
  const fresh = expires - (Number.isNaN(date) ? now : date)
  return Number.isNaN(fresh) ? 0 : Math.max(0, fresh)
}

/**
 * What to ask with the next time, so that 304 can only mean that nothing has changed. An ETag that is none, as `*`, would match whatever
 * comes later, and a date that lies ahead would be later than any: once sent by somebody on the way, either would keep us on this answer.
 *
 * @param now - Unix milliseconds.
 */
export function validators(headers: IncomingHttpHeaders, now: number): Validators {
  const { etag, 'last-modified': lastModified } = headers
  const modified = lastModified === undefined ? Number.NaN : Date.parse(lastModified)
  return {
    etag: etag !== undefined && entityTag.test(etag) ? etag : undefined,
    lastModified: modified <= now + clockTolerance ? lastModified : undefined,
  }
}

export interface Validators {
  readonly etag: string | undefined
  readonly lastModified: string | undefined
}

/**
 * When the server wants to be asked again.
 *
 * @param now - Unix milliseconds.
 * @returns Milliseconds from now, at least 0; `undefined` when it does not say.
 */
export function retryAfter(headers: IncomingHttpHeaders, now: number): number | undefined {
  const text = trimmed(headers['retry-after'] ?? '')
  const delay = seconds(text)
  if (delay !== undefined) return delay * 1000
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

/** delta-seconds. RFC 9111 §1.2.2 */
function seconds(text: string): number | undefined {
  const digits = text.replace(/^"(.*)"$/, '$1')
  return /^\d{1,10}$/.test(digits) ? Number(digits) : undefined
}

/** Milliseconds: clocks differ. */
const clockTolerance = 300_000
/** One entity-tag, not longer than servers make them. RFC 9110 §8.8.3 */
const entityTag = /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]{0,1024}"$/

function trimmed(text: string): string {
  return text.trim()
}
