/** What a subscription is told, and what it tells. @module */

import type { GatewayProblem, RunningProxy } from '../../deployment/channel.ts'
import type { DeploymentFailure } from '../../deployment/failure.ts'
import type { LiveKillEntry } from '../../deployment/live.ts'
import type { Snapshot } from '../../deployment/snapshot.ts'
import type { HeldPlace } from '../state.ts'

export interface SubscriptionOptions {
  /** Of one manager, or of what stands before several; a path before `/apiops` is kept. */
  readonly managerUrl: string
  /** A bearer token with the right `gateway`, or what reads it: asked for each request. */
  readonly token: string | (() => string)
  readonly environment: string
  /** Name of this gateway; its own in its environment. */
  readonly gateway: string
  /** Of the manager, pinned: PEM, or base64 of the 32 octets. */
  readonly publicKey: string
  /** Where the last good state is kept; made if absent. One gateway's own. */
  readonly folder: string
  /** CAs of an https manager, PEM, in place of those that Node trusts. */
  readonly ca?: string | undefined
  /**
   * Takes a whole new set over; called one at a time, and again only after what it returned has settled. What it names as a problem stays
   * as it was, and is tried again with the next change. What it throws refuses the set.
   */
  readonly onState: (
    state: SubscribedState,
  ) => StateResult | undefined | Promise<StateResult | undefined>
  /** Told of everything that was refused, once for each thing. Default: nothing. */
  readonly onAlarm?: ((alarm: SubscriptionAlarm) => void) | undefined
  readonly times?: Partial<SubscriptionTimes> | undefined
  /** Milliseconds since 1970. Default: the system's clock. */
  readonly now?: (() => number) | undefined
  /** From 0, below 1: jitter. Default: `Math.random`. */
  readonly random?: (() => number) | undefined
}

/** Milliseconds. */
export interface SubscriptionTimes {
  /** Between two questions while no stream is open; default 2,000. */
  readonly pollMs: number
  /** Between two reports; default 10,000. */
  readonly reportMs: number
  /** Without an octet, pings included, after which a stream is given up; default 25,000. */
  readonly idleMs: number
  /** Before the second try to open a stream, doubled for each one after it; half of each delay is chance. Default 250. */
  readonly firstRetryMs: number
  /** Default 4,000. */
  readonly maxRetryMs: number
  /** Without an octet of an answer; default 10,000. */
  readonly answerMs: number
  /** For which something can be missing before it is an alarm; default 1,000. */
  readonly graceMs: number
}

export const defaultTimes: SubscriptionTimes = {
  pollMs: 2000,
  reportMs: 10_000,
  idleMs: 25_000,
  firstRetryMs: 250,
  maxRetryMs: 4000,
  answerMs: 10_000,
  graceMs: 1000,
}

/** A whole set: what is not in it is no longer served. */
export interface SubscribedState {
  /** Where it comes from: `disk` at the start, the last good one of before. */
  readonly from: 'disk' | 'manager'
  readonly proxies: readonly SubscribedProxy[]
  /** Places of proxies that are deployed and not in `proxies` as they should be: nobody else may answer there. */
  readonly held: readonly HeldPlace[]
  readonly crls: readonly SubscribedCrl[]
  readonly killList: readonly LiveKillEntry[]
}

export interface SubscribedProxy {
  readonly hash: string
  readonly sequence: number
  readonly snapshot: Snapshot
}

export interface SubscribedCrl {
  readonly project: string
  /** `null`: the whole project. */
  readonly apiProxy: string | null
  readonly sha256: string
  readonly der: Uint8Array
}

/** What of a set could not be put in force. */
export interface StateResult {
  readonly problems: readonly {
    readonly project: string
    /** Empty: none in particular. */
    readonly apiProxy: string
    readonly code: string
    readonly message: string
  }[]
}

export type AlarmCode =
  | DeploymentFailure['code']
  /** The manager answers with something else than it should, or does not know the token. */
  | 'manager-refused'
  | 'manager-unreachable'
  | 'events-malformed'
  /** The set names a pointer that nobody sent. */
  | 'pointer-unavailable'
  | 'snapshot-unavailable'
  | 'live-unavailable'
  | 'crl-unavailable'
  | 'crls-too-large'
  /** In force, but not on disk: a restart would bring back an older one. */
  | 'state-not-stored'
  /** What is on disk was not made by this gateway's manager, or is damaged. */
  | 'stored-state-unreadable'
  | 'state-not-applied'

export interface SubscriptionAlarm {
  /** One of `AlarmCode`, or the code of a problem that `onState` named. */
  readonly code: AlarmCode | (string & {})
  /** For operators. */
  readonly message: string
  /** Of what was refused, where that is known. */
  readonly project?: string | undefined
  readonly apiProxy?: string | undefined
  readonly sequence?: number | undefined
}

export interface SubscriptionStatus {
  /** `stream`: changes come at once; `polling`: within two seconds; `away`: the manager does not answer. */
  readonly channel: 'stream' | 'polling' | 'away' | 'starting'
  /** Milliseconds since 1970; `undefined`: never. */
  readonly lastContact: number | undefined
  readonly runs: readonly RunningProxy[]
  readonly problems: readonly GatewayProblem[]
  /** What of the set was last held: deployed, and not in force as it should be. */
  readonly held: readonly HeldPlace[]
  /** Whether there was a moment at which something of every proxy of the set was at hand. What lacks later is a problem, and no more. */
  readonly wasComplete: boolean
}

export interface Subscription {
  /** Settles when the first set was handed over: from disk, or from the manager. Part of it may be held. */
  readonly ready: Promise<void>
  readonly status: () => SubscriptionStatus
  /** Ends all exchanges; settles when what is in force is on disk, and the manager was told that nobody need wait. */
  readonly close: () => Promise<void>
}
