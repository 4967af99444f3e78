/** A request of Node's own servers as guards see it. @module */

import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import type { Connection, HttpRequest } from '../request.ts'
import { connectionOf } from './connection.ts'
import { hostOf } from './host.ts'
import { property } from './property.ts'

export type NodeRequest = IncomingMessage | Http2ServerRequest

/** Reads nothing before it is asked for: most requests come on a known connection. */
export class NodeHttpRequest implements HttpRequest {
  readonly #request: NodeRequest
  readonly isHttp1: boolean
  readonly platform: unknown
  #target: string | undefined

  /** @param target - The request target as received, where a router has cut `request.url`; default: `originalUrl`, or else `url`. */
  constructor(request: NodeRequest, target?: string) {
    this.#request = request
    // Node's parser of HTTP/1 takes other versions as well, so that the version alone does not tell: only streams are HTTP/2.
    this.isHttp1 =
      property(request, 'httpVersionMajor') !== 2 || property(request, 'stream') === undefined
    this.platform = undefined
    this.#target = target
  }

  get target(): string {
    const request = this.#request
    this.#target ??= property(request, 'originalUrl') ?? property(request, 'url') ?? ''
    return this.#target
  }

  get method(): string {
    return property(this.#request, 'method') ?? ''
  }

  /** As received: what a guard takes away is still there, for the next one. */
  get rawHeaders(): readonly string[] {
    return received.get(this.#request) ?? property(this.#request, 'rawHeaders')
  }

  get authority(): string | undefined {
    if (this.isHttp1) return hostOf(this.rawHeaders)
    return (this.#request as Http2ServerRequest).authority || this.#request.headers.host
  }

  get maxHeaderLines(): number | undefined {
    // HTTP/2 resets a stream with too many.
    if (!this.isHttp1) return undefined
    const socket = property(this.#request, 'socket') as Served | undefined
    const maximum = socket?.server?.maxHeadersCount
    if (typeof maximum !== 'number') return defaultHeaderLines
    return maximum > 0 ? maximum : undefined
  }

  get connection(): Connection | undefined {
    const request = this.#request
    const socket = this.isHttp1
      ? property(request, 'socket')
      : property(request, 'stream')?.session?.socket
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
