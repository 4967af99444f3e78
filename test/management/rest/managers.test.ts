/** Several managers on one store: who writes first wins, and the others are told. */

import { afterAll, describe, expect, test } from 'vitest'
import {
  ManagementError,
  type OperationMetadata,
  openStore,
  type Store,
} from '../../../src/management/index.ts'
import { startStores } from '../store/stores.ts'
import { makeProject, pki, startManager, type TestManager, until } from './support.ts'

const { stores, postgres, remove } = await startStores('two managers on one store')
afterAll(remove)

const type = 'policy-auth-mtls'
const operationMetadata: OperationMetadata = { targetScope: 'ALL', targetPipeline: 'REQUEST' }

describe.each(stores)('two managers over $kind', ({ missing, createUrl }) => {
  describe.skipIf(missing)('where it is installed', () => {
    async function start(): Promise<{
      readonly managers: readonly [TestManager, TestManager]
      readonly close: () => Promise<void>
    }> {
      const url = await createUrl()
      const opened: Store[] = [
        await openStore({ url }),
        // Over SQLite as it is not run: what both write is what is looked at here.
        await openStore({ url, dangerouslyShared: true }),
      ]
      const one = await startManager(opened[0] as Store, { deploymentWaitMs: 200 })
      const { signingKey } = one
      const two = await startManager(opened[1] as Store, { deploymentWaitMs: 200, signingKey })
      await makeProject(one.client, await pki)
      return {
        managers: [one, two],
        close: async () => {
          await one.close()
          await two.close()
          for (const store of opened) await store.close()
        },
      }
    }

    async function statuses(writes: readonly Promise<unknown>[]): Promise<readonly number[]> {
      const settled = await Promise.allSettled(writes)
      return settled
        .map((one) => {
          if (one.status === 'fulfilled') return 200
          if (one.reason instanceof ManagementError) return one.reason.status
          throw one.reason
        })
        .sort()
    }

    test('of two that add the same policy one gets 409', async () => {
      const { managers, close } = await start()
      const add = async ({ client }: TestManager, name: string, description: string) =>
        await client
          .project('MyProject')
          .apiProxy('MyAPI')
          .policies.add(name, { operationMetadata, policy: { type, description } })
      for (let i = 0; i < 10; i++) {
        const writes = managers.map((manager, index) => add(manager, `policy-${i}`, `by ${index}`))
        expect(await statuses(writes)).toEqual([200, 409])
      }
      const lists = await Promise.all(
        managers.map(({ client }) => client.project('MyProject').apiProxy('MyAPI').policies.list()),
      )
      expect(lists[0]?.requestPolicyList).toHaveLength(10)
      expect(lists[1]).toEqual(lists[0])
      await close()
    }, 60_000)

    test('of two that read the same policy and write it back one gets 412, and nothing is lost', async () => {
      const { managers, close } = await start()
      const proxies = managers.map(({ client }) => client.project('MyProject').apiProxy('MyAPI'))
      await proxies[0]?.policies.add('one', {
        operationMetadata,
        policy: { type, description: '0' },
      })
      // Each adds one to what it read, and tries again when it was too late.
      const refused: number[] = []
      await Promise.all(
        proxies.map(async ({ policies }) => {
          for (let done = 0; done < 10; ) {
            const { value, etag } = await policies.read('one')
            const description = String(Number(value.description) + 1)
            try {
              const policy = { type, description } as const
              await policies.update('one', { operationMetadata, policy }, { ifMatch: etag })
              done++
            } catch (error) {
              if (!(error instanceof ManagementError)) throw error
              refused.push(error.status)
            }
          }
        }),
      )
      expect(new Set(refused)).toEqual(new Set(refused.length === 0 ? [] : [412]))
      expect((await proxies[1]?.policies.read('one'))?.value.description).toBe('20')
      await close()
    }, 60_000)

    test('numbers of an environment are given once, whoever deploys', async () => {
      const { managers, close } = await start()
      await Promise.all(
        managers.flatMap(({ client }) =>
          Array.from({ length: 10 }, () =>
            client.project('MyProject').apiProxy('MyAPI').deployments.deploy(),
          ),
        ),
      )
      const { items } = await managers[0].client
        .project('MyProject')
        .apiProxy('MyAPI')
        .deployments.history('production')
      const sequences = items.map(({ sequence }) => sequence)
      expect(new Set(sequences).size).toBe(20)
      expect(items.map(({ revision }) => revision)).toEqual(
        Array.from({ length: 20 }, (_one, index) => 20 - index),
      )
      expect(sequences).toEqual([...sequences].sort((a, b) => (b ?? 0) - (a ?? 0)))
      await close()
    }, 60_000)

    test('a key that was used with one manager is known to the other', async () => {
      const { managers, close } = await start()
      const { token } = await managers[0].management.createToken('shared', {
        rights: [{ right: 'admin' }],
      })
      const post = async ({ send }: TestManager) =>
        await send('POST', '/apiops/projects/MyProject/apiProxies/MyAPI/policies/once/', {
          token,
          headers: { 'idempotency-key': 'k-1' },
          body: { operationMetadata, policy: { type } },
        })
      const first = await post(managers[0])
      const second = await post(managers[1])
      expect([second.status, second.body]).toEqual([200, first.body])
      expect(second.headers.get('idempotent-replayed')).toBe('true')
      await close()
    }, 60_000)

    test('revoked by one, a token is refused by the other at once', async () => {
      const { managers, close } = await start()
      const { token } = await managers[0].client.tokens.create('gone', {
        rights: [{ right: 'admin' }],
      })
      expect((await managers[1].send('GET', '/apiops/projects/', { token })).status).toBe(200)
      await managers[0].client.tokens.revoke('gone')
      expect((await managers[1].send('GET', '/apiops/projects/', { token })).status).toBe(401)
      await close()
    }, 60_000)
  })
})

describe.skipIf(postgres === undefined)('while PostgreSQL is away', () => {
  test('everything but health is 503, and comes back by itself', async () => {
    const server = postgres
    if (server === undefined) return
    const store = await openStore({ url: await server.createDatabase() })
    const { send, client, close } = await startManager(store)
    await makeProject(client)
    await server.stop()
    try {
      expect((await send('GET', '/health/')).status).toBe(200)
      for (const [method, path] of [
        ['GET', '/ready/'],
        ['GET', '/apiops/projects/'],
        ['DELETE', '/apiops/projects/MyProject/apiProxies/MyAPI/'],
      ] as const) {
        const { status, headers, body } = await send(method, path)
        expect([status, body.error?.code]).toEqual([503, 'store-away'])
        expect(headers.get('retry-after')).toBe('1')
        expect(JSON.stringify(body)).not.toContain(server.password)
      }
    } finally {
      await server.start()
    }
    await until(async () => (await send('GET', '/ready/')).status === 200)
    expect((await client.project('MyProject').read()).value.name).toBe('MyProject')
    await close()
    await store.close()
  }, 60_000)
})
