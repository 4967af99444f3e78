/** Evaluation over one set of handlers. @module */

import { type AsyncHandlers, runAsync } from '../effect/effect.ts'
import {
  evaluatePipelineSteps,
  evaluatePolicySteps,
  type Facts,
  type RequestFacts,
} from './facts.ts'
import type { Outcome } from './outcome.ts'
import type { PipelineDocuments, Pipelines } from './pipelines.ts'
import type { Policy } from './policy.ts'

export interface Evaluator {
  readonly evaluatePolicy: (policy: Policy | object, facts: Facts) => Promise<Outcome>
  readonly evaluatePipeline: (
    policies: Pipelines | PipelineDocuments | readonly object[],
    facts: RequestFacts,
  ) => Promise<Outcome>
}

export function createEvaluator(handlers: AsyncHandlers, now: () => Date): Evaluator {
  return {
    evaluatePolicy: async (policy, facts) =>
      runAsync(evaluatePolicySteps(policy, facts, now()), handlers),
    evaluatePipeline: async (policies, facts) =>
      runAsync(evaluatePipelineSteps(policies, facts, now()), handlers),
  }
}
