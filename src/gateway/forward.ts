/**
 * Forwards a request to an upstream, streaming both ways.
 *
 * Over `node:http` itself, not over httpxy 0.5: that writes the body of a GET that came by HTTP/2 without a length to the upstream
 * without framing it, where a kept connection reads it as the next request (shown with `GET /smuggled` in the body of `GET /`); throws
 * out of an event handler when an HTTP/2 client gets the upstream's `Keep-Alive`; and passes on what belongs to one connection, but
 * neither trailers nor what is nominated by `Connection`. To be sure of the octets, all of them are written here.
 *
 * @module
 */

import {
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import { request as httpsRequest } from 'node:https'
import type { GatewayCode } from './answer.ts'
import type { ApiProxy, Upstream } from './api-proxy.ts'
import type { PassedHeaders } from './headers.ts'
import type { Limits } from './options.ts'

export type ServerRequest = IncomingMessage | Http2ServerRequest

/** How a body is framed for the upstream; `none`: there is none. */
export type Framing = 'none' | 'chunked' | { readonly length: number }

/** Told once of the head of an answer, or else of a failure. After that `abort` alone ends what is under way. */
export interface ForwardEvents {
  readonly answered: (answer: IncomingMessage) => void
  readonly failed: (code: GatewayCode, error: Error | undefined) => void
  /** 100: the upstream wants the body. */
  readonly continued: () => void
  /** Any other interim answer, RFC 9110 §15.2. */
  readonly informed: (status: number, rawHeaders: readonly string[]) => void
}

/** Reads how the body is framed, or says why nobody should. */
export function framingOf(
  request: ServerRequest,
  { contentLength, transferEncoding }: PassedHeaders,
): Framing | GatewayCode {
  if (request.httpVersionMajor === 1) {
    if (transferEncoding !== undefined) {
      // RFC 9112 §6.1: of an HTTP/1.0 client it means nothing good; and what is not decoded here must not be called chunked.
      if (request.httpVersionMinor === 0 || contentLength !== undefined) return 'request-malformed'
      return transferEncoding.trim().toLowerCase() === 'chunked'
        ? 'chunked'
        : 'transfer-coding-unsupported'
    }
    return lengthOf(contentLength) ?? 'none'
  }
  if ((request as Http2ServerRequest).stream.endAfterHeaders) return 'none'
  return lengthOf(contentLength) ?? 'chunked'
}

export function isFraming(read: Framing | GatewayCode): read is Framing {
  return typeof read === 'object' || read === 'none' || read === 'chunked'
}

function lengthOf(text: string | undefined): Framing | GatewayCode | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,15}$/.test(text)) return 'request-malformed'
  return { length: Number(text) }
}

export class Forwarding {
  readonly #proxy: ApiProxy
  readonly #request: ServerRequest
  readonly #options: RequestOptions
  readonly #framing: Framing
  readonly #limits: Limits
  readonly #events: ForwardEvents
  #outgoing: ClientRequest
  /** Until the head of the answer. */
  #timer: NodeJS.Timeout | undefined
  #bodyTimer: NodeJS.Timeout | undefined
  #wholeTimer: NodeJS.Timeout | undefined
  #isSettled = false
  #isRetried = false
  #isBlocked = false
  #isAborted = false
  #received = 0

  /**
   * @param lines - All header lines, `Host` and the framing included.
   * @throws What `http.request` throws for a method or a line that cannot be written.
   */
  constructor(
    proxy: ApiProxy,
    request: ServerRequest,
    options: RequestOptions,
    framing: Framing,
    limits: Limits,
    events: ForwardEvents,
  ) {
    this.#proxy = proxy
    this.#request = request
    this.#options = options
    this.#framing = framing
    this.#limits = limits
    this.#events = events
    this.#outgoing = this.#send(options)
    this.#timer = setTimeout(() => this.#timedOut(), proxy.upstream.timeoutMs)
    if (framing === 'none') this.#outgoing.end()
    else this.#pump()
  }

  /** Ends what is under way; nothing is told any more. */
  abort(): void {
    this.#isAborted = true
    this.#settle()
    this.#stopBody()
    this.#outgoing.destroy()
  }

  #send(options: RequestOptions): ClientRequest {
    const outgoing = this.#proxy.upstream.isTls ? httpsRequest(options) : httpRequest(options)
    const { informed, continued } = this.#events
    outgoing.on('response', (answer) => {
      if (this.#isSettled) return
      this.#settle()
      this.#events.answered(answer)
    })
    outgoing.on('error', (error) => this.#broken(error))
    // Nobody asked it to speak another protocol.
    outgoing.on('upgrade', (_answer, socket) => {
      socket.destroy()
      this.#fail('upstream-failed', undefined)
    })
    if (this.#framing !== 'none') outgoing.on('continue', continued)
    outgoing.on('information', ({ statusCode, rawHeaders }) => informed(statusCode, rawHeaders))
    return outgoing
  }

  #broken(error: NodeJS.ErrnoException): void {
    if (this.#isSettled) return
    // A kept connection that the upstream was about to end. It may have seen the request nevertheless: what is idempotent may come to
    // it a second time, and nothing else is sent again (RFC 9110 §9.2.2).
    if (this.#outgoing.reusedSocket && this.#framing === 'none' && !this.#isRetried) {
      if (stale.has(error.code) && idempotent.has(this.#options.method)) {
        this.#isRetried = true
        this.#outgoing = this.#send({ ...this.#options, agent: this.#proxy.upstream.freshAgent })
        this.#outgoing.end()
        return
      }
    }
    this.#fail(unreachable.has(error.code) ? 'upstream-unreachable' : 'upstream-failed', error)
  }

  #timedOut(): void {
    this.#fail('upstream-timeout', undefined)
  }

  #fail(code: GatewayCode, error: Error | undefined): void {
    this.abort()
    this.#events.failed(code, error)
  }

  #settle(): void {
    this.#isSettled = true
    clearTimeout(this.#timer)
  }

  #pump(): void {
    const request = this.#request
    const { bodyIdleMs, requestMs } = this.#limits
    const { maxBodyBytes } = this.#proxy.upstream
    this.#bodyTimer = setTimeout(() => this.#stalled(), bodyIdleMs)
    this.#wholeTimer = setTimeout(() => this.#late(), requestMs)
    setImmediate(() => this.#sendHead())
    request.on('data', (chunk: Buffer) => {
      // Read and thrown away, so that the client sees what it was answered.
      if (this.#isAborted) return
      this.#received += chunk.length
      if (this.#received > maxBodyBytes) {
        this.#tooLarge()
        return
      }
      this.#bodyTimer?.refresh()
      if (!this.#isSettled) this.#timer?.refresh()
      if (this.#outgoing.destroyed) return
      if (!this.#outgoing.write(chunk)) {
        this.#isBlocked = true
        request.pause()
      }
    })
    this.#outgoing.on('drain', () => {
      this.#isBlocked = false
      this.#bodyTimer?.refresh()
      request.resume()
    })
    this.#outgoing.on('close', () => {
      // Answered before it had read everything: the rest is read and thrown away, so that the connection can go on.
      this.#isBlocked = false
      if (!request.destroyed) request.resume()
    })
    request.on('end', () => {
      this.#stopBody()
      if (this.#outgoing.destroyed) return
      if (this.#framing === 'chunked') {
        const trailers = this.#proxy.headers.passTrailers(request.rawTrailers)
        if (trailers.length > 0) this.#outgoing.addTrailers(trailers)
      }
      this.#outgoing.end()
    })
  }

  /** Node keeps it until there is some of the body; but who speaks in turns waits for the answer first. */
  #sendHead(): void {
    const { destroyed, writableEnded } = this.#outgoing
    if (this.#received === 0 && !destroyed && !writableEnded) this.#outgoing.flushHeaders()
  }

  /** The client is silent, or the upstream does not read: then it is the upstream's time that counts. */
  #stalled(): void {
    if (this.#isBlocked) this.#bodyTimer?.refresh()
    else this.#late()
  }

  #late(): void {
    if (this.#isSettled) this.#cutOff()
    else this.#fail('request-timeout', undefined)
  }

  #tooLarge(): void {
    if (this.#isSettled) this.#cutOff()
    else this.#fail('body-too-large', undefined)
  }

  /** The answer has begun: it cannot be taken back, and the client gets no more of it. */
  #cutOff(): void {
    this.#stopBody()
    this.#outgoing.destroy()
    this.#request.destroy()
  }

  #stopBody(): void {
    clearTimeout(this.#bodyTimer)
    clearTimeout(this.#wholeTimer)
  }
}

/** Options of `http.request`; header lines as they are, so that nothing is written that is not in them. */
export function requestOptions(
  upstream: Upstream,
  method: string,
  target: string,
  headers: readonly string[],
): RequestOptions & { readonly servername: string } {
  const { host, port, agent, prefix, servername } = upstream
  return {
    agent,
    host,
    port,
    method,
    path: target === '*' && prefix === '' ? target : prefix + (target === '*' ? '/' : target),
    headers,
    servername,
    insecureHTTPParser: false,
    maxHeaderSize: maxAnswerHead,
  }
}

/** Local limit, in octets, of an upstream's header section. */
const maxAnswerHead = 65_536

/** RFC 9110 §9.2.2. */
const idempotent: ReadonlySet<string | null | undefined> = new Set([
  'GET',
  'HEAD',
  'OPTIONS',
  'PUT',
  'DELETE',
])

const stale: ReadonlySet<string | undefined> = new Set(['ECONNRESET', 'EPIPE'])

const unreachable: ReadonlySet<string | undefined> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EADDRNOTAVAIL',
])
