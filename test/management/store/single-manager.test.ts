/** One process has a SQLite store, and whoever ends, however it ends, leaves it free. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, stat, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStore } from '../../../src/management/store/open.ts'
import { bundleProgram, startStores, type TestedStores } from './stores.ts'

const busy = { code: 'store-unavailable', reason: 'SQLITE_BUSY', outcome: 'not-written' }
let tested: TestedStores
let program: string

beforeAll(async () => {
  tested = await startStores('SQLite for one')
  program = await bundleProgram('writer', tested.folder)
})
afterAll(() => tested.remove())

let files = 0
const newFile = (): string => join(tested.folder, `alone-${++files}`, 'store.sqlite')

describe('a SQLite store', () => {
  test('is open once in a process, by whatever name', async () => {
    const file = newFile()
    const store = await openStore({ url: `file:${file}` })
    const name = `${dirname(file)}/../${dirname(file).split('/').at(-1)}/store.sqlite`
    const link = join(dirname(file), 'link.sqlite')
    await symlink(file, link)
    for (const url of [`file:${file}`, `file:${name}`, `file:${link}`]) {
      await expect(openStore({ url })).rejects.toMatchObject(busy)
    }
    // What is refused gives nothing up.
    await expect(openStore({ url: `file:${file}` })).rejects.toMatchObject(busy)
    await store.close()
    const next = await openStore({ url: `file:${file}` })
    await next.close()
  })

  test('that cannot be opened is not kept', async () => {
    const file = newFile()
    const first = await openStore({ url: `file:${file}` })
    await first.db.updateTable('meta').set({ value: '999' }).execute()
    await first.close()
    for (let i = 0; i < 2; i++) {
      await expect(openStore({ url: `file:${file}` })).rejects.toMatchObject({
        code: 'store-too-new',
      })
    }
  })

  test('of a process that writes is refused to others until it is killed', async () => {
    const file = newFile()
    const url = `file:${file}`
    const child = spawn(process.execPath, [program, url, 'run'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    while ((await lines.next()).value !== '3');
    await expect(openStore({ url })).rejects.toMatchObject(busy)
    // Its own lock went with none of these.
    const shared = await openStore({ url, dangerouslyShared: true })
    await shared.backup(join(dirname(file), 'copy.sqlite'))
    await shared.close()
    await expect(openStore({ url })).rejects.toMatchObject(busy)
    child.kill('SIGKILL')
    await once(child, 'exit')
    const store = await openStore({ url })
    const { length } = await store.db.selectFrom('projects').select('id').execute()
    expect(length).toBeGreaterThanOrEqual(8)
    // And this one is refused to it.
    const again = spawn(process.execPath, [program, url, 'again'], { stdio: 'ignore' })
    expect((await once(again, 'exit'))[0]).toBe(1)
    await store.close()
  }, 30_000)

  test('has its lock beside it, for nobody else', async () => {
    const file = newFile()
    const store = await openStore({ url: `file:${file}` })
    expect(await readdir(dirname(file))).toContain('store.sqlite-manager')
    expect((await stat(`${file}-manager`)).mode & 0o777).toBe(0o600)
    await store.close()
  })
})
