/**
 * Where a client's certificate comes from: a source is a function from a request to what was presented. Sources know who may speak
 * for a client and how it is written down; whether the certificate may come in, they do not judge.
 *
 * @module
 */

import type { Result } from '../base/result.ts'
import type { AssertedIdentity } from './asserted.ts'
import type { ForwardingFailure } from './failure.ts'
import type { HttpRequest } from './request.ts'

export interface ClientCertificateSource {
  /** For logs, traces and metrics: `tls`, `nginx`, `envoy` … */
  readonly name: string
  /** Lower-case names of all headers that it reads, the shared secret's included: they are taken away before the request goes on. */
  readonly headers: readonly string[]
  /** Never throws, whatever the request holds. Called for every request: what is costly belongs into `Presented.read`. */
  read(request: HttpRequest): Found
  /** Told what was let in: a source may remember what such a client will not send again. */
  accepted?(certificates: readonly Uint8Array[]): void
}

export type Found = Presented | Absent | Asserted | Unbelievable

/** Somebody who may speak for the client says that there is a certificate. */
export interface Presented {
  readonly kind: 'presented'
  /**
   * What stands for the certificates: equal texts, or the same object, mean the same octets, so that `read` is called once for both.
   * Everything that `read` looks at must be in it.
   */
  readonly key: string | object
  /** DER, the client's own certificate first, then what came with it; or why what was sent cannot be believed. */
  readonly read: () => Result<readonly Uint8Array[], ForwardingFailure>
}

/** There is none, and it is known that there is none. */
export interface Absent {
  readonly kind: 'absent'
}

/** No certificate, but a name that a trusted proxy vouches for: only from sources that were told to take it. */
export interface Asserted {
  readonly kind: 'asserted'
  readonly identity: AssertedIdentity
}

/** What came cannot be believed; it is refused, and no other source is asked. */
export interface Unbelievable {
  readonly kind: 'unbelievable'
  readonly failure: ForwardingFailure
}

/** The one answer of its kind, so that nothing is allocated for it. */
export const absent: Absent = { kind: 'absent' }

export function unbelievable(failure: ForwardingFailure): Unbelievable {
  return { kind: 'unbelievable', failure }
}
