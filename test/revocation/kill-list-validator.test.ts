import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createClientCertificateValidator } from '../../src/index.node.ts'
import { parseTrustAnchors, type Verdict } from '../../src/index.ts'
import { createKillList } from '../../src/revocation.ts'
import { createClientCertificateValidatorSync } from '../../src/sync.ts'
import { createPki } from '../../src/testing/index.ts'
import { at } from '../client/support.ts'

const pki = await createPki()
const { issuing } = pki
const trustAnchors = parseTrustAnchors(pki.anchorsPem)
const time = at()
const clients = await Promise.all(
  Array.from({ length: 40 }, (_, i) => issuing.issue(`client-${i}`, { serialNumber: 1000 + i })),
)
const [a, b] = clients as [(typeof clients)[0], (typeof clients)[0]]
const code = (verdict: Verdict) => (verdict.ok ? 'ok' : verdict.failure.code)

function setUp() {
  const killList = createKillList()
  const options = { trustAnchors, intermediates: issuing, killList }
  return { killList, options }
}

describe('a validator with a kill list', () => {
  test('forgets its verdicts at each change, and remembers between them', () => {
    const { killList, options } = setUp()
    const validator = createClientCertificateValidatorSync(options)
    const first = validator.validate(a.der, { time })
    expect(validator.validate(a.der, { time })).toBe(first)
    const id = killList.add({ certificate: b })
    expect(validator.size()).toBe(0)
    const second = validator.validate(a.der, { time })
    expect(second).not.toBe(first)
    expect(validator.validate(a.der, { time })).toBe(second)
    expect(code(validator.validate(b.der, { time }))).toBe('certificate-killed')
    expect(validator.size()).toBe(1)
    killList.remove(id)
    expect(code(validator.validate(b.der, { time }))).toBe('ok')
    killList.replace([{ issuer: 'CN=Example Issuing CA,O=Example' }])
    expect(code(validator.validate(a.der, { time }))).toBe('issuer-killed')
  })
  test('does not remember a refusal: the entry may go, or its time may end', () => {
    const { killList, options } = setUp()
    const validator = createClientCertificateValidatorSync(options)
    killList.add({ certificate: a, expires: at(5) })
    expect(code(validator.validate(a.der, { time: at(5) }))).toBe('certificate-killed')
    expect(validator.size()).toBe(0)
    expect(code(validator.validate(a.der, { time: at(6) }))).toBe('ok')
    expect(validator.size()).toBe(1)
  })
  test('does not reuse a verdict of later for a time in which an entry counted', () => {
    const { killList, options } = setUp()
    const validator = createClientCertificateValidatorSync(options)
    killList.add({ certificate: a, expires: at(5) })
    expect(code(validator.validate(a.der, { time: at(6) }))).toBe('ok')
    expect(code(validator.validate(a.der, { time: at(5) }))).toBe('certificate-killed')
    expect(code(validator.validate(a.der, { time: at(6) }))).toBe('ok')
  })
  test('does not remember a verdict that was under way when the list changed', async () => {
    const { killList, options } = setUp()
    const validator = createClientCertificateValidator(options)
    const underWay = clients.map((client) => validator.validate(client.der, { time }))
    killList.add({ issuer: 'CN=x' })
    await Promise.all(underWay)
    expect(validator.size()).toBe(0)
    await validator.validate(a.der, { time })
    expect(validator.size()).toBe(1)
  })
  test('under other options forgets by the other list', () => {
    const { killList, options } = setUp()
    const validator = createClientCertificateValidatorSync(options)
    const other = createKillList()
    validator.update({ ...options, killList: other })
    const first = validator.validate(a.der, { time })
    killList.add({ certificate: a })
    expect(validator.validate(a.der, { time })).toBe(first)
    other.add({ certificate: a })
    expect(code(validator.validate(a.der, { time }))).toBe('certificate-killed')
  })
  test('shares the list with others', () => {
    const { killList, options } = setUp()
    const validators = [1, 2].map(() => createClientCertificateValidatorSync(options))
    for (const validator of validators) validator.validate(a.der, { time })
    killList.add({ certificate: a })
    for (const validator of validators) {
      expect(code(validator.validate(a.der, { time }))).toBe('certificate-killed')
    }
  })
})

test('under 2,000 cached validations a second an entry is in force for the next request, within 5 ms', async () => {
  const { killList, options } = setUp()
  const validator = createClientCertificateValidator(options)
  for (const client of clients) await validator.validate(client.der, { time })
  const killed = new Set<string>()
  let wrong = 0
  let served = 0
  const serve = async (client: typeof a): Promise<string> => {
    // What counts is the list at the moment of the request.
    const expected = killed.has(client.pem) ? 'certificate-killed' : 'ok'
    const actual = code(await validator.validate(client.der, { time }))
    served++
    if (actual !== expected) wrong++
    return actual
  }
  const waits: number[] = []
  const start = performance.now()
  for (let tick = 0; tick < 100; tick++) {
    const load = Array.from({ length: 10 }, (_, i) =>
      serve(clients[(tick * 10 + i) % clients.length] as typeof a),
    )
    if (tick % 10 === 5) {
      const victim = clients[waits.length] as typeof a
      const before = performance.now()
      killList.add({ certificate: victim })
      killed.add(victim.pem)
      expect(await serve(victim)).toBe('certificate-killed')
      waits.push(performance.now() - before)
    }
    await Promise.all(load)
    // Every 5 ms ten requests, as far as the machine keeps up.
    await sleep(Math.max(0, start + (tick + 1) * 5 - performance.now()))
  }
  expect(served).toBe(1010)
  expect(wrong).toBe(0)
  const [, , , , , median] = waits.toSorted((x, y) => x - y)
  expect(waits.length).toBe(10)
  expect(median).toBeLessThanOrEqual(5)
})

test('an entry among 100,000 is found as fast as among one', () => {
  const others = Array.from({ length: 100_000 }, (_, i) => ({
    issuer: 'CN=Example Issuing CA,O=Example',
    serialNumber: BigInt(1_000_000 + i),
  }))
  const { killList, options } = setUp()
  const validator = createClientCertificateValidatorSync(options, { verdicts: 0 })
  killList.replace(others)
  const id = killList.add({ certificate: a })
  const before = performance.now()
  for (let i = 0; i < 100; i++) validator.validate(a.der, { time })
  // A scan would cost over a millisecond for each.
  expect(performance.now() - before).toBeLessThan(100)
  expect(code(validator.validate(a.der, { time }))).toBe('certificate-killed')
  expect(code(validator.validate(b.der, { time }))).toBe('ok')
  expect(killList.remove(id)).toBe(true)
  expect(code(validator.validate(a.der, { time }))).toBe('ok')
})
