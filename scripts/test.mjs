/**
 * `npm test`: lint and format, types, build, then all tests. Runs every stage, so that one look shows all that is
 * wrong. Arguments go to Vitest: `npm test -- test/path`.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { ensurePackages } from './ensure.mjs'

if (!ensurePackages()) process.exit(1)
const root = fileURLToPath(new URL('..', import.meta.url))
const bin = (path) => fileURLToPath(new URL(`../node_modules/${path}`, import.meta.url))
// A continuous integration names a folder for the counts, and has the coverage of the same run.
const reports = process.env.TEST_REPORTS
const coverage = process.env.TEST_COVERAGE ? ['--coverage'] : []
const vitest = (name, args) => [
  name,
  bin('vitest/vitest.mjs'),
  [
    'run',
    ...(reports
      ? ['--reporter=default', '--reporter=json', `--outputFile.json=${reports}/${name}.json`]
      : []),
    ...args,
  ],
]
const asked = process.argv.slice(2)
const stages = [
  ['lint and format', bin('@biomejs/biome/bin/biome'), ['check', '--error-on-warnings', '.']],
  ['types', bin('typescript/bin/tsc'), ['--noEmit', '-p', 'tsconfig.json']],
  ['build', fileURLToPath(new URL('build.mjs', import.meta.url)), []],
  ...(asked.length > 0
    ? [vitest('tests', asked)]
    : [
        vitest('tests', ['--project=tests', ...coverage]),
        vitest('tests that run alone', ['--project=fleet', '--project=timed']),
      ]),
]
const failed = []
for (const [name, program, args] of stages) {
  console.log(`\n── ${name}`)
  const { status } = spawnSync(process.execPath, [program, ...args], {
    cwd: root,
    stdio: 'inherit',
  })
  if (status !== 0) failed.push(name)
}
console.log(failed.length === 0 ? '\nall stages passed' : `\nfailed: ${failed.join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1
