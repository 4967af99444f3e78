/** The hashes by which OCSP names an issuer, made once for each: RFC 6960 §4.1.1. @module */

import { asciiText, bytesEqual } from '../base/bytes.ts'
import { ask, type DigestName, type Steps } from '../effect/effect.ts'
import { describeKey } from '../x509/algorithms.ts'
import type { KeyDescription, SubjectPublicKeyInfo } from '../x509/certificate.ts'
import type { Name } from '../x509/name.ts'

export interface IssuerHashes {
  readonly issuerNameHash: Uint8Array
  readonly issuerKeyHash: Uint8Array
}

/** Of the Name's DER and of the octets of the key's BIT STRING. */
export function* hashIssuer(
  hash: DigestName,
  name: Name,
  spki: SubjectPublicKeyInfo,
): Steps<IssuerHashes> {
  const issuerNameHash = yield* ask({ op: 'digest', hash, data: name.der })
  const issuerKeyHash = yield* ask({ op: 'digest', hash, data: spki.subjectPublicKey })
  return { issuerNameHash, issuerKeyHash }
}

/** One issuer by one of its names. */
export interface KnownIssuer {
  /** DER. */
  readonly name: Uint8Array
  /** DER. */
  readonly spki: Uint8Array
  readonly key: KeyDescription
  /** SHA-1 of the key, as in a ResponderID. RFC 6960 §4.2.1 */
  readonly keyHash: Uint8Array
  /** `issuerIndexKey` of its hashes. */
  readonly indexKeys: Readonly<Record<DigestName, string>>
}

/** A text for maps: both hashes, of equal length each. */
export function issuerIndexKey({ issuerNameHash, issuerKeyHash }: IssuerHashes): string {
  return asciiText(issuerNameHash) + asciiText(issuerKeyHash)
}

/** Remembers issuers as copies, compared octet by octet: a CA that each client sends again is the same one. */
export class KnownIssuers {
  #count = 0
  /** By the last octets of the key. */
  readonly #known: Map<string, KnownIssuer[]> = new Map()

  #remember(tail: string, issuer: KnownIssuer): void {
    if (this.#count === maxKnown) {
      this.#known.clear()
      this.#count = 0
    }
    const alike = this.#known.get(tail)
    if (alike === undefined) this.#known.set(tail, [issuer])
    else alike.push(issuer)
    this.#count++
  }

  /** @param name - Of the issuer, in one of its encodings. */
  *find(name: Name, spki: SubjectPublicKeyInfo): Steps<KnownIssuer> {
    const { subjectPublicKey } = spki
    const tail = asciiText(subjectPublicKey, Math.max(0, subjectPublicKey.length - tailOctets))
    for (const one of this.#known.get(tail) ?? none) {
      if (bytesEqual(one.spki, spki.der) && bytesEqual(one.name, name.der)) return one
    }
    const issuer = yield* describe(name, spki)
    this.#remember(tail, issuer)
    return issuer
  }
}

function* describe(name: Name, spki: SubjectPublicKeyInfo): Steps<KnownIssuer> {
  const der = spki.der.slice()
  // The BIT STRING is the last field, so its octets are the last ones.
  const subjectPublicKey = der.subarray(der.length - spki.subjectPublicKey.length)
  const own = { der, algorithm: spki.algorithm, subjectPublicKey }
  const ownName = { ...name, der: name.der.slice() }
  const key = describeKey(own)
  const sha1 = yield* hashIssuer('SHA-1', ownName, own)
  const sha256 = yield* hashIssuer('SHA-256', ownName, own)
  return {
    name: ownName.der,
    spki: der,
    key,
    keyHash: sha1.issuerKeyHash,
    indexKeys: { 'SHA-1': issuerIndexKey(sha1), 'SHA-256': issuerIndexKey(sha256) },
  }
}

const none: readonly KnownIssuer[] = []
const tailOctets = 12
/** Local limit: several times the CAs whose clients one server sees; past it, all are forgotten and hashed again. */
const maxKnown = 1024
