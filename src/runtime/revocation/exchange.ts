/** One question over HTTP, with its redirects, within one time limit. Whatever goes wrong is data. @module */

import { lookup as systemLookup } from 'node:dns'
import * as http from 'node:http'
import * as https from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import type { AddressRules } from './addresses.ts'
import { BodyCut, readBody } from './body.ts'
import { errorCodeOf, type FetchFailure } from './failure.ts'
import { freshFor, retryAfter, validators } from './freshness.ts'
import { readUri } from './uri.ts'

export interface Question {
  readonly url: URL
  /** Media type. */
  readonly accept: string
  /** Octets; absent: those of the rules, which bound it in any case. */
  readonly maxBytes?: number | undefined
  /** Sent with POST. */
  readonly body?: { readonly type: string; readonly bytes: Uint8Array } | undefined
  /** What is held already. RFC 9110 §13.1 */
  readonly etag?: string | undefined
  readonly lastModified?: string | undefined
}

export interface ExchangeRules {
  /** Milliseconds. */
  readonly timeout: number
  /** Octets, over the wire and inflated. */
  readonly maxBytes: number
  readonly addresses: AddressRules
  /** Addresses of a name; absent: the system's resolver. */
  readonly lookup: Lookup | undefined
  /** PEM; absent: what Node trusts. */
  readonly tlsCa: string | readonly string[] | undefined
  /** Unix milliseconds. */
  readonly now: () => number
}

/** Resolves a host name to IPv4 and IPv6 addresses as text; each is judged before it is connected to. */
export type Lookup = (host: string) => Promise<readonly string[]>

export type Answer =
  | {
      readonly status: 'new'
      readonly body: Uint8Array
      readonly etag: string | undefined
      readonly lastModified: string | undefined
      /** Milliseconds. */
      readonly freshFor: number | undefined
    }
  | { readonly status: 'not-modified'; readonly freshFor: number | undefined }
  | {
      readonly status: 'failed'
      readonly failure: FetchFailure
      /** Milliseconds. */
      readonly retryAfter: number | undefined
    }

/** Asks. Connects directly, whatever proxy the environment names: behind a proxy no address could be judged. */
export async function exchange(
  question: Question,
  rules: ExchangeRules,
  closing: AbortSignal,
): Promise<Answer> {
  const { timeout } = rules
  const deadline = new AbortController()
  const timer = setTimeout(() => deadline.abort(), timeout)
  const signal = AbortSignal.any([deadline.signal, closing])
  try {
    return await follow(question, rules, signal)
  } catch (error) {
    if (error instanceof AddressRefused) return failure(error.failure)
    if (closing.aborted) return failure({ code: 'closed' })
    if (deadline.signal.aborted) return failure({ code: 'timeout', milliseconds: timeout })
    if (error instanceof BodyCut) return failure({ code: 'truncated' })
    return failure({ code: 'network', error: errorCodeOf(error) })
  } finally {
    clearTimeout(timer)
  }
}

async function follow(
  question: Question,
  rules: ExchangeRules,
  signal: AbortSignal,
): Promise<Answer> {
  let { url } = question
  for (let redirects = 0; ; redirects++) {
    const message = await send(url, question, rules, signal)
    const { statusCode = 0, headers } = message
    const now = rules.now()
    if (statusCode === 200) {
      const { maxBytes = rules.maxBytes } = question
      const body = await readBody(message, Math.min(maxBytes, rules.maxBytes))
      message.destroy()
      if (!body.ok) return failure(body.failure)
      const fresh = freshFor(headers, now)
      return { status: 'new', body: body.value, ...validators(headers, now), freshFor: fresh }
    }
    message.destroy()
    if (statusCode === 304 && isConditional(question)) {
      return { status: 'not-modified', freshFor: freshFor(headers, now) }
    }
    if (!isRedirect(statusCode, question) || headers.location === undefined) {
      return failure({ code: 'status', status: statusCode }, retryAfter(headers, now))
    }
    const next = redirects < maxRedirects ? redirected(url, headers.location) : undefined
    if (next === undefined) {
      return failure({ code: 'redirect-refused', location: headers.location.slice(0, 2048) })
    }
    url = next
  }
}

function send(
  url: URL,
  question: Question,
  rules: ExchangeRules,
  signal: AbortSignal,
): Promise<http.IncomingMessage> {
  const { addresses, tlsCa } = rules
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  // For an address there is no look-up to judge it in.
  if (isIP(host) !== 0 && !addresses.allows(host, host)) throw new AddressRefused(host, [])
  const { body } = question
  return new Promise((resolve, reject) => {
    const options: https.RequestOptions = {
      method: body === undefined ? 'GET' : 'POST',
      headers: headersOf(question),
      agent: false,
      lookup: judgedLookup(rules),
      signal,
      ...(tlsCa === undefined ? {} : { ca: typeof tlsCa === 'string' ? tlsCa : [...tlsCa] }),
    }
    const { request } = url.protocol === 'https:' ? https : http
    const sent = request(url, options, resolve)
    sent.on('error', reject)
    sent.on('socket', (socket) => {
      socket.once('connect', () => {
        // Once more at the end: whatever way led here, this is what we talk to.
        const { remoteAddress } = socket
        if (remoteAddress !== undefined && !addresses.allows(host, remoteAddress)) {
          sent.destroy(new AddressRefused(host, [remoteAddress]))
        }
      })
    })
    sent.end(body?.bytes)
  })
}

function headersOf({ accept, body, etag, lastModified }: Question): http.OutgoingHttpHeaders {
  return {
    accept,
    'accept-encoding': 'gzip',
    'user-agent': 'mtls-policy',
    ...(body === undefined
      ? {}
      : { 'content-type': body.type, 'content-length': body.bytes.length }),
    ...(etag === undefined ? {} : { 'if-none-match': etag }),
    ...(lastModified === undefined ? {} : { 'if-modified-since': lastModified }),
  }
}

/** Looks the name up as part of connecting, so that no second look-up could give another address than the one that was judged. */
function judgedLookup({ addresses, lookup }: ExchangeRules): LookupFunction {
  return (host, options, callback) => {
    const judge = (found: readonly string[]): void => {
      const usable = found.filter(
        (address) => isIP(address) !== 0 && addresses.allows(host, address),
      )
      const [first] = usable
      if (first === undefined) callback(new AddressRefused(host, found), '', 0)
      else if (options.all) {
        callback(
          null,
          usable.map((address) => ({ address, family: isIP(address) })),
        )
      } else callback(null, first, isIP(first))
    }
    if (lookup !== undefined) {
      lookup(host).then(judge, (error) => callback(error, '', 0))
      return
    }
    systemLookup(host, { all: true }, (error, found) => {
      if (error) callback(error, '', 0)
      else judge(found.map(({ address }) => address))
    })
  }
}

class AddressRefused extends Error {
  readonly failure: FetchFailure

  constructor(host: string, addresses: readonly string[]) {
    super(`no address of ${host} may be connected to`)
    this.failure = { code: 'address-refused', host, addresses: addresses.slice(0, 16) }
  }
}

function isConditional({ etag, lastModified }: Question): boolean {
  return etag !== undefined || lastModified !== undefined
}

/** After 301, 302 and 303 a POST would become a GET: RFC 9110 §15.4. */
function isRedirect(status: number, { body }: Question): boolean {
  if (status === 307 || status === 308) return true
  return body === undefined && (status === 301 || status === 302 || status === 303)
}

/** The same host and port; or from http to https, each at its own port. */
function redirected(from: URL, location: string): URL | undefined {
  if (!URL.canParse(location, from.href)) return undefined
  const read = readUri(new URL(location, from).href)
  if (!read.ok) return undefined
  const to = read.value
  if (to.origin === from.origin) return to
  const isUpgrade = from.protocol === 'http:' && to.protocol === 'https:'
  return isUpgrade && to.hostname === from.hostname && from.port === '' && to.port === ''
    ? to
    : undefined
}

function failure(reason: FetchFailure, after?: number): Answer {
  return { status: 'failed', failure: reason, retryAfter: after }
}

/** Local limit: http to https and a CDN's own need two. */
const maxRedirects = 3
