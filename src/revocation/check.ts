/** The revocation status of a validated path: every certificate below the anchor, and whoever signs the lists about them. @module */

import { bytesEqual } from '../base/bytes.ts'
import { ask, type Steps } from '../effect/effect.ts'
import { defaultBudget } from '../path/budget.ts'
import { buildPath, type Refusal } from '../path/build.ts'
import type { ValidatedPath, WorkingKey } from '../path/complete.ts'
import { Issuer } from '../path/issuer.ts'
import { IssuerIndex } from '../path/issuer-index.ts'
import type { PathOptions } from '../path/options.ts'
import type { SignatureBudget } from '../path/signature.ts'
import type { Certificate } from '../x509/certificate.ts'
import { nameKey, namesMatch } from '../x509/name-match.ts'
import type { Finding } from './context.ts'
import type { CrlAnswers } from './crl-answers.ts'
import type { CrlContext, CrlSigner } from './crl-signature.ts'
import type { HeldCrl } from './held-crl.ts'
import type { OcspAnswers } from './ocsp-answers.ts'
import type { IssuerRule, PreparedRevocation } from './rule.ts'
import type { CertificateStatus, RevokedStatus, StatusIssuer, StatusProblem } from './status.ts'

export type RevocationFailure =
  | ({ readonly code: 'certificate-revoked'; readonly statuses: Statuses } & Omit<
      RevokedStatus,
      'status'
    >)
  | {
      readonly code: 'revocation-unknown'
      readonly statuses: Statuses
      readonly index: number
      /** Why each list and response at hand does not count, or what was not there. */
      readonly problems: readonly StatusProblem[]
    }

/** For each certificate of the path, the target first. */
type Statuses = readonly CertificateStatus[]

export interface RevocationOutcome {
  readonly statuses: Statuses
  /** Unix seconds between which the statuses hold, if nothing new is learned. */
  readonly from: number
  readonly until: number
  readonly refusal: Refusal<RevocationFailure> | undefined
}

/**
 * Decides about the path that was found.
 *
 * @param effort - Of the whole validation; counts down.
 */
export function checkRevocation(
  path: ValidatedPath,
  prepared: PreparedRevocation,
  options: PathOptions,
  effort: Effort,
): Steps<RevocationOutcome> {
  return prepared.material.request === undefined
    ? new RevocationCheck(path, prepared, options, effort).run()
    : checkProvided(path, prepared, options, effort)
}

/** What is missing is asked for; whether anybody waits for it is the operator's rule. */
function* checkProvided(
  path: ValidatedPath,
  prepared: PreparedRevocation,
  options: PathOptions,
  effort: Effort,
): Steps<RevocationOutcome> {
  const outcome = yield* new RevocationCheck(path, prepared, options, effort).run()
  const fetching = request(outcome.statuses, path, prepared)
  // Of all paths together, or each would cost the client's patience, and ours, anew.
  const left = prepared.wait - effort.waited
  // Only what is unknown is worth waiting for; a revoked certificate stays so, whatever else is fetched.
  const isOpen = outcome.statuses.some(({ status }) => status === 'unknown')
  if (left <= 0 || fetching.length === 0 || !isOpen) return outcome
  if (outcome.refusal?.failure.code === 'certificate-revoked') return outcome
  const waited = yield* ask({ op: 'wait', until: fetching, milliseconds: left })
  effort.waited += waited ?? 0
  return yield* new RevocationCheck(path, prepared, options, effort).run()
}

/** Tells the provider what was missing, or counted only because the rule lets it. */
function request(
  statuses: readonly CertificateStatus[],
  path: ValidatedPath,
  { material, rule, perIssuer }: PreparedRevocation,
): readonly Promise<void>[] {
  const fetching: Promise<void>[] = []
  if (material.request === undefined) return fetching
  for (const status of statuses) {
    if (status.status !== 'unknown' && !(status.status === 'good' && status.stale)) continue
    const { index } = status
    const issuer = issuerAt(path, index)
    const { mode } = perIssuer.get(nameKey(issuer.name)) ?? rule
    const begun = material.request({
      certificate: path.certificates[index] as Certificate,
      issuer,
      crl: mode !== 'ocsp',
      ocsp: mode !== 'crl',
    })
    if (begun === undefined) continue
    // What comes of it is learned from what is there afterwards, whether or not anybody waits.
    begun.catch(() => undefined)
    fetching.push(begun)
  }
  return fetching
}

class RevocationCheck {
  readonly #path: ValidatedPath
  readonly #prepared: PreparedRevocation
  readonly #options: PathOptions
  readonly #crls: CrlAnswers | undefined
  readonly #responses: OcspAnswers | undefined
  readonly #effort: Effort
  /** Of the rule that was asked for last: most operators have one. */
  #context: CrlContext | undefined
  #contextRule: IssuerRule | undefined
  /** Of certificates that are not on the path. */
  #aside: Map<Certificate, AsideStatus> | undefined
  /** Of the same certificates, on paths of their own. */
  #positions: Map<Certificate, PathPosition> | undefined
  #pending = 0
  /** Of issuers of lists, to the anchor of the path; `undefined` as value: there is none. */
  #paths: Map<Certificate, ValidatedPath | undefined> | undefined
  /** Where those paths lead. */
  #above: Pick<PathOptions, 'anchors' | 'intermediates'> | undefined

  constructor(
    path: ValidatedPath,
    prepared: PreparedRevocation,
    options: PathOptions,
    effort: Effort,
  ) {
    this.#path = path
    this.#prepared = prepared
    this.#options = options
    this.#effort = effort
    // Read once: a provider may put others in their place while an answer is awaited.
    this.#crls = prepared.material.crls
    this.#responses = prepared.material.responses
  }

  *run(): Steps<RevocationOutcome> {
    const { certificates } = this.#path
    const statuses: CertificateStatus[] = []
    let from = Number.NEGATIVE_INFINITY
    let until = Number.POSITIVE_INFINITY
    let refusal: Refusal<RevocationFailure> | undefined
    for (let index = 0; index < certificates.length; index++) {
      const certificate = certificates[index] as Certificate
      const issuer = issuerAt(this.#path, index)
      const rule = this.#ruleOf(issuer)
      const skipped = this.#whyNotChecked(certificate, index, rule)
      const isLookedAt = skipped === undefined || skipped === 'no-rev-avail'
      const finding = isLookedAt ? yield* this.#find(certificate, issuer, rule) : undefined
      if (finding?.status === 'revoked') {
        const { status, ...facts } = finding
        statuses.push({ status, index, ...facts })
        const failure = { code: 'certificate-revoked', index, ...facts, statuses } as const
        if (refusal?.failure.code !== 'certificate-revoked') {
          // No other path brings the target back; a CA that is revoked may have another certificate.
          refusal = { failure, definite: index === 0 }
        }
      } else if (skipped !== undefined && !isSuspected(finding)) {
        statuses.push({ status: 'not-checked', index, because: skipped })
        // A list that is heard all the same may say something else later.
        if (finding !== undefined) until = Math.min(until, finding.until)
      } else if (finding?.status === 'good') {
        const { evidence, stale } = finding
        statuses.push({ status: 'good', index, evidence, stale })
        from = Math.max(from, finding.from)
        until = Math.min(until, finding.until)
      } else if (finding !== undefined) {
        const { problems } = finding
        statuses.push({ status: 'unknown', index, problems })
        until = Math.min(until, finding.until)
        if (rule.onUnknown === 'deny' || isSuspected(finding)) {
          const failure = { code: 'revocation-unknown', index, problems, statuses } as const
          refusal ??= { failure, definite: false }
        }
      }
    }
    return { statuses, from, until, refusal }
  }

  #ruleOf({ name }: StatusIssuer): IssuerRule {
    const { rule, perIssuer } = this.#prepared
    return (perIssuer.size > 0 && perIssuer.get(nameKey(name))) || rule
  }

  #whyNotChecked(
    certificate: Certificate,
    index: number,
    rule: IssuerRule,
  ): Extract<CertificateStatus, { status: 'not-checked' }>['because'] | undefined {
    if (rule.mode === 'none') return 'mode-none'
    if (index > 0 && this.#prepared.depth === 'target') return 'depth'
    const { der, tbsCertificate } = certificate
    const anchor = this.#path.anchor.certificate
    if (index === 0 && anchor !== undefined && bytesEqual(anchor.der, der)) return 'trust-anchor'
    const { noRevAvail, basicConstraints } = tbsCertificate.extensions
    // RFC 9608 §4 excepts end entities alone; a list that names one all the same is heard.
    return noRevAvail !== undefined && basicConstraints?.cA !== true ? 'no-rev-avail' : undefined
  }

  #find(certificate: Certificate, issuer: StatusIssuer, rule: IssuerRule): Steps<Finding> {
    const context = this.#contextOf(rule)
    switch (rule.mode) {
      case 'crl':
        return this.#findByCrl(certificate, issuer, context)
      case 'ocsp':
        return this.#findByOcsp(certificate, issuer, context)
      default:
        return this.#findByEither(certificate, issuer, context)
    }
  }

  // `prepareRevocation` sees to it that there is what a rule looks at.
  #findByCrl(certificate: Certificate, issuer: StatusIssuer, context: CrlContext): Steps<Finding> {
    return (this.#crls as CrlAnswers).statusOf(certificate, issuer, context)
  }

  #findByOcsp(certificate: Certificate, issuer: StatusIssuer, context: CrlContext): Steps<Finding> {
    return (this.#responses as OcspAnswers).statusOf(certificate, issuer, context, (delegate, ca) =>
      this.#isRevoked(delegate, ca, this.#positionOf(certificate)),
    )
  }

  *#findByEither(
    certificate: Certificate,
    issuer: StatusIssuer,
    context: CrlContext,
  ): Steps<Finding> {
    const byCrl = yield* this.#findByCrl(certificate, issuer, context)
    if (byCrl.status === 'revoked') return byCrl
    return combine(byCrl, yield* this.#findByOcsp(certificate, issuer, context))
  }

  #contextOf(rule: IssuerRule): CrlContext {
    if (this.#context === undefined || this.#contextRule !== rule) {
      const { time, clockTolerance, algorithms, profile } = this.#options
      this.#contextRule = rule
      this.#context = {
        // What was signed while we waited is not of the future.
        time: time + Math.ceil(this.#effort.waited / 1000),
        clockTolerance,
        maxAge: rule.maxAge,
        staleFor: rule.staleFor,
        algorithms,
        profile,
        budget: this.#effort,
        othersWhoSign: (held, about) => this.#othersWhoSign(held, about),
      }
    }
    return this.#context
  }

  /**
   * Whoever else has the name of the list's issuer and a path to the same anchor: RFC 5280 §6.3.3 (f). A name alone is little, so we ask
   * for more: whoever signs lists about a certificate is certified by its issuer or a CA above that, or any CA below the anchor could
   * unrevoke what another one has issued, and a revoked CA itself; and whoever is no CA has a key usage, where cRLSign is looked for.
   */
  *#othersWhoSign(held: HeldCrl, about: Certificate): Steps<readonly CrlSigner[]> {
    const position = this.#positionOf(about)
    const { issuer: name } = held.list.tbsCertList
    const { anchors, intermediates } = this.#options
    const signers: CrlSigner[] = []
    // What the client sent last: it must not crowd out what is known.
    const indexes = [anchors, ...[...intermediates].reverse()]
    for (const candidate of IssuerIndex.named(indexes, name).flat()) {
      const { certificate, anchor, subjectPublicKeyInfo, key } = candidate
      const issuer = { name: candidate.name, subjectPublicKeyInfo, key, certificate }
      if (anchor !== undefined) {
        if (anchor === this.#path.anchor) signers.push({ issuer })
      } else if (certificate !== undefined && maySignAside(certificate)) {
        const problem = yield* this.#whyNotTrusted(certificate, position)
        signers.push(problem === undefined ? { issuer } : { problem })
        if (problem?.code === 'status-limit') break
      }
    }
    return signers
  }

  #positionOf(certificate: Certificate): PathPosition {
    const aside = this.#positions?.get(certificate)
    return aside ?? { path: this.#path, index: this.#path.certificates.indexOf(certificate) }
  }

  /** Why the certificate of an issuer of lists does not count. */
  *#whyNotTrusted(signer: Certificate, position: PathPosition): Steps<StatusProblem | undefined> {
    const { certificates } = this.#path
    // What is on the path is checked there, and below the certificate it is in the hands of whom the list is about.
    const at = certificates.indexOf(signer)
    if (at > position.index && position.path === this.#path) return undefined
    const path = yield* this.#pathOf(signer)
    if (path === 'limit') return { code: 'status-limit', of: 'paths of issuers of lists' }
    if (path === undefined || !isAuthority(issuerAt(path, 0), position)) {
      return { code: 'crl-signer-unknown' }
    }
    for (let index = 0; index < path.certificates.length; index++) {
      const certificate = path.certificates[index] as Certificate
      if (certificates.includes(certificate)) break
      const issuer = issuerAt(path, index)
      const status = yield* this.#findAside(certificate, issuer, { path, index })
      if (status === 'revoked') return { code: 'crl-signer-revoked' }
      if (status === 'limit') return { code: 'status-limit', of: 'statuses of issuers of lists' }
      const mustBeKnown =
        this.#prepared.depth === 'path' && this.#ruleOf(issuer).onUnknown === 'deny'
      if (status === 'unknown' && mustBeKnown) return { code: 'crl-signer-status-unknown' }
    }
    return undefined
  }

  /** A path of an issuer of lists over CAs of the path that is checked: nobody else may certify one, and nothing that was sent may mislead. */
  *#pathOf(signer: Certificate): Steps<ValidatedPath | undefined | 'limit'> {
    this.#paths ??= new Map()
    if (this.#paths.has(signer)) return this.#paths.get(signer)
    if (--this.#effort.searches < 0) return 'limit'
    const { anchor, certificates } = this.#path
    this.#above ??= {
      anchors: new IssuerIndex([new Issuer(anchor.certificate, anchor)]),
      intermediates: [
        new IssuerIndex(certificates.slice(1).map((one) => new Issuer(one, undefined))),
      ],
    }
    const options: PathOptions = {
      ...this.#options,
      ...this.#above,
      purpose: 'any',
      acceptedPurposes: undefined,
      expectedPeerNames: undefined,
      policies: {},
      pinnedTarget: 'refuse',
    }
    const found = yield* withinEffort(buildPath(signer, options), this.#effort)
    if (found === undefined) return 'limit'
    if (!found.ok && found.failure.code === 'budget-exhausted') return 'limit'
    const path = found.ok ? found.path : undefined
    this.#paths.set(signer, path)
    return path
  }

  *#isRevoked(
    delegate: Certificate,
    issuer: StatusIssuer,
    position: PathPosition,
  ): Steps<boolean | 'limit'> {
    const status = yield* this.#findAside(delegate, issuer, position)
    return status === 'limit' ? status : status === 'revoked'
  }

  /**
   * The status of a certificate that is not on the path. One whose status is being found out counts as good meanwhile: a list may be about
   * its own signer, and what it says then decides. NIST PKITS says so (4.14.30), and no other rule.
   */
  *#findAside(
    certificate: Certificate,
    issuer: StatusIssuer,
    position: PathPosition,
  ): Steps<AsideStatus> {
    this.#aside ??= new Map()
    const known = this.#aside.get(certificate)
    if (known !== undefined) return known
    const rule = this.#ruleOf(issuer)
    const skipped = this.#whyNotChecked(certificate, 0, rule)
    if (skipped !== undefined && skipped !== 'no-rev-avail') return 'good'
    if (--this.#effort.statuses < 0) return 'limit'
    this.#aside.set(certificate, 'good')
    this.#positions ??= new Map()
    this.#positions.set(certificate, position)
    this.#pending++
    const finding = yield* this.#find(certificate, issuer, rule)
    this.#pending--
    const status = asideStatus(finding, skipped !== undefined)
    // What was found while others only counted as good may not outlast that.
    if (this.#pending === 0 || status === 'revoked') this.#aside.set(certificate, status)
    else this.#aside.delete(certificate)
    return status
  }
}

/** Where a certificate stands on a validated path: `index` 0 is the target of that path. */
interface PathPosition {
  readonly path: ValidatedPath
  readonly index: number
}

/** `limit`: it may be revoked, and nobody knows. */
type AsideStatus = Finding['status'] | 'limit'

function asideStatus(finding: Finding, hasNoRevAvail: boolean): AsideStatus {
  if (isSuspected(finding) || isLimited(finding)) return 'limit'
  return hasNoRevAvail && finding.status === 'unknown' ? 'good' : finding.status
}

/** Whether a local limit kept the status from being known. */
function isLimited(finding: Finding): boolean {
  return (
    finding.status === 'unknown' && finding.problems.some(({ code }) => code === 'status-limit')
  )
}

function isSuspected(finding: Finding | undefined): boolean {
  return finding?.status === 'unknown' && finding.isSuspected === true
}

/** Whether this issued the certificate at `position`, or is above whoever did. */
function isAuthority({ name, subjectPublicKeyInfo }: StatusIssuer, at: PathPosition): boolean {
  const { path } = at
  for (let index = at.index; index < path.certificates.length; index++) {
    const ca = issuerAt(path, index)
    if (
      bytesEqual(ca.subjectPublicKeyInfo.der, subjectPublicKeyInfo.der) &&
      namesMatch(ca.name, name)
    ) {
      return true
    }
  }
  return false
}

/** What is left of what one validation may spend on revocation, whichever paths it tries. */
export interface Effort extends SignatureBudget {
  searches: number
  /** Signatures in those searches. */
  verifications: number
  statuses: number
  /** Milliseconds that went by while something was fetched. */
  waited: number
}

/** For one validation: many valid paths do not begin anew for each. */
export function startEffort(): Effort {
  return {
    signatures: maxSignatures,
    searches: maxSearches,
    verifications: maxVerifications,
    statuses: maxStatuses,
    waited: 0,
  }
}

/** What comes out of `steps`; `undefined` when they ask for more signatures than are left. */
function* withinEffort<T>(steps: Steps<T>, effort: Effort): Steps<T | undefined> {
  let step = steps.next()
  while (!step.done) {
    if (step.value.op === 'verifySignature' && --effort.verifications < 0) return undefined
    step = steps.next(yield step.value)
  }
  return step.value
}

/** Whether a certificate beside the path may sign lists at all. */
function maySignAside({ tbsCertificate }: Certificate): boolean {
  const { keyUsage, basicConstraints } = tbsCertificate.extensions
  return keyUsage !== undefined || basicConstraints?.cA === true
}

function issuerAt(
  { certificates, anchor, workingKeys }: ValidatedPath,
  index: number,
): StatusIssuer {
  const above = certificates[index + 1]
  const { spki, key } = workingKeys[index] as WorkingKey
  return {
    name: above?.tbsCertificate.subject ?? anchor.name,
    subjectPublicKeyInfo: spki,
    key,
    certificate: above ?? anchor.certificate,
  }
}

/** Neither says revoked of its own accord unless it is returned: one that does decides, then one that says good. */
function combine(byCrl: Finding, byOcsp: Finding): Finding {
  if (byOcsp.status === 'revoked' || byCrl.status === 'revoked') {
    return byOcsp.status === 'revoked' ? byOcsp : byCrl
  }
  if (isSuspected(byCrl)) return byCrl
  if (isSuspected(byOcsp)) return byOcsp
  if (byCrl.status === 'unknown' && byOcsp.status === 'unknown') {
    const problems = [...byCrl.problems, ...byOcsp.problems]
    return { status: 'unknown', problems, until: Math.min(byCrl.until, byOcsp.until) }
  }
  if (byCrl.status === 'unknown')
    return { ...(byOcsp as Good), until: Math.min(byCrl.until, byOcsp.until) }
  if (byOcsp.status === 'unknown') return { ...byCrl, until: Math.min(byCrl.until, byOcsp.until) }
  const [best, other] = isBetter(byOcsp, byCrl) ? [byOcsp, byCrl] : [byCrl, byOcsp]
  return { ...best, evidence: [...best.evidence, ...other.evidence] }
}

type Good = Extract<Finding, { status: 'good' }>

function isBetter(a: Good, b: Good): boolean {
  return a.stale === b.stale ? a.until > b.until : !a.stale
}

/**
 * Local limits for one validation. Real ones need a search or two for issuers of lists, with two signatures each, and ask as often for
 * the status of one. Signatures of lists are counted as in path building.
 */
const maxSearches = 16
const maxVerifications = 64
const maxStatuses = 64
const maxSignatures = defaultBudget.signatures
