/** What a benchmark finds, and how it is shown. @module */

import { cpus } from 'node:os'
import { median, quantile } from './measure.ts'

/** One row. Times are medians in microseconds; `ratio` is `us / floorUs`. */
export interface Work {
  readonly name: string
  readonly us: number
  readonly p99Us: number
  /** The least that it could cost, in the same process; `null` where nothing is a floor. */
  readonly floorUs: number | null
  readonly ratio: number | null
  /** Microseconds that others take for the same work. */
  readonly peers: Readonly<Record<string, number>>
  /** What the floor is, or what else one should know. */
  readonly note: string
}

/** What is no time of one piece of work: octets, ratios, the longest turn of the event loop. */
export interface Figure {
  /** Of the row that found it. */
  readonly row: string
  readonly what: string
  readonly value: number
  readonly unit: string
  /** The most that it may be; absent: whatever it is. */
  readonly limit?: number
}

export function isHeld({ value, limit }: Figure): boolean {
  return limit === undefined || value <= limit
}

/** @param times - Microseconds of the work. @param floor - Of its floor; empty for none. */
export function workOf(
  name: string,
  note: string,
  times: readonly number[],
  floor: readonly number[] = [],
  peers: Readonly<Record<string, number>> = {},
): Work {
  const us = median(times)
  const floorUs = floor.length === 0 ? null : median(floor)
  return {
    name,
    us: rounded(us),
    p99Us: rounded(quantile(times, 0.99)),
    floorUs: floorUs === null ? null : rounded(floorUs),
    ratio: floorUs === null ? null : Math.round((us / floorUs) * 1000) / 1000,
    peers: Object.fromEntries(Object.entries(peers).map(([peer, took]) => [peer, rounded(took)])),
    note,
  }
}

export function machine(): string {
  const all = cpus()
  return `${all[0]?.model.trim() ?? 'unknown processor'}, ${all.length} cores, ${process.platform} ${process.arch}`
}

/** Lines of a Markdown table: one row of work each, the peers as multiples of our time. */
export function table(work: readonly Work[]): readonly string[] {
  const rows = work.map(({ name, us, p99Us, floorUs, ratio, peers, note }) => {
    const others = Object.entries(peers)
      .sort(([, a], [, b]) => a - b)
      .map(([peer, took]) => `${peer} ${times(took / us)}`)
    const against = ratio === null ? '' : `${ratio.toFixed(2)} × ${readable(floorUs as number)}`
    return [name, readable(us), readable(p99Us), against, others.join(', '), note]
  })
  return markdown(['work', 'median', 'p99', 'against the floor', 'others, ours = 1', 'what'], rows)
}

/** Likewise, one row for each figure. */
export function figureTable(figures: readonly Figure[]): readonly string[] {
  const rows = figures.map((figure) => {
    const { row, what, value, unit, limit } = figure
    const verdict = limit === undefined ? '' : `${limit} ${unit}${isHeld(figure) ? '' : ', MISSED'}`
    return [row, what, `${Math.round(value * 100) / 100} ${unit}`, verdict]
  })
  return markdown(['work', 'figure', 'value', 'at most'], rows)
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((cell, column) =>
    Math.max(cell.length, ...rows.map((row) => (row[column] as string).length)),
  )
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] as number)).join(' | ')} |`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)]
}

function readable(us: number): string {
  return us >= 10_000
    ? `${(us / 1000).toFixed(0)} ms`
    : `${us >= 100 ? us.toFixed(0) : us.toFixed(1)} µs`
}

function times(factor: number): string {
  return `${factor >= 10 ? factor.toFixed(0) : factor.toFixed(2)} ×`
}

function rounded(us: number): number {
  return Math.round(us * 100) / 100
}
