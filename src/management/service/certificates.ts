/** Certificates as people upload them: PEM, base64, PKCS #7, octets; kept as DER, each once. @module */

import { createHash } from 'node:crypto'
import { decodeBase64, encodeBase64 } from '../../base/base64.ts'
import { formatTime } from '../../base/time.ts'
import { readCertificates } from '../../client/certificate-source.ts'
import { tagSequence } from '../../der/tags.ts'
import { parsePkcs7 } from '../../pkcs7/index.ts'
import type { Certificate } from '../../x509/certificate.ts'
import { formatName } from '../../x509/name-text.ts'
import { parseCertificate } from '../../x509/parse-certificate.ts'
import type { CertificateSummary } from '../resources.ts'
import { maxCertificateOctets, maxCertificates } from './limits.ts'
import { invalidField } from './refusal.ts'

/**
 * Reads certificates; one that cannot be read refuses all, because an anchor that is silently left out locks clients out.
 *
 * @param path - Of the field, for problems.
 * @returns DER of each certificate, without repetitions.
 */
export function readCertificateUpload(
  sources: readonly (string | Uint8Array)[],
  path: string,
): readonly Uint8Array[] {
  const found = new Map<string, Uint8Array>()
  let octets = 0
  const texts = sources.map(textOf)
  // Before any is parsed: one certificate over and over costs as much as many.
  const blocks = texts.reduce((sum, text) => sum + countBlocks(text), 0)
  if (sources.length > maxCertificates || blocks > maxCertificates) {
    throw invalidField(path, `at most ${maxCertificates} certificates`)
  }
  texts.forEach((source, index) => {
    const at = sources.length === 1 ? path : `${path}[${index}]`
    for (const { der } of certificatesOf(source, at)) {
      const key = encodeBase64(der)
      if (!found.has(key)) octets += der.length
      found.set(key, der)
      if (found.size > maxCertificates) {
        throw invalidField(path, `at most ${maxCertificates} certificates`)
      }
      if (octets > maxCertificateOctets) {
        throw invalidField(path, `at most ${maxCertificateOctets} octets of DER`)
      }
    }
  })
  return [...found.values()]
}

export function summaryOf(der: Uint8Array): CertificateSummary {
  const parsed = parseCertificate(der)
  if (!parsed.ok) throw new TypeError('a stored certificate does not parse')
  return summaryOfCertificate(parsed.value)
}

/**
 * A certificate that is written back as it was read. What stands beside its octets must be what they say: whoever edits a subject would
 * believe that it is another certificate now.
 *
 * @throws Refusal `invalid`.
 */
export function summarizedDer(summary: CertificateSummary, path: string): Uint8Array {
  const der = decodeBase64(summary.der)
  const parsed = der && parseCertificate(der)
  if (!parsed?.ok) throw invalidField(`${path}.der`, 'base64 of DER')
  const actual = summaryOfCertificate(parsed.value)
  for (const name of ['subject', 'issuer', 'notBefore', 'notAfter', 'sha256'] as const) {
    if (summary[name] === actual[name]) continue
    throw invalidField(`${path}.${name}`, 'as in der', 'conflict')
  }
  return parsed.value.der
}

function summaryOfCertificate({ der, tbsCertificate }: Certificate): CertificateSummary {
  const { subject, issuer, validity } = tbsCertificate
  return {
    subject: formatName(subject),
    issuer: formatName(issuer),
    notBefore: formatTime(validity.notBefore),
    notAfter: formatTime(validity.notAfter),
    sha256: createHash('sha256').update(der).digest('hex'),
    der: encodeBase64(der),
  }
}

function certificatesOf(source: string | Uint8Array, path: string): readonly Certificate[] {
  const read = readCertificates(source)
  if (read.ok) {
    const [bad] = read.value.unreadable
    if (bad === undefined) return read.value.certificates
    throw invalidField(
      path,
      `readable certificates; number ${bad.index + 1} is not: ${codeOf(bad)}`,
    )
  }
  const { failure } = read
  const isBundle = 'kind' in failure && failure.kind === 'pkcs7'
  // BER of a bundle is no DER, so that what it is shows only when it is opened.
  const bundle = parsePkcs7(source)
  if (bundle.ok) {
    const [bad] = bundle.value.unreadable
    if (bad === undefined) return bundle.value.certificates
    throw invalidField(
      path,
      `readable certificates; number ${bad.index + 1} is not: ${codeOf(bad)}`,
    )
  }
  const reason = isBundle
    ? bundle.failure.code
    : 'kind' in failure
      ? `it is a ${failure.kind}`
      : failure.code
  throw invalidField(path, `certificates as PEM, base64 of DER, or PKCS #7 (${reason})`)
}

/** What is no DER is text: read as one in a piece, and not octet by octet. */
export function textOf(source: string | Uint8Array): string | Uint8Array {
  const isText = source instanceof Uint8Array && source[0] !== tagSequence
  return isText
    ? Buffer.from(source.buffer, source.byteOffset, source.length).toString('latin1')
    : source
}

function countBlocks(source: string | Uint8Array): number {
  let count = 0
  if (typeof source !== 'string') return count
  for (let at = source.indexOf(block); at >= 0; at = source.indexOf(block, at + block.length)) {
    count++
  }
  return count
}

const block = '-----BEGIN '

function codeOf({ failure }: { readonly failure: { readonly code: string } }): string {
  return failure.code
}

/** What is stored as base64. */
export function storedDer(text: string): Uint8Array {
  const der = decodeBase64(text)
  if (der === undefined) throw new TypeError('a stored certificate is not base64')
  return der
}
