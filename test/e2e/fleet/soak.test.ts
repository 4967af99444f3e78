/**
 * Mixed load and a deployment every second: nothing is answered wrongly, and memory stays flat. `SLOW=1`: for five minutes, or for as many
 * as `SOAK_MINUTES` says; the short form is too short to say something about memory.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ApiProxyClient } from '../../../src/management/client.ts'
import {
  Fleet,
  type GatewayProgram,
  Load,
  linesOf,
  type Manager,
  memoryOf,
  percentile,
  policy,
  policyName,
  slow,
  until,
  watchMemory,
} from './support.ts'

const seconds = slow ? Number(process.env.SOAK_MINUTES ?? 5) * 60 : 6
/** Caches fill, code is compiled; a fifth of the time, at most two minutes. */
const warmUp = Math.min(120, seconds / 5)
const allowedDrift = 0.05

describe(`for ${seconds} s`, () => {
  let fleet: Fleet
  let manager: Manager
  let proxy: ApiProxyClient
  let gateway: GatewayProgram

  beforeAll(async () => {
    fleet = await Fleet.open()
    manager = await fleet.manager(undefined, watchMemory(fleet))
    proxy = await fleet.makeProject(manager, await fleet.upstream())
    gateway = await fleet.gateway(manager, 'gateway-1', undefined, watchMemory(fleet))
    await until(
      async () => (await fleet.ask(gateway, 'client-a')) === 200,
      () => gateway.log(),
    )
  }, 60_000)
  afterAll(() => fleet?.close(), 60_000)

  test('0 errors, and no drift', { timeout: seconds * 1000 + 60_000 }, async () => {
    const load = new Load(fleet, gateway, [
      ['client-a', 200],
      ['client-a', 200],
      ['client-a', 200],
      ['expired', 401],
      ['foreign', 401],
    ])
    const samples = { manager: [] as Sample[], gateway: [] as Sample[] }
    const begin = performance.now()
    const { killList } = manager.client.project('MyProject')
    let deployments = 0
    for (let second = 1; second <= seconds; second++) {
      const isPartnerIn = second % 2 === 0
      const change = { validateACLForIssuer: !isPartnerIn, description: `second ${second}` }
      const { success } = await proxy.policies.update(policyName, policy(change))
      expect([second, success]).toEqual([second, true])
      deployments++
      expect(await fleet.ask(gateway, 'partner')).toBe(isPartnerIn ? 200 : 401)
      const serialNumber = (0x1000 + second).toString(16)
      const { id } = await killList.add({ issuer: 'CN=Nobody', serialNumber })
      await killList.delete(id)
      if (second % 5 === 0 && second >= warmUp) {
        samples.manager.push(await memoryOf(fleet, manager.program))
        samples.gateway.push(await memoryOf(fleet, gateway))
      }
      await sleep(Math.max(0, begin + second * 1000 - performance.now()))
    }
    await load.end()
    const took = (performance.now() - begin) / 1000
    const drifts = Object.entries(samples).flatMap(([who, all]) =>
      (['heapUsed', 'rss'] as const).map((what) => {
        const values = all.map((sample) => sample[what])
        const quarter = Math.max(1, Math.floor(values.length / 4))
        const first = percentile(values.slice(0, quarter), 0.5)
        const last = percentile(values.slice(-quarter), 0.5)
        return { who, what, first, last, drift: last / first - 1 }
      }),
    )
    console.error(
      [
        `${took.toFixed(0)} s: ${deployments} deployments, ${load.count} requests, ${load.wrong.length} wrong`,
        ...drifts.map(
          ({ who, what, first, last, drift }) =>
            `  ${who} ${what}: ${megabytes(first)} to ${megabytes(last)}, ${(drift * 100).toFixed(1)} %`,
        ),
      ].join('\n'),
    )
    expect(load.wrong).toEqual([])
    expect(manager.program.log()).toBe('')
    // Of those who are refused all the time; and nothing else.
    expect(new Set(linesOf(gateway).map(({ msg }) => msg))).toEqual(new Set(['refused']))
    if (!slow) return
    for (const { who, what, drift } of drifts) {
      expect([who, what, drift > allowedDrift]).toEqual([who, what, false])
    }
  })
})

type Sample = Awaited<ReturnType<typeof memoryOf>>

function megabytes(octets: number): string {
  return `${(octets / 1e6).toFixed(1)} MB`
}
