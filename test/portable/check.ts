/** How the parts of the portable program say what they found. @module */

/** One check: `problem` is absent when it holds. */
export type Check = (name: string, problem: string | undefined) => void

export function differs(expected: string, actual: string): string | undefined {
  return actual === expected ? undefined : `expected ${expected}, got ${actual}`
}
