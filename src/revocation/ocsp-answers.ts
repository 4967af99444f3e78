/** What a set of OCSP responses is to a validation. Who has none need not load how responses are read. @module */

import type { Steps } from '../effect/effect.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { Finding, StatusContext } from './context.ts'
import type { StatusIssuer } from './status.ts'

/** Whether a responder's own certificate, which has no id-pkix-ocsp-nocheck, is revoked by what its issuer says; `limit`: nobody knows. */
export type IsRevoked = (delegate: Certificate, issuer: StatusIssuer) => Steps<boolean | 'limit'>

/** Only `OcspResponses` is one: an object that merely looks like it might say what nobody signed. */
export abstract class OcspAnswers {
  readonly #isOne = true

  /** The status of one certificate, for validations. */
  abstract statusOf(
    certificate: Certificate,
    issuer: StatusIssuer,
    context: StatusContext,
    isRevoked: IsRevoked,
  ): Steps<Finding>

  static isOne(value: unknown): value is OcspAnswers {
    return typeof value === 'object' && value !== null && #isOne in value
  }
}
