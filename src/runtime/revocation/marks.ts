/** That nothing is replaced by what was issued before it: an old list or response is signed as well as the new one. @module */

import { compareBytes } from '../../base/bytes.ts'
import { toHex } from '../../base/hex.ts'
import type { CertificateList } from '../../x509/crl.ts'
import type { TakeFailure } from './failure.ts'

interface Mark {
  /** Unix seconds. */
  readonly thisUpdate: number
  /** Content octets of cRLNumber. */
  readonly number: Uint8Array | undefined
  readonly verified: boolean
}

/** The newest list from one URI, of each issuer and scope: an answer by another issuer must not make room for an old one. */
export class Marks {
  readonly #marks = new Map<string, Mark>()

  /**
   * Reports why `list` may not be taken after those before it. thisUpdate decides, the number between equal ones: a CA that began to
   * count anew must not lock us into the list that misses its latest revocations.
   */
  check(list: CertificateList, verified: boolean): TakeFailure | undefined {
    const key = scopeOf(list)
    const mark = this.#marks.get(key)
    if (mark === undefined) {
      return this.#marks.size < maxScopes ? undefined : { code: 'issuers', maximum: maxScopes }
    }
    // A mark that anybody may have set does not stop what is proven.
    if (verified && !mark.verified) return undefined
    const { thisUpdate, crlExtensions } = list.tbsCertList
    const isOlder =
      thisUpdate < mark.thisUpdate ||
      (thisUpdate === mark.thisUpdate && isLess(crlExtensions.cRLNumber?.number, mark.number))
    return isOlder ? { code: 'older', thisUpdate, held: mark.thisUpdate } : undefined
  }

  /** Remembers a list that was taken. */
  raise(list: CertificateList, verified: boolean): void {
    const { thisUpdate, crlExtensions } = list.tbsCertList
    const number = crlExtensions.cRLNumber?.number.slice()
    this.#marks.set(scopeOf(list), { thisUpdate, number, verified })
  }
}

function scopeOf({ tbsCertList }: CertificateList): string {
  const { issuingDistributionPoint, deltaCRLIndicator } = tbsCertList.crlExtensions
  const kind = deltaCRLIndicator === undefined ? 'complete' : 'delta'
  const scope = issuingDistributionPoint === undefined ? '' : toHex(issuingDistributionPoint.der)
  return `${toHex(tbsCertList.issuer.der)} ${scope} ${kind}`
}

/** Of two numbers that are not negative; what has none is less than what has one. */
function isLess(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === undefined && b !== undefined
  return a.length === b.length ? compareBytes(a, b) < 0 : a.length < b.length
}

/** Local limit: a URI serves one list, and another after the CA was renamed. */
const maxScopes = 8
