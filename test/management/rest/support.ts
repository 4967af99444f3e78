/** A manager for tests: over a store of its own, with clients by right, and with a gateway that listens where one is asked for. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { createSubscription, type Subscription } from '../../../src/gateway/subscription/index.ts'
import {
  createManagement,
  createManagementClient,
  generateSigningKey,
  type Management,
  type ManagementClient,
  ManagementError,
  type ManagementOptions,
  openStore,
  publicKeyText,
  type Right,
  type SigningKey,
  type Store,
  serveManagement,
} from '../../../src/management/index.ts'
import { createPki, type Pki } from '../../../src/testing/index.ts'

export interface TestManager {
  readonly management: Management
  readonly store: Store
  readonly signingKey: SigningKey
  /** With every right. */
  readonly client: ManagementClient
  readonly token: string
  /** With these rights alone. */
  readonly clientWith: (name: string, rights: readonly Right[]) => Promise<ManagementClient>
  /** A request as it is, with the token of every right. */
  readonly send: (method: string, path: string, options?: SendOptions) => Promise<Answered>
  readonly close: () => Promise<void>
}

export interface SendOptions {
  /** JSON data, or a text or octets as they are. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** `null`: none is sent. */
  readonly token?: string | null
  readonly address?: string
}

export interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly body: AnsweredBody
}

export interface AnsweredBody {
  readonly success?: boolean
  readonly result?: Readonly<Record<string, unknown>>
  readonly resultList?: readonly Readonly<Record<string, unknown>>[]
  readonly resultCount?: number
  readonly nextCursor?: string
  readonly deploymentResult?: {
    readonly success: boolean
    readonly deploymentResults: readonly {
      readonly environmentName: string
      readonly success: boolean
      readonly message: string
    }[]
  }
  readonly error?: {
    readonly code: string
    readonly message: string
    readonly details?: readonly { readonly path: string; readonly problem: string }[]
  }
}

export async function startManager(
  store: Store,
  options: Partial<ManagementOptions> = {},
): Promise<TestManager> {
  const signingKey = options.signingKey ?? generateSigningKey()
  const management = await createManagement({ store, signingKey, ...options })
  const { token } = await management.createToken(`admin-${crypto.randomUUID()}`, {
    rights: [{ right: 'admin' }],
  })
  const clientOf = (bearer: string): ManagementClient =>
    createManagementClient({
      url: 'http://manager.test',
      token: bearer,
      fetch: async (input, init) => await management.fetch(new Request(input, init)),
    })
  return {
    management,
    store,
    signingKey,
    token,
    client: clientOf(token),
    clientWith: async (name, rights) =>
      clientOf((await management.createToken(name, { rights })).token),
    send: async (method, path, given = {}) => {
      const { body, headers = {}, token: bearer = token, address } = given
      const isRaw = typeof body === 'string' || body instanceof Uint8Array
      const request = new Request(`http://manager.test${path}`, {
        method,
        headers: {
          ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined
          ? {}
          : { body: isRaw ? (body as string | Uint8Array<ArrayBuffer>) : JSON.stringify(body) }),
      })
      const response = await management.fetch(request, address === undefined ? {} : { address })
      const text = await response.text()
      const isJson = response.headers.get('content-type') === 'application/json' && text !== ''
      return {
        status: response.status,
        headers: response.headers,
        body: isJson ? (JSON.parse(text) as AnsweredBody) : {},
      }
    },
    close: async () => {
      await management.close()
    },
  }
}

/**
 * A manager over a store of its own for the tests of this file or this `describe`: what it has is there once they run.
 *
 * @param createUrl - Of its store. Default: SQLite in a temporary folder.
 */
export function useManager(
  options: Partial<ManagementOptions> = {},
  createUrl?: () => Promise<string>,
): TestManager {
  const manager = {} as TestManager
  beforeAll(async () => {
    const url = await createUrl?.()
    const store = url === undefined ? await temporaryStore() : await openStore({ url })
    Object.assign(manager, await startManager(store, options))
  }, 60_000)
  afterAll(async () => {
    await manager.close()
    await manager.store.close()
  })
  return manager
}

/** The document's project: MyProject with MyAPI, which runs in production, and what its policy is held against. */
export async function makeProject(client: ManagementClient, pki?: Pki): Promise<void> {
  await client.environments.create('production')
  await client.project('MyProject').create()
  await client
    .project('MyProject')
    .apiProxy('MyAPI')
    .create({
      upstream: { url: 'http://127.0.0.1:8081' },
      environments: ['production'],
    })
  if (pki === undefined) return
  const { anchorsPem: anchors, intermediatesPem: intermediates } = pki
  await client.project('MyProject').trustStore.put({ anchors, intermediates })
  await client.project('MyProject').issuerAcl.put({ acl: 'allow attributes O=Example CN=*' })
}

export const pki: Promise<Pki> = createPki()

/** A gateway that listens, takes what comes and says so. `refuse`: it takes nothing. `publicKey`: pinned in place of the manager's. */
export async function listenAs(
  manager: TestManager,
  environment: string,
  gateway: string,
  refuse = false,
  publicKey: string = publicKeyText(manager.signingKey.publicKey),
): Promise<() => Promise<void>> {
  const served = await serveManagement({
    management: { ...manager.management, close: async () => {} },
    port: 0,
    drainMs: 100,
  })
  const { token } = await manager.management.createToken(`gateway-${crypto.randomUUID()}`, {
    rights: [{ right: 'gateway', environment }],
  })
  const folder = await mkdtemp(join(tmpdir(), 'mtls-policy-rest-'))
  const subscription: Subscription = createSubscription({
    managerUrl: served.url,
    publicKey,
    token,
    environment,
    gateway,
    folder,
    onState: ({ proxies }) => ({
      problems: !refuse
        ? []
        : proxies.map(({ snapshot: { project, apiProxy } }) => ({
            project,
            apiProxy,
            code: 'snapshot-unusable',
            message: 'not today',
          })),
    }),
  })
  await until(async () => await isConnected(manager, environment, gateway))
  return async () => {
    await subscription.close()
    await served.close()
    await rm(folder, { recursive: true, force: true })
  }
}

async function isConnected(
  { client }: TestManager,
  environment: string,
  gateway: string,
): Promise<boolean> {
  const gateways = await client.environments.gateways(environment)
  return gateways.some(({ name, connected }) => name === gateway && connected)
}

export async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 10_000; performance.now() < end; ) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error('it did not come about within 10 seconds')
}

/** Status and code of a refusal. */
export async function refusal(
  promise: Promise<unknown>,
): Promise<{ readonly status: number; readonly code: string; readonly paths: readonly string[] }> {
  try {
    await promise
  } catch (error) {
    if (!(error instanceof ManagementError)) throw error
    return {
      status: error.status,
      code: error.code,
      paths: error.details.map(({ path }) => path),
    }
  }
  throw new Error('it was not refused')
}

/** A store of its own in a temporary folder; it goes with its close. */
export async function temporaryStore(): Promise<Store> {
  const folder = await mkdtemp(join(tmpdir(), 'mtls-policy-rest-'))
  const store = await openStore({ url: `file:${join(folder, 'store.sqlite')}` })
  return {
    ...store,
    close: async () => {
      await store.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
