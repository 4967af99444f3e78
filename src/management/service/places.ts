/** Where the proxies of an environment answer, as they run: of snapshots, which never change, so that each is read once. @module */

import type { Snapshot } from '../../deployment/index.ts'
import type { Db } from './lookups.ts'

export type PlaceOfSnapshot = Pick<Snapshot, 'project' | 'apiProxy' | 'hosts' | 'basePath'>

export class Places {
  readonly #known = new Map<string, PlaceOfSnapshot>()

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
      for (const { hash, body } of rows) {
        const { project, apiProxy, hosts, basePath } = JSON.parse(body) as Snapshot
        this.#known.set(hash, { project, apiProxy, hosts, basePath })
      }
    }
    return hashes.flatMap((hash) => this.#known.get(hash) ?? [])
  }
}

/** Local limits. */
const maxKnown = 100_000
const chunk = 100
