/** Validity period of one certificate: RFC 5280 §4.1.2.5, applied at RFC 5280 §6.1.3 (a)(2). @module */

import type { Certificate } from '../x509/certificate.ts'

export type ValidityFailure =
  | {
      readonly code: 'certificate-expired'
      readonly index: number
      readonly time: number
      readonly notAfter: number
    }
  | {
      readonly code: 'certificate-not-yet-valid'
      readonly index: number
      readonly time: number
      readonly notBefore: number
    }

/**
 * Reports why `certificate` is not current at `time`; both bounds are inclusive.
 *
 * @param index - Position in the path: 0 is the target certificate, the last one is signed by the trust anchor.
 * @param time - Unix time in whole seconds.
 * @param tolerance - Seconds by which both bounds are widened, for clocks that differ.
 * @returns The failure, or `undefined` when the certificate is current.
 */
export function checkValidity(
  certificate: Certificate,
  index: number,
  time: number,
  tolerance = 0,
): ValidityFailure | undefined {
  const { notBefore, notAfter } = certificate.tbsCertificate.validity
  if (time < notBefore - tolerance) {
    return { code: 'certificate-not-yet-valid', index, time, notBefore }
  }
  if (time > notAfter + tolerance) return { code: 'certificate-expired', index, time, notAfter }
  return undefined
}
