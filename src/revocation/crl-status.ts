/**
 * What revocation lists say about one certificate: RFC 5280 §6.3.3.
 *
 * The order of the RFC is turned round, because nothing is fetched here: all lists at hand are looked at. First whether any of them
 * lists the certificate, which any list of its issuer may say, whatever it is for and however old it is; then whether
 * those that count cover all reasons.
 *
 * @module
 */

import { compareBytes } from '../base/bytes.ts'
import { ask, type Steps } from '../effect/effect.ts'
import { askSignature, judgeSignature, type SignatureFailure } from '../path/signature.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { RevokedCertificate } from '../x509/crl.ts'
import type { Finding, StatusContext } from './context.ts'
import { allReasons, type Scope, type Subject, scopeOf } from './crl-scope.ts'
import type { Crls } from './crls.ts'
import { type Currency, currencyOf } from './currency.ts'
import type { HeldCrl } from './held-crl.ts'
import { namesDirectory } from './point-names.ts'
import type { StatusEvidence, StatusIssuer, StatusProblem } from './status.ts'

/** Who else has the name of a list's issuer; or why one of them may not sign it. */
export type CrlSigner = { readonly issuer: StatusIssuer } | { readonly problem: StatusProblem }

export interface CrlContext extends StatusContext {
  /**
   * Who may sign this list beside the certificate's own issuer, their paths to the same anchor checked.
   *
   * @param isDirect - Whether the list bears the name of the certificate's issuer.
   */
  readonly othersWhoSign: (held: HeldCrl, isDirect: boolean) => Steps<readonly CrlSigner[]>
}

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
  if (lists.length === 0) {
    const problems = [{ code: 'crl-missing', issuer: issuer.name } as const]
    return { status: 'unknown', problems, until: Number.POSITIVE_INFINITY }
  }
  const views = lists.map((held) => view(held, subject, context))
  const search = new CrlSearch(views, issuer, issuerKey, context)
  return (yield* search.revoked()) ?? (yield* search.good())
}

/** The lists of the issuer, and those of whom the certificate names as issuers of lists. */
function withIndirect(
  own: readonly HeldCrl[],
  { tbsCertificate }: Certificate,
  crls: Crls,
): readonly HeldCrl[] {
  const points = tbsCertificate.extensions.cRLDistributionPoints?.points
  let lists: Set<HeldCrl> | undefined
  for (const { cRLIssuer = [] } of points ?? []) {
    for (const name of cRLIssuer) {
      if (name.kind !== 'directoryName') continue
      lists ??= new Set(own)
      for (const held of crls.issuedBy(name.name).lists) lists.add(held)
    }
  }
  return lists === undefined ? own : [...lists]
}

/** One list and what it says, before anybody has asked who signed it. */
interface View {
  readonly held: HeldCrl
  readonly scope: Scope
  readonly currency: Currency
  /** Of the certificate; the worst, where there are several. */
  readonly entry: RevokedCertificate | undefined
}

function view(held: HeldCrl, subject: Subject, context: StatusContext): View {
  const { tbsCertList } = held.list
  const { serialNumber } = subject.certificate.tbsCertificate
  let entry: RevokedCertificate | undefined
  for (const one of tbsCertList.revokedCertificates.find(serialNumber)) {
    if (isOfIssuer(one, held, subject) && weight(one) > weight(entry)) entry = one
  }
  return {
    held,
    scope: scopeOf(held, subject),
    currency: currencyOf(tbsCertList, context),
    entry,
  }
}

/** RFC 5280 §5.3.3: what no entry says is the issuer of the list. */
function isOfIssuer(entry: RevokedCertificate, held: HeldCrl, { issuerKey }: Subject): boolean {
  return entry.certificateIssuer === undefined
    ? held.issuerKey === issuerKey
    : namesDirectory(entry.certificateIssuer, issuerKey)
}

function weight(entry: RevokedCertificate | undefined): number {
  if (entry === undefined) return 0
  if (entry.reason === 'removeFromCRL') return 1
  return entry.reason === 'certificateHold' ? 2 : 3
}

class CrlSearch {
  readonly #views: readonly View[]
  readonly #issuer: StatusIssuer
  readonly #issuerKey: string
  readonly #context: CrlContext
  /** What was found about who signed a list; `undefined` as value: it is signed by whom it should be. */
  readonly #signed = new Map<HeldCrl, StatusProblem | undefined>()

  constructor(
    views: readonly View[],
    issuer: StatusIssuer,
    issuerKey: string,
    context: CrlContext,
  ) {
    this.#views = views
    this.#issuer = issuer
    this.#issuerKey = issuerKey
    this.#context = context
  }

  *revoked(): Steps<Finding | undefined> {
    for (const one of this.#views) {
      const { entry, held } = one
      if (entry === undefined || !mayRevoke(one)) continue
      if ((yield* this.#signature(held)) !== undefined) continue
      if (yield* this.#isLifted(one, entry)) continue
      const { revocationDate, reason, invalidityDate } = entry
      const evidence = this.#evidence(one, undefined)
      return { status: 'revoked', evidence, revocationDate, reason, invalidityDate }
    }
    return undefined
  }

  /** Called when no list revokes the certificate, so that an entry which is still there was lifted. */
  *good(): Steps<Finding> {
    const { clockTolerance } = this.#context
    const problems: StatusProblem[] = []
    const evidence: StatusEvidence[] = []
    let covered = 0
    let stale = false
    let from = Number.NEGATIVE_INFINITY
    let until = Number.POSITIVE_INFINITY
    let becomes = Number.POSITIVE_INFINITY
    for (const one of this.#views) {
      const { held, currency, scope } = one
      const { thisUpdate } = held.list.tbsCertList
      if (currency.state === 'not-yet-valid') {
        becomes = Math.min(becomes, thisUpdate - clockTolerance - 1)
      }
      const problem = this.#whyNot(one) ?? (yield* this.#signature(held))
      if (problem !== undefined) {
        problems.push(problem)
        continue
      }
      if (!('until' in currency) || !('reasons' in scope)) continue
      if ((scope.reasons & ~covered) === 0) continue
      covered |= scope.reasons
      const delta = yield* this.#deltaOf(one)
      evidence.push(this.#evidence(one, delta))
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
    if (covered !== 0) {
      problems.unshift({ code: 'crl-reasons-missing', reasons: allReasons & ~covered })
    }
    return { status: 'unknown', problems, until: becomes }
  }

  /** Why a list is no answer that the certificate is good. */
  #whyNot({ held, scope, currency }: View): StatusProblem | undefined {
    if (held.isDelta) {
      return this.#views.some((base) => isBaseOf(base.held, held))
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
        return { code: 'crl-too-old', thisUpdate, maxAge: this.#context.maxAge }
    }
    return held.unusable ?? this.#breaksProfile(held)
  }

  /** What RFC 5280 §5 asks of whoever issues a list, and RFC 5280 §6.3 not of whoever reads one. */
  #breaksProfile({ list }: HeldCrl): StatusProblem | undefined {
    if (this.#context.profile !== 'rfc5280') return undefined
    const { version, nextUpdate, crlExtensions } = list.tbsCertList
    const missing =
      version !== 2
        ? 'version 2'
        : nextUpdate === undefined
          ? 'nextUpdate'
          : crlExtensions.cRLNumber === undefined
            ? 'cRLNumber'
            : crlExtensions.authorityKeyIdentifier === undefined
              ? 'authorityKeyIdentifier'
              : undefined
    return missing === undefined ? undefined : { code: 'crl-malformed', what: `no ${missing}` }
  }

  /**
   * Whether a later list takes the entry back. A delta that says removeFromCRL does, beside a base that it belongs to: RFC 5280 §6.3.3 (k).
   * Of a certificate on hold so does a later complete list without it; any other revocation is for ever (RFC 5280 §5.3.1).
   */
  *#isLifted(one: View, entry: RevokedCertificate): Steps<boolean> {
    for (const later of this.#views) {
      const { held, currency } = later
      if (later === one || currency.state !== 'current' || held.unusable !== undefined) continue
      if (held.issuerKey !== one.held.issuerKey || !held.hasScopeOf(one.held)) continue
      const lifts = held.isDelta
        ? later.entry?.reason === 'removeFromCRL' && this.#isLaterDelta(one.held, held)
        : later.entry === undefined &&
          entry.reason === 'certificateHold' &&
          isLater(held, one.held) &&
          'reasons' in later.scope
      if (lifts && (yield* this.#signature(held)) === undefined) return true
    }
    return false
  }

  #isLaterDelta(held: HeldCrl, delta: HeldCrl): boolean {
    return held.isDelta
      ? isLater(delta, held) && this.#views.some((base) => isBaseOf(base.held, delta))
      : isBaseOf(held, delta)
  }

  /** The latest delta that counts beside this list. RFC 5280 §6.3.3 (c) and (h) */
  *#deltaOf(base: View): Steps<View | undefined> {
    let best: View | undefined
    for (const one of this.#views) {
      const { held, currency } = one
      if (currency.state !== 'current' || !isBaseOf(base.held, held)) continue
      if (held.unusable !== undefined || (best && !isLater(held, best.held))) continue
      if ((yield* this.#signature(held)) === undefined) best = one
    }
    return best
  }

  #evidence({ held }: View, delta: View | undefined): StatusEvidence {
    const { issuer, thisUpdate, nextUpdate } = held.list.tbsCertList
    const beside = delta?.held.list.tbsCertList
    return {
      by: 'crl',
      issuer,
      thisUpdate,
      nextUpdate,
      age: this.#context.time - thisUpdate,
      delta: beside && { thisUpdate: beside.thisUpdate, nextUpdate: beside.nextUpdate },
    }
  }

  *#signature(held: HeldCrl): Steps<StatusProblem | undefined> {
    if (this.#signed.has(held)) return this.#signed.get(held)
    const problem = yield* this.#findSigner(held)
    this.#signed.set(held, problem)
    return problem
  }

  /** RFC 5280 §6.3.3 (f) and (g). The certificate's own issuer first: nobody else signs most lists. */
  *#findSigner(held: HeldCrl): Steps<StatusProblem | undefined> {
    const isDirect = held.issuerKey === this.#issuerKey
    let problem: StatusProblem = { code: 'crl-signer-unknown' }
    if (isDirect) {
      const own = yield* this.#whyNotSignedBy(held, this.#issuer)
      if (own === undefined) return undefined
      problem = own
    }
    for (const signer of yield* this.#context.othersWhoSign(held, isDirect)) {
      const why =
        'problem' in signer ? signer.problem : yield* this.#whyNotSignedBy(held, signer.issuer)
      if (why === undefined) return undefined
      problem = why
    }
    return problem
  }

  *#whyNotSignedBy(held: HeldCrl, issuer: StatusIssuer): Steps<StatusProblem | undefined> {
    if (!maySignCrls(issuer.certificate)) return { code: 'crl-signer-no-crl-sign' }
    const failure = yield* checkSignatureOf(held, issuer, this.#context)
    return failure && { code: 'crl-signature', failure }
  }
}

/** "If a key usage extension is present", it has cRLSign: RFC 5280 §6.3.3 (f). An anchor that is a name and a key has none. */
function maySignCrls(certificate: Certificate | undefined): boolean {
  const keyUsage = certificate?.tbsCertificate.extensions.keyUsage
  return keyUsage === undefined || (keyUsage.bits & cRLSign) !== 0
}

/**
 * Whether a list may say that the certificate is revoked. Age does not matter: what was revoked stays so. Nor does the scope, in a list of
 * the certificate's own issuer, whose serial numbers are unique; but those of attribute certificates are others.
 */
function mayRevoke({ held, scope, currency, entry }: View): boolean {
  if (currency.state === 'not-yet-valid' || held.unusable !== undefined) return false
  if (held.isDelta && entry?.reason === 'removeFromCRL') return false
  return 'reasons' in scope || scopeOfOthers[scope.mismatch] !== true
}

const scopeOfOthers: { readonly [mismatch: string]: true } = {
  'crl-issuer': true,
  indirect: true,
  'attribute-certificates': true,
}

/** RFC 5280 §5.2.4: same issuer, same scope, and a number from BaseCRLNumber to below that of the delta. */
function isBaseOf(base: HeldCrl, delta: HeldCrl): boolean {
  if (base.isDelta || base.issuerKey !== delta.issuerKey) return false
  const from = delta.list.tbsCertList.crlExtensions.deltaCRLIndicator?.number
  const number = base.list.tbsCertList.crlExtensions.cRLNumber?.number
  const to = delta.list.tbsCertList.crlExtensions.cRLNumber?.number
  return (
    from !== undefined &&
    number !== undefined &&
    to !== undefined &&
    compareNumbers(from, number) <= 0 &&
    compareNumbers(number, to) < 0 &&
    base.hasScopeOf(delta)
  )
}

/** By number, and never against the clock. RFC 5280 §5.2.3 */
function isLater(held: HeldCrl, than: HeldCrl): boolean {
  const a = held.list.tbsCertList
  const b = than.list.tbsCertList
  const number = a.crlExtensions.cRLNumber?.number
  const other = b.crlExtensions.cRLNumber?.number
  if (a.thisUpdate < b.thisUpdate) return false
  return number === undefined || other === undefined
    ? a.thisUpdate > b.thisUpdate
    : compareNumbers(number, other) > 0
}

/** Minimal INTEGERs that are not negative. */
function compareNumbers(a: Uint8Array, b: Uint8Array): number {
  return a.length === b.length ? compareBytes(a, b) : a.length - b.length
}

/** RFC 5280 §6.3.3 (g). What came out before is not asked again, but whether the policy takes it. */
function* checkSignatureOf(
  { list, judgedKeys }: HeldCrl,
  { subjectPublicKeyInfo, key }: StatusIssuer,
  { algorithms, budget }: StatusContext,
): Steps<SignatureFailure | undefined> {
  const known = judgedKeys.verifiesUnder(subjectPublicKeyInfo.der)
  if (known === false) return { code: 'signature-invalid' }
  const question = askSignature({
    algorithm: list.signatureAlgorithm,
    data: list.tbsCertList.der,
    signature: list.signatureValue,
    spki: subjectPublicKeyInfo,
    key,
    policy: algorithms,
    memorable: false,
    isVerified: known === true,
    budget,
  })
  if (question === undefined || 'code' in question) return question
  const answer = yield* ask(question)
  // What the runtime lacks says nothing about the list.
  if (answer !== 'unsupported') judgedKeys.remember(subjectPublicKeyInfo.der, answer === 'valid')
  return judgeSignature(question, answer)
}

/** Bit 6 of KeyUsage. RFC 5280 §4.2.1.3 */
const cRLSign = 1 << 6
