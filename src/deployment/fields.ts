/** Reading JSON data by strict rules: the first problem becomes the failure. @module */

import { failed, type Result, success } from '../base/result.ts'
import { Fields } from '../policy/fields.ts'
import type { PolicyProblem } from '../policy/problem.ts'
import type { DeploymentFailure } from './failure.ts'

/** One object of a document, every field required; `null` is a value like others. */
export class DocumentFields {
  readonly #fields: Fields
  readonly #problems: PolicyProblem[]

  constructor(value: unknown, path: string, problems: PolicyProblem[]) {
    this.#fields = new Fields(value, path, problems)
    this.#problems = problems
  }

  text(name: string, pattern: RegExp, expected: string): string {
    const value = this.#fields.get(name)
    if (typeof value === 'string' && pattern.test(value)) return value
    this.problem(name, expected)
    return ''
  }

  optionalText(name: string, pattern: RegExp, expected: string): string | undefined {
    return this.#fields.get(name) === undefined ? undefined : this.text(name, pattern, expected)
  }

  nullableText(name: string, pattern: RegExp, expected: string): string | null {
    return this.#fields.get(name) === null ? null : this.text(name, pattern, `${expected}, or null`)
  }

  count(name: string, minimum: number, maximum: number): number {
    const value = this.#fields.get(name)
    if (Number.isSafeInteger(value)) {
      const number = value as number
      if (number >= minimum && number <= maximum) return number
    }
    this.problem(name, `a whole number from ${minimum} to ${maximum}`)
    return minimum
  }

  oneOf<T extends string>(name: string, allowed: readonly [T, ...T[]]): T {
    return this.#fields.oneOf(name, allowed)
  }

  flag(name: string): boolean {
    if (this.#fields.get(name) === undefined) this.problem(name, 'true or false')
    return this.#fields.flag(name, false)
  }

  /** Only this value. */
  fixed<T extends string | number>(name: string, value: T): T {
    if (this.#fields.get(name) !== value) this.problem(name, JSON.stringify(value))
    return value
  }

  list<T>(
    name: string,
    maximum: number,
    read: (item: unknown, path: string, problems: PolicyProblem[]) => T,
  ): readonly T[] {
    if (!Array.isArray(this.#fields.get(name))) {
      this.problem(name, 'a list')
      return []
    }
    const items = this.#fields.list(name)
    if (items.length > maximum) {
      this.problem(name, `at most ${maximum} items`)
      return []
    }
    return items.map((item, index) =>
      read(item, `${this.#fields.pathOf(name)}[${index}]`, this.#problems),
    )
  }

  texts(name: string, maximum: number, pattern: RegExp, expected: string): readonly string[] {
    return this.list(name, maximum, (item, path, problems) => {
      if (typeof item === 'string' && pattern.test(item)) return item
      problems.push({ path, problem: 'invalid', expected })
      return ''
    })
  }

  object<T>(name: string, read: (value: unknown, path: string, problems: PolicyProblem[]) => T): T {
    return read(this.#fields.get(name), this.#fields.pathOf(name), this.#problems)
  }

  nullable<T>(
    name: string,
    read: (value: unknown, path: string, problems: PolicyProblem[]) => T,
  ): T | null {
    return this.#fields.get(name) === null ? null : this.object(name, read)
  }

  problem(name: string, expected: string): void {
    this.#fields.problem(name, 'invalid', expected)
  }

  pathOf(name: string): string {
    return this.#fields.pathOf(name)
  }

  done(): void {
    this.#fields.done()
  }
}

/** Reads a whole document. */
export function readDocument<T>(
  value: unknown,
  read: (value: unknown, path: string, problems: PolicyProblem[]) => T,
): Result<T, DeploymentFailure> {
  const problems: PolicyProblem[] = []
  const document = read(value, '', problems)
  const [first] = problems
  if (first === undefined) return success(document)
  return failed({ code: 'document-malformed', path: first.path, expected: first.expected })
}

/** As names of policies: what can stand in one segment of a path. */
export const namePattern: RegExp = /^(?!\.{1,2}$)[^\p{C}\p{Zl}\p{Zp}/]{1,255}$/u
export const nameWords = 'a name of at most 255 characters, without / and control characters'
export const hashPattern: RegExp = /^[0-9a-f]{64}$/
export const hashWords = 'a SHA-256 digest: 64 hexadecimal digits, lower case'
/** RFC 3339 §5.6, in UTC. */
export const timePattern: RegExp =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?Z$/
export const timeWords = 'a time such as 2026-11-23T22:00:00Z'
