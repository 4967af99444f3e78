/** Mutations of the encoding: a certificate as a tree of elements, one of which is changed. @module */

import { concatBytes } from '../../src/base/bytes.ts'
import { oidText } from '../../src/base/oid.ts'
import type { Random } from './random.ts'

interface Element {
  readonly tag: number
  readonly content: Uint8Array
  /** Elements inside; then `content` counts no more. */
  readonly children: readonly Element[] | undefined
  /** Written in place of the header that would be right. */
  readonly header?: (tag: number, length: number) => Uint8Array
  readonly trailer?: Uint8Array
}

/** A change of one element: what stands there instead, any number of elements. */
type Change = (element: Element, random: Random, others: readonly Element[]) => readonly Element[]

export const octetChanges: { readonly [name: string]: Change } = {
  delete: () => [],
  duplicate: (element) => [element, element],
  tag: (element, random) => [{ ...element, tag: random.pick(tags) }],
  'tag-bit': (element, random) => [{ ...element, tag: element.tag ^ (1 << random.below(8)) }],
  'content-bit': (element, random) => {
    const content = Uint8Array.from(contentOf(element))
    if (content.length > 0) content[random.below(content.length)]! ^= 1 << random.below(8)
    return [{ ...element, content, children: undefined }]
  },
  'content-empty': (element) => [{ ...element, content: new Uint8Array(), children: undefined }],
  'content-longer': (element, random) => [
    {
      ...element,
      content: concatBytes(contentOf(element), random.octets(1 + random.below(3))),
      children: undefined,
    },
  ],
  'content-shorter': (element) => [
    { ...element, content: contentOf(element).subarray(0, -1), children: undefined },
  ],
  'content-zero-first': (element) => [
    { ...element, content: concatBytes(Uint8Array.of(0), contentOf(element)), children: undefined },
  ],
  'content-random': (element, random) => [
    { ...element, content: random.octets(contentOf(element).length), children: undefined },
  ],
  splice: (element, random, others) => {
    const alike = others.filter(({ tag }) => tag === element.tag)
    return [alike.length > 0 ? random.pick(alike) : element]
  },
  insert: (element, random, others) => [element, random.pick(others)],
  reverse: (element) => [
    { ...element, children: element.children && [...element.children].reverse() },
  ],
  'length-long': (element) => [
    {
      ...element,
      header: (tag, length) => Uint8Array.of(tag, 0x84, 0, 0, length >> 8, length & 0xff),
    },
  ],
  'length-indefinite': (element) => [
    {
      ...element,
      header: (tag) => Uint8Array.of(tag, 0x80),
      trailer: Uint8Array.of(0, 0),
    },
  ],
  'length-one-more': (element) => [
    { ...element, header: (tag, length) => writeHeader(tag, length + 1) },
  ],
  'length-one-less': (element) => [
    { ...element, header: (tag, length) => writeHeader(tag, Math.max(0, length - 1)) },
  ],
  'length-huge': (element) => [
    { ...element, header: (tag) => Uint8Array.of(tag, 0x84, 0x7f, 0xff, 0xff, 0xff) },
  ],
}

/** Where an element stands, for the name of a case. */
export interface Place {
  readonly position: number
  /** `subject`, `validity`, `2.5.29.19` … */
  readonly field: string
}

/** Every element below the root, with the field of the tbsCertificate that it belongs to. */
export function placesIn(tbsCertificate: Uint8Array): readonly Place[] {
  const places: Place[] = []
  let position = 0
  const visit = (element: Element, field: string) => {
    places.push({ position: position++, field })
    for (const child of element.children ?? []) visit(child, field)
  }
  const root = read(tbsCertificate)
  places.push({ position: position++, field: 'tbs' })
  for (const [i, child] of (root.children ?? []).entries()) {
    if (child.tag !== 0xa3) {
      visit(child, fields[i] ?? 'further')
      continue
    }
    places.push({ position: position++, field: 'extensions' })
    for (const list of child.children ?? []) {
      places.push({ position: position++, field: 'extensions' })
      for (const extension of list.children ?? []) {
        const id = extension.children?.[0]?.content
        visit(extension, (id && oidText(id)) ?? 'extensions')
      }
    }
  }
  return places
}

/** Applies the change at one place and writes the whole again; lengths around it are right. */
export function changeAt(
  der: Uint8Array,
  position: number,
  name: string,
  random: Random,
): Uint8Array {
  const change = octetChanges[name]
  if (change === undefined) throw new Error(`no such change: ${name}`)
  const root = read(der)
  const others = flatten(root)
  let at = 0
  const visit = (element: Element): readonly Element[] => {
    if (at++ === position) {
      // Elements inside keep their numbers, or the rest would be counted twice.
      at += flatten(element).length - 1
      return change(element, random, others)
    }
    return element.children === undefined
      ? [element]
      : [{ ...element, children: element.children.flatMap(visit) }]
  }
  return concatBytes(...visit(root).map(write))
}

function flatten(element: Element): readonly Element[] {
  return [element, ...(element.children ?? []).flatMap(flatten)]
}

function contentOf({ content, children }: Element): Uint8Array {
  return children === undefined ? content : concatBytes(...children.map(write))
}

function write(element: Element): Uint8Array {
  const content = contentOf(element)
  const header = (element.header ?? writeHeader)(element.tag, content.length)
  return concatBytes(header, content, element.trailer ?? new Uint8Array())
}

function writeHeader(tag: number, length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(tag, length)
  if (length < 0x100) return Uint8Array.of(tag, 0x81, length)
  return Uint8Array.of(tag, 0x82, length >> 8, length & 0xff)
}

/** @throws Error when it is no element: what is changed here was well-formed before. */
function read(der: Uint8Array): Element {
  const elements = readAll(der)
  const [element] = elements ?? []
  if (element === undefined || elements?.length !== 1) throw new Error('not one element')
  return element
}

/** Low tags and definite lengths, which is what the test PKI writes. */
function readAll(bytes: Uint8Array): readonly Element[] | undefined {
  const elements: Element[] = []
  let offset = 0
  while (offset < bytes.length) {
    const tag = bytes[offset]!
    let length = bytes[offset + 1] ?? Number.NaN
    let start = offset + 2
    if (length > 0x80) {
      const count = length & 0x7f
      length = 0
      for (let i = 0; i < count; i++) length = length * 256 + (bytes[start++] ?? Number.NaN)
    }
    if (!(start + length <= bytes.length) || (tag & 0x1f) === 0x1f || tag === 0) return undefined
    const content = bytes.subarray(start, start + length)
    // An extension's value is an OCTET STRING around an element.
    const holds = (tag & 0x20) !== 0 || (tag === 0x04 && length > 2)
    elements.push({ tag, content, children: holds ? readAll(content) : undefined })
    offset = start + length
  }
  return elements
}

const fields = [
  'version',
  'serialNumber',
  'signature',
  'issuer',
  'validity',
  'subject',
  'subjectPublicKeyInfo',
]
const tags = [
  0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1e, 0x30, 0x31, 0x80,
  0x81, 0x82, 0xa0, 0xa3, 0x1f, 0x00,
]
