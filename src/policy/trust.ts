/** What policies are held against: anchors, ACLs, revocation. Configured beside the documents, for all of them. @module */

import type { IssuerAcl } from '../acl/index.ts'
import { formatAcl } from '../acl/text.ts'
import { misuse } from '../client/misuse.ts'
import { checkOptions, type Live, prepareOptions, type ValidateOptions } from '../client/options.ts'
import type { TrustAnchors } from '../client/trust-anchors.ts'
import type { Policy } from './policy.ts'

type Validating = Extract<ValidateOptions, { readonly trustAnchors: TrustAnchors }>

/** As the options of `validateClientCertificate`, without what the documents say. */
export interface Trust
  extends Omit<
    Validating,
    | 'time'
    | 'validateCertificate'
    | 'validateACLForIssuer'
    | 'clientAcl'
    | 'trustAnchors'
    | 'issuerAcl'
  > {
  /** Needed by every policy with `validateCertificate`. */
  readonly trustAnchors?: TrustAnchors | undefined
  /** Needed by every policy with `validateACLForIssuer`. */
  readonly issuerAcl?: IssuerAcl | undefined
}

/** Policies that validate in the same way share one rule, and one validation. */
export interface Rules {
  readonly options: readonly ValidateOptions[]
  /** Index in `options`. */
  readonly indexOf: (policy: Policy) => number
  /** What changes while the rules stay. */
  readonly live: readonly Live[]
}

/**
 * The ways in which these policies validate.
 *
 * @throws TypeError with a `code` when a policy wants something that is not configured, or an option makes no sense.
 */
export function rulesOf(policies: Iterable<Policy>, trust: Trust): Rules {
  for (const option of ['validateCertificate', 'validateACLForIssuer', 'clientAcl', 'time']) {
    if ((trust as Readonly<Record<string, unknown>>)[option] !== undefined) {
      const where = option === 'time' ? 'the clock is each request’s own' : 'a policy says it'
      throw misuse('options-conflict', `${option} is no option here: ${where}`, { option })
    }
  }
  // Whether or not a policy looks at them now: a misspelt option must not wait until one does.
  if (trust.trustAnchors === undefined) checkOptions(trust)
  else {
    const { trustAnchors, issuerAcl, ...rest } = trust
    prepareOptions(
      issuerAcl === undefined ? { ...rest, trustAnchors } : { ...rest, trustAnchors, issuerAcl },
    )
  }
  const options: ValidateOptions[] = []
  const known = new Map<string, number>()
  const indexes = new Map<Policy, number>()
  const live = new Set<Live>()
  for (const policy of policies) {
    const key = keyOf(policy)
    let index = known.get(key)
    if (index === undefined) {
      index = options.length
      const one = optionsOf(policy, trust)
      for (const part of prepareOptions(one).live) live.add(part)
      options.push(one)
      known.set(key, index)
    }
    indexes.set(policy, index)
  }
  return { options, indexOf: (policy) => indexes.get(policy) as number, live: [...live] }
}

function keyOf({ validateCertificate, validateACLForIssuer, clientAcl }: Policy): string {
  const acl = clientAcl === undefined ? '' : `\n${formatAcl(clientAcl)}`
  return `${validateCertificate} ${validateACLForIssuer}${acl}`
}

/** The options under which a policy's client is validated. */
function optionsOf(policy: Policy, trust: Trust): ValidateOptions {
  const { name, validateCertificate, validateACLForIssuer, clientAcl } = policy
  const { trustAnchors, issuerAcl, killList, ...rest } = trust
  if (validateACLForIssuer && issuerAcl === undefined) {
    throw misuse(
      'option-missing',
      `policy ${name} has validateACLForIssuer, true if left out, but there is no issuerAcl`,
      { option: 'issuerAcl' },
    )
  }
  const acl = validateACLForIssuer && issuerAcl !== undefined ? { issuerAcl } : {}
  if (!validateCertificate) return { validateCertificate, killList, ...acl }
  if (trustAnchors === undefined) {
    throw misuse(
      'trust-anchors-missing',
      `policy ${name} has validateCertificate, true if left out, but there are no trustAnchors`,
      { option: 'trustAnchors' },
    )
  }
  return { ...rest, trustAnchors, killList, clientAcl, ...acl }
}
