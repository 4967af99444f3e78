/** What gateways say that they run: kept in the store for every manager, and told at once to whoever waits for it. @module */

import type { GatewayProblem, GatewayReport, RunningProxy } from '../../deployment/channel.ts'
import { chunksOf } from '../service/chunks.ts'
import type { Store } from '../store/store.ts'
import { Turns } from '../store/turns.ts'

/** A gateway as it was last heard of. */
export interface SeenGateway {
  readonly name: string
  /** RFC 3339. */
  readonly seenAt: string
  /** Whether it was heard of in the last 25 seconds, or listens here. */
  readonly connected: boolean
  readonly runs: readonly RunningProxy[]
  readonly live: GatewayReport['live']
  readonly problems: readonly GatewayProblem[]
}

/** What became of a change at one gateway. */
export interface GatewayOutcome {
  readonly gateway: string
  readonly outcome: 'ok' | 'problem' | 'not-in-time'
  /** Of the problem. */
  readonly code?: string
  readonly message?: string
}

export interface ReportsOptions {
  readonly store: Store
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Told when reports could not be written. */
  readonly onError: (error: unknown) => void
}

export class Reports {
  readonly #store: Store
  readonly #now: () => number
  readonly #onError: (error: unknown) => void
  readonly #streams = new Map<string, Map<string, number>>()
  readonly #waiting = new Set<(environment: string, report: GatewayReport) => void>()
  /** By environment and gateway: what came since the last write. */
  #pending = new Map<string, Pending>()
  readonly #turns = new Turns()
  #writing: Promise<void> | undefined
  #written: Promise<unknown> = Promise.resolve()
  #swept = 0

  constructor({ store, now, onError }: ReportsOptions) {
    this.#store = store
    this.#now = now
    this.#onError = onError
  }

  /** Notes that a gateway listens; returns what ends it. */
  listen(environment: string, gateway: string): () => void {
    const gateways = this.#streams.get(environment) ?? new Map<string, number>()
    this.#streams.set(environment, gateways)
    gateways.set(gateway, (gateways.get(gateway) ?? 0) + 1)
    let isOpen = true
    return () => {
      if (!isOpen) return
      isOpen = false
      const left = (gateways.get(gateway) ?? 1) - 1
      if (left > 0) gateways.set(gateway, left)
      else gateways.delete(gateway)
    }
  }

  /** Tells those who wait, and writes; many that come at once are one statement. Settles when this one is written. */
  take(environmentId: string, report: GatewayReport): Promise<void> {
    for (const tell of [...this.#waiting]) tell(report.environment, report)
    const { gateway: name } = report
    const seenAt = new Date(this.#now()).toISOString()
    const pending = { environmentId, name, seenAt, report: JSON.stringify(report) }
    this.#pending.set(keyOf(pending), pending)
    if (this.#writing === undefined) {
      this.#writing = this.#write()
      this.#written = Promise.all([this.#written, this.#writing])
    }
    return this.#writing
  }

  /** A gateway that ends says so, and nobody waits for it any more. */
  async forget(environmentId: string, gateway: string): Promise<void> {
    this.#pending.delete(keyOf({ environmentId, name: gateway }))
    const end = await this.#turns.take()
    try {
      await this.#store.db
        .deleteFrom('gateways')
        .where('environment_id', '=', environmentId)
        .where('name', '=', gateway)
        .execute()
    } finally {
      end()
    }
  }

  /** Sorted by name. */
  async list(environment: string): Promise<readonly SeenGateway[]> {
    const rows = await this.#store.db
      .selectFrom('gateways')
      .innerJoin('environments', 'environments.id', 'gateways.environment_id')
      .select(['gateways.name', 'gateways.seen_at', 'gateways.report'])
      .where('environments.name', '=', environment)
      .orderBy('gateways.name')
      .execute()
    const now = this.#now()
    const streams = this.#streams.get(environment) ?? new Map<string, number>()
    const seen = rows.map((row): SeenGateway => {
      const { runs, live, problems } = JSON.parse(row.report) as GatewayReport
      const isFresh = now - Date.parse(row.seen_at) <= connectedMs
      const connected = isFresh || streams.has(row.name)
      return { name: row.name, seenAt: row.seen_at, connected, runs, live, problems }
    })
    // Those that listen and have not reported yet.
    const known = new Set(seen.map(({ name }) => name))
    const seenAt = new Date(now).toISOString()
    for (const name of streams.keys()) {
      if (known.has(name)) continue
      seen.push({ name, seenAt, connected: true, runs: [], live: null, problems: [] })
    }
    return seen.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /**
   * Waits until every gateway that is connected has reported about `sequence`, at most for `timeoutMs`. Resolves at once with an empty list
   * when none is.
   *
   * @param outcomeOf - What a report says of it; default: of a pointer to a snapshot.
   */
  async wait(
    environment: string,
    sequence: number,
    timeoutMs: number,
    outcomeOf: ReadOutcome = outcomeOfPointer,
  ): Promise<readonly GatewayOutcome[]> {
    const outcomes = new Map<string, GatewayOutcome | undefined>()
    const waiter = new Waiter()
    let expected: Expected | undefined
    const early: GatewayReport[] = []
    const take = (of: string, report: GatewayReport): void => {
      if (of !== environment) return
      if (expected === undefined) {
        early.push(report)
        return
      }
      const outcome = outcomeOf(report, sequence, expected)
      // What it speaks of may be newer than what was read: the next look at the store tells.
      if (outcome === undefined || outcome.code === 'sequence-replayed') return
      outcomes.set(report.gateway, outcome)
      waiter.wake()
    }
    // Before the list is read: a report that comes meanwhile is not missed.
    this.#waiting.add(take)
    const end = performance.now() + timeoutMs
    try {
      for (;;) {
        const seen = await this.list(environment)
        // After the list: no report in it is newer.
        expected = await this.#expected(environment, sequence)
        for (const report of early.splice(0)) take(environment, report)
        for (const { name, connected, runs, live, problems } of seen) {
          if (isFinal(outcomes.get(name))) continue
          const outcome = outcomeOf({ gateway: name, runs, live, problems }, sequence, expected)
          if (connected || outcomes.has(name)) outcomes.set(name, outcome ?? outcomes.get(name))
        }
        for (;;) {
          const isDone = [...outcomes.values()].every(isFinal)
          const left = end - performance.now()
          if (isDone || left <= 0) return finished(outcomes)
          // Others may have told another manager, which writes it into the store.
          if (!(await waiter.sleep(Math.min(left, lookAgainMs)))) break
        }
      }
    } finally {
      this.#waiting.delete(take)
    }
  }

  async close(): Promise<void> {
    await this.#written
  }

  async #expected(environment: string, sequence: number): Promise<Expected> {
    const row = await this.#store.db
      .selectFrom('environments')
      .leftJoin('pointers', (join) =>
        join
          .onRef('pointers.environment_id', '=', 'environments.id')
          .on('pointers.sequence', '=', sequence),
      )
      .select(['environments.sequence', 'pointers.hash', 'pointers.api_proxy_id'])
      .where('environments.name', '=', environment)
      .executeTakeFirst()
    if (row === undefined) return { newest: 0, hash: undefined }
    // Of an undeployment the hash is `null`, too.
    const hash = row.api_proxy_id === null ? undefined : row.hash
    return { newest: Number(row.sequence), hash }
  }

  async #write(): Promise<void> {
    // A change is reported by all gateways at nearly the same moment.
    await new Promise((resolve) => setTimeout(resolve, gatherMs))
    // One after the other: what a gateway said first must not take the place of what it said then.
    const end = await this.#turns.take()
    const rows = [...this.#pending.values()]
    this.#pending = new Map()
    this.#writing = undefined
    const now = this.#now()
    const isSweep = now - this.#swept >= sweepMs
    // A statement of its own, which waits for no deployment, nor deployments for it. In one order, whichever manager writes.
    rows.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
    try {
      for (const some of chunksOf(rows)) {
        const values = some.map(({ environmentId, name, seenAt, report }) => ({
          environment_id: environmentId,
          name,
          seen_at: seenAt,
          report,
        }))
        await this.#store.db
          .insertInto('gateways')
          .values(values)
          .onConflict((conflict) =>
            conflict.columns(['environment_id', 'name']).doUpdateSet(({ ref }) => ({
              seen_at: ref('excluded.seen_at'),
              report: ref('excluded.report'),
            })),
          )
          .execute()
      }
      if (!isSweep) return
      const before = new Date(now - keptMs).toISOString()
      await this.#store.db.deleteFrom('gateways').where('seen_at', '<', before).execute()
      this.#swept = now
    } catch (error) {
      // It comes again within ten seconds; who waits has heard it already.
      this.#onError(error)
    } finally {
      end()
    }
  }
}

interface Pending {
  readonly environmentId: string
  readonly name: string
  readonly seenAt: string
  readonly report: string
}

function keyOf({ environmentId, name }: Pick<Pending, 'environmentId' | 'name'>): string {
  return `${environmentId} ${name}`
}

/** Sleeps until it is woken. */
class Waiter {
  #wake: (() => void) | undefined
  #isWoken = false

  wake(): void {
    this.#isWoken = true
    this.#wake?.()
  }

  /** @returns Whether it was woken before the time was over. */
  async sleep(milliseconds: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined
    if (!this.#isWoken) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        timer = setTimeout(resolve, milliseconds)
      })
    }
    clearTimeout(timer)
    const isWoken = this.#isWoken
    this.#isWoken = false
    this.#wake = undefined
    return isWoken
  }
}

/** @returns `undefined`: the gateway has not come so far. */
export type ReadOutcome = (
  report: Omit<GatewayReport, 'environment'>,
  sequence: number,
  expected: Expected,
) => GatewayOutcome | undefined

/**
 * Of live data, as far as they are a project's: what others have in them is no reason to say that this one's are not in force.
 *
 * Gateways name what is wrong with live data under the newest number of these, so that a problem may be older than it looks, and the
 * change that is waited for is not in force either. Nor is it at a proxy of the project that the gateway could not take over.
 */
export function outcomeOfLive(project: string): ReadOutcome {
  return ({ gateway, live, problems }, sequence, { newest }) => {
    const problem = problems.find(
      (one) =>
        one.sequence >= sequence &&
        isOfLive(one) &&
        (one.project === project || one.project === ''),
    )
    if (problem !== undefined) return problemAt(gateway, problem)
    const seen = live?.sequence ?? 0
    if (seen > newest) return restored(gateway, seen, newest)
    if (seen < sequence) return undefined
    // They have the number of the proxy's pointer, which says nothing here.
    const held = problems.find((one) => one.project === project && unusableCodes.has(one.code))
    return held === undefined ? { gateway, outcome: 'ok' } : problemAt(gateway, held)
  }
}

/** Not of a proxy's pointer or snapshot. */
function isOfLive({ apiProxy, code }: GatewayProblem): boolean {
  return apiProxy === '' || code.startsWith('crl') || code.startsWith('kill-')
}

function restored(gateway: string, seen: number, newest: number): GatewayOutcome {
  const message = `it has seen number ${seen} of this environment, and the store is at ${newest}: the store was restored, lift its numbers`
  return { gateway, outcome: 'problem', code: 'sequence-replayed', message }
}

/** What the store says of the change that is waited for. */
export interface Expected {
  /** The last number of the environment. */
  readonly newest: number
  /** Under the number that is waited for; `undefined`: another one has taken its place, or it is of live data. */
  readonly hash: string | null | undefined
}

/**
 * A gateway takes states whole and in order: once it speaks of a number, everything before it is behind it. Unless the number is of
 * another history: a store that was restored gives numbers again that gateways have seen, and they refuse those.
 *
 * What is wrong is no sign of it: who refuses a set speaks of its number, too, and has taken nothing of it.
 *
 * @returns `undefined`: it has not come so far.
 */
function outcomeOfPointer(
  { gateway, runs, live, problems }: Omit<GatewayReport, 'environment'>,
  sequence: number,
  { newest, hash }: Expected,
): GatewayOutcome | undefined {
  const own = problems.find((one) => one.sequence === sequence)
  if (own !== undefined) return problemAt(gateway, own)
  const last = Math.max(live?.sequence ?? 0, ...runs.map((one) => one.sequence))
  const isOther =
    live?.sequence === sequence ||
    runs.some((one) => one.sequence === sequence && one.hash !== hash)
  if (last > newest || (hash !== undefined && isOther)) return restored(gateway, last, newest)
  if (runs.some((one) => one.sequence === sequence)) return { gateway, outcome: 'ok' }
  const isPast = last >= sequence
  // Another pointer has taken the place of this one, and the gateway is past both or between them.
  if (isPast && hash === undefined) return { gateway, outcome: 'ok' }
  // Of the set that brings it, or the live data: they have the numbers behind it.
  const nobodys = problems.find((one) => one.project === '' && one.sequence >= sequence)
  if (nobodys !== undefined) return problemAt(gateway, nobodys)
  return isPast ? { gateway, outcome: 'ok' } : undefined
}

function problemAt(gateway: string, { code, message }: GatewayProblem): GatewayOutcome {
  return { gateway, outcome: 'problem', code, message }
}

/** What could not be fetched is tried again at once: it is the outcome only when the time is over. */
function isFinal(outcome: GatewayOutcome | undefined): boolean {
  return outcome !== undefined && !outcome.code?.endsWith('-unavailable')
}

function finished(
  outcomes: ReadonlyMap<string, GatewayOutcome | undefined>,
): readonly GatewayOutcome[] {
  return [...outcomes].map(([gateway, outcome]) => outcome ?? { gateway, outcome: 'not-in-time' })
}

/** Of a proxy that does not run as it is deployed, and so not with the live data that are now. */
const unusableCodes: ReadonlySet<string> = new Set(['proxy-unusable', 'route-taken'])
/** Two reports may be lost. */
const connectedMs = 25_000
const lookAgainMs = 100
const gatherMs = 10
const sweepMs = 3_600_000
/** Gateways in containers have a new name with each start. */
const keptMs = 7 * 86_400_000
