/** The entry `mtls-policy/policy` under Node: policy documents, and evaluating them without a server. @module */

import { type Handlers, runSync } from './effect/effect.ts'
import { createEvaluator, type Evaluator } from './policy/evaluator.ts'
import {
  evaluatePipelineSteps,
  evaluatePolicySteps,
  type Facts,
  type RequestFacts,
} from './policy/facts.ts'
import type { Outcome, PipelineDocuments, Pipelines, Policy } from './policy/index.ts'
import { now } from './runtime/clock.ts'
import { nodeHandlers } from './runtime/node.ts'
import { asyncNodeHandlers } from './runtime/node-async.ts'

export * from './policy/index.ts'

const evaluator: Evaluator = /* @__PURE__ */ createEvaluator(
  /* @__PURE__ */ asyncNodeHandlers(),
  now,
)
const handlers: Handlers = /* @__PURE__ */ nodeHandlers()

/**
 * Evaluates one policy, wherever it is placed.
 *
 * @param policy - A `policy-auth-mtls` document, or one that was read.
 * @param facts - What the client presented, the time, and what is trusted.
 * @returns Allowed, or 401 with a code; with the trace, and who the client is.
 * @throws TypeError with a `code` for a document or an option that makes no sense.
 * @example
 * const policy = { type: 'policy-auth-mtls', validateACLForIssuer: false }
 * const outcome = await evaluatePolicy(policy, { certificate: pem, trustAnchors: parseTrustAnchors(caPem) })
 * if (!outcome.allowed) console.log(outcome.status, outcome.code)
 */
export const evaluatePolicy: Evaluator['evaluatePolicy'] = evaluator.evaluatePolicy

/**
 * Evaluates one pipeline for one request: scope ALL and the endpoint's own policies, in the order of execution.
 *
 * @param policies - The object `apiProxy` of the policy list, a list (the request pipeline), or what `parsePipelines` returned.
 * @param facts - As for `evaluatePolicy`, and `method`, `path` and `pipeline`.
 * @example
 * const policies = [{ type: 'policy-auth-mtls', validateACLForIssuer: false }]
 * const facts = { certificate: pem, method: 'GET', path: '/orders/7', trustAnchors: parseTrustAnchors(caPem) }
 * const outcome = await evaluatePipeline(policies, facts)
 * console.log(outcome.trace.map(({ policy, result }) => `${policy}: ${result}`))
 */
export const evaluatePipeline: Evaluator['evaluatePipeline'] = evaluator.evaluatePipeline

/**
 * As `evaluatePolicy`, without a promise.
 *
 * @example
 * const policy = { type: 'policy-auth-mtls', validateACLForIssuer: false }
 * const outcome = evaluatePolicySync(policy, { certificate: pem, trustAnchors: parseTrustAnchors(caPem) })
 */
export function evaluatePolicySync(policy: Policy | object, facts: Facts): Outcome {
  return runSync(evaluatePolicySteps(policy, facts, now()), handlers)
}

/**
 * As `evaluatePipeline`, without a promise.
 *
 * @example
 * const policies = [{ type: 'policy-auth-mtls', validateACLForIssuer: false }]
 * const outcome = evaluatePipelineSync(policies, { certificate: pem, trustAnchors: parseTrustAnchors(caPem) })
 */
export function evaluatePipelineSync(
  policies: Pipelines | PipelineDocuments | readonly object[],
  facts: RequestFacts,
): Outcome {
  return runSync(evaluatePipelineSteps(policies, facts, now()), handlers)
}
