/**
 * Header sections, passed on: what belongs to one connection stays there (RFC 9110 §7.6.1), what a client may not say is taken away,
 * and what the gateway knows is said anew.
 *
 * @module
 */

import { folded } from '../http/strip.ts'

/** What becomes of a line with this name. */
const keep = 0
const drop = 1
const connection = 2
const cookie = 3
const requestId = 4
const via = 5
const contentLength = 6
const transferEncoding = 7
const expect = 8
type Fate = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8

/** What of a request's header section is not simply passed on. */
export interface PassedHeaders {
  /** Names and values in turns. */
  readonly lines: string[]
  readonly requestId: string | undefined
  readonly via: string | undefined
  readonly contentLength: string | undefined
  readonly transferEncoding: string | undefined
  readonly hasExpect: boolean
}

/** For one proxy: it remembers what becomes of each name, so that a request costs a look-up a line. */
export class RequestHeaders {
  readonly #own: ReadonlySet<string>
  readonly #fates = new Map<string, Fate>()

  /** @param own - Lower-case names that only the gateway may set, as identity headers; all that servers may take for them is taken away, too. */
  constructor(own: readonly string[]) {
    this.#own = new Set(own.map(folded))
  }

  /** @param rawHeaders - Names and values in turns, pseudo-headers of HTTP/2 included. */
  pass(rawHeaders: readonly string[], isHttp1: boolean): PassedHeaders {
    const lines: string[] = []
    let nominated: string | undefined
    let cookies: string | undefined
    let id: string | undefined
    let viaLine: string | undefined
    let length: string | undefined
    let coding: string | undefined
    let hasExpect = false
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
      const name = rawHeaders[i] as string
      const value = rawHeaders[i + 1] as string
      switch (this.#fate(name)) {
        case keep:
          lines.push(name, value)
          break
        case connection:
          nominated = nominated === undefined ? value : `${nominated},${value}`
          break
        case cookie:
          // HTTP/2 cuts them, HTTP/1 has one line: RFC 9113 §8.2.3.
          if (isHttp1) lines.push(name, value)
          else cookies = cookies === undefined ? value : `${cookies}; ${value}`
          break
        case requestId:
          id ??= value
          break
        case via:
          viaLine = viaLine === undefined ? value : `${viaLine}, ${value}`
          break
        case contentLength:
          length ??= value
          break
        case transferEncoding:
          coding = coding === undefined ? value : `${coding}, ${value}`
          break
        case expect:
          hasExpect = true
          break
        default:
      }
    }
    if (cookies !== undefined) lines.push('cookie', cookies)
    return {
      lines: nominated === undefined ? lines : withoutNominated(lines, nominated),
      requestId: id,
      via: viaLine,
      contentLength: length,
      transferEncoding: coding,
      hasExpect,
    }
  }

  /** Trailers: some servers take them for headers, so that none says what a header may not, nor how the message is read. */
  passTrailers(rawTrailers: readonly string[]): readonly [name: string, value: string][] {
    const kept: [string, string][] = []
    for (let i = 0; i + 1 < rawTrailers.length; i += 2) {
      const name = rawTrailers[i] as string
      if (this.#fate(name) !== keep || notInTrailers.has(name.toLowerCase())) continue
      kept.push([name, rawTrailers[i + 1] as string])
    }
    return kept
  }

  #fate(name: string): Fate {
    const known = this.#fates.get(name)
    if (known !== undefined) return known
    const fate = this.#decide(name.toLowerCase())
    // What clients make up must not fill the memory.
    if (this.#fates.size < maxFates && name.length <= maxName) this.#fates.set(name, fate)
    return fate
  }

  #decide(name: string): Fate {
    // Pseudo-headers.
    if (name.startsWith(':')) return drop
    const special = specialFates.get(name)
    if (special !== undefined) return special
    const plain = folded(name)
    if (this.#own.has(plain) || ofGateway.has(plain) || ofGatewayPrefix.test(plain)) return drop
    // A twin of what frames the message or names the host.
    return plain !== name && specialFates.has(plain) ? drop : keep
  }
}

/**
 * An answer's header section for the client.
 *
 * @param rawHeaders - Of the upstream's answer.
 * @param status - RFC 9110 §8.6: some have no length. Of 205 (§15.3.6) Node says anew that there is no body.
 */
export function passAnswerHeaders(rawHeaders: readonly string[], status: number): string[] {
  const hasLength = status >= 200 && status !== 204 && status !== 205
  const lines: string[] = []
  let nominated: string | undefined
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    const length = name.length
    // All that are not passed on have these lengths; nothing is allocated for the others.
    if (
      length === 10 ||
      length === 7 ||
      length === 17 ||
      length === 16 ||
      length === 14 ||
      length === 2
    ) {
      const lower = name.toLowerCase()
      if (lower === 'connection') {
        const value = rawHeaders[i + 1] as string
        nominated = nominated === undefined ? value : `${nominated},${value}`
        continue
      }
      if (ofConnection.has(lower) || (lower === 'content-length' && !hasLength)) continue
    }
    lines.push(name, rawHeaders[i + 1] as string)
  }
  return nominated === undefined ? lines : withoutNominated(lines, nominated)
}

export function passAnswerTrailers(rawTrailers: readonly string[]): readonly [string, string][] {
  const kept: [string, string][] = []
  for (let i = 0; i + 1 < rawTrailers.length; i += 2) {
    const name = rawTrailers[i] as string
    const lower = name.toLowerCase()
    if (ofConnection.has(lower) || lower === 'connection' || notInTrailers.has(lower)) continue
    kept.push([name, rawTrailers[i + 1] as string])
  }
  return kept
}

/** Lines that a `Connection` names belong to the connection as well: RFC 9110 §7.6.1. */
function withoutNominated(lines: string[], nominated: string): string[] {
  // Nearly always.
  if (usualConnection.test(nominated)) return lines
  const names = new Set(nominated.split(',').map((name) => name.trim().toLowerCase()))
  const kept: string[] = []
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const name = lines[i] as string
    if (!names.has(name.toLowerCase())) kept.push(name, lines[i + 1] as string)
  }
  return kept
}

const usualConnection = /^(?:keep-alive|close|upgrade|keep-alive, *upgrade|upgrade, *keep-alive)$/i

/** RFC 9110 §7.6.1 and §11.7, RFC 9112 §7, RFC 9113 §8.2.2. */
const ofConnection: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  // HTTP/2 does not carry it: Node refuses to.
  'http2-settings',
  'te',
  // Trailers are passed on without having been announced: Node refuses to announce some that it could send.
  'trailer',
])

const specialFates: ReadonlyMap<string, Fate> = new Map<string, Fate>([
  ['host', drop],
  ['connection', connection],
  ['keep-alive', drop],
  ['proxy-connection', drop],
  ['proxy-authorization', drop],
  ['upgrade', drop],
  ['te', drop],
  ['trailer', drop],
  ['http2-settings', drop],
  ['cookie', cookie],
  ['x-request-id', requestId],
  ['via', via],
  ['content-length', contentLength],
  ['transfer-encoding', transferEncoding],
  ['expect', expect],
])

/**
 * What tells an upstream who the client is or where it came from, in the words of any proxy that it may have stood behind. The headers
 * that sources of certificates read are among them: see `src/http/sources`.
 */
const ofGateway: ReadonlySet<string> = new Set([
  'forwarded',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'true-client-ip',
  'x-original-url',
  'x-original-host',
  'x-rewrite-url',
  'l5d-client-id',
  'akamai-cc-der',
  'x-gravitee-client-cert',
  'x-arr-clientcert',
])
const ofGatewayPrefix =
  /^(?:x-forwarded(?:-|$)|(?:x-)?(?:tls-|ssl-)?client-(?:cert|verify|subject|issuer|dn|s-dn|i-dn|serial|fingerprint|san)|(?:x-)?ssl-client|x-amzn-mtls-|cf-client-cert|cloudfront-viewer-cert|x-tls-client)/

/** Whoever takes a trailer for a header must not learn from it how to read or route the message: RFC 9110 §6.5.1. */
const notInTrailers: ReadonlySet<string> = new Set([
  'trailer',
  'content-encoding',
  'content-type',
  'content-range',
  'content-length',
  'host',
  'authorization',
  'cookie',
  'set-cookie',
  'cache-control',
  'max-forwards',
])

/** Local limits. */
const maxFates = 1024
const maxName = 64
