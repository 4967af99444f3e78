/**
 * PostgreSQL: a pool for statements, and one connection that listens to what other managers say.
 *
 * Transactions wait for one lock of the database, as those of SQLite wait for its file: under READ COMMITTED each statement then sees all
 * that was committed before the transaction began and nothing that comes after, and none fails because of another. A manager changes
 * little; what it changes must be right.
 *
 * @module
 */
import type { Client, ClientConfig, PoolClient } from 'pg'
import type { Database, Rows, Session } from './driver.ts'
import { type PostgresListener, startListening } from './postgres-listener.ts'
import { StoreConflict, StoreUnavailable, storeUrlInvalid } from './store.ts'
import { Turns } from './turns.ts'

export interface PostgresDatabase extends Database {
  readonly listen: (
    hear: (payload: string) => void,
    missed: (client: Client) => Promise<void>,
  ) => Promise<PostgresListener>
}

/**
 * @param idleMs - After which the server undoes a transaction whose manager says nothing, in milliseconds.
 * @throws {TypeError} With the code `store-url-invalid`.
 * @throws {StoreUnavailable} When it cannot be reached.
 */
export async function openPostgres(url: string, idleMs: number): Promise<PostgresDatabase> {
  // Those who keep their state in SQLite do not load it.
  const { default: pg } = await import('pg')
  const config: ClientConfig = {
    connectionString: url,
    fallback_application_name: 'mtls-policy',
    connectionTimeoutMillis: connectMs,
    keepAlive: true,
    statement_timeout: statementMs,
    lock_timeout: lockMs,
    idle_in_transaction_session_timeout: idleMs,
    // The server ends a statement before; this is for a server that says nothing any more.
    query_timeout: statementMs + 2000,
    types: {
      // What counts here is below 2^53.
      getTypeParser: (oid, format) =>
        oid === int8 || oid === numeric ? Number : pg.types.getTypeParser(oid, format),
    },
  }
  let makeClient: () => Client
  try {
    makeClient = () => new pg.Client(config)
    makeClient()
  } catch {
    // What the parser says may hold the URL.
    throw storeUrlInvalid()
  }
  const pool = new pg.Pool({ ...config, max: connections, idleTimeoutMillis: 30_000 })
  // Whoever uses a connection hears of its loss by the query that fails; the pool drops an idle one by itself.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  const turns = new Turns()

  const connect = async (): Promise<PoolClient> => {
    try {
      return await pool.connect()
    } catch (error) {
      throw postgresError(error)
    }
  }
  const runOn = async (client: PoolClient, sql: string, parameters: readonly unknown[]) => {
    let broken = false
    try {
      return await query(client, sql, parameters)
    } catch (error) {
      broken = error instanceof StoreUnavailable
      throw error
    } finally {
      client.release(broken)
    }
  }
  return {
    async read(sql, parameters) {
      try {
        return await runOn(await connect(), sql, parameters)
      } catch (error) {
        // A connection that broke while it was idle; asking twice changes nothing.
        if (!(error instanceof StoreUnavailable) || !isLost(error.reason)) throw error
        return runOn(await connect(), sql, parameters)
      }
    },
    async write(sql, parameters) {
      const client = await connect()
      try {
        return await runOn(client, sql, parameters)
      } catch (error) {
        throw error instanceof StoreUnavailable && isSilent(error.reason)
          ? new StoreUnavailable(error.reason, 'unknown')
          : error
      }
    },
    async begin(): Promise<Session> {
      // One connection is enough for those that wait for each other; the others are for readers.
      const end = await turns.take()
      let client: PoolClient
      try {
        client = await connect()
      } catch (error) {
        end()
        throw error
      }
      try {
        await query(client, `begin isolation level read committed; ${lock}`)
      } catch (error) {
        client.release(true)
        end()
        throw error
      }
      let broken = false
      const own = new Turns()
      return {
        async run(sql, parameters) {
          // One connection takes one statement at a time.
          const next = await own.take()
          try {
            return await query(client, sql, parameters)
          } catch (error) {
            broken ||= error instanceof StoreUnavailable && isSilent(error.reason)
            throw error
          } finally {
            next()
          }
        },
        async end(how) {
          const last = await own.take()
          try {
            if (!broken) await query(client, how)
          } catch (error) {
            broken = true
            throw how === 'commit' && error instanceof StoreUnavailable && !isUndone(error.reason)
              ? new StoreUnavailable(error.reason, 'unknown')
              : error
          } finally {
            // Without its connection a transaction is undone.
            client.release(broken)
            last()
            end()
          }
        },
      }
    },
    async backup() {
      throw Object.assign(new TypeError('PostgreSQL is backed up by pg_dump'), {
        code: 'store-backup-unsupported',
      })
    },
    listen: (hear, missed) => startListening(makeClient, channel, hear, missed),
    async close() {
      const end = await turns.take()
      await pool.end()
      end()
    },
  }
}

async function query(
  client: PoolClient,
  sql: string,
  parameters?: readonly unknown[],
): Promise<Rows> {
  try {
    const { rows, rowCount } = await client.query<Record<string, unknown>>(
      sql,
      parameters && [...parameters],
    )
    return { rows, changes: rowCount ?? 0 }
  } catch (error) {
    throw postgresError(error)
  }
}

/** What a failure of `pg` is to the store. Only its code is kept: texts may hold hosts, users and values. */
export function postgresError(error: unknown): Error {
  const { code, message } = error as { code?: unknown; message?: unknown }
  if (typeof code !== 'string') {
    if (/does not support SSL/iu.test(String(message)))
      return new StoreUnavailable('tls-unsupported')
    return new StoreUnavailable(/timeout/iu.test(String(message)) ? timedOut : connectionLost)
  }
  // No SQLSTATE begins with an E, and EPIPE has five letters too.
  if (!/^(?!E)[0-9A-Z]{5}$/u.test(code)) return new StoreUnavailable(code)
  if (code === '23505') return new StoreConflict('store-unique')
  if (code === '23503') return new StoreConflict('store-reference')
  if (code.startsWith('23')) return new StoreConflict('store-constraint')
  if (away.test(code)) return new StoreUnavailable(code)
  return Object.assign(new Error(String(message)), { code })
}

/** Whether the transaction failed by what others did at that time, or by the loss of its connection before its commit. */
export function isTransient(reason: string): boolean {
  return isUndone(reason) || isLost(reason)
}

/** Serialization failure, deadlock. */
function isUndone(reason: string): boolean {
  return reason === '40001' || reason === '40P01'
}

function isLost(reason: string): boolean {
  return lost.has(reason)
}

/** Whether it was asked and has not answered. */
function isSilent(reason: string): boolean {
  return isLost(reason) || reason === timedOut
}

/** The channel of `NOTIFY`. */
export const channel = 'mtls_policy'

const connectionLost = 'connection-lost'
/** Whoever waited that long does not wait again. */
const timedOut = 'timeout'
const lost = new Set([connectionLost, 'ECONNRESET', 'EPIPE', '57P01', '57P02'])

/**
 * Connection, authentication, unknown database, rollbacks, a standby, time-outs, resources, locks, shutdown, system errors, corruption:
 * none is about the statement.
 */
const away = /^(?:08|28|3D|40|53|58|XX00[12]|25006|25P0[34]|55P03|57014|57P)/u

const lock = 'select pg_advisory_xact_lock(1836346483, 1)'
const connections = 10
const connectMs = 5000
const statementMs = 10_000
const lockMs = 5000
const int8 = 20
const numeric = 1700
