/** Everything that is deployed in an environment, as one signed statement: what is left out of it, or withheld, is missed. @module */

import type { KeyObject } from 'node:crypto'
import type { Result } from '../base/result.ts'
import type { PolicyProblem } from '../policy/problem.ts'
import type { DeploymentFailure } from './failure.ts'
import {
  DocumentFields,
  hashPattern,
  hashWords,
  namePattern,
  nameWords,
  timePattern,
  timeWords,
} from './fields.ts'
import { type Place, readPlace } from './place.ts'
import { readSignedAs } from './pointer.ts'

/**
 * Pointers are signed one by one, so that each can be taken by itself. The set says which of them there are: a gateway that lacks one, or
 * its snapshot, knows whose requests must not be answered by another proxy.
 */
export interface EnvironmentSet {
  readonly version: 1
  readonly kind: 'set'
  readonly environment: string
  /** The last number of the environment; 0: nothing was ever deployed. */
  readonly sequence: number
  /** RFC 3339. Says when; age alone never refuses. */
  readonly issuedAt: string
  /** The newest pointer of each API proxy, of those that were undeployed as well. Each proxy once. */
  readonly proxies: readonly SetEntry[]
  /** `null`: there are no live data. */
  readonly live: { readonly hash: string; readonly sequence: number } | null
}

export interface SetEntry {
  readonly project: string
  readonly apiProxy: string
  /** As in the pointer. */
  readonly hash: string | null
  /** As in the pointer. */
  readonly sequence: number
  /** As in the snapshot; `null`: it was undeployed. */
  readonly place: Place | null
}

/** Reads a set, signature first, as `readSignedPointer` does. */
export function readSignedSet(
  json: unknown,
  publicKey: KeyObject,
): Result<EnvironmentSet, DeploymentFailure> {
  return readSignedAs(json, publicKey, 'set', readSet)
}

export function readSet(value: unknown, path: string, problems: PolicyProblem[]): EnvironmentSet {
  const fields = new DocumentFields(value, path, problems)
  const set: EnvironmentSet = {
    version: fields.fixed('version', 1),
    kind: fields.fixed('kind', 'set'),
    environment: fields.text('environment', namePattern, nameWords),
    sequence: fields.count('sequence', 0, Number.MAX_SAFE_INTEGER),
    issuedAt: fields.text('issuedAt', timePattern, timeWords),
    proxies: fields.list('proxies', maxSetEntries, readEntry),
    live: fields.nullable('live', readLive),
  }
  const { sequence, proxies, live } = set
  const names = new Set(proxies.map(({ project, apiProxy }) => `${project}\n${apiProxy}`))
  if (names.size !== proxies.length) fields.problem('proxies', 'each API proxy once')
  // A number that is given later belongs to a later set.
  const numbers = [live?.sequence ?? 0, ...proxies.map((entry) => entry.sequence)]
  if (numbers.some((number) => number > sequence)) {
    fields.problem('sequence', 'no number in the set above its own')
  }
  fields.done()
  return set
}

function readEntry(value: unknown, path: string, problems: PolicyProblem[]): SetEntry {
  const fields = new DocumentFields(value, path, problems)
  const entry: SetEntry = {
    project: fields.text('project', namePattern, nameWords),
    apiProxy: fields.text('apiProxy', namePattern, nameWords),
    hash: fields.nullableText('hash', hashPattern, hashWords),
    sequence: fields.count('sequence', 1, Number.MAX_SAFE_INTEGER),
    place: fields.nullable('place', readPlace),
  }
  if ((entry.hash === null) !== (entry.place === null)) {
    fields.problem('place', 'a place where there is a hash, and null where there is none')
  }
  fields.done()
  return entry
}

function readLive(
  value: unknown,
  path: string,
  problems: PolicyProblem[],
): NonNullable<EnvironmentSet['live']> {
  const fields = new DocumentFields(value, path, problems)
  const live = {
    hash: fields.text('hash', hashPattern, hashWords),
    sequence: fields.count('sequence', 1, Number.MAX_SAFE_INTEGER),
  }
  fields.done()
  return live
}

/** Local limit, as for the pointers of a state. */
export const maxSetEntries = 100_000
