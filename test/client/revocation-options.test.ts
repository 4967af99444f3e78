import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { prepareRevocation } from '../../src/client/revocation-options.ts'
import {
  createClientCertificateValidator,
  parseTrustAnchors,
  validateClientCertificate,
} from '../../src/index.node.ts'
import type { StatusProvider } from '../../src/revocation/provider.ts'
import { parseCrls, parseOcspResponses } from '../../src/revocation.ts'
import { validateClientCertificateSync } from '../../src/sync.ts'
import { issueCa, testTime } from '../../src/testing/index.ts'
import { nameKey } from '../../src/x509/name-match.ts'
import { parseNameText } from '../../src/x509/name-text.ts'
import { misuseOf } from './support.ts'

const crls = parseCrls([])
const ocspResponses = parseOcspResponses([])
const source: StatusProvider = {
  epoch: 0,
  crls,
  responses: ocspResponses,
  request: () => undefined,
}
const misuse = (revocation: unknown) => misuseOf(() => prepareRevocation(revocation))
const crl = (fields: object) => ({ mode: 'crl', crls, ...fields })
const perIssuer = (one: unknown) => crl({ perIssuer: { 'CN=Example CA': one } })
const ofExampleCa = "revocation.perIssuer['CN=Example CA']"

describe('a rule that makes no sense is misuse', () => {
  test.each<[string, unknown]>([
    ['revocation', 'crl'],
    ['revocation', 5],
    ['revocation', true],
    ['revocation', []],
    ['revocation', new Map([['mode', 'crl']])],
    ['revocation.mode', {}],
    ['revocation.mode', { crls }],
    ['revocation.mode', { mode: 'CRL', crls }],
    ['revocation.mode', { mode: null, crls }],
    ['revocation.depth', crl({ depth: 'leaf' })],
    ['revocation.depth', crl({ depth: 0 })],
    ['revocation.onUnknown', crl({ onUnknown: 'warn' })],
    ['revocation.onUnknown', crl({ onUnknown: true })],
    ['revocation.onUnknown', crl({ onUnknown: null })],
    ['revocation.onStale', crl({ onStale: 'allow' })],
    ['revocation.onStale', crl({ onStale: 60 })],
    ['revocation.onStale', crl({ onStale: [60] })],
    ['revocation.onStale.allowFor', crl({ onStale: {} })],
    ['revocation.onStale', crl({ onStale: null })],
    ['revocation.onStale.allowFor', crl({ onStale: { allowFor: '60' } })],
    ['revocation.onStale.allowFor', crl({ onStale: { allowFor: Number.POSITIVE_INFINITY } })],
    ['revocation.maxAge', crl({ maxAge: '60' })],
    ['revocation.maxAge', crl({ maxAge: null })],
    ['revocation.perIssuer', crl({ perIssuer: 'CN=Example CA' })],
    ['revocation.perIssuer', crl({ perIssuer: [] })],
    ['revocation.perIssuer', crl({ perIssuer: new Map() })],
    ["revocation.perIssuer['']", crl({ perIssuer: { '': {} } })],
    ["revocation.perIssuer['Example CA']", crl({ perIssuer: { 'Example CA': {} } })],
    [ofExampleCa, perIssuer('none')],
    [`${ofExampleCa}.mode`, perIssuer({ mode: 'off' })],
    [`${ofExampleCa}.onUnknown`, perIssuer({ onUnknown: 'maybe' })],
    [`${ofExampleCa}.onStale`, perIssuer({ onStale: 'allow' })],
    [`${ofExampleCa}.maxAge`, perIssuer({ maxAge: -1 })],
    ['revocation.crls', { mode: 'crl', crls: [] }],
    ['revocation.crls', { mode: 'crl', crls: Uint8Array.of(0x30, 0) }],
    ['revocation.crls', { mode: 'crl', crls: null }],
    ['revocation.crls', { mode: 'crl', crls: ocspResponses }],
    ['revocation.crls', { mode: 'crl', crls: { lists: [], unreadable: [] } }],
    ['revocation.ocspResponses', { mode: 'ocsp', ocspResponses: crls }],
    ['revocation.source', { mode: 'crl', source: crls }],
    ['revocation.source', { mode: 'crl', source: null }],
    ['revocation.source', { mode: 'crl', source: 'http://crl.example/ca.crl' }],
    ['revocation.source', { mode: 'crl', source: { ...source, epoch: undefined } }],
    ['revocation.source', { mode: 'crl', source: { ...source, request: undefined } }],
    ['revocation.source', { mode: 'crl', source: { ...source, crls: [] } }],
    ['revocation.source', { mode: 'crl', source: { ...source, responses: [] } }],
    ['revocation.wait', { mode: 'crl', source, wait: -1 }],
    ['revocation.wait', { mode: 'crl', source, wait: 0.5 }],
    ['revocation.wait', { mode: 'crl', source, wait: '200' }],
    ['revocation.wait', { mode: 'crl', source, wait: 60_001 }],
    ['revocation.wait', { mode: 'crl', source, wait: null }],
    ['revocation', null],
    ["revocation.perIssuer['CN=x']", { mode: 'crl', crls, perIssuer: { 'CN=x': null } }],
  ])('%s is invalid: %o', (option, revocation) => {
    expect(misuse(revocation)).toMatchObject({ code: 'option-invalid', option })
  })

  test.each([
    ['revocation.onUnknwon', crl({ onUnknwon: 'deny' })],
    ['revocation.crl', crl({ crl: crls })],
    ['revocation.__proto__', crl(JSON.parse('{ "__proto__": {} }'))],
    ['revocation.onStale.allow', crl({ onStale: { allow: 60 } })],
    [`${ofExampleCa}.depth`, perIssuer({ depth: 'target' })],
    [`${ofExampleCa}.crls`, perIssuer({ crls })],
    [`${ofExampleCa}.wait`, perIssuer({ wait: 1 })],
  ])('%s is unknown', (option, revocation) => {
    expect(misuse(revocation)).toMatchObject({ code: 'option-unknown', option })
  })

  test('only whole seconds from 0 to ten years are an age', () => {
    const isWhole = (value: number) => Number.isInteger(value) && value >= 0 && value <= 315_360_000
    const codeOf = (value: number) => (isWhole(value) ? undefined : 'option-invalid')
    const some = fc.oneof(fc.double(), fc.integer({ min: -5, max: 315_360_005 }))
    fc.assert(
      fc.property(some, (value) => {
        const byAge = misuse(crl({ maxAge: value })) as { code?: string } | undefined
        const byStale = misuse(crl({ onStale: { allowFor: value } })) as typeof byAge
        return byAge?.code === codeOf(value) && byStale?.code === codeOf(value)
      }),
      { examples: [[315_360_000], [315_360_001], [-1], [-0], [Number.NaN]] },
    )
  })
})

describe('half a rule is misuse', () => {
  const ocspForOne = { 'CN=Example CA': { mode: 'ocsp' } }

  test.each<[string, unknown]>([
    ['revocation.crls', { mode: 'crl' }],
    ['revocation.crls', { mode: 'crl', crls: undefined }],
    ['revocation.crls', { mode: 'crl', ocspResponses }],
    ['revocation.crls', { mode: 'crl-or-ocsp', ocspResponses }],
    ['revocation.ocspResponses', { mode: 'ocsp' }],
    ['revocation.ocspResponses', { mode: 'crl-or-ocsp', crls }],
    ['revocation.ocspResponses', crl({ perIssuer: ocspForOne })],
    ['revocation.ocspResponses', { mode: 'none', perIssuer: ocspForOne }],
  ])('%s is missing: %o', (option, revocation) => {
    expect(misuse(revocation)).toMatchObject({ code: 'option-missing', option })
  })

  test.each<[string, unknown]>([
    ['revocation.crls', { mode: 'none', crls }],
    ['revocation.ocspResponses', { mode: 'none', ocspResponses }],
    ['revocation.source', { mode: 'none', source }],
    ['revocation.wait', { mode: 'none', wait: 5 }],
    ['revocation.onUnknown', { mode: 'none', onUnknown: 'deny' }],
    ['revocation.onStale', { mode: 'none', onStale: 'deny' }],
    ['revocation.maxAge', { mode: 'none', maxAge: 60 }],
    ['revocation.depth', { mode: 'none', depth: 'path' }],
    [
      "revocation.perIssuer['CN=Example CA'].onUnknown",
      { mode: 'crl', crls, perIssuer: { 'CN=Example CA': { mode: 'none', onUnknown: 'allow' } } },
    ],
    ['revocation.crls', { mode: 'none', crls, perIssuer: { 'CN=Example CA': {} } }],
    ['revocation.crls', { mode: 'ocsp', crls, ocspResponses }],
    ['revocation.ocspResponses', crl({ ocspResponses })],
    ['revocation.source', crl({ source })],
    ['revocation.source', { mode: 'ocsp', ocspResponses, source }],
    ['revocation.wait', crl({ wait: 200 })],
  ])('%s has no effect: %o', (option, revocation) => {
    expect(misuse(revocation)).toMatchObject({ code: 'options-conflict', option })
  })

  test.each([
    ['CN=Example CA,O=Example', 'cn=example  ca, o=EXAMPLE'],
    ['CN=Example CA,O=Example', '/O=Example/CN=Example CA'],
  ])('%s and %s are one issuer, which has one rule', (one, other) => {
    const rules = { [one]: { onUnknown: 'allow' }, [other]: { onUnknown: 'deny' } }
    expect(misuse(crl({ perIssuer: rules }))).toMatchObject({
      code: 'option-invalid',
      option: `revocation.perIssuer['${other}']`,
    })
  })
})

describe('defaults deny', () => {
  test('every one of them', () => {
    expect(prepareRevocation(crl({}))).toEqual({
      rule: { mode: 'crl', onUnknown: 'deny', staleFor: 0, maxAge: undefined },
      perIssuer: new Map(),
      depth: 'path',
      material: { crls, responses: undefined },
      wait: 0,
    })
  })

  test('nothing is prepared when nothing is checked', () => {
    expect(prepareRevocation({ mode: 'none' })).toBeUndefined()
    expect(prepareRevocation({ mode: 'none', perIssuer: {}, crls: undefined })).toBeUndefined()
  })

  test('an issuer has what it says, and the rule of all others for the rest', () => {
    const name = parseNameText('CN=Example CA')
    if (!name.ok) throw new Error('no name')
    const prepared = prepareRevocation({
      mode: 'crl-or-ocsp',
      source,
      wait: 200,
      onUnknown: 'allow',
      onStale: { allowFor: 60 },
      maxAge: 3_600,
      depth: 'target',
      perIssuer: {
        'CN=Example CA': { onUnknown: 'deny', onStale: 'deny' },
        'CN=Other CA': { mode: 'crl', maxAge: 0, onStale: undefined },
        'CN=Third CA': { mode: 'none', onStale: undefined },
      },
    })
    expect(prepared).toMatchObject({ depth: 'target', wait: 200 })
    expect(prepared?.material).toBe(source)
    expect(prepared?.perIssuer.get(nameKey(name.value))).toEqual({
      mode: 'crl-or-ocsp',
      onUnknown: 'deny',
      staleFor: 0,
      maxAge: 3_600,
    })
    expect([...(prepared?.perIssuer.values() ?? [])].slice(1)).toEqual([
      { mode: 'crl', onUnknown: 'allow', staleFor: 60, maxAge: 0 },
      { mode: 'none', onUnknown: 'allow', staleFor: 60, maxAge: 3_600 },
    ])
  })
})

describe('a rule is read once', async () => {
  const root = await issueCa('Root CA')
  const client = await root.issue('client-a')
  const trustAnchors = parseTrustAnchors(root)
  const time = new Date(testTime * 1000)

  test('what a getter says the second time changes nothing', () => {
    let asked = 0
    const revocation = {
      mode: 'crl' as const,
      crls,
      get onUnknown() {
        return asked++ === 0 ? ('deny' as const) : ('allow' as const)
      },
    }
    const verdict = validateClientCertificateSync(client, { trustAnchors, time, revocation })
    expect(verdict).toMatchObject({ ok: false, failure: { code: 'revocation-unknown' } })
    expect(asked).toBe(1)
  })

  test('what becomes of the options changes nothing', async () => {
    const revocation: { mode: 'crl'; crls: typeof crls; onUnknown: 'deny' | 'allow' } = {
      mode: 'crl',
      crls,
      onUnknown: 'deny',
    }
    const options = { trustAnchors, revocation }
    const validator = createClientCertificateValidator(options)
    revocation.onUnknown = 'allow'
    expect(await validator.validate(client, { time })).toMatchObject({
      ok: false,
      failure: { code: 'revocation-unknown', problems: [{ code: 'crl-missing' }] },
    })
  })

  test('an object of a class is none: its getters would be passed over', () => {
    class Rule {
      readonly mode = 'crl'
      readonly crls = crls
      get onUnknown() {
        return 'deny'
      }
    }
    expect(misuse(new Rule())).toMatchObject({ code: 'option-invalid', option: 'revocation' })
    expect(misuse(perIssuer(new Rule()))).toMatchObject({
      code: 'option-invalid',
      option: ofExampleCa,
    })
    const allowFor = Object.create({ allowFor: 60 }) as object
    expect(misuse(crl({ onStale: allowFor }))).toMatchObject({
      code: 'option-invalid',
      option: 'revocation.onStale',
    })
  })

  test('nothing comes from a prototype that somebody changed', () => {
    const prototype = Object.prototype as { onUnknown?: string }
    prototype.onUnknown = 'allow'
    try {
      expect(prepareRevocation(crl({}))?.rule.onUnknown).toBe('deny')
    } finally {
      delete prototype.onUnknown
    }
  })

  test('a rule without a prototype is a plain object', () => {
    const rule = Object.assign(Object.create(null), { mode: 'crl', crls })
    expect(misuse(rule)).toBeUndefined()
  })

  test('every entry point says so', async () => {
    const options = { trustAnchors, time, revocation: { mode: 'crl' } } as never
    const missing = { code: 'option-missing', option: 'revocation.crls' }
    expect(misuseOf(() => validateClientCertificateSync(client, options))).toMatchObject(missing)
    await expect(validateClientCertificate(client, options)).rejects.toMatchObject(missing)
    const timeless = { trustAnchors, revocation: { mode: 'crl' } } as never
    expect(misuseOf(() => createClientCertificateValidator(timeless))).toMatchObject(missing)
  })
})
