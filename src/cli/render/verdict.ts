/** Verdicts for people: one in full, or many as a table. @module */

import type { Reason } from '../files.ts'
import type { Judged } from '../judge.ts'
import { drawVerdict } from './path.ts'
import { drawStatuses } from './status.ts'
import { accepted, cut, plain, refused, type Style, wrap } from './style.ts'
import { dateText, distanceText, remedyText, warningText } from './words.ts'

/** Verdict, drawn path, reason, remedy and warnings. */
export function drawJudged(judged: Judged, now: Date, style: Style): string[] {
  const { verdict, reason, statuses } = judged
  const lines = [headline(judged, style)]
  const path = verdict === undefined ? '' : drawVerdict(verdict, style, 2)
  if (path !== '') lines.push(`  ${path}`)
  lines.push(...drawStatuses(statuses, now, style, 2).map((line) => `  ${line}`))
  if (reason !== undefined) lines.push(...drawReason(withoutProblems(reason), style))
  if (verdict?.ok && verdict.verified) {
    const { validUntil } = verdict
    const ends = Number.isFinite(validUntil.getTime())
    lines.push(
      `  holds until ${dateText(validUntil)}${ends ? ` (${distanceText(validUntil, now)})` : ''}`,
    )
  }
  for (const warning of verdict?.warnings ?? []) {
    // What was refused needs no advice on what else was not looked at.
    if (reason !== undefined && warning.code === 'revocation-not-checked') continue
    lines.push(style.yellow(`  ! ${wrap(warningText(warning), style.width, 4)}`))
  }
  return lines
}

export function headline({ file, status, reason, verdict }: Judged, style: Style): string {
  const name = style.bold(plain(file))
  if (status === 'accepted') {
    const proven = verdict?.ok && verdict.verified ? '' : style.yellow(' (not verified)')
    return `${style.green(`${accepted} accepted`)}  ${name}${proven}`
  }
  return `${style.red(`${refused} ${status}`)}  ${name}  ${style.red(reason?.code ?? '')}`
}

/** Without what stands beside it already: the problems one by one. */
export function withoutProblems(reason: Reason): Reason {
  if (reason.code !== 'revocation-unknown') return reason
  const { message } = reason
  const end = message.indexOf(': ')
  return end === -1 ? reason : { ...reason, message: message.slice(0, end) }
}

export function drawReason({ message, source, remedy }: Reason, style: Style): string[] {
  const text = source.startsWith('RFC') ? `${plain(message)} [${source}]` : plain(message)
  return [
    `  ${wrap(text, style.width, 2)}`,
    `  ${style.cyan('→')} ${wrap(plain(remedyText(remedy)), style.width, 4)}`,
  ]
}

/** A line each, and the sums. */
export function drawTable(judged: readonly Judged[], style: Style): string[] {
  const most = Math.max(4, ...judged.map(({ file }) => plain(file).length))
  const widths = { file: Math.min(most, Math.max(20, Math.floor(style.width * 0.45))), status: 10 }
  const lines = judged.map(({ file, status, reason, verdict }) => {
    const mark = status === 'accepted' ? style.green(accepted) : style.red(refused)
    // The end of a name tells files apart.
    const text = plain(file)
    const name = (
      text.length > widths.file ? `…${text.slice(text.length - widths.file + 1)}` : text
    ).padEnd(widths.file)
    const why =
      reason?.code ??
      (verdict?.ok && verdict.verified ? `until ${dateText(verdict.validUntil)}` : 'not verified')
    const room = style.width - widths.file - widths.status - 6
    const paint = status === 'accepted' ? style.green : style.red
    return `${mark} ${name}  ${paint(status.padEnd(widths.status))}  ${cut(why, room)}`
  })
  return [...lines, '', drawSums(judged, style)]
}

function drawSums(judged: readonly Judged[], style: Style): string {
  const count = (status: Judged['status']) => judged.filter((one) => one.status === status).length
  const sums = [
    style.green(`${count('accepted')} accepted`),
    style.red(`${count('refused')} refused`),
  ]
  if (count('unreadable') > 0) sums.push(style.red(`${count('unreadable')} unreadable`))
  return sums.join(', ')
}
