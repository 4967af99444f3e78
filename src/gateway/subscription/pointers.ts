/** Which pointers of a state are taken: signed by the pinned key, for this environment, newer than what was seen. @module */

import type { KeyObject } from 'node:crypto'
import { failed, type Result, success } from '../../base/result.ts'
import { hashOf } from '../../deployment/canonical.ts'
import type { DeploymentFailure } from '../../deployment/failure.ts'
import {
  type LivePointer,
  type Pointer,
  readSignedLivePointer,
  readSignedPointer,
} from '../../deployment/pointer.ts'
import type { EnvironmentSet, SetEntry } from '../../deployment/set.ts'
import { keyOf } from '../proxy-key.ts'

/** A pointer that was verified, as it came. */
export interface Seen<P> {
  /** Of the signed pointer: the same text need not be verified again. */
  readonly json: string
  readonly pointer: P
}

export interface Refused {
  readonly failure: DeploymentFailure
  /** Told apart by it: the same refusal is told once. */
  readonly json: string
  /** What it claims to be; nobody has proven it. */
  readonly claim: Claim
}

export interface Claim {
  readonly project: string
  readonly apiProxy: string
  readonly sequence: number
}

export interface Pinned {
  readonly environment: string
  readonly publicKey: KeyObject
}

/**
 * Looks at every pointer by itself. A proxy without a pointer stays as it is: only a signed pointer undeploys.
 *
 * @param listed - What the set of the environment names, and nothing else is taken; `undefined`: pointers that were taken before.
 * @returns The newest of each proxy that was not seen before, and what was refused.
 */
export function takePointers(
  pointers: readonly unknown[],
  seen: ReadonlyMap<string, Seen<Pointer>>,
  pinned: Pinned,
  listed: ReadonlyMap<string, SetEntry> | undefined,
): { readonly taken: ReadonlyMap<string, Seen<Pointer>>; readonly refused: readonly Refused[] } {
  const known = new Set<string>()
  for (const { json } of seen.values()) known.add(json)
  const taken = new Map<string, Seen<Pointer>>()
  const refused: Refused[] = []
  for (const one of pointers) {
    const json = JSON.stringify(one)
    if (known.has(json)) continue
    const read = readSignedPointer(one, pinned.publicKey)
    const key = read.ok ? keyOf(read.value) : ''
    const before = seen.get(key)?.pointer
    // The same, written in another order.
    if (read.ok && hashOf(read.value) === hashOf(before ?? null)) continue
    const newer = read.ok ? checkNewer(read.value, before, pinned) : read
    const checked = newer.ok && listed !== undefined ? checkListed(newer.value, listed) : newer
    if (!checked.ok) refused.push({ failure: checked.failure, json, claim: claimOf(one) })
    else if ((taken.get(key)?.pointer.sequence ?? 0) < checked.value.sequence) {
      taken.set(key, { json, pointer: checked.value })
    }
  }
  return { taken, refused }
}

/**
 * @param listed - As the set names it, `null` for none; `undefined`: a pointer that was taken before.
 * @returns `undefined`: nothing new.
 */
export function takeLivePointer(
  one: unknown,
  seen: Seen<LivePointer> | undefined,
  pinned: Pinned,
  listed: EnvironmentSet['live'] | undefined,
): Result<Seen<LivePointer>, Refused> | undefined {
  if (one === null) return undefined
  const json = JSON.stringify(one)
  if (json === seen?.json) return undefined
  const read = readSignedLivePointer(one, pinned.publicKey)
  if (read.ok && hashOf(read.value) === hashOf(seen?.pointer ?? null)) return undefined
  const newer = read.ok ? checkNewer(read.value, seen?.pointer, pinned) : read
  const checked = newer.ok && listed !== undefined ? checkNamed(newer.value, listed) : newer
  return checked.ok
    ? success({ json, pointer: checked.value })
    : failed({ failure: checked.failure, json, claim: claimOf(one) })
}

function checkListed(
  pointer: Pointer,
  listed: ReadonlyMap<string, SetEntry>,
): Result<Pointer, DeploymentFailure> {
  return checkNamed(pointer, listed.get(keyOf(pointer)) ?? null)
}

/** Pointers of two moments, though each is signed, may open together what neither moment opened. */
function checkNamed<P extends Pointer | LivePointer>(
  pointer: P,
  named: { readonly hash: string | null; readonly sequence: number } | null,
): Result<P, DeploymentFailure> {
  return named?.hash === pointer.hash && named.sequence === pointer.sequence
    ? success(pointer)
    : failed({ code: 'set-mismatch', path: 'document' })
}

export function checkNewer<P extends Pointer | LivePointer | EnvironmentSet>(
  pointer: P,
  before: P | undefined,
  { environment }: Pinned,
): Result<P, DeploymentFailure> {
  if (pointer.environment !== environment) {
    const actual = pointer.environment
    return failed({
      code: 'environment-mismatch',
      path: 'document.environment',
      expected: environment,
      actual,
    })
  }
  const { sequence } = pointer
  // The number of an environment that has nothing yet is 0.
  const seen = before?.sequence ?? -1
  // The same number twice names two different things: one of them is no pointer of this history.
  return sequence > seen
    ? success(pointer)
    : failed({ code: 'sequence-replayed', path: 'document.sequence', sequence, seen })
}

export function claimOf(one: unknown): Claim {
  const { document } = (one ?? {}) as { readonly document?: unknown }
  const { project, apiProxy, sequence } = (document ?? {}) as Readonly<Record<string, unknown>>
  return {
    project: claimed(project),
    apiProxy: claimed(apiProxy),
    sequence: Number.isSafeInteger(sequence) && (sequence as number) > 0 ? (sequence as number) : 0,
  }
}

function claimed(name: unknown): string {
  return typeof name === 'string' && /^[^\p{C}]{0,255}$/u.test(name) ? name : ''
}
