/** Bodies of requests: bounded in octets and time, strict UTF-8, strict JSON. @module */

import { Refusal } from '../service/refusal.ts'
import { type JsonFault, jsonFault, maxDepth, maxValues } from './json.ts'

/**
 * @param maximum - Octets; one more is 413.
 * @param timeoutMs - For the whole body; then 408.
 */
export async function readOctets(
  request: Request,
  maximum: number,
  timeoutMs: number,
): Promise<Uint8Array> {
  const stated = request.headers.get('content-length')
  if (stated !== null && Number(stated) > maximum) throw tooLarge(maximum)
  if (request.body === null) return new Uint8Array()
  const reader = request.body.getReader()
  const chunks: Uint8Array[] = []
  let length = 0
  let timer: NodeJS.Timeout | undefined
  const slow = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      // Whoever sends so slowly keeps a connection busy: it is not kept for another request.
      const headers = { connection: 'close' }
      reject(new Refusal('body-slow', 'the body did not arrive in time', { headers }))
    }, timeoutMs)
  })
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), slow])
      if (done) return Buffer.concat(chunks)
      length += value.length
      if (length > maximum) throw tooLarge(maximum)
      chunks.push(value)
    }
  } catch (error) {
    // A client that went away in the middle is told nothing, because it is not there; others get what they are refused with.
    if (error instanceof Refusal) throw error
    throw new Refusal('body-malformed', 'the body ended before its end')
  } finally {
    clearTimeout(timer)
    slow.catch(() => {})
    // What is still to come is for whoever ends the connection.
    reader.releaseLock()
  }
}

/** @throws Refusal `content-type-unsupported` for anything but JSON in UTF-8. */
export function demandJson(request: Request): void {
  const [type = '', ...parameters] = (request.headers.get('content-type') ?? '').split(';')
  const charset = parameters.find((one) => /^\s*charset\s*=/i.test(one))
  const isUtf8 = charset === undefined || /^\s*charset\s*=\s*"?utf-8"?\s*$/i.test(charset)
  if (/^application\/(?:[\w.-]+\+)?json$/i.test(type.trim()) && isUtf8) return
  throw new Refusal('content-type-unsupported', 'Content-Type must be application/json')
}

export function parseJson(octets: Uint8Array): unknown {
  if (octets.length === 0) throw new Refusal('body-malformed', 'the body is empty: send JSON')
  let text: string
  try {
    text = utf8.decode(octets)
  } catch {
    throw new Refusal('body-malformed', 'the body is not UTF-8')
  }
  const fault = jsonFault(text)
  if (fault !== undefined) throw faultRefusal(fault)
  let value: unknown
  try {
    value = JSON.parse(text) as unknown
  } catch {
    throw new Refusal('body-malformed', 'the body is not JSON')
  }
  // Half a pair has no UTF-8: what holds it could be stored, but never be signed or sent again as it was.
  if (/\\u[dD][89a-fA-F]/.test(text) && hasLoneSurrogate(value)) {
    throw new Refusal('body-malformed', 'the body has half a surrogate pair in a text')
  }
  return value
}

function faultRefusal({ code, path }: JsonFault): Refusal {
  if (code === 'duplicate-key') {
    // Which of the two counts, each reader decides for itself: whoever looked at the other one saw another document.
    return new Refusal('json-duplicate-key', `${path} is there twice`, {
      details: [{ path, problem: 'not-unique', expected: 'each name once' }],
    })
  }
  if (code === 'too-deep') {
    return new Refusal('body-malformed', `the body goes deeper than ${maxDepth} levels`)
  }
  return new Refusal('body-too-large', `the body has more than ${maxValues} values`)
}

function hasLoneSurrogate(value: unknown): boolean {
  const open: unknown[] = [value]
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    if (typeof one === 'string' && /\p{Cs}/u.test(one)) return true
    if (typeof one !== 'object' || one === null) continue
    for (const [key, inner] of Object.entries(one)) open.push(key, inner)
  }
  return false
}

function tooLarge(maximum: number): Refusal {
  return new Refusal('body-too-large', `the body has more than ${maximum} octets`, {
    headers: { connection: 'close' },
  })
}

const utf8: TextDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
