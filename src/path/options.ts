/** What path building is told: RFC 5280 §6.1.1, and what RFC 4158 leaves to the application. @module */

import type { BudgetOptions } from './budget.ts'
import type { IssuerIndex } from './issuer-index.ts'
import type { PeerName } from './peer-names.ts'
import type { PolicyInputs } from './policies.ts'
import type { ExtendedPurpose, Purpose } from './purpose.ts'
import type { RuleContext } from './rules.ts'

export interface PathOptions extends RuleContext {
  readonly anchors: IssuerIndex
  /** In the order of preference: what the client sent, then what is known besides. */
  readonly intermediates: readonly IssuerIndex[]
  readonly purpose: Purpose
  /** What an extended key usage may say in place of `purpose`. */
  readonly acceptedPurposes?: readonly ExtendedPurpose[] | undefined
  /** One of them must be in the target's subjectAltName. RFC 9525 §6 */
  readonly expectedPeerNames?: readonly PeerName[] | undefined
  /** Certificates between target and anchor, without self-issued ones. */
  readonly maxIntermediates: number
  readonly budget?: BudgetOptions | undefined
  readonly policies: PolicyInputs
  /** Whether a target that is itself an anchor, octet for octet, is accepted without a signature. */
  readonly pinnedTarget: 'refuse' | 'accept' | 'accept-self-signed'
}
