/** Possible issuers by name and key identifier: RFC 4158 §3.5. Built once, never changed. @module */

import { bytesEqual } from '../base/bytes.ts'
import type { Name } from '../x509/name.ts'
import { nameKey } from '../x509/name-match.ts'
import type { Issuer } from './issuer.ts'

interface Writing {
  /** Of the name. */
  readonly der: Uint8Array
  /** Not empty. */
  readonly issuers: Issuer[]
}

/**
 * Candidate issuers of one origin: trust anchors, or intermediates.
 *
 * @example
 * const anchors = new IssuerIndex([new Issuer(undefined, trustAnchor)])
 * console.log(anchors.issuers.length) // 1
 */
export class IssuerIndex {
  /** Without byte-for-byte equal certificates, in the order given. */
  readonly issuers: readonly Issuer[]
  readonly #byName = new Map<string, Issuer[]>()
  /** Every way in which a subject is written, by a hash of its octets: most issuer fields repeat one of them. */
  readonly #byWriting = new Map<number, Writing[]>()
  readonly #byContent = new Map<number, Issuer[]>()

  /** Keeps the first of byte-for-byte equal certificates, and every anchor with constraints of its own: order must not matter. */
  constructor(issuers: Iterable<Issuer>) {
    const kept: Issuer[] = []
    for (const issuer of issuers) {
      if (issuer.certificate !== undefined) {
        const same = this.find(issuer.certificate.der)
        if (same !== undefined && same.anchor?.constraints === issuer.anchor?.constraints) continue
        append(this.#byContent, contentKey(issuer.certificate.der), issuer)
      }
      kept.push(issuer)
    }
    // Newest first, here once instead of in every search.
    const ordered = kept.length > 1 ? [...kept].sort(comparePreferred) : kept
    for (const issuer of ordered) append(this.#byName, issuer.nameKey, issuer)
    for (const issuer of ordered) this.#addWriting(issuer)
    this.issuers = kept
  }

  /** Issuers whose subject matches `name`, newest first. */
  named(name: Name): readonly Issuer[] {
    return this.#written(name, hashOf(name.der)) ?? this.#byName.get(nameKey(name)) ?? none
  }

  /** `named` of each index. What one of them knows as it is written spares the others its preparation. */
  static named(indexes: readonly IssuerIndex[], name: Name): readonly (readonly Issuer[])[] {
    const hash = hashOf(name.der)
    const lists: (readonly Issuer[] | undefined)[] = []
    let key: string | undefined
    for (const index of indexes) {
      const list = index.#written(name, hash)
      if (list !== undefined) key ??= list[0]?.nameKey
      lists.push(list)
    }
    return lists.map((list, i) => {
      if (list !== undefined) return list
      key ??= nameKey(name)
      return (indexes[i] as IssuerIndex).#byName.get(key) ?? none
    })
  }

  #written(name: Name, hash: number): readonly Issuer[] | undefined {
    for (const { der, issuers } of this.#byWriting.get(hash) ?? nowhere) {
      if (bytesEqual(der, name.der)) return issuers
    }
    return undefined
  }

  /** The issuer whose certificate is `der`, octet for octet. */
  find(der: Uint8Array): Issuer | undefined {
    for (const issuer of this.#byContent.get(contentKey(der)) ?? none) {
      if (issuer.certificate !== undefined && bytesEqual(issuer.certificate.der, der)) return issuer
    }
    return undefined
  }

  #addWriting(issuer: Issuer): void {
    const { der } = issuer.name
    const key = hashOf(der)
    const bucket = this.#byWriting.get(key)
    const issuers = this.#byName.get(issuer.nameKey) as Issuer[]
    if (bucket === undefined) this.#byWriting.set(key, [{ der, issuers }])
    else if (bucket.length < maxBucket && !bucket.some((one) => bytesEqual(one.der, der))) {
      bucket.push({ der, issuers })
    }
  }
}

/** A root before a certificate that cross-signs it, where both are anchors; then the newest, then the one that ends last. */
function comparePreferred(a: Issuer, b: Issuer): number {
  const roots =
    Number(b.anchor !== undefined && b.selfIssued) - Number(a.anchor !== undefined && a.selfIssued)
  if (roots !== 0) return roots
  if (a.notBefore !== b.notBefore) return a.notBefore > b.notBefore ? -1 : 1
  if (a.notAfter !== b.notAfter) return a.notAfter > b.notAfter ? -1 : 1
  return 0
}

/** The end of a certificate is its signature: a few octets of it tell certificates apart, and equal ones are compared whole. */
function contentKey(der: Uint8Array): number {
  let hash = der.length
  for (let i = Math.max(0, der.length - 16); i < der.length; i++) {
    hash = (Math.imul(hash, 31) + (der[i] as number)) | 0
  }
  return hash
}

function hashOf(bytes: Uint8Array): number {
  let hash = bytes.length
  for (let i = 0; i < bytes.length; i++) hash = (Math.imul(hash, 31) + (bytes[i] as number)) | 0
  return hash
}

function append<K>(map: Map<K, Issuer[]>, key: K, issuer: Issuer): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [issuer])
  else list.push(issuer)
}

/** Names made to collide must not make a search linear; those beyond are found by their prepared form. */
const maxBucket = 8
const none: readonly Issuer[] = []
const nowhere: readonly Writing[] = []
