/** Caddy: base64 of DER, and no verdict. @module */

import type { ClientCertificateSource } from '../source.ts'
import type { ProxyTrust } from '../trust.ts'
import { fromHeader } from './from-header.ts'
import { checkOptionNames } from './options.ts'

export interface CaddyOptions {
  /** Who may write the header. */
  readonly trust: ProxyTrust
  /** With `{http.request.tls.client.certificate_der_base64}`. Default `X-Client-Cert`. */
  readonly header?: string | undefined
}

/**
 * Caddy, with the header that `mtls-policy proxy-snippet caddy` sets; the client's own certificate alone. Without one Caddy sends the
 * placeholder's own text, or what the snippet makes of it: nothing. No line at all is another way in.
 *
 * @throws TypeError with a `code` when an option is missing, unknown or of the wrong type.
 * @example
 * const source = caddy({ trust: { addresses: ['127.0.0.1'] } })
 * console.log(source.headers[0]) // x-client-cert
 */
export function caddy(options: CaddyOptions): ClientCertificateSource {
  checkOptionNames(options, ['trust', 'header'])
  const { trust, header = 'X-Client-Cert' } = options
  return fromHeader({
    name: 'caddy',
    trust,
    certificate: { header, encoding: 'base64-der', absent: ['', placeholder], always: true },
  })
}

const placeholder = '{http.request.tls.client.certificate_der_base64}'
