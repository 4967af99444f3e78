/**
 * Finds a path from a target certificate to a trust anchor, if there is one: RFC 4158, with RFC 5280 §6.1 on each candidate. Depth
 * first with backtracking: cheap rules at every step, the rules of the whole path and the signatures on a complete candidate.
 * @module
 */

import { bytesEqual } from '../base/bytes.ts'
import type { Steps } from '../effect/effect.ts'
import { describeKey } from '../x509/algorithms.ts'
import type { Certificate } from '../x509/certificate.ts'
import { nameKey } from '../x509/name-match.ts'
import { checkKey } from './algorithms.ts'
import { type Budget, startBudget } from './budget.ts'
import { Candidates, type Effort } from './candidates.ts'
import { type CheckedSignature, completePath, type ValidatedPath } from './complete.ts'
import { isMoreTelling, type PathFailure } from './failure.ts'
import type { Issuer } from './issuer.ts'
import type { IssuerIndex } from './issuer-index.ts'
import type { PathOptions } from './options.ts'
import { checkPeerNames } from './peer-names.ts'
import { checkTargetPurpose, narrowPurposes, type PurposeSet, wantedPurposes } from './purpose.ts'
import { checkCommon, checkIssuer } from './rules.ts'
import type { TrustAnchor } from './trust-anchor.ts'
import { checkValidity } from './validity.ts'

/** One candidate path that was refused. */
export interface Attempt<F> {
  /** The target first. */
  readonly certificates: readonly Certificate[]
  /** Absent when the search did not get to one. */
  readonly anchor: TrustAnchor | undefined
  readonly failure: F
}

/** Why a caller of `buildPath` does not take a valid path. */
export interface Refusal<F> {
  readonly failure: F
  /** True when it is about the target itself, so that no other path may be tried. */
  readonly definite: boolean
}

/** May refuse a path that is valid, so that the search goes on to the next one. */
export type Accept<F> = (path: ValidatedPath) => Steps<Refusal<F> | undefined>

export type PathResult<F> =
  | { readonly ok: true; readonly path: ValidatedPath; readonly attempts: Attempts<F> }
  | { readonly ok: false; readonly failure: PathFailure | F; readonly attempts: Attempts<F> }

export interface Attempts<F> {
  /** In the order they were tried; at most 100. */
  readonly list: readonly Attempt<PathFailure | F>[]
  /** How many more there were. */
  readonly omitted: number
}

/**
 * Searches for a valid path that `accept` takes too.
 *
 * @returns The first such path; or the most telling failure. Either way with every candidate that was refused on the way.
 * @example
 * const result = runSync(buildPath(certificate, options), handlers)
 * console.log(result.ok) // true
 */
export function buildPath<F = never>(
  target: Certificate,
  options: PathOptions,
  accept?: Accept<F>,
): Steps<PathResult<F>> {
  const search = new Search<F>(target, options)
  const failure = checkTarget(target, options)
  if (failure !== undefined) return search.refused(failure)
  if (options.pinnedTarget !== 'refuse') {
    const pinned = options.anchors.find(target.der)
    if (pinned?.anchor !== undefined) return search.finish([], pinned, accept)
  }
  return search.run(accept)
}

/** What the target must satisfy on any path. */
function checkTarget(target: Certificate, options: PathOptions): PathFailure | undefined {
  const { time, clockTolerance, purpose, profile, algorithms, expectedPeerNames } = options
  const rule =
    checkValidity(target, 0, time, clockTolerance) ?? checkCommon(target, 0, 'target', profile)
  if (rule !== undefined) return rule
  const failure =
    checkTargetPurpose(target, purpose, wantedPurposes(purpose, options.acceptedPurposes)) ??
    checkKey(describeKey(target.tbsCertificate.subjectPublicKeyInfo), algorithms) ??
    (expectedPeerNames && checkPeerNames(target, expectedPeerNames))
  return failure && { ...failure, index: 0 }
}

/** A certificate of the candidate path and what is known of the search above it. */
interface Level {
  readonly candidates: Candidates
  /** What is left of the purposes, this certificate's included. */
  readonly purposes: PurposeSet
  /** Intermediates that are not self-issued, this certificate included if it is one. */
  readonly below: number
  /** Whether any possible issuer was new to the path. */
  tried: boolean
}

/** One depth-first search: the state that backtracking goes back and forth over. */
class Search<F> {
  readonly #target: Certificate
  readonly #options: PathOptions
  readonly #budget: Budget
  readonly #sources: readonly IssuerIndex[]
  readonly #checked: CheckedSignature[] = []
  readonly #effort: Effort = { looks: 0 }
  readonly #attempts: Attempt<PathFailure | F>[] = []
  #omitted = 0
  #best: Attempt<PathFailure | F> | undefined
  /** A valid path that the caller refused tells more than any path that is not valid. */
  #notAccepted: Attempt<PathFailure | F> | undefined

  constructor(target: Certificate, options: PathOptions) {
    this.#target = target
    this.#options = options
    this.#budget = startBudget(options.budget)
    this.#sources = [options.anchors, ...options.intermediates]
  }

  *run(accept: Accept<F> | undefined): Steps<PathResult<F>> {
    const options = this.#options
    const wanted = wantedPurposes(options.purpose, options.acceptedPurposes)
    // The intermediates chosen so far; and for the target and each of them, what is still to be tried above it.
    const chain: Issuer[] = []
    const levels = [this.#open(this.#target, wanted, 0)]
    for (;;) {
      const level = levels[chain.length] as Level
      const issuer = level.candidates.next()
      if (issuer === undefined) {
        if (!level.tried) this.#record(chain, undefined, this.#nobody(chain))
        if (chain.length === 0) return this.#refused()
        chain.pop()
        levels.pop()
        continue
      }
      if (--this.#budget.candidates < 0 || this.#effort.looks > maxLooks) {
        return this.#exhausted(chain)
      }
      if (this.#isOnPath(issuer, chain)) continue
      level.tried = true
      const index = chain.length + 1
      const failure = this.#isTarget(issuer)
        ? ({ code: 'target-is-trust-anchor', index: 0 } as const)
        : checkIssuer(issuer, index, level.below, level.purposes, options)
      if (failure !== undefined) {
        this.#record(chain, issuer, failure)
      } else if (issuer.anchor !== undefined) {
        const result = yield* this.#complete(chain, issuer, accept)
        if (result !== undefined) return result
      } else {
        const below = level.below + (issuer.selfIssued ? 0 : 1)
        const { maxIntermediates } = options
        if (below > maxIntermediates || index > maxPathCertificates) {
          this.#record(chain, issuer, { code: 'path-too-long', index, maxIntermediates })
          continue
        }
        chain.push(issuer)
        levels.push(this.#open(issuer.certificate as Certificate, level.purposes, below))
      }
    }
  }

  /** Judges the one path that a pinned target makes, or gives up. */
  *finish(
    chain: readonly Issuer[],
    anchor: Issuer,
    accept: Accept<F> | undefined,
  ): Steps<PathResult<F>> {
    return (yield* this.#complete(chain, anchor, accept)) ?? this.#refused()
  }

  /** A search that ends before it begins. */
  // biome-ignore lint/correctness/useYield: the shape of the other endings
  *refused(failure: PathFailure): Steps<PathResult<F>> {
    return this.refuse(failure)
  }

  refuse(failure: PathFailure | F): PathResult<F> {
    return { ok: false, failure, attempts: this.#summary() }
  }

  /** The result, when the candidate is taken or ends the search; `undefined` when the search goes on. */
  *#complete(
    chain: readonly Issuer[],
    anchor: Issuer,
    accept: Accept<F> | undefined,
  ): Steps<PathResult<F> | undefined> {
    const path = yield* completePath(
      this.#target,
      chain,
      anchor,
      this.#options,
      this.#budget,
      this.#checked,
    )
    if ('failure' in path) {
      this.#record(chain, anchor, path.failure)
      return path.failure.code === 'budget-exhausted' ? this.refuse(path.failure) : undefined
    }
    const refusal = accept && (yield* accept(path))
    if (refusal === undefined) return { ok: true, path, attempts: this.#summary() }
    const attempt = this.#record(chain, anchor, refusal.failure)
    this.#notAccepted ??= attempt
    return refusal.definite ? this.refuse(refusal.failure) : undefined
  }

  #open(certificate: Certificate, purposes: PurposeSet, below: number): Level {
    return {
      candidates: new Candidates(certificate, this.#sources, this.#options.time, this.#effort),
      purposes: narrowPurposes(certificate, purposes),
      below,
      tried: false,
    }
  }

  /** Loops are cut by name and key: RFC 4158 §2.4.2. An anchor may be the same CA as the target (a re-issued one), as nothing follows it. */
  #isOnPath(issuer: Issuer, chain: readonly Issuer[]): boolean {
    for (const other of chain) if (issuer.isSameCa(other)) return true
    const { subject, subjectPublicKeyInfo } = this.#target.tbsCertificate
    return (
      issuer.anchor === undefined &&
      bytesEqual(issuer.subjectPublicKeyInfo.der, subjectPublicKeyInfo.der) &&
      issuer.nameKey === nameKey(subject)
    )
  }

  /** A certificate that is its own anchor proves nothing by a path: that is pinning, which takes an option. */
  #isTarget(issuer: Issuer): boolean {
    return (
      issuer.anchor !== undefined &&
      issuer.certificate !== undefined &&
      bytesEqual(issuer.certificate.der, this.#target.der)
    )
  }

  /** Nobody issued the last certificate of the chain, as far as we know. */
  #nobody(chain: readonly Issuer[]): PathFailure {
    const last = chain.at(-1)?.certificate ?? this.#target
    const { issuer, subject, extensions } = last.tbsCertificate
    const index = chain.length
    const keyIdentifier = extensions.authorityKeyIdentifier?.keyIdentifier
    const selfIssued = bytesEqual(issuer.der, subject.der)
    return selfIssued && (index > 0 || extensions.basicConstraints?.cA === true)
      ? { code: 'root-not-trusted', index, subject }
      : { code: 'issuer-unknown', index, issuer, keyIdentifier }
  }

  #record(
    chain: readonly Issuer[],
    issuer: Issuer | undefined,
    failure: PathFailure | F,
  ): Attempt<PathFailure | F> {
    const certificates = [this.#target]
    for (const { certificate } of chain)
      if (certificate !== undefined) certificates.push(certificate)
    if (issuer?.certificate !== undefined && issuer.anchor === undefined)
      certificates.push(issuer.certificate)
    const attempt = { certificates, anchor: issuer?.anchor, failure }
    if (this.#attempts.length < maxAttempts) this.#attempts.push(attempt)
    else this.#omitted++
    if (isMoreTelling(attempt, this.#best)) this.#best = attempt
    return attempt
  }

  #exhausted(chain: readonly Issuer[]): PathResult<F> {
    const failure: PathFailure = { code: 'budget-exhausted', of: 'candidates' }
    this.#record(chain, undefined, failure)
    return this.refuse(failure)
  }

  #refused(): PathResult<F> {
    // Every search that ends without a path has recorded why.
    return this.refuse(((this.#notAccepted ?? this.#best) as Attempt<PathFailure | F>).failure)
  }

  #summary(): Attempts<F> {
    return { list: this.#attempts, omitted: this.#omitted }
  }
}

/** Local limit: what a person can read and a log can hold. */
const maxAttempts = 100
/** Local limit on the whole path, self-issued certificates included, which `maxIntermediates` does not count. */
const maxPathCertificates = 128
/** Local limit: some milliseconds of looking through namesakes. Ten thousand of them are gone through four times without reaching it. */
const maxLooks = 200_000
