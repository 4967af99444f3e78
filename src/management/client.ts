/** A typed client of the management API, over `fetch`. @module */

import type {
  ApiProxy,
  ApiProxyRequest,
  AuditRecord,
  Crl,
  CrlsAdded,
  Deployment,
  DeploymentDifference,
  DeploymentResult,
  DeploymentStatus,
  Environment,
  EvaluateRequest,
  Evaluation,
  IssuerAclResource,
  KillEntry,
  KillEntryAdded,
  KillEntryJson,
  LiveResult,
  NewToken,
  OperationMetadata,
  PolicyLists,
  PolicyRequest,
  PolicyResource,
  Project,
  ProjectExport,
  RevocationSettings,
  Token,
  TokenRequest,
  TrustStore,
  TrustStoreRequest,
} from './resources.ts'
import type { FieldProblem } from './service/refusal.ts'

export interface ManagementClientOptions {
  /** Of the manager, such as `https://manager.example:8443`. */
  readonly url: string
  readonly token: string
  /** Default: the runtime's. */
  readonly fetch?: typeof fetch | undefined
}

/** What was read, and the ETag to write it back with. */
export interface Read<T> {
  readonly value: T
  readonly etag: string
}

export interface ListPage<T> {
  readonly items: readonly T[]
  /** For the next page; absent: there is none. */
  readonly nextCursor?: string
}

export interface PageOptions {
  /** Default 100, at most 1000. */
  readonly limit?: number
  readonly cursor?: string
}

export interface WriteOptions {
  /** Refused with status 412 when somebody else has written since. */
  readonly ifMatch?: string
}

export interface RetryOptions {
  /** A retry with the same key and body gets the same answer and does nothing again. */
  readonly idempotencyKey?: string
}

/**
 * Any status but success.
 *
 * @example
 * const nobody = createManagementClient({ url, token: 'none' })
 * await nobody.projects().catch((error) => console.log(error.status, error.code)) // 401 token-invalid
 */
export class ManagementError extends Error {
  readonly status: number
  /** Of the failure envelope; `no-envelope` when something else answered. */
  readonly code: string
  readonly details: readonly FieldProblem[]

  constructor(status: number, code: string, message: string, details: readonly FieldProblem[]) {
    super(message)
    this.name = 'ManagementError'
    this.status = status
    this.code = code
    this.details = details
  }
}

/** What a project and an API proxy both may have. */
export interface TrustClient {
  readonly trustStore: SettingClient<TrustStore, TrustStoreRequest>
  readonly issuerAcl: SettingClient<IssuerAclResource, { readonly acl: unknown }>
  readonly revocation: SettingClient<RevocationSettings, Partial<RevocationSettings>>
  readonly crls: {
    readonly list: (page?: PageOptions) => Promise<ListPage<Crl>>
    /** PEM or base64 as text, or octets of DER or PEM. */
    readonly add: (crl: string | Uint8Array, retry?: RetryOptions) => Promise<CrlsAdded>
    readonly read: (sha256: string) => Promise<Uint8Array>
    readonly delete: (sha256: string, write?: WriteOptions) => Promise<LiveResult>
  }
  readonly killList: {
    readonly list: (page?: PageOptions) => Promise<ListPage<KillEntry>>
    readonly add: (entry: KillEntryJson, retry?: RetryOptions) => Promise<KillEntryAdded>
    readonly delete: (id: string) => Promise<LiveResult>
  }
}

export interface SettingClient<T, R> {
  readonly read: () => Promise<Read<T>>
  readonly put: (value: R, write?: WriteOptions) => Promise<Read<T>>
  readonly delete: (write?: WriteOptions) => Promise<void>
}

export interface ApiProxyClient extends TrustClient {
  readonly read: () => Promise<Read<ApiProxy>>
  readonly create: (document: ApiProxyRequest, retry?: RetryOptions) => Promise<Read<ApiProxy>>
  readonly update: (document: ApiProxyRequest, write?: WriteOptions) => Promise<Read<ApiProxy>>
  readonly delete: (write?: WriteOptions) => Promise<void>
  readonly policies: {
    readonly list: () => Promise<PolicyLists['apiProxy']>
    readonly read: (name: string) => Promise<Read<PolicyResource>>
    readonly add: (
      name: string,
      request: PolicyRequest,
      retry?: RetryOptions,
    ) => Promise<DeploymentResult>
    /** @param request - A policy with its place, as it is read, is stored and not deployed. */
    readonly update: (
      name: string,
      request: PolicyRequest | PolicyResource,
      write?: WriteOptions,
    ) => Promise<DeploymentResult>
    readonly delete: (
      name: string,
      operationMetadata: OperationMetadata,
      write?: WriteOptions,
    ) => Promise<DeploymentResult>
    readonly evaluate: (name: string, request: EvaluateRequest) => Promise<Evaluation>
  }
  readonly deployments: {
    readonly list: () => Promise<readonly DeploymentStatus[]>
    /** @param environments - Absent or empty: every one that runs the API proxy. */
    readonly deploy: (
      environments?: readonly string[],
      retry?: RetryOptions,
    ) => Promise<DeploymentResult>
    readonly history: (environment: string, page?: PageOptions) => Promise<ListPage<Deployment>>
    readonly diff: (environment: string, revision?: number) => Promise<DeploymentDifference>
    readonly rollBack: (
      environment: string,
      revision: number,
      retry?: RetryOptions,
    ) => Promise<DeploymentResult>
    readonly undeploy: (environment: string) => Promise<DeploymentResult>
  }
}

export interface ProjectClient extends TrustClient {
  readonly read: () => Promise<Read<Project>>
  readonly create: (
    request?: { readonly description?: string },
    retry?: RetryOptions,
  ) => Promise<Read<Project>>
  readonly update: (request: Partial<Project>, write?: WriteOptions) => Promise<Read<Project>>
  readonly delete: (write?: WriteOptions) => Promise<void>
  readonly export: () => Promise<ProjectExport>
  readonly import: (file: ProjectExport, retry?: RetryOptions) => Promise<void>
  readonly apiProxies: (page?: PageOptions) => Promise<ListPage<ApiProxy>>
  readonly apiProxy: (name: string) => ApiProxyClient
}

export interface ManagementClient {
  readonly projects: (page?: PageOptions) => Promise<ListPage<Project>>
  readonly project: (name: string) => ProjectClient
  readonly environments: {
    readonly list: (page?: PageOptions) => Promise<ListPage<Environment>>
    readonly read: (name: string) => Promise<Read<Environment>>
    readonly create: (name: string, retry?: RetryOptions) => Promise<Environment>
    readonly delete: (name: string, write?: WriteOptions) => Promise<void>
    readonly gateways: (name: string) => Promise<readonly GatewayStatus[]>
  }
  readonly tokens: {
    readonly list: (page?: PageOptions) => Promise<ListPage<Token>>
    /** Its ETag is another one after every use. */
    readonly read: (name: string) => Promise<Read<Token>>
    /** The only time that the token itself is shown. */
    readonly create: (name: string, request: TokenRequest) => Promise<NewToken>
    readonly revoke: (name: string, write?: WriteOptions) => Promise<void>
  }
  readonly audit: (
    page?: PageOptions & { readonly project?: string },
  ) => Promise<ListPage<AuditRecord>>
  /** Resolves while the manager serves; needs no good token. */
  readonly health: () => Promise<void>
  /** Resolves when the manager reaches its store and may sign, else rejects with status 503; needs no good token. */
  readonly ready: () => Promise<void>
}

export interface GatewayStatus {
  readonly name: string
  readonly seenAt: string
  readonly connected: boolean
  readonly runs: readonly {
    readonly project: string
    readonly apiProxy: string
    readonly hash: string | null
    readonly sequence: number
  }[]
  readonly live: { readonly hash: string; readonly sequence: number } | null
  readonly problems: readonly {
    readonly project: string
    readonly apiProxy: string
    readonly sequence: number
    readonly code: string
    readonly message: string
  }[]
}

/**
 * A client for one manager and one token. Every failure rejects with a {@link ManagementError}; a name that no path can have is a
 * `TypeError` with code `name-invalid`, before anything is sent.
 *
 * @example
 * const manager = createManagementClient({ url, token })
 * const { items } = await manager.projects()
 * console.log(items[0].name) // MyProject
 */
export function createManagementClient(options: ManagementClientOptions): ManagementClient {
  const send = new Sender(options)
  return {
    projects: (page) => send.page(`/apiops/projects/${queryOf(page)}`),
    project: (name) => projectClient(send, `/apiops/projects/${segment(name)}/`),
    environments: {
      list: (page) => send.page(`/apiops/environments/${queryOf(page)}`),
      read: async (name) => await send.resource('GET', `/apiops/environments/${segment(name)}/`),
      create: async (name, retry) => {
        const path = `/apiops/environments/${segment(name)}/`
        return (await send.resource<Environment>('POST', path, {}, retry)).value
      },
      delete: async (name, write) =>
        await send.nothing('DELETE', `/apiops/environments/${segment(name)}/`, undefined, write),
      gateways: async (name) =>
        (await send.page<GatewayStatus>(`/apiops/environments/${segment(name)}/gateways/`)).items,
    },
    tokens: {
      list: (page) => send.page(`/apiops/tokens/${queryOf(page)}`),
      read: async (name) => await send.resource('GET', `/apiops/tokens/${segment(name)}/`),
      create: async (name, request) =>
        (await send.resource<NewToken>('POST', `/apiops/tokens/${segment(name)}/`, request)).value,
      revoke: async (name, write) =>
        await send.nothing('DELETE', `/apiops/tokens/${segment(name)}/`, undefined, write),
    },
    audit: (page) => send.page(`/apiops/audit/${queryOf(page)}`),
    health: () => send.nothing('GET', '/health/'),
    ready: () => send.nothing('GET', '/ready/'),
  }
}

function projectClient(send: Sender, base: string): ProjectClient {
  return {
    ...trustClient(send, base),
    read: () => send.resource('GET', base),
    create: (request = {}, retry = {}) => send.resource('POST', base, request, retry),
    update: (request, write) => send.resource('PUT', base, request, write),
    delete: (write) => send.nothing('DELETE', base, undefined, write),
    export: async () => (await send.json('GET', `${base}export/`)).body as ProjectExport,
    import: (file, retry) => send.nothing('POST', `${base}import/`, file, retry),
    apiProxies: (page) => send.page(`${base}apiProxies/${queryOf(page)}`),
    apiProxy: (name) => apiProxyClient(send, `${base}apiProxies/${segment(name)}/`),
  }
}

function apiProxyClient(send: Sender, base: string): ApiProxyClient {
  const policyPath = (name: string): string => `${base}policies/${segment(name)}/`
  const deployments = `${base}deployments/`
  return {
    ...trustClient(send, base),
    read: () => send.resource('GET', base),
    create: (document, retry) => send.resource('POST', base, document, retry),
    update: (document, write) => send.resource('PUT', base, document, write),
    delete: (write) => send.nothing('DELETE', base, undefined, write),
    policies: {
      list: async () => {
        const [first] = (await send.page<PolicyLists>(`${base}policies/`)).items
        if (first === undefined) throw new ManagementError(200, 'no-envelope', 'an empty list', [])
        return first.apiProxy
      },
      read: async (name) => await send.resource('GET', policyPath(name)),
      add: async (name, request, retry) =>
        await send.deployed('POST', policyPath(name), request, retry),
      update: async (name, request, write) =>
        await send.deployed('PUT', policyPath(name), request, write),
      delete: async (name, operationMetadata, write) =>
        await send.deployed('DELETE', policyPath(name), { operationMetadata }, write),
      evaluate: async (name, request) =>
        (await send.resource<Evaluation>('POST', `${policyPath(name)}evaluate/`, request)).value,
    },
    deployments: {
      list: async () => (await send.page<DeploymentStatus>(deployments)).items,
      deploy: (environments = [], retry = {}) =>
        send.deployed('POST', deployments, { environments }, retry),
      history: async (environment, page) =>
        await send.page(`${deployments}${segment(environment)}/history/${queryOf(page)}`),
      diff: async (environment, revision) => {
        const path = `${deployments}${segment(environment)}/diff/`
        const query = revision === undefined ? '' : queryOf({ revision })
        return (await send.resource<DeploymentDifference>('GET', `${path}${query}`)).value
      },
      rollBack: async (environment, revision, retry) =>
        await send.deployed(
          'POST',
          `${deployments}${segment(environment)}/rollback/`,
          { revision },
          retry,
        ),
      undeploy: async (environment) =>
        await send.deployed('DELETE', `${deployments}${segment(environment)}/`),
    },
  }
}

function trustClient(send: Sender, base: string): TrustClient {
  const setting = <T, R extends object>(kind: string): SettingClient<T, R> => ({
    read: () => send.resource('GET', `${base}${kind}/`),
    put: (value, write) => send.resource('PUT', `${base}${kind}/`, value, write),
    delete: (write) => send.nothing('DELETE', `${base}${kind}/`, undefined, write),
  })
  const crls = `${base}crls/`
  const killList = `${base}killList/`
  return {
    trustStore: setting('trustStore'),
    issuerAcl: setting('issuerAcl'),
    revocation: setting('revocation'),
    crls: {
      list: (page) => send.page(`${crls}${queryOf(page)}`),
      add: async (crl, retry) => {
        const body = typeof crl === 'string' ? { crl } : crl
        const { body: answer } = await send.json('POST', crls, body, retry)
        const { resultList, liveResult } = answer as {
          readonly resultList: readonly Crl[]
          readonly liveResult: LiveResult
        }
        return { crls: resultList, liveResult }
      },
      read: async (sha256) => await send.octets(`${crls}${segment(sha256)}/`),
      delete: async (sha256, write) =>
        await send.live('DELETE', `${crls}${segment(sha256)}/`, write),
    },
    killList: {
      list: (page) => send.page(`${killList}${queryOf(page)}`),
      add: async (entry, retry) => {
        const { body: answer } = await send.json('POST', killList, entry, retry)
        const { result, liveResult } = answer as {
          readonly result: KillEntry
          readonly liveResult: LiveResult
        }
        return { ...result, liveResult }
      },
      delete: async (id) => await send.live('DELETE', `${killList}${segment(id)}/`),
    },
  }
}

type Conditions = WriteOptions & RetryOptions

class Sender {
  readonly #url: string
  readonly #token: string
  readonly #fetch: typeof fetch

  constructor({ url, token, fetch: given }: ManagementClientOptions) {
    this.#url = url.replace(/\/$/, '')
    this.#token = token
    this.#fetch = given ?? globalThis.fetch
  }

  async resource<T>(
    method: string,
    path: string,
    body?: object,
    conditions?: Conditions,
  ): Promise<Read<T>> {
    const { body: answer, etag } = await this.json(method, path, body, conditions)
    return { value: (answer as { readonly result: T }).result, etag }
  }

  async deployed(
    method: string,
    path: string,
    body?: object,
    conditions?: Conditions,
  ): Promise<DeploymentResult> {
    const { body: answer } = await this.json(method, path, body, conditions)
    return (answer as { readonly deploymentResult: DeploymentResult }).deploymentResult
  }

  async live(method: string, path: string, write?: WriteOptions): Promise<LiveResult> {
    const { body: answer } = await this.json(method, path, undefined, write)
    return (answer as { readonly liveResult: LiveResult }).liveResult
  }

  async page<T>(path: string): Promise<ListPage<T>> {
    const { resultList, nextCursor } = (await this.json('GET', path)).body as {
      readonly resultList: readonly T[]
      readonly nextCursor?: string
    }
    return { items: resultList, ...(nextCursor === undefined ? {} : { nextCursor }) }
  }

  async nothing(
    method: string,
    path: string,
    body?: object,
    conditions?: Conditions,
  ): Promise<void> {
    await this.json(method, path, body, conditions)
  }

  async json(
    method: string,
    path: string,
    body?: object,
    conditions?: Conditions,
  ): Promise<{ readonly body: unknown; readonly etag: string }> {
    const response = await this.#send(method, path, body, conditions)
    return { body: await response.json(), etag: response.headers.get('etag') ?? '' }
  }

  async octets(path: string): Promise<Uint8Array> {
    return new Uint8Array(await (await this.#send('GET', path)).arrayBuffer())
  }

  async #send(
    method: string,
    path: string,
    body?: object,
    { ifMatch, idempotencyKey }: Conditions = {},
  ): Promise<Response> {
    const isOctets = body instanceof Uint8Array
    const response = await this.#fetch(`${this.#url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body === undefined
          ? {}
          : { 'content-type': isOctets ? 'application/octet-stream' : 'application/json' }),
        ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
        ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
      },
      ...(body === undefined
        ? {}
        : { body: isOctets ? new Uint8Array(body) : JSON.stringify(body) }),
    })
    if (response.ok) return response
    throw await errorOf(response)
  }
}

async function errorOf(response: Response): Promise<ManagementError> {
  const { status } = response
  const text = await response.text()
  let error: { readonly code?: unknown; readonly message?: unknown; readonly details?: unknown } =
    {}
  try {
    error = (JSON.parse(text) as { readonly error?: object }).error ?? {}
  } catch {
    // A proxy in between answered, with a page of its own.
  }
  const { code, message, details } = error
  return new ManagementError(
    status,
    typeof code === 'string' ? code : 'no-envelope',
    typeof message === 'string' ? message : `status ${status}`,
    Array.isArray(details) ? (details as readonly FieldProblem[]) : [],
  )
}

/** @throws TypeError with code `name-invalid`: a URL would lose such a segment, and the request reach what is above it. */
function segment(name: string): string {
  if (typeof name === 'string' && name !== '.' && name !== '..' && possibleName.test(name)) {
    return encodeURIComponent(name)
  }
  const text = 'a name has 1 to 255 characters, and is neither . nor ..'
  throw Object.assign(new TypeError(text), { code: 'name-invalid' })
}

/** Half a surrogate pair has no UTF-8. */
const possibleName = /^\P{Cs}{1,255}$/u

function queryOf(
  values: Readonly<Record<string, string | number | undefined>> | PageOptions = {},
): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) query.set(name, String(value))
  }
  const text = query.toString()
  return text === '' ? '' : `?${text}`
}
