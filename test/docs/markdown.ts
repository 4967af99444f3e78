/** What the pages say, as data. @module */

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const root: string = fileURLToPath(new URL('../..', import.meta.url))

/** Every page that a user may read, below the root of the repository. */
export const pages: readonly string[] = [
  'README.md',
  'SECURITY.md',
  'CHANGELOG.md',
  ...readdirSync(`${root}docs`)
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

export function readPage(page: string): string {
  return readFileSync(root + page, 'utf8')
}

export interface Block {
  readonly language: string
  readonly code: string
  /** Of its first line of code, from 1. */
  readonly line: number
}

/** Fenced blocks in their order. */
export function blocksOf(text: string): readonly Block[] {
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(
    ({ 1: language = '', 2: code = '', index }) => ({
      language,
      code,
      line: text.slice(0, index).split('\n').length + 1,
    }),
  )
}

/** Cells of the rows whose first cell is one word of code, without the back quotes of the first. */
export function rowsOf(text: string): readonly (readonly string[])[] {
  return [...text.matchAll(/^\| `([^`]+)` \|(.*)\|$/gm)].map(([, first = '', rest = '']) => [
    first,
    ...rest.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|')),
  ])
}

/** The text below a heading, up to the next one of the same level or above. */
export function sectionOf(text: string, heading: string): string {
  const level = /^#+/.exec(heading)?.[0].length ?? 0
  const start = text.indexOf(`\n${heading}\n`)
  if (start < 0) throw new Error(`no heading ${heading}`)
  const rest = text.slice(start + heading.length + 2)
  const end = new RegExp(`^#{1,${level}} `, 'm').exec(rest)?.index
  return end === undefined ? rest : rest.slice(0, end)
}

/** What a page links to: files with their anchors, and addresses. */
export function linksOf(text: string): readonly string[] {
  const prose = text.replace(/^```.*?^```$/gms, '').replace(/`[^`\n]*`/g, '')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
}

/** The anchors that headings of a page have. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const prose = text.replace(/^```.*?^```$/gms, '')
  return new Set(
    [...prose.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}
