/** What requests need of their gateway. @module */

import { randomUUID } from 'node:crypto'
import { logText } from '../base/log-text.ts'
import { isMisdirected } from '../http/authority.ts'
import type { NodeRequest } from '../http/node/request.ts'
import type { HttpRequest } from '../http/request.ts'
import type { GatewayCode } from './answer.ts'
import type { ApiProxy } from './api-proxy.ts'
import type { ServerCertificates } from './certificates.ts'
import { GatewayRequest } from './connection.ts'
import type { GatewayMetrics } from './metrics.ts'
import type { GatewayLogger, Limits } from './options.ts'
import type { Routes } from './routes.ts'
import { type Destination, readDestination } from './target.ts'
import type { Tunnel } from './tunnel.ts'

/** One for a gateway. */
export interface Core {
  /** Of the state in force; `undefined`: none came yet. A request reads it once. */
  routes: Routes<ApiProxy> | undefined
  isDraining: boolean
  /** Requests under way. */
  requests: number
  readonly tunnels: Set<Tunnel>
  readonly limits: Limits
  readonly logger: GatewayLogger
  readonly metrics: GatewayMetrics
}

/** Of a listener, what its requests need. */
export interface Entrance {
  readonly asksForCertificate: boolean
  readonly certificates: ServerCertificates
  readonly port: number
  /** Says once of a proxy that nobody can come in here. */
  warn(proxy: ApiProxy): void
}

export interface Found {
  readonly proxy: ApiProxy
  readonly destination: Destination
}

/** Where a request goes, or why nowhere. */
export function find(core: Core, entrance: Entrance, request: HttpRequest): Found | GatewayCode {
  const { routes } = core
  if (routes === undefined) return 'gateway-not-ready'
  const { method, authority } = request
  // A method is what it is, in its own case (RFC 9110 §9.1); upper case is what would be sent on.
  if (method === 'TRACE' || method === 'CONNECT' || method !== method.toUpperCase()) {
    return 'method-not-allowed'
  }
  if (authority === undefined) return 'host-invalid'
  if (isMisdirected(request)) return 'request-misdirected'
  const destination = readDestination(request, authority)
  if (typeof destination === 'string') return destination
  const { host, target } = destination
  if (request.connection?.tls?.serverName === undefined) {
    // Who named no server has the first certificate, and hosts with one of their own are served on that alone.
    const { certificates } = entrance
    if (certificates.choose(host).index !== certificates.choose(undefined).index) {
      return 'request-misdirected'
    }
  }
  const proxy = routes.find(host, target)
  if (proxy === undefined) return 'proxy-not-found'
  if (proxy === 'held') return 'proxy-not-in-force'
  if (proxy === 'ambiguous' || proxy.isAmbiguous(method, proxy.targetOf(target))) {
    return 'request-target-ambiguous'
  }
  if (proxy.wantsCertificate && !entrance.asksForCertificate) entrance.warn(proxy)
  return { proxy, destination }
}

/** The request as a proxy's policies see it: their endpoints are below its base path, and in origin form. */
export function seenBy(
  proxy: ApiProxy,
  { destination }: Found,
  request: NodeRequest,
  seen: GatewayRequest,
): GatewayRequest {
  const target = proxy.targetOf(destination.target)
  return target === seen.target ? seen : new GatewayRequest(request, target)
}

/** What the gateway says of where a request came from, names and values in turns. */
export function forwardedLines(
  request: HttpRequest,
  { authority }: Destination,
  { basePath }: ApiProxy,
  port: number,
): string[] {
  const address = request.connection?.remoteAddress
  const lines = [
    ...['X-Forwarded-Proto', 'https', 'X-Forwarded-Host', authority],
    ...['X-Forwarded-Port', String(port)],
  ]
  // RFC 7239 §6: an address of IPv6 is quoted, and a host as well, for its port.
  const rest = `host="${authority}";proto=https`
  if (address === undefined) {
    lines.push('Forwarded', rest)
  } else {
    const node = address.includes(':') ? `"[${address}]"` : address
    lines.push('X-Forwarded-For', address, 'Forwarded', `for=${node};${rest}`)
  }
  if (basePath !== '/') lines.push('X-Forwarded-Prefix', basePath)
  return lines
}

/** RFC 9110 §7.6.3. */
export function viaOf(received: string | undefined, version: string): string {
  const own = `${version} mtls-policy`
  return received === undefined ? own : `${received}, ${own}`
}

/** The client's, when it is one that may stand in a log; or else one of our own. */
export function requestIdOf(received: string | undefined): string {
  return received !== undefined && /^[\w.:+/=@-]{1,128}$/.test(received) ? received : randomUUID()
}

/** Without having passed the headers on. */
export function requestIdIn(rawHeaders: readonly string[]): string {
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    if (name.length === 12 && name.toLowerCase() === 'x-request-id') {
      return requestIdOf(rawHeaders[i + 1])
    }
  }
  return randomUUID()
}

/** For a log: a query may hold secrets. */
export function pathOf(target: string): string {
  const end = target.indexOf('?')
  return logText(end === -1 ? target : target.slice(0, end), 1024)
}
