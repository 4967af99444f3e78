/** Encodes and signs CRLs as a test asks for them, complete, delta and indirect, right or wrong: RFC 5280 §5. @module */

import { bytesEqual } from '../base/bytes.ts'
import { writeSequence } from '../der/writer.ts'
import type { Certificate } from '../x509/certificate.ts'
import { type RevocationReason, revocationReasons } from '../x509/crl.ts'
import type { IssuedCertificate } from './authority.ts'
import {
  constructed,
  enumerated,
  generalizedTime,
  integer,
  primitive,
  type TimeInput,
  time,
} from './encode.ts'
import {
  type Absent,
  type DistributionPointNameInput,
  type ExtensionOptions,
  encodeDistributionPointName,
  encodeExtension,
  encodeExtensions,
  type RawExtension,
  type ReasonsInput,
  reasonFlagsContents,
} from './extensions.ts'
import { encodeGeneralNames, encodeName, type NameInput, type NamesInput } from './names.ts'
import { toPem } from './pem.ts'
import { type SignatureOptions, signedParts } from './sign.ts'
import { signerOf, signingKeyOf } from './signer.ts'
import { type UpdateOptions, type Updates, updatesOf } from './updates.ts'

/** A list as bytes, whether or not it is one. */
export interface IssuedCrl {
  readonly der: Uint8Array
  readonly pem: string
}

/** An INTEGER: a number, or the content octets. */
export type IntegerInput = number | bigint | Uint8Array

/** One entry of revokedCertificates. RFC 5280 §5.1.2.6 and RFC 5280 §5.3 */
export interface RevokedInput {
  readonly serialNumber: IntegerInput
  /** Default: a day before thisUpdate. */
  readonly revocationDate?: TimeInput
  /** A name, or the value of the ENUMERATED. Default: the entry has none. */
  readonly reason?: RevocationReason | number
  readonly invalidityDate?: TimeInput
  /** Of this entry and those after it, in an indirect CRL. */
  readonly certificateIssuer?: NamesInput
  /** Further extensions, written after the others. */
  readonly rawExtensions?: readonly RawExtension[]
  /** Default: certificateIssuer is critical. */
  readonly criticality?: { readonly [E in keyof typeof entryExtensions]?: boolean }
}

/** RFC 5280 §5.2.5 */
export interface IssuingDistributionPointInput extends DistributionPointNameInput {
  readonly onlyContainsUserCerts?: boolean
  readonly onlyContainsCACerts?: boolean
  readonly onlySomeReasons?: ReasonsInput
  readonly indirectCRL?: boolean
  readonly onlyContainsAttributeCerts?: boolean
}

type CertificateExtension = 'authorityKeyIdentifier' | 'freshestCRL' | 'authorityInfoAccess'

export type CrlExtensionName =
  | CertificateExtension
  | 'cRLNumber'
  | 'deltaCRLIndicator'
  | 'issuingDistributionPoint'

/** What a test may want different. Everything has a default that makes a complete CRL to be accepted at `testTime`. */
export interface CrlOptions
  extends UpdateOptions,
    SignatureOptions,
    Pick<ExtensionOptions, CertificateExtension | 'rawExtensions'> {
  /**
   * Certificates, or entries as they shall be; written in this order. For a certificate of another issuer an indirect CRL
   * names that issuer.
   */
  readonly revoked?: readonly (Certificate | RevokedInput)[]
  /** How many entries of `bulkSerialNumber` come before those; every eighth has a reason. Default: 0. */
  readonly entries?: number
  /** Default: the subject of whoever signs. */
  readonly issuer?: NameInput
  /** Default: 2. Version 1 has only the extensions that are named here. */
  readonly version?: 1 | 2
  /** Default: counted by each CA. */
  readonly cRLNumber?: IntegerInput | Absent
  /** BaseCRLNumber: makes a delta CRL. RFC 5280 §5.2.4 */
  readonly baseCRLNumber?: IntegerInput
  readonly issuingDistributionPoint?: IssuingDistributionPointInput
  /** Sets the critical bit against the usual choice of RFC 5280 §5.2. */
  readonly criticality?: { readonly [E in CrlExtensionName]?: boolean }
  /** Changes the whole list after it was signed. */
  readonly mutateCrl?: (certificateList: Uint8Array) => Uint8Array
}

/**
 * Issues a CRL: what `issueCrl` of a CA does, for a signer that is none, such as the issuer of indirect CRLs.
 *
 * @example
 * const root = await issueCa('Root CA')
 * const client = await root.issue('client-a')
 * const signer = await root.issue('CRL issuer', { keyUsage: ['cRLSign'], extendedKeyUsage: 'absent' })
 * const { pem } = await issueCrl(signer, {
 *   revoked: [client],
 *   issuingDistributionPoint: { indirectCRL: true },
 * })
 * console.log(pem.split('\n')[0]) // -----BEGIN X509 CRL-----
 */
export async function issueCrl(
  signer: IssuedCertificate,
  options: CrlOptions = {},
): Promise<IssuedCrl> {
  const own = signerOf(signer)
  const { keyIdentifier } = signer.tbsCertificate.extensions.subjectKeyIdentifier ?? {}
  const isFirst = options.version === 1
  const cRLNumber = options.cRLNumber ?? (isFirst ? 'absent' : own.nextCRLNumber++)
  if (options.baseCRLNumber === undefined && cRLNumber !== 'absent') {
    own.completeCRLNumber = cRLNumber
  }
  const defaults: CrlOptions =
    keyIdentifier === undefined || isFirst ? {} : { authorityKeyIdentifier: { keyIdentifier } }
  const wanted = { ...defaults, ...options, cRLNumber }
  const key = signingKeyOf(own, options.signingKey)
  const parts = await signedParts(key, options, own.hierarchy.crypto, (algorithm) =>
    encodeTbsCertList(wanted, algorithm, signer.tbsCertificate.subject.der),
  )
  const list = writeSequence(...parts)
  const der = options.mutateCrl?.(list) ?? list
  return {
    der,
    get pem() {
      return toPem(der, 'X509 CRL')
    },
  }
}

/**
 * Issues a delta CRL: what `issueDeltaCrl` of a CA does, for a signer that is none. Its base is the last complete CRL that the signer
 * issued, unless `baseCRLNumber` says otherwise.
 *
 * @example
 * const root = await issueCa('Root CA')
 * const client = await root.issue('client-a')
 * const signer = await root.issue('CRL issuer', { keyUsage: ['cRLSign'] })
 * const base = await issueCrl(signer)
 * const delta = await issueDeltaCrl(signer, { revoked: [client] })
 */
export function issueDeltaCrl(
  signer: IssuedCertificate,
  options: CrlOptions = {},
): Promise<IssuedCrl> {
  return issueCrl(signer, { baseCRLNumber: signerOf(signer).completeCRLNumber, ...options })
}

/**
 * The serial number of an entry that `entries` makes: 16 octets, no two alike, in no order.
 *
 * @param index - From 0.
 * @returns The content octets of the INTEGER.
 * @example
 * const root = await issueCa('Root CA')
 * const huge = await root.issueCrl({ entries: 1_000 })
 * const client = await root.issue('client-a', { serialNumber: bulkSerialNumber(999) }) // revoked
 */
export function bulkSerialNumber(index: number): Uint8Array {
  const serialNumber = new Uint8Array(bulkSerialOctets)
  writeBulkSerialNumber(serialNumber, 0, index)
  return serialNumber
}

function encodeTbsCertList(
  options: CrlOptions,
  signature: Uint8Array,
  signer: Uint8Array,
): Uint8Array {
  const issuer = options.issuer === undefined ? signer : encodeName(options.issuer)
  const updates = updatesOf(options)
  const entries = [
    ...(options.entries ? [bulkEntries(options.entries, options, updates)] : []),
    ...revokedEntries(options, updates, issuer),
  ]
  const extensions = encodeCrlExtensions(options)
  return writeSequence(
    ...(options.version === 1 ? [] : [integer(1)]),
    signature,
    issuer,
    time(updates.thisUpdate),
    ...(updates.nextUpdate === undefined ? [] : [time(updates.nextUpdate)]),
    ...(entries.length === 0 ? [] : [writeSequence(joined(entries))]),
    ...(extensions.length === 0 ? [] : [constructed(0, writeSequence(...extensions))]),
  )
}

function encodeCrlExtensions(options: CrlOptions): Uint8Array[] {
  const { cRLNumber, baseCRLNumber, issuingDistributionPoint: point, criticality = {} } = options
  const { authorityKeyIdentifier, freshestCRL, authorityInfoAccess, rawExtensions } = options
  const write = (name: keyof typeof listExtensions, value: Uint8Array): Uint8Array => {
    const [id, usuallyCritical] = listExtensions[name]
    return encodeExtension(id, criticality[name] ?? usuallyCritical, value)
  }
  const {
    authorityKeyIdentifier: key,
    freshestCRL: freshest,
    authorityInfoAccess: info,
  } = criticality
  const shared: ExtensionOptions = {
    ...(authorityKeyIdentifier === undefined ? {} : { authorityKeyIdentifier }),
    ...(freshestCRL === undefined ? {} : { freshestCRL }),
    ...(authorityInfoAccess === undefined ? {} : { authorityInfoAccess }),
    ...(rawExtensions === undefined ? {} : { rawExtensions }),
    criticality: {
      authorityKeyIdentifier: key ?? false,
      freshestCRL: freshest ?? false,
      authorityInfoAccess: info ?? false,
    },
  }
  return [
    ...(cRLNumber === undefined || cRLNumber === 'absent'
      ? []
      : [write('cRLNumber', integer(cRLNumber))]),
    ...(baseCRLNumber === undefined ? [] : [write('deltaCRLIndicator', integer(baseCRLNumber))]),
    ...(point === undefined
      ? []
      : [write('issuingDistributionPoint', encodeIssuingDistributionPoint(point))]),
    ...encodeExtensions(shared),
  ]
}

const listExtensions = {
  cRLNumber: ['2.5.29.20', false],
  deltaCRLIndicator: ['2.5.29.27', true],
  issuingDistributionPoint: ['2.5.29.28', true],
} as const

function encodeIssuingDistributionPoint(input: IssuingDistributionPointInput): Uint8Array {
  const { onlySomeReasons } = input
  // FALSE is the default, and DER leaves defaults out.
  const flag = (number: number, value: boolean | undefined): Uint8Array[] =>
    value ? [primitive(number, Uint8Array.of(0xff))] : []
  return writeSequence(
    ...encodeDistributionPointName(input),
    ...flag(1, input.onlyContainsUserCerts),
    ...flag(2, input.onlyContainsCACerts),
    ...(onlySomeReasons === undefined ? [] : [primitive(3, reasonFlagsContents(onlySomeReasons))]),
    ...flag(4, input.indirectCRL),
    ...flag(5, input.onlyContainsAttributeCerts),
  )
}

function revokedEntries(options: CrlOptions, updates: Updates, issuer: Uint8Array): Uint8Array[] {
  const isIndirect = options.issuingDistributionPoint?.indirectCRL === true
  let current: Uint8Array | undefined = issuer
  return (options.revoked ?? []).map((revoked) => {
    if (!('tbsCertificate' in revoked)) {
      // Whom the entry names may be no distinguished name: the next certificate names its issuer again.
      if (revoked.certificateIssuer !== undefined) current = undefined
      return encodeEntry(revoked, updates)
    }
    const { serialNumber, issuer: own } = revoked.tbsCertificate
    const isCurrent = current !== undefined && bytesEqual(own.der, current)
    if (!isIndirect || isCurrent) return encodeEntry({ serialNumber }, updates)
    current = own.der
    return encodeEntry({ serialNumber, certificateIssuer: own.der }, updates)
  })
}

function encodeEntry(entry: RevokedInput, { before }: Updates): Uint8Array {
  const { reason, invalidityDate, certificateIssuer, rawExtensions = [], criticality = {} } = entry
  const write = (name: keyof typeof entryExtensions, value: Uint8Array): Uint8Array => {
    const [id, usuallyCritical] = entryExtensions[name]
    return encodeExtension(id, criticality[name] ?? usuallyCritical, value)
  }
  const extensions = [
    ...(reason === undefined ? [] : [write('reasonCode', enumerated(reasonValue(reason)))]),
    ...(invalidityDate === undefined
      ? []
      : [write('invalidityDate', generalizedTime(invalidityDate))]),
    ...(certificateIssuer === undefined
      ? []
      : [write('certificateIssuer', writeSequence(...encodeGeneralNames(certificateIssuer)))]),
    ...rawExtensions.map(({ oid, critical, value }) =>
      encodeExtension(oid, critical ?? false, value),
    ),
  ]
  return writeSequence(
    integer(entry.serialNumber),
    time(entry.revocationDate ?? before),
    ...(extensions.length === 0 ? [] : [writeSequence(...extensions)]),
  )
}

const entryExtensions = {
  reasonCode: ['2.5.29.21', false],
  invalidityDate: ['2.5.29.24', false],
  certificateIssuer: ['2.5.29.29', true],
} as const

/** The value of CRLReason. RFC 5280 §5.3.1 */
export function reasonValue(reason: RevocationReason | number): number {
  return typeof reason === 'number' ? reason : revocationReasons.indexOf(reason)
}

/** All in one array: a million small ones would take a second more and ten times the memory. */
function bulkEntries(count: number, { version }: CrlOptions, updates: Updates): Uint8Array {
  const entry = { serialNumber: bulkSerialNumber(0) }
  const plain = encodeEntry(entry, updates)
  const explained = version === 1 ? plain : encodeEntry({ ...entry, reason: 'superseded' }, updates)
  const many = Math.ceil(count / reasonEvery)
  const entries = new Uint8Array(many * explained.length + (count - many) * plain.length)
  let offset = 0
  for (let index = 0; index < count; index++) {
    const template = index % reasonEvery === 0 ? explained : plain
    entries.set(template, offset)
    writeBulkSerialNumber(entries, offset + serialNumberOffset, index)
    offset += template.length
  }
  return entries
}

/** The first octet keeps the number positive and minimal; the next four tell all indices below 2^32 apart. */
function writeBulkSerialNumber(into: Uint8Array, offset: number, index: number): void {
  into[offset] = 1 + (mixed(index ^ 0x5bd1e995) % 0x7f)
  for (let word = 0; word < 4; word++) {
    const value = mixed(index + Math.imul(word, 0x9e3779b9))
    const at = offset + 1 + 4 * word
    const end = Math.min(at + 4, offset + bulkSerialOctets)
    for (let i = at; i < end; i++) into[i] = value >>> (8 * (i - at))
  }
}

/** The last step of MurmurHash3, 32 bits: one to one, so that two indices never meet. */
function mixed(value: number): number {
  let hash = value | 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

const bulkSerialOctets = 16
const reasonEvery = 8
/** Behind the headers of the entry and of the INTEGER, both of two octets. */
const serialNumberOffset = 4

/** As `concatBytes`, for more parts than a call takes arguments. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}
