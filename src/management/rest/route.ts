/** What a route is: for the router, and for the OpenAPI document. @module */

import type { z } from '@hono/zod-openapi'
import type { Answer } from './answer.ts'
import type { Call } from './call.ts'
import type { AnswerName } from './schemas.ts'

export interface Route {
  readonly method: 'get' | 'post' | 'put' | 'delete'
  /** With names in braces, and a slash at its end; without it is the same route. */
  readonly path: string
  readonly operationId: string
  readonly tag: string
  readonly summary: string
  /** Right of the token for the project in the path; `any`: a good token is enough, and the route sees to the rest. */
  readonly needs: 'read' | 'write' | 'deploy' | 'admin' | 'any'
  readonly query?: z.ZodObject
  readonly body?: RouteBody
  /** Schema of the answer, or the type of what is answered instead of JSON. */
  readonly answer: AnswerName | { readonly contentType: string }
  /** Default 200. */
  readonly status?: 200 | 201
  /** Whether If-Match is looked at. */
  readonly conditional?: true
  readonly handle: (call: Call) => Promise<Answer>
}

export interface RouteBody {
  /** Absent: octets alone. */
  readonly schema?: z.ZodType
  /** `fields`: the service reads it, with problems of its own. `schema`: held against the schema. */
  readonly checkedBy: 'fields' | 'schema'
  /** Octets; one more is 413. Default: what describes one thing. */
  readonly maximum?: number
  /** Octets of these types are taken as well, instead of JSON. */
  readonly octets?: readonly string[]
}
