/** Reads Name and RelativeDistinguishedName: RFC 5280 §4.1.2.4. @module */

import { trimmed } from '../base/trimmed.ts'
import { DerError } from '../der/error.ts'
import type { DerReader } from '../der/reader.ts'
import { tagSequence, tagSet } from '../der/tags.ts'
import type { AttributeTypeAndValue, Name, RelativeDistinguishedName } from './name.ts'
import { checkAttributeValue } from './name-value.ts'

/** Reads the Name at the reader's position. */
export function readName(reader: DerReader, expected: string): Name {
  const rdns: RelativeDistinguishedName[] = []
  const sequence = reader.enter(tagSequence, expected)
  const der = reader.element()
  while (!sequence.atEnd()) {
    rdns.push(readRelativeDistinguishedName(sequence, tagSet))
  }
  return { der, rdns: trimmed(rdns) }
}

/** Reads one SET OF AttributeTypeAndValue, or, with another tag, an implicitly tagged one (nameRelativeToCRLIssuer). */
export function readRelativeDistinguishedName(
  reader: DerReader,
  tag: number,
): RelativeDistinguishedName {
  const set = reader.enter(tag, 'relativeDistinguishedName')
  const first = readAttribute(set)
  if (set.atEnd()) return [first]
  const attributes = [first]
  while (!set.atEnd()) {
    const previousStart = set.start
    const previousEnd = set.position
    attributes.push(readAttribute(set))
    set.checkSetOrder(previousStart, previousEnd)
  }
  return attributes
}

function readAttribute(set: DerReader): AttributeTypeAndValue {
  const pair = set.enter(tagSequence, 'attribute')
  const type = pair.objectIdentifier('attribute type')
  const tag = pair.readAny('attribute value')
  pair.finish()
  // A constructed value (never a string) is kept whole: its octets are all that can be compared.
  const value = (tag & 0x20) === 0 && tag < 0x40 ? pair.content() : pair.element()
  if (!checkAttributeValue(tag, value)) {
    throw new DerError('der-string', pair.contentStart, `characters that tag ${tag} allows`)
  }
  return { type, tag, value }
}
