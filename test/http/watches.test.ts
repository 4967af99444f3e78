/** When requests that stay open are looked at again. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Decision } from '../../src/http/decision.ts'
import { Watches } from '../../src/http/watches.ts'
import { requestWith } from './support.ts'

const noon = 1_800_000_000_000
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] })
  vi.setSystemTime(noon)
})
afterEach(() => {
  vi.useRealTimers()
})

/** @param validUntil - Unix seconds. */
function allowedUntil(validUntil: number): Decision {
  return new Decision(200, undefined, {
    allowed: true,
    trace: [],
    validFrom: 0,
    validUntil,
    identity: undefined,
    verdict: undefined,
  })
}

const refusedNow = new Decision(401, 'certificate-expired')
const second = (): number => Math.floor(Date.now() / 1000)

/** One watched request, as long as `decide` lets it in; `looks` has the milliseconds since noon of each look. */
async function watching(first: Decision, decide: () => Decision) {
  const looks: number[] = []
  const refused = vi.fn()
  const watches = new Watches(() => {
    looks.push(Date.now() - noon)
    return decide()
  })
  const end = watches.add(requestWith({}), first, refused)
  await Promise.resolve()
  return { looks, refused, watches, end }
}

test('a request is looked at once at its beginning, and then when its outcome has run out', async () => {
  const until = noon / 1000 + 10
  const { looks, refused } = await watching(allowedUntil(until), () =>
    second() <= until ? allowedUntil(until) : refusedNow,
  )
  expect(looks).toEqual([0])
  vi.advanceTimersByTime(60_000)
  expect(looks).toEqual([0, 11_000])
  expect(refused).toHaveBeenCalledExactlyOnceWith(refusedNow)
})

test('what ends within this second is seen at its end, however often it was looked at before', async () => {
  const until = noon / 1000
  const { looks, refused, watches } = await watching(allowedUntil(until), () =>
    second() <= until ? allowedUntil(until) : refusedNow,
  )
  vi.advanceTimersByTime(500)
  watches.lookAgain()
  watches.lookAgain()
  vi.advanceTimersByTime(1000)
  expect(looks).toEqual([0, 500, 500, 1000])
  expect(refused).toHaveBeenCalledOnce()
})

test('what is good for its own second only is looked at each minute', async () => {
  const { looks } = await watching(allowedUntil(noon / 1000), () => allowedUntil(second()))
  vi.advanceTimersByTime(130_000)
  expect(looks).toEqual([0, 1000, 61_000, 121_000])
})

test('what has run out and is let in all the same is not looked at without end', async () => {
  const past = allowedUntil(noon / 1000 - 100)
  const { looks } = await watching(past, () => past)
  vi.advanceTimersByTime(130_000)
  expect(looks.length).toBeLessThan(5)
})

test('a watch that was ended at once looks at nothing', async () => {
  const looked = vi.fn(() => refusedNow)
  new Watches(looked).add(requestWith({}), allowedUntil(noon / 1000 + 10), () => {})()
  await Promise.resolve()
  vi.advanceTimersByTime(130_000)
  expect(looked).not.toHaveBeenCalled()
})

test('a year is more than a timer can take', async () => {
  const until = noon / 1000 + 400 * 86_400
  const { looks } = await watching(allowedUntil(until), () => allowedUntil(until))
  vi.advanceTimersByTime(50 * 86_400_000)
  expect(looks).toEqual([0, 2 ** 31 - 1, 2 * (2 ** 31 - 1)])
})

test('many that are due are looked at in turns, each once', async () => {
  const looks: string[] = []
  const watches = new Watches(({ target }) => {
    looks.push(target)
    // A millisecond of validating.
    const end = performance.now() + 1
    while (performance.now() < end);
    return allowedUntil(noon / 1000 + 100)
  })
  const targets = Array.from({ length: 30 }, (_, i) => `/${i}`)
  for (const target of targets) {
    watches.add({ ...requestWith({}), target }, allowedUntil(noon / 1000 + 100), () => {})
  }
  await Promise.resolve()
  looks.length = 0
  watches.lookAgain()
  expect(looks.length).toBeLessThan(10)
  vi.advanceTimersByTime(0)
  expect(looks.length).toBeLessThan(20)
  vi.advanceTimersByTime(1000)
  expect(looks).toEqual(targets)
})
