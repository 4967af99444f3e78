/** Apache httpd: PEM whose newlines became spaces, a header for each certificate, and `(null)` for what is not there. @module */

import type { ClientCertificateSource } from '../source.ts'
import type { ProxyTrust } from '../trust.ts'
import { fromHeader } from './from-header.ts'
import { checkOptionNames } from './options.ts'
import { type ProxyVerdict, successOrNone, verdictOf } from './verdict.ts'

export interface ApacheOptions {
  /** Who may write the headers. */
  readonly trust: ProxyTrust
  /** With `%{SSL_CLIENT_CERT}s`. Default `X-SSL-Client-Cert`. */
  readonly header?: string | undefined
  /** With `%{SSL_CLIENT_CERT_CHAIN_n}s`, in this order. Default `X-SSL-Client-Chain-0` to `-3`. */
  readonly chainHeaders?: readonly string[] | undefined
  /** With `%{SSL_CLIENT_VERIFY}s`. Default `X-SSL-Client-Verify`. */
  readonly verdictHeader?: string | undefined
  /** Default `required`, which refuses `GENEROUS`, httpd's word for a CA that it does not know. */
  readonly proxyVerdict?: ProxyVerdict | undefined
}

/**
 * Apache httpd, with the headers that `mtls-policy proxy-snippet apache` sets. A client's copy of a header may come joined with httpd's
 * own in one line, which is `header-repeated`; its `Connection` header may take a header away on the way, which is `header-missing`.
 *
 * @throws TypeError with a `code` when an option is missing, unknown or of the wrong type.
 * @example
 * const source = apache({ trust: { addresses: ['127.0.0.1'] } })
 * console.log(source.headers.length) // 6
 */
export function apache(options: ApacheOptions): ClientCertificateSource {
  checkOptionNames(options, ['trust', 'header', 'chainHeaders', 'verdictHeader', 'proxyVerdict'])
  const { trust, header = 'X-SSL-Client-Cert', chainHeaders = fourLinks } = options
  const { verdictHeader = 'X-SSL-Client-Verify', proxyVerdict } = options
  const absent = ['(null)', '']
  return fromHeader({
    name: 'apache',
    trust,
    certificate: { header, encoding: 'spaced-pem', absent, always: true },
    chain: { header: chainHeaders, encoding: 'spaced-pem', absent },
    ...verdictOf(proxyVerdict, { header: verdictHeader, ...successOrNone }),
  })
}

const fourLinks: readonly string[] = [0, 1, 2, 3].map((at) => `X-SSL-Client-Chain-${at}`)
