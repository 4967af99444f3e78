/** Where a request wants to go: its target and its hosts, as received. @module */

import type { HttpRequest } from '../http/request.ts'

export interface Destination {
  /** Without port and without the root's dot, in lower case; an IPv6 address keeps its brackets. */
  readonly host: string
  /** As the client wrote it, with its port. */
  readonly authority: string
  /** Origin form, RFC 9112 §3.2.1: path and query; or `*`. */
  readonly target: string
}

export type DestinationProblem = 'host-invalid' | 'request-target-invalid'

/**
 * Reads it, or says why it cannot be. All hosts that a request names must be one: servers differ about which of them counts
 * (RFC 9112 §3.2.2, RFC 9113 §8.3.1).
 *
 * @param authority - The request's own, as received.
 */
export function readDestination(
  request: HttpRequest,
  authority: string,
): Destination | DestinationProblem {
  const { target } = request
  const host = hostOf(authority)
  if (host === undefined) return 'host-invalid'
  if (!request.isHttp1 && !isHostOfAll(request.rawHeaders, host)) return 'host-invalid'
  // What `http.request` refuses, and what no origin form has: RFC 9112 §3.2.
  if (target.length > maxTarget || unprintable.test(target)) return 'request-target-invalid'
  if (target.startsWith('/')) return { host, authority, target }
  if (target === '*' && request.method === 'OPTIONS') return { host, authority, target }
  const absolute = absoluteForm.exec(target)
  if (absolute === null) return 'request-target-invalid'
  const [, named = '', path = ''] = absolute
  if (hostOf(named) !== host) return 'host-invalid'
  return { host, authority, target: path.startsWith('/') ? path : `/${path}` }
}

/** Whether every `Host` beside `:authority` is the same: RFC 9113 §8.3.1. */
function isHostOfAll(rawHeaders: readonly string[], host: string): boolean {
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue
    if (hostOf(rawHeaders[i + 1] as string) !== host) return false
  }
  return true
}

/** `undefined`: RFC 9110 §4.2.4 has a user name refused, and RFC 3986 §3.2.2 the rest. */
export function hostOf(authority: string): string | undefined {
  const known = hosts.get(authority)
  if (known !== undefined) return known
  const [, host, port] = authorityForm.exec(authority) ?? []
  if (host === undefined || (port !== undefined && Number(port) > 65_535)) return undefined
  const lower = host.toLowerCase()
  const read = lower.endsWith('.') ? lower.slice(0, -1) : lower
  if (hosts.size >= maxHosts) hosts.clear()
  if (authority.length <= maxAuthority) hosts.set(authority, read)
  return read
}

const authorityForm = /^(\[[\da-f:.]{2,45}\]|[\w.~!$&'()*+,;=-]+)(?::(\d{0,5}))?$/i
const absoluteForm = /^https?:\/\/([^/?#]*)([/?].*)?$/i
const unprintable = /[^\x21-\x7e\x80-\xff]|#/

/** Local limit: Node's whole header section is 16 KiB by default, and longer targets get 414 from most servers. */
const maxTarget = 16_384

/** Most requests name one of a few; any client may name others. */
const hosts = new Map<string, string>()
const maxHosts = 4096
const maxAuthority = 260
