/** Where the certificate comes from when a proxy ends TLS: a preset for each, and what they are made of. @module */

export type { AssertedIdentity } from '../asserted.ts'
export type { ForwardingFailure } from '../failure.ts'
export type { CertificateEncoding } from '../headers/encodings.ts'
export type { Connection, HttpRequest, TlsConnection } from '../request.ts'
export type {
  Absent,
  Asserted,
  ClientCertificateSource,
  Found,
  Presented,
  Unbelievable,
} from '../source.ts'
export type { ProxyTrust } from '../trust.ts'
export { type AkamaiOptions, akamai } from './akamai.ts'
export { type ApacheOptions, apache } from './apache.ts'
export { apiGateway } from './api-gateway.ts'
export {
  type AlbPassthroughOptions,
  type AlbVerifyOptions,
  albPassthrough,
  albVerify,
  type CloudFrontOptions,
  cloudFront,
} from './aws.ts'
export {
  type AzureApplicationGatewayOptions,
  type AzureAppServiceOptions,
  azureApplicationGateway,
  azureAppService,
} from './azure.ts'
export { type CaddyOptions, caddy } from './caddy.ts'
export { type CloudflareOptions, cloudflare } from './cloudflare.ts'
export { type CloudflareWorkerOptions, cloudflareWorker } from './cloudflare-worker.ts'
export { fallback } from './fallback.ts'
export {
  type CertificateHeader,
  type ChainHeader,
  type FromHeaderOptions,
  fromHeader,
  type HashHeader,
  type IdentityHeaders,
  type PresenceHeader,
  type TooLargeHeader,
  type VerdictHeader,
} from './from-header.ts'
export { type GoogleCloudOptions, googleCloud } from './google-cloud.ts'
export { type GraviteeOptions, gravitee } from './gravitee.ts'
export { type HaproxyOptions, haproxy } from './haproxy.ts'
export { type KongOptions, kong } from './kong.ts'
export { type LinkerdOptions, linkerd } from './linkerd.ts'
export {
  type IngressNginxOptions,
  ingressNginx,
  type NginxOptions,
  nginx,
} from './nginx.ts'
export { type Rfc9440Options, rfc9440 } from './rfc9440.ts'
export { type TlsOptions, tls } from './tls.ts'
export { type TraefikOptions, traefik } from './traefik.ts'
export type { ProxyVerdict } from './verdict.ts'
export { type EnvoyOptions, envoy, type IstioOptions, istio } from './xfcc.ts'
