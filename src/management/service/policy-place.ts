/** Where policies stand in the lists of an API proxy: order, moving, closing up. No I/O. @module */

import type { PipelineName } from '../../policy/pipelines.ts'
import { insert, type Place, placeKey } from '../../policy/place.ts'

/** What decides about order. `position` counts from 1 within pipeline, scope and endpoint. */
export interface Placed {
  readonly id: string
  readonly pipeline: PipelineName
  readonly place: Place
  readonly position: number
}

/**
 * Puts a policy, new or known, where it belongs.
 *
 * @param order - From 1; past the end is last. `undefined`: it keeps its position where it stays in its list, and is last in another.
 * @returns Everyone whose position is another one now, the policy itself included if it is new or moved.
 */
export function placed(
  all: readonly Placed[],
  policy: Omit<Placed, 'position'>,
  order: number | undefined,
): readonly Placed[] {
  const before = all.find(({ id }) => id === policy.id)
  const others = all.filter(({ id }) => id !== policy.id)
  const stays = before !== undefined && listKey(before) === listKey(policy)
  const at = order ?? (stays ? before.position : undefined)
  const list = inList(others, policy).map(({ id, place }) => ({ ...place, id }))
  const next = insert(list, { ...policy.place, id: policy.id }, at)
  const moved = changes(next, [...others, { ...policy, position: 0 }])
  return stays || before === undefined ? moved : [...moved, ...closedUp(others, before)]
}

/** Position of each where they come one after the other, and nobody is there yet. */
export function positionsOf(
  policies: readonly Pick<Placed, 'pipeline' | 'place'>[],
): readonly number[] {
  const counts = new Map<string, number>()
  return policies.map((policy) => {
    const key = listKey(policy)
    const position = (counts.get(key) ?? 0) + 1
    counts.set(key, position)
    return position
  })
}

/** Everyone whose position is another one when `gone` is no longer there. */
export function closedUp(
  others: readonly Placed[],
  gone: Omit<Placed, 'position'>,
): readonly Placed[] {
  const rest = others.filter(({ id }) => id !== gone.id)
  return changes(inList(rest, gone), rest)
}

/**
 * In the order of the lists that are shown: scope ALL before endpoints as requests meet them, after them in the response pipeline; the
 * policies of one endpoint together.
 */
export function compareListed(a: Placed, b: Placed): number {
  if (a.pipeline !== b.pipeline) return a.pipeline < b.pipeline ? -1 : 1
  const one = placeKey(a.place)
  const other = placeKey(b.place)
  if (one === other) return a.position - b.position
  if (one === '' || other === '') {
    const first = one === '' ? -1 : 1
    return a.pipeline === 'RESPONSE' ? -first : first
  }
  return one < other ? -1 : 1
}

export function isSamePlace(
  a: Pick<Placed, 'pipeline' | 'place'>,
  b: Pick<Placed, 'pipeline' | 'place'>,
): boolean {
  return listKey(a) === listKey(b)
}

function listKey({ pipeline, place }: Pick<Placed, 'pipeline' | 'place'>): string {
  return `${pipeline} ${placeKey(place)}`
}

function inList(
  all: readonly Placed[],
  where: Pick<Placed, 'pipeline' | 'place'>,
): readonly Placed[] {
  const key = listKey(where)
  return all.filter((one) => listKey(one) === key).sort((a, b) => a.position - b.position)
}

function changes(
  order: readonly { readonly id: string }[],
  all: readonly Placed[],
): readonly Placed[] {
  const byId = new Map(all.map((one) => [one.id, one]))
  return order.flatMap(({ id }, index) => {
    const one = byId.get(id)
    return one === undefined || one.position === index + 1 ? [] : [{ ...one, position: index + 1 }]
  })
}
