/** What is sent to Kong's plugin Header Cert Authentication, for who stands in its place. @module */

import { misuse } from '../../client/misuse.ts'
import type { ClientCertificateSource } from '../source.ts'
import type { ProxyTrust } from '../trust.ts'
import { fromHeader } from './from-header.ts'
import { checkOneOf, checkOptionNames } from './options.ts'

export interface KongOptions {
  /** Who may write the header: what the plugin calls `secure_source` and `trusted_ips`. */
  readonly trust: ProxyTrust
  /** The plugin's `certificate_header_name`. */
  readonly header: string
  /** The plugin's `certificate_header_format`: base64 of DER, or PEM, percent-encoded. */
  readonly format: 'base64_encoded' | 'url_encoded'
}

/**
 * The header that Kong's plugin `header-cert-auth` reads, in either of its formats.
 *
 * @throws TypeError with a `code` when an option is missing, unknown or of the wrong type.
 * @example
 * const trust = { addresses: ['10.0.0.0/8'] }
 * const source = kong({ trust, header: 'X-Client-Cert', format: 'url_encoded' })
 * console.log(source.headers[0]) // x-client-cert
 */
export function kong(options: KongOptions): ClientCertificateSource {
  checkOptionNames(options, ['trust', 'header', 'format'])
  const { trust, header, format } = options
  for (const option of ['header', 'format'] as const) {
    if (options[option] === undefined) {
      throw misuse('option-missing', `kong needs the option ${option}`, { option })
    }
  }
  checkOneOf('format', format, ['base64_encoded', 'url_encoded'])
  const encoding = format === 'url_encoded' ? 'percent-pem' : 'base64-der'
  return fromHeader({ name: 'kong', trust, certificate: { header, encoding } })
}
