/** One request that may go on: who asks, what for, and with which right. @module */

import type { EnvironmentResult } from '../resources.ts'
import type { Change } from '../service/change.ts'
import { deploymentResult, type StoredDeployment, writeResults } from '../service/deployments.ts'
import {
  type RememberedAnswer,
  type RetryKey,
  rememberAnswer,
  rememberedAnswer,
} from '../service/idempotency.ts'
import { type PageQuery, readCursor } from '../service/pages.ts'
import { Refusal } from '../service/refusal.ts'
import { type Actor, demandProject, type Need } from '../service/rights.ts'
import { StoreUnavailable } from '../store/store.ts'
import type { Answer } from './answer.ts'
import type { AnnouncedLive, Manager } from './manager.ts'

/** A change with deployments: answered when the gateways have been heard. */
export interface Deployed {
  readonly stored: readonly StoredDeployment[]
}

/** A change of CRLs or of a kill list: answered when the gateways have been heard. */
export interface Announced {
  readonly announced: readonly AnnouncedLive[]
  readonly project: string
  /** Without what the gateways say. */
  readonly answer: Answer
}

interface CallFacts {
  readonly manager: Manager
  readonly actor: Actor
  readonly names: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, unknown>>
  /** JSON data as the route's schema left it, or octets. */
  readonly body: unknown
  readonly ifMatch: Change['ifMatch']
  readonly retry: RetryKey | undefined
}

export class Call {
  readonly manager: Manager
  readonly actor: Actor
  readonly body: unknown
  readonly query: Readonly<Record<string, unknown>>
  readonly #facts: CallFacts

  constructor(facts: CallFacts) {
    this.#facts = facts
    this.manager = facts.manager
    this.actor = facts.actor
    this.body = facts.body
    this.query = facts.query
  }

  get hasRetryKey(): boolean {
    return this.#facts.retry !== undefined
  }

  /** A segment of the path. */
  name(parameter: string): string {
    const name = this.#facts.names[parameter]
    if (name === undefined) throw new TypeError(`the path has no ${parameter}`)
    return name
  }

  nameIfAny(parameter: string): string | undefined {
    return this.#facts.names[parameter]
  }

  demand(need: Need, project: string = this.name('projectName')): void {
    demandProject(this.actor, need, project)
  }

  get page(): PageQuery {
    const { limit = 100, cursor } = this.query as {
      readonly limit?: number
      readonly cursor?: string
    }
    return { limit, cursor: cursor === undefined ? undefined : readCursor(cursor) }
  }

  /**
   * Runs one transaction with its conditions. A retry with the same key gets the answer of the first time.
   *
   * @param work - As for `Store.transaction`: it may run more than once, and does nothing outside it.
   */
  async change(work: (change: Change) => Promise<Answer | Deployed | Announced>): Promise<Answer> {
    const { manager, retry } = this.#facts
    if (retry === undefined) return await this.#change(work)
    const key = `${retry.tokenId} ${retry.key}`
    const running = manager.running.get(key)
    if (running !== undefined) {
      await running.catch(() => {})
      return await this.#change(work)
    }
    const answer = this.#change(work)
    manager.running.set(key, answer)
    const forget = (): void => {
      manager.running.delete(key)
    }
    answer.then(forget, forget)
    return await answer
  }

  async #change(work: (change: Change) => Promise<Answer | Deployed | Announced>): Promise<Answer> {
    const { manager, actor, ifMatch, retry } = this.#facts
    const now = manager.now()
    const done = await manager.store.transaction(async (trx): Promise<Answer | Awaited> => {
      const before = retry && (await rememberedAnswer(trx, retry))
      if (before !== undefined) return replayOf(before)
      const result = await work({ trx, actor: actor.name, now, ifMatch })
      if (retry !== undefined) await rememberAnswer(trx, retry, rememberable(result), now)
      return result
    })
    return isAwaited(done) ? await this.#heard(done, now) : done
  }

  /** Whoever is asked again while nobody has been heard waits as the first one did, and asks what gateways report by then. */
  async #heard(awaited: Awaited, now: Date): Promise<Answer> {
    const { manager, retry } = this.#facts
    const isDeployed = 'stored' in awaited
    const heard = await this.#results(awaited)
    const results = heard ?? unheardResults(awaited)
    const answer = isDeployed ? deploymentAnswer(results) : liveAnswer(awaited, results)
    // Who was not heard stays open in the history and for retries: they ask again what the gateways say.
    if (heard !== undefined && ((isDeployed && results.length > 0) || retry !== undefined)) {
      try {
        const { db } = manager.store
        if (isDeployed) await writeResults(db, awaited.stored, results)
        if (retry !== undefined) await rememberAnswer(db, retry, rememberable(answer), now)
      } catch (error) {
        // What was asked for is done and stored; the history and retries ask again what the gateways say.
        manager.onError(error)
      }
    }
    return awaited.isReplay ? { ...answer, headers: replayed } : answer
  }

  /** @returns `undefined`: the store went away, and nobody knows what the gateways say. The change is stored all the same. */
  async #results(awaited: Awaited): Promise<readonly EnvironmentResult[] | undefined> {
    const { manager } = this.#facts
    try {
      return 'stored' in awaited
        ? await manager.settle(awaited.stored)
        : await manager.settleLive(awaited.announced, awaited.project)
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error
      manager.onError(error)
      return undefined
    }
  }
}

/** What was not stored has its own message. */
function unheardResults(awaited: Awaited): readonly EnvironmentResult[] {
  const unheard = { success: false, message: unheardMessage }
  return 'stored' in awaited
    ? awaited.stored.map(({ environmentName, success, message, sequence }) =>
        sequence === undefined
          ? { environmentName, success, message }
          : { environmentName, ...unheard },
      )
    : awaited.announced.map(({ environment }) => ({ environmentName: environment, ...unheard }))
}

function deploymentAnswer(results: readonly EnvironmentResult[]): Answer {
  return { status: 200, body: { success: true, deploymentResult: deploymentResult(results) } }
}

function liveAnswer({ answer }: Announced, liveResults: readonly EnvironmentResult[]): Answer {
  const liveResult = { success: liveResults.every(({ success }) => success), liveResults }
  return { ...answer, body: { ...(answer.body as object), liveResult } }
}

/** A change that gateways are waited for: as data, since another manager may be asked for the answer. */
type Awaited = (Deployed | Announced) & { readonly isReplay?: boolean }

function isAwaited(done: Answer | Awaited): done is Awaited {
  return 'stored' in done || 'announced' in done
}

function rememberable(result: Answer | Awaited): RememberedAnswer {
  if (isAwaited(result)) return { status: awaitedStatus, body: JSON.stringify(result) }
  const { status, body } = result
  if (body instanceof Uint8Array) throw new Refusal('internal', 'octets are no answer to a change')
  return { status, body: body === undefined ? '' : JSON.stringify(body) }
}

function replayOf({ status, body }: RememberedAnswer): Answer | Awaited {
  const value = body === '' ? undefined : (JSON.parse(body) as unknown)
  return status === awaitedStatus
    ? { ...(value as Deployed | Announced), isReplay: true }
    : { status, body: value, headers: replayed }
}

const unheardMessage =
  'Stored, but the store went away before gateways were heard; they take it when it is back'
/** Of a remembered answer that gateways have not been heard for: no status of HTTP. */
const awaitedStatus = 0
const replayed: Readonly<Record<string, string>> = { 'idempotent-replayed': 'true' }
