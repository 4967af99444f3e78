/** Deployments: what is stored and what is in force, what gateways say, history, rollback; over both stores. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  type ApiProxyClient,
  type OperationMetadata,
  openStore,
  type Store,
} from '../../../src/management/index.ts'
import { startStores } from '../store/stores.ts'
import { listenAs, pki, refusal, startManager, type TestManager } from './support.ts'

const { stores, remove } = await startStores('deployments of the management API')
afterAll(remove)

const type = 'policy-auth-mtls'
const all: OperationMetadata = { targetScope: 'ALL', targetPipeline: 'REQUEST' }
const notConnected = 'Deployment successful; no gateway is connected, it takes effect when one is'

describe.each(stores)('deployments over $kind', ({ missing, createUrl }) => {
  describe.skipIf(missing)('where it is installed', () => {
    let store: Store
    let manager: TestManager
    let proxy: ApiProxyClient
    let environment: string
    let other: string
    let count = 0
    const stops: (() => Promise<void>)[] = []

    beforeAll(async () => {
      store = await openStore({ url: await createUrl() })
      manager = await startManager(store, { deploymentWaitMs: 1000 })
    }, 60_000)
    afterAll(async () => {
      await manager.close()
      await store.close()
    })
    beforeEach(async () => {
      const project = manager.client.project(`Project ${count}`)
      environment = `environment-${count}`
      other = `other-${count++}`
      await manager.client.environments.create(environment)
      await manager.client.environments.create(other)
      await project.create()
      const { anchorsPem: anchors, intermediatesPem: intermediates } = await pki
      await project.trustStore.put({ anchors, intermediates })
      await project.issuerAcl.put({ acl: 'allow attributes O=Example CN=*' })
      proxy = project.apiProxy('MyAPI')
      await proxy.create({
        upstream: { url: 'http://127.0.0.1:8081' },
        environments: [environment, other],
      })
    })
    afterEach(async () => {
      for (const stop of stops.splice(0)) await stop()
    })

    test('an empty list, the default, deploys to every environment that runs the proxy', async () => {
      const result = await proxy.policies.add('one', { operationMetadata: all, policy: { type } })
      expect(result).toEqual({
        success: true,
        deploymentResults: [
          { environmentName: environment, success: true, message: notConnected },
          { environmentName: other, success: true, message: notConnected },
        ],
      })
      expect(await proxy.deployments.list()).toMatchObject([
        { environmentName: environment, revision: 1, redeployRequired: false },
        { environmentName: other, revision: 1, redeployRequired: false },
      ])
    })

    test('without any environment that runs the proxy it succeeds with an empty list', async () => {
      await proxy.update({ upstream: { url: 'http://127.0.0.1:8081' } })
      expect(await proxy.policies.add('one', { operationMetadata: all, policy: { type } })).toEqual(
        { success: true, deploymentResults: [] },
      )
    })

    test('deploy: false stores, and a deployment is due', async () => {
      await proxy.policies.add('one', { operationMetadata: all, policy: { type } })
      const operationMetadata = { ...all, deploy: false }
      expect(
        await proxy.policies.update('one', { operationMetadata, policy: { type, active: false } }),
      ).toEqual({ success: true, deploymentResults: [] })
      expect(await proxy.deployments.list()).toMatchObject([
        { redeployRequired: true },
        { redeployRequired: true },
      ])
      expect((await proxy.deployments.diff(environment)).differences).toEqual([
        { path: 'policies.requestPolicyList[0].active', running: true, stored: false },
      ])
      expect((await proxy.deployments.deploy([environment])).success).toBe(true)
      expect(await proxy.deployments.list()).toMatchObject([
        { environmentName: environment, redeployRequired: false, revision: 2 },
        { environmentName: other, redeployRequired: true, revision: 1 },
      ])
      expect((await proxy.deployments.diff(environment)).differences).toEqual([])
    })

    test('an environment that nobody knows is 404, and nothing is stored', async () => {
      const request = {
        operationMetadata: { ...all, deployTargetEnvironmentNameList: [environment, 'nowhere'] },
        policy: { type } as const,
      }
      expect(await refusal(proxy.policies.add('one', request))).toMatchObject({
        status: 404,
        code: 'environment-not-found',
      })
      expect((await proxy.policies.list()).requestPolicyList).toEqual([])
    })

    test('an environment that does not run the proxy fails in its result; the others do not', async () => {
      await manager.client.environments.create(`stranger-${count}`)
      const request = {
        operationMetadata: {
          ...all,
          deployTargetEnvironmentNameList: [`stranger-${count}`, environment, environment],
        },
        policy: { type } as const,
      }
      const { success, deploymentResults } = await proxy.policies.add('one', request)
      expect(success).toBe(false)
      expect(deploymentResults.map((one) => [one.environmentName, one.success])).toEqual([
        [`stranger-${count}`, false],
        [environment, true],
      ])
    })

    test.each([
      ['without TLS', 'tls', { tls: false }, {}],
      ['without trust anchors', 'trust store', {}, { trustStore: true }],
      ['without an issuer ACL', 'issuer ACL', {}, { issuerAcl: true }],
    ] as const)(
      '%s it fails in the result, says what to do, and stays stored',
      async (_what, words, document, without) => {
        const project = manager.client.project(`Project ${count - 1}`)
        await proxy.update({
          upstream: { url: 'http://127.0.0.1:8081' },
          environments: [environment],
          ...document,
        })
        if ('trustStore' in without) await project.trustStore.delete()
        if ('issuerAcl' in without) await project.issuerAcl.delete()
        const result = await proxy.policies.add('one', { operationMetadata: all, policy: { type } })
        expect(result.success).toBe(false)
        expect(result.deploymentResults).toMatchObject([
          { environmentName: environment, success: false },
        ])
        expect(result.deploymentResults[0]?.message).toContain(words)
        expect((await proxy.policies.list()).requestPolicyList).toHaveLength(1)
        const [status] = await proxy.deployments.list()
        expect(status).toMatchObject({ redeployRequired: true, hash: null })
        expect(status?.problem).toBe(result.deploymentResults[0]?.message)
        expect((await proxy.deployments.history(environment)).items).toMatchObject([
          { revision: 1, success: false, hash: null, sequence: null },
        ])
      },
    )

    test("a proxy's own trust store and ACL replace the project's", async () => {
      const { intermediatesPem } = await pki
      await proxy.policies.add('one', { operationMetadata: all, policy: { type } })
      await proxy.trustStore.put({ anchors: intermediatesPem })
      await proxy.issuerAcl.put({ acl: 'deny dn CN=x' })
      const { differences } = await proxy.deployments.diff(environment)
      expect(differences.map(({ path }) => path)).toEqual([
        'intermediates[0]',
        'issuerAcl',
        'trustAnchors[0]',
      ])
      expect(differences[0]).not.toHaveProperty('stored')
      expect(differences[1]?.stored).toBe('deny dn CN=x\n')
      await proxy.trustStore.delete()
      await proxy.issuerAcl.delete()
      expect((await proxy.deployments.diff(environment)).differences).toEqual([])
    })

    test('blanks and comments of an ACL are no reason to deploy', async () => {
      await proxy.policies.add('one', { operationMetadata: all, policy: { type } })
      const acl = '# who may vouch\nallow   attributes O=Example CN=*'
      await manager.client.project(`Project ${count - 1}`).issuerAcl.put({ acl })
      expect(await proxy.deployments.list()).toMatchObject([
        { redeployRequired: false },
        { redeployRequired: false },
      ])
    })

    test('a rollback names an old hash under a new number, and what is stored stays', async () => {
      const operationMetadata = { ...all, deployTargetEnvironmentNameList: [environment] }
      await proxy.policies.add('one', { operationMetadata, policy: { type } })
      await proxy.policies.update('one', { operationMetadata, policy: { type, active: false } })
      expect(await proxy.deployments.rollBack(environment, 1)).toMatchObject({ success: true })
      const { items } = await proxy.deployments.history(environment)
      expect(items).toMatchObject([
        { revision: 3, kind: 'rollback', success: true },
        { revision: 2, kind: 'deploy' },
        { revision: 1, kind: 'deploy' },
      ])
      expect(items[0]?.hash).toBe(items[2]?.hash)
      expect(items[0]?.sequence).toBeGreaterThan(items[1]?.sequence ?? 0)
      expect((await proxy.policies.list()).requestPolicyList[0]?.active).toBe(false)
      const statuses = await proxy.deployments.list()
      expect(statuses.find((one) => one.environmentName === environment)).toMatchObject({
        revision: 3,
        redeployRequired: true,
      })
      expect((await proxy.deployments.diff(environment, 2)).differences).toEqual([])
      expect(await refusal(proxy.deployments.rollBack(environment, 99))).toMatchObject({
        status: 404,
        code: 'revision-not-found',
      })
    })

    test('undeployed, the proxy runs nowhere there; deployed again, it goes on', async () => {
      await proxy.policies.add('one', { operationMetadata: all, policy: { type } })
      expect(await refusal(proxy.delete())).toMatchObject({ status: 409, code: 'in-use' })
      expect((await proxy.deployments.undeploy(environment)).success).toBe(true)
      expect(await refusal(proxy.deployments.undeploy(environment))).toMatchObject({ status: 404 })
      expect(await proxy.deployments.list()).toMatchObject([
        { environmentName: environment, hash: null, redeployRequired: true },
        { environmentName: other, redeployRequired: false },
      ])
      await proxy.deployments.undeploy(other)
      await proxy.delete()
      await proxy.create({ upstream: { url: 'http://127.0.0.1:1' }, environments: [environment] })
      expect((await proxy.deployments.deploy()).success).toBe(true)
      expect((await proxy.deployments.history(environment)).items.map(({ kind }) => kind)).toEqual([
        'deploy',
        'undeploy',
        'deploy',
      ])
      const pointers = await store.db
        .selectFrom('pointers')
        .innerJoin('environments', 'environments.id', 'pointers.environment_id')
        .select('hash')
        .where('environments.name', '=', environment)
        .execute()
      expect(pointers).toHaveLength(1)
    })

    test('base paths that differ in case alone are one place, for gateways route so', async () => {
      const document = { upstream: { url: 'http://127.0.0.1:1' }, environments: [environment] }
      await proxy.update({ ...document, basePath: '/pay' })
      expect((await proxy.deployments.deploy([environment])).success).toBe(true)
      const twin = manager.client.project(`Project ${count - 1}`).apiProxy('Twin')
      await twin.create({ ...document, basePath: '/Pay' })
      expect((await twin.deployments.deploy()).deploymentResults[0]).toMatchObject({
        success: false,
        message:
          'API proxy MyAPI answers to host * with base path /pay there: change hosts or basePath',
      })
    })

    test('another project takes no path below a host that somebody answers to', async () => {
      const document = { upstream: { url: 'http://127.0.0.1:1' }, environments: [environment] }
      await proxy.update({ ...document, hosts: ['a.example'], basePath: '/pay' })
      expect((await proxy.deployments.deploy([environment])).success).toBe(true)
      const stranger = manager.client.project(`Stranger ${count}`)
      await stranger.create()
      const taking = stranger.apiProxy('Taking')
      await taking.create({ ...document, hosts: ['a.example'], basePath: '/other' })
      for (const [basePath, success] of [
        ['/pay/admin', false],
        ['/PAY', false],
        ['/', false],
        ['/payments', true],
      ] as const) {
        await taking.update({ ...document, hosts: ['a.example'], basePath })
        expect([basePath, (await taking.deployments.deploy()).success]).toEqual([basePath, success])
      }
      const own = manager.client.project(`Project ${count - 1}`).apiProxy('Below')
      await own.create({ ...document, hosts: ['a.example'], basePath: '/pay/admin' })
      expect((await own.deployments.deploy()).success).toBe(true)
    })

    test('two proxies of one environment cannot answer to the same host and path', async () => {
      await proxy.deployments.deploy([environment])
      const project = manager.client.project(`Project ${count - 1}`)
      const twin = project.apiProxy('Twin')
      const document = { upstream: { url: 'http://127.0.0.1:1' }, environments: [environment] }
      await twin.create(document)
      expect((await twin.deployments.deploy()).deploymentResults[0]).toMatchObject({
        success: false,
        message:
          'API proxy MyAPI answers to host * with base path / there: change hosts or basePath',
      })
      await twin.update({ ...document, basePath: '/twin' })
      expect((await twin.deployments.deploy()).success).toBe(true)
      // What runs counts, not what is stored: the first one leaves its place only when it is deployed.
      const first = { upstream: { url: 'http://127.0.0.1:8081' }, environments: [environment] }
      await proxy.update({ ...first, hosts: ['a.example'] })
      await twin.update(document)
      expect((await twin.deployments.deploy()).success).toBe(false)
      expect((await proxy.deployments.deploy()).success).toBe(true)
      expect((await twin.deployments.deploy()).success).toBe(true)
      expect(await proxy.deployments.rollBack(environment, 1)).toMatchObject({
        success: false,
        deploymentResults: [
          { message: expect.stringContaining('API proxy Twin answers to host *') },
        ],
      })
    })

    test('with gateways connected, the result is what they say, and so is the history', async () => {
      stops.push(await listenAs(manager, environment, 'gw-1'))
      stops.push(await listenAs(manager, environment, 'gw-2'))
      const operationMetadata = { ...all, deployTargetEnvironmentNameList: [environment] }
      expect(await proxy.policies.add('one', { operationMetadata, policy: { type } })).toEqual({
        success: true,
        deploymentResults: [
          { environmentName: environment, success: true, message: 'Deployment successful' },
        ],
      })
      stops.push(await listenAs(manager, environment, 'gw-3', true))
      const { success, deploymentResults } = await proxy.deployments.deploy([environment])
      expect(success).toBe(false)
      expect(deploymentResults[0]?.message).toBe(
        'Stored, but not in force on 1 of 3 gateways: gateway gw-3 refused it: snapshot-unusable, not today',
      )
      expect((await proxy.deployments.history(environment)).items).toMatchObject([
        { success: false, message: deploymentResults[0]?.message },
        { success: true, message: 'Deployment successful' },
      ])
    }, 60_000)

    test('a retry with the same key is done once and answered alike; another body is 422', async () => {
      const idempotencyKey = `key-${count}`
      const request = { operationMetadata: all, policy: { type } as const }
      const first = await proxy.policies.add('one', request, { idempotencyKey })
      const [second, third] = await Promise.all([
        proxy.policies.add('one', request, { idempotencyKey }),
        proxy.policies.add('one', request, { idempotencyKey }),
      ])
      expect([second, third]).toEqual([first, first])
      expect((await proxy.deployments.history(environment)).items).toHaveLength(1)
      const changed = { ...request, policy: { type, active: false } as const }
      expect(await refusal(proxy.policies.add('one', changed, { idempotencyKey }))).toMatchObject({
        status: 422,
        code: 'idempotency-key-reused',
      })
    })

    test('retries at the same time are done once', async () => {
      const idempotencyKey = `same-${count}`
      const request = { operationMetadata: all, policy: { type } as const }
      const results = await Promise.all(
        Array.from({ length: 5 }, () => proxy.policies.add('one', request, { idempotencyKey })),
      )
      expect(new Set(results.map((one) => JSON.stringify(one))).size).toBe(1)
      expect((await proxy.deployments.history(environment)).items).toHaveLength(1)
    })
  })
})
