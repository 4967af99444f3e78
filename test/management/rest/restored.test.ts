/** A database that was restored from a backup, and a gateway that has seen more: no deployment is told as a success that it refuses. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSubscription, type Subscription } from '../../../src/gateway/subscription/index.ts'
import {
  generateSigningKey,
  openStore,
  publicKeyText,
  type Store,
  serveManagement,
} from '../../../src/management/index.ts'
import { makeProject, pki, startManager, type TestManager, until } from './support.ts'

const signingKey = generateSigningKey()
const endings: (() => unknown)[] = []
let folder: string
let store: Store
let before: TestManager
let after: TestManager
/** Who answers at the address that the gateway knows. */
let current: TestManager
let subscription: Subscription

const proxyOf = ({ client }: TestManager) => client.project('MyProject').apiProxy('MyAPI')
const isConnected = async ({ client }: TestManager) => {
  const [gateway] = await client.environments.gateways('production')
  return gateway?.connected === true && subscription.status().channel === 'stream'
}
const change = async (manager: TestManager, description: string) =>
  await proxyOf(manager).policies.update('mtls', {
    operationMetadata: { targetScope: 'ALL', targetPipeline: 'REQUEST' },
    policy: { type: 'policy-auth-mtls', description },
  })

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mtls-policy-restored-'))
  store = await openStore({ url: `file:${join(folder, 'store.sqlite')}` })
  before = await startManager(store, { signingKey })
  current = before
  await makeProject(before.client, await pki)
  await proxyOf(before).policies.add('mtls', {
    operationMetadata: { targetScope: 'ALL', targetPipeline: 'REQUEST' },
    policy: { type: 'policy-auth-mtls', description: 'as in the backup' },
  })
  const { token } = await before.management.createToken('gateway-1', {
    rights: [{ right: 'gateway', environment: 'production' }],
  })
  const served = await serveManagement({
    management: {
      ...before.management,
      fetch: (request, context) => current.management.fetch(request, context),
      close: async () => {},
    },
    port: 0,
    drainMs: 100,
  })
  subscription = createSubscription({
    managerUrl: served.url,
    publicKey: publicKeyText(signingKey.publicKey),
    token,
    environment: 'production',
    gateway: 'gateway-1',
    folder: join(folder, 'gateway'),
    onState: () => ({ problems: [] }),
  })
  endings.push(
    () => subscription.close(),
    () => served.close(),
  )
  await until(() => isConnected(before))
}, 60_000)
afterAll(async () => {
  for (const end of endings) await end()
  await rm(folder, { recursive: true, force: true })
})

test('what the gateway refuses as a replay is told as such, until the numbers are lifted', async () => {
  const backup = join(folder, 'backup.sqlite')
  await store.backup(backup)
  for (const description of ['lost 1', 'lost 2', 'lost 3']) {
    expect(await change(before, description)).toMatchObject({ success: true })
  }
  // Live data with the highest number of all.
  await before.client.project('MyProject').killList.add({ spkiSha256: '0'.repeat(64) })
  await until(async () => {
    const [gateway] = await before.client.environments.gateways('production')
    return (gateway?.live?.sequence ?? 0) > (gateway?.runs[0]?.sequence ?? 0)
  })
  const { runs } = subscription.status()

  const restored = await openStore({ url: `file:${backup}` })
  after = await startManager(restored, { signingKey, deploymentWaitMs: 1000 })
  current = after
  await before.close()
  await store.close()
  endings.push(
    () => after.close(),
    () => restored.close(),
  )
  await until(() => isConnected(after))

  // Every number that the gateway has seen already, and never a success.
  const top = Math.max(...runs.map(({ sequence }) => sequence))
  for (;;) {
    const { success, deploymentResults } = await change(after, `again ${crypto.randomUUID()}`)
    const [status] = await proxyOf(after).deployments.list()
    if ((status?.sequence ?? 0) > top) break
    expect([success, deploymentResults[0]?.message]).toEqual([
      false,
      expect.stringContaining('gateway gateway-1 refused it: sequence-replayed'),
    ])
    expect(subscription.status().runs).toEqual(runs)
  }

  await restored.db
    .updateTable('environments')
    .set(({ eb }) => ({ sequence: eb('sequence', '+', 1_000_000) }))
    .execute()
  expect(await change(after, 'lifted')).toEqual({
    success: true,
    deploymentResults: [
      { environmentName: 'production', success: true, message: 'Deployment successful' },
    ],
  })
  expect(subscription.status().runs[0]?.sequence).toBeGreaterThan(1_000_000)
}, 60_000)
