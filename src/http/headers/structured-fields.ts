/**
 * Byte sequences of structured fields, as `Client-Cert` and `Client-Cert-Chain` have them: RFC 9651 §4.2, RFC 9440 §2.2. Parameters are
 * read, so that what is none is refused, and mean nothing.
 *
 * @module
 */

import { success } from '../../base/result.ts'
import { decodeExactBase64, isOneSequence } from './der.ts'
import { malformed, maxCertificates, type ReadCertificates, tooMany } from './limits.ts'

/** An Item that is one Byte Sequence: RFC 9440 §2.2. A list of them is refused, for the leaf is never one. */
export function readByteSequenceItem(text: string): ReadCertificates {
  const item = readItem(text, passSpaces(text, 0))
  if (item === undefined) return malformed(expectedItem)
  const end = passSpaces(text, item.end)
  if (end === text.length) return success([item.octets])
  return text.charCodeAt(passWhiteSpace(text, end)) === comma
    ? { ok: false, failure: { problem: 'repeated', expected: expectedItem } }
    : malformed(expectedItem)
}

/** A List of Byte Sequences, RFC 9440 §2.3; several lines are joined by `,` before. An empty one has no members. */
export function readByteSequenceList(text: string): ReadCertificates {
  const members: Uint8Array[] = []
  let position = passSpaces(text, 0)
  if (position === text.length) return success(members)
  for (;;) {
    const item = readItem(text, position)
    if (item === undefined) return malformed(expectedList)
    if (members.push(item.octets) > maxCertificates) return tooMany
    const end = passWhiteSpace(text, item.end)
    if (end === text.length) {
      // Only spaces may end the field; a tab belongs before a comma.
      return passSpaces(text, item.end) === end ? success(members) : malformed(expectedList)
    }
    if (text.charCodeAt(end) !== comma) return malformed(expectedList)
    position = passWhiteSpace(text, end + 1)
  }
}

/** One Byte Sequence of DER, with its parameters. */
function readItem(
  text: string,
  start: number,
): { readonly octets: Uint8Array; readonly end: number } | undefined {
  if (text.charCodeAt(start) !== colon) return undefined
  const close = text.indexOf(':', start + 1)
  if (close === -1) return undefined
  const octets = decodeByteSequence(text, start + 1, close)
  if (octets === undefined || !isOneSequence(octets)) return undefined
  const end = passParameters(text, close + 1)
  return end === undefined ? undefined : { octets, end }
}

/** RFC 9651 §4.2.7: padding may be left out, then all of it; bits that no octet uses must be zero. */
function decodeByteSequence(text: string, start: number, end: number): Uint8Array | undefined {
  const missing = -(end - start) & 3
  if (missing === 0) return decodeExactBase64(text, start, end)
  if (missing === 3 || text.charCodeAt(end - 1) === 0x3d) return undefined
  return decodeExactBase64(text.slice(start, end).padEnd(end - start + missing, '='))
}

/** RFC 9651 §4.2.3.2; `undefined`: what follows a `;` is no parameter. */
function passParameters(text: string, start: number): number | undefined {
  let position = start
  while (text.charCodeAt(position) === semicolon) {
    parameter.lastIndex = position
    const found = parameter.exec(text)
    if (found === null) return undefined
    const [whole, bytes, display] = found
    if (bytes !== undefined && bytes !== '' && !isByteSequence(bytes)) return undefined
    if (display !== undefined && !isUtf8(display)) return undefined
    position += whole.length
  }
  return position
}

function isByteSequence(content: string): boolean {
  return decodeByteSequence(content, 0, content.length) !== undefined
}

/** RFC 9651 §4.2.10: a Display String is UTF-8, percent-encoded in lower case. */
function isUtf8(content: string): boolean {
  try {
    decodeURIComponent(content)
    return true
  } catch (error) {
    if (!(error instanceof URIError)) throw error
    return false
  }
}

function passSpaces(text: string, start: number): number {
  let position = start
  while (text.charCodeAt(position) === 0x20) position++
  return position
}

function passWhiteSpace(text: string, start: number): number {
  let position = start
  while (text.charCodeAt(position) === 0x20 || text.charCodeAt(position) === 0x09) position++
  return position
}

const colon = 0x3a
const comma = 0x2c
const semicolon = 0x3b

/** Key and Bare Item: RFC 9651 §4.2.3.3, RFC 9651 §4.2.3.1. The first character of a value tells its kind; each is read once. */
const parameter: RegExp =
  /; *[a-z*][a-z0-9_\-.*]*(?:=(?:-?\d{1,12}\.\d{1,3}|-?\d{1,15}|"(?:[ !#-[\]-~]|\\["\\])*"|[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*|:([A-Za-z0-9+/=]*):|\?[01]|@-?\d{1,15}|%"((?:[ !#$&-~]|%[0-9a-f]{2})*)"))?/y

const expectedItem = 'one byte sequence of DER, as in :MIIB…:'
const expectedList = 'byte sequences of DER, as in :MIIB…:, :MIIC…:'
