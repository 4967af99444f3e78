/** A manager in memory of this process alone, for `contract.mjs`: prints one line `{"url","token"}` and runs until it is ended. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createManagement,
  createManagementClient,
  generateSigningKey,
  openStore,
  serveManagement,
} from '../src/management/index.ts'
import { createPki } from '../src/testing/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'mtls-policy-contract-'))
const store = await openStore({ url: `file:${join(folder, 'store.sqlite')}` })
const management = await createManagement({
  store,
  signingKey: generateSigningKey(),
  deploymentWaitMs: 100,
  logger: {
    info: () => {},
    warn: (facts) => console.error(JSON.stringify(facts)),
    error: (facts) => console.error(JSON.stringify(facts)),
  },
})
const { token } = await management.createToken('contract', { rights: [{ right: 'admin' }] })
// Without addresses nobody is told to wait: thousands of requests with a bad token come from this one.
const { url, close } = await serveManagement({
  management: { ...management, fetch: (request) => management.fetch(request) },
  port: 0,
  drainMs: 100,
})

// What the examples of the document name.
const client = createManagementClient({ url, token })
const project = client.project('MyProject')
const { anchorsPem: anchors, intermediatesPem: intermediates } = await createPki()
await client.environments.create('production')
await project.create()
await project.trustStore.put({ anchors, intermediates })
await project.issuerAcl.put({ acl: 'allow attributes O=Example CN=*' })
await project.apiProxy('MyAPI').create({
  upstream: { url: 'http://127.0.0.1:8081' },
  environments: ['production'],
})
await project.apiProxy('MyAPI').policies.add('mtls-auth-policy', {
  operationMetadata: { targetScope: 'ALL', targetPipeline: 'REQUEST' },
  policy: { type: 'policy-auth-mtls' },
})
console.log(JSON.stringify({ url, token }))

process.once('SIGTERM', async () => {
  await close()
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})
