/**
 * One process at a time has a SQLite store: gateways that listen to another one would hear nothing of what this one changes.
 *
 * @module
 */
import { chmod, mkdir, open, realpath } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type Libsql from 'libsql'
import { diskError } from './sqlite.ts'
import { StoreUnavailable } from './store.ts'

/**
 * Takes the store for this process until it is given back, or the process ends, however it ends: it is a lock of the operating system, on a
 * file of its own beside the database, so that backups and the connections of this process go on.
 *
 * @param file - Of the database.
 * @returns Gives it back.
 * @throws {StoreUnavailable} With the reason `SQLITE_BUSY` when another one has it.
 */
export async function holdAlone(file: string): Promise<() => void> {
  const lock = await lockFileOf(file)
  // Within a process the operating system does not tell one holder from another.
  if (held.has(lock)) throw new StoreUnavailable('SQLITE_BUSY')
  held.add(lock)
  try {
    const database = await begin(lock)
    return () => {
      held.delete(lock)
      database.close()
    }
  } catch (error) {
    held.delete(lock)
    throw error
  }
}

/** Made for this user only, and never opened by us but through SQLite: to close it would give up the lock of the whole process. */
async function lockFileOf(file: string): Promise<string> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    const lock = `${await realOf(file)}-manager`
    try {
      await (await open(lock, 'wx', 0o600)).close()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      await chmod(lock, 0o600)
    }
    return lock
  } catch (error) {
    throw diskError(error)
  }
}

/** The one name that all links to it share, whether it is there already or not. */
async function realOf(file: string): Promise<string> {
  try {
    return await realpath(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return join(await realpath(dirname(file)), basename(file))
  }
}

/** Who was ended a moment ago may still be closing. */
async function begin(lock: string): Promise<Libsql.Database> {
  const Database = createRequire(import.meta.url)('libsql') as typeof Libsql
  for (const end = performance.now() + patienceMs; ; ) {
    const database = new Database(lock)
    try {
      // Not WAL: there the lock would be on another file, and readers would pass.
      database.exec('pragma journal_mode = delete; begin exclusive')
      return database
    } catch (error) {
      database.close()
      const { code } = error as { code?: unknown }
      const reason = typeof code === 'string' && code !== '' ? code : 'SQLITE_CANTOPEN'
      if (!reason.startsWith('SQLITE_BUSY') || performance.now() > end) {
        throw new StoreUnavailable(reason)
      }
    }
    await sleep(againMs)
  }
}

/** Lock files of this process. */
const held = new Set<string>()
const patienceMs = 2000
const againMs = 50
