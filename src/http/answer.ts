/**
 * What a refused client gets: 401 with a challenge (RFC 9110 §15.5.2) and a problem document (RFC 9457 §3) that says no more than a
 * stranger may know. The reason is in the log, under the decision's id.
 *
 * @module
 */

import { misuse } from '../client/misuse.ts'
import type { Decision } from './decision.ts'
import type { HttpRequest } from './request.ts'

export interface Answer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What may be changed. */
export interface Answering {
  /** In the challenge; default `mtls`. */
  readonly realm?: string | undefined
  /** `generic`, the default: whether a certificate is missing or was not accepted, no more. `code`: the failure code, too. */
  readonly reason?: 'generic' | 'code' | undefined
  /** The whole answer, made from ours. */
  readonly change?: ((answer: Answer, decision: Decision) => Answer) | undefined
}

export function answerOf(decision: Decision, request: HttpRequest, answering: Answering): Answer {
  const { status, code, id } = decision
  const headers: Record<string, string> = {
    'content-type': 'application/problem+json',
    // What is refused now may come in a second later.
    'cache-control': 'no-store',
  }
  if (status === 401) headers['www-authenticate'] = `ClientCertificate realm="${answering.realm}"`
  // A client that has none on this connection can only come back with one on another.
  if (request.isHttp1 && code === 'certificate-missing') headers.connection = 'close'
  const problem = {
    title: titles[status],
    status,
    detail: detailOf(decision),
    instance: `urn:uuid:${id}`,
    ...(answering.reason === 'code' ? { code } : {}),
  }
  const answer = { status, headers, body: `${JSON.stringify(problem)}\n` }
  return answering.change?.(answer, decision) ?? answer
}

/**
 * Reads changes.
 *
 * @throws TypeError with a `code`.
 */
export function readAnswering(answering: Answering = {}): Answering {
  const { realm = 'mtls', reason = 'generic', change, ...others } = answering
  for (const name of Object.keys(others)) {
    throw misuse('option-unknown', `unknown option: answer.${name}`, { option: `answer.${name}` })
  }
  // It stands in a quoted string: RFC 9110 §5.6.4.
  if (typeof realm !== 'string' || /[^ !#-[\]-~]/.test(realm)) {
    throw misuse('option-invalid', 'answer.realm must be printable ASCII without quotes', {
      option: 'answer.realm',
    })
  }
  if (reason !== 'generic' && reason !== 'code') {
    throw misuse('option-invalid', 'answer.reason must be generic or code', {
      option: 'answer.reason',
    })
  }
  if (change !== undefined && typeof change !== 'function') {
    throw misuse('option-invalid', 'answer.change must be a function', { option: 'answer.change' })
  }
  return { realm, reason, change }
}

function detailOf({ status, code }: Decision): string {
  if (status === 421) return 'This connection is for another host.'
  if (status === 500) return 'The client certificate could not be checked.'
  return code === 'certificate-missing'
    ? 'A client certificate is required.'
    : 'The client certificate was not accepted.'
}

const titles: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  421: 'Misdirected Request',
  500: 'Internal Server Error',
}
