/**
 * A subscriber that is killed while it writes: the last good state on disk can always be read, and is one that was in force.
 * `SLOW=1` kills 200 times.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readPublicKey } from '../../../src/deployment/index.ts'
import { StateFolder } from '../../../src/gateway/subscription/state-folder.ts'
import { readStored } from '../../../src/gateway/subscription/stored.ts'
import { environment, startManager, type TestManager } from '../../management/channel/support.ts'
import { makeFolder, removeFolder, until } from './support.ts'

const kills = process.env.SLOW === '1' ? 200 : 50
let manager: TestManager
let folder: string
let program: string

beforeAll(async () => {
  manager = await startManager()
  folder = await makeFolder()
  program = join(folder, 'subscriber.mjs')
  await build({
    entryPoints: [new URL('subscriber.ts', import.meta.url).pathname],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  })
})

afterAll(async () => {
  await manager.close()
  await removeFolder(folder)
})

interface Line {
  readonly set?: string
  readonly from?: string
  readonly alarm?: string
  readonly message?: string
}

function start(state: string, limit = 'unlimited') {
  // The limit is one of the shell's own blocks; the process after `exec` is the subscriber.
  const child: ChildProcess = spawn(
    'sh',
    [
      ...['-c', `ulimit -f ${limit}; exec "$0" "$@"`, process.execPath, program],
      ...[manager.url, manager.publicKey, state],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const lines: Line[] = []
  if (!child.stdout) throw new Error('no output')
  const output = createInterface(child.stdout)
  output.on('line', (line) => lines.push(JSON.parse(line) as Line))
  const read = once(output, 'close')
  return {
    lines,
    kill: async () => {
      child.kill('SIGKILL')
      // What it printed before counts.
      await read
    },
  }
}

async function storedSet(state: string): Promise<{ set: string; problems: readonly string[] }> {
  const pinned = { environment, publicKey: readPublicKey(manager.publicKey) }
  const { known, problems } = await readStored(new StateFolder(state), pinned)
  const runs = Array.from(known.running.values(), ({ pointer }) =>
    pointer.hash === null ? [] : [`${pointer.apiProxy} ${pointer.sequence}`],
  ).flat()
  const live = known.runningLive?.data
  const set = [...runs.sort(), `${live?.crls.length ?? 0} ${live?.killList.length ?? 0}`].join()
  return { set, problems: problems.map(({ message }) => message) }
}

test(`${kills} kills at random moments leave a whole state`, { timeout: 180_000 }, async () => {
  const state = join(folder, 'state')
  await mkdir(state)
  const sets = new Set<string>(['0 0'])
  const stored = new Set<string>()
  let isWriting = true
  let count = 0
  let halves = 0
  const writing = (async () => {
    while (isWriting) {
      count++
      await manager.deploy(['orders', 'invoices', 'refunds'][count % 3] as string, {
        basePath: `/v${count}`,
      })
      if (count % 25 === 0 && count < 500) await manager.addCrl(Buffer.from(`CRL ${count}`))
      if (count % 7 === 0) await manager.undeploy('refunds')
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  })()
  try {
    for (let run = 0; run < kills; run++) {
      const child = start(state)
      await until('a state', () => child.lines.some(({ from }) => from === 'manager'), 10_000)
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 150))
      await child.kill()
      for (const { set } of child.lines) if (set !== undefined) sets.add(set)
      expect(child.lines.filter(({ alarm }) => alarm !== undefined)).toEqual([])
      const names = await readdir(state, { recursive: true })
      if (names.some((name) => name.includes('.draft-'))) halves++
      const { set, problems } = await storedSet(state)
      expect(problems).toEqual([])
      expect(sets).toContain(set)
      stored.add(set)
    }
  } finally {
    isWriting = false
    await writing
  }
  // It did get to write, on a busy machine as well.
  expect(stored.size).toBeGreaterThan(kills / 10)
  console.error(`${kills} kills: ${stored.size} states on disk, ${halves} in the midst of a file`)
})

test('a disk without room keeps the state of before, which is told', async () => {
  const state = join(folder, 'full')
  await manager.deploy('orders', { basePath: '/before' })
  const first = start(state)
  await until('the disk', async () => (await storedSet(state)).set !== '0 0')
  await first.kill()
  const before = await storedSet(state)
  // No file may be larger than a block: the snapshot does not fit, and the write fails in its midst.
  const second = start(state, '1')
  await until('it starts', () => second.lines.some(({ from }) => from === 'disk'))
  const { sequence } = await manager.deploy('orders', { basePath: '/after' })
  await until('the change', () =>
    second.lines.some(({ set }) => set?.includes(`orders ${sequence}`)),
  )
  await until('the alarm', () => second.lines.some(({ alarm }) => alarm === 'state-not-stored'))
  await second.kill()
  const alarms = second.lines.filter(({ alarm }) => alarm !== undefined)
  expect(alarms).toEqual([{ alarm: 'state-not-stored', message: 'EFBIG' }])
  expect(await storedSet(state)).toEqual(before)
})
