/** Base64, strict: RFC 4648 §3.5 (no stray bits), white space allowed where PEM has it. @module */

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const urlAlphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const space = 64
const pad = 65
const bad = 66
const values: Uint8Array = /* @__PURE__ */ buildValues()

function buildValues(): Uint8Array {
  const table = new Uint8Array(256).fill(bad)
  for (let i = 0; i < 64; i++) table[alphabet.charCodeAt(i)] = i
  for (const blank of ' \t\r\n\v\f') table[blank.charCodeAt(0)] = space
  table['='.charCodeAt(0)] = pad
  return table
}

/**
 * Decodes `text` from `start` (inclusive) to `end` (exclusive), skipping white space.
 *
 * @returns The octets, or `undefined` for a foreign character, wrong padding, or bits that the last octet does not use.
 */
export function decodeBase64(
  text: string,
  start = 0,
  end: number = text.length,
): Uint8Array | undefined {
  const bytes = new Uint8Array(Math.ceil(((end - start) * 3) / 4))
  let length = 0
  let bits = 0
  let count = 0
  let padding = 0
  for (let i = start; i < end; i++) {
    const unit = text.charCodeAt(i)
    const value = unit < 256 ? (values[unit] as number) : bad
    if (value < 64) {
      if (padding > 0) return undefined
      bits = (bits << 6) | value
      if (++count === 4) {
        bytes[length++] = bits >> 16
        bytes[length++] = bits >> 8
        bytes[length++] = bits
        bits = 0
        count = 0
      }
    } else if (value === pad) {
      if (++padding > 2) return undefined
    } else if (value === bad) {
      return undefined
    }
  }
  if (count === 1 || (count === 0 ? padding !== 0 : padding !== 4 - count)) return undefined
  if (count === 2) {
    if ((bits & 0xf) !== 0) return undefined
    bytes[length++] = bits >> 4
  } else if (count === 3) {
    if ((bits & 0x3) !== 0) return undefined
    bytes[length++] = bits >> 10
    bytes[length++] = bits >> 2
  }
  return bytes.subarray(0, length)
}

/** RFC 4648 §4, padded, in one line. */
export function encodeBase64(bytes: Uint8Array): string {
  const text = encode(bytes, alphabet)
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=')
}

/** RFC 4648 §5, without padding. */
export function encodeBase64Url(bytes: Uint8Array): string {
  return encode(bytes, urlAlphabet)
}

function encode(bytes: Uint8Array, letters: string): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i
    const group = ((bytes[i] as number) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    text += letters.charAt(group >> 18) + letters.charAt((group >> 12) & 63)
    if (left > 1) text += letters.charAt((group >> 6) & 63)
    if (left > 2) text += letters.charAt(group & 63)
  }
  return text
}
