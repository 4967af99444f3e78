import { describe, expect, test } from 'vitest'
import { ask, type Effect, runAsync, runSync, type Steps } from '../../src/effect/effect.ts'

const digest = { op: 'digest', hash: 'SHA-256', data: Uint8Array.of(1) } as const
const verify = {
  op: 'verifySignature',
  scheme: { name: 'Ed25519' },
  spki: Uint8Array.of(2),
  data: Uint8Array.of(3),
  signature: Uint8Array.of(4),
  memorable: false,
} as const

function* both(): Steps<readonly [Uint8Array, string]> {
  const bytes = yield* ask(digest)
  const answer = yield* ask(verify)
  return [bytes, answer]
}

function* asking(questions: number): Steps<number> {
  for (let i = 0; i < questions; i++) yield* ask(digest)
  return questions
}

describe('the two drivers', () => {
  const asked: Effect[] = []
  const handlers = {
    digest: (effect: Effect) => {
      asked.push(effect)
      return Uint8Array.of(9)
    },
    verifySignature: (effect: Effect) => {
      asked.push(effect)
      return 'invalid' as const
    },
    digestsWhenRead: () => () => [Uint8Array.of(8)],
    wait: () => undefined,
  }
  const later = {
    digestsWhenRead: async () => handlers.digestsWhenRead(),
    digest: async (effect: Effect) => handlers.digest(effect),
    verifySignature: async (effect: Effect) => handlers.verifySignature(effect),
    wait: async () => undefined,
  }
  const expected = [Uint8Array.of(9), 'invalid']

  test('each question goes to its handler, and its answer back', async () => {
    expect(runSync(both(), handlers)).toEqual(expected)
    expect(await runAsync(both(), handlers)).toEqual(expected)
    expect(await runAsync(both(), later)).toEqual(expected)
    expect(asked).toEqual([digest, verify, digest, verify, digest, verify])
  })
  test('no question', async () => {
    expect(runSync(asking(0), handlers)).toBe(0)
    expect(await runAsync(asking(0), handlers)).toBe(0)
  })
  test('answers that are there cost no turn of the microtask queue', async () => {
    let turns = 0
    const counting = Promise.resolve()
      .then(() => turns++)
      .then(() => turns++)
    const result = runAsync(both(), handlers)
    await result
    expect(turns).toBeLessThanOrEqual(1)
    await counting
  })
  test('what a handler throws is thrown', async () => {
    const broken = {
      ...handlers,
      digest: () => {
        throw new RangeError('no')
      },
    }
    expect(() => runSync(both(), broken)).toThrow(RangeError)
    await expect(runAsync(both(), broken)).rejects.toThrow(RangeError)
    const rejecting = { ...handlers, digest: () => Promise.reject(new RangeError('no')) }
    await expect(runAsync(both(), rejecting)).rejects.toThrow(RangeError)
  })
})
