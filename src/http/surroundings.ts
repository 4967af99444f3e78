/** What runtimes hand to a fetch handler beside the request: whom it comes from, and what the platform knows. @module */

import type { Surroundings } from './fetch-request.ts'
import type { Connection } from './request.ts'

/**
 * Deno gives `{ remoteAddr: { hostname } }`, Bun its server, which is asked, and a Worker has `request.cf`. None of them shows the
 * connection itself, so that each request has one of its own.
 */
export function surroundingsOf(request: Request, rest: readonly unknown[]): Surroundings {
  const remoteAddress = addressFrom(request, rest[0])
  const connection: Connection | undefined =
    remoteAddress === undefined ? undefined : { remoteAddress, tls: undefined }
  return { connection, platform: 'cf' in request ? request.cf : undefined }
}

function addressFrom(request: Request, info: unknown): string | undefined {
  if (typeof info !== 'object' || info === null) return undefined
  if ('remoteAddr' in info) return textOf(info.remoteAddr, 'hostname')
  if ('requestIP' in info && typeof info.requestIP === 'function') {
    return textOf(info.requestIP(request), 'address')
  }
  return undefined
}

function textOf(value: unknown, field: string): string | undefined {
  const text = typeof value === 'object' && value !== null && Reflect.get(value, field)
  return typeof text === 'string' ? text : undefined
}
