/** What a list says, as plain data for people and programs. Nothing is judged, and no entry is kept but those that are asked for. @module */

import { toHex } from '../base/hex.ts'
import { formatTime } from '../base/time.ts'
import type { CertificateList, IssuingDistributionPoint, RevokedCertificate } from '../x509/crl.ts'
import { type DistributionPoint, type Extension, reasonFlagNames } from '../x509/extensions.ts'
import type { GeneralName } from '../x509/general-name.ts'
import { formatName } from '../x509/name-text.ts'
import { generalNamesText, signatureText } from './crl-words.ts'

export interface CrlFacts {
  readonly issuer: string
  readonly version: 1 | 2
  readonly kind: 'complete' | 'delta'
  /** Decimal. */
  readonly number: string | null
  /** Of a delta: the number of the complete list that it is about. */
  readonly baseNumber: string | null
  readonly thisUpdate: string
  readonly nextUpdate: string | null
  readonly signatureAlgorithm: string
  readonly scope: CrlScope
  readonly authorityKeyIdentifier: string | null
  readonly freshestCrlUris: readonly string[]
  readonly caIssuersUris: readonly string[]
  readonly extensions: readonly {
    readonly oid: string
    readonly name?: string
    readonly critical: boolean
  }[]
  /** The first critical extension of an entry that is not known here: then no status may come from this list. */
  readonly unknownCriticalEntryExtension: string | null
  readonly entries: number
  /** How many entries have each reason; those without one count as unspecified. */
  readonly reasons: Readonly<Record<string, number>>
  readonly first: readonly EntryFacts[]
}

/** For which certificates a list speaks. RFC 5280 §5.2.5 */
export interface CrlScope {
  readonly certificates: 'all' | 'user' | 'ca' | 'attribute'
  /** Names of its distribution point; empty: of all. */
  readonly distributionPoint: readonly string[]
  /** null: all. */
  readonly reasons: readonly string[] | null
  /** Whether it speaks of certificates of other issuers, too. */
  readonly indirect: boolean
}

export interface EntryFacts {
  readonly serialNumber: string
  readonly revocationDate: string
  readonly reason: string | null
  readonly invalidityDate: string | null
  /** Of an indirect list: whose certificate it is. */
  readonly certificateIssuer: string | null
}

/** @param entries - How many of the first ones are wanted. */
export function crlFacts(list: CertificateList, entries: number): CrlFacts {
  const { tbsCertList, signatureAlgorithm } = list
  const { crlExtensions, revokedCertificates } = tbsCertList
  const { cRLNumber, deltaCRLIndicator, authorityKeyIdentifier, freshestCRL, authorityInfoAccess } =
    crlExtensions
  const first: EntryFacts[] = []
  const reasons: Record<string, number> = {}
  for (const entry of revokedCertificates) {
    const { reason = 'unspecified' } = entry
    reasons[reason] = (reasons[reason] ?? 0) + 1
    if (first.length < entries) first.push(entryFacts(entry))
  }
  return {
    issuer: formatName(tbsCertList.issuer),
    version: tbsCertList.version,
    kind: deltaCRLIndicator === undefined ? 'complete' : 'delta',
    number: decimal(cRLNumber?.number),
    baseNumber: decimal(deltaCRLIndicator?.number),
    thisUpdate: formatTime(tbsCertList.thisUpdate),
    nextUpdate: tbsCertList.nextUpdate === undefined ? null : formatTime(tbsCertList.nextUpdate),
    signatureAlgorithm: signatureText(signatureAlgorithm),
    scope: scopeOf(crlExtensions.issuingDistributionPoint),
    authorityKeyIdentifier: hexOrNull(authorityKeyIdentifier?.keyIdentifier),
    freshestCrlUris: pointUris(freshestCRL?.points ?? []),
    caIssuersUris: (authorityInfoAccess?.descriptions ?? []).flatMap(
      ({ accessMethod, accessLocation }) =>
        accessMethod === caIssuers ? uriOf(accessLocation) : [],
    ),
    extensions: crlExtensions.all.map(extensionFacts),
    unknownCriticalEntryExtension: revokedCertificates.unknownCriticalExtension ?? null,
    entries: revokedCertificates.count,
    reasons,
    first,
  }
}

export function entryFacts(entry: RevokedCertificate): EntryFacts {
  const { serialNumber, revocationDate, reason, invalidityDate, certificateIssuer } = entry
  return {
    serialNumber: toHex(serialNumber),
    revocationDate: formatTime(revocationDate),
    reason: reason ?? null,
    invalidityDate: invalidityDate === undefined ? null : formatTime(invalidityDate),
    certificateIssuer: certificateIssuer === undefined ? null : generalNamesText(certificateIssuer),
  }
}

/** URIs of any scheme, in their order. */
export function pointUris(points: readonly DistributionPoint[]): readonly string[] {
  return points.flatMap(({ fullName }) => (fullName ?? []).flatMap(uriOf))
}

/**
 * The content octets that a serial number may have, as people write it: hexadecimal, with or without `0x`, colons, blanks, zeros in front
 * and a minus sign. Certificates exist whose serial number has a zero too many or is negative, and tools show the octets or the number.
 *
 * @returns `undefined` for what is no number.
 */
export function serialNumbersOf(text: string): readonly Uint8Array[] | undefined {
  const [, minus, digits] =
    /^(-?)(?:0x)?([0-9a-f]{1,4096})$/i.exec(text.replace(/[\s:]/g, '')) ?? []
  if (digits === undefined) return undefined
  const number = BigInt(`0x${digits}`)
  const forms = new Set([contentHex(minus === '-' ? -number : number)])
  if (minus === '' && digits.length % 2 === 0) forms.add(digits.toLowerCase())
  return [...forms].map((hex) => new Uint8Array(Buffer.from(hex, 'hex')))
}

/** X.690 8.3: two's complement in as few octets as hold it. */
function contentHex(number: bigint): string {
  const magnitude = number < 0n ? -number - 1n : number
  const octets = (magnitude.toString(2).length >> 3) + 1
  return BigInt.asUintN(8 * octets, number)
    .toString(16)
    .padStart(2 * octets, '0')
}

function scopeOf(point: IssuingDistributionPoint | undefined): CrlScope {
  if (point === undefined) {
    return { certificates: 'all', distributionPoint: [], reasons: null, indirect: false }
  }
  const { fullName = [], nameRelativeToCRLIssuer, onlySomeReasons } = point
  const relative =
    nameRelativeToCRLIssuer === undefined
      ? []
      : [
          `${formatName({ der: new Uint8Array(), rdns: [nameRelativeToCRLIssuer] })} below the issuer of the list`,
        ]
  return {
    certificates: point.onlyContainsUserCerts
      ? 'user'
      : point.onlyContainsCACerts
        ? 'ca'
        : point.onlyContainsAttributeCerts
          ? 'attribute'
          : 'all',
    distributionPoint: [...fullName.map((name) => generalNamesText([name])), ...relative],
    reasons:
      onlySomeReasons === undefined
        ? null
        : reasonFlagNames.filter((_, bit) => onlySomeReasons & (1 << bit)),
    indirect: point.indirectCRL,
  }
}

function extensionFacts({ oid, critical }: Extension): CrlFacts['extensions'][number] {
  const name = extensionNames[oid]
  return name === undefined ? { oid, critical } : { oid, name, critical }
}

function uriOf(name: GeneralName): string[] {
  return name.kind === 'uniformResourceIdentifier' ? [name.value] : []
}

function decimal(octets: Uint8Array | undefined): string | null {
  return octets === undefined ? null : BigInt(`0x${toHex(octets) || '0'}`).toString()
}

function hexOrNull(octets: Uint8Array | undefined): string | null {
  return octets === undefined ? null : toHex(octets)
}

/** id-ad-caIssuers */
const caIssuers = '1.3.6.1.5.5.7.48.2'
/** RFC 5280 §5.2, and two that Microsoft's CAs write. */
const extensionNames: Readonly<Record<string, string>> = {
  '2.5.29.18': 'issuerAltName',
  '2.5.29.20': 'cRLNumber',
  '2.5.29.27': 'deltaCRLIndicator',
  '2.5.29.28': 'issuingDistributionPoint',
  '2.5.29.35': 'authorityKeyIdentifier',
  '2.5.29.46': 'freshestCRL',
  '2.5.29.60': 'expiredCertsOnCRL',
  '1.3.6.1.5.5.7.1.1': 'authorityInfoAccess',
  '1.3.6.1.4.1.311.21.1': 'cAVersion',
  '1.3.6.1.4.1.311.21.4': 'nextPublish',
}
