/** Reads the extensions of RFC 5280 §4.2: each once, each strictly; a known one that is malformed is refused, critical or not. @module */

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
  Extension,
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

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Of a certificate without extensions. */
export const noExtensions: Extensions = { all: [] }

/** Reads SEQUENCE SIZE (1..MAX) OF Extension at the reader's position. RFC 5280 §4.2 */
export function readExtensions(reader: DerReader): Extensions {
  const sequence = reader.enter(tagSequence, 'extensions')
  const all: Extension[] = []
  let seen: Set<string> | undefined
  // All fields at once, so that every certificate has one shape.
  const extensions: Mutable<Extensions> = {
    all,
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
  do {
    const item = sequence.enter(tagSequence, 'an extension')
    const oid = item.objectIdentifier('an extension id')
    const critical = item.peek() === tagBoolean && item.boolean('critical')
    if (!critical && item.bytes[item.start] === tagBoolean) {
      throw new DerError('der-default-value', item.start, 'no encoding of the default FALSE')
    }
    item.read(tagOctetString, 'an extension value')
    const value = item.content()
    const inner = item.inside()
    item.finish('an extension')
    // A handful is looked through faster than a set is made; thousands must not be quadratic.
    if (all.length === fewExtensions) seen = new Set(all.map((one) => one.oid))
    if (seen === undefined ? all.some((one) => one.oid === oid) : seen.has(oid)) {
      throw new DerError('extension-duplicate', sequence.start, `only one extension ${oid}`)
    }
    seen?.add(oid)
    all.push({ oid, critical, value })
    readKnownExtension(extensions, oid, critical, inner)
  } while (!sequence.atEnd())
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
  switch (oid) {
    case '2.5.29.35':
      extensions.authorityKeyIdentifier = readAuthorityKeyIdentifier(reader, critical)
      break
    case '2.5.29.14':
      reader.read(tagOctetString, 'a key identifier')
      extensions.subjectKeyIdentifier = { keyIdentifier: reader.content(), critical }
      break
    case '2.5.29.15': {
      const bits = reader.namedBits('key usage', 9)
      if (bits === 0) throw malformed(reader, 'at least one bit of key usage')
      extensions.keyUsage = { bits, critical }
      break
    }
    case '2.5.29.32':
      extensions.certificatePolicies = { policies: readPolicies(reader), critical }
      break
    case '2.5.29.33':
      extensions.policyMappings = { mappings: readPolicyMappings(reader), critical }
      break
    case '2.5.29.17':
      extensions.subjectAltName = {
        names: readGeneralNames(reader, 'subject alternative names'),
        critical,
      }
      break
    case '2.5.29.18':
      extensions.issuerAltName = {
        names: readGeneralNames(reader, 'issuer alternative names'),
        critical,
      }
      break
    case '2.5.29.19':
      extensions.basicConstraints = readBasicConstraints(reader, critical)
      break
    case '2.5.29.30':
      extensions.nameConstraints = readNameConstraints(reader, critical)
      break
    case '2.5.29.36':
      extensions.policyConstraints = readPolicyConstraints(reader, critical)
      break
    case '2.5.29.37': {
      const sequence = reader.enter(tagSequence, 'extended key usage')
      const purposes: string[] = []
      do purposes.push(sequence.objectIdentifier('a key purpose'))
      while (!sequence.atEnd())
      extensions.extendedKeyUsage = { purposes, critical }
      break
    }
    case '2.5.29.31':
      extensions.cRLDistributionPoints = { points: readDistributionPoints(reader), critical }
      break
    case '2.5.29.46':
      extensions.freshestCRL = { points: readDistributionPoints(reader), critical }
      break
    case '2.5.29.54':
      extensions.inhibitAnyPolicy = {
        skipCerts: reader.smallInteger('certificates to skip', maxCount),
        critical,
      }
      break
    case '1.3.6.1.5.5.7.1.1':
      extensions.authorityInfoAccess = { descriptions: readAccessDescriptions(reader), critical }
      break
    case '1.3.6.1.5.5.7.1.11':
      extensions.subjectInfoAccess = { descriptions: readAccessDescriptions(reader), critical }
      break
    case '2.5.29.56':
      reader.null('noRevAvail')
      extensions.noRevAvail = { critical }
      break
    default:
      return
  }
  reader.finish('an extension value')
}

function readAuthorityKeyIdentifier(
  reader: DerReader,
  critical: boolean,
): AuthorityKeyIdentifier & { critical: boolean } {
  const sequence = reader.enter(tagSequence, 'an authority key identifier')
  let keyIdentifier: Uint8Array | undefined
  let authorityCertIssuer: AuthorityKeyIdentifier['authorityCertIssuer']
  let authorityCertSerialNumber: Uint8Array | undefined
  if (sequence.peek() === contextPrimitive(0)) {
    sequence.read(contextPrimitive(0), 'a key identifier')
    keyIdentifier = sequence.content()
  }
  if (sequence.peek() === contextConstructed(1)) {
    authorityCertIssuer = readGeneralNames(sequence, 'an issuer', contextConstructed(1))
  }
  if (sequence.peek() === contextPrimitive(2)) {
    authorityCertSerialNumber = sequence.integer('a serial number', contextPrimitive(2))
  }
  if ((authorityCertIssuer === undefined) !== (authorityCertSerialNumber === undefined)) {
    throw malformed(sequence, 'issuer and serial number both or neither')
  }
  sequence.finish('an authority key identifier')
  return { keyIdentifier, authorityCertIssuer, authorityCertSerialNumber, critical }
}

function readBasicConstraints(
  reader: DerReader,
  critical: boolean,
): BasicConstraints & { critical: boolean } {
  const sequence = reader.enter(tagSequence, 'basic constraints')
  let cA = false
  let pathLenConstraint: number | undefined
  if (sequence.peek() === tagBoolean) {
    cA = sequence.boolean('cA')
    if (!cA)
      throw new DerError('der-default-value', sequence.start, 'no encoding of the default FALSE')
  }
  if (sequence.peek() === tagInteger) {
    pathLenConstraint = sequence.smallInteger('a path length', maxCount)
  }
  sequence.finish('basic constraints')
  return { cA, pathLenConstraint, critical }
}

function readNameConstraints(
  reader: DerReader,
  critical: boolean,
): NameConstraints & { critical: boolean } {
  const sequence = reader.enter(tagSequence, 'name constraints')
  // An empty SEQUENCE constrains nothing and MUST NOT be issued: RFC 5280 §4.2.1.10.
  if (sequence.atEnd()) throw malformed(sequence, 'permitted or excluded subtrees')
  let permittedSubtrees: NameConstraints['permittedSubtrees']
  let excludedSubtrees: NameConstraints['excludedSubtrees']
  if (sequence.peek() === contextConstructed(0)) {
    permittedSubtrees = readGeneralSubtrees(sequence, contextConstructed(0))
  }
  if (sequence.peek() === contextConstructed(1)) {
    excludedSubtrees = readGeneralSubtrees(sequence, contextConstructed(1))
  }
  sequence.finish('name constraints')
  return { permittedSubtrees, excludedSubtrees, critical }
}

function readPolicyConstraints(
  reader: DerReader,
  critical: boolean,
): PolicyConstraints & { critical: boolean } {
  const sequence = reader.enter(tagSequence, 'policy constraints')
  // "MUST NOT be an empty sequence": RFC 5280 §4.2.1.11.
  if (sequence.atEnd()) throw malformed(sequence, 'a constraint')
  let requireExplicitPolicy: number | undefined
  let inhibitPolicyMapping: number | undefined
  if (sequence.peek() === contextPrimitive(0)) {
    requireExplicitPolicy = sequence.smallInteger(
      'certificates to skip',
      maxCount,
      contextPrimitive(0),
    )
  }
  if (sequence.peek() === contextPrimitive(1)) {
    inhibitPolicyMapping = sequence.smallInteger(
      'certificates to skip',
      maxCount,
      contextPrimitive(1),
    )
  }
  sequence.finish('policy constraints')
  return { requireExplicitPolicy, inhibitPolicyMapping, critical }
}

function readPolicies(reader: DerReader): readonly PolicyInformation[] {
  const sequence = reader.enter(tagSequence, 'certificate policies')
  const policies: PolicyInformation[] = []
  do {
    const information = sequence.enter(tagSequence, 'policy information')
    const policyIdentifier = information.objectIdentifier('a policy')
    const policyQualifiers = information.atEnd()
      ? noQualifiers
      : readQualifiers(information, policyIdentifier)
    information.finish('policy information')
    policies.push({ policyIdentifier, policyQualifiers })
  } while (!sequence.atEnd())
  return policies
}

function readQualifiers(reader: DerReader, policyIdentifier: string): readonly PolicyQualifier[] {
  const sequence = reader.enter(tagSequence, 'policy qualifiers')
  const qualifiers: PolicyQualifier[] = []
  do {
    const information = sequence.enter(tagSequence, 'a policy qualifier')
    const policyQualifierId = information.objectIdentifier('a policy qualifier id')
    const at = information.position
    const tag = information.readAny('a qualifier')
    const qualifier = information.element()
    information.finish('a policy qualifier')
    if (
      policyQualifierId === qualifierCps
        ? tag !== tagIA5String
        : policyQualifierId === qualifierUserNotice && tag !== tagSequence
    ) {
      throw new DerError('der-unexpected-tag', at, 'the type of this qualifier')
    }
    // RFC 5280 §4.2.1.4: with anyPolicy only these two qualifiers.
    if (
      policyIdentifier === '2.5.29.32.0' &&
      policyQualifierId !== qualifierCps &&
      policyQualifierId !== qualifierUserNotice
    ) {
      throw new DerError('extension-malformed', at, 'CPS or user notice with anyPolicy')
    }
    qualifiers.push({ policyQualifierId, qualifier })
  } while (!sequence.atEnd())
  return qualifiers
}

function readPolicyMappings(reader: DerReader): readonly PolicyMapping[] {
  const sequence = reader.enter(tagSequence, 'policy mappings')
  const mappings: PolicyMapping[] = []
  do {
    const pair = sequence.enter(tagSequence, 'a policy mapping')
    const issuerDomainPolicy = pair.objectIdentifier('a policy of the issuer')
    const subjectDomainPolicy = pair.objectIdentifier('a policy of the subject')
    pair.finish('a policy mapping')
    mappings.push({ issuerDomainPolicy, subjectDomainPolicy })
  } while (!sequence.atEnd())
  return mappings
}

function readDistributionPoints(reader: DerReader): readonly DistributionPoint[] {
  const sequence = reader.enter(tagSequence, 'distribution points')
  const points: DistributionPoint[] = []
  do points.push(readDistributionPoint(sequence.enter(tagSequence, 'a distribution point')))
  while (!sequence.atEnd())
  return points
}

function readDistributionPoint(reader: DerReader): DistributionPoint {
  let fullName: DistributionPoint['fullName']
  let nameRelativeToCRLIssuer: DistributionPoint['nameRelativeToCRLIssuer']
  let reasons: number | undefined
  let cRLIssuer: DistributionPoint['cRLIssuer']
  if (reader.peek() === contextConstructed(0)) {
    const choice = reader.enter(contextConstructed(0), 'a distribution point name')
    if (choice.peek() === contextConstructed(1)) {
      nameRelativeToCRLIssuer = readRelativeName(choice)
    } else fullName = readGeneralNames(choice, 'a full name', contextConstructed(0))
    choice.finish('a distribution point name')
  }
  if (reader.peek() === contextPrimitive(1)) {
    reasons = reader.namedBits('reasons', 9, contextPrimitive(1))
  }
  if (reader.peek() === contextConstructed(2)) {
    cRLIssuer = readGeneralNames(reader, 'a CRL issuer', contextConstructed(2))
  }
  // "MUST NOT consist of only the reasons field": RFC 5280 §4.2.1.13.
  if (fullName === undefined && nameRelativeToCRLIssuer === undefined && cRLIssuer === undefined) {
    throw malformed(reader, 'a name or a CRL issuer')
  }
  reader.finish('a distribution point')
  return { fullName, nameRelativeToCRLIssuer, reasons, cRLIssuer }
}

/** The tag is IMPLICIT (RFC 5280 §A.2); some CAs write it EXPLICIT, around the SET, which can be read in one way only. */
function readRelativeName(choice: DerReader): RelativeDistinguishedName {
  const start = choice.position
  const wrapped = choice.enter(contextConstructed(1), 'a relative name')
  if (wrapped.peek() !== tagSet) {
    choice.position = start
    return readRelativeDistinguishedName(choice, contextConstructed(1))
  }
  const name = readRelativeDistinguishedName(wrapped, tagSet)
  wrapped.finish('a relative name')
  return name
}

function readAccessDescriptions(reader: DerReader): readonly AccessDescription[] {
  const sequence = reader.enter(tagSequence, 'access descriptions')
  const descriptions: AccessDescription[] = []
  do {
    const description = sequence.enter(tagSequence, 'an access description')
    const accessMethod = description.objectIdentifier('an access method')
    const accessLocation = readGeneralName(description)
    description.finish('an access description')
    descriptions.push({ accessMethod, accessLocation })
  } while (!sequence.atEnd())
  return descriptions
}

function malformed(reader: DerReader, expected: string): DerError {
  return new DerError('extension-malformed', reader.position, expected)
}

/** Local limit: no path is longer, and other readers (BoringSSL) stop at one octet as well. */
const maxCount = 255
const fewExtensions = 16
const qualifierCps = '1.3.6.1.5.5.7.2.1'
const qualifierUserNotice = '1.3.6.1.5.5.7.2.2'
const noQualifiers: readonly PolicyQualifier[] = []

const knownExtensions: ReadonlySet<string> = /* @__PURE__ */ new Set([
  '2.5.29.35', // authorityKeyIdentifier
  '2.5.29.14', // subjectKeyIdentifier
  '2.5.29.15', // keyUsage
  '2.5.29.32', // certificatePolicies
  '2.5.29.33', // policyMappings
  '2.5.29.17', // subjectAltName
  '2.5.29.18', // issuerAltName
  '2.5.29.19', // basicConstraints
  '2.5.29.30', // nameConstraints
  '2.5.29.36', // policyConstraints
  '2.5.29.37', // extKeyUsage
  '2.5.29.31', // cRLDistributionPoints
  '2.5.29.46', // freshestCRL
  '2.5.29.54', // inhibitAnyPolicy
  '1.3.6.1.5.5.7.1.1', // authorityInfoAccess
  '1.3.6.1.5.5.7.1.11', // subjectInfoAccess
  '2.5.29.56', // noRevAvail
])
