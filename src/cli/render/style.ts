/** Colours, marks and lines; and text from certificates made harmless for a terminal. @module */

import { stripVTControlCharacters } from 'node:util'
import pc from 'picocolors'
import type { Io, Output } from '../io.ts'

export interface Style {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly red: (text: string) => string
  readonly green: (text: string) => string
  readonly yellow: (text: string) => string
  readonly cyan: (text: string) => string
  /** Characters a line; infinite where nobody looks. */
  readonly width: number
}

/** Colour only on a terminal; `FORCE_COLOR` and `NO_COLOR` have the last word, in this order. */
export function styleOf(output: Output, { env }: Io): Style {
  const { FORCE_COLOR, NO_COLOR, TERM } = env
  const terminal = output.isTTY === true
  const coloured =
    FORCE_COLOR !== undefined && FORCE_COLOR !== ''
      ? FORCE_COLOR !== '0' && FORCE_COLOR !== 'false'
      : terminal && !NO_COLOR && TERM !== 'dumb'
  const { bold, dim, red, green, yellow, cyan } = pc.createColors(coloured)
  const width = terminal ? Math.max(40, output.columns ?? 80) : Number.POSITIVE_INFINITY
  return { bold, dim, red, green, yellow, cyan, width }
}

/** Text that somebody else wrote, without what could move a cursor or turn the direction of writing. */
export function plain(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`,
  )
}

/** Breaks text at blanks; every line after the first is indented by `indent` blanks. */
export function wrap(text: string, width: number, indent: number): string {
  if (indent + text.length <= width) return text
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  lines.push(line)
  return lines.join(`\n${' '.repeat(indent)}`)
}

/** Joins styled parts, on as many lines as the width takes; a line after the first begins with the separator. */
export function joinParts(
  parts: readonly string[],
  separator: string,
  width: number,
  indent: number,
): string {
  let line = 0
  return parts
    .map((part, at) => {
      if (at === 0) {
        line = lengthOf(part)
        return part
      }
      const added = lengthOf(separator) + lengthOf(part)
      const fits = indent + line + added <= width
      line = fits ? line + added : added
      return `${fits ? '' : `\n${' '.repeat(indent)}`}${separator}${part}`
    })
    .join('')
}

function lengthOf(styled: string): number {
  return stripVTControlCharacters(styled).length
}

/** `text` cut to `width` characters. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(1, width - 1))}…`
}

/** A branch of a tree; several lines of text stay together. */
export interface Branch {
  readonly lines: readonly string[]
  readonly below?: readonly Branch[]
}

/** Branches as lines with the strokes of a tree. */
export function drawTree(branches: readonly Branch[], style: Style): string[] {
  return branches.flatMap(({ lines, below = [] }, at) => {
    const last = at === branches.length - 1
    const [first = '', ...more] = lines.flatMap((line) => line.split('\n'))
    const stem = style.dim(last ? '   ' : '│  ')
    const inner = below.length > 0 ? style.dim('│  ') : ''
    return [
      `${style.dim(last ? '└─ ' : '├─ ')}${first}`,
      ...more.map((line) => `${stem}${inner}${line}`),
      ...drawTree(below, style).map((line) => `${stem}${line}`),
    ]
  })
}

export const accepted = '✓'
export const refused = '✗'
