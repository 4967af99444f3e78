/**
 * `npm run fuzz -- [inputs] [seed]`: throws random and mutated certificates at the validator and prints what became of them.
 * Exit code 1 when one was accepted that its issuer did not sign, when something was thrown, or when a failure code did not show.
 *
 * @module
 */
import { recipes } from '../test/property/fuzz/recipes.ts'
import { runFuzz } from '../test/property/fuzz/run.ts'

const [inputs = '200000', seed = '20261123'] = process.argv.slice(2)
const count = Number(inputs)
const started = performance.now()
const report = await runFuzz(count, Number(seed), (done) => {
  if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${count} inputs`)
})
if (process.stderr.isTTY) process.stderr.write('\n')

const rows = [...report.histogram].sort(([, a], [, b]) => b - a)
for (const [code, times] of rows) console.log(`${String(times).padStart(8)}  ${code}`)
const least = Math.floor(count / 2_000)
const rare = Object.keys(recipes).filter((code) => (report.histogram.get(code) ?? 0) < least)
for (const code of rare) console.log(`too rare (under ${least}): ${code}`)
for (const failure of [...report.thrown, ...report.forged].slice(0, 20)) console.log(failure)

const seconds = ((performance.now() - started) / 1000).toFixed(1)
const share = ((100 * report.resigned) / count).toFixed(0)
console.log(
  `${count} inputs in ${seconds} s, ${share} % signed again after the change, ${report.accepted} accepted, ` +
    `${rows.length} codes; ${report.thrown.length} thrown, ${report.forged.length} forged and accepted`,
)
process.exitCode = rare.length + report.thrown.length + report.forged.length === 0 ? 0 : 1
