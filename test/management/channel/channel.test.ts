/** The manager's end of the channel: what it serves to whom, and what it tells about gateways. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  canonicalJson,
  type EnvironmentState,
  hashOf,
  type LiveData,
  type Pointer,
  readEnvironmentState,
  readPublicKey,
  readSignedLivePointer,
  readSignedPointer,
  readSignedSet,
  type SetEntry,
  type Snapshot,
} from '../../../src/deployment/index.ts'
import { stateLimit } from '../../../src/deployment/state-limits.ts'
import { createChannel, environmentsRunning } from '../../../src/management/channel/index.ts'
import { takeOver } from '../../../src/management/channel/signer.ts'
import { makeFolder, removeFolder, subscribe, until } from '../../gateway/subscription/support.ts'
import { startStores } from '../store/stores.ts'
import { environment, snapshotOf, startManager, type TestManager, token } from './support.ts'

const tested = await startStores('the channel over PostgreSQL')
afterAll(() => tested.remove())

let manager: TestManager

interface Asked extends RequestInit {
  readonly as?: string
  readonly of?: string
}

function ask(path: string, { as = token, of = environment, ...init }: Asked = {}) {
  const headers = { ...(init.headers as Record<string, string>), authorization: `Bearer ${as}` }
  return fetch(`${manager.url}/apiops/environments/${of}/${path}`, { ...init, headers })
}

async function codeOf(answer: Response): Promise<unknown> {
  const body = (await answer.json()) as { readonly error?: { readonly code?: string } }
  return [answer.status, body.error?.code]
}

async function state(of = environment): Promise<EnvironmentState> {
  const answer = await ask('state/', { of })
  const read = readEnvironmentState(await answer.json())
  if (!read.ok) throw new Error(read.failure.code)
  return read.value
}

function report(changes: object = {}): string {
  return JSON.stringify({
    gateway: 'gw-1',
    environment,
    runs: [],
    live: null,
    problems: [],
    ...changes,
  })
}

function put(body: string, gateway = 'gw-1', headers = {}): Promise<Response> {
  return ask(`gateways/${gateway}/report/`, { method: 'PUT', body, headers })
}

describe.each(tested.stores.filter(({ missing }) => !missing))('over $kind', (store) => {
  beforeAll(async () => {
    manager = await startManager({ pingMs: 50, storeUrl: await store.createUrl() })
  })
  afterAll(() => manager.close())

  describe('a state', () => {
    test('has a signed pointer for each proxy, in the order of their numbers', async () => {
      const orders = await manager.deploy('orders')
      const invoices = await manager.deploy('invoices')
      const { pointers } = await state()
      expect(pointers.map(({ document }) => document)).toMatchObject([
        { apiProxy: 'orders', hash: orders.hash, sequence: orders.sequence, project: 'Payments' },
        { apiProxy: 'invoices', hash: invoices.hash, sequence: invoices.sequence, environment },
      ])
      const key = readPublicKey(manager.publicKey)
      for (const pointer of pointers) expect(readSignedPointer(pointer, key).ok).toBe(true)
    })
    test('has a signed set of all that it has, and of nothing where there is nothing', async () => {
      const [orders, gone] = [await manager.deploy('orders'), await manager.deploy('gone')]
      await manager.undeploy('gone')
      const key = readPublicKey(manager.publicKey)
      const { set, pointers, live } = await state()
      expect(readSignedSet(set, key).ok).toBe(true)
      const { proxies, sequence } = set.document
      const place = { hosts: ['orders.example'], basePath: '/' }
      expect(proxies).toContainEqual({
        project: 'Payments',
        apiProxy: 'orders',
        hash: orders.hash,
        sequence: orders.sequence,
        place,
      })
      expect(proxies).toContainEqual(
        expect.objectContaining({ apiProxy: 'gone', hash: null, place: null }),
      )
      expect(gone.sequence).toBeLessThan(sequence)
      const named = ({ apiProxy, hash, sequence }: Pointer | SetEntry) => [apiProxy, hash, sequence]
      expect(proxies.map(named)).toEqual(pointers.map(({ document }) => named(document)))
      expect(set.document.live).toEqual({
        hash: live?.document.hash,
        sequence: live?.document.sequence,
      })
      const empty = (await state('staging')).set
      expect(readSignedSet(empty, key).ok).toBe(true)
      expect(empty.document).toMatchObject({ sequence: 0, proxies: [], live: null })
    })
    test('has a set of the last number after every kind of change', async () => {
      const last = async () => (await state()).set.document.sequence
      const moved = await manager.deploy('orders', { basePath: '/moved' })
      expect(await last()).toBe(moved.sequence)
      expect((await state()).set.document.proxies.at(-1)?.place?.basePath).toBe('/moved')
      const back = await manager.deploy('orders')
      expect(await last()).toBe(back.sequence)
      await manager.deploy('brief')
      const gone = await manager.undeploy('brief')
      expect(await last()).toBe(gone?.sequence)
    })
    test('has live data as soon as a proxy runs', async () => {
      await manager.deploy('orders')
      const { live } = await state()
      expect(readSignedLivePointer(live, readPublicKey(manager.publicKey)).ok).toBe(true)
      const body = await (await ask(`live/${live?.document.hash}/`)).text()
      expect(hashOf(JSON.parse(body))).toBe(live?.document.hash)
      expect((JSON.parse(body) as LiveData).environment).toBe(environment)
      expect((await state('staging')).live).toBeNull()
    })
    test('is told apart by its ETag, which every change renews', async () => {
      await manager.deploy('orders')
      const first = await ask('state/')
      const etag = first.headers.get('etag') ?? ''
      expect(etag).toMatch(/^"[0-9a-f]{64}"$/)
      const same = await ask('state/', { headers: { 'if-none-match': `"x", ${etag}` } })
      expect([same.status, await same.text()]).toEqual([304, ''])
      await manager.deploy('orders', { basePath: '/other' })
      const other = await ask('state/', { headers: { 'if-none-match': etag } })
      expect(other.status).toBe(200)
      expect(other.headers.get('etag')).not.toBe(etag)
    })
    test('keeps the pointer of what was undeployed', async () => {
      await manager.deploy('refunds')
      const gone = await manager.undeploy('refunds')
      const { pointers } = await state()
      const last = pointers.find(({ document }) => document.apiProxy === 'refunds')
      expect(last?.document).toMatchObject({ hash: null, sequence: gone?.sequence })
      expect(await manager.undeploy('refunds')).toBeUndefined()
      expect(await manager.undeploy('never')).toBeUndefined()
    })
    test('is served without the slash at its end, too', async () => {
      expect((await ask('state')).status).toBe(200)
      expect((await ask('gateways')).status).toBe(200)
    })
  })

  describe('nobody gets', () => {
    test.each([
      ['state/', 'GET'],
      ['events/', 'GET'],
      [`snapshots/${'ab'.repeat(32)}/`, 'GET'],
      [`live/${'ab'.repeat(32)}/`, 'GET'],
      [`crls/${'ab'.repeat(32)}/`, 'GET'],
      ['gateways/', 'GET'],
      ['gateways/gw-1/report/', 'PUT'],
      ['gateways/gw-1/report/', 'DELETE'],
    ])('%s by %s without a token', async (path, method) => {
      expect((await ask(path, { method, as: 'other' })).status).toBe(401)
    })
    test.each(['nowhere', '..', '%00', "'; drop table environments; --"])(
      'the environment %j, which there is not',
      async (name) => {
        const answer = await ask('state/', { of: encodeURIComponent(name) })
        expect(answer.status).toBe(404)
      },
    )
    test.each(['snapshots', 'live', 'crls'])('%s under anything but a hash', async (kind) => {
      for (const name of ['x', 'AB'.repeat(32), '..%2f..%2fetc', 'ab'.repeat(32)]) {
        expect(await codeOf(await ask(`${kind}/${name}/`))).toEqual([404, 'not-found'])
      }
    })
    test('what is in force in another environment, or no longer', async () => {
      const { hash } = await manager.deploy('orders', { basePath: '/secret' })
      expect((await ask(`snapshots/${hash}/`)).status).toBe(200)
      const elsewhere = await ask(`snapshots/${hash}/`, { of: 'staging' })
      expect(await codeOf(elsewhere)).toEqual([404, 'not-found'])
      await manager.deploy('orders')
      expect((await ask(`snapshots/${hash}/`)).status).toBe(404)
    })
    test('a CRL that the live data do not name', async () => {
      const [published] = await manager.addCrl(Buffer.from('CRL'), 'orders')
      const { live } = await state()
      expect(live?.document.hash).toBe(published?.hash)
      const body = await (await ask(`live/${live?.document.hash}/`)).text()
      const { crls } = JSON.parse(body) as LiveData
      const path = `crls/${crls[0]?.sha256}/`
      const answer = await ask(path)
      expect([answer.headers.get('content-type'), await answer.text()]).toEqual([
        'application/pkix-crl',
        'CRL',
      ])
      expect((await ask(path, { of: 'staging' })).status).toBe(404)
    })
  })

  test('a snapshot is its canonical octets, for ever', async () => {
    const { hash } = await manager.deploy('orders')
    const answer = await ask(`snapshots/${hash}/`)
    expect(answer.headers.get('cache-control')).toContain('immutable')
    expect(await answer.text()).toBe(canonicalJson(snapshotOf('orders')))
  })

  describe('publishing', () => {
    test.each([
      [{ hosts: [] }, 'document-malformed', 'hosts'],
      [{ trustAnchors: [] }, 'snapshot-unusable', 'trustAnchors'],
      [{ issuerAcl: 'nonsense' }, 'issuer-acl-invalid', 'issuerAcl'],
    ])('refuses what gateways would refuse: %j', async (changes, code, path) => {
      const before = await state()
      const result = await manager.store.transaction((trx) =>
        manager.publisher.publishSnapshot(trx, {
          environmentId: environment,
          apiProxyId: 'orders',
          snapshot: snapshotOf('orders', changes),
        }),
      )
      expect(result).toMatchObject({ ok: false, failure: { code, path } })
      expect(await state()).toEqual(before)
    })
    test('is undone with its transaction, and nobody is told', async () => {
      const before = await state()
      const told: string[] = []
      const end = manager.store.onChange((name) => told.push(name))
      const failing = manager.store.transaction(async (trx) => {
        await manager.publisher.publishSnapshot(trx, {
          environmentId: environment,
          apiProxyId: 'orders',
          snapshot: snapshotOf('orders', { basePath: '/undone' }),
        })
        throw new RangeError('no')
      })
      await expect(failing).rejects.toThrow(RangeError)
      expect(await state()).toEqual(before)
      expect(told).toEqual([])
      end()
    })
    test('gives each change the next number, whoever asks at once', async () => {
      const all = await Promise.all(
        Array.from({ length: 10 }, (_, i) => manager.deploy(i % 2 ? 'orders' : 'invoices')),
      )
      const numbers = all.map(({ sequence }) => sequence)
      expect(new Set(numbers).size).toBe(10)
      const { pointers } = await state()
      const last = pointers.map(({ document }) => document.sequence)
      expect(Math.max(...last)).toBe(Math.max(...numbers))
    })
    test('renews live data only when they change', async () => {
      await manager.deploy('orders')
      const expires = '2030-01-01T00:00:00.000Z'
      const [published] = await manager.kill({ issuer: 'CN=Lost CA' }, expires)
      expect(published).toMatchObject({ environment })
      const again = await manager.store.transaction((trx) =>
        manager.publisher.publishLive(trx, environment),
      )
      expect(again).toEqual({ ok: true, value: undefined })
      expect((await state()).set.document).toMatchObject({
        sequence: published?.sequence,
        live: { hash: published?.hash, sequence: published?.sequence },
      })
      const body = await (await ask(`live/${published?.hash}/`)).text()
      expect((JSON.parse(body) as LiveData).killList).toEqual([
        { project: 'Payments', apiProxy: null, entry: { issuer: 'CN=Lost CA', expires } },
      ])
    })
    test('knows where a project and a proxy run', async () => {
      await manager.deploy('orders')
      const run = (kind: 'project' | 'proxy', id: string) =>
        manager.store.transaction((trx) => environmentsRunning(trx, kind, id))
      expect(await run('project', 'p1')).toEqual([environment])
      expect(await run('proxy', 'orders')).toEqual([environment])
      expect(await run('proxy', 'never')).toEqual([])
    })
    test('holds a project back before it makes the state too large for everybody', async () => {
      const { publisher, store } = manager
      const crowded = 'crowded'
      await store.transaction(async (trx) => {
        await trx
          .insertInto('environments')
          .values({ id: crowded, name: crowded, sequence: 0 })
          .execute()
        await publisher.publishEmpty(trx, crowded)
        for (const name of ['Greedy', 'Modest']) {
          await trx
            .insertInto('projects')
            .values({ id: name, name, description: '', version: 1 })
            .execute()
        }
      })
      const publish = (project: string, name: string, changes: Partial<Snapshot> | null) =>
        store.transaction(async (trx) => {
          const row = { id: name, project_id: project, name, document: '{}', version: 1 }
          await trx
            .insertInto('api_proxies')
            .values(row)
            .onConflict((conflict) => conflict.column('id').doNothing())
            .execute()
          return await publisher.publishSnapshot(trx, {
            environmentId: crowded,
            apiProxyId: name,
            snapshot: changes === null ? null : snapshotOf(name, { project, ...changes }),
          })
        })
      const label = 'x'.repeat(60)
      const hosts = Array.from(
        { length: 1000 },
        (_, i) => `h${i}.${label}.${label}.${label}.${label}`,
      )
      let last = 0
      let result = await publish('Greedy', 'greedy-0', { hosts })
      while (result.ok && last < 30) {
        last++
        result = await publish('Greedy', `greedy-${last}`, { hosts })
      }
      const failure = {
        code: 'document-too-large',
        path: '',
        whose: 'project',
        maximum: stateLimit.perProject,
      }
      expect(result).toEqual({ ok: false, failure })
      expect(last).toBe(16)
      const { set, pointers } = await state(crowded)
      expect(set.document.proxies.map(({ apiProxy }) => apiProxy)).not.toContain('greedy-16')
      expect(pointers).toHaveLength(last)
      // What runs is changed where it is, and others go on.
      expect(await publish('Greedy', 'greedy-1', { hosts, basePath: '/' })).toMatchObject({
        ok: true,
      })
      expect(await publish('Greedy', 'greedy-1', { hosts, basePath: '/longer' })).toMatchObject({
        ok: true,
      })
      expect(await publish('Modest', 'modest', {})).toMatchObject({ ok: true })
      expect(await publish('Greedy', 'greedy-16', { hosts })).toEqual({ ok: false, failure })
      expect(await publish('Greedy', 'greedy-2', null)).toMatchObject({ ok: true })
      const after = await publish('Greedy', 'greedy-16', { hosts })
      expect(after).toMatchObject({ ok: true })
      const now = (await state(crowded)).set.document
      expect(now.sequence).toBe(after.ok ? after.value?.sequence : undefined)
      expect(now.proxies).toHaveLength(18)
    }, 60_000)
    test('signs the set anew at the next start, when a version that signs none has deployed', async () => {
      const { store, signingKey } = manager
      const start = () => takeOver(store, signingKey, new Date())
      await start()
      const before = await state()
      const old = await store.db
        .selectFrom('environment_sets')
        .selectAll()
        .where('environment_id', '=', environment)
        .executeTakeFirstOrThrow()
      await start()
      expect(await state()).toEqual(before)
      const forget = async (): Promise<void> => {
        await store.db
          .updateTable('environment_sets')
          .set({ sequence: old.sequence, signed: old.signed })
          .where('environment_id', '=', environment)
          .execute()
      }
      const changes = [() => manager.deploy('orders'), () => manager.kill({ issuer: 'CN=Later' })]
      for (const change of changes) {
        await change()
        await forget()
        // A manager that goes on remembers what it has read under this number.
        const stale = await state()
        const numbers = [stale.live, ...stale.pointers].map((one) => one?.document.sequence ?? 0)
        expect(stale.set.document.sequence).toBeLessThan(Math.max(...numbers))
        const told: string[] = []
        const end = store.onChange((name) => told.push(name))
        expect(await start()).toBeUndefined()
        await until('the change is told', () => told.includes(environment))
        end()
        const { set, pointers, live } = await state()
        expect(pointers).toEqual(stale.pointers)
        expect(set.document.live).toEqual({
          hash: live?.document.hash,
          sequence: live?.document.sequence,
        })
        expect(set.document.proxies.map(({ sequence, hash }) => ({ sequence, hash }))).toEqual(
          pointers.map(({ document: { sequence, hash } }) => ({ sequence, hash })),
        )
        expect(set.document.sequence).toBeGreaterThan(Math.max(...numbers))
      }
    })
  })

  describe('events', () => {
    async function read(path = 'events/?gateway=gw-1') {
      const stop = new AbortController()
      const answer = await ask(path, { signal: stop.signal })
      const seen = { text: '', isOver: false }
      const reading = (async () => {
        const decoder = new TextDecoder()
        for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
          seen.text += decoder.decode(chunk)
        }
      })().catch(() => {})
      void reading.then(() => {
        seen.isOver = true
      })
      return { answer, seen, stop: () => stop.abort(), over: reading }
    }
    const statesIn = (text: string): Pointer[][] =>
      [...text.matchAll(/^data: (.*)$/gm)].map(([, data = '']) =>
        (JSON.parse(data) as EnvironmentState).pointers.map(({ document }) => document),
      )

    test('are the state at once, after each change, and pings', async () => {
      const first = await manager.deploy('orders')
      const { answer, seen, stop, over } = await read()
      expect(answer.headers.get('content-type')).toBe('text/event-stream')
      await until('the state', () => statesIn(seen.text).length === 1)
      const etag = (await ask('state/')).headers.get('etag')
      expect(seen.text).toMatch(/^event: state\nid: [0-9a-f]{64}\ndata: [^\n]+\n\n/)
      expect(`"${/^id: (.*)$/m.exec(seen.text)?.[1]}"`).toBe(etag)
      await until('a ping', () => seen.text.endsWith(': ping\n\n'))
      const next = await manager.deploy('orders', { basePath: '/next' })
      await until('the change', () => statesIn(seen.text).length === 2)
      const numbers = statesIn(seen.text).map(
        (pointers) => pointers.find(({ apiProxy }) => apiProxy === 'orders')?.sequence,
      )
      expect(numbers).toEqual([first.sequence, next.sequence])
      stop()
      await over
    })
    test('make a gateway connected as long as they are open', async () => {
      const { stop, over } = await read('events/?gateway=gw-listening')
      const names = async () =>
        (await manager.channel.connected(environment)).map(({ name }) => name)
      expect(await names()).toContain('gw-listening')
      stop()
      await over
      await until('it is gone', async () => !(await names()).includes('gw-listening'))
    })
    test('of a name that is none are refused', async () => {
      const answer = await ask('events/?gateway=a%2fb')
      expect(await codeOf(answer)).toEqual([400, 'gateway-name-invalid'])
    })
    test('tell of a change that another manager made', async () => {
      const other = createChannel({ store: manager.store, authorize: () => undefined })
      const answer = await other.routes.request(`/${environment}/events/`)
      const reader = answer.body?.getReader()
      await reader?.read()
      const { sequence } = await manager.deploy('orders', { basePath: '/elsewhere' })
      const chunk = await reader?.read()
      expect(new TextDecoder().decode(chunk?.value)).toContain(`"sequence":${sequence}`)
      await other.close()
      expect((await reader?.read())?.done).toBe(true)
      expect((await other.routes.request(`/${environment}/events/`)).status).toBe(503)
    })
  })

  describe('reports', () => {
    beforeEach(async () => {
      await ask('gateways/gw-1/report/', { method: 'DELETE' })
    })
    test('are listed with what each gateway runs', async () => {
      const { hash, sequence } = await manager.deploy('orders')
      const runs = [{ project: 'Payments', apiProxy: 'orders', hash, sequence }]
      expect((await put(report({ runs }))).status).toBe(204)
      const list = (await (await ask('gateways/')).json()) as { readonly resultList: object[] }
      expect(list).toMatchObject({ success: true, resultCount: list.resultList.length })
      const own = list.resultList.find((one) => 'name' in one && one.name === 'gw-1')
      expect(own).toMatchObject({ name: 'gw-1', connected: true, runs, live: null, problems: [] })
    })
    test.each([
      ['no JSON', '{', 400, 'document-malformed'],
      ['another shape', '{}', 400, 'document-malformed'],
      ['the name of another', report({ gateway: 'gw-2' }), 422, 'report-mismatch'],
      ['another environment', report({ environment: 'staging' }), 422, 'report-mismatch'],
      ['too much', `"${'x'.repeat(17_000_000)}"`, 413, 'body-too-large'],
    ])('with %s are refused', async (_what, body, status, code) => {
      // The server ends a connection whose body it does not read: nobody else may be about to use it.
      const answer = await put(body, 'gw-1', { connection: 'close' })
      expect(await codeOf(answer)).toEqual([status, code])
    })
    test('are waited for: one is done, one has a problem, one is silent', async () => {
      const { hash, sequence } = await manager.deploy('orders')
      const run = { project: 'Payments', apiProxy: 'orders', hash, sequence }
      for (const name of ['gw-a', 'gw-b', 'gw-c']) await put(report({ gateway: name }), name)
      const waiting = manager.channel.waitForReports(environment, sequence, 700)
      const later = await manager.deploy('billing')
      const other = { ...run, apiProxy: 'billing', hash: later.hash, sequence: later.sequence }
      await put(report({ gateway: 'gw-a', runs: [other] }), 'gw-a')
      const problem = { ...run, hash: undefined, code: 'snapshot-hash-mismatch', message: 'broken' }
      await put(report({ gateway: 'gw-b', problems: [problem] }), 'gw-b')
      expect(await waiting).toEqual([
        { gateway: 'gw-a', outcome: 'ok' },
        { gateway: 'gw-b', outcome: 'problem', code: problem.code, message: 'broken' },
        { gateway: 'gw-c', outcome: 'not-in-time' },
      ])
      for (const name of ['gw-a', 'gw-b', 'gw-c']) {
        await ask(`gateways/${name}/report/`, { method: 'DELETE' })
      }
    })
    test.each([
      ['a number that the store has not given', 1, 'the hash of the change'],
      ['another hash under this number', 0, 'ab'.repeat(32)],
    ])('of another history are no success: %s', async (_what, ahead, other) => {
      const { hash, sequence } = await manager.deploy('orders')
      const run = { project: 'Payments', apiProxy: 'orders', sequence: sequence + ahead }
      await put(report({ runs: [{ ...run, hash: ahead > 0 ? hash : other }] }))
      expect(await manager.channel.waitForReports(environment, sequence, 300)).toMatchObject([
        { gateway: 'gw-1', outcome: 'problem', code: 'sequence-replayed' },
      ])
      await ask('gateways/gw-1/report/', { method: 'DELETE' })
    })
    test('of a set that was refused are no success of what it brings', async () => {
      // The first of an environment: the pointer, and live data and the set under the next number.
      const { hash, sequence } = await manager.deploy(`first-${crypto.randomUUID()}`)
      const code = 'signature-invalid'
      const nobodys = { project: '', apiProxy: '', code, message: 'another key' }
      const problems = [{ ...nobodys, sequence: sequence + 1 }]
      await put(report({ problems }))
      expect(await manager.channel.waitForReports(environment, sequence, 300)).toEqual([
        { gateway: 'gw-1', outcome: 'problem', code, message: 'another key' },
      ])
      // What it runs is in force, whatever it refuses besides.
      const runs = [{ project: 'Payments', apiProxy: 'orders', hash, sequence }]
      await put(report({ runs, problems }))
      expect(await manager.channel.waitForReports(environment, sequence, 300)).toEqual([
        { gateway: 'gw-1', outcome: 'ok' },
      ])
    })
    test('of a problem with a later number do not say that this one is reached', async () => {
      const { sequence } = await manager.deploy('orders')
      const other = { project: 'Payments', apiProxy: 'billing', sequence: sequence + 1 }
      const problems = [{ ...other, code: 'signature-invalid', message: 'another key' }]
      await put(report({ problems }))
      expect(await manager.channel.waitForReports(environment, sequence, 100)).toEqual([
        { gateway: 'gw-1', outcome: 'not-in-time' },
      ])
    })
    test.each(['proxy-unusable', 'route-taken'])(
      'of a proxy that is %s are no success of live data, for its project',
      async (code) => {
        const { sequence: before } = await manager.deploy('orders')
        const [announced] = await manager.kill({ issuer: `CN=${code}` })
        const { sequence, hash } = announced as NonNullable<typeof announced>
        const one = { project: 'Payments', apiProxy: 'orders', sequence: before }
        const problems = [{ ...one, code, message: 'why' }]
        await put(report({ live: { hash, sequence }, problems }))
        const { waitForLive } = manager.channel
        expect(await waitForLive(environment, sequence, 'Payments', 300)).toEqual([
          { gateway: 'gw-1', outcome: 'problem', code, message: 'why' },
        ])
        expect(await waitForLive(environment, sequence, 'Other', 300)).toEqual([
          { gateway: 'gw-1', outcome: 'ok' },
        ])
      },
    )
    test('of another history are no success: live data under this number', async () => {
      const { hash, sequence } = await manager.deploy('orders')
      await put(report({ live: { hash: hash ?? '', sequence } }))
      expect(await manager.channel.waitForReports(environment, sequence, 300)).toMatchObject([
        { gateway: 'gw-1', outcome: 'problem', code: 'sequence-replayed' },
      ])
    })
    test('are not waited for once the token was taken from a gateway that listens', async () => {
      let isGood = true
      const other = createChannel({
        store: manager.store,
        authorize: () => (isGood ? undefined : new Response(null, { status: 401 })),
        pingMs: 20,
      })
      const stream = await other.routes.request(`/${environment}/events/?gateway=gw-9`)
      const reader = (stream.body as ReadableStream<Uint8Array>).getReader()
      await reader.read()
      expect((await other.connected(environment)).map(({ name }) => name)).toContain('gw-9')
      isGood = false
      let isOpen = true
      while (isOpen) isOpen = !(await reader.read()).done
      expect((await other.connected(environment)).map(({ name }) => name)).not.toContain('gw-9')
      await other.close()
    })
    test('of a gateway that listens are waited for while nobody can tell whether its token is good', async () => {
      let asked = 0
      let status = 200
      const other = createChannel({
        store: manager.store,
        authorize: () => {
          asked++
          return status === 200 ? undefined : new Response(null, { status })
        },
        pingMs: 20,
      })
      const stream = await other.routes.request(`/${environment}/events/?gateway=gw-9`)
      const reader = (stream.body as ReadableStream<Uint8Array>).getReader()
      await reader.read()
      status = 503
      // It was asked again, and more than once.
      for (const enough = asked + 3; asked < enough; ) await reader.read()
      expect((await other.connected(environment)).map(({ name }) => name)).toContain('gw-9')
      status = 403
      while (!(await reader.read()).done);
      expect((await other.connected(environment)).map(({ name }) => name)).not.toContain('gw-9')
      await other.close()
    })
    test('of what could not be fetched are waited for until it could', async () => {
      const { hash, sequence } = await manager.deploy('orders')
      const run = { project: 'Payments', apiProxy: 'orders', hash, sequence }
      const problem = { ...run, hash: undefined, code: 'snapshot-unavailable', message: 'away' }
      await put(report({ problems: [problem] }))
      const short = await manager.channel.waitForReports(environment, sequence, 50)
      expect(short).toEqual([
        { gateway: 'gw-1', outcome: 'problem', code: 'snapshot-unavailable', message: 'away' },
      ])
      const waiting = manager.channel.waitForReports(environment, sequence, 5000)
      await put(report({ runs: [run] }))
      expect(await waiting).toEqual([{ gateway: 'gw-1', outcome: 'ok' }])
    })
    test('that another manager took are waited for', async () => {
      const other = createChannel({ store: manager.store, authorize: () => undefined })
      const { hash, sequence } = await manager.deploy('orders')
      await put(report())
      const waiting = manager.channel.waitForReports(environment, sequence, 5000)
      const runs = [{ project: 'Payments', apiProxy: 'orders', hash, sequence }]
      const path = `/${environment}/gateways/gw-1/report/`
      await other.routes.request(path, { method: 'PUT', body: report({ runs }) })
      expect(await waiting).toEqual([{ gateway: 'gw-1', outcome: 'ok' }])
      await other.close()
    })
    test('are old after 25 seconds, and gone after a week', async () => {
      let now = Date.now()
      const other = createChannel({
        store: manager.store,
        authorize: () => undefined,
        now: () => now,
      })
      const send = (name: string) =>
        other.routes.request(`/staging/gateways/${name}/report`, {
          method: 'PUT',
          body: report({ gateway: name, environment: 'staging' }),
        })
      const connected = async () => (await other.connected('staging')).map(({ name }) => name)
      await send('old')
      now += 25_000
      expect(await connected()).toEqual(['old'])
      now += 1
      expect(await connected()).toEqual([])
      now += 7 * 86_400_000
      await send('new')
      const list = await other.routes.request('/staging/gateways/')
      expect(await list.json()).toMatchObject({ resultCount: 1, resultList: [{ name: 'new' }] })
      await other.close()
    })
  })

  // SQLite is never away.
  if (store.kind === 'postgres')
    test('a store that is away is 503, and comes back', async () => {
      const { sequence } = await manager.deploy('orders', { basePath: '/before' })
      const folder = await makeFolder()
      const one = subscribe(folder, manager)
      await one.subscription.ready
      await tested.postgres?.stop()
      try {
        expect(await codeOf(await ask('state/'))).toEqual([503, 'store-unavailable'])
        expect(await codeOf(await ask('events/'))).toEqual([503, 'store-unavailable'])
        expect(one.runs().orders).toBe(sequence)
      } finally {
        await tested.postgres?.start()
      }
      const begun = performance.now()
      let changed = sequence
      await until('the store takes a change', async () => {
        const published = await manager.deploy('orders').catch(() => undefined)
        changed = published?.sequence ?? sequence
        return changed > sequence
      })
      await until('the change', () => one.runs().orders === changed)
      expect(performance.now() - begun).toBeLessThan(5000)
      expect(one.codes()).toEqual([])
      await one.subscription.close()
      await removeFolder(folder)
    })
})
