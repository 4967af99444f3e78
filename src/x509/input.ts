/** From what a caller has (PEM, DER, base64; text or octets) to DER, or to the name of what it is instead. @module */

import { decodeBase64 } from '../base/base64.ts'
import { asciiText } from '../base/bytes.ts'
import { type PemBlock, readPem } from '../base/pem.ts'
import { failed, type Result, success } from '../base/result.ts'
import { DerError } from '../der/error.ts'
import { DerReader } from '../der/reader.ts'
import {
  contextConstructed,
  contextPrimitive,
  tagBitString,
  tagGeneralizedTime,
  tagInteger,
  tagObjectIdentifier,
  tagOctetString,
  tagSequence,
  tagUtcTime,
} from '../der/tags.ts'

/** What was given instead of a certificate. */
export type OtherKind =
  | 'private-key'
  | 'public-key'
  | 'certificate-request'
  | 'certificate-revocation-list'
  | 'trusted-certificate'
  | 'pkcs12'
  | 'pkcs7'
  | 'other-pem'

export type InputFailure =
  | { readonly code: 'input-empty' }
  /** Neither PEM nor DER nor base64 of DER. */
  | { readonly code: 'input-unrecognized' }
  | { readonly code: 'input-not-a-certificate'; readonly kind: OtherKind; readonly label?: string }
  /** `block` counts from 0. */
  | {
      readonly code: 'input-pem-malformed'
      readonly block: number
      readonly reason: 'no-end' | 'base64'
    }

/** DER of one certificate or more, in the order of the input. `damaged` is the failure that ended a PEM text after the first. */
export interface CertificateInput {
  readonly certificates: readonly Uint8Array[]
  readonly damaged: InputFailure | undefined
}

/**
 * Reads PEM (labels `CERTIFICATE` and `X509 CERTIFICATE`), DER, or base64 DER without armour.
 *
 * @returns At least one DER; which of them are certificates, only parsing tells. The first block decides: when it is damaged or
 * something else, the next one is never taken in its place. A private key beside certificates is passed over, as in the usual
 * `cat cert key` files, but only after the first certificate.
 */
export function readCertificateInput(
  input: string | Uint8Array,
): Result<CertificateInput, InputFailure> {
  if (input.length === 0) return failed({ code: 'input-empty' })
  if (typeof input !== 'string' && startsLikeDer(input)) {
    const kind = otherKindOfDer(input)
    if (kind !== undefined) return failed({ code: 'input-not-a-certificate', kind })
    return success({ certificates: [input], damaged: undefined })
  }
  const text = typeof input === 'string' ? input : asciiText(input)
  const { blocks, failure } = readPem(text)
  if (blocks.length === 0) {
    if (failure !== undefined) return failed(pemFailure(failure.code, 0))
    return readBareBase64(text)
  }
  const certificates: Uint8Array[] = []
  for (const block of blocks) {
    const other = otherKindOfBlock(block)
    if (other === undefined) certificates.push(block.bytes)
    else if (certificates.length === 0 || other === 'trusted-certificate') {
      return failed({ code: 'input-not-a-certificate', kind: other, label: block.label })
    }
  }
  const damaged = failure && pemFailure(failure.code, blocks.length)
  return success({ certificates, damaged })
}

/** Whether octets begin as a certificate's DER does; neither PEM nor base64 of DER does. */
export function startsLikeDer(octets: Uint8Array): boolean {
  return octets[0] === tagSequence
}

/** What a PEM block holds, if no certificate. */
function otherKindOfBlock(block: PemBlock): OtherKind | undefined {
  const { label } = block
  // Its trailing attributes say what the certificate is trusted for; we do not judge them, so it is refused rather than cut.
  if (label === 'TRUSTED CERTIFICATE') return 'trusted-certificate'
  if (label === 'CERTIFICATE' || label === 'X509 CERTIFICATE') return otherKindOfDer(block.bytes)
  if (label.endsWith('PRIVATE KEY')) return 'private-key'
  if (label.endsWith('PUBLIC KEY')) return 'public-key'
  if (label.endsWith('CERTIFICATE REQUEST')) return 'certificate-request'
  if (label.endsWith('CRL')) return 'certificate-revocation-list'
  if (label === 'PKCS7' || label === 'CMS' || label === 'PKCS #7 SIGNED DATA') return 'pkcs7'
  if (label === 'PKCS12') return 'pkcs12'
  return 'other-pem'
}

function readBareBase64(text: string): Result<CertificateInput, InputFailure> {
  const trimmed = text.trim()
  if (trimmed === '') return failed({ code: 'input-empty' })
  const der = decodeBase64(trimmed)
  if (der === undefined || der[0] !== tagSequence) return failed({ code: 'input-unrecognized' })
  const kind = otherKindOfDer(der)
  if (kind !== undefined) return failed({ code: 'input-not-a-certificate', kind })
  return success({ certificates: [der], damaged: undefined })
}

function pemFailure(code: 'pem-no-end' | 'pem-base64', block: number): InputFailure {
  return { code: 'input-pem-malformed', block, reason: code === 'pem-no-end' ? 'no-end' : 'base64' }
}

/**
 * Tells by the first elements what a DER file is when it is no certificate: RFC 5958 §2, RFC 5915 §3, RFC 8017 §A.1.2, RFC 2986 §4.1,
 * RFC 5280 §5.1, RFC 7292 §4, RFC 5652 §3. Anything doubtful counts as a certificate, whose parser then says what is wrong.
 */
function otherKindOfDer(der: Uint8Array): OtherKind | undefined {
  try {
    const outer = new DerReader(der)
    const reader = outer.enter(tagSequence, '')
    const first = reader.readAny('')
    if (first === tagObjectIdentifier)
      return reader.peek() === contextConstructed(0) ? 'pkcs7' : undefined
    if (first === tagInteger) {
      const version = der[reader.contentStart]
      const next = reader.peek()
      if (next === tagOctetString || next === tagInteger) return 'private-key'
      if (next === tagSequence) return version === 3 ? 'pkcs12' : 'private-key'
      return undefined
    }
    if (first !== tagSequence) return undefined
    const inner = reader.inside()
    if (reader.peek() === tagBitString) {
      return inner.readAny('') === tagObjectIdentifier ? 'public-key' : undefined
    }
    return kindOfSigned(inner)
  } catch (error) {
    if (error instanceof DerError) return undefined
    throw error
  }
}

/** A certificate, a request and a CRL are all SEQUENCE { to be signed, algorithm, signature }; the first fields differ. */
function kindOfSigned(inner: DerReader): OtherKind | undefined {
  const tags: number[] = []
  while (!inner.atEnd() && tags.length < 5) tags.push(inner.readAny(''))
  if (tags[0] === contextConstructed(0)) return undefined
  const fields = tags[0] === tagInteger ? tags.slice(1) : tags
  const time = fields[2]
  if (
    fields[0] === tagSequence &&
    fields[1] === tagSequence &&
    (time === tagUtcTime || time === tagGeneralizedTime)
  ) {
    return 'certificate-revocation-list'
  }
  const request =
    tags[0] === tagInteger &&
    tags[1] === tagSequence &&
    tags[2] === tagSequence &&
    (tags[3] === contextConstructed(0) || tags[3] === contextPrimitive(0) || tags.length === 3)
  return request ? 'certificate-request' : undefined
}
