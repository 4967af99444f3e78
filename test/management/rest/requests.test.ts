/** Requests that must not come through: tokens, rights, bodies, types, paths, methods; and what each is told. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Right, Store } from '../../../src/management/index.ts'
import { makeProject, startManager, type TestManager, temporaryStore } from './support.ts'

let store: Store
let manager: TestManager
let now = new Date('2026-06-01T00:00:00Z')

beforeAll(async () => {
  store = await temporaryStore()
  manager = await startManager(store, { now: () => now, bodyTimeoutMs: 200 })
  await makeProject(manager.client)
  await manager.client.project('Other').create()
  await manager.client.environments.create('staging')
  await manager.client.environments.create('other')
})
afterAll(async () => {
  await manager.close()
  await store.close()
})

const type = 'policy-auth-mtls'
const policies = '/apiops/projects/MyProject/apiProxies/MyAPI/policies/'
const body = {
  operationMetadata: { targetScope: 'ALL', targetPipeline: 'REQUEST', deploy: false },
  policy: { type },
}

async function tokenWith(rights: readonly Right[], expiresAt?: string): Promise<string> {
  const name = `t-${crypto.randomUUID()}`
  const request = expiresAt === undefined ? { rights } : { rights, expiresAt }
  return (await manager.management.createToken(name, request)).token
}

describe('tokens', () => {
  test('none is 401 with a challenge and no error in it, RFC 6750 §3', async () => {
    const { status, headers, body: answer } = await manager.send('GET', policies, { token: null })
    expect(status).toBe(401)
    expect(headers.get('www-authenticate')).toBe('Bearer realm="mtls-policy"')
    expect(answer.error?.code).toBe('token-missing')
  })

  test.each([
    ['unknown', `mtlsp_${'A'.repeat(43)}`],
    ['of another form', 'secret'],
    ['empty', ''],
    ['with SQL in it', "' or 1=1 --"],
  ])('one that is %s is 401', async (_what, token) => {
    const { status, headers, body: answer } = await manager.send('GET', policies, { token })
    expect([status, answer.error?.code]).toEqual([401, 'token-invalid'])
    expect(headers.get('www-authenticate')).toContain('error="invalid_token"')
  })

  test('another scheme is 401', async () => {
    const headers = { authorization: `Basic ${btoa(`x:${manager.token}`)}` }
    expect((await manager.send('GET', policies, { token: null, headers })).status).toBe(401)
  })

  test('expired is 401, from the very second', async () => {
    const token = await tokenWith([{ right: 'admin' }], '2026-06-01T01:00:00Z')
    expect((await manager.send('GET', policies, { token })).status).toBe(200)
    now = new Date('2026-06-01T00:59:59.999Z')
    expect((await manager.send('GET', policies, { token })).status).toBe(200)
    now = new Date('2026-06-01T01:00:00Z')
    expect((await manager.send('GET', policies, { token })).status).toBe(401)
  })

  test('revoked is 401 at once', async () => {
    const { token } = await manager.client.tokens.create('short', { rights: [{ right: 'admin' }] })
    expect((await manager.send('GET', policies, { token })).status).toBe(200)
    await manager.client.tokens.revoke('short')
    expect((await manager.send('GET', policies, { token })).status).toBe(401)
    expect((await manager.client.tokens.read('short')).value.revokedAt).not.toBeNull()
  })

  test('the store has only a digest, and no list shows more', async () => {
    const { token } = await manager.client.tokens.create('hidden', { rights: [{ right: 'admin' }] })
    expect(token).toMatch(/^mtlsp_[\w-]{43}$/)
    for (const table of ['tokens', 'audit'] as const) {
      const rows = await store.db.selectFrom(table).selectAll().execute()
      expect(JSON.stringify(rows)).not.toContain(token)
    }
    expect(JSON.stringify(await manager.client.tokens.list())).not.toContain(token)
  })

  test.each([
    [{ rights: [] }, 'rights'],
    [{ rights: [{ right: 'root' }] }, 'rights[0]'],
    [{ rights: [{ right: 'read' }] }, 'rights[0]'],
    [{ rights: [{ right: 'read', project: '' }] }, 'rights[0]'],
    [{ rights: [{ right: 'admin' }], expiresAt: '2026-05-01T00:00:00Z' }, 'expiresAt'],
    [{ rights: [{ right: 'admin' }], expiresAt: 'soon' }, 'expiresAt'],
    [{ rights: [{ right: 'admin' }], expiresAt: '2030-02-30T00:00:00Z' }, 'expiresAt'],
    // In UTC it would have a year of five digits.
    [{ rights: [{ right: 'admin' }], expiresAt: '9999-12-31T23:59:59-23:59' }, 'expiresAt'],
    [{ rights: [{ right: 'admin' }], expiresAt: '0000-01-01T00:00:00+23:59' }, 'expiresAt'],
  ])('a token of %j is 422', async (request, path) => {
    const { status, body: answer } = await manager.send('POST', '/apiops/tokens/bad/', {
      body: request,
    })
    expect(status).toBe(422)
    expect(answer.error?.details?.[0]?.path).toContain(path)
  })
})

test('the last time that can be written is one', async () => {
  const { expiresAt } = await manager.client.tokens.create('last', {
    rights: [{ right: 'admin' }],
    expiresAt: '9999-12-31T23:59:59.999Z',
  })
  expect(expiresAt).toBe('9999-12-31T23:59:59.999Z')
})

describe('kill list entries', () => {
  const kills = '/apiops/projects/MyProject/killList/'
  test.each([
    ['past', '2020-01-01T00:00:00Z'],
    ['now', '2026-06-01T00:00:00Z'],
    ['a day that there is not', '2030-02-30T00:00:00Z'],
    ['no leap year', '2027-02-29T00:00:00Z'],
    ['no time', 'soon'],
    ['of another zone', '2030-01-01T00:00:00+02:00'],
  ])('with an end that is %s are 422', async (_what, expires) => {
    now = new Date('2026-06-01T00:00:00Z')
    const answer = await manager.send('POST', kills, { body: { issuer: 'CN=a', expires } })
    expect([answer.status, answer.body.error?.code]).toEqual([422, 'invalid'])
    expect(answer.body.error?.details).toMatchObject([{ path: 'expires' }])
    expect((await manager.send('GET', kills)).body.resultCount).toBe(0)
  })

  test('in a file may have run out, but not on a day that there is not', async () => {
    const file = (expires: string): object => ({
      version: 1,
      project: {},
      settings: { killList: [{ issuer: 'CN=a', expires }] },
      apiProxies: [],
    })
    const path = '/apiops/projects/Kills/import/'
    const bad = await manager.send('POST', path, { body: file('2020-02-30T00:00:00Z') })
    expect([bad.status, bad.body.error?.details]).toMatchObject([
      422,
      [{ path: 'settings.killList[0].expires' }],
    ])
    expect((await manager.send('POST', path, { body: file('2020-02-29T00:00:00Z') })).status).toBe(
      200,
    )
  })
})

describe('rights', () => {
  const read: Right = { right: 'read', project: 'MyProject' }
  const write: Right = { right: 'write', project: 'MyProject' }
  const deploy: Right = { right: 'deploy', project: 'MyProject' }
  const gateway: Right = { right: 'gateway', environment: 'production' }

  test.each<[Right, string, string, unknown, number]>([
    [read, 'GET', policies, undefined, 200],
    [write, 'GET', policies, undefined, 200],
    [deploy, 'GET', policies, undefined, 200],
    [{ right: 'read', project: '*' }, 'GET', policies, undefined, 200],
    [{ right: 'read', project: 'Other' }, 'GET', policies, undefined, 403],
    [{ right: 'read', project: 'MyProjec' }, 'GET', policies, undefined, 403],
    [gateway, 'GET', policies, undefined, 403],
    [read, 'POST', `${policies}a/`, body, 403],
    [deploy, 'POST', `${policies}a/`, body, 403],
    [write, 'PUT', `${policies}none/`, body, 404],
    // `deploy` is true when it is left out.
    [
      write,
      'PUT',
      `${policies}none/`,
      { ...body, operationMetadata: { targetScope: 'ALL', targetPipeline: 'REQUEST' } },
      403,
    ],
    [write, 'POST', '/apiops/projects/MyProject/apiProxies/MyAPI/deployments/', {}, 403],
    [deploy, 'POST', '/apiops/projects/MyProject/apiProxies/MyAPI/deployments/', {}, 200],
    [write, 'POST', '/apiops/projects/New/', {}, 403],
    [{ right: 'write', project: '*' }, 'POST', '/apiops/projects/New/', {}, 200],
    [{ right: 'write', project: '*' }, 'POST', '/apiops/environments/new/', {}, 403],
    [{ right: 'write', project: '*' }, 'GET', '/apiops/tokens/', undefined, 403],
    [{ right: 'write', project: '*' }, 'GET', '/apiops/audit/', undefined, 403],
    [read, 'GET', '/apiops/audit/?project=MyProject', undefined, 200],
    [read, 'GET', '/apiops/audit/?project=Other', undefined, 403],
    [gateway, 'GET', '/apiops/environments/production/state/', undefined, 200],
    [gateway, 'GET', '/apiops/environments/staging/state/', undefined, 403],
    [{ right: 'admin' }, 'GET', '/apiops/environments/production/state/', undefined, 403],
    [read, 'GET', '/apiops/environments/production/gateways/', undefined, 403],
    [{ right: 'admin' }, 'GET', '/apiops/environments/production/gateways/', undefined, 200],
    [gateway, 'GET', '/apiops/environments/production/', undefined, 200],
    [gateway, 'GET', '/apiops/environments/staging/', undefined, 403],
    [gateway, 'GET', '/apiops/environments/nowhere/', undefined, 403],
    [
      { right: 'gateway', environment: '*' },
      'GET',
      '/apiops/environments/nowhere/',
      undefined,
      404,
    ],
    [read, 'GET', '/apiops/environments/staging/', undefined, 200],
    [gateway, 'GET', '/apiops/environments/production/gateways/', undefined, 403],
    // What does not exist is told only to those who may see it.
    [read, 'GET', '/apiops/projects/Nowhere/', undefined, 403],
    [{ right: 'read', project: '*' }, 'GET', '/apiops/projects/Nowhere/', undefined, 404],
  ])('%j, %s %s → status', async (right, method, path, given, status) => {
    const token = await tokenWith([right])
    const answer = await manager.send(method, path, {
      token,
      ...(given === undefined ? {} : { body: given }),
    })
    expect(answer.status).toBe(status)
    if (status === 403) expect(answer.body.error?.code).toBe('right-missing')
  })

  test('the list of projects has those that the token may see', async () => {
    const client = await manager.clientWith('one-project', [{ right: 'read', project: 'Other' }])
    expect((await client.projects()).items.map(({ name }) => name)).toEqual(['Other'])
    const none = await manager.clientWith('no-project', [{ right: 'gateway', environment: '*' }])
    expect((await none.projects()).items).toEqual([])
  })

  test.each<[string, readonly Right[], readonly string[]]>([
    ['its own', [gateway], ['production']],
    ['its own two', [gateway, { ...gateway, environment: 'staging' }], ['production', 'staging']],
    ['none where its own is none', [{ ...gateway, environment: 'nowhere' }], []],
    ['all for *', [{ ...gateway, environment: '*' }], ['other', 'production', 'staging']],
    ['all for who deploys', [gateway, deploy], ['other', 'production', 'staging']],
    ['all for an admin', [{ right: 'admin' }], ['other', 'production', 'staging']],
  ])('the list of environments has %s', async (what, rights, names) => {
    const client = await manager.clientWith(`environments: ${what}`, rights)
    expect((await client.environments.list()).items.map(({ name }) => name)).toEqual(names)
    const { items, nextCursor } = await client.environments.list({ limit: 1 })
    expect(items.map(({ name }) => name)).toEqual(names.slice(0, 1))
    expect(nextCursor === undefined).toBe(names.length < 2)
  })
})

describe('bad tokens from one address', () => {
  test('the eleventh within a minute has to wait; a good token beside it need not, others neither', async () => {
    const address = '192.0.2.1'
    const good = await tokenWith([{ right: 'admin' }])
    expect((await manager.send('GET', policies, { token: good, address })).status).toBe(200)
    for (let i = 0; i < 10; i++) {
      expect((await manager.send('GET', policies, { token: 'bad', address })).status).toBe(401)
    }
    const {
      status,
      headers,
      body: answer,
    } = await manager.send('GET', policies, {
      token: 'bad',
      address,
    })
    expect([status, answer.error?.code]).toEqual([429, 'too-many-attempts'])
    expect(headers.get('retry-after')).toBe('60')
    const unseen = await tokenWith([{ right: 'admin' }])
    expect((await manager.send('GET', policies, { token: unseen, address })).status).toBe(429)
    expect((await manager.send('GET', policies, { token: good, address })).status).toBe(200)
    const elsewhere = { token: 'bad', address: '192.0.2.2' }
    expect((await manager.send('GET', policies, elsewhere)).status).toBe(401)
    now = new Date(now.getTime() + 61_000)
    expect((await manager.send('GET', policies, { token: unseen, address })).status).toBe(200)
  })
})

describe('bodies', () => {
  test.each([
    ['', 400],
    ['{', 400],
    ['{} x', 400],
    ["{'a':1}", 400],
    ['\ufeff{}', 400],
    ['{"a":"\\ud800"}', 400],
    ['null', 422],
    ['[]', 422],
    ['"text"', 422],
    ['{}', 422],
    [`${'['.repeat(100_000)}${']'.repeat(100_000)}`, 400],
  ])('%j', async (text, status) => {
    const answer = await manager.send('POST', `${policies}x/`, { body: text })
    expect([answer.status, answer.body.success]).toEqual([status, false])
  })

  test.each([
    [
      `{"operationMetadata":{"targetScope":"ALL","targetPipeline":"REQUEST","deploy":false},
        "policy":{"type":"policy-auth-mtls","validateCertificate":true,"validateCertificate":false}}`,
      'policy.validateCertificate',
    ],
    ['{"policy":{},"\\u0070olicy":{}}', 'policy'],
  ])('a name that comes twice is 400 with its path: %s', async (text, path) => {
    const { status, body: answer } = await manager.send('POST', `${policies}x/`, { body: text })
    expect([status, answer.error?.code]).toEqual([400, 'json-duplicate-key'])
    expect(answer.error?.details).toMatchObject([{ path, problem: 'not-unique' }])
    expect((await manager.send('GET', `${policies}x/`)).status).toBe(404)
  })

  test('octets that are no UTF-8 are 400', async () => {
    const octets = new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d])
    expect((await manager.send('POST', `${policies}x/`, { body: octets })).status).toBe(400)
  })

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json; charset=utf-16',
    'application/jsonp',
    '',
  ])('of type %j are 415', async (contentType) => {
    const headers = { 'content-type': contentType }
    const answer = await manager.send('POST', `${policies}x/`, { body: '{}', headers })
    expect([answer.status, answer.body.error?.code]).toEqual([415, 'content-type-unsupported'])
  })

  test.each(['application/json; charset=UTF-8', 'APPLICATION/JSON', 'application/vnd.x+json'])(
    'of type %s are read',
    async (contentType) => {
      const headers = { 'content-type': contentType }
      expect((await manager.send('POST', `${policies}x/`, { body: '{}', headers })).status).toBe(
        422,
      )
    },
  )

  test('above 1 MiB are 413, stated or not', async () => {
    const large = JSON.stringify({ ...body, pad: 'x'.repeat(1_048_576) })
    const stated = await manager.send('POST', `${policies}x/`, {
      body: large,
      headers: { 'content-length': String(large.length) },
    })
    expect([stated.status, stated.body.error?.code]).toEqual([413, 'body-too-large'])
    expect((await manager.send('POST', `${policies}x/`, { body: large })).status).toBe(413)
  })

  test('exactly 1 MiB is read', async () => {
    const text = JSON.stringify({ ...body, pad: '' })
    const full = JSON.stringify({ ...body, pad: 'x'.repeat(1_048_576 - text.length) })
    expect(full.length).toBe(1_048_576)
    expect((await manager.send('POST', `${policies}x/`, { body: full })).status).toBe(422)
  })

  test('that do not end are 408, and the connection is not used again', async () => {
    const slow = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode('{')),
    })
    const request = new Request(`http://manager.test${policies}x/`, {
      method: 'POST',
      headers: { authorization: `Bearer ${manager.token}`, 'content-type': 'application/json' },
      body: slow,
      duplex: 'half',
    } as RequestInit)
    const response = await manager.management.fetch(request)
    expect(response.status).toBe(408)
    expect(response.headers.get('connection')).toBe('close')
  })
})

describe('paths and methods', () => {
  test.each(['/', '/apiops/', '/apiops/nothing/', '/apiops//projects/', `${policies}a/b/c/`])(
    'there is nothing at %s',
    async (path) => {
      const answer = await manager.send('GET', path)
      expect([answer.status, answer.body.error?.code]).toEqual([404, 'not-found'])
    },
  )

  test.each([
    ['PATCH', policies, 'GET, HEAD'],
    ['DELETE', '/apiops/projects/', 'GET, HEAD'],
    ['OPTIONS', `${policies}a/`, 'DELETE, GET, HEAD, POST, PUT'],
    ['POST', '/health/', 'GET, HEAD'],
    ['POST', '/apiops/environments/production/state/', 'GET, HEAD'],
  ])('%s %s is 405 and says what may be done', async (method, path, allow) => {
    const answer = await manager.send(method, path)
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, allow])
  })

  test.each([
    '?x=1',
    '?limit=0',
    '?limit=1001',
    '?limit=x',
    '?limit=',
    '?limit=0x10',
    '?limit=1e2',
    '?limit=10.0',
    '?limit=%2b10',
    '?limit=%2010',
    '?limit=-1',
    '?limit=١',
    '?limit=Infinity',
    '?cursor=%00',
    '?limit=1&limit=2',
  ])('a query of %s is 422', async (query) => {
    expect((await manager.send('GET', `/apiops/projects/${query}`)).status).toBe(422)
  })

  test('a limit with noughts before it is a number', async () => {
    expect((await manager.send('GET', '/apiops/projects/?limit=007')).status).toBe(200)
  })

  test.each(['"a,b"', '"a","b"', '"a" ,\tW/"b,c"', '""'])(
    'an If-Match of %j is read',
    async (value) => {
      const headers = { 'if-match': value }
      expect(
        (await manager.send('PUT', '/apiops/projects/MyProject/', { body: {}, headers })).status,
      ).toBe(412)
    },
  )

  test.each(['x', '"a', '"a" "b"', '"a",', 'W/a', '0'])(
    'an If-Match of %j holds for nothing',
    async (value) => {
      const answer = await manager.send('PUT', `${policies}a/`, {
        body,
        headers: { 'if-match': value },
      })
      expect([answer.status, answer.body.error?.code]).toEqual([412, 'version-mismatch'])
    },
  )

  test('a weak ETag never holds for a change, RFC 9110 §13.1.1', async () => {
    await manager.send('POST', `${policies}weak/`, { body })
    const { headers } = await manager.send('GET', `${policies}weak/`)
    const etag = headers.get('etag') ?? ''
    const weak = await manager.send('PUT', `${policies}weak/`, {
      body,
      headers: { 'if-match': `W/${etag}` },
    })
    expect(weak.status).toBe(412)
    const any = await manager.send('PUT', `${policies}weak/`, {
      body,
      headers: { 'if-match': '*' },
    })
    expect(any.status).toBe(200)
  })

  test('every reading has an ETag, and who has it gets 304', async () => {
    for (const path of [policies, '/apiops/projects/', '/apiops/projects/MyProject/']) {
      const { headers } = await manager.send('GET', path)
      const etag = headers.get('etag') ?? ''
      expect(etag).toMatch(/^"[^"]+"$/)
      const again = await manager.send('GET', path, { headers: { 'if-none-match': etag } })
      expect(again.status).toBe(304)
    }
  })

  test('HEAD answers as GET, without a body', async () => {
    const { status, headers } = await manager.send('HEAD', policies)
    expect([status, headers.get('etag') === null]).toEqual([200, false])
  })

  test('a request has a name in its answer: its own, if it is one', async () => {
    const id = async (given: string): Promise<string | null> =>
      (await manager.send('GET', '/health/', { headers: { 'x-request-id': given } })).headers.get(
        'x-request-id',
      )
    expect(await id('proxy-7.1')).toBe('proxy-7.1')
    expect(await id('bad name')).toMatch(/^[\da-f-]{36}$/)
  })

  test('lists come in pages, each item once', async () => {
    for (let i = 0; i < 5; i++) await manager.client.project(`Page ${i}`).create()
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await manager.client.projects({ limit: 2, ...(cursor ? { cursor } : {}) })
      expect(page.items.length).toBeLessThanOrEqual(2)
      seen.push(...page.items.map(({ name }) => name))
      cursor = page.nextCursor
    } while (cursor !== undefined)
    expect(seen).toEqual([...seen].sort())
    expect(new Set(seen).size).toBe(seen.length)
    expect(seen).toContain('Page 4')
  })
})
