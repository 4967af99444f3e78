/** Addresses that try bad tokens have to wait. Nobody guesses 256 bits; it keeps them from the store, and out of the log. @module */

/** Of one manager, in memory: it is about load, and a restart forgives. */
export class Lockout {
  readonly #failures = new Map<string, { count: number; since: number; until: number }>()
  readonly #good = new Map<string, number>()

  /** @returns Seconds to wait; 0: none. */
  waitOf(address: string, now: number): number {
    const until = this.#failures.get(address)?.until ?? 0
    return until > now ? Math.ceil((until - now) / 1000) : 0
  }

  /** @returns Whether the address has to wait from now on. */
  fail(address: string, now: number): boolean {
    let entry = this.#failures.get(address)
    if (entry === undefined || now - entry.since > windowMs) {
      entry = { count: 0, since: now, until: 0 }
    }
    entry.count++
    if (entry.count >= maxFailures) entry.until = now + lockMs
    this.#failures.delete(address)
    this.#failures.set(address, entry)
    forgetOldest(this.#failures)
    return entry.until > now
  }

  /** A token that was good a moment ago is still asked for: one bad client does not lock out its neighbours behind the same address. */
  noteGood(digest: string, now: number): void {
    this.#good.delete(digest)
    this.#good.set(digest, now)
    forgetOldest(this.#good)
  }

  wasGood(digest: string, now: number): boolean {
    return now - (this.#good.get(digest) ?? Number.NEGATIVE_INFINITY) < rememberMs
  }

  forget(digest: string): void {
    this.#good.delete(digest)
  }
}

function forgetOldest(map: Map<string, unknown>): void {
  if (map.size <= maxEntries) return
  const [oldest] = map.keys()
  if (oldest !== undefined) map.delete(oldest)
}

/** Local limits: ten slips in a minute are a script's, and then a minute of rest. */
const maxFailures = 10
const windowMs = 60_000
const lockMs = 60_000
const rememberMs = 3_600_000
const maxEntries = 10_000
