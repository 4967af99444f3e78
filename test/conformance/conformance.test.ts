import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { corpora, runCorpus } from './command.ts'
import { readCorpus } from './corpus.ts'
import { suites } from './suites/index.ts'

/** These take most of the time; the command runs them, and `SLOW=1` does so here. */
const slow = new Set(['limbo', 'wycheproof-signatures'])
const chosen = suites.filter(({ name }) => process.env.SLOW === '1' || !slow.has(name))
const present = existsSync(corpora)

describe.runIf(present)('conformance', () => {
  test.each(chosen)(
    '$name: no disagreement that is not listed, none listed that passes',
    {
      timeout: 600_000,
    },
    async (suite) => {
      const report = await runCorpus(suite, readCorpus(fileURLToPath(new URL(suite.file, corpora))))
      expect(report.problems).toEqual([])
      expect(report.agree + report.disagree.length + report.skipped.length).toBe(
        report.cases.length,
      )
    },
  )
})

test('the corpora are there, or this is a user’s clone', () => {
  if (!present) console.warn('conformance: no corpora beside this repository: skipped')
  expect(present || process.env.CI !== 'true').toBe(true)
})
