/** Guards over WebCrypto, for edge runtimes. @module */

import type { AsyncHandlers } from '../../effect/effect.ts'
import { webHandlers } from '../../runtime/web.ts'
import { Guard } from '../guard.ts'
import { type GuardOptions, sourceOf } from '../options.ts'

/** What every guard of a process shares: imported keys, and signatures of CA certificates that were checked. */
const handlers: AsyncHandlers = /* @__PURE__ */ webHandlers()

/** @throws TypeError with code `option-missing` without a `source`: these runtimes show no TLS connection. */
export function createWebGuard(options: GuardOptions): Guard {
  return new Guard(options, handlers, sourceOf(options))
}
