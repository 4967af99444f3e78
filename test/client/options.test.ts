import { describe, expect, test } from 'vitest'
import { parseClientAcl, parseIssuerAcl } from '../../src/acl/index.ts'
import { prepareOptions, secondsOf, type ValidateOptions } from '../../src/client/options.ts'
import {
  parseIntermediates,
  parseTrustAnchors,
  validateClientCertificate,
} from '../../src/index.node.ts'
import {
  createClientCertificateValidatorSync,
  type ValidateOptionsSync,
  validateClientCertificateSync,
} from '../../src/sync.ts'
import { createPki, issueCa, testTime } from '../../src/testing/index.ts'
import { misuseOf } from './support.ts'

const pki = await createPki()
const trustAnchors = parseTrustAnchors(pki.anchorsPem)
const issuerAcl = parseIssuerAcl('allow dn CN=x')
const clientAcl = parseClientAcl('allow dn CN=x')

const prepare = (options: unknown) => prepareOptions(options as ValidateOptions)
const prepared = (options: object) => prepare({ trustAnchors, ...options })

describe('half a configuration is misuse', () => {
  test.each<[string, unknown, object]>([
    ['no options', undefined, { code: 'option-missing' }],
    ['null', null, { code: 'option-missing' }],
    ['text', 'anchors', { code: 'option-missing' }],
    ['no trust anchors', {}, { code: 'trust-anchors-missing', option: 'trustAnchors' }],
    ['PEM for trust anchors', { trustAnchors: pki.anchorsPem }, { code: 'trust-anchors-missing' }],
    [
      'a look-alike of trust anchors',
      { trustAnchors: { anchors: [], index: {} } },
      { code: 'trust-anchors-missing' },
    ],
    ['null for trust anchors', { trustAnchors: null }, { code: 'trust-anchors-missing' }],
    [
      'the ACL switch without an ACL',
      { trustAnchors, validateACLForIssuer: true },
      { code: 'option-missing', option: 'issuerAcl' },
    ],
    [
      'the same without validation',
      { validateCertificate: false, validateACLForIssuer: true },
      { code: 'option-missing', option: 'issuerAcl' },
    ],
  ])('%s', (_, options, expected) => {
    expect(misuseOf(() => prepare(options))).toMatchObject(expected)
  })
  test.each<[string, string]>([
    ['trustAnchor', 'trustAnchors'],
    ['TRUSTANCHORS', 'trustAnchors'],
    ['validateAclForIssuer', 'validateACLForIssuer'],
    ['clockTolerances', 'clockTolerance'],
    ['intermediate', 'intermediates'],
  ])('the unknown option %s is answered with %s', (name, meant) => {
    expect(misuseOf(() => prepared({ [name]: 1 }))).toMatchObject({
      code: 'option-unknown',
      option: name,
      message: expect.stringContaining(`did you mean ${meant}?`),
    })
  })
  test('an unknown option without a likeness', () => {
    const misuse = misuseOf(() => prepared({ verify: false }))
    expect(misuse).toMatchObject({ code: 'option-unknown', option: 'verify' })
    expect(misuse).toHaveProperty('message', 'unknown option: verify')
  })
  test.each<[string, object]>([
    ['validateCertificate', { validateCertificate: 'false' }],
    ['validateCertificate', { validateCertificate: 0 }],
    ['validateCertificate', { validateCertificate: null }],
    ['validateACLForIssuer', { validateACLForIssuer: 'yes' }],
    ['issuerAcl', { issuerAcl: 'allow dn CN=x' }],
    ['issuerAcl', { issuerAcl: null }],
    ['clientAcl', { clientAcl: [] }],
    ['clientAcl', { clientAcl: 5 }],
    ['issuerAcl', { issuerAcl: [{ effect: 'allow', match: { dn: 'CN=x' } }] }],
    ['issuerAcl', { issuerAcl: { entries: issuerAcl.entries } }],
    ['purpose', { purpose: 'client' }],
    ['purpose', { purpose: null }],
    ['acceptedPurposes', { acceptedPurposes: [] }],
    ['acceptedPurposes', { acceptedPurposes: 'clientAuth' }],
    ['acceptedPurposes', { acceptedPurposes: ['any'] }],
    ['acceptedPurposes', { acceptedPurposes: [undefined] }],
    ['expectedPeerNames', { expectedPeerNames: [] }],
    ['expectedPeerNames', { expectedPeerNames: { kind: 'DNS', value: 'a.example' } }],
    ['expectedPeerNames', { expectedPeerNames: [{ kind: 'DNS', value: 'not a host' }] }],
    ['expectedPeerNames', { expectedPeerNames: [{ kind: 'IP', value: '300.0.0.1' }] }],
    ['profile', { profile: 'strict' }],
    ['maxIntermediates', { maxIntermediates: -1 }],
    ['maxIntermediates', { maxIntermediates: 101 }],
    ['maxIntermediates', { maxIntermediates: 1.5 }],
    ['maxIntermediates', { maxIntermediates: '3' }],
    ['maxIntermediates', { maxIntermediates: Number.NaN }],
    ['budget', { budget: 100 }],
    ['budget', { budget: null }],
    ['budget.signatures', { budget: { signatures: -1 } }],
    ['budget.candidates', { budget: { candidates: Number.NaN } }],
    ['budget.policies', { budget: { policies: '1' } }],
    ['algorithms', { algorithms: 'sha1' }],
    ['algorithms.dangerouslyAllowSha1', { algorithms: { dangerouslyAllowSha1: 'no' } }],
    ['algorithms.dangerouslyMinimumRsaBits', { algorithms: { dangerouslyMinimumRsaBits: 'no' } }],
    ['algorithms.dangerouslyMinimumRsaBits', { algorithms: { dangerouslyMinimumRsaBits: 8193 } }],
    ['clockTolerance', { clockTolerance: -1 }],
    ['clockTolerance', { clockTolerance: 86_401 }],
    ['clockTolerance', { clockTolerance: 0.5 }],
    ['clockTolerance', { clockTolerance: Number.POSITIVE_INFINITY }],
    ['anchorChecks', { anchorChecks: false }],
    ['anchorChecks.validity', { anchorChecks: { validity: 0 } }],
    ['anchorChecks.constraints', { anchorChecks: { constraints: 'no' } }],
    ['pinnedTarget', { pinnedTarget: true }],
    ['revocation.mode', { revocation: { mode: 'soft' } }],
    ['revocation.mode', { revocation: {} }],
    ['revocation', { revocation: null }],
    ['revocation', { revocation: 'none' }],
    ['userInitialPolicySet', { userInitialPolicySet: '1.2.3' }],
    ['userInitialPolicySet', { userInitialPolicySet: ['anyPolicy'] }],
    ['userInitialPolicySet', { userInitialPolicySet: ['3.1'] }],
    ['userInitialPolicySet', { userInitialPolicySet: ['1'] }],
    ['initialExplicitPolicy', { initialExplicitPolicy: 1 }],
    ['initialPolicyMappingInhibit', { initialPolicyMappingInhibit: 1 }],
    ['initialAnyPolicyInhibit', { initialAnyPolicyInhibit: 1 }],
  ])('%s is invalid: %o', (option, options) => {
    expect(misuseOf(() => prepared(options))).toMatchObject({ code: 'option-invalid', option })
  })
  test.each([
    ['budget.signature', { budget: { signature: 1 } }],
    ['algorithms.allowSha1', { algorithms: { allowSha1: true } }],
    ['anchorChecks.constraint', { anchorChecks: { constraint: false } }],
  ])('%s is unknown', (option, options) => {
    expect(misuseOf(() => prepared(options))).toMatchObject({ code: 'option-unknown', option })
  })
  test('acceptedPurposes beside purpose any', () => {
    expect(
      misuseOf(() => prepared({ purpose: 'any', acceptedPurposes: ['clientAuth'] })),
    ).toMatchObject({
      code: 'options-conflict',
      option: 'acceptedPurposes',
    })
  })
  test.each<[string, unknown]>([
    ['intermediates', pki.intermediatesPem],
    ['clientAcl', clientAcl],
    ['purpose', 'clientAuth'],
    ['profile', 'rfc5280'],
    ['clockTolerance', 5],
    ['pinnedTarget', 'refuse'],
    ['revocation', { mode: 'none' }],
    ['initialExplicitPolicy', true],
  ])('%s has no effect without validation', (option, value) => {
    expect(misuseOf(() => prepare({ validateCertificate: false, [option]: value }))).toMatchObject({
      code: 'options-conflict',
      option,
    })
    // Written and undefined is not written.
    expect(
      misuseOf(() => prepare({ validateCertificate: false, [option]: undefined })),
    ).toBeUndefined()
  })
  test('without validation trust anchors, time and the ACL may stay', () => {
    const options = { validateCertificate: false, trustAnchors, time: new Date(), issuerAcl }
    expect(prepare(options).path).toBeUndefined()
  })
})

describe('time', () => {
  test.each<[string, unknown]>([
    ['an Invalid Date', new Date(Number.NaN)],
    ['a number', 0],
    ['text', '2030-01-01'],
    ['null', null],
    ['a look-alike', { getTime: () => 0 }],
  ])('%s is misuse', async (_, time) => {
    expect(misuseOf(() => secondsOf(time as Date))).toMatchObject({
      code: 'option-invalid',
      option: 'time',
    })
    if (time === null) return
    const options = { trustAnchors, time } as ValidateOptionsSync
    expect(misuseOf(() => validateClientCertificateSync(pki.chainPem, options))).toMatchObject({
      code: 'option-invalid',
    })
    await expect(validateClientCertificate(pki.chainPem, options)).rejects.toMatchObject({
      code: 'option-invalid',
    })
  })
  test.each([
    [0, 0],
    [999, 0],
    [1_000, 1],
    [-1, -1],
    [1_893_456_000_999, 1_893_456_000],
  ])('%i milliseconds are second %i', (milliseconds, seconds) => {
    expect(secondsOf(new Date(milliseconds))).toBe(seconds)
  })
})

describe('defaults deny', () => {
  test('every one of them', () => {
    const { path, issuerAcl: acl, clientAcl: client } = prepared({})
    expect(path).toMatchObject({
      clockTolerance: 0,
      profile: 'interoperable',
      anchorChecks: { validity: true, constraints: true },
      purpose: 'clientAuth',
      acceptedPurposes: undefined,
      expectedPeerNames: undefined,
      maxIntermediates: 32,
      budget: undefined,
      pinnedTarget: 'refuse',
      known: [],
    })
    expect(path?.anchors).toBe(trustAnchors.index)
    expect(path?.algorithms).toMatchObject({
      minimumRsaBits: 2048,
      maximumRsaBits: 8192,
      dsa: false,
    })
    expect([...(path?.algorithms.hashes ?? [])]).not.toContain('SHA-1')
    expect([acl, client]).toEqual([undefined, undefined])
  })
  test('what is given is taken', () => {
    const given = {
      clockTolerance: 86_400,
      profile: 'rfc5280',
      purpose: 'serverAuth',
      acceptedPurposes: ['serverAuth', 'clientAuth'],
      expectedPeerNames: [{ kind: 'DNS', value: 'a.example' }],
      maxIntermediates: 100,
      budget: { signatures: Number.POSITIVE_INFINITY, candidates: 0 },
      pinnedTarget: 'accept-self-signed',
    }
    expect(prepared(given).path).toMatchObject(given)
    expect(prepared({ maxIntermediates: 0 }).path?.maxIntermediates).toBe(0)
    expect(prepared({ anchorChecks: { validity: false } }).path?.anchorChecks).toEqual({
      validity: false,
      constraints: true,
    })
    expect(prepared({ anchorChecks: { constraints: false } }).path?.anchorChecks).toEqual({
      validity: true,
      constraints: false,
    })
    expect(
      prepared({ userInitialPolicySet: ['1.2.3', '2.5.29.32.0'] }).path?.policies,
    ).toMatchObject({
      userInitialPolicySet: ['1.2.3', '2.5.29.32.0'],
    })
    const loose = { dangerouslyAllowSha1: true, dangerouslyMinimumRsaBits: 1024 }
    expect(prepared({ algorithms: loose }).path?.algorithms.minimumRsaBits).toBe(1024)
  })
  test('intermediates in any form', () => {
    const pool = parseIntermediates(pki.intermediatesPem)
    expect(prepared({ intermediates: pool }).path?.known[0]).toBe(pool.index)
    for (const intermediates of [
      pki.intermediatesPem,
      pki.issuing.der,
      [pki.issuing],
      pki.issuing,
    ]) {
      expect(prepared({ intermediates }).path?.known[0]?.issuers).toHaveLength(1)
    }
  })
  test.each([
    [undefined, true],
    [true, true],
    [false, false],
  ])('validateACLForIssuer %s with an ACL', (validateACLForIssuer, effective) => {
    const expected = effective ? issuerAcl : undefined
    expect(prepared({ issuerAcl, validateACLForIssuer }).issuerAcl).toBe(expected)
    const off = { validateCertificate: false, issuerAcl, validateACLForIssuer }
    expect(prepare(off).issuerAcl).toBe(expected)
  })
})

describe('trust anchors', () => {
  test.each<[string, unknown, object]>([
    ['none', [], { code: 'trust-anchors-missing' }],
    [
      'no text',
      '',
      { code: 'trust-anchor-unreadable', index: 0, failure: { code: 'input-empty' } },
    ],
    ['noise', 'x', { code: 'trust-anchor-unreadable', failure: { code: 'input-unrecognized' } }],
    ['undefined', undefined, { code: 'trust-anchor-unreadable' }],
    ['a number', [5], { code: 'trust-anchor-unreadable', index: 0 }],
    ['null', [null], { code: 'trust-anchor-unreadable', index: 0 }],
    [
      'a private key',
      pki.clientKeyPem,
      { failure: { code: 'input-not-a-certificate', kind: 'private-key' } },
    ],
    [
      'a second one that is cut off',
      [pki.anchorsPem, pki.issuing.der.subarray(0, 99)],
      { code: 'trust-anchor-unreadable', index: 1, failure: { code: 'der-truncated' } },
    ],
    [
      'a bundle with a damaged end',
      `${pki.anchorsPem}-----BEGIN CERTIFICATE-----`,
      { code: 'trust-anchor-unreadable', failure: { code: 'input-pem-malformed', block: 1 } },
    ],
  ])('%s', (_, source, expected) => {
    expect(misuseOf(() => parseTrustAnchors(source as string))).toMatchObject(expected)
  })
  test('in every form', () => {
    const { subject: name, subjectPublicKeyInfo } = pki.root.tbsCertificate
    const bare = { name, subjectPublicKeyInfo }
    const constraints = { pathLenConstraint: 1 }
    const sources = [pki.anchorsPem, pki.root.der, pki.root, [pki.root], bare, [bare, pki.root.der]]
    for (const source of sources) {
      const { anchors } = parseTrustAnchors(source)
      expect(anchors[0]).toMatchObject(bare)
    }
    expect(parseTrustAnchors(pki.anchorsPem + pki.intermediatesPem).anchors).toHaveLength(2)
    expect(parseTrustAnchors(bare).anchors[0]?.certificate).toBeUndefined()
    expect(parseTrustAnchors({ ...bare, constraints }).anchors[0]).toMatchObject({ constraints })
    expect(parseTrustAnchors({ certificate: pki.root, constraints }).anchors[0]).toEqual({
      ...bare,
      certificate: pki.root,
      constraints,
    })
  })
})

describe('a pool of intermediates', () => {
  test('junk is left out and reported', () => {
    const pool = parseIntermediates([
      '',
      pki.intermediatesPem,
      pki.issuing.der.subarray(0, 99),
      `${pki.anchorsPem}-----BEGIN CERTIFICATE-----`,
    ])
    expect(pool.index.issuers.map(({ certificate }) => certificate?.der)).toEqual([
      pki.issuing.der,
      pki.root.der,
    ])
    expect(pool.unreadable).toMatchObject([
      { index: 0, failure: { code: 'input-empty' } },
      { index: 2, failure: { code: 'der-truncated' } },
      { index: 3, failure: { code: 'input-pem-malformed' } },
    ])
  })
  test('nothing is a pool, too', () => {
    expect(parseIntermediates([]).index.issuers).toEqual([])
  })
})

describe('options are read once', async () => {
  const root = await issueCa('Root CA')
  const expired = await root.issue('client', { notBefore: 0, notAfter: 1 })
  const trustAnchors = parseTrustAnchors(root)
  const time = new Date(testTime * 1000)

  test('what a getter says the second time changes nothing', () => {
    let asked = 0
    const verdict = validateClientCertificateSync(expired, {
      trustAnchors,
      time,
      get clockTolerance() {
        return asked++ === 0 ? 0 : 1e12
      },
    })
    expect(verdict).toMatchObject({ ok: false, failure: { code: 'certificate-expired' } })
    expect(asked).toBe(1)
  })

  test('an object of a class is none: its getters would be passed over', () => {
    class Options {
      readonly trustAnchors = trustAnchors
      get clientAcl() {
        return undefined
      }
    }
    expect(() => validateClientCertificateSync(expired, new Options())).toThrow(
      expect.objectContaining({ code: 'option-invalid', option: 'options' }),
    )
    const anchorChecks = Object.create({ validity: true }) as object
    expect(() => validateClientCertificateSync(expired, { trustAnchors, anchorChecks })).toThrow(
      expect.objectContaining({ code: 'option-invalid', option: 'anchorChecks' }),
    )
  })

  test('nothing comes from a prototype that somebody changed', () => {
    const prototype = Object.prototype as { validateCertificate?: boolean }
    prototype.validateCertificate = false
    try {
      const verdict = validateClientCertificateSync(expired, { trustAnchors, time })
      expect(verdict).toMatchObject({ ok: false, failure: { code: 'certificate-expired' } })
    } finally {
      delete prototype.validateCertificate
    }
  })

  test.each([
    './intermediates.pem',
    '-----BEGIN PRIVATE KEY-----\nMAAA\n-----END PRIVATE KEY-----',
  ])('intermediates %j', (intermediates) => {
    expect(() => validateClientCertificateSync(expired, { trustAnchors, intermediates })).toThrow(
      expect.objectContaining({ code: 'intermediates-unreadable', index: 0 }),
    )
  })

  test('of a validator and of a call', () => {
    expect(() =>
      createClientCertificateValidatorSync({ trustAnchors }, { verdict: 1 } as object),
    ).toThrow(expect.objectContaining({ code: 'option-unknown', option: 'verdict' }))
    const validator = createClientCertificateValidatorSync({ trustAnchors })
    expect(() => validator.validate(expired, { Time: time } as object)).toThrow(
      expect.objectContaining({ code: 'option-unknown', option: 'Time' }),
    )
  })
})
