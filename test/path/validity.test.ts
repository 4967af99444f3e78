import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkValidity } from '../../src/path/validity.ts'
import { issueCa } from '../../src/testing/index.ts'

describe('validity period, RFC 5280 §4.1.2.5', async () => {
  const target = await (await issueCa('Root CA')).issue('client-a', {
    notBefore: 1_000,
    notAfter: 2_000,
  })
  test.each([
    [999, 0, 'certificate-not-yet-valid'],
    [1_000, 0, undefined], // inclusive at both ends
    [2_000, 0, undefined],
    [2_001, 0, 'certificate-expired'],
    [989, 10, 'certificate-not-yet-valid'],
    [990, 10, undefined],
    [2_010, 10, undefined],
    [2_011, 10, 'certificate-expired'],
  ])('at second %i with tolerance %i the failure is %s', (time, tolerance, code) => {
    expect(checkValidity(target, 3, time, tolerance)?.code).toBe(code)
  })
  test('facts: position, time and the bound that was crossed', () => {
    expect(checkValidity(target, 3, 999)).toEqual({
      code: 'certificate-not-yet-valid',
      index: 3,
      time: 999,
      notBefore: 1_000,
    })
    expect(checkValidity(target, 0, 2_001)).toEqual({
      code: 'certificate-expired',
      index: 0,
      time: 2_001,
      notAfter: 2_000,
    })
  })
  test('once expired, always expired', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2_001 }),
        (time) => checkValidity(target, 0, time)?.code === 'certificate-expired',
      ),
    )
  })
})
