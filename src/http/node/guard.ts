/** Guards over `node:crypto`, for servers of Node. @module */

import type { AsyncHandlers } from '../../effect/effect.ts'
import { asyncNodeHandlers } from '../../runtime/node-async.ts'
import { Guard } from '../guard.ts'
import type { GuardOptions } from '../options.ts'
import { tls } from '../sources/tls.ts'

/** What every guard of a process shares: imported keys, and signatures of CA certificates that were checked. */
const handlers: AsyncHandlers = /* @__PURE__ */ asyncNodeHandlers()

export function createNodeGuard(options: GuardOptions): Guard {
  return new Guard(options, handlers, tls())
}
