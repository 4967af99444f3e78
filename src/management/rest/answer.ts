/** What a route answers, before it becomes a response. @module */

import type { Page } from '../service/pages.ts'

export interface Answer {
  readonly status: number
  /** JSON data; a text or octets with a `content-type` of their own; `undefined`: no body. */
  readonly body: unknown
  /** What the ETag says, without quotation marks; absent: it is made from the body. */
  readonly tag?: string
  readonly headers?: Readonly<Record<string, string>>
}

export function resource(result: object, tag?: string, status = 200): Answer {
  const body = { success: true, result }
  return tag === undefined ? { status, body } : { status, body, tag }
}

export function list(resultList: readonly unknown[]): Answer {
  return { status: 200, body: { success: true, resultList, resultCount: resultList.length } }
}

export function page({ items, nextCursor }: Page<unknown>): Answer {
  return {
    status: 200,
    body: {
      success: true,
      resultList: items,
      resultCount: items.length,
      ...(nextCursor === undefined ? {} : { nextCursor }),
    },
  }
}

export function done(): Answer {
  return { status: 200, body: { success: true } }
}
