/** The typed client has every operation of the OpenAPI document, and takes every condition that it has. */

import { beforeAll, expect, test } from 'vitest'
import { createManagementClient, managementOpenApi } from '../../../src/management/index.ts'
import { makeProject, refusal, useManager } from './support.ts'

const manager = useManager()

beforeAll(async () => {
  await makeProject(manager.client)
})

interface Sent {
  readonly method: string
  readonly path: string
  readonly headers: Headers
}

/** Calls every function there is, and gathers what it would send. */
async function everySending(): Promise<readonly Sent[]> {
  const sent: Sent[] = []
  const client = createManagementClient({
    url: 'http://manager.test',
    token: 'x',
    fetch: async (input, init) => {
      const { method, url, headers } = new Request(input, init)
      sent.push({ method, path: new URL(url).pathname, headers })
      return Response.json({ success: true, result: {}, resultList: [{}], deploymentResult: {} })
    },
  })
  const write = { ifMatch: '"t"', idempotencyKey: 'k' }
  const call = async (value: unknown): Promise<void> => {
    if (typeof value === 'function') {
      const result: unknown = value('NAME', 'NAME', write)
      if (result instanceof Promise) await result
      else await call(result)
      // Where the condition is an argument before.
      const other: unknown = value('NAME', write)
      if (other instanceof Promise) await other
      const only: unknown = value(write)
      if (only instanceof Promise) await only.catch(() => {})
    } else if (typeof value === 'object' && value !== null) {
      for (const part of Object.values(value)) await call(part)
    }
  }
  const { project, ...others } = client
  await call(others)
  const { apiProxy, ...ofProject } = project('NAME')
  await call(ofProject)
  await call(apiProxy('NAME'))
  return sent
}

/** Sent as octets with the client's own `crls`, or for a server's configuration: a file that is put as it is needs no client. */
const withoutClient = new Set(
  ['Project', 'ApiProxy'].flatMap((of) => [`put${of}Anchors`, `put${of}Intermediates`]),
)

test('there is a function for every operation, and one with If-Match where it counts', async () => {
  const { paths } = managementOpenApi() as {
    readonly paths: Readonly<
      Record<
        string,
        Readonly<
          Record<
            string,
            {
              readonly operationId: string
              readonly parameters?: readonly { readonly name: string }[]
            }
          >
        >
      >
    >
  }
  const sent = await everySending()
  const missing: string[] = []
  for (const [path, operations] of Object.entries(paths)) {
    const pattern = new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`)
    for (const [method, { operationId, parameters = [] }] of Object.entries(operations)) {
      if (withoutClient.has(operationId)) continue
      const those = sent.filter(
        (one) => one.method.toLowerCase() === method && pattern.test(one.path),
      )
      if (those.length === 0) missing.push(operationId)
      const isConditional = parameters.some(({ name }) => name === 'If-Match')
      if (isConditional && !those.some(({ headers }) => headers.has('if-match'))) {
        missing.push(`${operationId} with If-Match`)
      }
    }
  }
  expect(missing).toEqual([])
})

test('an environment and a token are deleted as they were read', async () => {
  const { environments, tokens } = manager.client
  await environments.create('spare')
  const { value, etag } = await environments.read('spare')
  expect(value).toEqual({ name: 'spare' })
  expect(await refusal(environments.delete('spare', { ifMatch: '"x"' }))).toMatchObject({
    status: 412,
    code: 'version-mismatch',
  })
  await environments.delete('spare', { ifMatch: etag })
  await tokens.create('spare', { rights: [{ right: 'admin' }] })
  const read = await tokens.read('spare')
  expect(read.value).toMatchObject({ name: 'spare', revokedAt: null })
  expect(await refusal(tokens.revoke('spare', { ifMatch: '"x"' }))).toMatchObject({ status: 412 })
  await tokens.revoke('spare', { ifMatch: read.etag })
})

test('whether the manager is well is asked without a good token', async () => {
  const nobody = createManagementClient({
    url: 'http://manager.test',
    token: 'none',
    fetch: async (input, init) => await manager.management.fetch(new Request(input, init)),
  })
  await nobody.health()
  await nobody.ready()
  expect(await refusal(nobody.projects())).toMatchObject({ code: 'token-invalid' })
})

test('a manager that is not ready rejects with what it says', async () => {
  const away = createManagementClient({
    url: 'http://manager.test',
    token: 'none',
    fetch: async () =>
      Response.json(
        { success: false, error: { code: 'store-away', message: 'away' } },
        { status: 503 },
      ),
  })
  expect(await refusal(away.ready())).toEqual({ status: 503, code: 'store-away', paths: [] })
})
