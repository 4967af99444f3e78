/** What a guard keeps of a million clients: as much as it keeps of a few thousand, and nothing beyond its time. @module */

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { CacheFound } from './cache-child.ts'
import { type Work, workOf } from './result.ts'
import type { Row, Run } from './row.ts'

export const cacheRow: Row = { name: 'caches-1000000', work: caches }

async function caches(run: Run): Promise<Work> {
  const row = 'caches-1000000'
  const count = run.size === 'full' ? 1_000_000 : 20_000
  const { blocks, expiry, wrong } = await runChild(count)
  run.checked(`${row}: ${wrong.join(', ')}`, wrong.length === 0)
  const { decisions, remembered, late } = expiry
  run.checked(`${row}: verdicts are kept`, remembered > decisions / 3)
  run.checked(`${row}: nobody comes in after the end`, late === 0)
  const held = blocks.map(({ heldBytes }) => heldBytes / megabyte)
  const what = 'heap and buffers after a collection'
  run.found({
    row,
    what: `${what}, the most`,
    value: Math.max(...held),
    unit: 'MB',
    limit: atMost,
  })
  run.found({ row, what: `${what}, at the end`, value: held.at(-1) as number, unit: 'MB' })
  const resident = Math.max(...blocks.map(({ residentBytes }) => residentBytes / megabyte))
  run.found({ row, what: 'resident memory, the most', value: resident, unit: 'MB' })
  run.found({
    row,
    what: `let in after validUntil, of ${decisions}`,
    value: late,
    unit: 'decisions',
    limit: 0,
  })
  run.found({ row, what: 'let in by what was kept', value: remembered, unit: 'decisions' })
  const note = `${count} clients, each by header and by connection: both decisions, means of a tenth`
  return workOf(
    row,
    note,
    blocks.map(({ us }) => us),
  )
}

async function runChild(count: number): Promise<CacheFound> {
  const child = spawn(
    process.execPath,
    ['--expose-gc', '--import', 'tsx', childScript, String(count)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    said += part
  })
  const code = await new Promise((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`cache-child.ts ended with ${code}`)
  return JSON.parse(said) as CacheFound
}

const childScript = fileURLToPath(new URL('cache-child.ts', import.meta.url))
const megabyte = 1e6
/** What is promised. */
const atMost = 64
