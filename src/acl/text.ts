/**
 * The text form, for configuration files: one entry a line, `#` begins a comment.
 *
 * ```text
 * allow dn "CN=Issuing CA 1,O=Bank,C=TR"                  # the issuer of the client's certificate
 * allow attributes O=Bank CN=* at path under spki-sha256 9f86…0a08
 * deny  spki-sha256 60303ae2…  at path  note "key lost"
 * allow key-id 01:AB:CD expires 2027-12-31T23:59:59Z
 * ```
 *
 * Words are parted by blanks; `"…"` holds blanks and `#`, and `""` in it is one quotation mark. A backslash means nothing
 * here, so that names keep their own escapes.
 *
 * @module
 */

import { formatTime } from '../base/time.ts'
import { makeClientAcl } from './client.ts'
import type { Acl, ReadEntry } from './compiled.ts'
import { type AclEntry, limits } from './entry.ts'
import { makeIssuerAcl } from './issuer.ts'
import { invalid, type Where } from './misuse.ts'
import { type ClientAcl, type IssuerAcl, readClientEntry, readIssuerEntry } from './read.ts'

/**
 * Reads an issuer ACL from its text form. A text without entries is an ACL that allows nobody.
 *
 * @throws `TypeError` with `code: 'acl-invalid'`, `line` (from 1), `field` and `expected`.
 * @example
 * const acl = parseIssuerAcl('allow dn "CN=Example Issuing CA,O=Example" # clients')
 * console.log(acl.entries[0]?.effect) // allow
 */
export function parseIssuerAcl(text: string): IssuerAcl {
  return makeIssuerAcl(readLines(text, readIssuerEntry))
}

/**
 * As {@link parseIssuerAcl}, for what an ACL may say of a client: also `san-dns`, `san-email`, `san-uri`, `serial … issuer …`.
 *
 * @example
 * const acl = parseClientAcl('allow san-dns client-a.example')
 * console.log(acl.entries[0]?.effect) // allow
 */
export function parseClientAcl(text: string): ClientAcl {
  return makeClientAcl(readLines(text, readClientEntry))
}

/**
 * The text form of an ACL; reading it gives the same entries.
 *
 * @example
 * const acl = issuerAclFromJson([{ effect: 'allow', match: { dn: 'CN=CA' }, at: 'path' }])
 * console.log(formatAcl(acl).trimEnd()) // allow dn CN=CA at path
 */
export function formatAcl(acl: Acl<AclEntry>): string {
  return acl.entries.map((entry) => `${formatEntry(entry)}\n`).join('')
}

/**
 * The text form of one entry: one line, without its end.
 *
 * @example
 * const { entries } = parseIssuerAcl('allow  dn  CN=CA')
 * console.log(entries.map(formatEntry).join('; ')) // allow dn CN=CA
 */
export function formatEntry(entry: AclEntry): string {
  const words: string[] = [entry.effect]
  addFields(words, entry.match)
  if ('at' in entry && entry.at !== 'issuer') words.push('at', entry.at)
  if (entry.under !== undefined) {
    words.push('under')
    addFields(words, entry.under)
  }
  if (entry.expires !== undefined) words.push('expires', formatTime(entry.expires))
  if (entry.note !== undefined) words.push('note', quote(entry.note))
  return words.join(' ')
}

function addFields(words: string[], match: object): void {
  for (const [field, value] of Object.entries(match) as [string, unknown][]) {
    words.push(keywordOf(field))
    if (typeof value === 'string') {
      words.push(quote(value))
      continue
    }
    for (const [type, wanted] of Object.entries(value as Record<string, string | string[]>)) {
      for (const text of [wanted].flat()) words.push(`${type}=${quote(text)}`)
    }
  }
}

function quote(text: string): string {
  return /^[^\s"#]+$/.test(text) ? text : `"${text.replaceAll('"', '""')}"`
}

function readLines<E>(
  text: string,
  read: (value: unknown, where: Where) => ReadEntry<E>,
): ReadEntry<E>[] {
  if (typeof text !== 'string') throw invalid({ field: '' }, 'a text')
  if (text.length > limits.text) throw invalid({ field: '' }, `at most ${limits.text} characters`)
  const entries: ReadEntry<E>[] = []
  let line = 0
  // A byte order mark is what some editors leave in front.
  for (const content of text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/)) {
    const where: Where = { line: ++line, field: '' }
    if (content.length > limits.line) throw invalid(where, `at most ${limits.line} characters`)
    const words = splitWords(content, where)
    if (words.length === 0) continue
    if (entries.length === limits.entries) throw invalid(where, `at most ${limits.entries} entries`)
    entries.push(read(readFields(words, where), where))
  }
  return entries
}

function splitWords(content: string, where: Where): string[] {
  const words: string[] = []
  let word: string | undefined
  let quoted = false
  for (let i = 0; i < content.length; i++) {
    const character = content.charAt(i)
    if (quoted) {
      if (character !== '"') word += character
      else if (content.charAt(i + 1) === '"') word += content.charAt(++i)
      else quoted = false
    } else if (character === '"') {
      quoted = true
      word ??= ''
    } else if (character === ' ' || character === '\t') {
      if (word !== undefined) words.push(word)
      word = undefined
    } else if (character === '#' && word === undefined) {
      break
    } else {
      word = (word ?? '') + character
    }
  }
  if (quoted) throw invalid(where, 'a closing quotation mark')
  return word === undefined ? words : [...words, word]
}

/** Turns the words of a line into the JSON form, which is then checked. */
function readFields(words: readonly string[], where: Where): Record<string, unknown> {
  const [effect, ...queue] = words
  const fields: Record<string, unknown> = { effect, match: readMatch(queue, where) }
  while (queue.length > 0) {
    const option = queue.shift() as string
    if (!['at', 'under', 'expires', 'note'].includes(option)) {
      throw invalid(where, `at, under, expires, note or the end of the line, not ${option}`)
    }
    if (fields[option] !== undefined) throw invalid(where, `${option} once`)
    fields[option] = option === 'under' ? readMatch(queue, where) : readValue(queue, option, where)
  }
  // Digits alone are seconds.
  const { expires } = fields
  return typeof expires === 'string' && /^\d{1,12}$/.test(expires)
    ? { ...fields, expires: Number(expires) }
    : fields
}

function readMatch(queue: string[], where: Where): Record<string, unknown> {
  const keyword = queue.shift()
  const field = keyword === undefined ? undefined : fieldOf(keyword)
  if (keyword === undefined || field === undefined) {
    throw invalid(where, `one of ${Object.values(keywords).join(', ')}`)
  }
  if (field === 'attributes') return { attributes: readAttributes(queue, where) }
  const value = readValue(queue, keyword, where)
  if (field !== 'serial') return { [field]: value }
  if (queue.shift() !== 'issuer') throw invalid(where, 'issuer and its name after a serial')
  return { serial: value, issuer: readValue(queue, 'issuer', where) }
}

function readAttributes(queue: string[], where: Where): Record<string, string | string[]> {
  const values = new Map<string, string | string[]>()
  for (let word = queue[0]; word?.includes('='); word = queue[0]) {
    queue.shift()
    const equals = word.indexOf('=')
    const type = word.slice(0, equals)
    const value = word.slice(equals + 1)
    const before = values.get(type)
    values.set(type, before === undefined ? value : [before, value].flat())
  }
  if (values.size === 0) throw invalid(where, 'TYPE=VALUE after attributes')
  return Object.fromEntries(values)
}

function readValue(queue: string[], keyword: string, where: Where): string {
  const value = queue.shift()
  if (value === undefined) throw invalid(where, `a value after ${keyword}`)
  return value
}

function keywordOf(field: string): string {
  return keywords[field] ?? field
}

function fieldOf(keyword: string): string | undefined {
  return Object.keys(keywords).find((field) => keywords[field] === keyword)
}

/** Field of the JSON form → word of the text form. */
const keywords: Readonly<Record<string, string>> = {
  dn: 'dn',
  attributes: 'attributes',
  spkiSha256: 'spki-sha256',
  certificateSha256: 'certificate-sha256',
  tbsSha256: 'tbs-sha256',
  certificate: 'certificate',
  keyId: 'key-id',
  sanDns: 'san-dns',
  sanEmail: 'san-email',
  sanUri: 'san-uri',
  serial: 'serial',
}
