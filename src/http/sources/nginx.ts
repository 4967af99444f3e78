/** nginx, and ingress-nginx of Kubernetes: one certificate, percent-encoded PEM, and nginx's verdict. @module */

import type { ClientCertificateSource } from '../source.ts'
import type { ProxyTrust } from '../trust.ts'
import { fromHeader } from './from-header.ts'
import { checkFlag, checkOptionNames } from './options.ts'
import { type ProxyVerdict, successOrNone, verdictOf } from './verdict.ts'

export interface NginxOptions {
  /** Who may write the headers. */
  readonly trust: ProxyTrust
  /** With `$ssl_client_escaped_cert`. Default `X-SSL-Client-Cert`. */
  readonly header?: string | undefined
  /** With `$ssl_client_verify`. Default `X-SSL-Client-Verify`. */
  readonly verdictHeader?: string | undefined
  /** Default `required`. */
  readonly proxyVerdict?: ProxyVerdict | undefined
}

export interface IngressNginxOptions extends NginxOptions {
  /** Default `ssl-client-cert`. */
  readonly header?: string | undefined
  /** Default `ssl-client-verify`. */
  readonly verdictHeader?: string | undefined
  /** Whether the subject's and issuer's names are taken on the proxy's word where no certificate is passed on. Default false. */
  readonly assertedIdentity?: boolean | undefined
}

/**
 * nginx, with the headers that `mtls-policy proxy-snippet nginx` sets. It passes on the client's own certificate alone, never a chain:
 * intermediates must be known here. Only `$ssl_client_escaped_cert` fits into a header.
 *
 * @throws TypeError with a `code` when an option is missing, unknown or of the wrong type.
 * @example
 * const source = nginx({ trust: { addresses: ['127.0.0.1'] } })
 * console.log(source.headers.join(' ')) // x-ssl-client-cert x-ssl-client-verify
 */
export function nginx(options: NginxOptions): ClientCertificateSource {
  checkOptionNames(options, ['trust', 'header', 'verdictHeader', 'proxyVerdict'])
  const { trust, header = 'X-SSL-Client-Cert', verdictHeader = 'X-SSL-Client-Verify' } = options
  return fromHeader({
    name: 'nginx',
    trust,
    certificate: { header, encoding: 'percent-pem' },
    ...verdictOf(options.proxyVerdict, { header: verdictHeader, ...successOrNone }),
  })
}

/**
 * ingress-nginx with `auth-tls-pass-certificate-to-upstream: "true"`. Without that annotation it sends names alone, which is
 * `identity-only`.
 *
 * @throws TypeError with a `code` when an option is missing, unknown or of the wrong type.
 * @example
 * const source = ingressNginx({ trust: { addresses: ['10.244.0.0/16'] } })
 * console.log(source.headers[0], source.headers[1]) // ssl-client-cert ssl-client-verify
 */
export function ingressNginx(options: IngressNginxOptions): ClientCertificateSource {
  const names = ['trust', 'header', 'verdictHeader', 'proxyVerdict', 'assertedIdentity']
  checkOptionNames(options, names)
  const { trust, header = 'ssl-client-cert', verdictHeader = 'ssl-client-verify' } = options
  const { proxyVerdict, assertedIdentity } = options
  checkFlag('assertedIdentity', assertedIdentity)
  return fromHeader({
    name: 'ingress-nginx',
    trust,
    certificate: { header, encoding: 'percent-pem' },
    ...verdictOf(proxyVerdict, { header: verdictHeader, ...successOrNone }, assertedIdentity),
    identity: { subject: 'ssl-client-subject-dn', issuer: 'ssl-client-issuer-dn' },
    assertedIdentity,
  })
}
