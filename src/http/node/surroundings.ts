/** What a server over Node's own hands to a fetch handler beside the request. @module */

import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import type { Surroundings } from '../fetch-request.ts'
import { surroundingsOf } from '../surroundings.ts'
import { NodeHttpRequest } from './request.ts'

/** As `surroundingsOf`, and the connection of `{ incoming }`, as `@hono/node-server` gives it. */
export function nodeSurroundingsOf(request: Request, rest: readonly unknown[]): Surroundings {
  const [info] = rest
  const incoming =
    typeof info === 'object' && info !== null && 'incoming' in info ? info.incoming : undefined
  if (incoming === undefined) return surroundingsOf(request, rest)
  const seen = new NodeHttpRequest(incoming as IncomingMessage | Http2ServerRequest)
  return { connection: seen.connection, received: seen }
}
