import { afterEach, expect, test, vi } from 'vitest'
import { nodeHandlers } from '../../src/runtime/node.ts'
import { poolKey } from '../../src/testing/index.ts'

let thrown: unknown
vi.mock('node:crypto', async (original) => ({
  ...(await original<typeof import('node:crypto')>()),
  createPublicKey: () => {
    throw thrown
  },
}))
afterEach(() => vi.restoreAllMocks())

const asked = {
  op: 'verifySignature',
  scheme: { name: 'ECDSA', hash: 'SHA-256' },
  spki: poolKey('P-256', 0).publicKey,
  data: new Uint8Array(1),
  signature: Uint8Array.of(0x30, 6, 2, 1, 1, 2, 1, 1),
  memorable: false,
} as const

test.each([
  ['Bun', new Error('Failed to read asymmetric key')],
  ['Deno', new Error('public key error: SPKI cryptographic key data malformed')],
  ['OpenSSL', Object.assign(new Error('unsupported'), { code: 'ERR_OSSL_UNSUPPORTED' })],
])('a key that %s cannot read is unsupported', (_, error) => {
  thrown = error
  expect(nodeHandlers().verifySignature(asked)).toBe('unsupported')
})

test.each([
  new TypeError('undefined is not a function'),
  Object.assign(new Error('no memory'), { code: 'ENOMEM' }),
])('%s is no answer about a key', (error) => {
  thrown = error
  expect(() => nodeHandlers().verifySignature(asked)).toThrow(error)
})
