/**
 * Finds the lines of a few headers among all that came, in one pass and without a copy of any name: every request pays for it.
 *
 * @module
 */

import { failed, type Result, success } from '../base/result.ts'
import type { ForwardingFailure } from './failure.ts'
import { maxHeaderLength } from './headers/limits.ts'

/** Names to look for; compiled once, used for every request. */
export class WantedHeaders {
  /** Lower case, in the order in which they were given. */
  readonly names: readonly string[]
  /** Positions in `names`, by the length of the name. */
  readonly #byLength: readonly (readonly number[] | undefined)[]

  /** @param names - In any case; no two of them the same or twins. */
  constructor(names: readonly string[]) {
    this.names = names.map((name) => name.toLowerCase())
    const byLength: number[][] = []
    this.names.forEach((name, index) => {
      for (let i = byLength.length; i <= name.length; i++) byLength.push([])
      byLength[name.length]?.push(index)
    })
    this.#byLength = byLength.map((found) => (found.length === 0 ? undefined : found))
  }

  /** @param rawHeaders - Names and values in turns. */
  find(rawHeaders: readonly string[]): HeaderLines {
    const lines = new HeaderLines(this.names)
    const byLength = this.#byLength
    const last = rawHeaders.length - 1
    for (let i = 0; i < last; i += 2) {
      const name = rawHeaders[i] as string
      if (name.length >= byLength.length) continue
      const candidates = byLength[name.length]
      if (candidates === undefined) continue
      for (let j = 0; j < candidates.length; j++) {
        const index = candidates[j] as number
        const likeness = compare(name, this.names[index] as string)
        if (likeness === other) continue
        if (likeness === same) lines.add(index, rawHeaders[i + 1] as string)
        else lines.addTwin(index, name.toLowerCase())
        break
      }
    }
    return lines
  }
}

/** What was found; positions are those of the names in `WantedHeaders`. */
export class HeaderLines {
  readonly names: readonly string[]
  /** Value of the first line of each; `undefined`: there is none. */
  readonly values: (string | undefined)[]
  /** Every value of those with more than one line. */
  repeated: Map<number, string[]> | undefined
  /** The first name that differs from a wanted one only in `_` and `-`. */
  twin: { readonly index: number; readonly name: string } | undefined
  /** Whether there is a line of any, or a twin. */
  isEmpty = true

  constructor(names: readonly string[]) {
    this.names = names
    this.values = new Array<string | undefined>(names.length).fill(undefined)
    this.repeated = undefined
    this.twin = undefined
  }

  add(index: number, value: string): void {
    this.isEmpty = false
    const first = this.values[index]
    if (first === undefined) {
      this.values[index] = value
      return
    }
    this.repeated ??= new Map()
    const all = this.repeated.get(index)
    if (all === undefined) this.repeated.set(index, [first, value])
    else all.push(value)
  }

  addTwin(index: number, name: string): void {
    this.isEmpty = false
    this.twin ??= { index, name }
  }

  /** Value of the only line; `undefined`: there is none. */
  one(index: number): Result<string | undefined, ForwardingFailure> {
    const value = this.values[index]
    if (this.repeated?.has(index)) {
      return failed({ code: 'header-repeated', header: this.names[index] as string })
    }
    if (value !== undefined && value.length > maxHeaderLength) {
      const header = this.names[index] as string
      return failed({ code: 'header-too-large', header, maximum: maxHeaderLength })
    }
    return success(value)
  }

  /** Values of all lines in the order of their arrival. */
  all(index: number): readonly string[] {
    const first = this.values[index]
    return this.repeated?.get(index) ?? (first === undefined ? [] : [first])
  }
}

const other = 0
const same = 1
const twin = 2

/** @param wanted - Lower case, as long as `name`. */
function compare(name: string, wanted: string): typeof other | typeof same | typeof twin {
  let likeness: typeof same | typeof twin = same
  for (let i = 0; i < name.length; i++) {
    const unit = name.charCodeAt(i)
    const expected = wanted.charCodeAt(i)
    if (unit === expected) continue
    if (unit >= 0x41 && unit <= 0x5a && unit + 0x20 === expected) continue
    if (!isJoint(unit) || !isJoint(expected)) return other
    likeness = twin
  }
  return likeness
}

/** `-` or `_`: RFC 3875 §4.1.18 makes one of the other, and so do many servers that never were CGI. */
function isJoint(unit: number): boolean {
  return unit === 0x2d || unit === 0x5f
}
