/** Live data of one project that cannot be used: the project keeps its old lists, and nobody else waits for it. */

import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  canonicalJson,
  generateSigningKey,
  hashOf,
  type LiveData,
  type LiveKillEntry,
  publicKeyText,
  type Signed,
  sha256Hex,
  signDocument,
} from '../../../src/deployment/index.ts'
import { liveLimits } from '../../../src/deployment/live-limits.ts'
import { environment, snapshotOf } from '../../management/channel/support.ts'
import { Sets } from './sets.ts'
import { makeFolder, removeFolder, subscribe, type TestSubscriber, until } from './support.ts'

const key = generateSigningKey()
const publicKey = publicKeyText(key.publicKey)
const issuedAt = '2026-11-23T22:00:00Z'
const [small, other] = [Buffer.from('a small list'), Buffer.from('another one')]

const contents = new Map<string, string | Uint8Array>()
const asked: string[] = []
/** What never ends, and whoever waits for it. */
const stuck = new Map<string, ServerResponse[]>()
const streams = new Set<ServerResponse>()
let state: { readonly pointers: readonly Signed<object>[]; readonly live: Signed<object> | null }
let sets: Sets
let server: Server
let url: string
let folder: string
let open: TestSubscriber[]

beforeEach(async () => {
  contents.clear()
  stuck.clear()
  asked.length = 0
  open = []
  state = { pointers: [], live: null }
  sets = new Sets(key, ({ apiProxy }) => snapshotOf(apiProxy))
  folder = await makeFolder()
  server = createServer((request, answer) => {
    const { pathname } = new URL(request.url ?? '', 'http://x')
    const path = pathname.replace(`/apiops/environments/${environment}/`, '').replace(/\/$/, '')
    asked.push(path)
    if (path === 'events') {
      answer.writeHead(200, { 'content-type': 'text/event-stream' })
      streams.add(answer)
      answer.on('close', () => streams.delete(answer))
      answer.write(event())
    } else if (request.method !== 'GET') {
      request.resume().on('end', () => answer.writeHead(204).end())
    } else if (stuck.has(path)) {
      stuck.get(path)?.push(answer)
    } else {
      const content = contents.get(path)
      if (content === undefined) answer.writeHead(404).end()
      else answer.end(content)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterEach(async () => {
  for (const one of open) await one.subscription.close()
  await stop()
  await removeFolder(folder)
})

test('a list that is not to be had holds up its own project alone', async () => {
  deploy('Payments', 'orders', 1)
  deploy('Other', 'stock', 2)
  put(small)
  live(3, { crls: [crl('Payments', small)] })
  const one = await follow()
  expect(lists(one)).toEqual([`Payments ${sha256Hex(small)}`])
  live(4, { crls: [crl('Payments', other)], killList: [kill('Other')] })
  await until('the kill', () => one.states.at(-1)?.killList.length === 1)
  expect(lists(one)).toEqual([`Payments ${sha256Hex(small)}`])
  await until('the alarm', () => one.codes().includes('crl-unavailable'))
  expect(one.subscription.status().problems).toMatchObject([
    { project: 'Payments', apiProxy: '', sequence: 4, code: 'crl-unavailable' },
  ])
  // Proxies of both: that of the other project does not wait.
  deploy('Payments', 'invoices', 5)
  deploy('Other', 'shelves', 6)
  await until('the proxy', () => one.runs().shelves === 6)
  expect(one.runs()).toEqual({ orders: 1, stock: 2, shelves: 6 })
  put(other)
  await until('the list', () => lists(one)[0] === `Payments ${sha256Hex(other)}`)
  await until('its proxy', () => one.runs().invoices === 5)
  await until('no problem is left', () => one.subscription.status().problems.length === 0)
})

test('what is kept is kept over a restart, without a manager', async () => {
  deploy('Payments', 'orders', 1)
  deploy('Other', 'stock', 2)
  put(small)
  live(3, { crls: [crl('Payments', small)], killList: [kill('Payments')] })
  const one = await follow()
  live(4, { crls: [crl('Payments', other)], killList: [kill('Other')] })
  await until('the kill', () => one.states.at(-1)?.killList[0]?.project === 'Other')
  await one.subscription.close()
  await stop()
  const again = await follow()
  expect(again.states.map(({ from }) => from)).toEqual(['disk'])
  expect(lists(again)).toEqual([`Payments ${sha256Hex(small)}`])
  expect(again.states[0]?.killList).toEqual([kill('Other')])
  expect(again.runs()).toEqual({ orders: 1, stock: 2 })
})

test('without any lists before, a project waits for its first ones', async () => {
  deploy('Payments', 'orders', 1)
  deploy('Other', 'stock', 2)
  live(3, { crls: [crl('Payments', other)], killList: [kill('Other')] })
  const one = await follow()
  expect(one.runs()).toEqual({ stock: 2 })
  expect(one.states[0]?.killList).toHaveLength(1)
  put(other)
  await until('its proxy', () => one.runs().orders === 1)
  expect(lists(one)).toEqual([`Payments ${sha256Hex(other)}`])
})

test('lists of a project that are too large are fetched once, and the old ones stay', async () => {
  deploy('Payments', 'orders', 1)
  deploy('Other', 'stock', 2)
  put(small)
  live(3, { crls: [crl('Payments', small)] })
  const one = await follow()
  const third = Math.ceil(liveLimits.crlOctets.perProject / 3) + 1
  const large = [1, 2, 3].map((fill) => Buffer.alloc(third, fill))
  for (const list of large) put(list)
  const crls = large.map((list) => crl('Payments', list))
  live(4, { crls, killList: [kill('Other')] })
  await until('the alarm', () => one.codes().includes('crls-too-large'), 30_000)
  expect(one.states.at(-1)?.killList).toHaveLength(1)
  expect(lists(one)).toEqual([`Payments ${sha256Hex(small)}`])
  const count = (): number => asked.filter((path) => path.startsWith('crls/')).length
  const before = count()
  expect(before).toBe(4)
  deploy('Other', 'shelves', 5)
  await until('the proxy', () => one.runs().shelves === 5)
  live(6, { crls, killList: [kill('Other'), kill('Payments')] })
  await until('the kill', () => one.states.at(-1)?.killList.length === 2)
  expect(count()).toBe(before)
  expect(one.subscription.status().problems).toMatchObject([
    { project: 'Payments', sequence: 6, code: 'crls-too-large' },
  ])
  live(7, { crls: crls.slice(0, 2) })
  await until('what there is room for', () => lists(one).length === 2, 30_000)
  await until('no problem is left', () => one.subscription.status().problems.length === 0)
}, 60_000)

test('a list that takes its time holds up nobody, and is asked for once', async () => {
  deploy('Payments', 'orders', 1)
  deploy('Other', 'stock', 2)
  live(3, {})
  const one = await follow()
  const path = `crls/${sha256Hex(small)}`
  stuck.set(path, [])
  live(4, { crls: [crl('Payments', small)], killList: [kill('Other')] })
  await until('the kill', () => one.states.at(-1)?.killList.length === 1)
  expect(lists(one)).toEqual([])
  live(5, { crls: [crl('Payments', small)], killList: [] })
  await until('the next one', () => one.states.at(-1)?.killList.length === 0)
  expect(stuck.get(path)).toHaveLength(1)
  stuck.get(path)?.[0]?.end(small)
  await until('the list', () => lists(one).length === 1)
  await until('no problem is left', () => one.subscription.status().problems.length === 0)
  expect(asked.filter((one) => one === path)).toHaveLength(1)
})

async function follow(): Promise<TestSubscriber> {
  const one = subscribe(folder, { url, publicKey })
  open.push(one)
  await one.subscription.ready
  return one
}

function lists(one: TestSubscriber): readonly string[] {
  return one.states.at(-1)?.crls.map(({ project, sha256 }) => `${project} ${sha256}`) ?? []
}

function put(list: Uint8Array): void {
  contents.set(`crls/${sha256Hex(list)}`, list)
}

function crl(project: string, list: Uint8Array): LiveData['crls'][number] {
  return { project, apiProxy: null, sha256: sha256Hex(list) }
}

function kill(project: string): LiveKillEntry {
  return { project, apiProxy: null, entry: { issuer: 'CN=Lost CA' } }
}

function deploy(project: string, apiProxy: string, sequence: number): void {
  const snapshot = snapshotOf(apiProxy, { project })
  const hash = hashOf(snapshot)
  contents.set(`snapshots/${hash}`, canonicalJson(snapshot))
  const signed = signDocument(
    { version: 1, kind: 'pointer', environment, project, apiProxy, hash, sequence, issuedAt },
    key,
  )
  send({ ...state, pointers: [...state.pointers, signed] })
}

function live(sequence: number, changes: Partial<LiveData>): void {
  const data: LiveData = { version: 1, environment, crls: [], killList: [], ...changes }
  const hash = hashOf(data)
  contents.set(`live/${hash}`, canonicalJson(data))
  send({
    ...state,
    live: signDocument({ version: 1, kind: 'live', environment, hash, sequence, issuedAt }, key),
  })
}

function send(next: typeof state): void {
  state = next
  for (const stream of streams) stream.write(event())
}

function event(): string {
  const data = JSON.stringify({ environment, ...sets.with(state) })
  return `event: state\nid: ${sha256Hex(data)}\ndata: ${data}\n\n`
}

async function stop(): Promise<void> {
  if (!server.listening) return
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeAllConnections()
  await closed
}
