/**
 * A manager that is killed while it writes: what it said it had written is there, and nothing is there by half. `SLOW=1` kills each 200
 * times.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { openStore } from '../../../src/management/store/open.ts'
import type { Store } from '../../../src/management/store/store.ts'
import { bundleProgram, startStores } from './stores.ts'

const slow = process.env.SLOW === '1'
const kills = slow ? 200 : 15
const serverKills = slow ? 25 : 3
/** In milliseconds: each kill starts a program, on a machine that may do other things. */
const patience = kills * 5000
const tested = await startStores('kill -9 over PostgreSQL')
afterAll(() => tested.remove(), 60_000)
const program = await bundleProgram('writer', tested.folder)

describe.each(tested.stores)('a writer to $kind', ({ kind, missing, createUrl }) => {
  test.skipIf(missing)(
    `killed ${kills} times loses nothing that it acknowledged`,
    async () => {
      const url = await createUrl()
      let acknowledged = 0
      for (let run = 0; run < kills; run++) {
        const writer = startWriter(url, `run${run}`)
        await writer.acknowledges(1)
        await sleep(Math.random() * 60)
        await writer.kill()
        acknowledged += await check(url, `run${run}`, writer.acknowledged)
      }
      console.error(`${kind}: ${kills} kills, ${acknowledged} acknowledged pairs, all there`)
    },
    patience,
  )

  test.skipIf(missing)(
    'killed while it makes the schema is followed by one that does',
    async () => {
      for (let run = 0; run < Math.ceil(kills / 5); run++) {
        const url = await createUrl()
        const writer = startWriter(url, 'run')
        await writer.opens
        await sleep(Math.random() * 120)
        await writer.kill()
        await check(url, 'run', writer.acknowledged)
      }
    },
  )
})

test.skipIf(!tested.postgres)(
  `a PostgreSQL that is killed ${serverKills} times loses nothing that it acknowledged`,
  async () => {
    const postgres = tested.postgres
    if (!postgres) return
    const url = await postgres.createDatabase()
    const writer = startWriter(url, 'run')
    for (let run = 0; run < serverKills; run++) {
      await writer.acknowledges(writer.acknowledged.length + 3)
      await sleep(Math.random() * 60)
      await postgres.kill()
      const before = writer.acknowledged.length
      await sleep(Math.random() * 60)
      // Nothing is acknowledged by a server that is not there.
      expect(writer.acknowledged.length - before).toBeLessThanOrEqual(3)
      await postgres.start()
      await check(url, 'run', [...writer.acknowledged])
    }
    await writer.kill()
    const all = await check(url, 'run', writer.acknowledged)
    console.error(`postgres: ${serverKills} kills of the server, ${all} acknowledged pairs there`)
  },
  patience,
)

interface RunningWriter {
  /** Numbers of the pairs that it said it had written. */
  readonly acknowledged: readonly number[]
  /** Resolves when it begins to open the store. */
  readonly opens: Promise<void>
  readonly acknowledges: (count: number) => Promise<void>
  readonly kill: () => Promise<void>
}

function startWriter(url: string, run: string): RunningWriter {
  const child: ChildProcess = spawn(process.execPath, [program, url, run], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const acknowledged: number[] = []
  let open: () => void = () => {}
  const opens = new Promise<void>((resolve) => {
    open = resolve
  })
  if (!child.stdout) throw new Error('no output')
  const lines = createInterface(child.stdout)
  lines.on('line', (line) => (line === 'opening' ? open() : acknowledged.push(Number(line))))
  const read = once(lines, 'close')
  return {
    acknowledged,
    opens,
    async acknowledges(count) {
      while (acknowledged.length < count) {
        if (child.exitCode !== null) throw new Error(`the writer ended: ${child.exitCode}`)
        await sleep(1)
      }
    },
    async kill() {
      child.kill('SIGKILL')
      await once(child, 'exit')
      // What it printed before counts.
      await read
    },
  }
}

/** @returns How many acknowledged pairs are there; it fails when one is not. */
async function check(url: string, run: string, acknowledged: readonly number[]): Promise<number> {
  const store = await openStore({ url })
  const halves = await namesOf(store, `${run}-`)
  // It can be written to again, at once.
  await store.transaction((trx) => store.notify(trx, 'production'))
  await store.close()
  const whole = (pair: number) => halves.has(`${run}-${pair}-a`) && halves.has(`${run}-${pair}-b`)
  expect(acknowledged.filter((pair) => !whole(pair))).toEqual([])
  const broken = [...halves].filter((half) => !whole(Number(half.split('-')[1])))
  expect(broken).toEqual([])
  return acknowledged.length
}

async function namesOf(store: Store, prefix: string): Promise<Set<string>> {
  const rows = await store.db
    .selectFrom('projects')
    .select('name')
    .where('name', 'like', `${prefix}%`)
    .execute()
  return new Set(rows.map(({ name }) => name))
}
