/** A thread of SQLite that ends by itself, as one whose memory ran out: what was under way fails, and what comes after does not. */

import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../../../src/management/store/open.ts'
import { openSqlite } from '../../../src/management/store/sqlite.ts'
import type { Store, StoreUnavailable } from '../../../src/management/store/store.ts'
import { makeProject, startManager } from '../rest/support.ts'

const folder = await mkdtemp(join(tmpdir(), 'mtls-policy-thread-'))
afterAll(() => rm(folder, { recursive: true, force: true }))

/** In the order in which they were started: of a store first the one that writes. */
let threads: Worker[] = []
const note = (thread: Worker): void => void threads.push(thread)
let file: string
let files = 0
beforeEach(() => {
  threads = []
  process.on('worker', note)
  file = join(folder, `${++files}`, 'store.sqlite')
})
afterEach(() => void process.off('worker', note))

/**
 * By a message that the thread cannot read, behind those that it has: it throws. To be ended from outside in the middle of a statement is more
 * than libsql bears, which takes the process along.
 */
async function end(which: 'writer' | 'reader'): Promise<void> {
  const thread = threads[which === 'writer' ? 0 : 1] as Worker
  const exit = new Promise((resolve) => thread.once('exit', resolve))
  thread.postMessage(null)
  await exit
}

const project = (name: string) => ({ id: crypto.randomUUID(), name, description: '', version: 1 })
const add = (store: Store, name: string) =>
  store.transaction((trx) => trx.insertInto('projects').values(project(name)).execute())
const names = async (store: Store) => {
  const rows = await store.db.selectFrom('projects').select('name').orderBy('name').execute()
  return rows.map(({ name }) => name)
}
const ended = (outcome: StoreUnavailable['outcome']) => ({
  code: 'store-unavailable',
  reason: 'thread-ended',
  outcome,
})
/** Some seconds in the thread, which is not asked in between whether it should end. */
const slowly =
  'with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000000) select count(*) from n'

describe('the thread that writes', () => {
  test('is replaced when nothing was under way', async () => {
    const store = await openStore({ url: `file:${file}` })
    await add(store, 'a')
    await end('writer')
    await add(store, 'b')
    await store.db.insertInto('projects').values(project('c')).execute()
    expect(await names(store)).toEqual(['a', 'b', 'c'])
    expect(threads).toHaveLength(3)
    await store.close()
  })

  test('takes the transaction with it that was under way, whole', async () => {
    const store = await openStore({ url: `file:${file}` })
    const failing = store.transaction(async (trx) => {
      await trx.insertInto('projects').values(project('half')).execute()
      await end('writer')
      // Never as a transaction of its own, in another thread.
      await trx.insertInto('projects').values(project('other half')).execute()
    })
    // Those that wait for their turn get it.
    const next = add(store, 'next')
    await expect(failing).rejects.toMatchObject(ended('not-written'))
    await next
    expect(await names(store)).toEqual(['next'])
    await store.close()
  })

  test('that ends over a commit leaves it open whether it was done', async () => {
    const database = await openSqlite(file)
    await database.write('create table t (x integer) strict', [])
    const session = await database.begin()
    await session.run('insert into t values (1)', [])
    const ending = end('writer')
    // It was asked, and does not come to it.
    await expect(session.end('commit')).rejects.toMatchObject(ended('unknown'))
    await ending
    expect((await database.read('select x from t', [])).rows).toEqual([])
    await database.write('insert into t values (2)', [])
    expect((await database.read('select x from t', [])).rows).toEqual([{ x: 2 }])
    await database.close()
  })

  test('that ends over a statement of its own leaves it open, too', async () => {
    const database = await openSqlite(file)
    await database.write('create table t (x integer) strict', [])
    const ending = end('writer')
    await expect(database.write('insert into t values (1)', [])).rejects.toMatchObject(
      ended('unknown'),
    )
    await ending
    await database.write('insert into t values (2)', [])
    await database.close()
  })
})

describe('the thread that reads', () => {
  test('is replaced once for all who ask meanwhile', async () => {
    const store = await openStore({ url: `file:${file}` })
    await add(store, 'a')
    await end('reader')
    const all = await Promise.all(Array.from({ length: 20 }, () => names(store)))
    expect(all).toEqual(Array.from({ length: 20 }, () => ['a']))
    expect(threads).toHaveLength(3)
    await add(store, 'b')
    expect(threads).toHaveLength(3)
    await store.close()
  })

  test('fails what was asked, and says that nothing was written', async () => {
    const store = await openStore({ url: `file:${file}` })
    const ending = end('reader')
    await expect(names(store)).rejects.toMatchObject(ended('not-written'))
    await ending
    expect(await names(store)).toEqual([])
    await store.close()
  })
})

test('both may end, and the store is closed all the same', async () => {
  const store = await openStore({ url: `file:${file}` })
  await end('writer')
  await end('reader')
  await store.close()
  await expect(names(store)).rejects.toMatchObject({ code: 'store-unavailable', reason: 'closed' })
  expect(threads).toHaveLength(2)
})

test('a thread that is opened while its database closes is closed with it', async () => {
  const database = await openSqlite(file)
  await end('reader')
  const reading = Promise.allSettled([database.read('select 1', [])])
  await database.close()
  await reading
  expect(threads).toHaveLength(3)
  // Of those that have ended.
  expect(threads.map(({ threadId }) => threadId)).toEqual([-1, -1, -1])
})

test('no empty database takes the place of a file that is gone', async () => {
  const store = await openStore({ url: `file:${file}` })
  await end('writer')
  await rm(dirname(file), { recursive: true })
  await expect(add(store, 'a')).rejects.toMatchObject({
    code: 'store-unavailable',
    reason: 'ENOENT',
    outcome: 'not-written',
  })
  await expect(readdir(dirname(file))).rejects.toMatchObject({ code: 'ENOENT' })
  await store.close()
})

test('a manager answers 503 to what was under way, and is ready again at once', async () => {
  const store = await openStore({ url: `file:${file}` })
  const facts: object[] = []
  const log = (entry: object): void => void facts.push(entry)
  const manager = await startManager(store, { logger: { info: log, warn: log, error: log } })
  await makeProject(manager.client)
  const blocked = sql
    .raw(slowly)
    .execute(store.db)
    .catch(() => {})
  const ending = end('reader')
  const failing = manager.send('GET', '/apiops/projects/')
  await Promise.all([ending, blocked])
  const { status, body, headers } = await failing
  expect([status, body.error?.code, headers.get('retry-after')]).toEqual([503, 'store-away', '1'])
  expect(facts).toContainEqual(
    expect.objectContaining({ status: 503, path: '/apiops/projects/', store: 'thread-ended' }),
  )
  expect((await manager.send('GET', '/ready/')).status).toBe(200)
  await end('writer')
  await manager.client.project('MyProject').update({ description: 'after' })
  expect((await manager.client.project('MyProject').read()).value.description).toBe('after')
  await manager.close()
  await store.close()
})
