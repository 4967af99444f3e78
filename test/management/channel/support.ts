/** The manager's end of the channel over a store of its own, on loopback. */

import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ServerType, serve } from '@hono/node-server'
import { Hono } from 'hono'
import { encodeBase64 } from '../../../src/base/base64.ts'
import {
  generateSigningKey,
  publicKeyText,
  type SigningKey,
  type Snapshot,
  sha256Hex,
} from '../../../src/deployment/index.ts'
import {
  type Channel,
  createChannel,
  createPublisher,
  type Published,
  type Publisher,
} from '../../../src/management/channel/index.ts'
import { openStore } from '../../../src/management/store/open.ts'
import type { Store } from '../../../src/management/store/store.ts'
import { issueCa } from '../../../src/testing/index.ts'
import { environment, token } from '../../gateway/subscription/names.ts'

export { environment, token }

const anchors: readonly string[] = [encodeBase64((await issueCa('Root CA')).der)]

export interface TestManager {
  readonly url: string
  readonly port: number
  readonly store: Store
  readonly channel: Channel
  readonly publisher: Publisher
  readonly signingKey: SigningKey
  readonly publicKey: string
  /** Puts a snapshot of the proxy in force. */
  readonly deploy: (apiProxy: string, changes?: Partial<Snapshot>) => Promise<Published>
  readonly undeploy: (apiProxy: string) => Promise<Published | undefined>
  /** Adds a kill list entry to the project. */
  readonly kill: (entry: object, expires?: string) => Promise<readonly Published[]>
  readonly addCrl: (der: Uint8Array, apiProxy?: string) => Promise<readonly Published[]>
  /** Ends the server and keeps the store. */
  readonly stop: () => Promise<void>
  readonly start: () => Promise<void>
  readonly close: () => Promise<void>
}

export function snapshotOf(apiProxy: string, changes: Partial<Snapshot> = {}): Snapshot {
  return {
    version: 1,
    project: 'Payments',
    apiProxy,
    hosts: [`${apiProxy}.example`],
    basePath: '/',
    upstream: {
      url: 'http://127.0.0.1:8080',
      timeoutMs: 30_000,
      maxBodyBytes: 1_000_000,
      identityHeaders: {},
    },
    policies: {
      name: apiProxy,
      requestPolicyList: [{ type: 'policy-auth-mtls', name: 'mtls', validateACLForIssuer: false }],
      responsePolicyList: [],
      errorPolicyList: [],
    },
    trustAnchors: anchors,
    intermediates: [],
    issuerAcl: null,
    revocation: null,
    ...changes,
  }
}

export async function startManager(
  options: {
    readonly pingMs?: number
    readonly signingKey?: SigningKey
    /** Of a new store. Default: SQLite in a folder of its own. */
    readonly storeUrl?: string
  } = {},
): Promise<TestManager> {
  const folder = await mkdtemp(join(tmpdir(), 'mtls-policy-channel-'))
  const store = await openStore({ url: options.storeUrl ?? `file:${folder}/db.sqlite` })
  const signingKey = options.signingKey ?? generateSigningKey()
  const publisher = createPublisher({ store, signingKey })
  await store.transaction(async (trx) => {
    for (const name of [environment, 'staging']) {
      await trx.insertInto('environments').values({ id: name, name, sequence: 0 }).execute()
      await publisher.publishEmpty(trx, name)
    }
    const project = { id: 'p1', name: 'Payments', description: '', version: 1 }
    await trx.insertInto('projects').values(project).execute()
  })
  let channel: Channel
  let server: ServerType
  let port = 0
  const start = async (): Promise<void> => {
    channel = createChannel({
      store,
      pingMs: options.pingMs,
      authorize: (request) =>
        request.headers.get('authorization') === `Bearer ${token}`
          ? undefined
          : Response.json({ success: false }, { status: 401 }),
    })
    const app = new Hono().route('/apiops/environments', channel.routes)
    server = serve({ fetch: app.fetch, port, hostname: '127.0.0.1' })
    if (!server.listening) await once(server, 'listening')
    port = (server.address() as AddressInfo).port
  }
  const stop = async (): Promise<void> => {
    await channel.close()
    const closed = once(server, 'close')
    server.close()
    if ('closeAllConnections' in server) server.closeAllConnections()
    await closed
  }
  await start()
  const known = new Set<string>()
  const publish = async (
    apiProxy: string,
    snapshot: Snapshot | null,
  ): Promise<Published | undefined> =>
    store.transaction(async (trx) => {
      if (!known.has(apiProxy)) {
        const row = { id: apiProxy, project_id: 'p1', name: apiProxy, document: '{}', version: 1 }
        await trx
          .insertInto('api_proxies')
          .values(row)
          .onConflict((conflict) => conflict.column('id').doNothing())
          .execute()
      }
      const result = await publisher.publishSnapshot(trx, {
        environmentId: environment,
        apiProxyId: apiProxy,
        snapshot,
      })
      if (!result.ok) throw new Error(result.failure.code)
      known.add(apiProxy)
      return result.value
    })
  return {
    get url() {
      return `http://127.0.0.1:${port}`
    },
    get port() {
      return port
    },
    store,
    get channel() {
      return channel
    },
    publisher,
    signingKey,
    publicKey: publicKeyText(signingKey.publicKey),
    deploy: async (apiProxy, changes) =>
      (await publish(apiProxy, snapshotOf(apiProxy, changes))) as Published,
    undeploy: (apiProxy) => publish(apiProxy, null),
    kill: (entry, expires) =>
      store.transaction(async (trx) => {
        const row = {
          id: `k${Math.random()}`,
          owner_kind: 'project' as const,
          owner_id: 'p1',
          entry: JSON.stringify(entry),
          created_at: new Date().toISOString(),
          expires: expires ?? null,
        }
        await trx.insertInto('kill_entries').values(row).execute()
        const result = await publisher.publishLiveOf(trx, 'project', 'p1')
        if (!result.ok) throw new Error(result.failure.code)
        return result.value
      }),
    addCrl: (der, apiProxy) =>
      store.transaction(async (trx) => {
        const sha256 = sha256Hex(der)
        const row = {
          id: sha256,
          owner_kind: apiProxy === undefined ? ('project' as const) : ('proxy' as const),
          owner_id: apiProxy ?? 'p1',
          issuer: 'CN=Root CA',
          this_update: '2026-01-01T00:00:00Z',
          next_update: null,
          sha256,
          der,
        }
        await trx.insertInto('crls').values(row).execute()
        const kind = row.owner_kind
        const result = await publisher.publishLiveOf(trx, kind, row.owner_id)
        if (!result.ok) throw new Error(result.failure.code)
        return result.value
      }),
    stop,
    start,
    close: async () => {
      if (server.listening) await stop()
      await store.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
