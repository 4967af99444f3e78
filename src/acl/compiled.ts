/** An ACL made ready: entries by what they look up, so that a decision does not depend on how many there are. @module */

import type { AclEntry, AclPosition } from './entry.ts'
import type { Matcher } from './matcher.ts'

/** Bits, because one CA may stand at several positions. */
export const positions: { readonly [P in AclPosition]: number } = { issuer: 1, path: 2, anchor: 4 }

/** An entry beside its matcher. */
export interface ReadEntry<E> {
  readonly entry: E
  readonly matcher: Matcher
  /** A bit of `positions`. */
  readonly position: number
  /** A fact about the trust anchor. */
  readonly under: string | undefined
}

export interface Compiled<E> {
  /** As they were read. */
  readonly own: readonly ReadEntry<E>[]
  /** With those that were widened. */
  readonly all: readonly ReadEntry<E>[]
  readonly byKey: ReadonlyMap<string, readonly ReadEntry<E>[]>
  /** Position bit → bits of `kinds` that entries there look at. */
  readonly wanted: ReadonlyMap<number, number>
}

/** The key under which an ACL carries its index: for `acl` alone. */
export const compiled: unique symbol = /* @__PURE__ */ Symbol('compiled')

export interface Acl<E> {
  /** In their normal form and their order, which means nothing: they are also the JSON form. */
  readonly entries: readonly E[]
  readonly [compiled]: Compiled<E>
}

/** @param widened - Matchers that entries have besides their own. */
export function compile<E extends AclEntry>(
  read: readonly ReadEntry<E>[],
  widened: readonly ReadEntry<E>[] = [],
): Acl<E> {
  const all = [...read, ...widened]
  const counts = new Map<string, number>()
  for (const { matcher } of all) {
    for (const key of keysOf(matcher)) counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  const byKey = new Map<string, ReadEntry<E>[]>()
  const wanted = new Map<number, number>()
  for (const one of all) {
    // The rarest of several attributes, or ten thousand entries with the same O would all be looked at.
    const rare = keysOf(one.matcher).reduce((a, b) =>
      (counts.get(b) as number) < (counts.get(a) as number) ? b : a,
    )
    const list = byKey.get(rare)
    if (list === undefined) byKey.set(rare, [one])
    else list.push(one)
    wanted.set(one.position, (wanted.get(one.position) ?? 0) | one.matcher.kind)
  }
  return {
    entries: Object.freeze(read.map((one) => one.entry)),
    [compiled]: { own: read, all, byKey, wanted },
  }
}

/** Bits of `kinds` that entries look at, at any of the positions of `mask`. */
export function wantedAt(index: Compiled<unknown>, mask: number): number {
  let bits = 0
  for (const [position, kind] of index.wanted) if (position & mask) bits |= kind
  return bits
}

function keysOf(matcher: Matcher): readonly string[] {
  return matcher.also === undefined ? [matcher.key] : [matcher.key, ...matcher.also]
}
