/** API proxies as the keys of a map: of two projects they may have one name. @module */

import type { Snapshot } from '../deployment/snapshot.ts'

/** Names have no line feeds. */
export function keyOf({ project, apiProxy }: Pick<Snapshot, 'project' | 'apiProxy'>): string {
  return `${project}\n${apiProxy}`
}
