/** The package for browsers, Deno and edge runtimes: answers come from WebCrypto. @module */

import { type CertificateDescription, describeCertificateSteps } from './client/describe.ts'
import { type AsyncHandlers, runAsync } from './effect/effect.ts'
import { type AsyncClient, createAsyncClient } from './runtime/async-client.ts'
import { webHandlers } from './runtime/web.ts'
import type { Certificate } from './x509/certificate.ts'

export * from './index.ts'
export type { ClientCertificateValidator } from './runtime/async-client.ts'

const handlers: AsyncHandlers = /* @__PURE__ */ webHandlers()
const client: AsyncClient = /* @__PURE__ */ createAsyncClient(handlers)

/**
 * Decides whether a client certificate may come in, and says why.
 *
 * @param certificate - What the client presented, its own certificate first: PEM, DER, base64 DER, parsed, or an array of these.
 * @param options - `trustAnchors` at least; see `ValidateOptions`.
 * @returns The verdict. A bad certificate is a refusal, never an error.
 * @throws TypeError with a `code` for options that make no sense.
 * @example
 * const verdict = await validateClientCertificate(pem, { trustAnchors: parseTrustAnchors(caPem) })
 * if (!verdict.ok) console.log(describeFailure(verdict.failure).message)
 */
export const validateClientCertificate: AsyncClient['validateClientCertificate'] =
  client.validateClientCertificate

/** A validator for many clients under one configuration. */
export const createClientCertificateValidator: AsyncClient['createClientCertificateValidator'] =
  client.createClientCertificateValidator

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
  return runAsync(describeCertificateSteps(certificate), handlers)
}
