/** The package under Node's export condition: answers come from `node:crypto`, without a thread hop. @module */

import { type AsyncClient, createAsyncClient } from './runtime/async-client.ts'
import { asyncNodeHandlers } from './runtime/node-async.ts'

export * from './index.ts'
export type { ClientCertificateValidator } from './runtime/async-client.ts'

const client: AsyncClient = /* @__PURE__ */ createAsyncClient(/* @__PURE__ */ asyncNodeHandlers())

/**
 * Decides whether a client certificate may come in, and says why.
 *
 * @param certificate - What the client presented, its own certificate first: PEM, DER, base64 DER, parsed, or an array of these.
 * @param options - `trustAnchors` at least; see `ValidateOptions`.
 * @returns The verdict. A bad certificate is a refusal, never an error.
 * @throws TypeError with a `code` for options that make no sense.
 * @example
 * const verdict = await validateClientCertificate(pem, { trustAnchors: parseTrustAnchors(caPem) })
 * if (!verdict.ok) console.log(verdict.failure.code)
 */
export const validateClientCertificate: AsyncClient['validateClientCertificate'] =
  client.validateClientCertificate

/**
 * A validator for many clients under one configuration.
 *
 * @example
 * const validator = createClientCertificateValidator({ trustAnchors: parseTrustAnchors(caPem) })
 * const verdict = await validator.validate(pem)
 */
export const createClientCertificateValidator: AsyncClient['createClientCertificateValidator'] =
  client.createClientCertificateValidator
