/**
 * The lists that stay in force from one URI. Nothing is replaced by what was issued before it, by what is about others, or by what
 * another key has signed: an old list is signed as well as the new one, and so is that of another CA. @module
 */

import { compareBytes } from '../../base/bytes.ts'
import { toHex } from '../../base/hex.ts'
import { provenKeyOf } from '../../revocation/crls.ts'
import type { CertificateList, TbsCertList } from '../../x509/crl.ts'
import type { TakeFailure } from './failure.ts'
import type { ReadList } from './read-lists.ts'

/** The newest list of each issuer, scope and signer. Beside each other they can only revoke more. */
export class KeptLists {
  readonly #kept = new Map<string, ReadList>()

  get all(): readonly ReadList[] {
    return [...this.#kept.values()]
  }

  /** Takes notice of signatures that validations have found to verify since. */
  settle(): void {
    for (const [key, { list, signedBy }] of [...this.#kept]) {
      const proven = signedBy ?? provenKeyOf(list)
      if (signedBy !== undefined || proven === undefined) continue
      this.#kept.delete(key)
      const settled = { list, verified: true, signedBy: proven }
      this.#kept.set(keyOf(settled), settled)
    }
  }

  /**
   * Reports why `read` may not be taken beside those before it. thisUpdate decides, the number between equal ones: a CA that began to
   * count anew must not lock us into the list that misses its latest revocations.
   *
   * @param now - Unix seconds.
   */
  check(read: ReadList, now: number): TakeFailure | undefined {
    const same = this.#kept.get(keyOf(read))
    // What anybody may have made does not stop what is proven; what is proven stops anything.
    const newest = read.verified ? same : newestOf(this.all, scopeOf(read.list))
    if (newest !== undefined && isBefore(read.list, newest.list)) {
      const { thisUpdate } = read.list.tbsCertList
      return { code: 'older', thisUpdate, held: newest.list.tbsCertList.thisUpdate }
    }
    if (!read.verified && this.all.some((one) => one.verified && !hasRunOut(one, now))) {
      return { code: 'signer-unknown' }
    }
    const hasRoom =
      same !== undefined ||
      this.#kept.size < maxKept ||
      (read.verified && this.#leastUseful(now) !== undefined)
    return hasRoom ? undefined : { code: 'issuers', maximum: maxKept }
  }

  /**
   * Keeps a list that was checked.
   *
   * @param now - Unix seconds.
   */
  put(read: ReadList, now: number): void {
    const key = keyOf(read)
    const { issuer, thisUpdate } = read.list.tbsCertList
    const scope = scopeOf(read.list)
    for (const [other, one] of [...this.#kept]) {
      const isForged = read.verified && !one.verified && scopeOf(one.list) === scope
      // Of a scope or a key that the CA has given up: it ran out before this one was issued.
      const isGivenUp =
        read.verified === one.verified &&
        compareBytes(one.list.tbsCertList.issuer.der, issuer.der) === 0 &&
        hasRunOut(one, thisUpdate)
      if (isForged || isGivenUp) this.#kept.delete(other)
    }
    if (!this.#kept.has(key) && this.#kept.size >= maxKept) {
      const least = this.#leastUseful(now)
      if (least !== undefined) this.#kept.delete(least)
    }
    this.#kept.set(key, read)
  }

  /** What makes room for a proven list: one that nobody has proven, else the one that ran out longest ago. */
  #leastUseful(now: number): string | undefined {
    let least: { readonly key: string; readonly nextUpdate: number } | undefined
    for (const [key, one] of this.#kept) {
      if (!one.verified) return key
      const { nextUpdate = now } = one.list.tbsCertList
      if (hasRunOut(one, now) && nextUpdate < (least?.nextUpdate ?? now))
        least = { key, nextUpdate }
    }
    return least?.key
  }
}

function keyOf({ list, signedBy }: ReadList): string {
  return `${scopeOf(list)} ${signedBy === undefined ? '' : toHex(signedBy.der)}`
}

function scopeOf({ tbsCertList }: CertificateList): string {
  const { issuingDistributionPoint, deltaCRLIndicator } = tbsCertList.crlExtensions
  const kind = deltaCRLIndicator === undefined ? 'complete' : 'delta'
  const scope = issuingDistributionPoint === undefined ? '' : toHex(issuingDistributionPoint.der)
  return `${toHex(tbsCertList.issuer.der)} ${scope} ${kind}`
}

function newestOf(lists: readonly ReadList[], scope: string): ReadList | undefined {
  let newest: ReadList | undefined
  for (const one of lists) {
    if (scopeOf(one.list) !== scope) continue
    if (newest === undefined || isBefore(newest.list, one.list)) newest = one
  }
  return newest
}

function isBefore(
  { tbsCertList: a }: CertificateList,
  { tbsCertList: b }: CertificateList,
): boolean {
  return (
    a.thisUpdate < b.thisUpdate ||
    (a.thisUpdate === b.thisUpdate && isLess(numberOf(a), numberOf(b)))
  )
}

function numberOf({ crlExtensions }: TbsCertList): Uint8Array | undefined {
  return crlExtensions.cRLNumber?.number
}

function hasRunOut({ list }: ReadList, at: number): boolean {
  const { nextUpdate } = list.tbsCertList
  return nextUpdate !== undefined && nextUpdate < at
}

/** Of two numbers that are not negative; what has none is less than what has one. */
function isLess(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === undefined && b !== undefined
  return a.length === b.length ? compareBytes(a, b) < 0 : a.length < b.length
}

/** Local limit: a URI serves one list, and another after the CA was renamed or has a new key. */
const maxKept = 8
