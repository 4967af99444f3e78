/** What the DER reader refuses: X.690 as RFC 5280 §4.1 asks for it. @module */

export type DerCode =
  | 'der-truncated'
  | 'der-trailing-data'
  | 'der-unexpected-tag'
  | 'der-indefinite-length'
  | 'der-length-not-minimal'
  | 'der-length-too-large'
  | 'der-boolean'
  | 'der-integer'
  | 'der-bit-string'
  | 'der-object-identifier'
  | 'der-set-order'
  | 'der-time'
  | 'der-string'
  | 'der-default-value'

/**
 * Thrown inside the readers only: every public `parse` turns it into a failure. Not an `Error`: nobody reads its stack, and to record one
 * takes several times what the whole refusal takes, which is for whoever sends junk to decide.
 */
export class DerError {
  readonly code: string
  /** Octets from the start of the input. */
  readonly offset: number
  /** What should have stood there. */
  readonly expected: string

  constructor(code: string, offset: number, expected: string) {
    this.code = code
    this.offset = offset
    this.expected = expected
  }
}
