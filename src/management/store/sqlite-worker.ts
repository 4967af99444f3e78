/**
 * What runs in the thread of a SQLite connection, so that a write that waits for the disk stops nobody else.
 *
 * @module
 */

import type { MessagePort } from 'node:worker_threads'
import type Libsql from 'libsql'

export interface SqliteSettings {
  readonly file: string
  readonly mode: 'write' | 'read'
  /** How long to wait for another process, in milliseconds. */
  readonly busyMs: number
}

export type SqliteRequest =
  | {
      readonly op: 'run'
      readonly id: number
      readonly sql: string
      readonly parameters: readonly unknown[]
    }
  /** Undoes what is open, if SQLite has not done so by itself. */
  | { readonly op: 'rollback'; readonly id: number }
  | { readonly op: 'close'; readonly id: number }

export interface SqliteAnswer {
  readonly id: number
  readonly rows?: readonly unknown[]
  readonly changes?: number
  readonly error?: { readonly message: string; readonly code: string }
}

/**
 * Opens the database and answers requests in their order. The answer 0 says whether it opened.
 *
 * This function is sent to the thread as text: a bundle has no second file to start. It uses nothing but its parameters.
 */
export function serveSqlite(
  Database: typeof Libsql,
  port: MessagePort,
  { file, mode, busyMs }: SqliteSettings,
): void {
  const explain = (error: unknown): { message: string; code: string } => {
    const { message, code } = error as { message?: unknown; code?: unknown }
    // What cannot be opened comes without a code, and its message names the file.
    if (code === '') return { message: '', code: 'SQLITE_CANTOPEN' }
    return { message: String(message), code: typeof code === 'string' ? code : 'SQLITE_ERROR' }
  }
  const isBusy = (error: unknown): boolean => explain(error).code.startsWith('SQLITE_BUSY')
  const post = (answer: SqliteAnswer): void => port.postMessage(answer)
  const open = (): Libsql.Database => {
    const opened = new Database(file, { timeout: busyMs } as Libsql.Options)
    try {
      opened.exec('pragma journal_mode = wal; pragma synchronous = full')
      opened.exec('pragma foreign_keys = on; pragma temp_store = memory')
      if (mode === 'read') opened.exec('pragma query_only = on')
      return opened
    } catch (error) {
      opened.close()
      throw error
    }
  }
  /** The switch to WAL is refused at once while another process makes it, whatever the time-out. */
  const openInTime = (): Libsql.Database => {
    for (const end = Date.now() + busyMs; ; ) {
      try {
        return open()
      } catch (error) {
        if (!isBusy(error) || Date.now() > end) throw error
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
      }
    }
  }
  let database: Libsql.Database | undefined
  try {
    database = openInTime()
  } catch (error) {
    post({ id: 0, error: explain(error) })
    port.close()
    return
  }
  const run = (sql: string, parameters: readonly unknown[]): Omit<SqliteAnswer, 'id'> => {
    database ??= openInTime()
    const statement = database.prepare(sql)
    if (!statement.reader) return { rows: [], changes: statement.run(parameters).changes }
    const rows = statement.all(parameters) as Record<string, unknown>[]
    const names = Object.keys(rows[0] ?? {})
    for (const row of rows) {
      for (const name of names) {
        const value = row[name]
        if (value instanceof ArrayBuffer) row[name] = new Uint8Array(value)
      }
    }
    return { rows, changes: rows.length }
  }
  port.on('message', (request: SqliteRequest) => {
    const { id } = request
    try {
      if (request.op === 'run') return post({ id, ...run(request.sql, request.parameters) })
      if (database?.inTransaction) database.exec('rollback')
      if (request.op === 'close') database?.close()
      post({ id })
      if (request.op === 'close') port.close()
    } catch (error) {
      post({ id, error: explain(error) })
      if (!isBusy(error)) return
      // For SQLite a statement that was refused as busy still runs, and libsql does not reset it: no later transaction could commit.
      database?.close()
      database = undefined
    }
  })
  post({ id: 0 })
}
