/** Getting lists and responses over the network for one run: under the guards of the source, with a record of what happened. @module */

import { AddressRules } from '../runtime/revocation/addresses.ts'
import type { RevocationEvent } from '../runtime/revocation/event.ts'
import {
  type Answer,
  type ExchangeRules,
  exchange,
  type Question,
} from '../runtime/revocation/exchange.ts'
import { readUri } from '../runtime/revocation/uri.ts'
import type { Reason } from './files.ts'
import { type Io, UsageError } from './io.ts'
import { fetchReason } from './render/fetched.ts'
import { plain } from './render/style.ts'
import { parseDuration } from './revocation-rule.ts'

/** Of every command that fetches. */
export interface FetchFlags {
  readonly allowPrivateAddresses?: true
  /** Seconds. */
  readonly timeout?: number
}

/** One URI that was asked. */
export interface Fetched {
  readonly kind: 'crl' | 'ocsp'
  readonly uri: string
  /** Absent: it went well. */
  readonly reason: Reason | undefined
  /** Absent when nothing came, or nothing had to. */
  readonly bytes: number | undefined
  readonly milliseconds: number | undefined
}

/** Seconds, from 1 to 60: a run of the command line is not a server. */
export function parseTimeout(text: string): number {
  const seconds = parseDuration(text)
  if (seconds !== undefined && seconds >= 1 && seconds <= 60) return seconds
  throw new UsageError(
    'usage-invalid-value',
    `--timeout ${text}: not from 1 to 60 seconds`,
    'write --timeout 10 or --timeout 1m',
  )
}

/** What may be connected to besides public addresses. */
export function allowedAddresses({ allowPrivateAddresses }: FetchFlags): readonly string[] {
  return allowPrivateAddresses ? ['private', 'loopback'] : []
}

/** Milliseconds. */
export function timeoutOf({ timeout }: FetchFlags): number {
  return (timeout ?? defaultTimeout) * 1000
}

/** What a source tells, as one row for each try. */
export function recordOf(events: readonly RevocationEvent[]): readonly Fetched[] {
  const rows: Fetched[] = []
  const sizes = new Map<string, { readonly bytes: number; readonly milliseconds: number }>()
  for (const event of events) {
    const { kind, origin: uri } = event
    const key = `${kind} ${uri}`
    const { bytes, milliseconds } = sizes.get(key) ?? {}
    switch (event.type) {
      case 'fetched':
        sizes.set(key, event)
        break
      case 'failed':
        rows.push({ kind, uri, reason: fetchReason(event.failure), bytes, milliseconds })
        sizes.delete(key)
        break
      case 'cache-failed':
        rows.push({ kind, uri, reason: cacheReason(event.failure.code), bytes, milliseconds })
        break
      case 'loaded':
      case 'replaced':
      case 'unchanged':
      case 'not-modified':
        if (event.type === 'loaded' && event.from !== 'network') break
        rows.push({ kind, uri, reason: undefined, bytes, milliseconds })
        sizes.delete(key)
        break
    }
  }
  return rows
}

function cacheReason(code: string): Reason {
  return {
    code,
    message: `the --cache folder cannot be used (${code})`,
    source: 'local file',
    remedy: 'check the name of the folder, and who may read and write there',
  }
}

/** Asks one URI, with a line about it on a terminal while it lasts. */
export async function ask(
  uri: string,
  { accept, body }: Pick<Question, 'accept' | 'body'>,
  flags: FetchFlags,
  io: Io,
): Promise<Answer & { readonly milliseconds: number }> {
  const read = readUri(uri)
  if (!read.ok) {
    return { status: 'failed', failure: read.failure, retryAfter: undefined, milliseconds: 0 }
  }
  const rules: ExchangeRules = {
    timeout: timeoutOf(flags),
    maxBytes,
    addresses: new AddressRules(allowedAddresses(flags)),
    lookup: undefined,
    tlsCa: undefined,
    now: () => io.now().getTime(),
  }
  const stop = showProgress(`fetching ${plain(uri)}`, io)
  const begin = performance.now()
  try {
    const question = { url: read.value, accept, body }
    const answer = await exchange(question, rules, new AbortController().signal)
    return { ...answer, milliseconds: performance.now() - begin }
  } finally {
    stop()
  }
}

/** A line with the seconds that have passed, on a terminal only; returned is what takes it away. */
function showProgress(text: string, { stderr }: Io): () => void {
  if (stderr.isTTY !== true) return () => {}
  const width = Math.max(20, (stderr.columns ?? 80) - 8)
  const shown = text.length > width ? `${text.slice(0, width - 1)}…` : text
  const begin = performance.now()
  const draw = () => {
    const seconds = Math.floor((performance.now() - begin) / 1000)
    stderr.write(`\r${shown} ${seconds > 0 ? `${seconds} s` : ''}`)
  }
  draw()
  const timer = setInterval(draw, 1000)
  return () => {
    clearInterval(timer)
    stderr.write(`\r${' '.repeat(shown.length + 6)}\r`)
  }
}

/** Seconds. */
const defaultTimeout = 10
/** Local limit: as the source has it. */
const maxBytes = 67_108_864
