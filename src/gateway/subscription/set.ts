/** What a gateway must have, by the newest set that its manager signed, and what of it is missing. @module */

import { failed, type Result, success } from '../../base/result.ts'
import { hashOf } from '../../deployment/canonical.ts'
import type { GatewayProblem } from '../../deployment/channel.ts'
import { type EnvironmentSet, readSignedSet, type SetEntry } from '../../deployment/set.ts'
import { keyOf } from '../proxy-key.ts'
import type { HeldPlace } from '../state.ts'
import { checkNewer, claimOf, type Pinned, type Refused, type Seen } from './pointers.ts'
import type { Known, Running } from './stored.ts'

/** A set that was verified, as it came. */
export interface SeenSet {
  readonly json: string
  readonly set: EnvironmentSet
  /** By project and API proxy. */
  readonly entries: ReadonlyMap<string, SetEntry>
}

/** @returns `undefined`: nothing new. */
export function takeSet(
  one: unknown,
  seen: SeenSet | undefined,
  pinned: Pinned,
): Result<SeenSet, Refused> | undefined {
  const json = JSON.stringify(one)
  if (json === seen?.json) return undefined
  const read = readSignedSet(one, pinned.publicKey)
  if (read.ok && seen !== undefined && saysOf(read.value) === saysOf(seen.set)) return undefined
  const checked = read.ok ? checkNewer(read.value, seen?.set, pinned) : read
  if (!checked.ok) return failed({ failure: checked.failure, json, claim: claimOf(one) })
  const set = checked.value
  return success({ json, set, entries: new Map(set.proxies.map((entry) => [keyOf(entry), entry])) })
}

/** Signed at another time, it says the same. */
function saysOf({ issuedAt: _, ...set }: EnvironmentSet): string {
  return hashOf(set)
}

/** The pointers that the set names and nobody has shown. Older ones of the same proxies do not count. */
export function missingPointers({
  seenSet,
  seen,
  seenLive,
}: Pick<Known, 'seenSet' | 'seen' | 'seenLive'>): readonly GatewayProblem[] {
  if (seenSet === undefined) return []
  const code = 'pointer-unavailable'
  const message = 'the set names a pointer that was not sent'
  const { live } = seenSet.set
  const missing: GatewayProblem[] = []
  for (const [key, { project, apiProxy, sequence }] of seenSet.entries) {
    if (isOlder(seen.get(key), sequence)) {
      missing.push({ project, apiProxy, sequence, code, message })
    }
  }
  if (live !== null && isOlder(seenLive, live.sequence)) {
    missing.push({ project: '', apiProxy: '', sequence: live.sequence, code, message })
  }
  return missing
}

function isOlder(seen: Seen<{ readonly sequence: number }> | undefined, sequence: number): boolean {
  return seen === undefined || seen.pointer.sequence < sequence
}

/** Where proxies should answer that are not in force, or in force as something older. */
export function heldPlaces(
  seenSet: SeenSet | undefined,
  running: ReadonlyMap<string, Running>,
): readonly HeldPlace[] {
  const held: HeldPlace[] = []
  for (const [key, { project, apiProxy, hash, place }] of seenSet?.entries ?? []) {
    if (place === null || running.get(key)?.pointer.hash === hash) continue
    held.push({ project, apiProxy, ...place })
  }
  return held
}

/** Whether something of each deployed proxy is there, be it older than it should be. */
export function isComplete(
  seenSet: SeenSet | undefined,
  running: ReadonlyMap<string, Running>,
): boolean {
  if (seenSet === undefined) return false
  for (const [key, { place }] of seenSet.entries) {
    if (place !== null && (running.get(key)?.snapshot ?? null) === null) return false
  }
  return true
}
