/**
 * What is measured: the entry points as a user has them, and the parts with which a bench starts from nothing. It is bundled with the
 * options of the package's own build, so that the numbers are those of what is published.
 * @module
 */

export { parseIntermediates } from '../src/client/intermediates.ts'
export { prepareOptions, secondsOf } from '../src/client/options.ts'
export { validateSteps } from '../src/client/validate.ts'
export { runSync } from '../src/effect/effect.ts'
export { mtls } from '../src/http/express.ts'
export { createNodeGuard } from '../src/http/node/guard.ts'
export { NodeHttpRequest } from '../src/http/node/request.ts'
export { fallback, nginx, rfc9440, tls } from '../src/http/sources/index.ts'
export { createClientCertificateValidator, parseTrustAnchors } from '../src/index.node.ts'
export {
  createKillList,
  createRevocationSource,
  parseCrls,
  parseOcspResponses,
} from '../src/revocation.ts'
export { nodeHandlers } from '../src/runtime/node.ts'
export { createClientCertificateValidatorSync } from '../src/sync.ts'
export { parseCertificate } from '../src/x509/parse-certificate.ts'
