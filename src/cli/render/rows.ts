/** Labelled lines. @module */

import { plain, type Style, wrap } from './style.ts'

/** A row without a value is left out; a mark stands after the last line, and has colours of its own. */
export type Row = readonly [
  label: string,
  value: string | readonly string[] | undefined,
  mark?: string | undefined,
]

export function drawRows(rows: readonly Row[], style: Style): string[] {
  return rows.flatMap(([label, value, mark = '']) => {
    const values = (typeof value === 'string' ? [value] : value) ?? []
    return values.map((text, at) => {
      const shown = wrap(plain(text), style.width, indent)
      const end = at === values.length - 1 ? mark : ''
      return `  ${style.dim((at === 0 ? label : '').padEnd(indent - 4))}  ${shown}${end}`
    })
  })
}

const indent = 24
