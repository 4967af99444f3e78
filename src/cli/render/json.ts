/** The JSON forms of `--json`; docs/cli.md has the schema. Fields are added, never changed. @module */

import { describeFailure } from '../../client/failure.ts'
import type { RefusedPath, Verdict, Warning } from '../../client/verdict.ts'
import type { Certificate } from '../../x509/certificate.ts'
import { formatName } from '../../x509/name-text.ts'
import type { Reason } from '../files.ts'
import type { Io } from '../io.ts'
import type { Judged } from '../judge.ts'
import type { StatusView } from '../statuses.ts'
import { positionOf } from './path.ts'
import { statusJson } from './status.ts'
import { dateText, warningText } from './words.ts'

/** Writes the one object of a run: a line for programs, indented for a person at a terminal. */
export function writeJson(value: object, { stdout }: Io): void {
  stdout.write(`${JSON.stringify(value, undefined, stdout.isTTY ? 2 : undefined)}\n`)
}

export function reasonJson({ code, message, source, remedy, kind }: Reason): Reason {
  return { code, message, source, remedy, ...(kind === undefined ? {} : { kind }) }
}

export function judgedJson({ file, status, reason, verdict, statuses }: Judged): object {
  return {
    file,
    ok: status === 'accepted',
    status,
    ...(reason === undefined
      ? { code: null }
      : { ...reasonJson(reason), position: positionJson(verdict) }),
    ...(verdict === undefined ? {} : verdictJson(verdict, statuses)),
  }
}

function positionJson(verdict: Verdict | undefined): number | null {
  return verdict === undefined || verdict.ok ? null : (positionOf(verdict.failure) ?? null)
}

function verdictJson(verdict: Verdict, statuses: readonly StatusView[]): object {
  const revocation = statuses.map(statusJson)
  const warnings = verdict.warnings.map(warningJson)
  if (verdict.ok && !verdict.verified) {
    return { verified: false, presented: presentedJson(verdict.presented), warnings }
  }
  if (verdict.ok) {
    const { path, anchor, identity, policies, validFrom, validUntil, attempts } = verdict
    return {
      verified: true,
      path: path.map(subjectOf),
      anchor: formatName(anchor.name),
      identity,
      policies: policies.userConstrainedPolicySet,
      revocation,
      validFrom: boundJson(validFrom),
      validUntil: boundJson(validUntil),
      warnings,
      attempts: attempts.map(attemptJson),
    }
  }
  const { presented, attempts, attemptsOmitted } = verdict
  return {
    verified: false,
    ...(presented === undefined ? {} : { presented: presentedJson(presented) }),
    revocation,
    warnings,
    attempts: attempts.map(attemptJson),
    attemptsOmitted,
  }
}

/** null: no bound, because nothing on the path has a date. */
function boundJson(date: Date): string | null {
  return Number.isFinite(date.getTime()) ? dateText(date) : null
}

function attemptJson({ certificates, anchor, failure }: RefusedPath): object {
  return {
    ...reasonJson(describeFailure(failure)),
    position: positionOf(failure) ?? null,
    path: certificates.map(subjectOf),
    anchor: anchor === undefined ? null : formatName(anchor.name),
  }
}

function warningJson(warning: Warning): object {
  return { code: warning.code, message: warningText(warning) }
}

function presentedJson({ tbsCertificate }: Certificate): object {
  return { subject: formatName(tbsCertificate.subject), issuer: formatName(tbsCertificate.issuer) }
}

function subjectOf({ tbsCertificate }: Certificate): string {
  return formatName(tbsCertificate.subject)
}
