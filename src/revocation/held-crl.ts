/** A list with what is asked of it again and again, computed on first use. @module */

import { toHex } from '../base/hex.ts'
import type { AlgorithmPolicy } from '../path/algorithms.ts'
import type { Certificate, SubjectPublicKeyInfo } from '../x509/certificate.ts'
import type { CertificateList } from '../x509/crl.ts'
import type { JudgedKeys } from '../x509/judged-keys.ts'
import { nameKey } from '../x509/name-match.ts'
import { judgedKeysOf } from '../x509/parse-crl.ts'
import { pointNameKeys } from './point-names.ts'

export class HeldCrl {
  readonly list: CertificateList
  /** Of the list's issuer. */
  readonly issuerKey: string
  readonly judgedKeys: JudgedKeys
  readonly isDelta: boolean
  /** Who was found to have signed it last. Set by `isKnownToSign` alone. */
  lastSigner: LastSigner | undefined
  #pointNames: ReadonlySet<string> | undefined
  #scopeKey: string | undefined
  #unusable: Unusable | null | undefined

  constructor(list: CertificateList) {
    this.list = list
    this.issuerKey = nameKey(list.tbsCertList.issuer)
    this.judgedKeys = judgedKeysOf(list)
    this.isDelta = list.tbsCertList.crlExtensions.deltaCRLIndicator !== undefined
  }

  /** The names of its own distribution point; `undefined`: it is for all of them. */
  get pointNames(): ReadonlySet<string> | undefined {
    const point = this.list.tbsCertList.crlExtensions.issuingDistributionPoint
    if (point?.fullName === undefined && point?.nameRelativeToCRLIssuer === undefined) {
      return undefined
    }
    this.#pointNames ??= new Set(pointNameKeys(point, this.list.tbsCertList.issuer))
    return this.#pointNames
  }

  /** Why this list never says that a certificate is good, whatever the time and the certificate. */
  get unusable(): Unusable | undefined {
    if (this.#unusable === undefined) this.#unusable = findUnusable(this.list) ?? null
    return this.#unusable ?? undefined
  }

  /** What is missing that RFC 5280 §5 asks of whoever issues a list, and RFC 5280 §6.3 not of whoever reads one. */
  get againstProfile(): Unusable | undefined {
    const { version, nextUpdate, crlExtensions } = this.list.tbsCertList
    const { cRLNumber, authorityKeyIdentifier } = crlExtensions
    const required = { nextUpdate, cRLNumber, authorityKeyIdentifier }
    const missing =
      version === 2
        ? Object.entries(required).find(([, value]) => value === undefined)?.[0]
        : 'version 2'
    return missing === undefined ? undefined : { code: 'crl-malformed', what: `no ${missing}` }
  }

  /** The same for lists of one issuer, scope and key identifier, as a delta and its base have them. RFC 5280 §5.2.4 */
  get scopeKey(): string {
    const { issuingDistributionPoint: point, authorityKeyIdentifier } =
      this.list.tbsCertList.crlExtensions
    this.#scopeKey ??= [point?.der, authorityKeyIdentifier?.keyIdentifier]
      .map((octets) => (octets === undefined ? '-' : toHex(octets)))
      .concat(this.issuerKey)
      .join(' ')
    return this.#scopeKey
  }
}

interface LastSigner {
  readonly spki: SubjectPublicKeyInfo
  readonly certificate: Certificate | undefined
  readonly algorithms: AlgorithmPolicy
}

export type Unusable =
  | { readonly code: 'crl-unknown-critical-extension'; readonly oid: string }
  | { readonly code: 'crl-malformed'; readonly what: string }

/** RFC 5280 §5.2, RFC 5280 §5.3; what RFC 5280 §5.2.3 says about its own extensions. */
function findUnusable({ tbsCertList }: CertificateList): Unusable | undefined {
  const { crlExtensions, revokedCertificates } = tbsCertList
  const critical = crlExtensions.all.find((one) => one.critical && !processed.has(one.oid))
  const oid = critical?.oid ?? revokedCertificates.unknownCriticalExtension
  if (oid !== undefined) return { code: 'crl-unknown-critical-extension', oid }
  if (revokedCertificates.isCrowded) {
    return { code: 'crl-malformed', what: 'too many entries with one serial number' }
  }
  if (crlExtensions.cRLNumber?.critical) {
    return { code: 'crl-malformed', what: 'cRLNumber is critical' }
  }
  if (crlExtensions.issuingDistributionPoint?.critical === false) {
    return { code: 'crl-malformed', what: 'issuingDistributionPoint is not critical' }
  }
  if (crlExtensions.deltaCRLIndicator?.critical === false) {
    return { code: 'crl-malformed', what: 'deltaCRLIndicator is not critical' }
  }
  return undefined
}

/** authorityKeyIdentifier, cRLNumber, deltaCRLIndicator, issuingDistributionPoint, freshestCRL. RFC 5280 §5.2 */
const processed: ReadonlySet<string> = /* @__PURE__ */ new Set([
  '2.5.29.35',
  '2.5.29.20',
  '2.5.29.27',
  '2.5.29.28',
  '2.5.29.46',
])
