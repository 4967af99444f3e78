/** The page is held to the sources. */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { optionNames } from '../../../src/runtime/revocation/options.ts'
import { readPage, root, rowsOf, sectionOf } from '../../docs/markdown.ts'

const page = readPage('docs/revocation-source.md')

test('every option has a row, and every row is an option', () => {
  const { source, ...parts } = optionNames
  const nested = Object.entries(parts).flatMap(([part, names]) =>
    names.map((name) => `${part}.${name}`),
  )
  const flat = source.filter((name) => !Object.hasOwn(parts, name))
  const rows = rowsOf(sectionOf(page, '## Options')).map(([name]) => name)
  expect(rows.toSorted()).toEqual([...flat, ...nested].toSorted())
})

test('every failure has a row, and every row is a failure', () => {
  const files = ['failure', 'uri', 'cache-folder']
  const sources = files.map((name) =>
    readFileSync(`${root}src/runtime/revocation/${name}.ts`, 'utf8'),
  )
  const found = sources.join('\n').matchAll(/readonly code: '([a-z-]+)'/g)
  const codes = [...found].map(([, code]) => code)
  const rows = rowsOf(sectionOf(page, '## Events')).map(([name]) => name)
  const types = ['fetched', 'not-modified', 'unchanged', 'removed', 'failed', 'cache-failed']
  const failures = rows.filter((row) => !types.includes(row as string))
  expect(failures.toSorted()).toEqual([...new Set(codes)].toSorted())
})
