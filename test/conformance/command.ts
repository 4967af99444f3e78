/**
 * The command: all corpora and a table, or one file. Exit code 0 when every disagreement is a listed exception that still
 * disagrees, 1 when not, 2 on wrong use.
 *
 * @module
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Corpus, readCorpus } from './corpus.ts'
import { makeDrivers } from './drivers.ts'
import { readExceptions } from './exceptions.ts'
import { isRelaxed, unusedRelaxations } from './relaxations.ts'
import { type Report, type RunSettings, runSuite } from './runner.ts'
import type { Suite } from './suite.ts'
import { suiteOf, suites } from './suites/index.ts'
import { jsonLine, table } from './table.ts'

/** Where the corpora are, beside the repository; a user's clone does not have them. */
export const corpora: URL = new URL('../../../shared/corpora/', import.meta.url)

export const usage = 'usage: npm run conformance -- [--file FILE [--json]]'

type OnProgress = NonNullable<RunSettings['onProgress']>

export interface Surroundings {
  readonly out: (line: string) => void
  readonly error: (line: string) => void
  readonly corpora: URL
  /** Without corpora a user's clone skips; continuous integration fails. */
  readonly ci: boolean
  /** Makes what shows the progress of one corpus. */
  readonly progress?: (name: string) => OnProgress
}

/** @returns The exit code. */
export async function command(args: readonly string[], around: Surroundings): Promise<number> {
  try {
    const { file, json } = parseArgs({
      args: [...args],
      options: { file: { type: 'string' }, json: { type: 'boolean', default: false } },
    }).values
    if (file !== undefined) return await runFile(file, json, around)
    if (json) throw new Error('--json needs --file')
  } catch (error) {
    around.error(error instanceof Error ? error.message : String(error))
    around.error(usage)
    return 2
  }
  if (existsSync(around.corpora)) return runAll(around)
  const missing = 'conformance: no corpora beside this repository'
  if (around.ci) around.error(missing)
  else around.out(`${missing}: skipped`)
  return around.ci ? 1 : 0
}

/** Runs one corpus with the exceptions of its suite and, where there are two profiles, the relaxation table. */
export async function runCorpus(
  suite: Suite,
  corpus: Corpus,
  onProgress?: OnProgress,
): Promise<Report> {
  const exceptions = new URL(`../../fixtures/${suite.name}/exceptions.json`, import.meta.url)
  return runSuite(suite, corpus, {
    drivers: makeDrivers(),
    exceptions: readExceptions(exceptions),
    isRelaxed,
    ...(onProgress ? { onProgress } : {}),
  })
}

async function runFile(file: string, json: boolean, around: Surroundings): Promise<number> {
  const corpus = readCorpus(file)
  const suite = suiteOf(corpus)
  const report = await runCorpus(suite, corpus, around.progress?.(suite.name))
  explain(report, around)
  around.out(json ? jsonLine(file, report) : table([report]))
  return report.problems.length === 0 ? 0 : 1
}

async function runAll(around: Surroundings): Promise<number> {
  const reports: Report[] = []
  for (const suite of suites) {
    const corpus = readCorpus(fileURLToPath(new URL(suite.file, around.corpora)))
    reports.push(await runCorpus(suite, corpus, around.progress?.(suite.name)))
  }
  around.out(table(reports))
  for (const report of reports) explain(report, around)
  const problems = reports.reduce((sum, report) => sum + report.problems.length, 0)
  around.out(problems === 0 ? 'conformance: as expected' : `conformance: ${problems} problems`)
  return problems === 0 ? 0 : 1
}

/** To stderr, so that stdout ends with the result. */
function explain(report: Report, { error }: Surroundings): void {
  const { suite, problems, localChoices, notes } = report
  for (const note of [...notes, ...unusedRelaxations(report)]) error(`${suite.name}: note: ${note}`)
  for (const choice of localChoices) error(`${suite.name}: local choice ${choice}`)
  for (const { code, id, text } of problems) error(`${suite.name}: ${code} ${id}: ${text}`)
}
