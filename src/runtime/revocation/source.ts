/** Gets revocation data and keeps it fresh, in the background: lists from files and URIs, responses from responders. @module */

import { Crls } from '../../revocation/crls.ts'
import type { StatusProvider, WantedStatus } from '../../revocation/provider.ts'
import { OcspResponses } from '../../revocation/responses.ts'
import { now as systemClock } from '../clock.ts'
import { CacheFolder } from './cache-folder.ts'
import type { SourceContext } from './context.ts'
import { dateOf, type RevocationEvent, type SourceStatus, stateOf } from './event.ts'
import { ListKeeper } from './list-keeper.ts'
import { type PreparedSource, prepareSource, type RevocationSourceOptions } from './options.ts'
import { readLists, Signers } from './read-lists.ts'
import { ResponseKeeper } from './response-keeper.ts'
import { Gate } from './turns.ts'
import { type FileChange, WatchedFiles } from './watched-files.ts'

/** A `StatusProvider` for `revocation.source` of the options; lives until it is closed. */
export interface RevocationSource extends StatusProvider {
  /**
   * Settles when the files were read and of each configured URI there is a list (fetched, or kept from before) or a try that failed.
   * Never rejects: `status()` tells what is missing.
   */
  readonly ready: () => Promise<void>
  /** Fetches now what is at a URI, or reads the files again; without `origin` everything. Settles when that has ended, well or badly. */
  readonly refresh: (origin?: string) => Promise<void>
  /** Every file and URI, as it stands. */
  readonly status: () => readonly SourceStatus[]
  /** Calls `listener` whenever other lists or responses are in force. Returned is what ends that. */
  readonly onChange: (listener: () => void) => () => void
  /** Ends every timer, watcher and exchange. What is in force stays readable; nothing is fetched any more. */
  readonly close: () => Promise<void>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

/**
 * Gets CRLs and OCSP responses: from files and folders, from fixed URLs, and from what certificates name. It begins at once. Timers
 * and watchers do not keep a process alive.
 *
 * @throws TypeError with a `code` and the `option` for options that make no sense. Whatever goes wrong later is an event.
 * @example
 * const source = createRevocationSource({
 *   crls: { files: ['crls'], distributionPoints: true },
 *   ocsp: { responder: 'aia' },
 *   onEvent: (event) => console.log(event.type), // failed
 * })
 * await source.ready()
 * await source.close()
 */
export function createRevocationSource(options: RevocationSourceOptions): RevocationSource {
  return new Source(prepareSource(options, systemClock))
}

class Source implements RevocationSource {
  epoch = 0
  crls: Crls = new Crls([])
  responses: OcspResponses = new OcspResponses([])
  readonly #prepared: PreparedSource
  readonly #context: SourceContext
  readonly #closing = new AbortController()
  readonly #files: WatchedFiles
  readonly #lists: ListKeeper
  readonly #answers: ResponseKeeper
  readonly #listeners = new Set<() => void>()
  readonly #restored: Promise<void>
  readonly #ready: Promise<void>
  readonly #running = new Set<Promise<void>>()
  #publishing: Promise<void> | undefined

  constructor(prepared: PreparedSource) {
    const { exchange, upkeep, maxConcurrent, cacheFolder, maxCacheBytes } = prepared
    const computing = new Gate(1)
    this.#prepared = prepared
    this.#context = {
      exchange,
      upkeep,
      signers: new Signers(prepared.signers),
      connections: new Gate(maxConcurrent),
      computing,
      cache:
        cacheFolder === undefined
          ? undefined
          : new CacheFolder(cacheFolder, maxCacheBytes, computing),
      restored: () => this.#restored,
      closing: this.#closing.signal,
      tell: (kind, origin, facts) => {
        const { onEvent, now } = prepared
        if (onEvent === undefined) return
        callSafely(() => onEvent({ time: now(), kind, origin, ...facts } as RevocationEvent))
      },
      track: (work) => void this.#track(work),
      publish: () => this.#publish(),
    }
    this.#lists = new ListKeeper(this.#context, prepared.lists)
    this.#answers = new ResponseKeeper(this.#context, prepared.responses)
    this.#files = new WatchedFiles(prepared.files, exchange.maxBytes, {
      read: (bytes) => {
        const { signers } = this.#context
        return computing.pass(() => readLists(bytes, signers, upkeep.now()))
      },
      changed: (file, change) => this.#fileChanged(file, change),
      done: () => this.#publish(),
    })
    this.#restored = this.#restore()
    this.#ready = this.#track(this.#start())
  }

  readonly request = (wanted: WantedStatus): Promise<void> | undefined => {
    if (this.#closing.signal.aborted) return undefined
    const { certificate, issuer, crl, ocsp } = wanted
    if (crl) this.#context.signers.meet(issuer)
    const begun = [
      crl ? this.#lists.want(certificate) : undefined,
      ocsp ? this.#answers.want(wanted) : undefined,
    ].filter((one) => one !== undefined)
    return begun.length === 0 ? undefined : this.#track(Promise.all(begun).then(() => undefined))
  }

  readonly ready = (): Promise<void> => this.#ready

  readonly refresh = async (origin?: string): Promise<void> => {
    await this.#ready
    const uri = origin !== undefined && URL.canParse(origin) ? new URL(origin).href : origin
    const { files } = this.#files
    const isFile =
      origin === undefined || files.has(origin) || this.#prepared.files.includes(origin)
    await this.#track(
      Promise.all([
        isFile ? this.#files.scan() : undefined,
        this.#lists.refresh(uri),
        this.#answers.refresh(uri),
      ]).then(() => undefined),
    )
  }

  readonly status = (): readonly SourceStatus[] => {
    const now = this.#context.upkeep.now()
    return [...this.#fileStatus(now), ...this.#lists.status(now), ...this.#answers.status(now)]
  }

  readonly onChange = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  readonly close = async (): Promise<void> => {
    this.#closing.abort()
    await Promise.all([this.#lists.stop(), this.#answers.stop(), this.#files.stop()])
    // What ends may have begun to write.
    while (this.#running.size > 0) await Promise.all(this.#running)
    this.#listeners.clear()
  }

  readonly [Symbol.asyncDispose] = this.close

  async #start(): Promise<void> {
    const reading = this.#files.scan()
    await this.#restored
    await reading
    if (!this.#closing.signal.aborted) await this.#lists.start()
    await this.#publishing
  }

  async #restore(): Promise<void> {
    const { cache, tell } = this.#context
    if (cache === undefined) return
    const failure = await cache.open()
    if (failure !== undefined) tell('crl', cache.folder, { type: 'cache-failed', failure })
    for await (const answer of cache.read()) {
      if (this.#closing.signal.aborted) return
      if (answer.kind === 'crl') await this.#lists.restore(answer)
      else this.#answers.restore(answer)
    }
    await this.#publish()
  }

  /** Once for all that changes within one turn. */
  #publish(): Promise<void> {
    this.#publishing ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#publishing = undefined
        const files = [...this.#files.files.values()].flatMap(({ lists }) => lists)
        this.crls = new Crls([...files.map(({ list }) => list), ...this.#lists.lists])
        this.responses = new OcspResponses(this.#answers.responses)
        this.epoch++
        for (const listener of [...this.#listeners]) callSafely(listener)
        resolve()
      })
    })
    return this.#publishing
  }

  #fileChanged(file: string, change: FileChange): void {
    const { tell } = this.#context
    if (change.type === 'failed') {
      const { failure, failures } = change
      tell('crl', file, { type: 'failed', failure, failures })
      return
    }
    if (change.type === 'removed') {
      tell('crl', file, { type: 'removed' })
      return
    }
    for (const { list, verified } of change.lists) {
      const thisUpdate = new Date(list.tbsCertList.thisUpdate * 1000)
      const nextUpdate = dateOf(list.tbsCertList.nextUpdate)
      tell('crl', file, { type: change.type, from: 'file', thisUpdate, nextUpdate, verified })
    }
  }

  #fileStatus(now: number): readonly SourceStatus[] {
    return [...this.#files.files].flatMap(([origin, { lists, failure, failures }]) => {
      const rest = { lastFailure: failure, failures, nextFetch: undefined }
      const file = { kind: 'crl', origin, learned: false, ...rest } as const
      if (lists.length === 0) {
        const nothing = { verified: false, thisUpdate: undefined, nextUpdate: undefined }
        return [{ ...file, ...nothing, state: 'empty' as const }]
      }
      return lists.map(({ list, verified }) => ({
        ...file,
        verified,
        state: stateOf(list.tbsCertList, now),
        thisUpdate: dateOf(list.tbsCertList.thisUpdate),
        nextUpdate: dateOf(list.tbsCertList.nextUpdate),
      }))
    })
  }

  /** Closing waits for what has begun. */
  #track(work: Promise<void>): Promise<void> {
    this.#running.add(work)
    void work.finally(() => this.#running.delete(work))
    return work
  }
}

/** What a caller's function throws is the caller's, and must stop nothing here. */
function callSafely(call: () => void): void {
  try {
    call()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
