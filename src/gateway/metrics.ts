/** Metrics of a gateway. Labels are names from the configuration, statuses and codes: nothing that a client can choose. @module */

import { misuse } from '../client/misuse.ts'
import type { Hooks } from '../http/event.ts'
import { decisionTimes } from '../http/metrics/decision-times.ts'
import { decisionsName } from '../http/metrics/prometheus.ts'
import type { GatewayCode } from './answer.ts'
import type { GatewayMetricsOptions } from './options.ts'
import { ProxyCounts, type Series } from './proxy-counts.ts'
import { keyOf } from './proxy-key.ts'

export interface GatewayMetrics {
  /** Hooks that count the decisions of an API proxy; none: nobody counts. */
  decisionsOf(project: string, proxy: string): readonly Hooks[]
  /** Forgets the series of all other proxies; what ends late of those is counted for none. */
  keepOnly(proxies: Iterable<{ readonly project: string; readonly name: string }>): void
  /** @param project - Empty, as `proxy`: no proxy was found. */
  answered(project: string, proxy: string, status: number, seconds: number): void
  failed(code: GatewayCode): void
  handshakeFailed(): void
  applied(milliseconds: number, problems: number): void
  reloaded(succeeded: boolean): void
}

/** What is shown when the registry is read. */
export interface Observed {
  connections(): number
  requests(): number
  tunnels(): number
  proxies(): number
  held(): number
  /** Unix seconds. */
  earliestCertificate(): number | undefined
}

/**
 * - `mtls_policy_decisions_total{project,proxy,outcome,policy,code}` and `mtls_policy_would_refuse_total{project,proxy,policy,code}`: a
 *   policy's name is its own within one proxy
 * - those of `decisionTimes`
 * - `mtls_policy_gateway_requests_total{project,proxy,status}`
 * - `mtls_policy_gateway_request_seconds`: a histogram, until the answer has ended
 * - `mtls_policy_gateway_failures_total{code}`: what the gateway answered for itself
 * - `mtls_policy_gateway_handshake_failures_total`
 * - `mtls_policy_gateway_connections`, `…_requests`, `…_tunnels`, `…_proxies`, `…_proxies_held`: at the moment
 * - `mtls_policy_gateway_applied_total`, `…_apply_seconds`, `…_apply_problems`: of the last state
 * - `mtls_policy_gateway_certificate_reloads_total{result}`
 * - `mtls_policy_gateway_certificate_not_after_seconds`: Unix time at which the first server certificate runs out
 *
 * @throws TypeError with a `code` when the registry has these metrics already.
 */
export function gatewayMetrics(
  options: GatewayMetricsOptions | undefined,
  observed: Observed,
): GatewayMetrics {
  if (options === undefined) return noMetrics
  const { client, register = client.register } = options
  const registers = [register]
  for (const name of [`${prefix}requests_total`, decisionsName]) {
    if (register.getSingleMetric(name) === undefined) continue
    const message = `the registry has ${name} already: a gateway counts by itself`
    throw misuse('options-conflict', message, { option: 'metrics.register' })
  }
  const counter = <L extends string>(name: string, help: string, labels: readonly L[]) =>
    new client.Counter({ name: `${prefix}${name}`, help, labelNames: labels, registers })
  const gauge = (name: string, help: string, value?: () => number | undefined) =>
    new client.Gauge({
      name: `${prefix}${name}`,
      help,
      registers,
      ...(value === undefined
        ? {}
        : {
            collect() {
              const now = value()
              if (now !== undefined) this.set(now)
            },
          }),
    })
  const all = new Map<string, ProxyCounts>()
  const nowhere = new ProxyCounts('', '', nothing)
  /** A counter whose series are there as long as their proxy. */
  const byProxy = <L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    seriesOf: (counts: ProxyCounts) => Iterable<Series<L>>,
  ) =>
    new client.Counter({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset()
        for (const counts of [nowhere, ...all.values()]) {
          for (const [labels, count] of seriesOf(counts)) this.inc(labels, count)
        }
      },
    })
  byProxy(
    decisionsName,
    'Decisions by proxy, outcome, policy and code.',
    ['project', 'proxy', 'outcome', 'policy', 'code'],
    (counts) => counts.decisions(),
  )
  byProxy(
    'mtls_policy_would_refuse_total',
    'Refusals by policies in report mode, which let the request pass.',
    ['project', 'proxy', 'policy', 'code'],
    (counts) => counts.wouldBeRefusals(),
  )
  const observe = decisionTimes(client, registers)
  byProxy(
    `${prefix}requests_total`,
    'Requests by proxy and status of the answer.',
    ['project', 'proxy', 'status'],
    (counts) => counts.answers(),
  )
  const seconds = new client.Histogram({
    name: `${prefix}request_seconds`,
    help: 'Time until the answer has ended.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  })
  const failures = counter('failures_total', 'What the gateway answered for itself.', [
    'code',
  ] as const)
  const handshakes = counter('handshake_failures_total', 'TLS handshakes that failed.', [])
  const applied = counter('applied_total', 'States that were put in force.', [])
  const reloads = counter('certificate_reloads_total', 'Server certificates read again.', [
    'result',
  ] as const)
  const applySeconds = gauge('apply_seconds', 'What putting the last state in force took.')
  const applyProblems = gauge('apply_problems', 'What of the last state could not be used.')
  gauge('connections', 'Open connections of clients.', observed.connections)
  gauge('requests', 'Requests under way.', observed.requests)
  gauge('tunnels', 'Open WebSockets.', observed.tunnels)
  gauge('proxies', 'API proxies in force.', observed.proxies)
  gauge('proxies_held', 'API proxies at whose place 503 is answered.', observed.held)
  gauge(
    'certificate_not_after_seconds',
    'Unix time at which the first server certificate runs out.',
    observed.earliestCertificate,
  )
  return {
    decisionsOf: (project, proxy) => {
      const key = keyOf({ project, apiProxy: proxy })
      const counts = all.get(key) ?? new ProxyCounts(project, proxy, observe)
      all.set(key, counts)
      return [counts]
    },
    keepOnly: (proxies) => {
      const kept = new Set(
        [...proxies].map(({ project, name }) => keyOf({ project, apiProxy: name })),
      )
      for (const key of all.keys()) if (!kept.has(key)) all.delete(key)
    },
    answered: (project, proxy, status, took) => {
      const counts = proxy === '' ? nowhere : all.get(keyOf({ project, apiProxy: proxy }))
      counts?.answered(status)
      seconds.observe(took)
    },
    failed: (code) => failures.inc({ code }),
    handshakeFailed: () => handshakes.inc(),
    applied: (milliseconds, problems) => {
      applied.inc()
      applySeconds.set(milliseconds / 1000)
      applyProblems.set(problems)
    },
    reloaded: (succeeded) => reloads.inc({ result: succeeded ? 'reloaded' : 'failed' }),
  }
}

const prefix = 'mtls_policy_gateway_'

const nothing = (): void => {}
const noMetrics: GatewayMetrics = {
  decisionsOf: () => [],
  keepOnly: nothing,
  answered: nothing,
  failed: nothing,
  handshakeFailed: nothing,
  applied: nothing,
  reloaded: nothing,
}
