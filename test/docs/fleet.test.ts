import client from 'prom-client'
import { describe, expect, test } from 'vitest'
import { deploymentFailureCodes } from '../../src/deployment/failure.ts'
import { liveCapacity, liveLimits, liveMeasures } from '../../src/deployment/live-limits.ts'
import { leastProxyOctets, maxStateOctets, stateLimit } from '../../src/deployment/state-limits.ts'
import { gatewayMetrics } from '../../src/gateway/metrics.ts'
import { defaultLimits } from '../../src/gateway/options.ts'
import { managementMetrics } from '../../src/management/rest/metrics.ts'
import { readPage, rowsOf, sectionOf } from './markdown.ts'

const fleet = readPage('docs/fleet.md')
const management = readPage('docs/management.md')
const source = (path: string) => readPage(`src/${path}`)

describe('what docs/fleet.md says', () => {
  const codes = [...fleet.matchAll(/^\| (`[a-z-]+`(?:, `[a-z-]+`)*) \|/gm)].flatMap(
    ([, cell = '']) => cell.replaceAll('`', '').split(', '),
  )

  test('every code that a gateway refuses with, once', () => {
    const [, union = ''] =
      /export type AlarmCode =(.*?)\n\n/s.exec(source('gateway/subscription/options.ts')) ?? []
    const [, problems = ''] = /readonly code: ('.*)\n/.exec(source('gateway/state.ts')) ?? []
    const named = [...`${union}${problems}`.matchAll(/(?<!\[)'([a-z-]+)'/g)].map(([, code]) => code)
    expect(named.length).toBeGreaterThan(12)
    expect(codes.toSorted()).toEqual([...deploymentFailureCodes(), ...named].toSorted())
  })

  test('every metric, with its type and labels', async () => {
    const register = new client.Registry()
    const nothing = () => 0
    gatewayMetrics(
      { client, register },
      {
        connections: nothing,
        requests: nothing,
        tunnels: nothing,
        proxies: nothing,
        held: nothing,
        earliestCertificate: nothing,
      },
    )
    managementMetrics({ client, register })
    const served = await Promise.all(
      register.getMetricsAsArray().map(async (metric) => {
        const { labelNames = [] } = metric as unknown as Described
        const { name, type } = await (metric as unknown as Described).get()
        return [name, String(type), labelNames.join(', ')]
      }),
    )
    const rows = rowsOf(sectionOf(fleet, '### Logs and metrics')).filter(([name]) =>
      /^mtls_policy_\w+$/.test(name ?? ''),
    )
    // Those of the command line, beside the gateway's own.
    const besides = [
      'mtls_policy_gateway_alarms_total',
      'mtls_policy_gateway_manager_contact_seconds',
    ]
    for (const name of besides) expect(source('cli/serving/run-gateway.ts')).toContain(`'${name}'`)
    expect(
      rows
        .filter(([name]) => !besides.includes(name as string))
        .map(([name, type, labels = '']) => [name, type, labels.replace(/`|:.*/g, '')])
        .toSorted(),
    ).toEqual(served.toSorted())
  })

  test('every limit of a gateway, with its default', () => {
    const rows = rowsOf(sectionOf(fleet, '### Limits and time-outs'))
    expect(Object.fromEntries(rows.map(([name, value]) => [name, Number(value)]))).toEqual(
      defaultLimits,
    )
  })

  test('what room a project has for live data', () => {
    const numbers = liveMeasures.map((measure) => {
      const { perProject, guaranteed, shared } = liveLimits[measure]
      return [perProject, guaranteed, shared].map((one) => one.toLocaleString('en')).join(' | ')
    })
    const table = sectionOf(fleet, '## What is in force at once')
    for (const row of numbers) expect(table).toContain(`| ${row} |`)
    const { perProject, guaranteed, shared } = stateLimit
    const state = [perProject, guaranteed, shared].map((one) => one.toLocaleString('en'))
    expect(table).toContain(`base paths of API proxies | ${state.join(' | ')} |`)
    expect(table).toContain(`at most ${maxStateOctets.toLocaleString('en')} octets`)
    expect(table).toContain(`${leastProxyOctets} octets at least`)
    expect(liveCapacity('crlOctets')).toBeLessThan(512 * 2 ** 20)
  })

  test.each([
    ['5000 anchors', 'management/service/limits.ts', 'maxCertificates = 5000'],
    ['8 MiB each', 'management/service/limits.ts', 'maxCertificateOctets = 8_388_608'],
    ['1000 each', 'management/service/limits.ts', 'maxPolicies = 1000'],
    ['1000 each', 'management/service/api-proxy-document.ts', 'maxHosts = 1000'],
    ['32 MiB; 64 MiB', 'deployment/snapshot.ts', 'maxSnapshotBytes = 33_554_432'],
    ['32 MiB; 64 MiB', 'deployment/live.ts', 'maxLiveBytes = 67_108_864'],
    ['10 in a minute', 'management/service/lockout.ts', 'maxFailures = 10'],
    ['10,000 streams', 'management/channel/routes.ts', 'maxStreams = 10_000'],
    ['| body | 1 MiB;', 'management/service/limits.ts', 'maxDocument = 1_048_576'],
    ['16 MiB for a file', 'management/service/limits.ts', 'maxCertificateFile = 16_777_216'],
    ['32 MiB for a trust store', 'management/service/limits.ts', 'maxTrustStore = 33_554_432'],
    ['64 MiB for CRLs', 'management/service/limits.ts', 'maxCrlFile = 67_108_864'],
    ['64 MiB for CRLs and projects', 'management/service/limits.ts', 'maxProjectFile = 67_108_864'],
    ['| time for a body | 30 s |', 'management/rest/app.ts', 'bodyTimeoutMs = 30_000'],
    ['| waiting for gateways | 5 s |', 'management/rest/app.ts', 'deploymentWaitMs = 5000'],
    ['within 30 seconds', 'gateway/gateway.ts', 'milliseconds = 30_000'],
    ['every 2 seconds', 'gateway/subscription/options.ts', 'pollMs: 2000'],
    ['250 ms', 'gateway/subscription/options.ts', 'firstRetryMs: 250'],
    ['pauses of 4 s', 'gateway/subscription/options.ts', 'maxRetryMs: 4000'],
    ['above 64 MiB', 'gateway/subscription/subscription.ts', 'maxCrlBytes = 67_108_864'],
    ['above 128 MiB', 'deployment/live-limits.ts', 'perProject: 134_217_728'],
  ])('%s: as in src/%s', (words, path, line) => {
    expect(fleet).toContain(words)
    expect(source(path)).toContain(line)
  })
})

/** What its types leave out. */
interface Described {
  readonly labelNames?: readonly string[]
  get(): Promise<{ readonly name: string; readonly type: unknown }>
}

test('docs/management.md lists every code with its status', () => {
  const [, table = ''] =
    /^const statuses = \{(.*?)^\}/ms.exec(source('management/service/refusal.ts')) ?? []
  const known = [...table.matchAll(/^ {2}'?([a-z-]+)'?: (\d+),$/gm)].map(([, code, status]) => [
    status,
    code,
  ])
  const listed = [...management.matchAll(/^\| (\d{3}) \| (.*?) \|/gm)].flatMap(
    ([, status, codes = '']) =>
      codes
        .replaceAll('`', '')
        .split(', ')
        .map((code) => [status, code]),
  )
  expect(known.length).toBeGreaterThan(20)
  expect(listed.toSorted()).toEqual(known.toSorted())
})
