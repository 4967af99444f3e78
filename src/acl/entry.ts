/** ACL entries as plain data, the same in text and in JSON. @module */

export type AclEffect = 'allow' | 'deny'

/**
 * Where in the validated path a CA must stand: `issuer` is the target's direct issuer (the trust anchor if that signed
 * the target), `path` any CA of the path, the anchor included, `anchor` the trust anchor.
 */
export type AclPosition = 'issuer' | 'path' | 'anchor'

/**
 * Attribute type (`CN`, `O`, … or dotted decimal) → value; an array wants each of its values. `*` alone as a value means
 * that any value is present. All of them must be there, in whatever RDN; others may be there too.
 */
export type AttributePatterns = Readonly<Record<string, string | readonly string[]>>

/** What may be said of a CA and of a client alike. Hashes are 64 lower-case hexadecimal digits. */
export type CertificateMatch =
  /** The whole distinguished name, RFC 4514 text, compared by RFC 5280 §7.1. */
  | { readonly dn: string }
  | { readonly attributes: AttributePatterns }
  /** SHA-256 of the SubjectPublicKeyInfo's DER: a pin. */
  | { readonly spkiSha256: string }
  /** SHA-256 of the whole certificate: the fingerprint that tools print. A rewritten ECDSA signature does not evade it, nor, when an entry denies, another certificate of that CA. */
  | { readonly certificateSha256: string }
  /** SHA-256 of the signed part: that one certificate, and no other of the same CA, when an entry denies. */
  | { readonly tbsSha256: string }
  /** The certificate itself, DER in base64. Allow: these signed bytes. Deny: this subject with this key. */
  | { readonly certificate: string }

export type IssuerAclMatch =
  | CertificateMatch
  /** The subject key identifier, lower-case hexadecimal. A claim of the certificate, no proof. */
  | { readonly keyId: string }

export type ClientAclMatch =
  | CertificateMatch
  /** A dNSName without regard to case, or `*` for any. */
  | { readonly sanDns: string }
  /** An rfc822Name or SmtpUTF8Mailbox, or `*` for any. RFC 5280 §7.5 */
  | { readonly sanEmail: string }
  /** A URI, `*` for any, or all below a path: `spiffe://domain/path/*`. */
  | { readonly sanUri: string }
  /** Lower-case hexadecimal without leading zeros, and the issuer's distinguished name: alone a serial names nothing. */
  | { readonly serial: string; readonly issuer: string }

export type AnchorMatch = { readonly spkiSha256: string } | { readonly dn: string }

interface Entry<M> {
  readonly effect: AclEffect
  readonly match: M
  /** Only where this trust anchor ends the path. */
  readonly under?: AnchorMatch
  /** The last second, Unix time, in which the entry is in force. */
  readonly expires?: number
  readonly note?: string
}

export interface IssuerAclEntry extends Entry<IssuerAclMatch> {
  readonly at: AclPosition
}

export type ClientAclEntry = Entry<ClientAclMatch>

export type AclEntry = IssuerAclEntry | ClientAclEntry

/** Local limits: they bound a mistaken or hostile configuration; none is reached by one that a person wrote. */
export const limits = {
  /** As many as the trust anchors that a validator is built to hold. */
  entries: 10_000,
  /** Characters: a 32 KiB certificate in base64, with its options. */
  line: 49_152,
  /** Characters: `entries` lines of a distinguished name each, with room for comments. */
  text: 16_777_216,
  /** Of one entry: the names of the largest real CAs have about ten. */
  attributes: 32,
  /** Path segments of a URI prefix: what a client's URI costs to look up. */
  uriSegments: 16,
} as const
