/** The last good state on disk: content by its hash, and one file that names it, replaced in one step. @module */

import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

export type ContentKind = 'snapshots' | 'live' | 'crls'

export interface Content {
  readonly kind: ContentKind
  /** 64 hexadecimal digits. */
  readonly hash: string
  readonly octets: () => string | Uint8Array
}

/**
 * A crash at any moment leaves the state of before or the state of after: content is on disk before the file that names it, and goes after
 * no file names it.
 */
export class StateFolder {
  readonly #folder: string
  /** What is known to be there whole. */
  readonly #there = new Set<string>()
  #isPrepared = false
  #count = 0

  constructor(folder: string) {
    this.#folder = folder
  }

  /** @returns `undefined`: there is none. */
  async readState(): Promise<string | undefined> {
    return (await this.#read('state.json'))?.toString('utf8')
  }

  /** @returns What is there; its hash is for the caller to look at. */
  readContent(kind: ContentKind, hash: string): Promise<Uint8Array | undefined> {
    return this.#read(join(kind, hash))
  }

  /** Says that a file is whole and need not be written again. */
  keep(kind: ContentKind, hash: string): void {
    this.#there.add(join(kind, hash))
  }

  /**
   * Puts a state in the place of the one before.
   *
   * @param contents - Everything that it names; what is not there yet is written, what is there besides goes.
   */
  async write(state: string, contents: readonly Content[]): Promise<void> {
    if (!this.#isPrepared) await this.#prepare()
    const wanted = new Set<string>()
    const touched = new Set<ContentKind>()
    for (const { kind, hash, octets } of contents) {
      const path = join(kind, hash)
      wanted.add(path)
      if (this.#there.has(path)) continue
      await this.#replace(path, octets())
      touched.add(kind)
    }
    for (const kind of touched) await syncFolder(join(this.#folder, kind))
    for (const path of wanted) this.#there.add(path)
    await this.#replace('state.json', state)
    await syncFolder(this.#folder)
    await this.#sweep(wanted)
  }

  async #read(path: string): Promise<Buffer | undefined> {
    try {
      return await readFile(join(this.#folder, path))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      return undefined
    }
  }

  /** What a crash left half-written has a name of its own, and goes. */
  async #prepare(): Promise<void> {
    for (const kind of ['', ...kinds]) {
      const folder = join(this.#folder, kind)
      await mkdir(folder, { recursive: true, mode: 0o700 })
      for (const name of await readdir(folder)) {
        if (name.startsWith(temporary)) await rm(join(folder, name), { force: true })
      }
    }
    this.#isPrepared = true
  }

  async #replace(path: string, octets: string | Uint8Array): Promise<void> {
    const target = join(this.#folder, path)
    const folder = join(target, '..')
    const draft = join(folder, `${temporary}${process.pid}-${++this.#count}`)
    try {
      const file = await open(draft, 'wx', 0o600)
      try {
        await file.writeFile(octets)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(draft, target)
    } catch (error) {
      // On a full disk the half of it would stand in the way of the next try.
      await rm(draft, { force: true })
      throw error
    }
  }

  async #sweep(wanted: ReadonlySet<string>): Promise<void> {
    for (const kind of kinds) {
      for (const name of await readdir(join(this.#folder, kind))) {
        const path = join(kind, name)
        if (wanted.has(path)) continue
        this.#there.delete(path)
        await rm(join(this.#folder, path), { force: true })
      }
    }
  }
}

/** A name is only there after a crash when its folder was written, too. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

const kinds: readonly ContentKind[] = ['snapshots', 'live', 'crls']
const temporary = '.draft-'
