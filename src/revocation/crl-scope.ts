/** For which certificates and which reasons a list speaks: RFC 5280 §6.3.3 (b) and (d). @module */

import type { Certificate } from '../x509/certificate.ts'
import type { DistributionPoint } from '../x509/extensions.ts'
import type { GeneralName } from '../x509/general-name.ts'
import type { Name } from '../x509/name.ts'
import { nameKey } from '../x509/name-match.ts'
import type { HeldCrl } from './held-crl.ts'
import { generalNameKey, pointNameKeys } from './point-names.ts'
import type { CrlScopeMismatch } from './status.ts'

/** A certificate and the name of its issuer, with the key of that name. */
export interface Subject {
  readonly certificate: Certificate
  readonly issuerName: Name
  readonly issuerKey: string
  /** `undefined`: the certificate has no distribution points. */
  readonly points: readonly Point[] | undefined
}

/** The reasons for which a list speaks about a certificate, as bits of ReasonFlags; or why it does not. */
export type Scope = { readonly reasons: number } | { readonly mismatch: CrlScopeMismatch }

/** All reasons of ReasonFlags but `unused`, bits 1 to 8. RFC 5280 §4.2.1.13 */
export const allReasons = 0x1fe

/**
 * The reasons that any distribution point of the certificate leads to this list for.
 *
 * RFC 5280 §6.3.3 goes on, when these points have not settled the status, with a point that is the name of the certificate's issuer. Here
 * only lists that are for all points come by that one, and not when every point names an issuer of lists: a certificate that says where its
 * status is to be found is taken at its word.
 */
export function scopeOf(held: HeldCrl, subject: Subject): Scope {
  const { points } = subject
  if (points === undefined) return scopeOfPoint(held, undefined, subject)
  if (isForAllPoints(held, points, subject)) return scopeOfPoint(held, undefined, subject)
  const [first] = points
  if (points.length === 1) return scopeOfPoint(held, first, subject)
  let reasons = 0
  let mismatch: CrlScopeMismatch = 'distribution-point'
  for (const point of points) {
    const scope = scopeOfPoint(held, point, subject)
    if ('reasons' in scope) reasons |= scope.reasons
    else mismatch = scope.mismatch
  }
  return reasons === 0 ? { mismatch } : { reasons }
}

/** Whether the list is the issuer's own and has no distribution point: then the reasons of points in the certificate do not narrow it. */
function isForAllPoints(held: HeldCrl, points: readonly Point[], subject: Subject): boolean {
  return (
    held.issuerKey === subject.issuerKey &&
    held.pointNames === undefined &&
    held.list.tbsCertList.crlExtensions.issuingDistributionPoint?.indirectCRL !== true &&
    points.some(({ issuers }) => issuers === undefined)
  )
}

function scopeOfPoint(held: HeldCrl, point: Point | undefined, subject: Subject): Scope {
  const idp = held.list.tbsCertList.crlExtensions.issuingDistributionPoint
  // (b)(1)
  if (point?.issuers !== undefined) {
    if (!point.issuers.has(held.issuerKey)) return { mismatch: 'crl-issuer' }
    if (idp?.indirectCRL !== true) return { mismatch: 'indirect' }
  } else {
    if (held.issuerKey !== subject.issuerKey) return { mismatch: 'crl-issuer' }
    // Stricter than (b)(1): a point that names no issuer of lists asks for the CA's own, which is not indirect.
    if (point !== undefined && idp?.indirectCRL) return { mismatch: 'indirect' }
  }
  const asked = point?.reasons ?? allReasons
  if (idp === undefined) return asked === allReasons ? everything : inReasons(asked)
  // (b)(2)(i)
  const own = held.pointNames
  if (own !== undefined && !namesOf(point, subject).some((name) => own.has(name))) {
    return { mismatch: 'distribution-point' }
  }
  // (b)(2)(ii)-(iv)
  const kind = kindOf(subject.certificate)
  if (idp.onlyContainsUserCerts && kind !== 'user') return { mismatch: 'user-certificates' }
  if (idp.onlyContainsCACerts && kind !== 'ca') return { mismatch: 'ca-certificates' }
  if (idp.onlyContainsAttributeCerts) return { mismatch: 'attribute-certificates' }
  // (d)
  return inReasons(asked & (idp.onlySomeReasons ?? allReasons))
}

/** What most lists speak about; one object, as there are many clients. */
const everything: Scope = { reasons: allReasons }

function inReasons(bits: number): Scope {
  const reasons = bits & allReasons
  return reasons === 0 ? { mismatch: 'reasons' } : { reasons }
}

/** The names by which a list of this point may call itself. */
function namesOf(point: Point | undefined, subject: Subject): readonly string[] {
  return point === undefined
    ? [generalNameKey({ kind: 'directoryName', name: subject.issuerName })]
    : point.names
}

/** A distribution point with what each list is held against, computed once and on first use. */
export class Point {
  /** Bits of ReasonFlags; `undefined`: all. */
  readonly reasons: number | undefined
  /** Keys of the directory names of cRLIssuer; `undefined`: the point names no issuer of lists. */
  readonly issuers: ReadonlySet<string> | undefined
  readonly #point: DistributionPoint
  readonly #issuerName: Name
  #names: readonly string[] | undefined

  constructor(point: DistributionPoint, issuerName: Name) {
    this.reasons = point.reasons
    this.issuers = point.cRLIssuer && directoryKeys(point.cRLIssuer)
    this.#point = point
    this.#issuerName = issuerName
  }

  /** The names by which a list of this point may call itself. */
  get names(): readonly string[] {
    this.#names ??= namesOfPoint(this.#point, this.#issuerName)
    return this.#names
  }
}

/**
 * The distribution points of a certificate.
 *
 * @returns `undefined` when it has none. None of them count when they are too many, and it says so.
 */
export function pointsOf(
  { tbsCertificate }: Certificate,
  issuerName: Name,
): { readonly points: readonly Point[]; readonly areTooMany: boolean } | undefined {
  const points = tbsCertificate.extensions.cRLDistributionPoints?.points
  if (points === undefined) return undefined
  let names = 0
  for (const { fullName, cRLIssuer } of points) {
    names += 1 + (fullName?.length ?? 0) + (cRLIssuer?.length ?? 0)
  }
  if (names > maxPointNames) return { points: [], areTooMany: true }
  return { points: points.map((point) => new Point(point, issuerName)), areTooMany: false }
}

function namesOfPoint(point: DistributionPoint, issuerName: Name): readonly string[] {
  const { cRLIssuer } = point
  const hasName = point.fullName !== undefined || point.nameRelativeToCRLIssuer !== undefined
  if (!hasName) return (cRLIssuer ?? []).map(generalNameKey)
  // A relative name stands below the one name of the list's issuer: RFC 5280 §4.2.1.13.
  if (cRLIssuer === undefined || point.nameRelativeToCRLIssuer === undefined) {
    return pointNameKeys(point, issuerName)
  }
  const [first] = cRLIssuer
  return cRLIssuer.length === 1 && first?.kind === 'directoryName'
    ? pointNameKeys(point, first.name)
    : []
}

function directoryKeys(names: readonly GeneralName[]): ReadonlySet<string> {
  const keys = new Set<string>()
  for (const name of names) if (name.kind === 'directoryName') keys.add(nameKey(name.name))
  return keys
}

/** `unknown`: version 1 and 2 cannot say. */
function kindOf({ tbsCertificate }: Certificate): 'user' | 'ca' | 'unknown' {
  if (tbsCertificate.extensions.basicConstraints?.cA === true) return 'ca'
  return tbsCertificate.version === 3 ? 'user' : 'unknown'
}

/** Local limit on the points of a certificate and the names in them, each held against each list: real ones have a handful. */
const maxPointNames = 256
