/** What Prometheus is told: the text of a real registry. @module */
import client, { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type PrometheusOptions, prometheusHooks } from '../../../src/http/metrics/prometheus.ts'
import { parseCrls } from '../../../src/revocation/crls.ts'
import { issueCa, testTime } from '../../../src/testing/index.ts'
import { eventOf, now, oddSubject, refused, verdictOf, verdictOn, wouldRefuse } from './support.ts'

beforeEach(() => {
  vi.useFakeTimers({ now, toFake: ['Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

function hooksOf(options: Partial<PrometheusOptions> = {}) {
  const register = new Registry()
  const { decision } = prometheusHooks({ client, register, ...options })
  const lines = async (name: string) =>
    (await register.metrics()).split('\n').filter((line) => line.startsWith(name))
  return { decision, lines, register }
}

describe('decisions are counted', () => {
  test('by outcome, policy and code', async () => {
    const { decision, lines } = hooksOf()
    for (const event of [eventOf(), eventOf(), refused, wouldRefuse]) decision(event)
    decision(eventOf({ outcome: 'error', status: 500, code: 'decision-failed', policy: undefined }))
    expect(await lines('mtls_policy_decisions_total{')).toEqual([
      'mtls_policy_decisions_total{outcome="allowed",policy="partners",code=""} 2',
      'mtls_policy_decisions_total{outcome="refused",policy="partners",code="certificate-missing"} 1',
      'mtls_policy_decisions_total{outcome="would-refuse",policy="trial",code="certificate-expired"} 1',
      'mtls_policy_decisions_total{outcome="error",policy="",code="decision-failed"} 1',
    ])
  })
  test('with every policy in report mode that would have refused', async () => {
    const { decision, lines } = hooksOf()
    decision(wouldRefuse)
    expect(await lines('mtls_policy_would_refuse_total{')).toEqual([
      'mtls_policy_would_refuse_total{policy="trial",code="certificate-expired"} 1',
      'mtls_policy_would_refuse_total{policy="second trial",code="issuer-not-allowed"} 1',
    ])
  })
  test('with those that were remembered, whose time is no validation', async () => {
    const { decision, lines } = hooksOf()
    decision(eventOf({ milliseconds: 0.3 }))
    decision(eventOf({ milliseconds: 4000 }))
    decision(eventOf({ isRemembered: true, milliseconds: 0.001 }))
    expect(await lines('mtls_policy_remembered_total{')).toEqual([
      'mtls_policy_remembered_total{remembered="false"} 2',
      'mtls_policy_remembered_total{remembered="true"} 1',
    ])
    expect(await lines('mtls_policy_validation_seconds')).toEqual(
      expect.arrayContaining([
        'mtls_policy_validation_seconds_bucket{le="0.00025"} 0',
        'mtls_policy_validation_seconds_bucket{le="0.0005"} 1',
        'mtls_policy_validation_seconds_bucket{le="2.5"} 1',
        'mtls_policy_validation_seconds_bucket{le="+Inf"} 2',
        'mtls_policy_validation_seconds_sum 4.0003',
        'mtls_policy_validation_seconds_count 2',
      ]),
    )
  })
})

describe('the earliest notAfter', () => {
  const name = 'mtls_policy_earliest_not_after_seconds{'
  test('is of the first certificate of an issuer to run out', async () => {
    const { decision, lines } = hooksOf()
    for (const days of [30, 10, 20]) {
      const verdict = await verdictOf({ notAfter: testTime + days * 86_400 })
      decision(eventOf({ verdict }))
      decision(eventOf({ verdict, isRemembered: true }))
    }
    expect(await lines(name)).toEqual([
      `mtls_policy_earliest_not_after_seconds{issuer="CN=Example Issuing CA,O=Example"} ${testTime + 864_000}`,
    ])
  })
  test('forgets what did not come in today or yesterday', async () => {
    const { decision, lines } = hooksOf()
    const notAfter = testTime + 86_400
    decision(eventOf({ verdict: await verdictOf({ notAfter }) }))
    vi.setSystemTime(now + 86_400_000)
    expect(await lines(name)).toHaveLength(1)
    vi.setSystemTime(now + 2 * 86_400_000)
    expect(await lines(name)).toEqual([])
  })
  test('is of verified certificates alone', async () => {
    const { decision, lines } = hooksOf()
    const foreign = await (await issueCa('Foreign CA')).issue('client-a')
    const verdict = verdictOn(foreign)
    expect(verdict.ok).toBe(false)
    decision(eventOf({ verdict, outcome: 'refused', status: 401, code: 'certificate-missing' }))
    decision(refused)
    expect(await lines(name)).toEqual([])
  })
  test('is of at most 100 issuers, and of the others together', async () => {
    const { decision, lines } = hooksOf()
    const root = await issueCa('Root of many')
    const good = await verdictOf()
    if (!good.ok || !good.verified) throw new Error('not verified')
    for (let i = 0; i < 120; i++) {
      const issuer = await root.issueCa(`CA ${i}`, { key: 'P-256#3' })
      const notAfter = testTime + 86_400 + i
      const client = await issuer.issue('client-a', { notAfter, key: 'P-256#4' })
      decision(eventOf({ verdict: verdictOn(client, root.pem) }))
    }
    const all = await lines(name)
    expect(all).toHaveLength(101)
    expect(all).toContain(`${name}issuer="other"} ${testTime + 86_400 + 100}`)
    expect(all).toContain(`${name}issuer="CN=CA 0"} ${testTime + 86_400}`)
  })
})

describe('the age of revocation lists', () => {
  const name = 'mtls_policy_crl_age_seconds{'
  test('is that of the newest list of an issuer', async () => {
    const ca = await issueCa('Root CA')
    const old = await ca.issueCrl({ thisUpdate: testTime - 7200 })
    const fresh = await ca.issueCrl({ thisUpdate: testTime - 60 })
    const other = await (await issueCa('Other CA')).issueCrl({ thisUpdate: testTime - 300 })
    const crls = parseCrls([old.der, fresh.der, other.der])
    const { lines } = hooksOf({ revocation: crls })
    expect(await lines(name)).toEqual([
      `${name}issuer="CN=Root CA",origin=""} 60`,
      `${name}issuer="CN=Other CA",origin=""} 300`,
    ])
  })
  test('is that of the oldest part, where an issuer has several distribution points', async () => {
    const ca = await issueCa('Root CA')
    const part = (uri: string, thisUpdate: number) =>
      ca.issueCrl({
        thisUpdate,
        issuingDistributionPoint: { fullName: [{ uri }] },
      })
    const crls = parseCrls([
      (await part('http://a.example/1', testTime - 100)).der,
      (await part('http://a.example/1', testTime - 50)).der,
      (await part('http://a.example/2', testTime - 900)).der,
    ])
    expect(await hooksOf({ revocation: [crls] }).lines(name)).toEqual([
      `${name}issuer="CN=Root CA",origin=""} 900`,
    ])
  })
  test('is told by place for a source, and together for what certificates named', async () => {
    const entry = {
      kind: 'crl' as const,
      state: 'current' as const,
      verified: true,
      nextUpdate: undefined,
      lastFailure: undefined,
      failures: 0,
      nextFetch: undefined,
    }
    const at = (seconds: number) => new Date(now - seconds * 1000)
    const source = {
      status: () => [
        { ...entry, origin: 'http://a.example/a.crl', learned: false, thisUpdate: at(10) },
        { ...entry, origin: 'http://b.example/?user=client-a', learned: true, thisUpdate: at(20) },
        { ...entry, origin: 'http://c.example/c.crl', learned: true, thisUpdate: at(30) },
        { ...entry, origin: 'http://d.example/d.crl', learned: false, thisUpdate: undefined },
        {
          ...entry,
          kind: 'ocsp' as const,
          origin: 'http://e.example',
          learned: false,
          thisUpdate: at(1),
        },
      ],
    }
    expect(await hooksOf({ revocation: () => source }).lines(name)).toEqual([
      `${name}issuer="",origin="http://a.example/a.crl"} 10`,
      `${name}issuer="",origin="learned"} 30`,
    ])
  })
  test('is of lists as they are when metrics are read, and of at most 100 issuers', async () => {
    const lists = await Promise.all(
      Array.from(
        { length: 105 },
        async (_, i) =>
          (
            await (
              await issueCa(`CA ${i}`, { key: 'P-256#3' })
            ).issueCrl({ thisUpdate: testTime - i })
          ).der,
      ),
    )
    let crls = parseCrls(lists)
    const { lines } = hooksOf({ revocation: () => crls })
    const all = await lines(name)
    expect(all).toHaveLength(101)
    expect(all).toContain(`${name}issuer="other",origin=""} 104`)
    crls = parseCrls([])
    expect(await lines(name)).toEqual([])
  })
  test('is not shown unless asked for, and never below zero', async () => {
    expect(await hooksOf().lines(name)).toEqual([])
    const crl = await (await issueCa('Root CA')).issueCrl({ thisUpdate: testTime + 60 })
    expect(await hooksOf({ revocation: parseCrls(crl.der) }).lines(name)).toEqual([
      `${name}issuer="CN=Root CA",origin=""} 0`,
    ])
  })
})

test('nothing of a certificate but its issuer is in any metric, whatever characters it has', async () => {
  const { decision, register } = hooksOf()
  const subject = [{ type: 'CN', value: oddSubject }]
  const verdict = await verdictOf({ subject, subjectAltName: [{ uri: 'spiffe://td/evil' }] })
  expect(verdict.ok).toBe(true)
  decision(eventOf({ verdict, target: '/evil' }))
  decision({ ...refused, verdict, target: '/evil', method: 'EVIL' })
  decision({ ...wouldRefuse, asserted: { asserted: true, by: 'istio', subject: 'CN=evil' } })
  const text = await register.metrics()
  expect(text).not.toMatch(/evil|EVIL|ünïcode|日本|spiffe|orders/u)
  expect(text).toContain('issuer="CN=Example Issuing CA,O=Example"')
})

test('an issuer of odd characters stays one label on one line', async () => {
  const { decision, lines, register } = hooksOf()
  const root = await issueCa('odd', { subject: [{ type: 'CN', value: oddSubject }] })
  decision(eventOf({ verdict: verdictOn(await root.issue('client-a'), root.pem) }))
  const [line, ...others] = await lines('mtls_policy_earliest_not_after_seconds{')
  expect(others).toEqual([])
  expect(line).toMatch(
    /^mtls_policy_earliest_not_after_seconds\{issuer="(?:[^"\\\n]|\\["\\n])*"\} \d+$/,
  )
  expect(
    (await register.metrics()).split('\n').filter((text) => text.startsWith('# HELP x')),
  ).toEqual([])
})

describe('options', () => {
  test("have the client's own registry as default", async () => {
    const { decision } = prometheusHooks({ client })
    decision(eventOf())
    expect(await client.register.metrics()).toContain('mtls_policy_decisions_total{')
    client.register.clear()
  })
  test('with a registry that has these metrics throw', () => {
    const register = new Registry()
    prometheusHooks({ client, register })
    expect(() => prometheusHooks({ client, register })).toThrow(
      expect.objectContaining({ code: 'options-conflict' }),
    )
  })
  test.each([
    ['no client', {}, 'option-missing'],
    ['no options', undefined, 'option-missing'],
    ['a client that is none', { client: {} }, 'option-missing'],
    ['an unknown option', { client, prefix: 'a' }, 'option-unknown'],
  ])('with %s throw', (_, options, code) => {
    expect(() => prometheusHooks(options as PrometheusOptions)).toThrow(
      expect.objectContaining({ code }),
    )
  })
})
