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
  /**
   * The whole answer, made from ours. The length and the end of the message are the server's: what is said of them here is left out.
   * What it throws, or an answer that cannot be sent, makes 500 of it, and is told to the hooks.
   */
  readonly change?: ((answer: Answer, decision: Decision) => Answer) | undefined
}

/** @throws What `change` throws, and a TypeError with code `option-invalid` for an answer that cannot be sent. */
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
  const changed = answering.change?.(answer, decision)
  return changed === undefined ? answer : checkAnswer(changed, request)
}

/** One check for all servers: some of them would send half an answer, others fail while sending. */
function checkAnswer({ status, headers, body }: Answer, { isHttp1 }: HttpRequest): Answer {
  if (!Number.isInteger(status) || status < 200 || status > 599 || withoutBody.has(status)) {
    throw unanswerable('status must be one from 200 to 599 that has a body')
  }
  if (typeof body !== 'string') throw unanswerable('body must be a string')
  if (typeof headers !== 'object' || headers === null)
    throw unanswerable('headers must be an object')
  const checked: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    // RFC 9110 §5.1 and §5.5.
    if (!/^[!#$%&'*+.^`|~\w-]+$/.test(name)) throw unanswerable('a name of a header is no token')
    if (typeof value !== 'string' || /[^\t\x20-\x7e\x80-\xff]/.test(value)) {
      throw unanswerable(`the header ${name} must be a line of Latin-1`)
    }
    const lower = name.toLowerCase()
    if (framing.has(lower) || (!isHttp1 && ofConnection.has(lower))) continue
    checked[lower] = value
  }
  return { status, headers: checked, body }
}

function unanswerable(message: string): TypeError {
  return misuse('option-invalid', `answer.change: ${message}`, { option: 'answer.change' })
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

/** RFC 9110 §15.3.5, §15.3.6 and §15.4.5. */
const withoutBody: ReadonlySet<number> = new Set([204, 205, 304])

/** RFC 9112 §6. */
const framing: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'trailer'])

/** RFC 9113 §8.2.2. */
const ofConnection: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'upgrade',
])
