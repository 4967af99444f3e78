/** Reads an OCSP response from DER: RFC 6960 §4.2.1. One pass; every field checked, nothing judged. @module */

import { asciiText } from '../base/bytes.ts'
import type { Result } from '../base/result.ts'
import { unixSeconds } from '../base/time.ts'
import { DerError } from '../der/error.ts'
import { DerReader } from '../der/reader.ts'
import {
  contextConstructed,
  contextPrimitive,
  tagEnumerated,
  tagGeneralizedTime,
  tagOctetString,
  tagSequence,
} from '../der/tags.ts'
import { type RevocationReason, revocationReasons } from './crl.ts'
import type { Extension } from './extensions.ts'
import type { ParseFailure } from './failure.ts'
import {
  type BasicOcspResponse,
  type CertID,
  type OcspResponse,
  type OcspResponseStatus,
  ocspResponseStatuses,
  type ResponderID,
  type SingleResponse,
} from './ocsp.ts'
import { readAlgorithmIdentifier, reading } from './parse-certificate.ts'
import { readName } from './parse-name.ts'
import { malformed, readEachExtension } from './read-extension.ts'

/**
 * Reads exactly one response.
 *
 * @param der - The whole response; views into it stay in the result, so it must not be changed afterwards.
 * @returns The response, or the first thing that is wrong, with its offset in octets. Never throws.
 */
export function parseOcspResponse(der: Uint8Array): Result<OcspResponse, ParseFailure> {
  return reading(() => {
    if (der.length > maxResponseBytes) {
      throw new DerError(
        'der-length-too-large',
        maxResponseBytes,
        `at most ${maxResponseBytes} octets`,
      )
    }
    return readOcspResponse(new DerReader(der))
  })
}

/** Whether `parseOcspResponse` made this very object; copies of it do not count. */
export function isParsedOcspResponse(value: unknown): value is OcspResponse {
  return typeof value === 'object' && value !== null && ParsedOcspResponse.isParsed(value)
}

/** What a holder of responses finds out about this one, kept beside its data and made when it is first asked for. */
export function memoryOf<T extends object>(response: OcspResponse, kind: Memory<T>): T {
  return ParsedOcspResponse.memoryOf(response, kind)
}

type Memory<T> = new (response: OcspResponse) => T

function readOcspResponse(reader: DerReader): OcspResponse {
  const sequence = reader.enter(tagSequence, 'ocspResponse')
  const der = reader.element()
  reader.finish()
  const responseStatus = readResponseStatus(sequence)
  let basic: BasicOcspResponse | undefined
  if (responseStatus === 'successful') basic = readResponseBytes(sequence)
  // "If the value of responseStatus is one of the error conditions, the responseBytes field is not set": RFC 6960 §4.2.1.
  sequence.finish()
  return new ParsedOcspResponse(der, responseStatus, basic) as OcspResponse
}

/** Only the reader makes these: an object that merely looks like one may show other answers than those that were signed. */
class ParsedOcspResponse {
  #memory: object | undefined
  readonly der: Uint8Array
  readonly responseStatus: OcspResponseStatus
  readonly basic: BasicOcspResponse | undefined

  constructor(
    der: Uint8Array,
    responseStatus: OcspResponseStatus,
    basic: BasicOcspResponse | undefined,
  ) {
    this.der = der
    this.responseStatus = responseStatus
    this.basic = basic
  }

  static isParsed(value: object): value is OcspResponse {
    return #memory in value
  }

  static memoryOf<T extends object>(response: OcspResponse, kind: Memory<T>): T {
    if (!(#memory in response)) throw new TypeError('not a response that parseOcspResponse made')
    const known = response.#memory
    if (known instanceof kind) return known
    const memory = new kind(response)
    response.#memory = memory
    return memory
  }
}

function readResponseStatus(reader: DerReader): OcspResponseStatus {
  const value = reader.smallInteger(
    'responseStatus',
    ocspResponseStatuses.length - 1,
    tagEnumerated,
  )
  const status = ocspResponseStatuses[value]
  if (status === undefined) {
    throw new DerError('der-integer', reader.contentStart, 'a response status')
  }
  return status
}

/** `undefined`: of a type that is not read. */
function readResponseBytes(reader: DerReader): BasicOcspResponse | undefined {
  const wrapped = reader.enter(contextConstructed(0), 'responseBytes')
  const sequence = wrapped.enter(tagSequence, 'responseBytes')
  wrapped.finish()
  const responseType = sequence.objectIdentifier('responseType')
  sequence.read(tagOctetString, 'response')
  const inner = sequence.inside()
  sequence.finish()
  if (responseType !== basicResponse) return undefined
  const basic = readBasicResponse(inner)
  inner.finish()
  return basic
}

function readBasicResponse(reader: DerReader): BasicOcspResponse {
  const sequence = reader.enter(tagSequence, 'basicOCSPResponse')
  const data = sequence.enter(tagSequence, 'tbsResponseData')
  const tbsResponseData = sequence.element()
  refuseVersion(data)
  const responderID = readResponderID(data)
  const producedAt = readGeneralizedTime(data, 'producedAt')
  const responses = readSingleResponses(data)
  const responseExtensions = readExtensionsUnder(data)
  const nonce = readNonce(responseExtensions, data)
  data.finish()
  const signatureAlgorithm = readAlgorithmIdentifier(sequence, 'signatureAlgorithm')
  const signature = sequence.octetsOfBitString('signature')
  const certs = readCerts(sequence)
  sequence.finish()
  return {
    tbsResponseData,
    responderID,
    producedAt,
    responses,
    responseExtensions,
    nonce,
    signatureAlgorithm,
    signature,
    certs,
  }
}

/** Only version 1 exists, and as the default it is not written. */
function refuseVersion(reader: DerReader): void {
  if (reader.peek() !== contextConstructed(0)) return
  const wrapped = reader.enter(contextConstructed(0), 'version')
  if (wrapped.smallInteger('version', 127) === 0) {
    throw new DerError('der-default-value', wrapped.start, 'no encoding of the default')
  }
  throw new DerError('der-integer', wrapped.contentStart, 'version 1')
}

/** The tags are EXPLICIT: RFC 6960 §B.1. */
function readResponderID(reader: DerReader): ResponderID {
  let responderID: ResponderID
  if (reader.peek() === contextConstructed(1)) {
    const wrapped = reader.enter(contextConstructed(1), 'responderID')
    responderID = { kind: 'byName', name: readName(wrapped, 'responderID') }
    wrapped.finish()
    return responderID
  }
  const wrapped = reader.enter(contextConstructed(2), 'responderID')
  wrapped.read(tagOctetString, 'responderID')
  responderID = { kind: 'byKey', keyHash: wrapped.content() }
  wrapped.finish()
  return responderID
}

function readSingleResponses(reader: DerReader): readonly SingleResponse[] {
  const sequence = reader.enter(tagSequence, 'responses')
  const responses: SingleResponse[] = []
  while (!sequence.atEnd()) {
    if (responses.length === maxSingleResponses) {
      throw new DerError(
        'der-length-too-large',
        sequence.position,
        `at most ${maxSingleResponses} responses`,
      )
    }
    responses.push(readSingleResponse(sequence.enter(tagSequence, 'singleResponse')))
  }
  return responses
}

function readSingleResponse(reader: DerReader): SingleResponse {
  const certID = readCertID(reader)
  const certStatus = readCertStatus(reader)
  const thisUpdate = readGeneralizedTime(reader, 'thisUpdate')
  let nextUpdate: number | undefined
  if (reader.peek() === contextConstructed(0)) {
    const wrapped = reader.enter(contextConstructed(0), 'nextUpdate')
    nextUpdate = readGeneralizedTime(wrapped, 'nextUpdate')
    wrapped.finish()
  }
  const singleExtensions = readExtensionsUnder(reader)
  const invalidityDate = readInvalidityDate(singleExtensions, reader)
  reader.finish()
  return { certID, certStatus, thisUpdate, nextUpdate, invalidityDate, singleExtensions }
}

function readCertID(reader: DerReader): CertID {
  const sequence = reader.enter(tagSequence, 'certID')
  const hashAlgorithm = readAlgorithmIdentifier(sequence, 'hashAlgorithm')
  sequence.read(tagOctetString, 'issuerNameHash')
  const issuerNameHash = sequence.content()
  sequence.read(tagOctetString, 'issuerKeyHash')
  const issuerKeyHash = sequence.content()
  const serialNumber = sequence.integer('serialNumber')
  sequence.finish()
  return { hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber }
}

/** The tags are IMPLICIT: RFC 6960 §B.1. */
function readCertStatus(reader: DerReader): SingleResponse['certStatus'] {
  const tag = reader.peek()
  if (tag === contextConstructed(1)) {
    const info = reader.enter(contextConstructed(1), 'revokedInfo')
    const revocationTime = readGeneralizedTime(info, 'revocationTime')
    const reason = readReason(info)
    info.finish()
    return { status: 'revoked', revocationTime, reason }
  }
  const isUnknown = tag === contextPrimitive(2)
  reader.read(isUnknown ? contextPrimitive(2) : contextPrimitive(0), 'certStatus')
  if (reader.contentStart !== reader.position) {
    throw new DerError('der-trailing-data', reader.contentStart, 'an empty certStatus')
  }
  return { status: isUnknown ? 'unknown' : 'good' }
}

function readReason(reader: DerReader): RevocationReason | undefined {
  if (reader.peek() !== contextConstructed(0)) return undefined
  const wrapped = reader.enter(contextConstructed(0), 'revocationReason')
  const value = wrapped.smallInteger('reason', revocationReasons.length - 1, tagEnumerated)
  const reason = revocationReasons[value]
  if (reason === undefined) throw new DerError('der-integer', wrapped.contentStart, 'a reason code')
  wrapped.finish()
  return reason
}

/**
 * RFC 6960 §4.2.2.1 has times as RFC 5280 §4.1.2.5.2 writes them: seconds, Z, no fraction. Responders do write fractions; in the one
 * form of X.690 11.7 they are read, and cut off.
 */
function readGeneralizedTime(reader: DerReader, expected: string): number {
  const start = reader.position
  reader.read(tagGeneralizedTime, expected)
  const isShort = reader.position - reader.contentStart <= maxTimeOctets
  const text = isShort ? asciiText(reader.bytes, reader.contentStart, reader.position) : ''
  const fields = fractionalTime.exec(text)
  if (fields !== null) {
    const seconds = unixSeconds(...(fields.slice(1).map(Number) as Parameters<typeof unixSeconds>))
    if (seconds !== undefined) return seconds
  }
  reader.position = start
  return reader.time(expected)
}

/** [1] EXPLICIT Extensions OPTIONAL, which both ResponseData and SingleResponse end with. */
function readExtensionsUnder(reader: DerReader): readonly Extension[] {
  if (reader.peek() !== contextConstructed(1)) return noExtensions
  const wrapped = reader.enter(contextConstructed(1), 'extensions')
  const extensions = readEachExtension(wrapped, 'extensions', () => {})
  wrapped.finish()
  return extensions
}

/** An OCTET STRING of 1 to 128 octets: RFC 9654 §2.1. */
function readNonce(extensions: readonly Extension[], near: DerReader): Uint8Array | undefined {
  const value = readerOf(extensions, nonceExtension, near)
  if (value === undefined) return undefined
  value.read(tagOctetString, 'nonce')
  const nonce = value.content()
  if (nonce.length === 0 || nonce.length > 128) throw malformed(value, 'a nonce of 1 to 128 octets')
  value.finish()
  return nonce
}

function readInvalidityDate(extensions: readonly Extension[], near: DerReader): number | undefined {
  const value = readerOf(extensions, invalidityDateExtension, near)
  if (value === undefined) return undefined
  const invalidityDate = readGeneralizedTime(value, 'invalidityDate')
  value.finish()
  return invalidityDate
}

/** Reads on in the buffer of `near`, so that a failure names the octet of the whole input. */
function readerOf(
  extensions: readonly Extension[],
  oid: string,
  near: DerReader,
): DerReader | undefined {
  const value = extensions.find((extension) => extension.oid === oid)?.value
  if (value === undefined) return undefined
  const start = value.byteOffset - near.bytes.byteOffset
  return new DerReader(near.bytes, start, start + value.length)
}

/** [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL; the certificates are read when one of them is to have signed. */
function readCerts(reader: DerReader): readonly Uint8Array[] {
  if (reader.peek() !== contextConstructed(0)) return noCerts
  const wrapped = reader.enter(contextConstructed(0), 'certs')
  const sequence = wrapped.enter(tagSequence, 'certs')
  wrapped.finish()
  const certs: Uint8Array[] = []
  while (!sequence.atEnd()) {
    if (certs.length === maxCerts) {
      throw new DerError(
        'der-length-too-large',
        sequence.position,
        `at most ${maxCerts} certificates`,
      )
    }
    sequence.read(tagSequence, 'certificate')
    certs.push(sequence.element())
  }
  return certs
}

const noExtensions: readonly Extension[] = []
const noCerts: readonly Uint8Array[] = []

/** id-pkix-ocsp-basic */
const basicResponse = '1.3.6.1.5.5.7.48.1.1'
const nonceExtension = '1.3.6.1.5.5.7.48.1.2'
const invalidityDateExtension = '2.5.29.24'

/** YYYYMMDDHHMMSS.fZ, the fraction without trailing zeros. */
const fractionalTime = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\.\d*[1-9]Z$/

/** Local limits: responses of one certificate with a delegate's are some 2 KiB; a thousand answers made in advance are 100 KiB. */
const maxResponseBytes = 1_048_576
const maxSingleResponses = 1024
const maxCerts = 64
/** Local limit: a fraction of sixteen digits. */
const maxTimeOctets = 32
