import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseDuration, parseRule } from '../../src/cli/revocation-rule.ts'

describe('the rule of --revocation', () => {
  test.each([
    ['crl', { mode: 'crl' }],
    ['none', { mode: 'none' }],
    ['ocsp,depth=target', { mode: 'ocsp', depth: 'target' }],
    ['crl-or-ocsp,unknown=allow', { mode: 'crl-or-ocsp', onUnknown: 'allow' }],
    ['crl,stale=3600', { mode: 'crl', onStale: { allowFor: 3600 } }],
    ['crl,stale=deny', { mode: 'crl', onStale: 'deny' }],
    ['crl, max-age=7d , depth=path', { mode: 'crl', maxAge: 604_800, depth: 'path' }],
  ])('%s', (text, rule) => {
    expect(parseRule(text)).toEqual(rule)
  })
  test.each([
    '',
    'crls',
    'none,unknown=allow',
    'crl,unknown',
    'crl,unknown=yes',
    'crl,depth=2',
    'crl,stale=',
    'crl,stale=-1',
    'crl,stale=1y',
    'crl,max-age=1.5h',
    'crl,max-age=11000d',
    'crl,max-age=1h,max-age=2h',
    'crl,,depth=target',
    'crl,toString=1',
  ])('%j is none, and what to write is said', (text) => {
    expect(() => parseRule(text)).toThrow(
      expect.objectContaining({
        code: 'usage-invalid-value',
        remedy: expect.stringContaining('crl-or-ocsp'),
      }),
    )
  })
  test('no text makes anything but a rule or a usage error', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'crlocspn,=-depth1smhdw ') }), (text) => {
        try {
          expect(['crl', 'ocsp', 'crl-or-ocsp', 'none']).toContain(parseRule(text).mode)
        } catch (error) {
          expect(error).toMatchObject({ code: 'usage-invalid-value' })
        }
      }),
    )
  })
  test('durations are seconds unless they have a unit', () => {
    expect(['90', '90s', '30m', '12h', '7d', '2w'].map(parseDuration)).toEqual([
      90, 90, 1800, 43_200, 604_800, 1_209_600,
    ])
    expect(['', '1x', 'h', ' 1', '1e3', '-1'].map(parseDuration)).toEqual(Array(6).fill(undefined))
  })
})
