/** What is remembered of a client: its certificates, and what each route answered it. @module */

import type { Result } from '../base/result.ts'
import type { Outcome } from '../policy/outcome.ts'
import type { Route } from '../policy/pipelines.ts'
import { Generations } from '../runtime/generations.ts'
import type { ForwardingFailure } from './failure.ts'
import type { Presented } from './source.ts'

/** One client, as it presented itself on one connection or in one header. */
export class KnownClient {
  readonly certificates: Result<readonly Uint8Array[], ForwardingFailure>
  /** Under which configuration and which lists the outcomes were found. */
  #epoch: object | undefined
  /** Most servers have one route. */
  #route: Route | undefined
  #outcome: Outcome | undefined
  /** Of other routes. */
  #others: Map<Route, Outcome> | undefined

  constructor(certificates: KnownClient['certificates']) {
    this.certificates = certificates
  }

  /**
   * What `route` answered, if that still holds.
   *
   * @param time - Unix time in whole seconds.
   */
  outcome(route: Route, epoch: object, time: number): Outcome | undefined {
    if (this.#epoch !== epoch) return undefined
    const outcome = this.#route === route ? this.#outcome : this.#others?.get(route)
    return outcome !== undefined && outcome.validFrom <= time && time <= outcome.validUntil
      ? outcome
      : undefined
  }

  remember(route: Route, epoch: object, outcome: Outcome): void {
    if (this.#epoch !== epoch) {
      this.#epoch = epoch
      this.#route = route
      this.#others = undefined
    }
    if (this.#route === route) {
      this.#outcome = outcome
      return
    }
    this.#others ??= new Map()
    this.#others.set(route, outcome)
  }
}

/** Clients by what stands for their certificates: a connection, as long as it lives, or a text, as long as there is room. */
export class KnownClients {
  readonly #byObject = new WeakMap<object, KnownClient>()
  readonly #byText: Generations<{ readonly key: string; readonly client: KnownClient }> | undefined

  /** @param headers - Texts that are kept at most; 0 keeps none. */
  constructor(headers: number) {
    // There are two generations.
    this.#byText = headers === 0 ? undefined : new Generations(Math.ceil(headers / 2))
  }

  /** The one that is known, or a new one, which a text does not remember before `keep`. */
  find({ key, read }: Presented): KnownClient {
    if (typeof key === 'string') {
      const known = this.#byText?.get(placeOf(key))
      return known !== undefined && known.key === key ? known.client : new KnownClient(read())
    }
    const known = this.#byObject.get(key)
    if (known !== undefined) return known
    const client = new KnownClient(read())
    this.#byObject.set(key, client)
    return client
  }

  /** Keeps a client that was let in: what others send must not push it out, nor fill the memory. */
  keep({ key }: Presented, client: KnownClient): void {
    if (typeof key !== 'string' || key.length > longestKey) return
    this.#byText?.set(placeOf(key), { key, client })
  }
}

/** The beginning, where a certificate has its serial number and its issuer: hashing the whole text would cost more than comparing it once. */
function placeOf(key: string): string {
  return key.length <= placeLength ? key : key.slice(0, placeLength)
}

/** 160 characters of base64 are 120 octets; percent-encoded PEM has 33 of them before the first one. */
const placeLength = 160

/** Local limit: three certificates with 4096-bit RSA keys in percent-encoded PEM. With 4,096 clients 32 MiB at the very most. */
const longestKey = 8192
