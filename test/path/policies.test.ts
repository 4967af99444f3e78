import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  anyPolicy,
  finishPolicies,
  type PolicyBudget,
  type PolicyFailure,
  type PolicyInputs,
  type PolicyOutcome,
  preparePolicies,
  processAnchorPolicies,
  processPolicies,
  startPolicies,
} from '../../src/path/policies.ts'
import type { Certificate } from '../../src/x509/certificate.ts'
import type { PolicyMapping } from '../../src/x509/extensions.ts'
import { certificateOf } from './certificate-of.ts'

/** What the policy rules see of one certificate. `mappings`: issuer's policy, subject's policy. */
interface Spec {
  readonly policies?: readonly string[]
  readonly critical?: boolean
  readonly qualifier?: string
  readonly mappings?: readonly (readonly [string, string])[]
  readonly requireExplicitPolicy?: number
  readonly inhibitPolicyMapping?: number
  readonly inhibitAnyPolicy?: number
  readonly selfIssued?: boolean
}

type Verdict = PolicyOutcome | PolicyFailure

const p1 = '1.3.6.1.4.1.55555.1.1'
const p2 = '1.3.6.1.4.1.55555.1.2'
const p3 = '1.3.6.1.4.1.55555.1.3'
const explicit: PolicyInputs = { initialExplicitPolicy: true }

describe('a policy has to be in every certificate, RFC 5280 §6.1.3 (d)(1)', () => {
  test('one that is, is valid for caller and issuer', () => {
    expect(judge([{ policies: [p1, p2] }, { policies: [p2, p3] }], explicit)).toEqual({
      explicitPolicy: true,
      authorityConstrainedPolicySet: [p2],
      userConstrainedPolicySet: [p2],
    })
  })
  test.each<[string, Spec[], number]>([
    ['none in the CA', [{}, { policies: [p1] }], 1],
    ['none in the target', [{ policies: [p1] }, {}], 0],
    ['another in the target', [{ policies: [p1] }, { policies: [p2] }], 0],
    ['gone, then listed again', [{ policies: [p1] }, { policies: [p2] }, { policies: [p1] }], 1],
  ])('%s: a required policy is missing', (_, path, index) => {
    expect(judge(path, explicit)).toEqual({ code: 'policy-required', index })
  })
  test('without policies and without a requirement there is nothing to say', () => {
    expect(judge([{}, {}])).toEqual({
      explicitPolicy: false,
      authorityConstrainedPolicySet: [],
      userConstrainedPolicySet: [],
    })
  })
  test('policies that disagree are no failure while none is required', () => {
    expect(judge([{ policies: [p1] }, { policies: [p2] }])).toMatchObject({
      explicitPolicy: false,
      userConstrainedPolicySet: [],
    })
  })
})

describe('anyPolicy, RFC 5280 §6.1.3 (d)(2)', () => {
  test.each<[string, Spec[], PolicyInputs, string[]]>([
    ['in the CA covers the target', [{ policies: [anyPolicy] }, { policies: [p1] }], {}, [p1]],
    ['in the target takes what is left', [{ policies: [p1] }, { policies: [anyPolicy] }], {}, [p1]],
    [
      'all the way stays any',
      [{ policies: [anyPolicy] }, { policies: [anyPolicy] }],
      {},
      [anyPolicy],
    ],
    [
      'beside a listed policy adds no second node',
      [{ policies: [p1, p2] }, { policies: [p1, anyPolicy] }],
      {},
      [p1, p2],
    ],
    [
      'inhibited after one more certificate',
      [{ policies: [p1], inhibitAnyPolicy: 1 }, { policies: [anyPolicy] }, { policies: [p1] }],
      {},
      [p1],
    ],
    [
      'counts in a self-issued CA even when inhibited',
      [
        { policies: [p1], inhibitAnyPolicy: 0 },
        { policies: [anyPolicy], selfIssued: true },
        { policies: [p1] },
      ],
      {},
      [p1],
    ],
    [
      'is not used up by a self-issued CA',
      [
        { policies: [p1], inhibitAnyPolicy: 1 },
        { policies: [p1], selfIssued: true },
        { policies: [anyPolicy] },
        { policies: [p1] },
      ],
      {},
      [p1],
    ],
  ])('%s', (_, path, inputs, expected) => {
    expect(judge(path, { ...explicit, ...inputs })).toMatchObject({
      userConstrainedPolicySet: expected,
    })
  })
  test.each<[string, Spec[], PolicyInputs]>([
    [
      'by the caller',
      [{ policies: [p1] }, { policies: [anyPolicy] }],
      { initialAnyPolicyInhibit: true },
    ],
    ['by the CA', [{ policies: [p1], inhibitAnyPolicy: 0 }, { policies: [anyPolicy] }], {}],
    [
      'by a CA further up',
      [{ policies: [p1], inhibitAnyPolicy: 1 }, { policies: [p1] }, { policies: [anyPolicy] }],
      {},
    ],
    [
      'and no CA below raises it again',
      [
        { policies: [p1], inhibitAnyPolicy: 0 },
        { policies: [p1], inhibitAnyPolicy: 5 },
        { policies: [anyPolicy] },
      ],
      {},
    ],
    [
      'in a self-issued target, which is the last',
      [
        { policies: [p1], inhibitAnyPolicy: 0 },
        { policies: [anyPolicy], selfIssued: true },
      ],
      {},
    ],
  ])('inhibited %s', (_, path, inputs) => {
    expect(judge(path, { ...explicit, ...inputs })).toEqual({ code: 'policy-required', index: 0 })
  })
})

describe('policy mappings, RFC 5280 §6.1.4 (a), (b)', () => {
  const oneToTwo: Spec = { policies: [p1], mappings: [[p1, p2]] }
  test('the result is in the terms of the anchor', () => {
    expect(judge([oneToTwo, { policies: [p2] }], explicit)).toMatchObject({
      authorityConstrainedPolicySet: [p1],
    })
    expect(
      judge([oneToTwo, { policies: [p2] }], { ...explicit, userInitialPolicySet: [p2] }),
    ).toEqual({ code: 'policy-required', index: 0 })
  })
  test('the mapped policy itself is not expected any more', () => {
    expect(judge([oneToTwo, { policies: [p1] }], explicit)).toMatchObject({
      code: 'policy-required',
    })
  })
  test.each([p2, p3])('one policy mapped to two is met by %s', (policy) => {
    const path: Spec[] = [
      {
        policies: [p1],
        mappings: [
          [p1, p2],
          [p1, p3],
          [p1, p3],
        ],
      },
      { policies: [policy] },
    ]
    expect(judge(path, explicit)).toMatchObject({ userConstrainedPolicySet: [p1] })
  })
  test('two policies mapped to one are both met', () => {
    const path: Spec[] = [
      {
        policies: [p1, p2],
        mappings: [
          [p1, p3],
          [p2, p3],
        ],
      },
      { policies: [p3] },
    ]
    expect(judge(path, explicit)).toMatchObject({ userConstrainedPolicySet: [p1, p2] })
  })
  test('under anyPolicy, a mapping brings its own policy', () => {
    const path: Spec[] = [{ policies: [anyPolicy], mappings: [[p1, p2]] }, { policies: [p2] }]
    expect(judge(path, explicit)).toMatchObject({ userConstrainedPolicySet: [p1] })
  })
  test('a mapping of a policy that is not valid changes nothing', () => {
    const path: Spec[] = [{ policies: [p1], mappings: [[p2, p3]] }, { policies: [p1, p3] }]
    expect(judge(path, explicit)).toMatchObject({ userConstrainedPolicySet: [p1] })
  })
  test('a mapping after the last valid policy changes nothing', () => {
    expect(judge([{}, oneToTwo, { policies: [p2] }])).toMatchObject({
      userConstrainedPolicySet: [],
    })
  })
  test.each<[string, Spec[], PolicyInputs]>([
    ['by the caller', [oneToTwo, { policies: [p1, p2] }], { initialPolicyMappingInhibit: true }],
    [
      'by a CA above',
      [{ policies: [p1], inhibitPolicyMapping: 0 }, oneToTwo, { policies: [p1, p2] }],
      {},
    ],
  ])('inhibited %s, a mapped policy is dropped', (_, path, inputs) => {
    expect(judge(path, { ...explicit, ...inputs })).toEqual({ code: 'policy-required', index: 0 })
  })
  test('inhibited after one more certificate, the first mapping counts', () => {
    const path: Spec[] = [{ policies: [p1], inhibitPolicyMapping: 1 }, oneToTwo, { policies: [p2] }]
    expect(judge(path, explicit)).toMatchObject({ userConstrainedPolicySet: [p1] })
  })
  test.each([
    [anyPolicy, p1],
    [p1, anyPolicy],
  ])('from %s to %s is refused, RFC 5280 §6.1.4 (a)', (issuerDomainPolicy, subjectDomainPolicy) => {
    const path: Spec[] = [{ mappings: [[issuerDomainPolicy, subjectDomainPolicy]] }, {}]
    expect(judge(path)).toEqual({
      code: 'policy-mapping-any',
      index: 1,
      issuerDomainPolicy,
      subjectDomainPolicy,
    })
  })
})

describe('policy constraints, RFC 5280 §4.2.1.11', () => {
  const required = (count: number, below: Spec[]): Spec[] => [
    { requireExplicitPolicy: count },
    ...below,
  ]
  test.each<[string, Spec[], string | undefined]>([
    ['0 asks at once', required(0, [{}]), 'policy-required'],
    ['1 asks of the target below', required(1, [{}]), 'policy-required'],
    ['2 does not reach the target below', required(2, [{}]), undefined],
    ['2 reaches the second below', required(2, [{}, {}]), 'policy-required'],
    ['a self-issued CA is not counted', required(2, [{ selfIssued: true }, {}]), undefined],
    [
      'the smaller one holds',
      [{ requireExplicitPolicy: 1 }, { requireExplicitPolicy: 9 }, {}],
      'policy-required',
    ],
    ['0 in the target, RFC 5280 §6.1.5 (b)', [{}, { requireExplicitPolicy: 0 }], 'policy-required'],
    ['1 in the target is nothing', [{}, { requireExplicitPolicy: 1 }], undefined],
    ['other constraints require nothing', [{ inhibitPolicyMapping: 0 }, {}], undefined],
  ])('requireExplicitPolicy: %s', (_, path, code) => {
    expect(codeOf(judge(path))).toBe(code)
  })
})

describe('the set that the caller accepts, RFC 5280 §6.1.5 (g)', () => {
  const path: Spec[] = [{ policies: [p1, p2] }, { policies: [p1, p2] }]
  test('narrows the result', () => {
    expect(judge(path, { ...explicit, userInitialPolicySet: [p2, p3] })).toEqual({
      explicitPolicy: true,
      authorityConstrainedPolicySet: [p1, p2],
      userConstrainedPolicySet: [p2],
    })
  })
  test('refuses when nothing is left and a policy is required', () => {
    expect(judge(path, { ...explicit, userInitialPolicySet: [p3] })).toEqual({
      code: 'policy-required',
      index: 0,
    })
    expect(judge(path, { userInitialPolicySet: [p3] })).toMatchObject({
      userConstrainedPolicySet: [],
    })
    expect(judge(path, { ...explicit, userInitialPolicySet: [] })).toMatchObject({
      code: 'policy-required',
    })
  })
  test('is met in full by anyPolicy', () => {
    const any: Spec[] = [{ policies: [anyPolicy] }, { policies: [anyPolicy, p1] }]
    expect(judge(any, { ...explicit, userInitialPolicySet: [p1, p3] })).toMatchObject({
      userConstrainedPolicySet: [p1, p3],
    })
  })
  test('that names anyPolicy among others accepts any', () => {
    expect(judge(path, { ...explicit, userInitialPolicySet: [p3, anyPolicy] })).toMatchObject({
      userConstrainedPolicySet: [p1, p2],
    })
  })
})

describe('the extension itself, RFC 5280 §4.2.1.4', () => {
  test('a policy listed twice is refused, needed or not', () => {
    expect(judge([{}, { policies: [p1, p2, p1] }])).toEqual({
      code: 'policy-duplicate',
      index: 0,
      policy: p1,
    })
  })
  test('an unknown qualifier is refused where the extension is critical', () => {
    const policies = [p1]
    const qualifier = '1.2.3.4'
    expect(judge([{ policies, qualifier, critical: true }, {}])).toEqual({
      code: 'policy-qualifier-unknown',
      index: 1,
      policy: p1,
      qualifier,
    })
    expect(judge([{ policies, qualifier }, { policies }], explicit)).toMatchObject({
      explicitPolicy: true,
    })
  })
  test.each(['1.3.6.1.5.5.7.2.1', '1.3.6.1.5.5.7.2.2'])(
    'the qualifier %s is known',
    (qualifier) => {
      expect(judge([{ policies: [p1], qualifier, critical: true }])).toMatchObject({
        explicitPolicy: false,
      })
    },
  )
})

describe('a trust anchor as the first certificate', () => {
  const below: Spec[] = [{ policies: [p1] }, { policies: [p1] }]
  test('without policies it leaves all of them open', () => {
    expect(judge(below, explicit, {})).toMatchObject({ userConstrainedPolicySet: [p1] })
  })
  test.each<[string, Spec]>([
    ['policies', { policies: [p2] }],
    [
      'inhibited mapping of what it maps',
      { policies: [p1], mappings: [[p1, p2]], inhibitPolicyMapping: 0 },
    ],
    ['mapping', { policies: [p1], mappings: [[p1, p2]] }],
    ['mapping without policies', { mappings: [[p1, p2]] }],
  ])('its %s bind', (_, anchor) => {
    const path: Spec[] = anchor.policies ? below : [{ policies: [p2] }, { policies: [p2] }]
    const inputs = { ...explicit, userInitialPolicySet: anchor.policies ? [p1] : [p3] }
    expect(judge(path, inputs, anchor)).toMatchObject({ code: 'policy-required' })
  })
  test('its mapping without policies maps from what it leaves open', () => {
    expect(
      judge(
        [{ policies: [p2] }],
        { ...explicit, userInitialPolicySet: [p1] },
        { mappings: [[p1, p2]] },
      ),
    ).toMatchObject({
      userConstrainedPolicySet: [p1],
    })
  })
  test('its faults are at its position', () => {
    expect(judge(below, {}, { policies: [p1, p1] })).toMatchObject({
      code: 'policy-duplicate',
      index: 2,
    })
  })
})

describe('budget', () => {
  const many = Array.from({ length: 200 }, (_, i) => `1.2.3.${i}`)
  const mappings = many.map((policy, i) => [policy, many[(i * 7) % many.length]!] as const)
  const bomb: Spec[] = Array.from({ length: 100 }, () => ({ policies: many, mappings }))
  test('a policy bomb ends as such', () => {
    expect(judge(bomb)).toEqual({ code: 'budget-exhausted', of: 'policies' })
  })
  test('any smaller budget ends as such or in the same verdict', () => {
    const path = bomb.slice(0, 3)
    const verdict = judge(path)
    expect(verdict).toMatchObject({ explicitPolicy: false })
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 6_000 }), (policies) => {
        const found = judge(path, {}, undefined, { policies })
        expect([verdict, { code: 'budget-exhausted', of: 'policies' }]).toContainEqual(found)
      }),
    )
    for (const policies of [199, 200, 201, 401, 1_800, 1_999]) {
      expect(codeOf(judge(path, {}, undefined, { policies }))).toBe('budget-exhausted')
    }
  })
})

test('the graph of RFC 9618 says what the tree of RFC 5280 says', () => {
  const policy = fc.constantFrom(p1, p2, p3)
  const count = fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined })
  const spec: fc.Arbitrary<Spec> = fc
    .record({
      policies: fc.option(
        fc.uniqueArray(fc.constantFrom(p1, p2, p3, anyPolicy), { minLength: 1 }),
        {
          nil: undefined,
          freq: 12,
        },
      ),
      mappings: fc.option(fc.array(fc.tuple(policy, policy), { minLength: 1, maxLength: 4 }), {
        nil: undefined,
      }),
      requireExplicitPolicy: count,
      inhibitPolicyMapping: count,
      inhibitAnyPolicy: count,
      selfIssued: fc.boolean(),
    })
    .map((drawn) => withoutAbsent<Spec>(drawn))
  const inputs: fc.Arbitrary<PolicyInputs> = fc.record({
    userInitialPolicySet: fc.option(fc.uniqueArray(policy, { minLength: 1 }), { nil: undefined }),
    initialExplicitPolicy: fc.boolean(),
    initialPolicyMappingInhibit: fc.boolean(),
    initialAnyPolicyInhibit: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(spec, { minLength: 1, maxLength: 5 }), inputs, (path, given) => {
      const found = judge(path, given)
      const accepted = 'code' in found ? undefined : [...found.userConstrainedPolicySet].sort()
      expect(accepted).toEqual(judgeByTree(path, given))
    }),
    { numRuns: 2_000 },
  )
})

function judge(
  path: readonly Spec[],
  inputs: PolicyInputs = {},
  anchor?: Spec,
  budget?: PolicyBudget,
): Verdict {
  const state = startPolicies(inputs, budget)
  if (anchor !== undefined) {
    const failure = processAnchorPolicies(state, certificate(anchor), path.length, true)
    if (failure !== undefined) return failure
  }
  for (const [i, spec] of path.entries()) {
    const index = path.length - 1 - i
    const selfIssued = spec.selfIssued === true
    const failure =
      processPolicies(state, certificate(spec), index, selfIssued) ??
      (index > 0 ? preparePolicies(state, certificate(spec), index, selfIssued) : undefined)
    if (failure !== undefined) return failure
  }
  const result = finishPolicies(state, certificate(path.at(-1)!))
  return result.ok ? result.value : result.failure
}

function codeOf(verdict: Verdict): string | undefined {
  return 'code' in verdict ? verdict.code : undefined
}

function certificate(spec: Spec): Certificate {
  const { policies, mappings, requireExplicitPolicy, inhibitPolicyMapping, inhibitAnyPolicy } = spec
  const critical = spec.critical === true
  const policyQualifiers =
    spec.qualifier === undefined
      ? []
      : [{ policyQualifierId: spec.qualifier, qualifier: Uint8Array.of(5, 0) }]
  return certificateOf({
    extensions: {
      ...(policies && {
        certificatePolicies: {
          critical,
          policies: policies.map((policyIdentifier) => ({ policyIdentifier, policyQualifiers })),
        },
      }),
      ...(mappings && {
        policyMappings: {
          critical: true,
          mappings: mappings.map(
            ([issuerDomainPolicy, subjectDomainPolicy]): PolicyMapping => ({
              issuerDomainPolicy,
              subjectDomainPolicy,
            }),
          ),
        },
      }),
      ...((requireExplicitPolicy !== undefined || inhibitPolicyMapping !== undefined) && {
        policyConstraints: { critical: true, requireExplicitPolicy, inhibitPolicyMapping },
      }),
      ...(inhibitAnyPolicy !== undefined && {
        inhibitAnyPolicy: { critical: true, skipCerts: inhibitAnyPolicy },
      }),
    },
  })
}

function withoutAbsent<T>(drawn: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(drawn).filter(([, value]) => value !== undefined)) as T
}

interface TreeNode {
  readonly policy: string
  readonly parent: TreeNode | undefined
  expected: readonly string[]
}

/**
 * RFC 5280 §6.1's own algorithm, word for word and exponential: the oracle.
 *
 * @returns The user-constrained policies, sorted; `undefined` when the path is refused.
 */
function judgeByTree(path: readonly Spec[], inputs: PolicyInputs): string[] | undefined {
  const n = path.length
  let depth: TreeNode[] = [{ policy: anyPolicy, parent: undefined, expected: [anyPolicy] }]
  let explicitPolicy = inputs.initialExplicitPolicy ? 0 : n + 1
  let policyMapping = inputs.initialPolicyMappingInhibit ? 0 : n + 1
  let inhibitAny = inputs.initialAnyPolicyInhibit ? 0 : n + 1
  for (const [i, spec] of path.entries()) {
    const last = i === n - 1
    const next: TreeNode[] = []
    const add = (policy: string, parent: TreeNode) => {
      next.push({ policy, parent, expected: [policy] })
    }
    for (const policy of spec.policies ?? []) {
      if (policy === anyPolicy) continue
      const expecting = depth.filter((node) => node.expected.includes(policy))
      const any = depth.filter((node) => node.policy === anyPolicy)
      for (const parent of expecting.length > 0 ? expecting : any) add(policy, parent)
    }
    const selfIssued = spec.selfIssued === true
    if (spec.policies?.includes(anyPolicy) && (inhibitAny > 0 || (!last && selfIssued))) {
      for (const parent of depth) {
        for (const policy of parent.expected) {
          if (!next.some((node) => node.parent === parent && node.policy === policy))
            add(policy, parent)
        }
      }
    }
    const above = depth
    depth = next
    if (explicitPolicy === 0 && depth.length === 0) return undefined
    if (last) break
    for (const policy of new Set(spec.mappings?.map(([from]) => from))) {
      const to = [
        ...new Set(
          spec.mappings?.filter(([from]) => from === policy).map(([, subject]) => subject),
        ),
      ]
      const nodes = depth.filter((node) => node.policy === policy)
      if (policyMapping === 0) depth = depth.filter((node) => node.policy !== policy)
      else if (nodes.length > 0) for (const node of nodes) node.expected = to
      else if (depth.some((node) => node.policy === anyPolicy)) {
        depth.push({
          policy,
          parent: above.find((node) => node.policy === anyPolicy),
          expected: to,
        })
      }
    }
    if (!selfIssued) {
      explicitPolicy = Math.max(0, explicitPolicy - 1)
      policyMapping = Math.max(0, policyMapping - 1)
      inhibitAny = Math.max(0, inhibitAny - 1)
    }
    explicitPolicy = Math.min(explicitPolicy, spec.requireExplicitPolicy ?? n + 1)
    policyMapping = Math.min(policyMapping, spec.inhibitPolicyMapping ?? n + 1)
    inhibitAny = Math.min(inhibitAny, spec.inhibitAnyPolicy ?? n + 1)
  }
  explicitPolicy = Math.max(0, explicitPolicy - 1)
  if (path.at(-1)?.requireExplicitPolicy === 0) explicitPolicy = 0
  const valid = new Set<string>()
  for (const leaf of depth) {
    let node: TreeNode | undefined = leaf
    while (node.policy !== anyPolicy && node.parent && node.parent.policy !== anyPolicy)
      node = node.parent
    valid.add(node.policy)
  }
  const user = inputs.userInitialPolicySet
  const accepted =
    user === undefined
      ? [...valid]
      : valid.has(anyPolicy)
        ? [...user]
        : [...valid].filter((policy) => user.includes(policy))
  return explicitPolicy > 0 || accepted.length > 0 ? accepted.sort() : undefined
}
