/** Which requests an API proxy answers: its hosts, and the path below which it does. @module */

import type { PolicyProblem } from '../policy/problem.ts'
import { DocumentFields } from './fields.ts'

export interface Place {
  /** Lower-case host names that the proxy answers to; `*` alone: every host that no other proxy names. */
  readonly hosts: readonly string[]
  /** Path below which the proxy answers; `/` is everything. The longest that fits wins within a host. */
  readonly basePath: string
}

/** The fields of a place, of a document that has others as well. */
export function readPlaceFields(fields: DocumentFields): Place {
  const place = {
    hosts: fields.texts('hosts', 1000, hostPattern, hostWords),
    basePath: fields.text('basePath', basePathPattern, basePathWords),
  }
  const { hosts } = place
  if (hosts.length === 0) fields.problem('hosts', 'at least one host')
  if (new Set(hosts).size !== hosts.length) fields.problem('hosts', 'each host once')
  if (hosts.length > 1 && hosts.includes('*')) fields.problem('hosts', '* alone, or no *')
  return place
}

export function readPlace(value: unknown, path: string, problems: PolicyProblem[]): Place {
  const fields = new DocumentFields(value, path, problems)
  const place = readPlaceFields(fields)
  fields.done()
  return place
}

/** RFC 1123 §2.1, and what container networks call themselves; an IPv6 address in brackets. */
export const hostPattern: RegExp =
  /^(?:\*|\[[0-9a-f:.]{2,45}\]|(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*)$/
const hostWords = 'a host name in lower case without a port, or *'
/** Segments without escapes, dot segments and empty ones: what each server reads in the same way. */
export const basePathPattern: RegExp =
  /^(?=.{1,1024}$)(?:\/|(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._~!$&'()*+,=:@-]+)+)$/
const basePathWords = 'a path such as /payments/v1, without / at its end, or / alone'
