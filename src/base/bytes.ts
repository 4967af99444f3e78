/** Comparing and joining byte strings. @module */

export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true
  const length = a.length
  if (length !== b.length) return false
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Octet by octet, a proper prefix first: the order of SET OF in DER. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const joined = new Uint8Array(length)
  let offset = 0
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.length
  }
  return joined
}

/** Text of octets that are known to be ASCII (or are to be read as Latin-1). */
export function asciiText(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  let text = ''
  if (end - start > manyOctets) {
    // Pieces: a text that grows by one character 50 million times is a chain of as many.
    for (let i = start; i < end; i += manyOctets) {
      text += String.fromCharCode(...bytes.subarray(i, Math.min(end, i + manyOctets)))
    }
    return text
  }
  let i = start
  // Eight at once, for speed and for memory: an engine keeps a link of such a chain for as long as nobody reads the text.
  for (; i + 8 <= end; i += 8) text += eightCharacters(bytes, i)
  let rest = ''
  for (; i < end; i++) rest += String.fromCharCode(bytes[i] as number)
  return text + rest
}

function eightCharacters(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(
    bytes[at] as number,
    bytes[at + 1] as number,
    bytes[at + 2] as number,
    bytes[at + 3] as number,
    bytes[at + 4] as number,
    bytes[at + 5] as number,
    bytes[at + 6] as number,
    bytes[at + 7] as number,
  )
}

/** Far below what an engine takes as arguments of one call. */
const manyOctets = 4096

/** Octets of a text whose code units are all below 256. */
export function asciiBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}
