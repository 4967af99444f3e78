/** When to fetch again: before what is held runs out, and ever more rarely where it fails. @module */

/** All times in milliseconds. */
export interface RefreshRule {
  /** Share of what is left until nextUpdate after which the next fetch begins; above 0, below 1. */
  readonly fraction: number
  readonly minimum: number
  readonly maximum: number
}

/** All times in milliseconds. */
export interface RetryRule {
  /** Before the second try; doubled for each one after it. */
  readonly first: number
  readonly maximum: number
}

export interface Held {
  /** Unix seconds; absent: it does not say when it runs out. */
  readonly nextUpdate: number | undefined
  /** Milliseconds for which HTTP says that it is fresh. */
  readonly freshFor: number | undefined
}

/**
 * Milliseconds until the next fetch after one that went well. A part of what is left, so that several tries fit before nextUpdate, and
 * up to a fifth earlier by chance, so that a fleet does not come all at once. HTTP can only make it earlier.
 *
 * @param now - Unix milliseconds.
 * @param random - Below 1, from 0.
 */
export function refreshDelay(
  { nextUpdate, freshFor }: Held,
  { fraction, minimum, maximum }: RefreshRule,
  now: number,
  random: number,
): number {
  const left = nextUpdate === undefined ? unlimited : Math.max(0, nextUpdate * 1000 - now)
  const latest = Math.min(left * fraction, freshFor ?? Number.POSITIVE_INFINITY, maximum)
  return Math.max(minimum, latest * (1 - jitter * random))
}

/**
 * Milliseconds until the next try after so many failures in a row, the first being 1: half of it is chance. A server may ask for more,
 * up to the maximum, never for less.
 *
 * @param asked - What Retry-After says, in milliseconds.
 */
export function retryDelay(
  failures: number,
  { first, maximum }: RetryRule,
  random: number,
  asked: number | undefined,
): number {
  // 2 ** 30 times anything is beyond every maximum.
  const full = Math.min(maximum, first * 2 ** Math.min(failures - 1, 30))
  return Math.max(full * (0.5 + 0.5 * random), Math.min(asked ?? 0, maximum))
}

const jitter = 0.2
/** For what has no nextUpdate: twice the hour after which such lists are looked at, where `fraction` is a half. */
const unlimited = 7_200_000
