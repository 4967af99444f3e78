/** A proxy's own issuer ACL, and its own trust store, in the place of its project's: from the API to the answers of a real gateway. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createSubscription } from '../../../src/gateway/subscription/index.ts'
import { publicKeyText, type Store, serveManagement } from '../../../src/management/index.ts'
import { issueCa } from '../../../src/testing/index.ts'
import { ask, type Credentials, recordLog, World } from '../../gateway/support.ts'
import { startManager, type TestManager, temporaryStore, until } from './support.ts'

/** Two hierarchies that have nothing to do with each other, with a client each. */
const hierarchy = async (name: string) => {
  const root = await issueCa(`${name} Root CA`)
  const issuing = await root.issueCa(`${name} Issuing CA`)
  return { root, client: await issuing.issue(`${name} client`) }
}
const [ofProject, ofProxy] = await Promise.all([hierarchy('Project'), hierarchy('Proxy')])
const allow = (name: string) => ({ acl: `allow dn "CN=${name} Issuing CA"` })

let store: Store
let manager: TestManager
let world: World
let port: number
const { lines, logger } = recordLog()
const endings: (() => unknown)[] = []

/** One proxy with settings of its own beside one without, at two hosts of one gateway. */
beforeAll(async () => {
  store = await temporaryStore()
  manager = await startManager(store)
  world = await World.create()
  const { management, client, signingKey } = manager
  const { url } = await world.upstream()
  await client.environments.create('production')
  const project = client.project('MyProject')
  await project.create()
  await project.trustStore.put({ anchors: [ofProject.root.pem, ofProxy.root.pem] })
  await project.issuerAcl.put(allow('Project'))
  for (const [name, host] of [
    ['Own', 'api.example'],
    ['Plain', 'other.example'],
  ] as const) {
    const proxy = project.apiProxy(name)
    await proxy.create({ hosts: [host], upstream: { url }, environments: ['production'] })
    await proxy.policies.add('mtls', {
      operationMetadata: { targetScope: 'ALL', targetPipeline: 'REQUEST' },
      policy: { type: 'policy-auth-mtls' },
    })
  }
  const running = await world.gateway(undefined, { logger })
  port = running.port
  const served = await serveManagement({ management, port: 0, drainMs: 100 })
  const { token } = await management.createToken('gateway-1', {
    rights: [{ right: 'gateway', environment: 'production' }],
  })
  const folder = await mkdtemp(join(tmpdir(), 'mtls-policy-own-'))
  const subscription = createSubscription({
    managerUrl: served.url,
    publicKey: publicKeyText(signingKey.publicKey),
    token,
    environment: 'production',
    gateway: 'gateway-1',
    folder,
    onState: (state) => running.gateway.apply(state),
  })
  endings.push(
    () => subscription.close(),
    () => served.close(),
    () => rm(folder, { recursive: true, force: true }),
  )
  // From here on a deployment waits for the gateway.
  await until(async () => {
    const [gateway] = await client.environments.gateways('production')
    return gateway?.connected === true && gateway.runs.length === 2
  })
}, 60_000)
afterAll(async () => {
  for (const end of endings) await end()
  await world.end()
  await store.close()
})
beforeEach(async () => {
  const project = manager.client.project('MyProject')
  await project.trustStore.put({ anchors: [ofProject.root.pem, ofProxy.root.pem] })
  await project.issuerAcl.put(allow('Project'))
})

async function deploy(): Promise<void> {
  for (const name of ['Own', 'Plain']) {
    const proxy = manager.client.project('MyProject').apiProxy(name)
    const { deploymentResults } = await proxy.deployments.deploy()
    expect(deploymentResults).toEqual([
      { environmentName: 'production', success: true, message: 'Deployment successful' },
    ])
  }
}

/** What the client is answered, and why: the log says what the answer does not. */
async function outcome(host: string, client: Credentials): Promise<readonly unknown[]> {
  lines.length = 0
  const { status } = await ask('HTTP/1.1', port, { client, host, servername: host })
  const codes = lines.flatMap(({ facts }) => facts.code ?? [])
  return [status, ...new Set(codes)]
}

/** Of both clients, at the proxy with settings of its own and at the one without. */
async function outcomes(): Promise<object> {
  return {
    own: {
      ofProject: await outcome('api.example', ofProject.client),
      ofProxy: await outcome('api.example', ofProxy.client),
    },
    plain: {
      ofProject: await outcome('other.example', ofProject.client),
      ofProxy: await outcome('other.example', ofProxy.client),
    },
  }
}

const accepted = [200]
const notAllowed = [401, 'issuer-not-allowed']
const notTrusted = [401, 'issuer-unknown']
const asTheProject = { ofProject: accepted, ofProxy: notAllowed }

describe("a proxy's own issuer ACL", () => {
  test("takes the place of the project's, and gives it back", async () => {
    const { issuerAcl } = manager.client.project('MyProject').apiProxy('Own')
    await deploy()
    expect(await outcomes()).toEqual({ own: asTheProject, plain: asTheProject })

    await issuerAcl.put(allow('Proxy'))
    // Not before it is deployed.
    expect(await outcomes()).toEqual({ own: asTheProject, plain: asTheProject })
    await deploy()
    expect(await outcomes()).toEqual({
      own: { ofProject: notAllowed, ofProxy: accepted },
      plain: asTheProject,
    })

    await issuerAcl.delete()
    await deploy()
    expect(await outcomes()).toEqual({ own: asTheProject, plain: asTheProject })
  })

  test('that allows nobody lets nobody in, whatever the project allows', async () => {
    const { issuerAcl } = manager.client.project('MyProject').apiProxy('Own')
    await issuerAcl.put({ acl: '' })
    await deploy()
    expect(await outcomes()).toEqual({
      own: { ofProject: [401, 'acl-empty'], ofProxy: [401, 'acl-empty'] },
      plain: asTheProject,
    })
    await issuerAcl.delete()
    await deploy()
  })
})

describe("a proxy's own trust store", () => {
  test("takes the place of the project's, and gives it back", async () => {
    const project = manager.client.project('MyProject')
    const { trustStore } = project.apiProxy('Own')
    await project.trustStore.put({ anchors: ofProject.root.pem })
    await project.issuerAcl.put({ acl: `${allow('Project').acl}\n${allow('Proxy').acl}` })
    await deploy()
    const before = { ofProject: accepted, ofProxy: notTrusted }
    expect(await outcomes()).toEqual({ own: before, plain: before })

    await trustStore.put({ anchors: ofProxy.root.pem })
    await deploy()
    expect(await outcomes()).toEqual({
      own: { ofProject: notTrusted, ofProxy: accepted },
      plain: before,
    })

    await trustStore.delete()
    await deploy()
    expect(await outcomes()).toEqual({ own: before, plain: before })
  })
})
