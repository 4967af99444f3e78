import { describe, expect, test } from 'vitest'
import type { SignatureScheme } from '../../src/base/signature-scheme.ts'
import {
  algorithmPolicy,
  checkKey,
  checkScheme,
  defaultAlgorithmPolicy,
  signatureCost,
} from '../../src/path/algorithms.ts'
import type { Curve, KeyDescription } from '../../src/x509/certificate.ts'
import { anyAlgorithm } from './any-algorithm.ts'

const policy = algorithmPolicy()

function rsa(size: number, ...exponent: number[]): KeyDescription {
  return {
    kind: 'RSA',
    size,
    exponent: exponent.length === 0 ? Uint8Array.of(1, 0, 1) : Uint8Array.from(exponent),
  }
}

describe('keys: the floor and the ceiling', () => {
  test.each([
    [2047, 'key-too-weak'],
    [2048, undefined],
    [2049, 'key-size-not-octets'],
    [2052, 'key-size-not-octets'],
    [2056, undefined],
    [8192, undefined],
    [8193, 'key-too-large'],
  ])('RSA with %i bits: %s', (size, code) => {
    expect(checkKey(rsa(size), policy)?.code).toBe(code)
    expect(checkKey({ ...rsa(size), kind: 'RSA-PSS' } as KeyDescription, policy)?.code).toBe(code)
  })

  test.each([
    [[1], 'key-exponent'],
    [[2], 'key-exponent'],
    [[3], undefined],
    [[4], 'key-exponent'],
    [[1, 0, 0], 'key-exponent'],
    [[1, 0, 1], undefined],
    [[1, 0xff, 0xff, 0xff, 0xff], undefined],
    [[2, 0, 0, 0, 1], 'key-exponent'],
    [[1, 0, 0, 0, 0, 1], 'key-exponent'],
  ])('RSA with exponent %j: %s', (exponent, code) => {
    expect(checkKey(rsa(2048, ...exponent), policy)?.code).toBe(code)
  })

  test.each<[Curve, string | undefined]>([
    ['P-192', 'key-algorithm-not-allowed'],
    ['P-224', 'key-algorithm-not-allowed'],
    ['secp256k1', 'key-algorithm-not-allowed'],
    ['P-256', undefined],
    ['P-384', undefined],
    ['P-521', undefined],
  ])('%s: %s', (curve, code) => {
    const key = { kind: 'EC', curve, size: 256 } as const
    expect(checkKey(key, policy)?.code).toBe(code)
    expect(checkKey(key, anyAlgorithm)).toBeUndefined()
  })

  test.each(['Ed25519', 'Ed448', 'ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'] as const)('%s', (kind) => {
    expect(checkKey({ kind, size: 256 }, policy)).toBeUndefined()
  })

  test.each([
    [1023, true, 'key-too-weak'],
    [1024, true, undefined],
    [3072, true, undefined],
    [3073, true, 'key-too-large'],
    [1020, false, undefined], // the size of a public value, not of p
    [3073, false, 'key-too-large'],
  ])('DSA with %i bits, parameters %s: %s, and never by default', (size, hasParameters, code) => {
    const key = { kind: 'DSA', size, hasParameters } as const
    expect(checkKey(key, policy)).toEqual({ code: 'key-algorithm-not-allowed', kind: 'DSA' })
    expect(checkKey(key, algorithmPolicy({ dangerouslyAllowDsa: true }))?.code).toBe(code)
  })

  test('what is unknown or malformed says which and why', () => {
    expect(checkKey({ kind: 'unknown', algorithm: '1.2.3' }, anyAlgorithm)).toEqual({
      code: 'key-algorithm-unknown',
      algorithm: '1.2.3',
    })
    const key = { kind: 'malformed', algorithm: '1.2.3', reason: 'key-length' } as const
    expect(checkKey(key, anyAlgorithm)).toEqual({
      code: 'key-malformed',
      algorithm: '1.2.3',
      reason: 'key-length',
    })
  })
})

describe('options only loosen what they name', () => {
  test('none of them is the default', () => {
    expect(algorithmPolicy()).toBe(defaultAlgorithmPolicy)
    expect(algorithmPolicy({})).toEqual(defaultAlgorithmPolicy)
  })

  test('dangerouslyMinimumRsaBits', () => {
    const loose = algorithmPolicy({ dangerouslyMinimumRsaBits: 1024 })
    expect(checkKey(rsa(1024), loose)).toBeUndefined()
    expect(checkKey(rsa(1016), loose)).toEqual({
      code: 'key-too-weak',
      kind: 'RSA',
      size: 1016,
      minimum: 1024,
    })
    expect(checkKey(rsa(1028), loose)).toBeUndefined() // a size that is no multiple of 8
    expect({ ...loose, minimumRsaBits: 2048, wholeOctets: true }).toEqual(defaultAlgorithmPolicy)
  })

  test.each([
    ['SHA-1', { dangerouslyAllowSha1: true }],
    ['MD5', { dangerouslyAllowMd5: true }],
  ] as const)('%s', (hash, options) => {
    const scheme = { name: 'RSASSA-PKCS1-v1_5', hash } as const
    const weak = { code: 'signature-algorithm-weak', scheme }
    expect(checkScheme(scheme, rsa(2048), policy)).toEqual(weak)
    expect(checkScheme(scheme, rsa(2048), algorithmPolicy(options))).toBeUndefined()
    const other = hash === 'MD5' ? { dangerouslyAllowSha1: true } : { dangerouslyAllowMd5: true }
    expect(checkScheme(scheme, rsa(2048), algorithmPolicy(other))).toEqual(weak)
  })

  test('SHA-224 is weak under all of them', () => {
    const all = algorithmPolicy({
      dangerouslyAllowSha1: true,
      dangerouslyAllowMd5: true,
      dangerouslyAllowDsa: true,
    })
    const scheme = { name: 'ECDSA', hash: 'SHA-224' } as const
    const key = { kind: 'EC', curve: 'P-256', size: 256 } as const
    expect(checkScheme(scheme, key, all)?.code).toBe('signature-algorithm-weak')
  })
})

describe('the scheme fits the key', () => {
  const schemes: readonly SignatureScheme[] = [
    { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
    { name: 'RSASSA-PSS', hash: 'SHA-256', saltLength: 32 },
    { name: 'ECDSA', hash: 'SHA-256' },
    { name: 'DSA', hash: 'SHA-256' },
    { name: 'Ed25519' },
    { name: 'Ed448' },
    { name: 'ML-DSA-44' },
    { name: 'ML-DSA-65' },
    { name: 'ML-DSA-87' },
  ]
  const exponent = Uint8Array.of(3)
  const keys: readonly (readonly [KeyDescription, readonly string[]])[] = [
    [{ kind: 'RSA', size: 2048, exponent }, ['RSASSA-PKCS1-v1_5', 'RSASSA-PSS']],
    [{ kind: 'RSA-PSS', size: 2048, exponent }, ['RSASSA-PSS']],
    [{ kind: 'EC', curve: 'P-384', size: 384 }, ['ECDSA']],
    [{ kind: 'DSA', size: 2048, hasParameters: true }, ['DSA']],
    [{ kind: 'Ed25519', size: 256 }, ['Ed25519']],
    [{ kind: 'Ed448', size: 456 }, ['Ed448']],
    [{ kind: 'ML-DSA-44', size: 10_496 }, ['ML-DSA-44']],
    [{ kind: 'ML-DSA-65', size: 15_616 }, ['ML-DSA-65']],
    [{ kind: 'ML-DSA-87', size: 20_736 }, ['ML-DSA-87']],
    [{ kind: 'unknown', algorithm: '1.2.3' }, []],
  ]

  test.each(keys)('%o: %j and no other', (key, names) => {
    for (const scheme of schemes) {
      expect(checkScheme(scheme, key, policy)).toEqual(
        names.includes(scheme.name)
          ? undefined
          : { code: 'signature-algorithm-key-mismatch', scheme, kind: key.kind },
      )
    }
  })

  test.each([
    ['SHA-256', 31, 'signature-algorithm-key-mismatch'],
    ['SHA-256', 32, undefined],
    ['SHA-256', 33, undefined],
    ['SHA-512', 64, 'signature-algorithm-key-mismatch'],
  ] as const)(
    'a key restricted to SHA-256 and 32 octets of salt, under %s with %i: %s (RFC 4055 §3.3)',
    (hash, saltLength, code) => {
      const restriction = { name: 'RSASSA-PSS', hash: 'SHA-256', saltLength: 32 } as const
      const key = { kind: 'RSA-PSS', size: 2048, exponent, restriction } as const
      expect(checkScheme({ name: 'RSASSA-PSS', hash, saltLength }, key, policy)?.code).toBe(code)
    },
  )
})

describe('what a verification costs, P-256 = 1', () => {
  test.each<[KeyDescription, number]>([
    [{ kind: 'EC', curve: 'P-256', size: 256 }, 1],
    [{ kind: 'EC', curve: 'P-384', size: 384 }, 11],
    [{ kind: 'EC', curve: 'P-521', size: 521 }, 17],
    [{ kind: 'Ed25519', size: 256 }, 1.5],
    [{ kind: 'Ed448', size: 456 }, 2.6],
    [rsa(2048), 0.25],
    [rsa(8192), 4],
    [rsa(8192, 1, 0, 0, 1), 12],
    [{ ...rsa(4096), kind: 'RSA-PSS' } as KeyDescription, 1],
    [{ kind: 'DSA', size: 1024, hasParameters: true }, 0.95],
    [{ kind: 'ML-DSA-44', size: 10_496 }, 1],
  ])('%o: %d', (key, cost) => {
    expect(signatureCost(key)).toBeCloseTo(cost)
  })
})
