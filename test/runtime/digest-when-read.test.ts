import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { nodeHandlers } from '../../src/runtime/node.ts'

describe('a digest that is made when it is read', () => {
  const { digestWhenRead } = nodeHandlers()

  test.each(['SHA-1', 'SHA-256'] as const)('%s of every octet value', (hash) => {
    const bytes = Uint8Array.from({ length: 256 }, (_, octet) => octet)
    const expected = createHash(hash.replace('-', '')).update(bytes).digest('hex')
    const read = digestWhenRead({ op: 'digestWhenRead', hash, data: bytes.subarray() })
    expect(Buffer.from(read()).toString('hex')).toBe(expected)
    expect(read()).toBe(read())
  })

  test('is of the octets as they were, though the buffer has been used again', () => {
    const data = new Uint8Array(randomBytes(700))
    const expected = createHash('sha256').update(data).digest('hex')
    const read = digestWhenRead({ op: 'digestWhenRead', hash: 'SHA-256', data })
    data.fill(0)
    expect(Buffer.from(read()).toString('hex')).toBe(expected)
  })

  test('is of a view alone, not of the buffer under it', () => {
    const view = new Uint8Array(randomBytes(64)).subarray(7, 21)
    const expected = createHash('sha256').update(view).digest('hex')
    const read = digestWhenRead({ op: 'digestWhenRead', hash: 'SHA-256', data: view })
    expect(Buffer.from(read()).toString('hex')).toBe(expected)
  })
})
