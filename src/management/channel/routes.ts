/** The manager's end of the channel to its gateways: states, snapshots, live data, reports. @module */

import { type Context, Hono } from 'hono'
import { sql } from 'kysely'
import { sha256Hex } from '../../deployment/canonical.ts'
import { readGatewayReport } from '../../deployment/channel.ts'
import { describeDeploymentFailure } from '../../deployment/failure.ts'
import { hashPattern, namePattern } from '../../deployment/fields.ts'
import { type Store, StoreUnavailable } from '../store/store.ts'
import { type EventStream, openEvents, type SentState } from './events.ts'
import { type GatewayOutcome, outcomeOfLive, Reports, type SeenGateway } from './reports.ts'

export interface ChannelOptions {
  readonly store: Store
  /**
   * Asked first for every request.
   *
   * @param who - `gateway`: takes and reports. `operator`: looks at the gateways.
   * @returns The refusal; `undefined` lets the request pass.
   */
  readonly authorize: (
    request: Request,
    environment: string,
    who: 'gateway' | 'operator',
  ) => Response | undefined | Promise<Response | undefined>
  /** Milliseconds since 1970. Default: the system's clock. */
  readonly now?: (() => number) | undefined
  /** Between two pings of a stream; default 10,000. */
  readonly pingMs?: number | undefined
  /** Told of what went wrong in the background. Default: nothing. */
  readonly onError?: ((error: unknown) => void) | undefined
}

export interface Channel {
  /** Paths begin with `/:environment/`; mounted at `/apiops/environments`. */
  readonly routes: Hono
  /** Gateways that were heard of in the last 25 seconds, or that listen here. */
  readonly connected: (environment: string) => Promise<readonly SeenGateway[]>
  /**
   * Waits until each connected gateway has reported about the change with this number. Call it after the transaction has committed.
   *
   * @returns Empty: none is connected.
   */
  readonly waitForReports: (
    environment: string,
    sequence: number,
    timeoutMs: number,
  ) => Promise<readonly GatewayOutcome[]>
  /** As `waitForReports`, of live data with this number, as far as they are the project's. */
  readonly waitForLive: (
    environment: string,
    sequence: number,
    project: string,
    timeoutMs: number,
  ) => Promise<readonly GatewayOutcome[]>
  /** Ends all streams; gateways come back by themselves, to whoever answers then. */
  readonly close: () => Promise<void>
}

/**
 * The channel over one store.
 */
export function createChannel(options: ChannelOptions): Channel {
  const { store, authorize, now = Date.now, pingMs = 10_000, onError = () => {} } = options
  const reports = new Reports({ store, now, onError })
  const streams = new Map<string, Set<EventStream>>()
  const states = new States(store)
  const closing = new AbortController()
  let streamCount = 0

  const routes = new Hono()
  const on = (
    method: 'GET' | 'PUT' | 'DELETE',
    path: string,
    who: 'gateway' | 'operator',
    answer: (context: Context, environment: KnownEnvironment) => Promise<Response> | Response,
  ): void => {
    routes.on(method, [path, path.slice(0, -1)], async (context) => {
      const name = context.req.param('environment') ?? ''
      const refusal = await authorize(context.req.raw, name, who)
      if (refusal !== undefined) return refusal
      try {
        const id = await environmentId(store, name)
        if (id === undefined) return refuse(404, 'environment-not-found', 'no such environment')
        return await answer(context, { id, name })
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error
        return refuse(503, error.code, 'the store is away')
      }
    })
  }

  on('GET', '/:environment/state/', 'gateway', async (context, environment) => {
    const { id, body } = await states.of(environment)
    const etag = `"${id}"`
    const headers = { etag, 'cache-control': 'no-cache' }
    const asked = context.req.header('if-none-match')?.split(',') ?? []
    if (asked.some((one) => one.trim() === etag))
      return new Response(null, { status: 304, headers })
    return new Response(body, { headers: { ...headers, 'content-type': 'application/json' } })
  })

  on('GET', '/:environment/events/', 'gateway', async (context, environment) => {
    if (closing.signal.aborted || streamCount >= maxStreams) {
      return refuse(503, 'streams-too-many', 'no more streams here')
    }
    const gateway = context.req.query('gateway')
    if (gateway !== undefined && !namePattern.test(gateway)) {
      return refuse(400, 'gateway-name-invalid', 'gateway must be a name')
    }
    const open = streams.get(environment.name) ?? new Set<EventStream>()
    streams.set(environment.name, open)
    const leave = gateway === undefined ? () => {} : reports.listen(environment.name, gateway)
    streamCount++
    // A token that was revoked, or has run out, ends what it opened; gateways that nobody knows any more must not be waited for.
    const again = setInterval(async () => {
      try {
        const refusal = await authorize(context.req.raw, environment.name, 'gateway')
        // While the store is away nobody can tell: gateways keep their streams.
        if (refusal !== undefined && refusal.status < 500) stream.close()
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) onError(error)
      }
    }, pingMs)
    again.unref()
    const stream = openEvents(pingMs, () => {
      clearInterval(again)
      streamCount--
      open.delete(stream)
      leave()
    })
    // Before the state is read: a change that comes meanwhile is not missed.
    open.add(stream)
    try {
      stream.send(await states.of(environment))
    } catch (error) {
      stream.close()
      throw error
    }
    return new Response(stream.body, {
      headers: {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store, no-transform',
        'x-accel-buffering': 'no',
      },
    })
  })

  on('GET', '/:environment/snapshots/:hash/', 'gateway', async (context, { id }) => {
    const hash = hashOf(context)
    const row =
      hash === undefined
        ? undefined
        : await store.db
            .selectFrom('snapshots')
            .innerJoin('pointers', 'pointers.hash', 'snapshots.hash')
            .select('snapshots.body')
            .where('pointers.environment_id', '=', id)
            .where('snapshots.hash', '=', hash)
            .executeTakeFirst()
    return content(row?.body, 'application/json')
  })

  on('GET', '/:environment/snapshots/', 'gateway', (_context, { id }) => {
    // One that starts wants them all, and a thousand exchanges take their time.
    const pages = snapshotsOf(store, id)
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { done, value } = await pages.next()
        if (done) controller.close()
        else controller.enqueue(encoder.encode(value))
      },
    })
    return new Response(body, { headers: { 'content-type': 'application/x-ndjson' } })
  })

  on('GET', '/:environment/live/:hash/', 'gateway', async (context, { id }) => {
    const hash = hashOf(context)
    const row =
      hash === undefined
        ? undefined
        : await store.db
            .selectFrom('live_states')
            .select('body')
            .where('environment_id', '=', id)
            .where('hash', '=', hash)
            .executeTakeFirst()
    return content(row?.body, 'application/json')
  })

  on('GET', '/:environment/crls/:hash/', 'gateway', async (context, { id }) => {
    const hash = hashOf(context)
    if (hash === undefined) return content(undefined, '')
    // Only what the environment's live data name: a digest is no key to other projects' lists.
    const live = await store.db
      .selectFrom('live_states')
      .select('body')
      .where('environment_id', '=', id)
      .executeTakeFirst()
    const row = live?.body.includes(`"sha256":"${hash}"`)
      ? await store.db
          .selectFrom('crls')
          .select('der')
          .where('sha256', '=', hash)
          .executeTakeFirst()
      : undefined
    return content(row?.der, 'application/pkix-crl')
  })

  on('PUT', '/:environment/gateways/:gateway/report/', 'gateway', async (context, environment) => {
    const text = await readText(context.req.raw, maxReportBytes)
    if (text === undefined) return refuse(413, 'body-too-large', 'the report is too large')
    const report = readGatewayReport(parsed(text))
    if (!report.ok) {
      const { code } = report.failure
      return refuse(400, code, describeDeploymentFailure(report.failure))
    }
    const { gateway, environment: of } = report.value
    if (gateway !== context.req.param('gateway') || of !== environment.name) {
      return refuse(422, 'report-mismatch', 'gateway and environment must be those of the path')
    }
    await reports.take(environment.id, report.value)
    return new Response(null, { status: 204 })
  })

  on('DELETE', '/:environment/gateways/:gateway/report/', 'gateway', async (context, { id }) => {
    await reports.forget(id, context.req.param('gateway') ?? '')
    return new Response(null, { status: 204 })
  })

  on('GET', '/:environment/gateways/', 'operator', async (_context, { name }) => {
    const resultList = await reports.list(name)
    return Response.json({ success: true, resultList, resultCount: resultList.length })
  })

  /** Environments that are being read, and whether they changed again meanwhile. */
  const reading = new Map<string, { again: boolean }>()
  const stopListening = store.onChange((name) => {
    const now = reading.get(name)
    if (now !== undefined) {
      now.again = true
      return
    }
    const turn = { again: true }
    reading.set(name, turn)
    void tell(name, turn)
  })

  /** One reading for all streams, and one for all changes during it; while the store is away, again and again. */
  async function tell(name: string, turn: { again: boolean }): Promise<void> {
    while (turn.again) {
      turn.again = false
      const open = streams.get(name)
      if (open === undefined || open.size === 0 || closing.signal.aborted) break
      try {
        const id = await environmentId(store, name)
        if (id === undefined) continue
        const state = await states.of({ id, name })
        for (const stream of open) stream.send(state)
      } catch (error) {
        onError(error)
        if (!(error instanceof StoreUnavailable)) continue
        turn.again = true
        await new Promise((resolve) => setTimeout(resolve, tellAgainMs).unref())
      }
    }
    reading.delete(name)
  }

  return {
    routes,
    connected: async (environment) =>
      (await reports.list(environment)).filter(({ connected }) => connected),
    waitForReports: (environment, sequence, timeoutMs) =>
      reports.wait(environment, sequence, timeoutMs),
    waitForLive: (environment, sequence, project, timeoutMs) =>
      reports.wait(environment, sequence, timeoutMs, outcomeOfLive(project)),
    close: async () => {
      closing.abort()
      stopListening()
      for (const open of streams.values()) for (const stream of [...open]) stream.close()
      await reports.close()
    },
  }
}

interface KnownEnvironment {
  readonly id: string
  readonly name: string
}

/** The state of each environment as text, made anew when its number has grown. */
class States {
  readonly #store: Store
  readonly #known = new Map<string, SentState>()

  constructor(store: Store) {
    this.#store = store
  }

  async of({ id, name }: KnownEnvironment): Promise<SentState> {
    const known = this.#known.get(id)
    const numbered = this.#store.db.selectFrom('environments').select('sequence')
    if (known !== undefined) {
      const row = await numbered.where('id', '=', id).executeTakeFirst()
      if (Number(row?.sequence) === known.sequence) return known
    }
    // One statement, and so one moment: number, set, pointers and live data belong together.
    const rows = await this.#store.db
      .selectFrom('pointers')
      .select([sql<string>`'pointer'`.as('kind'), 'sequence', 'signed'])
      .where('environment_id', '=', id)
      .unionAll((db) =>
        db
          .selectFrom('live_states')
          .select([sql<string>`'live'`.as('kind'), 'sequence', 'signed'])
          .where('environment_id', '=', id),
      )
      .unionAll((db) =>
        db
          .selectFrom('environment_sets')
          .select([sql<string>`'set'`.as('kind'), 'sequence', 'signed'])
          .where('environment_id', '=', id),
      )
      .unionAll((db) =>
        db
          .selectFrom('environments')
          .select([sql<string>`'environment'`.as('kind'), 'sequence', 'name as signed'])
          .where('id', '=', id),
      )
      .execute()
    const sequence = Number(rows.find(({ kind }) => kind === 'environment')?.sequence ?? 0)
    const pointers = rows
      .filter(({ kind }) => kind === 'pointer')
      .sort((a, b) => Number(a.sequence) - Number(b.sequence))
      .map(({ signed }) => signed)
    const live = rows.find(({ kind }) => kind === 'live')?.signed ?? 'null'
    const set = rows.find(({ kind }) => kind === 'set')?.signed ?? 'null'
    const body = `{"environment":${JSON.stringify(name)},"set":${set},"pointers":[${pointers.join()}],"live":${live}}`
    const state = { sequence, id: sha256Hex(body), body }
    if ((this.#known.get(id)?.sequence ?? -1) < sequence) this.#known.set(id, state)
    return state
  }
}

/** All snapshots that are in force, one on each line, some lines at a time. */
async function* snapshotsOf(store: Store, environment: string): AsyncGenerator<string> {
  let last = ''
  for (;;) {
    const rows = await store.db
      .selectFrom('snapshots')
      .select(['hash', 'body'])
      .where('hash', '>', last)
      .where((expression) =>
        expression.exists(
          expression
            .selectFrom('pointers')
            .select('pointers.hash')
            .whereRef('pointers.hash', '=', 'snapshots.hash')
            .where('pointers.environment_id', '=', environment),
        ),
      )
      .orderBy('hash')
      .limit(pageSize)
      .execute()
    if (rows.length === 0) return
    yield rows.map(({ body }) => `${body}\n`).join('')
    last = rows.at(-1)?.hash ?? last
  }
}

async function environmentId(store: Store, name: string): Promise<string | undefined> {
  if (!namePattern.test(name)) return undefined
  const row = await store.db
    .selectFrom('environments')
    .select('id')
    .where('name', '=', name)
    .executeTakeFirst()
  return row?.id
}

function hashOf(context: Context): string | undefined {
  const hash = context.req.param('hash') ?? ''
  return hashPattern.test(hash) ? hash : undefined
}

/** Named by its hash, and so never another. */
function content(body: string | Uint8Array | undefined, type: string): Response {
  if (body === undefined) return refuse(404, 'not-found', 'nothing of this hash is in force here')
  return new Response(typeof body === 'string' ? body : new Uint8Array(body), {
    headers: { 'content-type': type, 'cache-control': 'private, max-age=31536000, immutable' },
  })
}

function refuse(status: number, code: string, message: string): Response {
  return Response.json({ success: false, error: { code, message } }, { status })
}

/** @returns `undefined` for a body that is larger. */
async function readText(request: Request, maximum: number): Promise<string | undefined> {
  const decoder = new TextDecoder()
  let text = ''
  let length = 0
  if (request.body === null) return text
  for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
    length += chunk.length
    if (length > maximum) return undefined
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

/** `undefined`: no JSON, which no report is either. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Local limits: a report has some 300 octets for each proxy. */
const maxReportBytes = 16_777_216
const maxStreams = 10_000
const tellAgainMs = 500
const pageSize = 50
const encoder = new TextEncoder()
