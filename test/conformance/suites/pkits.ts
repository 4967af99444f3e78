/** NIST PKITS against `expected_nist`; every certificate below the anchor needs a status by the CRLs of its case. @module */
import { parseCrls } from '../../../src/revocation/crls.ts'
import { anchorsOf, bytesOf } from '../inputs.ts'
import {
  answered,
  bothDrivers,
  type Case,
  comparedPolicies,
  type Outcome,
  type Suite,
  skipped,
} from '../suite.ts'

interface PkitsCase {
  readonly id: string
  readonly number: string
  /** Keys of `certs`. */
  readonly trust_anchor: string
  readonly intermediates: readonly string[]
  readonly target: string
  /** Keys of `certs`: who signs a CRL and is not on the path. */
  readonly crl_signer_certs: readonly string[]
  /** Keys of the corpus' `crls`. */
  readonly crls: readonly string[]
  readonly time: string
  readonly settings: {
    readonly initial_explicit_policy: boolean
    readonly initial_policy_mapping_inhibit: boolean
    readonly initial_inhibit_any_policy: boolean
    readonly initial_policy_set: readonly string[]
  }
  readonly expected_nist: {
    readonly valid: boolean
    readonly user_constrained_policy_set: readonly string[] | null
  }
  readonly features: readonly string[]
}

export const pkits: Suite = {
  name: 'pkits',
  file: 'pkits.json',
  drivers: bothDrivers,
  profiles: ['interoperable'],
  recognises: ({ cases }) => cases?.[0]?.expected_nist !== undefined,
  read: ({ certs, crls, cases }) =>
    (cases as unknown as readonly PkitsCase[]).map((one) =>
      readCase(one, certs as Named, crls as Named),
    ),
}

type Named = Readonly<Record<string, string>>

function readCase(one: PkitsCase, certs: Named, crls: Named): Case {
  const { settings, expected_nist: expected } = one
  const der = (name: string): Uint8Array => bytesOf(certs[name])
  return {
    id: one.id,
    async run(driver): Promise<Outcome> {
      const dsa = one.features.includes('dsa')
      if (dsa && driver.name === 'async') return skipped('DSA under WebCrypto')
      const anchors = anchorsOf([der(one.trust_anchor)])
      if (!anchors.ok) return answered(expected.valid, false, anchors.failure.code)
      const verdict = await driver.validate(der(one.target), {
        trustAnchors: anchors.value,
        intermediates: [...one.intermediates, ...one.crl_signer_certs].map(der),
        revocation: { mode: 'crl', crls: parseCrls(one.crls.map((name) => bytesOf(crls[name]))) },
        time: new Date(one.time),
        purpose: 'any',
        userInitialPolicySet: settings.initial_policy_set,
        initialExplicitPolicy: settings.initial_explicit_policy,
        initialPolicyMappingInhibit: settings.initial_policy_mapping_inhibit,
        initialAnyPolicyInhibit: settings.initial_inhibit_any_policy,
        ...(dsa ? { algorithms: { dangerouslyAllowDsa: true, dangerouslyAllowSha1: true } } : {}),
      })
      if (!verdict.ok) return answered(expected.valid, false, verdict.failure.code)
      const policies = expected.user_constrained_policy_set
      if (!expected.valid || policies === null) return answered(expected.valid, true)
      return comparedPolicies(policies, verdict)
    },
  }
}
