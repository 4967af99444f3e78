/**
 * What is SQLite's own: files, threads, other processes, disks that are full, backups.
 *
 * @module
 */
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { CompiledQuery, sql } from 'kysely'
import Libsql from 'libsql'
import { afterAll, describe, expect, test } from 'vitest'
import { StoreDriver } from '../../../src/management/store/driver.ts'
import { openStore } from '../../../src/management/store/open.ts'
import { openSqlite } from '../../../src/management/store/sqlite.ts'
import {
  type SqliteAnswer,
  type SqliteRequest,
  serveSqlite,
} from '../../../src/management/store/sqlite-worker.ts'
import { type Store, StoreUnavailable } from '../../../src/management/store/store.ts'

const folder = await mkdtemp(join(tmpdir(), 'mtls-policy-sqlite-'))
const opened: Store[] = []
afterAll(async () => {
  for (const store of opened) await store.close()
  await rm(folder, { recursive: true, force: true })
})

let files = 0
const newFile = () => join(folder, `${++files}`, 'deeper', 'store.sqlite')

async function open(file: string): Promise<Store> {
  const store = await openStore({ url: `file:${file}` })
  opened.push(store)
  return store
}

const project = (name: string) => ({ id: crypto.randomUUID(), name, description: '', version: 1 })
const add = (store: Store, name: string) =>
  store.transaction((trx) => trx.insertInto('projects').values(project(name)).execute())
const count = async (store: Store) =>
  (await store.db.selectFrom('projects').select('id').execute()).length
const modeOf = async (path: string) => (await stat(path)).mode & 0o777

describe('the files', () => {
  test('are for their owner only, whatever the umask', async () => {
    const before = process.umask(0)
    try {
      const file = newFile()
      const store = await open(file)
      await add(store, 'a')
      expect(await readdir(dirname(file))).toEqual(
        expect.arrayContaining(['store.sqlite', 'store.sqlite-wal', 'store.sqlite-shm']),
      )
      for (const name of await readdir(dirname(file))) {
        expect([name, await modeOf(join(dirname(file), name))]).toEqual([name, 0o600])
      }
      expect(await modeOf(dirname(file))).toBe(0o700)
      expect(await modeOf(dirname(dirname(file)))).toBe(0o700)
    } finally {
      process.umask(before)
    }
  })

  test('that others could read are closed to them', async () => {
    const file = newFile()
    const first = await openStore({ url: `file:${file}` })
    await first.close()
    await chmod(file, 0o644)
    await open(file)
    expect(await modeOf(file)).toBe(0o600)
  })

  test.each(['file:', 'file://'])('are named by %s and a path', async (scheme) => {
    const file = newFile()
    const store = await openStore({ url: scheme + file })
    await store.close()
    expect((await stat(file)).size).toBeGreaterThan(0)
  })

  test('that hold something else are left alone', async () => {
    const file = newFile()
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, 'not a database, but long enough to look like one '.repeat(100))
    const error: unknown = await openStore({ url: `file:${file}` }).catch((e: unknown) => e)
    expect(error).toMatchObject({ code: 'store-unavailable', reason: 'SQLITE_NOTADB' })
    expect((await stat(file)).size).toBe(4900)
  })

  test('that cannot be made are said without their name', async () => {
    const file = newFile()
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, '')
    const url = `file:${file}/store.sqlite`
    const error: unknown = await openStore({ url }).catch((e: unknown) => e)
    expect(error).toMatchObject({ code: 'store-unavailable', reason: 'EEXIST' })
    expect(String((error as Error).stack)).not.toContain(folder)
  })
})

test('every commit is synced, and references are checked', async () => {
  const store = await open(newFile())
  const pragma = async (name: string) =>
    Object.values((await sql.raw<object>(`pragma ${name}`).execute(store.db)).rows[0] ?? {})[0]
  expect(await pragma('journal_mode')).toBe('wal')
  expect(await pragma('synchronous')).toBe(2)
  expect(await pragma('foreign_keys')).toBe(1)
})

describe('another process that writes', () => {
  test('is waited for, and timers run meanwhile', async () => {
    const file = newFile()
    const store = await open(file)
    const other = new Libsql(file)
    other.exec('begin immediate')
    let ticks = 0
    const timer = setInterval(() => ticks++, 5)
    const adding = add(store, 'waits')
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(await count(store)).toBe(0)
    other.exec('commit')
    await adding
    clearInterval(timer)
    other.close()
    expect(await count(store)).toBe(1)
    expect(ticks).toBeGreaterThan(10)
  })

  test('and does not end is not waited for in vain', async () => {
    const file = newFile()
    const store = await open(file)
    const other = new Libsql(file)
    other.exec('begin immediate')
    await expect(add(store, 'in vain')).rejects.toMatchObject({
      code: 'store-unavailable',
      reason: 'SQLITE_BUSY',
      outcome: 'not-written',
    })
    other.exec('rollback')
    other.close()
    await add(store, 'now')
    expect(await count(store)).toBe(1)
  })
})

test('a disk that is full refuses the write whole, and takes the next when there is room', async () => {
  const store = await open(newFile())
  await sql`pragma max_page_count = 60`.execute(store.db)
  const big = store.transaction(async (trx) => {
    for (let row = 0; row < 100; row++) {
      const description = 'x'.repeat(10_000)
      await trx
        .insertInto('projects')
        .values({ ...project(`${row}`), description })
        .execute()
    }
  })
  await expect(big).rejects.toMatchObject({ code: 'store-unavailable', reason: 'SQLITE_FULL' })
  expect(await count(store)).toBe(0)
  await sql`pragma max_page_count = 100000`.execute(store.db)
  await add(store, 'fits')
  expect(await count(store)).toBe(1)
})

describe('a backup', () => {
  test('is a store of its own, made while others write', async () => {
    const store = await open(newFile())
    for (let row = 0; row < 50; row++) await add(store, `before-${row}`)
    const target = join(folder, 'backup.sqlite')
    let writing = true
    const writer = (async () => {
      for (let row = 0; writing; row++) await add(store, `during-${row}`)
    })()
    await store.backup(target)
    writing = false
    await writer
    expect(await modeOf(target)).toBe(0o600)
    const restored = await open(target)
    expect(await count(restored)).toBeGreaterThanOrEqual(50)
    await add(restored, 'after')
    const check = await sql<{ integrity_check: string }>`pragma integrity_check`.execute(
      restored.db,
    )
    expect(check.rows).toEqual([{ integrity_check: 'ok' }])
  })

  test('overwrites nothing', async () => {
    const store = await open(newFile())
    const target = join(folder, 'precious')
    await writeFile(target, 'precious')
    await expect(store.backup(target)).rejects.toMatchObject({ reason: 'EEXIST' })
    expect((await stat(target)).size).toBe(8)
  })

  test('that fails leaves nothing', async () => {
    const store = await open(newFile())
    const target = join(folder, 'nowhere', 'backup.sqlite')
    const error: unknown = await store.backup(target).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(StoreUnavailable)
    expect(error).toMatchObject({ reason: 'ENOENT' })
    expect((await readdir(folder)).filter((name) => name.includes('partial'))).toEqual([])
  })
})

test('a statement that comes after its transaction does not become one of its own', async () => {
  const database = await openSqlite(newFile())
  const driver = new StoreDriver(database)
  const connection = await driver.acquireConnection()
  const create = CompiledQuery.raw('create table late (a)')
  await driver.beginTransaction(connection)
  await driver.commitTransaction(connection)
  await expect(connection.executeQuery(create)).rejects.toBeInstanceOf(TypeError)
  await driver.releaseConnection(connection)
  const other = await driver.acquireConnection()
  await other.executeQuery(create)
  await driver.releaseConnection(other)
  await expect(connection.streamQuery().next()).rejects.toBeInstanceOf(TypeError)
  await driver.destroy()
})

/** The function that is sent to the thread, here without one. */
describe('what runs in the thread', () => {
  const Database = createRequire(import.meta.url)('libsql') as typeof Libsql

  async function serve(mode: 'write' | 'read', file: string) {
    await mkdir(dirname(file), { recursive: true })
    const { port1, port2 } = new MessageChannel()
    const answers = answersOf(port1)
    serveSqlite(Database, port2, { file, mode, busyMs: 50 })
    const opening = await answers()
    return {
      opening,
      async ask(request: SqliteRequest): Promise<SqliteAnswer> {
        port1.postMessage(request)
        return answers()
      },
      end: () => port1.close(),
    }
  }

  function answersOf(port: MessagePort): () => Promise<SqliteAnswer> {
    const waiting: ((answer: SqliteAnswer) => void)[] = []
    const early: SqliteAnswer[] = []
    port.on('message', (answer: SqliteAnswer) => {
      const next = waiting.shift()
      if (next) next(answer)
      else early.push(answer)
    })
    return () =>
      new Promise((resolve) => {
        const answer = early.shift()
        if (answer) resolve(answer)
        else waiting.push(resolve)
      })
  }

  const run = (id: number, text: string, parameters: unknown[] = []): SqliteRequest => ({
    op: 'run',
    id,
    sql: text,
    parameters,
  })

  test('answers each request, with bytes as bytes', async () => {
    const { opening, ask, end } = await serve('write', newFile())
    expect(opening).toEqual({ id: 0 })
    expect(await ask(run(1, 'create table t (a integer, b blob) strict'))).toMatchObject({ id: 1 })
    const bytes = Uint8Array.of(1, 2, 3)
    const insert = await ask(run(2, 'insert into t values (?, ?)', [7, bytes]))
    expect(insert).toEqual({ id: 2, rows: [], changes: 1 })
    expect(await ask(run(3, 'select a, b from t'))).toEqual({
      id: 3,
      rows: [{ a: 7, b: bytes }],
      changes: 1,
    })
    expect((await ask(run(4, 'select'))).error?.code).toBe('SQLITE_ERROR')
    await ask(run(5, 'begin immediate'))
    await ask(run(6, 'delete from t'))
    expect(await ask({ op: 'rollback', id: 7 })).toEqual({ id: 7 })
    expect(await ask({ op: 'rollback', id: 8 })).toEqual({ id: 8 })
    expect((await ask(run(9, 'select a from t'))).rows).toHaveLength(1)
    expect(await ask({ op: 'close', id: 10 })).toEqual({ id: 10 })
    end()
  })

  test('only reads when it is for reading', async () => {
    const file = newFile()
    await mkdir(dirname(file), { recursive: true })
    const { ask, end } = await serve('read', file)
    const refused = await ask(run(1, 'create table t (a)'))
    expect(refused.error?.code).toBe('SQLITE_READONLY')
    await ask({ op: 'close', id: 2 })
    end()
  })

  test('says why it cannot open', async () => {
    const file = join(folder, 'a-folder')
    await mkdir(file)
    const { opening, end } = await serve('write', file)
    expect(opening.error).toEqual({ message: '', code: 'SQLITE_CANTOPEN' })
    end()
  })
})
