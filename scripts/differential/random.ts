/** Random choices that are the same in every run of a seed. @module */

export class Random {
  #state: number

  /** @param seed - Any whole number. */
  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** A whole number from 0 to `limit` - 1 (mulberry32). */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * limit)
  }

  /** True in `percent` of 100 cases. */
  chance(percent: number): boolean {
    return this.below(100) < percent
  }

  pick<T>(from: readonly T[]): T {
    const { [this.below(from.length)]: one } = from
    if (one === undefined) throw new RangeError('nothing to pick from')
    return one
  }

  /** Between `least` and `most` of them, in their order. */
  some<T>(from: readonly T[], least: number, most: number): T[] {
    let wanted = least + this.below(most - least + 1)
    return from.filter((_, i) => {
      const take = this.below(from.length - i) < wanted
      if (take) wanted--
      return take
    })
  }

  octets(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.below(256))
  }
}
