/** The manager on a port: TLS, slow and large bodies over real connections, logs without secrets, health, metrics, OpenAPI. */

import { readFileSync } from 'node:fs'
import { request as tlsRequest } from 'node:https'
import { connect, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import client from 'prom-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  createManagementClient,
  managementLogger,
  managementOpenApi,
  type ServedManagement,
  type Store,
  serveManagement,
} from '../../../src/management/index.ts'
import { issueCa } from '../../../src/testing/index.ts'
import { makeProject, refusal, startManager, type TestManager, temporaryStore } from './support.ts'

let store: Store
let manager: TestManager
let served: ServedManagement
const lines: string[] = []

beforeAll(async () => {
  store = await temporaryStore()
  manager = await startManager(store, {
    bodyTimeoutMs: 300,
    logger: managementLogger('info', { write: (line) => lines.push(line) }),
    metrics: { client, register: new client.Registry() },
  })
  await makeProject(manager.client)
  served = await serveManagement({ management: manager.management, port: 0 })
})
afterAll(async () => {
  await served.close()
  await store.close()
})

const policy = '/apiops/projects/MyProject/apiProxies/MyAPI/policies/x/'

/** Sends these octets over a connection of its own and gathers what comes back until it ends. */
async function exchange(write: (socket: Socket) => void): Promise<string> {
  const socket = connect(served.port, '127.0.0.1')
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
  })
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
  socket.on('connect', () => write(socket))
  await closed
  return text
}

function head(length: number): string {
  return [
    `POST ${policy} HTTP/1.1`,
    'Host: localhost',
    `Authorization: Bearer ${manager.token}`,
    'Content-Type: application/json',
    `Content-Length: ${length}`,
    '',
    '',
  ].join('\r\n')
}

describe('bodies over a real connection', () => {
  test('a slow one is 408, and the connection ends', async () => {
    const text = await exchange((socket) => socket.write(`${head(100)}{`))
    expect(text).toMatch(/^HTTP\/1\.1 408 /)
    expect(text).toContain('"code":"body-slow"')
  })

  test('one of 50 MB is 413 before it was sent, and the connection ends', async () => {
    const text = await exchange((socket) => socket.write(`${head(50_000_000)}{`))
    expect(text).toMatch(/^HTTP\/1\.1 413 /)
    expect(text).toContain('"code":"body-too-large"')
  })

  test('one that never states its size is cut off at 1 MiB', async () => {
    const chunk = new TextEncoder().encode('x'.repeat(65_536))
    let sent = 0
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent += chunk.length
        if (sent > 50_000_000) controller.close()
        else controller.enqueue(chunk)
      },
    })
    const response = await fetch(`${served.url}${policy}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${manager.token}`, 'content-type': 'application/json' },
      body,
      duplex: 'half',
    } as RequestInit)
    expect([response.status, await response.json()]).toMatchObject([
      413,
      { error: { code: 'body-too-large', message: 'the body has more than 1048576 octets' } },
    ])
  })

  test('one that ends early does not disturb the next request', async () => {
    await exchange((socket) => {
      socket.write(`${head(100)}{`)
      socket.end()
    })
    expect((await fetch(`${served.url}/health/`)).status).toBe(200)
  })
})

test('ten bad tokens from one address are enough, and a good one that was seen goes on', async () => {
  const other = await startManager(store, { signingKey: manager.signingKey })
  const own = await serveManagement({ management: other.management, port: 0 })
  const ask = async (token: string): Promise<number> => {
    const headers = { authorization: `Bearer ${token}` }
    return (await fetch(`${own.url}/apiops/projects/`, { headers })).status
  }
  expect(await ask(other.token)).toBe(200)
  const statuses: number[] = []
  for (let i = 0; i < 11; i++) statuses.push(await ask('wrong'))
  expect(statuses).toEqual([...Array(10).fill(401), 429])
  expect(await ask(other.token)).toBe(200)
  await own.close()
})

test('logs have request ids and names of tokens, and no token', async () => {
  lines.length = 0
  const { token } = await manager.management.createToken('logged', { rights: [{ right: 'admin' }] })
  const own = createManagementClient({ url: served.url, token })
  await own.projects()
  await refusal(createManagementClient({ url: served.url, token: `${token}x` }).projects())
  const entries = lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
  expect(entries.find(({ actor }) => actor === 'logged')).toMatchObject({
    method: 'GET',
    path: '/apiops/projects/',
    status: 200,
    requestId: expect.stringMatching(/^[\da-f-]{36}$/),
  })
  expect(lines.join('')).not.toContain(token.slice(6))
})

test('a logger that is given a secret writes none', () => {
  const written: string[] = []
  const logger = managementLogger('info', { write: (line) => written.push(line) })
  logger.info(
    { token: 's3cret', headers: { authorization: 's3cret' }, a: { b: { key: 's3cret' } } },
    'x',
  )
  expect(written.join('')).not.toContain('s3cret')
  expect(written.join('').match(/\[secret\]/g)).toHaveLength(3)
})

test('health, readiness and metrics need no token, and name nothing that a client chose', async () => {
  for (const path of ['/health', '/health/', '/ready', '/ready/']) {
    const response = await fetch(`${served.url}${path}`)
    expect([response.status, await response.json()]).toEqual([200, { success: true }])
  }
  await fetch(`${served.url}/apiops/projects/NamedByAClient/`, {
    headers: { authorization: `Bearer ${manager.token}` },
  })
  const text = await (await fetch(`${served.url}/metrics`)).text()
  expect(text).toContain(
    'mtls_policy_manager_requests_total{method="GET",route="/apiops/projects/{projectName}/",status="404"} 1',
  )
  expect(text).not.toContain('NamedByAClient')
})

test('over TLS; another certificate serves the connections to come', async () => {
  const ca = await issueCa('Manager CA')
  const issue = async (serial: number) => {
    const { chainPem: cert, privateKeyPem: key } = await ca.issue('localhost', {
      serialNumber: serial,
      subjectAltName: [{ dns: 'localhost' }],
      extendedKeyUsage: ['serverAuth'],
    })
    return { cert, key }
  }
  const other = await startManager(store, { signingKey: manager.signingKey })
  const secure = await serveManagement({
    management: other.management,
    port: 0,
    tls: await issue(0x11),
  })
  expect(secure.url).toMatch(/^https:/)
  const ask = async (): Promise<readonly unknown[]> =>
    await new Promise((resolve, reject) => {
      const request = tlsRequest(
        {
          port: secure.port,
          host: 'localhost',
          path: '/health/',
          rejectUnauthorized: false,
          agent: false,
        },
        (response) => {
          const { serialNumber } = (response.socket as TLSSocket).getPeerCertificate()
          response.resume()
          response.on('end', () => resolve([response.statusCode, serialNumber]))
        },
      )
      request.on('error', reject)
      request.end()
    })
  expect(await ask()).toEqual([200, '11'])
  secure.renewTls(await issue(0x22))
  expect(await ask()).toEqual([200, '22'])
  expect(() => secure.renewTls({ cert: 'x', key: 'y' })).toThrow()
  expect(await ask()).toEqual([200, '22'])
  await secure.close()
})

describe('the OpenAPI document', () => {
  test('is served as it is committed; `npx tsx scripts/openapi.ts` writes it', async () => {
    const response = await fetch(`${served.url}/apiops/openapi.json`)
    const committed = readFileSync(new URL('../../../docs/openapi.json', import.meta.url), 'utf8')
    expect(await response.json()).toEqual(JSON.parse(committed))
  })

  test('has every path of the user’s document, with its last slash', () => {
    const { paths, openapi } = managementOpenApi() as {
      readonly paths: Readonly<Record<string, object>>
      readonly openapi: string
    }
    const policies = '/apiops/projects/{projectName}/apiProxies/{apiProxyName}/policies/'
    expect(openapi).toBe('3.1.0')
    expect(Object.keys(paths[policies] ?? {})).toEqual(['get'])
    expect(Object.keys(paths[`${policies}{policyName}/`] ?? {}).sort()).toEqual([
      'delete',
      'get',
      'post',
      'put',
    ])
    expect(Object.keys(paths).filter((path) => !path.endsWith('/'))).toEqual([])
  })

  test('every operation has a name of its own', () => {
    const { paths } = managementOpenApi() as {
      readonly paths: Readonly<
        Record<string, Readonly<Record<string, { readonly operationId: string }>>>
      >
    }
    const ids = Object.values(paths).flatMap((path) =>
      Object.values(path).map(({ operationId }) => operationId),
    )
    expect(new Set(ids).size).toBe(ids.length)
  })
})

test('a token that was pasted where none belongs is in no line, no answer and no record', async () => {
  const token = `mtlsp_${'Zz-_9'.repeat(8)}abc`
  const before = lines.length
  const at = `/apiops/projects/MyProject/apiProxies/${token}/`
  const get = await manager.send('GET', at)
  expect([get.status, get.body.error?.code]).toEqual([404, 'api-proxy-not-found'])
  const post = await manager.send('POST', at, { body: { upstream: { url: token } } })
  expect([post.status, post.body.error?.code]).toEqual([422, 'invalid'])
  await manager.send('GET', `/apiops/x/${token}`)
  await manager.send('GET', '/apiops/projects/', { headers: { 'x-request-id': token } })
  const put = await manager.send('PUT', '/apiops/projects/MyProject/', {
    body: { description: `the token is ${token}` },
  })
  expect(put.status).toBe(200)
  const audit = await manager.send('GET', '/apiops/audit/?project=MyProject')
  expect(JSON.stringify(audit.body)).toContain('the token is mtlsp_[secret]')
  const written = lines.slice(before).join('')
  expect(written).toContain('"path":"/apiops/x/mtlsp_[secret]"')
  for (const text of [get, post, audit, written]) {
    expect(JSON.stringify(text)).not.toContain('Zz-_9')
  }
})
