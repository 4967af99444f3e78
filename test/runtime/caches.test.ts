import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SignatureScheme } from '../../src/base/signature-scheme.ts'
import { Generations } from '../../src/runtime/generations.ts'
import { KeyCache } from '../../src/runtime/key-cache.ts'
import { SignatureMemo, type SignatureQuestion } from '../../src/runtime/signature-memo.ts'

describe('generations', () => {
  test('never more than twice the capacity, and the last used are there', () => {
    const key = fc.integer({ min: 0, max: 30 }).map(String)
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.array(key), (capacity, used) => {
        const map = new Generations<string>(capacity)
        for (const name of used) {
          if (map.get(name) === undefined) map.set(name, name)
          expect(map.size).toBeLessThanOrEqual(2 * capacity)
        }
        for (const name of [...new Set(used.toReversed())].slice(0, capacity)) {
          expect(map.get(name)).toBe(name)
        }
      }),
    )
  })

  test('a key is set anew without pushing another out', () => {
    const map = new Generations<number>(1)
    map.set('a', 1)
    map.set('a', 2)
    expect([map.get('a'), map.size, map.turns]).toEqual([2, 1, 0])
  })
})

describe('key cache', () => {
  function counting(capacity: number) {
    const cache = new KeyCache<string>(capacity)
    const imported: string[] = []
    const importKey = (spki: Uint8Array) => {
      imported.push(spki.join())
      return spki.join()
    }
    return { cache, imported, get: (spki: Uint8Array, use = '') => cache.get(spki, use, importKey) }
  }

  test('imports once, by bytes and not by view', () => {
    const { get, imported } = counting(4)
    const view = Uint8Array.of(1, 2)
    expect([get(view), get(view), get(view.slice())]).toEqual(['1,2', '1,2', '1,2'])
    expect(imported).toEqual(['1,2'])
  })

  test('an overwritten buffer is another key, and the copy is not touched', () => {
    const { get, imported } = counting(4)
    const view = Uint8Array.of(1, 2)
    get(view)
    view[1] = 3
    expect(get(view)).toBe('1,3')
    view[1] = 2
    expect(get(view)).toBe('1,2')
    expect(imported).toEqual(['1,2', '1,3'])
  })

  test('a key is imported once for each use', () => {
    const { get, imported } = counting(4)
    const view = Uint8Array.of(1)
    for (const use of ['sha256', 'sha512', 'sha256']) get(view, use)
    expect(imported).toEqual(['1', '1'])
  })

  test('bounded: views that live on do not keep a key that was forgotten', () => {
    const { cache, get, imported } = counting(2)
    const views = Array.from({ length: 20 }, (_, i) => Uint8Array.of(i))
    for (const view of views) {
      get(view)
      expect(cache.size).toBeLessThanOrEqual(4)
    }
    get(views[0]!)
    expect(imported).toHaveLength(21)
  })

  test('a key in use is never imported again', () => {
    const { get, imported } = counting(2)
    const hot = Uint8Array.of(255)
    for (let i = 0; i < 20; i++) {
      get(hot)
      get(Uint8Array.of(i))
    }
    expect(imported.filter((key) => key === '255')).toHaveLength(1)
  })

  test('whatever is asked, the answer is that of an import', () => {
    const bytes = fc.uint8Array({ maxLength: 2, max: 3 })
    fc.assert(
      fc.property(fc.array(bytes), (all) => {
        const { get } = counting(2)
        const buffer = new Uint8Array(2)
        return all.every((spki) => {
          buffer.set(spki)
          const reused = buffer.subarray(0, spki.length)
          return get(spki) === spki.join() && get(reused) === spki.join()
        })
      }),
    )
  })
})

describe('signature memo', () => {
  const scheme: SignatureScheme = { name: 'RSASSA-PSS', hash: 'SHA-256', saltLength: 32 }
  const question = (seed: number): SignatureQuestion => ({
    op: 'verifySignature',
    scheme,
    spki: Uint8Array.of(1, seed),
    data: Uint8Array.of(2, seed),
    signature: new Uint8Array(64).fill(seed),
    memorable: true,
  })

  test('knows what it was told, in any buffer', () => {
    const memo = new SignatureMemo(4)
    expect(memo.has(question(1))).toBe(false)
    memo.remember(question(1))
    expect(memo.has(question(1))).toBe(true)
    expect(memo.has({ ...question(1), scheme: { ...scheme } })).toBe(true)
  })

  test.each<[string, Partial<SignatureQuestion>]>([
    ['the key', { spki: Uint8Array.of(1, 2) }],
    ['a longer key', { spki: Uint8Array.of(1, 1, 0) }],
    ['the data', { data: Uint8Array.of(2, 2) }],
    ['the first octet of the signature', { signature: new Uint8Array(64).fill(1).fill(0, 0, 1) }],
    ['the last octet of the signature', { signature: new Uint8Array(64).fill(1).fill(0, 63) }],
    ['a shorter signature', { signature: new Uint8Array(63).fill(1) }],
    ['no signature', { signature: new Uint8Array() }],
    ['the name of the scheme', { scheme: { name: 'Ed25519' } }],
    ['the hash', { scheme: { ...scheme, hash: 'SHA-512' } }],
    ['the salt', { scheme: { ...scheme, saltLength: 33 } }],
    ['what is not memorable', { memorable: false }],
  ])('%s tells two questions apart', (_, change) => {
    const memo = new SignatureMemo(4)
    memo.remember(question(1))
    expect(memo.has({ ...question(1), ...change })).toBe(false)
  })

  test('holds copies: a buffer that is overwritten takes nothing along', () => {
    const memo = new SignatureMemo(4)
    const first = question(1)
    memo.remember(first)
    first.data[0] = 9
    expect(memo.has(first)).toBe(false)
    expect(memo.has(question(1))).toBe(true)
  })

  test('takes in nothing that is not memorable, and nothing beyond 16 KiB', () => {
    const memo = new SignatureMemo(4)
    memo.remember({ ...question(1), memorable: false })
    memo.remember({ ...question(2), data: new Uint8Array(16_384) })
    expect(memo.size).toBe(0)
  })

  test('bounded', () => {
    const memo = new SignatureMemo(3)
    for (let i = 0; i < 100; i++) {
      memo.remember(question(i))
      expect(memo.size).toBeLessThanOrEqual(6)
    }
    expect(memo.has(question(99))).toBe(true)
    expect(memo.has(question(0))).toBe(false)
  })
})
