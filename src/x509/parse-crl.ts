/** Reads a certificate revocation list from DER: RFC 5280 §5.1. One pass; every entry checked, nothing judged. @module */

import { bytesEqual } from '../base/bytes.ts'
import { failed, type Result, success } from '../base/result.ts'
import { DerError } from '../der/error.ts'
import { DerReader } from '../der/reader.ts'
import {
  contextConstructed,
  contextPrimitive,
  tagGeneralizedTime,
  tagInteger,
  tagSequence,
  tagUtcTime,
} from '../der/tags.ts'
import type { AlgorithmIdentifier } from './certificate.ts'
import type {
  CertificateList,
  CrlExtensions,
  IssuingDistributionPoint,
  TbsCertList,
} from './crl.ts'
import type { ParseCode, ParseFailure } from './failure.ts'
import { JudgedKeys } from './judged-keys.ts'
import { readAlgorithmIdentifier } from './parse-certificate.ts'
import {
  readAccessDescriptions,
  readAuthorityKeyIdentifier,
  readDistributionPointName,
  readDistributionPoints,
} from './parse-extensions.ts'
import { readName } from './parse-name.ts'
import { malformed, readEachExtension, writtenDefault } from './read-extension.ts'
import { indexRevokedCertificates, type RevokedCertificates } from './revoked-certificates.ts'

/**
 * Reads exactly one list.
 *
 * @param der - The whole list; views into it stay in the result, so it must not be changed afterwards.
 * @returns The list, or the first thing that is wrong, with its offset in octets. Never throws.
 */
export function parseCrl(der: Uint8Array): Result<CertificateList, ParseFailure> {
  const steps = parseCrlInSteps(der)
  let step = steps.next()
  while (!step.done) step = steps.next()
  return step.value
}

/** As `parseCrl`, yielding after every millisecond or so of work: a list of a million entries need not stop everything else. */
export function* parseCrlInSteps(
  der: Uint8Array,
): Generator<undefined, Result<CertificateList, ParseFailure>> {
  try {
    if (der.length > maxCrlBytes) {
      throw new DerError('der-length-too-large', maxCrlBytes, `at most ${maxCrlBytes} octets`)
    }
    return success(yield* readCertificateList(new DerReader(der)))
  } catch (error) {
    if (!(error instanceof DerError)) throw error
    return failed({ code: error.code as ParseCode, offset: error.offset, expected: error.expected })
  }
}

function* readCertificateList(reader: DerReader): Generator<undefined, CertificateList> {
  const sequence = reader.enter(tagSequence, 'certificateList')
  const der = reader.element()
  reader.finish()
  const tbs = sequence.enter(tagSequence, 'tbsCertList')
  const tbsDer = sequence.element()
  const at = sequence.position
  const signatureAlgorithm = readAlgorithmIdentifier(sequence, 'signatureAlgorithm')
  const signatureValue = sequence.octetsOfBitString('signatureValue')
  sequence.finish()
  const tbsCertList = yield* readTbsCertList(tbs, tbsDer, seedOf(signatureValue))
  if (!bytesEqual(signatureAlgorithm.der, tbsCertList.signature.der)) {
    // RFC 5280 §5.1.1.2: both MUST be the same, or the signed one could be weakened by the unsigned one.
    throw new DerError('signature-algorithm-mismatch', at, 'the algorithm of tbsCertList')
  }
  return new ParsedCrl(der, tbsCertList, signatureAlgorithm, signatureValue)
}

/** Only the reader makes these: an object that merely looks like one may show other entries than those that were signed. */
class ParsedCrl implements CertificateList {
  readonly #judgedKeys = new JudgedKeys()
  readonly der: Uint8Array
  readonly tbsCertList: TbsCertList
  readonly signatureAlgorithm: AlgorithmIdentifier
  readonly signatureValue: Uint8Array

  constructor(
    der: Uint8Array,
    tbsCertList: TbsCertList,
    signatureAlgorithm: AlgorithmIdentifier,
    signatureValue: Uint8Array,
  ) {
    this.der = der
    this.tbsCertList = tbsCertList
    this.signatureAlgorithm = signatureAlgorithm
    this.signatureValue = signatureValue
  }

  static isParsed(value: object): value is ParsedCrl {
    return #judgedKeys in value
  }

  static judgedKeysOf(list: CertificateList): JudgedKeys {
    if (!ParsedCrl.isParsed(list)) throw new TypeError('not a list that parseCrl made')
    return list.#judgedKeys
  }
}

/** Whether `parseCrl` made this very object; copies of it do not count. */
export function isParsedCrl(value: unknown): value is CertificateList {
  return typeof value === 'object' && value !== null && ParsedCrl.isParsed(value)
}

/** The keys that the signature of `list` was held against; what is remembered there is remembered for good. */
export function judgedKeysOf(list: CertificateList): JudgedKeys {
  return ParsedCrl.judgedKeysOf(list)
}

/** Of the end of the signature, which whoever signs cannot choose. */
function seedOf(signature: Uint8Array): number {
  let seed = signature.length
  for (let i = Math.max(0, signature.length - 4); i < signature.length; i++) {
    seed = (seed << 8) ^ (signature[i] as number)
  }
  return seed
}

function* readTbsCertList(
  reader: DerReader,
  der: Uint8Array,
  seed: number,
): Generator<undefined, TbsCertList> {
  const version = readVersion(reader)
  const signature = readAlgorithmIdentifier(reader, 'signature')
  const issuer = readName(reader, 'issuer')
  const thisUpdate = reader.time('thisUpdate')
  const next = reader.peek()
  const isTime = next === tagUtcTime || next === tagGeneralizedTime
  const nextUpdate = isTime ? reader.time('nextUpdate') : undefined
  const revokedCertificates = yield* readRevokedCertificates(reader, seed, version)
  let crlExtensions = noExtensions
  if (reader.peek() === contextConstructed(0)) {
    if (version === 1) throw malformed(reader, 'no extensions before version 2')
    const wrapped = reader.enter(contextConstructed(0), 'crlExtensions')
    crlExtensions = readCrlExtensions(wrapped)
    wrapped.finish()
  }
  reader.finish()
  if (
    revokedCertificates.hasCertificateIssuers &&
    crlExtensions.issuingDistributionPoint?.indirectCRL !== true
  ) {
    throw malformed(reader, 'certificateIssuer in indirect lists only')
  }
  return {
    der,
    version,
    signature,
    issuer,
    thisUpdate,
    nextUpdate,
    revokedCertificates,
    crlExtensions,
  }
}

/** "If present, MUST be v2": RFC 5280 §5.1.2.1. */
function readVersion(reader: DerReader): 1 | 2 {
  if (reader.peek() !== tagInteger) return 1
  if (reader.smallInteger('version', 127) !== 1) {
    throw new DerError('der-integer', reader.contentStart, 'version 2')
  }
  return 2
}

function* readRevokedCertificates(
  reader: DerReader,
  seed: number,
  version: 1 | 2,
): Generator<undefined, RevokedCertificates> {
  const { bytes } = reader
  let start = reader.position
  let end = start
  if (reader.peek() === tagSequence) {
    reader.read(tagSequence, 'revokedCertificates')
    start = reader.contentStart
    end = reader.position
    // "the revoked certificates list MUST be absent": RFC 5280 §5.1.2.6.
    if (start === end) throw malformed(reader, 'at least one entry, or no list of them')
  }
  return yield* indexRevokedCertificates({ bytes, start, end }, seed, version === 2)
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

const noExtensions: CrlExtensions = {
  all: [],
  authorityKeyIdentifier: undefined,
  cRLNumber: undefined,
  deltaCRLIndicator: undefined,
  issuingDistributionPoint: undefined,
  freshestCRL: undefined,
  authorityInfoAccess: undefined,
}

/** SEQUENCE SIZE (1..MAX) OF Extension. RFC 5280 §5.2 */
function readCrlExtensions(reader: DerReader): CrlExtensions {
  const extensions: Mutable<CrlExtensions> = { ...noExtensions }
  extensions.all = readEachExtension(reader, 'crlExtensions', ({ oid, critical }, value) => {
    if (readKnownExtension(extensions, oid, critical, value)) value.finish()
  })
  return extensions
}

/** Whether the extension is one that is decoded, so that a critical one is no reason to refuse. */
function readKnownExtension(
  extensions: Mutable<CrlExtensions>,
  oid: string,
  critical: boolean,
  reader: DerReader,
): boolean {
  switch (oid) {
    case '2.5.29.35':
      extensions.authorityKeyIdentifier = readAuthorityKeyIdentifier(reader, critical)
      return true
    case '2.5.29.20':
      extensions.cRLNumber = { number: readNumber(reader), critical }
      return true
    case '2.5.29.27':
      extensions.deltaCRLIndicator = { number: readNumber(reader), critical }
      return true
    case '2.5.29.28':
      extensions.issuingDistributionPoint = { ...readIssuingDistributionPoint(reader), critical }
      return true
    case '2.5.29.46':
      extensions.freshestCRL = { points: readDistributionPoints(reader), critical }
      return true
    case '1.3.6.1.5.5.7.1.1':
      extensions.authorityInfoAccess = { descriptions: readAccessDescriptions(reader), critical }
      return true
    default:
      return false
  }
}

/** CRLNumber: INTEGER (0..MAX), at most 20 octets. RFC 5280 §5.2.3 */
function readNumber(reader: DerReader): Uint8Array {
  const number = reader.integer('cRLNumber')
  if ((number[0] as number) >= 0x80 || number.length > 20) {
    throw new DerError('der-integer', reader.contentStart, 'a number of at most 20 octets')
  }
  return number
}

function readIssuingDistributionPoint(reader: DerReader): IssuingDistributionPoint {
  const sequence = reader.enter(tagSequence, 'issuingDistributionPoint')
  const der = reader.element()
  // "MUST NOT … an empty sequence": RFC 5280 §5.2.5.
  if (sequence.atEnd()) throw malformed(sequence, 'a field')
  const { fullName, nameRelativeToCRLIssuer } = readDistributionPointName(sequence)
  const onlyContainsUserCerts = readFlag(sequence, 1)
  const onlyContainsCACerts = readFlag(sequence, 2)
  let onlySomeReasons: number | undefined
  if (sequence.peek() === contextPrimitive(3)) {
    onlySomeReasons = sequence.namedBits('onlySomeReasons', 9, contextPrimitive(3))
  }
  const indirectCRL = readFlag(sequence, 4)
  const onlyContainsAttributeCerts = readFlag(sequence, 5)
  sequence.finish()
  const kinds = [onlyContainsUserCerts, onlyContainsCACerts, onlyContainsAttributeCerts]
  if (kinds.filter(Boolean).length > 1) {
    throw malformed(sequence, 'one of onlyContainsUserCerts, …CACerts, …AttributeCerts')
  }
  return {
    der,
    fullName,
    nameRelativeToCRLIssuer,
    onlyContainsUserCerts,
    onlyContainsCACerts,
    onlySomeReasons,
    indirectCRL,
    onlyContainsAttributeCerts,
  }
}

/** [number] IMPLICIT BOOLEAN DEFAULT FALSE */
function readFlag(reader: DerReader, number: number): boolean {
  const tag = contextPrimitive(number)
  if (reader.peek() !== tag) return false
  if (!reader.boolean('flag', tag)) throw writtenDefault(reader)
  return true
}

/** Local limit: some fourteen times the list of a million entries that is ordinary. */
const maxCrlBytes = 536_870_912
