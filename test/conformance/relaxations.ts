/** The relaxation table held against what the two profiles answer. @module */
import { type Relaxation, relaxations } from '../../src/path/relaxations.ts'
import type { IsRelaxed, Report } from './runner.ts'

const rows: Readonly<Record<string, Relaxation>> = relaxations

/** A row explains a refusal with its own code, and one of a case that it names. */
export const isRelaxed: IsRelaxed = (id, code) => {
  const row = code === undefined ? undefined : rows[code]
  return row !== undefined || Object.values(rows).some(({ limboIds }) => limboIds.includes(id))
}

/**
 * Cases of the table that the default refuses all the same, for another reason. They say nothing against the row; a reader
 * may want another case for it.
 */
export function unusedRelaxations({ cases, second }: Report): readonly string[] {
  if (second === undefined) return []
  const present = new Set(cases.map(({ id }) => id))
  const relaxed = new Set(second.relaxed)
  return Object.entries(rows).flatMap(([code, { limboIds }]) =>
    limboIds
      .filter((id) => present.has(id) && !relaxed.has(id))
      .map((id) => `${id} shows nothing of row ${code}`),
  )
}
