/**
 * Reads properties of requests that a framework has changed.
 *
 * Express sets another prototype for every request, and V8 then gives each of them a hidden class of its own. No inline cache ever
 * hits on those: `request.url` goes through the runtime, 0.5 µs against 0.2, and to add a property costs 3 µs (Node 20.20, where a
 * whole request costs 100). `Reflect.get` has no inline cache to miss.
 *
 * @module
 */

import type { Http2ServerRequest } from 'node:http2'
import type { NodeRequest } from './request.ts'

/** `request[name]`. */
export function property<Name extends keyof Properties>(
  request: NodeRequest,
  name: Name,
): Properties[Name] {
  return Reflect.get(request, name)
}

/** Those that are read for every request. */
interface Properties
  extends Pick<NodeRequest, 'httpVersionMajor' | 'socket' | 'rawHeaders' | 'method' | 'url'> {
  /** The request target as received, where a router has cut `url`. */
  readonly originalUrl: string | undefined
  readonly stream: Http2ServerRequest['stream'] | undefined
}
