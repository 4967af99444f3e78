/** The entry `mtls-policy/management`: the management API, its store, and a client for it. @module */

export {
  generateSigningKey,
  publicKeyPem,
  publicKeyText,
  readSigningKey,
  type SigningKey,
  signingKeyPem,
} from '../deployment/index.ts'
export {
  type ApiProxyClient,
  createManagementClient,
  type GatewayStatus,
  type ListPage,
  type ManagementClient,
  type ManagementClientOptions,
  ManagementError,
  type PageOptions,
  type ProjectClient,
  type Read,
  type RetryOptions,
  type SettingClient,
  type TrustClient,
  type WriteOptions,
} from './client.ts'
export type * from './resources.ts'
export {
  createManagement,
  type Management,
  type ManagementLogger,
  type ManagementOptions,
  managementOpenApi,
  type RequestContext,
} from './rest/app.ts'
export {
  managementLogger,
  type ServedManagement,
  type ServeOptions,
  type ServerTls,
  serveManagement,
} from './rest/serve.ts'
export type { FieldProblem, RefusalCode } from './service/refusal.ts'
export { openStore, type StoreOptions } from './store/open.ts'
export { type Store, StoreConflict, StoreTooNew, StoreUnavailable } from './store/store.ts'
