/** The trace of a verdict as a tree: every path that was tried, the ACLs, both profiles. @module */

import { type AclDifference, type AclEntry, formatEntry } from '../../acl/index.ts'
import { describeFailure } from '../../client/failure.ts'
import type { Verdict } from '../../client/verdict.ts'
import { formatName } from '../../x509/name-text.ts'
import type { Reason } from '../files.ts'
import type { Judged } from '../judge.ts'
import { drawAttempt, drawVerdict, positionOf } from './path.ts'
import { accepted, type Branch, drawTree, plain, refused, type Style } from './style.ts'
import { headline } from './verdict.ts'
import { dateText, distanceText, warningText } from './words.ts'

/** What an ACL said about a path. */
export interface AclView {
  /** `undefined`: there was no valid path to look at. */
  readonly allowed: boolean | undefined
  readonly code?: string
  /** The entry that decided. */
  readonly entry?: AclEntry
  /** The entry that comes nearest to allowing, and what keeps it from it. */
  readonly nearest?: { readonly entry: AclEntry; readonly differences: readonly AclDifference[] }
}

export interface ProfileView {
  readonly profile: string
  /** Absent: accepted. */
  readonly reason: Reason | undefined
}

export interface Explained {
  readonly judged: Judged
  readonly issuerAcl: AclView | undefined
  readonly clientAcl: AclView | undefined
  readonly profiles: readonly ProfileView[]
}

export function drawExplained(explained: Explained, now: Date, style: Style): string[] {
  const { judged, issuerAcl, clientAcl, profiles } = explained
  const { verdict, reason } = judged
  const branches: Branch[] = []
  if (verdict?.ok) {
    const lines = [drawVerdict(verdict, style)]
    if (verdict.verified) {
      const { validFrom, validUntil } = verdict
      lines.push(
        `holds from ${dateText(validFrom)} until ${dateText(validUntil)} (${distanceText(validUntil, now)})`,
      )
    }
    branches.push({ lines: [style.bold('path'), ...lines] })
  }
  const presented = verdict?.ok
    ? verdict.verified
      ? verdict.path[0]
      : verdict.presented
    : verdict?.presented
  if (presented !== undefined) {
    const { subject, issuer, validity } = presented.tbsCertificate
    const until = new Date(validity.notAfter * 1000)
    branches.push({
      lines: [style.bold('certificate')],
      below: [
        { lines: [`subject  ${plain(formatName(subject)) || '(empty)'}`] },
        { lines: [`issuer   ${plain(formatName(issuer)) || '(empty)'}`] },
        { lines: [`until    ${dateText(until)} (${distanceText(until, now)})`] },
      ],
    })
  }
  if (reason !== undefined) {
    const lines = [style.bold('refused because')]
    const path = verdict === undefined ? '' : drawVerdict(verdict, style)
    if (path !== '') lines.push(path)
    branches.push({ lines: [...lines, ...reasonLines(reason, undefined, style)] })
  }
  if (verdict !== undefined) branches.push(attemptsBranch(verdict, style))
  if (issuerAcl) branches.push({ lines: [style.bold('issuer ACL'), ...aclLines(issuerAcl, style)] })
  if (clientAcl) branches.push({ lines: [style.bold('client ACL'), ...aclLines(clientAcl, style)] })
  if (profiles.length > 0) {
    branches.push({
      lines: [style.bold('profiles')],
      below: profiles.map(({ profile, reason }) => ({
        lines:
          reason === undefined
            ? [`${style.green(accepted)} ${profile}: accepted`]
            : [
                `${style.red(refused)} ${profile}: ${reason.code}`,
                `${plain(reason.message)} [${reason.source}]`,
              ],
      })),
    })
  }
  const warnings = verdict?.warnings ?? []
  if (warnings.length > 0) {
    branches.push({
      lines: [style.bold('warnings')],
      below: warnings.map((warning) => ({
        lines: [`${style.yellow(warning.code)}: ${warningText(warning)}`],
      })),
    })
  }
  return [headline(judged, style), ...drawTree(branches, style)]
}

function attemptsBranch(verdict: Verdict, style: Style): Branch {
  const attempts = verdict.ok && !verdict.verified ? [] : verdict.attempts
  const attemptsOmitted = verdict.ok ? 0 : verdict.attemptsOmitted
  const below: Branch[] = attempts.map((attempt) => ({
    lines: [
      drawAttempt(attempt, style),
      ...reasonLines(describeFailure(attempt.failure), positionOf(attempt.failure), style, true),
    ],
  }))
  if (attemptsOmitted > 0) below.push({ lines: [`and ${attemptsOmitted} more`] })
  const count = attempts.length + attemptsOmitted
  return {
    lines: [
      `${style.bold('paths that were refused')}: ${count === 0 ? 'none was tried' : `${count}`}`,
    ],
    below,
  }
}

function reasonLines(
  { code, message, source, remedy }: Reason,
  position: number | undefined,
  style: Style,
  withCode = false,
): string[] {
  const at = position === undefined ? '' : ` at position ${position}`
  return [
    ...(withCode ? [`${style.red(code)}${at}`] : []),
    `${plain(message)} [${source}]`,
    `${style.cyan('→')} ${plain(remedy)}`,
  ]
}

function aclLines({ allowed, code, entry, nearest }: AclView, style: Style): string[] {
  if (allowed === undefined) return ['not asked: there is no valid path to hold against it']
  const lines = [
    allowed ? `${style.green(accepted)} allows` : `${style.red(refused)} ${code ?? 'refuses'}`,
  ]
  if (entry !== undefined) lines.push(`by the entry: ${plain(formatEntry(entry))}`)
  if (nearest !== undefined) {
    lines.push(`nearest entry: ${plain(formatEntry(nearest.entry))}`)
    for (const { field, expected, actual } of nearest.differences) {
      lines.push(
        `  ${plain(field)}: wants ${plain(expected ?? 'nothing')}, finds ${plain(actual ?? 'nothing')}`,
      )
    }
  }
  return lines
}
