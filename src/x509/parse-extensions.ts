/** Reads the extensions of RFC 5280 §4.2: each once, each strictly; a known one that is malformed is refused, critical or not. @module */

import { trimmed } from '../base/trimmed.ts'
import { DerError } from '../der/error.ts'
import { DerReader } from '../der/reader.ts'
import {
  contextConstructed,
  contextPrimitive,
  tagBoolean,
  tagIA5String,
  tagInteger,
  tagOctetString,
  tagSequence,
  tagSet,
} from '../der/tags.ts'
import type {
  AccessDescription,
  AuthorityKeyIdentifier,
  BasicConstraints,
  DistributionPoint,
  Extensions,
  NameConstraints,
  PolicyConstraints,
  PolicyInformation,
  PolicyMapping,
  PolicyQualifier,
} from './extensions.ts'
import type { RelativeDistinguishedName } from './name.ts'
import { readGeneralName, readGeneralNames, readGeneralSubtrees } from './parse-general-name.ts'
import { readRelativeDistinguishedName } from './parse-name.ts'
import { malformed, readEachExtension, writtenDefault } from './read-extension.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Of a certificate without extensions. */
export const noExtensions: Extensions = { all: [] }

/** Reads SEQUENCE SIZE (1..MAX) OF Extension at the reader's position. RFC 5280 §4.2 */
export function readExtensions(reader: DerReader): Extensions {
  // All fields at once, so that every certificate has one shape.
  const extensions: Mutable<Extensions> = {
    all: [],
    authorityKeyIdentifier: undefined,
    subjectKeyIdentifier: undefined,
    keyUsage: undefined,
    certificatePolicies: undefined,
    policyMappings: undefined,
    subjectAltName: undefined,
    issuerAltName: undefined,
    basicConstraints: undefined,
    nameConstraints: undefined,
    policyConstraints: undefined,
    extendedKeyUsage: undefined,
    cRLDistributionPoints: undefined,
    freshestCRL: undefined,
    inhibitAnyPolicy: undefined,
    authorityInfoAccess: undefined,
    subjectInfoAccess: undefined,
    noRevAvail: undefined,
  }
  extensions.all = readEachExtension(reader, 'extensions', ({ oid, critical }, value) => {
    readKnownExtension(extensions, oid, critical, value)
  })
  return extensions
}

/**
 * Reads one extension value on its own, as `readExtensions` would inside a certificate.
 *
 * @param value - The octets inside extnValue.
 * @throws DerError when a known extension is malformed.
 */
export function readExtensionValue(oid: string, critical: boolean, value: Uint8Array): Extensions {
  const extensions: Mutable<Extensions> = { all: [{ oid, critical, value }] }
  readKnownExtension(extensions, oid, critical, new DerReader(value))
  return extensions
}

/** Whether extensions with this id are decoded, so that a critical one is no reason to refuse. */
export function isKnownExtension(oid: string): boolean {
  return knownExtensions.has(oid)
}

function readKnownExtension(
  extensions: Mutable<Extensions>,
  oid: string,
  critical: boolean,
  reader: DerReader,
): void {
  const read = knownExtensions.get(oid)
  if (read === undefined) return
  read(extensions, reader, critical)
  reader.finish()
}

export function readAuthorityKeyIdentifier(
  reader: DerReader,
  critical: boolean,
): AuthorityKeyIdentifier & { critical: boolean } {
  const sequence = reader.enter(tagSequence, 'authorityKeyIdentifier')
  let keyIdentifier: Uint8Array | undefined
  let authorityCertIssuer: AuthorityKeyIdentifier['authorityCertIssuer']
  let authorityCertSerialNumber: Uint8Array | undefined
  if (sequence.peek() === contextPrimitive(0)) {
    sequence.read(contextPrimitive(0), 'keyIdentifier')
    keyIdentifier = sequence.content()
  }
  if (sequence.peek() === contextConstructed(1)) {
    authorityCertIssuer = readGeneralNames(sequence, 'issuer', contextConstructed(1))
  }
  if (sequence.peek() === contextPrimitive(2)) {
    authorityCertSerialNumber = sequence.integer('serialNumber', contextPrimitive(2))
  }
  if ((authorityCertIssuer === undefined) !== (authorityCertSerialNumber === undefined)) {
    throw malformed(sequence, 'issuer and serialNumber both or neither')
  }
  sequence.finish()
  return { keyIdentifier, authorityCertIssuer, authorityCertSerialNumber, critical }
}

function readBasicConstraints(
  reader: DerReader,
  critical: boolean,
): BasicConstraints & { critical: boolean } {
  const sequence = reader.enter(tagSequence, 'basicConstraints')
  let cA = false
  let pathLenConstraint: number | undefined
  if (sequence.peek() === tagBoolean) {
    cA = sequence.boolean('cA')
    if (!cA) throw writtenDefault(sequence)
  }
  if (sequence.peek() === tagInteger) {
    pathLenConstraint = sequence.smallInteger('pathLenConstraint', maxCount)
  }
  sequence.finish()
  return { cA, pathLenConstraint, critical }
}

function readNameConstraints(
  reader: DerReader,
  critical: boolean,
): NameConstraints & { critical: boolean } {
  const sequence = reader.enter(tagSequence, 'nameConstraints')
  // An empty SEQUENCE constrains nothing and MUST NOT be issued: RFC 5280 §4.2.1.10.
  if (sequence.atEnd()) throw malformed(sequence, 'subtrees')
  const permittedSubtrees = readSubtrees(sequence, contextConstructed(0))
  const excludedSubtrees = readSubtrees(sequence, contextConstructed(1))
  sequence.finish()
  return { permittedSubtrees, excludedSubtrees, critical }
}

function readSubtrees(reader: DerReader, tag: number): NameConstraints['permittedSubtrees'] {
  return reader.peek() === tag ? readGeneralSubtrees(reader, tag) : undefined
}

function readPolicyConstraints(
  reader: DerReader,
  critical: boolean,
): PolicyConstraints & { critical: boolean } {
  const sequence = reader.enter(tagSequence, 'policyConstraints')
  // "MUST NOT be an empty sequence": RFC 5280 §4.2.1.11.
  if (sequence.atEnd()) throw malformed(sequence, 'a constraint')
  const requireExplicitPolicy = readSkipCerts(sequence, contextPrimitive(0))
  const inhibitPolicyMapping = readSkipCerts(sequence, contextPrimitive(1))
  sequence.finish()
  return { requireExplicitPolicy, inhibitPolicyMapping, critical }
}

function readSkipCerts(reader: DerReader, tag: number): number | undefined {
  return reader.peek() === tag ? reader.smallInteger('skipCerts', maxCount, tag) : undefined
}

/** SEQUENCE SIZE (1..MAX) OF SEQUENCE; `read` reads the contents of one of them. */
function readSequences<T>(
  reader: DerReader,
  expected: string,
  read: (item: DerReader) => T,
): readonly T[] {
  const sequence = reader.enter(tagSequence, expected)
  const items: T[] = []
  do {
    const item = sequence.enter(tagSequence, expected)
    items.push(read(item))
    item.finish()
  } while (!sequence.atEnd())
  return trimmed(items)
}

function readPolicyInformation(information: DerReader): PolicyInformation {
  const policyIdentifier = information.objectIdentifier('policyIdentifier')
  const policyQualifiers = information.atEnd()
    ? noQualifiers
    : readSequences(information, 'policyQualifiers', (item) =>
        readQualifier(item, policyIdentifier),
      )
  return { policyIdentifier, policyQualifiers }
}

function readQualifier(information: DerReader, policyIdentifier: string): PolicyQualifier {
  const policyQualifierId = information.objectIdentifier('policyQualifierId')
  const at = information.position
  const tag = information.readAny('qualifier')
  const expectedTag = qualifierTags.get(policyQualifierId)
  if (expectedTag === undefined) {
    // RFC 5280 §4.2.1.4: with anyPolicy only these two qualifiers.
    if (policyIdentifier === '2.5.29.32.0') {
      throw new DerError('extension-malformed', at, 'CPS or user notice with anyPolicy')
    }
  } else if (tag !== expectedTag) {
    throw new DerError('der-unexpected-tag', at, 'the type of this qualifier')
  }
  return { policyQualifierId, qualifier: information.element() }
}

function readPolicyMapping(pair: DerReader): PolicyMapping {
  return {
    issuerDomainPolicy: pair.objectIdentifier('issuerDomainPolicy'),
    subjectDomainPolicy: pair.objectIdentifier('subjectDomainPolicy'),
  }
}

export function readDistributionPoints(reader: DerReader): readonly DistributionPoint[] {
  return readSequences(reader, 'distributionPoints', readDistributionPoint)
}

function readDistributionPoint(reader: DerReader): DistributionPoint {
  const { fullName, nameRelativeToCRLIssuer } = readDistributionPointName(reader)
  let reasons: number | undefined
  let cRLIssuer: DistributionPoint['cRLIssuer']
  if (reader.peek() === contextPrimitive(1)) {
    reasons = reader.namedBits('reasons', 9, contextPrimitive(1))
  }
  if (reader.peek() === contextConstructed(2)) {
    cRLIssuer = readGeneralNames(reader, 'cRLIssuer', contextConstructed(2))
  }
  // "MUST NOT consist of only the reasons field": RFC 5280 §4.2.1.13.
  if (fullName === undefined && nameRelativeToCRLIssuer === undefined && cRLIssuer === undefined) {
    throw malformed(reader, 'a name or cRLIssuer')
  }
  return { fullName, nameRelativeToCRLIssuer, reasons, cRLIssuer }
}

/** An optional DistributionPointName under [0], as both kinds of distribution point have it. */
export function readDistributionPointName(
  reader: DerReader,
): Pick<DistributionPoint, 'fullName' | 'nameRelativeToCRLIssuer'> {
  if (reader.peek() !== contextConstructed(0)) return noPointName
  const choice = reader.enter(contextConstructed(0), 'distributionPoint')
  const isRelative = choice.peek() === contextConstructed(1)
  const name = isRelative
    ? { fullName: undefined, nameRelativeToCRLIssuer: readRelativeName(choice) }
    : {
        fullName: readGeneralNames(choice, 'fullName', contextConstructed(0)),
        nameRelativeToCRLIssuer: undefined,
      }
  choice.finish()
  return name
}

/** The tag is IMPLICIT (RFC 5280 §A.2); some CAs write it EXPLICIT, around the SET, which can be read in one way only. */
function readRelativeName(choice: DerReader): RelativeDistinguishedName {
  const start = choice.position
  const wrapped = choice.enter(contextConstructed(1), 'nameRelativeToCRLIssuer')
  if (wrapped.peek() !== tagSet) {
    choice.position = start
    return readRelativeDistinguishedName(choice, contextConstructed(1))
  }
  const name = readRelativeDistinguishedName(wrapped, tagSet)
  wrapped.finish()
  return name
}

export function readAccessDescriptions(reader: DerReader): readonly AccessDescription[] {
  return readSequences(reader, 'accessDescriptions', (description) => ({
    accessMethod: description.objectIdentifier('accessMethod'),
    accessLocation: readGeneralName(description),
  }))
}

/** Local limit: no path is longer, and other readers (BoringSSL) stop at one octet as well. */
const maxCount = 255
const noQualifiers: readonly PolicyQualifier[] = []
const noPointName = { fullName: undefined, nameRelativeToCRLIssuer: undefined } as const

/** id-qt-cps and id-qt-unotice. RFC 5280 §4.2.1.4 */
const qualifierTags: ReadonlyMap<string, number> = new Map([
  ['1.3.6.1.5.5.7.2.1', tagIA5String],
  ['1.3.6.1.5.5.7.2.2', tagSequence],
])

type Read = (extensions: Mutable<Extensions>, reader: DerReader, critical: boolean) => void

/** Each stores into a field of its own, so that no store is looked up by name. */
const knownExtensions: ReadonlyMap<string, Read> = new Map<string, Read>([
  [
    '2.5.29.35',
    (extensions, reader, critical) => {
      extensions.authorityKeyIdentifier = readAuthorityKeyIdentifier(reader, critical)
    },
  ],
  [
    '2.5.29.14',
    (extensions, reader, critical) => {
      reader.read(tagOctetString, 'keyIdentifier')
      extensions.subjectKeyIdentifier = { keyIdentifier: reader.content(), critical }
    },
  ],
  [
    '2.5.29.15',
    (extensions, reader, critical) => {
      const bits = reader.namedBits('keyUsage', 9)
      if (bits === 0) throw malformed(reader, 'at least one bit of keyUsage')
      extensions.keyUsage = { bits, critical }
    },
  ],
  [
    '2.5.29.32',
    (extensions, reader, critical) => {
      const policies = readSequences(reader, 'certificatePolicies', readPolicyInformation)
      extensions.certificatePolicies = { policies, critical }
    },
  ],
  [
    '2.5.29.33',
    (extensions, reader, critical) => {
      const mappings = readSequences(reader, 'policyMappings', readPolicyMapping)
      extensions.policyMappings = { mappings, critical }
    },
  ],
  [
    '2.5.29.17',
    (extensions, reader, critical) => {
      extensions.subjectAltName = { names: readGeneralNames(reader, 'subjectAltName'), critical }
    },
  ],
  [
    '2.5.29.18',
    (extensions, reader, critical) => {
      extensions.issuerAltName = { names: readGeneralNames(reader, 'issuerAltName'), critical }
    },
  ],
  [
    '2.5.29.19',
    (extensions, reader, critical) => {
      extensions.basicConstraints = readBasicConstraints(reader, critical)
    },
  ],
  [
    '2.5.29.30',
    (extensions, reader, critical) => {
      extensions.nameConstraints = readNameConstraints(reader, critical)
    },
  ],
  [
    '2.5.29.36',
    (extensions, reader, critical) => {
      extensions.policyConstraints = readPolicyConstraints(reader, critical)
    },
  ],
  [
    '2.5.29.37',
    (extensions, reader, critical) => {
      const sequence = reader.enter(tagSequence, 'extendedKeyUsage')
      const purposes: string[] = []
      do purposes.push(sequence.objectIdentifier('keyPurposeId'))
      while (!sequence.atEnd())
      extensions.extendedKeyUsage = { purposes: trimmed(purposes), critical }
    },
  ],
  [
    '2.5.29.31',
    (extensions, reader, critical) => {
      extensions.cRLDistributionPoints = { points: readDistributionPoints(reader), critical }
    },
  ],
  [
    '2.5.29.46',
    (extensions, reader, critical) => {
      extensions.freshestCRL = { points: readDistributionPoints(reader), critical }
    },
  ],
  [
    '2.5.29.54',
    (extensions, reader, critical) => {
      const skipCerts = reader.smallInteger('skipCerts', maxCount)
      extensions.inhibitAnyPolicy = { skipCerts, critical }
    },
  ],
  [
    '1.3.6.1.5.5.7.1.1',
    (extensions, reader, critical) => {
      extensions.authorityInfoAccess = { descriptions: readAccessDescriptions(reader), critical }
    },
  ],
  [
    '1.3.6.1.5.5.7.1.11',
    (extensions, reader, critical) => {
      extensions.subjectInfoAccess = { descriptions: readAccessDescriptions(reader), critical }
    },
  ],
  [
    '2.5.29.56',
    (extensions, reader, critical) => {
      reader.null('noRevAvail')
      extensions.noRevAvail = { critical }
    },
  ],
])
