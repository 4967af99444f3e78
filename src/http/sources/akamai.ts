/** Akamai's edge: the complete client certificate as a byte sequence. @module */

import type { ClientCertificateSource } from '../source.ts'
import type { ProxyTrust } from '../trust.ts'
import { fromHeader } from './from-header.ts'
import { checkOptionNames } from './options.ts'

export interface AkamaiOptions {
  /** Who may write the header. */
  readonly trust: ProxyTrust
  /** Default `Akamai-CC-DER`. */
  readonly header?: string | undefined
}

/**
 * Akamai with "Complete client certificate" of the behaviors Client Certificate Authentication or Enforce mTLS settings: a byte sequence
 * of RFC 8941 §3.3.5. Akamai's addresses are shared by all of its customers: trust the certificate of its origin keystore (`proxyKeys`)
 * or a secret header, not addresses alone.
 *
 * @throws TypeError with a `code` when an option is missing, unknown or of the wrong type.
 * @example
 * const source = akamai({ trust: { secret: { header: 'X-Origin-Secret', value: 'Vq3fZ0m1Xk8sT5yB' } } })
 * console.log(source.headers[0]) // akamai-cc-der
 */
export function akamai(options: AkamaiOptions): ClientCertificateSource {
  checkOptionNames(options, ['trust', 'header'])
  const { trust, header = 'Akamai-CC-DER' } = options
  return fromHeader({ name: 'akamai', trust, certificate: { header, encoding: 'rfc9440' } })
}
