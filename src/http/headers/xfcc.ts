/**
 * `x-forwarded-client-cert` in its text form, as Envoy 1.40 was seen to write it: elements joined by `,`, pairs joined by `;`, and no
 * escaping of URI and DNS names. A certificate chooses those, and so can write `;` and `,` and whole pairs into the header. What keeps
 * it out is the order in which Envoy writes its keys: whatever proves who the client is comes before the first name that it chose.
 *
 * @module
 */

import { failed, type Result, success } from '../../base/result.ts'

/** One hop's word about who connected to it. */
export interface XfccElement {
  /** URI names of the proxy's own certificate. */
  readonly by: readonly string[]
  /** SHA-256 of the certificate: 64 hexadecimal digits, lower case. */
  readonly hash: string | undefined
  /** PEM, still percent-encoded in the text form. */
  readonly certificate: string | undefined
  /** PEM texts, the client's own certificate first; in the text form one text, percent-encoded, with all of them. */
  readonly chain: readonly string[] | undefined
  /** RFC 2253 text with its escapes, the same in both forms. Empty: the certificate's subject is. */
  readonly subject: string | undefined
  readonly issuer: string | undefined
  readonly uris: readonly string[]
  readonly dnsNames: readonly string[]
  /**
   * Text form: more than one pair stands where Envoy writes the names that the certificate chose, so that the first name may have
   * written the others, and be longer than it looks; or such a name is quoted, which is the certificate's doing, too.
   */
  readonly namesAmbiguous: boolean
}

/** What should have stood there. */
export interface XfccProblem {
  readonly expected: string
}

/**
 * Reads the text form. Refused besides what is no list of pairs: an unknown key, because a certificate may have written it; keys in
 * another order than Envoy's; a key twice that is not `By`, `URI` or `DNS`; characters outside printable ASCII.
 *
 * @returns Elements in the order of the header: the last proxy's is the last. Never empty.
 */
export function readXfccText(text: string): Result<readonly XfccElement[], XfccProblem> {
  if (!isPrintable(text)) return failed({ expected: 'printable ASCII' })
  if (text.startsWith('[')) return failed({ expected: 'the text form, not JSON' })
  const elements: XfccElement[] = []
  for (let position = 0; ; ) {
    const read = readElement(text, position)
    if (!read.ok) return read
    if (elements.push(read.value.element) > maxXfccElements) {
      return failed({ expected: `at most ${maxXfccElements} elements` })
    }
    if (read.value.end === text.length) return success(elements)
    position = read.value.end + 1
  }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** @returns The element and where it ends: at a comma or at the end of the text. */
function readElement(
  text: string,
  start: number,
): Result<{ readonly element: XfccElement; readonly end: number }, XfccProblem> {
  const by: string[] = []
  const uris: string[] = []
  const dnsNames: string[] = []
  const element: Writable<XfccElement> = {
    by,
    hash: undefined,
    certificate: undefined,
    chain: undefined,
    subject: undefined,
    issuer: undefined,
    uris,
    dnsNames,
    namesAmbiguous: false,
  }
  let last = -1
  for (let position = start; ; ) {
    const equals = text.indexOf('=', position)
    // No key is longer than seven characters: what is looked at to find one stays small.
    const key =
      equals === -1 ? '' : text.slice(position, Math.min(equals, position + 8)).toLowerCase()
    const rank = order.indexOf(key)
    if (rank === -1) return failed({ expected: 'one of the keys that Envoy writes' })
    if (rank < last) return failed({ expected: 'keys in the order in which Envoy writes them' })
    if (rank === last && !mayRepeat(key)) return failed({ expected: `${key} once in an element` })
    if (last >= firstChosen) element.namesAmbiguous = true
    last = rank
    const read = readValue(text, equals + 1)
    if (!read.ok) return read
    const { value, end, quoted } = read.value
    if (quoted && rank >= firstChosen) element.namesAmbiguous = true
    const plain = quoted ? value.replaceAll('\\"', '"') : value
    if (key === 'by') by.push(...nonEmpty(plain))
    else if (key === 'uri') uris.push(...nonEmpty(plain))
    else if (key === 'dns') dnsNames.push(...nonEmpty(plain))
    else if (key === 'cert') element.certificate = value
    else if (key === 'chain') element.chain = [value]
    // Not unescaped: `\"` is the name's own escape there, as JSON shows it.
    else if (key === 'subject') element.subject = value
    else if (key === 'issuer') element.issuer = value
    else if (sha256Digits.test(value)) element.hash = value.toLowerCase()
    else return failed({ expected: 'a SHA-256 in hexadecimal' })
    if (text.charAt(end) !== ';') return success({ element, end })
    position = end + 1
  }
}

/** @returns The value without its quotation marks, and the position of the `;` or `,` after it or the end of the text. */
function readValue(
  text: string,
  start: number,
): Result<{ readonly value: string; readonly end: number; readonly quoted: boolean }, XfccProblem> {
  if (text.charAt(start) !== '"') {
    let end = start
    for (; end < text.length; end++) {
      const character = text.charAt(end)
      if (character === ';' || character === ',') break
      if (character === '"') return failed({ expected: 'quotation marks around a whole value' })
    }
    return success({ value: text.slice(start, end), end, quoted: false })
  }
  let end = start + 1
  while (end < text.length && text.charAt(end) !== '"') end += text.charAt(end) === '\\' ? 2 : 1
  if (end >= text.length) return failed({ expected: 'a closing quotation mark' })
  const after = end + 1
  if (after < text.length && text.charAt(after) !== ';' && text.charAt(after) !== ',') {
    return failed({ expected: 'quotation marks around a whole value' })
  }
  return success({ value: text.slice(start + 1, end), end: after, quoted: true })
}

function mayRepeat(key: string): boolean {
  return key === 'by' || key === 'uri' || key === 'dns'
}

/** Envoy writes `URI=` for a certificate without one, and older versions `By=`. */
function nonEmpty(value: string): readonly string[] {
  return value === '' ? [] : [value]
}

/** Space to tilde. */
export function isPrintable(text: string): boolean {
  return /^[ -~]*$/.test(text)
}

/** Keys in Envoy's order, whatever the configuration asks for. */
const order: readonly string[] = ['by', 'hash', 'cert', 'chain', 'subject', 'uri', 'dns', 'issuer']

/** From here on a certificate may have written what stands there. */
const firstChosen = order.indexOf('uri')

export const sha256Digits: RegExp = /^[0-9A-Fa-f]{64}$/

/** Local limit: as many proxies in a row as nobody has. */
export const maxXfccElements = 16
