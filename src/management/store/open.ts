/** Opens the store that a URL names. @module */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Dialect,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
  type Transaction,
} from 'kysely'
import type { Client } from 'pg'
import { Changes } from './changes.ts'
import { assertNoTransaction, type Database, inTransaction, StoreDriver } from './driver.ts'
import { migrate } from './migrate.ts'
import { postgresTypes, sqliteTypes } from './migrations.ts'
import { channel, isTransient, openPostgres } from './postgres.ts'
import type { PostgresListener } from './postgres-listener.ts'
import type { Schema } from './schema.ts'
import { holdAlone } from './single-manager.ts'
import { openSqlite } from './sqlite.ts'
import { type Store, StoreUnavailable, storeUrlInvalid } from './store.ts'

export interface StoreOptions {
  /** `file:/path/db.sqlite` or `postgres://user:password@host/database`. */
  readonly url: string
  /** How long a transaction may keep the others waiting, in milliseconds; 10,000 by default. */
  readonly transactionMs?: number
  /**
   * Opens a SQLite store that another one has open, too: each keeps to its transactions, but who listens to the one hears nothing of what the
   * other changes. PostgreSQL is for many.
   */
  readonly dangerouslyShared?: true
}

/**
 * Opens the store and brings its schema up to date.
 *
 * @throws {TypeError} With the code `store-url-invalid`, and without the URL.
 * @throws {StoreUnavailable} When it cannot be reached; with the reason `SQLITE_BUSY` when a SQLite store is open already.
 * @throws {StoreTooNew} When a newer version of the program has written it.
 * @example
 * const store = await openStore({ url: `file:${folder}/manager.sqlite` })
 * console.log(store.kind) // sqlite
 * await store.close()
 */
export async function openStore({
  url,
  transactionMs = 10_000,
  dangerouslyShared,
}: StoreOptions): Promise<Store> {
  if (/^postgres(?:ql)?:\/\//u.test(url)) return openPostgresStore(url, transactionMs)
  const file = /^file:(?:\/\/(?=\/))?([^?#]+)$/u.exec(url)?.[1]
  // SQLite has databases without a file, which nothing would be left of.
  if (file === undefined || file.startsWith(':')) throw storeUrlInvalid()
  return openSqliteStore(file, transactionMs, dangerouslyShared === true)
}

async function openSqliteStore(file: string, limitMs: number, isShared: boolean): Promise<Store> {
  const database = isShared ? await openSqlite(file) : await openAlone(file)
  const driver = new StoreDriver(database)
  const dialect: Dialect = {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => driver,
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
  // No other process has a part in it: who listens is here.
  const changes = new Changes()
  const store = makeStore({
    kind: 'sqlite',
    db: new Kysely<Schema>({ dialect }),
    database,
    driver,
    limitMs,
    changes,
    tell: async () => {},
    beforeClose: async () => {},
  })
  return ready(store, database, () => migrate(store.transaction, sqliteTypes))
}

async function openAlone(file: string): Promise<Database> {
  const release = await holdAlone(file)
  try {
    const database = await openSqlite(file)
    return {
      ...database,
      async close() {
        try {
          await database.close()
        } finally {
          release()
        }
      },
    }
  } catch (error) {
    release()
    throw error
  }
}

async function openPostgresStore(url: string, limitMs: number): Promise<Store> {
  const database = await openPostgres(url, limitMs)
  const driver = new StoreDriver(database)
  const dialect: Dialect = {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => driver,
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  }
  const changes = new Changes()
  const db = new Kysely<Schema>({ dialect })
  const own = `${crypto.randomUUID()} `
  const tell = async (trx: Transaction<Schema>, environment: string): Promise<void> => {
    await sql`select pg_notify(${channel}, ${own + environment})`.execute(trx)
  }
  // Its own notices have reached it already.
  const hear = (payload: string): void => {
    if (!payload.startsWith(own)) changes.emit(payload.slice(own.length))
  }
  const missed = async (client: Client): Promise<void> => {
    const { rows } = await client.query<{ name: string }>('select name from environments')
    for (const { name } of rows) changes.emit(name)
  }
  let listener: PostgresListener | undefined
  const beforeClose = async (): Promise<void> => listener?.close()
  const parts = {
    kind: 'postgres',
    db,
    database,
    driver,
    limitMs,
    changes,
    tell,
    beforeClose,
  } as const
  const store = makeStore(parts)
  return ready(store, database, async () => {
    await migrate(store.transaction, postgresTypes)
    listener = await database.listen(hear, missed)
  })
}

/** What cannot be made ready is closed. */
async function ready(
  store: Store,
  database: Database,
  prepare: () => Promise<unknown>,
): Promise<Store> {
  try {
    await prepare()
    return store
  } catch (error) {
    await database.close()
    throw error
  }
}

interface Parts {
  readonly kind: Store['kind']
  readonly db: Kysely<Schema>
  readonly database: Database
  readonly driver: StoreDriver
  /** Of a transaction, in milliseconds. */
  readonly limitMs: number
  readonly changes: Changes
  /** Tells the other managers when `trx` commits. */
  readonly tell: (trx: Transaction<Schema>, environment: string) => Promise<void>
  readonly beforeClose: () => Promise<void>
}

function makeStore({
  kind,
  db,
  database,
  driver,
  limitMs,
  changes,
  tell,
  beforeClose,
}: Parts): Store {
  const pending = new WeakMap<Transaction<Schema>, Set<string>>()
  const once = async <T>(work: (trx: Transaction<Schema>) => Promise<T>): Promise<T> => {
    const changed = new Set<string>()
    const result = await db.transaction().execute((trx) => {
      pending.set(trx, changed)
      return inTransaction(() => work(trx), limitMs)
    })
    for (const environment of changed) changes.emit(environment)
    return result
  }
  const repeated = async <T>(work: (trx: Transaction<Schema>) => Promise<T>): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await once(work)
      } catch (error) {
        if (!(error instanceof StoreUnavailable) || error.outcome === 'unknown') throw error
        if (!isTransient(error.reason) || attempt === maxAttempts) throw error
        await sleep(2 ** attempt * 5 * (0.5 + Math.random()))
      }
    }
  }
  const begun = new Set<Promise<unknown>>()
  let closed: Promise<void> | undefined
  return {
    kind,
    db,
    async transaction(work) {
      assertNoTransaction()
      const running = repeated(work)
      begun.add(running)
      try {
        return await running
      } finally {
        begun.delete(running)
      }
    },
    async notify(trx, environment) {
      const changed = pending.get(trx)
      if (!changed) throw new TypeError('notify: a transaction of this store, as it was given')
      if (changed.has(environment)) return
      await tell(trx, environment)
      changed.add(environment)
    },
    backup: (file) => database.backup(file),
    onChange: (listener) => changes.add(listener),
    close() {
      closed ??= (async () => {
        changes.clear()
        await beforeClose()
        await Promise.allSettled(begun)
        // Not by Kysely, whose own error for who asks later is none of the store's.
        await driver.destroy()
      })()
      return closed
    },
  }
}

const maxAttempts = 6
