/** A bounded map that forgets what was not used for a while. @module */

/**
 * Two generations: hits in the old one move to the young one, and when the young one is full it becomes the old one. It keeps at
 * least the `capacity` keys used last and never more than twice as many; a hit on a young key is one `Map.get` and nothing
 * else, which a list of recency is not.
 */
export class Generations<V> {
  readonly #capacity: number
  /** How often the old generation was dropped. */
  turns = 0
  #young = new Map<string, V>()
  #old = new Map<string, V>()

  /** @param capacity - Entries of one generation, at least 1. */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get(key: string): V | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }

  set(key: string, value: V): void {
    if (this.#young.size >= this.#capacity && !this.#young.has(key)) {
      this.#old = this.#young
      this.#young = new Map()
      this.turns++
    }
    this.#young.set(key, value)
  }

  /** Entries held, those in both generations counted twice. */
  get size(): number {
    return this.#young.size + this.#old.size
  }
}
