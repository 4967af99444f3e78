/** What was read at a path can be written and deleted there with its ETag, and with no other: RFC 9110 §13.1.1. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Store } from '../../../src/management/index.ts'
import { routes } from '../../../src/management/rest/routes/index.ts'
import { makeProject, pki, startManager, type TestManager, temporaryStore } from './support.ts'

let store: Store
let manager: TestManager
let now = new Date('2026-06-01T00:00:00Z')

beforeAll(async () => {
  store = await temporaryStore()
  manager = await startManager(store, { now: () => now })
  await makeProject(manager.client, await pki)
})
afterAll(async () => {
  await manager.close()
  await store.close()
})

const type = 'policy-auth-mtls'
const operationMetadata = { targetScope: 'ALL', targetPipeline: 'REQUEST', deploy: false } as const
const project = '/apiops/projects/MyProject/'
const proxy = `${project}apiProxies/MyAPI/`

test('every route that writes where another reads looks at If-Match', () => {
  const read = new Set(routes.filter(({ method }) => method === 'get').map(({ path }) => path))
  const without = routes.filter(
    ({ method, path, conditional }) =>
      (method === 'put' || method === 'delete') && read.has(path) && conditional !== true,
  )
  expect(without.map(({ operationId }) => operationId)).toEqual([])
})

/** Makes something, and says where. */
type Make = () => Promise<string>

describe('DELETE takes the ETag of GET, and refuses another one', () => {
  const made: readonly { readonly what: string; readonly make: Make; readonly body?: object }[] = [
    {
      what: 'an environment',
      make: async () => {
        await manager.client.environments.create('spare')
        return '/apiops/environments/spare/'
      },
    },
    {
      what: 'a token',
      make: async () => {
        await manager.client.tokens.create('spare', { rights: [{ right: 'admin' }] })
        return '/apiops/tokens/spare/'
      },
    },
    {
      what: 'a CRL of a project',
      make: async () => {
        const { issuing } = await pki
        const crl = await issuing.issueCrl({})
        const answer = await manager.send('POST', `${project}crls/`, {
          body: crl.der,
          headers: { 'content-type': 'application/pkix-crl' },
        })
        return `${project}crls/${String(answer.body.resultList?.[0]?.sha256)}/`
      },
    },
    { what: 'an issuer ACL', make: async () => `${project}issuerAcl/` },
    { what: 'a trust store', make: async () => `${project}trustStore/` },
    {
      what: 'a policy',
      make: async () => {
        const own = manager.client.project('MyProject').apiProxy('MyAPI').policies
        await own.add('spare', { operationMetadata, policy: { type } })
        return `${proxy}policies/spare/`
      },
      body: { operationMetadata },
    },
    { what: 'an API proxy', make: async () => proxy },
    { what: 'a project', make: async () => project },
  ]
  test.each(made)('of $what', async ({ make, body }) => {
    const path = await make()
    const etag = (await manager.send('GET', path)).headers.get('etag') ?? ''
    expect(etag).toMatch(/^"[\w.-]+"$/)
    const deleted = async (value: string): Promise<readonly unknown[]> => {
      const answer = await manager.send('DELETE', path, {
        headers: { 'if-match': value },
        ...(body === undefined ? {} : { body }),
      })
      return [answer.status, answer.body.error?.code]
    }
    expect(await deleted('"another"')).toEqual([412, 'version-mismatch'])
    expect(await deleted(`W/${etag}`)).toEqual([412, 'version-mismatch'])
    expect(await deleted(`"another", ${etag}`)).toEqual([200, undefined])
    // What is gone is not found, whatever the condition says.
    expect((await deleted('*'))[0]).toBe(404)
  })
})

test('a token that was used since it was read is another one', async () => {
  const { token } = await manager.client.tokens.create('used', { rights: [{ right: 'admin' }] })
  const path = '/apiops/tokens/used/'
  const before = (await manager.send('GET', path)).headers.get('etag') ?? ''
  now = new Date(now.getTime() + 120_000)
  await manager.send('GET', '/apiops/projects/', { token })
  await manager.close()
  const after = await manager.send('GET', path)
  expect(after.body.result?.lastUsedAt).not.toBeNull()
  const headers = { 'if-match': before }
  expect((await manager.send('DELETE', path, { headers })).status).toBe(412)
  const known = { 'if-match': after.headers.get('etag') ?? '' }
  expect((await manager.send('DELETE', path, { headers: known })).status).toBe(200)
})

test('where nothing is read, no condition can hold', async () => {
  const headers = { 'if-match': '*' }
  for (const [method, path] of [
    ['POST', '/apiops/projects/Other/'],
    ['DELETE', '/apiops/projects/MyProject/killList/x/'],
  ] as const) {
    const body = method === 'POST' ? { body: {} } : {}
    const answer = await manager.send(method, path, { headers, ...body })
    expect([answer.status, answer.body.error?.code]).toEqual([412, 'version-mismatch'])
  }
})
