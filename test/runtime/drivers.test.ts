import * as nodeCrypto from 'node:crypto'
import { Crypto as PeculiarCrypto } from '@peculiar/webcrypto'
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { fromHex, toHex } from '../../src/base/hex.ts'
import type { SignatureScheme } from '../../src/base/signature-scheme.ts'
import type { AsyncHandlers } from '../../src/effect/effect.ts'
import { nodeHandlers } from '../../src/runtime/node.ts'
import type { SignatureQuestion } from '../../src/runtime/signature-memo.ts'
import { webHandlers } from '../../src/runtime/web.ts'

const { generateKeyPairSync, sign } = nodeCrypto
const data = new TextEncoder().encode('tbsCertificate')

type Pair = { readonly publicKey: nodeCrypto.KeyObject; readonly privateKey: nodeCrypto.KeyObject }

function spkiOf({ publicKey }: Pair): Uint8Array {
  return new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }))
}

function question(scheme: SignatureScheme, pair: Pair, memorable = false): SignatureQuestion {
  const hash = 'hash' in scheme ? scheme.hash.replace('-', '') : null
  const key =
    scheme.name === 'RSASSA-PSS'
      ? { key: pair.privateKey, padding: 6, saltLength: scheme.saltLength }
      : pair.privateKey
  const signature = new Uint8Array(sign(hash, data, key))
  return { op: 'verifySignature', scheme, spki: spkiOf(pair), data, signature, memorable }
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const p521 = generateKeyPairSync('ec', { namedCurve: 'P-521' })
const ed25519 = generateKeyPairSync('ed25519')
const ed448 = generateKeyPairSync('ed448')
const dsa = generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 })
const ecdsa = { name: 'ECDSA', hash: 'SHA-256' } as const

const drivers: readonly (readonly [string, () => AsyncHandlers])[] = [
  ['node', nodeHandlers],
  ['web', webHandlers],
  ['web over @peculiar/webcrypto', () => webHandlers({ crypto: new PeculiarCrypto() })],
]

afterEach(() => vi.restoreAllMocks())

describe.each(drivers)('%s', (name, make) => {
  test.each<[SignatureScheme, Pair]>([
    [{ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-1' }, rsa],
    [{ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, rsa],
    [{ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-512' }, rsa],
    [{ name: 'RSASSA-PSS', hash: 'SHA-384', saltLength: 48 }, rsa],
    [{ name: 'RSASSA-PSS', hash: 'SHA-256', saltLength: 0 }, rsa],
    [ecdsa, p256],
    [{ name: 'ECDSA', hash: 'SHA-512' }, p256],
    [{ name: 'ECDSA', hash: 'SHA-384' }, p384],
    [{ name: 'ECDSA', hash: 'SHA-512' }, p521],
    [{ name: 'Ed25519' }, ed25519],
    [{ name: 'Ed448' }, ed448],
  ])('%o: valid, and invalid for other data or another key', async (scheme, pair) => {
    const { verifySignature } = make()
    const good = question(scheme, pair)
    const first = await verifySignature(good)
    // @peculiar/webcrypto leaves some curves out; it must say so.
    if (name.includes('peculiar') && first === 'unsupported') return
    expect(first).toBe('valid')
    expect(await verifySignature(good)).toBe('valid')
    expect(await verifySignature({ ...good, data: data.subarray(1) })).toBe('invalid')
    const other = generateKeyPairSync('rsa', { modulusLength: 1024 })
    if (pair === rsa) {
      expect(await verifySignature({ ...good, spki: spkiOf(other) })).toBe('invalid')
    }
  })

  test('ECDSA values short and long are padded to the size of the curve', async () => {
    const { verifySignature } = make()
    for (let i = 0; i < 100; i++) {
      expect(await verifySignature(question(ecdsa, p256))).toBe('valid')
    }
    const tooLong = fromHex(`3028022201${'00'.repeat(33)}020101`)!
    expect(await verifySignature({ ...question(ecdsa, p256), signature: tooLong })).toBe('invalid')
  })

  test('a key that is none is unsupported, each time', async () => {
    const { verifySignature } = make()
    const good = question(ecdsa, p256)
    const offCurve = good.spki.slice()
    offCurve[90]! ^= 1
    for (const spki of [offCurve, offCurve, new Uint8Array(), Uint8Array.of(0x30, 0)]) {
      expect(await verifySignature({ ...good, spki })).toBe('unsupported')
    }
  })

  test('no bytes make it throw or verify', async () => {
    const { verifySignature } = make()
    const bytes = fc.uint8Array({ maxLength: 80 })
    await fc.assert(
      fc.asyncProperty(bytes, async (signature) => {
        const answer = await verifySignature({ ...question(ecdsa, p256), signature })
        return answer !== 'valid'
      }),
      { numRuns: 50 },
    )
  })

  test('digests', async () => {
    const { digest } = make()
    const empty = new Uint8Array()
    const hex = async (hash: 'SHA-1' | 'SHA-256') =>
      toHex(await digest({ op: 'digest', hash, data: empty }))
    expect(await hex('SHA-1')).toBe('da39a3ee5e6b4b0d3255bfef95601890afd80709')
    expect(await hex('SHA-256')).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    )
  })

  test('a memorable signature is remembered by its bytes, and only when it verified', async () => {
    const { verifySignature } = make()
    const good = question(ecdsa, p256, true)
    const bad = { ...good, data: data.subarray(1) }
    for (const [asked, answer] of [
      [bad, 'invalid'],
      [good, 'valid'],
      [bad, 'invalid'],
      [good, 'valid'],
    ] as const) {
      expect(await verifySignature(asked)).toBe(answer)
    }
    const copy = { ...good, data: good.data.slice(), spki: good.spki.slice() }
    // What is remembered is there at once, even where a verification takes a turn.
    expect(verifySignature(copy)).toBe('valid')
    copy.data[0]! ^= 1
    expect(await verifySignature(copy)).toBe('invalid')
  })
})

test('what is no failure of cryptography is not taken for one', () => {
  const asked = { ...question(ecdsa, p256), data: 5 as unknown as Uint8Array }
  expect(() => nodeHandlers().verifySignature(asked)).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
  )
})

describe('Deno answers some questions wrongly, so it is not asked them', () => {
  afterEach(() => vi.unstubAllGlobals())
  const k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })

  test.each<[SignatureScheme, Pair, web: string, node: string]>([
    [{ name: 'ECDSA', hash: 'SHA-1' }, p384, 'unsupported', 'unsupported'],
    [{ name: 'ECDSA', hash: 'SHA-1' }, p521, 'valid', 'unsupported'],
    [{ name: 'ECDSA', hash: 'SHA-256' }, p521, 'valid', 'unsupported'],
    [{ name: 'ECDSA', hash: 'SHA-256' }, k1, 'unsupported', 'unsupported'],
    // s past the order of the group: RFC 8032 §5.2.7.
    [{ name: 'Ed448' }, ed448, 'valid', 'unsupported'],
    [{ name: 'ECDSA', hash: 'SHA-384' }, p521, 'valid', 'valid'],
    [{ name: 'ECDSA', hash: 'SHA-256' }, p384, 'valid', 'valid'],
    [{ name: 'ECDSA', hash: 'SHA-1' }, p256, 'valid', 'valid'],
  ])('%o', async (scheme, pair, web, node) => {
    vi.stubGlobal('Deno', {})
    const asked = question(scheme, pair)
    expect(await webHandlers().verifySignature(asked)).toBe(web)
    expect(nodeHandlers().verifySignature(asked)).toBe(node)
  })
})

describe('what a WebCrypto lacks', () => {
  test.each<[SignatureScheme, Pair]>([
    [{ name: 'DSA', hash: 'SHA-256' }, dsa],
    [{ name: 'RSASSA-PKCS1-v1_5', hash: 'MD5' }, rsa],
    [{ name: 'ECDSA', hash: 'SHA-224' }, p256],
    [ecdsa, generateKeyPairSync('ec', { namedCurve: 'secp256k1' })],
  ])('%o is unsupported there, and valid under Node', async (scheme, pair) => {
    const asked = question(scheme, pair)
    expect(await webHandlers().verifySignature(asked)).toBe('unsupported')
    expect(nodeHandlers().verifySignature(asked)).toBe('valid')
  })

  test('a platform that refuses a curve or fails to verify is unsupported', async () => {
    const { subtle } = globalThis.crypto
    const refuse = () => Promise.reject(new DOMException('no', 'NotSupportedError'))
    const without = (name: string) =>
      webHandlers({
        crypto: {
          subtle: new Proxy(subtle, {
            get: (target, property) => {
              const member: unknown = Reflect.get(target, property)
              if (property === name) return refuse
              return typeof member === 'function' ? member.bind(target) : member
            },
          }),
        },
      })
    const asked = question(ecdsa, p256, true)
    for (const name of ['importKey', 'verify']) {
      const { verifySignature } = without(name)
      expect(await verifySignature(asked)).toBe('unsupported')
      expect(await verifySignature(asked)).toBe('unsupported')
    }
  })

  test('none at all is a misuse', () => {
    vi.stubGlobal('crypto', undefined)
    expect(() => webHandlers()).toThrow(expect.objectContaining({ code: 'webcrypto-missing' }))
    vi.unstubAllGlobals()
  })
})

test('bytes that change while WebCrypto imports the key are not what is verified or remembered', async () => {
  const { verifySignature } = webHandlers()
  const good = question(ecdsa, p256, true)
  const bad = { ...good, data: Uint8Array.of(...data, 0) }
  const answer = verifySignature(bad)
  bad.data.set([...data, 1])
  expect(await answer).toBe('invalid')
  const asked = { ...good, data: good.data.slice() }
  const pending = verifySignature(asked)
  asked.data[0]! ^= 1
  expect(await pending).toBe('valid')
  expect(await verifySignature(asked)).toBe('invalid')
})

test('caches change nothing but time: one entry or many, the answers are the same', async () => {
  const pairs = [p256, generateKeyPairSync('ec', { namedCurve: 'P-256' }), p384]
  const good = pairs.map((pair) => question(ecdsa, pair, true))
  const small = { keys: 1, signatures: 1 }
  const index = fc.nat({ max: 2 })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(index, index), { maxLength: 8 }), async (asked) => {
      const handlers: AsyncHandlers[] = [nodeHandlers(small), nodeHandlers(), webHandlers(small)]
      for (const [from, key] of asked) {
        const mixed = { ...good[from]!, spki: good[key]!.spki }
        for (const { verifySignature } of handlers) {
          const answer = await verifySignature(mixed)
          expect(answer).toBe(from === key ? 'valid' : 'invalid')
        }
      }
    }),
    { numRuns: 20 },
  )
})
