/**
 * What JSON text must not be before it is parsed: RFC 8259 §4 leaves to each reader what a name means that comes twice, and §9 lets a
 * reader bound how deep it goes.
 *
 * @module
 */

export interface JsonFault {
  readonly code: 'duplicate-key' | 'too-deep' | 'too-many-values'
  /** Where it begins, such as `policy.active` or `apiProxies[2]`. */
  readonly path: string
}

/**
 * Reads the text once, from its first character to its last. Text that is no JSON may have no fault here: `JSON.parse` has the last word.
 *
 * @returns The first fault.
 */
export function jsonFault(text: string): JsonFault | undefined {
  const open: Container[] = []
  let values = 0
  let isKey = false
  const fault = (code: JsonFault['code']): JsonFault => ({ code, path: pathOf(open) })
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case quote: {
        const end = endOfString(text, at)
        if (end < 0) return undefined
        if (isKey) {
          isKey = false
          const key = keyOf(text, at, end)
          const object = open.at(-1)
          if (key === undefined || object === undefined) return undefined
          const isKnown = object.keys.has(key)
          object.at = key
          if (isKnown) return fault('duplicate-key')
          object.keys.add(key)
        }
        at = end
        break
      }
      case openBrace:
      case openBracket: {
        const isObject = text.charCodeAt(at) === openBrace
        if (open.length === maxDepth) return fault('too-deep')
        if (++values > maxValues) return fault('too-many-values')
        open.push(isObject ? { keys: new Set(), at: '' } : { keys: none, at: 0 })
        isKey = isObject
        break
      }
      case closeBrace:
      case closeBracket:
        open.pop()
        isKey = false
        break
      case comma: {
        const container = open.at(-1)
        if (container === undefined) return undefined
        if (++values > maxValues) return fault('too-many-values')
        if (typeof container.at === 'number') container.at++
        else isKey = true
        break
      }
      default:
    }
  }
  return undefined
}

/** An object with the names that it has so far, or a list. */
interface Container {
  readonly keys: Set<string>
  /** What is being read of it: a name, or an index. */
  at: string | number
}

/** @returns Index of the quotation mark that ends the string; -1: none does. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = end - 1
    while (text.charCodeAt(before) === backslash) before--
    // Each pair of backslashes is one that is meant.
    if ((end - before) % 2 === 1) return end
  }
  return -1
}

/** Two spellings of one name are the same name. */
function keyOf(text: string, start: number, end: number): string | undefined {
  const key = text.slice(start + 1, end)
  if (!key.includes('\\')) return key
  try {
    return JSON.parse(text.slice(start, end + 1)) as string
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function pathOf(open: readonly Container[]): string {
  let path = ''
  for (const { at } of open) {
    if (typeof at === 'number') path += `[${at}]`
    else path += path === '' ? at : `.${at}`
  }
  return path
}

const quote = 0x22
const comma = 0x2c
const openBracket = 0x5b
const backslash = 0x5c
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d
/** A list has none. */
const none: Set<string> = new Set()
/** Local limits: no document goes deeper than an ACL within a policy within a file, and twenty thousand kill list entries have a tenth as many values. */
export const maxDepth = 64
export const maxValues = 1_000_000
