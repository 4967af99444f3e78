/** One request that may go on: who asks, what for, and with which right. @module */

import type { EnvironmentResult } from '../resources.ts'
import type { Change } from '../service/change.ts'
import { deploymentResult, type StoredDeployment, writeResults } from '../service/deployments.ts'
import { type RetryKey, rememberAnswer, rememberedAnswer } from '../service/idempotency.ts'
import { type PageQuery, readCursor } from '../service/pages.ts'
import { Refusal } from '../service/refusal.ts'
import { type Actor, demandProject, type Need } from '../service/rights.ts'
import type { Answer } from './answer.ts'
import type { Manager } from './manager.ts'

/** A change with deployments: answered when the gateways have been heard. */
export interface Deployed {
  readonly stored: readonly StoredDeployment[]
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
  async change(work: (change: Change) => Promise<Answer | Deployed>): Promise<Answer> {
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

  async #change(work: (change: Change) => Promise<Answer | Deployed>): Promise<Answer> {
    const { manager, actor, ifMatch, retry } = this.#facts
    const now = manager.now()
    const { known, answer, stored } = await manager.store.transaction(async (trx) => {
      const before = retry && (await rememberedAnswer(trx, retry))
      if (before !== undefined) {
        const headers = { 'idempotent-replayed': 'true' }
        const body = before.body === '' ? undefined : (JSON.parse(before.body) as unknown)
        return { known: true, answer: { status: before.status, body, headers }, stored: [] }
      }
      const done = await work({ trx, actor: actor.name, now, ifMatch })
      const result = 'stored' in done ? deploymentAnswer(done.stored) : done
      if (retry !== undefined) await rememberAnswer(trx, retry, rememberable(result), now)
      return { known: false, answer: result, stored: 'stored' in done ? done.stored : [] }
    })
    if (known || stored.length === 0) return answer
    const results = await manager.settle(stored)
    const final = deploymentAnswer(results)
    try {
      await manager.store.transaction(async (trx) => {
        await writeResults(trx, stored, results)
        if (retry !== undefined) await rememberAnswer(trx, retry, rememberable(final), now)
      })
    } catch (error) {
      // What was asked for is done and stored; only the history lacks what the gateways said.
      manager.onError(error)
    }
    return final
  }
}

export function deploymentAnswer(results: readonly EnvironmentResult[]): Answer {
  return { status: 200, body: { success: true, deploymentResult: deploymentResult(results) } }
}

function rememberable({ status, body }: Answer): {
  readonly status: number
  readonly body: string
} {
  if (body instanceof Uint8Array) throw new Refusal('internal', 'octets are no answer to a change')
  return { status, body: body === undefined ? '' : JSON.stringify(body) }
}
