/** `validateClientCertificate` over one set of handlers. @module */

import type { PresentedSource } from '../client/certificate-source.ts'
import { prepareOptions, secondsOf, type ValidateOptions } from '../client/options.ts'
import { validateSteps } from '../client/validate.ts'
import type { Verdict } from '../client/verdict.ts'
import { type AsyncHandlers, runAsync } from '../effect/effect.ts'
import { now } from './clock.ts'
import {
  type CallOptions,
  type ValidatorCapacity,
  type ValidatorOptions,
  VerdictCache,
} from './validator.ts'

/** Async functions over these handlers. */
export interface AsyncClient {
  readonly validateClientCertificate: (
    certificate: PresentedSource,
    options: ValidateOptions,
  ) => Promise<Verdict>
  readonly createClientCertificateValidator: (
    options: ValidatorOptions,
    capacity?: ValidatorCapacity,
  ) => ClientCertificateValidator
}

/** For many clients under one configuration: options are checked once, and verdicts remembered while they hold. */
export interface ClientCertificateValidator {
  /** As `validateClientCertificate`, without looking twice at what was presented before. */
  readonly validate: (certificate: PresentedSource, call?: CallOptions) => Promise<Verdict>
  /** Puts other options in force for the calls that begin from now on, and forgets every verdict. */
  readonly update: (options: ValidatorOptions) => void
  /** Verdicts that are kept now. */
  readonly size: () => number
}

export function createAsyncClient(handlers: AsyncHandlers): AsyncClient {
  return {
    // Misuse rejects, like everything an async function throws.
    validateClientCertificate: async (certificate, options) => {
      const prepared = prepareOptions(options)
      return runAsync(
        validateSteps(
          certificate,
          prepared,
          secondsOf(options.time === undefined ? now() : options.time),
        ),
        handlers,
      )
    },
    createClientCertificateValidator: (options, capacity = {}) => {
      const cache = new VerdictCache(options, capacity)
      return {
        validate: async (certificate, call) => {
          const found = cache.look(certificate, call)
          if (found.verdict !== undefined) return found.verdict
          const verdict = await runAsync(found.steps, handlers)
          found.remember(verdict)
          return verdict
        },
        update: (other) => cache.update(other),
        size: () => cache.size,
      }
    },
  }
}
