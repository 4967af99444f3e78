/** DER as a tree that can be wrong, and one mutation of it: one field, one octet, one length at a time. @module */

import { concatBytes } from '../../../src/base/bytes.ts'
import { writeElement } from '../../../src/der/writer.ts'
import type { Random } from './random.ts'

/** One element. What is inside an OCTET STRING or a BIT STRING is opened too, when it is one whole element. */
export interface Node {
  tag: number
  /** In place of tag and minimal length, when set. */
  header?: Uint8Array
  /** Contents of a node without children. */
  content: Uint8Array
  children: Node[] | undefined
  /** The octet that counts unused bits, before the children of a BIT STRING. */
  prefix: Uint8Array
}

/** @returns The tree, or `undefined` when `der` is not one element with one-octet tag and definite length. */
export function parseTree(der: Uint8Array): Node | undefined {
  const read = readNode(der, 0)
  return read !== undefined && read.end === der.length ? read.node : undefined
}

export function encodeTree(node: Node): Uint8Array {
  const { tag, header, content, children, prefix } = node
  const inside =
    children === undefined ? [content] : [prefix, ...children.map((child) => encodeTree(child))]
  return header === undefined ? writeElement(tag, ...inside) : concatBytes(header, ...inside)
}

/** Every node, depth first, the root included. */
export function allNodes(root: Node): Node[] {
  const nodes = [root]
  for (const child of root.children ?? []) for (const node of allNodes(child)) nodes.push(node)
  return nodes
}

/**
 * Changes `root` in one place.
 *
 * @param donor - A tree from which a node may be copied.
 */
export function mutateTree(root: Node, donor: Node, random: Random): void {
  const parents = allNodes(root).filter(({ children }) => (children?.length ?? 0) > 0)
  const nodes = allNodes(root)
  const node = random.pick(nodes)
  // Nothing is left of a tree that an earlier mutation emptied.
  if (parents.length === 0) return
  switch (random.below(10)) {
    case 0:
    case 1:
    case 2:
      mutateContent(random.pick(nodes.filter(({ children }) => !children)), random)
      return
    case 3:
      node.tag = random.chance(50) ? random.pick(tags) : node.tag ^ (1 << random.below(8))
      return
    case 4:
      mutateLength(node, random)
      return
    case 5:
      mutateChildren(random.pick(parents), random)
      return
    case 6: {
      const parent = random.pick(parents)
      const children = parent.children as Node[]
      children[random.below(children.length)] = clone(random.pick(allNodes(donor)))
      return
    }
    case 7:
      mutateOfType(node, random)
      return
    case 8:
      mutateOfType(random.pick(nodes.filter(({ children }) => !children)), random)
      return
    default: {
      const parent = random.pick(parents)
      parent.children?.splice(
        random.below(parent.children.length + 1),
        0,
        clone(random.pick(allNodes(donor))),
      )
    }
  }
}

/** Changes the encoding itself, wherever it falls. */
export function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.below(bytes.length + 1)
  const changed = Uint8Array.from(bytes)
  switch (random.below(4)) {
    case 0:
      if (at < changed.length) changed[at] = random.below(256)
      return changed
    case 1:
      return changed.subarray(0, at)
    case 2:
      return concatBytes(changed.subarray(0, at), random.bytes(1), changed.subarray(at))
    default:
      return concatBytes(changed.subarray(0, at), changed.subarray(at + 1))
  }
}

function mutateContent(node: Node, random: Random): void {
  const changed = Uint8Array.from(node.content)
  const at = random.below(Math.max(1, changed.length))
  switch (random.below(5)) {
    case 0:
      if (changed.length > 0) changed[at]! ^= 1 << random.below(8)
      node.content = changed
      return
    case 1:
      if (changed.length > 0) changed[at] = random.pick([0, 1, 0x7f, 0x80, 0xff])
      node.content = changed
      return
    case 2:
      node.content = concatBytes(changed.subarray(0, at), changed.subarray(at + 1))
      return
    case 3:
      node.content = concatBytes(changed.subarray(0, at), random.bytes(1), changed.subarray(at))
      return
    default:
      node.content = changed.subarray(0, at)
  }
}

function mutateLength(node: Node, random: Random): void {
  const inside = encodeTree({ ...node, tag: 0, header: new Uint8Array(0) })
  const { length } = inside
  const { tag } = node
  const lengths = [
    [0x80],
    [0xff],
    [0x84, 0xff, 0xff, 0xff, 0xff],
    [0x88, 1, 0, 0, 0, 0, 0, 0, 0],
    [0x83, 0, length >> 8, length & 0xff],
    [0x82, length >> 8, length & 0xff],
    [0x81, length & 0xff],
    [(length + 1) & 0x7f],
    [(length - 1) & 0x7f],
  ]
  node.header = Uint8Array.from([tag, ...random.pick(lengths)])
}

function mutateChildren(parent: Node, random: Random): void {
  const children = parent.children as Node[]
  const at = random.below(children.length)
  const other = random.below(children.length)
  switch (random.below(4)) {
    case 0:
      children.splice(at, 1)
      return
    case 1:
      children.splice(at, 0, clone(children[at] as Node))
      return
    case 2: {
      const kept = children[at] as Node
      children[at] = children[other] as Node
      children[other] = kept
      return
    }
    default:
      parent.children = []
  }
}

/** What is typical of the type: numbers at their edges, odd booleans, times far away. */
function mutateOfType(node: Node, random: Random): void {
  switch (node.tag) {
    case 0x01:
      node.content = Uint8Array.of(random.pick([0, 1, 0x7f, 0xff]))
      return
    case 0x02:
      node.content = Uint8Array.from(
        random.pick([[], [0], [1], [0xff], [0x80], [0, 1], [0xff, 0xff], [0x7f, 0xff], [1, 0, 1]]),
      )
      return
    case 0x17:
      node.content = ascii(random.pick(utcTimes))
      return
    case 0x18:
      node.content = ascii(random.pick(generalizedTimes))
      return
    default:
      mutateContent(node.children === undefined ? node : random.pick(allNodes(node)), random)
  }
}

/** The same tree; contents are shared, and never written to. */
export function clone(node: Node): Node {
  return { ...node, children: node.children?.map(clone) }
}

function readNode(der: Uint8Array, start: number): { node: Node; end: number } | undefined {
  const tag = der[start]
  const first = der[start + 1]
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) return undefined
  let position = start + 2
  let length = first
  if (first >= 0x80) {
    const octets = first & 0x7f
    if (octets === 0 || octets > 3) return undefined
    length = 0
    for (let i = 0; i < octets; i++) length = length * 256 + (der[position++] ?? 0)
  }
  const end = position + length
  if (end > der.length) return undefined
  const content = der.subarray(position, end)
  const prefix = tag === 0x03 ? content.subarray(0, 1) : none
  const inside = content.subarray(prefix.length)
  const opened = (tag & 0x20) !== 0 || tag === 0x03 || tag === 0x04
  const children = opened && inside.length > 0 ? readNodes(inside) : undefined
  const one =
    tag !== 0x03 && tag !== 0x04 ? children : children?.length === 1 ? children : undefined
  return { node: { tag, content, children: one, prefix }, end }
}

function readNodes(bytes: Uint8Array): Node[] | undefined {
  const nodes: Node[] = []
  for (let position = 0; position < bytes.length; ) {
    const read = readNode(bytes, position)
    if (read === undefined) return undefined
    nodes.push(read.node)
    position = read.end
  }
  return nodes
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

const none = new Uint8Array(0)
const tags = [
  0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1c, 0x1e, 0x1f, 0x30,
  0x31, 0x80, 0x81, 0x82, 0x86, 0x87, 0xa0, 0xa1, 0xa3,
]
const utcTimes = [
  '200101000000Z',
  '491231235959Z',
  '500101000000Z',
  '991231235959Z',
  '300101000000Z',
  '291231235959Z',
  '300230000000Z',
  '3001010000Z',
  '300101000000+0000',
  '301301000000Z',
  '300101240000Z',
]
const generalizedTimes = [
  '20200101000000Z',
  '20300101000000Z',
  '99991231235959Z',
  '00000101000000Z',
  '20300101000000.5Z',
  '20300101000060Z',
]
