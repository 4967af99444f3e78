/** One API proxy as it runs: its policies, its upstream, and what becomes of headers. Built once for each snapshot, never changed. @module */

import type { Agent as HttpAgent } from 'node:http'
import type { Agent as HttpsAgent } from 'node:https'
import type { TrustAnchors } from '../client/trust-anchors.ts'
import type { Verdict } from '../client/verdict.ts'
import type { Snapshot } from '../deployment/snapshot.ts'
import type { Answering } from '../http/answer.ts'
import type { Decision } from '../http/decision.ts'
import type { DecisionEvent, Hooks } from '../http/event.ts'
import type { Guard } from '../http/guard.ts'
import type { IdentityHeaders } from '../http/identity-headers.ts'
import { createNodeGuard } from '../http/node/guard.ts'
import type { GuardOptions } from '../http/options.ts'
import type { ClientCertificateSource } from '../http/source.ts'
import {
  listNames,
  type PipelineName,
  type Pipelines,
  type PlacedPolicy,
  parsePipelines,
  pipelineNames,
} from '../policy/pipelines.ts'
import type { Trust } from '../policy/trust.ts'
import type { KillList } from '../revocation/kill-list.ts'
import { RequestHeaders } from './headers.ts'
import type { GatewayMetrics } from './metrics.ts'
import { isConspicuous, pathIn, plainPath } from './plain-path.ts'
import { type LiveRevocation, revocationOptions } from './revocation.ts'
import type { Routed } from './routes.ts'
import type { Material } from './trust.ts'

/** What all proxies of a gateway share. */
export interface Shared {
  readonly source: ClientCertificateSource
  readonly hooks: readonly Hooks[]
  readonly metrics: Pick<GatewayMetrics, 'decisionsOf'>
  readonly answer: Answering
  readonly agents: Agents
  readonly keepsHost: boolean
}

/** Connections to upstreams are kept; to `fresh` ones a request turns that was sent on one that had just ended. */
export interface Agents {
  readonly http: HttpAgent
  readonly https: HttpsAgent
  readonly freshHttp: HttpAgent
  readonly freshHttps: HttpsAgent
}

export interface Upstream {
  readonly isTls: boolean
  readonly host: string
  readonly port: number
  /** Name for the handshake; RFC 6066 §3 has none for an address. */
  readonly servername: string
  /** Comes before each path; without `/` at its end. */
  readonly prefix: string
  /** `Host` in place of the client's; `undefined`: that is kept. */
  readonly authority: string | undefined
  readonly agent: HttpAgent | HttpsAgent
  readonly freshAgent: HttpAgent | HttpsAgent
  readonly timeoutMs: number
  readonly maxBodyBytes: number
}

/** What is in force beside a snapshot, and stays when another one comes. */
export interface LiveTrust {
  readonly killList: KillList
  readonly revocation: LiveRevocation | undefined
}

export class ApiProxy implements Routed {
  readonly project: string
  readonly name: string
  readonly hash: string
  readonly hosts: readonly string[]
  readonly basePath: string
  readonly live: LiveTrust
  readonly trustAnchors: TrustAnchors | undefined
  readonly upstream: Upstream
  readonly headers: RequestHeaders
  /** Absent: no policies, so that nobody is asked. */
  readonly guards: { readonly [P in PipelineName]: Guard | undefined }
  /** Whether some policy in force wants a certificate. */
  readonly wantsCertificate: boolean
  /** Whether some policy only reports: then a request that was let in may be one to tell of. */
  readonly reports: boolean
  #active = 0
  #isRetired = false
  /** `undefined`: no endpoint has policies of its own. */
  readonly #find: Pipelines['find'] | undefined
  readonly #identity = new WeakMap<Verdict, readonly string[]>()

  /** @throws TypeError with a `code` for what makes no sense, as a policy without the trust anchors that it needs. */
  constructor(hash: string, snapshot: Snapshot, material: Material, live: LiveTrust, of: Shared) {
    const { policies, upstream } = snapshot
    this.project = snapshot.project
    this.name = snapshot.apiProxy
    this.hash = hash
    this.hosts = snapshot.hosts
    this.basePath = snapshot.basePath
    this.live = live
    this.upstream = upstreamOf(snapshot, of)
    const { lists, find, only } = parsePipelines(policies)
    this.#find = only === undefined ? find : undefined
    const all = pipelineNames.flatMap((pipeline) => lists[pipeline])
    this.wantsCertificate = all.some(({ active, mode }) => active && mode === 'enforce')
    this.reports = all.some(({ active, mode }) => active && mode === 'report')
    this.trustAnchors = this.wantsCertificate ? material.trustAnchors : undefined
    const trust = trustOf(snapshot, material, live)
    const hooks = [...of.hooks, ...of.metrics.decisionsOf(this.project, this.name)]
    const guardOf = (pipeline: PipelineName): Guard | undefined =>
      lists[pipeline].length === 0
        ? undefined
        : createNodeGuard({
            ...trust,
            policies: documentsOf(pipeline, lists[pipeline]),
            source: of.source,
            // The gateway has looked at it, for proxies without policies as well.
            authority: 'any',
            answer: of.answer,
            identityHeaders: upstream.identityHeaders as IdentityHeaders,
            hooks: pipeline === 'ERROR' ? hooks.map(asError) : hooks,
          })
    this.guards = {
      REQUEST: guardOf('REQUEST'),
      RESPONSE: guardOf('RESPONSE'),
      ERROR: guardOf('ERROR'),
    }
    this.headers = new RequestHeaders([
      ...Object.keys(upstream.identityHeaders).map((name) => name.toLowerCase()),
      // The policy of one method must not be passed by under the name of another.
      ...(this.#find === undefined ? [] : methodOverrides),
    ])
  }

  /**
   * Whether an upstream may take the target for that of an endpoint with other policies, beyond what the policies know themselves: they
   * go by RFC 3986, where `/a.` is not `/a`.
   */
  isAmbiguous(method: string, target: string): boolean {
    const find = this.#find
    if (find === undefined || target === '*') return false
    const path = pathIn(target)
    if (!isConspicuous(path)) return false
    const found = find(method, target)
    // Theirs to refuse.
    if (found === 'ambiguous') return false
    const plain = plainPath(path)
    if (plain === undefined) return true
    return find(method, plain.split('/').map(encodeURIComponent).join('/')) !== found
  }

  /** Names and values in turns, of who was let in. A certificate that is known says the same again. */
  identityLines(guard: Guard, decision: Decision): readonly string[] {
    const { verdict } = decision
    if (verdict === undefined) return []
    const known = this.#identity.get(verdict)
    if (known !== undefined) return known
    const lines = guard.identityHeaders(decision).flat()
    this.#identity.set(verdict, lines)
    return lines
  }

  /** A request, or a tunnel, is decided under this snapshot to its end. */
  enter(): void {
    this.#active++
  }

  leave(): void {
    this.#active--
    if (this.#isRetired && this.#active === 0) this.#release()
  }

  /** Another snapshot is in force, or none: once the last request has ended, nothing is held of what lives on. */
  retire(): void {
    this.#isRetired = true
    if (this.#active === 0) this.#release()
  }

  /** Kill list and revocation data would call their listeners, and so keep all guards that there ever were. */
  #release(): void {
    for (const guard of Object.values(this.guards)) guard?.update(nothingLive)
  }

  /** The target as the proxy sees it: without its base path, which policies and upstream do not know. */
  targetOf(target: string): string {
    if (this.basePath === '/' || target === '*') return target
    const rest = target.slice(this.basePath.length)
    return rest.startsWith('/') ? rest : `/${rest}`
  }
}

function upstreamOf({ upstream }: Snapshot, { agents, keepsHost }: Shared): Upstream {
  const { url, timeoutMs, maxBodyBytes } = upstream
  const { protocol, hostname, port, pathname, host } = new URL(url)
  const isTls = protocol === 'https:'
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
  return {
    isTls,
    host: bare,
    port: port === '' ? (isTls ? 443 : 80) : Number(port),
    servername: hostname.startsWith('[') || /^[\d.]+$/.test(bare) ? '' : bare,
    prefix: pathname.endsWith('/') ? pathname.slice(0, -1) : pathname,
    authority: keepsHost ? undefined : host,
    agent: isTls ? agents.https : agents.http,
    freshAgent: isTls ? agents.freshHttps : agents.freshHttp,
    timeoutMs,
    maxBodyBytes,
  }
}

function trustOf({ revocation }: Snapshot, material: Material, live: LiveTrust): Trust {
  const { trustAnchors, intermediates, issuerAcl } = material
  return {
    killList: live.killList,
    ...(trustAnchors === undefined ? {} : { trustAnchors }),
    ...(intermediates === undefined ? {} : { intermediates }),
    ...(issuerAcl === undefined ? {} : { issuerAcl }),
    ...(revocation === null || live.revocation === undefined
      ? {}
      : { revocation: revocationOptions(revocation, live.revocation) }),
  }
}

/**
 * One pipeline by itself. The order of ERROR, from last to first, is that of RESPONSE over the list turned round: endpoint before
 * everywhere, each from its end.
 */
function documentsOf(pipeline: PipelineName, list: readonly PlacedPolicy[]): object {
  return pipeline === 'ERROR'
    ? { [listNames.RESPONSE]: list.toReversed() }
    : { [listNames[pipeline]]: list }
}

/** Says of steps that ran in ERROR that they did. */
function asError(hooks: Hooks): Hooks {
  return {
    decision: (event) => {
      const { details } = event
      const trace = details?.trace.map((step) => ({ ...step, pipeline: 'ERROR' as const }))
      const told: DecisionEvent =
        details === undefined || trace === undefined
          ? event
          : { ...event, details: { ...details, trace } }
      hooks.decision?.(told)
    },
  }
}

/** A policy that needs nothing, in the place of those that nobody is decided under any more. */
const nothingLive: GuardOptions = {
  policy: { type: 'policy-auth-mtls', validateCertificate: false, validateACLForIssuer: false },
}

const methodOverrides = ['x-http-method-override', 'x-http-method', 'x-method-override']
