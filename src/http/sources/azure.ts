/** Azure: App Service and Application Gateway, which write two forms under one name. @module */

import type { ClientCertificateSource } from '../source.ts'
import type { ProxyTrust } from '../trust.ts'
import { fromHeader } from './from-header.ts'
import { checkOptionNames } from './options.ts'
import { type ProxyVerdict, successOrNone, verdictOf } from './verdict.ts'

export interface AzureAppServiceOptions {
  /** Who may write the header. */
  readonly trust: ProxyTrust
  /** Default `X-ARR-ClientCert`; the ASP.NET Core module of IIS has `MS-ASPNETCORE-CLIENTCERT`. */
  readonly header?: string | undefined
}

export interface AzureApplicationGatewayOptions {
  /** Who may write the headers. */
  readonly trust: ProxyTrust
  /** Set by a rewrite rule to `{var_client_certificate}`. Default `X-Client-Certificate`. */
  readonly header?: string | undefined
  /** Set by a rewrite rule to `{var_client_certificate_verification}`. Default `X-Client-Certificate-Verification`. */
  readonly verdictHeader?: string | undefined
  /** Default `required`. In mode passthrough the gateway's word is `PASSTHROUGH`, which is not `SUCCESS`: there `ignored` is needed. */
  readonly proxyVerdict?: ProxyVerdict | undefined
}

/**
 * Azure App Service with client certificates, or IIS with ARR: base64 of DER, or the PEM of an Application Gateway before it. App Service
 * validates nothing.
 *
 * @throws TypeError with a `code` when an option is missing, unknown or of the wrong type.
 * @example
 * const source = azureAppService({ trust: { addresses: ['127.0.0.1'] } })
 * console.log(source.headers[0]) // x-arr-clientcert
 */
export function azureAppService(options: AzureAppServiceOptions): ClientCertificateSource {
  checkOptionNames(options, ['trust', 'header'])
  const { trust, header = 'X-ARR-ClientCert' } = options
  return fromHeader({
    name: 'azure-app-service',
    trust,
    certificate: { header, encoding: 'pem-or-base64-der' },
  })
}

/**
 * Azure Application Gateway with mutual TLS and rewrite rules that set both headers for every request. In mode strict its verdict on a
 * bad certificate is empty, which is `proxy-refused`.
 *
 * @throws TypeError with a `code` when an option is missing, unknown or of the wrong type.
 * @example
 * const source = azureApplicationGateway({ trust: { addresses: ['10.1.0.0/24'] } })
 * console.log(source.headers[0]) // x-client-certificate
 */
export function azureApplicationGateway(
  options: AzureApplicationGatewayOptions,
): ClientCertificateSource {
  checkOptionNames(options, ['trust', 'header', 'verdictHeader', 'proxyVerdict'])
  const { trust, header = 'X-Client-Certificate', proxyVerdict } = options
  const { verdictHeader = 'X-Client-Certificate-Verification' } = options
  return fromHeader({
    name: 'azure-application-gateway',
    trust,
    certificate: { header, encoding: 'pem-or-base64-der' },
    ...verdictOf(proxyVerdict, { header: verdictHeader, ...successOrNone }),
  })
}
