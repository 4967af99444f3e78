/** Certification authorities of the test PKI, and what they issue. @module */

import type { Result } from '../base/result.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { ParseFailure } from '../x509/failure.ts'
import { parseCertificate } from '../x509/parse-certificate.ts'
import type { ExtensionOptions } from './extensions.ts'
import { type CertificateOptions, encodeCertificate } from './issue.ts'
import { type CrlOptions, type IssuedCrl, issueCrl, issueDeltaCrl } from './issue-crl.ts'
import {
  type IssuedOcspResponse,
  issueOcspResponse,
  type OcspResponseOptions,
} from './issue-ocsp.ts'
import { KeyRing, type TestKey } from './keys.ts'
import { encodeName } from './names.ts'
import { toPem } from './pem.ts'
import {
  type Hierarchy,
  knownSigner,
  newSigner,
  publicKeyDigest,
  rememberSigner,
  type Signer,
  signerOf,
  signingKeyOf,
} from './signer.ts'
import type { WebCrypto } from './web-crypto.ts'

/** A certificate as bytes, whether or not it is one, with its key. */
export interface IssuedBytes {
  readonly der: Uint8Array
  readonly pem: string
  readonly key: TestKey
  /** PKCS#8 DER. */
  readonly privateKey: Uint8Array
  readonly privateKeyPem: string
  /** This certificate and the intermediates above it, each signed by the next; the self-signed root is left out. */
  readonly chainPem: string
  /** As `chainPem`, in DER. */
  readonly chain: readonly Uint8Array[]
}

/** A parsed certificate with its key: wherever a `Certificate` is asked for, it will do. */
export interface IssuedCertificate extends Certificate, IssuedBytes {}

/** A CA certificate that issues. Names become the CN, unless they are names as text (`CN=a,O=b`, RFC 4514 §2) or `subject` is given. */
export interface CertificateAuthority extends IssuedCertificate {
  /**
   * Issues a client certificate: keyUsage digitalSignature, extendedKeyUsage clientAuth, subjectKeyIdentifier,
   * authorityKeyIdentifier, unless `options` say otherwise.
   *
   * @throws TypeError with code `testing-certificate-unreadable` and the `failure`, when the options made something that the
   * strict reader refuses; `issueBytes` returns it.
   */
  issue(name: string, options?: CertificateOptions): Promise<IssuedCertificate>
  /** Issues a certificate that may be broken: as `issue`, unread. */
  issueBytes(name: string, options?: CertificateOptions): Promise<IssuedBytes>
  /** Issues an intermediate CA: basicConstraints cA, keyUsage keyCertSign and cRLSign, key identifiers. */
  issueCa(name: string, options?: CertificateOptions): Promise<CertificateAuthority>
  /** Issues another certificate for the name and the key of `other`: the result issues as `other` does. */
  crossSign(
    other: CertificateAuthority,
    options?: CertificateOptions,
  ): Promise<CertificateAuthority>
  /** Issues a complete CRL without entries, unless `options` say otherwise. */
  issueCrl(options?: CrlOptions): Promise<IssuedCrl>
  /** Issues a delta CRL whose base is the last complete CRL of this CA. */
  issueDeltaCrl(options?: CrlOptions): Promise<IssuedCrl>
  /** Issues a certificate that may sign OCSP responses for this CA: extendedKeyUsage OCSPSigning, ocsp-nocheck. */
  issueOcspResponder(name: string, options?: CertificateOptions): Promise<IssuedCertificate>
  /** Issues an OCSP response about certificates of this CA. */
  issueOcspResponse(options: OcspResponseOptions): Promise<IssuedOcspResponse>
}

export interface RootOptions extends CertificateOptions {
  /** Signs, for this CA and all below it. Default: the platform's. */
  readonly crypto?: WebCrypto
}

/**
 * Issues a self-signed CA certificate.
 *
 * The same name takes the same key: for two CAs of one name give one of them another key (`{ key: 'P-256#5' }`).
 *
 * @example
 * const root = await issueCa('Root CA')
 * const issuing = await root.issueCa('Issuing CA', { basicConstraints: { cA: true, pathLenConstraint: 0 } })
 * const client = await issuing.issue('client-a', { subjectAltName: [{ dns: 'client-a.example' }] })
 */
export async function issueCa(
  name: string,
  options: RootOptions = {},
): Promise<CertificateAuthority> {
  const { crypto = globalThis.crypto, ...rest } = options
  return authority(undefined, { crypto, keys: new KeyRing() }, name, rest)
}

interface Parent {
  readonly signer: Signer
  readonly certificate: CertificateAuthority
}

async function authority(
  parent: Parent | undefined,
  hierarchy: Hierarchy,
  name: string,
  options: CertificateOptions,
  shared?: Signer,
): Promise<CertificateAuthority> {
  const subject = encodeName(options.subject ?? name)
  const key = shared?.key ?? hierarchy.keys.take(options.key ?? 'P-256', 'ca', subject)
  const signer: Signer = shared ?? newSigner(hierarchy, subject, key)
  const issued = await issueRead(parent ?? { signer }, signer.name, key, options, caExtensions)
  const issueLeaf = async (
    leaf: string,
    overrides: CertificateOptions,
    extensions: ExtensionOptions,
  ): Promise<IssuedCertificate> => {
    const { subject, key } = leafIdentity(hierarchy, leaf, overrides)
    const parent = { signer, certificate: ca }
    const certificate = await issueRead(parent, subject, key, overrides, extensions)
    signerOf(certificate, hierarchy)
    return certificate
  }
  const ca: CertificateAuthority = Object.assign(issued, {
    issueBytes: async (leaf: string, overrides: CertificateOptions = {}) => {
      const { subject, key } = leafIdentity(hierarchy, leaf, overrides)
      return issueBytes({ signer, certificate: ca }, subject, key, overrides, clientExtensions)
    },
    issue: (leaf: string, overrides: CertificateOptions = {}) =>
      issueLeaf(leaf, overrides, clientExtensions),
    issueCa: (below: string, overrides: CertificateOptions = {}) =>
      authority({ signer, certificate: ca }, hierarchy, below, overrides),
    crossSign: async (other: CertificateAuthority, overrides: CertificateOptions = {}) => {
      const shared = knownSigner(other)
      if (shared === undefined) throw new TypeError('not a CA that issueCa made')
      return authority({ signer, certificate: ca }, hierarchy, '', overrides, shared)
    },
    issueCrl: (overrides: CrlOptions = {}) => issueCrl(ca, overrides),
    issueDeltaCrl: (overrides: CrlOptions = {}) => issueDeltaCrl(ca, overrides),
    issueOcspResponder: (responder: string, overrides: CertificateOptions = {}) =>
      issueLeaf(responder, overrides, responderExtensions),
    issueOcspResponse: (overrides: OcspResponseOptions) => issueOcspResponse(ca, overrides),
  })
  rememberSigner(ca, signer)
  return ca
}

function leafIdentity(
  { keys }: Hierarchy,
  name: string,
  options: CertificateOptions,
): { readonly subject: Uint8Array; readonly key: TestKey } {
  const subject = encodeName(options.subject ?? name)
  return { subject, key: keys.take(options.key ?? 'P-256', 'leaf', subject) }
}

async function issueBytes(
  parent: { readonly signer: Signer; readonly certificate?: CertificateAuthority },
  subject: Uint8Array,
  key: TestKey,
  options: CertificateOptions,
  extensions: ExtensionOptions,
): Promise<IssuedBytes> {
  const { signer, certificate: issuer } = parent
  const { crypto } = signer.hierarchy
  const signingKey = signingKeyOf(signer, options.signingKey, subject)
  const serialNumber = options.serialNumber ?? signer.nextSerialNumber++
  const issuerKeyIdentifier = issuer?.tbsCertificate.extensions.subjectKeyIdentifier?.keyIdentifier
  const der = await encodeCertificate({
    options,
    subject,
    issuer: options.issuer === undefined ? signer.name : encodeName(options.issuer),
    serialNumber,
    key,
    signingKey,
    crypto,
    extensions: {
      ...extensions,
      subjectKeyIdentifier: await keyIdentifier(key, crypto),
      ...(issuerKeyIdentifier === undefined
        ? {}
        : { authorityKeyIdentifier: { keyIdentifier: issuerKeyIdentifier } }),
    },
  })
  const chain = issuer === undefined ? [] : [der, ...issuer.chain]
  return {
    der,
    key,
    privateKey: key.privateKey,
    chain,
    get pem() {
      return toPem(der, 'CERTIFICATE')
    },
    get privateKeyPem() {
      return toPem(key.privateKey, 'PRIVATE KEY')
    },
    get chainPem() {
      return chain.map((link) => toPem(link, 'CERTIFICATE')).join('')
    },
  }
}

async function issueRead(...issuance: Parameters<typeof issueBytes>): Promise<IssuedCertificate> {
  const bytes = await issueBytes(...issuance)
  const read: Result<Certificate, ParseFailure> = parseCertificate(bytes.der)
  if (!read.ok) {
    throw Object.assign(new TypeError(`unreadable: ${read.failure.code}; issueBytes returns it`), {
      code: 'testing-certificate-unreadable',
      failure: read.failure,
    })
  }
  return Object.defineProperties(
    read.value,
    Object.getOwnPropertyDescriptors(bytes),
  ) as IssuedCertificate
}

const keyIdentifiers = new Map<string, Promise<Uint8Array>>()

/** RFC 5280 §4.2.1.2 (1) */
function keyIdentifier(key: TestKey, crypto: WebCrypto): Promise<Uint8Array> {
  const known = keyIdentifiers.get(key.id)
  if (known !== undefined) return known
  const digest = publicKeyDigest(key.publicKey, 'SHA-1', crypto)
  keyIdentifiers.set(key.id, digest)
  return digest
}

const caExtensions: ExtensionOptions = {
  basicConstraints: { cA: true },
  keyUsage: ['keyCertSign', 'cRLSign'],
}

const clientExtensions: ExtensionOptions = {
  keyUsage: ['digitalSignature'],
  extendedKeyUsage: ['clientAuth'],
}

const responderExtensions: ExtensionOptions = {
  keyUsage: ['digitalSignature'],
  extendedKeyUsage: ['OCSPSigning'],
  ocspNoCheck: 'present',
}
