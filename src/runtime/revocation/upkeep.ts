/** Keeps one thing fetched: never twice at once, again before it runs out, ever more rarely while it fails. @module */

import type { SourceFailure } from './failure.ts'
import {
  type Held,
  type RefreshRule,
  type RetryRule,
  refreshDelay,
  retryDelay,
} from './schedule.ts'

export type Outcome =
  | { readonly ok: true; readonly held: Held }
  | {
      readonly ok: false
      readonly failure: SourceFailure
      /** Milliseconds. */
      readonly retryAfter: number | undefined
    }

export interface UpkeepRules {
  readonly refresh: RefreshRule
  readonly retry: RetryRule
  /** Unix milliseconds. */
  readonly now: () => number
  readonly random: () => number
}

export class Upkeep {
  /** In a row. */
  failures = 0
  lastFailure: SourceFailure | undefined
  /** Unix milliseconds; `undefined` while fetching and when nobody wants it. */
  nextFetch: number | undefined
  /** Whether it was ever fetched, well or badly. */
  tried = false
  readonly #rules: UpkeepRules
  readonly #fetch: () => Promise<Outcome>
  readonly #isWanted: () => boolean
  #running: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  /** Unix milliseconds: until then `want` begins nothing. */
  #resting = Number.NEGATIVE_INFINITY
  #stopped = false

  /**
   * @param fetch - Ends well or badly; never rejects.
   * @param isWanted - Asked when the time for the next fetch has come; if not, none begins until somebody asks.
   */
  constructor(rules: UpkeepRules, fetch: () => Promise<Outcome>, isWanted: () => boolean) {
    this.#rules = rules
    this.#fetch = fetch
    this.#isWanted = isWanted
  }

  /** Fetches now, or joins the fetch that is on its way. */
  run(): Promise<void> {
    if (this.#stopped) return Promise.resolve()
    this.#running ??= this.#once()
    return this.#running
  }

  /**
   * As `run`, for whoever misses something; `undefined` when it was fetched a moment ago, or failed and waits for its turn: a thousand
   * clients whose certificates name a dead server must not cost it, or us, a thousand fetches.
   */
  want(): Promise<void> | undefined {
    if (this.#running !== undefined) return this.#running
    if (this.#stopped || this.#rules.now() < this.#resting) return undefined
    return this.run()
  }

  /** Plans the next fetch of what came from elsewhere. */
  plan(held: Held): void {
    const { refresh, now, random } = this.#rules
    this.#wait(refreshDelay(held, refresh, now(), random()))
  }

  /** Settles when the fetch that is on its way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.nextFetch = undefined
    await this.#running
  }

  async #once(): Promise<void> {
    clearTimeout(this.#timer)
    this.nextFetch = undefined
    const outcome = await this.#fetch()
    this.#running = undefined
    this.tried = true
    const { refresh, retry, now, random } = this.#rules
    if (outcome.ok) {
      this.failures = 0
      this.lastFailure = undefined
      this.#resting = now() + refresh.minimum
      this.plan(outcome.held)
      return
    }
    this.failures++
    this.lastFailure = outcome.failure
    const delay = retryDelay(this.failures, retry, random(), outcome.retryAfter)
    this.#resting = now() + delay
    this.#wait(delay)
  }

  #wait(delay: number): void {
    if (this.#stopped) return
    clearTimeout(this.#timer)
    this.nextFetch = this.#rules.now() + delay
    this.#timer = setTimeout(() => {
      this.nextFetch = undefined
      if (this.#isWanted()) void this.run()
    }, delay)
    // A process that has nothing else to do may end.
    this.#timer.unref()
  }
}
