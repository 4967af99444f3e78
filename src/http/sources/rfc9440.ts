/** `Client-Cert` and `Client-Cert-Chain`: RFC 9440 §2. @module */

import type { ClientCertificateSource } from '../source.ts'
import type { ProxyTrust } from '../trust.ts'
import { fromHeader } from './from-header.ts'
import { checkOptionNames } from './options.ts'

export interface Rfc9440Options {
  /** Who may write the headers. */
  readonly trust: ProxyTrust
  /** Default `Client-Cert`. */
  readonly header?: string | undefined
  /** Default `Client-Cert-Chain`. */
  readonly chainHeader?: string | undefined
}

/**
 * The two headers of RFC 9440. The proxy must take away what a client sends under these names, whether or not there is a certificate:
 * RFC 9440 §4. Without `Client-Cert` there was none.
 *
 * @throws TypeError with a `code` when an option is missing, unknown or of the wrong type.
 * @example
 * const source = rfc9440({ trust: { addresses: ['10.0.0.0/8'] } })
 * console.log(source.headers.join(' ')) // client-cert client-cert-chain
 */
export function rfc9440(options: Rfc9440Options): ClientCertificateSource {
  checkOptionNames(options, ['trust', 'header', 'chainHeader'])
  const { trust, header = 'Client-Cert', chainHeader = 'Client-Cert-Chain' } = options
  return fromHeader({
    name: 'rfc9440',
    trust,
    certificate: { header, encoding: 'rfc9440', absent: [] },
    chain: { header: chainHeader, encoding: 'rfc9440-list' },
  })
}
