/** What the log says of decisions: a line for each refusal and for each that a policy in report mode would have made, with who it was. @module */

import { createHash } from 'node:crypto'
import { toHex } from '../base/hex.ts'
import { logText } from '../base/log-text.ts'
import type { Verdict } from '../client/verdict.ts'
import type { Decision } from '../http/decision.ts'
import type { HttpRequest } from '../http/request.ts'
import { describePolicyFailure } from '../policy/failure-text.ts'
import type { Outcome } from '../policy/outcome.ts'
import type { PipelineName } from '../policy/pipelines.ts'
import type { Certificate } from '../x509/certificate.ts'
import { formatName } from '../x509/name-text.ts'
import { parseCertificate } from '../x509/parse-certificate.ts'
import { ClientConnection } from './connection.ts'
import type { GatewayLogger } from './options.ts'

/** Of the client's own certificate. After a refusal nothing of it is proven. */
export interface LoggedClient {
  /** RFC 4514 text; empty when only the subjectAltName names the client. */
  readonly subject?: string
  readonly issuer?: string
  /** Hexadecimal. */
  readonly serialNumber?: string
  /** SHA-256 of the certificate, hexadecimal. */
  readonly fingerprint?: string
}

/**
 * Writes a line for a refusal, and one for each policy in report mode that would have refused. Nothing is read or put into words where
 * there is nothing to say, or nobody to say it to.
 *
 * @param pipeline - The one that was asked: what its trace says of ERROR is not how the gateway runs it.
 * @param place - Of the request: its id, proxy, method, path and whatever else there is.
 */
export function logDecision(
  logger: GatewayLogger,
  pipeline: PipelineName,
  decision: Decision,
  request: HttpRequest,
  place: () => object,
): void {
  const { allowed, outcome, code, status } = decision
  const reported = outcome === undefined ? [] : outcome.trace.filter(isReported)
  if (allowed && reported.length === 0) return
  const level = status === 500 ? 'error' : 'warn'
  if (logger.isLevelEnabled?.(level) === false) return
  const facts = { ...place(), decisionId: decision.id, pipeline }
  const client = clientOf(outcome, request)
  for (const { policy, failure } of reported) {
    const reason = failure === undefined ? undefined : describePolicyFailure(failure).message
    logger.warn(
      { ...facts, policy, code: failure?.code, reason: boundedReason(reason), ...client },
      'would refuse',
    )
  }
  if (allowed) return
  const refusal = outcome?.allowed === false ? outcome : undefined
  const reason =
    refusal === undefined
      ? decision.error === undefined
        ? undefined
        : String(decision.error)
      : describePolicyFailure(refusal.failure).message
  const { policy } = refusal ?? {}
  logger[level]({ ...facts, policy, code, reason: boundedReason(reason), ...client }, 'refused')
}

/** Who it is, from the certificate that was judged; else from what came with the handshake, as when that cannot be read. */
export function clientOf(outcome: Outcome | undefined, { connection }: HttpRequest): LoggedClient {
  const verdict = outcome?.verdict ?? outcome?.trace.findLast((step) => step.verdict)?.verdict
  const judged = verdict === undefined ? undefined : certificateOf(verdict)
  if (judged !== undefined) return described(judged)
  const leaf = connection instanceof ClientConnection ? connection.leaf : undefined
  if (leaf === undefined) return {}
  const parsed = parseCertificate(leaf)
  return parsed.ok ? described(parsed.value) : { fingerprint: sha256(leaf) }
}

function certificateOf(verdict: Verdict): Certificate | undefined {
  return verdict.ok && verdict.verified ? verdict.path[0] : verdict.presented
}

function described({ tbsCertificate, der }: Certificate): LoggedClient {
  const { subject, issuer, serialNumber } = tbsCertificate
  return {
    subject: logText(formatName(subject), maxName),
    issuer: logText(formatName(issuer), maxName),
    serialNumber: logText(toHex(serialNumber), maxSerial),
    fingerprint: sha256(der),
  }
}

function isReported({ result }: Outcome['trace'][number]): boolean {
  return result === 'would-refuse'
}

function boundedReason(reason: string | undefined): string | undefined {
  return reason === undefined ? undefined : logText(reason, maxReason)
}

function sha256(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('hex')
}

/** Local limits: a certificate may hold a name of megabytes, and a client may come again and again. */
const maxName = 1024
const maxReason = 1024
/** Hexadecimal digits. RFC 5280 §4.1.2.2 has 40 of them at most. */
const maxSerial = 80
