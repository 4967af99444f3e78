/** The last good state as text and back: nothing on disk is believed that the manager did not sign. @module */

import { canonicalJson } from '../../deployment/canonical.ts'
import type { DeploymentFailure } from '../../deployment/failure.ts'
import type { LiveCrl, LiveData } from '../../deployment/live.ts'
import type { LivePointer, Pointer } from '../../deployment/pointer.ts'
import type { Snapshot } from '../../deployment/snapshot.ts'
import { verifyCrl, verifyLiveData, verifySnapshot } from './content.ts'
import { eachOf } from './each-of.ts'
import { type Pinned, type Seen, takeLivePointer, takePointers } from './pointers.ts'
import { type SeenSet, takeSet } from './set.ts'
import type { Content, ContentKind, StateFolder } from './state-folder.ts'

/** A proxy that is in force, or was undeployed. */
export interface Running extends Seen<Pointer> {
  /** `null`: undeployed. */
  readonly snapshot: Snapshot | null
}

export interface RunningLive extends OfLive {
  /** What is in force, by the digest of each. */
  readonly crls: ReadonlyMap<string, Uint8Array>
  /**
   * Projects whose lists in `data` are not to be had, or too large: those of older live data stay in force; `null`: there were none. The
   * kill list is always that of `data`.
   */
  readonly kept: ReadonlyMap<string, OfLive | null>
}

export interface OfLive extends Seen<LivePointer> {
  readonly data: LiveData
}

/** The lists that are in force. */
export function crlsInForce({
  data,
  kept,
}: Pick<RunningLive, 'data' | 'kept'>): readonly LiveCrl[] {
  if (kept.size === 0) return data.crls
  const lists = data.crls.filter(({ project }) => !kept.has(project))
  for (const [project, older] of kept) lists.push(...crlsOfProject(older?.data, project))
  return lists
}

export function crlsOfProject(data: LiveData | undefined, name: string): readonly LiveCrl[] {
  return data?.crls.filter(({ project }) => project === name) ?? []
}

/** What a gateway knows. `seen` is at least as new as `running`: numbers that were shown once do not count again. */
export interface Known {
  /** `undefined`: no set was shown, and nothing is in force. */
  readonly seenSet: SeenSet | undefined
  readonly seen: ReadonlyMap<string, Seen<Pointer>>
  readonly running: ReadonlyMap<string, Running>
  readonly seenLive: Seen<LivePointer> | undefined
  readonly runningLive: RunningLive | undefined
}

const filesAtOnce = 16

export const nothingKnown: Known = {
  seenSet: undefined,
  seen: new Map(),
  running: new Map(),
  seenLive: undefined,
  runningLive: undefined,
}

/** Why something of what is on disk is left out. */
export interface StoredProblem {
  readonly failure: DeploymentFailure | { readonly code: 'stored-state-unreadable' }
  readonly project?: string | undefined
  readonly apiProxy?: string | undefined
  /** Of the pointer. */
  readonly sequence?: number | undefined
  readonly message: string
}

/** Signed pointers as they came: text in text, so that nothing is written anew. */
export function storedText({ seenSet, seen, running, seenLive, runningLive }: Known): string {
  const kept = Array.from(
    runningLive?.kept ?? [],
    ([project, older]) => `[${JSON.stringify(project)},${older?.json ?? 'null'}]`,
  )
  return `{"version":2,"seenSet":${seenSet?.json ?? 'null'},"seen":[${jsonOf(seen.values())}],"running":[${jsonOf(running.values())}],"seenLive":${seenLive?.json ?? 'null'},"runningLive":${runningLive?.json ?? 'null'},"keptLive":[${kept.join()}]}`
}

function jsonOf(all: Iterable<{ readonly json: string }>): string {
  return Array.from(all, ({ json }) => json).join()
}

/** What the text names. */
export function storedContents({ running, runningLive }: Known): readonly Content[] {
  const contents = new Map<string, Content>()
  const add = (kind: ContentKind, hash: string, octets: Content['octets']): void => {
    contents.set(`${kind} ${hash}`, { kind, hash, octets })
  }
  for (const { pointer, snapshot } of running.values()) {
    if (snapshot !== null) add('snapshots', pointer.hash as string, () => canonicalJson(snapshot))
  }
  if (runningLive !== undefined) {
    const { crls, kept } = runningLive
    for (const one of [runningLive, ...kept.values()]) {
      if (one !== null) add('live', one.pointer.hash, () => canonicalJson(one.data))
    }
    for (const [hash, der] of crls) add('crls', hash, () => der)
  }
  return [...contents.values()]
}

/** Reads the state of before. What is damaged is left out and named; the manager has it. */
export async function readStored(
  folder: StateFolder,
  pinned: Pinned,
): Promise<{ readonly known: Known; readonly problems: readonly StoredProblem[] }> {
  const problems: StoredProblem[] = []
  const text = await folder.readState()
  const parsed = text === undefined ? undefined : parse(text)
  if (parsed === undefined) {
    if (text !== undefined) problems.push(unreadable('state.json is no state'))
    return { known: nothingKnown, problems }
  }
  const seenSet = verifiedSet(parsed.seenSet, pinned, problems)
  const inForce = verified(parsed.running, pinned, problems)
  // Nearly all are in force: what was verified need not be again.
  const known = new Set(Array.from(inForce.values(), ({ json }) => json))
  const others = parsed.seen.filter((one) => !known.has(JSON.stringify(one)))
  const seen = new Map([...inForce, ...verified(others, pinned, problems)])
  const seenLive = verifiedLive(parsed.seenLive, pinned, problems)
  const live = verifiedLive(parsed.runningLive, pinned, problems)
  // Nothing is in force that no set named: without the set, or with an older one, nobody can say whose requests are whose.
  if (seenSet === undefined || !isOf(seenSet, [seenLive, live, ...seen.values()])) {
    if (seenSet !== undefined) problems.push(unreadable('state.json has pointers of a later set'))
    return { known: nothingKnown, problems }
  }
  const running = new Map<string, Running>()
  const named = [...inForce].filter(([key]) => seenSet.entries.has(key))
  await eachOf(named, filesAtOnce, async ([key, one]) => {
    const { hash, project, apiProxy, sequence } = one.pointer
    if (hash === null) {
      running.set(key, { ...one, snapshot: null })
      return
    }
    const octets = await folder.readContent('snapshots', hash)
    const read = octets && verifySnapshot(octets, one.pointer)
    if (read?.ok) {
      folder.keep('snapshots', hash)
      running.set(key, { ...one, snapshot: read.value })
    } else {
      const whose = { project, apiProxy, sequence }
      problems.push({ ...unreadable(`snapshots/${hash} is damaged`), ...whose })
    }
  })
  const runningLive = live && (await readLive(folder, live, parsed.keptLive, pinned, problems))
  return { known: { seenSet, seen, running, seenLive, runningLive }, problems }
}

function verifiedSet(set: unknown, pinned: Pinned, problems: StoredProblem[]): SeenSet | undefined {
  const taken = takeSet(set, undefined, pinned)
  if (taken?.ok !== false) return taken?.value
  const { failure } = taken.failure
  problems.push({ failure, message: `on disk: ${failure.code}` })
  return undefined
}

/** Whether the set is at least as new as the pointers. */
function isOf(
  { set }: SeenSet,
  pointers: readonly (Seen<Pointer | LivePointer> | undefined)[],
): boolean {
  return pointers.every((one) => one === undefined || one.pointer.sequence <= set.sequence)
}

function verified(
  pointers: readonly unknown[],
  pinned: Pinned,
  problems: StoredProblem[],
): ReadonlyMap<string, Seen<Pointer>> {
  const { taken, refused } = takePointers(pointers, new Map(), pinned, undefined)
  for (const { failure, claim } of refused) {
    problems.push({ failure, ...claim, message: `on disk: ${failure.code}` })
  }
  return taken
}

function verifiedLive(
  pointer: unknown,
  pinned: Pinned,
  problems: StoredProblem[],
): Seen<LivePointer> | undefined {
  const taken = takeLivePointer(pointer, undefined, pinned, undefined)
  if (taken?.ok !== false) return taken?.value
  const { failure } = taken.failure
  problems.push({ failure, message: `on disk: ${failure.code}` })
  return undefined
}

/** All of it or nothing: who is on a kill list, or on a CRL, that is damaged must not come in. */
async function readLive(
  folder: StateFolder,
  live: Seen<LivePointer>,
  keptLive: readonly unknown[],
  pinned: Pinned,
  problems: StoredProblem[],
): Promise<RunningLive | undefined> {
  const own = await readDocument(folder, live, problems)
  if (own === undefined) return undefined
  const kept = new Map<string, OfLive | null>()
  for (const entry of keptLive) {
    const [project, signed] = Array.isArray(entry) ? (entry as readonly unknown[]) : []
    const older = verifiedLive(signed ?? null, pinned, problems)
    const read = older && (await readDocument(folder, older, problems))
    if (typeof project !== 'string' || (signed !== null && read === undefined)) {
      problems.push(unreadable('the older live data of state.json are damaged'))
      return undefined
    }
    kept.set(project, read ?? null)
  }
  const crls = new Map<string, Uint8Array>()
  for (const { sha256 } of crlsInForce({ data: own.data, kept })) {
    const der = await folder.readContent('crls', sha256)
    if (der === undefined || !verifyCrl(der, sha256).ok) {
      problems.push(unreadable(`crls/${sha256} is damaged`))
      return undefined
    }
    folder.keep('crls', sha256)
    crls.set(sha256, der)
  }
  return { ...own, crls, kept }
}

async function readDocument(
  folder: StateFolder,
  live: Seen<LivePointer>,
  problems: StoredProblem[],
): Promise<OfLive | undefined> {
  const { hash } = live.pointer
  const octets = await folder.readContent('live', hash)
  const read = octets && verifyLiveData(octets, live.pointer)
  if (!read?.ok) {
    problems.push(unreadable(`live/${hash} is damaged`))
    return undefined
  }
  folder.keep('live', hash)
  return { ...live, data: read.value }
}

function unreadable(message: string): StoredProblem {
  return { failure: { code: 'stored-state-unreadable' }, message }
}

interface StoredFields {
  readonly seenSet: unknown
  readonly seen: readonly unknown[]
  readonly running: readonly unknown[]
  readonly seenLive: unknown
  readonly runningLive: unknown
  /** Pairs of a project and a signed pointer, or null. */
  readonly keptLive: readonly unknown[]
}

/** `undefined`: this is none of ours. */
function parse(text: string): StoredFields | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const fields = value as Record<string, unknown>
  const { version, seenSet, seen, running, seenLive, runningLive, keptLive } = fields
  if (version !== 2 || seenSet === undefined || !Array.isArray(seen) || !Array.isArray(running))
    return undefined
  if (seenLive === undefined || runningLive === undefined || !Array.isArray(keptLive)) {
    return undefined
  }
  return { seenSet, seen, running, seenLive, runningLive, keptLive }
}
