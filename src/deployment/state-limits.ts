/**
 * How much of an environment's state its API proxies take, and how projects share it: gateways take one state for all projects, and a
 * project that makes it too large would keep every change from all the others.
 *
 * @module
 */

import type { SharedLimit } from './live-limits.ts'
import type { SetEntry } from './set.ts'

/** An API proxy in the set, and what its signed pointer has beside that. */
export interface PlacedProxy {
  readonly entry: SetEntry
  readonly pointerOctets: number
}

export interface StateExcess {
  /** `environment`: of what its projects have together. */
  readonly whose: 'project' | 'environment'
  readonly maximum: number
}

/** Local limits, in octets. Gateways take states of 64 MiB. A proxy with a few hosts has less than a thousand. */
export const stateLimit: SharedLimit = {
  perProject: 4_194_304,
  guaranteed: 16_000,
  shared: 33_554_432,
}
/** Of all projects, also where there are so many that what is guaranteed to each would be more. */
export const maxStateOctets = 60_000_000
/** What a proxy counts for at least: so no more fit than a set has entries. */
export const leastProxyOctets = 640

/** Octets of each project, by its name. */
export function stateUseOf(proxies: readonly PlacedProxy[]): ReadonlyMap<string, number> {
  const uses = new Map<string, number>()
  for (const { entry, pointerOctets } of proxies) {
    const octets = Buffer.byteLength(JSON.stringify(entry)) + pointerOctets + 2 * comma
    const { project } = entry
    uses.set(project, (uses.get(project) ?? 0) + Math.max(octets, leastProxyOctets))
  }
  return uses
}

/** Why the project may not have more than before; `undefined`: it may. */
export function stateExcessOf(
  project: string,
  uses: ReadonlyMap<string, number>,
): StateExcess | undefined {
  const { perProject, guaranteed, shared } = stateLimit
  const own = uses.get(project) ?? 0
  if (own > perProject) return { whose: 'project', maximum: perProject }
  let all = 0
  let beyond = 0
  for (const octets of uses.values()) {
    all += octets
    beyond += Math.max(0, octets - guaranteed)
  }
  if (all > maxStateOctets) return { whose: 'environment', maximum: maxStateOctets }
  if (own <= guaranteed || beyond <= shared) return undefined
  return { whose: 'environment', maximum: shared }
}

const comma = 1
