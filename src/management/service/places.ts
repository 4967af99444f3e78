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
    const missing = [...new Set(hashes)].filter((hash) => !this.#known.has(hash))
    if (this.#known.size + missing.length > maxKnown) this.#known.clear()
    const wanted = this.#known.size === 0 ? [...new Set(hashes)] : missing
    for (let at = 0; at < wanted.length; at += chunk) {
      const rows = await db
        .selectFrom('snapshots')
        .selectAll()
        .where('hash', 'in', wanted.slice(at, at + chunk))
        .execute()
      for (const { hash, body } of rows) this.#set(hash, JSON.parse(body) as Snapshot)
    }
    return hashes.flatMap((hash) => this.#known.get(hash) ?? [])
  }

  #set(hash: string, { project, apiProxy, hosts, basePath }: PlaceOfSnapshot): void {
    this.#known.set(hash, { project, apiProxy, hosts, basePath })
  }
}

/** Local limits. */
const maxKnown = 100_000
const chunk = 100
