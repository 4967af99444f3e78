/** Copies of what clients present, several in one allocation: an array of its own costs more than reading the certificate's names. @module */

/**
 * One for each set of options that serves many calls. A copy keeps the 8 KiB that it lies in, as Node's own `Buffer.from` does; what
 * is larger than a quarter of that gets an array of its own.
 */
export class OctetStore {
  #slab = new ArrayBuffer(0)
  #used = 0
  #copies = 0

  /** The same octets, which nobody else overwrites. */
  copy(octets: Uint8Array): Uint8Array {
    const { length } = octets
    // Not for the first: most sets of options serve one call.
    if (this.#copies++ === 0 || length > slabSize / 4) return new Uint8Array(octets)
    if (length > this.#slab.byteLength - this.#used) {
      this.#slab = new ArrayBuffer(slabSize)
      this.#used = 0
    }
    const copy = new Uint8Array(this.#slab, this.#used, length)
    copy.set(octets)
    this.#used += length
    return copy
  }
}

const slabSize = 8192
