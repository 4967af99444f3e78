/** Certificates that real TLS stacks take: a server for `api.example`, good clients and bad ones. @module */

import {
  type CertificateAuthority,
  type IssuedCertificate,
  issueCa,
  type KeyKind,
} from '../../../src/testing/index.ts'

export interface ProxyPki {
  /** What the proxies ask for: both roots, and no issuing CA. */
  readonly clientCaPem: string
  /** Issues to most clients. */
  readonly root: CertificateAuthority
  readonly serverPem: string
  readonly serverKeyPem: string
  /** `chain`: what the client sends, its own certificate first. */
  readonly clients: {
    readonly ecdsa: IssuedCertificate
    readonly rsa: IssuedCertificate
    /** Under an issuing CA, which the client sends along. */
    readonly ecdsaWithIntermediate: IssuedCertificate
    readonly rsaWithIntermediate: IssuedCertificate
    /** Ended in 2021. */
    readonly expired: IssuedCertificate
    /** Of a CA that nobody here knows. */
    readonly foreign: IssuedCertificate
    /** Its URI name tries to leave its place in a header. */
    readonly commaInUri: IssuedCertificate
    /** 60 DNS names, some 10 KB as PEM. */
    readonly large: IssuedCertificate
  }
}

export async function issueProxyPki(): Promise<ProxyPki> {
  const below = { basicConstraints: { cA: true, pathLenConstraint: 0 } }
  const under = async (key: KeyKind) => {
    const root = await issueCa(`Clients ${key}`, { key })
    return { root, issuing: await root.issueCa(`Issuing ${key}`, { key, ...below }) }
  }
  const ecdsa = await under('P-256')
  const rsa = await under('RSA-2048')
  const foreignRoot = await issueCa('Foreign CA', { key: 'P-256' })
  const servers = await issueCa('Servers', { key: 'P-256' })
  const server = await servers.issue('api.example', {
    key: 'P-256',
    extendedKeyUsage: ['serverAuth'],
    subjectAltName: [{ dns: 'api.example' }, { dns: 'other.example' }],
  })
  const key = 'P-256'
  return {
    clientCaPem: ecdsa.root.pem + rsa.root.pem,
    root: ecdsa.root,
    serverPem: server.chainPem,
    serverKeyPem: server.privateKeyPem,
    clients: {
      ecdsa: await ecdsa.root.issue('client-ecdsa', { key }),
      rsa: await rsa.root.issue('client-rsa', { key: 'RSA-2048' }),
      ecdsaWithIntermediate: await ecdsa.issuing.issue('client-ecdsa-2', { key }),
      rsaWithIntermediate: await rsa.issuing.issue('client-rsa-2', { key: 'RSA-2048' }),
      expired: await ecdsa.root.issue('client-expired', { key, notAfter: 1_609_459_200 }),
      foreign: await foreignRoot.issue('client-foreign', { key }),
      commaInUri: await ecdsa.root.issue('client-comma', {
        key,
        subjectAltName: [{ uri: 'spiffe://example/a,Hash=00;Cert="x"' }],
      }),
      large: await ecdsa.root.issue('client-large', {
        key,
        subjectAltName: Array.from({ length: 150 }, (_, at) => ({
          dns: `${'name'.repeat(12)}-${at}.example`,
        })),
      }),
    },
  }
}
