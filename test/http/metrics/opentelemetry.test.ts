/** What OpenTelemetry is told: read back from the exporters of the real SDK. @module */
import { context, metrics, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  type OpenTelemetryOptions,
  openTelemetryHooks,
} from '../../../src/http/metrics/opentelemetry.ts'
import { parseCrls } from '../../../src/revocation/crls.ts'
import { issueCa, testTime } from '../../../src/testing/index.ts'
import { eventOf, now, oddSubject, refused, verdictOf, wouldRefuse } from './support.ts'

beforeEach(() => {
  vi.useFakeTimers({ now, toFake: ['Date'] })
})
afterEach(() => {
  vi.useRealTimers()
  metrics.disable()
  trace.disable()
})

function sdk() {
  const spanExporter = new InMemorySpanExporter()
  const tracers = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(spanExporter)],
  })
  const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({
    exporter: metricExporter,
    exportIntervalMillis: 3_600_000,
  })
  const meters = new MeterProvider({ readers: [reader] })
  return {
    tracers,
    meters,
    tracer: tracers.getTracer('test'),
    meter: meters.getMeter('test'),
    spans: () => spanExporter.getFinishedSpans(),
    /** Attributes and value of every point of a metric. */
    points: async (name: string) => {
      metricExporter.reset()
      await reader.forceFlush()
      return metricsOf(metricExporter)
        .filter(({ descriptor }) => descriptor.name === name)
        .flatMap(({ dataPoints }) => dataPoints.map(({ attributes, value }) => [attributes, value]))
    },
    text: async () => {
      metricExporter.reset()
      await reader.forceFlush()
      const spans = spanExporter
        .getFinishedSpans()
        .map(({ name, attributes, events }) => ({ name, attributes, events }))
      return JSON.stringify([spans, metricsOf(metricExporter)])
    },
  }
}
const metricsOf = (exporter: InMemoryMetricExporter) =>
  exporter
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))

describe('decisions are counted', () => {
  test('by outcome, policy and code', async () => {
    const { meter, points } = sdk()
    const { decision } = openTelemetryHooks({ meter, tracer: false })
    for (const event of [eventOf(), eventOf(), refused, wouldRefuse]) decision(event)
    decision(eventOf({ outcome: 'error', status: 500, code: 'decision-failed', policy: undefined }))
    expect(await points('mtls_policy.decisions')).toEqual([
      [{ 'mtls_policy.outcome': 'allowed', 'mtls_policy.policy': 'partners' }, 2],
      [
        {
          'mtls_policy.outcome': 'refused',
          'mtls_policy.policy': 'partners',
          'mtls_policy.code': 'certificate-missing',
        },
        1,
      ],
      [
        {
          'mtls_policy.outcome': 'would-refuse',
          'mtls_policy.policy': 'trial',
          'mtls_policy.code': 'certificate-expired',
        },
        1,
      ],
      [{ 'mtls_policy.outcome': 'error', 'mtls_policy.code': 'decision-failed' }, 1],
    ])
    expect(await points('mtls_policy.would_refuse')).toEqual([
      [{ 'mtls_policy.policy': 'trial', 'mtls_policy.code': 'certificate-expired' }, 1],
      [{ 'mtls_policy.policy': 'second trial', 'mtls_policy.code': 'issuer-not-allowed' }, 1],
    ])
  })
  test('with those that were remembered, whose time is no validation', async () => {
    const { meter, points } = sdk()
    const { decision } = openTelemetryHooks({ meter, tracer: false })
    decision(eventOf({ milliseconds: 0.3 }))
    decision(eventOf({ isRemembered: true, milliseconds: 0.001 }))
    expect(await points('mtls_policy.remembered')).toEqual([
      [{ 'mtls_policy.remembered': false }, 1],
      [{ 'mtls_policy.remembered': true }, 1],
    ])
    const [point] = await points('mtls_policy.validation.duration')
    expect(point?.[1]).toMatchObject({
      count: 1,
      sum: 0.0003,
      buckets: { counts: [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
    })
  })
})

test('the earliest notAfter is told by issuer, the age of lists by issuer or place', async () => {
  const { meter, points } = sdk()
  const crl = await (await issueCa('Root CA')).issueCrl({ thisUpdate: testTime - 60 })
  const source = {
    status: () => [
      {
        kind: 'crl' as const,
        origin: 'crls/a.crl',
        learned: false,
        state: 'current' as const,
        verified: true,
        thisUpdate: new Date(now - 5000),
        nextUpdate: undefined,
        lastFailure: undefined,
        failures: 0,
        nextFetch: undefined,
      },
    ],
  }
  const revocation = [parseCrls(crl.der), source]
  const { decision } = openTelemetryHooks({ meter, tracer: false, revocation })
  decision(eventOf({ verdict: await verdictOf({ notAfter: testTime + 86_400 }) }))
  expect(await points('mtls_policy.earliest_not_after')).toEqual([
    [{ 'mtls_policy.issuer': 'CN=Example Issuing CA,O=Example' }, testTime + 86_400],
  ])
  expect(await points('mtls_policy.crl.age')).toEqual([
    [{ 'mtls_policy.issuer': 'CN=Root CA' }, 60],
    [{ 'mtls_policy.origin': 'crls/a.crl' }, 5],
  ])
})

describe('a span', () => {
  test('is made of each decision, as long as deciding took', () => {
    const { tracer, spans } = sdk()
    openTelemetryHooks({ tracer, meter: false }).decision({ ...refused, milliseconds: 250 })
    const [span, ...others] = spans()
    expect(others).toEqual([])
    expect(span?.name).toBe('mtls-policy decide')
    expect(span?.attributes).toEqual({
      'mtls_policy.decision.id': refused.id,
      'mtls_policy.outcome': 'refused',
      'mtls_policy.policy': 'partners',
      'mtls_policy.code': 'certificate-missing',
      'mtls_policy.source': 'tls',
      'mtls_policy.remembered': false,
      'mtls_policy.endpoint': 'GET /orders',
      'http.response.status_code': 401,
    })
    expect(span?.startTime).toEqual([testTime - 1, 750_000_000])
    expect(span?.endTime).toEqual([testTime, 0])
    expect(span?.status.code).toBe(SpanStatusCode.UNSET)
  })
  test('is an error when deciding failed', () => {
    const { tracer, spans } = sdk()
    const { decision } = openTelemetryHooks({ tracer, meter: false })
    decision(
      eventOf({
        outcome: 'error',
        status: 500,
        code: 'decision-failed',
        endpoint: undefined,
        error: new Error('CN=evil'),
      }),
    )
    expect(spans()[0]?.status).toEqual({ code: SpanStatusCode.ERROR })
    expect(spans()[0]?.attributes).not.toHaveProperty('mtls_policy.endpoint')
  })
  test('is a child of the span of the active context', () => {
    const { tracer, spans } = sdk()
    const parent = tracer.startSpan('request')
    const active = trace.setSpan(context.active(), parent)
    const spy = vi.spyOn(context, 'active').mockReturnValue(active)
    openTelemetryHooks({ tracer, meter: false }).decision(eventOf())
    spy.mockRestore()
    expect(spans()[0]?.parentSpanContext?.spanId).toBe(parent.spanContext().spanId)
  })
})

test('nothing of a certificate but its issuer is in any span or metric, whatever characters it has', async () => {
  const { tracer, meter, text } = sdk()
  const { decision } = openTelemetryHooks({ tracer, meter })
  const subject = [{ type: 'CN', value: oddSubject }]
  const verdict = await verdictOf({ subject, subjectAltName: [{ uri: 'spiffe://td/evil' }] })
  expect(verdict.ok).toBe(true)
  decision(eventOf({ verdict, target: '/evil' }))
  decision({ ...refused, verdict, target: '/evil', method: 'EVIL' })
  decision(eventOf({ asserted: { asserted: true, by: 'istio', subject: 'CN=evil' } }))
  decision(eventOf({ outcome: 'error', status: 500, error: new Error('CN=evil') }))
  const all = await text()
  expect(all).not.toMatch(/evil|EVIL|ünïcode|日本|spiffe|secret/u)
  expect(all).toContain('CN=Example Issuing CA,O=Example')
})

describe('options', () => {
  test('have the global tracer and meter as defaults', async () => {
    const { tracers, meters, spans, points } = sdk()
    trace.setGlobalTracerProvider(tracers)
    metrics.setGlobalMeterProvider(meters)
    openTelemetryHooks().decision(eventOf())
    expect(spans()[0]?.instrumentationScope.name).toBe('mtls-policy')
    expect(await points('mtls_policy.decisions')).toHaveLength(1)
  })
  test('without an SDK cost nothing and say nothing', () => {
    expect(() => openTelemetryHooks().decision(eventOf())).not.toThrow()
  })
  test('that are unknown or none throw', () => {
    for (const [options, code] of [
      [{ tracers: undefined }, 'option-unknown'],
      [null, 'option-missing'],
    ] as const) {
      expect(() => openTelemetryHooks(options as unknown as OpenTelemetryOptions)).toThrow(
        expect.objectContaining({ code }),
      )
    }
  })
  test('of spans alone or of metrics alone leave out the other', async () => {
    const { tracer, meter, spans, points } = sdk()
    const both = { tracer, meter } satisfies { tracer: Tracer; meter: object }
    openTelemetryHooks({ ...both, meter: false }).decision(eventOf())
    expect(await points('mtls_policy.decisions')).toEqual([])
    openTelemetryHooks({ ...both, tracer: false }).decision(eventOf())
    expect(spans()).toHaveLength(1)
  })
})
