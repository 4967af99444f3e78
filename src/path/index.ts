/** Path building and validation alone, for gateways and tools: RFC 5280 §6.1 and RFC 4158. @module */

export {
  type AsyncHandlers,
  type Effect,
  type Handlers,
  runAsync,
  runSync,
  type Steps,
} from '../effect/effect.ts'
export { type AlgorithmOptions, type AlgorithmPolicy, algorithmPolicy } from './algorithms.ts'
export { type BudgetOptions, defaultBudget } from './budget.ts'
export {
  type Accept,
  type Attempt,
  type Attempts,
  buildPath,
  type PathResult,
  type Refusal,
} from './build.ts'
export type { ValidatedPath } from './complete.ts'
export type { PathFailure } from './failure.ts'
export { pathFailures } from './failure-text.ts'
export { Issuer } from './issuer.ts'
export { IssuerIndex } from './issuer-index.ts'
export type { PathOptions } from './options.ts'
export type { PeerName } from './peer-names.ts'
export type { PolicyInputs, PolicyOutcome } from './policies.ts'
export type { Profile } from './profile.ts'
export type { ExtendedPurpose, Purpose } from './purpose.ts'
export { type Relaxation, relaxations } from './relaxations.ts'
export type { AnchorChecks, AnchorConstraints, TrustAnchor } from './trust-anchor.ts'
