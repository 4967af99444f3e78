/**
 * What the manager asks of its store, and what a store says when it cannot.
 *
 * @module
 */
import type { Kysely, Transaction } from 'kysely'
import type { Schema } from './schema.ts'

export interface Store {
  readonly kind: 'sqlite' | 'postgres'
  /** For single statements. A write by it inside the work of a transaction throws a `TypeError`: it would wait for itself. */
  readonly db: Kysely<Schema>
  /**
   * Runs `work` as one transaction, one at a time over all managers, so that what it read is still so when it commits. What it did is on
   * the disk when the promise resolves, and undone when it rejects.
   *
   * `work` may run more than once, and the others wait for it: it does nothing outside `trx` and awaits nothing but `trx`. What takes
   * longer than `transactionMs` is undone.
   *
   * @throws {StoreUnavailable} When the store is away. Nothing was written, unless `outcome` is `unknown`.
   * @throws {StoreConflict} What `work` let pass of its own statements.
   * @throws {TypeError} With the code `store-transaction-nested` when called inside `work`.
   */
  readonly transaction: <T>(work: (trx: Transaction<Schema>) => Promise<T>) => Promise<T>
  /**
   * Tells every manager that the state of `environment` changed, as soon as `trx` has committed and not if it does not.
   *
   * @param environment - Its name, as in `environments.name`.
   */
  readonly notify: (trx: Transaction<Schema>, environment: string) => Promise<void>
  /**
   * Calls `listener` with the name of an environment whose state changed, or may have: after notices were missed, it is called for each.
   *
   * @returns Ends it.
   */
  readonly onChange: (listener: (environment: string) => void) => () => void
  /**
   * Writes a copy of everything as of now, beside those who write; only the owner may read it. SQLite only: PostgreSQL has `pg_dump`.
   *
   * @param file - Where; it is whole when it is there.
   * @throws {StoreUnavailable} When it cannot be written, with the reason `EEXIST` when it is there already.
   * @throws {TypeError} With the code `store-backup-unsupported`.
   */
  readonly backup: (file: string) => Promise<void>
  /** Ends after the transactions that have begun. */
  readonly close: () => Promise<void>
}

/**
 * The store cannot be reached or does not answer in time. It names no URL, host, user or file.
 *
 * @example
 * console.log(new StoreUnavailable('ECONNREFUSED').outcome) // not-written
 */
export class StoreUnavailable extends Error {
  readonly code = 'store-unavailable'
  /** What the driver said: `ECONNREFUSED`, `SQLITE_BUSY`, an SQLSTATE such as `57P03`. */
  readonly reason: string
  /** Whether the write may have been done: the connection was lost after its commit was asked for. */
  readonly outcome: 'not-written' | 'unknown'

  constructor(reason: string, outcome: 'not-written' | 'unknown' = 'not-written') {
    super(`the store is away: ${reason}`)
    this.name = 'StoreUnavailable'
    this.reason = reason
    this.outcome = outcome
  }
}

/**
 * A statement goes against a constraint of the schema; the transaction can only be rolled back.
 *
 * @example
 * console.log(new StoreConflict('store-unique').code) // store-unique
 */
export class StoreConflict extends Error {
  readonly code: 'store-unique' | 'store-reference' | 'store-constraint'

  constructor(code: 'store-unique' | 'store-reference' | 'store-constraint') {
    super(`refused by the store: ${code}`)
    this.name = 'StoreConflict'
    this.code = code
  }
}

/**
 * The store was written by a newer version of this program.
 *
 * @example
 * console.log(new StoreTooNew(3, 2).message) // the store has schema 3, and this version knows schemas up to 2
 */
export class StoreTooNew extends Error {
  readonly code = 'store-too-new'
  readonly found: number
  readonly known: number

  constructor(found: number, known: number) {
    super(`the store has schema ${found}, and this version knows schemas up to ${known}`)
    this.name = 'StoreTooNew'
    this.found = found
    this.known = known
  }
}

/** What the URL says stays out of the error: it holds a password. */
export function storeUrlInvalid(): TypeError {
  return Object.assign(
    new TypeError('a store is file:PATH or postgres://USER:PASSWORD@HOST/DATABASE'),
    {
      code: 'store-url-invalid',
    },
  )
}
