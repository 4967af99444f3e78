/** The kill list: who is refused from now on, whatever anybody else says. @module */

import { KillCheck } from './kill-list-check.ts'
import {
  type KillListEntry,
  type Kind,
  type ReadKillEntry,
  readKillEntry,
} from './kill-list-entry.ts'
import { KillLists, type KillQuestions } from './kill-lists.ts'

/** An entry as it was given, with the number to remove it by. */
export interface KillListed {
  readonly id: number
  readonly entry: KillListEntry
}

/** For each kind, the entries by what they are looked up by; under one key, the one that counts longest last. */
export type KillIndex = Readonly<Record<Kind, Map<string, Listed[]>>>

export interface Listed extends KillListed, ReadKillEntry {}

/** A live list: what is added counts for every validation that begins afterwards, and for verdicts that were remembered. */
export class KillList extends KillLists {
  #index = emptyIndex()
  #listed = new Map<number, Listed>()
  #listeners = new Set<() => void>()
  #lastId = 0
  #epoch = 0

  constructor(entries: readonly KillListEntry[]) {
    super()
    this.#insert(readAll(entries))
  }

  /** How many entries there are. */
  get size(): number {
    return this.#listed.size
  }

  /** Grows with each change. */
  get epoch(): number {
    return this.#epoch
  }

  /**
   * Adds one entry, or all of several.
   *
   * @returns What `remove` takes: never used again, in the order of the entries.
   * @throws TypeError with code `kill-list-invalid`; nothing was added then.
   */
  add(entry: KillListEntry): number
  add(entries: readonly KillListEntry[]): readonly number[]
  add(given: KillListEntry | readonly KillListEntry[]): number | readonly number[] {
    if (isList(given)) {
      const ids = this.#insert(readAll(given))
      if (ids.length > 0) this.#changed()
      return ids
    }
    const [id] = this.#insert([readKillEntry(given, 0)])
    this.#changed()
    return id as number
  }

  /** @returns Whether there was such an entry. */
  remove(id: number): boolean {
    const listed = this.#listed.get(id)
    if (listed === undefined) return false
    const { kind, key } = listed
    const alike = this.#index[kind].get(key) as Listed[]
    if (alike.length === 1) this.#index[kind].delete(key)
    else alike.splice(alike.indexOf(listed), 1)
    this.#listed.delete(id)
    this.#changed()
    return true
  }

  /**
   * Puts these entries in place of all others, in one step.
   *
   * @returns As `add` does.
   * @throws TypeError with code `kill-list-invalid`; the list is as before then.
   */
  replace(entries: readonly KillListEntry[]): readonly number[] {
    const read = readAll(entries)
    this.#listed = new Map()
    this.#index = emptyIndex()
    const ids = this.#insert(read)
    this.#changed()
    return ids
  }

  /** All entries, those included whose time is over; in the order in which they were added. */
  entries(): readonly KillListed[] {
    return Array.from(this.#listed.values(), ({ id, entry }) => ({ id, entry }))
  }

  /**
   * Calls `listener` after each change, to look at open connections again. What it throws becomes an unhandled rejection: the change
   * stands, and the other listeners are called.
   *
   * @returns Ends the calls.
   */
  onChange(listener: () => void): () => void {
    const own = (): void => listener()
    this.#listeners.add(own)
    return () => {
      this.#listeners.delete(own)
    }
  }

  ask(time: number): KillQuestions {
    return new KillCheck(this, () => this.#index, time)
  }

  #insert(read: readonly ReadKillEntry[]): readonly number[] {
    return read.map((one) => {
      const id = ++this.#lastId
      const listed: Listed = { id, ...one }
      this.#listed.set(id, listed)
      const byKey = this.#index[one.kind]
      const alike = byKey.get(one.key)
      if (alike === undefined) byKey.set(one.key, [listed])
      else alike.splice(placeOf(one.expires, alike), 0, listed)
      return id
    })
  }

  #changed(): void {
    this.#epoch++
    for (const listener of [...this.#listeners]) {
      if (!this.#listeners.has(listener)) continue
      // A promise takes what is thrown, so that whoever changed the list need not.
      new Promise<void>((resolve) => resolve(listener()))
    }
  }
}

/**
 * A list of certificates, keys and issuers that are refused, for the option `killList`.
 *
 * @throws TypeError with code `kill-list-invalid`, the `index` of the entry, the `field`, and what was `expected`.
 * @example
 * const killList = createKillList([{ issuer: 'CN=Example Issuing CA,O=Example', serialNumber: '0a:3f' }])
 * const id = killList.add({ certificate, note: 'laptop stolen in May' })
 * console.log(killList.epoch, killList.entries().length) // 1 2
 * killList.remove(id)
 */
export function createKillList(entries: readonly KillListEntry[] = []): KillList {
  return new KillList(entries)
}

function readAll(entries: readonly KillListEntry[]): readonly ReadKillEntry[] {
  // Anything but a list is an entry that is none.
  return isList(entries) ? Array.from(entries, readKillEntry) : [readKillEntry(undefined, 0)]
}

function isList(given: unknown): given is readonly KillListEntry[] {
  return Array.isArray(given)
}

/** Behind those that count as long or less long: nearly always at the end, which costs nothing. */
function placeOf(expires: number, alike: readonly Listed[]): number {
  let low = 0
  let high = alike.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((alike[middle] as Listed).expires <= expires) low = middle + 1
    else high = middle
  }
  return low
}

function emptyIndex(): KillIndex {
  return {
    serial: new Map(),
    certificate: new Map(),
    spki: new Map(),
    fingerprint: new Map(),
    issuerName: new Map(),
    issuerSpki: new Map(),
  }
}
