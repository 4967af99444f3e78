/** Certificates from PEM, DER, base64, or already parsed. @module */

import { failed, type Result, success } from '../base/result.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { ParseFailure } from '../x509/failure.ts'
import { type InputFailure, readCertificateInput } from '../x509/input.ts'
import { isParsedCertificate, parseCertificate } from '../x509/parse-certificate.ts'

/** PEM text or bytes (one certificate or more), DER bytes, base64 DER, or a parsed certificate. */
export type CertificateSource = string | Uint8Array | Certificate

/** What a client presented, its own certificate first; nothing at all is a refusal, not an error. */
export type PresentedSource = CertificateSource | readonly CertificateSource[] | null | undefined

/** Why one certificate of an input could not be read; `index` counts from 0 through the input. */
export interface Unreadable {
  readonly index: number
  readonly failure: InputFailure | ParseFailure
}

export interface ReadCertificates {
  readonly certificates: readonly Certificate[]
  /** Those that did not parse, and the damage that ended a PEM text. */
  readonly unreadable: readonly Unreadable[]
}

/** Reads every certificate of one source; fails when there is none at all. */
export function readCertificates(
  source: CertificateSource,
): Result<ReadCertificates, InputFailure | ParseFailure> {
  if (isParsedCertificate(source)) return success({ certificates: [source], unreadable: [] })
  const octets = octetsOf(source)
  if (octets === undefined) return failed({ code: 'input-unrecognized' })
  const input = readCertificateInput(octets)
  if (!input.ok) return input
  const certificates: Certificate[] = []
  const unreadable: Unreadable[] = []
  input.value.certificates.forEach((der, index) => {
    // A copy: pools outlive the caller's buffer, and what is known of their members must stay true.
    const parsed = parseCertificate(new Uint8Array(der))
    if (parsed.ok) certificates.push(parsed.value)
    else unreadable.push({ index, failure: parsed.failure })
  })
  const { damaged } = input.value
  if (damaged !== undefined) {
    unreadable.push({ index: input.value.certificates.length, failure: damaged })
  }
  const first = unreadable[0]
  if (certificates.length === 0 && first !== undefined) return failed(first.failure)
  return success({ certificates, unreadable })
}

/**
 * What is to be read. Of an object that `parseCertificate` did not make (a copy, from a worker, from JSON) only the octets count:
 * its other fields may say what nobody signed.
 */
export function octetsOf(source: unknown): string | Uint8Array | undefined {
  const octets =
    typeof source === 'object' && source !== null && 'der' in source ? source.der : source
  return typeof octets === 'string' || octets instanceof Uint8Array ? octets : undefined
}
