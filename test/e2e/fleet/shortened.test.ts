/**
 * A gateway that starts with less than its manager signed for: files of its state that were cut, changed or taken away, and somebody before
 * the manager who leaves something out. What is missing is answered 503: never by the proxy of a shorter path, or of every other host,
 * which asks for less.
 */
import { once } from 'node:events'
import {
  cpSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Attack, standBetween } from './between.ts'
import {
  Fleet,
  freePort,
  type GatewayProgram,
  type Manager,
  metricsOf,
  policy,
  policyName,
  readyOf,
  until,
} from './support.ts'

/** Each is guarded, and a proxy without a policy answers around it. */
const places = [
  { apiProxy: 'guarded', host: 'b.test', path: '/Api/v1/secret' },
  { apiProxy: 'MyAPI', host: 'localhost', path: '/' },
] as const
type Place = (typeof places)[number]

interface StateJson {
  readonly environment: string
  readonly set: unknown
  readonly pointers: readonly { readonly document: { readonly apiProxy: string } }[]
  readonly live: unknown
}

let fleet: Fleet
let manager: Manager
let middle: number
let attack: Attack<StateJson> = {}
/** What is done to snapshots is done to its own alone. */
let attacked: Place = places[0]
let gateway: GatewayProgram | undefined
/** Of a gateway that had everything. */
let good: string
let count = 0

beforeAll(async () => {
  fleet = await Fleet.open()
  manager = await fleet.manager()
  const port = await fleet.upstream()
  await fleet.makeProject(manager, port)
  const upstream = { url: `http://127.0.0.1:${port}` }
  const environments = ['production']
  const project = manager.client.project('MyProject')
  const guarded = project.apiProxy('guarded')
  await guarded.create({ hosts: ['b.test'], basePath: '/Api/v1', upstream, environments })
  await guarded.policies.add(policyName, policy({}))
  const around: readonly (readonly [string, readonly string[]])[] = [
    ['around', ['b.test']],
    ['others', ['*']],
  ]
  for (const [name, hosts] of around) {
    await project.apiProxy(name).create({ hosts, upstream, environments })
    expect(await project.apiProxy(name).deployments.deploy()).toMatchObject({ success: true })
  }
  const between = await standBetween<StateJson>(fleet, manager, () => {
    const { snapshot, ...others } = attack
    if (snapshot === undefined) return others
    const name = `"apiProxy":"${attacked.apiProxy}"`
    return { ...others, snapshot: (octets) => (octets.includes(name) ? snapshot(octets) : octets) }
  })
  middle = between.port
  const first = await start()
  await untilWhole(first)
  good = join(fleet.folder, `${first.name}.data`)
  // On its disk as well.
  await until(
    () => readdirSync(join(good, 'snapshots')).length === 4,
    () => first.log(),
  )
  await first.end('SIGTERM')
  gateway = undefined
}, 90_000)
afterEach(async () => {
  attack = {}
  await gateway?.end('SIGKILL')
  gateway = undefined
})
afterAll(() => fleet?.close(), 60_000)

describe('a restart without a manager, after one file', () => {
  const damages: readonly (readonly [string, (file: string) => void])[] = [
    ['was cut off', (file) => truncateSync(file, 500)],
    ['was emptied', (file) => truncateSync(file, 0)],
    [
      'was changed',
      (file) => {
        const text = readFileSync(file, 'utf8')
        writeFileSync(file, text.replaceAll('"active":true', '"active":false'))
      },
    ],
    ['was taken away', (file) => rmSync(file)],
  ]
  test.each(damages)('%s', { timeout: 60_000 }, async (_what, damage) => {
    for (const place of places) {
      const name = nextName()
      const data = copyOfGood(name)
      damage(snapshotFile(data, place.apiProxy))
      const away = await start(name, `http://127.0.0.1:${await freePort()}`)
      await expectHeld(away, place, 'stored-state-unreadable')
      await away.end('SIGKILL')
      await untilWhole(await startAgain(name))
      await gateway?.end('SIGKILL')
    }
  })

  test('of its state lists a pointer less', { timeout: 60_000 }, async () => {
    const name = nextName()
    const data = copyOfGood(name)
    const file = join(data, 'state.json')
    const state = JSON.parse(readFileSync(file, 'utf8'))
    for (const list of ['seen', 'running']) state[list] = without('guarded')(state[list])
    writeFileSync(file, JSON.stringify(state))
    const away = await start(name, `http://127.0.0.1:${await freePort()}`)
    await expectHeld(away, places[0], 'pointer-unavailable')
    await away.end('SIGKILL')
    await untilWhole(await startAgain(name))
  })

  test('of its state was cut off: nothing is in force', { timeout: 60_000 }, async () => {
    const name = nextName()
    truncateSync(join(copyOfGood(name), 'state.json'), 1000)
    const away = await start(name, `http://127.0.0.1:${await freePort()}`)
    for (const place of places) {
      expect(await ask(away, place)).toEqual([503, 'gateway-not-ready'])
    }
    const ready = await readyOf(away)
    expect(ready).toMatchObject({ code: 503, status: 'starting' })
    expect(ready.problems.map(({ code }) => code)).toEqual(['stored-state-unreadable'])
    expect(await alarms(away, 'stored-state-unreadable')).toBe(1)
    await away.end('SIGKILL')
    await untilWhole(await startAgain(name))
  })
})

describe('a first start behind somebody who', () => {
  const attacks: readonly (readonly [string, string, (place: Place) => Attack<StateJson>])[] = [
    ['answers 404 for one snapshot', 'snapshot-unavailable', () => ({ snapshot: () => undefined })],
    [
      'cuts one snapshot off',
      'snapshot-hash-mismatch',
      () => ({ snapshot: (octets) => octets.subarray(0, 500) }),
    ],
    [
      'changes one snapshot',
      'snapshot-hash-mismatch',
      () => ({
        snapshot: (octets) =>
          Buffer.from(octets.toString().replaceAll('"active":true', '"active":false')),
      }),
    ],
    [
      'leaves one pointer out',
      'pointer-unavailable',
      ({ apiProxy }) => ({
        state: (state) => ({ ...state, pointers: without(apiProxy)(state.pointers) }),
      }),
    ],
  ]
  test.each(attacks)('%s', { timeout: 60_000 }, async (_what, code, make) => {
    for (const place of places) {
      attacked = place
      attack = make(place)
      const name = nextName()
      const fresh = await start(name)
      await expectHeld(fresh, place, code)
      // When it is gone, everything comes by itself.
      attack = {}
      await untilWhole(fresh)
      expect((await readyOf(fresh)).problems).toEqual([])
      await fresh.end('SIGKILL')
    }
  })

  const sets: readonly (readonly [string, string, Attack<StateJson>])[] = [
    [
      'takes the set away',
      'document-malformed',
      { state: ({ environment, pointers, live }) => ({ environment, pointers, live }) },
    ],
    [
      'takes one proxy out of the set',
      'signature-invalid',
      {
        state: (state) => {
          const set = structuredClone(state.set) as {
            document: { proxies: readonly { readonly apiProxy: string }[] }
          }
          const { proxies } = set.document
          set.document.proxies = proxies.filter(({ apiProxy }) => apiProxy !== 'guarded')
          return { ...state, set, pointers: without('guarded')(state.pointers) }
        },
      },
    ],
    [
      'says that there is nothing',
      'document-malformed',
      { state: ({ environment }) => ({ environment, set: null, pointers: [], live: null }) },
    ],
    [
      'leaves the live data out',
      'pointer-unavailable',
      { state: (state) => ({ ...state, live: null }) },
    ],
  ]
  test.each(sets)('%s: nothing is in force', { timeout: 60_000 }, async (_what, code, chosen) => {
    attack = chosen
    const fresh = await start()
    await until(
      async () => (await alarms(fresh, code)) > 0,
      () => fresh.log(),
    )
    for (const place of places) {
      expect(await ask(fresh, place)).toEqual([503, 'gateway-not-ready'])
    }
    const ready = await readyOf(fresh)
    expect(ready).toMatchObject({ code: 503, status: 'starting' })
    expect(ready.problems.map((problem) => problem.code)).toContain(code)
    attack = {}
    await untilWhole(fresh)
  })
})

test('one that runs keeps what it has, while a snapshot is withheld', {
  timeout: 60_000,
}, async () => {
  const running = await start()
  await untilWhole(running)
  attacked = places[0]
  attack = { snapshot: () => undefined }
  const proxy = manager.client.project('MyProject').apiProxy('guarded')
  await proxy.policies.update(policyName, policy({ description: 'another', deploy: false }))
  const deploying = proxy.deployments.deploy()
  await until(
    async () => (await alarms(running, 'snapshot-unavailable')) > 0,
    () => running.log(),
  )
  for (const place of places) expect(await ask(running, place)).toEqual([401, undefined])
  expect(await readyOf(running)).toMatchObject({
    code: 200,
    status: 'ready',
    problems: [{ apiProxy: 'guarded', code: 'snapshot-unavailable' }],
  })
  attack = {}
  await until(
    async () => (await readyOf(running)).problems.length === 0,
    () => running.log(),
  )
  await deploying
})

/** At its place 503, and nobody else's; everything says so. */
async function expectHeld(of: GatewayProgram, place: Place, code: string): Promise<void> {
  await until(
    async () => (await readyOf(of)).status === 'incomplete',
    () => of.log(),
  )
  for (const one of places) {
    const answer = one === place ? [503, 'proxy-not-in-force'] : [401, undefined]
    expect(await ask(of, one)).toEqual(answer)
  }
  expect(await ask(of, { host: 'b.test', path: '/public' })).toEqual([200, undefined])
  const { apiProxy } = place
  const ready = await readyOf(of)
  expect(ready).toMatchObject({ code: 503, held: [{ apiProxy }] })
  expect(ready.problems).toContainEqual(expect.objectContaining({ apiProxy, code }))
  expect((await metricsOf(of)).get('mtls_policy_gateway_proxies_held')).toBe(1)
  expect((await metricsOf(of)).get('mtls_policy_gateway_apply_problems')).toBe(1)
  await until(
    async () => (await alarms(of, code)) > 0,
    () => `no alarm ${code}\n${of.log()}`,
  )
  expect(await ask(of, place)).toEqual([503, 'proxy-not-in-force'])
}

async function untilWhole(of: GatewayProgram): Promise<void> {
  await until(
    async () => (await readyOf(of)).code === 200,
    () => of.log(),
  )
  for (const place of places) expect(await ask(of, place)).toEqual([401, undefined])
  expect((await metricsOf(of)).get('mtls_policy_gateway_proxies_held')).toBe(0)
}

function nextName(): string {
  return `gateway-${++count}`
}

/** Ended with its test. */
async function start(
  name = nextName(),
  managerUrl = `http://127.0.0.1:${middle}`,
): Promise<GatewayProgram> {
  gateway = await fleet.gateway(manager, name, managerUrl)
  return gateway
}

/** With the disk of one that has ended: each gateway has a token of its own name. */
async function startAgain(name: string): Promise<GatewayProgram> {
  const next = nextName()
  renameSync(join(fleet.folder, `${name}.data`), join(fleet.folder, `${next}.data`))
  return await start(next)
}

function copyOfGood(name: string): string {
  const data = join(fleet.folder, `${name}.data`)
  cpSync(good, data, { recursive: true })
  return data
}

function snapshotFile(data: string, apiProxy: string): string {
  const folder = join(data, 'snapshots')
  const name = readdirSync(folder).find((one) =>
    readFileSync(join(folder, one), 'utf8').includes(`"apiProxy":"${apiProxy}"`),
  )
  return join(folder, name as string)
}

function without(name: string): (pointers: StateJson['pointers']) => StateJson['pointers'] {
  return (pointers) => pointers.filter(({ document }) => document.apiProxy !== name)
}

async function alarms(of: GatewayProgram, code: string): Promise<number> {
  return (await metricsOf(of)).get(`mtls_policy_gateway_alarms_total{code="${code}"}`) ?? 0
}

/** Without a certificate. @returns Status, and the gateway's own code. */
async function ask(
  { port }: GatewayProgram,
  { host, path }: { readonly host: string; readonly path: string },
): Promise<readonly [number | undefined, string | undefined]> {
  const sent = httpsRequest({
    host: '127.0.0.1',
    port,
    path,
    servername: host,
    // Of the demo: it is for localhost.
    rejectUnauthorized: false,
    agent: false,
    headers: { host: `${host}:${port}` },
  })
  sent.end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  let body = ''
  for await (const chunk of response) body += chunk
  const isOwn = response.headers['content-type'] === 'application/problem+json'
  const code = isOwn ? (JSON.parse(body) as { readonly code?: string }).code : undefined
  return [response.statusCode, response.statusCode === 503 ? code : undefined]
}
