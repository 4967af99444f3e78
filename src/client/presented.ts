/** What a client presents: the target first, then what it sends along. @module */

import { failed, type Result, success } from '../base/result.ts'
import { Issuer } from '../path/issuer.ts'
import type { IssuerIndex } from '../path/issuer-index.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { ParseFailure } from '../x509/failure.ts'
import { type InputFailure, readCertificateInput, startsLikeDer } from '../x509/input.ts'
import { isParsedCertificate, parseCertificate } from '../x509/parse-certificate.ts'
import { type CertificateSource, octetsOf, type PresentedSource } from './certificate-source.ts'
import type { PresentedFailure } from './failure.ts'
import type { OctetStore } from './octet-store.ts'

export interface Presented {
  readonly target: Certificate
  /** Without those that are known already. */
  readonly issuers: readonly Issuer[]
  /** Positions in the input, of certificates after the target that could not be read. */
  readonly unreadable: readonly number[]
}

/**
 * Reads what a client presented. A target that cannot be read is a failure; the next certificate never takes its place.
 *
 * @param known - Pools whose certificates need not be read again.
 * @param store - Where DER is copied to: the verdict is read after the caller's buffer was used again.
 */
export function readPresented(
  source: PresentedSource,
  known: readonly IssuerIndex[],
  store: OctetStore,
): Result<Presented, PresentedFailure | InputFailure | ParseFailure> {
  if (source === undefined || source === null) return failed({ code: 'input-empty' })
  const sources: readonly CertificateSource[] = Array.isArray(source)
    ? source
    : [source as CertificateSource]
  let target: Certificate | undefined
  const issuers: Issuer[] = []
  const unreadable: number[] = []
  let count = 0
  let octets = 0
  for (const one of sources) {
    const parts = partsOf(one)
    if (!parts.ok) {
      if (target === undefined) return parts
      unreadable.push(count++)
      continue
    }
    for (const part of parts.value) {
      const index = count++
      if (part !== undefined) octets += isParsedCertificate(part) ? part.der.length : part.length
      if (count > maxPresented) return failed({ code: 'presented-too-many', maximum: maxPresented })
      if (octets > maxPresentedOctets) {
        return failed({ code: 'presented-too-large', maximum: maxPresentedOctets })
      }
      if (part === undefined) {
        unreadable.push(index)
        continue
      }
      if (target !== undefined && isKnown(part, known)) continue
      const parsed = isParsedCertificate(part)
        ? success(part)
        : parseCertificate(part === one ? store.copy(part) : part)
      if (target === undefined) {
        if (!parsed.ok) return isParsedCertificate(part) ? parsed : otherKind(part, parsed)
        target = parsed.value
      } else if (parsed.ok) issuers.push(new Issuer(parsed.value, undefined))
      else unreadable.push(index)
    }
  }
  return target === undefined
    ? failed({ code: 'input-empty' })
    : success({ target, issuers, unreadable })
}

/** Certificates of one source, unread; `undefined` stands for a damaged rest of a PEM text. */
function partsOf(
  source: CertificateSource,
): Result<readonly (Uint8Array | Certificate | undefined)[], InputFailure> {
  if (isParsedCertificate(source)) return success([source])
  // Most are DER and a certificate: only one that does not parse is asked what else it may be.
  if (source instanceof Uint8Array && startsLikeDer(source)) return success([source])
  const given = octetsOf(source)
  if (given === undefined) return failed({ code: 'input-unrecognized' })
  const input = readCertificateInput(given)
  if (!input.ok) return input
  const { certificates, damaged } = input.value
  return success(damaged === undefined ? certificates : [...certificates, undefined])
}

/** What `der` is instead of a certificate, where that can be told; else why it does not parse. */
function otherKind<F>(
  der: Uint8Array,
  failure: { readonly ok: false; readonly failure: F },
): { readonly ok: false; readonly failure: F | InputFailure } {
  const input = readCertificateInput(der)
  return input.ok ? failure : input
}

function isKnown(part: Uint8Array | Certificate, known: readonly IssuerIndex[]): boolean {
  const der = isParsedCertificate(part) ? part.der : part
  return known.some((index) => index.find(der) !== undefined)
}

/** Local limits. OpenSSL takes 100 KiB of certificates from a peer by default; real chains have under ten. */
const maxPresented = 100
const maxPresentedOctets = 1_048_576
