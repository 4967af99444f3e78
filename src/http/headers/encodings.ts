/** The ways of writing certificates into a header, by name. @module */

import { readBase64Der, readConcatenatedDer, readTraefikList } from './base64-der.ts'
import { malformed, type ReadCertificates } from './limits.ts'
import { readBase64Pem, readPercentEncodedPem, readSpacedPem } from './pem.ts'
import { readByteSequenceItem, readByteSequenceList } from './structured-fields.ts'

/**
 * - `rfc9440`: a byte sequence of a structured field, `:MIIB…:`; `rfc9440-list`: several, in one line or more.
 * - `percent-pem`: PEM, percent-encoded. `spaced-pem`: PEM with spaces for its newlines. `base64-pem`: base64 of PEM.
 * - `base64-der`: base64 of one DER. `base64-der-concatenated`: of several, one after the other.
 * - `base64-der-list`: several of the former, joined by `,`.
 * - `pem-or-base64-der`: `percent-pem`, `spaced-pem` or `base64-der`, told apart by how it begins.
 */
export type CertificateEncoding =
  | 'rfc9440'
  | 'rfc9440-list'
  | 'percent-pem'
  | 'spaced-pem'
  | 'base64-pem'
  | 'base64-der'
  | 'base64-der-concatenated'
  | 'base64-der-list'
  | 'pem-or-base64-der'

/** Readers never throw, take time in proportion to the text, and answer DER that is not yet known to be a certificate. */
export const readers: {
  readonly [E in CertificateEncoding]: (text: string) => ReadCertificates
} = {
  rfc9440: readByteSequenceItem,
  'rfc9440-list': readByteSequenceList,
  'percent-pem': readPercentEncodedPem,
  'spaced-pem': readSpacedPem,
  'base64-pem': readBase64Pem,
  'base64-der': readBase64Der,
  'base64-der-concatenated': readConcatenatedDer,
  'base64-der-list': readTraefikList,
  'pem-or-base64-der': readPemOrBase64Der,
}

/** No base64 begins with a dash, so that nothing can be read both ways. */
function readPemOrBase64Der(text: string): ReadCertificates {
  if (text.startsWith('-----BEGIN%20')) return readPercentEncodedPem(text)
  if (text.startsWith('-----BEGIN ')) return readSpacedPem(text)
  return text.startsWith('-') ? malformed('PEM or base64 of DER') : readBase64Der(text)
}
