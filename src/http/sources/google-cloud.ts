/** Application Load Balancers of Google Cloud: custom request headers made of their variables. @module */

import type { ClientCertificateSource } from '../source.ts'
import type { ProxyTrust } from '../trust.ts'
import { fromHeader } from './from-header.ts'
import { checkFlag, checkOptionNames } from './options.ts'
import { type ProxyVerdict, verdictOf } from './verdict.ts'

export interface GoogleCloudOptions {
  /** Who may write the headers. */
  readonly trust: ProxyTrust
  /** `{client_cert_leaf}`. Default `X-Client-Cert-Leaf`. */
  readonly header?: string | undefined
  /** `{client_cert_chain}`. Default `X-Client-Cert-Chain`. */
  readonly chainHeader?: string | undefined
  /** `{client_cert_present}`. Default `X-Client-Cert-Present`. */
  readonly presentHeader?: string | undefined
  /** `{client_cert_chain_verified}`. Default `X-Client-Cert-Chain-Verified`. */
  readonly verdictHeader?: string | undefined
  /** `{client_cert_error}`. Default `X-Client-Cert-Error`. */
  readonly errorHeader?: string | undefined
  /** `{client_cert_sha256_fingerprint}`. Default `X-Client-Cert-Hash`. */
  readonly hashHeader?: string | undefined
  /** `{client_cert_serial_number}`. Default `X-Client-Cert-Serial-Number`. */
  readonly serialNumberHeader?: string | undefined
  /** `{client_cert_spiffe_id}`. Default `X-Client-Cert-SPIFFE`. */
  readonly spiffeHeader?: string | undefined
  /** Default `required`. */
  readonly proxyVerdict?: ProxyVerdict | undefined
  /** Whether SPIFFE id, serial number and hash are taken on the balancer's word where no certificate came. Default false. */
  readonly assertedIdentity?: boolean | undefined
}

/**
 * A load balancer of Google Cloud. `…-Present` and `…-Chain-Verified` must be set for every request, `…-Leaf` to pass the certificate
 * on, and `…-Error` so that one that was too large is not taken for none. Health checks carry none of them.
 *
 * @throws TypeError with a `code` when an option is missing, unknown or of the wrong type.
 * @example
 * const source = googleCloud({ trust: { addresses: ['35.191.0.0/16', '130.211.0.0/22'] } })
 * console.log(source.headers[0]) // x-client-cert-leaf
 */
export function googleCloud(options: GoogleCloudOptions): ClientCertificateSource {
  checkOptionNames(options, [...Object.keys(defaults), 'trust', 'proxyVerdict', 'assertedIdentity'])
  const { trust, proxyVerdict, assertedIdentity } = options
  checkFlag('assertedIdentity', assertedIdentity)
  const named = (option: keyof typeof defaults): string => options[option] ?? defaults[option]
  // `false` is said of a certificate that is not good, and of none.
  const word = { success: ['true'], absent: ['false'], refused: ['false'] }
  return fromHeader({
    name: 'google-cloud',
    trust,
    certificate: { header: named('header'), encoding: 'rfc9440' },
    chain: { header: named('chainHeader'), encoding: 'rfc9440-list' },
    presence: { header: named('presentHeader'), yes: 'true', no: 'false', always: true },
    tooLarge: [{ header: named('errorHeader'), endsWith: '_exceeded_size_limit' }],
    hash: { header: named('hashHeader'), encoding: 'base64' },
    identity: { serialNumber: named('serialNumberHeader'), uri: named('spiffeHeader') },
    assertedIdentity,
    ...verdictOf(proxyVerdict, { header: named('verdictHeader'), ...word }, assertedIdentity),
  })
}

const defaults = {
  header: 'X-Client-Cert-Leaf',
  chainHeader: 'X-Client-Cert-Chain',
  presentHeader: 'X-Client-Cert-Present',
  verdictHeader: 'X-Client-Cert-Chain-Verified',
  errorHeader: 'X-Client-Cert-Error',
  hashHeader: 'X-Client-Cert-Hash',
  serialNumberHeader: 'X-Client-Cert-Serial-Number',
  spiffeHeader: 'X-Client-Cert-SPIFFE',
} as const
