/**
 * What revocation lists say about one certificate: RFC 5280 §6.3.3.
 *
 * The order of RFC 5280 §6.3.3 is turned round, because nothing is fetched here: all lists at hand are looked at. First whether any of them
 * lists the certificate, which any list of its issuer may say, whatever it is for and however old it is; then whether
 * those that count cover all reasons.
 *
 * @module
 */

import type { Steps } from '../effect/effect.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { Finding } from './context.ts'
import { allReasons, pointsOf } from './crl-scope.ts'
import { type CrlContext, findSigner, isKnownToSign, isUndecided } from './crl-signature.ts'
import { type CrlView, isBaseOf, isLater, mayRevoke, viewOf } from './crl-view.ts'
import type { Crls } from './crls.ts'
import type { HeldCrl } from './held-crl.ts'
import type { StatusEvidence, StatusIssuer, StatusProblem } from './status.ts'

/**
 * Decides by `crls` alone.
 *
 * @param issuer - Who issued the certificate, as its validated path proves.
 */
export function* crlStatus(
  certificate: Certificate,
  issuer: StatusIssuer,
  crls: Crls,
  context: CrlContext,
): Steps<Finding> {
  const { nameKey: issuerKey, lists: own } = crls.issuedBy(issuer.name)
  const found = pointsOf(certificate, issuer.name)
  const subject = { certificate, issuerName: issuer.name, issuerKey, points: found?.points }
  const lists = withIndirect(own, certificate, crls)
  const views: CrlView[] = []
  let deltas: CrlView[] | undefined
  let isOnHold = false
  for (const held of lists) {
    const view = viewOf(held, subject, context)
    views.push(view)
    if (view.entry?.reason === 'certificateHold') isOnHold = true
    if (held.isDelta) {
      deltas ??= []
      deltas.push(view)
    }
  }
  if (views.length === 0) return unknown([{ code: 'crl-missing', issuer: issuer.name }])
  const areTooMany = deltas !== undefined && deltas.length > maxDeltas
  const based = deltas === undefined || areTooMany ? noDeltas : withBase(deltas, views)
  // All signatures that may matter first: what follows decides without asking.
  let covered = 0
  for (const view of views) {
    const { held, scope, currency } = view
    if (!mayRevoke(view)) {
      if (held.isDelta ? !based.has(view) : !mayCount(view, based, context)) continue
      // Another list for what is covered already says nothing new, unless it takes back what an older one says.
      if (!isOnHold && !held.isDelta && isCovered(view, covered)) continue
    }
    const isDirect = held.issuerKey === issuerKey
    view.signature =
      isDirect && isKnownToSign(held, issuer, context)
        ? null
        : yield* findSigner(held, certificate, issuer, isDirect, context)
    const counts = view.signature === null && !held.isDelta && whyNot(view, context) === undefined
    if (counts && currency.state === 'current' && 'reasons' in scope) covered |= scope.reasons
  }
  for (const view of based.size > 0 ? views : noViews) refresh(view, based)
  const worst = revoked(views, based, context)
  if (worst !== undefined) return worst
  const suspect = views.find(isSuspect)
  if (suspect !== undefined) {
    return { ...unknown([suspect.signature as StatusProblem]), isSuspected: true }
  }
  if (areTooMany) return unknown([{ code: 'status-limit', of: 'delta CRLs' }])
  if (found?.areTooMany) {
    return unknown([{ code: 'status-limit', of: 'names of distribution points' }])
  }
  return good(views, based, context)
}

/** The lists of the issuer, and those of whom the certificate names as issuers of lists. */
function withIndirect(
  own: readonly HeldCrl[],
  { tbsCertificate }: Certificate,
  crls: Crls,
): Iterable<HeldCrl> {
  const points = tbsCertificate.extensions.cRLDistributionPoints?.points
  if (points === undefined) return own
  let lists: Set<HeldCrl> | undefined
  for (const { cRLIssuer } of points) {
    if (cRLIssuer === undefined) continue
    for (const name of cRLIssuer) {
      if (name.kind !== 'directoryName') continue
      lists ??= new Set(own)
      for (const held of crls.issuedBy(name.name).lists) lists.add(held)
    }
  }
  return lists ?? own
}

/** The deltas to which a complete list belongs, whatever that list is worth. */
function withBase(deltas: readonly CrlView[], views: readonly CrlView[]): ReadonlySet<CrlView> {
  return new Set(deltas.filter(({ held }) => views.some((base) => isBaseOf(base.held, held))))
}

/** Whether a complete list may say that the certificate is good, by itself or with a delta whose signature is still to be checked. */
function mayCount(view: CrlView, based: ReadonlySet<CrlView>, context: CrlContext): boolean {
  const why = whyNot(view, context)
  if (why === undefined) return true
  if (why.code !== 'crl-expired' && why.code !== 'crl-too-old') return false
  for (const delta of based) {
    if (delta.currency.state === 'current' && isBaseOf(view.held, delta.held)) return true
  }
  return false
}

/** A complete list and a delta of it are one list, with the times of the delta: RFC 5280 §5.2.4. So an expired one counts again. */
function refresh(view: CrlView, based: ReadonlySet<CrlView>): void {
  const { state } = view.currency
  if (view.held.isDelta || state === 'current' || state === 'not-yet-valid') return
  const delta = deltaOf(view, based)
  if (delta !== undefined) view.currency = delta.currency
}

/** Whether the certificate may be revoked, and nobody knows. */
function isSuspect(view: CrlView): boolean {
  const { signature } = view
  return signature !== null && signature !== undefined && isUndecided(signature) && mayRevoke(view)
}

function isCovered({ scope }: CrlView, covered: number): boolean {
  return 'reasons' in scope && (scope.reasons & ~covered) === 0
}

function revoked(
  views: readonly CrlView[],
  based: ReadonlySet<CrlView>,
  context: CrlContext,
): Finding | undefined {
  let newest: ReadonlyMap<string, CrlView> | undefined
  for (const view of views) {
    const { entry } = view
    if (entry === undefined || !mayRevoke(view) || view.signature !== null) continue
    // Any other revocation is for ever: RFC 5280 §5.3.1.
    if (entry.reason === 'certificateHold') {
      newest ??= newestComplete(views)
      if (isLifted(view, newest, based)) continue
    }
    const { revocationDate, reason, invalidityDate } = entry
    const evidence = evidenceOf(view, undefined, context)
    return { status: 'revoked', evidence, revocationDate, reason, invalidityDate }
  }
  return undefined
}

/**
 * Whether a later list says whether the certificate is still on hold: the newest complete one, which may list it again, or a delta that says
 * removeFromCRL, beside a base that it belongs to. RFC 5280 §6.3.3 (k)
 */
function isLifted(
  { held }: CrlView,
  newest: ReadonlyMap<string, CrlView>,
  based: ReadonlySet<CrlView>,
): boolean {
  const complete = newest.get(held.scopeKey)
  if (complete !== undefined && isLater(complete.held, held)) return true
  for (const delta of based) {
    if (!isInForce(delta) || delta.entry?.reason !== 'removeFromCRL') continue
    if (delta.held.scopeKey !== held.scopeKey) continue
    if (held.isDelta ? isLater(delta.held, held) : isBaseOf(held, delta.held)) return true
  }
  return false
}

/** By issuer, scope and key. */
function newestComplete(views: readonly CrlView[]): ReadonlyMap<string, CrlView> {
  const newest = new Map<string, CrlView>()
  for (const view of views) {
    const { held, scope } = view
    if (held.isDelta || !isInForce(view) || !('reasons' in scope)) continue
    const other = newest.get(held.scopeKey)
    if (other === undefined || isLater(held, other.held)) newest.set(held.scopeKey, view)
  }
  return newest
}

function isInForce({ held, currency, signature }: CrlView): boolean {
  return currency.state === 'current' && signature === null && held.unusable === undefined
}

/** Called when no list revokes the certificate, so that an entry which is still there was lifted. */
function good(
  views: readonly CrlView[],
  based: ReadonlySet<CrlView>,
  context: CrlContext,
): Finding {
  const { clockTolerance } = context
  const problems: StatusProblem[] = []
  const evidence: StatusEvidence[] = []
  let covered = 0
  let stale = false
  let from = Number.NEGATIVE_INFINITY
  let until = Number.POSITIVE_INFINITY
  let becomes = Number.POSITIVE_INFINITY
  // What is past its time only where nothing else is: the order of the lists must not matter.
  for (const state of context.staleFor > 0 ? (['current', 'stale'] as const) : onlyCurrent) {
    for (const view of views) {
      const { held, currency, scope } = view
      if (held.isDelta || currency.state !== state || !('reasons' in scope)) continue
      if (isCovered(view, covered) || view.signature !== null) continue
      if (whyNot(view, context) !== undefined) continue
      covered |= scope.reasons
      const { thisUpdate } = held.list.tbsCertList
      const delta = deltaOf(view, based)
      evidence.push(evidenceOf(view, delta, context))
      stale ||= state === 'stale'
      from = Math.max(from, thisUpdate - clockTolerance)
      until = Math.min(until, currency.until)
      if (delta !== undefined && 'until' in delta.currency) {
        from = Math.max(from, delta.held.list.tbsCertList.thisUpdate - clockTolerance)
        until = Math.min(until, delta.currency.until)
      }
    }
  }
  for (const { currency, held } of views) {
    if (currency.state !== 'not-yet-valid') continue
    becomes = Math.min(becomes, held.list.tbsCertList.thisUpdate - clockTolerance - 1)
  }
  if (covered === allReasons) {
    return { status: 'good', evidence, stale, from, until: Math.min(until, becomes) }
  }
  if (covered !== 0) {
    problems.push({ code: 'crl-reasons-missing', reasons: allReasons & ~covered })
  }
  for (const view of views) {
    const problem = problemOf(view, based, context)
    if (problem === undefined) continue
    if (problems.length === maxProblems) {
      problems.push({ code: 'status-limit', of: 'problems that are listed' })
      break
    }
    problems.push(problem)
  }
  return unknown(problems, becomes)
}

function unknown(
  problems: readonly StatusProblem[],
  until = Number.POSITIVE_INFINITY,
): Extract<Finding, { status: 'unknown' }> {
  return { status: 'unknown', problems, until }
}

function problemOf(
  view: CrlView,
  based: ReadonlySet<CrlView>,
  context: CrlContext,
): StatusProblem | undefined {
  const problem = view.held.isDelta
    ? based.has(view)
      ? undefined
      : ({ code: 'crl-delta-without-base' } as const)
    : whyNot(view, context)
  return problem ?? view.signature ?? undefined
}

/** Why a complete list is no answer that the certificate is good, whoever signed it. */
function whyNot(
  { held, scope, currency }: CrlView,
  context: CrlContext,
): StatusProblem | undefined {
  if ('mismatch' in scope) return { code: 'crl-out-of-scope', of: scope.mismatch }
  const { thisUpdate, nextUpdate } = held.list.tbsCertList
  switch (currency.state) {
    case 'not-yet-valid':
      return { code: 'crl-not-yet-valid', thisUpdate }
    case 'expired':
      return { code: 'crl-expired', nextUpdate: nextUpdate as number }
    case 'too-old':
      return { code: 'crl-too-old', thisUpdate, maxAge: context.maxAge }
  }
  return held.unusable ?? (context.profile === 'rfc5280' ? held.againstProfile : undefined)
}

/** The latest delta that counts beside this list. RFC 5280 §6.3.3 (c) and (h) */
function deltaOf(base: CrlView, based: ReadonlySet<CrlView>): CrlView | undefined {
  let best: CrlView | undefined
  for (const delta of based) {
    if (!isInForce(delta) || !isBaseOf(base.held, delta.held)) continue
    if (best === undefined || isLater(delta.held, best.held)) best = delta
  }
  return best
}

function evidenceOf(
  { held }: CrlView,
  delta: CrlView | undefined,
  { time }: CrlContext,
): StatusEvidence {
  const { issuer, thisUpdate, nextUpdate } = held.list.tbsCertList
  const beside = delta?.held.list.tbsCertList
  return {
    by: 'crl',
    issuer,
    thisUpdate,
    nextUpdate,
    age: time - thisUpdate,
    delta: beside && { thisUpdate: beside.thisUpdate, nextUpdate: beside.nextUpdate },
  }
}

/** Local limit: each is held against every complete list. A CA publishes one at a time. */
const maxDeltas = 64
/** Local limit: what a person can read and a log can hold, as for attempts. */
const maxProblems = 100
const noDeltas: ReadonlySet<CrlView> = new Set()
const noViews: readonly CrlView[] = []
const onlyCurrent = ['current'] as const
