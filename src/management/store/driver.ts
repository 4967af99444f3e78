/**
 * Kysely over a database of ours: what both databases have in common about connections and transactions.
 *
 * @module
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely'
import { StoreUnavailable } from './store.ts'

export interface Rows {
  readonly rows: readonly unknown[]
  /** Rows that were inserted, updated or deleted. */
  readonly changes: number
}

/** A transaction that has begun. */
export interface Session {
  readonly run: (sql: string, parameters: readonly unknown[]) => Promise<Rows>
  /** Called once. Whatever comes of it, the next transaction can begin. */
  readonly end: (how: 'commit' | 'rollback') => Promise<void>
}

/** What a database does; it throws the errors of the store. */
export interface Database {
  /** A statement that only reads; beside transactions. */
  readonly read: (sql: string, parameters: readonly unknown[]) => Promise<Rows>
  /** A statement that is a transaction of its own. */
  readonly write: (sql: string, parameters: readonly unknown[]) => Promise<Rows>
  readonly begin: () => Promise<Session>
  /** Writes a copy of everything to a file that is not there yet. */
  readonly backup: (file: string) => Promise<void>
  readonly close: () => Promise<void>
}

/** The transaction in whose work the caller runs. */
const surrounding = new AsyncLocalStorage<{ open: boolean }>()

/**
 * Runs `work` as the work of a transaction: what would wait for that transaction throws.
 *
 * @param limitMs - How long it may take, in milliseconds.
 */
export async function inTransaction<T>(work: () => Promise<T>, limitMs: number): Promise<T> {
  const transaction = { open: true }
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new StoreUnavailable('transaction-timeout')), limitMs)
  })
  try {
    return await Promise.race([surrounding.run(transaction, work), late])
  } finally {
    clearTimeout(timer)
    transaction.open = false
  }
}

/** @throws {TypeError} When the caller runs in the work of a transaction that is still open. */
export function assertNoTransaction(): void {
  if (surrounding.getStore()?.open !== true) return
  const text = 'a write that would wait for the transaction that waits for it'
  throw Object.assign(new TypeError(text), { code: 'store-transaction-nested' })
}

export class StoreDriver implements Driver {
  readonly #database: Database
  #isClosed = false

  constructor(database: Database) {
    this.#database = database
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<StoreConnection> {
    if (this.#isClosed) throw new StoreUnavailable('closed')
    return new StoreConnection(this.#database)
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await ours(connection).begin()
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await ours(connection).commit()
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await ours(connection).rollback()
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    await ours(connection).rollback()
  }

  async destroy(): Promise<void> {
    this.#isClosed = true
    await this.#database.close()
  }
}

function ours(connection: DatabaseConnection): StoreConnection {
  if (connection instanceof StoreConnection) return connection
  throw new TypeError('a connection of another driver')
}

class StoreConnection implements DatabaseConnection {
  readonly #database: Database
  #session: Session | 'none' | 'ended' = 'none'
  /** Why the transaction can only be rolled back. PostgreSQL insists; SQLite would commit the rest. */
  #failure: { readonly error: unknown } | undefined

  constructor(database: Database) {
    this.#database = database
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    checkParameters(query.parameters)
    const { rows, changes } = await this.#run(query)
    // What the rows are was said by the query; no driver can check it.
    return { rows: rows as R[], numAffectedRows: BigInt(changes) }
  }

  // biome-ignore lint/correctness/useYield: it has nothing to give.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new TypeError('this store has no streams')
  }

  async begin(): Promise<void> {
    assertNoTransaction()
    this.#session = await this.#database.begin()
  }

  async commit(): Promise<void> {
    // Rejecting makes Kysely roll back.
    if (this.#failure) throw this.#failure.error
    await this.#end('commit')
  }

  async rollback(): Promise<void> {
    try {
      await this.#end('rollback')
    } catch (error) {
      // A transaction that was not committed is undone when its connection goes.
      if (!(error instanceof StoreUnavailable)) throw error
    }
  }

  async #run({ sql, parameters, query }: CompiledQuery): Promise<Rows> {
    if (this.#failure) throw this.#failure.error
    // A statement that nobody waited for, of a transaction that is over: it must not become one of its own.
    if (this.#session === 'ended') throw new TypeError('a statement after its transaction')
    if (this.#session !== 'none') {
      try {
        return await this.#session.run(sql, parameters)
      } catch (error) {
        this.#failure = { error }
        throw error
      }
    }
    if (query.kind === 'SelectQueryNode') return this.#database.read(sql, parameters)
    assertNoTransaction()
    return this.#database.write(sql, parameters)
  }

  async #end(how: 'commit' | 'rollback'): Promise<void> {
    const session = this.#session
    if (typeof session === 'string') return
    this.#session = 'ended'
    await session.end(how)
  }
}

/** PostgreSQL has no text with U+0000 and SQLite has; the two stores take the same. */
function checkParameters(parameters: readonly unknown[]): void {
  for (const parameter of parameters) {
    if (typeof parameter === 'string' && parameter.includes('\0')) {
      throw Object.assign(new TypeError('U+0000 in a text'), { code: 'store-text-nul' })
    }
  }
}
