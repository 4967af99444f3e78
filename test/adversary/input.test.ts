import { expect, test } from 'vitest'
import { readPem } from '../../src/base/pem.ts'

test('a text of very many PEM blocks is read in time that grows with its length', () => {
  const block = '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n'
  const seconds = (blocks: number): number => {
    const text = block.repeat(blocks)
    const start = performance.now()
    expect(readPem(text).blocks).toHaveLength(blocks)
    return performance.now() - start
  }
  seconds(1_000)
  // Sixteen times as long: quadratic, it took more than a hundred times as much.
  expect(seconds(128_000)).toBeLessThan(64 * seconds(8_000))
})
