/** Memory for lists of many millions of octets. @module */

/**
 * So many zeros. Large ones are shared memory, though nobody shares them: V8 does not count that against the heap, whereas an
 * ArrayBuffer of 35 MB makes it collect all garbage at once, and everything else stand still for 30 ms and more.
 */
export function allocate(octets: number): Uint8Array {
  return octets < largeOctets
    ? new Uint8Array(octets)
    : new Uint8Array(new SharedArrayBuffer(octets))
}

/** Local limit: what is smaller is a small part of what a server allocates in a second. */
export const largeOctets = 1_048_576
