/** A decision, applied to a request and a response of Node. @module */

import type { ServerResponse } from 'node:http'
import type { Http2ServerResponse } from 'node:http2'
import type { Answer } from '../answer.ts'
import type { Decision } from '../decision.ts'
import type { Guard } from '../guard.ts'
import { closeAfterBody } from './close-later.ts'
import { keepReceived, type NodeRequest } from './request.ts'

/** Takes away what the client must not pass on, and sets what was proven. */
export function applyHeaders(guard: Guard, request: NodeRequest, decision: Decision): void {
  const strippedHeaders = guard.strippedHeaders(decision)
  if (strippedHeaders.isEmpty) return
  const { headers } = request
  const kept = strippedHeaders.without(request.rawHeaders)
  const rawHeaders = [...kept]
  if (kept !== request.rawHeaders) {
    keepReceived(request)
    for (const name of Object.keys(headers)) if (strippedHeaders.has(name)) delete headers[name]
  }
  for (const [name, value] of guard.identityHeaders(decision)) {
    headers[name] = value
    rawHeaders.push(name, value)
  }
  // HTTP/2 has a getter of that name, and no setter.
  Object.defineProperty(request, 'rawHeaders', {
    value: rawHeaders,
    configurable: true,
    writable: true,
  })
  // Node counts by the number of lines that came, and keeps what it made for who asked before.
  if (request.httpVersionMajor === 1) Object.defineProperty(request, 'headersDistinct', distinct)
}

/** As Node makes it, of the lines that are left. */
const distinct = {
  get(this: { readonly rawHeaders: readonly string[] }): Record<string, string[]> {
    const { rawHeaders } = this
    const lines: Record<string, string[]> = Object.create(null)
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
      const name = (rawHeaders[i] as string).toLowerCase()
      lines[name] ??= []
      lines[name].push(rawHeaders[i + 1] as string)
    }
    Object.defineProperty(this, 'headersDistinct', { ...asIs, value: lines })
    return lines
  },
  set(this: object, value: unknown): void {
    Object.defineProperty(this, 'headersDistinct', { ...asIs, value })
  },
  configurable: true,
} satisfies PropertyDescriptor & ThisType<object>

const asIs = { writable: true, enumerable: true, configurable: true }

/** Ends the response, unless somebody else has answered in the meantime. */
export function respond(
  request: NodeRequest,
  response: ServerResponse | Http2ServerResponse,
  { status, headers, body }: Answer,
): void {
  const plain = response as ServerResponse
  if (plain.headersSent) return
  closeAfterBody(request)
  plain.statusCode = status
  for (const [name, value] of Object.entries(headers)) plain.setHeader(name, value)
  plain.setHeader('content-length', new TextEncoder().encode(body).length)
  plain.end(request.method === 'HEAD' ? undefined : body)
}
