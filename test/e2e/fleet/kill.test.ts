/**
 * A manager that is killed while it is written to by many: what it acknowledged is there, what is in force is whole, and a gateway runs
 * nothing else. `SLOW=1`: 200 kills over each store.
 */
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import type { ApiProxyClient } from '../../../src/management/client.ts'
import type { KillEntry } from '../../../src/management/resources.ts'
import { type PostgresServer, startPostgres } from '../../management/postgres.ts'
import {
  Fleet,
  type GatewayProgram,
  isUnknownOutcome,
  Load,
  type Manager,
  policy,
  policyName,
  readyOf,
  slow,
  until,
} from './support.ts'

const kills = slow ? 200 : 10
const postgres = await startPostgres('kill -9 of a manager over PostgreSQL')
afterAll(() => postgres?.remove(), 60_000)

const stores = [
  { kind: 'SQLite', isMissing: false, url: () => undefined },
  {
    kind: 'PostgreSQL',
    isMissing: postgres === undefined,
    url: () => (postgres as PostgresServer).createDatabase(),
  },
]

/** What one writer knows. */
interface Progress {
  /** Number of the last write that was acknowledged. */
  acknowledged: number
  /** Of the last that was sent. */
  sent: number
}

describe.each(stores)('a manager over $kind', ({ isMissing, url }) => {
  let fleet: Fleet | undefined
  afterEach(() => fleet?.close(), 60_000)

  test.skipIf(isMissing)(
    `killed ${kills} times loses nothing that it acknowledged`,
    { timeout: 60_000 + kills * 5000 },
    async ({ task }) => {
      const here = await Fleet.open()
      fleet = here
      const run = await Run.begin(here, await url())
      for (let kill = 0; kill < kills; kill++) {
        await run.writeUntilKilled()
        await here.startManager(run.manager)
        await run.check(kill % 10 === 9)
      }
      await run.load.end()
      expect(run.load.wrong).toEqual([])
      console.error(
        `${task.suite?.name}: ${kills} kills, ${run.count} acknowledged writes, all there; ${run.inTheDark} of unknown outcome; ${run.load.count} requests through the gateway, all as deployed`,
      )
    },
  )
})

class Run {
  readonly #fleet: Fleet
  readonly manager: Manager
  readonly #gateway: GatewayProgram
  readonly load: Load
  /** Each change is deployed with it. */
  readonly #deployed: ApiProxyClient
  /** Changes wait for a deployment. */
  readonly #waiting: ApiProxyClient
  readonly #progress = {
    deployed: { acknowledged: 0, sent: 0 },
    waiting: { acknowledged: 0, sent: 0 },
    projects: { acknowledged: 0, sent: 0 },
  }
  /** `undefined`: nobody knows whether it is there. */
  #entry:
    | { readonly id: string; readonly serial: string; isRemoved: boolean | undefined }
    | undefined
  #serial = 0
  /** Projects, since the last kill. */
  readonly #made: string[] = []
  count = 0
  inTheDark = 0

  private constructor(
    fleet: Fleet,
    manager: Manager,
    gateway: GatewayProgram,
    deployed: ApiProxyClient,
    waiting: ApiProxyClient,
  ) {
    this.#fleet = fleet
    this.manager = manager
    this.#gateway = gateway
    this.#deployed = deployed
    this.#waiting = waiting
    const asked = [
      ['client-a', 200],
      ['expired', 401],
    ] as const
    this.load = new Load(fleet, gateway, asked, 50)
  }

  static async begin(fleet: Fleet, database: string | undefined): Promise<Run> {
    const manager = await fleet.manager(database)
    const upstream = await fleet.upstream()
    const deployed = await fleet.makeProject(manager, upstream)
    await deployed.policies.update(policyName, policy({ description: '0' }))
    const waiting = manager.client.project('MyProject').apiProxy('Waiting')
    await waiting.create({
      hosts: ['waiting.example'],
      upstream: { url: `http://127.0.0.1:${upstream}` },
      environments: ['production'],
    })
    await waiting.policies.add(policyName, policy({ description: 'deployed' }))
    await waiting.policies.update(policyName, policy({ description: '0', deploy: false }))
    const gateway = await fleet.gateway(manager, 'gateway-1')
    await until(
      async () => (await fleet.ask(gateway, 'client-a')) === 200,
      () => gateway.log(),
    )
    return new Run(fleet, manager, gateway, deployed, waiting)
  }

  async writeUntilKilled(): Promise<void> {
    const { deployed, waiting, projects } = this.#progress
    const { client } = this.manager
    let isKilled = false
    const first = deployed.acknowledged
    const writing = [
      this.#write(
        deployed,
        () => isKilled,
        async (n) => {
          await this.#deployed.policies.update(policyName, policy({ description: `${n}` }))
        },
      ),
      this.#write(
        waiting,
        () => isKilled,
        async (n) => {
          const change = policy({ description: `${n}`, deploy: false })
          await this.#waiting.policies.update(policyName, change)
        },
      ),
      this.#write(
        projects,
        () => isKilled,
        async (n) => {
          await client.project(`p-${n}`).create()
          this.#made.push(`p-${n}`)
        },
      ),
      this.#writeKillList(() => isKilled),
    ]
    await until(
      () => deployed.acknowledged > first,
      () => `nothing is acknowledged\n${this.manager.program.log()}`,
    )
    await sleep(Math.random() * 250)
    const ended = this.manager.program.end('SIGKILL')
    isKilled = true
    expect(await ended).toBe(null)
    await Promise.all(writing)
  }

  async #write(
    progress: Progress,
    isKilled: () => boolean,
    write: (n: number) => Promise<void>,
  ): Promise<void> {
    while (!isKilled()) {
      const n = ++progress.sent
      if (!(await this.#knows(() => write(n)))) return
      progress.acknowledged = n
      this.count++
    }
  }

  /** One entry comes, and goes again. */
  async #writeKillList(isKilled: () => boolean): Promise<void> {
    const { killList } = this.manager.client.project('MyProject')
    while (!isKilled()) {
      const serial = (0x1000 + this.#serial++).toString(16)
      let added: KillEntry | undefined
      this.#entry = { id: '', serial, isRemoved: undefined }
      const isAdded = await this.#knows(async () => {
        added = await killList.add({ issuer: 'CN=Nobody', serialNumber: serial })
      })
      if (!isAdded || added === undefined) return
      this.count++
      const { id } = added
      this.#entry = { id, serial, isRemoved: false }
      if (isKilled()) return
      this.#entry.isRemoved = undefined
      if (!(await this.#knows(() => killList.delete(id)))) return
      this.count++
      this.#entry.isRemoved = true
    }
  }

  /** @returns Whether it was acknowledged; a refusal is a failure of the test. */
  async #knows(write: () => Promise<unknown>): Promise<boolean> {
    try {
      await write()
      return true
    } catch (error) {
      if (!isUnknownOutcome(error)) throw error
      this.inTheDark++
      return false
    }
  }

  /** @param isThorough - Waits for the gateway, too. */
  async check(isThorough: boolean): Promise<void> {
    const { client } = this.manager
    const { deployed, waiting, projects } = this.#progress
    // Connections of before the kill are gone.
    await until(
      async () => (await fetch(`${this.manager.url}/ready/`)).status === 200,
      () => this.manager.program.log(),
    )
    const inForce = await this.#settled(this.#deployed, deployed)
    expect(inForce.status).toMatchObject({ redeployRequired: false })
    expect(inForce.snapshot).toBe(inForce.stored)
    const behind = await this.#settled(this.#waiting, waiting)
    // It says that something was never deployed.
    expect(behind.status).toMatchObject({ redeployRequired: true })
    expect(behind.snapshot).toBe('deployed')

    for (const name of this.#made.splice(0)) {
      expect((await client.project(name).read()).value.name).toBe(name)
    }
    projects.acknowledged = projects.sent
    await this.#checkKillList()
    await this.#checkGateway(isThorough)
  }

  /** Of a proxy: what is stored is what was acknowledged or sent last; what is in force is whole. */
  async #settled(proxy: ApiProxyClient, progress: Progress) {
    const { value } = await proxy.policies.read(policyName)
    const stored = (value as { readonly description?: string }).description
    expect([`${progress.acknowledged}`, `${progress.sent}`]).toContain(stored)
    // What was not acknowledged was written or not; which, is known from here.
    progress.acknowledged = Number(stored)
    const [status] = await proxy.deployments.list()
    const { pointers } = (await this.#channel('state/')).json as {
      pointers: { document: { apiProxy: string; hash: string; sequence: number } }[]
    }
    const { name } = (await proxy.read()).value
    const pointer = pointers.find(({ document }) => document.apiProxy === name)?.document
    expect(pointer).toMatchObject({ hash: status?.hash, sequence: status?.sequence })
    const { text, json } = await this.#channel(`snapshots/${pointer?.hash}/`)
    expect(createHash('sha256').update(text).digest('hex')).toBe(pointer?.hash)
    const { policies } = json as {
      policies: { requestPolicyList: { description?: string }[] }
    }
    return { status, stored, snapshot: policies.requestPolicyList[0]?.description }
  }

  async #checkKillList(): Promise<void> {
    const { killList } = this.manager.client.project('MyProject')
    const { items } = await killList.list()
    const entry = this.#entry
    const serials = items.map(({ entry: one }) => one.serialNumber)
    if (entry?.isRemoved === false) expect(serials).toContain(entry.serial)
    if (entry?.isRemoved === true) expect(serials).not.toContain(entry.serial)
    const { live } = (await this.#channel('state/')).json as {
      live: { document: { hash: string } } | null
    }
    if (live !== null) {
      const { text, json } = await this.#channel(`live/${live.document.hash}/`)
      expect(createHash('sha256').update(text).digest('hex')).toBe(live.document.hash)
      const told = (json as { killList: { entry: { serialNumber: string } }[] }).killList
      expect(told.map((one) => one.entry.serialNumber).toSorted()).toEqual(serials.toSorted())
    }
    for (const { id } of items) await killList.delete(id)
    this.#entry = undefined
  }

  async #checkGateway(isThorough: boolean): Promise<void> {
    const { items } = await this.#deployed.deployments.history('production', { limit: 1000 })
    const { runs } = await readyOf(this.#gateway)
    expect(runs).toHaveLength(2)
    const run = runs.find(({ apiProxy }) => apiProxy === 'MyAPI')
    // Of the newest numbers: nothing that was not committed has ever reached it. Whether a manager that was killed had heard of it
    // before is another matter.
    expect(items).toContainEqual(
      expect.objectContaining({ hash: run?.hash, sequence: run?.sequence }),
    )
    expect(this.load.wrong).toEqual([])
    if (!isThorough) return
    await until(
      async () => {
        const [status] = await this.#deployed.deployments.list()
        const now = (await readyOf(this.#gateway)).runs
        return now.some(
          ({ sequence, hash }) => hash === status?.hash && sequence === status?.sequence,
        )
      },
      () => `the gateway does not follow\n${this.#gateway.log()}`,
      10_000,
    )
  }

  /** As a gateway asks. */
  async #channel(path: string): Promise<{ readonly text: string; readonly json: unknown }> {
    const token = this.#fleet.read(`${this.#gateway.name}.token`)
    const url = `${this.manager.url}/apiops/environments/production/${path}`
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
    expect([path, response.status]).toEqual([path, 200])
    const text = await response.text()
    return { text, json: JSON.parse(text) }
  }
}
