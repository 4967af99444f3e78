/**
 * Metrics for Prometheus, through `prom-client`. Labels are names from the configuration, codes of the registry and issuers whose
 * certificates verified: nothing that a client can choose, and never a certificate's subject.
 *
 * @module
 */

import type { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { misuse } from '../../client/misuse.ts'
import type { DecisionEvent } from '../event.ts'
import { checkOptionNames } from '../sources/options.ts'
import { crlAges, type ObservedRevocations } from './crl-ages.ts'
import { decisionTimes } from './decision-times.ts'
import type { MetricHooks } from './hooks.ts'

export interface PrometheusOptions {
  /** `import client from 'prom-client'`: given, so that the metrics are in the copy of it whose registry is read. */
  readonly client: PrometheusClient
  /** Default: the client's own. */
  readonly register?: Registry | undefined
  /** Whose lists' ages to show; absent: no such metric. */
  readonly revocation?: ObservedRevocations | undefined
}

/** What is used of `prom-client`. */
export interface PrometheusClient {
  readonly register: Registry
  readonly Counter: typeof Counter
  readonly Gauge: typeof Gauge
  readonly Histogram: typeof Histogram
}

/**
 * Hooks that count decisions in a registry of `prom-client`:
 *
 * - `mtls_policy_decisions_total{outcome,policy,code}`
 * - `mtls_policy_would_refuse_total{policy,code}`: refusals by policies in report mode, all of a request
 * - `mtls_policy_validation_seconds`: a histogram of decisions that were not remembered
 * - `mtls_policy_remembered_total{remembered}`: `true` for hits of the caches, `false` for the rest
 * - `mtls_policy_earliest_not_after_seconds{issuer}`: Unix time at which the first certificate runs out that came in today or
 *   yesterday; of at most 100 issuers, the others together as `other`
 * - `mtls_policy_crl_age_seconds{issuer,origin}`: since thisUpdate
 *
 * One registry takes them once: give the same hooks to all middleware.
 *
 * @throws TypeError with a `code` when an option is missing or unknown, or the registry has these metrics already.
 * @example
 * const hooks = prometheusHooks({ client })
 * console.log(typeof hooks.decision) // function
 */
export function prometheusHooks(options: PrometheusOptions): MetricHooks {
  checkOptionNames(options, ['client', 'register', 'revocation'])
  const { client, register = client?.register, revocation } = options
  if (typeof client?.Counter !== 'function') {
    throw misuse('option-missing', 'client must be prom-client', { option: 'client' })
  }
  if (register.getSingleMetric(decisionsName) !== undefined) {
    throw misuse('options-conflict', 'the registry has these metrics already: share the hooks', {
      option: 'register',
    })
  }
  const registers = [register]
  const decisions = new client.Counter({
    name: decisionsName,
    help: 'Decisions by outcome, policy and code.',
    labelNames: ['outcome', 'policy', 'code'] as const,
    registers,
  })
  const wouldRefuse = new client.Counter({
    name: 'mtls_policy_would_refuse_total',
    help: 'Refusals by policies in report mode, which let the request pass.',
    labelNames: ['policy', 'code'] as const,
    registers,
  })
  const observe = decisionTimes(client, registers)
  if (revocation !== undefined) {
    new client.Gauge({
      name: 'mtls_policy_crl_age_seconds',
      help: 'Age of the revocation lists of an issuer, or of those at a place of the configuration.',
      labelNames: ['issuer', 'origin'] as const,
      registers,
      collect() {
        this.reset()
        for (const { issuer, origin, seconds } of crlAges(revocation, Date.now())) {
          this.set({ issuer, origin }, seconds)
        }
      },
    })
  }
  return {
    decision: (event: DecisionEvent) => {
      const { outcome, policy = '', code = '' } = event
      decisions.inc({ outcome, policy, code })
      for (const refusal of event.wouldRefuse) {
        wouldRefuse.inc({ policy: refusal.policy, code: refusal.code })
      }
      observe(event)
    },
  }
}

/** Of which there is one in a registry, whoever counts. */
export const decisionsName = 'mtls_policy_decisions_total'
