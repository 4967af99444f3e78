/** Where the proxies of an environment answer, as they run: of snapshots, which never change, so that each is read once. @module */

import type { Snapshot } from '../../deployment/index.ts'
import type { Db } from './lookups.ts'

export type PlaceOfSnapshot = Pick<Snapshot, 'project' | 'apiProxy' | 'hosts' | 'basePath'>

export class Places {
  readonly #known = new Map<string, PlaceOfSnapshot>()

  /** Of a snapshot that need not be read, because it is just written. */
  note(hash: string, snapshot: PlaceOfSnapshot): void {
    if (this.#known.size < maxKnown) this.#set(hash, snapshot)
  }

  /** Reads what is in force, so that no deployment has to do it while others wait for it. */
  async warm(db: Db): Promise<void> {
    const rows = await db
      .selectFrom('pointers')
      .select('hash')
      .distinct()
      .where('hash', 'is not', null)
      .execute()
    await this.of(
      db,
      rows.flatMap(({ hash }) => hash ?? []),
    )
  }

  /** @param hashes - Of snapshots in the store. */
  async of(db: Db, hashes: readonly string[]): Promise<readonly PlaceOfSnapshot[]> {
    // Of this call alone: another one may make room while this one reads.
    const found = new Map<string, PlaceOfSnapshot>()
    const missing: string[] = []
    for (const hash of new Set(hashes)) {
      const known = this.#known.get(hash)
      if (known === undefined) missing.push(hash)
      else found.set(hash, known)
    }
    if (this.#known.size + missing.length > maxKnown) this.#known.clear()
    for (let at = 0; at < missing.length; at += chunk) {
      const rows = await db
        .selectFrom('snapshots')
        .selectAll()
        .where('hash', 'in', missing.slice(at, at + chunk))
        .execute()
      for (const { hash, body } of rows) {
        found.set(hash, this.#set(hash, JSON.parse(body) as Snapshot))
      }
    }
    return hashes.flatMap((hash) => found.get(hash) ?? [])
  }

  #set(hash: string, { project, apiProxy, hosts, basePath }: PlaceOfSnapshot): PlaceOfSnapshot {
    const place = { project, apiProxy, hosts, basePath }
    this.#known.set(hash, place)
    return place
  }
}

/** Local limits. */
const maxKnown = 100_000
const chunk = 100
