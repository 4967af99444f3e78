/** When the first certificate of each issuer runs out, among those that came in lately. @module */

import type { Verdict } from '../../client/verdict.ts'

/**
 * Remembers the earliest notAfter of each issuer, of verified certificates alone: whoever has a certificate chooses its names, and
 * its issuer's only where a trusted CA signed for that.
 *
 * What is remembered is of this day and the one before (in UTC), so that a certificate that was renewed, or whose client is gone, is
 * forgotten. Issuers past the hundredth of these days are counted as one.
 */
export class EarliestExpiries {
  readonly #days = new Map<string, Days>()
  /** The same verdict comes again with every request of a connection. */
  readonly #known = new WeakMap<Verdict, Expiry>()
  #day = 0

  /** @param time - Milliseconds since 1970. */
  observe(verdict: Verdict | undefined, time: number): void {
    if (!verdict?.ok || !verdict.verified) return
    let expiry = this.#known.get(verdict)
    if (expiry === undefined) {
      const notAfter = verdict.path[0]?.tbsCertificate.validity.notAfter
      if (notAfter === undefined) return
      expiry = { issuer: verdict.issuer.name, notAfter }
      this.#known.set(verdict, expiry)
    }
    this.#turn(time)
    const issuer = this.#labelOf(expiry.issuer)
    const days = this.#days.get(issuer)
    if (days === undefined) {
      this.#days.set(issuer, { today: expiry.notAfter, yesterday: undefined })
    } else if (days.today === undefined || expiry.notAfter < days.today) {
      days.today = expiry.notAfter
    }
  }

  /**
   * @param time - Milliseconds since 1970.
   * @returns Names of issuers (RFC 4514 text, or `other`) and Unix seconds.
   */
  entries(time: number): readonly (readonly [issuer: string, notAfter: number])[] {
    this.#turn(time)
    return [...this.#days].map(([issuer, { today, yesterday }]) => [
      issuer,
      Math.min(today ?? Number.POSITIVE_INFINITY, yesterday ?? Number.POSITIVE_INFINITY),
    ])
  }

  #labelOf(issuer: string): string {
    return this.#days.has(issuer) || this.#days.size < maxIssuers ? issuer : otherIssuers
  }

  #turn(time: number): void {
    const passed = Math.floor(time / dayMilliseconds) - this.#day
    // A clock that was set back changes nothing.
    if (passed <= 0) return
    this.#day += passed
    for (const [issuer, days] of this.#days) {
      days.yesterday = passed === 1 ? days.today : undefined
      days.today = undefined
      if (days.yesterday === undefined) this.#days.delete(issuer)
    }
  }
}

interface Expiry {
  readonly issuer: string
  /** Unix seconds. */
  readonly notAfter: number
}

/** The earliest of each day, Unix seconds. */
interface Days {
  today: number | undefined
  yesterday: number | undefined
}

/** Local limit: a registry of metrics keeps every value of a label for as long as it lives. `otherIssuers` is one more. */
export const maxIssuers = 100

/** No name as text is this: it has an equals sign. */
export const otherIssuers = 'other'

const dayMilliseconds = 86_400_000
