/** What a caller may ask for, and the checks that half a configuration does not pass. @module */

import { isAcl } from '../acl/compiled.ts'
import { type AclWarning, type ClientAcl, type IssuerAcl, issuerAclWarnings } from '../acl/index.ts'
import { type AlgorithmOptions, algorithmPolicy } from '../path/algorithms.ts'
import { type BudgetOptions, defaultBudget } from '../path/budget.ts'
import type { IssuerIndex } from '../path/issuer-index.ts'
import type { PathOptions } from '../path/options.ts'
import { isPeerNameReadable, type PeerName } from '../path/peer-names.ts'
import type { PolicyInputs } from '../path/policies.ts'
import type { Profile } from '../path/profile.ts'
import type { ExtendedPurpose, Purpose } from '../path/purpose.ts'
import type { AnchorChecks } from '../path/trust-anchor.ts'
import type { CertificateSource } from './certificate-source.ts'
import { Intermediates, parseIntermediates } from './intermediates.ts'
import { type MisuseCode, misuse } from './misuse.ts'
import { TrustAnchors } from './trust-anchors.ts'

/** Everything that `validateClientCertificate` takes beside the certificate. */
export type ValidateOptions = CommonOptions &
  (Validating | NotValidating) &
  (WithIssuerAcl | WithoutIssuerAcl)

interface CommonOptions {
  /** The only clock. Absent: now, read once. Fractions of a second are dropped. */
  readonly time?: Date | undefined
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
  readonly revocation?: Revocation | undefined
}

/** Revocation is not checked; the verdict says so in a warning. */
export interface Revocation {
  readonly mode: 'none'
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
  /** What the first call finds out for all of them. */
  readonly memory: Memory
}

export interface PreparedPath extends Omit<PathOptions, 'time' | 'intermediates'> {
  readonly known: readonly IssuerIndex[]
  /** `anchors`, then `known`. */
  readonly sources: readonly IssuerIndex[]
}

export interface Memory {
  /** `issuerAcl`, its denials by fingerprint widened over anchors and known intermediates. */
  widenedAcl: IssuerAcl | undefined
}

/**
 * Checks options; the result serves any number of calls.
 *
 * @throws TypeError with a `code` of `MisuseCode`.
 */
export function prepareOptions(options: ValidateOptions): Prepared {
  if (typeof options !== 'object' || options === null) {
    throw misuse('option-missing', 'options are missing: give at least trustAnchors')
  }
  for (const name of Object.keys(options)) {
    if (!names.has(name))
      throw misuse('option-unknown', `unknown option: ${name}${nearest(name)}`, { option: name })
  }
  const { validateACLForIssuer, issuerAcl } = options
  checkBoolean('validateCertificate', options.validateCertificate)
  checkBoolean('validateACLForIssuer', validateACLForIssuer)
  if (validateACLForIssuer === true && issuerAcl === undefined) {
    throw misuse('option-missing', 'validateACLForIssuer is true, but there is no issuerAcl', {
      option: 'issuerAcl',
    })
  }
  checkAcl('issuerAcl', issuerAcl)
  const effectiveAcl = validateACLForIssuer === false ? undefined : issuerAcl
  if (options.validateCertificate === false) {
    for (const name of Object.keys(options)) {
      if (
        !namesWithoutValidation.has(name) &&
        options[name as keyof typeof options] !== undefined
      ) {
        throw misuse('options-conflict', `${name} has no effect with validateCertificate: false`, {
          option: name,
        })
      }
    }
    return {
      path: undefined,
      hasAcl: effectiveAcl !== undefined,
      aclWarnings: [],
      issuerAcl: effectiveAcl,
      clientAcl: undefined,
      memory: { widenedAcl: undefined },
    }
  }
  return prepareValidation(options, effectiveAcl)
}

function prepareValidation(options: Validating, issuerAcl: IssuerAcl | undefined): Prepared {
  const { trustAnchors, intermediates, clientAcl } = options
  if (!(trustAnchors instanceof TrustAnchors)) {
    throw misuse('trust-anchors-missing', 'trustAnchors is missing: give parseTrustAnchors(…)', {
      option: 'trustAnchors',
    })
  }
  checkAcl('clientAcl', clientAcl)
  const purpose = choice('purpose', options.purpose, purposes, 'clientAuth')
  const { acceptedPurposes, expectedPeerNames, algorithms, revocation, anchorChecks } = options
  if (acceptedPurposes !== undefined) {
    if (!Array.isArray(acceptedPurposes) || acceptedPurposes.length === 0)
      throw invalid('acceptedPurposes', 'a list that is not empty')
    for (const one of acceptedPurposes) choice('acceptedPurposes', one, extendedPurposes, undefined)
    if (purpose === 'any')
      throw misuse('options-conflict', "acceptedPurposes has no effect with purpose 'any'", {
        option: 'acceptedPurposes',
      })
  }
  checkPeerNameOptions(expectedPeerNames)
  checkAlgorithms(algorithms)
  checkPolicyInputs(options)
  if (revocation !== undefined && revocation?.mode !== 'none')
    throw invalid('revocation', "{ mode: 'none' }")
  const checks = record('anchorChecks', anchorChecks, ['validity', 'constraints'])
  for (const [name, value] of Object.entries(checks)) checkBoolean(`anchorChecks.${name}`, value)
  const known =
    intermediates === undefined
      ? []
      : [
          (intermediates instanceof Intermediates
            ? intermediates
            : parseIntermediates(intermediates)
          ).index,
        ]
  return {
    path: {
      anchors: trustAnchors.index,
      known,
      sources: [trustAnchors.index, ...known],
      clockTolerance: count('clockTolerance', options.clockTolerance, 0, 86_400),
      profile: choice('profile', options.profile, profiles, 'interoperable'),
      algorithms: algorithmPolicy(algorithms),
      anchorChecks: {
        validity: anchorChecks?.validity ?? true,
        constraints: anchorChecks?.constraints ?? true,
      },
      purpose,
      acceptedPurposes,
      expectedPeerNames,
      maxIntermediates: count(
        'maxIntermediates',
        options.maxIntermediates,
        defaultMaxIntermediates,
        100,
      ),
      budget: checkBudget(options.budget),
      policies: options,
      pinnedTarget: choice('pinnedTarget', options.pinnedTarget, pinnedTargets, 'refuse'),
    },
    hasAcl: issuerAcl !== undefined || clientAcl !== undefined,
    aclWarnings:
      issuerAcl === undefined ? [] : issuerAclWarnings(issuerAcl, trustAnchors.anchors.length),
    issuerAcl,
    clientAcl,
    memory: { widenedAcl: undefined },
  }
}

/**
 * Whole Unix seconds of a `Date`.
 *
 * @throws TypeError with code `option-invalid` for anything else, an Invalid Date included.
 */
export function secondsOf(time: Date): number {
  const milliseconds = time instanceof Date ? time.getTime() : Number.NaN
  if (Number.isNaN(milliseconds)) throw invalid('time', 'a valid Date')
  return Math.floor(milliseconds / 1000)
}

function checkPeerNameOptions(names: readonly PeerName[] | undefined): void {
  if (names === undefined) return
  if (!Array.isArray(names) || names.length === 0)
    throw invalid('expectedPeerNames', 'a list that is not empty')
  for (const name of names) {
    if (!isPeerNameReadable(name))
      throw invalid(
        'expectedPeerNames',
        "{ kind: 'DNS' | 'IP' | 'RFC822', value } with a value of that kind",
      )
  }
}

function checkAlgorithms(algorithms: AlgorithmOptions | undefined): void {
  const { dangerouslyMinimumRsaBits, ...flags } = record('algorithms', algorithms, [
    'dangerouslyAllowSha1',
    'dangerouslyAllowMd5',
    'dangerouslyAllowDsa',
    'dangerouslyMinimumRsaBits',
  ])
  for (const [name, value] of Object.entries(flags)) checkBoolean(`algorithms.${name}`, value)
  count('algorithms.dangerouslyMinimumRsaBits', dangerouslyMinimumRsaBits, 2048, 8192)
}

function checkPolicyInputs(options: PolicyInputs): void {
  const { userInitialPolicySet } = options
  checkBoolean('initialExplicitPolicy', options.initialExplicitPolicy)
  checkBoolean('initialPolicyMappingInhibit', options.initialPolicyMappingInhibit)
  checkBoolean('initialAnyPolicyInhibit', options.initialAnyPolicyInhibit)
  if (userInitialPolicySet === undefined) return
  const isList =
    Array.isArray(userInitialPolicySet) &&
    userInitialPolicySet.every((oid) => /^[0-2](\.\d+)+$/.test(oid))
  if (!isList)
    throw invalid('userInitialPolicySet', 'a list of object identifiers in dotted decimal')
}

function checkBudget(budget: BudgetOptions | undefined): BudgetOptions | undefined {
  for (const [name, value] of Object.entries(
    record('budget', budget, Object.keys(defaultBudget)),
  )) {
    if (value === Number.POSITIVE_INFINITY) continue
    count(`budget.${name}`, value, 0, Number.MAX_SAFE_INTEGER)
  }
  return budget
}

function checkAcl(option: string, acl: unknown): void {
  if (acl !== undefined && !isAcl(acl)) {
    throw invalid(
      option,
      `an ACL, made by ${option === 'issuerAcl' ? 'parseIssuerAcl' : 'parseClientAcl'}`,
    )
  }
}

function checkBoolean(option: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') throw invalid(option, 'true or false')
}

function choice<T extends string>(
  option: string,
  value: unknown,
  allowed: readonly T[],
  otherwise: T | undefined,
): T {
  if (value === undefined && otherwise !== undefined) return otherwise
  if (!(allowed as readonly unknown[]).includes(value)) throw invalid(option, allowed.join(', '))
  return value as T
}

/** A whole number from 0 to `maximum`. */
function count(option: string, value: unknown, otherwise: number, maximum: number): number {
  if (value === undefined) return otherwise
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > maximum) {
    throw invalid(option, `a whole number from 0 to ${maximum}`)
  }
  return value as number
}

/** An object with no other fields than these. */
function record(
  option: string,
  value: unknown,
  fields: readonly string[],
): Record<string, unknown> {
  if (value === undefined) return {}
  if (typeof value !== 'object' || value === null)
    throw invalid(option, `an object with ${fields.join(', ')}`)
  for (const name of Object.keys(value)) {
    if (!fields.includes(name))
      throw misuse('option-unknown', `unknown option: ${option}.${name}`, {
        option: `${option}.${name}`,
      })
  }
  return value as Record<string, unknown>
}

function invalid(option: string, expected: string): TypeError {
  return misuse('option-invalid' satisfies MisuseCode, `${option} must be ${expected}`, { option })
}

/** A hint for the commonest mistake: another case, or a letter too many or too few. */
function nearest(name: string): string {
  const plain = name.toLowerCase()
  for (const known of names) {
    const other = known.toLowerCase()
    if (plain === other || other.startsWith(plain) || plain.startsWith(other))
      return ` (did you mean ${known}?)`
  }
  return ''
}

/**
 * Local limit: real paths have under five; OpenSSL stops at 100, rustls-webpki at 6, pyca at 8. The budget bounds the work either way.
 */
const defaultMaxIntermediates = 32
const purposes: readonly Purpose[] = ['clientAuth', 'serverAuth', 'any']
const extendedPurposes: readonly ExtendedPurpose[] = ['clientAuth', 'serverAuth']
const profiles: readonly Profile[] = ['interoperable', 'rfc5280']
const pinnedTargets: readonly PathOptions['pinnedTarget'][] = [
  'refuse',
  'accept',
  'accept-self-signed',
]
const namesWithoutValidation: ReadonlySet<string> = new Set([
  'time',
  'validateCertificate',
  'validateACLForIssuer',
  'issuerAcl',
  'trustAnchors',
])
const names: ReadonlySet<string> = new Set([
  ...namesWithoutValidation,
  'intermediates',
  'clientAcl',
  'purpose',
  'acceptedPurposes',
  'expectedPeerNames',
  'profile',
  'maxIntermediates',
  'budget',
  'algorithms',
  'clockTolerance',
  'anchorChecks',
  'pinnedTarget',
  'revocation',
  'userInitialPolicySet',
  'initialExplicitPolicy',
  'initialPolicyMappingInhibit',
  'initialAnyPolicyInhibit',
])
