/** Validation of one given path per case. @module */
import { type Result, success } from '../../../src/base/result.ts'
import type { Options } from '../drivers.ts'
import { anchorsOf, bytesOf, denying, strangers } from '../inputs.ts'
import {
  answered,
  bothDrivers,
  type Case,
  comparedPolicies,
  type Outcome,
  type Suite,
  skipped,
} from '../suite.ts'

interface ChainCase {
  readonly id: string
  /** Keys of `certs`, target first. */
  readonly chain: readonly string[]
  readonly last_cert: {
    readonly trust: 'anchor' | 'leaf' | 'anchor-or-leaf' | 'distrusted' | 'unspecified'
    readonly enforce_expiry: boolean
    readonly enforce_constraints: boolean
    /** Counts only with `enforce_constraints`. */
    readonly require_basic_constraints: boolean
    readonly require_self_signed_leaf: boolean
  }
  readonly time: string
  readonly key_purpose: string
  readonly digest_policy: 'ALLOW_SHA_1' | 'STRONG'
  readonly min_rsa_bits: number
  readonly expected: {
    readonly valid: boolean
    readonly user_constrained_policy_set?: readonly string[]
  }
  readonly run_upstream: boolean
}

export const verifyChain: Suite = {
  name: 'verify-chain',
  file: 'verify-chain.json',
  drivers: bothDrivers,
  profiles: ['interoperable'],
  recognises: ({ cases }) => cases?.[0]?.last_cert !== undefined,
  read: ({ certs, cases }) =>
    (cases as unknown as readonly ChainCase[]).map((one) =>
      readCase(one, certs as Readonly<Record<string, string>>),
    ),
}

const purposes: Readonly<Record<string, Options['purpose']>> = {
  SERVER_AUTH: 'serverAuth',
  CLIENT_AUTH: 'clientAuth',
  ANY_EKU: 'any',
}

function readCase(one: ChainCase, certs: Readonly<Record<string, string>>): Case {
  const { expected } = one
  return {
    id: one.id,
    async run(driver): Promise<Outcome> {
      if (!one.run_upstream) return skipped('not run upstream')
      const purpose = purposes[one.key_purpose]
      if (purpose === undefined) return skipped(`key purpose ${one.key_purpose}`)
      const chain = one.chain.map((name) => bytesOf(certs[name]))
      const trust = await trustOf(one, chain)
      if (!trust.ok) return answered(expected.valid, false, trust.failure.code)
      const verdict = await driver.validate(chain[0] as Uint8Array, {
        ...trust.value,
        purpose,
        intermediates: chain.slice(1),
        time: new Date(one.time),
        algorithms: {
          dangerouslyAllowSha1: one.digest_policy === 'ALLOW_SHA_1',
          dangerouslyMinimumRsaBits: one.min_rsa_bits,
        },
      })
      if (!verdict.ok) return answered(expected.valid, false, verdict.failure.code)
      const policies = expected.user_constrained_policy_set
      if (!expected.valid || policies === undefined) return answered(expected.valid, true)
      return comparedPolicies(policies, verdict)
    },
  }
}

type Trust = Pick<Options, 'trustAnchors' | 'anchorChecks' | 'issuerAcl' | 'pinnedTarget'>

/** What `last_cert` makes of the last certificate: an anchor, a pinned target, a denied CA or nothing at all. */
async function trustOf(
  { last_cert: last }: ChainCase,
  chain: readonly Uint8Array[],
): Promise<Result<Trust, { readonly code: string }>> {
  const certificate = chain.at(-1) as Uint8Array
  const alone = chain.length === 1
  const trusted =
    last.trust === 'anchor' ||
    last.trust === 'anchor-or-leaf' ||
    last.trust === 'distrusted' ||
    (last.trust === 'leaf' && alone)
  const anchors = anchorsOf(trusted ? [certificate] : await strangers())
  if (!anchors.ok) return anchors
  return success({
    trustAnchors: anchors.value,
    anchorChecks: { validity: last.enforce_expiry, constraints: last.enforce_constraints },
    // Trusted and denied at once: the denial must win.
    ...(last.trust === 'distrusted' ? { issuerAcl: denying([certificate], anchors.value) } : {}),
    pinnedTarget:
      !alone || !last.trust.endsWith('leaf')
        ? 'refuse'
        : last.require_self_signed_leaf
          ? 'accept-self-signed'
          : 'accept',
  })
}
