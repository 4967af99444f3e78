/** HAProxy: base64 of DER, and a verdict that says the same of a good certificate and of none. @module */

import type { ClientCertificateSource } from '../source.ts'
import type { ProxyTrust } from '../trust.ts'
import { fromHeader } from './from-header.ts'
import { checkOptionNames } from './options.ts'
import { type ProxyVerdict, verdictOf } from './verdict.ts'

export interface HaproxyOptions {
  /** Who may write the headers. */
  readonly trust: ProxyTrust
  /** With `%[ssl_c_der,base64]`. Default `X-SSL-Client-Cert`. */
  readonly header?: string | undefined
  /** With `%[ssl_c_chain_der,base64]`. Default `X-SSL-Client-Chain`. */
  readonly chainHeader?: string | undefined
  /** With `%[ssl_c_verify]`. Default `X-SSL-Client-Verify`. */
  readonly verdictHeader?: string | undefined
  /** With `%[ssl_c_used]`. Default `X-SSL-Client-Used`. */
  readonly usedHeader?: string | undefined
  /** Default `required`. */
  readonly proxyVerdict?: ProxyVerdict | undefined
}

/**
 * HAProxy, with the headers that `mtls-policy proxy-snippet haproxy` sets. `ssl_c_verify` is `0` for a good certificate, for none, and
 * for one that does not fit into the buffer: `ssl_c_used` tells the three apart, on resumed sessions, too, where `ssl_fc_has_crt` does
 * not. On those the chain is empty.
 *
 * @throws TypeError with a `code` when an option is missing, unknown or of the wrong type.
 * @example
 * const source = haproxy({ trust: { addresses: ['127.0.0.1'] } })
 * console.log(source.headers.length) // 4
 */
export function haproxy(options: HaproxyOptions): ClientCertificateSource {
  const headers = ['header', 'chainHeader', 'verdictHeader', 'usedHeader']
  checkOptionNames(options, ['trust', 'proxyVerdict', ...headers])
  const { trust, header = 'X-SSL-Client-Cert', chainHeader = 'X-SSL-Client-Chain' } = options
  const { verdictHeader = 'X-SSL-Client-Verify', usedHeader = 'X-SSL-Client-Used' } = options
  const verdict = { header: verdictHeader, success: ['0'], absent: ['0'] }
  return fromHeader({
    name: 'haproxy',
    trust,
    certificate: { header, encoding: 'base64-der', always: true },
    chain: { header: chainHeader, encoding: 'base64-der-concatenated' },
    presence: { header: usedHeader, yes: '1', no: '0', always: true, omitted: true },
    ...verdictOf(options.proxyVerdict, verdict),
  })
}
