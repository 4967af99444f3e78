/** How often each proxy's policies let in and refuse: series of the proxies that are deployed, and of no other. */
import type { ServerResponse } from 'node:http'
import client from 'prom-client'
import { describe, expect, test } from 'vitest'
import { prometheusHooks } from '../../src/http/metrics/prometheus.ts'
import { ask, openWorld, requestPolicies, stateOf, until, validating } from './support.ts'

const world = await openWorld()
const reporting = { ...validating, name: 'trial', mode: 'report' }

function registry() {
  const register = new client.Registry()
  const series = async (name: string) =>
    (await register.metrics())
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`))
      .map((line) => line.slice(name.length))
  return { register, metrics: { client, register }, series }
}

const decisions = 'mtls_policy_decisions_total'
const wouldRefuse = 'mtls_policy_would_refuse_total'
const requests = 'mtls_policy_gateway_requests_total'

describe('decisions are counted', () => {
  test('by proxy: policies named alike are not one', async () => {
    const { metrics, series } = registry()
    const { url } = await world.upstream()
    const state = stateOf(
      world.snapshot(url, { policies: requestPolicies(validating), basePath: '/orders' }),
      world.snapshot(url, {
        apiProxy: 'returns',
        basePath: '/returns',
        policies: requestPolicies(reporting, validating),
      }),
      world.snapshot(url, {
        project: 'bank',
        apiProxy: 'orders',
        basePath: '/bank',
        policies: { errorPolicyList: [], requestPolicyList: [reporting] },
      }),
    )
    const { port } = await world.gateway(state, { metrics })
    for (const path of ['/orders', '/returns', '/bank', '/nowhere']) {
      await ask('HTTP/1.1', port, { path })
      await ask('HTTP/1.1', port, { path, client: world.pki.client })
    }
    const missing = 'code="certificate-missing"'
    expect((await series(decisions)).toSorted()).toEqual(
      [
        `{project="shop",proxy="orders",outcome="allowed",policy="mtls",code=""} 1`,
        `{project="shop",proxy="orders",outcome="refused",policy="mtls",${missing}} 1`,
        `{project="shop",proxy="returns",outcome="allowed",policy="mtls",code=""} 1`,
        `{project="shop",proxy="returns",outcome="refused",policy="mtls",${missing}} 1`,
        `{project="bank",proxy="orders",outcome="allowed",policy="trial",code=""} 1`,
        `{project="bank",proxy="orders",outcome="would-refuse",policy="trial",${missing}} 1`,
      ].toSorted(),
    )
    expect((await series(wouldRefuse)).toSorted()).toEqual(
      [
        `{project="shop",proxy="returns",policy="trial",${missing}} 1`,
        `{project="bank",proxy="orders",policy="trial",${missing}} 1`,
      ].toSorted(),
    )
    expect(await series(requests)).toContain(`{project="",proxy="",status="404"} 2`)
    expect(await series('mtls_policy_remembered_total')).toEqual(['{remembered="false"} 6'])
  })

  test('over a deployment, and no longer once the proxy is gone', async () => {
    const { metrics, series } = registry()
    const held: ServerResponse[] = []
    const { url } = await world.upstream((request, response) => {
      if (request.url === '/held') held.push(response)
      else response.end('let in')
    })
    const snapshot = world.snapshot(url, { policies: requestPolicies(validating) })
    const other = world.snapshot(url, { apiProxy: 'other', hosts: ['other.example'] })
    const { port, gateway } = await world.gateway(stateOf(snapshot, other), { metrics })
    const pass = async (path = '/') =>
      (await ask('HTTP/1.1', port, { client: world.pki.client, path })).status
    const allowed = (count: number) => [
      `{project="shop",proxy="orders",outcome="allowed",policy="mtls",code=""} ${count}`,
    ]
    expect(await pass()).toBe(200)
    expect(await series(decisions)).toEqual(allowed(1))
    const again = { ...snapshot, policies: requestPolicies({ ...validating, description: 'b' }) }
    expect((await gateway.apply(stateOf(again, other))).built).toBe(1)
    expect(await pass()).toBe(200)
    expect(await series(decisions)).toEqual(allowed(2))

    const late = pass('/held')
    await until(() => held.length === 1)
    await gateway.apply(stateOf(other))
    expect(await series(decisions)).toEqual([])
    expect(await series(requests)).toEqual([])
    held[0]?.end('at last')
    expect(await late).toBe(200)
    await until(() => gateway.requests === 0)
    // What ended late belongs to none that is deployed.
    expect(await series(requests)).toEqual([])

    await gateway.apply(stateOf(snapshot, other))
    expect(await pass()).toBe(200)
    expect(await series(decisions)).toEqual(allowed(1))
    await until(async () => (await series(requests)).length === 1)
    expect(await series(requests)).toEqual([`{project="shop",proxy="orders",status="200"} 1`])
  })
})

test('a registry with the metrics of a middleware is refused: decisions would be counted twice', async () => {
  const { metrics } = registry()
  prometheusHooks(metrics)
  await expect(world.gateway(undefined, { metrics })).rejects.toMatchObject({
    code: 'options-conflict',
    option: 'metrics.register',
  })
})
