/**
 * SQLite, each connection in a thread of its own: one that writes, and one that reads beside it.
 *
 * @module
 */
import { chmod, link, mkdir, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Database, Rows, Session } from './driver.ts'
import {
  type SqliteAnswer,
  type SqliteRequest,
  type SqliteSettings,
  serveSqlite,
} from './sqlite-worker.ts'
import { StoreConflict, StoreUnavailable } from './store.ts'
import { Turns } from './turns.ts'

/** @param file - Made with its folders, for this user only, when it is not there. */
export async function openSqlite(file: string): Promise<Database> {
  await makeFile(file)
  // A thread takes longer to start than a database to open.
  const [writer, reader] = await openAll([
    { file, mode: 'write', busyMs },
    { file, mode: 'read', busyMs },
  ])
  const turns = new Turns()
  return {
    read: (sql, parameters) => reader.run(sql, parameters),
    async write(sql, parameters) {
      const end = await turns.take()
      try {
        return await writer.run(sql, parameters)
      } finally {
        end()
      }
    },
    async begin(): Promise<Session> {
      const end = await turns.take()
      try {
        await writer.run('begin immediate', [])
      } catch (error) {
        end()
        throw error
      }
      return {
        run: (sql, parameters) => writer.run(sql, parameters),
        async end(how) {
          try {
            await (how === 'commit' ? writer.commit() : writer.rollback())
          } finally {
            end()
          }
        },
      }
    },
    backup: (target) => backup(file, target),
    async close() {
      const end = await turns.take()
      await reader.close()
      await writer.close()
      end()
    },
  }
}

/** All of them or none. */
async function openAll(
  settings: readonly [SqliteSettings, SqliteSettings],
): Promise<[SqliteThread, SqliteThread]> {
  const [first, second] = await Promise.allSettled(settings.map(SqliteThread.open))
  if (first?.status === 'fulfilled' && second?.status === 'fulfilled') {
    return [first.value, second.value]
  }
  for (const thread of [first, second]) {
    if (thread?.status === 'fulfilled') await thread.value.close()
  }
  throw [first, second].find((thread) => thread?.status === 'rejected')?.reason
}

type Question = Without<SqliteRequest, 'id'>
type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never

/** One connection. */
class SqliteThread {
  static async open(settings: SqliteSettings): Promise<SqliteThread> {
    const thread = new SqliteThread(settings)
    try {
      await thread.#ask(undefined)
    } catch (error) {
      await thread.#worker.terminate()
      throw error
    }
    return thread
  }

  readonly #worker: Worker
  readonly #waiting = new Map<number, (answer: SqliteAnswer) => void>()
  #next = 0
  #gone = false

  private constructor(settings: SqliteSettings) {
    this.#worker = new Worker(threadSource, {
      eval: true,
      name: `mtls-policy store (${settings.mode})`,
      workerData: { settings, from: import.meta.url },
      // Nothing of the caller's environment or arguments is needed there.
      env: {},
      argv: [],
      execArgv: [],
    })
    this.#worker.on('message', (answer: SqliteAnswer) => {
      const settle = this.#waiting.get(answer.id)
      this.#waiting.delete(answer.id)
      settle?.(answer)
    })
    let reason = 'thread-ended'
    this.#worker.on('error', (error: { code?: unknown }) => {
      if (typeof error.code === 'string') reason = error.code
    })
    this.#worker.on('exit', () => {
      this.#gone = true
      for (const [id, settle] of this.#waiting)
        settle({ id, error: { message: reason, code: gone } })
      this.#waiting.clear()
    })
  }

  async run(sql: string, parameters: readonly unknown[]): Promise<Rows> {
    const { rows = [], changes = 0 } = await this.#ask({ op: 'run', sql, parameters })
    return { rows, changes }
  }

  async commit(): Promise<void> {
    try {
      await this.run('commit', [])
    } catch (error) {
      // It may still be open, and the next one could not begin.
      await this.rollback()
      // A page may have reached the disk, or not.
      throw error instanceof StoreUnavailable && error.reason.startsWith('SQLITE_IOERR')
        ? new StoreUnavailable(error.reason, 'unknown')
        : error
    }
  }

  async rollback(): Promise<void> {
    await this.#ask({ op: 'rollback' })
  }

  async close(): Promise<void> {
    if (this.#gone) return
    const exit = new Promise((resolve) => this.#worker.once('exit', resolve))
    await this.#ask({ op: 'close' })
    await exit
  }

  /** @param request - `undefined` asks nothing: the answer to the opening. */
  #ask(request: Question | undefined): Promise<SqliteAnswer> {
    const id = this.#next++
    return new Promise((resolve, reject) => {
      if (this.#gone) return reject(new StoreUnavailable('closed'))
      this.#waiting.set(id, (answer) =>
        answer.error ? reject(storeError(answer.error)) : resolve(answer),
      )
      if (request) this.#worker.postMessage({ ...request, id })
    })
  }
}

/** A connection of its own: neither readers nor writers wait for it. */
async function backup(file: string, target: string): Promise<void> {
  // A backup that was interrupted never has the name of a whole one.
  const partial = `${target}.partial-${crypto.randomUUID()}`
  try {
    await (await open(partial, 'wx', 0o600)).close()
    const thread = await SqliteThread.open({ file, mode: 'write', busyMs })
    try {
      await thread.run('vacuum into ?', [partial])
    } finally {
      await thread.close()
    }
    await sync(partial)
    await link(partial, target)
    await sync(dirname(target))
  } catch (error) {
    throw diskError(error)
  } finally {
    await rm(partial, { force: true })
  }
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Made first, so that SQLite never makes it with the rights that the process would give it; its other files take after it. */
async function makeFile(file: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    await (await open(file, 'a', 0o600)).close()
    await chmod(file, 0o600)
  } catch (error) {
    throw diskError(error)
  }
}

/** Its message would name the file. */
function diskError(error: unknown): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException
  return typeof code === 'string' && syscall !== undefined ? new StoreUnavailable(code) : error
}

function storeError({ message, code }: { message: string; code: string }): Error {
  if (code === gone) return new StoreUnavailable(message, 'unknown')
  if (/^SQLITE_CONSTRAINT_(?:UNIQUE|PRIMARYKEY|ROWID)$/u.test(code)) {
    return new StoreConflict('store-unique')
  }
  if (code === 'SQLITE_CONSTRAINT_FOREIGNKEY') return new StoreConflict('store-reference')
  if (code.startsWith('SQLITE_CONSTRAINT')) return new StoreConflict('store-constraint')
  if (away.test(code)) return new StoreUnavailable(code)
  return Object.assign(new Error(message), { code })
}

/** States of the disk or of other processes, not mistakes in a statement. */
const away =
  /^SQLITE_(?:BUSY|LOCKED|FULL|IOERR|READONLY|CANTOPEN|CORRUPT|NOTADB|NOMEM|PERM|AUTH|PROTOCOL|NOLFS)/u
const gone = 'thread-gone'
const busyMs = 5000

/** Compilers that keep names wrap functions in a helper, which the thread does not have. */
const threadSource = `
const __name = (value) => value
const { parentPort, workerData } = require('node:worker_threads')
const Database = require('node:module').createRequire(workerData.from)('libsql')
;(${serveSqlite})(Database, parentPort, workerData.settings)
`
