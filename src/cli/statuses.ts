/** What is known of each certificate's revocation after a verdict, a refusal included. @module */

import { bytesEqual } from '../base/bytes.ts'
import type { Refused, Verdict } from '../client/verdict.ts'
import type { CertificateStatus } from '../revocation/status.ts'
import type { Certificate } from '../x509/certificate.ts'

export interface StatusView {
  readonly status: CertificateStatus
  readonly certificate: Certificate
}

/** Of an accepted path all of them; of a refusal the one that it is about. */
export function statusesOf(verdict: Verdict): readonly StatusView[] {
  if (verdict.ok) {
    if (!verdict.verified) return []
    const { path, revocation } = verdict
    return revocation.flatMap((status) => viewOf(status, path))
  }
  const { failure } = verdict
  const path = refusedPath(verdict)
  if (failure.code === 'certificate-revoked') {
    const { code: _, ...facts } = failure
    return viewOf({ status: 'revoked', ...facts }, path)
  }
  if (failure.code !== 'revocation-unknown') return []
  const { index, problems } = failure
  return viewOf({ status: 'unknown', index, problems }, path)
}

/**
 * Of a path that was refused because something is unknown, all of them: as they were found when the same question was put again with
 * a rule that lets the unknown pass. `undefined` when that led to another path.
 */
export function statusesOfSamePath(
  refused: Refused,
  again: Verdict,
): readonly StatusView[] | undefined {
  if (!again.ok || !again.verified) return undefined
  const path = refusedPath(refused)
  const isSame =
    path.length === again.path.length &&
    again.path.every(({ der }, at) => bytesEqual(der, (path[at] as Certificate).der))
  return isSame ? statusesOf(again) : undefined
}

function refusedPath({ attempts, failure }: Refused): readonly Certificate[] {
  return attempts.find((attempt) => attempt.failure === failure)?.certificates ?? []
}

function viewOf(status: CertificateStatus, path: readonly Certificate[]): readonly StatusView[] {
  const certificate = path[status.index]
  return certificate === undefined ? [] : [{ status, certificate }]
}
