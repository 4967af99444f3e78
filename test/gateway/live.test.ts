/** Revocation data and kill lists, which outlive snapshots: nothing is ended that somebody uses, and nothing goes on that nobody does. */
import { createHash } from 'node:crypto'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { defaultRevocation, defaultUpstream, type Snapshot } from '../../src/deployment/snapshot.ts'
import { LiveTrusts } from '../../src/gateway/live.ts'
import type { LiveRevocation } from '../../src/gateway/revocation.ts'
import { ScopedKillList } from '../../src/gateway/scoped-kill-list.ts'
import type { GatewayState } from '../../src/gateway/state.ts'
import { parseTrustAnchors } from '../../src/index.ts'
import { createKillList, type KillList } from '../../src/revocation.ts'
import { createClientCertificateValidatorSync } from '../../src/sync.ts'
import { issueCrl } from '../../src/testing/index.ts'
import { ask, openWorld, requestPolicies, stateOf, validating, versions } from './support.ts'

const world = await openWorld()
const spkiSha256 = createHash('sha256')
  .update(world.pki.client.tbsCertificate.subjectPublicKeyInfo.der)
  .digest('hex')
const killing = (apiProxy: string | null): Pick<GatewayState, 'killList'> => ({
  killList: [{ project: 'shop', apiProxy, entry: { spkiSha256 } }],
})
const nothing: GatewayState = stateOf()

const snapshot = (urls: readonly string[]): Snapshot => ({
  version: 1,
  project: 'shop',
  apiProxy: 'orders',
  hosts: ['api.example'],
  basePath: '/',
  upstream: { ...defaultUpstream, url: 'http://127.0.0.1:9' },
  policies: { requestPolicyList: [], responsePolicyList: [], errorPolicyList: [] },
  trustAnchors: [],
  intermediates: [],
  issuerAcl: null,
  revocation: { ...defaultRevocation, urls },
})

describe('a source whose settings are replaced', () => {
  const endings: (() => void)[] = []
  afterEach(() => {
    for (const end of endings.splice(0)) end()
  })

  function start() {
    const trusts = new LiveTrusts(() => {})
    endings.push(() => trusts.keepOnly(new Set()))
    const of = (...urls: readonly string[]) =>
      trusts.of(snapshot(urls), []).revocation as LiveRevocation
    return { trusts, of }
  }

  test('ends once nobody uses it', () => {
    const { trusts, of } = start()
    const old = of('http://127.0.0.1:60001/a.crl')
    const close = vi.spyOn(old, 'close')
    const next = of('http://127.0.0.1:60001/b.crl')
    expect(next).not.toBe(old)
    trusts.keepOnly(new Set([next]))
    expect(close).toHaveBeenCalledOnce()
  })

  test('serves on where the proxy could not be built anew, and ends after that', () => {
    const { trusts, of } = start()
    const old = of('http://127.0.0.1:60001/a.crl')
    const close = vi.spyOn(old, 'close')
    of('http://127.0.0.1:60001/b.crl')
    trusts.keepOnly(new Set([old]))
    expect(close).not.toHaveBeenCalled()
    const last = of('http://127.0.0.1:60001/c.crl')
    trusts.keepOnly(new Set([last]))
    expect(close).toHaveBeenCalledOnce()
  })

  test('is another one; for the same settings it stays', () => {
    const { of } = start()
    const old = of('http://127.0.0.1:60001/a.crl')
    expect(of('http://127.0.0.1:60001/a.crl')).toBe(old)
    expect(of()).not.toBe(old)
  })
})

describe('a kill list', () => {
  const validatorOf = (killList: KillList) => {
    const validator = createClientCertificateValidatorSync({
      trustAnchors: parseTrustAnchors(world.pki.anchorsPem),
      intermediates: world.pki.issuing,
      killList,
    })
    return () => {
      const verdict = validator.validate(world.pki.client.der)
      return verdict.ok ? 'ok' : verdict.failure.code
    }
  }
  const listOf = (trusts: LiveTrusts) => trusts.of(snapshot([]), []).killList

  test.each([null, 'orders'])('is one to its end, whoever gets an entry: %s', (apiProxy) => {
    const trusts = new LiveTrusts(() => {})
    const list = listOf(trusts)
    const code = validatorOf(list)
    expect(code()).toBe('ok')
    trusts.update({ ...nothing, ...killing(apiProxy) })
    expect(listOf(trusts)).toBe(list)
    trusts.keepOnly(new Set([list]))
    expect(code()).toBe('certificate-killed')
    trusts.update(nothing)
    expect(code()).toBe('ok')
  })

  test('gets what is new for a request that is under way when its proxy is gone', () => {
    const trusts = new LiveTrusts(() => {})
    const list = listOf(trusts)
    const code = validatorOf(list)
    trusts.keepOnly(new Set())
    for (const apiProxy of ['orders', null]) {
      trusts.update({ ...nothing, ...killing(apiProxy) })
      expect(code()).toBe('certificate-killed')
      trusts.update(nothing)
    }
    trusts.update({ ...nothing, ...killing('others') })
    expect(code()).toBe('ok')
  })

  test('tells of changes of both, until it need not', () => {
    const ofProject = createKillList()
    const own = new ScopedKillList(ofProject)
    const told = vi.fn()
    const end = own.onChange(told)
    ofProject.add({ spkiSha256 })
    own.add({ spkiSha256 })
    expect([told.mock.calls.length, own.epoch]).toEqual([2, 2])
    end()
    ofProject.replace([])
    own.replace([])
    expect([told.mock.calls.length, own.epoch]).toEqual([2, 4])
  })
})

test('lists of many projects are put in force in a moment', async () => {
  const { der } = await issueCrl(world.pki.issuing, { revoked: [] })
  const sha256 = createHash('sha256').update(der).digest('hex')
  const crls = Array.from({ length: 20_000 }, (_, i) => {
    return { project: `project-${i}`, apiProxy: null, sha256, der }
  })
  const trusts = new LiveTrusts(() => {})
  trusts.update({ ...nothing, crls: crls.slice(0, 1) })
  const begin = performance.now()
  expect(trusts.update({ ...nothing, crls })).toEqual([])
  // With a look at all of them for each it is a minute.
  expect(performance.now() - begin).toBeLessThan(10_000)
})

describe.each(versions)('a proxy that stays as it was, %s', (version) => {
  const policies = requestPolicies(validating)
  const revocation = { ...defaultRevocation, onUnknown: 'allow' as const }

  async function stay() {
    const codes: (string | undefined)[] = []
    const { url } = await world.upstream()
    const running = world.snapshot(url, { policies, revocation })
    const { gateway, port } = await world.gateway(stateOf(running), {
      hooks: [{ decision: ({ code }) => codes.push(code) }],
    })
    const refused = async () => {
      const { status } = await ask(version, port, { client: world.pki.client })
      return [status, codes.at(-1)]
    }
    expect(await refused()).toEqual([200, undefined])
    return { gateway, refused, running, url }
  }

  test('because its new snapshot is unusable gets kill entries of its own', async () => {
    const { gateway, refused, running } = await stay()
    const unusable = stateOf({ ...running, trustAnchors: [] })
    const { problems } = await gateway.apply({ ...unusable, ...killing('orders') })
    expect(problems).toMatchObject([{ code: 'proxy-unusable' }])
    expect(await refused()).toEqual([401, 'certificate-killed'])
    await gateway.apply(unusable)
    expect(await refused()).toEqual([200, undefined])
    await gateway.apply({ ...unusable, ...killing('orders') })
    expect(await refused()).toEqual([401, 'certificate-killed'])
  })

  test('because its new place is taken gets kill entries of its own', async () => {
    const { gateway, running, url, refused } = await stay()
    const first = world.snapshot(url, { apiProxy: 'first', basePath: '/first' })
    await gateway.apply(stateOf(running, first))
    const moved = stateOf({ ...running, basePath: '/first' }, first)
    const { problems } = await gateway.apply({ ...moved, ...killing('orders') })
    expect(problems).toMatchObject([{ apiProxy: 'orders', code: 'route-taken' }])
    expect(await refused()).toEqual([401, 'certificate-killed'])
  })

  test('gets new lists, in the place of a source whose settings would be others', async () => {
    const { gateway, refused, running } = await stay()
    const urls = ['http://127.0.0.1:60001/a.crl']
    const unusable = stateOf({
      ...running,
      trustAnchors: [],
      revocation: { ...revocation, urls },
    })
    await gateway.apply(unusable)
    expect(await refused()).toEqual([200, undefined])
    const revoked = [world.pki.client]
    const thisUpdate = Math.floor(Date.now() / 1000) - 60
    const { der } = await issueCrl(world.pki.issuing, { revoked, thisUpdate })
    const sha256 = createHash('sha256').update(der).digest('hex')
    const crls = [{ project: 'shop', apiProxy: null, sha256, der }]
    await gateway.apply({ ...unusable, crls })
    expect(await refused()).toEqual([401, 'certificate-revoked'])
  })
})
