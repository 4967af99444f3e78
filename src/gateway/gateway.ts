/** A gateway: listeners, the proxies that are in force, and what happens when others are. @module */

import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { setImmediate as turn } from 'node:timers/promises'
import type { TrustAnchors } from '../client/trust-anchors.ts'
import type { Place } from '../deployment/place.ts'
import { type Agents, ApiProxy, type Shared } from './api-proxy.ts'
import { clientCertificates } from './connection.ts'
import { type Hint, hintOf } from './contexts.ts'
import type { Core } from './core.ts'
import { Listener } from './listener.ts'
import { LiveTrusts } from './live.ts'
import { gatewayMetrics } from './metrics.ts'
import { type GatewayOptions, type ReadGatewayOptions, readGatewayOptions } from './options.ts'
import { keyOf } from './proxy-key.ts'
import { placeKeyOf, Routes } from './routes.ts'
import type { ApplyProblem, ApplyResult, DeployedProxy, GatewayState, HeldPlace } from './state.ts'
import { MaterialReader } from './trust.ts'
import { leaveMs } from './tunnel.ts'

export interface Gateway {
  /** In the order of the options; ports are those that were bound. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[]
  /**
   * Puts a state in force as a whole; one after the other, in the order of the calls. Requests under way end under what they began with.
   * A proxy that cannot be built stays as it is, and is a problem: its new place is held, so that no other proxy answers there, and its
   * old one is left to whom the state gives it. Never rejects.
   */
  apply(state: GatewayState): Promise<ApplyResult>
  /** Requests under way. */
  readonly requests: number
  /**
   * Takes no more connections, lets requests end, and then closes. Who has connected, or is about to, may send one request.
   *
   * @param milliseconds - After which what is still under way is ended. WebSockets are closed with 1001 in the last second. Default
   * 30,000.
   */
  drain(milliseconds?: number): Promise<void>
  /** Ends everything at once. */
  close(): Promise<void>
}

/**
 * Opens the listeners of a gateway. Until a state is applied everybody is answered 503.
 *
 * @throws TypeError with a `code` for options that make no sense; what reading certificates and binding ports throws.
 */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const read = readGatewayOptions(options)
  const gateway = new RunningGateway(read)
  await gateway.open(read)
  return gateway
}

class RunningGateway implements Gateway {
  readonly #core: Core
  readonly #shared: Shared
  readonly #live: LiveTrusts
  readonly #material = new MaterialReader()
  readonly #listeners: Listener[] = []
  readonly #hosts: readonly string[]
  #proxies: ReadonlyMap<string, ApiProxy> = new Map()
  #held: readonly HeldPlace[] = []
  #applying: Promise<unknown> = Promise.resolve()
  #closing: Promise<void> | undefined
  #isEnded = false

  constructor({ listeners, hooks, logger, metrics, limits, upstream, answer }: ReadGatewayOptions) {
    this.#hosts = listeners.map(({ host }) => host)
    this.#live = new LiveTrusts((of, event) => {
      const level = event.type === 'failed' ? 'warn' : 'debug'
      logger[level]({ ...of, event }, 'revocation data')
    })
    const core: Core = {
      routes: undefined,
      isDraining: false,
      requests: 0,
      tunnels: new Set(),
      limits,
      logger,
      metrics: gatewayMetrics(metrics, {
        connections: () => this.#listeners.reduce((sum, { connections }) => sum + connections, 0),
        requests: () => core.requests,
        tunnels: () => core.tunnels.size,
        proxies: () => this.#proxies.size,
        held: () => this.#held.length,
        earliestCertificate: () => {
          const ends = this.#listeners.flatMap(({ certificates }) =>
            certificates.all.map(({ notAfter }) => notAfter),
          )
          return ends.length === 0 ? undefined : Math.min(...ends)
        },
      }),
    }
    this.#core = core
    this.#shared = {
      source: clientCertificates(rememberedChains),
      hooks,
      metrics: core.metrics,
      answer,
      agents: agentsOf(limits.maxUpstreamConnections, upstream.ca),
      keepsHost: upstream.host === 'kept',
    }
  }

  async open({ listeners }: ReadGatewayOptions): Promise<void> {
    try {
      for (const options of listeners) {
        this.#listeners.push(await Listener.open(this.#core, options))
      }
    } catch (error) {
      await this.close()
      throw error
    }
  }

  get addresses(): readonly { readonly host: string; readonly port: number }[] {
    return this.#listeners.map(({ port }, index) => ({ host: this.#hosts[index] as string, port }))
  }

  get requests(): number {
    return this.#core.requests
  }

  apply(state: GatewayState): Promise<ApplyResult> {
    const applied = this.#applying.then(() => this.#apply(state))
    this.#applying = applied
    return applied
  }

  async #apply(state: GatewayState): Promise<ApplyResult> {
    const begin = performance.now()
    const problems: ApplyProblem[] = [...this.#live.update(state)]
    const next = new Map<string, ApiProxy>()
    let built = 0
    let until = performance.now() + slice
    for (const deployed of state.proxies) {
      const key = keyOf(deployed.snapshot)
      const before = this.#proxies.get(key)
      const proxy = this.#prepare(deployed, before, problems)
      if (proxy === undefined) continue
      if (proxy !== before) built++
      next.set(key, proxy)
      // Requests go on meanwhile.
      if (performance.now() > until) {
        await turn()
        until = performance.now() + slice
      }
    }
    const claims = new Claims(state, (host, basePath) => {
      const there = this.#core.routes?.at(host, basePath)
      if (there === undefined || there === 'held') return undefined
      const key = keyOf({ project: there.project, apiProxy: there.name })
      return next.get(key)?.hash === there.hash ? key : undefined
    })
    this.#route(next, claims, problems)
    const held = heldIn(state, next)
    const routes = new Routes([...next.values()], held, claims.isLost)
    // What was put together meanwhile must not outlive the end.
    if (this.#isEnded) return { problems, built: 0 }
    this.#held = held
    this.#swap(next, routes)
    const milliseconds = performance.now() - begin
    this.#core.metrics.applied(milliseconds, problems.length + state.held.length)
    const facts = {
      proxies: next.size,
      held: held.length,
      built,
      milliseconds: Math.round(milliseconds),
    }
    this.#core.logger.info({ ...facts, problems }, 'state in force')
    return { problems, built }
  }

  /** The one that runs when nothing of it is another; the old one, too, when the new one cannot be built. */
  #prepare(
    { hash, snapshot }: DeployedProxy,
    before: ApiProxy | undefined,
    problems: ApplyProblem[],
  ): ApiProxy | undefined {
    try {
      const live = this.#live.of(snapshot, problems)
      if (
        before?.hash === hash &&
        before.live.killList === live.killList &&
        before.live.revocation === live.revocation
      ) {
        return before
      }
      return new ApiProxy(hash, snapshot, this.#material.read(snapshot), live, this.#shared)
    } catch (error) {
      const { project, apiProxy } = snapshot
      // Whatever it was, the others come into force.
      const message = error instanceof Error ? error.message : String(error)
      problems.push({ project, apiProxy, code: 'proxy-unusable', message })
      return before
    }
  }

  /**
   * Whoever comes to a place that is taken is refused, and stays where it was; who was there before has the first right, unless it is
   * there only because it could not be built anew.
   */
  #route(next: Map<string, ApiProxy>, claims: Claims, problems: ApplyProblem[]): void {
    for (;;) {
      const isOld = ([key, proxy]: [string, ApiProxy]): boolean => this.#proxies.get(key) === proxy
      const all = [...next]
      const routes = new Routes(
        [...all.filter(isOld), ...all.filter((one) => !isOld(one))].map(([, proxy]) => proxy),
        [],
        claims.isLost,
      )
      if (routes.taken.length === 0) return
      // Each round takes at least one of the new ones back.
      for (const { project, name } of routes.taken) {
        const message = 'another proxy has the same host and base path'
        problems.push({ project, apiProxy: name, code: 'route-taken', message })
        const key = keyOf({ project, apiProxy: name })
        const before = this.#proxies.get(key)
        if (before === undefined || before === next.get(key)) next.delete(key)
        else next.set(key, before)
      }
    }
  }

  /** In one turn: whoever begins sees the old state or the new one. */
  #swap(next: ReadonlyMap<string, ApiProxy>, routes: Routes<ApiProxy>): void {
    const before = this.#proxies
    this.#proxies = next
    this.#core.routes = routes
    this.#core.metrics.keepOnly(next.values())
    const used = new Set<object>()
    for (const { live } of next.values()) {
      used.add(live.killList)
      if (live.revocation !== undefined) used.add(live.revocation)
    }
    const retired = new Set<ApiProxy>()
    for (const [key, proxy] of before) if (next.get(key) !== proxy) retired.add(proxy)
    this.#moveTunnels()
    for (const proxy of retired) proxy.retire()
    this.#live.keepOnly(used)
    this.#material.sweep()
    this.#advertise(routes)
  }

  /** What is open is looked at under the new policies, in turns; and what began under older ones, once it is open. */
  #moveTunnels(): void {
    const current = ({ project, name }: ApiProxy): ApiProxy | undefined =>
      this.#proxies.get(keyOf({ project, apiProxy: name }))
    const due = [...this.#core.tunnels].flatMap((tunnel) => {
      const { proxy } = tunnel
      return proxy === undefined || current(proxy) === proxy ? [] : [{ tunnel, proxy }]
    })
    const move = (): void => {
      const until = performance.now() + slice
      for (let next = due.pop(); next !== undefined; next = due.pop()) {
        next.tunnel.moveTo(current(next.proxy))
        if (performance.now() > until) {
          setImmediate(move)
          return
        }
      }
    }
    move()
  }

  #advertise(routes: Routes<ApiProxy>): void {
    const hints = new Map<string | undefined, Hint>()
    const anchorsOf = (host: string): readonly TrustAnchors[] =>
      (routes.of(host)?.proxies ?? []).flatMap(({ trustAnchors }) => trustAnchors ?? [])
    const hintFor = (host: string | undefined): Hint => {
      // A host that nobody names is answered by the proxy of all others, or by none.
      const key = host !== undefined && routes.names(host) ? host : host === undefined ? host : '*'
      const known = hints.get(key)
      if (known !== undefined) return known
      const hosts = key === undefined ? [...routes.hosts] : [key]
      const hint = hintOf(hosts.flatMap(anchorsOf))
      hints.set(key, hint)
      return hint
    }
    for (const listener of this.#listeners) listener.advertise(hintFor)
  }

  drain(milliseconds = 30_000): Promise<void> {
    this.#closing ??= this.#drain(milliseconds)
    return this.#closing
  }

  async #drain(milliseconds: number): Promise<void> {
    this.#core.isDraining = true
    const drained = Promise.all(this.#listeners.map((listener) => listener.drain()))
    const leaving = Math.min(leaveMs, milliseconds)
    await within(milliseconds - leaving, drained)
    for (const tunnel of this.#core.tunnels) tunnel.leave()
    await within(leaving, drained)
    this.#end()
    await drained
  }

  async close(): Promise<void> {
    this.#core.isDraining = true
    const drained = Promise.all(this.#listeners.map((listener) => listener.drain()))
    this.#end()
    await drained
  }

  #end(): void {
    this.#isEnded = true
    for (const tunnel of this.#core.tunnels) tunnel.end()
    for (const listener of this.#listeners) listener.close()
    for (const agent of Object.values(this.#shared.agents)) agent.destroy()
    for (const proxy of this.#proxies.values()) proxy.retire()
    this.#proxies = new Map()
    this.#live.keepOnly(new Set())
  }
}

/** Whose each place is in a state, whether it can be served there or not. */
class Claims {
  readonly #owners = new Map<string, Set<string>>()
  /** Of each proxy the hash that it should run with. Absent: it should run with one that is not at hand. */
  readonly #hashes = new Map<string, string>()
  readonly #standing: (host: string, basePath: string) => string | undefined

  /** @param standing - Which proxy answers at a place before the state is in force, and after it with the same snapshot. */
  constructor(
    { proxies, held }: GatewayState,
    standing: (host: string, basePath: string) => string | undefined,
  ) {
    this.#standing = standing
    // What is at hand of these is something older.
    const old = new Set(held.map(keyOf))
    for (const { hash, snapshot } of proxies) {
      const key = keyOf(snapshot)
      if (old.has(key)) continue
      this.#hashes.set(key, hash)
      this.#add(key, snapshot)
    }
    for (const place of held) this.#add(keyOf(place), place)
  }

  #add(key: string, { hosts, basePath }: Place): void {
    for (const host of hosts) {
      const place = placeKeyOf(host, basePath)
      const owners = this.#owners.get(place)
      if (owners === undefined) this.#owners.set(place, new Set([key]))
      else owners.add(key)
    }
  }

  /**
   * Under an older snapshot a proxy may ask for less than the one that should answer: it stays only where that is nobody else. Nor does
   * it come back to a place that it has lost, as long as the other one answers there.
   */
  readonly isLost = ({ project, name, hash, basePath }: ApiProxy, host: string): boolean => {
    const key = keyOf({ project, apiProxy: name })
    if (this.#hashes.get(key) === hash) return false
    const owners = this.#owners.get(placeKeyOf(host, basePath))
    if (owners !== undefined) return !owners.has(key)
    return (this.#standing(host, basePath) ?? key) !== key
  }
}

/** Of what is deployed and does not run as it should. Its requests are nobody else's, who may ask for less. */
function heldIn(state: GatewayState, next: ReadonlyMap<string, ApiProxy>): readonly HeldPlace[] {
  const refused = state.proxies
    .filter(({ hash, snapshot }) => next.get(keyOf(snapshot))?.hash !== hash)
    .map(({ snapshot: { project, apiProxy, hosts, basePath } }) => {
      return { project, apiProxy, hosts, basePath }
    })
  return [...state.held, ...refused]
}

/** Waits, but not longer. */
async function within(milliseconds: number, settled: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((done) => {
    timer = setTimeout(done, milliseconds)
  })
  await Promise.race([settled, late])
  clearTimeout(timer)
}

function agentsOf(maxSockets: number, ca: string | undefined): Agents {
  const kept = { keepAlive: true, maxSockets, maxFreeSockets: 256, timeout: idleUpstream } as const
  const fresh = { keepAlive: false, maxSockets } as const
  const trusted = ca === undefined ? {} : { ca }
  return {
    http: new HttpAgent(kept),
    https: new HttpsAgent({ ...kept, ...trusted, minVersion: 'TLSv1.2' }),
    freshHttp: new HttpAgent(fresh),
    freshHttps: new HttpsAgent({ ...fresh, ...trusted, minVersion: 'TLSv1.2' }),
  }
}

/** Accepted clients whose chains are remembered; some 20 MB when full. */
const rememberedChains = 10_000
/** Milliseconds of one turn. */
const slice = 8
/** Milliseconds that a connection to an upstream is kept without a request. */
const idleUpstream = 60_000
