/**
 * `npm run fuzz -- [--count N] [--seed N]`: throws N random and mutated certificates, and as many mutated lists and responses about
 * revocation, at the validator and prints what became of them. As many processes share the work as there are processors.
 *
 * Exit code 1 when something was thrown, when a certificate was accepted that its issuer did not sign, when a client was accepted or
 * called revoked against what an independent reading of its lists and responses says, or when a code hardly showed.
 *
 * @module
 */
import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { recipes } from '../test/property/fuzz/recipes.ts'
import { type FuzzReport, runFuzz } from '../test/property/fuzz/run.ts'
import {
  expectedProblems,
  runStatusFuzz,
  type StatusReport,
} from '../test/property/fuzz/status-run.ts'

interface Shard {
  readonly certificates: FuzzReport
  readonly status: StatusReport
}

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '200000' },
    seed: { type: 'string', default: '20261123' },
    shard: { type: 'boolean', default: false },
  },
})
const count = wholeNumber(values.count)
const seed = wholeNumber(values.seed)
if (values.shard) await runShard()
else await runAll()

/** One process's share; the report goes to the parent. */
async function runShard(): Promise<void> {
  const certificates = await runFuzz(count, seed)
  const status = await runStatusFuzz(count, seed)
  process.send?.({ certificates, status } satisfies Shard)
}

async function runAll(): Promise<void> {
  const started = performance.now()
  const shards = Math.min(count, availableParallelism())
  const first = (shard: number) => Math.floor((count * shard) / shards)
  const reports = await Promise.all(
    Array.from({ length: shards }, (_, shard) =>
      shardOf(first(shard + 1) - first(shard), seed + first(shard)),
    ),
  )
  const certificates = printCertificates(reports.map((report) => report.certificates))
  const status = printStatus(reports.map((report) => report.status))
  console.log(`${((performance.now() - started) / 1000).toFixed(1)} s in ${shards} processes`)
  process.exitCode = certificates && status ? 0 : 1
}

function shardOf(inputs: number, begin: number): Promise<Shard> {
  const args = ['--shard', '--count', `${inputs}`, '--seed', `${begin}`]
  const child = fork(fileURLToPath(import.meta.url), args, { serialization: 'advanced' })
  return new Promise((resolve, reject) => {
    child.once('message', (report) => resolve(report as Shard))
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`a process ended with ${code}`)))
  })
}

function printCertificates(reports: readonly FuzzReport[]): boolean {
  console.log('certificates')
  const histogram = summed(reports.map((report) => report.histogram))
  printCounts(histogram)
  const rare = printRare(Object.keys(recipes), histogram, Math.floor(count / 2_000))
  const thrown = reports.flatMap((report) => report.thrown)
  const forged = reports.flatMap((report) => report.forged)
  for (const failure of [...thrown, ...forged].slice(0, 20)) console.log(failure)
  console.log(
    `${count} inputs, ${share(reports)} % signed again after the change, ` +
      `${total(reports.map((report) => report.accepted))} accepted, ${histogram.size} codes; ` +
      `${thrown.length} thrown, ${forged.length} forged and accepted\n`,
  )
  return rare + thrown.length + forged.length === 0
}

function printStatus(reports: readonly StatusReport[]): boolean {
  const outcomes = summed(reports.map((report) => report.outcomes))
  const problems = summed(reports.map((report) => report.problems))
  const unread = summed(reports.map((report) => report.unread))
  console.log('lists and responses: what became of the clients')
  printCounts(outcomes)
  console.log('why something at hand did not count')
  printCounts(problems)
  console.log('what could not be read')
  printCounts(unread)
  const rare = printRare(expectedProblems, problems, Math.floor(count / 10_000))
  const thrown = reports.flatMap((report) => report.thrown)
  const turned = reports.flatMap((report) => report.turned)
  const slandered = reports.flatMap((report) => report.slandered)
  for (const failure of [...thrown, ...turned, ...slandered].slice(0, 20)) console.log(failure)
  console.log(
    `${count} inputs, ${share(reports)} % signed again after the change, ` +
      `${outcomes.get('good') ?? 0} accepted as good, ${outcomes.get('revoked') ?? 0} revoked, ` +
      `${problems.size} codes; ${thrown.length} thrown, ${turned.length} turned to good, ` +
      `${slandered.length} called revoked by nobody`,
  )
  return rare + thrown.length + turned.length + slandered.length === 0
}

function printCounts(counts: ReadonlyMap<string, number>): void {
  const rows = [...counts].sort(([, a], [, b]) => b - a)
  for (const [code, times] of rows) console.log(`${String(times).padStart(8)}  ${code}`)
}

/** @returns How many codes showed too rarely. */
function printRare(
  codes: readonly string[],
  counts: ReadonlyMap<string, number>,
  least: number,
): number {
  const rare = codes.filter((code) => (counts.get(code) ?? 0) < least)
  for (const code of rare) console.log(`too rare (under ${least}): ${code}`)
  return rare.length
}

function summed(all: readonly ReadonlyMap<string, number>[]): ReadonlyMap<string, number> {
  const sum = new Map<string, number>()
  for (const [code, times] of all.flatMap((counts) => [...counts])) {
    sum.set(code, (sum.get(code) ?? 0) + times)
  }
  return sum
}

function share(reports: readonly { readonly resigned: number }[]): string {
  return ((100 * total(reports.map(({ resigned }) => resigned))) / count).toFixed(0)
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0)
}

function wholeNumber(text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 1) throw new TypeError(`not a count: ${text}`)
  return number
}
