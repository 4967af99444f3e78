/** Lists from URIs: those of the configuration, and those that certificates name. @module */

import type { Certificate } from '../../x509/certificate.ts'
import type { CertificateList } from '../../x509/crl.ts'
import type { DistributionPoint } from '../../x509/extensions.ts'
import type { CachedAnswer } from './cache-folder.ts'
import { askServer, keepAnswer, type SourceContext } from './context.ts'
import { dateOf, type SourceStatus, stateOf } from './event.ts'
import type { TakeFailure } from './failure.ts'
import type { Validators } from './freshness.ts'
import { KeptLists } from './kept-lists.ts'
import { type ReadList, readLists } from './read-lists.ts'
import type { Held } from './schedule.ts'
import { type Outcome, Upkeep } from './upkeep.ts'
import { readUri } from './uri.ts'

export interface ListKeeperOptions {
  readonly urls: readonly URL[]
  /** Whether what certificates name is fetched. */
  readonly distributionPoints: boolean
  /** URIs that are learned from certificates. */
  readonly maxLearned: number
}

interface Entry {
  readonly url: URL
  readonly learned: boolean
  readonly upkeep: Upkeep
  /** What is in force. */
  readonly kept: KeptLists
  /** What was taken last. */
  held: ReadList | undefined
  etag: string | undefined
  lastModified: string | undefined
}

export class ListKeeper {
  readonly #context: SourceContext
  readonly #options: ListKeeperOptions
  readonly #fixed = new Map<string, Entry>()
  /** Those asked for last at the end. */
  readonly #learned = new Map<string, Entry>()

  constructor(context: SourceContext, options: ListKeeperOptions) {
    this.#context = context
    this.#options = options
    for (const url of options.urls) this.#fixed.set(url.href, this.#entry(url, false))
  }

  get lists(): readonly CertificateList[] {
    return this.#entries().flatMap(({ kept }) => kept.all.map(({ list }) => list))
  }

  /** Begins to fetch what is configured; settles when of each there is a list, or a try that failed. */
  async start(): Promise<void> {
    const cold = [...this.#fixed.values()].map(({ upkeep, held }) => {
      const first = upkeep.run()
      return held === undefined ? first : undefined
    })
    await Promise.all(cold)
  }

  /** Begins to fetch what `certificate` names, as far as there is no point in waiting. */
  want(certificate: Certificate): Promise<void> | undefined {
    if (!this.#options.distributionPoints) return undefined
    const { cRLDistributionPoints, freshestCRL } = certificate.tbsCertificate.extensions
    const points = [...(cRLDistributionPoints?.points ?? []), ...(freshestCRL?.points ?? [])]
    return this.#wantPoints(points)
  }

  /** Fetches what is at `uri` now; all of them when there is none. */
  async refresh(uri: string | undefined): Promise<void> {
    const entries = this.#entries().filter(({ url }) => uri === undefined || url.href === uri)
    await Promise.all(entries.map(({ upkeep }) => upkeep.run()))
  }

  /** Puts in force what was kept on disk. */
  async restore(answer: CachedAnswer): Promise<void> {
    const entry = this.#fixed.get(answer.uri) ?? this.#restorable(answer.uri)
    if (entry === undefined || entry.held !== undefined) return
    const failure = await this.#take(entry, answer.body, 'cache')
    if (failure !== undefined) return
    entry.etag = answer.etag
    entry.lastModified = answer.lastModified
    entry.upkeep.plan(heldOf(entry, undefined))
  }

  status(now: number): readonly SourceStatus[] {
    return this.#entries().map(({ url, learned, upkeep, held }) => {
      const updates = held?.list.tbsCertList
      return {
        kind: 'crl',
        origin: url.href,
        state: stateOf(updates, now),
        learned,
        verified: held?.verified ?? false,
        thisUpdate: dateOf(updates?.thisUpdate),
        nextUpdate: dateOf(updates?.nextUpdate),
        lastFailure: upkeep.lastFailure,
        failures: upkeep.failures,
        nextFetch: dateOf(upkeep.nextFetch === undefined ? undefined : upkeep.nextFetch / 1000),
      }
    })
  }

  async stop(): Promise<void> {
    await Promise.all(this.#entries().map(({ upkeep }) => upkeep.stop()))
  }

  #entries(): readonly Entry[] {
    return [...this.#fixed.values(), ...this.#learned.values()]
  }

  #entry(url: URL, learned: boolean): Entry {
    const entry: Entry = {
      url,
      learned,
      upkeep: new Upkeep(
        this.#context.upkeep,
        () => this.#fetch(entry),
        () => !learned || entry.upkeep.failures < maxFailures,
      ),
      kept: new KeptLists(),
      held: undefined,
      etag: undefined,
      lastModified: undefined,
    }
    return entry
  }

  #wantPoints(points: readonly DistributionPoint[]): Promise<void> | undefined {
    let left = maxUris
    const begun: Promise<void>[] = []
    for (const { fullName } of points) {
      const urls: URL[] = []
      for (const name of fullName ?? []) {
        if (left === 0 || name.kind !== 'uniformResourceIdentifier') continue
        const read = readUri(name.value)
        if (!read.ok) continue
        urls.push(read.value)
        left--
      }
      const fetching = this.#wantFirst(urls)
      if (fetching !== undefined) begun.push(fetching)
    }
    return begun.length === 0 ? undefined : Promise.all(begun).then(() => undefined)
  }

  /** The URIs of one point lead to the same list (RFC 5280 §4.2.1.13): the next one is asked only when those before it fail. */
  #wantFirst(urls: readonly URL[]): Promise<void> | undefined {
    for (const [index, url] of urls.entries()) {
      const { upkeep } = this.#learn(url)
      const fetching = upkeep.want()
      if (fetching !== undefined) {
        return fetching.then(() =>
          upkeep.failures === 0 ? undefined : this.#wantFirst(urls.slice(index + 1)),
        )
      }
      if (upkeep.failures === 0) return undefined
    }
    return undefined
  }

  #learn(url: URL): Entry {
    const known = this.#fixed.get(url.href)
    if (known !== undefined) return known
    const entry = this.#learned.get(url.href) ?? this.#entry(url, true)
    this.#learned.delete(url.href)
    this.#learned.set(url.href, entry)
    if (this.#learned.size > this.#options.maxLearned) this.#forgetOne()
    return entry
  }

  /** The one asked for least lately; one without a list, or with one that nobody has signed, before any other. */
  #forgetOne(): void {
    let oldest: Entry | undefined
    const newest = [...this.#learned.keys()].at(-1)
    for (const [uri, entry] of this.#learned) {
      if (uri === newest) break
      if (oldest === undefined || worthOf(entry) < worthOf(oldest)) oldest = entry
    }
    if (oldest === undefined) return
    void oldest.upkeep.stop()
    this.#learned.delete(oldest.url.href)
    if (oldest.held === undefined) return
    this.#context.tell('crl', oldest.url.href, { type: 'removed' })
    void this.#context.publish()
  }

  #restorable(uri: string): Entry | undefined {
    if (!this.#options.distributionPoints || this.#learned.size >= this.#options.maxLearned) {
      return undefined
    }
    const read = readUri(uri)
    return read.ok ? this.#learn(read.value) : undefined
  }

  async #fetch(entry: Entry): Promise<Outcome> {
    const { tell, restored } = this.#context
    await restored()
    const { url, held } = entry
    const known = this.#validators(entry)
    const question = { url, accept: 'application/pkix-crl', ...known }
    const answer = await askServer(this.#context, 'crl', question, url.href)
    if (answer.status === 'failed') return this.#failed(entry, answer.failure, answer.retryAfter)
    if (answer.status === 'new') {
      const failure = await this.#take(entry, answer.body, 'network')
      if (failure !== undefined) return this.#failed(entry, failure, undefined)
      const { body, etag, lastModified } = answer
      entry.etag = etag
      entry.lastModified = lastModified
      const isNew = entry.held !== held
      if (!isNew) tell('crl', url.href, { type: 'unchanged' })
      const facts = { kind: 'crl', uri: url.href, subject: '', etag, lastModified } as const
      if (isNew) keepAnswer(this.#context, { ...facts, body })
    }
    await this.#followFreshest(entry)
    return { ok: true, held: heldOf(entry, answer.freshFor) }
  }

  /** Nothing about what has run out: that nothing has changed would be no answer then. */
  #validators({ held, etag, lastModified }: Entry): Validators {
    const { nextUpdate = Number.POSITIVE_INFINITY } = held?.list.tbsCertList ?? { nextUpdate: 0 }
    const isCurrent = this.#context.upkeep.now() <= nextUpdate * 1000
    return isCurrent ? { etag, lastModified } : { etag: undefined, lastModified: undefined }
  }

  #failed(
    entry: Entry,
    failure: Extract<Outcome, { ok: false }>['failure'],
    retryAfter: number | undefined,
  ): Outcome {
    const failures = entry.upkeep.failures + 1
    if (failure.code !== 'closed') {
      this.#context.tell('crl', entry.url.href, { type: 'failed', failure, failures })
    }
    return { ok: false, failure, retryAfter }
  }

  /** Puts a list in force, or says why not. */
  async #take(
    entry: Entry,
    body: Uint8Array,
    from: 'network' | 'cache',
  ): Promise<TakeFailure | undefined> {
    const { computing, signers, upkeep, tell, publish } = this.#context
    const before = entry.held
    if (before !== undefined && Buffer.compare(before.list.der, body) === 0) return undefined
    const read = await computing.pass(() => {
      entry.kept.settle()
      return readLists(body, signers, upkeep.now(), entry.kept.all)
    })
    if (!read.ok) return read.failure
    const [taken, ...others] = read.value
    // One list at a URI: RFC 5280 §4.2.1.13.
    if (taken === undefined || others.length > 0) return { code: 'not-a-list' }
    const { list, verified } = taken
    const now = upkeep.now() / 1000
    const failure = entry.kept.check(taken, now)
    if (failure !== undefined) return failure
    entry.kept.put(taken, now)
    entry.held = taken
    const thisUpdate = new Date(list.tbsCertList.thisUpdate * 1000)
    const nextUpdate = dateOf(list.tbsCertList.nextUpdate)
    const type = before === undefined ? 'loaded' : 'replaced'
    await publish()
    tell('crl', entry.url.href, { type, from, thisUpdate, nextUpdate, verified })
    return undefined
  }

  /** What a complete list names is as good as its signature. RFC 5280 §5.2.6 */
  async #followFreshest({ held }: Entry): Promise<void> {
    if (!held?.verified || !this.#options.distributionPoints) return
    const { freshestCRL, deltaCRLIndicator } = held.list.tbsCertList.crlExtensions
    // A delta that names deltas would be followed without end.
    if (freshestCRL === undefined || deltaCRLIndicator !== undefined) return
    await this.#wantPoints(freshestCRL.points)
  }
}

/** 0: there is no list. 1: there are lists, and nobody knows who has signed them. */
function worthOf({ kept }: Entry): 0 | 1 | 2 {
  kept.settle()
  const { all } = kept
  if (all.length === 0) return 0
  return all.some(({ verified }) => verified) ? 2 : 1
}

function heldOf({ held }: Entry, freshFor: number | undefined): Held {
  return { nextUpdate: held?.list.tbsCertList.nextUpdate, freshFor }
}

/** Local limit on what one certificate, or one list, makes us fetch. */
const maxUris = 4
/** Local limit: a URI that a certificate named is left alone after so many failures, until it is asked for again. */
const maxFailures = 8
