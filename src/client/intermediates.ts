/** Intermediates that are known besides what a client sends. @module */

import { Issuer } from '../path/issuer.ts'
import { IssuerIndex } from '../path/issuer-index.ts'
import { type CertificateSource, readCertificates, type Unreadable } from './certificate-source.ts'
import { misuse } from './misuse.ts'

/** Immutable, indexed by subject name and key identifier. Made by `parseIntermediates`, once for many validations. */
export class Intermediates {
  readonly index: IssuerIndex
  /** What could not be read and is left out: junk in a pool harms nobody. `index` counts the sources. */
  readonly unreadable: readonly Unreadable[]

  constructor(index: IssuerIndex, unreadable: readonly Unreadable[]) {
    this.index = index
    this.unreadable = unreadable
  }
}

/**
 * Reads a pool of CA certificates; those that cannot be read are left out and reported.
 *
 * @param source - PEM text or bytes (any number of certificates), DER, base64 DER, parsed certificates, or an array of these.
 * @throws TypeError with code `intermediates-unreadable` for what is neither PEM, DER nor base64, or is another kind of file.
 * @example
 * const intermediates = parseIntermediates(await readFile('intermediates.pem'))
 * console.log(intermediates.unreadable.length) // 0
 */
export function parseIntermediates(
  source: CertificateSource | readonly CertificateSource[],
): Intermediates {
  const sources: readonly CertificateSource[] = Array.isArray(source)
    ? source
    : [source as CertificateSource]
  const issuers: Issuer[] = []
  const unreadable: Unreadable[] = []
  sources.forEach((one, index) => {
    const read = readCertificates(one)
    if (!read.ok) {
      // A file name, a key: a slip of whoever configures, who would look for the missing CA elsewhere.
      if (read.failure.code === 'input-unrecognized' || 'kind' in read.failure) {
        const text = `intermediates ${index} are no certificates: ${read.failure.code}`
        throw misuse('intermediates-unreadable', text, { index, failure: read.failure })
      }
      unreadable.push({ index, failure: read.failure })
      return
    }
    for (const certificate of read.value.certificates)
      issuers.push(new Issuer(certificate, undefined))
    for (const { failure } of read.value.unreadable) unreadable.push({ index, failure })
  })
  return new Intermediates(new IssuerIndex(issuers), unreadable)
}
