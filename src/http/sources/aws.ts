/** Application Load Balancer and CloudFront of AWS: percent-encoded PEM that leaves `+ / =` as they are. @module */

import type { ClientCertificateSource } from '../source.ts'
import type { ProxyTrust } from '../trust.ts'
import { fromHeader } from './from-header.ts'
import { checkFlag, checkOneOf, checkOptionNames } from './options.ts'

export interface AlbVerifyOptions {
  /** Who may write the headers. */
  readonly trust: ProxyTrust
  /** Default `X-Amzn-Mtls-Clientcert-Leaf`. */
  readonly header?: string | undefined
  /** Whether names and serial number are taken on the balancer's word where no certificate came. Default false. */
  readonly assertedIdentity?: boolean | undefined
}

export interface AlbPassthroughOptions {
  /** Who may write the header. */
  readonly trust: ProxyTrust
  /** Default `X-Amzn-Mtls-Clientcert`. */
  readonly header?: string | undefined
}

export interface CloudFrontOptions {
  /** Who may write the headers. */
  readonly trust: ProxyTrust
  /**
   * `pem` (default): `CloudFront-Viewer-Cert-Pem`, in modes required and optional. `rfc9440`: `Client-Cert` and `Client-Cert-Chain`, in
   * mode passthrough, where CloudFront checks nothing.
   */
  readonly form?: 'pem' | 'rfc9440' | undefined
  /** Default by `form`. */
  readonly header?: string | undefined
  /** Only for `rfc9440`. Default `Client-Cert-Chain`. */
  readonly chainHeader?: string | undefined
  /** Whether names, serial number and hash are taken on CloudFront's word where no certificate came. Default false. */
  readonly assertedIdentity?: boolean | undefined
}

/**
 * An Application Load Balancer in mode verify: the client's own certificate, which the balancer has validated. No chain.
 *
 * @throws TypeError with a `code` when an option is missing, unknown or of the wrong type.
 * @example
 * const source = albVerify({ trust: { addresses: ['10.0.0.0/16'] } })
 * console.log(source.headers[0]) // x-amzn-mtls-clientcert-leaf
 */
export function albVerify(options: AlbVerifyOptions): ClientCertificateSource {
  checkOptionNames(options, ['trust', 'header', 'assertedIdentity'])
  const { trust, header = `${amazon}-Leaf`, assertedIdentity } = options
  checkFlag('assertedIdentity', assertedIdentity)
  return fromHeader({
    name: 'alb-verify',
    trust,
    certificate: { header, encoding: 'percent-pem' },
    identity: {
      subject: `${amazon}-Subject`,
      issuer: `${amazon}-Issuer`,
      serialNumber: `${amazon}-Serial-Number`,
    },
    assertedIdentity,
    others: [`${amazon}-Validity`],
  })
}

/**
 * An Application Load Balancer in mode passthrough: all that the client sent, its own certificate first. The balancer validates nothing.
 *
 * @throws TypeError with a `code` when an option is missing, unknown or of the wrong type.
 * @example
 * const source = albPassthrough({ trust: { addresses: ['10.0.0.0/16'] } })
 * console.log(source.headers[0]) // x-amzn-mtls-clientcert
 */
export function albPassthrough(options: AlbPassthroughOptions): ClientCertificateSource {
  checkOptionNames(options, ['trust', 'header'])
  const { trust, header = amazon } = options
  return fromHeader({
    name: 'alb-passthrough',
    trust,
    certificate: { header, encoding: 'percent-pem', withChain: true },
  })
}

/**
 * CloudFront with mutual TLS for viewers; the origin request policy must pass the headers on. CloudFront's addresses are shared by all
 * of its customers: trust a secret header that the distribution adds, not addresses alone.
 *
 * @throws TypeError with a `code` when an option is missing, unknown or of the wrong type.
 * @example
 * const source = cloudFront({ trust: { secret: { header: 'X-Origin-Secret', value: 'Vq3fZ0m1Xk8sT5yB' } } })
 * console.log(source.headers[0]) // cloudfront-viewer-cert-pem
 */
export function cloudFront(options: CloudFrontOptions): ClientCertificateSource {
  checkOptionNames(options, ['trust', 'form', 'header', 'chainHeader', 'assertedIdentity'])
  const { trust, form = 'pem', header, chainHeader, assertedIdentity } = options
  checkOneOf('form', form, ['pem', 'rfc9440'])
  checkFlag('assertedIdentity', assertedIdentity)
  const isPem = form === 'pem'
  return fromHeader({
    name: 'cloudfront',
    trust,
    certificate: isPem
      ? { header: header ?? `${viewer}-Pem`, encoding: 'percent-pem' }
      : { header: header ?? 'Client-Cert', encoding: 'rfc9440', absent: [] },
    chain: isPem
      ? undefined
      : { header: chainHeader ?? 'Client-Cert-Chain', encoding: 'rfc9440-list' },
    presence: { header: `${viewer}-Present`, yes: '1', no: '0', always: false },
    hash: { header: `${viewer}-Sha256`, encoding: 'hex' },
    identity: {
      subject: `${viewer}-Subject`,
      issuer: `${viewer}-Issuer`,
      serialNumber: `${viewer}-Serial-Number`,
    },
    assertedIdentity,
    others: [`${viewer}-Validity`, ...(isPem ? [] : [`${viewer}-Pem`])],
  })
}

const amazon = 'X-Amzn-Mtls-Clientcert'
const viewer = 'CloudFront-Viewer-Cert'
