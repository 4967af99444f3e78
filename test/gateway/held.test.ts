/** Places of proxies that are deployed and cannot be served: nobody else answers there. */
import client from 'prom-client'
import { describe, expect, test } from 'vitest'
import { Routes } from '../../src/gateway/routes.ts'
import type { Hooks } from '../../src/http/event.ts'
import {
  ask,
  codeOf,
  openWorld,
  requestPolicies,
  stateOf,
  validating,
  versions,
} from './support.ts'

const world = await openWorld()

describe('a place that is held', () => {
  const open = { hosts: ['h'], basePath: '/' }
  const routes = new Routes([open], [{ hosts: ['h', 'i'], basePath: '/Api/v1' }])

  test.each([
    ['/', open],
    ['/Api', open],
    ['/Api/v10', open],
    ['/Api/v1', 'held'],
    ['/api/V1/secret?x', 'held'],
    ['/x/../Api/v1', 'ambiguous'],
    ['/Api/v1./secret', 'ambiguous'],
    ['/Api/%76%31', 'ambiguous'],
  ])('%s', (target, found) => {
    expect(routes.find('h', target)).toBe(found)
  })

  test('is a name like others: what is for all hosts has no part of it', () => {
    const rest = { hosts: ['*'], basePath: '/' }
    const named = new Routes([rest], [{ hosts: ['h'], basePath: '/a' }])
    expect(named.find('h', '/a')).toBe('held')
    expect(named.find('h', '/b')).toBeUndefined()
    expect(named.find('i', '/a')).toBe(rest)
  })

  test('of all hosts holds those that nobody names', () => {
    const all = new Routes([open], [{ hosts: ['*'], basePath: '/' }])
    expect(all.find('nobody', '/x')).toBe('held')
    expect(all.find('h', '/x')).toBe(open)
  })

  test('does not take the place of what is served there, or below it', () => {
    const below = { hosts: ['h'], basePath: '/a/b' }
    const two = new Routes(
      [open, below],
      [
        { hosts: ['h'], basePath: '/' },
        { hosts: ['h'], basePath: '/a' },
      ],
    )
    expect(two.find('h', '/')).toBe(open)
    expect(two.find('h', '/a/b/c')).toBe(below)
    expect(two.find('h', '/a/c')).toBe('held')
    expect(two.of('h')?.proxies).toEqual([open, below])
  })
})

describe.each(versions)('a gateway, %s', (version) => {
  const statusOf = async (port: number, path: string, host = 'api.example') => {
    const answer = await ask(version, port, { path, host, servername: host })
    return [answer.status, answer.status === 503 ? codeOf(answer) : answer.body]
  }

  test('answers 503 at a place that it was told to hold, and counts it', async () => {
    const { url } = await world.upstream((_request, response) => response.end('open'))
    const register = new client.Registry()
    const held = [
      { project: 'shop', apiProxy: 'guarded', hosts: ['api.example'], basePath: '/guarded' },
    ]
    const state = { ...stateOf(world.snapshot(url)), held }
    const { gateway, port } = await world.gateway(state, { metrics: { client, register } })
    expect(await statusOf(port, '/guarded/x')).toEqual([503, 'proxy-not-in-force'])
    expect(await statusOf(port, '/x')).toEqual([200, 'open'])
    const metric = async (name: string) =>
      (await register.getSingleMetric(`mtls_policy_gateway_${name}`)?.get())?.values[0]?.value
    expect(await metric('proxies_held')).toBe(1)
    expect(await metric('apply_problems')).toBe(1)
    const guarded = world.snapshot(url, { apiProxy: 'guarded', basePath: '/guarded' })
    await gateway.apply(stateOf(world.snapshot(url), guarded))
    expect(await statusOf(port, '/guarded/x')).toEqual([200, 'open'])
    expect(await metric('proxies_held')).toBe(0)
    expect(await metric('apply_problems')).toBe(0)
  })

  test('holds the place of a proxy that cannot be built', async () => {
    const { url } = await world.upstream((_request, response) => response.end('open'))
    const open = world.snapshot(url, { apiProxy: 'open' })
    const unusable = world.snapshot(url, {
      apiProxy: 'guarded',
      basePath: '/guarded',
      policies: requestPolicies(validating),
      trustAnchors: [],
    })
    const { gateway, port, problems } = await world.gateway(stateOf(open, unusable))
    expect(problems).toMatchObject([{ apiProxy: 'guarded', code: 'proxy-unusable' }])
    expect(await statusOf(port, '/guarded/x')).toEqual([503, 'proxy-not-in-force'])
    // One that runs goes on where it was, and its new place is held.
    const usable = { ...unusable, policies: requestPolicies() }
    await gateway.apply(stateOf(open, usable))
    await gateway.apply(stateOf(open, { ...unusable, basePath: '/moved' }))
    expect(await statusOf(port, '/guarded/x')).toEqual([200, 'open'])
    expect(await statusOf(port, '/moved/x')).toEqual([503, 'proxy-not-in-force'])
    expect(await statusOf(port, '/x')).toEqual([200, 'open'])
  })

  const strict = requestPolicies(validating)
  const refusals: (string | undefined)[] = []
  const hooks: Hooks[] = [{ decision: ({ code }) => refusals.push(code) }]
  const answerOf = async (port: number, path: string) => {
    const answered = await statusOf(port, path)
    return answered[0] === 401 ? [401, refusals.at(-1)] : answered
  }
  const missing = [401, 'certificate-missing']

  test.each(['cannot be had', 'cannot be built'])(
    'a proxy whose new snapshot %s yields its old place to whom the state gives it',
    async (why) => {
      const { url } = await world.upstream((_request, response) => response.end('old'))
      const a = world.snapshot(url, { apiProxy: 'a', basePath: '/pay' })
      const b = world.snapshot(url, { apiProxy: 'b', basePath: '/Pay', policies: strict })
      const { gateway, port } = await world.gateway(stateOf(a), { hooks })
      expect(await answerOf(port, '/pay')).toEqual([200, 'old'])
      const moved = { ...a, basePath: '/old' }
      const places = [{ project: 'shop', apiProxy: 'a', hosts: a.hosts, basePath: '/old' }]
      const state =
        why === 'cannot be had'
          ? { ...stateOf(a, b), held: places }
          : stateOf({ ...moved, policies: strict, trustAnchors: [] }, b)
      for (let round = 0; round < 2; round++) {
        const { problems } = await gateway.apply(state)
        expect(problems.filter(({ apiProxy }) => apiProxy === 'b')).toEqual([])
        expect(await answerOf(port, '/pay')).toEqual(missing)
        expect(await answerOf(port, '/old')).toEqual([503, 'proxy-not-in-force'])
      }
      await gateway.apply(stateOf(moved, b))
      expect(await answerOf(port, '/old')).toEqual([200, 'old'])
      expect(await answerOf(port, '/pay')).toEqual(missing)
    },
  )

  test('an older proxy does not come back to a place that it lost to one that is older by now', async () => {
    const { url } = await world.upstream((_request, response) => response.end('old'))
    const hosts = ['api.example', 'other.example']
    const a = world.snapshot(url, { apiProxy: 'a', basePath: '/pay', hosts })
    const b = world.snapshot(url, { apiProxy: 'b', basePath: '/pay', policies: strict })
    const { gateway, port } = await world.gateway(stateOf(a), { hooks })
    const unusable = { policies: strict, trustAnchors: [] }
    const lostA = { ...a, ...unusable, basePath: '/a' }
    await gateway.apply(stateOf(lostA, b))
    expect(await answerOf(port, '/pay')).toEqual(missing)
    const lostB = { ...b, ...unusable, basePath: '/b' }
    for (let round = 0; round < 2; round++) {
      const { problems } = await gateway.apply(stateOf(lostA, lostB))
      expect(problems.map(({ code }) => code)).toEqual(['proxy-unusable', 'proxy-unusable'])
      expect(await answerOf(port, '/pay')).toEqual(missing)
      expect(await statusOf(port, '/pay', 'other.example')).toEqual([200, 'old'])
    }
    // Nobody else is there any more.
    await gateway.apply(stateOf(lostA))
    expect(await answerOf(port, '/pay')).toEqual([200, 'old'])
  })

  test('an older proxy answers nowhere in the place of one that cannot be had either', async () => {
    const { url } = await world.upstream((_request, response) => response.end('old'))
    const hosts = ['api.example', 'other.example']
    const a = world.snapshot(url, { apiProxy: 'a', basePath: '/pay', hosts })
    const { gateway, port } = await world.gateway(stateOf(a))
    const held = [
      { project: 'shop', apiProxy: 'a', hosts, basePath: '/old' },
      { project: 'shop', apiProxy: 'b', hosts: ['api.example'], basePath: '/pay' },
    ]
    await gateway.apply({ ...stateOf(a), held })
    expect(await statusOf(port, '/pay')).toEqual([503, 'proxy-not-in-force'])
    expect(await statusOf(port, '/old')).toEqual([503, 'proxy-not-in-force'])
    // Of this host nobody else has been given the place.
    expect(await statusOf(port, '/pay', 'other.example')).toEqual([200, 'old'])
  })

  test('an older proxy stays where it should be, whoever else comes there', async () => {
    const { url } = await world.upstream((_request, response) => response.end('old'))
    const a = world.snapshot(url, { apiProxy: 'a', basePath: '/pay' })
    const b = world.snapshot(url, { apiProxy: 'b', basePath: '/pay', policies: strict })
    const { gateway, port } = await world.gateway(stateOf(a))
    const held = [{ project: 'shop', apiProxy: 'a', hosts: a.hosts, basePath: '/pay' }]
    const { problems } = await gateway.apply({ ...stateOf(a, b), held })
    expect(problems).toMatchObject([{ apiProxy: 'b', code: 'route-taken' }])
    expect(await answerOf(port, '/pay')).toEqual([200, 'old'])
  })

  test('holds what is left of the place of a proxy that came too late to a part of it', async () => {
    const { url } = await world.upstream((_request, response) => response.end('first'))
    const first = world.snapshot(url, { apiProxy: 'first' })
    const rest = world.snapshot(url, { apiProxy: 'rest', hosts: ['*'] })
    const second = world.snapshot(url, {
      apiProxy: 'second',
      hosts: ['api.example', 'other.example'],
    })
    const { gateway, port } = await world.gateway(stateOf(first, rest))
    expect(await statusOf(port, '/', 'other.example')).toEqual([200, 'first'])
    const { problems } = await gateway.apply(stateOf(first, rest, second))
    expect(problems).toMatchObject([{ apiProxy: 'second', code: 'route-taken' }])
    expect(await statusOf(port, '/')).toEqual([200, 'first'])
    expect(await statusOf(port, '/', 'other.example')).toEqual([503, 'proxy-not-in-force'])
  })
})
