/**
 * Certificate policies: RFC 5280 §6.1 as RFC 9618 §5 rewrites it, with a graph that grows with the input instead of a tree
 * that grows with its product (CVE-2023-0464).
 *
 * One state serves one path. It is fed from the trust anchor's side: `processPolicies` for every certificate,
 * `preparePolicies` after each but the target, `finishPolicies` after the target.
 *
 * @module
 */
import { failed, type Result, success } from '../base/result.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { PolicyInformation, PolicyMapping } from '../x509/extensions.ts'

export const anyPolicy = '2.5.29.32.0'

/** What the caller may ask for. RFC 5280 §6.1.1 (c), (e), (f), (g) */
export interface PolicyInputs {
  /** Dotted decimal; absent: any policy. An empty set accepts none. */
  readonly userInitialPolicySet?: readonly string[] | undefined
  readonly initialExplicitPolicy?: boolean | undefined
  readonly initialPolicyMappingInhibit?: boolean | undefined
  readonly initialAnyPolicyInhibit?: boolean | undefined
}

/** Graph nodes, edges and policy entries that may still be looked at; may be shared by all candidate paths of one search. */
export interface PolicyBudget {
  policies: number
}

/** What came out of the policies of a path. RFC 5280 §6.1.6 */
export interface PolicyOutcome {
  /** True when some certificate or the caller required a valid policy, and there is one. */
  readonly explicitPolicy: boolean
  /** Policies that the issuers of the path vouch for, in the terms of the trust anchor; `2.5.29.32.0` stands for any. */
  readonly authorityConstrainedPolicySet: readonly string[]
  /** Those of them that the caller accepts. */
  readonly userConstrainedPolicySet: readonly string[]
}

/** `index`: position in the path, 0 is the target; the trust anchor's is the number of certificates below it. */
export type PolicyFailure =
  | { readonly code: 'policy-required'; readonly index: number }
  | {
      readonly code: 'policy-mapping-any'
      readonly index: number
      readonly issuerDomainPolicy: string
      readonly subjectDomainPolicy: string
    }
  | { readonly code: 'policy-duplicate'; readonly index: number; readonly policy: string }
  | {
      readonly code: 'policy-qualifier-unknown'
      readonly index: number
      readonly policy: string
      readonly qualifier: string
    }
  | { readonly code: 'budget-exhausted'; readonly of: 'policies' }

/** Opaque to callers: make it with `startPolicies`, change it only through the functions of this file. */
export interface PolicyState {
  /** Nodes of the depth that was reached, by valid_policy; `undefined` is the NULL graph. Parents hold the rest of the graph. */
  level: Level | undefined
  explicitPolicy: number
  policyMapping: number
  inhibitAnyPolicy: number
  readonly userInitialPolicySet: readonly string[] | undefined
  readonly budget: PolicyBudget
}

type Level = ReadonlyMap<string, Node>

interface Node {
  readonly policy: string
  /** Nodes one depth up; either all of them expect `policy`, or the only one is anyPolicy. Empty at depth 0. */
  readonly parents: readonly Node[]
  /** expected_policy_set, where policy mappings replaced it; otherwise it is `policy` alone. */
  readonly expected: ReadonlySet<string> | undefined
}

/**
 * The initial state of one path. RFC 5280 §6.1.2 (a), (d), (e), (f)
 *
 * @param budget - Counted down as certificates are processed.
 */
export function startPolicies(
  inputs: PolicyInputs,
  budget: PolicyBudget = { policies: defaultPolicyBudget },
): PolicyState {
  return {
    level: depthZero,
    explicitPolicy: inputs.initialExplicitPolicy ? 0 : untouched,
    policyMapping: inputs.initialPolicyMappingInhibit ? 0 : untouched,
    inhibitAnyPolicy: inputs.initialAnyPolicyInhibit ? 0 : untouched,
    userInitialPolicySet: inputs.userInitialPolicySet?.includes(anyPolicy)
      ? undefined
      : inputs.userInitialPolicySet,
    budget,
  }
}

/**
 * Takes the next certificate from the anchor's side. RFC 5280 §6.1.3 (d), (e), (f), as RFC 9618 §5.3 has it
 *
 * @param index - 0 is the target.
 * @param selfIssued - Subject and issuer are the same name.
 */
export function processPolicies(
  state: PolicyState,
  certificate: Certificate,
  index: number,
  selfIssued: boolean,
): PolicyFailure | undefined {
  const extension = certificate.tbsCertificate.extensions.certificatePolicies
  if (extension === undefined) {
    state.level = undefined
  } else {
    const failure =
      checkPolicyInformation(state, extension.policies, extension.critical, index) ??
      descend(state, extension.policies, index > 0 && selfIssued)
    if (failure !== undefined) return failure
  }
  // Step (f).
  if (state.explicitPolicy === 0 && state.level === undefined) {
    return { code: 'policy-required', index }
  }
  return undefined
}

/**
 * Takes the certificate of the trust anchor as if it were the path's first (RFC 5937 §3.2 allows that, and says less). One
 * difference: an anchor that lists no policies is not held to "none", because roots as a rule do not list any.
 *
 * @param index - The number of certificates below the anchor.
 */
export function processAnchorPolicies(
  state: PolicyState,
  anchor: Certificate,
  index: number,
  selfIssued: boolean,
): PolicyFailure | undefined {
  if (anchor.tbsCertificate.extensions.certificatePolicies !== undefined) {
    const failure = processPolicies(state, anchor, index, selfIssued)
    if (failure !== undefined) return failure
  }
  return preparePolicies(state, anchor, index, selfIssued)
}

/**
 * Prepares for the certificate below `certificate`. RFC 5280 §6.1.4 (a), (b), (h), (i), (j), as RFC 9618 §5.4 has it
 */
export function preparePolicies(
  state: PolicyState,
  certificate: Certificate,
  index: number,
  selfIssued: boolean,
): PolicyFailure | undefined {
  const { policyMappings, policyConstraints, inhibitAnyPolicy } =
    certificate.tbsCertificate.extensions
  if (policyMappings !== undefined) {
    const failure = mapPolicies(state, policyMappings.mappings, index)
    if (failure !== undefined) return failure
  }
  if (!selfIssued) {
    if (state.explicitPolicy !== 0) state.explicitPolicy--
    if (state.policyMapping !== 0) state.policyMapping--
    if (state.inhibitAnyPolicy !== 0) state.inhibitAnyPolicy--
  }
  if (policyConstraints !== undefined) {
    const { requireExplicitPolicy, inhibitPolicyMapping } = policyConstraints
    state.explicitPolicy = Math.min(state.explicitPolicy, requireExplicitPolicy ?? untouched)
    state.policyMapping = Math.min(state.policyMapping, inhibitPolicyMapping ?? untouched)
  }
  if (inhibitAnyPolicy !== undefined) {
    state.inhibitAnyPolicy = Math.min(state.inhibitAnyPolicy, inhibitAnyPolicy.skipCerts)
  }
  return undefined
}

/**
 * Wraps up after `processPolicies` of the target. RFC 5280 §6.1.5 (a), (b), (g), as RFC 9618 §5.5 has it
 */
export function finishPolicies(
  state: PolicyState,
  target: Certificate,
): Result<PolicyOutcome, PolicyFailure> {
  // Counting down only ever matters at 1: every other value stays above 0.
  const { policyConstraints } = target.tbsCertificate.extensions
  const explicitPolicy = state.explicitPolicy <= 1 || policyConstraints?.requireExplicitPolicy === 0
  if (state.level === undefined) {
    return explicitPolicy ? failed({ code: 'policy-required', index: 0 }) : noPolicies
  }
  const authorityConstrainedPolicySet = authorityPolicies(state.level, state.budget)
  if (authorityConstrainedPolicySet === undefined) return failed(exhausted)
  const userConstrainedPolicySet = intersect(
    authorityConstrainedPolicySet,
    state.userInitialPolicySet,
  )
  if (explicitPolicy && userConstrainedPolicySet.length === 0) {
    return failed({ code: 'policy-required', index: 0 })
  }
  return success({ explicitPolicy, authorityConstrainedPolicySet, userConstrainedPolicySet })
}

/** RFC 5280 §4.2.1.4: no policy twice; a critical extension is understood with its qualifiers, or refused. */
function checkPolicyInformation(
  state: PolicyState,
  policies: readonly PolicyInformation[],
  critical: boolean,
  index: number,
): PolicyFailure | undefined {
  if (!spend(state.budget, policies.length)) return exhausted
  const seen = policies.length > 1 ? new Set<string>() : undefined
  for (const { policyIdentifier: policy, policyQualifiers } of policies) {
    if (seen?.has(policy)) return { code: 'policy-duplicate', index, policy }
    seen?.add(policy)
    if (!critical) continue
    for (const { policyQualifierId: qualifier } of policyQualifiers) {
      if (qualifier !== cpsQualifier && qualifier !== userNoticeQualifier) {
        return { code: 'policy-qualifier-unknown', index, policy, qualifier }
      }
    }
  }
  return undefined
}

/** Builds the next depth of the graph. RFC 5280 §6.1.3 (d), as RFC 9618 §5.3 has it */
function descend(
  state: PolicyState,
  policies: readonly PolicyInformation[],
  selfIssuedCa: boolean,
): PolicyFailure | undefined {
  if (state.level === undefined) return undefined
  const expecting = expectations(state.level, state.budget)
  if (expecting === undefined) return exhausted
  const anyNode = state.level.get(anyPolicy)
  const next = new Map<string, Node>()
  let listsAny = false
  for (const { policyIdentifier: policy } of policies) {
    if (policy === anyPolicy) {
      listsAny = true
      continue
    }
    // Step (d)(1): (i) under every node that expects it, or else (ii) under anyPolicy.
    const parents = expecting.get(policy) ?? (anyNode && [anyNode])
    if (parents !== undefined) next.set(policy, { policy, parents, expected: undefined })
  }
  // Step (d)(2): what is expected and not listed passes under anyPolicy.
  if (listsAny && (state.inhibitAnyPolicy > 0 || selfIssuedCa)) {
    for (const [policy, parents] of expecting) {
      if (!next.has(policy)) next.set(policy, { policy, parents, expected: undefined })
    }
  }
  // Step (d)(3) prunes nodes without children. Only reachable ones count at the end, so an empty depth is all that matters.
  state.level = next.size === 0 ? undefined : next
  return undefined
}

/** For each policy that some node of `level` expects: those nodes. */
function expectations(level: Level, budget: PolicyBudget): Map<string, Node[]> | undefined {
  const expecting = new Map<string, Node[]>()
  for (const node of level.values()) {
    if (!spend(budget, node.expected?.size ?? 1)) return undefined
    for (const policy of node.expected ?? [node.policy]) {
      const nodes = expecting.get(policy)
      if (nodes === undefined) expecting.set(policy, [node])
      else nodes.push(node)
    }
  }
  return expecting
}

/** RFC 5280 §6.1.4 (a), (b), as RFC 9618 §5.4 has it */
function mapPolicies(
  state: PolicyState,
  mappings: readonly PolicyMapping[],
  index: number,
): PolicyFailure | undefined {
  if (!spend(state.budget, mappings.length)) return exhausted
  const subjectPolicies = new Map<string, Set<string>>()
  for (const mapping of mappings) {
    const { issuerDomainPolicy, subjectDomainPolicy } = mapping
    if (issuerDomainPolicy === anyPolicy || subjectDomainPolicy === anyPolicy) {
      return { code: 'policy-mapping-any', index, issuerDomainPolicy, subjectDomainPolicy }
    }
    const known = subjectPolicies.get(issuerDomainPolicy)
    if (known === undefined) {
      subjectPolicies.set(issuerDomainPolicy, new Set([subjectDomainPolicy]))
    } else known.add(subjectDomainPolicy)
  }
  if (state.level === undefined) return undefined
  const level = new Map(state.level)
  const anyNode = level.get(anyPolicy)
  for (const [policy, expected] of subjectPolicies) {
    const node = level.get(policy)
    if (state.policyMapping === 0) level.delete(policy)
    else if (node !== undefined) level.set(policy, { ...node, expected })
    else if (anyNode !== undefined) {
      // At depth 0, where only an anchor without policies leaves us, anyPolicy is its own parent.
      const parents = anyNode.parents.length === 0 ? [anyNode] : anyNode.parents
      level.set(policy, { policy, parents, expected })
    }
  }
  state.level = level.size === 0 ? undefined : level
  return undefined
}

/**
 * The valid policies in the terms of the trust anchor: what hangs directly under anyPolicy, and anyPolicy if it came all the
 * way down. RFC 9618 §5.5 (g)(1) to (g)(4)
 */
function authorityPolicies(level: Level, budget: PolicyBudget): readonly string[] | undefined {
  const reached = new Set<Node>(level.values())
  const policies = new Set<string>()
  // A Set may grow while it is walked: this visits every ancestor once.
  for (const node of reached) {
    if (!spend(budget, 1 + node.parents.length)) return undefined
    // Only the deepest anyPolicy gets here: the walk ends below the others.
    if (node.policy === anyPolicy) policies.add(anyPolicy)
    else if (node.parents[0]?.policy === anyPolicy) policies.add(node.policy)
    else for (const parent of node.parents) reached.add(parent)
  }
  return [...policies]
}

/** RFC 9618 §5.5 (g)(5), (g)(6) */
function intersect(
  authority: readonly string[],
  user: readonly string[] | undefined,
): readonly string[] {
  if (user === undefined) return authority
  if (authority.includes(anyPolicy)) return [...new Set(user)]
  const accepted = new Set(user)
  return authority.filter((policy) => accepted.has(policy))
}

function spend(budget: PolicyBudget, amount: number): boolean {
  budget.policies -= amount
  return budget.policies >= 0
}

/**
 * The certificates of large bridged PKIs have up to about 30 policies and as many mappings: 10 of them on a path cost about
 * 1,500. This allows some thirty such paths and costs about 20 ms when an attacker uses it up.
 */
export const defaultPolicyBudget = 50_000

/** RFC 5280 §6.1.2 starts counters at n + 1, from where n certificates cannot bring them to 0; no path is this long. */
const untouched = Number.POSITIVE_INFINITY

const cpsQualifier = '1.3.6.1.5.5.7.2.1'
const userNoticeQualifier = '1.3.6.1.5.5.7.2.2'

const depthZero: Level = new Map([
  [anyPolicy, { policy: anyPolicy, parents: [], expected: undefined }],
])

const exhausted: PolicyFailure = { code: 'budget-exhausted', of: 'policies' }

const noPolicies: Result<PolicyOutcome, PolicyFailure> = success({
  explicitPolicy: false,
  authorityConstrainedPolicySet: [],
  userConstrainedPolicySet: [],
})
