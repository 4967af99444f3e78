/** Which proxy a request is for: its host, then the longest base path that fits. @module */

import type { Place } from '../deployment/place.ts'
import { isConspicuous, pathIn, plainPath } from './plain-path.ts'

export type Routed = Place

/** Built for each state, never changed. */
export class Routes<P extends Routed> {
  readonly #byHost = new Map<string, HostRoutes<P>>()
  /** Those that another one has taken the place of. */
  readonly taken: readonly P[]

  /**
   * @param proxies - Of two with the same host and base path the first one is served.
   * @param held - Places of proxies that cannot be served: nobody else is, not by a shorter path and not as every other host. What is
   * served at the very same host and path is served on.
   * @param isLost - Whether a proxy is not served at one of its hosts, where somebody else should be.
   */
  constructor(
    proxies: readonly P[],
    held: readonly Place[] = [],
    isLost: (proxy: P, host: string) => boolean = () => false,
  ) {
    const taken: P[] = []
    for (const proxy of proxies) {
      for (const host of proxy.hosts) {
        if (isLost(proxy, host)) continue
        const isAdded = this.#routesOf(host).add(proxy.basePath, proxy)
        if (!isAdded && !taken.includes(proxy)) taken.push(proxy)
      }
    }
    for (const { hosts, basePath } of held) {
      for (const host of hosts) this.#routesOf(host).add(basePath, 'held')
    }
    this.taken = taken
  }

  #routesOf(host: string): HostRoutes<P> {
    let routes = this.#byHost.get(host)
    if (routes === undefined) {
      routes = new HostRoutes()
      this.#byHost.set(host, routes)
    }
    return routes
  }

  /** Of a host, or of all that no proxy names. */
  of(host: string): HostRoutes<P> | undefined {
    return this.#byHost.get(host) ?? this.#byHost.get('*')
  }

  /** @param target - Origin form, or `*`. */
  find(host: string, target: string): P | 'held' | 'ambiguous' | undefined {
    return this.of(host)?.find(target)
  }

  /** What is at this very place. */
  at(host: string, basePath: string): P | 'held' | undefined {
    return this.#byHost.get(host)?.at(basePath)
  }

  names(host: string): boolean {
    return this.#byHost.has(host)
  }

  get hosts(): IterableIterator<string> {
    return this.#byHost.keys()
  }
}

/** One host of a place, as a key: base paths in another case are the same one. */
export function placeKeyOf(host: string, basePath: string): string {
  return `${host}\n${basePath.toLowerCase()}`
}

export class HostRoutes<P extends Routed> {
  readonly #byPath = new Map<string, P | 'held'>()
  #root: P | 'held' | undefined
  /** Segments of the longest base path. */
  #depth = 0

  get proxies(): readonly P[] {
    return [...this.#byPath.values()].filter((one) => one !== 'held')
  }

  /** @returns Whether the place was free. */
  add(basePath: string, proxy: P | 'held'): boolean {
    // Servers differ about cases: a path in another one must not slip by to the proxy of a shorter path.
    const key = basePath.toLowerCase()
    if (this.#byPath.has(key)) return false
    this.#byPath.set(key, proxy)
    if (basePath === '/') this.#root = proxy
    else this.#depth = Math.max(this.#depth, basePath.split('/').length - 1)
    return true
  }

  at(basePath: string): P | 'held' | undefined {
    return this.#byPath.get(basePath.toLowerCase())
  }

  find(target: string): P | 'held' | 'ambiguous' | undefined {
    // One proxy for everything: nobody can be taken for another one.
    if (this.#depth === 0) return this.#root
    if (target === '*') return this.#root
    const path = pathIn(target)
    const found = this.#longest(/[A-Z]/.test(path) ? path.toLowerCase() : path)
    if (!isConspicuous(path)) return found
    const plain = plainPath(path)?.toLowerCase()
    return plain === undefined || this.#longest(plain) !== found ? 'ambiguous' : found
  }

  /** @param path - In lower case. */
  #longest(path: string): P | 'held' | undefined {
    let found = this.#root
    let at = 0
    for (let depth = 0; depth < this.#depth; depth++) {
      const next = path.indexOf('/', at + 1)
      const candidate = this.#byPath.get(next === -1 ? path : path.slice(0, next))
      if (candidate !== undefined) found = candidate
      if (next === -1) break
      at = next
    }
    return found
  }
}
