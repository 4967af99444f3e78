/**
 * The rules of RFC 5280 §6.1 that look at one certificate: cheap, so a search applies them at every step. Rules that look at the
 * whole path are in `complete.ts`.
 * @module
 */

import type { Certificate } from '../x509/certificate.ts'
import { isKnownExtension } from '../x509/parse-extensions.ts'
import { type AlgorithmPolicy, checkKey } from './algorithms.ts'
import type { PathFailure } from './failure.ts'
import type { Issuer } from './issuer.ts'
import { checkIssuerName, checkProfile, type Profile, type Role } from './profile.ts'
import { checkCaPurpose, checkCertSign, type PurposeSet } from './purpose.ts'
import type { AnchorChecks } from './trust-anchor.ts'
import { checkValidity } from './validity.ts'

/** What the rules need to know of the caller's wishes. */
export interface RuleContext {
  /** Unix seconds. */
  readonly time: number
  /** Seconds by which both ends of a validity period are widened. */
  readonly clockTolerance: number
  readonly profile: Profile
  readonly algorithms: AlgorithmPolicy
  readonly anchorChecks: AnchorChecks
}

/**
 * Reports why `issuer` cannot stand at `index` of a path.
 *
 * @param index - Its position: 1 is the target's issuer. An anchor's is the number of certificates below it.
 * @param below - How many intermediates that are not self-issued are below it. RFC 5280 §6.1.4 (l), (m)
 * @param purposes - What is left of the purposes below it.
 */
export function checkIssuer(
  issuer: Issuer,
  index: number,
  below: number,
  purposes: PurposeSet,
  context: RuleContext,
): PathFailure | undefined {
  const { certificate, anchor } = issuer
  const keyFailure = checkKey(issuer.key, context.algorithms)
  if (keyFailure !== undefined) return { ...keyFailure, index }
  const pathLength = anchor?.constraints?.pathLenConstraint
  if (pathLength !== undefined && below > pathLength) {
    return {
      code: 'path-length-exceeded',
      index,
      pathLenConstraint: pathLength,
      intermediates: below,
    }
  }
  if (certificate === undefined) return undefined
  const { validity, constraints } = context.anchorChecks
  if (anchor === undefined || validity) {
    const failure = checkValidity(certificate, index, context.time, context.clockTolerance)
    if (failure !== undefined) return failure
  }
  if (anchor === undefined || constraints) {
    return (
      checkBasicConstraints(certificate, index, below) ??
      at(checkCertSign(certificate, index), index) ??
      at(checkCaPurpose(certificate, index, purposes), index) ??
      checkCommon(certificate, index, anchor === undefined ? 'ca' : 'anchor', context.profile)
    )
  }
  return undefined
}

/** Rules that hold for the target, CAs and anchors alike: RFC 5280 §6.1.4 (o), RFC 5280 §6.1.5 (f), RFC 5280 §4.1.2.4. */
export function checkCommon(
  certificate: Certificate,
  index: number,
  role: Role,
  profile: Profile,
): PathFailure | undefined {
  const unnamed = checkIssuerName(certificate, index)
  if (unnamed !== undefined) return unnamed
  for (const { critical, oid } of certificate.tbsCertificate.extensions.all) {
    if (critical && (!isKnownExtension(oid) || unprocessed.has(oid))) {
      return { code: 'unknown-critical-extension', index, oid }
    }
  }
  return profile === 'rfc5280' ? checkProfile(certificate, index, role) : undefined
}

/** RFC 5280 §6.1.4 (k), (l), (m) */
function checkBasicConstraints(
  certificate: Certificate,
  index: number,
  below: number,
): PathFailure | undefined {
  const { basicConstraints } = certificate.tbsCertificate.extensions
  if (basicConstraints === undefined) return { code: 'basic-constraints-missing', index }
  if (!basicConstraints.cA) return { code: 'not-a-ca', index }
  const { pathLenConstraint } = basicConstraints
  if (pathLenConstraint !== undefined && below > pathLenConstraint) {
    return { code: 'path-length-exceeded', index, pathLenConstraint, intermediates: below }
  }
  return undefined
}

function at<F extends object>(
  failure: F | undefined,
  index: number,
): (F & { readonly index: number }) | undefined {
  return failure && { ...failure, index }
}

/**
 * Read for people and never followed here: RFC 5280 §4.2.2 has them not critical, and one that is asks for what we do not do. Every
 * other validator that we compare with refuses them too.
 */
const unprocessed: ReadonlySet<string> = /* @__PURE__ */ new Set([
  '1.3.6.1.5.5.7.1.1', // authorityInfoAccess
  '1.3.6.1.5.5.7.1.11', // subjectInfoAccess
])
