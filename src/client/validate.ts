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
import { KillCheck, type KillFailure } from '../revocation/kill-list-check.ts'
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
  const kills = killList && new KillCheck(killList, time)
  if (kills !== undefined) {
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
  const result = yield* buildPath(target, options, accepting(kills, acls))
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
  const from = kills === undefined ? validFrom : Math.max(validFrom, kills.from)
  const until = acls === undefined ? validUntil : Math.min(validUntil, acls.expires)
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
    warnings: allWarnings(presented, result.path.warnings, prepared),
    attempts,
  }
}

/** What a valid path must pass besides; `undefined`: nothing. */
function accepting(
  kills: KillCheck | undefined,
  acls: Acls | undefined,
): Accept<KillFailure | AclFailure> | undefined {
  if (kills === undefined) return acls && ((found) => acls.decide(found))
  return function* (found) {
    const refusal = (yield* kills.path(found)) ?? (acls && (yield* acls.decide(found)))
    // Answers may have taken their time, and what was added meanwhile counts.
    return refusal ?? (kills.isOutdated ? yield* kills.path(found) : undefined)
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
): readonly Warning[] {
  const { issuers, unreadable } = presented
  if (issuers.length + unreadable.length + ofPath.length + aclWarnings.length === 0) {
    return onlyNotChecked
  }
  return [...presentedWarnings(presented), notChecked, ...ofPath, ...aclWarnings]
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
const notVerified: Warning = { code: 'certificate-not-verified' }
