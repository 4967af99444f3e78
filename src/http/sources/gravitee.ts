/** What is sent to Gravitee's gateway as `clientAuthHeader`, for who stands in its place. @module */

import type { ClientCertificateSource } from '../source.ts'
import type { ProxyTrust } from '../trust.ts'
import { fromHeader } from './from-header.ts'
import { checkOneOf, checkOptionNames } from './options.ts'

export interface GraviteeOptions {
  /** Who may write the header. */
  readonly trust: ProxyTrust
  /** Gravitee's `clientAuthHeader.name`. Default `X-Gravitee-Client-Cert`. */
  readonly header?: string | undefined
  /** Base64 of PEM, or PEM, percent-encoded. Default `base64`. */
  readonly format?: 'base64' | 'url_encoded' | undefined
}

/**
 * The header that a Gravitee gateway reads a client's certificate from.
 *
 * @throws TypeError with a `code` when an option is missing, unknown or of the wrong type.
 * @example
 * const source = gravitee({ trust: { addresses: ['10.0.0.0/8'] } })
 * console.log(source.headers[0]) // x-gravitee-client-cert
 */
export function gravitee(options: GraviteeOptions): ClientCertificateSource {
  checkOptionNames(options, ['trust', 'header', 'format'])
  const { trust, header = 'X-Gravitee-Client-Cert', format = 'base64' } = options
  checkOneOf('format', format, ['base64', 'url_encoded'])
  const encoding = format === 'base64' ? 'base64-pem' : 'percent-pem'
  return fromHeader({ name: 'gravitee', trust, certificate: { header, encoding } })
}
