/** Evaluating policies: policy-auth-mtls.md, management-api.md § Execution. */
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { parseIssuerAcl } from '../../src/acl/index.ts'
import {
  evaluatePipeline,
  evaluatePipelineSync,
  evaluatePolicy,
  evaluatePolicySync,
  type Outcome,
  type RequestFacts,
} from '../../src/policy.ts'
import * as web from '../../src/policy.web.ts'
import { createKillList } from '../../src/revocation.ts'
import { type ClientName, createWorld, time, type, type World } from './support.ts'

let world: World
beforeAll(async () => {
  world = await createWorld()
})

function facts(client: ClientName, more: Partial<RequestFacts> = {}): RequestFacts {
  const { trustAnchors, intermediates, issuerAcl, clients } = world
  return { certificate: clients[client], trustAnchors, intermediates, issuerAcl, time, ...more }
}

function codeOf(outcome: Outcome): string {
  return outcome.allowed ? 'allowed' : outcome.code
}

describe('the two switches', () => {
  const both = { validateCertificate: true, validateACLForIssuer: true }
  const certificate = { validateCertificate: true, validateACLForIssuer: false }
  const issuer = { validateCertificate: false, validateACLForIssuer: true }
  const neither = { validateCertificate: false, validateACLForIssuer: false }
  test.each<[object, ClientName, string]>([
    [both, 'good', 'allowed'],
    [both, 'foreign', 'issuer-unknown'],
    [both, 'otherIssuer', 'issuer-not-allowed'],
    [both, 'expired', 'certificate-expired'],
    [both, 'forged', 'signature-invalid'],
    [certificate, 'good', 'allowed'],
    [certificate, 'foreign', 'issuer-unknown'],
    [certificate, 'otherIssuer', 'allowed'],
    [certificate, 'expired', 'certificate-expired'],
    [certificate, 'forged', 'signature-invalid'],
    [issuer, 'good', 'allowed'],
    [issuer, 'foreign', 'issuer-not-allowed'],
    [issuer, 'otherIssuer', 'issuer-not-allowed'],
    [issuer, 'expired', 'allowed'],
    [issuer, 'forged', 'allowed'],
    [neither, 'good', 'allowed'],
    [neither, 'foreign', 'allowed'],
    [neither, 'otherIssuer', 'allowed'],
    [neither, 'expired', 'allowed'],
    [neither, 'forged', 'allowed'],
    ...[both, certificate, issuer, neither].flatMap<[object, ClientName, string]>((switches) => [
      [switches, 'none', 'certificate-missing'],
      [switches, 'junk', 'input-unrecognized'],
    ]),
  ])('%j, client %s: %s', async (switches, client, code) => {
    const outcome = evaluatePolicySync({ type, ...switches }, facts(client))
    expect(codeOf(outcome)).toBe(code)
    if (!outcome.allowed) expect(outcome).toMatchObject({ status: 401, policy: type })
    const isProven =
      outcome.allowed && !('validateCertificate' in switches && !switches.validateCertificate)
    expect(outcome.allowed && outcome.identity !== undefined).toBe(isProven)
    expect(codeOf(await evaluatePolicy({ type, ...switches }, facts(client)))).toBe(code)
    expect(codeOf(await web.evaluatePolicy({ type, ...switches }, facts(client)))).toBe(code)
  })
  test.each([
    [both, ['revocation-not-checked']],
    [certificate, ['revocation-not-checked']],
    [issuer, ['certificate-not-verified', 'issuer-not-verified', 'revocation-not-checked']],
    [neither, ['certificate-not-verified', 'revocation-not-checked']],
  ])('%j warns of what is not proven', (switches, codes) => {
    const { verdict } = evaluatePolicySync({ type, ...switches }, facts('good'))
    expect(verdict?.warnings.map(({ code }) => code)).toEqual(codes)
  })
  test.each([null, undefined, '', []])('%j is no certificate', (certificate) => {
    const outcome = evaluatePolicySync({ type }, facts('good', { certificate }))
    expect(codeOf(outcome)).toBe('certificate-missing')
  })
  test('a list with an empty certificate is not no certificate', () => {
    const outcome = evaluatePolicySync({ type }, facts('good', { certificate: new Uint8Array() }))
    expect(codeOf(outcome)).toBe('input-empty')
  })
})

describe('additions', () => {
  test('clientAcl decides by the client itself', () => {
    const allows = { type, clientAcl: 'allow attributes CN=client-a' }
    const others = { type, clientAcl: 'allow attributes CN=client-z' }
    expect(codeOf(evaluatePolicySync(allows, facts('good')))).toBe('allowed')
    expect(codeOf(evaluatePolicySync(others, facts('good')))).toBe('client-not-allowed')
  })
  test.each<[ClientName, string]>([
    ['none', 'certificate-missing'],
    ['foreign', 'issuer-unknown'],
    ['junk', 'input-unrecognized'],
  ])('report mode lets %s pass, says why not, and identifies nobody', (client, code) => {
    const outcome = evaluatePolicySync({ type, mode: 'report' }, facts(client))
    expect(outcome).toMatchObject({ allowed: true, identity: undefined })
    expect(outcome.trace).toMatchObject([{ result: 'would-refuse', failure: { code } }])
  })
  test('an enforcing policy after a reporting one refuses', () => {
    const policies = [
      { type, name: 'a', mode: 'report' },
      { type, name: 'b' },
    ]
    const outcome = evaluatePipelineSync(policies, facts('foreign'))
    expect(outcome).toMatchObject({ allowed: false, policy: 'b', code: 'issuer-unknown' })
    expect(outcome.trace.map(({ result }) => result)).toEqual(['would-refuse', 'refused'])
  })
  test('the kill list refuses with the switches off, too', () => {
    const killList = createKillList()
    killList.add({ certificate: world.pki.client.pem })
    const off = { type, validateCertificate: false, validateACLForIssuer: false }
    expect(codeOf(evaluatePolicySync(off, facts('good', { killList })))).toBe('certificate-killed')
  })
})

describe('pipelines', () => {
  const placed = (name: string, targetScope: 'ALL' | 'ENDPOINT', more: object = {}): object => ({
    type,
    name,
    targetScope,
    ...(targetScope === 'ALL' ? {} : { targetEndpoint: '/a', targetEndpointHTTPMethod: 'GET' }),
    ...more,
  })
  const list = [
    placed('e1', 'ENDPOINT'),
    placed('a1', 'ALL'),
    placed('e2', 'ENDPOINT'),
    placed('a2', 'ALL'),
  ]
  const named = (prefix: string) =>
    list.map((policy) => ({ ...policy, name: `${prefix}${(policy as { name: string }).name}` }))
  const proxy = {
    requestPolicyList: list,
    responsePolicyList: named('r-'),
    errorPolicyList: named('x-'),
  }
  test.each([
    ['REQUEST', '/a', 'a1 a2 e1 e2'],
    ['RESPONSE', '/a', 'r-e1 r-e2 r-a1 r-a2'],
    ['ERROR', '/a', 'x-e2 x-e1 x-a2 x-a1'],
    ['REQUEST', '/b', 'a1 a2'],
    ['RESPONSE', '/b', 'r-a1 r-a2'],
    ['ERROR', '/b', 'x-a2 x-a1'],
  ] as const)('%s of %s runs %s', (pipeline, path, order) => {
    const outcome = evaluatePipelineSync(proxy, facts('good', { pipeline, path }))
    expect(outcome.allowed).toBe(true)
    expect(outcome.trace.map(({ policy }) => policy).join(' ')).toBe(order)
  })
  test('an inactive policy is skipped, and says so', () => {
    const policies = [placed('a', 'ALL', { active: false }), placed('b', 'ALL')]
    const outcome = evaluatePipelineSync(policies, facts('good'))
    expect(outcome.trace.map(({ policy, result }) => `${policy} ${result}`)).toEqual([
      'a skipped',
      'b passed',
    ])
    const off = evaluatePipelineSync([placed('a', 'ALL', { active: false })], facts('none'))
    expect(off).toMatchObject({ allowed: true, identity: undefined })
  })
  test('the first that refuses ends the pipeline', () => {
    const outcome = evaluatePipelineSync(proxy, facts('expired', { path: '/a' }))
    expect(outcome).toMatchObject({ code: 'certificate-expired', policy: 'a1' })
    expect(outcome.trace).toHaveLength(1)
  })
  test('a target that servers read differently is refused where endpoints have policies', async () => {
    const facts1 = facts('good', { path: '/x/../a' })
    expect(codeOf(await evaluatePipeline(proxy, facts1))).toBe('request-target-ambiguous')
    expect(codeOf(await evaluatePipeline([placed('a', 'ALL')], facts1))).toBe('allowed')
  })
  test('without policies nobody is refused, and nobody identified', () => {
    expect(evaluatePipelineSync([], facts('none'))).toMatchObject({
      allowed: true,
      identity: undefined,
      trace: [],
    })
  })
  test('policies that validate alike share one validation', () => {
    const outcome = evaluatePipelineSync(list, facts('good', { path: '/a' }))
    const [first, ...others] = outcome.trace.map(({ verdict }) => verdict)
    expect(others).toHaveLength(3)
    for (const verdict of others) expect(verdict).toBe(first)
  })
})

describe('how long an outcome holds', () => {
  test('as long as the verdict', () => {
    const outcome = evaluatePolicySync({ type }, facts('good'))
    const { notBefore, notAfter } = world.pki.client.tbsCertificate.validity
    expect(outcome.validFrom).toBeGreaterThanOrEqual(notBefore)
    expect(outcome.validUntil).toBeLessThanOrEqual(notAfter)
  })
  test.each<[object, ClientName]>([
    [{}, 'expired'],
    [{ validateCertificate: false }, 'good'],
    [{ mode: 'report' }, 'expired'],
  ])('for this second, where time may change it: %j, %s', (fields, client) => {
    const seconds = time.getTime() / 1000
    expect(evaluatePolicySync({ type, ...fields }, facts(client))).toMatchObject({
      validFrom: seconds,
      validUntil: seconds,
    })
  })
})

describe('what is not configured', () => {
  test.each([
    ['trust-anchors-missing', {}, { trustAnchors: undefined }],
    ['option-missing', {}, { issuerAcl: undefined }],
    ['option-missing', { validateCertificate: false }, { issuerAcl: undefined }],
    ['option-unknown', {}, { trustAnchor: 1 }],
    ['options-conflict', {}, { validateCertificate: false }],
    ['option-invalid', {}, { time: new Date(Number.NaN) }],
    ['policy-invalid', { active: 1 }, {}],
  ])('throws %s', (code, fields, more) => {
    const given = { ...facts('good'), ...more } as RequestFacts
    expect(() => evaluatePolicySync({ type, ...fields }, given)).toThrow(
      expect.objectContaining({ code }),
    )
  })
  test('names the policy that wants it', () => {
    const given = facts('good', { issuerAcl: undefined })
    expect(() => evaluatePolicySync({ type, name: 'partners' }, given)).toThrow(/policy partners/)
  })
  test('what no policy wants need not be there', () => {
    const off = { type, validateCertificate: false, validateACLForIssuer: false }
    expect(evaluatePolicySync(off, { certificate: world.clients.good, time }).allowed).toBe(true)
  })
  test.each([
    ['option-unknown', { killLst: createKillList() }],
    ['option-missing', { revocation: { mode: 'crl' } }],
    ['options-conflict', { purpose: 'any', acceptedPurposes: ['clientAuth'] }],
  ])('throws %s also where no policy wants anchors', (code, more) => {
    const off = { type, validateCertificate: false, validateACLForIssuer: false }
    const given = { certificate: world.clients.good, time, ...more } as RequestFacts
    expect(() => evaluatePolicySync(off, given)).toThrow(expect.objectContaining({ code }))
  })
  test('an empty ACL refuses all', () => {
    const given = facts('good', { issuerAcl: parseIssuerAcl('') })
    expect(codeOf(evaluatePolicySync({ type }, given))).toBe('acl-empty')
  })

  test.each([{ pipeline: 'request' }, { method: 7 }, { path: null }])(
    'a pipeline is not asked for with %j',
    (fact) => {
      const given = { ...facts('good'), ...fact } as RequestFacts
      expect(() => evaluatePipelineSync([{ type }], given)).toThrow(
        expect.objectContaining({ code: 'option-invalid' }),
      )
    },
  )
})

describe('whatever the policies', () => {
  const policy = fc.record({
    active: fc.boolean(),
    validateCertificate: fc.boolean(),
    validateACLForIssuer: fc.boolean(),
    mode: fc.constantFrom('enforce', 'report'),
  })
  const client = fc.constantFrom<ClientName>(
    'good',
    'foreign',
    'otherIssuer',
    'expired',
    'forged',
    'none',
    'junk',
  )
  const named = (policies: readonly object[]): object[] =>
    policies.map((one, i) => ({ type, name: `p${i}`, ...one }))

  test('one more never turns a refusal into an entry', () => {
    fc.assert(
      fc.property(fc.array(policy, { maxLength: 4 }), policy, client, (policies, more, who) => {
        const before = evaluatePipelineSync(named(policies), facts(who))
        const after = evaluatePipelineSync(named([...policies, more]), facts(who))
        return before.allowed || !after.allowed
      }),
      { numRuns: 60 },
    )
  })
  test('who only reports never refuses, and who only validates nothing never identifies', () => {
    fc.assert(
      fc.property(fc.array(policy, { maxLength: 4 }), client, (policies, who) => {
        const reporting = named(policies).map((one) => ({ ...one, mode: 'report' }))
        const lax = named(policies).map((one) => ({ ...one, validateCertificate: false }))
        const outcome = evaluatePipelineSync(lax, facts(who))
        return (
          evaluatePipelineSync(reporting, facts(who)).allowed &&
          !(outcome.allowed && outcome.identity !== undefined)
        )
      }),
      { numRuns: 60 },
    )
  })
  test('an identity needs an active policy that validated', () => {
    fc.assert(
      fc.property(fc.array(policy, { maxLength: 4 }), client, (policies, who) => {
        const outcome = evaluatePipelineSync(named(policies), facts(who))
        const isProven = outcome.trace.some(
          ({ result, verdict }) => result === 'passed' && verdict?.ok === true && verdict.verified,
        )
        return !outcome.allowed || (outcome.identity !== undefined) === isProven
      }),
      { numRuns: 60 },
    )
  })
})
