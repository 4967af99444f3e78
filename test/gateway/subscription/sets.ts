/** The set that a manager would sign beside its pointers. */

import {
  type EnvironmentSet,
  type LivePointer,
  type Place,
  type Pointer,
  readSignedLivePointer,
  readSignedPointer,
  type SetEntry,
  type Signed,
  type SigningKey,
  signDocument,
} from '../../../src/deployment/index.ts'
import { environment } from './names.ts'

/** Remembers what was sent: of each proxy the newest pointer that is good. */
export class Sets {
  readonly #key: SigningKey
  readonly #placeOf: (pointer: Pointer) => Place
  readonly #entries = new Map<string, SetEntry>()
  #live: LivePointer | null = null

  constructor(key: SigningKey, placeOf: (pointer: Pointer) => Place) {
    this.#key = key
    this.#placeOf = placeOf
  }

  /** A state with its set, after these pointers. */
  with<T extends { readonly pointers: readonly unknown[]; readonly live: unknown }>(
    state: T,
  ): T & { readonly set: Signed<EnvironmentSet> } {
    for (const one of state.pointers) {
      const read = readSignedPointer(one, this.#key.publicKey)
      if (!read.ok || read.value.environment !== environment) continue
      const { project, apiProxy, hash, sequence } = read.value
      const key = `${project}\n${apiProxy}`
      if ((this.#entries.get(key)?.sequence ?? 0) >= sequence) continue
      const { hosts, basePath } = this.#placeOf(read.value)
      const place = hash === null ? null : { hosts, basePath }
      this.#entries.set(key, { project, apiProxy, hash, sequence, place })
    }
    const live = readSignedLivePointer(state.live, this.#key.publicKey)
    if (live.ok && live.value.sequence > (this.#live?.sequence ?? 0)) this.#live = live.value
    return { ...state, set: this.sign({}) }
  }

  /** @param changes - Of what is signed. */
  sign(changes: Partial<EnvironmentSet>): Signed<EnvironmentSet> {
    const proxies = [...this.#entries.values()]
    const live = this.#live
    const numbers = [0, live?.sequence ?? 0, ...proxies.map(({ sequence }) => sequence)]
    return signDocument(
      {
        version: 1,
        kind: 'set',
        environment,
        sequence: Math.max(...numbers),
        issuedAt: '2026-11-23T22:00:00Z',
        proxies,
        live: live === null ? null : { hash: live.hash, sequence: live.sequence },
        ...changes,
      },
      this.#key,
    )
  }
}
