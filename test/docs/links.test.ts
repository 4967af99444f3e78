import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { optionNames } from '../../src/client/options.ts'
import { defaultBudget } from '../../src/path/budget.ts'
import { anchorsOf, linksOf, pages, readPage, root, rowsOf, sectionOf } from './markdown.ts'

describe.each(pages)('links of %s', (page) => {
  const links = linksOf(readPage(page)).filter((link) => !/^[a-z]+:/.test(link))
  test.each(links.length === 0 ? ['#'] : links)('%s is there', (link) => {
    if (link === '#') return
    const [path = '', anchor] = link.split('#')
    const target = path === '' ? page : join(dirname(page), path)
    expect(existsSync(root + target), target).toBe(true)
    if (anchor !== undefined) expect([...anchorsOf(readPage(target))]).toContain(anchor)
  })
})

describe('what the README says of options', () => {
  const section = sectionOf(readPage('README.md'), '## Options and defaults')
  const rows = new Map(rowsOf(section).map(([name = '', ...cells]) => [name, cells]))

  test('every option of the source has a row, and every row is an option', () => {
    const budgets = Object.keys(defaultBudget)
    expect([...rows.keys()].filter((name) => !budgets.includes(name)).toSorted()).toEqual(
      optionNames.toSorted(),
    )
  })

  test.each(Object.entries(defaultBudget))('budget %s has its default %i', (name, value) => {
    expect(rows.get(name)?.[0]).toBe(String(value))
  })
})

test('the speeds in the README are those of docs/speed.md', () => {
  const measured = new Map(
    rowsOf(readPage('docs/speed.md').replace(/ +\|/g, ' |')).map((row) => [row[0], row]),
  )
  const quoted = rowsOf(sectionOf(readPage('README.md'), '## Speed'))
  expect(quoted.length).toBeGreaterThan(2)
  for (const row of quoted) expect(row).toEqual(measured.get(row[0]))
})
