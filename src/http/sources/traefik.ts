/** Traefik: base64 of DER, the whole chain in one header, and no verdict. @module */

import type { ClientCertificateSource } from '../source.ts'
import type { ProxyTrust } from '../trust.ts'
import { fromHeader } from './from-header.ts'
import { checkOptionNames } from './options.ts'

export interface TraefikOptions {
  /** Who may write the header. */
  readonly trust: ProxyTrust
  /** Default `X-Forwarded-Tls-Client-Cert`. */
  readonly header?: string | undefined
}

/**
 * Traefik with the middleware `passTLSClientCert` and `pem: true`; in the escaped form of 2.8.0 to 2.9.1, too.
 *
 * Traefik does not take away what a client sent under this name when the client has no certificate, and nothing in the request shows
 * it. It needs `clientAuthType: RequireAnyClientCert` (or stricter), or a `headers` middleware before it that empties the header;
 * otherwise a client without a key comes in under any certificate that it has seen.
 *
 * @throws TypeError with a `code` when an option is missing, unknown or of the wrong type.
 * @example
 * const source = traefik({ trust: { addresses: ['172.16.0.0/12'] } })
 * console.log(source.headers[0]) // x-forwarded-tls-client-cert
 */
export function traefik(options: TraefikOptions): ClientCertificateSource {
  checkOptionNames(options, ['trust', 'header'])
  const { trust, header = 'X-Forwarded-Tls-Client-Cert' } = options
  return fromHeader({
    name: 'traefik',
    trust,
    certificate: { header, encoding: 'base64-der-list', withChain: true },
    others: ['X-Forwarded-Tls-Client-Cert-Info'],
  })
}
