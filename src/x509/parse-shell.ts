/** The outer structure alone: a certificate cut into its parts, whose contents stay bytes. For inspectors and test suites. @module */

import type { Result } from '../base/result.ts'
import { DerReader } from '../der/reader.ts'
import { contextConstructed, tagSequence } from '../der/tags.ts'
import type { ParseFailure } from './failure.ts'
import {
  readExtensionsWrapper,
  reading,
  readUniqueIDs,
  readValidity,
  readVersion,
} from './parse-certificate.ts'

/** The three parts of a Certificate, RFC 5280 §4.1.1; tags and lengths included, but for the signature's octets. */
export interface CertificateShell {
  readonly tbsCertificate: Uint8Array
  readonly signatureAlgorithm: Uint8Array
  readonly signatureValue: Uint8Array
}

/** The fields of a TBSCertificate, RFC 5280 §4.1.2; names, algorithm, key and extensions as they stand. */
export interface TbsShell {
  readonly version: 1 | 2 | 3
  readonly serialNumber: Uint8Array
  readonly signature: Uint8Array
  readonly issuer: Uint8Array
  readonly validity: { readonly notBefore: number; readonly notAfter: number }
  readonly subject: Uint8Array
  readonly subjectPublicKeyInfo: Uint8Array
  readonly issuerUniqueID: Uint8Array | undefined
  readonly subjectUniqueID: Uint8Array | undefined
  readonly extensions: Uint8Array | undefined
}

export function parseCertificateShell(der: Uint8Array): Result<CertificateShell, ParseFailure> {
  return reading(() => {
    const reader = new DerReader(der)
    const sequence = reader.enter(tagSequence, 'certificate')
    reader.finish()
    const tbsCertificate = sequenceOf(sequence, 'tbsCertificate')
    const signatureAlgorithm = sequenceOf(sequence, 'signatureAlgorithm')
    const signatureValue = sequence.octetsOfBitString('signatureValue')
    sequence.finish()
    return { tbsCertificate, signatureAlgorithm, signatureValue }
  })
}

export function parseTbsShell(der: Uint8Array): Result<TbsShell, ParseFailure> {
  return reading(() => {
    const outer = new DerReader(der)
    const reader = outer.enter(tagSequence, 'tbsCertificate')
    outer.finish()
    const version = readVersion(reader)
    const serialNumber = reader.integer('serialNumber')
    const signature = sequenceOf(reader, 'signatureAlgorithm')
    const issuer = sequenceOf(reader, 'issuer')
    const validity = readValidity(reader)
    const subject = sequenceOf(reader, 'subject')
    const subjectPublicKeyInfo = sequenceOf(reader, 'subjectPublicKeyInfo')
    const ids = readUniqueIDs(reader, version)
    let extensions: Uint8Array | undefined
    if (reader.peek() === contextConstructed(3)) {
      const wrapped = readExtensionsWrapper(reader, version)
      extensions = sequenceOf(wrapped, 'extensions')
      wrapped.finish()
    }
    reader.finish()
    return {
      version,
      serialNumber,
      signature,
      issuer,
      validity,
      subject,
      subjectPublicKeyInfo,
      ...ids,
      extensions,
    }
  })
}

function sequenceOf(reader: DerReader, expected: string): Uint8Array {
  reader.read(tagSequence, expected)
  return reader.element()
}
