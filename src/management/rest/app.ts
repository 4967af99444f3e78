/** The manager as a fetch-style function: routes, rights, errors, logs. @module */

import { randomUUID } from 'node:crypto'
import { Hono } from 'hono'
import { logText, withoutTokens } from '../../base/log-text.ts'
import { publicKeyText, type SigningKey } from '../../deployment/index.ts'
import { createPublisher } from '../channel/publish.ts'
import { type Channel, createChannel } from '../channel/routes.ts'
import { demandSigner, takeOver } from '../channel/signer.ts'
import type { NewToken, TokenRequest } from '../resources.ts'
import { Places } from '../service/places.ts'
import { Refusal } from '../service/refusal.ts'
import { isAdmin, mayEveryProject, mayGateway } from '../service/rights.ts'
import { createToken } from '../service/tokens.ts'
import { type Store, StoreUnavailable } from '../store/store.ts'
import { Access } from './access.ts'
import { clientAddress } from './client-address.ts'
import { failureResponse, refusalOf } from './failure.ts'
import { type Manager, settler } from './manager.ts'
import { type MetricsOptions, managementMetrics } from './metrics.ts'
import { settleOpenDeployments } from './open-deployments.ts'
import { openApiDocument } from './openapi.ts'
import { respond } from './respond.ts'
import { routes } from './routes/index.ts'
import { hasDotSegment } from './target.ts'

/** What is used of a logger; pino's has it. */
export interface ManagementLogger {
  readonly info: (facts: object, message: string) => void
  readonly warn: (facts: object, message: string) => void
  readonly error: (facts: object, message: string) => void
}

export interface ManagementOptions {
  /** From `openStore`; who opened it closes it. */
  readonly store: Store
  /** Gateways pin its public half. What another key has signed in this store is signed anew with it. */
  readonly signingKey: SigningKey
  /** Absent: nothing is logged. */
  readonly logger?: ManagementLogger | undefined
  /** Default: the system's clock. */
  readonly now?: (() => Date) | undefined
  /** How long a deployment waits for the gateways that are connected; default 5000. */
  readonly deploymentWaitMs?: number | undefined
  /** How long a body may take; default 30 seconds. */
  readonly bodyTimeoutMs?: number | undefined
  /**
   * Balancers before the manager, as IP addresses and CIDR ranges: of a request that comes from one of them the client is the last
   * address in `X-Forwarded-For` that is none of theirs. Default: none, and that header counts for nothing.
   */
  readonly trustedProxies?: readonly string[] | undefined
  /** Absent: `/metrics` is 404. */
  readonly metrics?: MetricsOptions | undefined
}

export interface RequestContext {
  /** Address of the peer: who sends bad tokens from it has to wait. Behind `trustedProxies` it is the client's. Absent: nobody has. */
  readonly address?: string | undefined
  /**
   * The target as it was sent, such as `url` of a request of Node: a `Request` has its dot segments folded away, and with it a name such as
   * `%2e%2e` names what is above it. Absent: they cannot be refused.
   */
  readonly target?: string | undefined
}

export interface Management {
  readonly fetch: (request: Request, context?: RequestContext) => Promise<Response>
  /** Without a request: for the first token of all, and for tools on the manager's machine. */
  readonly createToken: (name: string, request: TokenRequest, actor?: string) => Promise<NewToken>
  /** Ends the streams to gateways, and what still writes. The store stays open. */
  readonly close: () => Promise<void>
}

/**
 * The management API over one store. Any number of them may share a store, with one signing key.
 *
 * @throws {StoreUnavailable} When the store is away.
 * @throws {TypeError} With the code `option-invalid` for `trustedProxies` that are no addresses.
 * @example
 * const management = await createManagement({ store, signingKey: generateSigningKey() })
 * const { token } = await management.createToken('first', { rights: [{ right: 'admin' }] })
 * const response = await management.fetch(new Request('http://localhost/health/'))
 * console.log(response.status) // 200
 */
export async function createManagement(options: ManagementOptions): Promise<Management> {
  const { store, signingKey, logger, now = () => new Date() } = options
  const { deploymentWaitMs = 5000, bodyTimeoutMs = 30_000, trustedProxies = [] } = options
  const addressOf = clientAddress(trustedProxies)
  const metrics = options.metrics && managementMetrics(options.metrics)
  const onError = (error: unknown): void => {
    logger?.error({ error: errorText(error) }, 'something went wrong beside a request')
  }
  const publicKey = publicKeyText(signingKey.publicKey)
  const renewed = await takeOver(store, signingKey, now())
  if (renewed !== undefined) {
    logger?.warn(renewed, 'the signing key is another one: all that is in force is signed anew')
  }
  const access = new Access({ store, now, onError, metrics })
  const addresses = new WeakMap<Request, string>()
  const labels = new WeakMap<Request, { route: string; actor?: string }>()
  const away = new WeakMap<Request, string>()

  const channel: Channel = createChannel({
    store,
    now: () => now().getTime(),
    onError,
    authorize: async (request, environment, who) => {
      try {
        const actor = await access.authenticate(request, addresses.get(request))
        labels.set(request, { route: 'channel', actor: actor.name })
        const isAllowed =
          who === 'gateway'
            ? mayGateway(actor, environment)
            : isAdmin(actor) || mayEveryProject(actor)
        if (isAllowed) return undefined
        const right = who === 'gateway' ? 'gateway for this environment' : 'read for every project'
        throw new Refusal('right-missing', `the token lacks the right ${right}`)
      } catch (error) {
        return failureOf(error, request)
      }
    },
  })
  const places = new Places()
  // Beside everything: the first deployment after a start would read it all.
  const warming = places.warm(store.db).catch(onError)
  const manager: Manager = {
    store,
    deployer: { publisher: createPublisher({ store, signingKey, places, now }), places },
    now,
    onError,
    ...settler(channel, deploymentWaitMs, metrics),
    running: new Map(),
  }
  const endSettling = settleOpenDeployments(manager, deploymentWaitMs)

  function failureOf(error: unknown, request: Request): Response {
    // A code of the database, and no more; for the log alone.
    if (error instanceof StoreUnavailable) away.set(request, error.reason)
    const refusal = refusalOf(error)
    if (refusal !== undefined) return failureResponse(refusal)
    // Its text may quote what was sent, or what is stored: it is for the log alone.
    logger?.error({ error: errorText(error), method: request.method }, 'a request failed')
    return failureResponse(new Refusal('internal', 'this is our fault; the log says more'))
  }

  const app = new Hono({ strict: false })
  app.onError((error, { req }) => failureOf(error, req.raw))
  for (const route of routes) {
    app.on(route.method.toUpperCase(), pathOf(route.path), async ({ req: { raw } }) => {
      const label: { route: string; actor?: string } = { route: route.path }
      labels.set(raw, label)
      const actor = await access.authenticate(raw, addresses.get(raw))
      label.actor = actor.name
      return await respond(route, raw, actor, manager, bodyTimeoutMs)
    })
  }
  const document = JSON.stringify(openApiDocument(routes))
  app.get('/apiops/openapi.json', () => new Response(document, { headers: json }))
  app.get('/health', () => Response.json({ success: true }))
  app.get('/ready', async () => {
    await demandSigner(store.db, publicKey)
    return Response.json({ success: true })
  })
  app.get('/metrics', async () => {
    if (metrics === undefined) throw new Refusal('not-found', 'there are no metrics here')
    const { register } = metrics
    return new Response(await register.metrics(), {
      headers: { 'content-type': register.contentType },
    })
  })
  app.route('/apiops/environments', channel.routes)
  app.notFound(({ req }) => failureResponse(unmatched(app, req.raw)))

  async function answer(request: Request, target: string): Promise<Response> {
    if (hasDotSegment(target)) {
      return failureResponse(new Refusal('not-found', 'nothing can have such a name'))
    }
    try {
      decodeURIComponent(new URL(request.url).pathname)
    } catch {
      return failureResponse(new Refusal('path-malformed', 'the path has a bad escape'))
    }
    return await app.fetch(request)
  }

  return {
    fetch: async (request, { address: peer, target = '' } = {}) => {
      const begin = performance.now()
      const id = requestId(request)
      const address = addressOf(request, peer)
      if (address !== undefined) addresses.set(request, address)
      const response = await answer(request, target)
      response.headers.set('x-request-id', id)
      response.headers.set('x-content-type-options', 'nosniff')
      const { status } = response
      const { method } = request
      const { route, actor } = labels.get(request) ?? { route: 'other' }
      const reason = away.get(request)
      const milliseconds = performance.now() - begin
      metrics?.request(
        knownMethods.has(method) ? method : 'other',
        route,
        status,
        milliseconds / 1000,
      )
      const { pathname } = new URL(request.url)
      const facts = {
        requestId: id,
        method,
        path: logText(pathname, 1024),
        status,
        milliseconds: Math.round(milliseconds * 10) / 10,
        ...(actor === undefined ? {} : { actor }),
        ...(address === undefined ? {} : { address }),
        ...(reason === undefined ? {} : { store: reason }),
      }
      if (status >= 500) logger?.warn(facts, 'request')
      else logger?.info(facts, 'request')
      return response
    },
    createToken: async (name, request, actor = 'manager') =>
      await store.transaction(
        async (trx) => await createToken({ trx, actor, now: now() }, name, request),
      ),
    close: async () => {
      endSettling()
      await channel.close()
      await access.close()
      await warming
    },
  }
}

/**
 * As served at `/apiops/openapi.json`.
 *
 * @example
 * const { openapi } = managementOpenApi()
 * console.log(openapi) // 3.1.0
 */
export function managementOpenApi(): object {
  return openApiDocument(routes)
}

/** Known by another method is 405, and says by which: RFC 9110 §15.5.6. */
function unmatched(app: Hono, request: Request): Refusal {
  const { pathname } = new URL(request.url)
  const segments = pathname.replace(/\/$/, '').split('/')
  const methods = new Set<string>()
  for (const { method, path } of app.routes) {
    const wanted = path.replace(/\/$/, '').split('/')
    const fits =
      wanted.length === segments.length &&
      wanted.every((one, i) => (one.startsWith(':') ? segments[i] !== '' : one === segments[i]))
    if (fits && method !== 'ALL') methods.add(method)
  }
  if (methods.size === 0) return new Refusal('not-found', 'there is nothing at this path')
  if (methods.has('GET')) methods.add('HEAD')
  return new Refusal('method-not-allowed', 'not by this method', {
    headers: { allow: [...methods].sort().join(', ') },
  })
}

/** A name that a proxy in front has given goes through the logs of both. */
function requestId(request: Request): string {
  const given = request.headers.get('x-request-id')
  return given !== null && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID()
}

function pathOf(path: string): string {
  return path.replace(/\/$/, '').replace(/\{(\w+)\}/g, ':$1')
}

function errorText(error: unknown): string {
  return withoutTokens(error instanceof Error ? (error.stack ?? error.message) : String(error))
}

const json = { 'content-type': 'application/json' }
const knownMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE'])
