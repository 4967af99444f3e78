/** A decision, told to hooks. @module */

import type { Outcome, TraceStep } from '../policy/outcome.ts'
import type { Decision } from './decision.ts'
import type { DecisionEvent } from './event.ts'
import type { HttpRequest } from './request.ts'

/** What the decision itself does not know. */
export interface Circumstances {
  readonly source: string
  readonly isRemembered: boolean
  readonly milliseconds: number
}

export function eventOf(
  decision: Decision,
  { method, target }: HttpRequest,
  circumstances: Circumstances,
): DecisionEvent {
  const { id, status, allowed, outcome, endpoint, asserted, error } = decision
  const reported = outcome === undefined ? [] : outcome.trace.flatMap(wouldRefuse)
  return {
    version: 1,
    type: 'decision',
    id,
    time: Date.now(),
    outcome: outcomeOf(decision, reported.length),
    status,
    code: allowed ? reported[0]?.code : decision.code,
    policy: policyOf(outcome, reported[0]?.policy),
    endpoint,
    method,
    target,
    ...circumstances,
    wouldRefuse: reported,
    details: outcome,
    verdict: outcome?.verdict,
    asserted,
    error,
  }
}

function outcomeOf({ status, allowed }: Decision, reported: number): DecisionEvent['outcome'] {
  if (status === 500) return 'error'
  if (!allowed) return 'refused'
  return reported > 0 ? 'would-refuse' : 'allowed'
}

function wouldRefuse({ result, policy, failure }: TraceStep): DecisionEvent['wouldRefuse'] {
  return result === 'would-refuse' && failure !== undefined ? [{ policy, code: failure.code }] : []
}

function policyOf(outcome: Outcome | undefined, reported: string | undefined): string | undefined {
  if (outcome === undefined) return undefined
  if (!outcome.allowed) return outcome.policy
  return reported ?? outcome.trace.findLast(({ result }) => result === 'passed')?.policy
}
