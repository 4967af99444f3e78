/** A possible issuer: a CA certificate or a trust anchor, with what path building asks of it again and again. @module */

import { bytesEqual } from '../base/bytes.ts'
import { describeKey } from '../x509/algorithms.ts'
import type { Certificate, KeyDescription, SubjectPublicKeyInfo } from '../x509/certificate.ts'
import type { Name } from '../x509/name.ts'
import { nameKey } from '../x509/name-match.ts'
import type { TrustAnchor } from './trust-anchor.ts'

/**
 * Computes on first use and keeps: most of a large pool is never looked at, the rest is looked at by every client.
 *
 * @example
 * const issuer = new Issuer(certificate, undefined)
 * console.log(issuer.selfIssued) // false
 */
export class Issuer {
  /** Absent for an anchor that is a name and a key. */
  readonly certificate: Certificate | undefined
  /** Set when this is a trust anchor. */
  readonly anchor: TrustAnchor | undefined
  readonly name: Name
  readonly subjectPublicKeyInfo: SubjectPublicKeyInfo
  /**
   * The key under which the certificate's signature was found valid last, as an object: pools live long, and their members are checked
   * once, not for every client. Set by `completePath` alone.
   */
  verifiedUnder: SubjectPublicKeyInfo | undefined
  #nameKey: string | undefined
  #issuerKey: string | undefined
  #key: KeyDescription | undefined

  constructor(certificate: Certificate | undefined, anchor: TrustAnchor | undefined) {
    this.certificate = certificate
    this.anchor = anchor
    const source = certificate?.tbsCertificate ?? anchor
    if (source === undefined) throw new TypeError('an issuer is a certificate or an anchor')
    this.name = 'subject' in source ? source.subject : source.name
    this.subjectPublicKeyInfo = source.subjectPublicKeyInfo
  }

  /** Of the subject; equal keys are matching names. */
  get nameKey(): string {
    this.#nameKey ??= nameKey(this.name)
    return this.#nameKey
  }

  /** Of the issuer; for an anchor without certificate, its own. */
  get issuerKey(): string {
    this.#issuerKey ??=
      this.certificate === undefined || this.#isByteForByteSelfIssued()
        ? this.nameKey
        : nameKey(this.certificate.tbsCertificate.issuer)
    return this.#issuerKey
  }

  get key(): KeyDescription {
    this.#key ??= describeKey(this.subjectPublicKeyInfo)
    return this.#key
  }

  /** RFC 5280 §6.1: subject and issuer are the same name. */
  get selfIssued(): boolean {
    return this.nameKey === this.issuerKey
  }

  get keyIdentifier(): Uint8Array | undefined {
    return this.certificate?.tbsCertificate.extensions.subjectKeyIdentifier?.keyIdentifier
  }

  get notBefore(): number {
    return this.certificate?.tbsCertificate.validity.notBefore ?? Number.NEGATIVE_INFINITY
  }

  get notAfter(): number {
    return this.certificate?.tbsCertificate.validity.notAfter ?? Number.POSITIVE_INFINITY
  }

  /** Same name and same key: the same CA, whatever its certificates say. RFC 4158 §2.4.2 */
  isSameCa(other: {
    readonly nameKey: string
    readonly subjectPublicKeyInfo: SubjectPublicKeyInfo
  }): boolean {
    return (
      this.nameKey === other.nameKey &&
      bytesEqual(this.subjectPublicKeyInfo.der, other.subjectPublicKeyInfo.der)
    )
  }

  #isByteForByteSelfIssued(): boolean {
    const tbs = this.certificate?.tbsCertificate
    return tbs !== undefined && bytesEqual(tbs.subject.der, tbs.issuer.der)
  }
}
