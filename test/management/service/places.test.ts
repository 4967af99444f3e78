/** Where proxies answer is known without reading every snapshot while others wait. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Store } from '../../../src/management/index.ts'
import { Places } from '../../../src/management/service/places.ts'
import { startManager, type TestManager, temporaryStore } from '../rest/support.ts'

let store: Store
let manager: TestManager

beforeAll(async () => {
  store = await temporaryStore()
  manager = await startManager(store)
  const { client } = manager
  await client.environments.create('production')
  await client.project('Shop').create()
  for (const name of ['orders', 'billing']) {
    const proxy = client.project('Shop').apiProxy(name)
    await proxy.create({
      hosts: [`${name}.example`],
      upstream: { url: 'http://127.0.0.1:1' },
      environments: ['production'],
    })
    expect(await proxy.deployments.deploy()).toMatchObject({ success: true })
  }
})
afterAll(() => manager.close())

test('who makes room takes nothing from who reads meanwhile', async () => {
  const pointers = await store.db.selectFrom('pointers').select('hash').execute()
  const [first = '', second = ''] = pointers.flatMap(({ hash }) => hash ?? [])
  const places = new Places()
  const place = { project: 'Shop', apiProxy: 'other', hosts: ['other.example'], basePath: '/' }
  // With the first, one short of all that is kept: there is room for one more, and not for two.
  for (let index = 0; index < 99_998; index++) places.note(`hash ${index}`, place)
  expect(await places.of(store.db, [first])).toHaveLength(1)
  const [both, one] = await Promise.all([
    places.of(store.db, [first, second]),
    places.of(store.db, ['hash 1', 'none', 'nor this']),
  ])
  expect(both.map(({ apiProxy }) => apiProxy).sort()).toEqual(['billing', 'orders'])
  expect(one).toEqual([place])
})

test('what is in force is read at the start, and what is deployed need not be', async () => {
  const pointers = await store.db.selectFrom('pointers').select('hash').execute()
  const hashes = pointers.flatMap(({ hash }) => hash ?? [])
  const warm = new Places()
  await warm.warm(store.db)
  const noted = new Places()
  const place = { project: 'Shop', apiProxy: 'orders', hosts: ['orders.example'], basePath: '/' }
  noted.note('a hash', place)
  const cold = new Places()
  await store.close()

  // Nobody answers any more: what is asked for now was known.
  const known = await warm.of(store.db, hashes)
  expect(known.map(({ apiProxy }) => apiProxy).sort()).toEqual(['billing', 'orders'])
  expect(await noted.of(store.db, ['a hash'])).toEqual([place])
  await expect(cold.of(store.db, hashes)).rejects.toMatchObject({ code: 'store-unavailable' })
})
