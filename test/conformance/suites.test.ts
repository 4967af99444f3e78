/** What each field of a case becomes: seen by a driver that records what it is asked and answers what the test says. */
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { encodeBase64 } from '../../src/base/base64.ts'
import { contextPrimitive, tagIA5String } from '../../src/der/tags.ts'
import { writeElement, writeSequence, writeText } from '../../src/der/writer.ts'
import { issueCa, toPem } from '../../src/testing/index.ts'
import type { Certificate } from '../../src/x509/certificate.ts'
import type { Corpus } from './corpus.ts'
import { type Driver, type DriverName, makeDrivers, type Options } from './drivers.ts'
import type { Outcome } from './suite.ts'
import { suiteOf } from './suites/index.ts'

const root = await issueCa('Root CA')
const issuing = await root.issueCa('Issuing CA')
const client = await issuing.issue('client-a')
const list = await issuing.issueCrl()
const response = await issuing.issueOcspResponse({ responses: [client] })
const der = (certificate: { readonly der: Uint8Array }): string => encodeBase64(certificate.der)
const tbsSha256 = ({ tbsCertificate }: Certificate): string =>
  createHash('sha256').update(tbsCertificate.der).digest('hex')

/** Answers in turn; the last answer again and again. */
class Recorder implements Driver {
  readonly name: DriverName
  readonly asked: Options[] = []
  readonly #answers: readonly unknown[]

  constructor(name: DriverName, ...answers: readonly unknown[]) {
    this.name = name
    this.#answers = answers
  }

  validate(_: unknown, options: Options) {
    this.asked.push(options)
    const turn = Math.min(this.asked.length, this.#answers.length) - 1
    return this.#answers[turn] as Awaited<ReturnType<Driver['validate']>>
  }

  run(): never {
    throw new Error('no steps here')
  }
}

const accepted = {
  ok: true,
  verified: true,
  path: [client, issuing],
  anchor: { certificate: root },
  policies: { userConstrainedPolicySet: ['1.2.3', '1.2.4'] },
}
const refused = { ok: false, failure: { code: 'certificate-expired' } }

async function runFirst(corpus: object, driver: Driver): Promise<Outcome> {
  const suite = suiteOf(corpus as Corpus)
  const [one] = suite.read(corpus as Corpus)
  if (one === undefined) throw new Error('no case')
  return one.run(driver, suite.profiles[0])
}

function agrees(outcome: Outcome): boolean {
  return outcome.kind === 'answered' && outcome.expected === outcome.actual
}

describe('limbo', () => {
  const base = {
    id: 'a',
    validation_kind: 'SERVER',
    trusted_certs: [root.pem],
    untrusted_intermediates: [issuing.pem],
    peer_certificate: client.pem,
    validation_time: '2024-04-01T00:00:00.005+00:00',
    expected_result: 'SUCCESS',
    expected_peer_name: { kind: 'DNS', value: 'example.com' },
    expected_peer_names: [],
    max_chain_depth: 2,
    crls: [],
  }
  const ask = async (change: object, answer: unknown = accepted) => {
    const driver = new Recorder('sync', answer)
    const outcome = await runFirst({ testcases: [{ ...base, ...change }] }, driver)
    return { outcome, options: driver.asked[0] }
  }

  test('a server has its purpose, one name, a time and a depth', async () => {
    const { outcome, options } = await ask({})
    expect(agrees(outcome)).toBe(true)
    expect(options).toMatchObject({
      purpose: 'serverAuth',
      expectedPeerNames: [{ kind: 'DNS', value: 'example.com' }],
      maxIntermediates: 2,
      profile: 'rfc5280',
    })
    expect(options?.time.getTime()).toBe(Date.UTC(2024, 3, 1, 0, 0, 0, 5))
    expect(options?.intermediates).toEqual([expect.objectContaining({ der: issuing.der })])
    expect(options?.trustAnchors.anchors).toHaveLength(1)
  })

  test('a client has its purpose and several names; no depth and no time are the defaults', async () => {
    const names = [{ kind: 'RFC822', value: 'a@example.com' }]
    const change = { validation_kind: 'CLIENT', expected_peer_names: names }
    const { options } = await ask({ ...change, max_chain_depth: null, validation_time: null })
    expect(options).toMatchObject({ purpose: 'clientAuth', expectedPeerNames: names })
    expect(options).not.toHaveProperty('maxIntermediates')
    expect(Math.abs(Date.now() - Number(options?.time))).toBeLessThan(600_000)
  })

  test.each(['CLIENT', 'SERVER'])('a %s case may lack what is optional', async (kind) => {
    const needed = {
      id: 'a',
      validation_kind: kind,
      trusted_certs: base.trusted_certs,
      peer_certificate: base.peer_certificate,
      expected_result: 'SUCCESS',
    }
    const driver = new Recorder('sync', accepted)
    expect(agrees(await runFirst({ testcases: [needed] }, driver))).toBe(true)
    expect(driver.asked[0]).toMatchObject({ intermediates: [] })
    expect(driver.asked[0]).not.toHaveProperty('expectedPeerNames')
    expect(driver.asked[0]).not.toHaveProperty('maxIntermediates')
  })

  test('a refusal that the suite wants agrees, one that it does not want disagrees', async () => {
    expect(agrees((await ask({ expected_result: 'FAILURE' }, refused)).outcome)).toBe(true)
    expect((await ask({}, refused)).outcome).toMatchObject({
      expected: 'accept',
      actual: 'refuse',
      code: 'certificate-expired',
    })
    expect(agrees((await ask({ expected_result: 'FAILURE' })).outcome)).toBe(false)
  })

  test('an anchor that cannot be read, or such a name, is a refusal', async () => {
    const broken = await ask({ trusted_certs: ['no certificate'], expected_result: 'FAILURE' })
    expect(broken).toMatchObject({ outcome: { actual: 'refuse', code: 'trust-anchor-unreadable' } })
    const unnamed = await ask({ expected_peer_name: { kind: 'IP', value: 'no address' } })
    expect(unnamed).toMatchObject({ outcome: { actual: 'refuse' }, options: undefined })
  })

  test('an intermediate that cannot be read is left to the library', async () => {
    const { options } = await ask({ untrusted_intermediates: ['no certificate'] })
    expect(options?.intermediates).toEqual(['no certificate'])
  })

  test('with CRLs every certificate below the anchor needs a status, without them none', async () => {
    const { options } = await ask({ crls: [toPem(list.der, 'X509 CRL')] })
    expect(options?.revocation).toMatchObject({ mode: 'crl', crls: { lists: [{}] } })
    expect((await ask({ crls: [] })).options).not.toHaveProperty('revocation')
  })

  describe('client-cases', () => {
    const plain = { validation_kind: 'CLIENT', tags: [] }

    test('the default profile, unless the case has another', async () => {
      expect((await ask(plain)).options?.profile).toBe('interoperable')
      expect((await ask({ ...plain, profile: 'rfc5280' })).options?.profile).toBe('rfc5280')
    })

    test('policy inputs', async () => {
      const { options } = await ask({
        ...plain,
        initial_explicit_policy: true,
        initial_policy_set: ['1.2.3'],
        initial_policy_mapping_inhibit: true,
        initial_inhibit_any_policy: true,
      })
      expect(options).toMatchObject({
        userInitialPolicySet: ['1.2.3'],
        initialExplicitPolicy: true,
        initialPolicyMappingInhibit: true,
        initialAnyPolicyInhibit: true,
      })
      expect((await ask(plain)).options).toMatchObject({ initialExplicitPolicy: false })
    })

    test('ACL entries, whose place is in the match, beside it or nowhere', async () => {
      const digest = 'ab'.repeat(32)
      const { options } = await ask({
        ...plain,
        issuer_acl: [
          { effect: 'deny', match: { spki_sha256: digest, at: 'path' } },
          { effect: 'allow', at: 'anchor', match: { certificate_sha256: digest } },
          { effect: 'allow', match: { key_id: 'abcd' } },
          { effect: 'allow', match: { attributes: { CN: '*' } } },
        ],
      })
      expect(options?.issuerAcl?.entries).toMatchObject([
        { effect: 'deny', at: 'path', match: { spkiSha256: digest } },
        { effect: 'allow', at: 'anchor', match: { certificateSha256: digest } },
        { effect: 'allow', at: 'issuer', match: { keyId: 'abcd' } },
        { effect: 'allow', at: 'issuer', match: { attributes: { CN: '*' } } },
      ])
    })

    test('revocation is what the case says, by whatever it gives', async () => {
      const { options } = await ask({
        ...plain,
        revocation: 'require',
        crls: [toPem(list.der, 'X509 CRL')],
        ocsp: [encodeBase64(response.der)],
      })
      expect(options?.revocation).toMatchObject({
        mode: 'crl-or-ocsp',
        crls: { lists: [{}], unreadable: [] },
        ocspResponses: { responses: [{}], unreadable: [] },
      })
      const off = await ask({ ...plain, revocation: 'off', crls: [toPem(list.der, 'X509 CRL')] })
      expect(off.options?.revocation).toEqual({ mode: 'none' })
    })

    test('a local choice is marked', () => {
      const corpus = {
        testcases: [
          { ...base, ...plain, tags: ['local-choice'] },
          { ...base, id: 'b' },
        ],
      }
      const cases = suiteOf(corpus).read(corpus)
      expect(cases.map(({ localChoice }) => localChoice)).toEqual([true, false])
    })
  })
})

describe('pkits', () => {
  const certs = { root: der(root), ca: der(issuing), target: der(client) }
  const crls = { list: encodeBase64(list.der) }
  const ask = async (change: object, answer: unknown = accepted, name: DriverName = 'sync') => {
    const driver = new Recorder(name, answer)
    const one = {
      id: '4.8.1.1',
      number: '4.8.1',
      trust_anchor: 'root',
      intermediates: ['ca'],
      target: 'target',
      crl_signer_certs: ['root'],
      crls: ['list'],
      time: '2011-04-15T00:00:00Z',
      settings: {
        initial_explicit_policy: true,
        initial_policy_mapping_inhibit: false,
        initial_inhibit_any_policy: true,
        initial_policy_set: ['1.2.3'],
      },
      expected_nist: { valid: true, user_constrained_policy_set: null },
      features: [],
      ...change,
    }
    const outcome = await runFirst({ certs, crls, cases: [one] }, driver)
    return { outcome, options: driver.asked[0] }
  }

  test('settings are the inputs of RFC 5280 §6.1.1', async () => {
    const { options } = await ask({})
    expect(options).toMatchObject({
      purpose: 'any',
      userInitialPolicySet: ['1.2.3'],
      initialExplicitPolicy: true,
      initialPolicyMappingInhibit: false,
      initialAnyPolicyInhibit: true,
    })
    expect(options).not.toHaveProperty('algorithms')
  })

  test('every certificate below the anchor needs a status, by the lists and signers of the case', async () => {
    const { options } = await ask({})
    expect(options?.revocation).toMatchObject({ mode: 'crl', crls: { lists: [{}] } })
    expect(options?.intermediates).toHaveLength(2)
  })

  test('DSA and SHA-1 are allowed where the case is about DSA, and WebCrypto is not asked', async () => {
    expect((await ask({ features: ['dsa'] })).options?.algorithms).toEqual({
      dangerouslyAllowDsa: true,
      dangerouslyAllowSha1: true,
    })
    expect((await ask({ features: ['dsa'] }, accepted, 'async')).outcome.kind).toBe('skipped')
  })

  test('the policy set is compared as a set, where there is one and the path is valid', async () => {
    const expecting = (set: readonly string[], valid = true) => ({
      expected_nist: { valid, user_constrained_policy_set: set },
    })
    expect(agrees((await ask(expecting(['1.2.4', '1.2.3']))).outcome)).toBe(true)
    expect(agrees((await ask(expecting(['1.2.3']))).outcome)).toBe(false)
    expect(agrees((await ask(expecting([], false), refused)).outcome)).toBe(true)
    expect(agrees((await ask(expecting([], false))).outcome)).toBe(false)
  })
})

describe('verify-chain', () => {
  const certs = { root: der(root), ca: der(issuing), target: der(client) }
  const last = {
    trust: 'anchor',
    enforce_expiry: false,
    enforce_constraints: false,
    require_basic_constraints: false,
    require_self_signed_leaf: false,
  }
  const ask = async (change: object, lastCert: object = {}, answer: unknown = accepted) => {
    const driver = new Recorder('sync', answer)
    const one = {
      id: 'a',
      chain: ['target', 'ca', 'root'],
      last_cert: { ...last, ...lastCert },
      time: '2021-10-05T12:00:00Z',
      key_purpose: 'SERVER_AUTH',
      digest_policy: 'ALLOW_SHA_1',
      min_rsa_bits: 1024,
      expected: { valid: true },
      run_upstream: true,
      ...change,
    }
    const outcome = await runFirst({ certs, cases: [one] }, driver)
    const [options] = driver.asked
    return { outcome, options, trusts: options?.trustAnchors.anchors[0]?.certificate?.der }
  }

  test('an anchor of which nothing counts, weak algorithms', async () => {
    const { options, trusts } = await ask({})
    expect(options).toMatchObject({
      purpose: 'serverAuth',
      anchorChecks: { validity: false, constraints: false },
      pinnedTarget: 'refuse',
      algorithms: { dangerouslyAllowSha1: true, dangerouslyMinimumRsaBits: 1024 },
    })
    expect(trusts).toEqual(root.der)
  })

  test('what is enforced of the anchor', async () => {
    const enforced = await ask({}, { enforce_expiry: true, enforce_constraints: true })
    expect(enforced.options?.anchorChecks).toEqual({ validity: true, constraints: true })
    const alone = await ask({}, { require_basic_constraints: true })
    expect(alone.options?.anchorChecks).toEqual({ validity: false, constraints: false })
  })

  test.each([
    ['CLIENT_AUTH', 'clientAuth'],
    ['ANY_EKU', 'any'],
  ])('%s is purpose %s', async (key_purpose, purpose) => {
    expect((await ask({ key_purpose })).options?.purpose).toBe(purpose)
  })

  test('digest policy STRONG allows no SHA-1', async () => {
    const { options } = await ask({ digest_policy: 'STRONG' })
    expect(options?.algorithms).toMatchObject({ dangerouslyAllowSha1: false })
  })

  test.each([
    [{ key_purpose: 'SERVER_AUTH_STRICT' }],
    [{ key_purpose: 'C2PA_MANIFEST' }],
    [{ run_upstream: false }],
  ])('%o is skipped', async (change) => {
    expect((await ask(change)).outcome.kind).toBe('skipped')
  })

  test.each([
    ['leaf', {}, 'accept'],
    ['anchor-or-leaf', {}, 'accept'],
    ['leaf', { require_self_signed_leaf: true }, 'accept-self-signed'],
    ['anchor', {}, 'refuse'],
  ])('a target alone, trusted as %s with %o: pinning %s', async (trust, more, pinnedTarget) => {
    const { options, trusts } = await ask({ chain: ['target'] }, { trust, ...more })
    expect(options?.pinnedTarget).toBe(pinnedTarget)
    expect(trusts).toEqual(client.der)
  })

  test('a trusted leaf is no anchor, and what is unspecified is not trusted', async () => {
    for (const trust of ['leaf', 'unspecified']) {
      const { trusts, options } = await ask({}, { trust })
      expect(trusts).not.toEqual(root.der)
      expect(options?.pinnedTarget).toBe('refuse')
    }
  })

  test('what is distrusted is denied, although it is an anchor', async () => {
    const { options, trusts } = await ask({}, { trust: 'distrusted' })
    expect(trusts).toEqual(root.der)
    expect(options?.issuerAcl?.entries).toMatchObject([
      { effect: 'deny', at: 'path', match: { tbsSha256: tbsSha256(root) } },
      { effect: 'allow', at: 'anchor' },
    ])
  })

  test('the policy set is compared', async () => {
    const expecting = (set: readonly string[]) => ({
      expected: { valid: true, user_constrained_policy_set: set },
    })
    expect(agrees((await ask(expecting(['1.2.3', '1.2.4']))).outcome)).toBe(true)
    expect(agrees((await ask(expecting([]))).outcome)).toBe(false)
  })
})

describe('path-builder', () => {
  const certs = { root: der(root), ca: der(issuing), target: der(client) }
  const ask = async (change: object, ...answers: readonly unknown[]) => {
    const driver = new Recorder('sync', ...(answers.length > 0 ? answers : [accepted]))
    const one = {
      id: 'a',
      target: 'target',
      anchors: ['root'],
      intermediates: ['ca'],
      intermediates_later: [],
      distrusted: [],
      trust_unspecified: [],
      time: '2017-03-01T00:00:00Z',
      key_purpose: 'ANY_EKU',
      limits: {},
      explore_all: false,
      expected: { valid: true, best_path: ['target', 'ca', 'root'] },
      ...change,
    }
    return { outcome: await runFirst({ certs, cases: [one] }, driver), asked: driver.asked }
  }

  test('the path found is compared in the names of the suite', async () => {
    const { outcome, asked } = await ask({})
    expect(agrees(outcome)).toBe(true)
    expect(asked[0]).toMatchObject({ purpose: 'any' })
    expect(
      agrees((await ask({ expected: { valid: true, best_path: ['target', 'root'] } })).outcome),
    ).toBe(false)
  })

  test('a slower source is asked only if the first does not suffice, and then beside it', async () => {
    const later = { intermediates: [], trust_unspecified: ['root'], intermediates_later: ['ca'] }
    expect((await ask(later)).asked).toHaveLength(1)
    const { asked, outcome } = await ask(later, refused, accepted)
    expect(asked.map(({ intermediates }) => intermediates)).toEqual([
      [root.der],
      [root.der, issuing.der],
    ])
    expect(agrees(outcome)).toBe(true)
    expect((await ask({}, refused)).asked).toHaveLength(1)
  })

  test('limits', async () => {
    expect((await ask({ limits: { depth: 5, iterations: 7 } })).asked[0]).toMatchObject({
      maxIntermediates: 3,
      budget: { candidates: 7 },
    })
    const [none] = (await ask({ limits: { depth: 0, iterations: 0, valid_paths: 3 } })).asked
    expect(none).not.toHaveProperty('budget')
    expect(none).not.toHaveProperty('maxIntermediates')
  })

  test('distrusted certificates are denied CAs', async () => {
    const [options] = (await ask({ distrusted: ['ca'] })).asked
    expect(options?.issuerAcl?.entries).toMatchObject([
      { effect: 'deny', at: 'path', match: { tbsSha256: tbsSha256(issuing) } },
      { effect: 'allow', at: 'anchor', match: { certificate: der(root) } },
    ])
  })

  test('without anchors there is one that signed nothing', async () => {
    const [options] = (await ask({ anchors: [] })).asked
    expect(options?.trustAnchors.anchors).toHaveLength(1)
    expect(options?.trustAnchors.anchors[0]?.certificate?.der).not.toEqual(root.der)
  })

  test.each([[{ limits: { deadline: 'passed' } }], [{ options: { allow_precertificate: true } }]])(
    '%o is skipped',
    async (change) => {
      expect((await ask(change)).outcome.kind).toBe('skipped')
    },
  )
})

describe('name-constraints', () => {
  const dns = (text: string) => writeText(contextPrimitive(2), text)
  const constraints = {
    permitted: encodeBase64(writeSequence(writeElement(0xa0, writeSequence(dns('example.com'))))),
  }
  const sans = { inside: encodeBase64(writeSequence(dns('a.example.com'))) }
  const names = { empty: encodeBase64(writeSequence()) }
  const ask = (one: object): Promise<Outcome> => {
    const cases = [{ id: 'a', constraints: 'permitted', critical: null, ...one }]
    return runFirst({ constraints, names, sans, cases }, new Recorder('sync', undefined))
  }

  test.each([
    [{ op: 'parse', expected: true }],
    [{ op: 'parse', constraints_der: encodeBase64(writeText(tagIA5String, 'x')), expected: false }],
    [{ op: 'dns', name: 'a.example.com', expected: true }],
    [{ op: 'dns', name: 'example.net', expected: false }],
    [{ op: 'ip', name: 'c0a80001', expected: true }],
    [{ op: 'directory', name: 'empty', expected: true }],
    [{ op: 'cert', subject: null, san: 'inside', expected: true }],
    [{ op: 'cert', subject: 'empty', san: null, expected: true }],
    [{ op: 'constrained-types', types: ['dNSName'] }],
  ])('%o agrees', async (one) => {
    expect(agrees(await ask(one))).toBe(true)
  })

  test('other types than those constrained disagree', async () => {
    expect(agrees(await ask({ op: 'constrained-types', types: ['dNSName', 'iPAddress'] }))).toBe(
      false,
    )
  })

  test('what is not critical is skipped', async () => {
    expect((await ask({ op: 'parse', critical: false, expected: true })).kind).toBe('skipped')
  })
})

describe('signatures', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const spki = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  const message = Buffer.from('message')
  const drivers = makeDrivers()
  const corpus = (
    result: string,
    hash: 'SHA-1' | 'SHA-256',
    saltLength: number,
    context?: string,
  ) => ({
    groups: [
      {
        id: 'g',
        spki,
        oid: '1.2.840.113549.1.1.10',
        algorithm: 'rsa-pss',
        pss: { hash, mgf_hash: hash, salt_length: saltLength },
      },
    ],
    cases: [
      {
        id: 'a',
        group: 'g',
        msg: message.toString('base64'),
        sig: sign(hash, message, { key: privateKey, padding: 6, saltLength }).toString('base64'),
        result,
        ...(context === undefined ? {} : { context }),
      },
    ],
  })

  test.each([
    ['SHA-1', 20],
    ['SHA-256', 32],
  ] as const)(
    'parameters of RSA-PSS with %s and a salt of %i octets, no floors',
    async (hash, salt) => {
      for (const driver of Object.values(drivers)) {
        expect(agrees(await runFirst(corpus('valid', hash, salt), driver))).toBe(true)
        expect(agrees(await runFirst(corpus('invalid', hash, salt), driver))).toBe(false)
      }
    },
  )

  test('acceptable agrees either way; a context that X.509 has not must be refused', async () => {
    expect(agrees(await runFirst(corpus('acceptable', 'SHA-256', 32), drivers.sync))).toBe(true)
    expect(agrees(await runFirst(corpus('valid', 'SHA-256', 32, ''), drivers.sync))).toBe(true)
    expect(agrees(await runFirst(corpus('valid', 'SHA-256', 32, 'eA=='), drivers.sync))).toBe(false)
  })
})
