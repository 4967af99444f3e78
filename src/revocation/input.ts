/** From what a caller has (PEM, DER, base64; text or octets) to the DER of lists or responses. @module */

import { decodeBase64 } from '../base/base64.ts'
import { asciiText } from '../base/bytes.ts'
import { readPem } from '../base/pem.ts'
import { failed, type Result, success } from '../base/result.ts'
import { startsLikeDer } from '../x509/input.ts'

export type RevocationInputFailure =
  /** Neither PEM nor DER nor base64 of DER. */
  | { readonly code: 'revocation-input-unrecognized' }
  /** A PEM block of another kind. */
  | { readonly code: 'revocation-input-other-kind'; readonly label: string }
  /** `block` counts from 0. */
  | { readonly code: 'revocation-input-pem-malformed'; readonly block: number }

/** `damaged`: what ended a PEM text after the parts, or stood among them. */
export interface RevocationInput {
  readonly parts: readonly Uint8Array[]
  readonly damaged: RevocationInputFailure | undefined
}

/** @param label - Of the PEM blocks that are taken. RFC 7468 §6 */
export function readRevocationInput(
  input: string | Uint8Array,
  label: string,
): Result<RevocationInput, RevocationInputFailure> {
  if (typeof input !== 'string' && startsLikeDer(input)) {
    return success({ parts: [input], damaged: undefined })
  }
  const text = typeof input === 'string' ? input : asciiText(input)
  const { blocks, failure } = readPem(text)
  const wrong = blocks.find((block) => block.label !== label)
  const damaged: RevocationInputFailure | undefined =
    failure !== undefined
      ? { code: 'revocation-input-pem-malformed', block: blocks.length }
      : wrong && { code: 'revocation-input-other-kind', label: wrong.label }
  const parts = blocks.filter((block) => block.label === label).map(({ bytes }) => bytes)
  if (parts.length > 0) return success({ parts, damaged })
  if (damaged !== undefined) return failed(damaged)
  const der = decodeBase64(text.trim())
  return der !== undefined && startsLikeDer(der)
    ? success({ parts: [der], damaged: undefined })
    : failed({ code: 'revocation-input-unrecognized' })
}
