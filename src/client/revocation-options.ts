/** The operator's rule about revocation, as options in which half a configuration cannot be written. @module */

import { CrlAnswers } from '../revocation/crl-answers.ts'
import type { Crls } from '../revocation/crls.ts'
import { OcspAnswers } from '../revocation/ocsp-answers.ts'
import type { StatusProvider } from '../revocation/provider.ts'
import type { OcspResponses } from '../revocation/responses.ts'
import type {
  IssuerRule,
  PreparedRevocation,
  RevocationMaterial,
  RevocationMode,
} from '../revocation/rule.ts'
import { nameKey } from '../x509/name-match.ts'
import { parseNameText } from '../x509/name-text.ts'
import { misuse } from './misuse.ts'

/** What is asked about revocation, of which certificates, and what happens when there is no answer. */
export type RevocationOptions =
  /** Revocation is not checked; the verdict says so in a warning. */
  | ({ readonly mode: 'none'; readonly perIssuer?: undefined } & NothingGiven & NothingUnsure)
  /** Not checked but for some issuers. */
  | (Rule<'crl'> & OnlySome & GivenCrls)
  | (Rule<'ocsp'> & OnlySome & GivenResponses)
  | (Rule & OnlySome & (GivenBoth | Provided))
  | (Rule<'crl'> & { readonly mode: 'crl' } & GivenCrls)
  | (Rule<'ocsp'> & { readonly mode: 'ocsp' } & GivenResponses)
  /** Some issuers have another mode, and so both are looked at. */
  | (Rule & { readonly mode: 'crl' | 'ocsp'; readonly perIssuer: PerIssuer } & GivenBoth)
  | (Rule & { readonly mode: 'crl' | 'ocsp' } & Provided)
  /** Both are looked at: one that says revoked is enough to refuse, one that says good enough to accept. */
  | (Rule & { readonly mode: 'crl-or-ocsp' } & (GivenBoth | Provided))

interface Rule<M extends RevocationMode = RevocationMode> extends WhenUnsure {
  /** `path`, the default: every certificate below the anchor needs a status. `target`: the client's own. */
  readonly depth?: 'target' | 'path' | undefined
  readonly perIssuer?: PerIssuer<M> | undefined
}
interface OnlySome {
  readonly mode: 'none'
  readonly perIssuer: PerIssuer
}

interface WhenUnsure {
  /** A certificate about which no usable list or response says anything; default `deny`. */
  readonly onUnknown?: 'deny' | 'allow' | undefined
  /** A good answer past its time; default `deny`. `allowFor`: seconds after which it is no answer any more. */
  readonly onStale?: 'deny' | { readonly allowFor: number } | undefined
  /**
   * Seconds from thisUpdate for which a list or response counts at most. Absent: nextUpdate alone says so, and what has
   * none is never current.
   */
  readonly maxAge?: number | undefined
}
/** Nothing is asked, so nothing follows from no answer. */
interface NothingUnsure {
  readonly onUnknown?: undefined
  readonly onStale?: undefined
  readonly maxAge?: undefined
}

/** By issuer, as text of RFC 4514: what differs for its certificates. `M`: the modes for which there is something to look at. */
export type PerIssuer<M extends RevocationMode = RevocationMode> = Readonly<
  Record<string, IssuerRevocation<M>>
>
export type IssuerRevocation<M extends RevocationMode = RevocationMode> =
  | ({ readonly mode: 'none' } & NothingUnsure)
  | (WhenUnsure & { readonly mode?: Exclude<M, 'none'> | undefined })

/** What only a source has. */
interface Given {
  readonly source?: undefined
  readonly wait?: undefined
}
interface NothingGiven extends Given {
  readonly crls?: undefined
  readonly ocspResponses?: undefined
}
interface GivenCrls extends Given {
  /** From `parseCrls`. */
  readonly crls: Crls
  readonly ocspResponses?: undefined
}
interface GivenResponses extends Given {
  readonly crls?: undefined
  /** From `parseOcspResponses`. */
  readonly ocspResponses: OcspResponses
}
interface GivenBoth extends Given {
  readonly crls: Crls
  readonly ocspResponses: OcspResponses
}
interface Provided {
  readonly crls?: undefined
  readonly ocspResponses?: undefined
  /** Lists and responses that change while the program runs: from `createRevocationSource`. */
  readonly source: StatusProvider
  /** Milliseconds that a validation waits for what is fetched about its certificates; default 0, not at all. Async drivers only. */
  readonly wait?: number | undefined
}

/** Options of a call that cannot wait; of each member of the union by itself, since only some of them have a rule about revocation. */
export type WithoutWait<O> = O extends { readonly validateCertificate: false }
  ? O
  : O & { readonly revocation?: Pick<Given, 'wait'> | undefined }

interface Fields {
  readonly [field: string]: unknown
}

/**
 * Checks the option `revocation`.
 *
 * @returns `undefined` when nothing is checked.
 * @throws TypeError with a `code` of `MisuseCode`.
 */
export function prepareRevocation(given: unknown): PreparedRevocation | undefined {
  const fields = readFields('revocation', given, noFields)
  if (fields.mode === undefined) throw invalid('revocation.mode', modeWords)
  if (fields.perIssuer === undefined) refuseUnasked('revocation', fields)
  const rule = ruleOf('revocation', fields, defaultRule)
  const depth = fields.depth ?? 'path'
  if (depth !== 'path' && depth !== 'target') throw invalid('revocation.depth', 'path, target')
  const perIssuer =
    fields.perIssuer === undefined ? noOtherRules : readPerIssuer(fields.perIssuer, rule)
  let crl = looksAtCrls(rule)
  let ocsp = looksAtOcsp(rule)
  for (const other of perIssuer.values()) {
    crl ||= looksAtCrls(other)
    ocsp ||= looksAtOcsp(other)
  }
  const material = materialOf(fields, crl, ocsp)
  const wait = waitOf(fields, material)
  return crl || ocsp ? { rule, perIssuer, depth, material, wait } : undefined
}

function readPerIssuer(value: unknown, base: IssuerRule): ReadonlyMap<string, IssuerRule> {
  const rules = new Map<string, IssuerRule>()
  for (const [text, one] of entriesOf('revocation.perIssuer', value)) {
    const option = `revocation.perIssuer['${text}']`
    const name = parseNameText(text)
    if (!name.ok || name.value.rdns.length === 0) {
      throw invalid(option, 'under a distinguished name, as CN=Example CA,O=Example')
    }
    const key = nameKey(name.value)
    if (rules.has(key)) throw invalid(option, 'under a name that is not there already')
    const fields = readFields(option, one, noRuleFields)
    refuseUnasked(option, fields)
    rules.set(key, ruleOf(option, fields, base))
  }
  return rules
}

/** Whoever says what follows from no answer believes that something is asked. */
function refuseUnasked(of: string, fields: RuleFields & { readonly depth?: unknown }): void {
  const { mode, depth, onUnknown, onStale, maxAge } = fields
  if (mode !== 'none') return
  for (const [field, value] of Object.entries({ depth, onUnknown, onStale, maxAge })) {
    if (value === undefined) continue
    const option = `${of}.${field}`
    throw misuse('options-conflict', `${option} has no effect with mode none`, { option })
  }
}

function looksAtCrls({ mode }: IssuerRule): boolean {
  return mode === 'crl' || mode === 'crl-or-ocsp'
}

function looksAtOcsp({ mode }: IssuerRule): boolean {
  return mode === 'ocsp' || mode === 'crl-or-ocsp'
}

function ruleOf(option: string, fields: RuleFields, base: IssuerRule): IssuerRule {
  const { mode = base.mode, onUnknown = base.onUnknown, onStale, maxAge = base.maxAge } = fields
  if (!isMode(mode)) throw invalid(`${option}.mode`, modeWords)
  if (onUnknown !== 'deny' && onUnknown !== 'allow') {
    throw invalid(`${option}.onUnknown`, 'deny, allow')
  }
  if (maxAge !== undefined && !isSeconds(maxAge)) throw invalid(`${option}.maxAge`, seconds)
  return { mode, onUnknown, staleFor: staleForOf(option, onStale, base.staleFor), maxAge }
}

function staleForOf(option: string, onStale: unknown, base: number): number {
  if (onStale === undefined) return base
  if (onStale === 'deny') return 0
  const expected = "'deny' or { allowFor: seconds }"
  if (typeof onStale !== 'object') throw invalid(`${option}.onStale`, expected)
  const { allowFor } = readFields(`${option}.onStale`, onStale, { allowFor: undefined })
  if (!isSeconds(allowFor)) throw invalid(`${option}.onStale.allowFor`, seconds)
  return allowFor
}

function materialOf(fields: AllFields, crl: boolean, ocsp: boolean): RevocationMaterial {
  const { crls, ocspResponses, source } = fields
  if (source === undefined) {
    return {
      crls: given('crls', crls, CrlAnswers.isOne, 'parseCrls', crl),
      responses: given(
        'ocspResponses',
        ocspResponses,
        OcspAnswers.isOne,
        'parseOcspResponses',
        ocsp,
      ),
    }
  }
  if (crls !== undefined || ocspResponses !== undefined || !(crl || ocsp)) {
    const text =
      crl || ocsp
        ? 'revocation.source has lists and responses of its own'
        : 'no rule of revocation looks at revocation.source'
    throw misuse('options-conflict', text, { option: 'revocation.source' })
  }
  if (!isProvider(source)) throw invalid('revocation.source', `${made} createRevocationSource${of}`)
  return source
}

/** What was given, where a rule looks at it; `undefined` where none does. */
function given<T>(
  field: string,
  value: unknown,
  isOne: (value: unknown) => value is T,
  maker: string,
  isNeeded: boolean,
): T | undefined {
  const isGiven = isOne(value)
  if (isGiven && isNeeded) return value
  if (value === undefined && !isNeeded) return undefined
  const option = `revocation.${field}`
  if (value === undefined) {
    const text = `${option} is missing: give what is ${made} ${maker}${of}, or a source`
    throw misuse('option-missing', text, { option })
  }
  if (!isGiven) throw invalid(option, `${made} ${maker}${of}`)
  throw misuse('options-conflict', `no rule of revocation looks at ${option}`, { option })
}

function waitOf({ wait = 0 }: AllFields, { request }: RevocationMaterial): number {
  const option = 'revocation.wait'
  if (!Number.isInteger(wait) || (wait as number) < 0 || (wait as number) > maxWait) {
    throw invalid(option, `a whole number of milliseconds from 0 to ${maxWait}`)
  }
  if (wait !== 0 && request === undefined) {
    throw misuse('options-conflict', `${option} has no effect without a source`, { option })
  }
  return wait as number
}

/**
 * The own fields of a plain object, each read once: what was checked is what is used, and nothing comes from a prototype.
 *
 * @param blank - All fields that there are, each `undefined`.
 */
function readFields<B extends Fields>(option: string, value: unknown, blank: B): B {
  const fields: Record<string, unknown> = { ...blank }
  for (const [field, one] of entriesOf(option, value)) {
    if (!Object.hasOwn(blank, field)) {
      const name = `${option}.${field}`
      throw misuse('option-unknown', `unknown option: ${name}`, { option: name })
    }
    fields[field] = one
  }
  return fields as B
}

function entriesOf(option: string, value: unknown): readonly [string, unknown][] {
  const isObject = typeof value === 'object' && value !== null
  const prototype: unknown = isObject ? Object.getPrototypeOf(value) : undefined
  // Fields of a class would be passed over.
  if (!isObject || (prototype !== null && prototype !== Object.prototype)) {
    throw invalid(option, 'a plain object')
  }
  return Object.entries(value)
}

function isProvider(value: unknown): value is StatusProvider {
  if (typeof value !== 'object' || value === null) return false
  const { crls, responses, request, epoch } = value as Partial<StatusProvider>
  return (
    CrlAnswers.isOne(crls) &&
    OcspAnswers.isOne(responses) &&
    typeof request === 'function' &&
    typeof epoch === 'number'
  )
}

function isMode(value: unknown): value is RevocationMode {
  return (modes as readonly unknown[]).includes(value)
}

function isSeconds(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= maxSeconds
}

function invalid(option: string, expected: string): TypeError {
  return misuse('option-invalid', `${option} must be ${expected}`, { option })
}

const made = 'made by'
const of = ' of mtls-policy/revocation'
const modes: readonly RevocationMode[] = ['none', 'crl', 'ocsp', 'crl-or-ocsp']
const modeWords = modes.join(', ')
interface RuleFields extends Fields {
  readonly mode: unknown
  readonly onUnknown: unknown
  readonly onStale: unknown
  readonly maxAge: unknown
}
interface AllFields extends RuleFields {
  readonly depth: unknown
  readonly perIssuer: unknown
  readonly crls: unknown
  readonly ocspResponses: unknown
  readonly source: unknown
  readonly wait: unknown
}
const noRuleFields: RuleFields = {
  mode: undefined,
  onUnknown: undefined,
  onStale: undefined,
  maxAge: undefined,
}
const noFields: AllFields = {
  ...noRuleFields,
  depth: undefined,
  perIssuer: undefined,
  crls: undefined,
  ocspResponses: undefined,
  source: undefined,
  wait: undefined,
}
const noOtherRules: ReadonlyMap<string, IssuerRule> = /* @__PURE__ */ new Map()
const defaultRule: IssuerRule = { mode: 'none', onUnknown: 'deny', staleFor: 0, maxAge: undefined }
/** Local limits: ten years, and a minute. */
const maxSeconds = 315_360_000
const maxWait = 60_000
const seconds = `a whole number of seconds from 0 to ${maxSeconds}`
