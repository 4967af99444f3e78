/** What a gateway refuses of what comes from a manager, or from whoever passes for one: the old state stays, and an alarm names the cause. */

import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  canonicalJson,
  generateSigningKey,
  hashOf,
  type LiveData,
  type Place,
  type Pointer,
  publicKeyText,
  type Signed,
  type Snapshot,
  sha256Hex,
  signDocument,
} from '../../../src/deployment/index.ts'
import { environment, snapshotOf, startManager } from '../../management/channel/support.ts'
import { Sets } from './sets.ts'
import { makeFolder, removeFolder, subscribe, type TestSubscriber, until } from './support.ts'

const key = generateSigningKey()
const publicKey = publicKeyText(key.publicKey)

/** A manager that says whatever the test wants. */
class Puppet {
  readonly contents = new Map<string, string | Uint8Array>()
  /** JSON data, to which the set is added that its pointers make; or the whole text. */
  state: object | string = { environment, pointers: [], live: null }
  readonly sets: Sets = new Sets(key, ({ apiProxy, hash }) => this.#placeOf(apiProxy, hash))
  /** In place of a stream with the state. */
  stream: ((answer: ServerResponse) => void) | undefined
  /** In place of everything. */
  answer: ((request: IncomingMessage, answer: ServerResponse) => boolean) | undefined
  readonly reports: string[] = []
  readonly #places = new Map<string | null, Place>()
  readonly #server: Server
  readonly #streams = new Set<ServerResponse>()

  constructor() {
    this.#server = createServer((request, answer) => this.#serve(request, answer))
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }

  /** Sends a state, as JSON or as this text. */
  send(state: object | string): void {
    this.state = state
    for (const stream of this.#streams) stream.write(this.#event())
  }

  sendRaw(text: string): void {
    for (const stream of this.#streams) stream.write(text)
  }

  /** Content of a snapshot, under its hash or another one. */
  put(snapshot: Snapshot, hash: string = hashOf(snapshot)): string {
    this.#places.set(hash, snapshot)
    this.contents.set(`snapshots/${hash}`, canonicalJson(snapshot))
    return hash
  }

  /** As the snapshot says, whether or not it is to be had. */
  #placeOf(apiProxy: string, hash: string | null): Place {
    const usual = hash === hashOf(other) ? other : snapshotOf(apiProxy)
    return this.#places.get(hash) ?? usual
  }

  #text(): string {
    const { state } = this
    if (typeof state === 'string') return state
    const hasSet = 'set' in state || !('pointers' in state)
    return JSON.stringify(hasSet ? state : this.sets.with(state as ReturnType<typeof stateOf>))
  }

  #event(): string {
    const data = this.#text()
    return `event: state\nid: ${sha256Hex(data)}\ndata: ${data}\n\n`
  }

  #serve(request: IncomingMessage, answer: ServerResponse): void {
    if (this.answer?.(request, answer)) return
    const path = new URL(request.url ?? '', 'http://x').pathname
    const rest = path.replace(`/apiops/environments/${environment}/`, '')
    if (rest === 'events/') {
      answer.writeHead(200, { 'content-type': 'text/event-stream' })
      if (this.stream !== undefined) {
        this.stream(answer)
        return
      }
      this.#streams.add(answer)
      answer.on('close', () => this.#streams.delete(answer))
      answer.write(this.#event())
      return
    }
    if (rest === 'state/') {
      answer.end(this.#text())
      return
    }
    if (request.method === 'PUT' || request.method === 'DELETE') {
      let text = ''
      request.on('data', (chunk) => {
        text += chunk
      })
      request.on('end', () => {
        if (text !== '') this.reports.push(text)
        answer.writeHead(204).end()
      })
      return
    }
    const content = this.contents.get(rest.replace(/\/$/, ''))
    if (content === undefined) answer.writeHead(404).end()
    else answer.end(content)
  }
}

function pointerTo(
  hash: string | null,
  sequence: number,
  changes: Partial<Pointer> = {},
): Signed<Pointer> {
  return signDocument(
    {
      version: 1,
      kind: 'pointer',
      environment,
      project: 'Payments',
      apiProxy: 'orders',
      hash,
      sequence,
      issuedAt: '2026-11-23T22:00:00Z',
      ...changes,
    },
    key,
  )
}

function stateOf(...pointers: readonly unknown[]) {
  return { environment, pointers, live: null }
}

let puppet: Puppet
let url: string
let folder: string
const open: TestSubscriber[] = []

beforeEach(async () => {
  puppet = new Puppet()
  url = await puppet.start()
  folder = await makeFolder()
})

afterEach(async () => {
  for (const one of open.splice(0)) await one.subscription.close()
  await puppet.stop()
  await removeFolder(folder)
})

function follow(options: Parameters<typeof subscribe>[2] = {}, of = { url, publicKey }) {
  const one = subscribe(folder, of, options)
  open.push(one)
  return one
}

/** In force: snapshot `orders` with number 5. */
async function followRunning(options: Parameters<typeof subscribe>[2] = {}) {
  const hash = puppet.put(snapshotOf('orders'))
  puppet.state = stateOf(pointerTo(hash, 5))
  const one = follow(options)
  await one.subscription.ready
  expect(one.runs()).toEqual({ orders: 5 })
  return { one, hash }
}

/** What was refused did not change anything, and the next good pointer still comes. */
async function expectRefused(one: TestSubscriber, code: string): Promise<void> {
  await until(`the alarm ${code}`, () => one.codes().includes(code))
  expect(one.codes()).toEqual([code])
  expect(one.runs()).toEqual({ orders: 5 })
  expect(one.states.map(({ proxies }) => proxies[0]?.sequence)).toEqual(one.states.map(() => 5))
  const hash = puppet.put(snapshotOf('orders', { basePath: '/next' }))
  puppet.send(stateOf(pointerTo(hash, 1000)))
  await until('the next one', () => one.runs().orders === 1000)
  await until('no problem is left', () => one.subscription.status().problems.length === 0)
}

const other = snapshotOf('orders', { basePath: '/other' })

describe('a pointer is refused and the old state stays', () => {
  test.each<[string, string, () => unknown]>([
    [
      'forged: signed with another key',
      'signature-invalid',
      () => signDocument(pointerTo(hashOf(other), 6).document, generateSigningKey()),
    ],
    [
      'changed after it was signed',
      'signature-invalid',
      () => ({
        ...pointerTo(hashOf(other), 6),
        document: { ...pointerTo(hashOf(other), 6).document, sequence: 7 },
      }),
    ],
    [
      'a signature of another kind of document',
      'signature-invalid',
      () => {
        const document = { ...pointerTo(hashOf(other), 6).document }
        const { signature } = signDocument(
          { version: 1, kind: 'live', environment, hash: hashOf(other), sequence: 6, issuedAt: '' },
          key,
        )
        return { document, signature }
      },
    ],
    ['unsigned', 'document-malformed', () => ({ document: pointerTo(hashOf(other), 6).document })],
    [
      'with an empty signature',
      'document-malformed',
      () => ({ document: pointerTo(hashOf(other), 6).document, signature: '' }),
    ],
    ['a text', 'document-malformed', () => 'pointer'],
    ['replayed: an older number', 'sequence-replayed', () => pointerTo(hashOf(other), 4)],
    ['replayed: the same number', 'sequence-replayed', () => pointerTo(hashOf(other), 5)],
    [
      'of another environment',
      'environment-mismatch',
      () => pointerTo(hashOf(other), 6, { environment: 'staging' }),
    ],
  ])('%s', async (_what, code, pointer) => {
    const { one } = await followRunning()
    puppet.put(other)
    puppet.send(stateOf(pointer()))
    await expectRefused(one, code)
  })
  test('replayed after a restart, and while its snapshot could not be had', async () => {
    const { one } = await followRunning()
    const old = puppet.put(other)
    // Seen, signed, and never in force: its snapshot is away.
    puppet.send(stateOf(pointerTo('ab'.repeat(32), 9)))
    await until('the alarm', () => one.codes().includes('snapshot-unavailable'))
    await one.subscription.close()
    puppet.state = stateOf(pointerTo(old, 8))
    const again = follow()
    await until('the alarm', () => again.codes().includes('sequence-replayed'))
    expect(again.codes()).toEqual(['sequence-replayed'])
    expect(again.runs()).toEqual({ orders: 5 })
    expect(again.states.map(({ from }) => from)).toEqual(['disk'])
  })
  test('and does not hold up those of other proxies', async () => {
    const { one } = await followRunning()
    const hash = puppet.put(snapshotOf('invoices'))
    puppet.send(stateOf(pointerTo(hashOf(other), 4), pointerTo(hash, 6, { apiProxy: 'invoices' })))
    await until('the other', () => one.runs().invoices === 6)
    expect(one.runs()).toEqual({ orders: 5, invoices: 6 })
    expect(one.codes()).toEqual(['sequence-replayed'])
    await until('the report', () => puppet.reports.some((text) => text.includes('replayed')))
    expect(JSON.parse(puppet.reports.at(-1) ?? '')).toMatchObject({
      runs: [{ apiProxy: 'orders', sequence: 5 }, { apiProxy: 'invoices' }],
      problems: [{ apiProxy: 'orders', sequence: 4, code: 'sequence-replayed' }],
    })
  })
})

describe('a snapshot is refused and the old state stays', () => {
  const good = canonicalJson(other)
  test.each<[string, string, () => string | Uint8Array | undefined]>([
    ['corrupt: one octet', 'snapshot-hash-mismatch', () => good.replace('/other', '/othes')],
    ['truncated', 'snapshot-hash-mismatch', () => good.slice(0, -1)],
    ['empty', 'snapshot-hash-mismatch', () => ''],
    ['another one', 'snapshot-hash-mismatch', () => canonicalJson(snapshotOf('orders'))],
    ['not there', 'snapshot-unavailable', () => undefined],
  ])('%s', async (_what, code, content) => {
    const { one } = await followRunning()
    const text = content()
    if (text !== undefined) puppet.contents.set(`snapshots/${hashOf(other)}`, text)
    puppet.send(stateOf(pointerTo(hashOf(other), 6)))
    await until('the alarm', () => one.codes().includes(code))
    expect(one.codes()).toEqual([code])
    expect(one.runs()).toEqual({ orders: 5 })
    // Where it was to answer, nobody does.
    const { project, apiProxy, hosts, basePath } = other
    const place = { project, apiProxy, hosts, basePath }
    expect(one.states.map(({ held }) => held)).toEqual([[], [place]])
    // It was damaged on its way: the next try has it whole.
    puppet.put(other)
    await until('the next try', () => one.runs().orders === 6)
    expect(one.states.map(({ held }) => held)).toEqual([[], [place], []])
    await until('no problem is left', () => one.subscription.status().problems.length === 0)
  })
  test.each<[string, string, () => string]>([
    ['of another proxy', 'proxy-mismatch', () => canonicalJson(snapshotOf('invoices'))],
    ['of a later version', 'document-malformed', () => canonicalJson({ ...other, version: 2 })],
    ['not in canonical form', 'document-not-canonical', () => JSON.stringify(other, null, 1)],
    [
      'with a policy that is none',
      'policies-invalid',
      () => canonicalJson({ ...other, policies: { ...other.policies, requestPolicyList: [{}] } }),
    ],
  ])('%s, though the manager signed for it', async (_what, code, make) => {
    const { one } = await followRunning()
    const text = make()
    const hash = sha256Hex(text)
    puppet.contents.set(`snapshots/${hash}`, text)
    puppet.send(stateOf(pointerTo(hash, 6)))
    await expectRefused(one, code)
  })
  test('in an answer with many, while the others are taken', async () => {
    const all = Array.from({ length: 12 }, (_, i) => snapshotOf(`proxy${i}`))
    for (const snapshot of all) puppet.put(snapshot)
    const lines = all.map((snapshot) => canonicalJson(snapshot))
    lines[3] = (lines[3] as string).replace('/', '/evil')
    lines.splice(7, 1)
    puppet.contents.set('snapshots', `${lines.join('\n')}\n{}\n\nhalf a li`)
    const asked: string[] = []
    puppet.answer = ({ url: path = '' }) => {
      if (path.includes('/snapshots/')) asked.push(path.split('/snapshots/')[1] as string)
      return false
    }
    puppet.state = stateOf(
      ...all.map((one, i) => pointerTo(hashOf(one), i + 1, { apiProxy: one.apiProxy })),
    )
    const one = follow()
    await one.subscription.ready
    expect(Object.keys(one.runs())).toHaveLength(12)
    expect(one.states.at(-1)?.proxies.map(({ snapshot }) => snapshot.basePath)).toEqual(
      all.map(() => '/'),
    )
    // Only what was not whole is fetched again, by itself.
    const single = [all[3], all[7]].map((snapshot) => `${hashOf(snapshot)}/`)
    expect(asked.sort()).toEqual(['', ...single].sort())
  })
  test('cut off on its way', async () => {
    const { one } = await followRunning()
    puppet.answer = (request, answer) => {
      if (!request.url?.includes('/snapshots/')) return false
      answer.writeHead(200, { 'content-length': String(good.length) })
      answer.write(good.slice(0, 40))
      setImmediate(() => answer.destroy())
      return true
    }
    puppet.send(stateOf(pointerTo(hashOf(other), 6)))
    await until('the alarm', () => one.codes().includes('snapshot-unavailable'))
    expect(one.runs()).toEqual({ orders: 5 })
    puppet.answer = undefined
    puppet.put(other)
    await until('the next try', () => one.runs().orders === 6)
  })
  test('that never comes', async () => {
    const { one } = await followRunning({
      times: { pollMs: 100, firstRetryMs: 20, maxRetryMs: 100, answerMs: 100 },
    })
    puppet.answer = (request, answer) => {
      if (!request.url?.includes('/snapshots/')) return false
      answer.writeHead(200)
      answer.write(good.slice(0, 40))
      return true
    }
    puppet.send(stateOf(pointerTo(hashOf(other), 6)))
    await until('the alarm', () => one.codes().includes('snapshot-unavailable'))
    expect(one.runs()).toEqual({ orders: 5 })
  })
})

describe('live data are refused and the old ones stay', () => {
  const crl = Uint8Array.of(0x30, 0x00)
  const live = (changes: Partial<LiveData> = {}): LiveData => ({
    version: 1,
    environment,
    crls: [{ project: 'Payments', apiProxy: null, sha256: sha256Hex(crl) }],
    killList: [{ project: 'Payments', apiProxy: null, entry: { issuer: 'CN=Lost CA' } }],
    ...changes,
  })
  const putLive = (data: LiveData, sequence: number, text = canonicalJson(data)): void => {
    const hash = hashOf(data)
    puppet.contents.set(`live/${hash}`, text)
    const issuedAt = '2026-11-23T22:00:00Z'
    const signed = signDocument(
      { version: 1, kind: 'live', environment, hash, sequence, issuedAt },
      key,
    )
    puppet.send({ ...(puppet.state as object), live: signed })
  }
  async function followLive() {
    const { one } = await followRunning()
    puppet.contents.set(`crls/${sha256Hex(crl)}`, crl)
    putLive(live(), 10)
    await until('the live data', () => one.states.at(-1)?.killList.length === 1)
    expect(one.states.at(-1)?.crls).toHaveLength(1)
    return one
  }
  test.each<[string, string, () => void]>([
    ['replayed', 'sequence-replayed', () => putLive(live({ killList: [] }), 9)],
    ['corrupt', 'live-hash-mismatch', () => putLive(live({ killList: [] }), 11, '{}')],
    ['truncated', 'live-hash-mismatch', () => putLive(live({ killList: [] }), 11, '{"crls')],
    [
      'of another environment',
      'environment-mismatch',
      () => putLive(live({ environment: 'staging', killList: [] }), 11),
    ],
    [
      'malformed, though signed for',
      'document-malformed',
      () => putLive({ ...live(), killList: [{}] } as unknown as LiveData, 11),
    ],
  ])('%s', async (_what, code, send) => {
    const one = await followLive()
    const count = one.states.length
    send()
    await until('the alarm', () => one.codes().includes(code))
    expect(one.codes()).toEqual([code])
    expect(one.states).toHaveLength(count)
    putLive(live({ crls: [] }), 20)
    await until('the next ones', () => one.states.at(-1)?.crls.length === 0)
    expect(one.states.at(-1)?.killList).toHaveLength(1)
    expect(one.runs()).toEqual({ orders: 5 })
  })
  test.each<[string, string, () => void]>([
    [
      'with a CRL that is not there',
      'crl-unavailable',
      () =>
        putLive(
          live({
            killList: [],
            crls: [{ project: 'Payments', apiProxy: null, sha256: 'ab'.repeat(32) }],
          }),
          11,
        ),
    ],
    [
      'with a CRL of another hash',
      'crl-hash-mismatch',
      () => {
        puppet.contents.set(`crls/${'cd'.repeat(32)}`, crl)
        putLive(
          live({
            killList: [],
            crls: [{ project: 'Payments', apiProxy: null, sha256: 'cd'.repeat(32) }],
          }),
          11,
        )
      },
    ],
  ])(
    '%s: those of the project stay, while the kill list is the new one',
    async (_what, code, send) => {
      const one = await followLive()
      const before = one.states.at(-1)?.crls
      send()
      await until('the alarm', () => one.codes().includes(code))
      expect(one.codes()).toEqual([code])
      await until('the kill list', () => one.states.at(-1)?.killList.length === 0)
      expect(one.states.at(-1)?.crls).toEqual(before)
      expect(one.subscription.status().problems).toMatchObject([{ project: 'Payments', code }])
      putLive(live({ crls: [] }), 20)
      await until('the next ones', () => one.states.at(-1)?.crls.length === 0)
      expect(one.states.at(-1)?.killList).toHaveLength(1)
      expect(one.runs()).toEqual({ orders: 5 })
      await until('no problem is left', () => one.subscription.status().problems.length === 0)
    },
  )
})

test('a proxy comes into force with its live data, and not before', async () => {
  const { one } = await followRunning()
  const data: LiveData = {
    version: 1,
    environment,
    crls: [],
    killList: [{ project: 'Payments', apiProxy: 'invoices', entry: { issuer: 'CN=Lost CA' } }],
  }
  const hash = hashOf(data)
  const issuedAt = '2026-11-23T22:00:00Z'
  const live = signDocument(
    { version: 1, kind: 'live', environment, hash, sequence: 7, issuedAt },
    key,
  )
  const invoices = pointerTo(puppet.put(snapshotOf('invoices')), 6, { apiProxy: 'invoices' })
  const orders = pointerTo(puppet.put(other), 8)
  puppet.send({ ...stateOf(invoices, orders), live })
  await until('the alarm', () => one.codes().includes('live-unavailable'))
  // What runs goes on, and changes.
  expect(one.runs()).toEqual({ orders: 8 })
  puppet.contents.set(`live/${hash}`, canonicalJson(data))
  await until('both', () => one.runs().invoices === 6)
  expect(one.states.map(({ proxies, killList }) => [proxies.length, killList.length])).toEqual([
    [1, 0],
    [1, 0],
    [2, 1],
  ])
  await until('no problem is left', () => one.subscription.status().problems.length === 0)
})

describe('live data on disk', () => {
  const crl = Buffer.from('CRL')
  const data: LiveData = {
    version: 1,
    environment,
    crls: [{ project: 'Payments', apiProxy: null, sha256: sha256Hex(crl) }],
    killList: [],
  }
  test.each(['live', 'crls'])('that are damaged, in %s, come from the manager', async (kind) => {
    puppet.contents.set(`live/${hashOf(data)}`, canonicalJson(data))
    puppet.contents.set(`crls/${sha256Hex(crl)}`, crl)
    const issuedAt = '2026-11-23T22:00:00Z'
    const hash = hashOf(data)
    const live = signDocument(
      { version: 1, kind: 'live', environment, hash, sequence: 6, issuedAt },
      key,
    )
    puppet.state = { ...stateOf(pointerTo(puppet.put(snapshotOf('orders')), 5)), live }
    const one = follow()
    await one.subscription.ready
    expect(one.states[0]?.crls).toHaveLength(1)
    await one.subscription.close()
    const [name = ''] = await readdir(join(folder, kind))
    await writeFile(join(folder, kind, name), 'damaged')
    const again = follow()
    await until('the list', () => again.states.at(-1)?.crls.length === 1)
    // Not without them: who is on a kill list that is damaged might come in.
    expect(again.states.map(({ from, crls }) => [from, crls.length])).toEqual([['manager', 1]])
    expect(again.codes()).toEqual(['stored-state-unreadable'])
    await again.subscription.close()
    const third = follow({}, { url: 'http://127.0.0.1:9', publicKey })
    await third.subscription.ready
    expect(third.states[0]?.crls).toHaveLength(1)
  })
})

describe('a manager', () => {
  test('that was replaced by an impostor changes nothing', async () => {
    const manager = await startManager()
    const impostor = await startManager()
    try {
      const { sequence } = await manager.deploy('orders')
      for (let i = 0; i < 5; i++) await impostor.deploy('orders', { basePath: `/evil${i}` })
      const real = { url: manager.url, publicKey: manager.publicKey }
      const one = follow({}, real)
      await one.subscription.ready
      await one.subscription.close()
      const again = follow({}, { ...real, url: impostor.url })
      await until('the alarm', () => again.codes().includes('signature-invalid'))
      // Nor does one that says nothing of the proxy, or that it is gone, signed by itself.
      await impostor.undeploy('orders')
      await until('another', () => again.alarms.length >= 2)
      expect(again.codes()).toEqual(['signature-invalid'])
      expect(again.runs()).toEqual({ orders: sequence })
      expect(again.states.map(({ from }) => from)).toEqual(['disk'])
    } finally {
      await manager.close()
      await impostor.close()
    }
  })
  test('that no longer speaks of a proxy does not undeploy it', async () => {
    const { one } = await followRunning()
    puppet.send(stateOf())
    const hash = puppet.put(snapshotOf('invoices'))
    puppet.send(stateOf(pointerTo(hash, 6, { apiProxy: 'invoices' })))
    await until('the other', () => one.runs().invoices === 6)
    expect(one.runs()).toEqual({ orders: 5, invoices: 6 })
  })
  test('of another environment is refused', async () => {
    const { one, hash } = await followRunning()
    puppet.send({ ...stateOf(pointerTo(hash, 6)), environment: 'staging' })
    await expectRefused(one, 'environment-mismatch')
  })
  test.each([
    ['no JSON', '{"environment"', 'document-malformed'],
    [
      'another shape',
      '{"environment":"production","pointers":{},"live":null}',
      'document-malformed',
    ],
    ['nothing', 'null', 'document-malformed'],
  ])('whose state is %s is refused', async (_what, text, code) => {
    const { one } = await followRunning()
    puppet.send(text)
    await expectRefused(one, code)
  })
  test.each([
    ['another event', 'event: other\nid: 1\ndata: {}\n\n'],
    ['a field of its own', 'event: state\nretry: 1\n\n'],
    ['data twice', 'event: state\nid: 1\ndata: {\ndata: }\n\n'],
    ['no number', 'event: state\ndata: {}\n\n'],
    ['a carriage return', 'event: state\r\nid: 1\r\ndata: {}\r\n\r\n'],
    ['no UTF-8', Buffer.from([0x64, 0xff, 0x0a])],
  ])('that streams %s is refused, and asked again', async (_what, text) => {
    const { one } = await followRunning()
    puppet.sendRaw(text as string)
    await expectRefused(one, 'events-malformed')
  })
  test('that streams nothing is given up', async () => {
    puppet.stream = () => {}
    const hash = puppet.put(snapshotOf('orders'))
    puppet.state = stateOf(pointerTo(hash, 5))
    const one = follow({ times: { idleMs: 100, pollMs: 60_000, firstRetryMs: 20 } })
    await until('the alarm', () => one.codes().includes('manager-unreachable'))
    puppet.stream = undefined
    await one.subscription.ready
    expect(one.runs()).toEqual({ orders: 5 })
  })
  test.each([401, 403, 404, 500, 302])('that answers %i is told', async (status) => {
    const { one } = await followRunning()
    await one.subscription.close()
    puppet.answer = (_request, answer) => {
      answer.writeHead(status, { location: `${url}/elsewhere` }).end()
      return true
    }
    const again = follow()
    await again.subscription.ready
    await until('the alarm', () => again.codes().includes('manager-refused'))
    expect(again.runs()).toEqual({ orders: 5 })
    expect(again.alarms[0]?.message).toContain(String(status))
  })
})

describe('the folder', () => {
  test('that cannot be written does not keep a state from being in force', async () => {
    // A file where a folder should be: whoever runs the test may write everywhere.
    await writeFile(join(folder, 'snapshots'), '')
    const { one, hash } = await followRunning()
    await until('the alarm', () => one.codes().includes('state-not-stored'))
    expect(hash).toHaveLength(64)
    expect(one.codes()).toEqual(['state-not-stored'])
    await rm(join(folder, 'snapshots'))
    const next = puppet.put(other)
    puppet.send(stateOf(pointerTo(next, 6)))
    await until('the disk', async () =>
      (await readFile(join(folder, 'state.json'), 'utf8').catch(() => '')).includes(next),
    )
    expect(one.runs()).toEqual({ orders: 6 })
  })
  test.each<[string, (folder: string) => Promise<void>, readonly string[]]>([
    [
      'a damaged snapshot',
      async (at) => {
        const [name] = await readdir(join(at, 'snapshots'))
        await truncate(join(at, 'snapshots', name as string), 10)
      },
      ['stored-state-unreadable'],
    ],
    [
      'no snapshot',
      (at) => rm(join(at, 'snapshots'), { recursive: true }),
      ['stored-state-unreadable'],
    ],
    ['a damaged state', (at) => truncate(join(at, 'state.json'), 30), ['stored-state-unreadable']],
    ['an empty state', (at) => truncate(join(at, 'state.json'), 0), ['stored-state-unreadable']],
    [
      'another state',
      (at) => writeFile(join(at, 'state.json'), '{"version":2}'),
      ['stored-state-unreadable'],
    ],
    [
      'a forged state',
      async (at) => {
        const forged = JSON.stringify(
          signDocument(pointerTo(hashOf(other), 99).document, generateSigningKey()),
        )
        await writeFile(join(at, 'snapshots', hashOf(other)), canonicalJson(other))
        await writeFile(
          join(at, 'state.json'),
          `{"version":2,"seenSet":${forged},"seen":[${forged}],"running":[${forged}],"seenLive":null,"runningLive":null,"keptLive":[]}`,
        )
      },
      ['signature-invalid'],
    ],
  ])('with %s is not believed, and the manager makes it good', async (_what, damage, codes) => {
    const { one } = await followRunning()
    await one.subscription.close()
    await damage(folder)
    const again = follow()
    await again.subscription.ready
    expect(again.codes()).toEqual(codes)
    expect(again.states[0]?.from).toBe('manager')
    expect(again.runs()).toEqual({ orders: 5 })
    await again.subscription.close()
    puppet.answer = (_request, answer) => {
      answer.destroy()
      return true
    }
    const third = follow()
    await third.subscription.ready
    expect(third.runs()).toEqual({ orders: 5 })
    expect(third.states[0]?.from).toBe('disk')
  })
})

describe('a set is refused, and nothing of its state is taken', () => {
  const later = () => puppet.put(other)
  test.each<[string, string, () => unknown]>([
    ['forged', 'signature-invalid', () => new Sets(generateSigningKey(), () => other).sign({})],
    [
      'changed after it was signed',
      'signature-invalid',
      () => {
        const { document, signature } = puppet.sets.sign({ sequence: 6 })
        return { document: { ...document, proxies: [] }, signature }
      },
    ],
    [
      'a signature of another kind of document',
      'signature-invalid',
      () => ({ ...puppet.sets.sign({ sequence: 6 }), signature: pointerTo(null, 6).signature }),
    ],
    ['not there', 'document-malformed', () => undefined],
    ['null', 'document-malformed', () => null],
    ['unsigned', 'document-malformed', () => ({ document: puppet.sets.sign({}).document })],
    [
      'of another environment',
      'environment-mismatch',
      () => puppet.sets.sign({ environment: 'b' }),
    ],
    [
      'replayed: an older number',
      'sequence-replayed',
      () => puppet.sets.sign({ sequence: 5, proxies: [] }),
    ],
    [
      'replayed: the same number for something else',
      'sequence-replayed',
      () => puppet.sets.sign({ proxies: [] }),
    ],
    [
      'with a number of its future',
      'document-malformed',
      () => puppet.sets.sign({ sequence: 8, live: { hash: hashOf(other), sequence: 9 } }),
    ],
    [
      'with a proxy twice',
      'document-malformed',
      () => {
        const [entry] = puppet.sets.sign({}).document.proxies
        return puppet.sets.sign({ sequence: 8, proxies: entry ? [entry, entry] : [] })
      },
    ],
  ])('%s', async (_what, code, set) => {
    const { one, hash } = await followRunning()
    puppet.send(stateOf(pointerTo(hash, 7)))
    await until('the number', () => one.runs().orders === 7)
    puppet.send({ ...stateOf(pointerTo(later(), 8)), set: set() })
    await until(`the alarm ${code}`, () => one.codes().includes(code))
    expect(one.codes()).toEqual([code])
    expect(one.subscription.status().problems).toMatchObject([{ code }])
    expect(one.runs()).toEqual({ orders: 7 })
    puppet.send(stateOf(pointerTo(hash, 9)))
    await until('the next one', () => one.runs().orders === 9)
    await until('no problem is left', () => one.subscription.status().problems.length === 0)
  })
  test('which a gateway that has nothing yet does not take for an empty environment', async () => {
    puppet.state = { ...stateOf(), set: null }
    const one = follow()
    await until('the alarm', () => one.codes().includes('document-malformed'))
    await until('the report', () => puppet.reports.some((text) => text.includes('malformed')))
    expect(one.states).toEqual([])
    expect(one.subscription.status()).toMatchObject({ wasComplete: false, runs: [] })
    // The stream says nothing more: it is asked again.
    puppet.state = stateOf(pointerTo(puppet.put(snapshotOf('orders')), 5))
    await one.subscription.ready
    expect(one.subscription.status()).toMatchObject({ wasComplete: true, problems: [] })
  })
})

describe('what a set names and is not there', () => {
  const guarded = snapshotOf('guarded', { hosts: ['b.example'], basePath: '/api' })
  const open = snapshotOf('open', { hosts: ['b.example'] })
  const place = (of: Snapshot) => {
    const { project, apiProxy, hosts, basePath } = of
    return { project, apiProxy, hosts, basePath }
  }
  const pointers = () => ({
    guarded: pointerTo(puppet.put(guarded), 5, { apiProxy: 'guarded' }),
    open: pointerTo(puppet.put(open), 6, { apiProxy: 'open' }),
  })
  /** The state of both, of which some pointers arrive. */
  const shortened = (...arrive: readonly unknown[]) => ({
    ...puppet.sets.with(stateOf(...Object.values(pointers()))),
    pointers: arrive,
  })
  const isHealed = (one: TestSubscriber) =>
    until('both', () => one.states.at(-1)?.held.length === 0 && one.runs().guarded === 5)

  test('a pointer: its place is held, and asked for again', async () => {
    puppet.state = shortened(pointers().open)
    const one = follow()
    await one.subscription.ready
    expect(one.runs()).toEqual({ open: 6 })
    expect(one.states[0]?.held).toEqual([place(guarded)])
    expect(one.codes()).toEqual(['pointer-unavailable'])
    expect(one.subscription.status()).toMatchObject({
      wasComplete: false,
      held: [place(guarded)],
      problems: [{ apiProxy: 'guarded', sequence: 5, code: 'pointer-unavailable' }],
    })
    await until('the report', () => puppet.reports.some((text) => text.includes('pointer-unav')))
    puppet.state = stateOf(...Object.values(pointers()))
    await isHealed(one)
    expect(one.subscription.status()).toMatchObject({ wasComplete: true, held: [] })
    await until('no problem is left', () => one.subscription.status().problems.length === 0)
  })
  test.each<[string, string, (text: string) => string | undefined]>([
    ['a snapshot', 'snapshot-unavailable', () => undefined],
    ['half a snapshot', 'snapshot-hash-mismatch', (text) => text.slice(0, 100)],
    ['another one', 'snapshot-hash-mismatch', (text) => text.replace('/api', '/apj')],
  ])('%s: its place is held until it comes', async (_what, code, change) => {
    puppet.state = stateOf(...Object.values(pointers()))
    const path = `snapshots/${hashOf(guarded)}`
    const changed = change(canonicalJson(guarded))
    if (changed === undefined) puppet.contents.delete(path)
    else puppet.contents.set(path, changed)
    const one = follow()
    await one.subscription.ready
    expect(one.states[0]?.held).toEqual([place(guarded)])
    expect(one.runs()).toEqual({ open: 6 })
    expect(one.subscription.status()).toMatchObject({
      wasComplete: false,
      problems: [{ apiProxy: 'guarded', sequence: 5, code }],
    })
    await until('the alarm', () => one.codes().includes(code))
    puppet.put(guarded)
    await isHealed(one)
    await until('no problem is left', () => one.subscription.status().problems.length === 0)
    expect(one.subscription.status().wasComplete).toBe(true)
  })
  test('live data: nothing is in force without them', async () => {
    const data: LiveData = { version: 1, environment, crls: [], killList: [] }
    const hash = hashOf(data)
    puppet.contents.set(`live/${hash}`, canonicalJson(data))
    const document = { version: 1, kind: 'live', environment, hash, sequence: 7 } as const
    const live = signDocument({ ...document, issuedAt: '2026-11-23T22:00:00Z' }, key)
    const whole = { ...stateOf(...Object.values(pointers())), live }
    puppet.state = { ...puppet.sets.with(whole), live: null }
    const one = follow()
    await until('the alarm', () => one.codes().includes('pointer-unavailable'))
    expect(one.codes()).toEqual(['pointer-unavailable'])
    expect(one.states).toEqual([])
    puppet.state = whole
    await one.subscription.ready
    expect(one.runs()).toEqual({ guarded: 5, open: 6 })
  })
  test('a pointer that it does not name, though it is signed, is refused', async () => {
    const set = puppet.sets.with(stateOf(...Object.values(pointers()))).set
    // Each of them was in force once, or will be: not together.
    const moved = puppet.put({ ...open, basePath: '/other' })
    const stranger = pointerTo(moved, 7, { apiProxy: 'stranger' })
    const next = pointerTo(moved, 7, { apiProxy: 'open' })
    puppet.state = { ...stateOf(pointers().guarded, next, stranger), set }
    const one = follow()
    await one.subscription.ready
    expect(one.codes()).toEqual(['set-mismatch'])
    expect(one.runs()).toEqual({ guarded: 5 })
    expect(one.states[0]?.held).toEqual([place(open)])
  })
  test('what runs goes on where it was, and its new place is held', async () => {
    puppet.state = stateOf(...Object.values(pointers()))
    const one = follow()
    await one.subscription.ready
    const moved = { ...guarded, basePath: '/moved' }
    const pointer = pointerTo(puppet.put(moved), 8, { apiProxy: 'guarded' })
    puppet.contents.delete(`snapshots/${hashOf(moved)}`)
    puppet.send(stateOf(pointer))
    await until('the place', () => one.states.at(-1)?.held.length === 1)
    expect(one.states.at(-1)?.held).toEqual([place(moved)])
    expect(one.runs()).toEqual({ guarded: 5, open: 6 })
    expect(one.subscription.status().wasComplete).toBe(true)
    // Over a restart as well.
    await until('the disk', async () =>
      (await readFile(join(folder, 'state.json'), 'utf8').catch(() => '')).includes('/moved'),
    )
    await one.subscription.close()
    const again = follow({}, { url: 'http://127.0.0.1:9', publicKey })
    await again.subscription.ready
    expect(again.states[0]).toMatchObject({ from: 'disk', held: [place(moved)] })
    expect(again.runs()).toEqual({ guarded: 5, open: 6 })
  })
  test('what it no longer names is not deployed', async () => {
    puppet.state = stateOf(...Object.values(pointers()))
    const one = follow()
    await one.subscription.ready
    // A database that was restored to before the proxy was made, its numbers lifted.
    const { proxies } = puppet.sets.sign({}).document
    const left = proxies.filter(({ apiProxy }) => apiProxy === 'open')
    puppet.send({
      ...stateOf(pointers().open),
      set: puppet.sets.sign({ sequence: 9, proxies: left }),
    })
    await until('the end', () => one.runs().guarded === undefined)
    expect(one.runs()).toEqual({ open: 6 })
    expect(one.states.at(-1)?.held).toEqual([])
    // Nor does its old pointer bring it back.
    puppet.send({
      ...stateOf(pointers().open, pointers().guarded),
      set: puppet.sets.sign({ sequence: 9, proxies: left }),
    })
    await until('the alarm', () => one.codes().includes('set-mismatch'))
    expect(one.runs()).toEqual({ open: 6 })
  })

  type State = Record<'seenSet' | 'seen' | 'running', unknown>
  const without = (name: string) => (list: unknown) =>
    (list as readonly Signed<Pointer>[]).filter(({ document }) => document.apiProxy !== name)
  /** Once it has run, with its state on disk changed, and without its manager. */
  async function followChanged(
    change: (state: State) => State,
  ): Promise<ReturnType<typeof follow>> {
    puppet.state = stateOf(...Object.values(pointers()))
    const one = follow()
    await one.subscription.ready
    await one.subscription.close()
    const file = join(folder, 'state.json')
    const state = JSON.parse(await readFile(file, 'utf8'))
    await writeFile(file, JSON.stringify({ ...state, ...change(state) }))
    return follow({}, { url: 'http://127.0.0.1:9', publicKey })
  }

  test.each<[string, string, (state: State) => State]>([
    [
      'without a pointer',
      'pointer-unavailable',
      ({ seenSet, seen, running }) => ({
        seenSet,
        seen: without('guarded')(seen),
        running: without('guarded')(running),
      }),
    ],
    [
      'without a proxy that ran',
      'snapshot-unavailable',
      (state) => ({ ...state, running: without('guarded')(state.running) }),
    ],
  ])('on disk, a state %s holds the place', async (_what, code, change) => {
    const again = await followChanged(change)
    await again.subscription.ready
    expect(again.states[0]).toMatchObject({ from: 'disk', held: [place(guarded)] })
    expect(again.runs()).toEqual({ open: 6 })
    expect(again.subscription.status()).toMatchObject({
      wasComplete: false,
      problems: [{ apiProxy: 'guarded', sequence: 5, code }],
    })
    await until('the alarm', () => again.codes().includes(code))
    await again.subscription.close()
    await isHealed(follow())
  })
  test.each<[string, string, (state: State) => State]>([
    ['no set', 'document-malformed', (state) => ({ ...state, seenSet: null })],
    [
      'a set of before',
      'stored-state-unreadable',
      (state) => ({
        ...state,
        seenSet: puppet.sets.sign({
          sequence: 5,
          proxies: puppet.sets.sign({}).document.proxies.slice(0, 1),
        }),
      }),
    ],
  ])('on disk, a state with %s is none', async (_what, code, change) => {
    const again = await followChanged(change)
    await until('the alarm', () => again.codes().includes(code))
    await until('it has looked', () => again.codes().includes('manager-unreachable'))
    expect(again.states).toEqual([])
    expect(again.subscription.status()).toMatchObject({ wasComplete: false, runs: [] })
    expect(again.subscription.status().problems.map((one) => one.code)).toContain(code)
    await again.subscription.close()
    await isHealed(follow())
  })
})
