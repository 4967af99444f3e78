/** What a server over Node's own hands to a fetch handler beside the request. @module */

import type { Surroundings } from '../fetch-request.ts'
import { surroundingsOf } from '../surroundings.ts'
import { closeAfterBody } from './close-later.ts'
import { NodeHttpRequest, type NodeRequest } from './request.ts'

/** As `surroundingsOf`, and the connection of `{ incoming }`, as `@hono/node-server` gives it. */
export function nodeSurroundingsOf(request: Request, rest: readonly unknown[]): Surroundings {
  const [info] = rest
  const incoming =
    typeof info === 'object' && info !== null && 'incoming' in info ? info.incoming : undefined
  if (incoming === undefined) return surroundingsOf(request, rest)
  const below = incoming as NodeRequest
  const seen = new NodeHttpRequest(below, below.url)
  return {
    connection: seen.connection,
    received: seen,
    beforeRefusal: () => closeAfterBody(below),
  }
}
