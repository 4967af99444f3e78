/** Projects, API proxies and environments: documents, defaults, conditions, and what is in use. */

import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { encodeBase64 } from '../../../src/base/base64.ts'
import { writePem } from '../../../src/base/pem.ts'
import type { ApiProxyClient, ProjectClient } from '../../../src/management/index.ts'
import { issueVariant } from '../../../src/testing/index.ts'
import { pkcs7Of } from '../../pkcs7/support.ts'
import { pki, refusal, useManager } from './support.ts'

const manager = useManager()
let project: ProjectClient
let proxy: ApiProxyClient
let count = 0

beforeAll(async () => {
  await manager.client.environments.create('production')
})
beforeEach(async () => {
  project = manager.client.project(`Project ${count++}`)
  await project.create()
  proxy = project.apiProxy('MyAPI')
})

const upstream = { url: 'http://127.0.0.1:8081' }

describe('an API proxy', () => {
  test('has defaults', async () => {
    const { value, etag } = await proxy.create({ upstream })
    expect(value).toEqual({
      name: 'MyAPI',
      hosts: ['*'],
      basePath: '/',
      upstream: { ...upstream, timeoutMs: 30_000, maxBodyBytes: 10_485_760, identityHeaders: {} },
      tls: true,
      endpoints: [],
      environments: [],
    })
    expect(await proxy.read()).toEqual({ value, etag })
  })

  test('is read as it was written, host names in lower case', async () => {
    const document = {
      hosts: ['API.example', 'b.example'],
      basePath: '/payments/v1',
      upstream: {
        url: 'https://upstream.example/base',
        timeoutMs: 5,
        maxBodyBytes: 0,
        identityHeaders: { 'X-Client': 'subject' },
      },
      tls: false,
      endpoints: [{ path: '/orders/{id}', method: 'GET' as const }],
      environments: ['production'],
    }
    const { value } = await proxy.create(document)
    expect(value).toEqual({ name: 'MyAPI', ...document, hosts: ['api.example', 'b.example'] })
  })

  test.each([
    [{}, 'upstream'],
    [{ upstream: {} }, 'upstream.url'],
    [{ upstream: 'http://a' }, 'upstream'],
    [{ upstream: { url: 'ftp://a' } }, 'upstream.url'],
    [{ upstream: { url: 'http://user:pass@a' } }, 'upstream.url'],
    [{ upstream: { url: 'http://a?b' } }, 'upstream.url'],
    [{ upstream: { ...upstream, timeoutMs: 0 } }, 'upstream.timeoutMs'],
    [{ upstream: { ...upstream, retries: 3 } }, 'upstream.retries'],
    [
      { upstream: { ...upstream, identityHeaders: { 'Transfer-Encoding': 'subject' } } },
      'upstream.identityHeaders.Transfer-Encoding',
    ],
    [
      { upstream: { ...upstream, identityHeaders: { 'X-Client': 'nobody' } } },
      'upstream.identityHeaders.X-Client',
    ],
    [{ upstream, hosts: [] }, 'hosts'],
    [{ upstream, hosts: ['a', 'A'] }, 'hosts'],
    [{ upstream, hosts: ['*', 'a'] }, 'hosts'],
    [{ upstream, hosts: ['a:443'] }, 'hosts[0]'],
    [{ upstream, hosts: ['a', 5] }, 'hosts[1]'],
    [{ upstream, basePath: 'a' }, 'basePath'],
    [{ upstream, basePath: '/a/' }, 'basePath'],
    [{ upstream, basePath: '/a/../b' }, 'basePath'],
    [{ upstream, tls: 'yes' }, 'tls'],
    [{ upstream, endpoints: [{ path: 'a', method: 'GET' }] }, 'endpoints[0].path'],
    [{ upstream, endpoints: [{ path: '/a' }] }, 'endpoints[0].method'],
    [
      {
        upstream,
        endpoints: [
          { path: '/{a}', method: 'GET' },
          { path: '/{b}', method: 'GET' },
        ],
      },
      'endpoints[1]',
    ],
    [{ upstream, environments: ['nowhere'] }, 'environments[0]'],
    [{ upstream, name: 'x' }, 'name'],
    [[], ''],
  ])('of %j is 422', async (document, path) => {
    const refused = await refusal(proxy.create(document as never))
    expect([refused.status, refused.code]).toEqual([422, 'invalid'])
    expect(refused.paths).toContain(path)
    expect(await refusal(proxy.read())).toMatchObject({ status: 404, code: 'api-proxy-not-found' })
  })

  test('is made once, and written by who read it last', async () => {
    const { etag } = await proxy.create({ upstream })
    expect(await refusal(proxy.create({ upstream }))).toMatchObject({ status: 409 })
    const { etag: next } = await proxy.update({ upstream, tls: false }, { ifMatch: etag })
    expect(await refusal(proxy.update({ upstream }, { ifMatch: etag }))).toMatchObject({
      status: 412,
    })
    expect(await refusal(proxy.delete({ ifMatch: etag }))).toMatchObject({ status: 412 })
    await proxy.delete({ ifMatch: next })
    const again = await proxy.create({ upstream })
    expect([etag, next]).not.toContain(again.etag)
  })

  test('takes everything of its own with it', async () => {
    await proxy.create({ upstream })
    await proxy.issuerAcl.put({ acl: 'allow dn CN=a' })
    await proxy.killList.add({ spkiSha256: '0'.repeat(64) })
    const operationMetadata = { targetScope: 'ALL', targetPipeline: 'REQUEST' } as const
    await proxy.policies.add('one', { operationMetadata, policy: { type: 'policy-auth-mtls' } })
    await proxy.delete()
    await proxy.create({ upstream })
    expect((await proxy.policies.list()).requestPolicyList).toEqual([])
    expect((await proxy.killList.list()).items).toEqual([])
    expect(await refusal(proxy.issuerAcl.read())).toMatchObject({ status: 404 })
  })

  test('is in the list of its project, in pages', async () => {
    for (const name of ['b', 'a', 'c']) await project.apiProxy(name).create({ upstream })
    const first = await project.apiProxies({ limit: 2 })
    expect(first.items.map(({ name }) => name)).toEqual(['a', 'b'])
    const second = await project.apiProxies({ limit: 2, cursor: first.nextCursor ?? '' })
    expect(second.items.map(({ name }) => name)).toEqual(['c'])
    expect(second.nextCursor).toBeUndefined()
  })
})

describe('a project', () => {
  test('is made, described, and written by who read it last', async () => {
    const own = manager.client.project(`Own ${count}`)
    const { etag } = await own.create({ description: 'first' })
    expect(await refusal(own.create())).toMatchObject({ status: 409, code: 'already-exists' })
    expect((await own.read()).value).toEqual({ name: `Own ${count}`, description: 'first' })
    await own.update({ description: 'second' }, { ifMatch: etag })
    expect(await refusal(own.update({}, { ifMatch: etag }))).toMatchObject({ status: 412 })
    expect((await own.read()).value.description).toBe('second')
  })

  test('with API proxies stays; without, it goes with what is its own', async () => {
    await proxy.create({ upstream })
    expect(await refusal(project.delete())).toMatchObject({ status: 409, code: 'in-use' })
    await proxy.delete()
    await project.issuerAcl.put({ acl: '' })
    await project.delete()
    expect(await refusal(project.read())).toMatchObject({ status: 404, code: 'project-not-found' })
    await project.create()
    expect(await refusal(project.issuerAcl.read())).toMatchObject({ status: 404 })
  })

  test.each([
    [{ description: 5 }, 'description'],
    [{ description: 'a\0b' }, 'description'],
    [{ owner: 'x' }, 'owner'],
  ])('of %j is 422', async (request, path) => {
    const refused = await refusal(project.update(request as never))
    expect([refused.status, refused.paths]).toEqual([422, [path]])
  })
})

describe('an environment', () => {
  test('is made once; one that API proxies name, or that was deployed to, stays', async () => {
    const name = `environment ${count}`
    const { environments } = manager.client
    await environments.create(name)
    expect(await refusal(environments.create(name))).toMatchObject({ status: 409 })
    expect((await environments.list()).items).toContainEqual({ name })
    await proxy.create({ upstream, environments: [name] })
    expect(await refusal(environments.delete(name))).toMatchObject({ status: 409, code: 'in-use' })
    await proxy.update({ upstream })
    await environments.delete(name)
    expect(await refusal(environments.delete(name))).toMatchObject({ status: 404 })
    await environments.create(name)
    await proxy.update({ upstream, environments: [name] })
    expect((await proxy.deployments.deploy()).success).toBe(true)
    await proxy.deployments.undeploy(name)
    await proxy.update({ upstream })
    // Its numbers must not begin again: gateways would take them for a replay.
    expect(await refusal(environments.delete(name))).toMatchObject({ status: 409, code: 'in-use' })
  })
})

describe('a trust store from PKCS #7', () => {
  test('as octets, PEM and base64', async () => {
    const { root, issuing } = await pki
    const bundle = new Uint8Array(pkcs7Of([root.der, issuing.der]))
    const base = `/apiops/projects/Project%20${count - 1}/trustStore/anchors/`
    const octets = await manager.send('PUT', base, {
      body: bundle,
      headers: { 'content-type': 'application/x-pkcs7-certificates' },
    })
    expect(octets.status).toBe(200)
    const anchors = octets.body.result?.anchors
    expect(anchors).toMatchObject([
      { der: encodeBase64(root.der) },
      { der: encodeBase64(issuing.der) },
    ])
    for (const text of [writePem('PKCS7', bundle), encodeBase64(bundle)]) {
      expect((await project.trustStore.put({ anchors: text })).value.anchors).toEqual(anchors)
    }
  })

  test('with a certificate that cannot be read it is refused whole', async () => {
    const { client } = await issueVariant('boolean-not-der')
    const { root } = await pki
    for (const anchors of [
      encodeBase64(pkcs7Of([root.der, client.der])),
      root.pem + writePem('CERTIFICATE', client.der),
    ]) {
      const refused = await refusal(project.trustStore.put({ anchors }))
      expect([refused.status, refused.paths]).toEqual([422, ['anchors']])
    }
  })

  test('intermediates alone have nothing to lead to', async () => {
    const base = `/apiops/projects/Project%20${count - 1}/trustStore/intermediates/`
    const answer = await manager.send('PUT', base, {
      body: (await pki).intermediatesPem,
      headers: { 'content-type': 'text/plain' },
    })
    expect(answer.status).toBe(404)
  })
})

test('tokens are listed with their rights, and a name is free again once revoked', async () => {
  const { tokens } = manager.client
  const name = `ci ${count}`
  const rights = [{ right: 'read', project: '*' }] as const
  const { token, ...shown } = await tokens.create(name, { rights })
  expect(shown).toMatchObject({ name, rights, expiresAt: null, revokedAt: null, lastUsedAt: null })
  expect((await tokens.list({ limit: 1000 })).items).toContainEqual(shown)
  expect(await refusal(tokens.create(name, { rights }))).toMatchObject({ status: 409 })
  await tokens.revoke(name)
  expect(await refusal(tokens.revoke(name))).toMatchObject({ status: 404, code: 'token-not-found' })
  expect((await tokens.create(name, { rights })).token).not.toBe(token)
})
