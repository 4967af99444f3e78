/**
 * A manager that hangs or is gone, and then its database: clients notice nothing, and changes come through when it is back. `SLOW=1`: each
 * for 60 seconds.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ApiProxyClient } from '../../../src/management/client.ts'
import { type PostgresServer, startPostgres } from '../../management/postgres.ts'
import {
  Fleet,
  type GatewayProgram,
  isUnknownOutcome,
  Load,
  type Manager,
  policy,
  policyName,
  slow,
  until,
} from './support.ts'

const seconds = slow ? 60 : 5
const postgres = await startPostgres('outages of the database of a fleet')

describe.skipIf(postgres === undefined)(`for ${seconds} s`, () => {
  let fleet: Fleet
  let manager: Manager
  let proxy: ApiProxyClient
  let gateway: GatewayProgram
  let isPartnerIn = false

  beforeAll(async () => {
    fleet = await Fleet.open()
    manager = await fleet.manager(await (postgres as PostgresServer).createDatabase())
    proxy = await fleet.makeProject(manager, await fleet.upstream())
    gateway = await fleet.gateway(manager, 'gateway-1')
    await until(
      async () => (await fleet.ask(gateway, 'client-a')) === 200,
      () => gateway.log(),
    )
  }, 60_000)
  afterAll(async () => {
    await fleet?.close()
    await postgres?.remove()
  }, 60_000)

  const outages: readonly (readonly [what: string, begin: () => unknown, end: () => unknown])[] = [
    [
      'the manager hangs',
      () => manager.program.signal('SIGSTOP'),
      () => manager.program.signal('SIGCONT'),
    ],
    [
      'the manager is gone',
      async () => expect(await manager.program.end('SIGTERM')).toBe(0),
      () => fleet.startManager(manager),
    ],
    [
      'PostgreSQL is away',
      () => (postgres as PostgresServer).stop(),
      () => (postgres as PostgresServer).start(),
    ],
  ]

  test.each(outages)('%s', { timeout: seconds * 1000 + 60_000 }, async (what, begin, end) => {
    const load = new Load(fleet, gateway, [
      ['client-a', 200],
      ['client-a', 200],
      ['expired', 401],
      ['foreign', 401],
    ])
    await begin()
    const before = load.count
    await sleep(seconds * 1000)
    const during = load.count - before
    await end()
    const back = performance.now()
    isPartnerIn = !isPartnerIn
    const changed = update()
    await until(
      async () => (await fleet.ask(gateway, 'partner')) === (isPartnerIn ? 200 : 401),
      () => `not in force\n${manager.program.log()}${gateway.log()}`,
    )
    const inForce = performance.now() - back
    await changed
    await load.end()
    console.error(
      `${what}: ${during} requests in ${seconds} s, ${load.wrong.length} not as before; a change after it is in force after ${inForce.toFixed(0)} ms`,
    )
    expect(load.wrong).toEqual([])
    expect(during).toBeGreaterThan(seconds * 4)
    expect(inForce).toBeLessThan(5000)
  })

  test('nobody who writes logs tells the password', () => {
    expect(manager.program.log()).not.toContain((postgres as PostgresServer).password)
    expect(manager.program.log() + gateway.log()).not.toMatch(/mtlsp_/)
  })

  /** As somebody would who tries until it works. */
  async function update(): Promise<void> {
    for (;;) {
      try {
        await proxy.policies.update(policyName, policy({ validateACLForIssuer: !isPartnerIn }))
        return
      } catch (error) {
        if (!isUnknownOutcome(error)) throw error
        await sleep(50)
      }
    }
  }
})
