/** The one form of a document in bytes: RFC 8785, so that equal documents have equal hashes. @module */

import { createHash } from 'node:crypto'
import { misuse } from '../client/misuse.ts'

/**
 * Writes JSON data with sorted keys and without spaces. Fields that are `undefined` are left out, as JSON has none.
 *
 * @throws TypeError with code `option-invalid` for what JSON cannot say (a class, a function, half a surrogate pair), for any number but
 * whole ones up to 2^53 - 1, and below a depth of 64.
 * @example
 * console.log(canonicalJson({ b: [1, null], a: 'x' })) // {"a":"x","b":[1,null]}
 */
export function canonicalJson(value: unknown): string {
  return write(value, 0)
}

/** SHA-256 of the canonical form: 64 hexadecimal digits, lower case. */
export function hashOf(document: unknown): string {
  return sha256Hex(canonicalJson(document))
}

/** SHA-256 of octets, or of a text's UTF-8: 64 hexadecimal digits, lower case. */
export function sha256Hex(octets: Uint8Array | string): string {
  return createHash('sha256').update(octets).digest('hex')
}

function write(value: unknown, depth: number): string {
  if (depth > maxDepth) throw refuse(`no deeper than ${maxDepth}`)
  switch (typeof value) {
    case 'string':
      // RFC 8785 §3.2.2.2: what has no UTF-8 has no canonical form.
      if (/\p{Cs}/u.test(value)) throw refuse('text without lone surrogates')
      return JSON.stringify(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'number':
      // Whole numbers are written in one way by everybody; fractions of RFC 8785 §3.2.2.3 are in no document. -0 would read back as 0.
      if (!Number.isSafeInteger(value) || Object.is(value, -0)) throw refuse('a whole number')
      return String(value)
    case 'object':
      if (value === null) return 'null'
      return Array.isArray(value) ? writeList(value, depth) : writeObject(value, depth)
    default:
      throw refuse('JSON data')
  }
}

function writeList(list: readonly unknown[], depth: number): string {
  return `[${Array.from(list, (item) => write(item, depth + 1)).join()}]`
}

function writeObject(object: object, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(object)
  // A Date or a Map would lose what it holds.
  if (prototype !== null && prototype !== Object.prototype) throw refuse('a plain object')
  const fields = Object.entries(object).filter(([, value]) => value !== undefined)
  // RFC 8785 §3.2.3: by UTF-16 code units, which is how JavaScript compares.
  fields.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([key, value]) => `${write(key, depth)}:${write(value, depth + 1)}`).join()}}`
}

function refuse(expected: string): TypeError {
  return misuse('option-invalid', `a document must be ${expected}`, { option: 'document' })
}

/** Local limit: no document of ours is deeper than ten. */
const maxDepth = 64
