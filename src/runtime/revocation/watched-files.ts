/** Lists in files and folders, read again when they change. A file that cannot be read as a whole never replaces what it held. @module */

import { type FSWatcher, watch } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Result } from '../../base/result.ts'
import { errorCodeOf, type SourceFailure } from './failure.ts'
import { readWholeFile } from './read-file.ts'
import type { ReadList } from './read-lists.ts'

export interface FileHooks {
  readonly read: (bytes: Uint8Array) => Promise<Result<readonly ReadList[], SourceFailure>>
  readonly changed: (file: string, what: FileChange) => void
  /** Once for all that one look at the files has changed; the look ends after it. */
  readonly done: () => Promise<void>
}

export type FileChange =
  | { readonly type: 'loaded' | 'replaced'; readonly lists: readonly ReadList[] }
  | { readonly type: 'removed' }
  | { readonly type: 'failed'; readonly failure: SourceFailure; readonly failures: number }

export interface WatchedFile {
  readonly lists: readonly ReadList[]
  readonly failure: SourceFailure | undefined
  readonly failures: number
}

interface Found {
  readonly path: string
  /** Tells two versions of one file apart without reading them. */
  readonly identity: string
}

interface Entry {
  identity: string
  lists: readonly ReadList[]
  failure: SourceFailure | undefined
  failures: number
}

export class WatchedFiles {
  readonly #paths: readonly string[]
  readonly #maxBytes: number
  readonly #hooks: FileHooks
  readonly #entries = new Map<string, Entry>()
  readonly #watchers = new Map<string, FSWatcher>()
  #scanning: Promise<void> | undefined
  #again = false
  #hasChanged = false
  #debounce: NodeJS.Timeout | undefined
  readonly #poll: NodeJS.Timeout
  #stopped = false

  /** @param maxBytes - Octets of one file. */
  constructor(paths: readonly string[], maxBytes: number, hooks: FileHooks) {
    this.#paths = paths
    this.#maxBytes = maxBytes
    this.#hooks = hooks
    // Network file systems tell nothing, and a watcher dies with its folder.
    this.#poll = setInterval(() => {
      this.#unwatch()
      void this.scan()
    }, pollMilliseconds)
    this.#poll.unref()
  }

  get files(): ReadonlyMap<string, WatchedFile> {
    return this.#entries
  }

  /** Reads what has changed; settles when what was there at the call has been read. */
  async scan(): Promise<void> {
    if (this.#stopped) return
    if (this.#scanning !== undefined) {
      // What runs may have passed the file that changed.
      this.#again = true
      await this.#scanning
      return
    }
    this.#scanning = this.#scanAll()
    await this.#scanning
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#poll)
    clearTimeout(this.#debounce)
    this.#unwatch()
    await this.#scanning
  }

  async #scanAll(): Promise<void> {
    do {
      this.#again = false
      const present = new Set<string>()
      for (const path of this.#paths) await this.#scanPath(path, present)
      for (const path of [...this.#entries.keys()]) {
        if (present.has(path) || this.#stopped) continue
        this.#entries.delete(path)
        this.#change(path, { type: 'removed' })
      }
      if (this.#hasChanged) await this.#hooks.done()
      this.#hasChanged = false
    } while (this.#again && !this.#stopped)
    this.#scanning = undefined
  }

  /** @param present - Gets every path that is there, or of which it is not known that it is gone. */
  async #scanPath(path: string, present: Set<string>): Promise<void> {
    present.add(path)
    try {
      const found = await identify(path)
      if (!found.isFolder) {
        // Watched before it is read: what changes meanwhile is read again.
        this.#watch(dirname(path))
        await this.#readFile(found)
        return
      }
      this.#watch(path)
      const names = (await readdir(path)).filter((name) => !name.startsWith('.')).sort()
      if (names.length > maxFiles) {
        this.#keep(path, present)
        this.#fail(path, '', { code: 'too-many-files', maximum: maxFiles })
        return
      }
      this.#recover(path)
      for (const name of names) {
        const inside = await identify(join(path, name)).catch(() => undefined)
        if (inside === undefined || inside.isFolder) continue
        present.add(inside.path)
        await this.#readFile(inside)
      }
    } catch (error) {
      this.#watch(dirname(path))
      this.#keep(path, present)
      this.#fail(path, '', { code: 'file', error: errorCodeOf(error) })
    }
  }

  async #readFile({ path, identity }: Found): Promise<void> {
    const entry = this.#entries.get(path)
    if (entry?.identity === identity || this.#stopped) return
    const bytes = await readWholeFile(path, this.#maxBytes)
    const read = bytes.ok ? await this.#hooks.read(bytes.value) : bytes
    if (this.#stopped) return
    if (!read.ok) {
      this.#fail(path, identity, read.failure)
      return
    }
    const lists = read.value
    const type = (entry?.lists.length ?? 0) > 0 ? 'replaced' : 'loaded'
    this.#entries.set(path, { identity, lists, failure: undefined, failures: 0 })
    this.#change(path, { type, lists })
  }

  #change(path: string, what: FileChange): void {
    this.#hasChanged = true
    this.#hooks.changed(path, what)
  }

  #fail(path: string, identity: string, failure: SourceFailure): void {
    const entry = this.#entries.get(path)
    // A folder that is away is told of once, not at every look.
    if (identity === '' && entry?.failure?.code === failure.code) return
    const failures = (entry?.failures ?? 0) + 1
    this.#entries.set(path, { identity, lists: entry?.lists ?? [], failure, failures })
    this.#hooks.changed(path, { type: 'failed', failure, failures })
  }

  /** A folder has an entry only while it fails. */
  #recover(folder: string): void {
    this.#entries.delete(folder)
  }

  /** What is in a folder that cannot be looked into stays in force. */
  #keep(folder: string, present: Set<string>): void {
    for (const path of this.#entries.keys()) if (dirname(path) === folder) present.add(path)
  }

  #watch(folder: string): void {
    if (this.#watchers.has(folder) || this.#stopped) return
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#soon())
      const forget = (): void => {
        watcher.close()
        this.#watchers.delete(folder)
      }
      watcher.on('error', forget)
      this.#watchers.set(folder, watcher)
    } catch {
      // No such folder, or no watcher is left: then there is the poll.
    }
  }

  #unwatch(): void {
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
  }

  #soon(): void {
    clearTimeout(this.#debounce)
    this.#debounce = setTimeout(() => void this.scan(), debounceMilliseconds)
    this.#debounce.unref()
  }
}

async function identify(path: string): Promise<Found & { readonly isFolder: boolean }> {
  const stats = await stat(path, { bigint: true })
  const { dev, ino, size, mtimeNs, ctimeNs } = stats
  const identity = [dev, ino, size, mtimeNs, ctimeNs].join(' ')
  return { path, identity, isFolder: stats.isDirectory() }
}

/** A writer that copies a file touches it several times. */
const debounceMilliseconds = 100
const pollMilliseconds = 30_000
/** Local limit on one folder: a CA with a list for each of its partitions has hundreds. */
const maxFiles = 10_000
