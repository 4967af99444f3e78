/** The steps of `validateClientCertificate`: read, find a path, hold it against the ACLs, say who it is. @module */

import { decider } from '../acl/decider.ts'
import type {
  AclFailure,
  AclPath,
  ClientAclDecision,
  IssuerAcl,
  IssuerAclDecision,
} from '../acl/index.ts'
import { ask, type Steps } from '../effect/effect.ts'
import { type Accept, buildPath, type Refusal } from '../path/build.ts'
import type { ValidatedPath } from '../path/complete.ts'
import type { Issuer } from '../path/issuer.ts'
import { IssuerIndex } from '../path/issuer-index.ts'
import type { PathOptions } from '../path/options.ts'
import {
  checkRevocation,
  type Effort,
  type RevocationFailure,
  type RevocationOutcome,
  startEffort,
} from '../revocation/check.ts'
import type { KillFailure, KillQuestions } from '../revocation/kill-lists.ts'
import type { PreparedRevocation } from '../revocation/rule.ts'
import type { CertificateStatus } from '../revocation/status.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { PresentedSource } from './certificate-source.ts'
import type { Failure } from './failure.ts'
import { Identity } from './identity.ts'
import type { Prepared } from './options.ts'
import { type Presented, readPresented } from './presented.ts'
import type { Refused, Verdict, Warning } from './verdict.ts'

/**
 * Decides about one client certificate.
 *
 * @param time - Unix time in whole seconds.
 */
export function* validateSteps(
  source: PresentedSource,
  prepared: Prepared,
  time: number,
): Steps<Verdict> {
  const { path } = prepared
  const read = readPresented(source, path === undefined ? [] : path.sources, prepared.memory.octets)
  if (!read.ok) return refused(read.failure)
  const presented = read.value
  const { killList } = prepared
  const kills = killList?.ask(time)
  if (kills !== undefined && !kills.isIdle) {
    const failure = yield* kills.target(presented.target)
    if (failure !== undefined) {
      const warnings = path === undefined ? [notVerified, notChecked] : presentedWarnings(presented)
      return { ...refused(failure), presented: presented.target, warnings }
    }
  }
  if (path === undefined) return yield* decideUnverified(presented.target, prepared, time)
  const acls = prepared.hasAcl ? new Acls(prepared, presented, time) : undefined
  const { target } = presented
  const options = pathOptions(path, presented, time)
  const revocation = prepared.revocation && new Statuses(prepared.revocation, options)
  const result = yield* buildPath(target, options, accepting(kills, acls, revocation))
  const { list: attempts, omitted } = result.attempts
  if (!result.ok) {
    const warnings = presentedWarnings(presented)
    return {
      ok: false,
      failure: result.failure,
      attempts,
      attemptsOmitted: omitted,
      presented: target,
      warnings,
    }
  }
  const { certificates, anchor, policies, validFrom, validUntil } = result.path
  let from = kills === undefined ? validFrom : Math.max(validFrom, kills.from)
  let until = acls === undefined ? validUntil : Math.min(validUntil, acls.expires)
  const found = revocation?.outcome
  if (found !== undefined) {
    from = Math.max(from, found.from)
    until = Math.min(until, found.until)
  }
  const identity = yield* identify(result.path)
  return {
    ok: true,
    verified: true,
    path: certificates,
    anchor,
    issuer: identity.issuer,
    identity,
    policies,
    validFrom: new Date(from * 1000),
    validUntil: new Date(until * 1000),
    revocation: found?.statuses ?? noStatuses,
    warnings: allWarnings(presented, result.path.warnings, prepared, found?.statuses),
    attempts,
  }
}

/** What a valid path must pass besides; `undefined`: nothing. Revocation comes last: it may ask for something to be fetched. */
function accepting(
  kills: KillQuestions | undefined,
  acls: Acls | undefined,
  revocation: Statuses | undefined,
): Accept<KillFailure | AclFailure | RevocationFailure> | undefined {
  if (kills === undefined && revocation === undefined) {
    return acls && ((found) => acls.decide(found))
  }
  // No generator function of its own: a new one for each client costs more than what it does.
  return (found) => acceptAfter(found, kills, acls, revocation)
}

function* acceptAfter(
  found: ValidatedPath,
  kills: KillQuestions | undefined,
  acls: Acls | undefined,
  revocation: Statuses | undefined,
): Steps<Refusal<KillFailure | AclFailure | RevocationFailure> | undefined> {
  const refusal =
    (kills?.isIdle === false ? yield* kills.path(found) : undefined) ??
    (acls && (yield* acls.decide(found))) ??
    (revocation && (yield* revocation.decide(found)))
  // Answers may have taken their time, and what was added meanwhile counts.
  return refusal ?? (kills?.isOutdated ? yield* kills.path(found) : undefined)
}

/** The revocation statuses of each path that the search finds valid. */
class Statuses {
  readonly #prepared: PreparedRevocation
  readonly #options: PathOptions
  readonly #effort: Effort = startEffort()
  /** Of the path that was looked at last. */
  outcome: RevocationOutcome | undefined

  constructor(prepared: PreparedRevocation, options: PathOptions) {
    this.#prepared = prepared
    this.#options = options
  }

  *decide(path: ValidatedPath): Steps<Refusal<RevocationFailure> | undefined> {
    this.outcome = yield* checkRevocation(path, this.#prepared, this.#options, this.#effort)
    return this.outcome.refusal
  }
}

/** Written out, because it is made for every client: a spread of so many fields costs more than reading the certificate's names. */
function pathOptions(
  path: NonNullable<Prepared['path']>,
  { issuers }: Presented,
  time: number,
): PathOptions {
  return {
    anchors: path.anchors,
    intermediates: issuers.length === 0 ? path.known : [new IssuerIndex(issuers), ...path.known],
    time,
    clockTolerance: path.clockTolerance,
    profile: path.profile,
    algorithms: path.algorithms,
    anchorChecks: path.anchorChecks,
    purpose: path.purpose,
    acceptedPurposes: path.acceptedPurposes,
    expectedPeerNames: path.expectedPeerNames,
    maxIntermediates: path.maxIntermediates,
    budget: path.budget,
    policies: path.policies,
    pinnedTarget: path.pinnedTarget,
  }
}

/** The ACLs on each path that the search finds valid. */
class Acls {
  readonly #prepared: Prepared
  readonly #presented: Presented
  readonly #time: number
  /** The last second for which the answers on the accepted path stand. */
  expires: number = Number.POSITIVE_INFINITY

  constructor(prepared: Prepared, presented: Presented, time: number) {
    this.#prepared = prepared
    this.#presented = presented
    this.#time = time
  }

  *decide({ certificates, anchor }: ValidatedPath): Steps<Refusal<AclFailure> | undefined> {
    const { issuerAcl, clientAcl } = this.#prepared
    if (issuerAcl === undefined && clientAcl === undefined) return undefined
    const path: AclPath = {
      certificates,
      anchor: {
        name: anchor.name,
        spki: anchor.subjectPublicKeyInfo.der,
        certificate: anchor.certificate,
      },
    }
    this.expires = Number.POSITIVE_INFINITY
    if (clientAcl !== undefined) {
      const decision = yield* clientAcl[decider].decide(path, this.#time)
      // The client itself is denied, whichever way its path goes.
      if (!decision.allowed) {
        return { failure: failureOf(decision), definite: decision.code === 'client-denied' }
      }
      this.#narrow(decision.expires)
    }
    if (issuerAcl !== undefined) {
      for (const acl of yield* this.#widened(issuerAcl)) {
        const decision = yield* acl[decider].decide(path, this.#time)
        if (!decision.allowed) return { failure: failureOf(decision), definite: false }
        this.#narrow(decision.expires)
      }
    }
    return undefined
  }

  #narrow(expires: number | undefined): void {
    if (expires !== undefined && expires < this.expires) this.expires = expires
  }

  /**
   * A CA that is denied by the hash of one certificate is denied under every other certificate that we know of. What is configured
   * is looked at once; what this client sent makes an ACL of its own, and both must allow.
   */
  *#widened(acl: IssuerAcl): Steps<readonly IssuerAcl[]> {
    const { path, memory } = this.#prepared
    if (memory.widenedAcl === undefined) {
      const known = path === undefined ? [] : path.sources
      memory.widenedAcl = yield* acl[decider].widen(
        certificatesOf(known.flatMap(({ issuers }) => issuers)),
      )
    }
    const { issuers } = this.#presented
    const sent = issuers.length === 0 ? acl : yield* acl[decider].widen(certificatesOf(issuers))
    return sent === acl ? [memory.widenedAcl] : [memory.widenedAcl, sent]
  }
}

/** The facts of a refusal without what only a decision has. */
function failureOf(
  decision: Extract<IssuerAclDecision | ClientAclDecision, { allowed: false }>,
): AclFailure {
  return 'entry' in decision
    ? ({ code: decision.code, entry: decision.entry } as AclFailure)
    : { code: decision.code }
}

function certificatesOf(issuers: readonly Issuer[]): readonly Certificate[] {
  return issuers.flatMap(({ certificate }) => (certificate === undefined ? [] : [certificate]))
}

/** The switch `validateCertificate` is off: what the client claims, held against the ACL if there is one. */
function* decideUnverified(
  target: Certificate,
  { issuerAcl }: Prepared,
  time: number,
): Steps<Verdict> {
  if (issuerAcl === undefined) {
    return { ok: true, verified: false, presented: target, warnings: [notVerified, notChecked] }
  }
  const warnings: Warning[] = [notVerified, { code: 'issuer-not-verified' }, notChecked]
  const decision = yield* issuerAcl[decider].decideUnverified(target, time)
  return decision.allowed
    ? { ok: true, verified: false, presented: target, warnings }
    : { ...refused(failureOf(decision)), presented: target, warnings }
}

function* identify({ certificates, anchor }: ValidatedPath): Steps<Identity> {
  const [target, above] = certificates as readonly [Certificate, Certificate | undefined]
  const { subjectPublicKeyInfo } = target.tbsCertificate
  const issuer = above?.tbsCertificate
  const issuerKey = (issuer ?? anchor).subjectPublicKeyInfo
  const digests = yield* ask({
    op: 'digestsWhenRead',
    hash: 'SHA-256',
    data: [target.der, subjectPublicKeyInfo.der, issuerKey.der],
  })
  return new Identity(target, issuer?.subject ?? anchor.name, anchor, digests)
}

function allWarnings(
  presented: Presented,
  ofPath: readonly Warning[],
  { aclWarnings }: Prepared,
  statuses: readonly CertificateStatus[] | undefined,
): readonly Warning[] {
  const { issuers, unreadable } = presented
  const ofStatuses = statuses === undefined ? onlyNotChecked : statusWarnings(statuses)
  if (issuers.length + unreadable.length + ofPath.length + aclWarnings.length === 0) {
    return ofStatuses
  }
  return [...presentedWarnings(presented), ...ofStatuses, ...ofPath, ...aclWarnings]
}

/** What the operator's rule let pass without an answer. */
function statusWarnings(statuses: readonly CertificateStatus[]): readonly Warning[] {
  let warnings: Warning[] | undefined
  for (const status of statuses) {
    const { index } = status
    const code =
      status.status === 'unknown'
        ? 'revocation-unknown'
        : status.status === 'good' && status.stale
          ? 'revocation-stale'
          : undefined
    if (code !== undefined) {
      warnings ??= []
      warnings.push({ code, index })
    } else if (status.status === 'not-checked' && status.because === 'mode-none') {
      warnings ??= []
      if (!warnings.includes(notChecked)) warnings.push(notChecked)
    }
  }
  return warnings ?? noWarnings
}

function presentedWarnings({ issuers, unreadable }: Presented): readonly Warning[] {
  const warnings: Warning[] = unreadable.map((index) => ({ code: 'presented-unreadable', index }))
  for (const { certificate } of issuers) {
    if (
      certificate !== undefined &&
      certificate.tbsCertificate.extensions.basicConstraints?.cA !== true
    ) {
      warnings.push({ code: 'presented-not-a-ca', certificate })
    }
  }
  return warnings
}

function refused(failure: Failure): Refused {
  return {
    ok: false,
    failure,
    attempts: [],
    attemptsOmitted: 0,
    presented: undefined,
    warnings: [],
  }
}

const notChecked: Warning = { code: 'revocation-not-checked' }
const onlyNotChecked: readonly Warning[] = [notChecked]
const noWarnings: readonly Warning[] = []
const noStatuses: readonly CertificateStatus[] = []
const notVerified: Warning = { code: 'certificate-not-verified' }
