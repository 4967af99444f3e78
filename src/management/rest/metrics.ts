/** Metrics of the manager for Prometheus. Labels are routes, methods and statuses: nothing that a client can choose. @module */

import type { Registry } from 'prom-client'
import type { PrometheusClient } from '../../http/metrics/prometheus.ts'

export interface MetricsOptions {
  /** `import client from 'prom-client'`. */
  readonly client: Pick<PrometheusClient, 'Counter' | 'Histogram'>
  /** `new client.Registry()`: one for each manager. */
  readonly register: Registry
}

export interface ManagementMetrics {
  readonly register: Registry
  readonly request: (method: string, route: string, status: number, seconds: number) => void
  readonly deployed: (success: boolean) => void
  readonly badToken: () => void
}

/** - `mtls_policy_manager_requests_total{method,route,status}`, `…_request_seconds`, `…_deployments_total{success}`, `…_bad_tokens_total` */
export function managementMetrics({ client, register }: MetricsOptions): ManagementMetrics {
  const registers = [register]
  const requests = new client.Counter({
    name: 'mtls_policy_manager_requests_total',
    help: 'Requests to the management API',
    labelNames: ['method', 'route', 'status'],
    registers,
  })
  const seconds = new client.Histogram({
    name: 'mtls_policy_manager_request_seconds',
    help: 'Seconds until the answer',
    labelNames: ['method', 'route'],
    buckets: [0.001, 0.005, 0.02, 0.05, 0.2, 1, 5, 10],
    registers,
  })
  const deployments = new client.Counter({
    name: 'mtls_policy_manager_deployments_total',
    help: 'Deployments, by what the gateways said',
    labelNames: ['success'],
    registers,
  })
  const badTokens = new client.Counter({
    name: 'mtls_policy_manager_bad_tokens_total',
    help: 'Requests with a token that is unknown, expired or revoked',
    registers,
  })
  return {
    register,
    request: (method, route, status, taken) => {
      requests.inc({ method, route, status: String(status) })
      seconds.observe({ method, route }, taken)
    },
    deployed: (success) => deployments.inc({ success: String(success) }),
    badToken: () => badTokens.inc(),
  }
}
