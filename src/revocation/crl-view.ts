/** One list beside one certificate: what it says about it, before anybody has asked who signed it. @module */

import { compareBytes } from '../base/bytes.ts'
import type { RevokedCertificate } from '../x509/crl.ts'
import type { GeneralName } from '../x509/general-name.ts'
import type { StatusContext } from './context.ts'
import { type Scope, type Subject, scopeOf } from './crl-scope.ts'
import { type Currency, currencyOf } from './currency.ts'
import type { HeldCrl } from './held-crl.ts'
import { namesDirectory } from './point-names.ts'
import type { StatusProblem } from './status.ts'

export interface CrlView {
  readonly held: HeldCrl
  readonly scope: Scope
  /** Of a list that has run out: that of the delta which brings it up to date, once both are known to be signed. */
  currency: Currency
  /** Of the certificate; the worst, where there are several. */
  readonly entry: RevokedCertificate | undefined
  /** Why the list does not count for its signature: `null` when it does, `undefined` until that is known. */
  signature: StatusProblem | null | undefined
}

export function viewOf(held: HeldCrl, subject: Subject, context: StatusContext): CrlView {
  const { tbsCertList } = held.list
  const { serialNumber } = subject.certificate.tbsCertificate
  const found = tbsCertList.revokedCertificates.find(serialNumber)
  return {
    held,
    scope: scopeOf(held, subject),
    currency: currencyOf(tbsCertList, context),
    entry: found.length === 0 ? undefined : worstOf(found, held, subject.issuerKey),
    signature: undefined,
  }
}

/** RFC 5280 §5.3.3: what no entry says is the issuer of the list. */
function worstOf(
  found: readonly RevokedCertificate[],
  held: HeldCrl,
  issuerKey: string,
): RevokedCertificate | undefined {
  let worst: RevokedCertificate | undefined
  let names: readonly GeneralName[] | undefined
  let isOurs = held.issuerKey === issuerKey
  for (const entry of found) {
    // Entries that follow each other share the names of their issuer, which may be many.
    if (entry.certificateIssuer !== names) {
      names = entry.certificateIssuer
      isOurs = names === undefined ? held.issuerKey === issuerKey : namesDirectory(names, issuerKey)
    }
    if (isOurs && weight(entry) > weight(worst)) worst = entry
  }
  return worst
}

function weight(entry: RevokedCertificate | undefined): number {
  if (entry === undefined) return 0
  if (entry.reason === 'removeFromCRL') return 1
  return entry.reason === 'certificateHold' ? 2 : 3
}

/**
 * Whether a list may say that the certificate is revoked. Neither its age nor its scope matters, nor rules that whoever issued it has broken:
 * serial numbers of one CA are unique, and what was revoked stays so. But those of attribute certificates are others.
 */
export function mayRevoke({ held, currency, entry }: CrlView): boolean {
  if (entry === undefined || currency.state === 'not-yet-valid') return false
  if (held.unusable?.code === 'crl-unknown-critical-extension') return false
  if (held.isDelta && entry.reason === 'removeFromCRL') return false
  const point = held.list.tbsCertList.crlExtensions.issuingDistributionPoint
  return point?.onlyContainsAttributeCerts !== true
}

/** RFC 5280 §5.2.4: same issuer, same scope, and a number from BaseCRLNumber to below that of the delta. */
export function isBaseOf(base: HeldCrl, delta: HeldCrl): boolean {
  if (base.isDelta || base.scopeKey !== delta.scopeKey) return false
  const from = delta.list.tbsCertList.crlExtensions.deltaCRLIndicator?.number
  const number = base.list.tbsCertList.crlExtensions.cRLNumber?.number
  const to = delta.list.tbsCertList.crlExtensions.cRLNumber?.number
  return (
    from !== undefined &&
    number !== undefined &&
    to !== undefined &&
    compareNumbers(from, number) <= 0 &&
    compareNumbers(number, to) < 0
  )
}

/** By number, and never against the clock. RFC 5280 §5.2.3 */
export function isLater(held: HeldCrl, than: HeldCrl): boolean {
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
export function compareNumbers(a: Uint8Array, b: Uint8Array): number {
  return a.length === b.length ? compareBytes(a, b) : a.length - b.length
}
