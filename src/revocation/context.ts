/** What the decisions about one certificate's status are told, and what they find. @module */

import type { AlgorithmPolicy } from '../path/algorithms.ts'
import type { Profile } from '../path/profile.ts'
import type { SignatureBudget } from '../path/signature.ts'
import type { RevokedStatus, StatusEvidence, StatusProblem } from './status.ts'

export interface StatusContext {
  /** Unix seconds. */
  readonly time: number
  /** Seconds by which thisUpdate and nextUpdate are widened. */
  readonly clockTolerance: number
  /** Seconds from thisUpdate; absent: nextUpdate alone counts, and what has none is too old. */
  readonly maxAge: number | undefined
  /** Seconds past the end of its time for which a good answer still counts; 0: none. */
  readonly staleFor: number
  readonly algorithms: AlgorithmPolicy
  readonly profile: Profile
  /** Shared by all signatures of one validation. */
  readonly budget: SignatureBudget
}

/** What the lists, or the responses, say about one certificate. `from` and `until`: Unix seconds between which that holds. */
export type Finding =
  | {
      readonly status: 'good'
      readonly evidence: readonly StatusEvidence[]
      readonly stale: boolean
      readonly from: number
      readonly until: number
    }
  | ({ readonly status: 'revoked' } & Omit<RevokedStatus, 'status' | 'index'>)
  | {
      readonly status: 'unknown'
      readonly problems: readonly StatusProblem[]
      /** Until then nothing changes by time alone: a list that is not valid yet becomes so. */
      readonly until: number
      /** Something says revoked that a local limit kept from being judged: no rule may let that pass. */
      readonly isSuspected?: true
    }
