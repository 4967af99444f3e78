/** Which snapshot is in force: signed, with a number that never falls. @module */

import type { KeyObject } from 'node:crypto'
import { failed, type Result, success } from '../base/result.ts'
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
import { type SigningKey, signText, verifiesText } from './keys.ts'
import type { EnvironmentSet } from './set.ts'

export interface Pointer {
  readonly version: 1
  readonly kind: 'pointer'
  readonly environment: string
  readonly project: string
  readonly apiProxy: string
  /** Of the snapshot. `null`: undeployed. */
  readonly hash: string | null
  /** One counter for all pointers and live pointers of an environment. */
  readonly sequence: number
  /** RFC 3339. Says when; age alone never refuses. */
  readonly issuedAt: string
}

export interface LivePointer {
  readonly version: 1
  readonly kind: 'live'
  readonly environment: string
  readonly hash: string
  readonly sequence: number
  readonly issuedAt: string
}

export interface Signed<T> {
  readonly document: T
  /** Base64 of Ed25519 over `mtls-policy/`, the kind, a line feed and the canonical JSON of the document. */
  readonly signature: string
}

export function signDocument<T extends Pointer | LivePointer | EnvironmentSet>(
  document: T,
  key: Pick<SigningKey, 'privateKey'>,
): Signed<T> {
  return { document, signature: signText(signedText(document), key) }
}

/**
 * Reads a pointer, signature first: nothing of what another key signed is looked at.
 *
 * @param json - The JSON of a `Signed<Pointer>`: text, or data.
 */
export function readSignedPointer(
  json: unknown,
  publicKey: KeyObject,
): Result<Pointer, DeploymentFailure> {
  return readSignedAs(json, publicKey, 'pointer', readPointer)
}

/** As {@link readSignedPointer}. */
export function readSignedLivePointer(
  json: unknown,
  publicKey: KeyObject,
): Result<LivePointer, DeploymentFailure> {
  return readSignedAs(json, publicKey, 'live', readLivePointer)
}

/** Whichever of the two it is. */
export function readSigned(
  json: unknown,
  publicKey: KeyObject,
): Result<Pointer | LivePointer, DeploymentFailure> {
  const pointer = readSignedPointer(json, publicKey)
  if (pointer.ok || pointer.failure.code !== 'signature-invalid') return pointer
  return readSignedLivePointer(json, publicKey)
}

/** For each kind of document: one that is signed as another kind is not signed. */
export function readSignedAs<T>(
  json: unknown,
  publicKey: KeyObject,
  kind: (Pointer | LivePointer | EnvironmentSet)['kind'],
  read: (value: unknown, path: string, problems: PolicyProblem[]) => T,
): Result<T, DeploymentFailure> {
  let value = json
  if (typeof json === 'string') {
    const parsed = readJson(json, maxSignedBytes)
    if (!parsed.ok) return parsed
    value = parsed.value.value
  }
  const shell = readDocument(value, readShell)
  if (!shell.ok) return shell
  const { document, signature } = shell.value
  const text = canonicalText(document)
  if (text === undefined || !verifiesText(prefixOf(kind) + text, signature, publicKey)) {
    return failed({ code: 'signature-invalid', path: 'signature' })
  }
  const fields = readDocument(document, read)
  if (!fields.ok) {
    return failed({ ...fields.failure, path: `document.${fields.failure.path}` })
  }
  return success(fields.value)
}

function readShell(value: unknown, path: string, problems: PolicyProblem[]): Signed<object> {
  const fields = new DocumentFields(value, path, problems)
  const document = fields.object('document', (one, at, all): object => {
    if (typeof one === 'object' && one !== null) return one
    all.push({ path: at, problem: 'invalid', expected: 'an object' })
    return {}
  })
  const signature = fields.text('signature', /^[A-Za-z0-9+/=]{88}$/, 'base64 of 64 octets')
  fields.done()
  return { document, signature }
}

/** `undefined`: nobody can have signed it. */
function canonicalText(document: object): string | undefined {
  try {
    return canonicalJson(document)
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== 'option-invalid') throw error
    return undefined
  }
}

export function readPointer(value: unknown, path: string, problems: PolicyProblem[]): Pointer {
  const fields = new DocumentFields(value, path, problems)
  const pointer: Pointer = {
    version: fields.fixed('version', 1),
    kind: fields.fixed('kind', 'pointer'),
    environment: fields.text('environment', namePattern, nameWords),
    project: fields.text('project', namePattern, nameWords),
    apiProxy: fields.text('apiProxy', namePattern, nameWords),
    hash: fields.nullableText('hash', hashPattern, hashWords),
    sequence: fields.count('sequence', 1, Number.MAX_SAFE_INTEGER),
    issuedAt: fields.text('issuedAt', timePattern, timeWords),
  }
  fields.done()
  return pointer
}

export function readLivePointer(
  value: unknown,
  path: string,
  problems: PolicyProblem[],
): LivePointer {
  const fields = new DocumentFields(value, path, problems)
  const pointer: LivePointer = {
    version: fields.fixed('version', 1),
    kind: fields.fixed('kind', 'live'),
    environment: fields.text('environment', namePattern, nameWords),
    hash: fields.text('hash', hashPattern, hashWords),
    sequence: fields.count('sequence', 1, Number.MAX_SAFE_INTEGER),
    issuedAt: fields.text('issuedAt', timePattern, timeWords),
  }
  fields.done()
  return pointer
}

function signedText(document: Pointer | LivePointer | EnvironmentSet): string {
  return prefixOf(document.kind) + canonicalJson(document)
}

/** So that no signature over one kind of document counts for another. */
function prefixOf(kind: string): string {
  return `mtls-policy/${kind}\n`
}

/** Local limit: names are at most 255 characters. */
const maxSignedBytes = 16_384
