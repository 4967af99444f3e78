import { describe, expect, test } from 'vitest'
import type { RevocationOptions } from '../../src/index.ts'
import { statusProblems } from '../client/status-problems.ts'
import { readPage, rowsOf, sectionOf } from './markdown.ts'
import { cellsOf, outcomes } from './outcomes.ts'

const readme = readPage('README.md')
const page = readPage('docs/revocation.md')

describe('what happens when', () => {
  const short = outcomesOf(sectionOf(readme, '### What happens when'))
  const long = outcomesOf(sectionOf(page, '## What happens when'))

  test.each(long)('%s', async (text, ...cells) => {
    const scenario = outcomes[text]
    if (scenario === undefined) throw new Error('no scenario shows this row')
    expect(cells).toEqual(await cellsOf(scenario))
  })

  test('every scenario has its row', () => {
    expect(long.map(([text]) => text)).toEqual(Object.keys(outcomes))
  })

  test('the rows of the README are among them', () => {
    expect(short.length).toBeGreaterThan(15)
    for (const row of short) expect(long).toContainEqual(row)
  })
})

test('every problem has a row, and every row is a problem', () => {
  const rows = rowsOf(sectionOf(page, '## Why something does not count'))
  expect(rows.map(([code]) => code)).toEqual(Object.keys(statusProblems))
})

test('every option of revocation has a row, and every row is an option', () => {
  type FieldOf<U> = U extends unknown ? keyof U : never
  const fields: Readonly<Record<FieldOf<RevocationOptions>, true>> = {
    mode: true,
    crls: true,
    ocspResponses: true,
    source: true,
    wait: true,
    depth: true,
    onUnknown: true,
    onStale: true,
    maxAge: true,
    perIssuer: true,
  }
  const section = sectionOf(readme, '## Revocation').split('\n### ')[0] as string
  expect(rowsOf(section).map(([name]) => name)).toEqual(Object.keys(fields))
})

/** Rows of three cells. */
function outcomesOf(section: string): readonly (readonly [string, string, string])[] {
  const rows = [...section.matchAll(/^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)]
  return rows
    .map(([, text = '', deny = '', allow = '']) => [text, deny, allow] as const)
    .filter(([, deny]) => deny !== '---' && deny !== "`onUnknown: 'deny'`")
}
