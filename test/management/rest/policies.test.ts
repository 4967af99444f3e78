/** Policies: every field and default of the document, order, moving, conditions; over both stores. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  type ApiProxyClient,
  type OperationMetadata,
  openStore,
  type Store,
} from '../../../src/management/index.ts'
import { startStores } from '../store/stores.ts'
import { makeProject, pki, refusal, startManager, type TestManager } from './support.ts'

const { stores, remove } = await startStores('policies of the management API')
afterAll(remove)

const type = 'policy-auth-mtls'
const all: OperationMetadata = { targetScope: 'ALL', targetPipeline: 'REQUEST', deploy: false }
const path = '/apiops/projects/MyProject/apiProxies/MyAPI/policies/'

describe.each(stores)('policies over $kind', ({ missing, createUrl }) => {
  describe.skipIf(missing)('where it is installed', () => {
    let store: Store
    let manager: TestManager
    let proxy: ApiProxyClient
    let count = 0

    beforeAll(async () => {
      store = await openStore({ url: await createUrl() })
      manager = await startManager(store)
      await makeProject(manager.client, await pki)
    }, 60_000)
    afterAll(async () => {
      await manager.close()
      await store.close()
    })
    beforeEach(async () => {
      const name = `proxy-${count++}`
      proxy = manager.client.project('MyProject').apiProxy(name)
      await proxy.create({ upstream: { url: 'http://127.0.0.1:1' } })
    })

    async function names(): Promise<readonly string[]> {
      return (await proxy.policies.list()).requestPolicyList.map(({ name }) => name)
    }

    test('what is left out has its default, and nothing more is shown', async () => {
      await proxy.policies.add('one', { operationMetadata: all, policy: { type } })
      expect((await proxy.policies.list()).requestPolicyList).toEqual([
        { type, name: 'one', active: true, validateCertificate: true, validateACLForIssuer: true },
      ])
    })

    test.each([
      ['active', false],
      ['validateCertificate', false],
      ['validateACLForIssuer', false],
      ['description', ''],
      ['description', 'Ünïcode \0 and\nlines 🔐'],
      ['mode', 'enforce'],
      ['mode', 'report'],
      ['clientAcl', 'allow san-dns client-a.example # a comment'],
      ['clientAcl', [{ effect: 'allow', match: { sanDns: 'client-a.example' } }]],
    ])('%s %j is read as it was written', async (field, value) => {
      await proxy.policies.add('one', {
        operationMetadata: all,
        policy: { type, [field]: value } as never,
      })
      const [policy] = (await proxy.policies.list()).requestPolicyList
      expect(policy).toEqual({
        type,
        name: 'one',
        active: true,
        validateCertificate: true,
        validateACLForIssuer: true,
        [field]: value,
      })
    })

    test.each([
      ['policy.type', { operationMetadata: all, policy: {} }],
      ['policy.type', { operationMetadata: all, policy: { type: 'policy-auth-basic' } }],
      ['policy.active', { operationMetadata: all, policy: { type, active: 'true' } }],
      ['policy.active', { operationMetadata: all, policy: { type, active: null } }],
      [
        'policy.validateCertificate',
        { operationMetadata: all, policy: { type, validateCertificate: 1 } },
      ],
      [
        'policy.validateACLForIssuer',
        { operationMetadata: all, policy: { type, validateACLForIssuer: 'no' } },
      ],
      ['policy.description', { operationMetadata: all, policy: { type, description: 5 } }],
      ['policy.mode', { operationMetadata: all, policy: { type, mode: 'off' } }],
      ['policy.name', { operationMetadata: all, policy: { type, name: 'other' } }],
      [
        'policy.identitySource',
        { operationMetadata: all, policy: { type, identitySource: 'ISSUER' } },
      ],
      [
        'policy.__proto__',
        `{"operationMetadata":${JSON.stringify(all)},"policy":{"type":"${type}","__proto__":{}}}`,
      ],
      [
        'policy.clientAcl line 1',
        { operationMetadata: all, policy: { type, clientAcl: 'let in' } },
      ],
      [
        'policy.clientAcl',
        { operationMetadata: all, policy: { type, clientAcl: '', validateCertificate: false } },
      ],
      ['policy.targetEndpoint', { operationMetadata: all, policy: { type, targetEndpoint: '/a' } }],
      ['policy', { operationMetadata: all }],
      ['policy', { operationMetadata: all, policy: [] }],
      ['operationMetadata', { policy: { type } }],
      ['operationMetadata', { operationMetadata: 'ALL', policy: { type } }],
      [
        'operationMetadata.targetScope',
        { operationMetadata: { targetPipeline: 'REQUEST' }, policy: { type } },
      ],
      [
        'operationMetadata.targetScope',
        { operationMetadata: { ...all, targetScope: 'all' }, policy: { type } },
      ],
      [
        'operationMetadata.targetPipeline',
        { operationMetadata: { targetScope: 'ALL' }, policy: { type } },
      ],
      [
        'operationMetadata.targetPipeline',
        { operationMetadata: { ...all, targetPipeline: 'FAULT' }, policy: { type } },
      ],
      [
        'operationMetadata.targetEndpoint',
        { operationMetadata: { ...all, targetEndpoint: '/a' }, policy: { type } },
      ],
      [
        'operationMetadata.targetEndpointHTTPMethod',
        { operationMetadata: { ...all, targetEndpointHTTPMethod: 'GET' }, policy: { type } },
      ],
      [
        'operationMetadata.targetEndpoint',
        {
          operationMetadata: { ...all, targetScope: 'ENDPOINT', targetEndpointHTTPMethod: 'GET' },
          policy: { type },
        },
      ],
      [
        'operationMetadata.targetEndpoint',
        {
          operationMetadata: {
            ...all,
            targetScope: 'ENDPOINT',
            targetEndpointHTTPMethod: 'GET',
            targetEndpoint: 'a',
          },
          policy: { type },
        },
      ],
      [
        'operationMetadata.targetEndpointHTTPMethod',
        {
          operationMetadata: { ...all, targetScope: 'ENDPOINT', targetEndpoint: '/a' },
          policy: { type },
        },
      ],
      [
        'operationMetadata.targetEndpointHTTPMethod',
        {
          operationMetadata: {
            ...all,
            targetScope: 'ENDPOINT',
            targetEndpoint: '/a',
            targetEndpointHTTPMethod: 'get',
          },
          policy: { type },
        },
      ],
      [
        'operationMetadata.deploy',
        { operationMetadata: { ...all, deploy: 'yes' }, policy: { type } },
      ],
      [
        'operationMetadata.deployTargetEnvironmentNameList',
        {
          operationMetadata: { ...all, deployTargetEnvironmentNameList: 'production' },
          policy: { type },
        },
      ],
      [
        'operationMetadata.deployTargetEnvironmentNameList[1]',
        {
          operationMetadata: { ...all, deployTargetEnvironmentNameList: ['production', 7] },
          policy: { type },
        },
      ],
      ['operationMetadata.order', { operationMetadata: { ...all, order: 0 }, policy: { type } }],
      ['operationMetadata.order', { operationMetadata: { ...all, order: 1.5 }, policy: { type } }],
      ['operationMetadata.order', { operationMetadata: { ...all, order: '1' }, policy: { type } }],
      [
        'operationMetadata.priority',
        { operationMetadata: { ...all, priority: 1 }, policy: { type } },
      ],
      ['extra', { operationMetadata: all, policy: { type }, extra: 1 }],
    ])('a bad %s is 422, named by its path, and changes nothing', async (field, body) => {
      const { status, body: answer } = await manager.send('POST', `${path}bad/`, { body })
      expect([status, answer.success, answer.error?.code]).toEqual([422, false, 'invalid'])
      expect(answer.error?.details?.map((one) => one.path)).toContain(field)
      const list = await manager.client.project('MyProject').apiProxy('MyAPI').policies.list()
      expect(list.requestPolicyList).toEqual([])
    })

    test('every bad field is named, not only the first', async () => {
      const body = {
        operationMetadata: { targetScope: 'X', order: -1 },
        policy: { type, active: 0 },
      }
      const { body: answer } = await manager.send('POST', `${path}bad/`, { body })
      expect(answer.error?.details?.map((one) => one.path).sort()).toEqual([
        'operationMetadata.order',
        'operationMetadata.targetPipeline',
        'operationMetadata.targetScope',
        'policy.active',
      ])
    })

    test('order counts from 1; null and past the end are last', async () => {
      const add = async (name: string, order?: number | null): Promise<void> => {
        await proxy.policies.add(name, {
          operationMetadata: { ...all, ...(order === undefined ? {} : { order }) },
          policy: { type },
        })
      }
      await add('a')
      await add('b', null)
      await add('c', 1)
      await add('d', 2)
      await add('e', 99)
      expect(await names()).toEqual(['c', 'd', 'a', 'b', 'e'])
    })

    test('PUT with a number moves, the others close up; null keeps the place', async () => {
      for (const name of ['a', 'b', 'c', 'd']) {
        await proxy.policies.add(name, { operationMetadata: all, policy: { type } })
      }
      const put = async (name: string, order: number | null): Promise<void> => {
        await proxy.policies.update(name, {
          operationMetadata: { ...all, order },
          policy: { type },
        })
      }
      await put('a', 3)
      expect(await names()).toEqual(['b', 'c', 'a', 'd'])
      await put('d', 1)
      expect(await names()).toEqual(['d', 'b', 'c', 'a'])
      await put('b', null)
      expect(await names()).toEqual(['d', 'b', 'c', 'a'])
      await put('d', 99)
      expect(await names()).toEqual(['b', 'c', 'a', 'd'])
      await proxy.policies.delete('c', all)
      expect(await names()).toEqual(['b', 'a', 'd'])
      expect((await proxy.policies.read('d')).value.order).toBe(3)
    })

    test('PUT replaces the whole policy: what is left out takes its default', async () => {
      await proxy.policies.add('one', {
        operationMetadata: all,
        policy: {
          type,
          description: 'x',
          active: false,
          validateACLForIssuer: false,
          mode: 'report',
        },
      })
      await proxy.policies.update('one', { operationMetadata: all, policy: { type } })
      expect((await proxy.policies.list()).requestPolicyList).toEqual([
        { type, name: 'one', active: true, validateCertificate: true, validateACLForIssuer: true },
      ])
    })

    test('PUT with another pipeline or endpoint moves the policy there, last', async () => {
      const orders: OperationMetadata = {
        targetScope: 'ENDPOINT',
        targetEndpoint: '/orders/{id}',
        targetEndpointHTTPMethod: 'GET',
        targetPipeline: 'REQUEST',
        deploy: false,
      }
      for (const name of ['a', 'b', 'c']) {
        await proxy.policies.add(name, { operationMetadata: all, policy: { type } })
      }
      await proxy.policies.add('d', { operationMetadata: orders, policy: { type } })
      await proxy.policies.update('a', { operationMetadata: orders, policy: { type } })
      expect(await names()).toEqual(['b', 'c', 'd', 'a'])
      expect((await proxy.policies.read('a')).value).toMatchObject({
        targetScope: 'ENDPOINT',
        targetEndpoint: '/orders/{id}',
        targetEndpointHTTPMethod: 'GET',
        targetPipeline: 'REQUEST',
        order: 2,
      })
      expect((await proxy.policies.read('b')).value.order).toBe(1)
      await proxy.policies.update('a', {
        operationMetadata: { ...all, targetPipeline: 'ERROR' },
        policy: { type },
      })
      const lists = await proxy.policies.list()
      expect(lists.errorPolicyList.map(({ name }) => name)).toEqual(['a'])
      expect(lists.requestPolicyList.map(({ name }) => name)).toEqual(['b', 'c', 'd'])
    })

    test('policies of an endpoint show it, and what the list shows can be written back', async () => {
      const operationMetadata: OperationMetadata = {
        targetScope: 'ENDPOINT',
        targetEndpoint: '/orders/{id}',
        targetEndpointHTTPMethod: 'PATCH',
        targetPipeline: 'RESPONSE',
        deploy: false,
      }
      await proxy.policies.add('one', { operationMetadata, policy: { type } })
      const [policy] = (await proxy.policies.list()).responsePolicyList
      expect(policy).toEqual({
        type,
        name: 'one',
        active: true,
        validateCertificate: true,
        validateACLForIssuer: true,
        targetScope: 'ENDPOINT',
        targetEndpoint: '/orders/{id}',
        targetEndpointHTTPMethod: 'PATCH',
      })
      await proxy.policies.update('one', { operationMetadata, policy: policy as never })
      expect((await proxy.policies.list()).responsePolicyList).toEqual([policy])
    })

    test('order counts within an endpoint; scope ALL comes first in REQUEST, last in RESPONSE', async () => {
      const at = (targetPipeline: 'REQUEST' | 'RESPONSE'): OperationMetadata => ({
        targetScope: 'ENDPOINT',
        targetEndpoint: '/a',
        targetEndpointHTTPMethod: 'GET',
        targetPipeline,
        deploy: false,
      })
      await proxy.policies.add('e1', { operationMetadata: at('REQUEST'), policy: { type } })
      await proxy.policies.add('a1', { operationMetadata: all, policy: { type } })
      await proxy.policies.add('e0', {
        operationMetadata: { ...at('REQUEST'), order: 1 },
        policy: { type },
      })
      await proxy.policies.add('ra', {
        operationMetadata: { ...all, targetPipeline: 'RESPONSE' },
        policy: { type },
      })
      await proxy.policies.add('re', { operationMetadata: at('RESPONSE'), policy: { type } })
      const lists = await proxy.policies.list()
      expect(lists.requestPolicyList.map(({ name }) => name)).toEqual(['a1', 'e0', 'e1'])
      expect(lists.responsePolicyList.map(({ name }) => name)).toEqual(['re', 'ra'])
    })

    test('a second POST of a name is 409, in any pipeline, and changes nothing', async () => {
      await proxy.policies.add('one', {
        operationMetadata: all,
        policy: { type, description: 'first' },
      })
      const second = proxy.policies.add('one', {
        operationMetadata: { ...all, targetPipeline: 'ERROR' },
        policy: { type, description: 'second' },
      })
      expect(await refusal(second)).toMatchObject({ status: 409, code: 'already-exists' })
      expect((await proxy.policies.list()).errorPolicyList).toEqual([])
      expect((await proxy.policies.read('one')).value.description).toBe('first')
    })

    test("a body's name equal to the path's is accepted", async () => {
      await proxy.policies.add('one', { operationMetadata: all, policy: { type, name: 'one' } })
      expect(await names()).toEqual(['one'])
    })

    test.each([
      { targetPipeline: 'RESPONSE' as const },
      {
        targetScope: 'ENDPOINT' as const,
        targetEndpoint: '/a',
        targetEndpointHTTPMethod: 'GET' as const,
      },
    ])('DELETE that names another place, %j, is 409 and deletes nothing', async (other) => {
      await proxy.policies.add('one', { operationMetadata: all, policy: { type } })
      const deletion = proxy.policies.delete('one', { ...all, ...other })
      expect(await refusal(deletion)).toMatchObject({ status: 409, code: 'place-mismatch' })
      expect(await names()).toEqual(['one'])
    })

    test('DELETE needs its body', async () => {
      await proxy.policies.add('one', { operationMetadata: all, policy: { type } })
      const { status } = await manager.send('DELETE', `${path}one/`, {
        headers: { 'content-type': 'application/json' },
      })
      expect(status).toBe(400)
      const { status: other } = await manager.send('DELETE', `${path}one/`)
      expect(other).toBe(415)
    })

    test.each(['PUT', 'DELETE', 'GET'])(
      '%s of a policy that is not there is 404',
      async (method) => {
        const body =
          method === 'GET'
            ? {}
            : {
                body: {
                  operationMetadata: all,
                  ...(method === 'PUT' ? { policy: { type } } : {}),
                },
              }
        const answer = await manager.send(method, `${path}none/`, body)
        expect([answer.status, answer.body.error?.code]).toEqual([404, 'policy-not-found'])
      },
    )

    test('PUT with an ETag that is no longer is 412 and changes nothing', async () => {
      await proxy.policies.add('one', { operationMetadata: all, policy: { type } })
      const { etag } = await proxy.policies.read('one')
      const put = (description: string) =>
        proxy.policies.update(
          'one',
          { operationMetadata: all, policy: { type, description } },
          { ifMatch: etag },
        )
      await put('first')
      expect(await refusal(put('second'))).toMatchObject({ status: 412, code: 'version-mismatch' })
      expect((await proxy.policies.read('one')).value.description).toBe('first')
      expect(await refusal(proxy.policies.delete('one', all, { ifMatch: etag }))).toMatchObject({
        status: 412,
      })
      await proxy.policies.delete('one', all, { ifMatch: (await proxy.policies.read('one')).etag })
      expect(await names()).toEqual([])
    })

    test('a policy that is deleted and added again has another ETag', async () => {
      await proxy.policies.add('one', { operationMetadata: all, policy: { type } })
      const { etag } = await proxy.policies.read('one')
      await proxy.policies.delete('one', all)
      await proxy.policies.add('one', { operationMetadata: all, policy: { type } })
      expect((await proxy.policies.read('one')).etag).not.toBe(etag)
    })

    test('endpoints that the API proxy names are the only ones', async () => {
      const own = manager.client.project('MyProject').apiProxy(`named-${count}`)
      await own.create({
        upstream: { url: 'http://127.0.0.1:1' },
        endpoints: [{ path: '/orders/{id}', method: 'GET' }],
      })
      const at = (targetEndpoint: string): OperationMetadata => ({
        targetScope: 'ENDPOINT',
        targetEndpoint,
        targetEndpointHTTPMethod: 'GET',
        targetPipeline: 'REQUEST',
        deploy: false,
      })
      const misspelt = own.policies.add('one', {
        operationMetadata: at('/order/{id}'),
        policy: { type },
      })
      expect(await refusal(misspelt)).toEqual({
        status: 422,
        code: 'invalid',
        paths: ['operationMetadata.targetEndpoint'],
      })
      await own.policies.add('one', { operationMetadata: at('/orders/{number}'), policy: { type } })
      const update = own.update({
        upstream: { url: 'http://127.0.0.1:1' },
        endpoints: [{ path: '/other', method: 'GET' }],
      })
      expect(await refusal(update)).toMatchObject({ status: 409, code: 'in-use' })
    })

    test.each([
      'Ünïcode 🔐 name',
      "'; drop table policies; --",
      '%',
      '_%2F..',
      '..\\..\\etc',
      'a"b',
      'null',
      '__proto__',
      'x'.repeat(255),
    ])('a policy may be called %s', async (name) => {
      await proxy.policies.add(name, { operationMetadata: all, policy: { type } })
      expect(await names()).toEqual([name])
      expect((await proxy.policies.read(name)).value.name).toBe(name)
      await proxy.policies.delete(name, all)
      expect(await names()).toEqual([])
    })

    test.each([
      ['POST', '/apiops/projects/a%00b/apiProxies/MyAPI/policies/x/', 404],
      ['POST', '/apiops/projects/a%00b/', 422],
      ['POST', '/apiops/projects/a%00b/import/', 422],
      ['POST', `${path}a%00b/evaluate/`, 404],
      ['GET', '/apiops/projects/a%00b/crls/', 404],
      ['GET', '/apiops/audit/?project=a%00b', 422],
      ['PUT', '/apiops/projects/MyProject/apiProxies/MyAPI/', 422],
      ['POST', '/apiops/projects/MyProject/apiProxies/MyAPI/deployments/', 404],
      ['POST', '/apiops/tokens/a%00b/', 422],
      ['GET', '/apiops/environments/a%00b/gateways/', 404],
    ])('%s %s: what holds a NUL is no name', async (method, at, status) => {
      const environments = ['a\0b']
      const upstream = { url: 'http://127.0.0.1:1' }
      const given =
        method === 'PUT'
          ? { upstream, environments }
          : at.endsWith('/deployments/')
            ? { environments }
            : { operationMetadata: all, policy: { type } }
      const answer = await manager.send(method, at, method === 'GET' ? {} : { body: given })
      expect([answer.status, answer.body.success]).toEqual([status, false])
    })

    test.each([
      ['%2F', 422],
      ['..%2F..%2Fetc%2Fpasswd', 422],
      ['a%00b', 422],
      ['%0A', 422],
      ['x'.repeat(256), 422],
      ['%ff', 400],
      ['%zz', 400],
      ['../../../etc', 404],
      // Every client and server reads this as another path, where nothing can be posted.
      ['%2e%2e/%2e%2e', 405],
    ])('%s is no name of a policy', async (name, status) => {
      const body = { operationMetadata: all, policy: { type } }
      const answer = await manager.send('POST', `${path}${name}/`, { body })
      expect([answer.status, answer.body.success]).toEqual([status, false])
    })
  })
})
