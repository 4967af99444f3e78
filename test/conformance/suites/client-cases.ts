/** Client certificates in limbo's schema with optional fields of their own. @module */
import { parseCrls } from '../../../src/revocation/crls.ts'
import { parseOcspResponses } from '../../../src/revocation.ts'
import type { Options } from '../drivers.ts'
import { type AclEntryJson, aclFrom, bytesOf } from '../inputs.ts'
import { bothDrivers, type Case, type Outcome, type Profile, type Suite } from '../suite.ts'
import { hasClientFields, judge, type LimboCase, limboOptions } from './limbo.ts'

interface ClientCase extends LimboCase {
  readonly profile?: Profile
  readonly revocation?: 'require' | 'off'
  /** DER in base64. */
  readonly ocsp?: readonly string[] | null
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
      return judge(one, driver, { ...clientOptions(one), profile: one.profile ?? profile })
    },
  }
}

function clientOptions(one: ClientCase): Omit<Options, 'trustAnchors'> {
  const acl = one.issuer_acl
  return {
    ...limboOptions(one),
    ...(one.initial_policy_set ? { userInitialPolicySet: one.initial_policy_set } : {}),
    initialExplicitPolicy: one.initial_explicit_policy ?? false,
    initialPolicyMappingInhibit: one.initial_policy_mapping_inhibit ?? false,
    initialAnyPolicyInhibit: one.initial_inhibit_any_policy ?? false,
    revocation: one.revocation === 'require' ? required(one) : { mode: 'none' },
    ...(acl ? { issuerAcl: aclFrom(acl) } : {}),
  }
}

/** Every certificate below the anchor needs a good status from whatever was given. */
function required({ crls, ocsp }: ClientCase): NonNullable<Options['revocation']> {
  return {
    mode: 'crl-or-ocsp',
    crls: parseCrls(crls ?? []),
    ocspResponses: parseOcspResponses((ocsp ?? []).map(bytesOf)),
  }
}
