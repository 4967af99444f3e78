/** CA certificates that are named with `--issuer`: whether their keys signed something. @module */

import { runSync } from '../effect/effect.ts'
import { defaultAlgorithmPolicy } from '../path/algorithms.ts'
import { checkSignature, type SignatureFailure } from '../path/signature.ts'
import type { StatusIssuer } from '../revocation/status.ts'
import { nodeHandlers } from '../runtime/node.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { CertificateList } from '../x509/crl.ts'
import { namesMatch } from '../x509/name-match.ts'
import { formatName } from '../x509/name-text.ts'
import { type Io, UsageError } from './io.ts'
import { readAll } from './settings.ts'

/** What the issuers that were named say about the signature of a list. */
export interface CrlSignature {
  /** Whether a key of a certificate with the name of the list's issuer verifies it, and may sign lists. */
  readonly verified: boolean
  /** Why not; null: it does. */
  readonly code: 'crl-signer-unknown' | 'crl-signer-no-crl-sign' | SignatureFailure['code'] | null
  /** Subject of the certificate that was tried. */
  readonly issuer: string | null
}

/** @throws UsageError */
export async function readIssuers(
  files: readonly string[],
  io: Io,
  option = '--issuer',
): Promise<readonly Certificate[]> {
  return readAll(option, files, 'issuer-unreadable', io)
}

/**
 * One certificate, the first of its file.
 *
 * @throws UsageError
 */
export async function readCertificate(option: string, file: string, io: Io): Promise<Certificate> {
  const [certificate] = await readAll(option, [file], 'certificate-unreadable', io)
  if (certificate !== undefined) return certificate
  throw new UsageError(
    'certificate-unreadable',
    `${option} ${file}: there is no certificate in it`,
    'name a file that holds one',
  )
}

/** RFC 5280 §6.3.3 (f) and (g), by the default algorithms. Whether the certificate of the key is to be trusted is not asked. */
export function judgeCrlSignature(
  list: CertificateList,
  issuers: readonly Certificate[],
): CrlSignature {
  const { issuer } = list.tbsCertList
  const named = issuers.filter(({ tbsCertificate }) => namesMatch(tbsCertificate.subject, issuer))
  let found: CrlSignature = { verified: false, code: 'crl-signer-unknown', issuer: null }
  for (const { tbsCertificate } of named) {
    const { keyUsage } = tbsCertificate.extensions
    const name = formatName(tbsCertificate.subject)
    const failure = runSync(
      checkSignature({
        algorithm: list.signatureAlgorithm,
        data: list.tbsCertList.der,
        signature: list.signatureValue,
        spki: tbsCertificate.subjectPublicKeyInfo,
        policy: defaultAlgorithmPolicy,
        memorable: false,
        budget: { signatures: Number.POSITIVE_INFINITY },
      }),
      handlers,
    )
    if (failure !== undefined) found = { verified: false, code: failure.code, issuer: name }
    else if (keyUsage !== undefined && !(keyUsage.bits & cRLSign)) {
      return { verified: false, code: 'crl-signer-no-crl-sign', issuer: name }
    } else return { verified: true, code: null, issuer: name }
  }
  return found
}

/**
 * The one of these CAs that issued a certificate, by name and signature.
 *
 * @throws UsageError with code `issuer-does-not-fit`: an answer about another issuer's certificate would be none.
 */
export function issuerOf(certificate: Certificate, issuers: readonly Certificate[]): StatusIssuer {
  const { tbsCertificate, signatureAlgorithm, signatureValue } = certificate
  for (const ca of issuers) {
    const { subject, subjectPublicKeyInfo } = ca.tbsCertificate
    if (!namesMatch(subject, tbsCertificate.issuer)) continue
    const failure = runSync(
      checkSignature({
        algorithm: signatureAlgorithm,
        data: tbsCertificate.der,
        signature: signatureValue,
        spki: subjectPublicKeyInfo,
        policy: defaultAlgorithmPolicy,
        memorable: false,
        budget: { signatures: Number.POSITIVE_INFINITY },
      }),
      handlers,
    )
    if (failure === undefined) return { name: subject, subjectPublicKeyInfo, certificate: ca }
  }
  throw new UsageError(
    'issuer-does-not-fit',
    `none of the given issuers has signed the certificate of ${formatName(tbsCertificate.subject)}`,
    `give the certificate of the CA that did: ${formatName(tbsCertificate.issuer)}`,
  )
}

const handlers = /* @__PURE__ */ nodeHandlers()
const cRLSign = 1 << 6
