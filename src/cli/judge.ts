/** One input judged: accepted, refused, or nothing to judge. @module */

import type { ValidateOptions } from '../client/options.ts'
import type { Verdict } from '../client/verdict.ts'
import { validateClientCertificateSync } from '../sync.ts'
import { type Reason, readInput, readPresentedFile, reasonOf } from './files.ts'
import type { Io } from './io.ts'

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
}

export type Source = Parameters<typeof validateClientCertificateSync>[0]

export async function judge(file: string, options: ValidateOptions, io: Io): Promise<Judged> {
  const bytes = await readInput(file, io)
  const source = bytes instanceof Uint8Array ? readPresentedFile(bytes) : bytes
  if ('code' in source) {
    return { file, status: 'unreadable', reason: source, verdict: undefined, source: undefined }
  }
  const verdict = validateClientCertificateSync(source, options)
  if (verdict.ok) return { file, status: 'accepted', reason: undefined, verdict, source }
  const reason = reasonOf(verdict.failure)
  const status = verdict.presented === undefined ? 'unreadable' : 'refused'
  return { file, status, reason, verdict, source }
}

/** The exit code of a run: what could not be read counts more than what was refused, because the run is not complete. */
export function exitCodeOf(judged: readonly Pick<Judged, 'status'>[]): 0 | 1 | 2 {
  if (judged.some(({ status }) => status === 'unreadable')) return 2
  return judged.every(({ status }) => status === 'accepted') ? 0 : 1
}
