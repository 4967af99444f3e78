import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  checkCaPurpose,
  checkCertSign,
  checkTargetPurpose,
  type ExtendedPurpose,
  listPurposes,
  narrowPurposes,
  type Purpose,
  type PurposeFailure,
  wantedPurposes,
  warnOfAnyPurpose,
} from '../../src/path/purpose.ts'
import type { Certificate } from '../../src/x509/certificate.ts'
import { certificateOf } from './certificate-of.ts'

const client = '1.3.6.1.5.5.7.3.2'
const server = '1.3.6.1.5.5.7.3.1'
const email = '1.3.6.1.5.5.7.3.4'
const any = '2.5.29.37.0'
const both: readonly ExtendedPurpose[] = ['clientAuth', 'serverAuth']

describe('extended key usage of the target, RFC 5280 §4.2.1.12', () => {
  test.each<
    [string[] | undefined, Purpose, readonly ExtendedPurpose[] | undefined, string | undefined]
  >([
    [undefined, 'clientAuth', undefined, undefined],
    [[client], 'clientAuth', undefined, undefined],
    [[email, client], 'clientAuth', undefined, undefined],
    [[any], 'clientAuth', undefined, undefined],
    [[email], 'clientAuth', undefined, 'extended-key-usage-missing'],
    [[], 'clientAuth', undefined, 'extended-key-usage-missing'],
    [[server], 'clientAuth', undefined, 'extended-key-usage-server-only'],
    [[server, email], 'clientAuth', undefined, 'extended-key-usage-server-only'],
    [[server], 'clientAuth', both, undefined],
    [[client], 'clientAuth', both, undefined],
    [[email], 'clientAuth', both, 'extended-key-usage-missing'],
    [[client], 'clientAuth', [], 'extended-key-usage-missing'],
    [undefined, 'clientAuth', [], 'extended-key-usage-missing'],
    [[server], 'clientAuth', [], 'extended-key-usage-missing'],
    [[server], 'serverAuth', undefined, undefined],
    [[client], 'serverAuth', undefined, 'extended-key-usage-missing'],
    [[email], 'any', undefined, undefined],
  ])('%j for %s, accepting %j: %s', (purposes, purpose, accepted, code) => {
    const target = withPurposes(purposes)
    expect(checkTargetPurpose(target, purpose, wantedPurposes(purpose, accepted))?.code).toBe(code)
  })
  test('the failure says what was wanted and what was found', () => {
    expect(
      checkTargetPurpose(withPurposes([email]), 'clientAuth', wantedPurposes('clientAuth', both)),
    ).toEqual({
      code: 'extended-key-usage-missing',
      index: 0,
      wanted: both,
      purposes: [email],
    })
    const nothing = wantedPurposes('clientAuth', [])
    expect(checkTargetPurpose(withPurposes(undefined), 'clientAuth', nothing)).toEqual({
      code: 'extended-key-usage-missing',
      index: 0,
      wanted: [],
      purposes: [],
    })
  })
})

describe('key usage of the target, RFC 5280 §4.2.1.3', () => {
  test.each<[number | undefined, Purpose, string | undefined]>([
    [undefined, 'clientAuth', undefined],
    [0b1, 'clientAuth', undefined],
    [0b100010001, 'clientAuth', undefined],
    [0b10, 'clientAuth', 'key-usage-no-digital-signature'],
    [0b111111110, 'clientAuth', 'key-usage-no-digital-signature'],
    [0b100, 'serverAuth', undefined],
    [0b100, 'any', undefined],
  ])('bits %s for %s: %s', (bits, purpose, code) => {
    const target = withPurposes(undefined, bits)
    expect(checkTargetPurpose(target, purpose, wantedPurposes(purpose))?.code).toBe(code)
  })
  test('accepting serverAuth too does not spare a client the signature', () => {
    const target = withPurposes([server], 0b100)
    expect(checkTargetPurpose(target, 'clientAuth', wantedPurposes('clientAuth', both))?.code).toBe(
      'key-usage-no-digital-signature',
    )
  })
})

describe('a CA passes on only the purposes that it lists', () => {
  test.each<
    [
      string,
      readonly (readonly string[] | undefined)[],
      readonly ExtendedPurpose[] | undefined,
      number | undefined,
    ]
  >([
    ['none lists any', [undefined, undefined], undefined, undefined],
    ['a CA for clients', [[client], [client]], undefined, undefined],
    [
      'a CA that lists nothing over one for clients',
      [[client], [client], undefined],
      undefined,
      undefined,
    ],
    ['a CA for servers over a target for both', [[client, server], [server]], undefined, 1],
    ['a CA for servers over a target that lists nothing', [undefined, [server]], undefined, 1],
    ['a CA for mail at the top', [[client], [client], [email]], undefined, 2],
    ['a CA for any', [[client], [any]], undefined, undefined],
    ['a CA for servers, servers accepted', [[server], [server]], both, undefined],
    [
      'one CA for clients, one for servers, either accepted',
      [[client, server], [client], [server]],
      both,
      2,
    ],
    ['the same under a target that lists nothing', [undefined, [client], [server]], both, 2],
    ['target for servers under a CA for clients, either accepted', [[server], [client]], both, 1],
  ])('%s', (_, path, accepted, index) => {
    expect(judge(path, 'clientAuth', accepted)?.index).toBe(index)
  })
  test('the failure says what was left of the purposes below', () => {
    expect(judge([[server], [client]], 'clientAuth', both)).toEqual({
      code: 'extended-key-usage-missing',
      index: 1,
      wanted: ['serverAuth'],
      purposes: [client],
    })
  })
  test('nothing left below refuses a CA that lists nothing', () => {
    expect(checkCaPurpose(withPurposes(undefined), 1, 0)).toMatchObject({
      code: 'extended-key-usage-missing',
      purposes: [],
    })
  })
  test('purpose any looks at no CA', () => {
    expect(judge([[server], [email]], 'any')).toBeUndefined()
  })
  test('a path passes exactly when one purpose holds in every certificate', () => {
    const listed = fc.option(
      fc.array(fc.constantFrom(client, server, email, any), { maxLength: 3 }),
      {
        nil: undefined,
      },
    )
    fc.assert(
      fc.property(
        fc.array(listed, { minLength: 1, maxLength: 5 }),
        fc.subarray([...both]),
        (path, accepted) => {
          const holds = accepted.some((purpose) => {
            const oid = purpose === 'clientAuth' ? client : server
            return path.every(
              (oids) => oids === undefined || oids.includes(oid) || oids.includes(any),
            )
          })
          const passes = judge(path, 'clientAuth', accepted) === undefined
          expect(passes).toBe(holds)
        },
      ),
    )
  })
})

describe('key usage of a CA, RFC 5280 §6.1.4 (n)', () => {
  test.each([
    [undefined, undefined],
    [0b100000, undefined],
    [0b1100000, undefined],
    [0b1000001, 'key-usage-no-cert-sign'],
  ])('bits %s: %s', (bits, code) => {
    expect(checkCertSign(withPurposes(undefined, bits), 3)).toEqual(code && { code, index: 3 })
  })
})

describe('anyExtendedKeyUsage', () => {
  test.each<[string[] | undefined, Purpose, boolean]>([
    [undefined, 'clientAuth', false],
    [[client], 'clientAuth', false],
    [[any], 'clientAuth', true],
    [[server, any], 'clientAuth', true],
    [[client, any], 'clientAuth', false],
    [[server, any], 'serverAuth', false],
    [[any], 'any', false],
  ])('%j for %s warns: %s', (purposes, purpose, warns) => {
    const certificate = withPurposes(purposes)
    const held = narrowPurposes(certificate, wantedPurposes(purpose))
    expect(warnOfAnyPurpose(certificate, 2, held)).toEqual(
      warns ? { code: 'extended-key-usage-any', index: 2 } : undefined,
    )
  })
})

test('an extension without anyExtendedKeyUsage warns of nothing, whatever held', () => {
  const held = wantedPurposes('clientAuth')
  expect(warnOfAnyPurpose(withPurposes([email]), 1, held)).toBeUndefined()
})

test('a set lists its members', () => {
  expect(listPurposes(wantedPurposes('clientAuth', both))).toEqual(both)
  expect(listPurposes(wantedPurposes('any'))).toEqual([])
})

/** From the target up, as a search does. */
function judge(
  path: readonly (readonly string[] | undefined)[],
  purpose: Purpose,
  accepted?: readonly ExtendedPurpose[],
): (PurposeFailure & { index?: number }) | undefined {
  let remaining = wantedPurposes(purpose, accepted)
  for (const [index, purposes] of path.entries()) {
    const certificate = withPurposes(purposes)
    const failure =
      index === 0
        ? checkTargetPurpose(certificate, purpose, remaining)
        : checkCaPurpose(certificate, index, remaining)
    if (failure !== undefined) return failure
    remaining = narrowPurposes(certificate, remaining)
  }
  return undefined
}

function withPurposes(purposes: readonly string[] | undefined, bits?: number): Certificate {
  return certificateOf({
    extensions: {
      ...(purposes && { extendedKeyUsage: { critical: false, purposes } }),
      ...(bits !== undefined && { keyUsage: { critical: true, bits } }),
    },
  })
}
