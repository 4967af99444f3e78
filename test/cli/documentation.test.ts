import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { cli, demoFolder } from './support.ts'

const read = (file: string) =>
  readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), 'utf8')
const docs = read('docs/cli.md')
const pki = await demoFolder()

test('docs/cli.md names every code of wrong usage', () => {
  const [, union = ''] = /type UsageCode =([\s\S]*?)\n\n/.exec(read('src/cli/io.ts')) ?? []
  const codes = [...union.matchAll(/'([a-z0-9-]+)'/g)].map(([, code]) => code as string)
  expect(codes.length).toBeGreaterThan(10)
  expect(codes.filter((code) => !docs.includes(`\`${code}\``))).toEqual([])
})

test('docs/cli.md names every option', async () => {
  const below = ['crl show', 'crl fetch', 'ocsp show', 'ocsp request', 'ocsp fetch']
  for (const command of ['check', 'explain', 'show', 'serve', 'manager', 'gateway', ...below]) {
    const { out } = await cli([...command.split(' '), '--help'])
    const options = [...out.matchAll(/^ +(?:-\w, )?(--[a-z0-9-]+)/gm)].map(
      ([, one]) => one as string,
    )
    const shortened = (one: string) => one.replace(/^--dangerously-allow-(md5|dsa)$/, '-$1')
    const missing = options.filter((one) => one !== '--help' && !docs.includes(shortened(one)))
    expect([command, missing]).toEqual([command, []])
  }
})

test('docs/cli.md shows the fields of a result, no more and no fewer', async () => {
  const [, example = ''] = /### `check --json`\s+```json\n([\s\S]*?)```/.exec(docs) ?? []
  const shown = JSON.parse(example)
  const argv = ['check', 'clients/client-a.pem', 'clients/expired.pem', '-a', 'ca.pem', '--json']
  const made = JSON.parse((await cli(argv, { cwd: pki })).out)
  expect(Object.keys(made)).toEqual(Object.keys(shown))
  for (const at of [0, 1]) {
    expect(Object.keys(made.results[at]).sort()).toEqual(Object.keys(shown.results[at]).sort())
  }
  expect(Object.keys(made.results[0].identity)).toEqual(Object.keys(shown.results[0].identity))
})
