/** Conditions and keys that come in headers: RFC 9110 §13.1, and `Idempotency-Key`. @module */

import { Refusal } from '../service/refusal.ts'

/** Strong tags without their quotation marks; a weak one never holds for a change: RFC 9110 §8.8.3.2. */
export function readIfMatch(header: string | null): '*' | readonly string[] | undefined {
  if (header === null) return undefined
  if (header.trim() === '*') return '*'
  const tags = tagsOf(header)
  if (tags === undefined) {
    // No condition that could hold; the text tells it from a change by somebody else.
    throw new Refusal('version-mismatch', 'If-Match is * or a list of ETags in quotation marks')
  }
  return tags.filter(({ isWeak }) => !isWeak).map(({ tag }) => tag)
}

/** Whether the client has this already: weak comparison. */
export function isKnown(header: string | null, tag: string): boolean {
  if (header === null) return false
  return header.trim() === '*' || (tagsOf(header)?.some((one) => one.tag === tag) ?? false)
}

export function readIdempotencyKey(header: string | null): string | undefined {
  if (header === null) return undefined
  if (/^[\x21-\x7e]{1,255}$/.test(header)) return header
  throw new Refusal('header-malformed', 'Idempotency-Key has 1 to 255 printable ASCII characters')
}

function tagsOf(
  header: string,
): readonly { readonly tag: string; readonly isWeak: boolean }[] | undefined {
  if (header.length > maxHeader) return undefined
  const tags: { tag: string; isWeak: boolean }[] = []
  // A tag may hold a comma, so that it is no place to cut.
  const pattern = /[\t ]*(W\/)?"([\x21\x23-\x7e]*)"[\t ]*(,|$)/y
  for (let end = ','; end === ','; ) {
    const [, weak, tag, next] = pattern.exec(header) ?? []
    if (tag === undefined || next === undefined) return undefined
    tags.push({ tag, isWeak: weak !== undefined })
    end = next
  }
  return tags
}

/** Local limit. */
const maxHeader = 8192
