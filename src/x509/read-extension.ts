/** Reads the shape that all extensions share, in certificates, lists and responses alike: RFC 5280 §4.1 and RFC 5280 §4.2. @module */

import { trimmed } from '../base/trimmed.ts'
import { DerError } from '../der/error.ts'
import type { DerReader } from '../der/reader.ts'
import { tagBoolean, tagOctetString, tagSequence } from '../der/tags.ts'
import type { Extension } from './extensions.ts'

/** One extension, its value not read yet. */
export interface UnreadExtension {
  /** Dotted decimal. */
  readonly oid: string
  readonly critical: boolean
  /** Over the octets inside extnValue. */
  readonly value: DerReader
}

/** Reads one Extension at the reader's position. */
export function readExtension(reader: DerReader): UnreadExtension {
  const item = reader.enter(tagSequence, 'extension')
  const oid = item.objectIdentifier('extnID')
  const critical = item.peek() === tagBoolean && item.boolean('critical')
  if (!critical && item.bytes[item.start] === tagBoolean) throw writtenDefault(item)
  const value = item.enter(tagOctetString, 'extnValue')
  item.finish()
  return { oid, critical, value }
}

/**
 * Reads SEQUENCE SIZE (1..MAX) OF Extension at the reader's position, each id once.
 *
 * @param read - Called for each in its order; `value` is a reader over the octets inside extnValue.
 */
export function readEachExtension(
  reader: DerReader,
  expected: string,
  read: (extension: Extension, value: DerReader) => void,
): readonly Extension[] {
  const sequence = reader.enter(tagSequence, expected)
  const all: Extension[] = []
  let seen: Set<string> | undefined
  do {
    const { oid, critical, value } = readExtension(sequence)
    // A handful is looked through faster than a set is made; thousands must not be quadratic.
    if (all.length === fewExtensions) seen = new Set(all.map((one) => one.oid))
    if (seen === undefined ? all.some((one) => one.oid === oid) : seen.has(oid)) {
      throw repeated(sequence, oid)
    }
    seen?.add(oid)
    const extension = { oid, critical, value: value.bytes.subarray(value.position, value.end) }
    all.push(extension)
    read(extension, value)
  } while (!sequence.atEnd())
  return trimmed(all)
}

export function repeated(reader: DerReader, oid: string): DerError {
  return new DerError('extension-duplicate', reader.start, `only one extension ${oid}`)
}

export function malformed(reader: DerReader, expected: string): DerError {
  return new DerError('extension-malformed', reader.position, expected)
}

export function writtenDefault(reader: DerReader): DerError {
  return new DerError('der-default-value', reader.start, 'no encoding of the default FALSE')
}

const fewExtensions = 16
