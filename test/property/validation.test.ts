import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { issuerAclFromJson, parseClientAcl, parseIssuerAcl } from '../../src/acl/index.ts'
import { prepareOptions, type ValidateOptions } from '../../src/client/options.ts'
import { validateSteps } from '../../src/client/validate.ts'
import type { Verdict } from '../../src/client/verdict.ts'
import { runAsync } from '../../src/effect/effect.ts'
import { webHandlers } from '../../src/runtime/web.ts'
import {
  createClientCertificateValidatorSync,
  parseCertificate,
  parseTrustAnchors,
  type ValidateOptionsSync,
  validateClientCertificateSync,
} from '../../src/sync.ts'
import { poolKey, testTime, toPem } from '../../src/testing/index.ts'
import { readCertificateInput } from '../../src/x509/input.ts'
import { forgeCa, forgeClient, forgeRoot, type Plan, type Signer } from './forge.ts'

const time = new Date(testTime * 1000)

/** What may be odd about one certificate: most of it is refused. */
const oddity: fc.Arbitrary<Partial<Plan>> = fc.oneof(
  { weight: 6, arbitrary: fc.constant({}) },
  fc.constantFrom<Partial<Plan>>(
    { notAfter: testTime - 1 },
    { notBefore: testTime + 1 },
    { authorityKeyIdentifier: 'absent' },
    { subjectKeyIdentifier: 'absent' },
    { basicConstraints: { cA: true, pathLenConstraint: 0 } },
    { basicConstraints: 'absent' },
    { keyUsage: ['digitalSignature'] },
    { keyUsage: 'absent' },
    { extendedKeyUsage: ['serverAuth'] },
    { extendedKeyUsage: ['clientAuth', 'serverAuth'] },
    { serialNumber: 0 },
    { nameConstraints: { permitted: [{ dns: 'example.com' }] } },
    { nameConstraints: { excluded: [{ dns: 'example.com' }] } },
    { subjectAltName: [{ dns: 'a.example.com' }] },
    { certificatePolicies: ['1.2.3'] },
    { policyConstraints: { requireExplicitPolicy: 0 } },
    { inhibitAnyPolicy: 0 },
    { rawExtensions: [{ oid: '1.2.3.4', critical: true, value: Uint8Array.of(5, 0) }] },
  ),
)

interface Generated {
  readonly root: Signer
  readonly client: Uint8Array
  /** From the root's side. */
  readonly intermediates: readonly Uint8Array[]
  /** Of CAs that are not on the path, some of them with a name that is. */
  readonly unrelated: readonly Uint8Array[]
}

const pki: fc.Arbitrary<Generated> = fc
  .record({
    depth: fc.integer({ min: 0, max: 4 }),
    odd: fc.array(oddity, { minLength: 6, maxLength: 6 }),
    crossed: fc.boolean(),
  })
  .map(({ depth, odd, crossed }) => {
    const root = forgeRoot('CN=Root,O=Example', poolKey('P-256', 0), odd[5])
    const cas: Signer[] = []
    for (let i = 0; i < depth; i++) {
      cas.push(forgeCa(cas.at(-1) ?? root, `CN=CA ${i},O=Example`, poolKey('P-256', 1 + i), odd[i]))
    }
    const client = forgeClient(cas.at(-1) ?? root, {
      ...odd[4],
      ...(odd[4]?.basicConstraints ? { basicConstraints: 'absent' } : {}),
    })
    const other = forgeRoot('CN=Other Root,O=Example', poolKey('P-256', 20))
    const unrelated = [
      other.der,
      forgeCa(other, 'CN=CA 0,O=Example', poolKey('P-256', 21)).der,
      forgeCa(other, 'CN=Elsewhere,O=Example', poolKey('P-256', 22)).der,
      forgeRoot('CN=CA 1,O=Example', poolKey('P-256', 23)).der,
    ]
    const bridge = cas[0] && crossed ? [forgeCa(other, cas[0].name, cas[0].key).der] : []
    return {
      root,
      client,
      intermediates: cas.map(({ der }) => der),
      unrelated: [...unrelated, ...bridge],
    }
  })

/** `accepted` with the path, or the code. */
function summary(verdict: Verdict): string {
  if (!verdict.ok) return verdict.failure.code
  if (!verdict.verified) return 'not verified'
  return `accepted ${verdict.path.map(({ der }) => Buffer.from(der).toString('base64')).join(' ')}`
}

function judge(
  { root, client, intermediates }: Generated,
  options: Partial<ValidateOptions> = {},
  sent: readonly Uint8Array[] = intermediates,
): string {
  const trustAnchors = parseTrustAnchors(root.der)
  const all = { trustAnchors, time, ...options } as ValidateOptionsSync
  return summary(validateClientCertificateSync([client, ...sent], all))
}

const isAccepted = (text: string) => text.startsWith('accepted')

describe('over generated hierarchies', () => {
  test('both outcomes occur, or the rest shows nothing', () => {
    const outcomes = new Set(fc.sample(pki, 100).map((one) => judge(one).split(' ')[0]))
    expect(outcomes).toContain('accepted')
    expect(outcomes.size).toBeGreaterThan(4)
  })

  test('sync over node:crypto, async over WebCrypto and a validator that is asked twice agree', async () => {
    const web = webHandlers()
    await fc.assert(
      fc.asyncProperty(pki, async (one) => {
        const options = { trustAnchors: parseTrustAnchors(one.root.der) }
        const presented = [one.client, ...one.intermediates]
        const verdict = judge(one)
        const steps = validateSteps(presented, prepareOptions(options), testTime)
        expect(summary(await runAsync(steps, web))).toBe(verdict)
        const validator = createClientCertificateValidatorSync(options)
        for (let turn = 0; turn < 2; turn++) {
          expect(summary(validator.validate(presented, { time }))).toBe(verdict)
        }
      }),
    )
  })

  test('PEM, DER, base64 and parsed certificates get one verdict', () => {
    fc.assert(
      fc.property(pki, (one) => {
        const presented = [one.client, ...one.intermediates]
        const options = { trustAnchors: parseTrustAnchors(one.root.der), time }
        const verdict = judge(one)
        const pem = presented.map((der) => toPem(der, 'CERTIFICATE')).join('')
        const parsed = presented.map((der) => {
          const read = parseCertificate(der)
          if (!read.ok) throw new Error(read.failure.code)
          return read.value
        })
        const base64 = presented.map((der) => Buffer.from(der).toString('base64'))
        for (const form of [pem, Buffer.from(pem), parsed, base64]) {
          expect(summary(validateClientCertificateSync(form, options))).toBe(verdict)
        }
      }),
    )
  })

  test('the order of intermediates, and who gives them, never changes whether a client is accepted', () => {
    fc.assert(
      fc.property(
        pki.chain((one) =>
          fc.tuple(
            fc.constant(one),
            fc.shuffledSubarray([...one.intermediates], { minLength: one.intermediates.length }),
          ),
        ),
        ([one, shuffled]) => {
          const verdict = judge(one)
          expect(judge(one, {}, shuffled)).toBe(verdict)
          expect(judge(one, { intermediates: shuffled }, [])).toBe(verdict)
        },
      ),
    )
  })

  test('adding unrelated intermediates never changes whether a client is accepted, nor its path', () => {
    fc.assert(
      fc.property(
        pki.chain((one) =>
          fc.tuple(
            fc.constant(one),
            fc.shuffledSubarray([...one.unrelated, ...one.intermediates], {
              minLength: one.unrelated.length + one.intermediates.length,
            }),
          ),
        ),
        ([one, all]) => {
          const verdict = judge(one)
          const other = judge(one, {}, all)
          if (isAccepted(verdict)) expect(other).toBe(verdict)
          else expect(isAccepted(other)).toBe(false)
        },
      ),
    )
  })

  test('without the anchor a client is always refused', () => {
    const stranger = forgeRoot('CN=Stranger,O=Example', poolKey('P-256', 40))
    const namesake = forgeRoot('CN=Root,O=Example', poolKey('P-256', 41))
    fc.assert(
      fc.property(pki, (one) => {
        for (const anchor of [stranger, namesake]) {
          const trustAnchors = parseTrustAnchors(anchor.der)
          expect(
            isAccepted(judge(one, { trustAnchors }, [...one.intermediates, one.root.der])),
          ).toBe(false)
        }
      }),
    )
  })

  test('without one of its intermediates a client is always refused', () => {
    fc.assert(
      fc.property(pki, fc.nat(), (one, at) => {
        fc.pre(one.intermediates.length > 0)
        const left = one.intermediates.filter((_, i) => i !== at % one.intermediates.length)
        expect(isAccepted(judge(one, {}, left))).toBe(false)
      }),
    )
  })

  test('once expired, always expired; and a verdict holds from validFrom to validUntil', () => {
    fc.assert(
      fc.property(pki, fc.integer({ min: 1, max: 4_000_000_000 }), (one, later) => {
        const options = { trustAnchors: parseTrustAnchors(one.root.der), time }
        const presented = [one.client, ...one.intermediates]
        const verdict = validateClientCertificateSync(presented, options)
        if (!verdict.ok || !verdict.verified) return
        const at = (seconds: number) => judge(one, { time: new Date(seconds * 1000) })
        const from = verdict.validFrom.getTime() / 1000
        const until = verdict.validUntil.getTime() / 1000
        expect(at(from)).toBe(summary(verdict))
        expect(at(until)).toBe(summary(verdict))
        expect(at(until + later)).toBe('certificate-expired')
        expect(at(from - 1 - (later % from))).toBe('certificate-not-yet-valid')
      }),
    )
  })

  test.each<readonly [string, Partial<ValidateOptions>]>([
    ['profile rfc5280', { profile: 'rfc5280' }],
    ['fewer intermediates', { maxIntermediates: 1 }],
    ['an explicit policy', { initialExplicitPolicy: true }],
    ['one policy', { initialExplicitPolicy: true, userInitialPolicySet: ['1.2.3'] }],
    ['no policy mapping', { initialPolicyMappingInhibit: true }],
    ['no anyPolicy', { initialAnyPolicyInhibit: true }],
    ['a smaller budget', { budget: { signatures: 2 } }],
    ['no budget', { budget: { signatures: 0 } }],
    ['few candidates', { budget: { candidates: 1 } }],
    [
      'an ACL',
      {
        issuerAcl: issuerAclFromJson([
          { effect: 'allow', match: { dn: 'CN=CA 0,O=Example' }, at: 'issuer' },
        ]),
      },
    ],
    ['an empty ACL', { issuerAcl: issuerAclFromJson([]) }],
  ])('what is refused is not accepted with %s', (_, tighter) => {
    fc.assert(
      fc.property(pki, (one) => {
        const usual = judge(one)
        const tight = judge(one, tighter)
        if (isAccepted(tight)) expect(tight).toBe(usual)
      }),
    )
  })

  test('what is accepted stays accepted with a looser option', () => {
    const looser: readonly Partial<ValidateOptions>[] = [
      { clockTolerance: 1 },
      { purpose: 'any' },
      { anchorChecks: { validity: false, constraints: false } },
      { acceptedPurposes: ['clientAuth', 'serverAuth'] },
    ]
    fc.assert(
      fc.property(pki, fc.constantFrom(...looser), (one, loose) => {
        if (isAccepted(judge(one))) expect(isAccepted(judge(one, loose))).toBe(true)
      }),
    )
  })
})

describe('no input throws', () => {
  const root = forgeRoot('CN=Root,O=Example', poolKey('P-256', 0))
  const options = { trustAnchors: parseTrustAnchors(root.der), time }
  const client = forgeClient(root)
  let pem = ''
  beforeAll(() => {
    pem = toPem(client, 'CERTIFICATE')
  })

  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc.uint8Array({ maxLength: 400 }).map((tail) => Uint8Array.of(0x30, ...tail)),
    fc
      .tuple(fc.nat(client.length), fc.uint8Array({ maxLength: 8 }), fc.nat(8))
      .map(([at, put, cut]) =>
        Buffer.concat([client.subarray(0, at), put, client.subarray(at + cut)]),
      ),
  )
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .tuple(fc.nat(700), fc.string({ maxLength: 8 }), fc.nat(40))
      .map(([at, put, cut]) => pem.slice(0, at) + put + pem.slice(at + cut)),
    fc
      .array(
        fc.constantFrom(
          '-----BEGIN CERTIFICATE-----\n',
          '-----END CERTIFICATE-----\n',
          'MIIB',
          'AA==\n',
          '\r\n',
          '-----',
        ),
      )
      .map((parts) => parts.join('')),
  )

  test('bytes', () => {
    fc.assert(
      fc.property(bytes, bytes, (one, other) => {
        parseCertificate(one)
        readCertificateInput(one)
        const verdict = validateClientCertificateSync([one, other, client], options)
        // Accepted is only what was signed, whatever was sent along.
        if (verdict.ok) expect(Buffer.compare(one.subarray(0, client.length), client)).toBe(0)
      }),
      { numRuns: 1_000 },
    )
  })

  test('text', () => {
    fc.assert(
      fc.property(text, (one) => {
        readCertificateInput(one)
        validateClientCertificateSync(one, options)
      }),
      { numRuns: 1_000 },
    )
  })

  test('things that are neither, in a program without types', () => {
    fc.assert(
      fc.property(fc.anything(), (thing) => {
        const verdict = validateClientCertificateSync(thing as string, options)
        expect(verdict.ok).toBe(false)
      }),
    )
  })

  test('an ACL text throws nothing but a TypeError with a code', () => {
    const word = fc.constantFrom(
      'allow',
      'deny',
      'dn',
      'spki',
      '"CN=a"',
      'at',
      'issuer',
      '=',
      ';',
      '\n',
      '\u0000',
      '\ud800',
    )
    const acl = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(word).map((words) => words.join(' ')),
    )
    fc.assert(
      fc.property(acl, (one) => {
        for (const parse of [parseIssuerAcl, parseClientAcl]) {
          try {
            parse(one)
          } catch (error) {
            expect(error).toMatchObject({ name: 'TypeError', code: expect.stringMatching(/^acl-/) })
          }
        }
      }),
    )
  })
})
