/** Where `needle` starts in `bytes`; the first place, if there are several. */
export function offsetOf(bytes: Uint8Array, needle: Uint8Array): number {
  outer: for (let i = 0; i + needle.length <= bytes.length; i++) {
    for (let j = 0; j < needle.length; j++) if (bytes[i + j] !== needle[j]) continue outer
    return i
  }
  throw new RangeError('the octets are not there')
}
