/** What goes over the wire between a gateway and its manager. @module */

import type { Result } from '../base/result.ts'
import type { PolicyProblem } from '../policy/problem.ts'
import type { DeploymentFailure } from './failure.ts'
import {
  DocumentFields,
  hashPattern,
  hashWords,
  namePattern,
  nameWords,
  readDocument,
} from './fields.ts'
import {
  type LivePointer,
  type Pointer,
  readLivePointer,
  readPointer,
  type Signed,
} from './pointer.ts'
import { type EnvironmentSet, readSet } from './set.ts'

/** Everything that is in force in an environment, as pointers, and the set that says which of them there are. */
export interface EnvironmentState {
  readonly environment: string
  readonly set: Signed<EnvironmentSet>
  readonly pointers: readonly Signed<Pointer>[]
  readonly live: Signed<LivePointer> | null
}

/** What a gateway runs, and what it refused. */
export interface GatewayReport {
  readonly gateway: string
  readonly environment: string
  readonly runs: readonly RunningProxy[]
  readonly live: { readonly hash: string; readonly sequence: number } | null
  readonly problems: readonly GatewayProblem[]
}

export interface RunningProxy {
  readonly project: string
  readonly apiProxy: string
  /** `null`: it was undeployed. */
  readonly hash: string | null
  readonly sequence: number
}

export interface GatewayProblem {
  /** Empty, as `apiProxy`: of the live data. */
  readonly project: string
  readonly apiProxy: string
  /** Of the pointer that was refused. */
  readonly sequence: number
  readonly code: string
  readonly message: string
}

/** Pointers as they came: each one is verified by itself, so that a bad one does not hold up the others. */
export interface StateShell {
  readonly environment: string
  readonly set: unknown
  readonly pointers: readonly unknown[]
  readonly live: unknown
}

/** Reads a state; set and pointers are not looked at. */
export function readStateShell(value: unknown): Result<StateShell, DeploymentFailure> {
  return readDocument(value, (one, path, problems) => {
    const fields = new DocumentFields(one, path, problems)
    const shell = {
      environment: fields.text('environment', namePattern, nameWords),
      set: fields.object('set', (set): unknown => {
        // A manager that signs none cannot be told from somebody who takes it away.
        if (set === undefined || set === null) fields.problem('set', 'a signed set')
        return set
      }),
      pointers: fields.list('pointers', maxPointers, (pointer): unknown => pointer),
      live: fields.nullable('live', (live): unknown => {
        if (live === undefined) fields.problem('live', 'a signed pointer, or null')
        return live
      }),
    }
    fields.done()
    return shell
  })
}

/** Reads a whole state. Signatures are for `readSignedPointer`. */
export function readEnvironmentState(value: unknown): Result<EnvironmentState, DeploymentFailure> {
  return readDocument(value, (one, path, problems) => {
    const fields = new DocumentFields(one, path, problems)
    const state = {
      environment: fields.text('environment', namePattern, nameWords),
      set: fields.object('set', signedReader(readSet)),
      pointers: fields.list('pointers', maxPointers, signedReader(readPointer)),
      live: fields.nullable('live', signedReader(readLivePointer)),
    }
    fields.done()
    return state
  })
}

export function readGatewayReport(value: unknown): Result<GatewayReport, DeploymentFailure> {
  return readDocument(value, (one, path, problems) => {
    const fields = new DocumentFields(one, path, problems)
    const report: GatewayReport = {
      gateway: fields.text('gateway', namePattern, nameWords),
      environment: fields.text('environment', namePattern, nameWords),
      runs: fields.list('runs', maxPointers, readRunning),
      live: fields.nullable('live', (live, at, all) => {
        const pair = new DocumentFields(live, at, all)
        const read = {
          hash: pair.text('hash', hashPattern, hashWords),
          sequence: pair.count('sequence', 1, Number.MAX_SAFE_INTEGER),
        }
        pair.done()
        return read
      }),
      problems: fields.list('problems', maxPointers, readProblem),
    }
    fields.done()
    return report
  })
}

type Read<T> = (value: unknown, path: string, problems: PolicyProblem[]) => T

function signedReader<T>(read: Read<T>): Read<Signed<T>> {
  return (value, path, problems) => {
    const fields = new DocumentFields(value, path, problems)
    const signed = {
      document: fields.object('document', read),
      signature: fields.text('signature', /^[A-Za-z0-9+/=]{88}$/, 'base64 of 64 octets'),
    }
    fields.done()
    return signed
  }
}

function readRunning(value: unknown, path: string, problems: PolicyProblem[]): RunningProxy {
  const fields = new DocumentFields(value, path, problems)
  const running = {
    project: fields.text('project', namePattern, nameWords),
    apiProxy: fields.text('apiProxy', namePattern, nameWords),
    hash: fields.nullableText('hash', hashPattern, hashWords),
    sequence: fields.count('sequence', 1, Number.MAX_SAFE_INTEGER),
  }
  fields.done()
  return running
}

function readProblem(value: unknown, path: string, problems: PolicyProblem[]): GatewayProblem {
  const fields = new DocumentFields(value, path, problems)
  const problem = {
    project: fields.text('project', /^[^\p{C}]{0,255}$/u, nameWords),
    apiProxy: fields.text('apiProxy', /^[^\p{C}]{0,255}$/u, nameWords),
    sequence: fields.count('sequence', 0, Number.MAX_SAFE_INTEGER),
    code: fields.text('code', /^[a-z0-9-]{1,64}$/, 'a code in kebab-case'),
    message: fields.text('message', /^[\s\S]{0,4096}$/, 'a text'),
  }
  fields.done()
  return problem
}

/** Local limit. */
const maxPointers = 100_000
