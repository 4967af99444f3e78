/** Why a document is refused: data with a code and the path of the field. @module */

import type { PolicyProblem } from '../policy/problem.ts'
import { type LiveMeasure, liveLimits, liveMeasureWords } from './live-limits.ts'
import type { StateExcess } from './state-limits.ts'

/** `path` is such as `upstream.url` or `hosts[2]`; empty: the document itself. */
export type DeploymentFailure =
  /** A field is missing, unknown, of another type or out of its range; or this is no JSON. */
  | Failing<'document-malformed', { readonly expected: string }>
  /** JSON, but not in its canonical form: whoever made it did not make its hash. */
  | Failing<'document-not-canonical'>
  /** `whose`: it would make the state of its environment so. */
  | Failing<'document-too-large', Pick<StateExcess, 'maximum'> & Partial<StateExcess>>
  /** Not signed with the key that is pinned. */
  | Failing<'signature-invalid'>
  | Failing<'snapshot-hash-mismatch', Mismatch>
  | Failing<'live-hash-mismatch', Mismatch>
  | Failing<'crl-hash-mismatch', Mismatch>
  /** A document of another environment. */
  | Failing<'environment-mismatch', Mismatch>
  /** A snapshot of another API proxy than its pointer names. */
  | Failing<'proxy-mismatch', Mismatch>
  /** A pointer that is older than one that was seen, or another one with the same number. */
  | Failing<'sequence-replayed', { readonly sequence: number; readonly seen: number }>
  /** A pointer that the set of its environment does not name. */
  | Failing<'set-mismatch'>
  | Failing<'policies-invalid', { readonly problems: readonly PolicyProblem[] }>
  | Failing<'trust-anchor-unreadable'>
  | Failing<'intermediate-unreadable'>
  | Failing<'issuer-acl-invalid', { readonly expected: string }>
  /** More than a gateway holds for one project, or for all of them. */
  | Failing<'live-data-too-large', LiveExcess>
  | Failing<'kill-list-invalid', { readonly expected: string }>
  | Failing<'crl-unreadable'>
  /** Read, but its parts do not go together: a policy wants a trust anchor, and there is none. */
  | Failing<'snapshot-unusable', { readonly expected: string }>

interface LiveExcess extends StateExcess {
  readonly of: LiveMeasure
}

interface Mismatch {
  readonly expected: string
  readonly actual: string
}

type Failing<C extends string, Facts = object> = {
  readonly code: C
  readonly path: string
} & Facts

type Describe<C> = (failure: Extract<DeploymentFailure, { code: C }>) => string

/** In words, on one line; for operators. */
export function describeDeploymentFailure(failure: DeploymentFailure): string {
  const describe = texts[failure.code] as (failure: DeploymentFailure) => string
  return failure.path === '' ? describe(failure) : `${failure.path}: ${describe(failure)}`
}

export function deploymentFailureCodes(): readonly DeploymentFailure['code'][] {
  return Object.keys(texts) as DeploymentFailure['code'][]
}

/** A new code does not compile until it has a text here. */
const texts: { readonly [C in DeploymentFailure['code']]: Describe<C> } = {
  'document-malformed': (f) => `expected ${f.expected}`,
  'document-not-canonical': () => 'not in canonical form',
  'document-too-large': (f) =>
    f.whose === undefined
      ? `larger than ${f.maximum} octets`
      : f.whose === 'project'
        ? `the API proxies of a project have at most ${f.maximum} octets of names, hosts and base paths in an environment`
        : `all projects of the environment share ${f.maximum} octets of names, hosts and base paths, and they are used up`,
  'signature-invalid': () => 'not signed with the pinned key',
  'snapshot-hash-mismatch': (f) => `the snapshot ${f.expected} has the hash ${f.actual}`,
  'live-hash-mismatch': (f) => `the live data ${f.expected} have the hash ${f.actual}`,
  'crl-hash-mismatch': (f) => `the CRL ${f.expected} has the hash ${f.actual}`,
  'environment-mismatch': (f) => `for the environment ${f.actual}, not ${f.expected}`,
  'proxy-mismatch': (f) => `of the API proxy ${f.actual}, not ${f.expected}`,
  'sequence-replayed': (f) => `number ${f.sequence}, but ${f.seen} was seen before`,
  'set-mismatch': () => 'not one of those that the set names',
  'policies-invalid': (f) => f.problems.map((one) => `${one.path}: ${one.expected}`).join('; '),
  'trust-anchor-unreadable': () => 'no certificate',
  'intermediate-unreadable': () => 'no certificate',
  'issuer-acl-invalid': (f) => `expected ${f.expected}`,
  'live-data-too-large': (f) =>
    f.whose === 'project'
      ? `a project and its API proxies have at most ${f.maximum} ${liveMeasureWords[f.of]}`
      : `all projects of the environment share ${f.maximum} ${liveMeasureWords[f.of]} beside the ${liveLimits[f.of].guaranteed} that each has for itself, and they are used up`,
  'kill-list-invalid': (f) => `expected ${f.expected}`,
  'crl-unreadable': () => 'no CRL',
  'snapshot-unusable': (f) => `cannot be used: ${f.expected}`,
}
