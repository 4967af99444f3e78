import fc from 'fast-check'
import { expect, test } from 'vitest'
import { OctetStore } from '../../src/client/octet-store.ts'

test('copies stay what they were, whatever their size and number', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 3_000 }), { maxLength: 40 }), (all) => {
      const store = new OctetStore()
      const expected = all.map((octets) => Uint8Array.from(octets))
      const copies = all.map((octets) => {
        const copy = store.copy(octets)
        octets.fill(0xaa)
        return copy
      })
      expect(copies).toEqual(expected)
    }),
  )
})

test('small copies share an allocation, large ones and the first do not', () => {
  const store = new OctetStore()
  const [first, second, third] = [
    store.copy(new Uint8Array(500)),
    store.copy(new Uint8Array(500)),
    store.copy(new Uint8Array(500)),
  ]
  expect(first.buffer.byteLength).toBe(500)
  expect(third.buffer).toBe(second.buffer)
  expect(second.buffer.byteLength).toBe(8192)
  expect(store.copy(new Uint8Array(2_049)).buffer.byteLength).toBe(2_049)
})
