/** What the gateway says for itself: a problem document (RFC 9457 §3) with a stable code and the request's id. @module */

import type { Answer } from '../http/answer.ts'

/** Everything but a refusal by policy, which is the guard's to answer. */
export type GatewayCode =
  | 'request-misdirected'
  | 'host-invalid'
  | 'request-malformed'
  | 'request-target-invalid'
  | 'request-target-ambiguous'
  | 'proxy-not-found'
  | 'proxy-not-in-force'
  | 'method-not-allowed'
  | 'request-timeout'
  | 'body-too-large'
  | 'header-too-large'
  | 'expectation-failed'
  | 'gateway-failed'
  | 'transfer-coding-unsupported'
  | 'upgrade-unsupported'
  | 'upstream-unreachable'
  | 'upstream-failed'
  | 'gateway-not-ready'
  | 'http-version-unsupported'
  | 'upstream-timeout'

export const gatewayProblems: {
  readonly [C in GatewayCode]: readonly [status: number, title: string, detail: string]
} = {
  'request-misdirected': [421, 'Misdirected Request', 'This connection is for another host.'],
  'host-invalid': [400, 'Bad Request', 'The request must name one host.'],
  'request-malformed': [400, 'Bad Request', 'The request could not be read.'],
  'request-target-invalid': [400, 'Bad Request', 'The request target is not valid.'],
  'request-target-ambiguous': [400, 'Bad Request', 'The request target is ambiguous.'],
  'proxy-not-found': [404, 'Not Found', 'Nothing is served here.'],
  'proxy-not-in-force': [503, 'Service Unavailable', 'What is served here is not at hand.'],
  'method-not-allowed': [405, 'Method Not Allowed', 'This method is not allowed.'],
  'request-timeout': [408, 'Request Timeout', 'The request took too long.'],
  'body-too-large': [413, 'Content Too Large', 'The request body is too large.'],
  'header-too-large': [431, 'Request Header Fields Too Large', 'The header section is too large.'],
  'expectation-failed': [417, 'Expectation Failed', 'Only 100-continue can be expected.'],
  'gateway-failed': [500, 'Internal Server Error', 'The gateway failed.'],
  'transfer-coding-unsupported': [501, 'Not Implemented', 'Only chunked is supported.'],
  'upgrade-unsupported': [501, 'Not Implemented', 'Only websocket is supported.'],
  'upstream-unreachable': [502, 'Bad Gateway', 'The upstream could not be reached.'],
  'upstream-failed': [502, 'Bad Gateway', 'The upstream did not answer properly.'],
  'gateway-not-ready': [503, 'Service Unavailable', 'The gateway has no configuration yet.'],
  'http-version-unsupported': [
    505,
    'HTTP Version Not Supported',
    'HTTP/1.0, 1.1 and 2 are spoken.',
  ],
  'upstream-timeout': [504, 'Gateway Timeout', 'The upstream took too long.'],
}

/** @param requestId - As it was passed on, or made. */
export function gatewayAnswer(code: GatewayCode, requestId: string): Answer {
  const [status, title, detail] = gatewayProblems[code]
  const headers: Record<string, string> = {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    'x-request-id': requestId,
  }
  if (status === 405) headers.allow = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'
  const instance = uuid.test(requestId) ? { instance: `urn:uuid:${requestId}` } : {}
  const problem = { title, status, detail, code, requestId, ...instance }
  return { status, headers, body: `${JSON.stringify(problem)}\n` }
}

const uuid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/
