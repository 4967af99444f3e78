import { describe, expect, test } from 'vitest'
import { algorithmPolicy } from '../../src/path/algorithms.ts'
import { checkCommon, checkIssuer, type RuleContext } from '../../src/path/rules.ts'
import { type CertificateOptions, issueCa, testTime } from '../../src/testing/index.ts'
import { anchorIssuer, anchorOf, bareAnchorOf, context, issuerOf } from './support.ts'

const root = await issueCa('Root CA')
const clientAuth = 1

async function failureOf(
  options: CertificateOptions,
  { below = 0, purposes = clientAuth, ...given }: Partial<RuleContext> & Facts = {},
) {
  const ca = await root.issueCa('Issuing CA', options)
  return checkIssuer(issuerOf(ca), 2, below, purposes, { ...context, ...given })
}

interface Facts {
  readonly below?: number
  readonly purposes?: number
}

const critical = { oid: '1.3.6.1.4.1.32473.1', critical: true, value: Uint8Array.of(5, 0) }

describe('an intermediate, RFC 5280 §6.1.4', () => {
  test('a usual CA passes', async () => {
    expect(await failureOf({})).toBeUndefined()
    expect(await failureOf({}, { profile: 'rfc5280' })).toBeUndefined()
  })
  test.each<[string, CertificateOptions, Partial<RuleContext> & Facts, object]>([
    ['key-too-weak', { key: 'RSA-1024' }, {}, { size: 1024, minimum: 2048 }],
    ['certificate-expired', { notAfter: testTime - 1 }, {}, { notAfter: testTime - 1 }],
    ['certificate-not-yet-valid', { notBefore: testTime + 1 }, {}, { notBefore: testTime + 1 }],
    ['basic-constraints-missing', { basicConstraints: 'absent' }, {}, {}],
    ['not-a-ca', { basicConstraints: { cA: false } }, {}, {}],
    [
      'path-length-exceeded',
      { basicConstraints: { cA: true, pathLenConstraint: 0 } },
      { below: 1 },
      { pathLenConstraint: 0, intermediates: 1 },
    ],
    [
      'path-length-exceeded',
      { basicConstraints: { cA: true, pathLenConstraint: 2 } },
      { below: 3 },
      { pathLenConstraint: 2, intermediates: 3 },
    ],
    ['key-usage-no-cert-sign', { keyUsage: ['digitalSignature', 'cRLSign'] }, {}, {}],
    [
      'extended-key-usage-missing',
      { extendedKeyUsage: ['serverAuth'] },
      {},
      { wanted: ['clientAuth'] },
    ],
    ['issuer-empty', { issuer: [] }, {}, {}],
    ['unknown-critical-extension', { rawExtensions: [critical] }, {}, { oid: critical.oid }],
    [
      'basic-constraints-not-critical',
      { criticality: { basicConstraints: false } },
      { profile: 'rfc5280' },
      {},
    ],
  ])('%s', async (code, options, given, facts) => {
    expect(await failureOf(options, given)).toMatchObject({ code, index: 2, ...facts })
  })
  test.each<[string, CertificateOptions, Partial<RuleContext> & Facts]>([
    [
      'a path length that is just long enough',
      { basicConstraints: { cA: true, pathLenConstraint: 2 } },
      { below: 2 },
    ],
    ['no path length', {}, { below: 100 }],
    ['an expiry within the tolerance', { notAfter: testTime - 5 }, { clockTolerance: 5 }],
    ['a start within the tolerance', { notBefore: testTime + 5 }, { clockTolerance: 5 }],
    ['no key usage', { keyUsage: 'absent' }, {}],
    ['anyExtendedKeyUsage', { extendedKeyUsage: ['anyExtendedKeyUsage'] }, {}],
    [
      'an unknown extension that is not critical',
      { rawExtensions: [{ ...critical, critical: false }] },
      {},
    ],
    ['a known critical extension', { criticality: { authorityKeyIdentifier: true } }, {}],
    ['pedantry, under the default profile', { criticality: { basicConstraints: false } }, {}],
    [
      'a short key that is allowed',
      { key: 'RSA-1024' },
      { algorithms: algorithmPolicy({ dangerouslyMinimumRsaBits: 1024 }) },
    ],
  ])('%s passes', async (_, options, given) => {
    expect(await failureOf(options, given)).toBeUndefined()
  })
})

describe('anchorChecks are for anchors', () => {
  const anchorChecks = { validity: false, constraints: false }
  test.each<[string, CertificateOptions]>([
    ['certificate-expired', { notAfter: testTime - 1 }],
    ['basic-constraints-missing', { basicConstraints: 'absent' }],
    ['key-usage-no-cert-sign', { keyUsage: ['cRLSign'] }],
    ['unknown-critical-extension', { rawExtensions: [critical] }],
  ])('%s of an intermediate counts all the same', async (code, options) => {
    expect(await failureOf(options, { anchorChecks })).toMatchObject({ code, index: 2 })
  })
  test('and the profile looks at an intermediate as a CA', async () => {
    const options = { authorityKeyIdentifier: 'absent' } as const
    expect(await failureOf(options, { profile: 'rfc5280' })).toMatchObject({
      code: 'authority-key-identifier-missing',
    })
    const anchor = await issueCa('Plain CA', options)
    expect(
      checkIssuer(anchorIssuer(anchorOf(anchor)), 1, 0, clientAuth, {
        ...context,
        profile: 'rfc5280',
      }),
    ).toBeUndefined()
  })
})

describe('a trust anchor, RFC 5937 §3.2', () => {
  const check = (
    issuer: ReturnType<typeof issuerOf>,
    below = 0,
    given: Partial<RuleContext> = {},
  ) => checkIssuer(issuer, 1, below, clientAuth, { ...context, ...given })

  test('its validity counts, unless anchorChecks.validity is false', async () => {
    const old = anchorIssuer(anchorOf(await issueCa('Old CA', { notAfter: testTime - 1 })))
    expect(check(old)).toMatchObject({ code: 'certificate-expired', index: 1 })
    const anchorChecks = { validity: false, constraints: true }
    expect(check(old, 0, { anchorChecks })).toBeUndefined()
  })
  test.each<[string, CertificateOptions]>([
    ['not-a-ca', { basicConstraints: { cA: false } }],
    ['key-usage-no-cert-sign', { keyUsage: ['cRLSign'] }],
    ['extended-key-usage-missing', { extendedKeyUsage: ['serverAuth'] }],
    ['unknown-critical-extension', { rawExtensions: [critical] }],
  ])('its %s counts, unless anchorChecks.constraints is false', async (code, options) => {
    const odd = anchorIssuer(anchorOf(await issueCa('Odd CA', options)))
    expect(check(odd)).toMatchObject({ code, index: 1 })
    const anchorChecks = { validity: true, constraints: false }
    expect(check(odd, 0, { anchorChecks })).toBeUndefined()
  })
  test('the profile looks at an anchor as an anchor', async () => {
    const plain = anchorIssuer(anchorOf(root))
    expect(check(plain, 0, { profile: 'rfc5280' })).toBeUndefined()
    const odd = anchorIssuer(
      anchorOf(await issueCa('Odd CA', { criticality: { basicConstraints: false } })),
    )
    expect(check(odd)).toBeUndefined()
    expect(check(odd, 0, { profile: 'rfc5280' })?.code).toBe('basic-constraints-not-critical')
  })
  test('its key counts always', async () => {
    const weak = await issueCa('Weak CA', { key: 'RSA-1024' })
    const anchorChecks = { validity: false, constraints: false }
    for (const anchor of [anchorOf(weak), bareAnchorOf(weak)]) {
      expect(check(anchorIssuer(anchor), 0, { anchorChecks })).toMatchObject({
        code: 'key-too-weak',
        index: 1,
      })
    }
  })
  test.each([anchorOf, bareAnchorOf])('the path length beside it counts always', (make) => {
    const anchorChecks = { validity: false, constraints: false }
    const limited = anchorIssuer(make(root, { pathLenConstraint: 1 }))
    expect(check(limited, 1, { anchorChecks })).toBeUndefined()
    expect(check(limited, 2, { anchorChecks })).toEqual({
      code: 'path-length-exceeded',
      index: 1,
      pathLenConstraint: 1,
      intermediates: 2,
    })
  })
  test('a name and a key have nothing else to check', () => {
    expect(check(anchorIssuer(bareAnchorOf(root)), 100)).toBeUndefined()
  })
})

test('the target: no issuer before unknown extensions before pedantry', async () => {
  const odd = await root.issue('client-a', {
    issuer: [],
    rawExtensions: [critical],
    authorityKeyIdentifier: 'absent',
  })
  expect(checkCommon(odd, 0, 'target', 'rfc5280')?.code).toBe('issuer-empty')
  const named = await root.issue('client-a', {
    rawExtensions: [critical],
    authorityKeyIdentifier: 'absent',
  })
  expect(checkCommon(named, 0, 'target', 'rfc5280')?.code).toBe('unknown-critical-extension')
  const plain = await root.issue('client-a', { authorityKeyIdentifier: 'absent' })
  expect(checkCommon(plain, 0, 'target', 'rfc5280')?.code).toBe('authority-key-identifier-missing')
  expect(checkCommon(plain, 0, 'target', 'interoperable')).toBeUndefined()
})
