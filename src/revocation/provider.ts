/** Where lists and responses come from, when they change while the program runs. The core asks; whoever fetches is outside. @module */

import type { Certificate } from '../x509/certificate.ts'
import type { Crls } from './crls.ts'
import type { OcspResponses } from './responses.ts'
import type { StatusIssuer } from './status.ts'

/** What is known now, and a way to say what is not. Each field may change between two calls, never within one. */
export interface StatusProvider {
  /** Another number whenever `crls` or `responses` changed: verdicts of before are not to be reused. */
  readonly epoch: number
  readonly crls: Crls
  readonly responses: OcspResponses
  /**
   * Says that a certificate, whose path to an anchor is valid, has no usable status. The provider may begin to fetch what the
   * certificate names; it never throws.
   *
   * @returns Settles when what was begun for it has ended, well or badly; `undefined` when nothing is to be had.
   */
  readonly request: (wanted: WantedStatus) => Promise<void> | undefined
}

export interface WantedStatus {
  readonly certificate: Certificate
  readonly issuer: StatusIssuer
  readonly crl: boolean
  readonly ocsp: boolean
}
