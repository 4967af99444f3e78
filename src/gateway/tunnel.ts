/**
 * WebSockets: a request that is decided about once, and a connection that stays open for as long as its client would be let in.
 *
 * When that ends, both sockets are ended at once, in the middle of a message too. Between two frames, which is where most are at any
 * moment, the client is told why: by a close frame with 1008, as from the middleware. Within a frame there is no place for one.
 *
 * @module
 */

import {
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  ServerResponse,
} from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Answer } from '../http/answer.ts'
import { policyViolated } from '../http/closing.ts'
import type { Decision } from '../http/decision.ts'
import type { Guard } from '../http/guard.ts'
import { holdSocket, refuseUpgrade } from '../http/node/upgrade.ts'
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
  seenBy,
  viaOf,
} from './core.ts'
import { clientOf, logDecision } from './decision-log.ts'
import { decide, ErrorPipeline } from './error-pipeline.ts'
import { requestOptions } from './forward.ts'
import { passAnswerHeaders } from './headers.ts'
import { closeFrame, FrameBoundaries } from './websocket-frames.ts'
import { reasonOf, refusedBy } from './writing.ts'

export class Tunnel {
  readonly #core: Core
  readonly #entrance: Entrance
  readonly #request: IncomingMessage
  readonly #socket: Duplex
  readonly #head: Buffer
  #seen: GatewayRequest
  readonly #id: string
  readonly #begin = performance.now()
  #proxy: ApiProxy | undefined
  #found: Found | undefined
  #outgoing: ClientRequest | undefined
  #upstream: Duplex | undefined
  #timer: NodeJS.Timeout | undefined
  #decisions = new Map<'REQUEST' | 'RESPONSE', Decision>()
  #watches: (() => void)[] = []
  #move: (() => void) | undefined
  #isClosed = false
  #isOpen = false
  /** Of what goes to the client. */
  readonly #frames = new FrameBoundaries()
  #leaving: NodeJS.Timeout | undefined
  /** The close frame has been written. */
  #isLeft = false
  #status = 0
  #code: string | undefined
  /** The one that refused, or else the first one. */
  #decision: Decision | undefined
  readonly #errors = new ErrorPipeline(
    (work) => this.#safely(work),
    (decision) => this.#tell('ERROR', decision),
  )

  constructor(
    core: Core,
    entrance: Entrance,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ) {
    this.#core = core
    this.#entrance = entrance
    this.#request = request
    this.#socket = socket
    this.#head = head
    this.#seen = new GatewayRequest(request, request.url)
    this.#id = requestIdIn(request.rawHeaders)
  }

  begin(): void {
    const { tunnels } = this.#core
    tunnels.add(this)
    this.#core.requests++
    // To its end: an error that nobody listens to would end the process.
    holdSocket(this.#socket)
    this.#socket.once('close', () => this.#closed())
    this.#safely(() => {
      if (this.#request.httpVersion !== '1.1') {
        this.#fail('http-version-unsupported')
        return
      }
      const found = find(this.#core, this.#entrance, this.#seen)
      if (typeof found === 'string') {
        this.#fail(found)
        return
      }
      const problem = upgradeProblem(this.#request)
      if (problem !== undefined) {
        this.#fail(problem)
        return
      }
      this.#found = found
      this.#proxy = found.proxy
      found.proxy.enter()
      this.#seen = seenBy(found.proxy, found, this.#request, this.#seen)
      this.#decide('REQUEST', (identity) => this.#connect(found, identity))
    })
  }

  /** Which proxy it belongs to, once it has begun. */
  get proxy(): ApiProxy | undefined {
    return this.#proxy
  }

  /**
   * Other policies are in force, or none because the proxy is gone: whoever would not be let in now is not let stay. One that does not
   * stand yet is looked at when it does.
   */
  moveTo(proxy: ApiProxy | undefined): void {
    if (this.#isClosed) return
    if (!this.#isOpen) {
      this.#move = () => this.moveTo(proxy)
      return
    }
    if (proxy === undefined) {
      this.leave()
      return
    }
    this.#proxy?.leave()
    this.#proxy = proxy
    proxy.enter()
    this.#watch(proxy)
  }

  /** The gateway ends, or the proxy: the client is told once the frame is over that it is getting. If that is not soon, it is cut off. */
  leave(): void {
    if (!this.#isOpen || this.#leaving !== undefined) return
    this.#leaving = setTimeout(() => this.end(), leaveMs)
    this.#leaveBetweenFrames()
  }

  #leaveBetweenFrames(): void {
    if (this.#leaving !== undefined && !this.#isLeft && this.#frames.isOpen) this.#close(goingAway)
  }

  /** Who would not be let in any more gets nothing more, and nothing of what it sends goes on. */
  #expel(refusal: Decision): void {
    this.#code = refusal.code
    this.#decision = refusal
    if (this.#frames.isOpen && !this.#isLeft) this.#close(policyViolated)
    else this.end()
  }

  /** Between two frames. */
  #close({ code, reason }: { readonly code: number; readonly reason: string }): void {
    const client = this.#socket
    const upstream = this.#upstream as Duplex
    this.#isLeft = true
    client.unpipe(upstream)
    upstream.unpipe(client)
    if (client.writable) client.write(closeFrame(code, reason))
    client.resume()
    // After that the client's end is ended, too.
    upstream.destroy()
  }

  end(): void {
    this.#socket.destroy()
    this.#upstream?.destroy()
    this.#outgoing?.destroy()
  }

  #decide(pipeline: 'REQUEST' | 'RESPONSE', pass: (identity: readonly string[]) => void): void {
    const proxy = this.#proxy as ApiProxy
    const guard = proxy.guards[pipeline]
    if (guard === undefined) {
      pass([])
      return
    }
    const decided = (decision: Decision): void => {
      this.#decision ??= decision
      this.#tell(pipeline, decision)
      if (this.#isClosed) return
      if (!decision.allowed) {
        this.#refuse(guard, decision)
        return
      }
      this.#decisions.set(pipeline, decision)
      pass(proxy.identityLines(guard, decision))
    }
    decide(guard, this.#seen, decided, (work) => this.#safely(work))
  }

  #connect({ proxy, destination }: Found, identity: readonly string[]): void {
    const { upstream } = proxy
    const passed = proxy.headers.pass(this.#request.rawHeaders, true)
    const lines = [
      ...['Host', upstream.authority ?? destination.authority, ...passed.lines],
      ...forwardedLines(this.#seen, destination, proxy, this.#entrance.port),
      ...identity,
      ...['Via', viaOf(passed.via, '1.1'), 'X-Request-Id', this.#id],
      ...['Connection', 'Upgrade', 'Upgrade', 'websocket'],
    ]
    const options = {
      ...requestOptions(upstream, 'GET', proxy.targetOf(destination.target), lines),
      agent: upstream.freshAgent,
    }
    const outgoing = upstream.isTls ? httpsRequest(options) : httpRequest(options)
    this.#outgoing = outgoing
    this.#timer = setTimeout(() => {
      outgoing.destroy()
      this.#safely(() => this.#fail('upstream-timeout'))
    }, upstream.timeoutMs)
    outgoing.on('upgrade', (answer, socket, head) => {
      clearTimeout(this.#timer)
      this.#upstream = socket
      socket.on('error', () => this.end())
      socket.on('close', () => this.#upstreamClosed())
      this.#safely(() => this.#upgraded(answer, socket, head))
    })
    outgoing.on('response', (answer) => {
      clearTimeout(this.#timer)
      if (answer.statusCode === 101) {
        // Without `Connection: Upgrade`, so that it is neither a WebSocket nor an answer.
        answer.on('error', () => {})
        answer.destroy()
        this.#safely(() => this.#fail('upstream-failed'))
        return
      }
      answer.on('error', () => this.end())
      this.#safely(() => this.#decide('RESPONSE', () => this.#pass(answer)))
    })
    outgoing.on('error', (error) => {
      clearTimeout(this.#timer)
      this.#safely(() => this.#fail('upstream-failed', error))
    })
    outgoing.end()
  }

  #upgraded(answer: IncomingMessage, upstream: Socket, head: Buffer): void {
    if (answer.statusCode !== 101 || answer.headers.upgrade?.toLowerCase() !== 'websocket') {
      upstream.destroy()
      this.#fail('upstream-failed')
      return
    }
    this.#decide('RESPONSE', () => this.#open(answer, upstream, head))
  }

  #open(answer: IncomingMessage, upstream: Socket, head: Buffer): void {
    const client = this.#socket
    const lines = [...passAnswerHeaders(answer.rawHeaders, 101), 'X-Request-Id', this.#id]
    let text = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
    for (let i = 0; i < lines.length; i += 2) text += `${lines[i]}: ${lines[i + 1]}\r\n`
    this.#status = 101
    this.#isOpen = true
    client.write(`${text}\r\n`, 'latin1')
    if (head.length > 0) {
      this.#frames.push(head)
      client.write(head)
    }
    if (this.#head.length > 0) upstream.write(this.#head)
    upstream.setTimeout(0)
    upstream.setNoDelay(true)
    client.pipe(upstream)
    upstream.pipe(client)
    // After the pipe's own listener, so that a frame that is over has been written.
    upstream.on('data', (octets: Buffer) => {
      this.#frames.push(octets)
      this.#leaveBetweenFrames()
    })
    if (this.#move === undefined) this.#watch(this.#proxy as ApiProxy)
    else this.#move()
  }

  /** What was written for the client goes out before. */
  #upstreamClosed(): void {
    if (!this.#isOpen) return
    this.#socket.end()
    setTimeout(() => this.#socket.destroy(), lingerMs).unref()
  }

  /** Looks again whenever something new is known; the first time at once, for it may have become known meanwhile. */
  #watch(proxy: ApiProxy): void {
    for (const end of this.#watches.splice(0)) end()
    for (const pipeline of ['REQUEST', 'RESPONSE'] as const) {
      const guard = proxy.guards[pipeline]
      const decision = this.#decisions.get(pipeline) ?? [...this.#decisions.values()][0]
      if (guard === undefined) continue
      if (decision !== undefined) this.#keepWatch(pipeline, guard, decision)
      else this.#judge(pipeline, guard)
    }
  }

  #keepWatch(pipeline: PipelineName, guard: Guard, decision: Decision): void {
    const end = guard.watch(this.#seen, decision, (refusal) => {
      this.#tell(pipeline, refusal)
      this.#expel(refusal)
    })
    this.#watches.push(end)
  }

  /** Policies came where there were none. */
  #judge(pipeline: PipelineName, guard: Guard): void {
    const judged = (decision: Decision): void => {
      if (this.#isClosed) return
      this.#tell(pipeline, decision)
      if (decision.allowed) {
        this.#keepWatch(pipeline, guard, decision)
        return
      }
      this.#expel(decision)
    }
    decide(guard, this.#seen, judged, (work) => this.#safely(work))
  }

  /** Not upgraded: an answer as to any other request, and the last on its connection. */
  #pass(answer: IncomingMessage): void {
    const socket = this.#socket as Socket
    const response = new ServerResponse(this.#request)
    response.shouldKeepAlive = false
    response.assignSocket(socket)
    const { statusCode = 502, statusMessage = '' } = answer
    const lines = [...passAnswerHeaders(answer.rawHeaders, statusCode), 'X-Request-Id', this.#id]
    const unwritten = refusedBy(() => response.writeHead(statusCode, statusMessage, lines))
    if (unwritten !== undefined) {
      response.detachSocket(socket)
      answer.destroy()
      this.#fail('upstream-failed', unwritten)
      return
    }
    this.#status = statusCode
    response.on('finish', () => {
      response.detachSocket(socket)
      socket.end()
      socket.resume()
      setTimeout(() => socket.destroy(), lingerMs).unref()
    })
    answer.on('close', () => {
      if (!answer.complete) this.end()
    })
    answer.pipe(response)
  }

  #refuse(guard: Guard, decision: Decision): void {
    this.#upstream?.destroy()
    this.#outgoing?.destroy()
    this.#code = decision.code
    this.#decision = decision
    this.#errors.ask(this.#proxy, this.#seen, () => {
      this.#reply(guard.answer(decision, this.#seen))
    })
  }

  #fail(code: GatewayCode, error?: unknown): void {
    if (this.#isClosed || this.#status !== 0) {
      this.end()
      return
    }
    this.#core.metrics.failed(code)
    this.#code = code
    if (error !== undefined) {
      this.#core.logger.warn({ ...this.#facts(), code, reason: reasonOf(error) }, 'gateway error')
    }
    this.#errors.ask(this.#proxy, this.#seen, (refusal) => {
      if (refusal === undefined) this.#reply(gatewayAnswer(code, this.#id))
      else this.#refuse(refusal.guard, refusal.decision)
    })
  }

  #reply({ status, headers, body }: Answer): void {
    if (this.#isClosed || this.#status !== 0) return
    this.#status = status
    const own = { 'x-request-id': this.#id, ...headers }
    refuseUpgrade(this.#socket, { status, headers: own, body })
  }

  #closed(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    clearTimeout(this.#leaving)
    for (const end of this.#watches.splice(0)) end()
    this.#upstream?.destroy()
    this.#outgoing?.destroy()
    this.#core.tunnels.delete(this)
    this.#core.requests--
    this.#proxy?.leave()
    const { metrics, logger } = this.#core
    const seconds = (performance.now() - this.#begin) / 1000
    const { project = '', name = '' } = this.#proxy ?? {}
    metrics.answered(project, name, this.#status, seconds)
    const level = this.#code === undefined ? 'debug' : 'info'
    if (logger.isLevelEnabled?.(level) === false) return
    // Of a refusal it was told before.
    const client = level === 'debug' ? clientOf(this.#decision?.outcome, this.#seen) : {}
    logger[level]({ ...this.#facts(), ...client, status: this.#status, seconds }, 'websocket')
  }

  #tell(pipeline: PipelineName, decision: Decision): void {
    if (decision.allowed && this.#proxy?.reports !== true) return
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
    const proxy = this.#proxy
    return {
      requestId: this.#id,
      ...(proxy === undefined ? {} : { project: proxy.project, proxy: proxy.name }),
      address: this.#seen.connection?.remoteAddress,
      method: this.#request.method,
      host: this.#found?.destination.host,
      path: pathOf(this.#request.url ?? ''),
    }
  }

  #safely(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#core.logger.error({ ...this.#facts(), err: error }, 'gateway failed')
      this.end()
    }
  }
}

/**
 * Only WebSockets: h2c would take requests past the policies that each of them is for. One with a body is nothing that a WebSocket
 * begins with, and servers differ about where it ends.
 */
function upgradeProblem({ method, headers }: IncomingMessage): GatewayCode | undefined {
  if (headers.upgrade?.toLowerCase() !== 'websocket') return 'upgrade-unsupported'
  if (method !== 'GET') return 'request-malformed'
  const hasBody = (headers['content-length'] ?? '0') !== '0' || 'transfer-encoding' in headers
  return hasBody ? 'request-malformed' : undefined
}

/** RFC 6455 §7.4.1: the server goes down. */
const goingAway = { code: 1001, reason: '' } as const

/** Milliseconds in which a frame may come to its end before the WebSocket does. */
export const leaveMs = 1000

/** Milliseconds in which the client may close its end. */
const lingerMs = 2000
