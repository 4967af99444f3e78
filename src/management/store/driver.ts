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
  readonly close: () => Promise<void>
}

/** How long a transaction may take, in milliseconds: the others wait for it. */
export const maxTransactionMs = 10_000

/** The transaction in whose work the caller runs. */
const surrounding = new AsyncLocalStorage<{ open: boolean }>()

/** Runs `work` as the work of a transaction: what would wait for that transaction throws. */
export async function inTransaction<T>(work: () => Promise<T>): Promise<T> {
  const transaction = { open: true }
  try {
    return await surrounding.run(transaction, work)
  } finally {
    transaction.open = false
  }
}

/** @throws {TypeError} When the caller runs in the work of a transaction that is still open. */
export function assertNoTransaction(): void {
  if (surrounding.getStore()?.open !== true) return
  throw Object.assign(
    new TypeError('a write that would wait for the transaction that waits for it'),
    {
      code: 'store-transaction-nested',
    },
  )
}

export class StoreDriver implements Driver {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<StoreConnection> {
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
    await this.#database.close()
  }
}

function ours(connection: DatabaseConnection): StoreConnection {
  if (connection instanceof StoreConnection) return connection
  throw new TypeError('a connection of another driver')
}

class StoreConnection implements DatabaseConnection {
  readonly #database: Database
  #session: Session | undefined
  /** Why the transaction can only be rolled back. PostgreSQL insists; SQLite would commit the rest. */
  #failure: { readonly error: unknown } | undefined
  #timer: NodeJS.Timeout | undefined

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
    this.#failure = undefined
    this.#timer = setTimeout(() => {
      this.#failure = { error: new StoreUnavailable('transaction-timeout') }
      // The failure is what the work will see; the database itself undoes what it cannot be told to undo.
      this.#end('rollback').catch(() => {})
    }, maxTransactionMs)
  }

  async commit(): Promise<void> {
    if (!this.#failure) return this.#end('commit')
    const { error } = this.#failure
    await this.rollback()
    throw error
  }

  async rollback(): Promise<void> {
    try {
      await this.#end('rollback')
    } catch (error) {
      // A transaction that was not committed is undone when its connection goes.
      if (!(error instanceof StoreUnavailable)) throw error
    }
    this.#failure = undefined
  }

  async #run({ sql, parameters, query }: CompiledQuery): Promise<Rows> {
    if (this.#failure) throw this.#failure.error
    if (this.#session) {
      try {
        return await this.#session.run(sql, parameters)
      } catch (error) {
        this.#failure ??= { error }
        throw error
      }
    }
    if (query.kind === 'SelectQueryNode') return this.#database.read(sql, parameters)
    assertNoTransaction()
    return this.#database.write(sql, parameters)
  }

  async #end(how: 'commit' | 'rollback'): Promise<void> {
    const session = this.#session
    this.#session = undefined
    clearTimeout(this.#timer)
    await session?.end(how)
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
