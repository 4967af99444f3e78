/**
 * Words for verdicts and certificates: apart from the core, because half of what a validator could say is prose, and a page or an
 * edge function that only decides need not load it.
 * @module
 */

import { type CertificateDescription, describeCertificateSteps } from './client/describe.ts'
import { type AsyncHandlers, runAsync } from './effect/effect.ts'
import { webHandlers } from './runtime/web.ts'
import type { Certificate } from './x509/certificate.ts'

export type { CertificateDescription } from './client/describe.ts'
export {
  describeFailure,
  type Failure,
  type FailureCode,
  type FailureDescription,
  failureCodes,
} from './client/failure.ts'
export { generalNameText } from './client/identity.ts'
export { type Relaxation, relaxations } from './path/relaxations.ts'
export {
  describePolicyFailure,
  type PolicyFailureDescription,
  policyFailureCodes,
} from './policy/failure-text.ts'

const handlers: AsyncHandlers = /* @__PURE__ */ webHandlers()

/**
 * Puts a certificate into words: names, dates, key, extensions, fingerprints. Nothing in it is proven.
 *
 * @example
 * const parsed = parseCertificate(der)
 * if (parsed.ok) console.log((await describeCertificate(parsed.value)).sha256)
 */
export async function describeCertificate(
  certificate: Certificate,
): Promise<CertificateDescription> {
  return await runAsync(describeCertificateSteps(certificate), handlers)
}
