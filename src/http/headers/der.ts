/** Where one DER element ends, and base64 of exactly that: X.690 10.1, RFC 4648 §4. @module */

import { decodeBase64 } from '../../base/base64.ts'

/**
 * End of the SEQUENCE that starts at `start`, by its length octets alone.
 *
 * @returns `undefined`: none, empty, cut off, or its length is not written as DER writes it.
 */
export function endOfSequence(bytes: Uint8Array, start: number): number | undefined {
  const first = bytes[start + 1]
  if (bytes[start] !== 0x30 || first === undefined || first === 0) return undefined
  if (first < 0x80) return within(bytes, start + 2 + first)
  const octets = first & 0x7f
  // Four octets are 4 GiB; no header is.
  if (octets === 0 || octets > 4 || start + 2 + octets > bytes.length) return undefined
  let length = 0
  for (let i = 0; i < octets; i++) length = length * 256 + (bytes[start + 2 + i] as number)
  if (length < 0x80 || bytes[start + 2] === 0) return undefined
  return within(bytes, start + 2 + octets + length)
}

export function isOneSequence(bytes: Uint8Array): boolean {
  return endOfSequence(bytes, 0) === bytes.length
}

/** Base64 as RFC 4648 §4 has it, with its padding and without white space; `undefined` for anything else, the empty text included. */
export function decodeExactBase64(
  text: string,
  start = 0,
  end: number = text.length,
): Uint8Array | undefined {
  const length = end - start
  if (length === 0 || length % 4 !== 0) return undefined
  const octets = decodeBase64(text, start, end)
  let padding = 0
  while (padding < 2 && text.charCodeAt(end - 1 - padding) === 0x3d) padding++
  // decodeBase64 passes over white space, and each character of it is missing here.
  return octets?.length === (length / 4) * 3 - padding ? octets : undefined
}

function within(bytes: Uint8Array, end: number): number | undefined {
  return end <= bytes.length ? end : undefined
}
