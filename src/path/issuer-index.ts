/** Possible issuers by name and key identifier: RFC 4158 §3.5. Built once, never changed. @module */

import { bytesEqual } from '../base/bytes.ts'
import type { Issuer } from './issuer.ts'

export class IssuerIndex {
  readonly issuers: readonly Issuer[]
  readonly #byName = new Map<string, Issuer[]>()
  readonly #byKeyIdentifier = new Map<string, Issuer[]>()
  readonly #byContent = new Map<string, Issuer[]>()

  /** Keeps the first of byte-for-byte equal certificates. */
  constructor(issuers: Iterable<Issuer>) {
    const kept: Issuer[] = []
    for (const issuer of issuers) {
      if (issuer.certificate !== undefined) {
        if (this.find(issuer.certificate.der) !== undefined) continue
        append(this.#byContent, contentKey(issuer.certificate.der), issuer)
      }
      kept.push(issuer)
    }
    // Newest first, here once instead of in every search. Later end, then self-issued, break ties.
    const ordered = kept.length > 1 ? kept.toSorted(compareNewest) : kept
    for (const issuer of ordered) {
      append(this.#byName, issuer.nameKey, issuer)
      if (issuer.keyIdentifier !== '') {
        append(this.#byKeyIdentifier, `${issuer.keyIdentifier} ${issuer.nameKey}`, issuer)
      }
    }
    this.issuers = kept
  }

  /** Issuers with this subject, newest first. */
  named(nameKey: string): readonly Issuer[] {
    return this.#byName.get(nameKey) ?? none
  }

  /** Issuers with this subject and this subject key identifier (hexadecimal), newest first. */
  identified(nameKey: string, keyIdentifier: string): readonly Issuer[] {
    return this.#byKeyIdentifier.get(`${keyIdentifier} ${nameKey}`) ?? none
  }

  /** The issuer whose certificate is `der`, octet for octet. */
  find(der: Uint8Array): Issuer | undefined {
    if (this.#byContent.size === 0) return undefined
    const bucket = this.#byContent.get(contentKey(der))
    return bucket?.find((issuer) => bytesEqual(issuer.certificate?.der ?? nothing, der))
  }
}

function compareNewest(a: Issuer, b: Issuer): number {
  if (a.notBefore !== b.notBefore) return a.notBefore > b.notBefore ? -1 : 1
  if (a.notAfter !== b.notAfter) return a.notAfter > b.notAfter ? -1 : 1
  return Number(b.selfIssued) - Number(a.selfIssued)
}

/** The end of a certificate is its signature: 16 octets of it tell certificates apart, and equal ones are compared whole. */
function contentKey(der: Uint8Array): string {
  let key = ''
  for (let i = Math.max(0, der.length - 16); i < der.length; i++) {
    key += String.fromCharCode(der[i] as number)
  }
  return key
}

function append(map: Map<string, Issuer[]>, key: string, issuer: Issuer): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [issuer])
  else list.push(issuer)
}

const none: readonly Issuer[] = []
const nothing = new Uint8Array(0)
