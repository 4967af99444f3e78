/**
 * A strict DER cursor: X.690 10 and 11. One pass, no node tree: it walks offsets in one buffer, and everything it hands out is a
 * view. All offsets are from the start of that buffer, so a failure inside an extension still names the octet of the input.
 * @module
 */

import { compareBytes } from '../base/bytes.ts'
import { oidText } from '../base/oid.ts'
import { unixSeconds } from '../base/time.ts'
import { DerError } from './error.ts'
import {
  tagBitString,
  tagBoolean,
  tagGeneralizedTime,
  tagInteger,
  tagNull,
  tagObjectIdentifier,
  tagUtcTime,
} from './tags.ts'

export class DerReader {
  readonly bytes: Uint8Array
  /** Where the next element starts. */
  position: number
  readonly end: number
  /** The element that was read last: where it starts, and where its contents do; it ends at `position`. */
  start = 0
  contentStart = 0

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.bytes = bytes
    this.position = start
    this.end = end
  }

  atEnd(): boolean {
    return this.position >= this.end
  }

  /** The identifier octet of the next element, or -1 at the end. */
  peek(): number {
    return this.position < this.end ? (this.bytes[this.position] as number) : -1
  }

  /** Reads over one element with this identifier octet; `start`, `contentStart` and `position` then describe it. */
  read(tag: number, expected: string): void {
    if (this.position >= this.end) throw new DerError('der-truncated', this.position, expected)
    if (this.bytes[this.position] !== tag) {
      throw new DerError('der-unexpected-tag', this.position, expected)
    }
    this.header(expected)
  }

  /** Reads over one element of any type and returns its identifier octet. Multi-octet tags are refused: X.509 has none. */
  readAny(expected: string): number {
    if (this.position >= this.end) throw new DerError('der-truncated', this.position, expected)
    const tag = this.bytes[this.position] as number
    if ((tag & 0x1f) === 0x1f || tag === 0) {
      throw new DerError('der-unexpected-tag', this.position, expected)
    }
    this.header(expected)
    return tag
  }

  /** A reader over the contents of the next element, which must have this identifier octet. */
  enter(tag: number, expected: string): DerReader {
    this.read(tag, expected)
    return new DerReader(this.bytes, this.contentStart, this.position)
  }

  /** A reader over the contents of the element read last. */
  inside(): DerReader {
    return new DerReader(this.bytes, this.contentStart, this.position)
  }

  /** Contents of the element read last. */
  content(): Uint8Array {
    return this.bytes.subarray(this.contentStart, this.position)
  }

  /** The element read last, tag and length included. */
  element(): Uint8Array {
    return this.bytes.subarray(this.start, this.position)
  }

  /** Refuses octets after the last element. */
  finish(): void {
    if (this.position < this.end) {
      throw new DerError('der-trailing-data', this.position, 'nothing after the last element')
    }
  }

  /** X.690 11.1: TRUE is 0xff. */
  boolean(expected: string, tag: number = tagBoolean): boolean {
    this.read(tag, expected)
    const value = this.bytes[this.contentStart]
    if (this.position - this.contentStart !== 1 || (value !== 0 && value !== 0xff)) {
      throw new DerError('der-boolean', this.contentStart, '0xff for TRUE or 0x00 for FALSE')
    }
    return value === 0xff
  }

  /** Content octets of an INTEGER: two's complement, minimal. X.690 8.3.2 */
  integer(expected: string, tag: number = tagInteger): Uint8Array {
    this.readInteger(expected, tag)
    return this.content()
  }

  /** Reads over an INTEGER as `integer` does, without a view of it. */
  readInteger(expected: string, tag: number = tagInteger): void {
    this.read(tag, expected)
    this.checkInteger()
  }

  /** An INTEGER from 0 to `max`, which is below 2^31. */
  smallInteger(expected: string, max: number, tag: number = tagInteger): number {
    this.readInteger(expected, tag)
    let value = (this.bytes[this.contentStart] as number) >= 0x80 ? -1 : 0
    if (value === 0 && this.position - this.contentStart <= 4) {
      for (let i = this.contentStart; i < this.position; i++) {
        value = value * 256 + (this.bytes[i] as number)
      }
    } else value = -1
    if (value < 0 || value > max) {
      throw new DerError('der-integer', this.contentStart, `${expected} from 0 to ${max}`)
    }
    return value
  }

  /** Dotted decimal. */
  objectIdentifier(expected: string, tag: number = tagObjectIdentifier): string {
    this.read(tag, expected)
    const text = oidText(this.bytes, this.contentStart, this.position)
    if (text === undefined) {
      throw new DerError('der-object-identifier', this.contentStart, `arcs of ${expected}`)
    }
    return text
  }

  /** Octets of a BIT STRING that uses all of its bits (keys, signatures). */
  octetsOfBitString(expected: string): Uint8Array {
    this.read(tagBitString, expected)
    if (this.contentStart === this.position || this.bytes[this.contentStart] !== 0) {
      throw new DerError('der-bit-string', this.contentStart, `${expected} without unused bits`)
    }
    return this.bytes.subarray(this.contentStart + 1, this.position)
  }

  /** Checks unused bits (0 to 7, all zero: X.690 11.2.1) and returns the contents with their first octet. */
  bitString(expected: string, tag: number = tagBitString): Uint8Array {
    this.read(tag, expected)
    const length = this.position - this.contentStart
    const unused = this.bytes[this.contentStart] as number
    const last = this.bytes[this.position - 1] as number
    if (length === 0 || unused > 7 || (length === 1 && unused !== 0)) {
      throw new DerError('der-bit-string', this.contentStart, `0 to 7 unused bits in ${expected}`)
    }
    if (unused > 0 && (last & ((1 << unused) - 1)) !== 0) {
      throw new DerError('der-bit-string', this.position - 1, 'zero in unused bits')
    }
    return this.content()
  }

  /**
   * A named bit list as a number: bit n of the list is 1 << n. Trailing zero bits are refused (X.690 11.2.2), and so are bits that
   * the type does not name.
   *
   * @param count - How many bits the type names, at most 16.
   */
  namedBits(expected: string, count: number, tag: number = tagBitString): number {
    const content = this.bitString(expected, tag)
    const length = content.length
    if (length > 1) {
      const lowest = 1 << (content[0] as number)
      if (((content[length - 1] as number) & lowest) === 0) {
        throw new DerError(
          'der-bit-string',
          this.position - 1,
          `no trailing zero bits in ${expected}`,
        )
      }
    }
    let bits = 0
    for (let i = 1; i < length; i++) {
      for (let j = 0; j < 8; j++) {
        if (((content[i] as number) & (0x80 >> j)) === 0) continue
        const bit = (i - 1) * 8 + j
        if (bit >= count) {
          throw new DerError(
            'der-bit-string',
            this.contentStart,
            `at most ${count} bits in ${expected}`,
          )
        }
        bits |= 1 << bit
      }
    }
    return bits
  }

  null(expected: string): void {
    this.read(tagNull, expected)
    if (this.contentStart !== this.position) {
      throw new DerError('der-trailing-data', this.contentStart, `an empty ${expected}`)
    }
  }

  /**
   * UTCTime or GeneralizedTime as RFC 5280 §4.1.2.5.1 and RFC 5280 §4.1.2.5.2 write them: seconds, Z, no fraction.
   *
   * @returns Unix seconds. GeneralizedTime before 2050 is read: real CAs write it.
   */
  time(expected: string): number {
    const tag = this.peek()
    if (tag !== tagUtcTime && tag !== tagGeneralizedTime) this.read(tagUtcTime, expected)
    else this.header(expected)
    const { bytes, contentStart } = this
    const digits = tag === tagUtcTime ? 12 : 14
    let valid = this.position - contentStart === digits + 1 && bytes[this.position - 1] === 0x5a
    for (let i = contentStart; valid && i < contentStart + digits; i++) {
      const octet = bytes[i] as number
      valid = octet >= 0x30 && octet <= 0x39
    }
    if (valid) {
      let i = contentStart
      let year = twoDigits(bytes, i)
      i += 2
      if (tag === tagGeneralizedTime) {
        year = year * 100 + twoDigits(bytes, i)
        i += 2
      } else year += year >= 50 ? 1900 : 2000
      const seconds = unixSeconds(
        year,
        twoDigits(bytes, i),
        twoDigits(bytes, i + 2),
        twoDigits(bytes, i + 4),
        twoDigits(bytes, i + 6),
        twoDigits(bytes, i + 8),
      )
      if (seconds !== undefined) return seconds
    }
    throw new DerError(
      'der-time',
      contentStart,
      tag === tagUtcTime ? `${expected} as YYMMDDHHMMSSZ` : `${expected} as YYYYMMDDHHMMSSZ`,
    )
  }

  /** Refuses a SET OF whose elements are not in ascending order: X.690 11.6. Call after reading each element of it. */
  checkSetOrder(previousStart: number, previousEnd: number): void {
    const previous = this.bytes.subarray(previousStart, previousEnd)
    if (compareBytes(previous, this.element()) > 0) {
      throw new DerError('der-set-order', this.start, 'the elements of a SET OF in ascending order')
    }
  }

  private checkInteger(): void {
    const length = this.position - this.contentStart
    const first = this.bytes[this.contentStart] as number
    if (length === 0) throw new DerError('der-integer', this.contentStart, 'at least one octet')
    if (length > 1) {
      const sign = (this.bytes[this.contentStart + 1] as number) & 0x80
      if ((first === 0 && sign === 0) || (first === 0xff && sign !== 0)) {
        throw new DerError('der-integer', this.contentStart, 'no superfluous leading octet')
      }
    }
  }

  /** Identifier and length octets at `position`; the identifier was checked. X.690 8.1.3, 10.1 */
  private header(expected: string): void {
    const { bytes, end } = this
    const start = this.position
    let position = start + 2
    if (position > end) throw new DerError('der-truncated', start, expected)
    let length = bytes[start + 1] as number
    if (length >= 0x80) {
      if (length === 0x80) {
        throw new DerError('der-indefinite-length', start + 1, 'a definite length')
      }
      const octets = length & 0x7f
      if (octets > 4) {
        throw new DerError('der-length-too-large', start + 1, 'a length of at most four octets')
      }
      if (position + octets > end) throw new DerError('der-truncated', start, expected)
      length = 0
      for (let i = 0; i < octets; i++) length = length * 256 + (bytes[position++] as number)
      if (length < 0x80 || bytes[start + 2] === 0) {
        throw new DerError(
          'der-length-not-minimal',
          start + 1,
          'a length in as few octets as it needs',
        )
      }
    }
    if (length > end - position) throw new DerError('der-truncated', start, expected)
    this.start = start
    this.contentStart = position
    this.position = position + length
  }
}

function twoDigits(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] as number) - 0x30) * 10 + ((bytes[offset + 1] as number) - 0x30)
}
