/** What one search may cost: every loop that input can lengthen counts down here. @module */

import { defaultPolicyBudget } from './policies.ts'

/** What is left. Shared by all candidate paths of one validation. */
export interface Budget {
  /** Signature checks, in P-256 verifications. */
  signatures: number
  /** Possible issuers looked at. */
  candidates: number
  /** Names held against name constraints. */
  nameComparisons: number
  /** Nodes, edges and entries of the policy graph. */
  policies: number
}

export type BudgetOptions = { readonly [K in keyof Budget]?: number }

/**
 * - `signatures`: 100, as Go's crypto/x509 (maxChainSignatureChecks, after CVE-2018-16875) and rustls-webpki; theirs are not weighted.
 * - `candidates`: 2,000; a real search looks at under ten, and each costs some microseconds, so this is a few milliseconds.
 * - `nameComparisons`: 250,000, as rustls-webpki and Go (maxConstraintComparisons); some milliseconds.
 * - `policies`: see `policies.ts`.
 */
export const defaultBudget: Budget = {
  signatures: 100,
  candidates: 2_000,
  nameComparisons: 250_000,
  policies: defaultPolicyBudget,
}

/** A budget to count down. */
export function startBudget(options: BudgetOptions | undefined): Budget {
  return {
    signatures: options?.signatures ?? defaultBudget.signatures,
    candidates: options?.candidates ?? defaultBudget.candidates,
    nameComparisons: options?.nameComparisons ?? defaultBudget.nameComparisons,
    policies: options?.policies ?? defaultBudget.policies,
  }
}
