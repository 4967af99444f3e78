/** What a set of revocation lists is to a validation. Who has none need not load how lists are read. @module */

import type { Steps } from '../effect/effect.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { Finding } from './context.ts'
import type { CrlContext } from './crl-signature.ts'
import type { StatusIssuer } from './status.ts'

/** Only `Crls` is one: an object that merely looks like it might say what nobody signed. */
export abstract class CrlAnswers {
  readonly #isOne = true

  /** The status of one certificate, for validations. */
  abstract statusOf(
    certificate: Certificate,
    issuer: StatusIssuer,
    context: CrlContext,
  ): Steps<Finding>

  static isOne(value: unknown): value is CrlAnswers {
    return typeof value === 'object' && value !== null && #isOne in value
  }
}
