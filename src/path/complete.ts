/** The rules that need the whole path, on one candidate: names, policies, signatures. RFC 5280 §6.1.2 to RFC 5280 §6.1.5. @module */

import { bytesEqual } from '../base/bytes.ts'
import type { Answers, Steps } from '../effect/effect.ts'
import { describeKey, inheritDsaParameters } from '../x509/algorithms.ts'
import type { Certificate, KeyDescription, SubjectPublicKeyInfo } from '../x509/certificate.ts'
import type { Budget } from './budget.ts'
import type { PathFailure } from './failure.ts'
import type { Issuer } from './issuer.ts'
import {
  applyNameConstraints,
  checkNameConstraints,
  initialNameConstraints,
} from './name-constraints.ts'
import type { PathOptions } from './options.ts'
import {
  finishPolicies,
  type PolicyOutcome,
  preparePolicies,
  processAnchorPolicies,
  processPolicies,
  startPolicies,
} from './policies.ts'
import { mustBeSelfSigned } from './profile.ts'
import { narrowPurposes, type PurposeWarning, wantedPurposes, warnOfAnyPurpose } from './purpose.ts'
import { askSignature, checkSignature, judgeSignature } from './signature.ts'
import type { TrustAnchor } from './trust-anchor.ts'

declare const validated: unique symbol

/** A path on which every rule held. Only `completePath` makes one. */
export interface ValidatedPath {
  readonly [validated]: true
  /** The target first; the last one is signed by the anchor. */
  readonly certificates: readonly Certificate[]
  readonly anchor: TrustAnchor
  /** Under which key each certificate's signature was checked, inherited parameters included. RFC 5280 §6.1.4 (d)-(f) */
  readonly workingKeys: readonly WorkingKey[]
  readonly policies: PolicyOutcome
  /** Unix seconds, both inclusive: the tightest of the validity periods that counted, tolerance included. */
  readonly validFrom: number
  readonly validUntil: number
  readonly warnings: readonly PurposeWarning[]
}

/** A signature that this search has judged already: another candidate path often holds the same pair. */
export interface CheckedSignature {
  readonly certificate: Certificate
  readonly spki: Uint8Array
  readonly failure: PathFailure | undefined
}

type Refused = { readonly failure: PathFailure }

/**
 * Judges one candidate whose certificates have passed the rules that look at one certificate.
 *
 * @param chain - The intermediates, the target's issuer first.
 * @param checked - Signatures judged so far; grows.
 */
export function* completePath(
  target: Certificate,
  chain: readonly Issuer[],
  anchor: Issuer,
  options: PathOptions,
  budget: Budget,
  checked: CheckedSignature[],
): Steps<ValidatedPath | Refused> {
  const certificates = [target]
  for (const { certificate } of chain) certificates.push(certificate as Certificate)
  const failure = checkNames(target, chain, anchor, options, budget)
  if (failure !== undefined) return { failure }
  const policies = checkPolicies(target, chain, anchor, options, budget)
  if ('failure' in policies) return policies
  const keys = workingKeys(chain, anchor)
  const signatures = yield* checkSignatures(
    certificates,
    chain,
    anchor,
    keys,
    options,
    budget,
    checked,
  )
  if (signatures !== undefined) return { failure: signatures }
  const unfounded = yield* checkSelfSigned(anchor, chain.length + 1, options, budget)
  if (unfounded !== undefined) return { failure: unfounded }
  return {
    certificates,
    anchor: anchor.anchor as TrustAnchor,
    workingKeys: keys,
    policies,
    ...period(certificates, anchor, options),
    warnings: collectWarnings(certificates, anchor, options),
  } as unknown as ValidatedPath
}

/** RFC 5280 §6.1.3 (b), (c) and RFC 5280 §6.1.4 (g), from the anchor down. */
function checkNames(
  target: Certificate,
  chain: readonly Issuer[],
  anchor: Issuer,
  options: PathOptions,
  budget: Budget,
): PathFailure | undefined {
  const anchored = options.anchorChecks.constraints ? constraintsOf(anchor) : undefined
  const added = anchor.anchor?.constraints?.nameConstraints
  if (anchored === undefined && added === undefined && !chain.some(constraintsOf)) return undefined
  const state = initialNameConstraints()
  const top = chain.length + 1
  for (const constraints of [added, anchored]) {
    const failure = constraints && applyNameConstraints(state, constraints, options.profile)
    if (failure !== undefined) return { ...failure, index: top }
  }
  for (let i = chain.length - 1; i >= 0; i--) {
    const issuer = chain[i] as Issuer
    const constraints = constraintsOf(issuer)
    const failure =
      (issuer.selfIssued
        ? undefined
        : checkNameConstraints(state, issuer.certificate as Certificate, budget)) ??
      (constraints && applyNameConstraints(state, constraints, options.profile))
    if (failure !== undefined) return { ...failure, index: i + 1 }
  }
  const failure = checkNameConstraints(state, target, budget)
  return failure && { ...failure, index: 0 }
}

function constraintsOf({ certificate }: Issuer) {
  return certificate?.tbsCertificate.extensions.nameConstraints
}

/** RFC 5280 §6.1.3 (d)-(f), RFC 5280 §6.1.4 (a), (b), (h)-(j) and RFC 5280 §6.1.5 (a), (b), (g). */
function checkPolicies(
  target: Certificate,
  chain: readonly Issuer[],
  anchor: Issuer,
  options: PathOptions,
  budget: Budget,
): PolicyOutcome | Refused {
  const state = startPolicies(options.policies, budget)
  const top = chain.length + 1
  if (anchor.certificate !== undefined && options.anchorChecks.constraints) {
    const failure = processAnchorPolicies(state, anchor.certificate, top, anchor.selfIssued)
    if (failure !== undefined) return { failure }
  }
  for (let i = chain.length - 1; i >= 0; i--) {
    const { certificate, selfIssued } = chain[i] as Issuer
    const failure =
      processPolicies(state, certificate as Certificate, i + 1, selfIssued) ??
      preparePolicies(state, certificate as Certificate, i + 1, selfIssued)
    if (failure !== undefined) return { failure }
  }
  const failure = processPolicies(state, target, 0, false)
  if (failure !== undefined) return { failure }
  const outcome = finishPolicies(state, target)
  return outcome.ok ? outcome.value : { failure: outcome.failure }
}

/**
 * RFC 5280 §6.1.3 (a)(1). The target first, because a CA of the right name and the wrong key is common and then costs one check;
 * then from the anchor down, so that nothing is remembered of certificates that do not chain to it.
 */
function* checkSignatures(
  certificates: readonly Certificate[],
  chain: readonly Issuer[],
  anchor: Issuer,
  keys: readonly WorkingKey[],
  options: PathOptions,
  budget: Budget,
  checked: CheckedSignature[],
): Steps<PathFailure | undefined> {
  const isPinned =
    anchor.certificate !== undefined &&
    bytesEqual(anchor.certificate.der, (certificates[0] as Certificate).der)
  if (isPinned && options.pinnedTarget === 'accept') return undefined
  const last = certificates.length - 1
  for (let turn = 0; turn <= last; turn++) {
    const index = turn === 0 ? 0 : last - turn + 1
    const certificate = certificates[index] as Certificate
    const { spki, key } = keys[index] as WorkingKey
    const issuer = index === 0 ? undefined : chain[index - 1]
    const known = checked.find(
      (one) => one.certificate === certificate && bytesEqual(one.spki, spki.der),
    )
    if (known !== undefined) {
      if (known.failure !== undefined) return { ...known.failure, index } as PathFailure
      continue
    }
    const question = askSignature({
      algorithm: certificate.signatureAlgorithm,
      data: certificate.tbsCertificate.der,
      signature: certificate.signatureValue,
      spki,
      key,
      policy: options.algorithms,
      memorable: index > 0,
      isVerified: issuer?.verifiedUnder === spki,
      budget,
    })
    const failure =
      question === undefined || 'code' in question
        ? question
        : judgeSignature(question, (yield question) as Answers['verifySignature'])
    if (failure === undefined && issuer !== undefined) issuer.verifiedUnder = spki
    const indexed = failure && { ...failure, index }
    checked.push({ certificate, spki: spki.der, failure: indexed })
    if (indexed !== undefined) return indexed
  }
  return undefined
}

/** Profile `rfc5280` alone; the signature of an anchor is never judged for trust. */
function* checkSelfSigned(
  { certificate, subjectPublicKeyInfo, key }: Issuer,
  index: number,
  { profile, anchorChecks, algorithms }: PathOptions,
  budget: Budget,
): Steps<PathFailure | undefined> {
  if (profile !== 'rfc5280' || !anchorChecks.constraints || certificate === undefined)
    return undefined
  if (!mustBeSelfSigned(certificate)) return undefined
  const failure = yield* checkSignature({
    algorithm: certificate.signatureAlgorithm,
    data: certificate.tbsCertificate.der,
    signature: certificate.signatureValue,
    spki: subjectPublicKeyInfo,
    key,
    policy: algorithms,
    memorable: true,
    budget,
  })
  return failure && { code: 'authority-key-identifier-missing', index }
}

/** The key of an issuer, and its description. */
export interface WorkingKey {
  readonly spki: SubjectPublicKeyInfo
  readonly key: KeyDescription
}

/** working_public_key and its parameters for each certificate of the path. RFC 5280 §6.1.4 (d)-(f) */
function workingKeys(chain: readonly Issuer[], anchor: Issuer): readonly WorkingKey[] {
  const keys: WorkingKey[] = []
  let above: SubjectPublicKeyInfo | undefined
  for (let i = chain.length; i >= 0; i--) {
    const issuer = i === chain.length ? anchor : (chain[i] as Issuer)
    let { subjectPublicKeyInfo: spki, key } = issuer
    const inherited = above?.algorithm.parameters
    if (
      key.kind === 'DSA' &&
      !key.hasParameters &&
      inherited !== undefined &&
      above?.algorithm.algorithm === spki.algorithm.algorithm
    ) {
      spki = inheritDsaParameters(spki, inherited)
      key = describeKey(spki)
    }
    above = spki
    keys[i] = { spki, key }
  }
  return keys
}

function period(
  certificates: readonly Certificate[],
  anchor: Issuer,
  options: PathOptions,
): { readonly validFrom: number; readonly validUntil: number } {
  const counts = options.anchorChecks.validity
  let validFrom = counts ? anchor.notBefore : Number.NEGATIVE_INFINITY
  let validUntil = counts ? anchor.notAfter : Number.POSITIVE_INFINITY
  for (const { tbsCertificate } of certificates) {
    const { notBefore, notAfter } = tbsCertificate.validity
    if (notBefore > validFrom) validFrom = notBefore
    if (notAfter < validUntil) validUntil = notAfter
  }
  return {
    validFrom: validFrom - options.clockTolerance,
    validUntil: validUntil + options.clockTolerance,
  }
}

function collectWarnings(
  certificates: readonly Certificate[],
  anchor: Issuer,
  options: PathOptions,
): readonly PurposeWarning[] {
  const top = options.anchorChecks.constraints ? anchor.certificate : undefined
  let held = wantedPurposes(options.purpose, options.acceptedPurposes)
  for (const certificate of certificates) held = narrowPurposes(certificate, held)
  if (top !== undefined) held = narrowPurposes(top, held)
  let warnings: readonly PurposeWarning[] | undefined
  for (let index = 0; index <= certificates.length; index++) {
    const certificate = index === certificates.length ? top : certificates[index]
    const warning = certificate && warnOfAnyPurpose(certificate, index, held)
    if (warning !== undefined) warnings = [...(warnings ?? noWarnings), warning]
  }
  return warnings ?? noWarnings
}

const noWarnings: readonly PurposeWarning[] = []
