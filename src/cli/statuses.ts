/** What is known of each certificate's revocation after a verdict, a refusal included. @module */

import type { Verdict } from '../client/verdict.ts'
import type { CertificateStatus } from '../revocation/status.ts'
import type { Certificate } from '../x509/certificate.ts'

export interface StatusView {
  readonly status: CertificateStatus
  readonly certificate: Certificate
  /** Whether what is to be had over the network was fetched: then that is no advice any more. */
  readonly fetched: boolean
}

/** Of the path that was accepted, or that revocation refused. */
export function statusesOf(verdict: Verdict, fetched: boolean): readonly StatusView[] {
  if (verdict.ok) return verdict.verified ? viewsOf(verdict.revocation, verdict.path, fetched) : []
  const { attempts, failure } = verdict
  if (!('statuses' in failure)) return []
  const path = attempts.find((attempt) => attempt.failure === failure)?.certificates ?? []
  return viewsOf(failure.statuses, path, fetched)
}

function viewsOf(
  statuses: readonly CertificateStatus[],
  path: readonly Certificate[],
  fetched: boolean,
): readonly StatusView[] {
  return statuses.flatMap((status) => {
    const certificate = path[status.index]
    return certificate === undefined ? [] : [{ status, certificate, fetched }]
  })
}
