/**
 * Spans and metrics for OpenTelemetry, through `@opentelemetry/api`. Attributes are names from the configuration, codes of the registry
 * and issuers whose certificates verified: nothing that a client can choose, and never a certificate's subject.
 *
 * @module
 */

import {
  type Attributes,
  type Meter,
  metrics,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import type { DecisionEvent } from '../event.ts'
import { checkOptionNames } from '../sources/options.ts'
import { validationBuckets } from './buckets.ts'
import { crlAges, type ObservedRevocations } from './crl-ages.ts'
import { EarliestExpiries } from './expiries.ts'
import type { MetricHooks } from './hooks.ts'

export interface OpenTelemetryOptions {
  /** Default: the global one, named `mtls-policy`. `false`: no spans. */
  readonly tracer?: Tracer | false | undefined
  /** Default: the global one, named `mtls-policy`. `false`: no metrics. */
  readonly meter?: Meter | false | undefined
  /** Whose lists' ages to show; absent: no such metric. */
  readonly revocation?: ObservedRevocations | undefined
}

/**
 * Hooks that tell OpenTelemetry of decisions. Each makes a span `mtls-policy decide` in the active context, and counts in:
 *
 * - `mtls_policy.decisions` by `outcome`, `policy` and `code`
 * - `mtls_policy.would_refuse` by `policy` and `code`: refusals by policies in report mode, all of a request
 * - `mtls_policy.validation.duration`: a histogram in seconds of decisions that were not remembered
 * - `mtls_policy.remembered` by `remembered`: `true` for hits of the caches, `false` for the rest
 * - `mtls_policy.earliest_not_after` by `issuer`: Unix time at which the first certificate runs out that came in today or yesterday;
 *   of at most 100 issuers, the others together as `other`
 * - `mtls_policy.crl.age` by `issuer` and `origin`: seconds since thisUpdate
 *
 * All names of attributes begin with `mtls_policy.`, too.
 *
 * @throws TypeError with a `code` when an option is unknown.
 * @example
 * const hooks = openTelemetryHooks()
 * console.log(typeof hooks.decision) // function
 */
export function openTelemetryHooks(options: OpenTelemetryOptions = {}): MetricHooks {
  checkOptionNames(options, ['tracer', 'meter', 'revocation'])
  const { tracer = trace.getTracer(scope), meter = metrics.getMeter(scope), revocation } = options
  const measure = meter === false ? undefined : measuring(meter, revocation)
  return {
    decision: (event) => {
      if (tracer !== false) traceDecision(tracer, event)
      measure?.(event)
    },
  }
}

function traceDecision(tracer: Tracer, event: DecisionEvent): void {
  const span = tracer.startSpan('mtls-policy decide', {
    kind: SpanKind.INTERNAL,
    startTime: event.time - event.milliseconds,
    attributes: {
      'mtls_policy.decision.id': event.id,
      ...decisionAttributes(event),
      'mtls_policy.source': event.source,
      'mtls_policy.remembered': event.isRemembered,
      'http.response.status_code': event.status,
      ...(event.endpoint === undefined
        ? {}
        : { 'mtls_policy.endpoint': `${event.endpoint.method} ${event.endpoint.path}` }),
    },
  })
  if (event.outcome === 'error') span.setStatus({ code: SpanStatusCode.ERROR })
  span.end(event.time)
}

function measuring(
  meter: Meter,
  revocation: ObservedRevocations | undefined,
): (event: DecisionEvent) => void {
  const decisions = meter.createCounter('mtls_policy.decisions', {
    description: 'Decisions by outcome, policy and code.',
  })
  const wouldRefuse = meter.createCounter('mtls_policy.would_refuse', {
    description: 'Refusals by policies in report mode, which let the request pass.',
  })
  const validation = meter.createHistogram('mtls_policy.validation.duration', {
    description: 'Time of decisions that were not remembered.',
    unit: 's',
    advice: { explicitBucketBoundaries: [...validationBuckets] },
  })
  const remembered = meter.createCounter('mtls_policy.remembered', {
    description:
      'Decisions that were remembered, from the connection or from the same header, and others.',
  })
  const expiries = new EarliestExpiries()
  meter
    .createObservableGauge('mtls_policy.earliest_not_after', {
      description:
        'Unix time at which the first certificate of an issuer runs out, of those that came in today or yesterday.',
      unit: 's',
    })
    .addCallback((result) => {
      for (const [issuer, notAfter] of expiries.entries(Date.now())) {
        result.observe(notAfter, { 'mtls_policy.issuer': issuer })
      }
    })
  if (revocation !== undefined) {
    meter
      .createObservableGauge('mtls_policy.crl.age', {
        description:
          'Age of the revocation lists of an issuer, or of those at a place of the configuration.',
        unit: 's',
      })
      .addCallback((result) => {
        for (const { issuer, origin, seconds } of crlAges(revocation, Date.now())) {
          result.observe(
            seconds,
            origin === '' ? { 'mtls_policy.issuer': issuer } : { 'mtls_policy.origin': origin },
          )
        }
      })
  }
  return (event) => {
    decisions.add(1, decisionAttributes(event))
    for (const { policy, code } of event.wouldRefuse) {
      wouldRefuse.add(1, { 'mtls_policy.policy': policy, 'mtls_policy.code': code })
    }
    remembered.add(1, { 'mtls_policy.remembered': event.isRemembered })
    if (!event.isRemembered) validation.record(event.milliseconds / 1000)
    expiries.observe(event.verdict, event.time)
  }
}

/** An attribute that is not there is left out. */
function decisionAttributes({ outcome, policy, code }: DecisionEvent): Attributes {
  const attributes: Attributes = { 'mtls_policy.outcome': outcome }
  if (policy !== undefined) attributes['mtls_policy.policy'] = policy
  if (code !== undefined) attributes['mtls_policy.code'] = code
  return attributes
}

const scope = 'mtls-policy'
