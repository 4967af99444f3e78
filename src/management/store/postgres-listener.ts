/**
 * The connection that listens: what other managers say reaches this one. It comes back by itself.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'pg'
import { postgresError } from './postgres.ts'

export interface PostgresListener {
  readonly close: () => Promise<void>
}

/**
 * @param channel - An identifier that needs no quotes.
 * @param hear - Gets the payload of each notice.
 * @param missed - Called when the connection is back: there may have been notices. When it rejects, the connection is made anew.
 * @throws {StoreUnavailable} When the first connection fails; later ones are tried until `close`.
 */
export async function startListening(
  makeClient: () => Client,
  channel: string,
  hear: (payload: string) => void,
  missed: (client: Client) => Promise<void>,
): Promise<PostgresListener> {
  const closing = new AbortController()
  const open = async (how: 'first' | 'again'): Promise<Listening> => {
    const client = makeClient()
    let fail: () => void = () => {}
    const failed = new Promise<void>((resolve) => {
      fail = resolve
    })
    client.on('error', fail)
    client.on('end', fail)
    client.on('notification', ({ payload }) => hear(payload ?? ''))
    try {
      await client.connect()
      await client.query(`listen ${channel}`)
      if (how === 'again') await missed(client)
    } catch (error) {
      await end(client)
      throw postgresError(error)
    }
    return { client, failed }
  }
  const watch = async (first: Listening): Promise<void> => {
    let current: Listening | undefined = first
    for (let pause = minPauseMs; !closing.signal.aborted; ) {
      if (current) {
        await untilSilent(current, closing.signal)
        await end(current.client)
        current = undefined
        pause = minPauseMs
        continue
      }
      try {
        current = await open('again')
      } catch {
        // The database is away; those who ask it get the reason.
        await sleep(pause, undefined, { signal: closing.signal }).catch(() => {})
        pause = Math.min(2 * pause, maxPauseMs)
      }
    }
    if (current) await end(current.client)
  }
  const done = watch(await open('first'))
  return {
    async close() {
      closing.abort()
      await done
    },
  }
}

interface Listening {
  readonly client: Client
  /** Resolves when the connection is gone. */
  readonly failed: Promise<void>
}

/** Resolves when the connection is gone or does not answer any more, or at the end of it all. A peer that vanished sends nothing. */
async function untilSilent({ client, failed }: Listening, signal: AbortSignal): Promise<void> {
  let gone = false
  const ended = failed.then(() => {
    gone = true
  })
  while (!gone && !signal.aborted) {
    const stop = new AbortController()
    await Promise.race([
      ended,
      sleep(beatMs, undefined, { signal: AbortSignal.any([signal, stop.signal]) }).catch(() => {}),
    ])
    stop.abort()
    if (gone || signal.aborted) return
    try {
      await client.query('select 1')
    } catch {
      return
    }
  }
}

/** A broken connection cannot say goodbye. */
async function end(client: Client): Promise<void> {
  await Promise.race([client.end().catch(() => {}), sleep(1000, undefined, { ref: false })])
}

const minPauseMs = 50
const maxPauseMs = 1000
const beatMs = 10_000
