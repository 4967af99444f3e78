/** A NameConstraints extension against names of every form. @module */
import { fromHex } from '../../../src/base/hex.ts'
import type { Result } from '../../../src/base/result.ts'
import { failed, success } from '../../../src/base/result.ts'
import {
  applyNameConstraints,
  checkNameConstraints,
  initialNameConstraints,
  type NameConstraintsState,
} from '../../../src/path/name-constraints.ts'
import type { Certificate } from '../../../src/x509/certificate.ts'
import type { GeneralName } from '../../../src/x509/general-name.ts'
import type { Name } from '../../../src/x509/name.ts'
import { makeName } from '../../../src/x509/name-text.ts'
import { reading } from '../../../src/x509/parse-certificate.ts'
import { readExtensionValue } from '../../../src/x509/parse-extensions.ts'
import { bytesOf } from '../inputs.ts'
import { answered, type Case, compared, type Outcome, type Suite, skipped } from '../suite.ts'
import { parseName } from './name-match.ts'

interface ConstraintsCase {
  readonly id: string
  readonly op: 'parse' | 'dns' | 'ip' | 'directory' | 'cert' | 'constrained-types'
  /** A key of `constraints`; or the value itself in `constraints_der`. */
  readonly constraints?: string
  readonly constraints_der?: string
  /** A DNS name, octets in hex, or a key of `names`. */
  readonly name?: string
  /** A key of `names`; null: the empty name. */
  readonly subject?: string | null
  /** A key of `sans`; null: no such extension. */
  readonly san?: string | null
  /** Null: the answer is the same either way. */
  readonly critical: boolean | null
  readonly expected?: boolean
  readonly types?: readonly string[]
}

interface Tables {
  readonly constraints: Readonly<Record<string, string>>
  readonly names: Readonly<Record<string, string>>
  readonly sans: Readonly<Record<string, string>>
}

export const nameConstraints: Suite = {
  name: 'name-constraints',
  file: 'name-constraints.json',
  drivers: ['sync'],
  profiles: ['interoperable'],
  recognises: ({ constraints, sans }) => constraints !== undefined && sans !== undefined,
  read: (corpus) =>
    (corpus.cases as unknown as readonly ConstraintsCase[]).map(
      (one): Case => ({ id: one.id, run: () => judge(one, corpus as unknown as Tables) }),
    ),
}

function judge(one: ConstraintsCase, tables: Tables): Outcome {
  // We process constraints whether or not they are critical; the suite lets what is not critical pass.
  if (one.critical === false) return skipped('not critical')
  const expected = one.expected ?? true
  const der = one.constraints_der ?? tables.constraints[one.constraints ?? '']
  const state = readConstraints(bytesOf(der), one.critical ?? true)
  if (!state.ok) return answered(expected, false, state.failure.code)
  if (one.op === 'parse') return answered(expected, true)
  if (one.op === 'constrained-types') {
    const { permitted, excluded } = state.value
    const forms = new Set([...permitted.keys(), ...excluded.keys()])
    return compared([...(one.types ?? [])].sort(), [...forms].sort())
  }
  const code =
    one.op === 'cert' ? checkCert(one, state.value, tables) : checkOne(one, state.value, tables)
  return answered(expected, code === undefined, code)
}

type Failure = { readonly code: string }

function readConstraints(
  der: Uint8Array,
  critical: boolean,
): Result<NameConstraintsState, Failure> {
  const extensions = reading(() => readExtensionValue('2.5.29.30', critical, der))
  if (!extensions.ok) return extensions
  const { nameConstraints: constraints } = extensions.value
  if (constraints === undefined) throw new Error('name constraints were not read')
  const state = initialNameConstraints()
  const failure = applyNameConstraints(state, constraints, 'interoperable')
  return failure === undefined ? success(state) : failed(failure)
}

/** @returns The failure's code, or `undefined` when the name passes. */
function checkOne(
  { op, name = '' }: ConstraintsCase,
  state: NameConstraintsState,
  { names }: Tables,
): string | undefined {
  if (op === 'directory') {
    const read = parseName(bytesOf(names[name]))
    if (!read.ok) return read.failure.code
    return checkNames(state, makeName([]), [{ kind: 'directoryName', name: read.value }])
  }
  const octets = op === 'ip' ? fromHex(name) : undefined
  const general: GeneralName = octets
    ? { kind: 'iPAddress', octets }
    : { kind: 'dNSName', value: name }
  return checkNames(state, makeName([]), [general])
}

function checkCert(
  { subject, san }: ConstraintsCase,
  state: NameConstraintsState,
  { names, sans }: Tables,
): string | undefined {
  const name = subject ? parseName(bytesOf(names[subject])) : success(makeName([]))
  if (!name.ok) return name.failure.code
  if (!san) return checkNames(state, name.value, [])
  const extensions = reading(() => readExtensionValue('2.5.29.17', false, bytesOf(sans[san])))
  if (!extensions.ok) return extensions.failure.code
  return checkNames(state, name.value, extensions.value.subjectAltName?.names ?? [])
}

function checkNames(
  state: NameConstraintsState,
  subject: Name,
  names: readonly GeneralName[],
): string | undefined {
  // All of a certificate that name constraints look at.
  const certificate = { tbsCertificate: { subject, extensions: { subjectAltName: { names } } } }
  return checkNameConstraints(state, certificate as Certificate, { nameComparisons: 10_000 })?.code
}
