/** Whether a list or a response counts at a time: RFC 5280 §5.1.2.4 and §5.1.2.5, RFC 6960 §4.2.2.1. @module */

import type { StatusContext } from './context.ts'

/** Unix seconds. */
export interface Updates {
  readonly thisUpdate: number
  readonly nextUpdate: number | undefined
}

export type Currency =
  /** `until`: the last second for which it counts. */
  | { readonly state: 'current' | 'stale'; readonly until: number }
  | { readonly state: 'not-yet-valid' | 'expired' | 'too-old' }

type Rule = Pick<StatusContext, 'time' | 'clockTolerance' | 'maxAge' | 'staleFor'>

/**
 * Holds both bounds inclusive, as for certificates. What has no nextUpdate counts for `maxAge` from thisUpdate, and not at all without
 * it: nobody said how long it may be relied on.
 */
export function currencyOf({ thisUpdate, nextUpdate }: Updates, rule: Rule): Currency {
  const { time, clockTolerance, maxAge, staleFor } = rule
  if (time < thisUpdate - clockTolerance) return { state: 'not-yet-valid' }
  const next = nextUpdate ?? Number.POSITIVE_INFINITY
  const oldest = maxAge === undefined ? Number.POSITIVE_INFINITY : thisUpdate + maxAge
  const end = Math.min(next, oldest)
  if (end === Number.POSITIVE_INFINITY) return { state: 'too-old' }
  const until = end + clockTolerance
  if (time <= until) return { state: 'current', until }
  if (time <= until + staleFor) return { state: 'stale', until: until + staleFor }
  return { state: next <= oldest ? 'expired' : 'too-old' }
}
