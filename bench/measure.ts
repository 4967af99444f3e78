/** Times pieces of work against each other on a machine that others use too. @module */

/** One piece of work; item `index` is done once while it is timed. */
export interface Contender {
  readonly run: (index: number) => unknown
}

/**
 * Alternates between the contenders in rounds of a few items, so that what else the machine does falls on all of them alike.
 * Each item is timed alone, and a promise that it returns is awaited inside the clock.
 *
 * @param from - First item.
 * @param to - One past the last.
 * @returns For each contender the times of its items in microseconds.
 */
export async function interleave(
  contenders: readonly Contender[],
  from: number,
  to: number,
): Promise<readonly number[][]> {
  const times: number[][] = contenders.map(() => [])
  for (let start = from, turn = 0; start < to; start += itemsPerRound, turn++) {
    const end = Math.min(start + itemsPerRound, to)
    for (let step = 0; step < contenders.length; step++) {
      // Whoever comes second finds the certificates in the processor's caches, so they take turns at that too.
      const which = (turn + step) % contenders.length
      const { run } = contenders[which] as Contender
      for (let index = start; index < end; index++) {
        const begin = process.hrtime.bigint()
        const result = run(index)
        if (result instanceof Promise) await result
        ;(times[which] as number[]).push(Number(process.hrtime.bigint() - begin) / 1000)
      }
    }
  }
  return times
}

/** @param times - Not empty. */
export function median(times: readonly number[]): number {
  return quantile(times, 0.5)
}

/** @param part - From 0 to 1. */
export function quantile(times: readonly number[], part: number): number {
  const sorted = [...times].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] as number
}

const itemsPerRound = 20
