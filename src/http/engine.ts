/** One configuration in force: read once, asked for every request, replaced as a whole. @module */

import type { PresentedSource } from '../client/certificate-source.ts'
import type { Live } from '../client/options.ts'
import type { Verdict } from '../client/verdict.ts'
import type { AsyncHandlers, Steps } from '../effect/effect.ts'
import { evaluateRouteSteps, type Judge, refuseRequest } from '../policy/evaluate.ts'
import type { Outcome, PolicyFailure } from '../policy/outcome.ts'
import { type Pipelines, parsePipelines, pipelineNames, type Route } from '../policy/pipelines.ts'
import { parsePolicy } from '../policy/policy.ts'
import { type Rules, rulesOf, type Trust } from '../policy/trust.ts'
import { type ValidatorOptions, VerdictCache } from '../runtime/validator.ts'
import type { GuardOptions } from './options.ts'

/** Policies, and what they are held against. */
export class Engine {
  readonly pipelines: Pipelines
  readonly trust: Trust
  readonly #rules: Rules
  /** One for each way of validating. */
  readonly #verdicts: readonly VerdictCache[]
  readonly #epochs: number[]
  #epoch: object = {}

  /**
   * @param verdicts - How many are kept, over all rules.
   * @throws TypeError with a `code` for what makes no sense.
   */
  constructor(
    { policy, policies }: Pick<GuardOptions, 'policy' | 'policies'>,
    trust: Trust,
    verdicts: number,
  ) {
    this.pipelines = parsePipelines(policies ?? [parsePolicy(policy)])
    this.trust = trust
    this.#rules = rulesOf(
      pipelineNames.flatMap((name) => this.pipelines.lists[name]),
      trust,
    )
    const { options, live } = this.#rules
    const each = Math.ceil(verdicts / Math.max(1, options.length))
    this.#verdicts = options.map(
      (one) => new VerdictCache(one as ValidatorOptions, { verdicts: each }),
    )
    this.#epochs = live.map(({ epoch }) => epoch)
  }

  /** Another object whenever a list, a response or the kill list has changed: what was found out before may no longer be so. */
  epoch(): object {
    const { live } = this.#rules
    for (let i = 0; i < live.length; i++) {
      const { epoch } = live[i] as Live
      if (epoch === this.#epochs[i]) continue
      this.#epochs[i] = epoch
      this.#epoch = {}
    }
    return this.#epoch
  }

  /**
   * Runs the pipelines of a route over what a client presented.
   *
   * @param time - Unix time in whole seconds.
   */
  evaluate(route: Route, certificates: readonly Uint8Array[], time: number): Steps<Outcome> {
    const found = new Map<number, Verdict>()
    const judge: Judge = (policy) =>
      this.#validate(this.#rules.indexOf(policy), certificates, time, found)
    return evaluateRouteSteps(route, judge, time)
  }

  /** The same without a certificate: every policy that runs refuses. */
  evaluateWithout(route: Route, failure: PolicyFailure, time: number): Steps<Outcome> {
    return evaluateRouteSteps(route, () => failure, time)
  }

  /** The same over a name that nobody proved: it passes only where nothing is to be proven. */
  evaluateAsserted(route: Route, time: number): Steps<Outcome> {
    const judge: Judge = ({ validateCertificate, validateACLForIssuer }) =>
      validateCertificate || validateACLForIssuer ? { code: 'identity-not-proven' } : undefined
    return evaluateRouteSteps(route, judge, time)
  }

  refuse(failure: PolicyFailure, time: number): Outcome {
    return refuseRequest(failure, time)
  }

  /** Policies that validate alike share one validation, though not one that has only begun: they run one after the other. */
  *#validate(
    rule: number,
    certificates: PresentedSource,
    time: number,
    found: Map<number, Verdict>,
  ): Steps<Verdict> {
    const known = found.get(rule)
    if (known !== undefined) return known
    const looked = (this.#verdicts[rule] as VerdictCache).look(certificates, {
      time: new Date(time * 1000),
    })
    const verdict = looked.verdict ?? (yield* looked.steps)
    if (looked.verdict === undefined) looked.remember(verdict)
    found.set(rule, verdict)
    return verdict
  }
}

/** How the core's questions are answered here. */
export interface GuardRuntime {
  readonly handlers: AsyncHandlers
}
