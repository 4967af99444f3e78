/** The order in which possible issuers are tried: RFC 4158 §3.5. @module */

import { bytesEqual } from '../base/bytes.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { Issuer } from './issuer.ts'
import { IssuerIndex } from './issuer-index.ts'

/** Grows with every issuer that is looked at, passed over or not: lists of ten thousand namesakes must not multiply. */
export interface Effort {
  looks: number
}

/**
 * Walks the possible issuers of one certificate: those with the key identifier that it states before the others, those current at
 * `time` before the others, and in each group the sources in their order (anchors first), newest first. Nothing is sorted or copied:
 * the indexes are in order already, and a path is mostly found at the first step.
 */
export class Candidates {
  readonly #sources: readonly IssuerIndex[]
  /** By source: the issuers of the right name. */
  readonly #named: readonly (readonly Issuer[])[]
  readonly #keyIdentifier: Uint8Array | undefined
  readonly #time: number
  readonly #effort: Effort
  #group: number
  #source = 0
  #position = 0

  constructor(
    certificate: Certificate,
    sources: readonly IssuerIndex[],
    time: number,
    effort: Effort,
  ) {
    const { issuer, extensions } = certificate.tbsCertificate
    this.#sources = sources
    this.#named = IssuerIndex.named(sources, issuer)
    this.#keyIdentifier = extensions.authorityKeyIdentifier?.keyIdentifier
    this.#time = time
    this.#effort = effort
    this.#group = this.#keyIdentifier === undefined ? firstWithout : 0
  }

  /** The next possible issuer, or `undefined` when all were named. */
  next(): Issuer | undefined {
    for (; this.#group < groups; this.#group++, this.#source = 0) {
      for (; this.#source < this.#named.length; this.#source++, this.#position = 0) {
        const list = this.#named[this.#source] as readonly Issuer[]
        while (this.#position < list.length) {
          const issuer = list[this.#position++] as Issuer
          this.#effort.looks++
          if (this.#groupOf(issuer) === this.#group && !this.#isInEarlierSource(issuer)) {
            return issuer
          }
        }
      }
    }
    return undefined
  }

  /** 0: the key identifier fits, and it is current; 1: it fits; 2: it is current; 3: neither. */
  #groupOf(issuer: Issuer): number {
    const own = issuer.keyIdentifier
    const fits =
      this.#keyIdentifier !== undefined && own !== undefined && bytesEqual(own, this.#keyIdentifier)
    const current = issuer.notBefore <= this.#time && this.#time <= issuer.notAfter
    return (fits ? 0 : firstWithout) + (current ? 0 : 1)
  }

  #isInEarlierSource(issuer: Issuer): boolean {
    if (this.#source === 0 || issuer.certificate === undefined) return false
    for (let i = 0; i < this.#source; i++) {
      // Only a source that has the name can have the certificate.
      if (
        this.#named[i]?.length !== 0 &&
        this.#sources[i]?.find(issuer.certificate.der) !== undefined
      ) {
        return true
      }
    }
    return false
  }
}

const groups = 4
const firstWithout = 2
