/** One address: handshakes, HTTP/1.1 and HTTP/2 over one port, and its connections to their end. @module */

import { IncomingMessage, type ServerResponse } from 'node:http'
import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Answer } from '../http/answer.ts'
import { respond } from '../http/node/apply.ts'
import { rememberServerName } from '../http/node/server-name.ts'
import { refuseUpgrade } from '../http/node/upgrade.ts'
import { type GatewayCode, gatewayAnswer } from './answer.ts'
import type { ApiProxy } from './api-proxy.ts'
import { ServerCertificates } from './certificates.ts'
import { readStumblers } from './connection.ts'
import { Contexts, type Hint, noHint } from './contexts.ts'
import { type Core, type Entrance, requestIdOf } from './core.ts'
import { Exchange } from './exchange.ts'
import type { ListenerOptions } from './options.ts'
import { keyOf } from './proxy-key.ts'
import { Tunnel } from './tunnel.ts'
import { graceMs, Turns } from './turns.ts'

/** CAs to name to who asks for a host; `undefined`: to who asks for none. */
export type HintFor = (host: string | undefined) => Hint

export class Listener implements Entrance {
  readonly asksForCertificate: boolean
  readonly certificates: ServerCertificates
  readonly #core: Core
  readonly #options: ListenerOptions
  readonly #contexts = new Contexts()
  readonly #server: Http2SecureServer
  /** Connections; those of HTTP/1 with their requests. */
  readonly #sockets = new Map<Socket, Turns | undefined>()
  readonly #sessions = new Set<ServerHttp2Session>()
  readonly #warned = new Set<string>()
  #port = 0
  #hintFor: HintFor = () => noHint
  /** What the default context was made of. */
  #default: string

  private constructor(core: Core, options: ListenerOptions, certificates: ServerCertificates) {
    this.#core = core
    this.#options = options
    this.certificates = certificates
    this.asksForCertificate = options.clientCertificate === 'request'
    this.#default = this.#defaultKey()
    this.#server = this.#create()
  }

  /** @throws What reading the certificates, or binding the port, throws. */
  static async open(core: Core, options: ListenerOptions): Promise<Listener> {
    const { logger, metrics } = core
    const certificates = await ServerCertificates.read(options.certificates, {
      reloaded: ({ cert }) => {
        metrics.reloaded(true)
        logger.info({ cert }, 'server certificate reloaded')
      },
      failed: ({ cert }, error) => {
        metrics.reloaded(false)
        logger.error({ cert, err: error }, 'server certificate not reloaded, the old one stays')
      },
    })
    const listener = new Listener(core, options, certificates)
    const server = listener.#server
    await new Promise<void>((listening, failed) => {
      server.once('error', failed)
      server.listen(options.port, options.host, () => {
        server.off('error', failed)
        listener.#port = (server.address() as AddressInfo).port
        listening()
      })
    })
    server.on('error', (error) => logger.error({ err: error }, 'listener failed'))
    certificates.follow(core.limits.reloadMs, () => {
      listener.#contexts.clear()
      listener.#renewDefault(true)
    })
    return listener
  }

  /** Stays what it was while the listener is drained. */
  get port(): number {
    return this.#port
  }

  get connections(): number {
    return this.#sockets.size
  }

  /** Says once of a proxy that nobody can come in here. */
  warn({ project, name }: ApiProxy): void {
    const key = keyOf({ project, apiProxy: name })
    if (this.#warned.has(key)) return
    this.#warned.add(key)
    const facts = { project, proxy: name, port: this.port }
    this.#core.logger.warn(facts, 'policies want a certificate, and this listener asks for none')
  }

  /** Names other CAs in the handshakes that begin from now on. */
  advertise(hintFor: HintFor): void {
    if (this.#options.advertise === 'none') return
    this.#hintFor = hintFor
    this.#renewDefault(false)
  }

  /**
   * Takes no more connections, and ends those without a request; who has connected, or is about to, may send one. Settles when all have
   * ended.
   */
  async drain(): Promise<void> {
    this.certificates.close()
    const closed = new Promise<void>((done) => {
      this.#server.close(() => done())
    })
    for (const session of this.#sessions) session.close()
    for (const turns of this.#sockets.values()) turns?.drain()
    await closed
  }

  /** Ends everything. */
  close(): void {
    for (const session of this.#sessions) session.destroy()
    for (const socket of this.#sockets.keys()) socket.destroy()
  }

  #create(): Http2SecureServer {
    const { limits } = this.#core
    const server = createSecureServer({
      ...this.#contexts.optionsOf(this.certificates.choose(undefined), noHint),
      allowHTTP1: true,
      ALPNProtocols: ['h2', 'http/1.1'],
      requestCert: this.asksForCertificate,
      // As Node's servers of HTTP/1 alone have it: else the first answer of a connection waits for the client's delayed acknowledgement of
      // the handshake's last octets, 40 ms (RFC 9293 §3.7.4).
      noDelay: true,
      // Who is refused is answered, and told why.
      rejectUnauthorized: false,
      handshakeTimeout: limits.handshakeMs,
      SNICallback: (name, done) => this.#choose(name, done),
      settings: {
        maxConcurrentStreams: limits.maxConcurrentStreams,
        maxHeaderListSize: limits.maxHeaderBytes,
      },
    })
    server.maxConnections = limits.maxConnections
    // Of HTTP/1 over this server, which takes them as fields only.
    Object.assign(server, {
      headersTimeout: limits.headMs,
      // Of a whole request: the exchange has a timer of its own, which knows whose fault it is.
      requestTimeout: 0,
      keepAliveTimeout: limits.keepAliveMs,
      connectionsCheckingInterval: Math.min(1000, limits.headMs),
      maxHeaderSize: limits.maxHeaderBytes,
    })
    server.on('secureConnection', (socket) => this.#connected(socket))
    server.on('session', (session) => this.#began(session))
    server.on('request', (request, response) => this.#exchange(request, response))
    server.on('checkContinue', (request, response) => this.#exchange(request, response))
    server.on('checkExpectation', (request, response) =>
      this.#exchange(request, response, 'unknown'),
    )
    const others = server as unknown as NodeJS.EventEmitter
    others.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) =>
      this.#upgrade(request, socket, head),
    )
    others.on(
      'connect',
      (request: IncomingMessage | Http2ServerRequest, second: Socket | Http2ServerResponse) =>
        this.#connect(request, second),
    )
    others.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) =>
      this.#misread(error, socket),
    )
    server.on('tlsClientError', () => this.#core.metrics.handshakeFailed())
    server.on('sessionError', (error) => {
      this.#core.logger.debug({ err: error }, 'HTTP/2 connection failed')
    })
    return server
  }

  #exchange(
    request: IncomingMessage | Http2ServerRequest,
    response: Http2ServerResponse,
    expectation?: 'unknown',
  ): void {
    if (!(request instanceof IncomingMessage)) {
      new Exchange(this.#core, this, request, response).begin(expectation)
      return
    }
    const turns = this.#sockets.get(request.socket)
    turns?.take(request, () => {
      // Node's parser takes `HTTP/0.9` and `HTTP/2.0` on a connection of HTTP/1, and everything goes by the version from here.
      if (request.httpVersionMajor !== 1) {
        this.#refuseVersion(request, response as unknown as ServerResponse, turns)
        return undefined
      }
      const exchange = new Exchange(this.#core, this, request, response, turns)
      exchange.begin(expectation)
      return exchange
    })
  }

  #refuseVersion(request: IncomingMessage, response: ServerResponse, turns: Turns): void {
    this.#core.metrics.failed('http-version-unsupported')
    const answer = gatewayAnswer('http-version-unsupported', requestIdOf(undefined))
    response.shouldKeepAlive = false
    response.on('close', () => turns.next(true))
    respond(request, response, answer)
  }

  /** Its connection is a request's no more, and has no other turn. */
  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    this.#sockets.get(socket)?.takeSocket(request, () => {
      // Node may have set one after the answer before.
      socket.setTimeout(0)
      new Tunnel(this.#core, this, request, socket, head).begin()
      return undefined
    })
  }

  #choose(name: string, done: (error: Error | null, context?: ReturnType<Contexts['of']>) => void) {
    const host = name.toLowerCase()
    try {
      done(null, this.#contexts.of(this.certificates.choose(host), this.#hintFor(host)))
    } catch (error) {
      // A certificate that OpenSSL does not take; the handshake fails, and nothing else.
      this.#core.logger.error({ host, err: error }, 'no secure context')
      done(error as Error)
    }
  }

  /** For who names no server. */
  #renewDefault(isOther: boolean): void {
    const key = this.#defaultKey()
    if (!isOther && key === this.#default) return
    this.#default = key
    const certificate = this.certificates.choose(undefined)
    this.#server.setSecureContext(this.#contexts.optionsOf(certificate, this.#hintFor(undefined)))
  }

  #defaultKey(): string {
    return this.#hintFor(undefined).key
  }

  #connected(socket: TLSSocket): void {
    const turns = socket.alpnProtocol === 'h2' ? undefined : new Turns(socket)
    this.#sockets.set(socket, turns)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => {})
    rememberServerName(socket)
    if (turns === undefined) return
    readStumblers(socket)
    if (this.#core.isDraining) turns.drain()
  }

  #began(session: ServerHttp2Session): void {
    // Its socket is another object than the one that has connected.
    readStumblers(session.socket as TLSSocket)
    this.#sessions.add(session)
    session.on('close', () => this.#sessions.delete(session))
    session.on('error', () => {})
    // As `keepAliveTimeout` of HTTP/1.
    let streams = 0
    session.on('stream', (stream) => {
      streams++
      stream.on('close', () => streams--)
    })
    session.setTimeout(this.#core.limits.keepAliveMs, () => {
      if (streams === 0) session.close()
    })
    if (this.#core.isDraining) {
      // Its first request is on the way.
      setTimeout(() => session.close(), graceMs).unref()
    }
  }

  /** HTTP/1 hands over a socket, HTTP/2 a response. */
  #connect(
    request: IncomingMessage | Http2ServerRequest,
    second: Socket | Http2ServerResponse,
  ): void {
    const refuse = (): Answer => {
      this.#core.metrics.failed('method-not-allowed')
      return gatewayAnswer('method-not-allowed', requestIdOf(undefined))
    }
    if (!(request instanceof IncomingMessage)) {
      const response = second as Http2ServerResponse
      const { status, headers, body } = refuse()
      response.writeHead(status, headers)
      response.end(body)
      return
    }
    const socket = second as Socket
    this.#sockets.get(socket)?.takeSocket(request, () => {
      refuseUpgrade(socket, refuse())
      return undefined
    })
  }

  /** What Node's parser refuses, heads that do not come to an end, and what OpenSSL refuses. */
  #misread(error: NodeJS.ErrnoException, socket: Socket): void {
    if (!socket.writable || error.code === 'ECONNRESET') {
      // The client is gone, or has its answer.
      socket.destroy()
      return
    }
    const { logger, metrics } = this.#core
    if ('library' in error) {
      // Not HTTP, and there may be nothing any more by which it could be answered.
      logger.debug({ err: error }, 'TLS connection failed')
      socket.destroy()
      return
    }
    const code: GatewayCode =
      error.code === 'HPE_HEADER_OVERFLOW'
        ? 'header-too-large'
        : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
          ? 'request-timeout'
          : 'request-malformed'
    this.#sockets.get(socket)?.misread(code, () => {
      metrics.failed(code)
      refuseUpgrade(socket, gatewayAnswer(code, requestIdOf(undefined)))
    })
  }
}
