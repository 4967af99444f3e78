/** Client certificates in limbo's schema with optional fields of their own. @module */
import type { Options } from '../drivers.ts'
import { type AclEntryJson, aclFrom } from '../inputs.ts'
import {
  bothDrivers,
  type Case,
  type Outcome,
  type Profile,
  type Suite,
  skipped,
} from '../suite.ts'
import { hasClientFields, judge, type LimboCase, limboOptions } from './limbo.ts'

interface ClientCase extends LimboCase {
  readonly profile?: Profile
  readonly revocation?: 'require' | 'off'
  readonly initial_explicit_policy?: boolean
  /** Dotted decimal. */
  readonly initial_policy_set?: readonly string[]
  readonly initial_policy_mapping_inhibit?: boolean
  readonly initial_inhibit_any_policy?: boolean
  readonly issuer_acl?: readonly AclEntryJson[]
  readonly tags?: readonly string[]
}

export const clientCases: Suite = {
  name: 'client-cases',
  file: 'client-cases.json.gz',
  drivers: bothDrivers,
  profiles: ['interoperable'],
  recognises: hasClientFields,
  read: (corpus) => (corpus.testcases as unknown as readonly ClientCase[]).map(readCase),
}

function readCase(one: ClientCase): Case {
  return {
    id: one.id,
    localChoice: one.tags?.includes('local-choice') ?? false,
    run(driver, profile): Outcome | Promise<Outcome> {
      if (one.revocation === 'require' || isOfRevocation(one)) return skipped('needs revocation')
      return judge(one, driver, { ...clientOptions(one), profile: one.profile ?? profile })
    },
  }
}

/** The families that test revocation: `…::crl::…` and `…::ocsp::…`. */
function isOfRevocation({ id, revocation }: ClientCase): boolean {
  return revocation !== 'off' && /::(?:crl|ocsp)::/.test(id)
}

function clientOptions(one: ClientCase): Omit<Options, 'trustAnchors'> {
  const acl = one.issuer_acl
  return {
    ...limboOptions(one),
    ...(one.initial_policy_set ? { userInitialPolicySet: one.initial_policy_set } : {}),
    initialExplicitPolicy: one.initial_explicit_policy ?? false,
    initialPolicyMappingInhibit: one.initial_policy_mapping_inhibit ?? false,
    initialAnyPolicyInhibit: one.initial_inhibit_any_policy ?? false,
    ...(acl ? { issuerAcl: aclFrom(acl) } : {}),
  }
}
