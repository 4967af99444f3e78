/** A whole small PKI in one call: what a demo or a first test wants. @module */

import { type CertificateAuthority, type IssuedCertificate, issueCa } from './authority.ts'
import type { CertificateOptions } from './issue.ts'
import type { KeyKind } from './keys.ts'
import type { WebCrypto } from './web-crypto.ts'

export interface PkiOptions {
  /** The O of all three names. Default: `Example`. */
  readonly organization?: string
  /** The kind of all three keys. Default: P-256. */
  readonly key?: KeyKind
  /** The CN of the client. Default: `client-a`. */
  readonly clientName?: string
  readonly client?: CertificateOptions
  readonly crypto?: WebCrypto
}

export interface Pki {
  readonly root: CertificateAuthority
  readonly issuing: CertificateAuthority
  readonly client: IssuedCertificate
  /** The root. */
  readonly anchorsPem: string
  /** The issuing CA. */
  readonly intermediatesPem: string
  /** The client and the issuing CA, the client first: what a TLS client presents. */
  readonly chainPem: string
  readonly clientPem: string
  /** PKCS#8. */
  readonly clientKeyPem: string
}

/**
 * Issues a root, an issuing CA under it and one client certificate.
 *
 * @example
 * const { anchorsPem, chainPem } = await createPki()
 */
export async function createPki(options: PkiOptions = {}): Promise<Pki> {
  const { organization = 'Example', key = 'P-256', clientName = 'client-a', crypto } = options
  const named = (cn: string) => [
    { type: 'O', value: organization },
    { type: 'CN', value: cn },
  ]
  const root = await issueCa(`${organization} Root CA`, {
    subject: named(`${organization} Root CA`),
    key,
    ...(crypto === undefined ? {} : { crypto }),
  })
  const issuing = await root.issueCa(`${organization} Issuing CA`, {
    subject: named(`${organization} Issuing CA`),
    key,
    basicConstraints: { cA: true, pathLenConstraint: 0 },
  })
  const client = await issuing.issue(clientName, {
    subject: named(clientName),
    key,
    ...options.client,
  })
  return {
    root,
    issuing,
    client,
    anchorsPem: root.pem,
    intermediatesPem: issuing.pem,
    chainPem: client.chainPem,
    clientPem: client.pem,
    clientKeyPem: client.privateKeyPem,
  }
}
