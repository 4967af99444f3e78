/** Trust anchors from what a caller has: PEM bundles, DER, parsed certificates, or a name and a key. @module */

import { Issuer } from '../path/issuer.ts'
import { IssuerIndex } from '../path/issuer-index.ts'
import type { AnchorConstraints, TrustAnchor } from '../path/trust-anchor.ts'
import type { Certificate } from '../x509/certificate.ts'
import { type CertificateSource, readCertificates } from './certificate-source.ts'
import type { Failure } from './failure.ts'
import { misuse } from './misuse.ts'

/** One anchor that is not a certificate, or one with constraints beside it. RFC 5280 §6.1.1 (d), RFC 5937 */
export type BareTrustAnchor = Pick<TrustAnchor, 'name' | 'subjectPublicKeyInfo'> & {
  readonly certificate?: undefined
  readonly constraints?: AnchorConstraints
}
export interface ConstrainedTrustAnchor {
  readonly certificate: Certificate
  readonly constraints: AnchorConstraints
}
export type TrustAnchorSource = CertificateSource | BareTrustAnchor | ConstrainedTrustAnchor

/** Immutable, indexed by subject name and key identifier. Made by `parseTrustAnchors`, once for many validations. */
export class TrustAnchors {
  readonly anchors: readonly TrustAnchor[]
  /** For path building. */
  readonly index: IssuerIndex

  /** @throws TypeError with code `trust-anchors-missing` for an empty list: nothing could ever be accepted. */
  constructor(anchors: readonly TrustAnchor[]) {
    if (anchors.length === 0) {
      throw misuse(
        'trust-anchors-missing',
        'no trust anchor was given: name at least one CA certificate',
      )
    }
    this.anchors = anchors
    this.index = new IssuerIndex(anchors.map((anchor) => new Issuer(anchor.certificate, anchor)))
  }
}

/**
 * Reads trust anchors.
 *
 * @param source - PEM text or bytes (any number of certificates), DER, base64 DER, parsed certificates, bare anchors, or an array
 * of these.
 * @throws TypeError with code `trust-anchors-missing` when there is none and `trust-anchor-unreadable` when one cannot be read: a
 * silently dropped anchor would lock clients out.
 * @example
 * const anchors = parseTrustAnchors(await readFile('ca.pem'))
 */
export function parseTrustAnchors(
  source: TrustAnchorSource | readonly TrustAnchorSource[],
): TrustAnchors {
  const sources: readonly TrustAnchorSource[] = Array.isArray(source)
    ? source
    : [source as TrustAnchorSource]
  const anchors: TrustAnchor[] = []
  sources.forEach((one, index) => {
    for (const anchor of readAnchors(one, index)) anchors.push(anchor)
  })
  return new TrustAnchors(anchors)
}

function readAnchors(source: TrustAnchorSource, index: number): readonly TrustAnchor[] {
  if (isBare(source)) {
    const { name, subjectPublicKeyInfo, constraints } = source
    return [{ name, subjectPublicKeyInfo, certificate: undefined, constraints }]
  }
  const isConstrained = typeof source === 'object' && source !== null && 'certificate' in source
  const read = readCertificates(isConstrained ? source.certificate : source)
  const failure = read.ok ? read.value.unreadable[0]?.failure : read.failure
  if (failure !== undefined || !read.ok) {
    const text = `trust anchor ${index} cannot be read: ${reasonOf(failure as Failure)}`
    throw misuse('trust-anchor-unreadable', text, { index, failure })
  }
  return read.value.certificates.map((certificate) => {
    const { subject: name, subjectPublicKeyInfo } = certificate.tbsCertificate
    const constraints = isConstrained ? source.constraints : undefined
    return { name, subjectPublicKeyInfo, certificate, constraints }
  })
}

function isBare(source: TrustAnchorSource): source is BareTrustAnchor {
  return (
    typeof source === 'object' &&
    source !== null &&
    'subjectPublicKeyInfo' in source &&
    source.certificate === undefined
  )
}

/** For whoever reads the log at start-up; the words of the registry are not loaded by the core. */
function reasonOf(failure: Failure): string {
  if ('expected' in failure && 'offset' in failure) {
    return `${failure.code}, expected ${failure.expected} at octet ${failure.offset}`
  }
  return 'kind' in failure ? `${failure.code}: ${failure.kind}` : failure.code
}
