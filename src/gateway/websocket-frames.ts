/** Where the frames of a WebSocket end as they flow by, and what a server says last: RFC 6455 §5.2 and §5.5.1. @module */

/** Reads the headers of frames, and counts what is between. */
export class FrameBoundaries {
  /** Octets of the header that has begun; 0: none has. */
  #read = 0
  /** Octets of it altogether. */
  #header = 2
  /** Where its mask begins, which ends what tells the length. */
  #maskAt = 2
  /** Of the payload, of which so much is still to come. */
  #length = 0
  #left = 0
  #isLast = false

  /** Whether a frame may be put here: between two others, and before the one that closes. */
  get isOpen(): boolean {
    return this.#read === 0 && this.#left === 0 && !this.#isLast
  }

  push(octets: Uint8Array): void {
    for (let at = 0; at < octets.length; ) {
      if (this.#left > 0) {
        const passed = Math.min(this.#left, octets.length - at)
        this.#left -= passed
        at += passed
      } else {
        this.#readHeader(octets[at++] as number)
      }
    }
  }

  #readHeader(octet: number): void {
    const at = this.#read++
    if (at === 0) {
      // Opcode 8 closes, and nothing comes after it.
      if ((octet & 0x0f) === 0x8) this.#isLast = true
      return
    }
    if (at === 1) {
      const short = octet & 0x7f
      const more = short === 126 ? 2 : short === 127 ? 8 : 0
      this.#length = more === 0 ? short : 0
      this.#maskAt = 2 + more
      this.#header = octet < 0x80 ? this.#maskAt : this.#maskAt + 4
    } else if (at < this.#maskAt) {
      this.#length = this.#length * 256 + octet
    }
    if (this.#read < this.#header) return
    this.#read = 0
    this.#left = this.#length
  }
}

/** Of a server, so that it is not masked: RFC 6455 §5.5.1. */
export function closeFrame(code: number, reason: string): Uint8Array {
  const text = new TextEncoder().encode(reason)
  return Uint8Array.of(0x88, 2 + text.length, code >> 8, code & 0xff, ...text)
}
