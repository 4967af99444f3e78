import { describe, expect, test } from 'vitest'
import { parseIntermediates } from '../../src/client/intermediates.ts'
import type { ValidateOptions } from '../../src/client/options.ts'
import { parseTrustAnchors } from '../../src/client/trust-anchors.ts'
import { writeElement, writeObjectIdentifier, writeSequence } from '../../src/der/writer.ts'
import { poolKey } from '../../src/testing/keys.ts'
import { encodeGeneralName, type GeneralNameInput } from '../../src/testing/names.ts'
import { type clientPlan, forgeCa, forgeClient, forgeRoot, type Signer } from '../property/forge.ts'
import { unsigned } from './attacks.ts'
import { type Work, work } from './work.ts'

const root = forgeRoot('CN=Root CA,O=Example', poolKey('P-256', 0))
const issuing = forgeCa(root, 'CN=Issuing CA,O=Example', poolKey('P-256', 1))
const trustAnchors = parseTrustAnchors(root.der)
const client = forgeClient(issuing)

function codeOf({ verdict }: Work): string {
  return verdict.ok ? 'accepted' : verdict.failure.code
}

function expectCheap(spent: Work): void {
  expect(spent.signatures).toBeLessThanOrEqual(100)
  expect(spent.milliseconds).toBeLessThanOrEqual(250)
  expect(spent.megabytes).toBeLessThanOrEqual(64)
}

/** Each attack twice: sent by the client, and known to the server. */
function bothWays(
  target: Uint8Array,
  cas: readonly Uint8Array[],
  options: ValidateOptions = { trustAnchors },
): readonly Work[] {
  return [
    work([target, ...cas.slice(0, 99)], options),
    work([target], { ...options, intermediates: parseIntermediates(cas) } as ValidateOptions),
  ]
}

describe('10,000 intermediates', () => {
  const lookAlike = unsigned(
    {
      basicConstraints: { cA: true },
      subject: issuing.name,
      issuer: 'CN=Nobody,O=Example',
      serialNumber: Uint8Array.of(0x7f, 0, 0, 1),
      subjectPublicKeyInfo: poolKey('P-256', 9).publicKey,
    },
    'P-256',
  )
  const unrelated = unsigned(
    {
      basicConstraints: { cA: true },
      subject: 'CN=Elsewhere,O=Example',
      issuer: 'CN=Nobody,O=Example',
      serialNumber: Uint8Array.of(0x7f, 0, 0, 1),
      subjectPublicKeyInfo: poolKey('P-256', 9).publicKey,
    },
    'P-256',
  )

  /** Copies that differ in the serial number and in the last octets of the signature. */
  function copies(der: Uint8Array): readonly Uint8Array[] {
    const at = der.findIndex((octet, i) => octet === 2 && der[i + 1] === 4 && der[i + 2] === 0x7f)
    return Array.from({ length: 10_000 }, (_, i) => {
      const copy = Uint8Array.from(der)
      copy.set([i >> 8, i & 0xff], at + 3)
      copy.set([i >> 8, i & 0xff], copy.length - 2)
      return copy
    })
  }
  const junk = () =>
    Array.from({ length: 10_000 }, (_, i) =>
      Uint8Array.from([0x30, 0x82, i >> 8, i & 0xff, ...client.subarray(4, 60)]),
    )

  test.each([
    ['with other names', () => copies(unrelated), 'accepted'],
    ['that are no certificates', junk, 'accepted'],
  ] as const)('%s do not hide the right one', (_, cas, code) => {
    const spent = work([client], {
      trustAnchors,
      intermediates: parseIntermediates([...cas(), issuing.der]),
    })
    expect(codeOf(spent)).toBe(code)
    expectCheap(spent)
  })

  test('with the name of the right one end with a verdict', () => {
    const known = parseIntermediates([...copies(lookAlike), issuing.der])
    const spent = work([client], { trustAnchors, intermediates: known })
    // The key identifier tells the right one.
    expect(codeOf(spent)).toBe('accepted')
    expectCheap(spent)
    const blind = forgeClient(issuing, { authorityKeyIdentifier: 'absent' })
    expectCheap(work([blind], { trustAnchors, intermediates: known }))
  })

  test.each([
    ['with other names', () => copies(unrelated)],
    ['with the name of the right one', () => copies(lookAlike)],
    ['that are no certificates', junk],
  ])('%s, read for this one call', (_, cas) => {
    expectCheap(work([client], { trustAnchors, intermediates: [...cas(), issuing.der] }))
  })
})

describe('name constraints: 2048 names under 2048 constraints', () => {
  const many = (make: (i: number) => GeneralNameInput) =>
    Array.from({ length: 2048 }, (_, i) => make(i))
  test.each([
    [
      'DNS names',
      (i: number) => ({ dns: `a${i}.example.com` }),
      (i: number) => ({ dns: `b${i}.example.com` }),
    ],
    [
      'mailboxes',
      (i: number) => ({ email: `a${i}@example.com` }),
      (i: number) => ({ email: `b${i}@example.com` }),
    ],
    [
      'URIs',
      (i: number) => ({ uri: `https://a${i}.example.com/` }),
      (i: number) => ({ uri: `b${i}.example.com` }),
    ],
    [
      'directory names',
      (i: number) => ({ directoryName: `CN=a${i},O=Example` }),
      (i: number) => ({ directoryName: `CN=b${i},O=Example` }),
    ],
    [
      'addresses',
      (i: number) => ({ ip: Uint8Array.of(10, 0, i >> 8, i & 0xff) }),
      (i: number) => ({ ip: Uint8Array.of(11, 0, i >> 8, i & 0xff, 255, 255, 255, 255) }),
    ],
  ] as const)('%s', (_, name, constraint) => {
    for (const list of ['permitted', 'excluded'] as const) {
      const constraints = many(constraint)
      const ca = forgeCa(root, 'CN=Other CA,O=Example', poolKey('P-256', 2), {
        nameConstraints: { [list]: constraints },
      })
      const target = forgeClient(ca, { subjectAltName: many(name) })
      for (const spent of bothWays(target, [ca.der])) {
        expect(codeOf(spent)).toMatch(/^(budget-exhausted|name-not-permitted)$/)
        expectCheap(spent)
      }
    }
  })
})

describe('policies', () => {
  const policy = (i: number) => `1.3.6.1.4.1.32473.7.${i}`

  test('20 CAs that map 100 policies to 100 policies each', () => {
    const policies = Array.from({ length: 100 }, (_, i) => policy(i))
    const mappings = policies.flatMap((from) =>
      policies.map((to): readonly [string, string] => [from, to]),
    )
    const cas: Signer[] = []
    for (let i = 0; i < 20; i++) {
      cas.unshift(
        forgeCa(cas[0] ?? root, `CN=Policy CA ${i}`, poolKey('P-256', 2 + i), {
          certificatePolicies: policies,
          policyMappings: mappings,
        }),
      )
    }
    const target = forgeClient(cas[0] as Signer, { certificatePolicies: policies })
    // 20 times 10,000 mappings are more than a client may send.
    const certificates = cas.map(({ der }) => der)
    const [sent, known] = bothWays(target, certificates) as [Work, Work]
    expect(codeOf(sent)).toBe('presented-too-large')
    expect(codeOf(known)).toBe('budget-exhausted')
    expectCheap(sent)
    expectCheap(known)
  })

  test('30 CAs that split each policy in two', () => {
    const cas: Signer[] = []
    for (let i = 0; i < 30; i++) {
      const policies = Array.from({ length: 60 }, (_, j) => policy(j))
      cas.unshift(
        forgeCa(cas[0] ?? root, `CN=Policy CA ${i}`, poolKey('P-256', 2 + i), {
          certificatePolicies: policies,
          policyMappings: policies.flatMap((from, j): (readonly [string, string])[] => [
            [from, policy((2 * j) % 60)],
            [from, policy((2 * j + 1) % 60)],
          ]),
        }),
      )
    }
    const target = forgeClient(cas[0] as Signer, { certificatePolicies: [policy(1)] })
    for (const spent of bothWays(
      target,
      cas.map(({ der }) => der),
      { trustAnchors, initialExplicitPolicy: true },
    )) {
      expect(codeOf(spent)).toMatch(/^(accepted|budget-exhausted)$/)
      expectCheap(spent)
    }
  })
})

describe('certificates of nearly 1 MB', () => {
  const size = 1_000_000
  const names = (length: number, name: (i: number) => GeneralNameInput) =>
    Array.from({ length }, (_, i) => name(i))
  const nested = (depth: number) => {
    let der: Uint8Array = writeSequence()
    const layers: number[] = []
    for (let i = 0; i < depth; i++) layers.push(i)
    for (const _ of layers) der = writeSequence(der)
    return der
  }
  const oidOf = (i: number) => `1.3.6.1.4.1.32473.${i}`

  /** One extension whose value is a SEQUENCE of many elements. */
  const listing = (id: string, elements: readonly Uint8Array[]) => ({
    rawExtensions: [{ oid: id, value: writeElement(0x30, Buffer.concat(elements)) }],
  })
  const many = (count: number, make: (i: number) => Uint8Array) =>
    Array.from({ length: count }, (_, i) => make(i))

  const bombs: readonly (readonly [string, () => Parameters<typeof clientPlan>[1]])[] = [
    [
      '60,000 DNS names',
      () =>
        listing(
          '2.5.29.17',
          many(60_000, (i) => encodeGeneralName({ dns: `a${i}.example` })),
        ),
    ],
    [
      '160,000 addresses',
      () =>
        listing(
          '2.5.29.17',
          many(160_000, () => encodeGeneralName({ ip: '10.0.0.1' })),
        ),
    ],
    [
      '25,000 directory names',
      () => ({ subjectAltName: names(25_000, (i) => ({ directoryName: `CN=c${i},C=DE` })) }),
    ],
    [
      '40,000 extensions',
      () => ({
        rawExtensions: Array.from({ length: 40_000 }, (_, i) => ({
          oid: oidOf(i),
          value: Uint8Array.of(5, 0),
        })),
      }),
    ],
    [
      '60,000 policies',
      () =>
        listing(
          '2.5.29.32',
          many(60_000, (i) => writeSequence(writeObjectIdentifier(oidOf(i)))),
        ),
    ],
    [
      '60,000 key purposes',
      () => ({
        extendedKeyUsage: 'absent',
        ...listing(
          '2.5.29.37',
          many(60_000, (i) => writeObjectIdentifier(oidOf(i))),
        ),
      }),
    ],
    [
      'a subject of 20,000 attributes',
      () => ({
        subject: Array.from({ length: 20_000 }, (_, i) => ({
          type: oidOf(i),
          value: `v${i}`,
        })),
      }),
    ],
    [
      'an unknown extension, nested 2,000 deep',
      () => ({ rawExtensions: [{ oid: oidOf(1), value: nested(2_000) }] }),
    ],
    [
      'an other name, nested 2,000 deep',
      () => ({ subjectAltName: [{ otherName: { typeId: oidOf(1), value: nested(2_000) } }] }),
    ],
    [
      'an unknown extension of one string',
      () => ({
        rawExtensions: [{ oid: oidOf(1), value: writeElement(4, new Uint8Array(size)) }],
      }),
    ],
    ['a serial number of a million octets', () => ({ serialNumber: new Uint8Array(size).fill(1) })],
    [
      'a subject of one long string',
      () => ({ subject: [{ type: 'CN', value: 'ä'.repeat(size / 2) }] }),
    ],
  ]

  test.each(bombs)('%s', (_, make) => {
    const options = make()
    const target = forgeClient(issuing, options)
    expect(target.length).toBeLessThan(1_048_576)
    for (const profile of ['interoperable', 'rfc5280'] as const) {
      expectCheap(
        work([target, ...(target.length > 1_040_000 ? [] : [issuing.der])], {
          trustAnchors,
          profile,
        }),
      )
    }
    const ca = forgeCa(root, 'CN=Large CA,O=Example', poolKey('P-256', 2), options)
    for (const spent of bothWays(forgeClient({ ...ca, name: options?.subject ?? ca.name }), [
      ca.der,
    ]))
      expectCheap(spent)
    // And as a certificate that is on no path.
    expectCheap(work([client, ca.der], { trustAnchors, intermediates: issuing.der }))
  })
})

describe('many certificates', () => {
  test('100 presented, of which one helps', () => {
    const others = Array.from(
      { length: 98 },
      (_, i) => forgeCa(root, `CN=CA ${i}`, poolKey('P-256', 2 + (i % 60))).der,
    )
    const spent = work([client, ...others, issuing.der], { trustAnchors })
    expect(codeOf(spent)).toBe('accepted')
    expectCheap(spent)
  })

  test('a chain of 99 CAs, each under the next', () => {
    const cas: Signer[] = []
    for (let i = 0; i < 99; i++) {
      cas.unshift(forgeCa(cas[0] ?? root, `CN=CA ${i}`, poolKey('P-256', 2 + (i % 60))))
    }
    const target = forgeClient(cas[0] as Signer)
    for (const maxIntermediates of [32, 100]) {
      for (const spent of bothWays(
        target,
        cas.map(({ der }) => der),
        { trustAnchors, maxIntermediates },
      )) {
        expect(codeOf(spent)).toBe(maxIntermediates === 32 ? 'path-too-long' : 'accepted')
        expectCheap(spent)
      }
    }
  })

  test('a chain of 99 self-issued CAs, which no path length counts', () => {
    const name = 'CN=Same,O=Example'
    const cas: Signer[] = []
    for (let i = 0; i < 60; i++) {
      cas.unshift(forgeCa(cas[0] ?? root, name, poolKey('P-256', 2 + i)))
    }
    for (const spent of bothWays(
      forgeClient(cas[0] as Signer),
      cas.map(({ der }) => der),
    )) {
      expect(codeOf(spent)).toBe('accepted')
      expectCheap(spent)
    }
  })
})
