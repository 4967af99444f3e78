/** What `manager` refuses before it listens. */

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createManagement, generateSigningKey, openStore } from '../../src/management/index.ts'
import { cli, folderOf } from './support.ts'

async function refused(argv: readonly string[], cwd: string): Promise<[number, unknown]> {
  const { code, out } = await cli(['manager', '--port', '0', '--json', ...argv], { cwd })
  return [code, JSON.parse(out).error.code]
}

describe('the signing key', () => {
  test('is not made anew for a database in which another one signs', async () => {
    const folder = await folderOf()
    const store = await openStore({ url: `file:${join(folder, 'store.sqlite')}` })
    await (await createManagement({ store, signingKey: generateSigningKey() })).close()
    const signer = await store.db.selectFrom('meta').selectAll().execute()
    await store.close()

    const database = `file:${join(folder, 'store.sqlite')}`
    expect(await refused(['--database', database], folder)).toEqual([2, 'file-not-found'])
    expect(existsSync(join(folder, 'mtls-policy-signing-key.pem'))).toBe(false)
    const again = await openStore({ url: database })
    expect(await again.db.selectFrom('meta').selectAll().execute()).toEqual(signer)
    await again.close()
  })
})

test('a SQLite store that another manager has is refused, and what to do is said', async () => {
  const folder = await folderOf()
  const database = `file:${join(folder, 'store.sqlite')}`
  const store = await openStore({ url: database })
  await (await createManagement({ store, signingKey: generateSigningKey() })).close()
  const { code, out } = await cli(['manager', '--port', '0', '--json', '--database', database], {
    cwd: folder,
  })
  const { error } = JSON.parse(out)
  expect([code, error.code]).toEqual([2, 'store-unavailable'])
  expect(error.message).toContain('another process holds the database')
  await store.close()
})

test('a folder that another serve has is refused', async () => {
  const folder = await folderOf()
  const store = await openStore({ url: `file:${join(folder, 'manager.sqlite')}` })
  const { code, out } = await cli(['serve', '--port', '0', '--json', '--data', folder], {
    cwd: folder,
  })
  expect([code, JSON.parse(out).error.code]).toEqual([2, 'store-unavailable'])
  await store.close()
})

test.each(['10.0.0.0/33', '10.0.0.1/8', 'balancer', ''])(
  '--trusted-proxy %j is refused before anything is made',
  async (text) => {
    const folder = await folderOf()
    const flags = ['--database', `file:${join(folder, 'store.sqlite')}`, '--trusted-proxy', text]
    expect(await refused(flags, folder)).toEqual([2, 'usage-invalid-value'])
    expect(readdirSync(folder)).toEqual([])
  },
)
