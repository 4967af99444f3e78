/** Reading JSON data field by field: what is unknown, missing or of another type is a problem with its path, never passed over. @module */

import type { PolicyProblem } from './problem.ts'

/** One object of a document. Every field is asked for by name; `done` then reports those that nobody asked for. */
export class Fields {
  readonly #path: string
  readonly #problems: PolicyProblem[]
  readonly #values: Readonly<Record<string, unknown>>
  readonly #known = new Set<string>()

  constructor(value: unknown, path: string, problems: PolicyProblem[]) {
    this.#path = path
    this.#problems = problems
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    if (!isObject) problems.push({ path, problem: 'invalid', expected: 'an object' })
    // Own fields as they are at one moment: nothing comes from a prototype, and no getter answers twice.
    this.#values = isObject ? Object.assign(Object.create(null), value) : Object.create(null)
  }

  /** Absent and `undefined` are the same; `null` is a value. */
  get(name: string): unknown {
    this.#known.add(name)
    return this.#values[name]
  }

  flag(name: string, otherwise: boolean): boolean {
    const value = this.get(name)
    if (value === undefined) return otherwise
    if (typeof value === 'boolean') return value
    this.problem(name, 'invalid', 'true or false')
    return otherwise
  }

  /** A value that is missing or none of `allowed` is a problem; the first one stands in for it. */
  oneOf<T extends string>(name: string, allowed: readonly [T, ...T[]], otherwise?: T): T {
    const value = this.get(name)
    if (value === undefined && otherwise !== undefined) return otherwise
    if ((allowed as readonly unknown[]).includes(value)) return value as T
    const problem = value === undefined ? 'missing' : 'invalid'
    this.problem(name, problem, oneOfWords(allowed))
    return otherwise ?? allowed[0]
  }

  text(name: string): string | undefined {
    const value = this.get(name)
    if (value === undefined || typeof value === 'string') return value
    this.problem(name, 'invalid', 'a text')
    return undefined
  }

  /** What `otherwise` says of a number counts for `null`, too. */
  position(name: string): number | undefined {
    const value = this.get(name)
    if (value === undefined || value === null) return undefined
    if (Number.isSafeInteger(value) && (value as number) >= 1) return value as number
    this.problem(name, 'invalid', 'a whole number from 1, or null')
    return undefined
  }

  /** @returns The items, or none when it is no list. */
  list(name: string): readonly unknown[] {
    const value = this.get(name)
    if (value === undefined) return []
    if (Array.isArray(value)) return Array.from(value)
    this.problem(name, 'invalid', 'a list')
    return []
  }

  problem(name: string, problem: PolicyProblem['problem'], expected: string): void {
    this.#problems.push({ path: this.pathOf(name), problem, expected })
  }

  pathOf(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`
  }

  done(): void {
    for (const name of Object.keys(this.#values)) {
      if (this.#known.has(name)) continue
      const path = this.pathOf(name)
      const expected = `no such field; there are ${[...this.#known].join(', ')}`
      this.#problems.push({ path, problem: 'unknown-field', expected })
    }
  }
}

/** What a message says of the values that there are. */
export function oneOfWords(values: readonly unknown[]): string {
  const words = values.map(String).join(', ')
  return values.length === 1 ? words : `one of ${words}`
}
