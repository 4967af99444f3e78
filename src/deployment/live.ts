/** What is in force without a deployment: revocation lists and kill list entries of an environment. @module */

import { failed, type Result } from '../base/result.ts'
import type { PolicyProblem } from '../policy/problem.ts'
import { canonicalJson } from './canonical.ts'
import type { DeploymentFailure } from './failure.ts'
import {
  DocumentFields,
  hashPattern,
  hashWords,
  namePattern,
  nameWords,
  readDocument,
  timePattern,
  timeWords,
} from './fields.ts'
import { readJson } from './json.ts'
import { liveCapacity } from './live-limits.ts'

export interface LiveData {
  readonly version: 1
  readonly environment: string
  readonly crls: readonly LiveCrl[]
  readonly killList: readonly LiveKillEntry[]
}

interface Scope {
  readonly project: string
  /** `null`: the whole project. */
  readonly apiProxy: string | null
}

export interface LiveCrl extends Scope {
  /** Of its DER. */
  readonly sha256: string
}

export interface LiveKillEntry extends Scope {
  readonly entry: KillEntryJson
}

/** A `KillListEntry` as JSON: numbers and times as texts. */
export interface KillEntryJson {
  readonly issuer?: string
  readonly serialNumber?: string
  readonly spkiSha256?: string
  readonly certificateSha256?: string
  /** PEM, or base64 of DER. */
  readonly certificate?: string
  readonly issuerSpkiSha256?: string
  readonly note?: string
  /** RFC 3339, in UTC. */
  readonly expires?: string
}

/**
 * Reads live data from the bytes that their hash is of.
 *
 * @param bytes - UTF-8 of the canonical JSON, or its text.
 */
export function readLiveData(bytes: Uint8Array | string): Result<LiveData, DeploymentFailure> {
  const json = readJson(bytes, maxLiveBytes)
  if (!json.ok) return json
  const read = checkLiveData(json.value.value)
  if (!read.ok) return read
  return canonicalJson(read.value) === json.value.text
    ? read
    : failed({ code: 'document-not-canonical', path: '' })
}

/** As {@link readLiveData}, of data that are not bytes yet. */
export function checkLiveData(value: unknown): Result<LiveData, DeploymentFailure> {
  return readDocument(value, readFields)
}

/** Its fields and which of them go together; digests and names are for `createKillList`. */
export function checkKillEntry(value: unknown): Result<KillEntryJson, DeploymentFailure> {
  return readDocument(value, readEntry)
}

function readFields(value: unknown, path: string, problems: PolicyProblem[]): LiveData {
  const fields = new DocumentFields(value, path, problems)
  const live: LiveData = {
    version: fields.fixed('version', 1),
    environment: fields.text('environment', namePattern, nameWords),
    crls: fields.list('crls', liveCapacity('crls'), (item, at, all) => {
      const one = new DocumentFields(item, at, all)
      const crl = { ...readScope(one), sha256: one.text('sha256', hashPattern, hashWords) }
      one.done()
      return crl
    }),
    killList: fields.list('killList', liveCapacity('killEntries'), (item, at, all) => {
      const one = new DocumentFields(item, at, all)
      const listed = { ...readScope(one), entry: one.object('entry', readEntry) }
      one.done()
      return listed
    }),
  }
  fields.done()
  return live
}

function readScope(fields: DocumentFields): Scope {
  return {
    project: fields.text('project', namePattern, nameWords),
    apiProxy: fields.nullableText('apiProxy', namePattern, nameWords),
  }
}

function readEntry(value: unknown, path: string, problems: PolicyProblem[]): KillEntryJson {
  const fields = new DocumentFields(value, path, problems)
  const entry: Record<string, string> = {}
  for (const name of entryFields) {
    const text = fields.optionalText(name, /^[\s\S]{1,65536}$/, 'a text')
    if (text !== undefined) entry[name] = text
  }
  const what = Object.keys(entry).sort().join()
  if (!entryForms.includes(what)) {
    problems.push({ path, problem: 'invalid', expected: `one of ${entryForms.join(' | ')}` })
  }
  const note = fields.optionalText('note', /^[\s\S]{0,4096}$/, 'a text')
  const expires = fields.optionalText('expires', timePattern, timeWords)
  fields.done()
  return {
    ...entry,
    ...(note === undefined ? {} : { note }),
    ...(expires === undefined ? {} : { expires }),
  }
}

const entryFields = [
  'issuer',
  'serialNumber',
  'spkiSha256',
  'certificateSha256',
  'certificate',
  'issuerSpkiSha256',
] as const
const entryForms = [
  'issuer,serialNumber',
  'spkiSha256',
  'certificateSha256',
  'certificate',
  'issuer',
  'issuerSpkiSha256',
]
/** Local limit: what {@link liveCapacity} has room for, and a little around it. */
export const maxLiveBytes = 67_108_864
