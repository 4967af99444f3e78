/** Of decisions, whatever they are counted by: how long they took, what was remembered, and when the first certificate runs out. @module */

import type { Registry } from 'prom-client'
import type { DecisionEvent } from '../event.ts'
import { validationBuckets } from './buckets.ts'
import { EarliestExpiries } from './expiries.ts'
import type { PrometheusClient } from './prometheus.ts'

/**
 * - `mtls_policy_validation_seconds`
 * - `mtls_policy_remembered_total{remembered}`
 * - `mtls_policy_earliest_not_after_seconds{issuer}`
 *
 * @returns To be told of each decision.
 */
export function decisionTimes(
  client: PrometheusClient,
  registers: Registry[],
): (event: DecisionEvent) => void {
  const validation = new client.Histogram({
    name: 'mtls_policy_validation_seconds',
    help: 'Time of decisions that were not remembered.',
    buckets: [...validationBuckets],
    registers,
  })
  const remembered = new client.Counter({
    name: 'mtls_policy_remembered_total',
    help: 'Decisions that were remembered, from the connection or from the same header, and others.',
    labelNames: ['remembered'] as const,
    registers,
  })
  const expiries = new EarliestExpiries()
  new client.Gauge({
    name: 'mtls_policy_earliest_not_after_seconds',
    help: 'Unix time at which the first certificate of an issuer runs out, of those that came in today or yesterday.',
    labelNames: ['issuer'] as const,
    registers,
    collect() {
      this.reset()
      for (const [issuer, notAfter] of expiries.entries(Date.now())) this.set({ issuer }, notAfter)
    },
  })
  return ({ isRemembered, milliseconds, verdict, time }) => {
    remembered.inc({ remembered: isRemembered ? 'true' : 'false' })
    if (!isRemembered) validation.observe(milliseconds / 1000)
    expiries.observe(verdict, time)
  }
}
