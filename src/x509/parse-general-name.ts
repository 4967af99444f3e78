/** Reads GeneralNames and GeneralSubtrees: RFC 5280 §4.2.1.6 and RFC 5280 §4.2.1.10. @module */

import { asciiText } from '../base/bytes.ts'
import { trimmed } from '../base/trimmed.ts'
import { DerError } from '../der/error.ts'
import type { DerReader } from '../der/reader.ts'
import { contextConstructed, contextPrimitive, tagSequence } from '../der/tags.ts'
import type { GeneralName, GeneralSubtree } from './general-name.ts'
import { readName } from './parse-name.ts'

/** SEQUENCE SIZE (1..MAX) OF GeneralName, under `tag`. */
export function readGeneralNames(
  reader: DerReader,
  expected: string,
  tag: number = tagSequence,
): readonly GeneralName[] {
  const sequence = reader.enter(tag, expected)
  const names: GeneralName[] = []
  do names.push(readGeneralName(sequence, addressSizes))
  while (!sequence.atEnd())
  return trimmed(names)
}

/** SEQUENCE SIZE (1..MAX) OF GeneralSubtree, under `tag`. */
export function readGeneralSubtrees(reader: DerReader, tag: number): readonly GeneralSubtree[] {
  const sequence = reader.enter(tag, 'subtrees')
  const subtrees: GeneralSubtree[] = []
  do {
    const subtree = sequence.enter(tagSequence, 'subtrees')
    const base = readGeneralName(subtree, subnetSizes)
    if (!subtree.atEnd()) {
      // minimum is 0 and not encoded, maximum absent: RFC 5280 §4.2.1.10 says so for every form.
      throw new DerError(
        'extension-malformed',
        subtree.position,
        'subtrees without minimum and maximum',
      )
    }
    subtrees.push({ base })
  } while (!sequence.atEnd())
  return subtrees
}

/** Reads one GeneralName; `sizes` are the two lengths that an iPAddress may have. */
export function readGeneralName(
  reader: DerReader,
  sizes: readonly [number, number] = addressSizes,
): GeneralName {
  const tag = reader.peek()
  switch (tag) {
    case contextPrimitive(1):
      return { kind: 'rfc822Name', value: readText(reader, tag) }
    case contextPrimitive(2):
      return { kind: 'dNSName', value: readText(reader, tag) }
    case contextPrimitive(6):
      return { kind: 'uniformResourceIdentifier', value: readText(reader, tag) }
    case contextPrimitive(7): {
      reader.read(tag, 'iPAddress')
      const octets = reader.content()
      if (octets.length !== sizes[0] && octets.length !== sizes[1]) {
        throw new DerError(
          'extension-malformed',
          reader.contentStart,
          `${sizes[0]} or ${sizes[1]} octets of iPAddress`,
        )
      }
      return { kind: 'iPAddress', octets }
    }
    case contextConstructed(4): {
      // EXPLICIT, because Name is a CHOICE.
      const inner = reader.enter(tag, 'directoryName')
      const name = readName(inner, 'directoryName')
      inner.finish()
      return { kind: 'directoryName', name }
    }
    case contextConstructed(0): {
      const inner = reader.enter(tag, 'otherName')
      const typeId = inner.objectIdentifier('otherName')
      // Everybody else reads a value without its [0] as well; the one type that we look into is read strictly.
      if (inner.peek() !== contextConstructed(0) && typeId !== smtpUtf8Mailbox) {
        inner.readAny('otherName')
        inner.finish()
        return { kind: 'otherName', typeId, value: inner.element() }
      }
      const value = inner.enter(contextConstructed(0), 'otherName')
      inner.finish()
      value.readAny('otherName')
      value.finish()
      return { kind: 'otherName', typeId, value: value.element() }
    }
    case contextPrimitive(8):
      return { kind: 'registeredID', oid: reader.objectIdentifier('registeredID', tag) }
    case contextConstructed(3):
    case contextConstructed(5):
      reader.read(tag, 'generalName')
      return {
        kind: tag === contextConstructed(3) ? 'x400Address' : 'ediPartyName',
        der: reader.element(),
      }
    default:
      throw new DerError(
        tag === -1 ? 'der-truncated' : 'der-unexpected-tag',
        reader.position,
        'generalName',
      )
  }
}

function readText(reader: DerReader, tag: number): string {
  reader.read(tag, 'text')
  for (let i = reader.contentStart; i < reader.position; i++) {
    if ((reader.bytes[i] as number) >= 0x80) throw new DerError('der-string', i, 'IA5 characters')
  }
  return asciiText(reader.bytes, reader.contentStart, reader.position)
}

/** RFC 9598 §3 */
const smtpUtf8Mailbox = '1.3.6.1.5.5.7.8.9'
const addressSizes = [4, 16] as const
const subnetSizes = [8, 32] as const
