/**
 * `npm run bench`: times as ratios, with machine and versions. `--json` prints them as the last line, `--check` looks at the answers and at what
 * has a limit, `--only NAME[,NAME…]` picks rows, `--no-peers` leaves the others out.
 * @module
 */

import { parseArgs } from 'node:util'
import { loadSubject } from './bundle.ts'
import { type Figure, figureTable, isHeld, machine, table, type Work } from './result.ts'
import type { Run } from './row.ts'
import { rows } from './rows.ts'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    only: { type: 'string' },
    'no-peers': { type: 'boolean', default: false },
  },
})

const wanted = values.only?.split(',')
for (const name of wanted ?? []) {
  if (rows.some((row) => row.name === name)) continue
  console.error(`no row ${name}; there are: ${rows.map((row) => row.name).join(', ')}`)
  process.exit(2)
}

const figures: Figure[] = []
let right = 0
let wrong = 0
const run: Run = {
  subject: await loadSubject(),
  size: values.check ? 'check' : 'full',
  peers: values['no-peers'] ? 'none' : 'all',
  say: (line) => console.error(line),
  checked: (question, isRight) => {
    if (isRight) right++
    else {
      wrong++
      console.error(`wrong answer: ${question}`)
    }
  },
  found: (figure) => figures.push(figure),
}

const work: Work[] = []
for (const row of rows) {
  if (wanted !== undefined && !wanted.includes(row.name)) continue
  if (!values.check) console.error(row.name)
  work.push(await row.work(run))
}

if (!values.check) {
  const versions = `Node ${process.versions.node}, OpenSSL ${process.versions.openssl}`
  console.log(`${machine()}; ${versions}; ${new Date().toISOString().slice(0, 10)}\n`)
  for (const line of table(work)) console.log(line)
  console.log(
    '\nOthers check every signature of the path; mtls-policy remembers that of a CA certificate.',
  )
}
if (figures.length > 0) {
  console.log('')
  for (const line of figureTable(figures)) console.log(line)
}
const missed = figures.filter((figure) => !isHeld(figure))
for (const { row, what } of missed) console.error(`missed: ${row}: ${what}`)
console.log(`\nanswers checked: ${right} right, ${wrong} wrong`)
if (values.json)
  console.log(JSON.stringify({ machine: machine(), node: process.versions.node, work, figures }))
if (wrong > 0 || missed.length > 0) process.exitCode = 1
