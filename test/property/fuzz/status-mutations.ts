/** One change of a list or a response that means something: of a time, an entry, a status, an extension, a number. @module */

import { fromHex } from '../../../src/base/hex.ts'
import { writeElement, writeSequence } from '../../../src/der/writer.ts'
import { constructed, generalizedTime, oid, primitive, time } from '../../../src/testing/encode.ts'
import { encodeExtension } from '../../../src/testing/extensions.ts'
import { testTime } from '../../../src/testing/index.ts'
import { encodeName } from '../../../src/testing/names.ts'
import type { Random } from './random.ts'
import { type Lab, pointUri } from './status-labs.ts'
import { allNodes, mutateTree, type Node, parseTree } from './tree.ts'

/**
 * Changes `tbs` in one place, by meaning or at random.
 *
 * @param donor - A tree from which a node may be copied.
 */
export function mutateSigned(tbs: Node, donor: Node, lab: Lab, random: Random): void {
  const change = random.chance(15) ? undefined : random.pick(changes)
  if (change === undefined || !change(tbs, lab, random)) mutateTree(tbs, donor, random)
}

/** Changes what no signature is over in a response: its status, its type, the certificates that come along. */
export function mutateResponse(response: Node, lab: Lab, random: Random): void {
  const [status, wrapped] = response.children as [Node, Node?]
  const [type, octets] = wrapped?.children?.[0]?.children ?? []
  const sent = octets?.children?.[0]?.children?.[3]?.children?.[0]
  const change = random.below(3)
  if (change === 0 || type === undefined) {
    put(status, writeElement(0x0a, Uint8Array.of(random.below(8))))
    if (random.chance(80)) response.children = [status]
  } else if (change === 1 || sent?.children === undefined) {
    put(type, oid(random.pick(['1.3.6.1.5.5.7.48.1.1', '1.3.6.1.5.5.7.48.1.2', '1.2.3'])))
  } else {
    const crowd = Array.from({ length: 1 + random.below(12) }, () => nodeOf(lab.client.der))
    sent.children = random.chance(70) ? crowd : [...crowd, ...sent.children]
  }
}

/** @returns Whether there was something to change. */
type Change = (tbs: Node, lab: Lab, random: Random) => boolean

const changes: readonly Change[] = [
  (tbs, _, random) => {
    const node = pick(tbs, ({ tag }) => tag === 0x17 || tag === 0x18, random)
    if (node === undefined) return false
    const moment = testTime + random.pick(moments)
    const encoded = node.tag === 0x18 && random.chance(90) ? generalizedTime(moment) : time(moment)
    return put(node, encoded)
  },
  // Without nextUpdate, or without what may follow it.
  (tbs, _, random) => {
    const dated = pick(tbs, (one) => one === tbs || isSingle(one), random)?.children
    const at = dated?.findIndex(isTime) ?? -1
    if (at < 0) return false
    dated?.splice(at + 1 + random.below(2), 1)
    return true
  },
  (tbs, { subject }, random) => {
    const entry = pick(tbs, isEntry, random)
    const serial = entry?.children?.[0]
    if (serial === undefined) return false
    const own = fromHex(subject.serialNumber) as Uint8Array
    const near = Uint8Array.from(own)
    near[near.length - 1]! ^= 1 << random.below(8)
    return put(serial, writeElement(2, random.pick([own, own, near, own.subarray(1), padded(own)])))
  },
  // The certificate's own entries, some or all.
  (tbs, lab, random) => {
    const parent = allNodes(tbs).find(({ children }) => children?.some(isEntry))
    const own = parent?.children?.filter((one) => isEntryFor(one, lab)) ?? []
    if (parent?.children === undefined || own.length === 0) return false
    const gone = random.chance(70) ? own : [random.pick(own)]
    parent.children = parent.children.filter((one) => !gone.includes(one))
    return true
  },
  (tbs, lab, random) => {
    const entries = allNodes(tbs).filter(isEntry)
    if (entries.length === 0) return false
    const own = entries.filter((one) => isEntryFor(one, lab))
    return extendEntry(random.pick(own.length > 0 ? own : entries), random)
  },
  // The order of entries decides whose they are.
  (tbs, _, random) => {
    const list = allNodes(tbs).find(({ children }) => children?.some(isEntry))?.children
    if (list === undefined) return false
    const [moved] = list.splice(random.below(list.length), 1)
    if (moved !== undefined) list.splice(random.below(list.length + 1), 0, moved)
    if (moved !== undefined && random.chance(30)) list.push(structuredClone(moved))
    return true
  },
  (tbs, _, random) => {
    const extension = pick(tbs, isExtension, random)
    const fields = extension?.children
    if (fields === undefined) return false
    if (fields.length === 3) fields.splice(1, 1)
    else fields.splice(1, 0, nodeOf(writeElement(1, Uint8Array.of(0xff))))
    return true
  },
  (tbs, _, random) => {
    const parent = pick(tbs, ({ children }) => children?.some(isExtension) === true, random)
    if (parent?.children === undefined) return false
    if (random.chance(50)) parent.children.splice(random.below(parent.children.length), 1)
    else parent.children.push(nodeOf(anyExtension(random)))
    return true
  },
  (tbs, _, random) => {
    const parent = tbs.children?.find(({ tag }) => tag === 0xa0)?.children?.[0]
    if (parent?.children?.some(isExtension) !== true) return false
    const point = nodeOf(encodeExtension('2.5.29.28', random.chance(90), anyPoint(random)))
    const at = parent.children.findIndex(({ children }) => isOid(children?.[0], [0x55, 0x1d, 0x1c]))
    if (at < 0) parent.children.push(point)
    else parent.children[at] = point
    return true
  },
  (tbs, _, random) => {
    const numbers = allNodes(tbs).filter(
      (one) =>
        isOid(one.children?.[0], [0x55, 0x1d, 0x14]) ||
        isOid(one.children?.[0], [0x55, 0x1d, 0x1b]),
    )
    const octets = numbers.length === 0 ? undefined : random.pick(numbers).children?.at(-1)
    const [number] = octets?.children ?? []
    if (number === undefined) return false
    return put(number, writeElement(2, Uint8Array.from(random.pick(listNumbers))))
  },
  (tbs, _, random) => {
    const status = pick(tbs, isSingle, random)?.children?.[1]
    return status !== undefined && put(status, random.pick(statuses))
  },
  (tbs, { subject }, random) => {
    const id = pick(tbs, isSingle, random)?.children?.[0]?.children
    const [hash, name, , serial] = id ?? []
    if (hash === undefined || name === undefined || serial === undefined) return false
    const own = fromHex(subject.serialNumber) as Uint8Array
    if (random.chance(60)) return put(serial, writeElement(2, random.pick([own, own.subarray(1)])))
    return random.chance(50)
      ? put(hash, writeSequence(oid(random.pick(['1.3.14.3.2.26', '2.16.840.1.101.3.4.2.1']))))
      : put(name, writeElement(4, random.bytes(random.pick([0, 20, 32]))))
  },
  // One of many.
  (tbs, _, random) => {
    const parent = pick(tbs, isSequenceOf, random)
    const one = parent?.children?.[random.below(parent.children.length)]
    if (parent?.children === undefined || one === undefined) return false
    const copies = random.chance(2) ? 1_100 : 2 + random.below(12)
    parent.children.push(...Array.from({ length: copies }, () => one))
    return true
  },
  (tbs) => {
    const [first] = tbs.children ?? []
    if (first?.tag !== 0x02) return false
    tbs.children?.shift()
    return true
  },
  // Who answered.
  (tbs, { subject }, random) => {
    const at = tbs.children?.findIndex(({ tag }) => tag === 0xa1 || tag === 0xa2) ?? -1
    const responder = tbs.children?.[at]
    if (responder === undefined || at > 1) return false
    const names = [
      constructed(1, subject.issuer),
      constructed(1, encodeName('CN=Responder')),
      constructed(2, writeElement(4, random.bytes(20))),
    ]
    return put(responder, random.pick(names))
  },
  // The name of who issued the list.
  (tbs, _, random) => {
    const name = tbs.children?.find(({ children }) => children?.[0]?.tag === 0x31)
    return name !== undefined && put(name, encodeName(random.pick(names)))
  },
]

function extendEntry(entry: Node, random: Random): boolean {
  const extensions = random.pick<() => Uint8Array>([
    () =>
      encodeExtension(
        '2.5.29.21',
        random.chance(10),
        writeElement(0x0a, Uint8Array.of(random.below(12))),
      ),
    () => encodeExtension('1.3.6.1.4.1.32473.7', random.chance(60), writeElement(5)),
    () =>
      encodeExtension(
        '2.5.29.29',
        random.chance(80),
        writeSequence(constructed(4, encodeName(random.pick(names)))),
      ),
  ])()
  if (random.chance(30)) entry.children = entry.children?.slice(0, 2)
  else entry.children = [...(entry.children?.slice(0, 2) ?? []), nodeOf(writeSequence(extensions))]
  return true
}

function anyExtension(random: Random): Uint8Array {
  const id = random.pick(['1.3.6.1.4.1.32473.8', '2.5.29.27', '2.5.29.20', '1.3.6.1.5.5.7.48.1.6'])
  return encodeExtension(id, random.chance(60), writeElement(2, Uint8Array.of(random.below(128))))
}

function anyPoint(random: Random): Uint8Array {
  const flag = (number: number, percent: number): Uint8Array[] =>
    random.chance(percent) ? [primitive(number, Uint8Array.of(0xff))] : []
  const uri = new TextEncoder().encode(random.chance(70) ? pointUri : 'http://example.com/x.crl')
  const name = random.pick([
    constructed(0, constructed(0, primitive(6, uri))),
    constructed(0, constructed(0, constructed(4, encodeName('CN=Issuing CA,O=Example')))),
  ])
  const reasons = Uint8Array.from(random.pick([[7, 0x7f, 0x80], [1, 0x60], [4, 0x50], [0]]))
  return writeSequence(
    ...(random.chance(70) ? [name] : []),
    ...flag(1, 25),
    ...flag(2, 15),
    ...(random.chance(25) ? [primitive(3, reasons)] : []),
    ...flag(4, 20),
    ...flag(5, 10),
  )
}

const isTime = (node: Node | undefined) => node?.tag === 0x17 || node?.tag === 0x18

function isEntry({ tag, children }: Node): boolean {
  return tag === 0x30 && children?.[0]?.tag === 0x02 && isTime(children[1])
}

function isEntryFor(node: Node, { subject }: Lab): boolean {
  const serial = node.children?.[0]?.content
  return isEntry(node) && Buffer.from(serial ?? []).toString('hex') === subject.serialNumber
}

function isExtension({ tag, children }: Node): boolean {
  return tag === 0x30 && children?.[0]?.tag === 0x06 && children.at(-1)?.tag === 0x04
}

function isSingle({ tag, children }: Node): boolean {
  return tag === 0x30 && children?.[0]?.children?.length === 4 && isTime(children[2])
}

function isSequenceOf({ children = [] }: Node): boolean {
  return children.length > 0 && children.every(({ tag }) => tag === 0x30 || tag === 0x31)
}

function isOid(node: Node | undefined, octets: readonly number[]): boolean {
  return node?.tag === 0x06 && Buffer.from(node.content).equals(Buffer.from(octets))
}

function pick(root: Node, wanted: (node: Node) => boolean, random: Random): Node | undefined {
  const found = allNodes(root).filter(wanted)
  return found.length === 0 ? undefined : random.pick(found)
}

function put(node: Node, der: Uint8Array): true {
  delete node.header
  Object.assign(node, nodeOf(der))
  return true
}

function nodeOf(der: Uint8Array): Node {
  return parseTree(der) as Node
}

function padded(octets: Uint8Array): Uint8Array {
  return Uint8Array.of(0, ...octets)
}

const day = 86_400
const moments = [
  -20_000 * day,
  -400 * day,
  -8 * day,
  -2 * day,
  -day - 1,
  -day,
  -301,
  -300,
  -1,
  0,
  1,
  300,
  301,
  day,
  400 * day,
  30_000 * day,
]
const listNumbers = [
  [0],
  [1],
  [9],
  [10],
  [11],
  [12],
  [13],
  [0x7f],
  [0, 0x80],
  [0xff],
  Array.from({ length: 20 }, () => 0x7f),
  Array.from({ length: 21 }, () => 0x7f),
]
const names = [
  'CN=Issuing CA,O=Example',
  'CN=issuing  ca,O=EXAMPLE',
  'CN=Other CA',
  'CN=CRL Issuer',
  'CN=Revoked CRL Issuer',
  'CN=Nobody',
]
const statuses = [
  primitive(0),
  primitive(0),
  primitive(2),
  primitive(1),
  primitive(0, Uint8Array.of(0)),
  constructed(0),
  constructed(1),
  constructed(1, generalizedTime(testTime - day)),
  constructed(1, generalizedTime(testTime + day)),
  constructed(1, generalizedTime(testTime), constructed(0, writeElement(0x0a, Uint8Array.of(6)))),
  constructed(1, generalizedTime(testTime), constructed(0, writeElement(0x0a, Uint8Array.of(8)))),
]
