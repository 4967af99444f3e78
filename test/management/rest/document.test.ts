/** The user's document, word for word: its curl lines against a manager with a gateway, and its own answers. */

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ServedManagement, serveManagement } from '../../../src/management/index.ts'
import {
  listenAs,
  makeProject,
  pki,
  startManager,
  type TestManager,
  temporaryStore,
} from './support.ts'

/** As the document has them; only host and token are the test's own. */
const lines = {
  list: `curl -X GET \\
  "https://demo.apinizer.com/apiops/projects/MyProject/apiProxies/MyAPI/policies/" \\
  -H "Authorization: Bearer YOUR_TOKEN"`,
  add: `curl -X POST \\
  "https://demo.apinizer.com/apiops/projects/MyProject/apiProxies/MyAPI/policies/mtls-auth-policy/" \\
  -H "Authorization: Bearer YOUR_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{
    "operationMetadata": {
      "targetScope": "ALL",
      "targetPipeline": "REQUEST",
      "deploy": true,
      "deployTargetEnvironmentNameList": ["production"],
      "order": 1
    },
    "policy": {
      "type": "policy-auth-mtls",
      "description": "mTLS authentication",
      "active": true,
      "validateCertificate": true,
      "validateACLForIssuer": true
    }
  }'`,
} as const

/** The document's bodies, sent in the way of its own lines. */
const bodies = {
  full: `{
  "operationMetadata": {
    "targetScope": "ALL",
    "targetPipeline": "REQUEST",
    "deploy": true,
    "deployTargetEnvironmentNameList": ["production"],
    "order": 1
  },
  "policy": {
    "type": "policy-auth-mtls",
    "description": "mTLS authentication with full validation",
    "active": true,
    "validateCertificate": true,
    "validateACLForIssuer": true
  }
}`,
  certificateOnly: `{
  "operationMetadata": {
    "targetScope": "ALL",
    "targetPipeline": "REQUEST",
    "deploy": true,
    "deployTargetEnvironmentNameList": ["production"],
    "order": 1
  },
  "policy": {
    "type": "policy-auth-mtls",
    "description": "mTLS authentication with certificate validation only",
    "active": true,
    "validateCertificate": true,
    "validateACLForIssuer": false
  }
}`,
  remove: `{
  "operationMetadata": {
    "targetScope": "ALL",
    "targetPipeline": "REQUEST",
    "deploy": false
  }
}`,
} as const

const deployed = {
  success: true,
  deploymentResult: {
    success: true,
    deploymentResults: [
      { environmentName: 'production', success: true, message: 'Deployment successful' },
    ],
  },
}

describe("the document's own curl lines", () => {
  let manager: TestManager
  let served: ServedManagement
  let stop: () => Promise<void>
  let store: Awaited<ReturnType<typeof temporaryStore>>

  beforeAll(async () => {
    store = await temporaryStore()
    manager = await startManager(store)
    await makeProject(manager.client, await pki)
    stop = await listenAs(manager, 'production', 'gw-1')
    served = await serveManagement({ management: manager.management, port: 0 })
  })
  afterAll(async () => {
    await stop()
    await served.close()
    await store.close()
  })

  async function run(line: string): Promise<{ readonly status: number; readonly body: unknown }> {
    const own = line
      .replaceAll('https://demo.apinizer.com', served.url)
      .replaceAll('YOUR_TOKEN', manager.token)
    const script = `${own} --silent --show-error --write-out '\\n%{http_code}'`
    const { stdout } = await promisify(execFile)('sh', ['-c', script])
    const end = stdout.lastIndexOf('\n')
    return {
      status: Number(stdout.slice(end + 1)),
      body: JSON.parse(stdout.slice(0, end)) as unknown,
    }
  }

  async function send(method: string, name: string, body: string): ReturnType<typeof run> {
    return await run(`curl -X ${method} \\
  "https://demo.apinizer.com/apiops/projects/MyProject/apiProxies/MyAPI/policies/${name}/" \\
  -H "Authorization: Bearer YOUR_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '${body}'`)
  }

  test('Add, List, Update, List, Delete, List answer as the document says', async () => {
    expect(await run(lines.add)).toEqual({ status: 200, body: deployed })
    expect(await run(lines.list)).toEqual({
      status: 200,
      body: {
        success: true,
        resultList: [
          {
            apiProxy: {
              name: 'MyAPI',
              requestPolicyList: [
                {
                  type: 'policy-auth-mtls',
                  name: 'mtls-auth-policy',
                  description: 'mTLS authentication',
                  active: true,
                  validateCertificate: true,
                  validateACLForIssuer: true,
                },
              ],
              responsePolicyList: [],
              errorPolicyList: [],
            },
          },
        ],
        resultCount: 1,
      },
    })
    expect(await send('PUT', 'mtls-auth-policy', bodies.certificateOnly)).toEqual({
      status: 200,
      body: deployed,
    })
    const updated = await manager.client.project('MyProject').apiProxy('MyAPI').policies.list()
    expect(updated.requestPolicyList).toEqual([
      {
        type: 'policy-auth-mtls',
        name: 'mtls-auth-policy',
        description: 'mTLS authentication with certificate validation only',
        active: true,
        validateCertificate: true,
        validateACLForIssuer: false,
      },
    ])
    expect(await send('DELETE', 'mtls-auth-policy', bodies.remove)).toEqual({
      status: 200,
      body: { success: true, deploymentResult: { success: true, deploymentResults: [] } },
    })
    expect((await run(lines.list)).body).toEqual({
      success: true,
      resultList: [
        {
          apiProxy: {
            name: 'MyAPI',
            requestPolicyList: [],
            responsePolicyList: [],
            errorPolicyList: [],
          },
        },
      ],
      resultCount: 1,
    })
  })

  test('both full bodies of Add are taken, and the list has their fields in the order of the document', async () => {
    expect((await send('POST', 'full', bodies.full)).body).toEqual(deployed)
    expect((await send('POST', 'certificate', bodies.certificateOnly)).body).toEqual(deployed)
    const { resultList } = (await run(lines.list)).body as {
      readonly resultList: readonly {
        readonly apiProxy: { readonly requestPolicyList: readonly object[] }
      }[]
    }
    const list = resultList[0]?.apiProxy.requestPolicyList ?? []
    // Both asked for position 1: the later one is before the earlier one.
    expect(list.map((one) => (one as { readonly name: string }).name)).toEqual([
      'certificate',
      'full',
    ])
    expect(Object.keys(list[0] ?? {})).toEqual([
      'type',
      'name',
      'description',
      'active',
      'validateCertificate',
      'validateACLForIssuer',
    ])
    await send('DELETE', 'full', bodies.remove)
    await send('DELETE', 'certificate', bodies.remove)
  })

  test('the last slash of a path may be left out', async () => {
    const { status, body } = await run(lines.list.replace('/policies/"', '/policies"'))
    expect(status).toBe(200)
    expect((body as { readonly resultCount: number }).resultCount).toBe(1)
    expect(
      (await run(lines.add.replace('/mtls-auth-policy/"', '/mtls-auth-policy"'))).body,
    ).toEqual(deployed)
    expect((await send('DELETE', 'mtls-auth-policy', bodies.remove)).status).toBe(200)
  })
})
