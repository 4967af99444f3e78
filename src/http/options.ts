/** What every middleware takes. @module */

import { misuse } from '../client/misuse.ts'
import type { PipelineDocuments } from '../policy/pipelines.ts'
import type { Trust } from '../policy/trust.ts'
import type { Answering } from './answer.ts'
import type { Hooks } from './event.ts'
import type { IdentityHeaders } from './identity-headers.ts'
import type { ClientCertificateSource } from './source.ts'

/** One policy, or the pipelines of an API proxy; what they are held against; where the certificate comes from. */
export type GuardOptions = GuardBasics & (OnePolicy | Policies)

interface OnePolicy {
  /** One `policy-auth-mtls` document, for every request. */
  readonly policy: object
  readonly policies?: undefined
}

interface Policies {
  readonly policy?: undefined
  /**
   * A list (the request pipeline), or the object `apiProxy` of the policy list. A middleware cannot take a response back, so that it
   * asks RESPONSE policies before its handler runs.
   */
  readonly policies: readonly object[] | PipelineDocuments
}

interface GuardBasics extends Trust, OwnOptions {}

interface OwnOptions {
  /** Default: this process's own TLS. */
  readonly source?: ClientCertificateSource | undefined
  /**
   * `match`, the default: on a TLS connection of this process, a request for another host than the connection's server name is
   * answered 421 (RFC 9110 §15.5.20). `any`: for whoever serves every host under one policy.
   */
  readonly authority?: 'match' | 'any' | undefined
  /** Changes to the answer that a refused client gets. */
  readonly answer?: Answering | undefined
  /** Headers for what comes after: taken away from every request, and set from what was proven. */
  readonly identityHeaders?: IdentityHeaders | undefined
  /** Logs, metrics, traces. */
  readonly hooks?: Hooks | readonly Hooks[] | undefined
  readonly cache?: CacheOptions | undefined
}

export interface CacheOptions {
  /** Clients whose header is known, at most; default 4,096. Connections are remembered while they are open. */
  readonly headers?: number | undefined
  /** Verdicts by certificate, over all policies; default 4,096. */
  readonly verdicts?: number | undefined
}

/** Options in parts. */
export interface ReadOptions {
  readonly documents: Pick<GuardOptions, 'policy' | 'policies'>
  readonly trust: Trust
  readonly own: OwnOptions
  readonly cache: Required<{ readonly [O in keyof CacheOptions]: number }>
  readonly hooks: readonly Hooks[]
}

/**
 * Takes options apart. What is not ours is for `prepareOptions`, which refuses what it does not know.
 *
 * @throws TypeError with a `code`.
 */
export function readGuardOptions(options: GuardOptions): ReadOptions {
  if (typeof options !== 'object' || options === null) {
    throw misuse('option-missing', 'options are missing: give at least policy and trustAnchors')
  }
  const { policy, policies, source, authority, answer, identityHeaders, hooks, cache, ...trust } =
    options
  if (policy !== undefined && policies !== undefined) {
    throw misuse('options-conflict', 'give policy or policies, not both', { option: 'policy' })
  }
  if (policy === undefined && policies === undefined) {
    const message = "policy is missing: { type: 'policy-auth-mtls', … }"
    throw misuse('option-missing', message, { option: 'policy' })
  }
  if (source !== undefined && typeof source?.read !== 'function') {
    throw misuse('option-invalid', 'source must be one of mtls-policy/sources', {
      option: 'source',
    })
  }
  if (authority !== undefined && authority !== 'match' && authority !== 'any') {
    throw misuse('option-invalid', 'authority must be match or any', { option: 'authority' })
  }
  return {
    documents: { policy, policies } as ReadOptions['documents'],
    trust,
    own: { source, authority, answer, identityHeaders },
    cache: readCache(cache),
    hooks: readHooks(hooks),
  }
}

function readCache(cache: CacheOptions | undefined): ReadOptions['cache'] {
  const { headers = 4096, verdicts = 4096, ...others } = cache ?? {}
  for (const name of Object.keys(others)) {
    throw misuse('option-unknown', `unknown option: cache.${name}`, { option: `cache.${name}` })
  }
  for (const [name, value] of Object.entries({ headers, verdicts })) {
    if (!Number.isSafeInteger(value) || value < 0) {
      const option = `cache.${name}`
      throw misuse('option-invalid', `${option} must be a whole number from 0`, { option })
    }
  }
  return { headers, verdicts }
}

function readHooks(hooks: OwnOptions['hooks']): readonly Hooks[] {
  const list = hooks === undefined ? [] : Array.isArray(hooks) ? [...hooks] : [hooks as Hooks]
  for (const one of list) {
    if (typeof one?.decision !== 'function') {
      throw misuse('option-invalid', 'a hook must have a function decision', { option: 'hooks' })
    }
  }
  return list
}

/** Where no connection is shown there is nothing to fall back on. */
export function sourceOf({ source }: GuardOptions): ClientCertificateSource {
  if (source === undefined) {
    const message = 'source is missing: this runtime shows no client certificate by itself'
    throw misuse('option-missing', message, { option: 'source' })
  }
  return source
}
