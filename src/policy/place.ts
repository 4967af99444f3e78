/** Where a policy applies, and its position among those that apply there. @module */

import { type HttpMethod, httpMethods, readPattern } from './endpoint.ts'
import type { Fields } from './fields.ts'

/** In the document's words. */
export type Place =
  | {
      readonly targetScope: 'ALL'
      readonly targetEndpoint?: undefined
      readonly targetEndpointHTTPMethod?: undefined
    }
  | {
      readonly targetScope: 'ENDPOINT'
      readonly targetEndpoint: string
      readonly targetEndpointHTTPMethod: HttpMethod
    }

/** @param otherwise - The scope when none is named; absent: naming one is required. */
export function readPlace(fields: Fields, otherwise?: 'ALL'): Place {
  const targetScope = fields.oneOf('targetScope', ['ALL', 'ENDPOINT'], otherwise)
  if (targetScope === 'ALL') {
    for (const name of ['targetEndpoint', 'targetEndpointHTTPMethod']) {
      if (fields.get(name) !== undefined) fields.problem(name, 'conflict', 'none for scope ALL')
    }
    return everywhere
  }
  const targetEndpointHTTPMethod = fields.oneOf('targetEndpointHTTPMethod', httpMethods)
  const targetEndpoint = fields.get('targetEndpoint')
  if (typeof targetEndpoint !== 'string') {
    const problem = targetEndpoint === undefined ? 'missing' : 'invalid'
    fields.problem('targetEndpoint', problem, 'the path of an endpoint')
    return everywhere
  }
  const read = readPattern(targetEndpoint)
  if (typeof read === 'string') fields.problem('targetEndpoint', 'invalid', read)
  return { targetScope, targetEndpoint, targetEndpointHTTPMethod }
}

/** The same text for places that are one: two patterns that only name their segments differently are one endpoint. */
export function placeKey({ targetEndpoint, targetEndpointHTTPMethod }: Place): string {
  if (targetEndpoint === undefined) return ''
  const segments = readPattern(targetEndpoint)
  const path = typeof segments === 'string' ? targetEndpoint : segments.map(String).join('/')
  // Upper and lower case are one to an endpoint.
  return `${targetEndpointHTTPMethod} ${path.toLowerCase()}`
}

/**
 * A list with one more policy. Positions count from 1 among the policies of one scope and endpoint; without a position, or past the
 * end, it comes last.
 *
 * @param keyOf - `placeKey`, or what remembers its answers for a caller with many.
 */
export function insert<P extends Place>(
  list: readonly P[],
  policy: P,
  position: number | undefined,
  keyOf: (place: Place) => string = placeKey,
): readonly P[] {
  if (position === undefined) return [...list, policy]
  const key = keyOf(policy)
  let count = 0
  const at = list.findIndex((other) => keyOf(other) === key && ++count === position)
  return at === -1 ? [...list, policy] : list.toSpliced(at, 0, policy)
}

const everywhere: Place = { targetScope: 'ALL' }
