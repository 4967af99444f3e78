/** Trust anchors from what a caller has: PEM bundles, DER, parsed certificates, or a name and a key. @module */

import { Issuer } from '../path/issuer.ts'
import { IssuerIndex } from '../path/issuer-index.ts'
import type { AnchorConstraints, TrustAnchor } from '../path/trust-anchor.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { GeneralName, GeneralSubtree } from '../x509/general-name.ts'
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
 * silently dropped anchor would lock clients out; `option-unknown` and `option-invalid` for a field of a bare anchor or of `constraints`
 * that is none: a silently dropped constraint would let clients in.
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
    checkFields(source, index, 'name', 'subjectPublicKeyInfo', 'certificate', 'constraints')
    if (!Array.isArray(name?.rdns)) throw invalid(index, 'name', 'a Name')
    if (!(subjectPublicKeyInfo?.der instanceof Uint8Array))
      throw invalid(index, 'subjectPublicKeyInfo', 'a SubjectPublicKeyInfo')
    checkConstraints(constraints, index)
    return [{ name, subjectPublicKeyInfo, certificate: undefined, constraints }]
  }
  const isConstrained = typeof source === 'object' && source !== null && 'certificate' in source
  if (isConstrained) {
    checkFields(source, index, 'certificate', 'constraints', 'name', 'subjectPublicKeyInfo')
    checkConstraints(source.constraints, index)
  }
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

/** What is misspelt or of another kind would not constrain: then nothing is trusted. RFC 5937 §3.2 */
function checkConstraints(constraints: AnchorConstraints | undefined, index: number): void {
  if (constraints === undefined) return
  checkFields(constraints, index, 'pathLenConstraint', 'nameConstraints')
  const { pathLenConstraint = 0, nameConstraints } = constraints
  if (!Number.isInteger(pathLenConstraint) || pathLenConstraint < 0)
    throw invalid(index, 'pathLenConstraint', 'a whole number from 0')
  if (nameConstraints === undefined) return
  checkFields(nameConstraints, index, 'permittedSubtrees', 'excludedSubtrees', 'critical')
  for (const field of ['permittedSubtrees', 'excludedSubtrees'] as const) {
    const subtrees: unknown = nameConstraints[field] ?? []
    if (!Array.isArray(subtrees) || !subtrees.every(isSubtree))
      throw invalid(index, field, 'a list of GeneralSubtree')
  }
}

function isSubtree(value: Partial<GeneralSubtree> | null | undefined): boolean {
  const kind = value?.base?.kind
  return kind !== undefined && nameForms.has(kind)
}

function checkFields(value: object, index: number, ...known: readonly string[]): void {
  if (typeof value !== 'object' || value === null)
    throw invalid(index, 'constraints', `an object with ${known.join(', ')}`)
  for (const field of Object.keys(value)) {
    if (!known.includes(field))
      throw misuse('option-unknown', `unknown field of trust anchor ${index}: ${field}`, {
        option: field,
      })
  }
}

function invalid(index: number, option: string, expected: string): TypeError {
  const text = `${option} of trust anchor ${index} must be ${expected}`
  return misuse('option-invalid', text, { option })
}

const nameForms: ReadonlySet<string> = new Set<GeneralName['kind']>([
  'otherName',
  'rfc822Name',
  'dNSName',
  'uniformResourceIdentifier',
  'directoryName',
  'iPAddress',
  'registeredID',
  'x400Address',
  'ediPartyName',
])

/** For whoever reads the log at start-up; the words of the registry are not loaded by the core. */
function reasonOf(failure: Failure): string {
  if ('expected' in failure && 'offset' in failure) {
    return `${failure.code}, expected ${failure.expected} at octet ${failure.offset}`
  }
  return 'kind' in failure ? `${failure.code}: ${failure.kind}` : failure.code
}
