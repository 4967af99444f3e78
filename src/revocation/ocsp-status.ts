/** The status of one certificate by the OCSP responses at hand: RFC 6960 §3.2 and RFC 6960 §4.2.2. @module */

import { bytesEqual } from '../base/bytes.ts'
import type { Steps } from '../effect/effect.ts'
import { checkProfile } from '../path/profile.ts'
import { checkValidity } from '../path/validity.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { Extension } from '../x509/extensions.ts'
import { namesMatch } from '../x509/name-match.ts'
import type { ResponderID, SingleResponse } from '../x509/ocsp.ts'
import type { Finding, StatusContext } from './context.ts'
import { type Currency, currencyOf } from './currency.ts'
import { type Answer, type Delegate, maxDelegates } from './held-response.ts'
import type { KnownIssuer } from './known-issuers.ts'
import type { IsRevoked } from './ocsp-answers.ts'
import type { OcspResponses } from './responses.ts'
import type { StatusEvidence, StatusIssuer, StatusProblem } from './status.ts'

/**
 * Decides by all answers about `certificate` that count, the worst of them: revoked, then unknown, then good. Signatures come last:
 * of every answer that revokes, of every one that does not know the certificate, and of good ones until one verifies.
 *
 * An answer that revokes counts when it has run out, too. One that cannot be judged to the end (no budget is left, the runtime
 * lacks the algorithm, a critical extension is not known) stands in the way of good ones.
 *
 * @param issuer - Proven to have issued `certificate`; its key is the only one that may vouch for a responder.
 * @param isRevoked - Must not ask about a delegate by responses of that same delegate, or it asks without end.
 */
export function* ocspStatus(
  certificate: Certificate,
  issuer: StatusIssuer,
  responses: OcspResponses,
  context: StatusContext,
  isRevoked: IsRevoked,
): Steps<Finding> {
  const { issuer: known, answers } = yield* responses.find(certificate, issuer)
  if (answers.length === 0) return unknownFinding(responses.missing(certificate), never)
  const sorted = sortAnswers(answers, certificate, context)
  const { revoking, doubting, good, problems } = sorted
  const inquiry: Inquiry = { certificate, issuer, known, context, isRevoked }
  let blockedUntil = never
  let blocked = false
  let suspected = false
  for (const claim of revoking) {
    const signer = yield* findSigner(claim, inquiry)
    if (!('code' in signer)) return revokedFinding(claim, inquiry)
    problems.push(signer)
    suspected ||= isUndecided(signer)
  }
  for (const claim of doubting) {
    const signer = yield* findSigner(claim, inquiry)
    if ('code' in signer) {
      problems.push(signer)
      blocked ||= isUndecided(signer)
    } else {
      claim.answer.held.used = true
      problems.push(claim.problem)
      blockedUntil = Math.min(blockedUntil, claim.until)
      blocked = true
    }
  }
  let opensAt = sorted.opensAt
  if (!blocked && !suspected) {
    for (const claim of good) {
      const signer = yield* findSigner(claim, inquiry)
      if (!('code' in signer)) {
        const until = Math.min(claim.until, signer.until, sorted.worsensAt - 1)
        return goodFinding(claim, inquiry, Math.max(claim.from, signer.from), until)
      }
      problems.push(signer)
    }
  }
  for (const { answer } of [...revoking, ...doubting, ...good]) {
    opensAt = Math.min(opensAt, delegatesOpenAt(answer, context))
  }
  const finding = unknownFinding(problems, Math.min(opensAt - 1, blockedUntil))
  return suspected ? { ...finding, isSuspected: true } : finding
}

/** An answer that may count once its signature is known to verify. Unix seconds. */
interface Claim {
  readonly answer: Answer
  readonly stale: boolean
  readonly from: number
  readonly until: number
}

interface Revocation extends Claim {
  readonly certStatus: Extract<SingleResponse['certStatus'], { readonly status: 'revoked' }>
}

interface Doubt extends Claim {
  /** Why it keeps a good answer from counting. */
  readonly problem: StatusProblem
}

interface Sorted {
  readonly revoking: Revocation[]
  readonly doubting: Doubt[]
  /** Those that are current first, the newest of each first. */
  readonly good: Claim[]
  readonly problems: StatusProblem[]
  /** When the first answer that is not valid yet becomes so. */
  opensAt: number
  /** The same, of answers that are not good. */
  worsensAt: number
}

interface Inquiry {
  readonly certificate: Certificate
  readonly issuer: StatusIssuer
  readonly known: KnownIssuer
  readonly context: StatusContext
  readonly isRevoked: IsRevoked
}

function sortAnswers(
  answers: readonly Answer[],
  certificate: Certificate,
  context: StatusContext,
): Sorted {
  const sorted: Sorted = {
    revoking: [],
    doubting: [],
    good: [],
    problems: [],
    opensAt: never,
    worsensAt: never,
  }
  for (const answer of answers) sortAnswer(sorted, answer, certificate, context)
  if (sorted.good.length > 1) {
    sorted.good.sort(
      (a, b) =>
        Number(a.stale) - Number(b.stale) ||
        b.answer.single.thisUpdate - a.answer.single.thisUpdate,
    )
  }
  return sorted
}

/** All rules that need no signature. */
function sortAnswer(
  sorted: Sorted,
  answer: Answer,
  certificate: Certificate,
  context: StatusContext,
): void {
  const { basic, single } = answer
  const { certStatus } = single
  const { producedAt } = basic
  const { time, clockTolerance } = context
  const opensAt = Math.max(single.thisUpdate, producedAt) - clockTolerance
  const currency = currencyOf(single, context)
  if (time < opensAt) {
    sorted.opensAt = Math.min(sorted.opensAt, opensAt)
    if (certStatus.status !== 'good') sorted.worsensAt = Math.min(sorted.worsensAt, opensAt)
    sorted.problems.push(
      currency.state === 'not-yet-valid'
        ? { code: 'ocsp-not-yet-valid', thisUpdate: single.thisUpdate }
        : { code: 'ocsp-produced-at', producedAt },
    )
    return
  }
  const stale = currency.state === 'stale'
  const until = 'until' in currency ? currency.until : never
  const claim: Claim = { answer, stale, from: opensAt, until }
  const oid = unknownCriticalExtension(answer)
  if (certStatus.status === 'revoked') {
    // What the extension would say of a revocation nobody knows here: no proof of it, and no good answer beside it.
    if (oid === undefined) sorted.revoking.push({ ...claim, certStatus })
    else {
      sorted.doubting.push({ ...claim, problem: { code: 'ocsp-unknown-critical-extension', oid } })
    }
    return
  }
  const problem =
    (oid === undefined ? undefined : { code: 'ocsp-unknown-critical-extension' as const, oid }) ??
    checkProducedAt(producedAt, certificate, clockTolerance) ??
    describeCurrency(currency, answer, context)
  if (problem !== undefined) sorted.problems.push(problem)
  else if (certStatus.status === 'good') sorted.good.push(claim)
  else sorted.doubting.push({ ...claim, problem: { code: 'ocsp-unknown' } })
}

/** An answer from outside the certificate's life is not about it: nothing was issued yet, or nobody has to know any more. */
function checkProducedAt(
  producedAt: number,
  certificate: Certificate,
  clockTolerance: number,
): StatusProblem | undefined {
  return checkValidity(certificate, 0, producedAt, clockTolerance) === undefined
    ? undefined
    : { code: 'ocsp-produced-at', producedAt }
}

/** RFC 6960 §4.2.2.1 */
function describeCurrency(
  { state }: Currency,
  { single: { thisUpdate, nextUpdate } }: Answer,
  { maxAge }: StatusContext,
): StatusProblem | undefined {
  if (state === 'current' || state === 'stale') return undefined
  if (state === 'not-yet-valid') return { code: 'ocsp-not-yet-valid', thisUpdate }
  if (state === 'expired' && nextUpdate !== undefined) return { code: 'ocsp-expired', nextUpdate }
  return { code: 'ocsp-too-old', thisUpdate, maxAge }
}

function unknownCriticalExtension({ basic, single }: Answer): string | undefined {
  return (
    firstUnknown(basic.responseExtensions, responseExtensions) ??
    firstUnknown(single.singleExtensions, singleExtensions)
  )
}

function firstUnknown(
  extensions: readonly Extension[],
  known: ReadonlySet<string>,
): string | undefined {
  for (const { critical, oid } of extensions) if (critical && !known.has(oid)) return oid
  return undefined
}

/** Between which seconds whoever signed may sign. */
interface Signer {
  readonly from: number
  readonly until: number
}

/**
 * The CA itself or a delegate: RFC 6960 §4.2.2.2. The responderID has to name the one whose key verifies (RFC 6960 §4.2.2.3).
 *
 * @returns The signer; or why there is none.
 */
function* findSigner(claim: Claim, inquiry: Inquiry): Steps<Signer | StatusProblem> {
  const { held, basic } = claim.answer
  const { issuer, known, context } = inquiry
  let problem: StatusProblem | undefined
  if (namesIssuer(basic.responderID, issuer, known)) {
    const failure = yield* held
      .signatureOf(basic)
      .check(issuer.subjectPublicKeyInfo, known.key, context.algorithms, context.budget)
    if (failure === undefined) return theCa
    problem = { code: 'ocsp-signature', failure }
  }
  for (const delegate of held.delegatesOf(basic)) {
    if (!(yield* delegate.isNamedBy(basic.responderID))) continue
    const signer = yield* checkDelegate(delegate, claim, inquiry)
    if (!('code' in signer)) return signer
    if (problem === undefined || (isUndecided(signer) && !isUndecided(problem))) problem = signer
  }
  if (problem !== undefined) return problem
  return basic.certs.length > maxDelegates
    ? { code: 'status-limit', of: 'ocsp-certificates' }
    : { code: 'ocsp-responder-unknown' }
}

function namesIssuer(
  responderID: ResponderID,
  issuer: StatusIssuer,
  { keyHash }: KnownIssuer,
): boolean {
  return responderID.kind === 'byName'
    ? namesMatch(responderID.name, issuer.name)
    : bytesEqual(responderID.keyHash, keyHash)
}

/** RFC 6960 §4.2.2.2: what is cheap first, then the CA's signature, so that no key is used that the CA did not certify. */
function* checkDelegate(
  delegate: Delegate,
  { answer: { held, basic, single } }: Claim,
  { certificate: about, issuer, known, context, isRevoked }: Inquiry,
): Steps<Signer | StatusProblem> {
  const { certificate } = delegate
  const { algorithms, budget, clockTolerance } = context
  let notCurrent = checkValidity(certificate, 0, context.time, clockTolerance)
  if (notCurrent?.code === 'certificate-expired' && single.certStatus.status === 'revoked') {
    // A revocation outlives the certificate of whoever told it.
    notCurrent = checkValidity(certificate, 0, basic.producedAt, clockTolerance)
  }
  // Whoever stole the key could unrevoke it; that it is revoked anybody may say of himself.
  const isOwn =
    single.certStatus.status !== 'revoked' &&
    bytesEqual(
      certificate.tbsCertificate.subjectPublicKeyInfo.der,
      about.tbsCertificate.subjectPublicKeyInfo.der,
    )
  const what =
    checkDelegateFields(certificate, issuer, context) ??
    (isOwn ? 'vouches-for-itself' : notCurrent?.code)
  if (what !== undefined) return { code: 'ocsp-responder-not-authorized', what }
  const uncertified = yield* delegate.signature.check(
    issuer.subjectPublicKeyInfo,
    known.key,
    algorithms,
    budget,
  )
  if (uncertified !== undefined) {
    const problem: StatusProblem = { code: 'ocsp-signature', failure: uncertified }
    if (isUndecided(problem)) return problem
    return { code: 'ocsp-responder-not-authorized', what: uncertified.code }
  }
  const { subjectPublicKeyInfo, validity } = certificate.tbsCertificate
  const failure = yield* held
    .signatureOf(basic)
    .check(subjectPublicKeyInfo, delegate.key, algorithms, budget)
  if (failure !== undefined) return { code: 'ocsp-signature', failure }
  const isRevokedToo = !hasNoCheck(certificate) && (yield* isRevoked(certificate, issuer))
  if (isRevokedToo === 'limit') return { code: 'status-limit', of: 'statuses of responders' }
  if (isRevokedToo) return { code: 'ocsp-responder-revoked' }
  return { from: validity.notBefore - clockTolerance, until: validity.notAfter + clockTolerance }
}

/** What is wrong with a certificate that is to be a delegate's; `undefined`: nothing. */
function checkDelegateFields(
  certificate: Certificate,
  issuer: StatusIssuer,
  { profile }: StatusContext,
): string | undefined {
  const { issuer: name, extensions } = certificate.tbsCertificate
  const { extendedKeyUsage, keyUsage } = extensions
  // "MUST be issued directly by the CA that is identified in the request": RFC 6960 §4.2.2.2.
  if (!namesMatch(name, issuer.name)) return 'issued-by-another'
  // Named itself: anyExtendedKeyUsage would make a responder of every certificate that has it.
  if (!extendedKeyUsage?.purposes.includes(ocspSigning)) return 'extended-key-usage'
  // Either bit goes with id-kp-OCSPSigning: RFC 5280 §4.2.1.12.
  if (keyUsage !== undefined && !(keyUsage.bits & (digitalSignature | nonRepudiation))) {
    return 'key-usage'
  }
  if (firstUnknown(extensions.all, delegateExtensions) !== undefined) return 'critical-extension'
  return profile === 'rfc5280' ? checkProfile(certificate, 0, 'target')?.code : undefined
}

/** id-pkix-ocsp-nocheck, whose value is NULL: RFC 6960 §4.2.2.2.1. */
function hasNoCheck(certificate: Certificate): boolean {
  return certificate.tbsCertificate.extensions.all.some(
    ({ oid, value }) => oid === noCheck && value.length === 2 && value[0] === 5 && value[1] === 0,
  )
}

/** When the first delegate's certificate that is not valid yet becomes so. */
function delegatesOpenAt({ held, basic }: Answer, { time, clockTolerance }: StatusContext): number {
  let opensAt = never
  for (const { certificate } of held.delegatesOf(basic)) {
    const start = certificate.tbsCertificate.validity.notBefore - clockTolerance
    if (start > time) opensAt = Math.min(opensAt, start)
  }
  return opensAt
}

/** Whether another runtime, or a larger budget, might have said yes. */
function isUndecided(problem: StatusProblem): boolean {
  if (problem.code === 'status-limit') return true
  return (
    problem.code === 'ocsp-signature' &&
    (problem.failure.code === 'budget-exhausted' ||
      problem.failure.code === 'signature-algorithm-unsupported')
  )
}

function evidenceOf({ answer: { single } }: Claim, { issuer, context }: Inquiry): StatusEvidence {
  const { thisUpdate, nextUpdate } = single
  return { by: 'ocsp', issuer: issuer.name, thisUpdate, nextUpdate, age: context.time - thisUpdate }
}

function goodFinding(claim: Claim, inquiry: Inquiry, from: number, until: number): Finding {
  claim.answer.held.used = true
  return {
    status: 'good',
    evidence: [evidenceOf(claim, inquiry)],
    stale: claim.stale,
    from,
    until,
  }
}

function revokedFinding(claim: Revocation, inquiry: Inquiry): Finding {
  const { held, single } = claim.answer
  const { revocationTime: revocationDate, reason } = claim.certStatus
  const { invalidityDate } = single
  held.used = true
  return {
    status: 'revoked',
    evidence: evidenceOf(claim, inquiry),
    revocationDate,
    reason,
    invalidityDate,
  }
}

function unknownFinding(
  problems: readonly StatusProblem[],
  until: number,
): Extract<Finding, { status: 'unknown' }> {
  return { status: 'unknown', problems, until }
}

const never = Number.POSITIVE_INFINITY
const theCa: Signer = { from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY }

const digitalSignature = 1 << 0
const nonRepudiation = 1 << 1
/** id-kp-OCSPSigning */
const ocspSigning = '1.3.6.1.5.5.7.3.9'
const noCheck = '1.3.6.1.5.5.7.48.1.5'

/** Critical ones that take nothing from what a response says. Those for requests alone are not among them. */
const responseExtensions: ReadonlySet<string> = /* @__PURE__ */ new Set([
  '1.3.6.1.5.5.7.48.1.2', // nonce, for whoever sent a request: RFC 9654 §2.1
  '1.3.6.1.5.5.7.48.1.9', // extended revoked definition: RFC 6960 §4.4.8
])
const singleExtensions: ReadonlySet<string> = /* @__PURE__ */ new Set([
  '1.3.6.1.5.5.7.48.1.3', // CRL references: RFC 6960 §4.4.2
  '1.3.6.1.5.5.7.48.1.6', // archive cutoff: RFC 6960 §4.4.4
  '1.3.6.1.4.1.11129.2.4.5', // signed certificate timestamps: RFC 6962 §3.3
  '2.5.29.24', // invalidity date, which is decoded: RFC 6960 §4.4.5
])

/** Critical ones that a delegate's certificate may have: they are checked here, or bind nobody but certificates below it. */
const delegateExtensions: ReadonlySet<string> = /* @__PURE__ */ new Set([
  '2.5.29.14', // subjectKeyIdentifier
  '2.5.29.15', // keyUsage
  '2.5.29.17', // subjectAltName
  '2.5.29.19', // basicConstraints
  '2.5.29.32', // certificatePolicies
  '2.5.29.35', // authorityKeyIdentifier
  '2.5.29.37', // extendedKeyUsage
  noCheck,
])
