/** A request of Node's own servers as guards see it. @module */

import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import type { Connection, HttpRequest } from '../request.ts'
import { connectionOf } from './connection.ts'

export type NodeRequest = IncomingMessage | Http2ServerRequest

/** Reads nothing before it is asked for: most requests come on a known connection. */
export class NodeHttpRequest implements HttpRequest {
  readonly #request: NodeRequest
  readonly target: string
  /** As received: what a guard takes away is still there, for the next one. */
  readonly rawHeaders: readonly string[]
  readonly platform: unknown

  /** @param target - The request target as received, where a router has cut `request.url`. */
  constructor(request: NodeRequest, target: string = request.url ?? '') {
    this.#request = request
    this.target = target
    this.rawHeaders = received.get(request) ?? request.rawHeaders
    this.platform = undefined
  }

  get method(): string {
    return this.#request.method ?? ''
  }

  get authority(): string | undefined {
    return (this.#request as Http2ServerRequest).authority || this.#request.headers.host
  }

  get isHttp1(): boolean {
    return this.#request.httpVersionMajor === 1
  }

  get maxHeaderLines(): number | undefined {
    // HTTP/2 resets a stream with too many.
    if (!this.isHttp1) return undefined
    const maximum = (this.#request.socket as Served | undefined)?.server?.maxHeadersCount
    if (typeof maximum !== 'number') return defaultHeaderLines
    return maximum > 0 ? maximum : undefined
  }

  get connection(): Connection | undefined {
    const { stream } = this.#request as Http2ServerRequest
    const socket = stream === undefined ? this.#request.socket : stream.session?.socket
    return socket && connectionOf(socket)
  }
}

/** To be called before headers are taken away. */
export function keepReceived(request: NodeRequest): void {
  if (!received.has(request)) received.set(request, request.rawHeaders)
}

const received = new WeakMap<NodeRequest, readonly string[]>()

/** What Node leaves at a socket, though it documents no such field. */
interface Served {
  readonly server?: { readonly maxHeadersCount?: unknown } | null
}

/** Of Node, which documents 2,000: names and values are counted. */
const defaultHeaderLines = 1000
