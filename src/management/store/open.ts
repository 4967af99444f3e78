/** Opens the store that a URL names. @module */
import {
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type Transaction,
} from 'kysely'
import { Changes } from './changes.ts'
import { assertNoTransaction, inTransaction, StoreDriver } from './driver.ts'
import { migrate } from './migrate.ts'
import { sqliteTypes } from './migrations.ts'
import type { Schema } from './schema.ts'
import { openSqlite } from './sqlite.ts'
import type { Store } from './store.ts'

export interface StoreOptions {
  /** `file:/path/db.sqlite` or `postgres://user:password@host/database`. */
  readonly url: string
}

/**
 * Opens the store and brings its schema up to date.
 *
 * @throws {TypeError} With the code `store-url-invalid`, and without the URL.
 * @throws {StoreUnavailable} When it cannot be reached.
 * @throws {StoreTooNew} When a newer version of the program has written it.
 */
export async function openStore({ url }: StoreOptions): Promise<Store> {
  const file = sqliteFile(url)
  if (file === undefined) throw urlInvalid()
  const database = await openSqlite(file)
  const db = new Kysely<Schema>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new StoreDriver(database),
      createIntrospector: (any) => new SqliteIntrospector(any),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  })
  const changes = new Changes()
  const pending = new WeakMap<Transaction<Schema>, Set<string>>()
  const store: Store = {
    kind: 'sqlite',
    db,
    async transaction(work) {
      assertNoTransaction()
      const told = new Set<string>()
      const result = await db.transaction().execute((trx) => {
        pending.set(trx, told)
        return inTransaction(() => work(trx))
      })
      for (const environment of told) changes.emit(environment)
      return result
    },
    async notify(trx, environment) {
      pending.get(trx)?.add(environment)
    },
    onChange: (listener) => changes.add(listener),
    async close() {
      changes.clear()
      await db.destroy()
    },
  }
  await migrate(store.transaction, sqliteTypes)
  return store
}

function sqliteFile(url: string): string | undefined {
  return /^file:(?:\/\/(?=\/))?([^?#]+)$/u.exec(url)?.[1]
}

function urlInvalid(): TypeError {
  return Object.assign(new TypeError('a store is file:PATH or postgres://…'), {
    code: 'store-url-invalid',
  })
}
