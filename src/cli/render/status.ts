/** The revocation status of each certificate of a path, as lines of a tree and as JSON. @module */

import { formatTime } from '../../base/time.ts'
import type { RevokedStatus, StatusEvidence, StatusProblem } from '../../revocation/status.ts'
import { formatName } from '../../x509/name-text.ts'
import type { StatusView } from '../statuses.ts'
import { reasonJson } from './json.ts'
import { nameOf, shortName } from './path.ts'
import { problemReason } from './problems.ts'
import { type Branch, drawTree, plain, type Style, wrap } from './style.ts'
import { distanceText, remedyText, spanText } from './words.ts'

/** A branch for each certificate; `indent`: characters before the tree. */
export function drawStatuses(
  statuses: readonly StatusView[],
  now: Date,
  style: Style,
  indent: number,
): string[] {
  return drawTree(statusBranches(statuses, now, style, indent), style)
}

export function statusBranches(
  statuses: readonly StatusView[],
  now: Date,
  style: Style,
  indent: number,
): readonly Branch[] {
  return statuses.map((view) => branchOf(view, now, style, style.width - indent - 3))
}

function branchOf(
  { status, certificate, fetched }: StatusView,
  now: Date,
  style: Style,
  width: number,
): Branch {
  const name = nameOf(certificate)
  const line = (word: string, paint: (text: string) => string, rest: string): string => {
    const text = wrap(`${name}: ${word}${rest}`, width - 2, 2)
    return text.replace(`: ${word}`, `: ${paint(word)}`)
  }
  switch (status.status) {
    case 'good': {
      const by = status.evidence.map((one) => evidenceText(one, now)).join('; ')
      return status.stale
        ? { lines: [line('good', style.yellow, `, but stale, says ${by}`)] }
        : { lines: [line('good', style.green, `, says ${by}`)] }
    }
    case 'revoked':
      return { lines: [line('revoked', style.red, revokedText(status, now))] }
    case 'unknown':
      return {
        lines: [line('unknown', style.yellow, '')],
        below: status.problems.map((problem) => problemBranch(problem, fetched, style, width - 3)),
      }
    case 'not-checked': {
      const why = `not checked, ${notChecked[status.because]}`
      return { lines: [style.dim(wrap(`${name}: ${why}`, width - 2, 2))] }
    }
  }
}

function revokedText(
  { revocationDate, reason, invalidityDate, evidence }: RevokedStatus,
  now: Date,
): string {
  const since = `${formatTime(revocationDate)} (${distanceText(dateOf(revocationDate), now)})`
  const why = reason === undefined ? '' : `, ${reason}`
  const invalid =
    invalidityDate === undefined ? '' : `, not to be trusted since ${formatTime(invalidityDate)}`
  return ` since ${since}${why}${invalid}, says ${evidenceText(evidence, now)}`
}

function problemBranch(
  problem: StatusProblem,
  fetched: boolean,
  style: Style,
  width: number,
): Branch {
  const { code, message, remedy } = problemReason(problem, fetched)
  return {
    lines: [
      wrap(`${code}: ${plain(message)}`, width, 0),
      `${style.cyan('→')} ${wrap(plain(remedyText(remedy)), width, 2)}`,
    ],
  }
}

/** `the CRL of Example CA, 3 hours old, next in 21 hours`. */
function evidenceText(
  { by, issuer, thisUpdate, nextUpdate, age, delta }: StatusEvidence,
  now: Date,
): string {
  const what = by === 'crl' ? 'the CRL of' : 'an OCSP response for'
  const next =
    nextUpdate === undefined
      ? `of ${formatTime(thisUpdate)}, without nextUpdate`
      : dateOf(nextUpdate) < now
        ? `ran out ${distanceText(dateOf(nextUpdate), now)}`
        : `next ${distanceText(dateOf(nextUpdate), now)}`
  const changed = delta === undefined ? '' : `, with a delta of ${formatTime(delta.thisUpdate)}`
  return `${what} ${shortName(issuer)}, ${spanText(age)} old, ${next}${changed}`
}

export function statusJson({ status, certificate, fetched }: StatusView): object {
  const { index, ...facts } = status
  const place = { position: index, subject: formatName(certificate.tbsCertificate.subject) }
  switch (facts.status) {
    case 'good':
      return {
        ...place,
        status: facts.status,
        stale: facts.stale,
        evidence: facts.evidence.map(evidenceJson),
      }
    case 'revoked':
      return {
        ...place,
        status: facts.status,
        revocationDate: formatTime(facts.revocationDate),
        reason: facts.reason ?? null,
        invalidityDate: timeJson(facts.invalidityDate),
        evidence: [evidenceJson(facts.evidence)],
      }
    case 'unknown':
      return {
        ...place,
        status: facts.status,
        problems: facts.problems.map((problem) => reasonJson(problemReason(problem, fetched))),
      }
    case 'not-checked':
      return { ...place, status: facts.status, because: facts.because }
  }
}

function evidenceJson({ by, issuer, thisUpdate, nextUpdate, age, delta }: StatusEvidence): object {
  return {
    by,
    issuer: formatName(issuer),
    thisUpdate: formatTime(thisUpdate),
    nextUpdate: timeJson(nextUpdate),
    age,
    delta:
      delta === undefined
        ? null
        : { thisUpdate: formatTime(delta.thisUpdate), nextUpdate: timeJson(delta.nextUpdate) },
  }
}

/** Unix seconds as text, null where there is no time. */
export function timeJson(seconds: number | undefined): string | null {
  return seconds === undefined ? null : formatTime(seconds)
}

export function dateOf(seconds: number): Date {
  return new Date(seconds * 1000)
}

const notChecked = {
  'mode-none': 'by the rule',
  depth: 'the rule asks about the client alone (depth=target)',
  'no-rev-avail': 'its CA publishes nothing about it (noRevAvail, RFC 9608 §4)',
  'trust-anchor': 'it is itself a trust anchor',
} as const
