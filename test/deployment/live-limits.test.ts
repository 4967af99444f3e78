/** Who may have how much live data in an environment. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { maxLiveBytes } from '../../src/deployment/index.ts'
import {
  type LiveUse,
  liveCapacity,
  liveLimits,
  liveMeasures,
  liveUseOf,
  maxLiveProjects,
  overProjectLimit,
  overSharedLimit,
} from '../../src/deployment/live-limits.ts'

const nothing: LiveUse = { killEntries: 0, crls: 0, documentOctets: 0, crlOctets: 0 }
const scope = { project: 'Payments', apiProxy: null }

describe('room for live data', () => {
  test('what all may have together is what gateways take', () => {
    expect(liveCapacity('documentOctets')).toBeLessThan(maxLiveBytes - 1_000_000)
    expect(liveCapacity('crlOctets')).toBeLessThanOrEqual(536_870_912)
    for (const measure of liveMeasures) {
      const { perProject, guaranteed, shared } = liveLimits[measure]
      // Nobody uses up alone what is shared.
      expect(perProject - guaranteed).toBeLessThanOrEqual(shared / 2)
      expect(guaranteed * maxLiveProjects + shared).toBe(liveCapacity(measure))
    }
  })

  test('is counted by project, with what its proxies have', () => {
    const data = {
      killList: [
        { ...scope, entry: { issuer: 'CN=a' } },
        { ...scope, apiProxy: 'orders', entry: { issuer: 'CN=ä' } },
      ],
      crls: [
        { ...scope, sha256: '1'.repeat(64) },
        { ...scope, project: 'Other', sha256: '2'.repeat(64) },
      ],
    }
    const written = <T>(item: T) => ({ item, text: JSON.stringify(item) })
    const text = (item: object): number => Buffer.byteLength(written(item).text) + 1
    const all = { killList: data.killList.map(written), crls: data.crls.map(written) }
    const uses = liveUseOf(all, (sha256) => (sha256.startsWith('1') ? 100 : 7))
    expect(uses.get('Payments')).toEqual({
      killEntries: 2,
      crls: 1,
      documentOctets: [...data.killList, data.crls[0] as object].reduce((n, o) => n + text(o), 0),
      crlOctets: 100,
    })
    expect(uses.get('Other')).toMatchObject({ killEntries: 0, crls: 1, crlOctets: 7 })
  })

  test.each(liveMeasures)('a project has its limit, inclusive: %s', (measure) => {
    const { perProject } = liveLimits[measure]
    expect(overProjectLimit({ ...nothing, [measure]: perProject })).toBeUndefined()
    expect(overProjectLimit({ ...nothing, [measure]: perProject + 1 })).toBe(measure)
  })

  test('within what is guaranteed to it, no project is refused for what others have', () => {
    const use = fc.integer({ min: 0, max: 1_000_000_000 })
    const uses = fc.array(
      fc.record({ killEntries: use, crls: use, documentOctets: use, crlOctets: use }),
      { maxLength: 20 },
    )
    fc.assert(
      fc.property(uses, (others) => {
        const own: LiveUse = {
          killEntries: liveLimits.killEntries.guaranteed,
          crls: liveLimits.crls.guaranteed,
          documentOctets: liveLimits.documentOctets.guaranteed,
          crlOctets: liveLimits.crlOctets.guaranteed,
        }
        const all = new Map(others.map((one, index) => [`other ${index}`, one]))
        all.set('own', own)
        return overSharedLimit('own', all) === undefined
      }),
    )
  })

  test('what is shared is used up when all have it together', () => {
    const { guaranteed, shared, perProject } = liveLimits.killEntries
    const uses = new Map<string, LiveUse>()
    let left = shared
    for (let i = 0; left > 0; i++) {
      const beyond = Math.min(left, perProject - guaranteed)
      uses.set(`other ${i}`, { ...nothing, killEntries: guaranteed + beyond })
      left -= beyond
    }
    expect(overSharedLimit('other 0', uses)).toBeUndefined()
    uses.set('one more', { ...nothing, killEntries: guaranteed + 1 })
    expect(overSharedLimit('one more', uses)).toBe('killEntries')
    expect(overSharedLimit('nobody', uses)).toBeUndefined()
  })
})
