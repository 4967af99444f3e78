/** What a caller may ask for, and the checks that half a configuration does not pass. @module */

import { decider, isClientAcl, isIssuerAcl } from '../acl/decider.ts'
import type { AclWarning, ClientAcl, IssuerAcl } from '../acl/index.ts'
import { type AlgorithmOptions, algorithmPolicy } from '../path/algorithms.ts'
import { type BudgetOptions, defaultBudget } from '../path/budget.ts'
import type { IssuerIndex } from '../path/issuer-index.ts'
import type { PathOptions } from '../path/options.ts'
import { isPeerNameReadable, type PeerName } from '../path/peer-names.ts'
import type { PolicyInputs } from '../path/policies.ts'
import type { Profile } from '../path/profile.ts'
import type { ExtendedPurpose, Purpose } from '../path/purpose.ts'
import type { AnchorChecks } from '../path/trust-anchor.ts'
import type { KillList } from '../revocation/kill-list.ts'
import { KillLists } from '../revocation/kill-lists.ts'
import type { PreparedRevocation, RevocationMaterial } from '../revocation/rule.ts'
import type { CertificateSource } from './certificate-source.ts'
import { Intermediates, parseIntermediates } from './intermediates.ts'
import { misuse } from './misuse.ts'
import { OctetStore } from './octet-store.ts'
import { prepareRevocation, type RevocationOptions } from './revocation-options.ts'
import { TrustAnchors } from './trust-anchors.ts'

/** Everything that `validateClientCertificate` takes beside the certificate. */
export type ValidateOptions = CommonOptions &
  (Validating | NotValidating) &
  (WithIssuerAcl | WithoutIssuerAcl)

interface CommonOptions {
  /** The only clock. Absent: now, read once. Fractions of a second are dropped. */
  readonly time?: Date | undefined
  /** Who is refused whatever else holds; from `createKillList`. Changes count at once. */
  readonly killList?: KillList | undefined
}

/** The whole path is validated: the default. */
interface Validating extends PolicyInputs {
  /** The policy document's switch: signatures, dates, path. */
  readonly validateCertificate?: true | undefined
  readonly trustAnchors: TrustAnchors
  /** What is known besides what the client sends. A parsed pool serves many calls; anything else is parsed for each. */
  readonly intermediates?:
    | Intermediates
    | CertificateSource
    | readonly CertificateSource[]
    | undefined
  /** Who may come in, by their own certificate. */
  readonly clientAcl?: ClientAcl | undefined
  /** Default `clientAuth`. */
  readonly purpose?: Purpose | undefined
  /** What an extended key usage may say in place of `purpose`. */
  readonly acceptedPurposes?: readonly ExtendedPurpose[] | undefined
  /** For purpose `serverAuth`: one of them must be in the subjectAltName. RFC 9525 §6 */
  readonly expectedPeerNames?: readonly PeerName[] | undefined
  /** Default `interoperable`. */
  readonly profile?: Profile | undefined
  /** Certificates between target and anchor, self-issued ones not counted; default 32. */
  readonly maxIntermediates?: number | undefined
  /** What one validation may cost; absent fields have the defaults of `defaultBudget`. */
  readonly budget?: BudgetOptions | undefined
  readonly algorithms?: AlgorithmOptions | undefined
  /** Seconds by which validity periods are widened at both ends; default 0, at most 86,400. */
  readonly clockTolerance?: number | undefined
  /** Default: both true. */
  readonly anchorChecks?: Partial<AnchorChecks> | undefined
  /** Whether a certificate that is itself an anchor is accepted; default `refuse`. */
  readonly pinnedTarget?: PathOptions['pinnedTarget'] | undefined
  /** Default: `{ mode: 'none' }`, with a warning in the verdict. */
  readonly revocation?: RevocationOptions | undefined
}

/** Nothing is proven: the certificate is read, and its issuer's name may be held against the ACL. */
interface NotValidating {
  readonly validateCertificate: false
  readonly trustAnchors?: TrustAnchors | undefined
  /** Who the client is, only a validated path tells. */
  readonly clientAcl?: undefined
}

interface WithIssuerAcl {
  /** The policy document's switch: issuer in the ACL. Default: true when an ACL is given. */
  readonly validateACLForIssuer?: boolean | undefined
  /** Who may issue. An empty one refuses all. */
  readonly issuerAcl: IssuerAcl
}

interface WithoutIssuerAcl {
  readonly validateACLForIssuer?: false | undefined
  readonly issuerAcl?: undefined
}

/** Options that were checked; what each call needs, in the form that it needs it. */
export interface Prepared {
  /** Absent: nothing is validated. */
  readonly path: PreparedPath | undefined
  readonly hasAcl: boolean
  readonly aclWarnings: readonly AclWarning[]
  readonly issuerAcl: IssuerAcl | undefined
  readonly clientAcl: ClientAcl | undefined
  readonly killList: KillList | undefined
  /** Absent: revocation is not checked. */
  readonly revocation: PreparedRevocation | undefined
  /** What changes between calls: a verdict is not to be reused once one of these has another epoch. */
  readonly live: readonly Live[]
  /** What the first call finds out for all of them. */
  readonly memory: Memory
}

export interface PreparedPath extends Omit<PathOptions, 'time' | 'intermediates'> {
  readonly known: readonly IssuerIndex[]
  /** `anchors`, then `known`. */
  readonly sources: readonly IssuerIndex[]
}

export interface Live {
  readonly epoch: number
}

export interface Memory {
  /** `issuerAcl`, its denials by fingerprint widened over anchors and known intermediates. */
  widenedAcl: IssuerAcl | undefined
  readonly octets: OctetStore
}

/**
 * Checks options; the result serves any number of calls, whatever becomes of `options`.
 *
 * @throws TypeError with a `code` of `MisuseCode`.
 */
export function prepareOptions(given: ValidateOptions): Prepared {
  if (typeof given !== 'object' || given === null) {
    throw misuse('option-missing', 'options are missing: give at least trustAnchors')
  }
  const options = readOptions(given)
  const { validateACLForIssuer, issuerAcl } = options
  if (validateACLForIssuer === true && issuerAcl === undefined) {
    const message = 'validateACLForIssuer is true, but there is no issuerAcl'
    throw misuse('option-missing', message, { option: 'issuerAcl' })
  }
  const effectiveAcl = validateACLForIssuer === false ? undefined : issuerAcl
  if (options.validateCertificate !== false) return prepareValidation(options, effectiveAcl)
  for (const [option, value] of Object.entries(options)) {
    if (value !== undefined && !withoutValidation.includes(option)) {
      conflict(option, 'validateCertificate: false')
    }
  }
  return {
    path: undefined,
    hasAcl: effectiveAcl !== undefined,
    aclWarnings: [],
    issuerAcl: effectiveAcl,
    clientAcl: undefined,
    killList: options.killList,
    revocation: undefined,
    live: liveOf(options.killList),
    memory: { widenedAcl: undefined, octets: new OctetStore() },
  }
}

/**
 * The checks of `prepareOptions` that need no trust anchors.
 *
 * @throws TypeError with a `code` of `MisuseCode`.
 */
export function checkOptions(given: object): void {
  const { purpose, acceptedPurposes, revocation } = readOptions(given) as CommonOptions & Validating
  if (purpose === 'any' && acceptedPurposes !== undefined) {
    conflict('acceptedPurposes', "purpose 'any'")
  }
  if (revocation !== undefined) prepareRevocation(revocation)
}

function prepareValidation(
  options: CommonOptions & Validating,
  issuerAcl: IssuerAcl | undefined,
): Prepared {
  const { trustAnchors, intermediates, clientAcl, acceptedPurposes, anchorChecks } = options
  if (trustAnchors === undefined) {
    const message = 'trustAnchors is missing: give parseTrustAnchors(…)'
    throw misuse('trust-anchors-missing', message, { option: 'trustAnchors' })
  }
  const { purpose = 'clientAuth' } = options
  if (purpose === 'any' && acceptedPurposes !== undefined) {
    conflict('acceptedPurposes', "purpose 'any'")
  }
  const known = intermediates === undefined ? [] : [poolOf(intermediates).index]
  const revocation =
    options.revocation === undefined ? undefined : prepareRevocation(options.revocation)
  return {
    path: {
      anchors: trustAnchors.index,
      known,
      sources: [trustAnchors.index, ...known],
      clockTolerance: options.clockTolerance ?? 0,
      profile: options.profile ?? 'interoperable',
      algorithms: algorithmPolicy(options.algorithms),
      anchorChecks: {
        validity: anchorChecks?.validity ?? true,
        constraints: anchorChecks?.constraints ?? true,
      },
      purpose,
      acceptedPurposes,
      expectedPeerNames: options.expectedPeerNames,
      maxIntermediates: options.maxIntermediates ?? defaultMaxIntermediates,
      budget: options.budget,
      policies: {
        userInitialPolicySet: options.userInitialPolicySet,
        initialExplicitPolicy: options.initialExplicitPolicy,
        initialPolicyMappingInhibit: options.initialPolicyMappingInhibit,
        initialAnyPolicyInhibit: options.initialAnyPolicyInhibit,
      },
      pinnedTarget: options.pinnedTarget ?? 'refuse',
    },
    hasAcl: issuerAcl !== undefined || clientAcl !== undefined,
    aclWarnings: issuerAcl?.[decider].warnings(trustAnchors.anchors.length) ?? [],
    issuerAcl,
    clientAcl,
    killList: options.killList,
    revocation,
    live: liveOf(options.killList, revocation?.material),
    memory: { widenedAcl: undefined, octets: new OctetStore() },
  }
}

function liveOf(killList: KillList | undefined, material?: RevocationMaterial): readonly Live[] {
  const live: Live[] = killList === undefined ? [] : [killList]
  if (material?.request !== undefined) live.push(material)
  return live
}

function poolOf(source: NonNullable<Validating['intermediates']>): Intermediates {
  return source instanceof Intermediates ? source : parseIntermediates(source)
}

/**
 * Whole Unix seconds of a `Date`.
 *
 * @throws TypeError with code `option-invalid` for anything else, an Invalid Date included.
 */
export function secondsOf(time: Date): number {
  checks.time('time', time)
  return Math.floor(time.getTime() / 1000)
}

/**
 * The options as they were at one moment, each one checked. All of them are own fields, so that nothing comes from a prototype and every
 * call's have one shape.
 */
function readOptions(given: object): ValidateOptions & Record<string, unknown> {
  refuseClasses('options', given)
  const options: Record<string, unknown> = { ...noOptions }
  for (const option of Object.keys(given)) {
    const check = checkOf(checks, option, option)
    const one = (given as Record<string, unknown>)[option]
    const value = structured.has(option) ? readOnce(option, one) : one
    if (value !== undefined) check(option, value)
    options[option] = value
  }
  return options as ValidateOptions & Record<string, unknown>
}

/**
 * A copy whose fields are what was there at one moment: what was checked is what is used, whatever a getter says the next time, and
 * nothing comes from a prototype. Lists are copied with their items.
 */
function readOnce(option: string, value: unknown): unknown {
  if (Array.isArray(value)) return Array.from(value, (item) => readOnce(option, item))
  if (typeof value !== 'object' || value === null) return value
  refuseClasses(option, value)
  return Object.assign(Object.create(null), value)
}

/** Fields of a class would be passed over. */
function refuseClasses(option: string, value: object): void {
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    when('a plain object', () => false)(option, value)
  }
}

/** Throws unless the value, which is not `undefined`, is one for this option. */
type Check = (option: string, value: unknown) => void

function when(expected: string, isValid: (value: unknown) => boolean): Check {
  return (option, value) => {
    if (isValid(value)) return
    throw misuse('option-invalid', `${option} must be ${expected}`, { option })
  }
}

function oneOf<T extends string>(...allowed: readonly T[]): Check {
  return when(allowed.join(', '), (value) => (allowed as readonly unknown[]).includes(value))
}

function count(maximum: number): Check {
  return when(
    `a whole number from 0 to ${maximum}`,
    (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= maximum,
  )
}

/** A list that is not empty. */
function list(expected: string, isValid: (item: never) => boolean): Check {
  return when(
    `a list of ${expected}, not empty`,
    (value) => Array.isArray(value) && value.length > 0 && (value as never[]).every(isValid),
  )
}

/** An object with no other fields than these. */
function fields(table: Readonly<Record<string, Check>>): Check {
  return (option, value) => {
    if (typeof value !== 'object' || value === null) when('an object', () => false)(option, value)
    for (const [field, one] of Object.entries(value as object)) {
      const name = `${option}.${field}`
      const check = checkOf(table, field, name)
      if (one !== undefined) check(name, one)
    }
  }
}

function checkOf(table: Readonly<Record<string, Check>>, field: string, name: string): Check {
  const check = Object.hasOwn(table, field) ? table[field] : undefined
  if (check !== undefined) return check
  const message = `unknown option: ${name}${nearest(field, Object.keys(table))}`
  throw misuse('option-unknown', message, { option: name })
}

/** A hint for the commonest mistake: another case, or letters too many or too few at the end. */
function nearest(name: string, known: readonly string[]): string {
  const plain = name.toLowerCase()
  const meant = known.find((one) => {
    const other = one.toLowerCase()
    return other.startsWith(plain) || plain.startsWith(other)
  })
  return meant === undefined ? '' : ` (did you mean ${meant}?)`
}

function conflict(option: string, beside: string): never {
  throw misuse('options-conflict', `${option} has no effect with ${beside}`, { option })
}

const flag: Check = when('true or false', (value) => typeof value === 'boolean')
const extendedPurposes: readonly ExtendedPurpose[] = ['clientAuth', 'serverAuth']

/** Every option. */
const checks = {
  time: when('a valid Date', (value) => value instanceof Date && !Number.isNaN(value.getTime())),
  validateCertificate: flag,
  validateACLForIssuer: flag,
  issuerAcl: when('made by parseIssuerAcl of mtls-policy/acl', isIssuerAcl),
  killList: when('made by createKillList of mtls-policy/revocation', KillLists.isOne),
  trustAnchors: (option, value) => {
    if (value instanceof TrustAnchors) return
    throw misuse('trust-anchors-missing', 'trustAnchors must be made by parseTrustAnchors', {
      option,
    })
  },
  intermediates: () => {},
  clientAcl: when('made by parseClientAcl of mtls-policy/acl', isClientAcl),
  purpose: oneOf<Purpose>(...extendedPurposes, 'any'),
  acceptedPurposes: list(extendedPurposes.join(' or '), (one: ExtendedPurpose) =>
    extendedPurposes.includes(one),
  ),
  expectedPeerNames: list(
    "{ kind: 'DNS' | 'IP' | 'RFC822', value }",
    (name: PeerName) => typeof name?.value === 'string' && isPeerNameReadable(name),
  ),
  profile: oneOf<Profile>('interoperable', 'rfc5280'),
  maxIntermediates: count(100),
  budget: fields(
    Object.fromEntries(
      Object.keys(defaultBudget).map((name) => [
        name,
        (option: string, value: unknown) => {
          if (value !== Number.POSITIVE_INFINITY) count(Number.MAX_SAFE_INTEGER)(option, value)
        },
      ]),
    ),
  ),
  algorithms: fields({
    dangerouslyAllowSha1: flag,
    dangerouslyAllowMd5: flag,
    dangerouslyAllowDsa: flag,
    dangerouslyMinimumRsaBits: count(8192),
  }),
  clockTolerance: count(86_400),
  anchorChecks: fields({ validity: flag, constraints: flag }),
  pinnedTarget: oneOf<PathOptions['pinnedTarget']>('refuse', 'accept', 'accept-self-signed'),
  // Read whole by `prepareRevocation`.
  revocation: () => {},
  userInitialPolicySet: when(
    'a list of object identifiers in dotted decimal',
    (value) => Array.isArray(value) && value.every((oid) => /^[0-2](\.\d+)+$/.test(oid)),
  ),
  initialExplicitPolicy: flag,
  initialPolicyMappingInhibit: flag,
  initialAnyPolicyInhibit: flag,
} satisfies Readonly<Record<string, Check>>

/** Their names. */
export const optionNames: readonly string[] = /* @__PURE__ */ Object.keys(checks)

/** Each absent. */
const noOptions: Readonly<Record<string, undefined>> = /* @__PURE__ */ Object.fromEntries(
  /* @__PURE__ */ optionNames.map((name) => [name, undefined]),
)

/** Those that are read field by field or item by item. */
const structured: ReadonlySet<string> = /* @__PURE__ */ new Set([
  'acceptedPurposes',
  'expectedPeerNames',
  'budget',
  'algorithms',
  'anchorChecks',
  'userInitialPolicySet',
])

/** What counts when nothing is validated. */
const withoutValidation: readonly string[] = [
  'time',
  'validateCertificate',
  'validateACLForIssuer',
  'issuerAcl',
  'killList',
  'trustAnchors',
]

/**
 * Local limit: real paths have under five; OpenSSL stops at 100, rustls-webpki at 6, pyca at 8. The budget bounds the work either way.
 */
const defaultMaxIntermediates = 32
