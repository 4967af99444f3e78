/** Rows that are inserted together. @module */

/** As many as one statement takes on both databases: SQLite has room for 32,766 values in it. */
export function* chunksOf<T>(rows: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < rows.length; at += size) yield rows.slice(at, at + size)
}

const size = 500
