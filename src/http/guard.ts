/** Decides about requests, whatever the framework: where the certificate is from, which policies run, what is remembered. @module */

import { misuse } from '../client/misuse.ts'
import { type AsyncHandlers, runReady, type Steps } from '../effect/effect.ts'
import type { Outcome, PolicyFailure } from '../policy/outcome.ts'
import type { Route } from '../policy/pipelines.ts'
import { type Answer, type Answering, answerOf, readAnswering } from './answer.ts'
import type { AssertedIdentity } from './asserted.ts'
import { isMisdirected } from './authority.ts'
import { type KnownClient, KnownClients } from './clients.ts'
import { Decision } from './decision.ts'
import { Engine } from './engine.ts'
import type { Hooks } from './event.ts'
import { eventOf } from './event-of.ts'
import { CompiledIdentityHeaders } from './identity-headers.ts'
import { type GuardOptions, readGuardOptions } from './options.ts'
import type { HttpRequest } from './request.ts'
import type { ClientCertificateSource, Found, Presented } from './source.ts'
import { StrippedHeaders } from './strip.ts'
import { Watches } from './watches.ts'

/** One for a server. Its configuration is replaced as a whole: a request is decided under one, from its beginning to its end. */
export class Guard {
  readonly #handlers: AsyncHandlers
  readonly #defaultSource: ClientCertificateSource
  readonly #watches: Watches
  #state: State

  /**
   * @param source - Used when the options name none.
   * @throws TypeError with a `code` for options that make no sense.
   */
  constructor(options: GuardOptions, handlers: AsyncHandlers, source: ClientCertificateSource) {
    this.#handlers = handlers
    this.#defaultSource = source
    this.#state = prepare(options, source, undefined)
    this.#watches = new Watches((request) => this.#decideAgain(request))
    this.#watches.follow(this.#state.engine.trust)
  }

  /**
   * Puts other options in force for the requests that begin from now on. Watched connections are looked at again.
   *
   * @throws TypeError with a `code`; the old options stay then.
   */
  update(options: GuardOptions): void {
    this.#state = prepare(options, this.#defaultSource, this.#state)
    this.#watches.follow(this.#state.engine.trust)
    this.#watches.lookAgain()
  }

  /**
   * Decides about a request. Never throws and never rejects: what throws inside refuses the request with 500.
   *
   * @returns At once where everything is known, as on a known connection.
   */
  decide(request: HttpRequest): Decision | Promise<Decision> {
    return this.#decideUnder(this.#state, request)
  }

  /** As `decide`, for a request that was let in before: hooks are told of a refusal alone. */
  #decideAgain(request: HttpRequest): Decision | Promise<Decision> {
    const state = this.#state
    const begin = performance.now()
    const refusalsOnly = (decision: Decision): Decision => {
      if (decision.allowed) return decision
      try {
        return tell(state, request, begin, decision, false)
      } catch (error) {
        return failedBy(error, state, request, begin)
      }
    }
    const decision = this.#decideUnder({ ...state, hooks: [] }, request)
    return decision instanceof Promise ? decision.then(refusalsOnly) : refusalsOnly(decision)
  }

  #decideUnder(state: State, request: HttpRequest): Decision | Promise<Decision> {
    const begin = state.hooks.length === 0 ? 0 : performance.now()
    try {
      const decision = this.#decide(state, request, begin)
      return decision instanceof Promise
        ? decision.catch((error: unknown) => failedBy(error, state, request, begin))
        : decision
    } catch (error) {
      return failedBy(error, state, request, begin)
    }
  }

  /** What a refused client gets. Never throws: when changing the answer fails, that is another decision, 500, told to the hooks. */
  answer(decision: Decision, request: HttpRequest): Answer {
    const state = this.#under(decision)
    try {
      return answerOf(decision, request, state.answering)
    } catch (error) {
      const failed = failedBy(error, state, request, performance.now())
      return answerOf(failed, request, { ...state.answering, change: undefined })
    }
  }

  /** What a client must not pass on: the source's headers, and those that tell who it is. */
  strippedHeaders(decision: Decision): StrippedHeaders {
    return this.#under(decision).stripped
  }

  /** Names and values to be set for what comes after. */
  identityHeaders(decision: Decision): readonly (readonly [name: string, value: string])[] {
    return this.#under(decision).identityHeaders.valuesFor(decision)
  }

  #under(decision: Decision): State {
    return (Decision.under(decision) as State | undefined) ?? this.#state
  }

  /**
   * Looks again at a request that stays open, as a WebSocket's, whenever something new is known or its verdict runs out.
   *
   * @param refused - Called once, when it would no longer be let in.
   * @returns Ends the watch: to be called when the connection is closed.
   */
  watch(
    request: HttpRequest,
    decision: Decision,
    refused: (decision: Decision) => void,
  ): () => void {
    return this.#watches.add(request, decision, refused)
  }

  #decide(state: State, request: HttpRequest, begin: number): Decision | Promise<Decision> {
    const { engine } = state
    if (state.matchesAuthority && isMisdirected(request)) {
      const decision = decided(state, 421, 'request-misdirected')
      return tell(state, request, begin, decision, false)
    }
    const found = state.source.read(request)
    const time = Math.floor(Date.now() / 1000)
    const { pipelines } = engine
    const route = pipelines.only ?? pipelines.find(request.method, request.target)
    if (route === 'ambiguous') {
      const outcome = engine.refuse({ code: 'request-target-ambiguous' }, time)
      return tell(state, request, begin, decisionOf(state, outcome, undefined), false)
    }
    if (found.kind === 'presented') {
      const client = state.clients.find(found)
      if (client.certificates.ok) {
        const known = client.outcome(route, engine.epoch(), time)
        if (known !== undefined) {
          return tell(state, request, begin, decisionOf(state, known, route), true)
        }
        return this.#evaluate(state, request, begin, { found, client }, route, time)
      }
      const steps = engine.evaluateWithout(route, client.certificates.failure, time)
      return this.#run(state, request, begin, steps, route, undefined)
    }
    const asserted = found.kind === 'asserted' ? found.identity : undefined
    const steps =
      asserted === undefined
        ? engine.evaluateWithout(route, failureOf(found), time)
        : engine.evaluateAsserted(route, time)
    return this.#run(state, request, begin, steps, route, asserted)
  }

  /** What is not known yet, or no longer. */
  #evaluate(
    state: State,
    request: HttpRequest,
    begin: number,
    { found, client }: { readonly found: Presented; readonly client: KnownClient },
    route: Route,
    time: number,
  ): Decision | Promise<Decision> {
    const { engine } = state
    const epoch = engine.epoch()
    const certificates = client.certificates.ok ? client.certificates.value : []
    const outcome = runReady(engine.evaluate(route, certificates, time), this.#handlers)
    const done = (result: Outcome): Decision => {
      // What was learned in the meantime may have come too late for this outcome: it counts once.
      if (engine.epoch() === epoch) client.remember(route, epoch, result)
      if (result.allowed && result.identity !== undefined) {
        state.clients.keep(found, client)
        state.source.accepted?.(certificates)
      }
      return tell(state, request, begin, decisionOf(state, result, route), false)
    }
    return outcome instanceof Promise ? outcome.then(done) : done(outcome)
  }

  #run(
    state: State,
    request: HttpRequest,
    begin: number,
    steps: Steps<Outcome>,
    route: Route,
    asserted: AssertedIdentity | undefined,
  ): Decision | Promise<Decision> {
    const outcome = runReady(steps, this.#handlers)
    const done = (result: Outcome): Decision =>
      tell(state, request, begin, decisionOf(state, result, route, asserted), false)
    return outcome instanceof Promise ? outcome.then(done) : done(outcome)
  }
}

/** Everything that one request is decided under. */
interface State {
  readonly engine: Engine
  readonly source: ClientCertificateSource
  readonly clients: KnownClients
  readonly matchesAuthority: boolean
  readonly answering: Answering
  readonly identityHeaders: CompiledIdentityHeaders
  readonly stripped: StrippedHeaders
  readonly hooks: readonly Hooks[]
  readonly headers: number
}

/** @param before - Whose clients stay known while they come from the same source: what they presented is no matter of policy. */
function prepare(
  options: GuardOptions,
  defaultSource: ClientCertificateSource,
  before: State | undefined,
): State {
  const { documents, trust, own, cache, hooks } = readGuardOptions(options)
  const { source = defaultSource, authority = 'match' } = own
  const identityHeaders = new CompiledIdentityHeaders(own.identityHeaders)
  const isSame = before?.source === source && before.headers === cache.headers
  const engine = new Engine(documents, trust, cache.verdicts)
  const { REQUEST, RESPONSE } = engine.pipelines.lists
  if (REQUEST.length === 0 && RESPONSE.length === 0) {
    throw misuse('option-invalid', 'policies has none that could refuse', {
      option: 'policies',
    })
  }
  return {
    engine,
    source,
    clients: isSame ? before.clients : new KnownClients(cache.headers),
    matchesAuthority: authority === 'match',
    answering: readAnswering(own.answer),
    identityHeaders,
    stripped: new StrippedHeaders([...source.headers, ...identityHeaders.names]),
    hooks,
    headers: cache.headers,
  }
}

function failureOf(found: Exclude<Found, Presented>): PolicyFailure {
  return found.kind === 'unbelievable' ? found.failure : { code: 'certificate-missing' }
}

function decisionOf(
  state: State,
  outcome: Outcome,
  route: Route | undefined,
  asserted?: AssertedIdentity,
): Decision {
  return outcome.allowed
    ? decided(state, 200, undefined, outcome, asserted, route?.endpoint)
    : decided(state, outcome.status, outcome.code, outcome, asserted, route?.endpoint)
}

function decided(
  state: State,
  status: Decision['status'],
  code: Decision['code'],
  outcome?: Outcome,
  asserted?: AssertedIdentity,
  endpoint?: Route['endpoint'],
  error?: unknown,
): Decision {
  return new Decision(status, code, outcome, asserted, endpoint, error, state)
}

/** Nobody is let in by a fault. */
function failedBy(error: unknown, state: State, request: HttpRequest, begin: number): Decision {
  const decision = decided(state, 500, 'decision-failed', undefined, undefined, undefined, error)
  try {
    return tell(state, request, begin, decision, false)
  } catch {
    // It is a hook that fails, and it was told what the first failure was.
    return decision
  }
}

function tell(
  { hooks, source }: State,
  request: HttpRequest,
  begin: number,
  decision: Decision,
  isRemembered: boolean,
): Decision {
  if (hooks.length === 0) return decision
  const milliseconds = performance.now() - begin
  const event = eventOf(decision, request, { source: source.name, isRemembered, milliseconds })
  for (const { decision: hook } of hooks) hook?.(event)
  return decision
}
