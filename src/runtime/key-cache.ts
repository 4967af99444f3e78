/** Imported keys by the bytes of their SPKI: an import costs up to five verifications. @module */

import { bytesEqual } from '../base/bytes.ts'
import { Generations } from './generations.ts'

interface Entry<K> {
  /** A copy: the caller may reuse its buffer. */
  readonly spki: Uint8Array
  readonly use: string
  readonly key: K
}

/**
 * Finds a key by the view that the caller passes, where it is one seen before and still holds the same bytes; else by content.
 * A view is only a hint: its bytes are compared every time, because buffers are overwritten.
 */
export class KeyCache<K> {
  readonly #entries: Generations<Entry<K>>
  readonly #equal: (a: Uint8Array, b: Uint8Array) => boolean
  readonly #text: (bytes: Uint8Array) => string
  /** Keys of the young generation only, so that a view that lives on neither keeps a forgotten key nor starves a used one. */
  #views = new WeakMap<Uint8Array, Entry<K>>()
  #turn = 0

  /**
   * @param capacity - Keys kept at least; twice as many at most.
   * @param equal - Faster comparison of octets, where the runtime has one.
   * @param text - Octets as a text of one code unit each, likewise.
   */
  constructor(
    capacity: number,
    equal: (a: Uint8Array, b: Uint8Array) => boolean = bytesEqual,
    text: (bytes: Uint8Array) => string = latin1,
  ) {
    this.#entries = new Generations(capacity)
    this.#equal = equal
    this.#text = text
  }

  /**
   * @param use - What the key is imported for, where a runtime binds it to that; part of the name under which it is kept.
   * @param importKey - Called once for a key that is not there, with the copy that is kept.
   */
  get(spki: Uint8Array, use: string, importKey: (spki: Uint8Array) => K): K {
    const seen = this.#views.get(spki)
    if (seen !== undefined && seen.use === use && this.#equal(seen.spki, spki)) return seen.key
    const name = use + this.#text(spki)
    let entry = this.#entries.get(name)
    if (entry === undefined) {
      const copy = new Uint8Array(spki)
      entry = { spki: copy, use, key: importKey(copy) }
      this.#entries.set(name, entry)
    }
    if (this.#turn !== this.#entries.turns) {
      this.#turn = this.#entries.turns
      this.#views = new WeakMap()
    }
    this.#views.set(spki, entry)
    return entry.key
  }

  get size(): number {
    return this.#entries.size
  }
}

function latin1(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]!)
  return text
}
