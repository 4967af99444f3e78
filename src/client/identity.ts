/** Who the client is, as the validated path proves it. @module */

import { encodeBase64Url } from '../base/base64.ts'
import { toHex } from '../base/hex.ts'
import { ipAddressText } from '../path/ip-address.ts'
import type { TrustAnchor } from '../path/trust-anchor.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { GeneralName } from '../x509/general-name.ts'
import type { Name } from '../x509/name.ts'
import { formatName } from '../x509/name-text.ts'

/** SHA-256 of the certificate, of its SubjectPublicKeyInfo and of its issuer's. */
type Digests = () => readonly Uint8Array[]

/** Text is made when it is read: most requests are let in without anybody reading it. Never the common name alone. */
export class Identity {
  readonly anchor: TrustAnchor
  readonly issuer: IssuerIdentity
  readonly #certificate: Certificate
  readonly #digests: Digests

  constructor(certificate: Certificate, issuer: Name, anchor: TrustAnchor, digests: Digests) {
    this.anchor = anchor
    this.issuer = new IssuerIdentity(issuer, digests)
    this.#certificate = certificate
    this.#digests = digests
  }

  /** RFC 4514 text; empty when only the subjectAltName names the client. */
  get subject(): string {
    return formatName(this.#certificate.tbsCertificate.subject)
  }

  get subjectAltNames(): readonly GeneralName[] {
    return this.#certificate.tbsCertificate.extensions.subjectAltName?.names ?? []
  }

  /**
   * The one URI name, if it is a SPIFFE id: SPIFFE X509-SVID §2 allows exactly one URI, SPIFFE-ID §2 no user, port, query, escape, or
   * dotted or empty segment, so that nobody reads it as another one.
   */
  get spiffeId(): string | undefined {
    const uris = this.subjectAltNames.filter(({ kind }) => kind === 'uniformResourceIdentifier')
    const [uri] = uris
    return uris.length === 1 &&
      uri?.kind === 'uniformResourceIdentifier' &&
      uri.value.length <= maxSpiffeId &&
      spiffeId.test(uri.value)
      ? uri.value
      : undefined
  }

  /** Hexadecimal, two digits an octet, as encoded. */
  get serialNumber(): string {
    return toHex(this.#certificate.tbsCertificate.serialNumber)
  }

  /** SHA-256 of the certificate, hexadecimal. */
  get fingerprint(): string {
    return hexOf(this.#digests, 0)
  }

  /** SHA-256 of the SubjectPublicKeyInfo, hexadecimal: stays the same when a certificate is renewed with its key. */
  get spkiSha256(): string {
    return hexOf(this.#digests, 1)
  }

  /** `x5t#S256`, base64url: RFC 8705 §3.1. */
  get x5tS256(): string {
    return encodeBase64Url(this.#digests()[0] as Uint8Array)
  }

  toJSON(): object {
    const { subject, subjectAltNames, spiffeId, serialNumber, fingerprint, spkiSha256, x5tS256 } =
      this
    return {
      subject,
      issuer: this.issuer.name,
      issuerSpkiSha256: this.issuer.spkiSha256,
      anchor: formatName(this.anchor.name),
      subjectAltNames: subjectAltNames.map(generalNameText),
      spiffeId,
      serialNumber,
      fingerprint,
      spkiSha256,
      'x5t#S256': x5tS256,
    }
  }
}

/** The direct issuer, by name and key. */
export class IssuerIdentity {
  readonly #name: Name
  readonly #digests: Digests

  constructor(name: Name, digests: Digests) {
    this.#name = name
    this.#digests = digests
  }

  /** RFC 4514 text. */
  get name(): string {
    return formatName(this.#name)
  }

  /** SHA-256 of its SubjectPublicKeyInfo, hexadecimal. */
  get spkiSha256(): string {
    return hexOf(this.#digests, 2)
  }

  toJSON(): object {
    return { name: this.name, spkiSha256: this.spkiSha256 }
  }
}

function hexOf(digests: Digests, index: number): string {
  return toHex(digests()[index] as Uint8Array)
}

// SPIFFE-ID §2.1 to §2.4
const maxSpiffeId = 2048
const spiffeId: RegExp = /^spiffe:\/\/[a-z0-9._-]{1,255}(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+)*$/

/**
 * `dNSName:client.example`, and likewise for the other forms.
 *
 * @example
 * console.log(generalNameText({ kind: 'dNSName', value: 'client.example' })) // dNSName:client.example
 */
export function generalNameText(name: GeneralName): string {
  switch (name.kind) {
    case 'rfc822Name':
    case 'dNSName':
    case 'uniformResourceIdentifier':
      return `${name.kind}:${name.value}`
    case 'directoryName':
      return `${name.kind}:${formatName(name.name)}`
    case 'iPAddress':
      return `${name.kind}:${ipAddressText(name.octets)}`
    case 'registeredID':
      return `${name.kind}:${name.oid}`
    case 'otherName':
      return `${name.kind}:${name.typeId}`
    default:
      return name.kind
  }
}
