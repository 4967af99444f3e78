/** Why a list or a response was not had: data, because the operator's rule decides what follows from it. @module */

import type { ParseFailure } from '../../x509/failure.ts'
import type { UriFailure } from './uri.ts'

export type FetchFailure =
  | UriFailure
  /** Every address of the host is one that may not be connected to; none, when the host itself is such an address. */
  | {
      readonly code: 'address-refused'
      readonly host: string
      readonly addresses: readonly string[]
    }
  /** `error`: the system's or Node's code, as ECONNREFUSED, ENOTFOUND, HPE_INVALID_CONSTANT or CERT_HAS_EXPIRED. */
  | { readonly code: 'network'; readonly error: string }
  /** The whole exchange, from the look-up of the name to the last octet. */
  | { readonly code: 'timeout'; readonly milliseconds: number }
  | { readonly code: 'status'; readonly status: number }
  /** To another host or port, from https to http, to what is not fetched, or the fourth. */
  | { readonly code: 'redirect-refused'; readonly location: string }
  /** On the wire or inflated. */
  | { readonly code: 'too-large'; readonly maxBytes: number }
  | { readonly code: 'encoding'; readonly encoding: string }
  /** The body ended before its end, or does not inflate. */
  | { readonly code: 'truncated' }
  /** The source was closed meanwhile. */
  | { readonly code: 'closed' }

export type TakeFailure =
  | { readonly code: 'unreadable'; readonly failure: ParseFailure }
  /** Neither DER nor PEM; PEM that is damaged; or not one list where there must be one. */
  | { readonly code: 'not-a-list' }
  /** thisUpdate lies ahead. Unix seconds. */
  | { readonly code: 'not-yet-valid'; readonly thisUpdate: number }
  /** Issued before what is held from the same place. Unix seconds. */
  | { readonly code: 'older'; readonly thisUpdate: number; readonly held: number }
  /** Not signed by any of the `signers` with the name of its issuer. */
  | { readonly code: 'signature-invalid' }
  /** Nobody is known who could have signed it, and what is held was verified. */
  | { readonly code: 'signer-unknown' }
  /** Lists of more issuers and scopes at one URI than are told apart. */
  | { readonly code: 'issuers'; readonly maximum: number }
  | { readonly code: 'ocsp-error'; readonly responseStatus: string }
  /** A response that is not about the certificate it was asked for. */
  | { readonly code: 'ocsp-other-certificate' }
  | { readonly code: 'ocsp-type-unknown' }
  /** Absent where it is required, or another one than was sent. RFC 9654 §2.1 */
  | { readonly code: 'ocsp-nonce'; readonly present: boolean }

export type FileFailure =
  /** `error`: the system's code, as ENOENT or EACCES. */
  | { readonly code: 'file'; readonly error: string }
  /** Neither a file nor a folder. */
  | { readonly code: 'file-kind' }
  | { readonly code: 'too-large'; readonly maxBytes: number }
  | { readonly code: 'too-many-files'; readonly maximum: number }

export type SourceFailure = FetchFailure | TakeFailure | FileFailure

/** The code of what the system, Node's parser or TLS threw. */
export function errorCodeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN'
}
