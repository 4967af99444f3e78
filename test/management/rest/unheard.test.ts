/** A deployment is no success before gateways were heard: not for a retry, not in the history, not after a crash. */

import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { openStore, type Store } from '../../../src/management/index.ts'
import { startStores } from '../store/stores.ts'
import { makeProject, pki, startManager, type TestManager, until } from './support.ts'

const { stores, postgres, remove } = await startStores('deployments that nobody was heard about')
afterAll(remove)

const path = '/apiops/projects/MyProject/apiProxies/MyAPI/deployments/'
const environment = 'production'

describe.each(stores)('over $kind', ({ kind, missing, createUrl }) => {
  describe.skipIf(missing)('where it is installed', () => {
    let store: Store
    let one: TestManager
    let gateway: string
    let url: string

    beforeEach(async () => {
      url = await createUrl()
      store = await openStore({ url })
      one = await startManager(store, { deploymentWaitMs: 2000 })
      await makeProject(one.client, await pki)
      const rights = [{ right: 'gateway', environment }] as const
      gateway = (await one.management.createToken('gateway', { rights })).token
      return async () => {
        await one.close()
        await store.close()
      }
    }, 60_000)

    /** As a gateway does; without numbers it is there and has nothing yet. */
    async function report(sequence?: number, hash = 'a'.repeat(64)): Promise<void> {
      const project = 'MyProject'
      const runs = sequence === undefined ? [] : [{ project, apiProxy: 'MyAPI', hash, sequence }]
      const { status } = await one.send(
        'PUT',
        `/apiops/environments/${environment}/gateways/gw-1/report/`,
        {
          body: { gateway: 'gw-1', environment, runs, live: null, problems: [] },
          token: gateway,
        },
      )
      expect(status).toBe(204)
    }

    async function history() {
      return (
        await one.client.project('MyProject').apiProxy('MyAPI').deployments.history(environment)
      ).items
    }

    const silent =
      'Stored, but not in force on 1 of 1 gateways: gateway gw-1 has not answered within 2 s'
    const unheard =
      'Stored, but the store went away before gateways were heard; they take it when it is back'
    const deploy = { body: {}, headers: { 'idempotency-key': 'k' } }

    test('a retry at another manager waits as the first request does', async () => {
      const { signingKey } = one
      const two = await startManager(store, { deploymentWaitMs: 2000, signingKey })
      const { token } = one
      await report()
      const first = two.send('POST', path, { ...deploy, token })
      await until(async () => (await history()).length === 1)
      expect((await history())[0]).toMatchObject({
        success: false,
        message: 'Stored; gateways have not been heard yet',
      })
      const again = await one.send('POST', path, deploy)
      expect(again.headers.get('idempotent-replayed')).toBe('true')
      for (const { body } of [await first, again]) {
        expect(body.deploymentResult).toMatchObject({
          success: false,
          deploymentResults: [{ success: false, message: silent }],
        })
      }
      expect(await history()).toMatchObject([{ success: false, message: silent }])
      await two.close()
    })

    test('a retry after a crash asks what gateways report by then', async () => {
      await report()
      await one.send('POST', path, deploy)
      const [row] = await history()
      await crashed()
      const retry = one.send('POST', path, deploy)
      await report(row?.sequence ?? 0, row?.hash ?? '')
      const { body } = await retry
      const deploymentResults = [
        { environmentName: environment, success: true, message: 'Deployment successful' },
      ]
      expect(body.deploymentResult).toEqual({ success: true, deploymentResults })
      expect(await history()).toMatchObject([{ success: true, message: 'Deployment successful' }])
      expect((await one.send('POST', path, deploy)).body).toEqual(body)
    })

    test('the next manager that starts settles what a crash has left', async () => {
      await report()
      await one.send('POST', path, deploy)
      const [row] = await history()
      await crashed()
      const { signingKey } = one
      const next = await startManager(store, { deploymentWaitMs: 2000, signingKey })
      expect(await history()).toMatchObject([{ success: false }])
      await report(row?.sequence ?? 0, row?.hash ?? '')
      await until(async () => (await history())[0]?.success === true)
      expect(await history()).toMatchObject([{ success: true, message: 'Deployment successful' }])
      await next.close()
    })

    test('a deployment is stored, and said to be, when the store is closed under it', async () => {
      await report()
      const before = await sequenceIn(store)
      const asked = one.send('POST', path, { body: {} })
      await until(async () => (await sequenceIn(store)) > before)
      await store.close()
      const { status, body } = await asked
      expect(status).toBe(200)
      expect(body).toMatchObject({
        success: true,
        deploymentResult: {
          success: false,
          deploymentResults: [{ environmentName: environment, success: false, message: unheard }],
        },
      })
    })

    // A server goes away and comes back; a file does not.
    test.runIf(kind === 'postgres').each([
      ['a deployment', path, {}, 'deploymentResult', 'deploymentResults'],
      [
        'a kill list',
        '/apiops/projects/MyProject/killList/',
        { issuer: 'CN=Lost CA' },
        'liveResult',
        'liveResults',
      ],
    ])(
      '%s is stored, and said to be, when the store goes away while gateways are waited for',
      async (what, to, body, result, results) => {
        if (what !== 'a deployment') await one.send('POST', path, deploy)
        await report()
        const before = await sequenceIn(store)
        const asked = one.send('POST', to, { body })
        await until(async () => (await sequenceIn(store)) > before)
        await postgres?.stop()
        const answer = await asked
        expect(answer.status).toBeLessThan(300)
        expect(answer.body).toMatchObject({
          success: true,
          [result]: {
            success: false,
            [results]: [{ environmentName: environment, success: false, message: unheard }],
          },
        })
        await postgres?.start()
        const again = await openStore({ url })
        expect(await sequenceIn(again)).toBeGreaterThan(before)
        if (what === 'a deployment') {
          // For the next manager to settle.
          const rows = await again.db.selectFrom('deployments').select('settled').execute()
          expect(rows).toEqual([{ settled: 0 }])
        }
        await again.close()
      },
    )

    async function sequenceIn({ db }: Store): Promise<number> {
      const row = await db
        .selectFrom('environments')
        .select('sequence')
        .where('name', '=', environment)
        .executeTakeFirstOrThrow()
      return Number(row.sequence)
    }

    /** As if the manager had been ended while it waited: the rows are what its first transaction left. */
    async function crashed(): Promise<void> {
      const [row] = await store.db
        .selectFrom('deployments')
        .select(['id', 'sequence'])
        .where('sequence', 'is not', null)
        .execute()
      const message = 'Stored; gateways have not been heard yet'
      const open = { success: 0, message, settled: 0 } as const
      await store.db.updateTable('deployments').set(open).execute()
      const sequence = Number(row?.sequence)
      const stored = [
        { id: row?.id, environmentName: environment, success: false, message, sequence },
      ]
      const body = JSON.stringify({ stored })
      await store.db.updateTable('idempotency').set({ status: 0, body }).execute()
    }
  })
})
