/** The gateway: TLS for clients, policies, and upstreams behind them. @module */

export { type GatewayCode, gatewayProblems } from './answer.ts'
export { createGateway, type Gateway } from './gateway.ts'
export {
  type CertificateFiles,
  defaultLimits,
  type GatewayLogger,
  type GatewayMetricsOptions,
  type GatewayOptions,
  type Limits,
  type ListenerOptions,
  type UpstreamOptions,
} from './options.ts'
export type {
  ApplyProblem,
  ApplyResult,
  DeployedProxy,
  GatewayState,
  HeldPlace,
  ScopedCrl,
} from './state.ts'
