/** SHA-256 by hand equals that of the platform. @module */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sha256 } from '../../../src/http/headers/sha256.ts'
import { hex } from '../support.ts'

const expected = (data: Uint8Array) => createHash('sha256').update(data).digest('hex')

test('of every length up to three blocks, and of a view into a buffer', () => {
  const data = Uint8Array.from({ length: 200 }, (_, i) => (i * 31) & 0xff)
  for (let length = 0; length <= 193; length++) {
    const view = data.subarray(3, 3 + length)
    expect(hex(sha256(view))).toBe(expected(view))
  }
})
test('of any octets', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 5_000 }),
      (data) => hex(sha256(data)) === expected(data),
    ),
  )
})
