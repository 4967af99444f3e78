/** What a gateway runs: everything that is deployed in its environment, and what is in force besides. @module */

import type { LiveKillEntry } from '../deployment/live.ts'
import type { Place } from '../deployment/place.ts'
import type { Snapshot } from '../deployment/snapshot.ts'

/** A whole new set; what is not in it is no longer served. */
export interface GatewayState {
  readonly proxies: readonly DeployedProxy[]
  /** Places of proxies that are deployed and cannot be served, whole or in part: no other proxy answers there. */
  readonly held: readonly HeldPlace[]
  readonly crls: readonly ScopedCrl[]
  readonly killList: readonly LiveKillEntry[]
}

export interface DeployedProxy {
  /** Of the snapshot: proxies with the same one are not built again. */
  readonly hash: string
  readonly snapshot: Snapshot
}

export interface HeldPlace extends Place {
  readonly project: string
  readonly apiProxy: string
}

export interface ScopedCrl {
  readonly project: string
  /** `null`: the whole project. */
  readonly apiProxy: string | null
  /** Lower-case hexadecimal, of `der`. */
  readonly sha256: string
  readonly der: Uint8Array
}

export interface ApplyResult {
  /** What could not be put in force; the proxy's last good snapshot stays. */
  readonly problems: readonly ApplyProblem[]
  /** Proxies that were built, because their snapshot is another one. */
  readonly built: number
}

export interface ApplyProblem {
  readonly project: string
  /** Empty: of the whole project. */
  readonly apiProxy: string
  readonly code: 'proxy-unusable' | 'route-taken' | 'kill-entry-unusable' | 'crl-unusable'
  readonly message: string
}
