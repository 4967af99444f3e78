/** What the builds of `mtls-policy/hono` share. @module */

import type { Decision } from './decision.ts'
import { decideFetch } from './fetch-guard.ts'
import type { Surroundings } from './fetch-request.ts'
import type { Guard } from './guard.ts'
import type { GuardOptions } from './options.ts'

/** Of a Hono context, what is used here. `get('clientCertificate')` is set before any later handler runs. */
export interface Context {
  readonly req: { raw: Request }
  readonly env: unknown
  set(name: 'clientCertificate', decision: Decision): void
}

/** For `new Hono<{ Variables: Variables }>()`. */
export interface Variables {
  clientCertificate: Decision
}

export interface Mtls {
  (context: Context, next: () => Promise<void>): Promise<Response | undefined>
  /**
   * Puts other options in force for the requests that begin from now on.
   *
   * @throws TypeError with a `code`; the old options stay then.
   */
  readonly update: (options: GuardOptions) => void
}

export function middleware(
  guard: Guard,
  surroundingsOf: (request: Request, rest: readonly unknown[]) => Surroundings,
): Mtls {
  const handle = async (
    context: Context,
    next: () => Promise<void>,
  ): Promise<Response | undefined> => {
    const { raw } = context.req
    const { decision, response, request } = await decideFetch(
      guard,
      raw,
      surroundingsOf(raw, [context.env]),
    )
    context.set('clientCertificate', decision)
    if (response !== undefined) return response
    context.req.raw = request
    await next()
    return undefined
  }
  return Object.assign(handle, { update: (other: GuardOptions) => guard.update(other) })
}
