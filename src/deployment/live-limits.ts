/**
 * How much live data one environment takes, and how projects share it: each has a part that nobody else can use up, so that a project can
 * always shut a client out, whatever the others have.
 *
 * @module
 */

import type { LiveCrl, LiveKillEntry } from './live.ts'

/** Of one project and its API proxies. */
export interface LiveUse {
  readonly killEntries: number
  readonly crls: number
  /** Of what the live data say about the project, as canonical JSON. */
  readonly documentOctets: number
  /** Of the lists themselves, in DER. */
  readonly crlOctets: number
}

export type LiveMeasure = keyof LiveUse

export interface SharedLimit {
  /** The most that one project has. */
  readonly perProject: number
  /** What each project has for itself. */
  readonly guaranteed: number
  /** What all projects of an environment have together, beside what is guaranteed to each. */
  readonly shared: number
}

/** What is guaranteed is so to this many projects of an environment; those to come share what is left. */
export const maxLiveProjects = 1000

/**
 * Local limits. Gateways read live data of 64 MiB and hold lists of 512 MiB: half of either is shared, the other half divided. An entry has
 * some 300 octets. A fifth of what is shared, or half of it for lists, is the most that one project takes of it; two of the largest lists
 * that are taken (64 MiB) must fit into a project.
 */
export const liveLimits: Readonly<Record<LiveMeasure, SharedLimit>> = {
  killEntries: { perProject: 20_000, guaranteed: 100, shared: 100_000 },
  crls: { perProject: 1000, guaranteed: 50, shared: 50_000 },
  documentOctets: { perProject: 6_710_886, guaranteed: 32_000, shared: 33_554_432 },
  crlOctets: { perProject: 134_217_728, guaranteed: 262_144, shared: 268_435_456 },
}

/** In words, for messages. */
export const liveMeasureWords: Readonly<Record<LiveMeasure, string>> = {
  killEntries: 'kill list entries',
  crls: 'CRLs',
  documentOctets: 'octets of kill list entries and names of CRLs',
  crlOctets: 'octets of CRLs',
}

export const liveMeasures: readonly LiveMeasure[] = [
  'killEntries',
  'crls',
  'documentOctets',
  'crlOctets',
]

/** What gateways take in all. */
export function liveCapacity(measure: LiveMeasure): number {
  const { guaranteed, shared } = liveLimits[measure]
  return guaranteed * maxLiveProjects + shared
}

/** An item of live data, and as it is written in them. */
export interface Written<T> {
  readonly item: T
  /** Canonical JSON. */
  readonly text: string
}

/** What each project has, by its name. */
export function liveUseOf(
  {
    crls,
    killList,
  }: {
    readonly crls: readonly Written<LiveCrl>[]
    readonly killList: readonly Written<LiveKillEntry>[]
  },
  octetsOf: (sha256: string) => number,
): ReadonlyMap<string, LiveUse> {
  const uses = new Map<string, { -readonly [M in LiveMeasure]: number }>()
  const of = (project: string): { -readonly [M in LiveMeasure]: number } => {
    const known = uses.get(project)
    if (known !== undefined) return known
    const use = { killEntries: 0, crls: 0, documentOctets: 0, crlOctets: 0 }
    uses.set(project, use)
    return use
  }
  for (const { item, text } of killList) {
    const use = of(item.project)
    use.killEntries++
    use.documentOctets += Buffer.byteLength(text) + comma
  }
  for (const { item, text } of crls) {
    const use = of(item.project)
    use.crls++
    use.documentOctets += Buffer.byteLength(text) + comma
    use.crlOctets += octetsOf(item.sha256)
  }
  return uses
}

/** What of `use` no project may have, whatever the others have. */
export function overProjectLimit(use: Partial<LiveUse>): LiveMeasure | undefined {
  return liveMeasures.find((measure) => (use[measure] ?? 0) > liveLimits[measure].perProject)
}

/**
 * What is used up of the shared part, so that this project may not grow; `undefined` as long as it keeps within what is guaranteed to it,
 * and while there is room.
 */
export function overSharedLimit(
  project: string,
  uses: ReadonlyMap<string, LiveUse>,
): LiveMeasure | undefined {
  const own = uses.get(project)
  if (own === undefined) return undefined
  return liveMeasures.find((measure) => {
    const { guaranteed, shared } = liveLimits[measure]
    if (own[measure] <= guaranteed) return false
    let beyond = 0
    for (const use of uses.values()) beyond += Math.max(0, use[measure] - guaranteed)
    return beyond > shared
  })
}

const comma = 1
