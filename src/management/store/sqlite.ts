/**
 * SQLite, each connection in a thread of its own: one that writes, and one that reads beside it.
 *
 * @module
 */
import { access, chmod, link, mkdir, open, rm } from 'node:fs/promises'
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
    read: async (sql, parameters) => (await reader.thread()).run(sql, parameters),
    async write(sql, parameters) {
      const end = await turns.take()
      try {
        return await (await writer.thread()).run(sql, parameters, 'unknown')
      } finally {
        end()
      }
    },
    async begin(): Promise<Session> {
      const end = await turns.take()
      let thread: SqliteThread
      try {
        thread = await writer.thread()
        await thread.run('begin immediate', [])
      } catch (error) {
        end()
        throw error
      }
      return {
        // On this thread or not at all: in another one its statements would be transactions of their own.
        run: (sql, parameters) => thread.run(sql, parameters),
        async end(how) {
          try {
            await (how === 'commit' ? thread.commit() : thread.rollback())
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
): Promise<[SqliteConnection, SqliteConnection]> {
  const [first, second] = await Promise.allSettled(settings.map(SqliteConnection.open))
  if (first?.status === 'fulfilled' && second?.status === 'fulfilled') {
    return [first.value, second.value]
  }
  for (const connection of [first, second]) {
    if (connection?.status === 'fulfilled') await connection.value.close()
  }
  throw [first, second].find((connection) => connection?.status === 'rejected')?.reason
}

/** A connection that outlives its thread: where that has ended (its memory ran out), who asks next gets another one. */
class SqliteConnection {
  static async open(settings: SqliteSettings): Promise<SqliteConnection> {
    return new SqliteConnection(settings, await SqliteThread.open(settings))
  }

  readonly #settings: SqliteSettings
  #thread: SqliteThread
  #opening: Promise<SqliteThread> | undefined
  #isClosed = false

  private constructor(settings: SqliteSettings, thread: SqliteThread) {
    this.#settings = settings
    this.#thread = thread
  }

  async thread(): Promise<SqliteThread> {
    if (this.#isClosed) throw new StoreUnavailable('closed')
    return this.#thread.isGone ? await this.#another() : this.#thread
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#opening?.catch(() => {})
    await this.#thread.close()
  }

  /** One for all who ask meanwhile. */
  async #another(): Promise<SqliteThread> {
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined
    })
    return await this.#opening
  }

  async #open(): Promise<SqliteThread> {
    // SQLite would make an empty database of a file that somebody has taken away.
    await access(this.#settings.file).catch((error: unknown) => {
      throw diskError(error)
    })
    const thread = await SqliteThread.open(this.#settings)
    this.#thread = thread
    // Who closed meanwhile waits for it, and closes it.
    if (this.#isClosed) throw new StoreUnavailable('closed')
    return thread
  }
}

type Question = Without<SqliteRequest, 'id'>
type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never
type Outcome = StoreUnavailable['outcome']

/** A database that is open in a thread. */
class SqliteThread {
  static async open(settings: SqliteSettings): Promise<SqliteThread> {
    const thread = new SqliteThread(settings)
    try {
      await thread.#ask(undefined, 'not-written')
    } catch (error) {
      await thread.#worker.terminate()
      throw error
    }
    return thread
  }

  readonly #worker: Worker
  /** Told the answer, or the reason why there is none. */
  readonly #waiting = new Map<number, (answer: SqliteAnswer | string) => void>()
  #next = 0
  /** Why it has ended. */
  #gone: string | undefined

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
      this.#gone = reason
      for (const settle of this.#waiting.values()) settle(reason)
      this.#waiting.clear()
    })
  }

  get isGone(): boolean {
    return this.#gone !== undefined
  }

  /** @param ifGone - What becomes of it when the thread ends before it answers: SQLite undoes what was not committed. */
  async run(
    sql: string,
    parameters: readonly unknown[],
    ifGone: Outcome = 'not-written',
  ): Promise<Rows> {
    const { rows = [], changes = 0 } = await this.#ask({ op: 'run', sql, parameters }, ifGone)
    return { rows, changes }
  }

  async commit(): Promise<void> {
    try {
      await this.run('commit', [], 'unknown')
    } catch (error) {
      // It may still be open, and the next one could not begin.
      if (!this.isGone) await this.rollback()
      // A page may have reached the disk, or not.
      throw error instanceof StoreUnavailable && error.reason.startsWith('SQLITE_IOERR')
        ? new StoreUnavailable(error.reason, 'unknown')
        : error
    }
  }

  async rollback(): Promise<void> {
    await this.#ask({ op: 'rollback' }, 'not-written')
  }

  async close(): Promise<void> {
    if (this.isGone) return
    const exit = new Promise((resolve) => this.#worker.once('exit', resolve))
    // It may end without an answer.
    await this.#ask({ op: 'close' }, 'not-written').catch((error: unknown) => {
      if (!this.isGone) throw error
    })
    if (!this.isGone) await exit
  }

  /** @param request - `undefined` asks nothing: the answer to the opening. */
  #ask(request: Question | undefined, ifGone: Outcome): Promise<SqliteAnswer> {
    const id = this.#next++
    return new Promise((resolve, reject) => {
      // What was not asked was not done.
      if (this.#gone !== undefined) return reject(new StoreUnavailable(this.#gone))
      this.#waiting.set(id, (answer) => {
        if (typeof answer === 'string') reject(new StoreUnavailable(answer, ifGone))
        else if (answer.error) reject(storeError(answer.error))
        else resolve(answer)
      })
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
export function diskError(error: unknown): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException
  return typeof code === 'string' && syscall !== undefined ? new StoreUnavailable(code) : error
}

function storeError({ message, code }: { message: string; code: string }): Error {
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
const busyMs = 5000

/** Compilers that keep names wrap functions in a helper, which the thread does not have. */
const threadSource = `
const __name = (value) => value
const { parentPort, workerData } = require('node:worker_threads')
const Database = require('node:module').createRequire(workerData.from)('libsql')
;(${serveSqlite})(Database, parentPort, workerData.settings)
`
