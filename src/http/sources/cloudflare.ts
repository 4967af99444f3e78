/** Cloudflare before an origin: its own headers, or RFC 9440's, made by transform rules. @module */

import { misuse } from '../../client/misuse.ts'
import type { ClientCertificateSource } from '../source.ts'
import type { ProxyTrust } from '../trust.ts'
import { fromHeader } from './from-header.ts'
import { checkOptionNames } from './options.ts'
import { type ProxyVerdict, verdictOf } from './verdict.ts'

export type CloudflareOptions = CloudflareDer | CloudflarePem | CloudflareRfc9440

interface Cloudflare {
  /** Who may write the headers. */
  readonly trust: ProxyTrust
  /** Default by `form`: `Cf-Client-Cert-Der-Base64`, `Cf-Client-Cert-Pem`, `Client-Cert`. */
  readonly header?: string | undefined
}

interface CloudflareDer extends Cloudflare {
  /** Forwarding of client certificates switched on: base64 of DER. The default. */
  readonly form?: 'der' | undefined
  /** Default `Cf-Client-Cert-Sha256`. */
  readonly hashHeader?: string | undefined
}

interface CloudflarePem extends Cloudflare {
  /** PEM, percent-encoded. */
  readonly form: 'pem'
  /** Default `Cf-Client-Cert-Sha256`. */
  readonly hashHeader?: string | undefined
}

interface CloudflareRfc9440 extends Cloudflare {
  /** Transform rules for every request, from `cf.tls_client_auth.cert_rfc9440` and its like. */
  readonly form: 'rfc9440'
  /** `cert_chain_rfc9440`. Default `Client-Cert-Chain`. */
  readonly chainHeader?: string | undefined
  /** `cert_rfc9440_too_large`. Default `Client-Cert-Too-Large`. */
  readonly tooLargeHeader?: string | undefined
  /** `cert_chain_rfc9440_too_large`. Default `Client-Cert-Chain-Too-Large`. */
  readonly chainTooLargeHeader?: string | undefined
  /** `true` or `false`: `cert_verified and not cert_revoked`. Default `Client-Cert-Verified`. */
  readonly verdictHeader?: string | undefined
  /** Default `required`: `cert_rfc9440` is there for bad and revoked certificates, too. */
  readonly proxyVerdict?: ProxyVerdict | undefined
}

/**
 * Cloudflare. Its own headers come with the first request of a connection alone, so that all others on it are without a certificate:
 * for keep-alive use `form: 'rfc9440'`. Cloudflare's addresses are shared by all of its customers: trust its certificate of
 * authenticated origin pulls for your zone (`proxyKeys`) or a secret header, not addresses alone.
 *
 * @throws TypeError with a `code` when an option is missing, unknown or of the wrong type.
 * @example
 * const trust = { secret: { header: 'X-Origin-Secret', value: 'Vq3fZ0m1Xk8sT5yB' } }
 * const source = cloudflare({ trust, form: 'rfc9440' })
 * console.log(source.headers[0], source.headers[1]) // client-cert client-cert-chain
 */
export function cloudflare(options: CloudflareOptions): ClientCertificateSource {
  const { form = 'der' } = options ?? {}
  if (options?.form === 'rfc9440') return fromRules(options)
  checkOptionNames(options, ['trust', 'form', 'header', 'hashHeader'])
  if (form !== 'der' && form !== 'pem') {
    throw misuse('option-invalid', 'form must be der or pem or rfc9440', { option: 'form' })
  }
  const { trust, header, hashHeader = 'Cf-Client-Cert-Sha256' } = options as CloudflareDer
  return fromHeader({
    name: 'cloudflare',
    trust,
    certificate:
      form === 'pem'
        ? { header: header ?? 'Cf-Client-Cert-Pem', encoding: 'percent-pem' }
        : { header: header ?? 'Cf-Client-Cert-Der-Base64', encoding: 'base64-der' },
    hash: { header: hashHeader, encoding: 'hex' },
  })
}

function fromRules(options: CloudflareRfc9440): ClientCertificateSource {
  checkOptionNames(options, [...Object.keys(defaults), 'trust', 'form', 'proxyVerdict'])
  const named = (option: keyof typeof defaults): string => options[option] ?? defaults[option]
  // `false` is said of a certificate that is not good, and of none.
  const word = { success: ['true'], absent: ['false'], refused: ['false'] }
  return fromHeader({
    name: 'cloudflare',
    trust: options.trust,
    certificate: { header: named('header'), encoding: 'rfc9440', absent: empty },
    chain: { header: named('chainHeader'), encoding: 'rfc9440-list', absent: empty },
    tooLarge: [
      { header: named('tooLargeHeader'), endsWith: 'true' },
      { header: named('chainTooLargeHeader'), endsWith: 'true' },
    ],
    ...verdictOf(options.proxyVerdict, { header: named('verdictHeader'), ...word }),
  })
}

/** Cloudflare's reference writes the empty value as `""`. */
const empty: readonly string[] = ['', '""']

const defaults = {
  header: 'Client-Cert',
  chainHeader: 'Client-Cert-Chain',
  tooLargeHeader: 'Client-Cert-Too-Large',
  chainTooLargeHeader: 'Client-Cert-Chain-Too-Large',
  verdictHeader: 'Client-Cert-Verified',
} as const
