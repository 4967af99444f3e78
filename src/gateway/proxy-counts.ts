/** What is counted of one API proxy. Kept here and not in the registry, where finding a series costs more than all the rest of it. @module */

import type { DecisionEvent, Hooks } from '../http/event.ts'

/** A series: the values of its labels, and how often. */
export type Series<L extends string> = readonly [labels: Readonly<Record<L, string>>, count: number]

export class ProxyCounts implements Hooks {
  readonly #project: string
  readonly #proxy: string
  readonly #observe: (event: DecisionEvent) => void
  readonly #statuses = new Map<number, number>()
  /** By policy. */
  readonly #allowed = new Map<string, number>()
  readonly #others = new Map<string, Counted<DecisionEvent['outcome']>>()
  readonly #wouldRefuse = new Map<string, Counted<''>>()

  /** @param observe - Told of each decision, for what is not counted by proxy. */
  constructor(project: string, proxy: string, observe: (event: DecisionEvent) => void) {
    this.#project = project
    this.#proxy = proxy
    this.#observe = observe
  }

  answered(status: number): void {
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1)
  }

  readonly decision = (event: DecisionEvent): void => {
    const { outcome, policy = '', code = '', wouldRefuse } = event
    if (outcome === 'allowed') this.#allowed.set(policy, (this.#allowed.get(policy) ?? 0) + 1)
    else count(this.#others, outcome, policy, code)
    for (const refusal of wouldRefuse) count(this.#wouldRefuse, '', refusal.policy, refusal.code)
    this.#observe(event)
  };

  /** By the status that the client got. */
  *answers(): Generator<Series<'project' | 'proxy' | 'status'>> {
    for (const [status, times] of this.#statuses) {
      yield [{ ...this.#labels, status: String(status) }, times]
    }
  }

  *decisions(): Generator<Series<'project' | 'proxy' | 'outcome' | 'policy' | 'code'>> {
    for (const [policy, times] of this.#allowed) {
      yield [{ ...this.#labels, outcome: 'allowed', policy, code: '' }, times]
    }
    for (const { outcome, policy, code, times } of this.#others.values()) {
      yield [{ ...this.#labels, outcome, policy, code }, times]
    }
  }

  /** Of policies in report mode. */
  *wouldBeRefusals(): Generator<Series<'project' | 'proxy' | 'policy' | 'code'>> {
    for (const { policy, code, times } of this.#wouldRefuse.values()) {
      yield [{ ...this.#labels, policy, code }, times]
    }
  }

  get #labels(): { readonly project: string; readonly proxy: string } {
    return { project: this.#project, proxy: this.#proxy }
  }
}

interface Counted<O> {
  readonly outcome: O
  readonly policy: string
  readonly code: string
  times: number
}

function count<O extends string>(
  counts: Map<string, Counted<O>>,
  outcome: O,
  policy: string,
  code: string,
): void {
  const key = `${outcome}\n${code}\n${policy}`
  const known = counts.get(key)
  if (known === undefined) counts.set(key, { outcome, policy, code, times: 1 })
  else known.times++
}
