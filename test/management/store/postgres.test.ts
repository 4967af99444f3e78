/**
 * What is PostgreSQL's own: notices between managers, connections that break, a server that goes and comes back.
 *
 * @module
 */
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { openStore, type StoreOptions } from '../../../src/management/store/open.ts'
import { postgresError } from '../../../src/management/store/postgres.ts'
import { type Store, StoreConflict, StoreUnavailable } from '../../../src/management/store/store.ts'
import { type PostgresServer, startPostgres } from '../postgres.ts'

const server = await startPostgres('what is special about PostgreSQL')
afterAll(() => server?.remove(), 60_000)

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function open(url: string, options?: Omit<StoreOptions, 'url'>): Promise<Store> {
  const store = await openStore({ url, ...options })
  closing.push(() => store.close())
  return store
}

/** A connection that is not of the store. */
async function outside(url: string): Promise<pg.Client> {
  const client = new pg.Client(url)
  client.on('error', () => {})
  await client.connect()
  closing.push(() => client.end().catch(() => {}))
  return client
}

/** Cuts the connections to the database of `client` other than its own, as an administrator can. */
const cut = (client: pg.Client) =>
  client.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  )

const project = (name: string) => ({ id: crypto.randomUUID(), name, description: '', version: 1 })
const environment = (name: string) => ({ id: crypto.randomUUID(), name, sequence: 0 })
const count = async (store: Store) =>
  (await store.db.selectFrom('projects').select('id').execute()).length

function listen(store: Store): string[] {
  const heard: string[] = []
  store.onChange((name) => heard.push(name))
  return heard
}

describe.skipIf(!server)('over PostgreSQL', () => {
  const postgres = server as PostgresServer

  test('other managers hear a change, and each hears it once', async () => {
    const url = await postgres.createDatabase()
    const stores = await Promise.all([open(url), open(url), open(url)])
    const heard = stores.map(listen)
    const [first, second] = stores as [Store, Store, Store]
    await first.transaction((trx) => first.notify(trx, 'production'))
    await second.transaction((trx) => second.notify(trx, 'staging of Ünïts'))
    await vi.waitFor(() => {
      for (const names of heard) expect(names).toContain('staging of Ünïts')
    })
    for (const names of heard) expect(names).toEqual(['production', 'staging of Ünïts'])
  })

  test('who has lost the connection for notices hears of every environment when it is back', async () => {
    const url = await postgres.createDatabase()
    const store = await open(url)
    await store.db
      .insertInto('environments')
      .values([environment('production'), environment('staging')])
      .execute()
    const heard = listen(store)
    await cut(await outside(url))
    await vi.waitFor(() => expect(heard.sort()).toEqual(['production', 'staging']), 5000)
    const other = await open(url)
    await other.transaction((trx) => other.notify(trx, 'production'))
    await vi.waitFor(() => expect(heard).toHaveLength(3))
  })

  test('a server that is away is a 503 at once, and is used again when it is back', async () => {
    const url = await postgres.createDatabase()
    const store = await open(url)
    await store.db.insertInto('environments').values(environment('production')).execute()
    const heard = listen(store)
    await postgres.stop()
    const begin = performance.now()
    const errors = await Promise.all([
      store.db
        .selectFrom('projects')
        .selectAll()
        .execute()
        .catch((e: unknown) => e),
      store.db
        .insertInto('projects')
        .values(project('away'))
        .execute()
        .catch((e: unknown) => e),
      store.transaction(async () => {}).catch((e: unknown) => e),
      openStore({ url }).catch((e: unknown) => e),
    ])
    expect(performance.now() - begin).toBeLessThan(2000)
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'store-unavailable', outcome: 'not-written' })
      expectNoSecret(error, postgres)
    }
    expect(heard).toEqual([])
    await postgres.start()
    await store.transaction((trx) => trx.insertInto('projects').values(project('back')).execute())
    expect(await count(store)).toBe(1)
    // What others did meanwhile may have been missed.
    await vi.waitFor(() => expect(heard).toEqual(['production']), 5000)
  })

  test('a transaction whose connection breaks is done again, once', async () => {
    const url = await postgres.createDatabase()
    const store = await open(url)
    const other = await outside(url)
    let runs = 0
    await store.transaction(async (trx) => {
      await trx.insertInto('projects').values(project('again')).execute()
      if (++runs === 1) await cut(other)
      await trx.insertInto('projects').values(project('and again')).execute()
    })
    expect(runs).toBe(2)
    expect(await count(store)).toBe(2)
  })

  test.each(['40001', '40P01'])('a transaction that fails by %s is done again', async (state) => {
    const store = await open(await postgres.createDatabase())
    let runs = 0
    await store.transaction(async (trx) => {
      await trx.insertInto('projects').values(project('again')).execute()
      if (++runs < 3) await fail(trx, state)
    })
    expect(runs).toBe(3)
    expect(await count(store)).toBe(1)
  })

  test('a transaction that fails each time is not done for ever', async () => {
    const store = await open(await postgres.createDatabase())
    let runs = 0
    const work = store.transaction(async (trx) => {
      runs++
      await fail(trx, '40001')
    })
    await expect(work).rejects.toMatchObject({ code: 'store-unavailable', reason: '40001' })
    expect(runs).toBe(6)
  })

  test('a commit whose answer is lost may have been done, and is not done again', async () => {
    const url = await postgres.createDatabase()
    const proxy = await startProxy(url)
    const store = await open(proxy.url)
    let runs = 0
    proxy.cutAt('commit\0')
    const work = store.transaction(async (trx) => {
      runs++
      await trx.insertInto('projects').values(project('perhaps')).execute()
    })
    await expect(work).rejects.toMatchObject({ code: 'store-unavailable', outcome: 'unknown' })
    expect(runs).toBe(1)
    proxy.cutAt('insert into')
    const single = store.db.insertInto('projects').values(project('single')).execute()
    await expect(single).rejects.toMatchObject({ code: 'store-unavailable', outcome: 'unknown' })
  })

  test('a read whose connection broke meanwhile is asked again', async () => {
    const proxy = await startProxy(await postgres.createDatabase())
    const store = await open(proxy.url)
    proxy.cutAt('select "id"')
    expect(await count(store)).toBe(0)
  })

  test('a lock that somebody keeps is not waited for in vain', async () => {
    const url = await postgres.createDatabase()
    const store = await open(url)
    const other = await outside(url)
    await other.query('begin; select pg_advisory_xact_lock(1836346483, 1)')
    const work = store.transaction(async () => {})
    await expect(work).rejects.toMatchObject({ code: 'store-unavailable', reason: '55P03' })
    await other.query('rollback')
    await store.transaction(async () => {})
  })

  test('a manager that stops in a transaction does not stop the others', async () => {
    const url = await postgres.createDatabase()
    // First, so that the schema is made without that limit.
    const other = await open(url)
    const frozen = await open(url, { transactionMs: 300 })
    // As if its timers did not run: a session that has begun and says nothing more.
    const options = '-c idle_in_transaction_session_timeout=300'
    const silent = await outside(`${url}?options=${encodeURIComponent(options)}`)
    await silent.query('begin; select pg_advisory_xact_lock(1836346483, 1)')
    await other.transaction((trx) => trx.insertInto('projects').values(project('on')).execute())
    expect(await count(other)).toBe(1)
    const { rows } = await sql<{ setting: string }>`
      select current_setting('idle_in_transaction_session_timeout') as setting`.execute(frozen.db)
    expect(rows).toEqual([{ setting: '300ms' }])
  })

  test('isolation does not depend on what the database has as its default', async () => {
    const url = await postgres.createDatabase()
    const admin = await outside(url)
    const { rows } = await admin.query('select current_database() as name')
    await admin.query(
      `alter database ${rows[0].name} set default_transaction_isolation = 'repeatable read'`,
    )
    const stores = await Promise.all([open(url), open(url)])
    const row = environment('counted')
    await stores[0].db.insertInto('environments').values(row).execute()
    const raise = (store: Store) =>
      store.transaction(async (trx) => {
        const { sequence } = await trx
          .selectFrom('environments')
          .select('sequence')
          .executeTakeFirstOrThrow()
        await trx
          .updateTable('environments')
          .set({ sequence: sequence + 1 })
          .execute()
      })
    await Promise.all(Array.from({ length: 20 }, (_, i) => raise(stores[i % 2] as Store)))
    const found = await stores[0].db.selectFrom('environments').select('sequence').execute()
    expect(found).toEqual([{ sequence: 20 }])
  })

  test('statements wait for a connection, not for a transaction', async () => {
    const store = await open(await postgres.createDatabase())
    await store.transaction(async (trx) => {
      await trx.insertInto('projects').values(project('held')).execute()
      // More than there are connections.
      const counts = await Promise.all(Array.from({ length: 50 }, () => count(store)))
      expect(new Set(counts)).toEqual(new Set([0]))
    })
  })

  test('is backed up by its own tools', async () => {
    const store = await open(await postgres.createDatabase())
    await expect(store.backup('x')).rejects.toMatchObject({ code: 'store-backup-unsupported' })
  })

  describe('a store that cannot be opened says why, and not with what', () => {
    test.each([
      [
        'another password',
        (url: string) => url.replace(postgres.password, 'wrong-password'),
        '28P01',
      ],
      [
        'a database that is not there',
        (url: string) => url.replace(/\/db\d+$/u, '/nothing'),
        '3D000',
      ],
      [
        'a port where nobody listens',
        (url: string) => url.replace(/:\d+\//u, ':1/'),
        'ECONNREFUSED',
      ],
    ])('%s', async (_what, change, reason) => {
      const url = change(await postgres.createDatabase())
      const error: unknown = await openStore({ url }).catch((e: unknown) => e)
      expect(error).toMatchObject({ code: 'store-unavailable', reason })
      expectNoSecret(error, postgres)
      expect(JSON.stringify([error, (error as Error).stack])).not.toContain('wrong-password')
    })

    test('a server that accepts and says nothing', async () => {
      const silent = createServer(() => {}).listen(0, '127.0.0.1')
      await once(silent, 'listening')
      closing.push(async () => silent.close())
      const url = (await postgres.createDatabase()).replace(/:\d+\//u, `:${portOf(silent)}/`)
      const error: unknown = await openStore({ url }).catch((e: unknown) => e)
      expect(error).toMatchObject({ code: 'store-unavailable', reason: 'timeout' })
    })
  })
})

describe('what a failure of PostgreSQL is to the store', () => {
  const of = (code: string | undefined, message = 'text with a secret') =>
    postgresError(Object.assign(new Error(message), code === undefined ? {} : { code }))

  test.each([
    ['23505', 'store-unique'],
    ['23503', 'store-reference'],
    ['23502', 'store-constraint'],
    ['23514', 'store-constraint'],
  ])('%s is the conflict %s', (state, code) => {
    expect(of(state)).toBeInstanceOf(StoreConflict)
    expect(of(state)).toMatchObject({ code })
  })

  test.each(['08006', '25006', '28P01', '53100', '53300', '57014', '57P03', '58030', 'EPIPE'])(
    '%s is a store that is away',
    (state) => {
      expect(of(state)).toBeInstanceOf(StoreUnavailable)
      expect(of(state)).toMatchObject({ reason: state })
      expect(of(state).message).not.toContain('secret')
    },
  )

  test.each([
    ['timeout exceeded when trying to connect', 'timeout'],
    ['Connection terminated unexpectedly', 'connection-lost'],
  ])('%s is %s', (message, reason) => {
    expect(of(undefined, message)).toMatchObject({ code: 'store-unavailable', reason })
  })

  test.each(['42601', '42P01', '22021'])('%s is a mistake in a statement', (code) => {
    expect(of(code)).not.toBeInstanceOf(StoreUnavailable)
    expect(of(code)).toMatchObject({ code })
  })
})

async function fail(trx: Parameters<Parameters<Store['transaction']>[0]>[0], state: string) {
  await sql
    .raw(`do $$ begin raise exception 'as asked' using errcode = '${state}'; end $$`)
    .execute(trx)
}

function expectNoSecret(error: unknown, { password }: PostgresServer): void {
  const { message, stack } = error as Error
  const text = JSON.stringify([message, stack, error, Object.entries(error as object)])
  for (const secret of [password, 'owner', '127.0.0.1']) expect(text).not.toContain(secret)
}

function portOf(listening: Server): number {
  const address = listening.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** Stands before the server, and cuts a connection once its client has sent a text. */
async function startProxy(url: string) {
  const target = Number(new URL(url).port)
  const sockets = new Set<Socket>()
  let cutAt: string | undefined
  const listening = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
    }
    client.on('data', (chunk) => {
      upstream.write(chunk)
      if (cutAt === undefined || !chunk.includes(cutAt)) return
      cutAt = undefined
      client.destroy()
    })
    upstream.on('data', (chunk) => client.write(chunk))
    client.on('close', () => upstream.end())
    upstream.on('close', () => client.destroy())
  }).listen(0, '127.0.0.1')
  await once(listening, 'listening')
  closing.push(async () => {
    for (const socket of sockets) socket.destroy()
    listening.close()
  })
  return {
    url: url.replace(/:\d+\//u, `:${portOf(listening)}/`),
    cutAt(text: string) {
      cutAt = text
    },
  }
}
