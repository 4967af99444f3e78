/** One input judged: accepted, refused, or nothing to judge. @module */

import type { ValidateOptions } from '../client/options.ts'
import type { Verdict } from '../client/verdict.ts'
import { validateClientCertificate } from '../index.node.ts'
import { validateClientCertificateSync } from '../sync.ts'
import { type Reason, readInput, readPresentedFile, reasonOf } from './files.ts'
import type { Io } from './io.ts'
import { insteadOfCertificate } from './revocation-files.ts'
import type { Settings } from './settings.ts'
import { type StatusView, statusesOf } from './statuses.ts'

export interface Judged {
  readonly file: string
  /** `unreadable`: there was no certificate to judge. */
  readonly status: 'accepted' | 'refused' | 'unreadable'
  /** Why not; absent when accepted. */
  readonly reason: Reason | undefined
  /** Absent when not even bytes were there. */
  readonly verdict: Verdict | undefined
  /** What was judged, to judge it again under other options. */
  readonly source: Source | undefined
  /** What is known of the revocation of each certificate. */
  readonly statuses: readonly StatusView[]
}

export type Source = Parameters<typeof validateClientCertificateSync>[0]

export async function judge(
  file: string,
  { options, fetches }: Pick<Settings, 'options' | 'fetches'>,
  io: Io,
): Promise<Judged> {
  const bytes = await readInput(file, io)
  const source = bytes instanceof Uint8Array ? readPresentedFile(bytes) : bytes
  if ('code' in source) return unread(file, source)
  // Only the async driver waits for what is fetched.
  const verdict = fetches
    ? await validateClientCertificate(source, options)
    : judgeAgain(source, options)
  if (verdict.ok) {
    const statuses = statusesOf(verdict, fetches)
    return { file, status: 'accepted', reason: undefined, verdict, source, statuses }
  }
  const reason = reasonOf(verdict.failure)
  if (verdict.presented !== undefined) {
    const statuses = statusesOf(verdict, fetches)
    return { file, status: 'refused', reason, verdict, source, statuses }
  }
  const instead = bytes instanceof Uint8Array ? insteadOfCertificate(bytes) : undefined
  return instead === undefined
    ? { file, status: 'unreadable', reason, verdict, source, statuses: [] }
    : unread(file, instead)
}

function unread(file: string, reason: Reason): Judged {
  const nothing = { verdict: undefined, source: undefined, statuses: [] }
  return { file, status: 'unreadable', reason, ...nothing }
}

/** With what is there by now: whatever could be fetched has been. */
export function judgeAgain(source: Source, options: ValidateOptions): Verdict {
  if (options.validateCertificate === false) return validateClientCertificateSync(source, options)
  const revocation = options.revocation && { ...options.revocation, wait: undefined }
  return validateClientCertificateSync(source, { ...options, revocation })
}

/** The exit code of a run: what could not be read counts more than what was refused, because the run is not complete. */
export function exitCodeOf(judged: readonly Pick<Judged, 'status'>[]): 0 | 1 | 2 {
  if (judged.some(({ status }) => status === 'unreadable')) return 2
  return judged.every(({ status }) => status === 'accepted') ? 0 : 1
}
