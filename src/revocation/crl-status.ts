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
import { allReasons } from './crl-scope.ts'
import { type CrlContext, findSigner, isKnownToSign } from './crl-signature.ts'
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
  const subject = { certificate, issuerName: issuer.name, issuerKey }
  const lists = withIndirect(own, certificate, crls)
  const views: CrlView[] = []
  let deltas = 0
  for (const held of lists) {
    if (held.isDelta) deltas++
    views.push(viewOf(held, subject, context))
  }
  if (views.length === 0) return unknown([{ code: 'crl-missing', issuer: issuer.name }])
  if (deltas > maxDeltas) return unknown([{ code: 'status-limit', of: 'delta CRLs' }])
  // All signatures that may matter first: what follows decides without asking.
  for (const view of views) {
    if (!mayRevoke(view) && whyNot(view, views, deltas, context) !== undefined) continue
    const isDirect = view.held.issuerKey === issuerKey
    view.signature =
      isDirect && isKnownToSign(view.held, issuer, context)
        ? null
        : yield* findSigner(view.held, issuer, isDirect, context)
  }
  return revoked(views, deltas, context) ?? good(views, deltas, context)
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

function revoked(
  views: readonly CrlView[],
  deltas: number,
  context: CrlContext,
): Finding | undefined {
  for (const view of views) {
    const { entry } = view
    if (entry === undefined || !mayRevoke(view) || view.signature !== null) continue
    if (isLifted(view, views, deltas)) continue
    const { revocationDate, reason, invalidityDate } = entry
    const evidence = evidenceOf(view, undefined, context)
    return { status: 'revoked', evidence, revocationDate, reason, invalidityDate }
  }
  return undefined
}

/** Called when no list revokes the certificate, so that an entry which is still there was lifted. */
function good(views: readonly CrlView[], deltas: number, context: CrlContext): Finding {
  const { clockTolerance } = context
  let problems: StatusProblem[] | undefined
  const evidence: StatusEvidence[] = []
  let covered = 0
  let stale = false
  let from = Number.NEGATIVE_INFINITY
  let until = Number.POSITIVE_INFINITY
  let becomes = Number.POSITIVE_INFINITY
  for (const view of views) {
    const { held, currency, scope } = view
    const { thisUpdate } = held.list.tbsCertList
    if (currency.state === 'not-yet-valid') {
      becomes = Math.min(becomes, thisUpdate - clockTolerance - 1)
    }
    const problem = whyNot(view, views, deltas, context) ?? view.signature
    if (problem !== null && problem !== undefined) {
      problems ??= []
      problems.push(problem)
      continue
    }
    if (held.isDelta || !('until' in currency) || !('reasons' in scope)) continue
    if ((scope.reasons & ~covered) === 0) continue
    covered |= scope.reasons
    const delta = deltas === 0 ? undefined : deltaOf(view, views)
    evidence.push(evidenceOf(view, delta, context))
    stale ||= currency.state === 'stale'
    from = Math.max(from, thisUpdate - clockTolerance)
    until = Math.min(until, currency.until)
    if (delta !== undefined && 'until' in delta.currency) {
      from = Math.max(from, delta.held.list.tbsCertList.thisUpdate - clockTolerance)
      until = Math.min(until, delta.currency.until)
    }
  }
  if (covered === allReasons) {
    return { status: 'good', evidence, stale, from, until: Math.min(until, becomes) }
  }
  const missing: StatusProblem[] =
    covered === 0 ? [] : [{ code: 'crl-reasons-missing', reasons: allReasons & ~covered }]
  return unknown([...missing, ...(problems ?? [])], becomes)
}

function unknown(problems: readonly StatusProblem[], until = Number.POSITIVE_INFINITY): Finding {
  return { status: 'unknown', problems, until }
}

/** Why a list is no answer that the certificate is good, whoever signed it. */
function whyNot(
  { held, scope, currency }: CrlView,
  views: readonly CrlView[],
  deltas: number,
  context: CrlContext,
): StatusProblem | undefined {
  if (deltas > 0 && held.isDelta) {
    return views.some((base) => isBaseOf(base.held, held))
      ? undefined
      : { code: 'crl-delta-without-base' }
  }
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

/**
 * Whether a later list takes the entry back. A delta that says removeFromCRL does, beside a base that it belongs to: RFC 5280 §6.3.3 (k).
 * Of a certificate on hold so does a later complete list without it; any other revocation is for ever (RFC 5280 §5.3.1).
 */
function isLifted(view: CrlView, views: readonly CrlView[], deltas: number): boolean {
  const isOnHold = view.entry?.reason === 'certificateHold'
  if (deltas === 0 && !isOnHold) return false
  return views.some((later) => {
    const { held, currency, signature } = later
    if (later === view || currency.state !== 'current' || signature !== null) return false
    if (held.unusable !== undefined || held.issuerKey !== view.held.issuerKey) return false
    if (!held.hasScopeOf(view.held)) return false
    return held.isDelta
      ? later.entry?.reason === 'removeFromCRL' && isLaterDelta(view.held, held, views)
      : isOnHold &&
          later.entry === undefined &&
          'reasons' in later.scope &&
          isLater(held, view.held)
  })
}

function isLaterDelta(held: HeldCrl, delta: HeldCrl, views: readonly CrlView[]): boolean {
  return held.isDelta
    ? isLater(delta, held) && views.some((base) => isBaseOf(base.held, delta))
    : isBaseOf(held, delta)
}

/** The latest delta that counts beside this list. RFC 5280 §6.3.3 (c) and (h) */
function deltaOf(base: CrlView, views: readonly CrlView[]): CrlView | undefined {
  let best: CrlView | undefined
  for (const view of views) {
    const { held, currency, signature } = view
    if (currency.state !== 'current' || signature !== null) continue
    if (held.unusable !== undefined || !isBaseOf(base.held, held)) continue
    if (best === undefined || isLater(held, best.held)) best = view
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
