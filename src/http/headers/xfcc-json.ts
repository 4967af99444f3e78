/**
 * `x-forwarded-client-cert` as JSON (RFC 8259), as Envoy 1.40 was seen to write it: an array of objects with lower-case keys, every
 * list a list, even of one. `JSON.parse` keeps the last of two equal keys and says nothing, so that this is a reader of its own, which
 * knows this one shape: nothing nests deeper than a text in a list in an object in the array.
 *
 * @module
 */

import { failed, type Result, success } from '../../base/result.ts'
import {
  isPrintable,
  maxXfccElements,
  sha256Digits,
  type XfccElement,
  type XfccProblem,
} from './xfcc.ts'

/**
 * Reads the JSON form. Refused besides what is no such array: a key twice, an unknown key, a value of another type, a name with
 * characters outside printable ASCII, anything after the array.
 *
 * @returns Elements in the order of the header: the last proxy's is the last. Never empty.
 */
export function readXfccJson(text: string): Result<readonly XfccElement[], XfccProblem> {
  if (!text.startsWith('[')) return failed({ expected: 'a JSON array, not the text form' })
  const cursor: Cursor = { text, position: 1 }
  const elements: XfccElement[] = []
  do {
    const element = readElement(cursor)
    if (!element.ok) return element
    if (elements.push(element.value) > maxXfccElements) {
      return failed({ expected: `at most ${maxXfccElements} elements` })
    }
  } while (take(cursor, ','))
  if (!take(cursor, ']')) return failed({ expected: 'the end of the array' })
  skipSpace(cursor)
  return cursor.position === text.length
    ? success(elements)
    : failed({ expected: 'nothing after the array' })
}

interface Cursor {
  readonly text: string
  position: number
}

function readElement(cursor: Cursor): Result<XfccElement, XfccProblem> {
  if (!take(cursor, '{')) return failed({ expected: 'an object' })
  const texts = new Map<string, string>()
  const lists = new Map<string, readonly string[]>()
  if (!take(cursor, '}')) {
    do {
      const key = readText(cursor)
      if (!key.ok) return key
      if (texts.has(key.value) || lists.has(key.value)) {
        return failed({ expected: 'every key once' })
      }
      if (!take(cursor, ':')) return failed({ expected: 'a colon after a key' })
      if (listKeys.has(key.value)) {
        const list = readList(cursor, isPem(key.value))
        if (!list.ok) return list
        lists.set(key.value, list.value)
      } else if (textKeys.has(key.value)) {
        const value = readField(cursor, isPem(key.value))
        if (!value.ok) return value
        texts.set(key.value, value.value)
      } else return failed({ expected: 'one of the keys that Envoy writes' })
    } while (take(cursor, ','))
    if (!take(cursor, '}')) return failed({ expected: 'the end of the object' })
  }
  const hash = texts.get('hash')
  if (hash !== undefined && !sha256Digits.test(hash)) {
    return failed({ expected: 'a SHA-256 in hexadecimal' })
  }
  return success({
    by: lists.get('by') ?? [],
    hash: hash?.toLowerCase(),
    certificate: texts.get('cert'),
    chain: lists.get('chain'),
    subject: texts.get('subject'),
    issuer: texts.get('issuer'),
    uris: lists.get('uri') ?? [],
    dnsNames: lists.get('dns') ?? [],
    namesAmbiguous: false,
  })
}

function readList(cursor: Cursor, pem: boolean): Result<readonly string[], XfccProblem> {
  if (!take(cursor, '[')) return failed({ expected: 'a list' })
  const list: string[] = []
  if (take(cursor, ']')) return success(list)
  do {
    const value = readField(cursor, pem)
    if (!value.ok) return value
    list.push(value.value)
  } while (take(cursor, ','))
  return take(cursor, ']') ? success(list) : failed({ expected: 'the end of the list' })
}

/** PEM has line ends and is read strictly later; whatever else is no printable ASCII would not be the same to everybody. */
function readField(cursor: Cursor, pem: boolean): Result<string, XfccProblem> {
  const value = readText(cursor)
  if (!value.ok || pem || isPrintable(value.value)) return value
  return failed({ expected: 'names of printable ASCII' })
}

/** RFC 8259 §7. */
function readText(cursor: Cursor): Result<string, XfccProblem> {
  if (!take(cursor, '"')) return failed({ expected: 'a text' })
  const { text } = cursor
  let value = ''
  for (let start = cursor.position, at = start; at < text.length; ) {
    const unit = text.charCodeAt(at)
    if (unit === quotationMark) {
      cursor.position = at + 1
      return success(value + text.slice(start, at))
    }
    if (unit !== backslash) {
      if (unit < 0x20 || unit > 0x7e) return failed({ expected: 'printable ASCII' })
      at++
      continue
    }
    value += text.slice(start, at)
    const letter = text.charAt(at + 1)
    const known = escapes.get(letter)
    const digits = letter === 'u' ? text.slice(at + 2, at + 6) : ''
    if (known === undefined && !fourDigits.test(digits)) return failed({ expected: 'an escape' })
    value += known ?? String.fromCharCode(Number.parseInt(digits, 16))
    at += known === undefined ? 6 : 2
    start = at
  }
  return failed({ expected: 'a closing quotation mark' })
}

/** Whether `character` comes next, after any white space; then it is behind the cursor. */
function take(cursor: Cursor, character: string): boolean {
  skipSpace(cursor)
  if (cursor.text.charAt(cursor.position) !== character) return false
  cursor.position++
  return true
}

/** Of RFC 8259 §2 what can stand in a header. */
function skipSpace(cursor: Cursor): void {
  while (
    cursor.text.charAt(cursor.position) === ' ' ||
    cursor.text.charAt(cursor.position) === '\t'
  ) {
    cursor.position++
  }
}

function isPem(key: string): boolean {
  return key === 'cert' || key === 'chain'
}

const textKeys: ReadonlySet<string> = new Set(['hash', 'cert', 'subject', 'issuer'])
const listKeys: ReadonlySet<string> = new Set(['by', 'chain', 'uri', 'dns'])
const escapes: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
])
const fourDigits: RegExp = /^[0-9A-Fa-f]{4}$/
const quotationMark = 0x22
const backslash = 0x5c
