/** The cases of one run: mutations drawn from a seed. @module */

import { hierarchies, leafOptions, rearrangements } from './chains.ts'
import { fieldMutations } from './fields.ts'
import { changeAt, octetChanges, placesIn } from './octets.ts'
import { change, type MutatedCase, type Mutation, makeCase, type Plan, type Role } from './plan.ts'
import { Random } from './random.ts'

/** Families, each up to its percentile. */
const shares: readonly (readonly [upTo: number, draw: (random: Random) => Mutation])[] = [
  [42, drawFields],
  [72, drawSignedOctets],
  [82, drawUnsignedOctets],
  [100, drawChain],
]

/**
 * Makes `count` cases after the unchanged ones. The same seed makes the same cases, save for what is random in a signature.
 */
export async function makeCases(seed: number, count: number): Promise<readonly MutatedCase[]> {
  const cases: MutatedCase[] = []
  for (const [name, plan] of Object.entries(plans)) {
    cases.push(await makeCase({ rule: () => `good/${name}`, plan }, 0))
  }
  const dice = new Random(seed)
  for (let i = 0; i < count; i++) {
    // One generator a case: a case stays what it is when another one draws more.
    const random = new Random(seed * 1_000_003 + i)
    const share = dice.below(100)
    const [, draw] = shares.find(([upTo]) => share < upTo) ?? shares[0]!
    cases.push(await makeCase(draw(random), i))
  }
  return cases
}

const link = (role: Role, name: string, options = {}) => ({ role, name, options, changes: {} })

const plans: { readonly [name: string]: Plan } = {
  usual: [link('root', 'Root CA'), link('ca', 'Issuing CA'), link('leaf', 'client-a', leafOptions)],
  deep: [
    link('root', 'Root CA'),
    link('ca', 'Middle CA'),
    link('ca', 'Issuing CA'),
    link('leaf', 'client-a', leafOptions),
  ],
  constrained: [
    link('root', 'Root CA'),
    link('ca', 'Issuing CA', {
      basicConstraints: { cA: true, pathLenConstraint: 0 },
      nameConstraints: {
        permitted: [{ dns: 'example.com' }],
        excluded: [{ dns: 'evil.example.com' }],
      },
    }),
    link('leaf', 'client-a', leafOptions),
  ],
  policies: [
    link('root', 'Root CA', { certificatePolicies: ['2.5.29.32.0'] }),
    link('ca', 'Issuing CA', {
      certificatePolicies: ['1.3.6.1.4.1.32473.3.1'],
    }),
    link('leaf', 'client-a', { ...leafOptions, certificatePolicies: ['1.3.6.1.4.1.32473.3.1'] }),
  ],
  direct: [link('root', 'Root CA'), link('leaf', 'client-a', leafOptions)],
}

const planNames = Object.keys(plans)

function drawPlan(random: Random): Plan {
  const plan = plans[random.pick(planNames)]
  return plan as Plan
}

const weighted = fieldMutations.flatMap((one) => Array<typeof one>(one.weight ?? 1).fill(one))

/** One field or two, anywhere in the chain. */
function drawFields(random: Random): Mutation {
  let plan = drawPlan(random)
  const rules: string[] = []
  for (let left = random.chance(30) ? 2 : 1; left > 0; left--) {
    const mutation = random.pick(weighted)
    const role = drawRole(random, plan, mutation.roles)
    plan = change(plan, role, mutation.make(random, role))
    rules.push(`${mutation.name}/${role}`)
  }
  return { rule: () => `fields/${rules.join('+')}`, plan }
}

const changeNames = Object.keys(octetChanges)

/** One element of the signed part, and then the right issuer signs it. */
function drawSignedOctets(random: Random): Mutation {
  const plan = drawPlan(random)
  const role = drawRole(random, plan, ['root', 'ca', 'leaf'])
  const name = random.pick(changeNames)
  let field = ''
  const changed = change(plan, role, {
    mutateTbs: (tbsCertificate) => {
      const place = random.pick(placesIn(tbsCertificate))
      field = place.field
      return changeAt(tbsCertificate, place.position, name, random)
    },
  })
  return { rule: () => `octets/${name}/${role}/${field}`, plan: changed }
}

/** One element anywhere in the certificate, after it was signed. */
function drawUnsignedOctets(random: Random): Mutation {
  const plan = drawPlan(random)
  const role = drawRole(random, plan, ['ca', 'leaf'])
  const name = random.pick(changeNames)
  const changed = change(plan, role, {
    mutateCertificate: (certificate) => {
      const count = placesIn(certificate).length
      return changeAt(certificate, random.below(count), name, random)
    },
  })
  return { rule: () => `unsigned/${name}/${role}`, plan: changed }
}

/** A plan without a CA has another role instead. */
function drawRole(random: Random, plan: Plan, roles: readonly Role[]): Role {
  const present = roles.filter((role) => plan.some((one) => one.role === role))
  return present.length > 0 ? random.pick(present) : 'leaf'
}

function drawChain(random: Random): Mutation {
  if (random.chance(50)) {
    const name = random.pick(Object.keys(hierarchies))
    return {
      rule: () => `hierarchy/${name}`,
      plan: plans.direct as Plan,
      rearrange: () => (hierarchies[name] as NonNullable<(typeof hierarchies)[string]>)(random),
    }
  }
  const name = random.pick(Object.keys(rearrangements))
  return {
    rule: () => `chain/${name}`,
    plan: drawPlan(random),
    rearrange: (chain) =>
      (rearrangements[name] as NonNullable<(typeof rearrangements)[string]>)(chain, random),
  }
}
