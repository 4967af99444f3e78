/** What a header of certificates may hold, and what a reader of one answers. @module */

import type { Result } from '../../base/result.ts'

/** Local limit, in characters: Node takes 16 KiB of headers by default, proxies 8 to 128 KiB. */
export const maxHeaderLength = 65_536

/** Local limit: real chains have under five. */
export const maxCertificates = 10

/** DER in the order of the header; at least one, but for a list that may be empty. Not yet known to be certificates. */
export type ReadCertificates = Result<readonly Uint8Array[], ReadFailure>

export interface ReadFailure {
  /** `repeated`: one line that joins several. */
  readonly problem: 'malformed' | 'repeated' | 'too-many'
  /** What should have stood there. */
  readonly expected: string
}

type Failed = { readonly ok: false; readonly failure: ReadFailure }

export function malformed(expected: string): Failed {
  return { ok: false, failure: { problem: 'malformed', expected } }
}

/** For encodings without a comma: where one is, a server on the way has joined lines. RFC 9110 §5.3 */
export function unexpected(text: string, expected: string): Failed {
  return text.includes(',')
    ? { ok: false, failure: { problem: 'repeated', expected } }
    : malformed(expected)
}

export const tooMany: Failed = {
  ok: false,
  failure: { problem: 'too-many', expected: `at most ${maxCertificates} certificates` },
}
