/**
 * From a change to the first request that is judged by it, at every gateway of a fleet. `SLOW=1`: 20 gateways and 40 deployments.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ApiProxyClient } from '../../../src/management/client.ts'
import {
  Fleet,
  type GatewayProgram,
  type Manager,
  percentile,
  policy,
  policyName,
  slow,
  until,
} from './support.ts'

const gatewayCount = slow ? 20 : 4
const deployments = slow ? 40 : 10
/** Between two requests to one gateway; it is part of what is measured. */
const probeMs = slow ? 50 : 20

describe(`a change, and ${gatewayCount} gateways`, () => {
  let fleet: Fleet
  let manager: Manager
  let proxy: ApiProxyClient
  let gateways: readonly GatewayProgram[]

  beforeAll(async () => {
    fleet = await Fleet.open()
    manager = await fleet.manager()
    proxy = await fleet.makeProject(manager, await fleet.upstream())
    const started: GatewayProgram[] = []
    for (let n = 1; n <= gatewayCount; n++) started.push(await fleet.gateway(manager, `gw-${n}`))
    gateways = started
  }, 120_000)
  afterAll(() => fleet?.close(), 60_000)

  test('every gateway reports what it runs', async () => {
    await until(
      async () => (await reported()).length === gatewayCount,
      () => 'not every gateway reports the deployment',
    )
  })

  test(`${deployments} deployments are in force within a second`, {
    timeout: 300_000,
  }, async () => {
    const sinceSent: number[] = []
    const sinceAcknowledged: number[] = []
    const acknowledged: number[] = []
    for (let n = 0; n < deployments; n++) {
      const isPartnerIn = n % 2 === 0
      const expected = isPartnerIn ? 200 : 401
      let isOver = false
      const sent = performance.now()
      const seen = gateways.map((gateway) => firstAnswer(gateway, expected, () => isOver))
      const result = await proxy.policies.update(
        policyName,
        policy({ validateACLForIssuer: !isPartnerIn }),
      )
      const end = performance.now()
      expect(result).toMatchObject({
        success: true,
        deploymentResults: [{ message: 'Deployment successful' }],
      })
      // What is not in force by now has failed, a generous while after.
      const giveUp = setTimeout(() => {
        isOver = true
      }, 10_000)
      const firsts = await Promise.all(seen)
      clearTimeout(giveUp)
      acknowledged.push(end - sent)
      for (const first of firsts) {
        sinceSent.push(first - sent)
        sinceAcknowledged.push(Math.max(0, first - end))
      }
      // Each has said so; the list is written at once for all that say it together.
      await until(
        async () => (await reported()).length === gatewayCount,
        () => 'acknowledged, and not every gateway reports it',
        1000,
      )
    }
    const figures = (values: readonly number[]): string =>
      `p50 ${percentile(values, 0.5).toFixed(0)} ms, p99 ${percentile(values, 0.99).toFixed(0)} ms, most ${Math.max(...values).toFixed(0)} ms`
    console.error(
      [
        `${gatewayCount} gateways, ${deployments} deployments, a request every ${probeMs} ms at each`,
        `  PUT sent to acknowledged:    ${figures(acknowledged)}`,
        `  PUT sent to in force:        ${figures(sinceSent)}`,
        `  acknowledged to in force:    ${figures(sinceAcknowledged)}`,
      ].join('\n'),
    )
    expect(percentile(sinceSent, 0.99)).toBeLessThan(1000)
  })

  /** @returns When the first request that got the expected answer was answered. */
  async function firstAnswer(
    gateway: GatewayProgram,
    expected: number,
    isOver: () => boolean,
  ): Promise<number> {
    // Not all of them at the same moment.
    await sleep(Math.random() * probeMs)
    while (!isOver()) {
      const status = await fleet.ask(gateway, 'partner')
      if (status === expected) return performance.now()
      await sleep(probeMs)
    }
    return Number.POSITIVE_INFINITY
  }

  /** Gateways that say to run what is deployed. */
  async function reported(): Promise<readonly string[]> {
    const [status] = await proxy.deployments.list()
    const listed = await manager.client.environments.gateways('production')
    return listed
      .filter(
        ({ connected, problems, runs: [run, ...others] }) =>
          connected &&
          problems.length === 0 &&
          others.length === 0 &&
          run?.hash === status?.hash &&
          run?.sequence === status?.sequence,
      )
      .map(({ name }) => name)
  }
})
