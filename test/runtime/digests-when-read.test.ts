import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { nodeHandlers } from '../../src/runtime/node.ts'

describe('a digest that is made when it is read', () => {
  const { digestsWhenRead } = nodeHandlers()

  test.each(['SHA-1', 'SHA-256'] as const)('%s of every octet value', (hash) => {
    const bytes = Uint8Array.from({ length: 256 }, (_, octet) => octet)
    const expected = createHash(hash.replace('-', '')).update(bytes).digest('hex')
    const read = digestsWhenRead({ op: 'digestsWhenRead', hash, data: [bytes.subarray()] })
    expect(Buffer.from(read()[0] ?? '').toString('hex')).toBe(expected)
    expect(read()).toBe(read())
  })

  test('is of a view alone, not of the buffer under it', () => {
    const view = new Uint8Array(randomBytes(64)).subarray(7, 21)
    const expected = createHash('sha256').update(view).digest('hex')
    const read = digestsWhenRead({ op: 'digestsWhenRead', hash: 'SHA-256', data: [view] })
    expect(Buffer.from(read()[0] ?? '').toString('hex')).toBe(expected)
  })
})
