/** One list as labelled lines and as JSON. @module */

import type { CrlFacts, EntryFacts } from '../crl-facts.ts'
import type { CrlSignature } from '../issuers.ts'
import { count } from './fetched.ts'
import { explainProblem } from './problems.ts'
import { drawRows, type Row } from './rows.ts'
import { accepted, plain, refused, type Style } from './style.ts'
import { distanceText } from './words.ts'

/** A list with what else was asked about it. */
export interface ShownCrl {
  readonly facts: CrlFacts
  /** SHA-256 of the whole list, hexadecimal. */
  readonly sha256: string
  /** The entries with the serial number that was asked for; absent: none was asked for. */
  readonly found?: readonly EntryFacts[] | undefined
  /** Absent: no issuer was named. */
  readonly signature?: CrlSignature | undefined
}

export function crlJson({ facts, sha256, found, signature }: ShownCrl): object {
  return {
    ...facts,
    sha256,
    ...(found === undefined ? {} : { listed: found.length > 0, found }),
    ...(signature === undefined ? {} : { signature }),
  }
}

export function drawCrl(
  { facts, sha256, found, signature }: ShownCrl,
  now: Date,
  style: Style,
): string[] {
  const { baseNumber, entries, first, nextUpdate } = facts
  const rows: readonly Row[] = [
    ['issuer', facts.issuer || '(empty)'],
    [
      'kind',
      facts.kind === 'complete'
        ? 'complete CRL'
        : `delta CRL: what changed since the complete CRL ${baseNumber}`,
    ],
    ['number', facts.number ?? undefined],
    ['this update', timeText(facts.thisUpdate, now), stateOfThis(facts, now, style)],
    [
      'next update',
      nextUpdate === null ? 'not said: it counts with max-age only' : timeText(nextUpdate, now),
      stateOfNext(facts, now, style),
    ],
    ['speaks of', scopeText(facts)],
    ['freshest CRL', facts.freshestCrlUris],
    ['issuer at', facts.caIssuersUris],
    ['authority key id', facts.authorityKeyIdentifier ?? undefined],
    [
      'other extensions',
      facts.extensions
        .filter(({ name }) => name === undefined || !shown.has(name))
        .map(({ oid, name, critical }) => `${name ?? oid}${critical ? ' (critical)' : ''}`),
    ],
    [
      'entry extension',
      facts.unknownCriticalEntryExtension === null
        ? undefined
        : `${facts.unknownCriticalEntryExtension} (critical, unknown: no status may come from this list)`,
    ],
    ['signature', facts.signatureAlgorithm],
    ['SHA-256', sha256],
    ['entries', entriesText(facts)],
    ...entryRows(first, entries),
  ]
  const lines = drawRows(rows, style)
  if (signature !== undefined) lines.push(signatureLine(signature, style))
  if (found !== undefined) lines.push(...foundLines(found, style))
  return lines
}

function entryRows(first: readonly EntryFacts[], entries: number): readonly Row[] {
  if (first.length === 0) return []
  const more = entries - first.length
  const texts = first.map(entryText)
  return [['', more === 0 ? texts : [...texts, `and ${count(more)} more`]]]
}

function entryText(entry: EntryFacts): string {
  const { serialNumber, revocationDate, reason, invalidityDate, certificateIssuer } = entry
  return [
    `${serialNumber}  ${revocationDate}`,
    ...(reason === null ? [] : [reason]),
    ...(invalidityDate === null ? [] : [`not to be trusted since ${invalidityDate}`]),
    ...(certificateIssuer === null ? [] : [`of ${certificateIssuer}`]),
  ].join('  ')
}

function entriesText({ entries, reasons }: CrlFacts): string {
  if (entries === 0) return 'none'
  const parts = Object.entries(reasons)
    .toSorted(([, a], [, b]) => b - a)
    .map(([reason, many]) => `${count(many)} ${reason}`)
  return `${count(entries)}: ${parts.join(', ')}`
}

function scopeText({ scope }: CrlFacts): readonly string[] {
  const { certificates, distributionPoint, reasons, indirect } = scope
  const kinds = {
    all: 'all certificates of its issuer',
    user: 'certificates of its issuer for users, not for CAs',
    ca: 'CA certificates of its issuer only',
    attribute: 'attribute certificates of its issuer only',
  }
  return [
    `${kinds[certificates]}${indirect ? ', and those of other issuers (indirect)' : ''}`,
    ...distributionPoint.map((name) => `that name the distribution point ${name}`),
    ...(reasons === null ? [] : [`revoked for these reasons only: ${reasons.join(', ')}`]),
  ]
}

function signatureLine({ verified, code, issuer }: CrlSignature, style: Style): string {
  if (verified)
    return `  ${style.green(`${accepted} signed by ${plain(issuer ?? '')}, which may sign lists`)}`
  const why =
    code === 'crl-signer-unknown'
      ? 'none of the given issuers has the name of its issuer'
      : (explainProblem(code ?? '')?.message ??
        `its signature does not count under ${issuer}: ${code}`)
  return `  ${style.red(`${refused} ${plain(why)}`)}`
}

function foundLines(found: readonly EntryFacts[], style: Style): string[] {
  if (found.length === 0) return ['  not listed']
  return found.map((entry) => `  ${style.red('listed')}  ${plain(entryText(entry))}`)
}

function timeText(time: string, now: Date): string {
  return `${time}  (${distanceText(new Date(time), now)})`
}

function stateOfThis({ thisUpdate }: CrlFacts, now: Date, style: Style): string | undefined {
  return now < new Date(thisUpdate) ? style.red('  not yet valid') : undefined
}

function stateOfNext({ nextUpdate }: CrlFacts, now: Date, style: Style): string | undefined {
  // The last second counts to its end.
  const isOver = nextUpdate !== null && now.getTime() >= new Date(nextUpdate).getTime() + 1000
  return isOver ? style.red('  expired') : undefined
}

/** Extensions that have their own line. */
const shown: ReadonlySet<string> = new Set([
  'cRLNumber',
  'deltaCRLIndicator',
  'issuingDistributionPoint',
  'authorityKeyIdentifier',
  'freshestCRL',
  'authorityInfoAccess',
])
