/** What a refused client gets, and what it can be changed to. */
import { expect, test } from 'vitest'
import { type Answer, answerOf, readAnswering } from '../../src/http/answer.ts'
import { Decision } from '../../src/http/decision.ts'
import type { HttpRequest } from '../../src/http/request.ts'
import { requestWith } from './support.ts'

const missing = new Decision(401, 'certificate-missing')
const http1 = requestWith({})
const http2: HttpRequest = { ...http1, isHttp1: false }

/** Ours, changed. */
function changed(change: object, request = http1): Answer {
  const answering = readAnswering({ change: (answer) => ({ ...answer, ...change }) })
  return answerOf(missing, request, answering)
}

test('a client without a certificate can come back on another connection: HTTP/1 is closed', () => {
  const answering = readAnswering()
  expect(answerOf(missing, http1, answering).headers.connection).toBe('close')
  expect(answerOf(missing, http2, answering).headers.connection).toBeUndefined()
  const expired = new Decision(401, 'certificate-expired')
  expect(answerOf(expired, http1, answering).headers.connection).toBeUndefined()
})

test.each([
  [{ status: 99 }],
  [{ status: 101 }],
  [{ status: 204 }],
  [{ status: 205 }],
  [{ status: 304 }],
  [{ status: 600 }],
  [{ status: 401.5 }],
  [{ status: '401' }],
  [{ body: undefined }],
  [{ body: new Uint8Array(1) }],
  [{ headers: null }],
  [{ headers: 'x: y' }],
  [{ headers: { '': 'x' } }],
  [{ headers: { 'x y': 'z' } }],
  [{ headers: { 'x:': 'z' } }],
  [{ headers: { x: undefined } }],
  [{ headers: { x: ['y', 'z'] } }],
  [{ headers: { x: 'y\r\nz: 1' } }],
  [{ headers: { x: 'y\0' } }],
  [{ headers: { x: '\u20ac' } }],
])('an answer that cannot be sent is the fault of who made it: %j', (change) => {
  expect(() => changed(change)).toThrow(
    expect.objectContaining({ code: 'option-invalid', option: 'answer.change' }),
  )
})

test.each([200, 302, 403, 404, 503, 599])('the status may be %i', (status) => {
  expect(changed({ status }).status).toBe(status)
})

test('names of headers are in lower case, and of two that are the same the last one counts', () => {
  const headers = { 'Content-Type': 'text/plain', 'content-type': 'text/html', 'X-Ä': 'x' }
  expect(() => changed({ headers })).toThrow(TypeError)
  const { 'X-Ä': _, ...others } = headers
  expect(changed({ headers: others }).headers).toEqual({ 'content-type': 'text/html' })
})

test('the length and the end of a message are not an answer’s', () => {
  const headers = { 'Content-Length': '1', 'Transfer-Encoding': 'chunked', Trailer: 'x', x: 'y' }
  expect(changed({ headers }).headers).toEqual({ x: 'y' })
})

test('HTTP/2 has no headers of the connection', () => {
  const headers = { Connection: 'close', 'Keep-Alive': 'timeout=5', Upgrade: 'h2c', x: 'y' }
  expect(changed({ headers }, http2).headers).toEqual({ x: 'y' })
  expect(changed({ headers }).headers.connection).toBe('close')
})

test('a change that returns nothing changes nothing', () => {
  const change = (() => undefined) as unknown as () => Answer
  const ours = answerOf(missing, http1, readAnswering())
  expect(answerOf(missing, http1, readAnswering({ change }))).toEqual(ours)
})
