/** A chain that is to be made: what each certificate says, then what happens to its octets and to the whole. @module */

import {
  type CertificateAuthority,
  type CertificateOptions,
  type IssuedBytes,
  issueCa,
  testTime,
} from '../../src/testing/index.ts'
import type { LimboCase } from '../../test/conformance/suites/limbo.ts'

export type Role = 'root' | 'ca' | 'leaf'

export interface Link {
  readonly name: string
  readonly role: Role
  /** What its good twin says, which signs the next certificate. */
  readonly options: CertificateOptions
  /** What a mutation says instead. */
  readonly changes: CertificateOptions
}

/** The root first, the leaf last. */
export type Plan = readonly Link[]

/** limbo's certificates, each in PEM. */
export interface Chain {
  readonly anchors: readonly string[]
  readonly intermediates: readonly string[]
  readonly peer: string
}

export interface Mutation {
  /** `family/what/where`: what an exception names. Asked for when the certificates are there. */
  readonly rule: () => string
  readonly plan: Plan
  readonly rearrange?: (chain: Chain) => Chain | Promise<Chain>
}

/** limbo's schema with what the peers read besides. */
export interface MutatedCase extends LimboCase {
  readonly features: readonly string[]
}

/**
 * Issues the certificates: each CA as planned without changes signs the next one, changed or not.
 *
 * @param number - Tells cases of one rule apart.
 */
export async function makeCase(
  { plan, rearrange, rule }: Mutation,
  number: number,
): Promise<MutatedCase> {
  const made: IssuedBytes[] = []
  let signer: CertificateAuthority | undefined
  for (const { name, role, options, changes } of plan) {
    const both = over(options, changes)
    if (role === 'leaf') {
      if (signer === undefined) throw new Error('a plan starts with a root')
      made.push(await signer.issueBytes(name, both))
      continue
    }
    const good: CertificateAuthority =
      signer === undefined ? await issueCa(name, options) : await signer.issueCa(name, options)
    // The same name and key again, with the octets that a reader may refuse.
    const issuer: CertificateAuthority = signer ?? good
    const same = { ...caDefaults, key: good.key, ...both }
    made.push(Object.keys(changes).length === 0 ? good : await issuer.issueBytes(name, same))
    signer = good
  }
  const pems = made.map(({ pem }) => pem)
  const straight: Chain = {
    anchors: pems.slice(0, 1),
    intermediates: pems.slice(1, -1),
    peer: pems.at(-1) ?? '',
  }
  const chain = (await rearrange?.(straight)) ?? straight
  return {
    id: `mutated::${rule()}::${number}`,
    features: [],
    validation_kind: 'CLIENT',
    trusted_certs: chain.anchors,
    untrusted_intermediates: chain.intermediates,
    peer_certificate: chain.peer,
    validation_time: new Date(testTime * 1000).toISOString(),
    expected_result: 'SUCCESS',
    expected_peer_name: null,
    expected_peer_names: [],
    max_chain_depth: null,
    crls: [],
  }
}

/** Changes one certificate of a plan. */
export function change(plan: Plan, role: Role, changes: CertificateOptions): Plan {
  const position = plan.findLastIndex((link) => link.role === role)
  return plan.map((link, i) =>
    i === position ? { ...link, changes: over(link.changes, changes) } : link,
  )
}

/** One over the other; of critical bits, each by itself. */
function over(options: CertificateOptions, changes: CertificateOptions): CertificateOptions {
  const criticality = { ...options.criticality, ...changes.criticality }
  return { ...options, ...changes, criticality }
}

/** What `issueCa` writes unless told otherwise. */
const caDefaults: CertificateOptions = {
  basicConstraints: { cA: true },
  keyUsage: ['keyCertSign', 'cRLSign'],
  extendedKeyUsage: 'absent',
}
