/** The same, synchronously, over `node:crypto`. @module */

import type { PresentedSource } from './client/certificate-source.ts'
import { type CertificateDescription, describeCertificateSteps } from './client/describe.ts'
import { misuse } from './client/misuse.ts'
import { type Prepared, prepareOptions, secondsOf, type ValidateOptions } from './client/options.ts'
import type { WithoutWait } from './client/revocation-options.ts'
import { validateSteps } from './client/validate.ts'
import type { Verdict } from './client/verdict.ts'
import { type Handlers, runSync } from './effect/effect.ts'
import { now } from './runtime/clock.ts'
import { nodeHandlers } from './runtime/node.ts'
import {
  type CallOptions,
  type ValidatorCapacity,
  type ValidatorOptions,
  VerdictCache,
} from './runtime/validator.ts'
import type { Certificate } from './x509/certificate.ts'

export * from './index.ts'

/** As `ValidateOptions`, but for `revocation.wait`: what is not there when it is asked for is missing. */
export type ValidateOptionsSync = WithoutWait<ValidateOptions>

/** As `ValidatorOptions`, but for `revocation.wait`. */
export type ValidatorOptionsSync = WithoutWait<ValidatorOptions>

const handlers: Handlers = /* @__PURE__ */ nodeHandlers()

/**
 * As `validateClientCertificate`, without a promise: same verdict, same options but for one.
 *
 * @throws TypeError with a `code` for options that make no sense.
 * @example
 * const verdict = validateClientCertificateSync(pem, { trustAnchors: parseTrustAnchors(caPem) })
 */
export function validateClientCertificateSync(
  certificate: PresentedSource,
  options: ValidateOptionsSync,
): Verdict {
  const prepared = prepareOptions(options)
  refuseWaiting(prepared)
  const seconds = secondsOf(options.time === undefined ? now() : options.time)
  return runSync(validateSteps(certificate, prepared, seconds), handlers)
}

/** What would not happen must not be asked for. */
function refuseWaiting({ revocation }: Prepared): void {
  if (revocation !== undefined && revocation.wait > 0) {
    const option = 'revocation.wait'
    throw misuse('options-conflict', `${option}: a synchronous call cannot wait`, { option })
  }
}

/** As `ClientCertificateValidator`, without promises. */
export interface ClientCertificateValidatorSync {
  readonly validate: (certificate: PresentedSource, call?: CallOptions) => Verdict
  readonly update: (options: ValidatorOptionsSync) => void
  readonly size: () => number
}

/**
 * A validator for many clients under one configuration.
 *
 * @example
 * const validator = createClientCertificateValidatorSync({ trustAnchors: parseTrustAnchors(caPem) })
 * const verdict = validator.validate(pem)
 */
export function createClientCertificateValidatorSync(
  options: ValidatorOptionsSync,
  capacity: ValidatorCapacity = {},
): ClientCertificateValidatorSync {
  const cache = new VerdictCache(options, capacity, refuseWaiting)
  return {
    validate: (certificate, call) => {
      const found = cache.look(certificate, call)
      if (found.verdict !== undefined) return found.verdict
      const verdict = runSync(found.steps, handlers)
      found.remember(verdict)
      return verdict
    },
    update: (other) => cache.update(other),
    size: () => cache.size,
  }
}

/**
 * As `describeCertificate`, without a promise.
 *
 * @example
 * const parsed = parseCertificate(der)
 * if (parsed.ok) console.log(describeCertificateSync(parsed.value).subject) // CN=client-a,O=Example
 */
export function describeCertificateSync(certificate: Certificate): CertificateDescription {
  return runSync(describeCertificateSteps(certificate), handlers)
}
