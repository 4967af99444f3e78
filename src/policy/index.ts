/** Policy documents, pipelines, and what evaluating them comes to. @module */

export type { HttpMethod } from './endpoint.ts'
export type { Facts, RequestFacts } from './facts.ts'
export type { ForwardingFailure } from './forwarding.ts'
export type { Allowed, Outcome, PolicyFailure, RefusedOutcome, TraceStep } from './outcome.ts'
export {
  type PipelineDocuments,
  type PipelineName,
  type Pipelines,
  type PlacedPolicy,
  parsePipelines,
  type Route,
} from './pipelines.ts'
export type { Place } from './place.ts'
export { type Policy, parsePolicy } from './policy.ts'
export type { PolicyInvalid, PolicyProblem } from './problem.ts'
export type { Trust } from './trust.ts'
