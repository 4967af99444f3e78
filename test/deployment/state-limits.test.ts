/** How much of an environment's state each project may take. */

import { describe, expect, test } from 'vitest'
import { maxSetEntries, type SetEntry } from '../../src/deployment/set.ts'
import {
  leastProxyOctets,
  maxStateOctets,
  stateExcessOf,
  stateLimit,
  stateUseOf,
} from '../../src/deployment/state-limits.ts'
import { readPage } from '../docs/markdown.ts'

const { perProject, guaranteed, shared } = stateLimit

function entryOf(project: string, apiProxy: string, hosts: readonly string[]): SetEntry {
  const place = { hosts, basePath: '/' }
  return { project, apiProxy, hash: 'a'.repeat(64), sequence: 1, place }
}

describe('room in a state', () => {
  test('is less than what gateways take, in octets and in entries', () => {
    const subscription = readPage('src/gateway/subscription/subscription.ts')
    expect(subscription).toContain('maxStateBytes = 67_108_864')
    expect(maxStateOctets).toBeLessThan(67_108_864 * 0.9)
    expect(maxStateOctets / leastProxyOctets).toBeLessThan(maxSetEntries)
    expect(guaranteed * 1000 + shared).toBeLessThan(maxStateOctets)
  })
  test('is counted by project, in octets of the state', () => {
    const long = entryOf('Payments', 'ördërs', [`${'x'.repeat(60)}.example`, 'a'.repeat(500)])
    const uses = stateUseOf([
      { entry: long, pointerOctets: 400 },
      { entry: entryOf('Payments', 'invoices', ['a']), pointerOctets: 1 },
      { entry: entryOf('Other', 'orders', ['a']), pointerOctets: 1 },
    ])
    const octets = Buffer.byteLength(JSON.stringify(long)) + 402
    expect(uses.get('Payments')).toBe(octets + leastProxyOctets)
    expect(uses.get('Other')).toBe(leastProxyOctets)
  })
  test('suffices for a thousand proxies of a project with a few hosts each', () => {
    const hosts = Array.from({ length: 10 }, (_, i) => `${i}${'x'.repeat(49)}.example`)
    const proxies = Array.from({ length: 1000 }, (_, i) => ({
      entry: entryOf('Payments', `proxy ${i}`, hosts),
      pointerOctets: 450,
    }))
    expect(stateExcessOf('Payments', stateUseOf(proxies))).toBeUndefined()
  })
  test('is limited for a project, inclusive', () => {
    const excess = { whose: 'project', maximum: perProject }
    expect(stateExcessOf('a', new Map([['a', perProject]]))).toBeUndefined()
    expect(stateExcessOf('a', new Map([['a', perProject + 1]]))).toEqual(excess)
    expect(stateExcessOf('b', new Map([['a', perProject + 1]]))).toBeUndefined()
  })
  test('that is shared can be used up, and what is guaranteed cannot', () => {
    const each = perProject - guaranteed
    const others = Array.from({ length: Math.floor(shared / each) }, (_, i) => i)
    const uses = new Map(others.map((i) => [`other ${i}`, perProject]))
    uses.set('last', guaranteed + shared - others.length * each)
    expect(stateExcessOf('last', uses)).toBeUndefined()
    uses.set('own', guaranteed + 1)
    expect(stateExcessOf('own', uses)).toEqual({ whose: 'environment', maximum: shared })
    uses.set('own', guaranteed)
    expect(stateExcessOf('own', uses)).toBeUndefined()
  })
  test('of all projects ends before that of a gateway', () => {
    const count = Math.floor(maxStateOctets / guaranteed)
    const uses = new Map(Array.from({ length: count }, (_, i) => [`p${i}`, guaranteed]))
    expect(stateExcessOf('p0', uses)).toBeUndefined()
    uses.set('one more', guaranteed)
    const excess = { whose: 'environment', maximum: maxStateOctets }
    expect(stateExcessOf('one more', uses)).toEqual(excess)
  })
})
