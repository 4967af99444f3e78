/** Known divergences are data: what a suite expects, what we answer instead, and why. @module */
import { existsSync, readFileSync } from 'node:fs'

export interface Exception {
  readonly id: string
  readonly expected: string
  readonly actual: string
  readonly reason: string
}

/** One case under the profile that counts, over all drivers that judged it. */
export interface Judged {
  readonly id: string
  readonly expected: string
  /** One text a driver. */
  readonly actual: readonly string[]
}

export type Problem =
  | { readonly code: 'disagrees'; readonly id: string; readonly text: string }
  | { readonly code: 'exception-passes'; readonly id: string; readonly text: string }
  | { readonly code: 'exception-differs'; readonly id: string; readonly text: string }

/**
 * Reads fixtures/`suite`/exceptions.json; a suite without one has none.
 *
 * @throws Error when an entry lacks one of its four texts or an id occurs twice.
 */
export function readExceptions(file: URL): readonly Exception[] {
  if (!existsSync(file)) return []
  const exceptions = JSON.parse(readFileSync(file, 'utf8')) as readonly Exception[]
  const ids = new Set<string>()
  for (const { id, expected, actual, reason } of exceptions) {
    if (!id || !expected || !actual || !reason) throw new Error(`${file}: incomplete entry ${id}`)
    if (ids.has(id)) throw new Error(`${file}: ${id} occurs twice`)
    ids.add(id)
  }
  return exceptions
}

/**
 * Reports what is not as the exceptions say: a disagreement that is none of them, one with another answer, and one that
 * passes by now. Cases that were not judged are not in `judged` and prove nothing.
 */
export function checkExceptions(
  judged: readonly Judged[],
  exceptions: readonly Exception[],
): readonly Problem[] {
  const known = new Map(exceptions.map((exception) => [exception.id, exception]))
  const problems: Problem[] = []
  for (const { id, expected, actual } of judged) {
    const exception = known.get(id)
    const wrong = actual.filter((text) => text !== expected)
    if (wrong.length === 0) {
      if (exception) problems.push({ code: 'exception-passes', id, text: exception.actual })
    } else if (!exception) {
      problems.push({ code: 'disagrees', id, text: `expected ${expected}, got ${wrong[0]}` })
    } else if (exception.expected !== expected || wrong.some((text) => text !== exception.actual)) {
      const listed = `${exception.expected} but ${exception.actual}`
      const text = `listed as ${listed}, found ${expected} but ${wrong.join(', ')}`
      problems.push({ code: 'exception-differs', id, text })
    }
  }
  return problems
}
