/** Who asks: bearer tokens, and patience with those who send bad ones. RFC 6750 §2.1 and §3 @module */

import { Lockout } from '../service/lockout.ts'
import { Refusal } from '../service/refusal.ts'
import type { Actor } from '../service/rights.ts'
import { digestOf, holderOf, noteUse } from '../service/tokens.ts'
import type { Store } from '../store/store.ts'
import type { ManagementMetrics } from './metrics.ts'

export interface AccessOptions {
  readonly store: Store
  readonly now: () => Date
  readonly onError: (error: unknown) => void
  readonly metrics: ManagementMetrics | undefined
}

export class Access {
  readonly #options: AccessOptions
  readonly #lockout = new Lockout()
  readonly #noted = new Map<string, number>()
  readonly #writing = new Set<Promise<void>>()

  constructor(options: AccessOptions) {
    this.#options = options
  }

  /**
   * @param address - Of the client; absent: nobody is told to wait.
   * @throws Refusal 401 or 429.
   */
  async authenticate(request: Request, address: string | undefined): Promise<Actor> {
    const { store, now, metrics } = this.#options
    const header = request.headers.get('authorization')
    if (header === null) {
      throw new Refusal('token-missing', 'send Authorization: Bearer with a token', {
        headers: { 'www-authenticate': challenge },
      })
    }
    const token = /^Bearer +([^\s]+) *$/i.exec(header)?.[1] ?? ''
    const time = now()
    const digest = digestOf(token)
    const wait = address === undefined ? 0 : this.#lockout.waitOf(address, time.getTime())
    if (wait > 0 && !this.#lockout.wasGood(digest, time.getTime())) throw tooMany(wait)
    const actor = await holderOf(store.db, token, time)
    if (actor !== undefined) {
      this.#lockout.noteGood(digest, time.getTime())
      this.#note(actor, time)
      return actor
    }
    this.#lockout.forget(digest)
    if (address !== undefined) this.#lockout.fail(address, time.getTime())
    metrics?.badToken()
    throw new Refusal('token-invalid', 'the token is unknown, expired or revoked', {
      headers: { 'www-authenticate': `${challenge}, error="invalid_token"` },
    })
  }

  async close(): Promise<void> {
    await Promise.all(this.#writing)
  }

  /** Beside the request: nobody waits for it. */
  #note(actor: Actor, time: Date): void {
    const last = this.#noted.get(actor.tokenId) ?? Number.NEGATIVE_INFINITY
    if (time.getTime() - last < noteEveryMs) return
    if (this.#noted.size >= maxNoted) this.#noted.clear()
    this.#noted.set(actor.tokenId, time.getTime())
    const { store, onError } = this.#options
    const writing: Promise<void> = noteUse(store.db, actor, time)
      .catch(onError)
      .finally(() => this.#writing.delete(writing))
    this.#writing.add(writing)
  }
}

function tooMany(seconds: number): Refusal {
  return new Refusal('too-many-attempts', 'too many bad tokens from this address: wait', {
    headers: { 'retry-after': String(seconds) },
  })
}

const challenge = 'Bearer realm="mtls-policy"'
const noteEveryMs = 60_000
const maxNoted = 10_000
