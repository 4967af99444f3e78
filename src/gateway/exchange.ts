/** One request and its answer: found, decided about, forwarded, and answered. @module */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { constants, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import type { Answer } from '../http/answer.ts'
import type { Decision } from '../http/decision.ts'
import type { Guard } from '../http/guard.ts'
import { respond } from '../http/node/apply.ts'
import type { PipelineName } from '../policy/pipelines.ts'
import { type GatewayCode, gatewayAnswer } from './answer.ts'
import type { ApiProxy } from './api-proxy.ts'
import { GatewayRequest } from './connection.ts'
import {
  type Core,
  type Entrance,
  type Found,
  find,
  forwardedLines,
  pathOf,
  requestIdIn,
  requestIdOf,
  seenBy,
  viaOf,
} from './core.ts'
import { clientOf, logDecision } from './decision-log.ts'
import { decide, ErrorPipeline } from './error-pipeline.ts'
import {
  Forwarding,
  type Framing,
  framingOf,
  isFraming,
  requestOptions,
  type ServerRequest,
} from './forward.ts'
import { passAnswerHeaders, passAnswerTrailers } from './headers.ts'
import type { Turns } from './turns.ts'
import { reasonOf, refusedBy } from './writing.ts'

export type GatewayResponse = ServerResponse | Http2ServerResponse

/** What is waited for is abandoned when the client goes away. */
export class Exchange {
  readonly #core: Core
  readonly #entrance: Entrance
  readonly #request: ServerRequest
  /** As one of HTTP/1: what is used of both has one shape. */
  readonly #response: ServerResponse
  readonly #turns: Turns | undefined
  /** For the guards; its target is that below the base path, once the proxy is known. */
  #seen: GatewayRequest
  readonly #begin = performance.now()
  #found: Found | undefined
  #id: string | undefined
  #forwarding: Forwarding | undefined
  #answer: IncomingMessage | undefined
  #idle: NodeJS.Timeout | undefined
  #isClosed = false
  #isMisread = false
  /** The upstream's answer has come to its end, so that its connection is kept. */
  #isEnded = false
  /** Of a refusal or a failure, for the log. */
  #code: string | undefined
  /** The one that refused, or else the first one. */
  #decision: Decision | undefined
  readonly #errors = new ErrorPipeline(
    (work) => this.#safely(work),
    (decision) => this.#tell('ERROR', decision),
  )

  /** @param turns - Of its connection, if that is one of HTTP/1. */
  constructor(
    core: Core,
    entrance: Entrance,
    request: ServerRequest,
    response: GatewayResponse,
    turns?: Turns,
  ) {
    this.#core = core
    this.#entrance = entrance
    this.#request = request
    this.#response = response as ServerResponse
    this.#turns = turns
    this.#seen = new GatewayRequest(request, request.url)
  }

  /** @param expectation - What came in `Expect`, if Node knows it not. */
  begin(expectation?: 'unknown'): void {
    this.#core.requests++
    this.#response.once('close', () => this.#closed())
    this.#safely(() => {
      const found = find(this.#core, this.#entrance, this.#seen)
      if (typeof found === 'string') {
        this.#fail(found)
        return
      }
      this.#found = found
      const { proxy } = found
      proxy.enter()
      this.#seen = seenBy(proxy, found, this.#request, this.#seen)
      if (expectation === 'unknown') {
        this.#fail('expectation-failed')
        return
      }
      const guard = proxy.guards.REQUEST
      if (guard === undefined) {
        this.#forward(proxy, [])
        return
      }
      this.#decide('REQUEST', guard, (decision) => {
        this.#forward(proxy, proxy.identityLines(guard, decision))
      })
    })
  }

  /** Its body cannot be read on. */
  misread(code: GatewayCode): void {
    this.#isMisread = true
    if (this.#response.headersSent) this.#cut()
    // Else its answer is on the way.
    else if (this.#code === undefined) this.#safely(() => this.#fail(code))
  }

  #decide(pipeline: PipelineName, guard: Guard, pass: (decision: Decision) => void): void {
    const decided = (decision: Decision): void => {
      this.#decision ??= decision
      this.#tell(pipeline, decision)
      if (decision.allowed) pass(decision)
      else this.#refuse(guard, decision)
    }
    decide(guard, this.#seen, decided, (work) => this.#safely(work))
  }

  #forward(proxy: ApiProxy, identity: readonly string[]): void {
    if (this.#isClosed) return
    const request = this.#request
    const { destination } = this.#found as Found
    const isHttp1 = request.httpVersionMajor === 1
    const passed = proxy.headers.pass(request.rawHeaders, isHttp1)
    this.#id = requestIdOf(passed.requestId)
    const framing = framingOf(request, passed)
    if (!isFraming(framing)) {
      this.#fail(framing)
      return
    }
    const { upstream } = proxy
    if (typeof framing === 'object' && framing.length > upstream.maxBodyBytes) {
      this.#fail('body-too-large')
      return
    }
    const { method } = this.#seen
    const lines = ['Host', upstream.authority ?? destination.authority]
    for (const text of passed.lines) lines.push(text)
    for (const text of forwardedLines(this.#seen, destination, proxy, this.#entrance.port)) {
      lines.push(text)
    }
    for (const text of identity) lines.push(text)
    lines.push('Via', viaOf(passed.via, request.httpVersion), 'X-Request-Id', this.#id)
    pushFraming(lines, framing, method)
    if (framing !== 'none' && passed.hasExpect && request.httpVersion !== '1.0') {
      lines.push('Expect', '100-continue')
    }
    const target = proxy.targetOf(destination.target)
    this.#forwarding = new Forwarding(
      proxy,
      request,
      requestOptions(upstream, method, target, lines),
      framing,
      this.#core.limits,
      {
        answered: (answer) => this.#safely(() => this.#answered(proxy, answer)),
        failed: (code, error) => this.#safely(() => this.#fail(code, error)),
        continued: () => this.#continue(),
        informed: (status, rawHeaders) => this.#inform(proxy, status, rawHeaders),
      },
    )
  }

  #answered(proxy: ApiProxy, answer: IncomingMessage): void {
    this.#answer = answer
    if (answer.statusCode === 101) {
      // Without `Connection: Upgrade`, which Node would tell of; nor has anybody asked it to speak another protocol.
      answer.on('error', () => {})
      this.#fail('upstream-failed', 'status 101')
      return
    }
    // What is not decoded here must not be called something else: RFC 9112 §7.
    const coding = answer.headers['transfer-encoding']
    if (coding !== undefined && coding.trim().toLowerCase() !== 'chunked') {
      answer.on('error', () => {})
      this.#fail('upstream-failed', `transfer coding ${coding}`)
      return
    }
    // What it may still come to is told below; an error that nobody listens to would end the process.
    answer.on('error', () => this.#cut())
    const guard = proxy.guards.RESPONSE
    if (guard === undefined) this.#send(answer)
    else this.#decide('RESPONSE', guard, () => this.#send(answer))
  }

  /** The head, and the body as it comes. */
  #send(answer: IncomingMessage): void {
    if (this.#isClosed) return
    const response = this.#response
    const { statusCode = 502, statusMessage = '' } = answer
    const isHttp1 = this.#request.httpVersionMajor === 1
    const lines = passAnswerHeaders(answer.rawHeaders, statusCode)
    if (answer.headers['x-request-id'] === undefined) lines.push('X-Request-Id', this.#id as string)
    if (isHttp1 && this.#core.isDraining) response.shouldKeepAlive = false
    const unwritten = refusedBy(() => {
      if (isHttp1) response.writeHead(statusCode, statusMessage, lines)
      else response.writeHead(statusCode, collected(lines))
    })
    if (unwritten !== undefined) {
      // Node has kept it, and would refuse it again.
      if (isHttp1) response.statusMessage = ''
      this.#fail('upstream-failed', unwritten)
      return
    }
    const hasBody = this.#request.method !== 'HEAD' && !withoutBody.has(statusCode)
    const { answerIdleMs } = this.#core.limits
    const idle = setTimeout(() => this.#cut(), answerIdleMs)
    this.#idle = idle
    answer.on('data', (chunk: Buffer) => {
      idle.refresh()
      if (hasBody && !response.write(chunk)) answer.pause()
    })
    response.on('drain', () => {
      idle.refresh()
      answer.resume()
    })
    answer.on('end', () => {
      clearTimeout(idle)
      this.#isEnded = true
      if (answer.rawTrailers.length > 0) this.#sendTrailers(answer.rawTrailers)
      response.end()
    })
    answer.on('close', () => {
      if (!answer.complete) this.#cut()
    })
  }

  #sendTrailers(rawTrailers: readonly string[]): void {
    const trailers = passAnswerTrailers(rawTrailers)
    const isHttp1 = this.#request.httpVersionMajor === 1
    // They come last; without them the answer is what it was.
    refusedBy(() =>
      this.#response.addTrailers(
        isHttp1 ? (trailers as [string, string][]) : collected(trailers.flat()),
      ),
    )
  }

  #continue(): void {
    if (!this.#isClosed && !this.#response.headersSent) this.#response.writeContinue()
  }

  /** Hints alone: other interim answers have no way through Node. None goes out before the RESPONSE pipeline has let it. */
  #inform(proxy: ApiProxy, status: number, rawHeaders: readonly string[]): void {
    if (status !== 103 || proxy.guards.RESPONSE !== undefined || this.#isClosed) return
    if (this.#request.httpVersion === '1.0' || this.#response.headersSent) return
    const links: string[] = []
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
      if ((rawHeaders[i] as string).toLowerCase() === 'link')
        links.push(rawHeaders[i + 1] as string)
    }
    if (links.length === 0) return
    // One that Node does not write is left out: it is no more than a hint.
    refusedBy(() => this.#response.writeEarlyHints({ link: links }))
  }

  /** The first refusal stands; what ERROR says of it is told to the hooks. */
  #refuse(guard: Guard, decision: Decision): void {
    this.#abandon()
    this.#code = decision.code
    this.#decision = decision
    this.#errors.ask(this.#found?.proxy, this.#seen, () => {
      this.#reply(guard.answer(decision, this.#seen))
    })
  }

  /** What the gateway answers for itself, unless ERROR refuses to tell this client. */
  #fail(code: GatewayCode, error?: unknown): void {
    this.#abandon()
    this.#core.metrics.failed(code)
    this.#code = code
    if (error !== undefined) {
      const { logger } = this.#core
      logger.warn({ ...this.#facts(), code, reason: reasonOf(error) }, 'gateway error')
    }
    this.#errors.ask(this.#found?.proxy, this.#seen, (refusal) => {
      if (refusal === undefined) this.#reply(gatewayAnswer(code, this.#requestId()))
      else this.#refuse(refusal.guard, refusal.decision)
    })
  }

  #reply({ status, headers, body }: Answer): void {
    const response = this.#response
    if (this.#isClosed) return
    if (response.headersSent) {
      this.#cut()
      return
    }
    const request = this.#request
    const isHttp1 = request.httpVersionMajor === 1
    const own: Record<string, string> = { 'x-request-id': this.#requestId(), ...headers }
    const isReading = !isHttp1 || !(request as IncomingMessage).complete
    // The last on its connection: Node says so in `Connection`.
    if (isHttp1 && (isReading || this.#core.isDraining)) response.shouldKeepAlive = false
    respond(request, response, { status, headers: own, body })
    // To the end of the body, so that the client sees its answer; a stream of HTTP/2 is told that no more is wanted.
    request.resume()
    if (isHttp1 && (this.#isMisread || this.#code === 'request-timeout')) {
      // There is no sense in waiting for the rest of what does not come.
      response.on('finish', () => setTimeout(() => request.socket.destroy(), lingerMs))
    }
    if (!isHttp1) {
      const { stream } = request as Http2ServerRequest
      // The stream's own: Node's response tells of its end when the stream is closed, and not before the client ends it.
      stream.on('finish', () => {
        if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR)
      })
    }
  }

  /** Ends the answer in a way that no client takes for its end. */
  #cut(): void {
    if (this.#isClosed) return
    this.#abandon()
    if (this.#request.httpVersionMajor === 1) this.#response.destroy()
    else (this.#request as Http2ServerRequest).stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  }

  /** Whatever is under way at the upstream. */
  #abandon(): void {
    clearTimeout(this.#idle)
    this.#forwarding?.abort()
    this.#answer?.destroy()
  }

  #closed(): void {
    this.#isClosed = true
    const response = this.#response
    if (!this.#isEnded) this.#abandon()
    const { requests, metrics } = this.#core
    this.#core.requests = requests - 1
    const proxy = this.#found?.proxy
    proxy?.leave()
    const { statusCode } = response
    const seconds = (performance.now() - this.#begin) / 1000
    metrics.answered(proxy?.project ?? '', proxy?.name ?? '', statusCode, seconds)
    this.#log(statusCode, seconds)
    this.#turns?.next(!response.shouldKeepAlive)
  }

  #log(status: number, seconds: number): void {
    const { logger } = this.#core
    const level = this.#code === undefined ? 'debug' : 'info'
    if (logger.isLevelEnabled?.(level) === false) return
    // Of a refusal it was told before.
    const client = level === 'debug' ? clientOf(this.#decision?.outcome, this.#seen) : {}
    logger[level]({ ...this.#facts(), ...client, status, seconds }, 'request')
  }

  #tell(pipeline: PipelineName, decision: Decision): void {
    if (decision.allowed && this.#found?.proxy.reports !== true) return
    logDecision(this.#core.logger, pipeline, decision, this.#seen, () => this.#place())
  }

  #facts(): object {
    return {
      ...this.#place(),
      ...(this.#decision === undefined ? {} : { decisionId: this.#decision.id }),
      ...(this.#code === undefined ? {} : { code: this.#code }),
    }
  }

  #place(): object {
    const proxy = this.#found?.proxy
    return {
      requestId: this.#requestId(),
      ...(proxy === undefined ? {} : { project: proxy.project, proxy: proxy.name }),
      address: this.#seen.connection?.remoteAddress,
      method: this.#request.method,
      host: this.#found?.destination.host,
      path: pathOf(this.#request.url ?? ''),
    }
  }

  #requestId(): string {
    this.#id ??= requestIdIn(this.#request.rawHeaders)
    return this.#id
  }

  /** The last line: one request that goes wrong must not take the others with it. */
  #safely(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#core.logger.error({ ...this.#facts(), err: error }, 'gateway failed')
      this.#errors.close()
      try {
        this.#fail('gateway-failed')
      } catch {
        this.#response.destroy()
      }
    }
  }
}

function pushFraming(lines: string[], framing: Framing, method: string): void {
  if (framing === 'chunked') lines.push('Transfer-Encoding', 'chunked')
  else if (framing !== 'none') lines.push('Content-Length', String(framing.length))
  // RFC 9110 §8.6: where a body is usual, that there is none is said. Of other methods Node would say that one follows, in chunks.
  else if (!usuallyWithout.has(method)) lines.push('Content-Length', '0')
}

/** Lines of one name together, as HTTP/2 has them; names in lower case. */
function collected(lines: readonly string[]): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = Object.create(null)
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const name = (lines[i] as string).toLowerCase()
    const value = lines[i + 1] as string
    const known = headers[name]
    if (known === undefined) headers[name] = value
    else if (typeof known === 'string') headers[name] = [known, value]
    else known.push(value)
  }
  return headers
}

/** Milliseconds in which a client that was too slow may read its answer. */
const lingerMs = 1000

const usuallyWithout: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS'])

/** RFC 9110 §15.3.5, §15.3.6 and §15.4.5. */
const withoutBody: ReadonlySet<number> = new Set([204, 205, 304])
