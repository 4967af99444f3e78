/** Revocation data and kill lists, which outlive snapshots: nothing is ended that somebody uses, and nothing goes on that nobody does. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { defaultRevocation, defaultUpstream, type Snapshot } from '../../src/deployment/snapshot.ts'
import { LiveTrusts } from '../../src/gateway/live.ts'
import type { LiveRevocation } from '../../src/gateway/revocation.ts'

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
