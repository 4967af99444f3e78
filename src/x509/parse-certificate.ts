/** Reads a certificate from DER: RFC 5280 §4.1. One pass; every field checked, nothing judged. @module */

import { bytesEqual } from '../base/bytes.ts'
import { failed, type Result, success } from '../base/result.ts'
import { DerError } from '../der/error.ts'
import { DerReader } from '../der/reader.ts'
import { contextConstructed, contextPrimitive, tagInteger, tagSequence } from '../der/tags.ts'
import type {
  AlgorithmIdentifier,
  Certificate,
  SubjectPublicKeyInfo,
  TbsCertificate,
} from './certificate.ts'
import type { ParseCode, ParseFailure } from './failure.ts'
import { findKnownAlgorithm } from './known-algorithms.ts'
import { noExtensions, readExtensions } from './parse-extensions.ts'
import { readName } from './parse-name.ts'

/**
 * Reads exactly one certificate.
 *
 * @param der - The whole certificate; views into it stay in the result, so it must not be changed afterwards.
 * @returns The certificate, or the first thing that is wrong, with its offset in octets. Never throws.
 * @example
 * const parsed = parseCertificate(der.subarray(0, 100))
 * if (!parsed.ok) console.log(parsed.failure.code) // der-truncated
 */
export function parseCertificate(der: Uint8Array): Result<Certificate, ParseFailure> {
  return reading(() => {
    if (der.length > maxCertificateBytes) {
      throw new DerError(
        'certificate-too-large',
        maxCertificateBytes,
        `at most ${maxCertificateBytes} octets`,
      )
    }
    return readCertificate(new DerReader(der))
  })
}

/** Runs a reader over one whole input; what it refuses becomes data. Errors that are not its own pass through. */
export function reading<T>(read: () => T): Result<T, ParseFailure> {
  try {
    return success(read())
  } catch (error) {
    if (!(error instanceof DerError)) throw error
    return failed({ code: error.code as ParseCode, offset: error.offset, expected: error.expected })
  }
}

function readCertificate(reader: DerReader): Certificate {
  const sequence = reader.enter(tagSequence, 'certificate')
  const der = reader.element()
  reader.finish()
  const tbs = sequence.enter(tagSequence, 'tbsCertificate')
  const tbsDer = sequence.element()
  const tbsCertificate = readTbsCertificate(tbs, tbsDer)
  const at = sequence.position
  const signatureAlgorithm = readAlgorithmIdentifier(sequence, 'signatureAlgorithm')
  const signatureValue = sequence.octetsOfBitString('signatureValue')
  sequence.finish()
  if (!bytesEqual(signatureAlgorithm.der, tbsCertificate.signature.der)) {
    // RFC 5280 §4.1.1.2: both MUST be the same, or the signed one could be weakened by the unsigned one.
    throw new DerError('signature-algorithm-mismatch', at, 'the algorithm of tbsCertificate')
  }
  return new ParsedCertificate(der, tbsCertificate, signatureAlgorithm, signatureValue)
}

/** Only the reader makes these: an object that merely looks like one may show other fields than those that were signed. */
class ParsedCertificate implements Certificate {
  readonly #parsed = true
  readonly der: Uint8Array
  readonly tbsCertificate: TbsCertificate
  readonly signatureAlgorithm: AlgorithmIdentifier
  readonly signatureValue: Uint8Array

  constructor(
    der: Uint8Array,
    tbsCertificate: TbsCertificate,
    signatureAlgorithm: AlgorithmIdentifier,
    signatureValue: Uint8Array,
  ) {
    this.der = der
    this.tbsCertificate = tbsCertificate
    this.signatureAlgorithm = signatureAlgorithm
    this.signatureValue = signatureValue
  }

  static isParsed(value: object): value is Certificate {
    return #parsed in value
  }
}

/** Whether `parseCertificate` made this very object; copies of it do not count. */
export function isParsedCertificate(value: unknown): value is Certificate {
  return typeof value === 'object' && value !== null && ParsedCertificate.isParsed(value)
}

function readTbsCertificate(reader: DerReader, der: Uint8Array): TbsCertificate {
  const version = readVersion(reader)
  const serialNumber = reader.integer('serialNumber')
  const signature = readAlgorithmIdentifier(reader, 'signatureAlgorithm')
  const issuer = readName(reader, 'issuer')
  const validity = readValidity(reader)
  const subject = readName(reader, 'subject')
  const subjectPublicKeyInfo = readSubjectPublicKeyInfo(reader)
  const { issuerUniqueID, subjectUniqueID } = readUniqueIDs(reader, version)
  let extensions = noExtensions
  if (reader.peek() === contextConstructed(3)) {
    const wrapped = readExtensionsWrapper(reader, version)
    extensions = readExtensions(wrapped)
    wrapped.finish()
  }
  reader.finish()
  return {
    der,
    version,
    serialNumber,
    signature,
    issuer,
    validity,
    subject,
    subjectPublicKeyInfo,
    issuerUniqueID,
    subjectUniqueID,
    extensions,
  }
}

export function readVersion(reader: DerReader): 1 | 2 | 3 {
  if (reader.peek() !== contextConstructed(0)) return 1
  const wrapped = reader.enter(contextConstructed(0), 'version')
  const value = wrapped.smallInteger('version', 127, tagInteger)
  if (value === 0) {
    throw new DerError('der-default-value', wrapped.start, 'no encoding of the default')
  }
  if (value > 2) throw new DerError('certificate-version', wrapped.contentStart, 'version 1 to 3')
  wrapped.finish()
  return value === 1 ? 2 : 3
}

export function readValidity(reader: DerReader): TbsCertificate['validity'] {
  const sequence = reader.enter(tagSequence, 'validity')
  const notBefore = sequence.time('notBefore')
  const notAfter = sequence.time('notAfter')
  sequence.finish()
  return { notBefore, notAfter }
}

export function readUniqueIDs(
  reader: DerReader,
  version: 1 | 2 | 3,
): Pick<TbsCertificate, 'issuerUniqueID' | 'subjectUniqueID'> {
  let issuerUniqueID: Uint8Array | undefined
  let subjectUniqueID: Uint8Array | undefined
  if (reader.peek() === contextPrimitive(1)) {
    issuerUniqueID = reader.bitString('issuerUniqueID', contextPrimitive(1)).subarray(1)
  }
  if (reader.peek() === contextPrimitive(2)) {
    subjectUniqueID = reader.bitString('subjectUniqueID', contextPrimitive(2)).subarray(1)
  }
  if (version === 1 && (issuerUniqueID !== undefined || subjectUniqueID !== undefined)) {
    throw new DerError('certificate-version', reader.start, 'no unique ids in version 1')
  }
  return { issuerUniqueID, subjectUniqueID }
}

/** RFC 5280 §4.1.2.9: extensions only in version 3. */
export function readExtensionsWrapper(reader: DerReader, version: 1 | 2 | 3): DerReader {
  if (version !== 3) {
    throw new DerError('certificate-version', reader.position, 'no extensions before version 3')
  }
  return reader.enter(contextConstructed(3), 'extensions')
}

export function readAlgorithmIdentifier(reader: DerReader, expected: string): AlgorithmIdentifier {
  reader.read(tagSequence, expected)
  const known = findKnownAlgorithm(reader.bytes, reader.start, reader.position)
  if (known !== undefined) return known
  const sequence = reader.inside()
  const der = reader.element()
  const algorithm = sequence.objectIdentifier(expected)
  let parameters: Uint8Array | undefined
  if (!sequence.atEnd()) {
    sequence.readAny('parameters')
    parameters = sequence.element()
    sequence.finish()
  }
  return { der, algorithm, parameters }
}

export function readSubjectPublicKeyInfo(reader: DerReader): SubjectPublicKeyInfo {
  const sequence = reader.enter(tagSequence, 'subjectPublicKeyInfo')
  const der = reader.element()
  const algorithm = readAlgorithmIdentifier(sequence, 'algorithm')
  const subjectPublicKey = sequence.octetsOfBitString('subjectPublicKeyInfo')
  sequence.finish()
  return { der, algorithm, subjectPublicKey }
}

/**
 * Local limit. OpenSSL takes 100 KiB for a whole chain by default (SSL_MAX_CERT_LIST_DEFAULT) and the largest certificates seen in
 * public logs are below that; ten times as much is left for private CAs with large subjectAltNames.
 */
const maxCertificateBytes = 1_048_576
