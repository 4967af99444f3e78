/** Why bytes are no certificate that we read: DER (X.690) and RFC 5280 §4. @module */

import type { DerCode } from '../der/error.ts'

export type ParseCode =
  | DerCode
  | 'certificate-version'
  | 'certificate-too-large'
  | 'signature-algorithm-mismatch'
  | 'extension-duplicate'
  | 'extension-malformed'

/** `offset` is in octets from the start of the DER that was given. */
export interface ParseFailure {
  readonly code: ParseCode
  readonly offset: number
  /** What should have stood there. */
  readonly expected: string
}
