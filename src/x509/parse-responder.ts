/** Reads the certificate of an OCSP responder, which a response carries: RFC 6960 §4.2.2.2. @module */

import { bytesEqual } from '../base/bytes.ts'
import type { Result } from '../base/result.ts'
import { DerError } from '../der/error.ts'
import { DerReader } from '../der/reader.ts'
import { tagSequence } from '../der/tags.ts'
import type { Certificate } from './certificate.ts'
import type { Extension, Extensions } from './extensions.ts'
import type { ParseFailure } from './failure.ts'
import {
  parseCertificate,
  readAlgorithmIdentifier,
  reading,
  readSubjectPublicKeyInfo,
} from './parse-certificate.ts'
import { noExtensions, readExtensionValue } from './parse-extensions.ts'
import { readName } from './parse-name.ts'
import { parseCertificateShell, parseTbsShell } from './parse-shell.ts'
import { readEachExtension } from './read-extension.ts'

/**
 * Reads as `parseCertificate` does, but for one flaw that public responders have had for years (CAcert's among them): a subjectAltName
 * that is not critical and holds no name. Nobody asks a responder for its names, and it claims none.
 */
export function parseResponderCertificate(der: Uint8Array): Result<Certificate, ParseFailure> {
  const parsed = parseCertificate(der)
  if (parsed.ok) return parsed
  const flawed = readFlawed(der)
  return flawed.ok ? flawed : parsed
}

function readFlawed(der: Uint8Array): Result<Certificate, ParseFailure> {
  return reading(() => {
    const shell = partOf(parseCertificateShell(der))
    const tbs = partOf(parseTbsShell(shell.tbsCertificate))
    if (!bytesEqual(shell.signatureAlgorithm, tbs.signature)) {
      throw new DerError('signature-algorithm-mismatch', 0, 'the algorithm of tbsCertificate')
    }
    const signature = readAlgorithmIdentifier(new DerReader(tbs.signature), 'signatureAlgorithm')
    return {
      der,
      tbsCertificate: {
        ...tbs,
        der: shell.tbsCertificate,
        signature,
        issuer: readName(new DerReader(tbs.issuer), 'issuer'),
        subject: readName(new DerReader(tbs.subject), 'subject'),
        subjectPublicKeyInfo: readSubjectPublicKeyInfo(new DerReader(tbs.subjectPublicKeyInfo)),
        extensions: tbs.extensions === undefined ? noExtensions : readExtensions(tbs.extensions),
      },
      signatureAlgorithm: signature,
      signatureValue: shell.signatureValue,
    }
  })
}

/** Each extension by itself, so that one can be passed over. */
function readExtensions(der: Uint8Array): Extensions {
  let extensions: Extensions = noExtensions
  const read = ({ oid, critical, value }: Extension): void => {
    if (critical || oid !== subjectAltName || !isEmptySequence(value)) {
      extensions = { ...extensions, ...readExtensionValue(oid, critical, value) }
    }
  }
  const all = readEachExtension(new DerReader(der), 'extensions', read)
  return { ...extensions, all }
}

function isEmptySequence(value: Uint8Array): boolean {
  return value.length === 2 && value[0] === tagSequence && value[1] === 0
}

function partOf<T>(parsed: Result<T, ParseFailure>): T {
  if (parsed.ok) return parsed.value
  const { code, offset, expected } = parsed.failure
  throw new DerError(code, offset, expected)
}

const subjectAltName = '2.5.29.17'
