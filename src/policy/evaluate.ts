/** Runs the policies of a pipeline over one client. @module */

import type { Verdict } from '../client/verdict.ts'
import type { Steps } from '../effect/effect.ts'
import type { Allowed, Outcome, PolicyFailure, TraceStep } from './outcome.ts'
import type { PipelineName, PlacedPolicy, Route } from './pipelines.ts'

/**
 * Validates the client's certificate as a policy wants it, or says why there is none to validate. `undefined`: the policy wants none.
 * Not called for an inactive policy.
 */
export type Judge = (policy: PlacedPolicy) => Steps<Verdict> | PolicyFailure | undefined

/**
 * Runs `policies` in their order until one refuses.
 *
 * @param time - Unix time in whole seconds.
 */
export function* evaluateSteps(
  pipeline: PipelineName,
  policies: readonly PlacedPolicy[],
  judge: Judge,
  time: number,
): Steps<Outcome> {
  const trace: TraceStep[] = []
  let identified: Allowed['verdict']
  const period = new Period(time)
  for (const policy of policies) {
    const { name, targetScope, active, mode } = policy
    const step = { pipeline, policy: name, targetScope }
    if (!active) {
      trace.push({ ...step, result: 'skipped', failure: undefined, verdict: undefined })
      continue
    }
    const judged = judge(policy)
    const unfounded = judged !== undefined && 'code' in judged ? judged : undefined
    const verdict = judged === undefined || 'code' in judged ? undefined : yield* judged
    period.narrow(verdict)
    const failure = unfounded ?? failureOf(verdict)
    if (failure === undefined) {
      trace.push({ ...step, result: 'passed', failure, verdict })
      if (!isVerified(identified) || isVerified(verdict)) identified = verdict
      continue
    }
    if (mode === 'report') {
      trace.push({ ...step, result: 'would-refuse', failure, verdict })
      continue
    }
    trace.push({ ...step, result: 'refused', failure, verdict })
    return refusal(failure, name, verdict, trace, period)
  }
  return {
    allowed: true,
    identity: isVerified(identified) ? identified.identity : undefined,
    verdict: identified,
    trace,
    validFrom: period.from,
    validUntil: period.until,
  }
}

/**
 * Runs all pipelines of a route around a handler that cannot be taken back: RESPONSE policies are asked before it runs, too. A refusal
 * enters ERROR once, and what ERROR says is in the trace and changes nothing.
 *
 * @param time - Unix time in whole seconds.
 */
export function* evaluateRouteSteps(
  { policies }: Route,
  judge: Judge,
  time: number,
): Steps<Outcome> {
  const request = yield* evaluateSteps('REQUEST', policies.REQUEST, judge, time)
  const outcome =
    request.allowed && policies.RESPONSE.length > 0
      ? after(request, yield* evaluateSteps('RESPONSE', policies.RESPONSE, judge, time))
      : request
  if (outcome.allowed || policies.ERROR.length === 0) return outcome
  const error = yield* evaluateSteps('ERROR', policies.ERROR, judge, time)
  return { ...outcome, trace: [...outcome.trace, ...error.trace] }
}

/** Both must allow; whoever identified the client first did. */
function after(first: Allowed, second: Outcome): Outcome {
  const joined = {
    trace: [...first.trace, ...second.trace],
    validFrom: Math.max(first.validFrom, second.validFrom),
    validUntil: Math.min(first.validUntil, second.validUntil),
  }
  return second.allowed && first.identity !== undefined
    ? { ...first, ...joined }
    : { ...second, ...joined }
}

/** A refusal before any policy ran. It is about the request, so that it holds for no other one. */
export function refuseRequest(failure: PolicyFailure, time: number): Outcome {
  return refusal(failure, undefined, undefined, [], new Period(time, time, time))
}

function refusal(
  failure: PolicyFailure,
  policy: string | undefined,
  verdict: Verdict | undefined,
  trace: readonly TraceStep[],
  { from: validFrom, until: validUntil }: Period,
): Outcome {
  const { code } = failure
  return {
    allowed: false,
    status: 401,
    code,
    failure,
    policy,
    verdict,
    trace,
    validFrom,
    validUntil,
  }
}

function failureOf(verdict: Verdict | undefined): PolicyFailure | undefined {
  return verdict === undefined || verdict.ok ? undefined : verdict.failure
}

function isVerified(verdict: Verdict | undefined): verdict is Extract<Verdict, { verified: true }> {
  return verdict?.ok === true && verdict.verified
}

/** How long all verdicts of an outcome hold. */
class Period {
  readonly #time: number
  from: number
  until: number

  constructor(
    time: number,
    from: number = Number.NEGATIVE_INFINITY,
    until: number = Number.POSITIVE_INFINITY,
  ) {
    this.#time = time
    this.from = from
    this.until = until
  }

  narrow(verdict: Verdict | undefined): void {
    // That nothing came, or nothing that can be believed, is as true tomorrow.
    if (verdict === undefined) return
    // What time may mend, or an entry that runs out may change, holds for this very second: the same question has the same answer.
    const isDated = isVerified(verdict)
    this.from = Math.max(this.from, isDated ? verdict.validFrom.getTime() / 1000 : this.#time)
    this.until = Math.min(this.until, isDated ? verdict.validUntil.getTime() / 1000 : this.#time)
  }
}
