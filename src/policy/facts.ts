/** Evaluating policies by themselves: for tests of a policy, and for whoever has a server of their own. @module */

import type { PresentedSource } from '../client/certificate-source.ts'
import { misuse } from '../client/misuse.ts'
import { prepareOptions, secondsOf } from '../client/options.ts'
import { validateSteps } from '../client/validate.ts'
import type { Verdict } from '../client/verdict.ts'
import type { Steps } from '../effect/effect.ts'
import { evaluateSteps, type Judge, refuseRequest } from './evaluate.ts'
import type { Outcome } from './outcome.ts'
import {
  type PipelineDocuments,
  type PipelineName,
  type Pipelines,
  type PlacedPolicy,
  parsePipelines,
  pipelineNames,
} from './pipelines.ts'
import { type Policy, parsePolicy } from './policy.ts'
import { rulesOf, type Trust } from './trust.ts'

/** What is known of one request, and what is trusted. */
export interface Facts extends Trust {
  /** What the client presented; absent, null or empty: nothing. */
  readonly certificate?: PresentedSource
  /** Absent: now. */
  readonly time?: Date | undefined
}

export interface RequestFacts extends Facts {
  /** Default `GET`. */
  readonly method?: string | undefined
  /** The request target, with or without a query; default `/`. */
  readonly path?: string | undefined
  /** Default `REQUEST`. */
  readonly pipeline?: PipelineName | undefined
}

/** @param now - When the facts name no time. */
export function* evaluatePolicySteps(
  document: Policy | object,
  facts: Facts,
  now: Date,
): Steps<Outcome> {
  const policy: PlacedPolicy = { ...parsePolicy(document), targetScope: 'ALL' }
  const { certificate, time = now, ...trust } = facts
  return yield* evaluateUnder('REQUEST', [policy], certificate, trust, secondsOf(time))
}

/** @param now - When the facts name no time. */
export function* evaluatePipelineSteps(
  documents: Pipelines | PipelineDocuments | readonly object[],
  facts: RequestFacts,
  now: Date,
): Steps<Outcome> {
  const pipelines = isParsed(documents) ? documents : parsePipelines(documents)
  const {
    certificate,
    time = now,
    method = 'GET',
    path = '/',
    pipeline = 'REQUEST',
    ...trust
  } = facts
  if (!pipelineNames.includes(pipeline)) {
    throw misuse('option-invalid', `pipeline must be ${pipelineNames.join(' or ')}`, {
      option: 'pipeline',
    })
  }
  for (const [option, value] of Object.entries({ method, path })) {
    if (typeof value !== 'string') {
      throw misuse('option-invalid', `${option} must be a text`, { option })
    }
  }
  const seconds = secondsOf(time)
  const route = pipelines.find(method, path)
  if (route === 'ambiguous') return refuseRequest({ code: 'request-target-ambiguous' }, seconds)
  return yield* evaluateUnder(pipeline, route.policies[pipeline], certificate, trust, seconds)
}

function isParsed(documents: object): documents is Pipelines {
  return 'find' in documents && 'lists' in documents
}

function evaluateUnder(
  pipeline: PipelineName,
  policies: readonly PlacedPolicy[],
  certificate: PresentedSource,
  trust: Trust,
  time: number,
): Steps<Outcome> {
  const rules = rulesOf(policies, trust)
  const verdicts = new Map<number, Verdict>()
  function* validate(index: number, source: PresentedSource): Steps<Verdict> {
    const known = verdicts.get(index)
    if (known !== undefined) return known
    const options = rules.options[index]
    if (options === undefined) throw new RangeError(`there is no rule ${index}`)
    const verdict = yield* validateSteps(source, prepareOptions(options), time)
    verdicts.set(index, verdict)
    return verdict
  }
  const judge: Judge = isNothing(certificate)
    ? () => ({ code: 'certificate-missing' })
    : (policy) => validate(rules.indexOf(policy), certificate)
  return evaluateSteps(pipeline, policies, judge, time)
}

function isNothing(certificate: PresentedSource): boolean {
  return (
    certificate === undefined ||
    certificate === null ||
    ((typeof certificate === 'string' || Array.isArray(certificate)) && certificate.length === 0)
  )
}
