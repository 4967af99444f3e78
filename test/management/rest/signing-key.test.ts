/** A store whose managers come back with another signing key: what is in force is signed anew, once, and nothing else changes. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import {
  generateSigningKey,
  publicKeyText,
  readSigned,
  readSignedSet,
  type SigningKey,
} from '../../../src/deployment/index.ts'
import { createSubscription } from '../../../src/gateway/subscription/index.ts'
import { createManagement, openStore, type Store } from '../../../src/management/index.ts'
import { serveManagement } from '../../../src/management/rest/serve.ts'
import { startStores } from '../store/stores.ts'
import { listenAs, makeProject, pki, startManager, type TestManager, until } from './support.ts'

const { stores, remove } = await startStores('another signing key')
afterAll(remove)

const spkiSha256 = '0'.repeat(64)

describe.each(stores)('another signing key over $kind', ({ missing, createUrl }) => {
  describe.skipIf(missing)('where it is installed', () => {
    /** Two proxies in two environments, one of them undeployed again, and live data. */
    async function start(): Promise<{
      readonly url: string
      readonly store: Store
      readonly old: TestManager
      readonly close: () => Promise<void>
    }> {
      const url = await createUrl()
      const store = await openStore({ url })
      const old = await startManager(store, { deploymentWaitMs: 500 })
      const { client } = old
      await makeProject(client, await pki)
      await client.environments.create('staging')
      await client.environments.create('unused')
      const project = client.project('MyProject')
      for (const [name, basePath] of [
        ['One', '/one'],
        ['Two', '/two'],
      ] as const) {
        await project.apiProxy(name).create({
          basePath,
          upstream: { url: 'http://127.0.0.1:1' },
          environments: ['production', 'staging'],
        })
        expect(await project.apiProxy(name).deployments.deploy()).toMatchObject({ success: true })
      }
      await project.apiProxy('Two').deployments.undeploy('staging')
      await project.killList.add({ spkiSha256 })
      return {
        url,
        store,
        old,
        close: async () => {
          await old.close()
          await store.close()
        },
      }
    }

    interface Row {
      readonly environment: string
      readonly apiProxy: string
      readonly hash: string | null
      readonly sequence: number
      readonly signed: string
    }

    async function inForce(store: Store): Promise<readonly Row[]> {
      const pointers = await store.db
        .selectFrom('pointers')
        .select(['environment_id', 'api_proxy_id', 'hash', 'sequence', 'signed'])
        .execute()
      const live = await store.db
        .selectFrom('live_states')
        .select(['environment_id', 'hash', 'sequence', 'signed'])
        .execute()
      return [...pointers, ...live.map((row) => ({ ...row, api_proxy_id: 'live' }))]
        .map((row) => ({
          environment: row.environment_id,
          apiProxy: row.api_proxy_id,
          hash: row.hash,
          sequence: Number(row.sequence),
          signed: row.signed,
        }))
        .sort((a, b) => a.sequence - b.sequence || (a.environment < b.environment ? -1 : 1))
    }

    /** Each is signed by this key, and says what its row says. */
    function expectSigned(rows: readonly Row[], { publicKey }: SigningKey): void {
      for (const { hash, sequence, signed } of rows) {
        const read = readSigned(signed, publicKey)
        expect(read).toMatchObject({ ok: true, value: { hash, sequence } })
      }
    }

    /** By environment: every one has a set that this key signed, and that names what its rows say. */
    async function expectSets(store: Store, { publicKey }: SigningKey): Promise<void> {
      const rows = await inForce(store)
      const sets = await store.db
        .selectFrom('environments')
        .leftJoin('environment_sets', 'environment_sets.environment_id', 'environments.id')
        .select(['environments.id', 'environments.sequence', 'environment_sets.signed'])
        .execute()
      expect(sets).toHaveLength(3)
      for (const { id, sequence, signed } of sets) {
        const read = readSignedSet(JSON.parse(signed ?? 'null'), publicKey)
        expect(read).toMatchObject({ ok: true, value: { sequence: Number(sequence) } })
        if (!read.ok) continue
        const { proxies, live } = read.value
        const numbers = [...proxies, ...(live === null ? [] : [live])].map((one) => one.sequence)
        const own = rows.filter(({ environment }) => environment === id)
        expect(numbers.sort((a, b) => a - b)).toEqual(own.map((row) => row.sequence))
      }
    }

    const ofRow = ({ environment, apiProxy, hash }: Row) => [environment, apiProxy, hash].join()

    test('everything in force gets a new number and a new signature, and stays what it is', async () => {
      const { store, old, close } = await start()
      const proxy = old.client.project('MyProject').apiProxy('One')
      const before = await inForce(store)
      const statuses = await proxy.deployments.list()
      const history = await proxy.deployments.history('production')
      expect(before).toHaveLength(6)
      await expectSets(store, old.signingKey)
      expectSigned(before, old.signingKey)

      const lines: [object, string][] = []
      const log = { info: () => {}, error: () => {} }
      const signingKey = generateSigningKey()
      const next = await startManager(store, {
        signingKey,
        logger: { ...log, warn: (facts, message) => void lines.push([facts, message]) },
      })
      const after = await inForce(store)
      expectSigned(after, signingKey)
      await expectSets(store, signingKey)
      expect(after.map(ofRow).sort()).toEqual(before.map(ofRow).sort())
      // Within an environment they keep their order, and no number is given twice.
      for (const environment of new Set(before.map((row) => row.environment))) {
        const own = (rows: readonly Row[]) => rows.filter((row) => row.environment === environment)
        expect(own(after).map(ofRow)).toEqual(own(before).map(ofRow))
        const last = own(before).at(-1)?.sequence ?? 0
        expect(own(after).map(({ sequence }) => sequence)).toEqual(
          own(after).map((_row, index) => last + index + 1),
        )
        const { sequence } = await store.db
          .selectFrom('environments')
          .select('sequence')
          .where('id', '=', environment)
          .executeTakeFirstOrThrow()
        expect(Number(sequence)).toBe(own(after).at(-1)?.sequence)
      }

      const facts = {
        environments: expect.arrayContaining(['production', 'staging']),
        pointers: 6,
        replacedKey: publicKeyText(old.signingKey.publicKey),
        publicKey: publicKeyText(signingKey.publicKey),
      }
      expect(lines).toEqual([[facts, expect.stringContaining('signed anew')]])
      const { items } = await next.client.audit()
      expect(items.find(({ action }) => action === 'signingKey.replace')).toMatchObject({
        actor: 'manager',
        target: 'signingKey',
        detail: facts,
      })
      // The history is what it was, and so is what runs.
      const again = next.client.project('MyProject').apiProxy('One')
      expect(await again.deployments.history('production')).toEqual(history)
      expect(await again.deployments.list()).toEqual(
        statuses.map((one) => ({ ...one, sequence: expect.any(Number) })),
      )
      expect(await again.deployments.deploy()).toMatchObject({ success: true })

      // The same key again is nothing new.
      const settled = await inForce(store)
      const third = await startManager(store, { signingKey })
      expect(await inForce(store)).toEqual(settled)
      await next.close()
      await third.close()
      await close()
    }, 60_000)

    test('a gateway that pins the new key takes what was in force, without any change', async () => {
      const { store, close } = await start()
      const next = await startManager(store)
      const leave = await listenAs(next, 'production', 'gateway-1')
      await until(async () => {
        const [gateway] = await next.client.environments.gateways('production')
        return gateway?.runs.length === 2 && gateway.live !== null
      })
      const [gateway] = await next.client.environments.gateways('production')
      expect(gateway?.problems).toEqual([])
      await leave()
      await next.close()
      await close()
    }, 60_000)

    test('a gateway that listens with the old key keeps what it runs, and says why', async () => {
      const { store, old, close } = await start()
      const leave = await listenAs(old, 'production', 'gateway-1')
      const gateway = async () => (await old.client.environments.gateways('production'))[0]
      await until(async () => (await gateway())?.runs.length === 2)
      const before = await gateway()
      const next = await startManager(store)
      await until(async () => (await gateway())?.problems.length === 1)
      const after = await gateway()
      expect(new Set(after?.problems.map(({ code }) => code))).toEqual(
        new Set(['signature-invalid']),
      )
      expect(after?.runs).toEqual(before?.runs)
      expect(after?.live).toEqual(before?.live)
      await leave()
      await next.close()
      await close()
    }, 60_000)

    test('a gateway that is restarted with the new key drops what its disk has, and takes the new', async () => {
      const { store, old, close } = await start()
      const folder = await mkdtemp(join(tmpdir(), 'mtls-policy-key-'))
      const states: number[] = []
      const follow = async (manager: TestManager) => {
        const { token } = await manager.management.createToken(`gateway-${crypto.randomUUID()}`, {
          rights: [{ right: 'gateway', environment: 'production' }],
        })
        const served = await serveManagement({
          management: { ...manager.management, close: async () => {} },
          port: 0,
          drainMs: 100,
        })
        const subscription = createSubscription({
          managerUrl: served.url,
          publicKey: publicKeyText(manager.signingKey.publicKey),
          token,
          environment: 'production',
          gateway: 'gateway-1',
          folder,
          onState: ({ proxies }) => {
            states.push(proxies.length)
            return { problems: [] }
          },
        })
        await subscription.ready
        await until(async () => subscription.status().runs.length === 2)
        const { runs } = subscription.status()
        await subscription.close()
        await served.close()
        return runs
      }
      const before = await follow(old)
      const next = await startManager(store)
      const after = await follow(next)
      expect(after.map(({ hash }) => hash).sort()).toEqual(before.map(({ hash }) => hash).sort())
      expect(Math.min(...after.map(({ sequence }) => sequence))).toBeGreaterThan(
        Math.max(...before.map(({ sequence }) => sequence)),
      )
      expect(states.every((count) => count === 2)).toBe(true)
      await rm(folder, { recursive: true })
      await next.close()
      await close()
    }, 60_000)

    test('of managers that start at once one signs', async () => {
      const { url, store, close } = await start()
      const before = await inForce(store)
      const signingKey = generateSigningKey()
      const others = await Promise.all(
        Array.from({ length: 4 }, async () => {
          const own = await openStore({ url, dangerouslyShared: true })
          return { own, management: await createManagement({ store: own, signingKey }) }
        }),
      )
      const after = await inForce(store)
      expectSigned(after, signingKey)
      const sum = (rows: readonly Row[]) => rows.reduce((all, { sequence }) => all + sequence, 0)
      const { items } = await (await startManager(store, { signingKey })).client.audit()
      expect(items.filter(({ action }) => action === 'signingKey.replace')).toHaveLength(1)
      expect(sum(after)).toBeGreaterThan(sum(before))
      for (const { own, management } of others) {
        await management.close()
        await own.close()
      }
      await close()
    }, 60_000)

    test('a manager that still has the old key signs nothing more, and is not ready', async () => {
      const { store, old, close } = await start()
      expect((await old.send('GET', '/ready/')).status).toBe(200)
      const next = await startManager(store)
      const settled = await inForce(store)
      const policies = '/apiops/projects/MyProject/apiProxies/One/policies/'
      const add = (deploy: boolean) => ({
        body: {
          operationMetadata: { targetScope: 'ALL', targetPipeline: 'REQUEST', deploy },
          policy: { type: 'policy-auth-mtls' },
        },
      })
      for (const [method, path, given] of [
        ['GET', '/ready/', {}],
        ['POST', `${policies}one/`, add(true)],
        ['POST', '/apiops/projects/MyProject/apiProxies/One/deployments/', { body: {} }],
        ['POST', '/apiops/environments/later/', { body: {} }],
        ['POST', '/apiops/projects/MyProject/killList/', { body: { spkiSha256: 'f'.repeat(64) } }],
        ['DELETE', '/apiops/projects/MyProject/apiProxies/One/deployments/production/', {}],
      ] as const) {
        const { status, body } = await old.send(method, path, given)
        expect([path, status, body.error?.code]).toEqual([path, 503, 'signing-key-replaced'])
      }
      expect(await inForce(store)).toEqual(settled)
      expect((await next.send('GET', '/ready/')).status).toBe(200)
      expect((await next.send('GET', `${policies}one/`)).body.error?.code).toBe('policy-not-found')
      // What needs no signature is done.
      expect((await old.send('POST', `${policies}one/`, add(false))).status).toBe(200)
      await next.close()
      await close()
    }, 60_000)

    test.each([
      ['stays as it is under the same key', true],
      ['is signed anew under another', false],
    ])(
      'a store that remembers no key yet %s',
      async (_what, isSame) => {
        const { store, old, close } = await start()
        const before = await inForce(store)
        await store.db.deleteFrom('meta').where('key', '=', 'signing-key').execute()
        const signingKey = isSame ? old.signingKey : generateSigningKey()
        const next = await startManager(store, { signingKey })
        const after = await inForce(store)
        expectSigned(after, signingKey)
        if (isSame) expect(after).toEqual(before)
        else
          expect(after.map(({ signed }) => signed)).not.toEqual(before.map(({ signed }) => signed))
        // Remembered from here on.
        const third = await startManager(store)
        expectSigned(await inForce(store), third.signingKey)
        await third.close()
        await next.close()
        await close()
      },
      60_000,
    )

    test('a store of a version that signed no sets has them after the next start', async () => {
      const { store, old, close } = await start()
      const before = await inForce(store)
      await store.db.deleteFrom('environment_sets').execute()
      const next = await startManager(store, { signingKey: old.signingKey })
      await expectSets(store, old.signingKey)
      expect(await inForce(store)).toEqual(before)
      await next.close()
      await close()
    }, 60_000)

    test('a store with nothing in force takes any key', async () => {
      const store = await openStore({ url: await createUrl() })
      for (let i = 0; i < 2; i++) {
        const manager = await startManager(store)
        expect((await manager.send('GET', '/ready/')).status).toBe(200)
        const { items } = await manager.client.audit()
        expect(items.map(({ action }) => action)).not.toContain('signingKey.replace')
        await manager.close()
      }
      await store.close()
    }, 60_000)
  })
})
