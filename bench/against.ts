/** Times work against its floor, on a machine that others disturb. @module */

import { type Contender, interleave, median } from './measure.ts'
import type { Run } from './row.ts'
import type { Supply } from './supply.ts'

export interface Timed {
  readonly times: number[]
  readonly floor: number[]
}

export interface Leaves extends Pick<Supply, 'warm'> {
  readonly take: () => readonly Uint8Array[]
}

type FloorOver = (leaves: readonly Uint8Array[]) => (index: number) => unknown

/**
 * Warms up, then times `work` against its floor, each item once; a few times over with other leaves. What counts is the run that the
 * machine disturbed least, told by the floor alone, which is not ours to make faster.
 *
 * @param isEnough - Asked whether to stop; else the runs are repeated, at most twice.
 */
export async function against(
  size: Run['size'],
  { warm, take }: Leaves,
  work: (leaf: Uint8Array) => unknown,
  floorOver: FloorOver,
  isEnough: (timed: Timed) => boolean = () => true,
): Promise<Timed> {
  const contenders = (leaves: readonly Uint8Array[]): readonly Contender[] => [
    { run: floorOver(leaves) },
    { run: (i) => work(leaves[i] as Uint8Array) },
  ]
  const first = contenders(warm)
  for (let pass = 0; pass < passesOf(size); pass++) await interleave(first, 0, warm.length)
  let best: Timed
  let tries = 0
  do {
    const timed: Timed[] = []
    for (let turn = 0; turn < (size === 'full' ? turns : 1); turn++) {
      const leaves = take()
      const [floor, times] = await interleave(contenders(leaves), 0, leaves.length)
      timed.push({ times: times as number[], floor: floor as number[] })
    }
    best = leastDisturbed(timed)
  } while (!isEnough(best) && ++tries < maxTries)
  return best
}

export function leastDisturbed(timed: readonly Timed[]): Timed {
  return timed.reduce((a, b) => (median(b.floor) < median(a.floor) ? b : a))
}

/** Until the optimizing compiler is done: times fall for the first few thousand certificates. */
export function passesOf(size: Run['size']): number {
  return size === 'full' ? 40 : 1
}

/** How often a row is timed, each time with leaves not seen before. */
const turns = 3
const maxTries = 3
