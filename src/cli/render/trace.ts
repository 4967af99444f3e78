/** The trace of a verdict as a tree: every path that was tried, the ACLs, both profiles. @module */

import { type AclDifference, type AclEntry, formatEntry } from '../../acl/index.ts'
import { describeFailure } from '../../client/failure.ts'
import type { RefusedPath, Verdict } from '../../client/verdict.ts'
import { formatName } from '../../x509/name-text.ts'
import type { Reason } from '../files.ts'
import type { Judged } from '../judge.ts'
import { drawAttempt, drawVerdict, positionOf } from './path.ts'
import { statusBranches } from './status.ts'
import { accepted, type Branch, drawTree, plain, refused, type Style, wrap } from './style.ts'
import { headline, withoutProblems } from './verdict.ts'
import { dateText, distanceText, remedyText, warningText } from './words.ts'

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
  const { verdict, reason, statuses } = judged
  const branches: Branch[] = []
  if (verdict?.ok) {
    const lines = [drawVerdict(verdict, style, 3)]
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
    const path = verdict === undefined ? '' : drawVerdict(verdict, style, 3)
    if (path !== '') lines.push(path)
    branches.push({ lines: [...lines, ...reasonLines(withoutProblems(reason), style, 3)] })
  }
  if (statuses.length > 0) {
    const below = statusBranches(statuses, now, style, 3)
    branches.push({ lines: [style.bold('revocation')], below })
  }
  if (verdict !== undefined) branches.push(attemptsBranch(verdict, style))
  if (issuerAcl) branches.push({ lines: [style.bold('issuer ACL'), ...aclLines(issuerAcl, style)] })
  if (clientAcl) branches.push({ lines: [style.bold('client ACL'), ...aclLines(clientAcl, style)] })
  if (profiles.length > 0) {
    branches.push({
      lines: [style.bold('profiles')],
      below: profiles.map(({ profile, reason: why }) => {
        if (why === undefined) return { lines: [`${style.green(accepted)} ${profile}: accepted`] }
        const line = `${style.red(refused)} ${profile}: ${why.code}`
        return why.code === reason?.code
          ? { lines: [line] }
          : { lines: [line, ...reasonLines(why, style, 6)] }
      }),
    })
  }
  const warnings = verdict?.warnings ?? []
  if (warnings.length > 0) {
    branches.push({
      lines: [style.bold('warnings')],
      below: warnings.map((warning) => ({
        lines: [wrap(`${style.yellow(warning.code)}: ${warningText(warning)}`, style.width - 6, 0)],
      })),
    })
  }
  return [headline(judged, style), ...drawTree(branches, style)]
}

function attemptsBranch(verdict: Verdict, style: Style): Branch {
  const attempts = verdict.ok && !verdict.verified ? [] : verdict.attempts
  const attemptsOmitted = verdict.ok ? 0 : verdict.attemptsOmitted
  const below: Branch[] = attempts.map((attempt) => ({
    lines: attemptLines(attempt, verdict, style),
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

function attemptLines(attempt: RefusedPath, verdict: Verdict, style: Style): string[] {
  const { failure } = attempt
  const position = positionOf(failure)
  const at = position === undefined ? '' : ` at position ${position}`
  const lines = [drawAttempt(attempt, style, 6), `${style.red(failure.code)}${at}`]
  if (!verdict.ok && verdict.failure === failure) return [...lines, style.dim('the reason above')]
  return [...lines, ...reasonLines(describeFailure(failure), style, 6)]
}

function reasonLines(
  { message, source, remedy }: Reason,
  { width, cyan }: Style,
  indent: number,
): string[] {
  return [
    wrap(`${plain(message)} [${source}]`, width - indent, 0),
    `${cyan('→')} ${wrap(plain(remedyText(remedy)), width - indent, 2)}`,
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
