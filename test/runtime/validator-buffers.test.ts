import { describe, expect, test } from 'vitest'
import { runAsync, runSync } from '../../src/effect/effect.ts'
import { parseTrustAnchors } from '../../src/index.ts'
import { nodeHandlers } from '../../src/runtime/node.ts'
import { VerdictCache } from '../../src/runtime/validator.ts'
import { issueCa, testTime } from '../../src/testing/index.ts'

describe('a verdict that is kept is about the octets that were judged', async () => {
  const root = await issueCa('Root CA')
  const good = await root.issue('client-a')
  const trustAnchors = parseTrustAnchors(root.der)
  const call = { time: new Date(testTime * 1000) }
  // Same length and same last octets, which is all that the key of the cache looks at.
  const forged = new Uint8Array(good.der)
  forged[60]! ^= 1

  test('a buffer that is overwritten while a verdict is made proves nothing about what is in it then', async () => {
    const cache = new VerdictCache({ trustAnchors }, {})
    const buffer = new Uint8Array(good.der)
    const found = cache.look(buffer, call)
    if (found.verdict !== undefined) throw new Error('nothing was presented before')
    const pending = runAsync(found.steps, nodeHandlers())
    buffer.set(forged)
    found.remember(await pending)
    const again = cache.look(buffer, call)
    expect(again.verdict).toBeUndefined()
    if (again.verdict !== undefined) return
    expect(runSync(again.steps, nodeHandlers())).toMatchObject({ ok: false })
  })

  test.each([
    ['octets', (der: Uint8Array) => der],
    ['a list of octets', (der: Uint8Array) => [der]],
  ])(
    'a kept verdict over %s shows the same client after the buffer was overwritten',
    (_, presented) => {
      const cache = new VerdictCache({ trustAnchors }, {})
      const buffer = new Uint8Array(good.der)
      const found = cache.look(presented(buffer), call)
      if (found.verdict !== undefined) throw new Error('nothing was presented before')
      found.remember(runSync(found.steps, nodeHandlers()))
      buffer.fill(0)
      const { verdict } = cache.look(presented(good.der), call)
      expect(verdict).toMatchObject({ ok: true, verified: true })
      if (verdict?.ok !== true || !verdict.verified) return
      expect(verdict.identity.subject).toBe('CN=client-a')
      expect(verdict.path[0]?.der).toEqual(good.der)
    },
  )

  test('a kept verdict over several certificates is for these in this order, whether or not they are in the path', async () => {
    const issuing = await root.issueCa('Issuing CA')
    const { der } = await issuing.issue('client-b')
    const stranger = (await issueCa('Stranger CA')).der
    const changed = new Uint8Array(stranger)
    changed[60]! ^= 1
    const cache = new VerdictCache({ trustAnchors }, {})
    const presented = [der, issuing.der, stranger]
    const found = cache.look(presented, call)
    if (found.verdict !== undefined) throw new Error('nothing was presented before')
    found.remember(runSync(found.steps, nodeHandlers()))
    const isKept = (...others: Uint8Array[]) => cache.look(others, call).verdict !== undefined
    expect(isKept(...presented.map((part) => new Uint8Array(part)))).toBe(true)
    expect(isKept(der, issuing.der, changed)).toBe(false)
    expect(isKept(der, stranger, issuing.der)).toBe(false)
    expect(isKept(der, issuing.der)).toBe(false)
  })
})
