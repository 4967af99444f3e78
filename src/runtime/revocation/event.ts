/** What a source tells of its work, for logs and metrics: a stable shape, without prose. @module */

import type { CacheFailure } from './cache-folder.ts'
import type { SourceFailure } from './failure.ts'

/** `origin`: the URI or the path. */
export type RevocationEvent = {
  readonly time: Date
  readonly kind: 'crl' | 'ocsp'
  readonly origin: string
} & RevocationEventFacts

export type RevocationEventFacts =
  /** An answer has come; whether it is put in force is told by what follows. */
  | { readonly type: 'fetched'; readonly bytes: number; readonly milliseconds: number }
  | { readonly type: 'not-modified' }
  /** `loaded` where there was none, `replaced` where there was one. */
  | {
      readonly type: 'loaded' | 'replaced'
      readonly from: 'network' | 'cache' | 'file'
      readonly thisUpdate: Date
      readonly nextUpdate: Date | undefined
      /** Whether its signature was verified before it was put in force; validation does that in any case. */
      readonly verified: boolean
    }
  /** The same octets again. */
  | { readonly type: 'unchanged' }
  /** No longer in force: its file is gone, or others were wanted more lately. */
  | { readonly type: 'removed' }
  /** What is in force stays so. */
  | {
      readonly type: 'failed'
      readonly failure: SourceFailure
      /** In a row, this one included. */
      readonly failures: number
    }
  /** Nothing but the next start is the worse for it. */
  | { readonly type: 'cache-failed'; readonly failure: CacheFailure }

/** One file or URI, as it stands. */
export interface SourceStatus {
  readonly kind: 'crl' | 'ocsp'
  /** The URI or the path. */
  readonly origin: string
  /** Serial number in hexadecimal, for a response. */
  readonly serialNumber?: string
  /** `empty`: nothing in force; `expired`: past its nextUpdate. */
  readonly state: 'empty' | 'current' | 'expired'
  /** Whether a certificate named it, rather than the configuration. */
  readonly learned: boolean
  readonly verified: boolean
  readonly thisUpdate: Date | undefined
  readonly nextUpdate: Date | undefined
  /** Why the last try failed; absent after one that went well. */
  readonly lastFailure: SourceFailure | undefined
  /** Failures in a row. */
  readonly failures: number
  readonly nextFetch: Date | undefined
}

/** @param seconds - Unix time. */
export function dateOf(seconds: number | undefined): Date | undefined {
  return seconds === undefined ? undefined : new Date(seconds * 1000)
}

/** @param now - Unix milliseconds. */
export function stateOf(
  updates: { readonly nextUpdate: number | undefined } | undefined,
  now: number,
): SourceStatus['state'] {
  if (updates === undefined) return 'empty'
  return (updates.nextUpdate ?? Number.POSITIVE_INFINITY) * 1000 < now ? 'expired' : 'current'
}
