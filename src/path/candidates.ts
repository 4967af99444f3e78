/** The order in which possible issuers are tried: RFC 4158 §3.5. @module */

import { toHex } from '../base/hex.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { Issuer } from './issuer.ts'
import type { IssuerIndex } from './issuer-index.ts'

/**
 * Walks the possible issuers of one certificate: those with the key identifier that it states before the others, those current at
 * `time` before the others, and in each group the sources in their order (anchors first), newest first. Nothing is sorted or copied:
 * the indexes are in order already, and a path is mostly found at the first step.
 */
export class Candidates {
  readonly #sources: readonly IssuerIndex[]
  readonly #nameKey: string
  /** Hexadecimal; empty when the certificate states none. */
  readonly #keyIdentifier: string
  readonly #time: number
  #group = 0
  #source = 0
  #position = 0

  constructor(
    certificate: Certificate,
    issuerKey: string,
    sources: readonly IssuerIndex[],
    time: number,
  ) {
    const { authorityKeyIdentifier } = certificate.tbsCertificate.extensions
    const keyIdentifier = authorityKeyIdentifier?.keyIdentifier
    this.#sources = sources
    this.#nameKey = issuerKey
    this.#keyIdentifier = keyIdentifier === undefined ? '' : toHex(keyIdentifier)
    this.#time = time
  }

  /** The next possible issuer, or `undefined` when all were named. */
  next(): Issuer | undefined {
    for (; this.#group < groups; this.#group++, this.#source = 0) {
      const identified = this.#group < 2
      if (identified && this.#keyIdentifier === '') continue
      const usable = this.#group % 2 === 0
      for (; this.#source < this.#sources.length; this.#source++, this.#position = 0) {
        const source = this.#sources[this.#source] as IssuerIndex
        const list = identified
          ? source.identified(this.#nameKey, this.#keyIdentifier)
          : source.named(this.#nameKey)
        while (this.#position < list.length) {
          const issuer = list[this.#position++] as Issuer
          const current = issuer.notBefore <= this.#time && this.#time <= issuer.notAfter
          if (current !== usable) continue
          if (
            !identified &&
            this.#keyIdentifier !== '' &&
            issuer.keyIdentifier === this.#keyIdentifier
          )
            continue
          if (this.#source > 0 && this.#isInEarlierSource(issuer)) continue
          return issuer
        }
      }
    }
    return undefined
  }

  #isInEarlierSource(issuer: Issuer): boolean {
    if (issuer.certificate === undefined) return false
    for (let i = 0; i < this.#source; i++) {
      if (this.#sources[i]?.find(issuer.certificate.der) !== undefined) return true
    }
    return false
  }
}

/** Key identifier fits and current, fits and not current, others current, others not current. */
const groups = 4
