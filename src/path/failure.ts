/** Why a path is refused: every code, with its facts. Their words are in `failure-text.ts`. @module */

import type { Name } from '../x509/name.ts'
import type { KeyFailure } from './algorithms.ts'
import type { NameConstraintFailure } from './name-constraints.ts'
import type { PeerNameFailure } from './peer-names.ts'
import type { PolicyFailure } from './policies.ts'
import type { ProfileFailure } from './profile.ts'
import type { PurposeFailure } from './purpose.ts'
import type { SignatureFailure } from './signature.ts'
import type { ValidityFailure } from './validity.ts'

/** `index`: position in the path, 0 is the target; the trust anchor's is the number of certificates below it. */
export type PathFailure =
  | ValidityFailure
  | ProfileFailure
  | PolicyFailure
  | At<PurposeFailure>
  | At<PeerNameFailure>
  | At<KeyFailure>
  | At<SignatureFailure>
  | At<NameConstraintFailure>
  | { readonly code: 'issuer-empty'; readonly index: number }
  | { readonly code: 'unknown-critical-extension'; readonly index: number; readonly oid: string }
  | { readonly code: 'basic-constraints-missing'; readonly index: number }
  | { readonly code: 'not-a-ca'; readonly index: number }
  | {
      readonly code: 'path-length-exceeded'
      readonly index: number
      readonly pathLenConstraint: number
      /** How many that are not self-issued are below. */
      readonly intermediates: number
    }
  | { readonly code: 'path-too-long'; readonly index: number; readonly maxIntermediates: number }
  /** No certificate with the name of the issuer was given. `index` is that of the certificate whose issuer is missing. */
  | {
      readonly code: 'issuer-unknown'
      readonly index: number
      readonly issuer: Name
      readonly keyIdentifier: Uint8Array | undefined
    }
  | { readonly code: 'root-not-trusted'; readonly index: number; readonly subject: Name }
  | { readonly code: 'target-is-trust-anchor'; readonly index: number }
  | { readonly code: 'budget-exhausted'; readonly of: 'candidates' }

type At<F> = F & { readonly index: number }

/**
 * Whether `a` tells an operator more than `b` about why no path was found: a broken rule more than a missing issuer, a rule more
 * than a signature under a key that merely has the right name, a whole path more than a part of one. Of equals the earlier stays.
 */
export function isMoreTelling(a: Telling, b: Telling | undefined): boolean {
  return b === undefined || weight(a) > weight(b)
}

interface Telling {
  readonly anchor: unknown
  readonly failure: unknown
}

function weight({ anchor, failure }: Telling): number {
  const { code } = failure as { readonly code: string }
  if (code === 'issuer-unknown') return 0
  if (code === 'root-not-trusted') return 1
  if (code === 'signature-invalid' || code === 'signature-algorithm-key-mismatch') return 2
  return anchor === undefined ? 3 : 4
}
