/** What GET returns can be PUT back: of every resource that has both, over both stores, and of policies and API proxies of all kinds. */

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStore, type Store } from '../../../src/management/index.ts'
import { routes } from '../../../src/management/rest/routes/index.ts'
import { startStores } from '../store/stores.ts'
import { type Answered, makeProject, pki, startManager, type TestManager } from './support.ts'

const { stores, remove } = await startStores('the round trip of the management API')
afterAll(remove)

const names: Readonly<Record<string, string>> = {
  projectName: 'MyProject',
  apiProxyName: 'MyAPI',
  policyName: 'second',
}
/** From the routes themselves, so that a resource to come is not forgotten. */
const readAndWritten = routes
  .filter(({ method, path }) => {
    const isRead = routes.some((other) => other.path === path && other.method === 'get')
    return method === 'put' && isRead
  })
  .map(({ path }) => path)
const projectPath = '/apiops/projects/MyProject/'
const policyPath = `${projectPath}apiProxies/MyAPI/policies/`

test('the resources that are read and written', () => {
  expect([...readAndWritten].sort()).toEqual([
    '/apiops/projects/{projectName}/',
    '/apiops/projects/{projectName}/apiProxies/{apiProxyName}/',
    '/apiops/projects/{projectName}/apiProxies/{apiProxyName}/issuerAcl/',
    '/apiops/projects/{projectName}/apiProxies/{apiProxyName}/policies/{policyName}/',
    '/apiops/projects/{projectName}/apiProxies/{apiProxyName}/revocation/',
    '/apiops/projects/{projectName}/apiProxies/{apiProxyName}/trustStore/',
    '/apiops/projects/{projectName}/issuerAcl/',
    '/apiops/projects/{projectName}/revocation/',
    '/apiops/projects/{projectName}/trustStore/',
  ])
})

describe.each(stores)('the round trip over $kind', ({ missing, createUrl }) => {
  describe.skipIf(missing)('where it is installed', () => {
    let store: Store
    let manager: TestManager

    beforeAll(async () => {
      store = await openStore({ url: await createUrl() })
      manager = await startManager(store)
      const { client } = manager
      const { anchorsPem: anchors, intermediatesPem: intermediates } = await pki
      await makeProject(client, await pki)
      const project = client.project('MyProject')
      await project.update({ description: 'The shop' })
      const proxy = project.apiProxy('MyAPI')
      await proxy.update({
        hosts: ['localhost'],
        basePath: '/shop',
        upstream: { url: 'http://127.0.0.1:1', identityHeaders: { 'X-Subject': 'subject' } },
        endpoints: [{ path: '/orders/{id}', method: 'GET' }],
        environments: ['production'],
      })
      for (const one of [project, proxy]) {
        await one.trustStore.put({ anchors, intermediates })
        await one.issuerAcl.put({ acl: '# all of ours\nallow attributes O=Example CN=*' })
        await one.revocation.put({
          mode: 'crl-or-ocsp',
          responder: 'aia',
          urls: ['http://crl.test/a'],
        })
      }
      for (const name of ['first', 'second', 'third']) {
        await proxy.policies.add(name, {
          operationMetadata: { targetScope: 'ALL', targetPipeline: 'REQUEST', deploy: false },
          policy: { type: 'policy-auth-mtls', description: name, mode: 'report' },
        })
      }
      expect(await proxy.deployments.deploy()).toMatchObject({ success: true })
    }, 60_000)
    afterAll(async () => {
      await manager.close()
      await store.close()
    })

    async function read(path: string): Promise<{ result: object; etag: string }> {
      const { status, body, headers } = await manager.send('GET', path)
      expect(status).toBe(200)
      return { result: body.result ?? {}, etag: headers.get('etag') ?? '' }
    }

    async function write(path: string, body: object, etag?: string): Promise<Answered> {
      const headers: Record<string, string> = etag === undefined ? {} : { 'if-match': etag }
      return await manager.send('PUT', path, { body, headers })
    }

    test.each(readAndWritten)('GET %s, and PUT of the same', async (template) => {
      const path = template.replace(/\{(\w+)\}/g, (_, name) => names[name] ?? '')
      const before = await read(path)
      const exported = await manager.send('GET', `${projectPath}export/`)

      const plain = await write(path, before.result)
      expect([plain.status, plain.body.error]).toEqual([200, undefined])
      const between = await read(path)
      expect(between.result).toEqual(before.result)
      const conditional = await write(path, between.result, between.etag)
      expect([conditional.status, conditional.body.error]).toEqual([200, undefined])
      const after = await read(path)
      expect(after.result).toEqual(before.result)

      const stale = await write(path, before.result, before.etag)
      expect([stale.status, stale.body.error?.code]).toEqual([412, 'version-mismatch'])
      expect((await manager.send('GET', `${projectPath}export/`)).body).toEqual(exported.body)
      const proxy = manager.client.project('MyProject').apiProxy('MyAPI')
      expect(await proxy.deployments.list()).toMatchObject([
        { revision: 1, redeployRequired: false },
      ])
    })

    test('a policy as it is read is also taken beside operationMetadata, with its place', async () => {
      const { result: policy } = await read(`${policyPath}second/`)
      const operationMetadata = { targetScope: 'ALL', targetPipeline: 'REQUEST', deploy: false }
      for (const order of [undefined, null, 2]) {
        const body = { operationMetadata: { ...operationMetadata, order }, policy }
        expect(await write(`${policyPath}second/`, body)).toMatchObject({ status: 200 })
        expect((await read(`${policyPath}second/`)).result).toEqual(policy)
      }
    })

    test('an order that was changed in what was read moves the policy', async () => {
      const { result } = await read(`${policyPath}second/`)
      await write(`${policyPath}second/`, { ...result, order: 1 })
      expect((await read(`${policyPath}first/`)).result).toMatchObject({ order: 2 })
      await write(`${policyPath}second/`, result)
      expect((await read(`${policyPath}first/`)).result).toMatchObject({ order: 1 })
    })

    const operationMetadata = { targetScope: 'ALL', targetPipeline: 'REQUEST', deploy: false }
    test.each([
      ['name', { name: 'first' }],
      ['targetScope', { targetScope: 'SOME' }],
      ['targetPipeline', { targetPipeline: 'FAULT' }],
      ['order', { order: 0 }],
      ['deploy', { deploy: true }],
    ])('a policy as it is read, but with another %s, is 422', async (field, changed) => {
      const { result } = await read(`${policyPath}second/`)
      const { status, body } = await write(`${policyPath}second/`, { ...result, ...changed })
      expect([status, body.error?.code]).toEqual([422, 'invalid'])
      expect(body.error?.details?.map(({ path }) => path)).toEqual([field])
    })

    test.each([
      ['policy.targetPipeline', { targetPipeline: 'ERROR' }],
      ['policy.targetScope', { targetScope: 'ENDPOINT' }],
      ['policy.order', { order: 3 }],
    ])('a %s that is not as in operationMetadata is 422', async (field, changed) => {
      const { result } = await read(`${policyPath}second/`)
      const body = {
        operationMetadata: { ...operationMetadata, order: 2 },
        policy: { ...result, ...changed },
      }
      const { status, body: answer } = await write(`${policyPath}second/`, body)
      expect([status, answer.error?.code]).toEqual([422, 'invalid'])
      expect(answer.error?.details).toMatchObject([{ path: field, problem: 'conflict' }])
    })

    test.each([
      [projectPath, { name: 'Other' }, 'name'],
      [`${projectPath}apiProxies/MyAPI/`, { name: 'Other' }, 'name'],
    ])('PUT %s with another name is 422', async (path, changed, field) => {
      const { result } = await read(path)
      const { status, body } = await write(path, { ...result, ...changed })
      expect([status, body.error?.code]).toEqual([422, 'invalid'])
      expect(body.error?.details).toMatchObject([{ path: field, problem: 'conflict' }])
    })

    test.each([
      ['subject', 'CN=Somebody Else'],
      ['issuer', 'CN=Somebody Else'],
      ['notAfter', '2099-01-01T00:00:00Z'],
      ['sha256', '0'.repeat(64)],
    ])('a certificate whose %s is not what its octets say is 422', async (field, value) => {
      const path = `${projectPath}trustStore/`
      const { result } = await read(path)
      const [anchor] = (result as { readonly anchors: readonly object[] }).anchors
      const { status, body } = await write(path, { anchors: [{ ...anchor, [field]: value }] })
      expect([status, body.error?.code]).toEqual([422, 'invalid'])
      expect(body.error?.details).toMatchObject([
        { path: `anchors[0].${field}`, problem: 'conflict' },
      ])
    })

    test.each(['', 'not base64', 'AAAA'])('a certificate whose der is %j is 422', async (der) => {
      const path = `${projectPath}trustStore/`
      const { result } = await read(path)
      const [anchor] = (result as { readonly anchors: readonly object[] }).anchors
      const { status, body } = await write(path, { anchors: [{ ...anchor, der }] })
      expect([status, body.error?.code]).toEqual([422, 'invalid'])
      expect(body.error?.details?.map((one) => one.path)).toEqual(['anchors[0].der'])
    })

    test('any policy, anywhere', async () => {
      const proxy = manager.client.project('MyProject').apiProxy('Other')
      await proxy.create({ upstream: { url: 'http://127.0.0.1:1' } })
      for (const name of ['a', 'b']) {
        await proxy.policies.add(name, {
          operationMetadata: { targetScope: 'ALL', targetPipeline: 'REQUEST', deploy: false },
          policy: { type: 'policy-auth-mtls' },
        })
      }
      const place = fc.oneof(
        fc.constant({ targetScope: 'ALL' as const }),
        fc.record({
          targetScope: fc.constant('ENDPOINT' as const),
          targetEndpoint: fc.constantFrom('/orders/{id}', '/Orders', '/'),
          targetEndpointHTTPMethod: fc.constantFrom('GET' as const, 'DELETE' as const),
        }),
      )
      const operation = fc.record(
        {
          targetPipeline: fc.constantFrom(
            'REQUEST' as const,
            'RESPONSE' as const,
            'ERROR' as const,
          ),
          order: fc.constantFrom(1, 2, null),
        },
        { requiredKeys: ['targetPipeline'] },
      )
      const policy = fc.record(
        {
          type: fc.constant('policy-auth-mtls' as const),
          description: fc.string({ unit: 'grapheme', maxLength: 20 }),
          active: fc.boolean(),
          validateACLForIssuer: fc.boolean(),
          mode: fc.constantFrom('enforce' as const, 'report' as const),
          clientAcl: fc.constantFrom<unknown>('allow san-dns client-a.example # a comment', [
            { effect: 'allow', match: { sanDns: 'client-a.example' } },
          ]),
        },
        { requiredKeys: ['type'] },
      )
      await fc.assert(
        fc.asyncProperty(place, operation, policy, async (where, how, what) => {
          await proxy.policies.update('a', {
            operationMetadata: { ...where, ...how, deploy: false },
            policy: what,
          })
          const lists = await proxy.policies.list()
          const { value, etag } = await proxy.policies.read('a')
          await proxy.policies.update('a', value, { ifMatch: etag })
          expect((await proxy.policies.read('a')).value).toEqual(value)
          expect(await proxy.policies.list()).toEqual(lists)
        }),
        { numRuns: 40 },
      )
    }, 60_000)
  })
})
