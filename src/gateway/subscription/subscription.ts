/** Follows one environment of a manager: learns what is in force, verifies it, hands it over whole, and keeps it over a restart. @module */

import { setMaxListeners } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { misuse } from '../../client/misuse.ts'
import { sha256Hex } from '../../deployment/canonical.ts'
import {
  type GatewayProblem,
  type GatewayReport,
  readStateShell,
} from '../../deployment/channel.ts'
import { type DeploymentFailure, describeDeploymentFailure } from '../../deployment/failure.ts'
import { namePattern } from '../../deployment/fields.ts'
import { readPublicKey } from '../../deployment/keys.ts'
import { type LiveData, maxLiveBytes } from '../../deployment/live.ts'
import { liveCapacity, liveLimits } from '../../deployment/live-limits.ts'
import type { LivePointer, Pointer } from '../../deployment/pointer.ts'
import { maxSnapshotBytes, type Snapshot } from '../../deployment/snapshot.ts'
import { keyOf } from '../proxy-key.ts'
import type { HeldPlace } from '../state.ts'
import { verifyCrl, verifyLiveData, verifySnapshot } from './content.ts'
import { eachOf } from './each-of.ts'
import { EventsMalformed, readEvents } from './events.ts'
import {
  chunksOf,
  linesOf,
  ManagerClient,
  ManagerRefused,
  ManagerUnreachable,
} from './manager-client.ts'
import {
  type AlarmCode,
  defaultTimes,
  type StateResult,
  type SubscribedState,
  type Subscription,
  type SubscriptionAlarm,
  type SubscriptionOptions,
  type SubscriptionStatus,
  type SubscriptionTimes,
} from './options.ts'
import { type Pinned, type Refused, takeLivePointer, takePointers } from './pointers.ts'
import { heldPlaces, isComplete, missingPointers, type SeenSet, takeSet } from './set.ts'
import { StateFolder } from './state-folder.ts'
import {
  crlsInForce,
  crlsOfProject,
  type Known,
  nothingKnown,
  type OfLive,
  type Running,
  type RunningLive,
  readStored,
  storedContents,
  storedText,
} from './stored.ts'

/**
 * Begins at once: with the last good state on disk, then with what the manager says.
 *
 * @throws TypeError with a `code` for options that make no sense.
 */
export function createSubscription(options: SubscriptionOptions): Subscription {
  for (const option of ['environment', 'gateway'] as const) {
    if (namePattern.test(options[option])) continue
    throw misuse('option-invalid', `${option} must be a name`, { option })
  }
  return new Follower(options)
}

class Follower implements Subscription {
  readonly ready: Promise<void>
  readonly #options: SubscriptionOptions
  readonly #times: SubscriptionTimes
  readonly #pinned: Pinned
  readonly #client: ManagerClient
  readonly #folder: StateFolder
  readonly #now: () => number
  readonly #random: () => number
  readonly #closing = new AbortController()
  readonly #loops: Promise<unknown>
  #setReady: () => void = () => {}

  #known: Known = nothingKnown
  /** The newest state that came; older ones that nobody has looked at yet are passed over. */
  #offered: unknown
  #working: Promise<void> | undefined
  /** Numbers that were shown, and are not on disk yet. */
  #hasSeenMore = false
  /** Of the disk, until the manager is heard. */
  #damage: readonly GatewayProblem[] = []
  /** Of set and pointers in the last state. */
  #refusals: readonly GatewayProblem[] = []
  /** That the set names, and nobody has shown. */
  #missing: readonly GatewayProblem[] = []
  #held: readonly HeldPlace[] = []
  #wasComplete = false
  /** Of what could not be fetched or put in force. */
  #unsettled: readonly GatewayProblem[] = []
  /** Snapshots that were verified and are not in force. */
  #verified = new Map<string, Snapshot>()
  /** Lists that are on their way, or have come and were not looked at. */
  readonly #crlFetches = new Map<string, Promise<FetchedCrl>>()
  /** Lists that have come, of projects that lack others. */
  readonly #spareCrls = new Map<string, Uint8Array>()
  /** By project: what there is no room for. */
  readonly #tooLarge = new Map<string, { readonly digests: string; readonly octets: number }>()
  /** Of the set that was handed over last. */
  #handed: string | undefined
  #retryTimer: NodeJS.Timeout | undefined
  #retries = 0
  /** Paths that could not be fetched, and since when. */
  readonly #failing = new Map<string, number>()

  #channel: SubscriptionStatus['channel'] = 'starting'
  #lastContact: number | undefined
  #etag: string | undefined
  /** What was told: everything once. */
  readonly #told = new Set<string>()

  #storing: Promise<void> | undefined
  #isStored = true
  #isStoreDue = false
  #reporting: Promise<void> | undefined
  #isReportDue = false

  constructor(options: SubscriptionOptions) {
    const { managerUrl, token, environment, publicKey, folder, ca, times = {} } = options
    this.#options = options
    this.#times = { ...defaultTimes, ...times }
    this.#pinned = { environment, publicKey: readPublicKey(publicKey) }
    const { answerMs } = this.#times
    this.#client = new ManagerClient({ managerUrl, token, environment, ca, answerMs })
    this.#folder = new StateFolder(folder)
    this.#now = options.now ?? Date.now
    this.#random = options.random ?? Math.random
    this.ready = new Promise((resolve) => {
      this.#setReady = resolve
    })
    // Each exchange that is open listens to it.
    setMaxListeners(0, this.#closing.signal)
    this.#loops = this.#start()
  }

  readonly status = (): SubscriptionStatus => ({
    channel: this.#channel,
    lastContact: this.#lastContact,
    runs: this.#runs(),
    problems: this.#problems(),
    held: this.#held,
    wasComplete: this.#wasComplete,
  })

  readonly close = async (): Promise<void> => {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    clearTimeout(this.#retryTimer)
    await this.#loops
    await this.#working
    await this.#reporting
    if (!this.#isStored) this.#store()
    await this.#storing
    await this.#sayGoodbye()
    this.#client.close()
  }

  async #start(): Promise<void> {
    await this.#restore()
    await Promise.all([this.#follow(), this.#poll(), this.#reportRegularly()])
  }

  async #restore(): Promise<void> {
    const problems: GatewayProblem[] = []
    try {
      const stored = await readStored(this.#folder, this.#pinned)
      this.#known = stored.known
      for (const { failure, ...facts } of stored.problems) {
        const { project = '', apiProxy = '', sequence = 0, message } = facts
        this.#alarm({ code: failure.code, ...facts })
        problems.push({ project, apiProxy, sequence, code: failure.code, message })
      }
    } catch (error) {
      const message = reasonOf(error)
      this.#alarm({ code: 'stored-state-unreadable', message })
      problems.push({ ...nobodys, code: 'stored-state-unreadable', message })
    }
    this.#damage = problems
    this.#miss()
    const { running, runningLive } = this.#known
    if (running.size > 0 || runningLive !== undefined) await this.#settle('disk')
  }

  // What the manager says.

  /** Keeps a stream open. */
  async #follow(): Promise<void> {
    const { signal } = this.#closing
    let failures = 0
    while (!signal.aborted) {
      let hasBegun = false
      try {
        const path = `events/?gateway=${encodeURIComponent(this.#options.gateway)}`
        const asked = { signal, idleMs: this.#times.idleMs }
        const answer = await this.#client.open(path, asked, true)
        const { statusCode = 0, headers } = answer
        if (statusCode !== 200 || !headers['content-type']?.startsWith('text/event-stream')) {
          answer.destroy()
          throw new ManagerRefused(statusCode, `events/ answered ${statusCode}`)
        }
        for await (const { data, id } of readEvents(this.#heardIn(answer), maxStateBytes)) {
          hasBegun = true
          this.#channel = 'stream'
          this.#forgetAbsence('stream')
          this.#etag = `"${id}"`
          this.#offer(parsed(data))
        }
      } catch (error) {
        if (!signal.aborted) this.#tellChannel('stream', error)
      }
      if (this.#isStreaming()) this.#channel = 'polling'
      failures = hasBegun ? 1 : failures + 1
      const { firstRetryMs, maxRetryMs } = this.#times
      const longest = Math.min(maxRetryMs, firstRetryMs * 2 ** Math.min(failures - 1, 16))
      await pause(longest * (0.5 + this.#random() / 2), signal)
    }
  }

  /** Asks while no stream is open. */
  async #poll(): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      await pause(this.#times.pollMs * (0.9 + this.#random() / 5), signal)
      if (signal.aborted || this.#isStreaming()) continue
      try {
        const headers: Record<string, string> =
          this.#etag === undefined ? {} : { 'if-none-match': this.#etag }
        const asked = { headers, signal }
        const { status, etag, body } = await this.#client.ask(
          'state/',
          asked,
          [200, 304],
          maxStateBytes,
        )
        this.#lastContact = this.#now()
        this.#forgetAbsence('poll')
        // A stream that was opened meanwhile has said something newer.
        if (this.#isStreaming()) continue
        this.#channel = 'polling'
        if (status === 200) {
          this.#etag = etag
          this.#offer(parsed(Buffer.from(body).toString('utf8')))
        }
      } catch (error) {
        if (signal.aborted) continue
        if (!this.#isStreaming()) this.#channel = 'away'
        this.#tellChannel('poll', error)
      }
    }
  }

  /** What came was not all: it may have been held back on its way. The stream says it once, and no more until something changes. */
  async #askAgain(): Promise<void> {
    const { signal } = this.#closing
    const { seenSet } = this.#known
    try {
      const { body } = await this.#client.ask('state/', { signal }, [200], maxStateBytes)
      this.#lastContact = this.#now()
      // What came meanwhile is newer, and would make this look like a replay.
      if (this.#offered !== undefined || this.#known.seenSet !== seenSet) return
      this.#offered = { state: parsed(Buffer.from(body).toString('utf8')) }
    } catch (error) {
      // The loops tell that the manager is away.
      if (!(error instanceof ManagerUnreachable || error instanceof ManagerRefused)) throw error
    }
  }

  #isStreaming(): boolean {
    return this.#channel === 'stream'
  }

  async *#heardIn(answer: IncomingMessage): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunksOf(answer)) {
      this.#lastContact = this.#now()
      yield chunk
    }
  }

  #tellChannel(by: 'stream' | 'poll', error: unknown): void {
    const isKnown =
      error instanceof ManagerUnreachable ||
      error instanceof ManagerRefused ||
      error instanceof EventsMalformed
    if (!isKnown) throw error
    this.#alarm({ code: error.code, message: error.message }, `${by} ${error.code}`)
  }

  /** The next absence is another one. */
  #forgetAbsence(by: 'stream' | 'poll'): void {
    for (const code of ['manager-unreachable', 'manager-refused', 'events-malformed']) {
      this.#told.delete(`${by} ${code}`)
    }
  }

  // Taking a state.

  /** @param state - Parsed JSON; `undefined` for what is none. */
  #offer(state: unknown): void {
    this.#offered = { state }
    this.#work()
  }

  #work(): void {
    this.#working ??= this.#workOff().finally(() => {
      this.#working = undefined
      if (this.#offered !== undefined && !this.#closing.signal.aborted) this.#work()
    })
  }

  async #workOff(): Promise<void> {
    do {
      if (this.#offered !== undefined) {
        const { state } = this.#offered as { readonly state: unknown }
        this.#offered = undefined
        this.#take(state)
      }
      await this.#settle('manager')
    } while (this.#offered !== undefined && !this.#closing.signal.aborted)
  }

  #take(state: unknown): void {
    const shell = readStateShell(state)
    if (!shell.ok) {
      this.#refuseState(shell.failure)
      return
    }
    const { environment, set, pointers, live } = shell.value
    if (environment !== this.#pinned.environment) {
      const expected = this.#pinned.environment
      const path = 'environment'
      this.#refuseState({ code: 'environment-mismatch', path, expected, actual: environment })
      return
    }
    const takenSet = takeSet(set, this.#known.seenSet, this.#pinned)
    if (takenSet?.ok === false) {
      // Its pointers are those of another moment, or of nobody.
      this.#refuse([takenSet.failure])
      return
    }
    if (takenSet !== undefined) this.#known = withSet(this.#known, takenSet.value)
    const { seenSet, seen, seenLive } = this.#known
    const named = seenSet?.set.live ?? null
    const { taken, refused } = takePointers(pointers, seen, this.#pinned, seenSet?.entries)
    const takenLive = takeLivePointer(live, seenLive, this.#pinned, named)
    this.#refuse(takenLive?.ok === false ? [...refused, takenLive.failure] : refused)
    this.#hasSeenMore ||= takenSet !== undefined || taken.size > 0 || takenLive?.ok === true
    this.#known = {
      ...this.#known,
      seen: taken.size === 0 ? seen : new Map([...seen, ...taken]),
      seenLive: takenLive?.ok ? takenLive.value : seenLive,
    }
    this.#miss()
  }

  #refuse(all: readonly Refused[]): void {
    for (const one of all) this.#tellRefused(one)
    this.#refusals = all.map(({ failure, claim }) => ({
      ...claim,
      code: failure.code,
      message: describeDeploymentFailure(failure).slice(0, longestMessage),
    }))
  }

  /** Looks for what the set names and nobody has shown. */
  #miss(): void {
    this.#missing = missingPointers(this.#known)
    const refused = new Set(this.#refusals.map(keyOf))
    for (const one of this.#missing) {
      // Whoever was refused in its place has been told.
      if (refused.has(keyOf(one))) continue
      this.#alarm({ ...one, code: 'pointer-unavailable' }, `missing ${keyOf(one)} ${one.sequence}`)
    }
  }

  #tellRefused({ failure, json, claim }: Refused): void {
    const message = describeDeploymentFailure(failure)
    this.#alarm({ code: failure.code, message, ...claim }, `${failure.code} ${json}`)
  }

  #refuseState(failure: DeploymentFailure): void {
    const { code } = failure
    const message = describeDeploymentFailure(failure)
    this.#alarm({ code, message }, `${code} ${message}`)
    this.#refusals = [{ ...nobodys, code, message: message.slice(0, longestMessage) }]
  }

  // Putting in force.

  /** Gets what was seen and is not in force, and hands the whole set over where it is another one. */
  async #settle(from: SubscribedState['from']): Promise<void> {
    const problems: GatewayProblem[] = []
    if (from === 'manager') this.#damage = []
    const { running, runningLive: live } =
      from === 'disk' ? this.#atHand(this.#known) : await this.#nextKnown(problems)
    if (this.#closing.signal.aborted) return
    const before = this.#known
    const { seenSet } = before
    const held = heldPlaces(seenSet, running)
    const handed = setOf(running, live, held)
    // Nobody is let in who may be on a kill list that was announced and never came; nor is anything in force before there is a set.
    const isFirst = this.#handed === undefined
    const isHalf = isFirst && live === undefined && seenSet?.set.live !== null
    if (from === 'disk') this.#tellHeld(held, problems)
    if (handed !== this.#handed && !isHalf) {
      const result = await this.#handOver(from, running, held, live)
      if (result === undefined) {
        for (const [key, one] of running) {
          if (before.running.get(key) === one) continue
          problems.push(problemOf(one, 'state-not-applied', 'the gateway could not take it over'))
        }
      } else {
        this.#handed = handed
        this.#known = { ...before, running, runningLive: live }
        this.#keepOld(before, result, problems)
        this.#hasSeenMore ||= from === 'manager'
        this.#setReady()
      }
    } else {
      // Problems of the gateway's own hold as long as the set does.
      const now = new Set(problems.map(textOfProblem))
      const own = this.#unsettled.filter(({ code }) => !retried.has(code))
      for (const one of own) if (!now.has(textOfProblem(one))) problems.push(one)
    }
    // In force first: a disk takes its time.
    if (this.#hasSeenMore) this.#store()
    this.#unsettled = problems
    this.#held = heldPlaces(this.#known.seenSet, this.#known.running)
    this.#dropVerified()
    const isWaiting = problems.some(({ code }) => retried.has(code)) || this.#isShort()
    if (isWaiting && !this.#closing.signal.aborted) this.#retryLater()
    else this.#forgetFailures()
    this.#report()
  }

  /** Whether there is more to be had than the last state had. */
  #isShort(): boolean {
    return this.#missing.length > 0 || this.#refusals.length > 0
  }

  #atHand<T extends Pick<Known, 'running'>>(known: T): T {
    this.#wasComplete ||= isComplete(this.#known.seenSet, known.running)
    return known
  }

  /** Everything that is held has a problem: of what the disk never had, nobody has said anything yet. It is an alarm if it cannot be had now. */
  #tellHeld(held: readonly HeldPlace[], problems: GatewayProblem[]): void {
    const message = 'its snapshot is not at hand'
    const told = new Set([...this.#problems(), ...problems].map(keyOf))
    for (const { project, apiProxy } of held) {
      const key = keyOf({ project, apiProxy })
      if (told.has(key)) continue
      const sequence = this.#known.seenSet?.entries.get(key)?.sequence ?? 0
      problems.push({ project, apiProxy, sequence, code: 'snapshot-unavailable', message })
    }
  }

  async #nextKnown(problems: GatewayProblem[]): Promise<Pick<Known, 'running' | 'runningLive'>> {
    const [running, runningLive] = await Promise.all([
      this.#nextRunning(problems),
      this.#nextLive(problems),
    ])
    this.#atHand({ running })
    const { seenSet, seenLive } = this.#known
    const isNewest = (seenSet?.set.live?.sequence ?? 0) <= (seenLive?.pointer.sequence ?? 0)
    const isWhole = isNewest && seenLive?.json === runningLive?.json
    if (isWhole && (runningLive?.kept.size ?? 0) === 0) return { running, runningLive }
    // A proxy that comes into force brings its live data with it; those that run keep what they had.
    const held = new Map(running)
    for (const [key, one] of running) {
      if (isWhole && !runningLive?.kept.has(one.pointer.project)) continue
      const old = this.#known.running.get(key)
      if (one.snapshot === null || (old !== undefined && old.snapshot !== null)) continue
      if (old === undefined) held.delete(key)
      else held.set(key, old)
      problems.push(problemOf(one, 'live-unavailable', 'waits for its live data'))
    }
    return { running: held, runningLive }
  }

  async #handOver(
    from: SubscribedState['from'],
    running: ReadonlyMap<string, Running>,
    held: readonly HeldPlace[],
    live: RunningLive | undefined,
  ): Promise<StateResult | undefined> {
    try {
      return (await this.#options.onState(stateOf(from, running, held, live))) ?? noProblems
    } catch (error) {
      this.#alarm({ code: 'state-not-applied', message: reasonOf(error) })
      return undefined
    }
  }

  /** What the gateway refuses stays as it was: on disk, and in what is reported. */
  #keepOld(before: Known, { problems }: StateResult, all: GatewayProblem[]): void {
    const { running, runningLive } = this.#known
    const kept = new Map(running)
    for (const { project, apiProxy, code, message } of problems) {
      const key = keyOf({ project, apiProxy })
      const now = running.get(key)
      const then = before.running.get(key)
      const isNew = now !== undefined && now !== then
      const sequence = now?.pointer.sequence ?? runningLive?.pointer.sequence ?? 0
      const problem = { project, apiProxy, sequence, code, message }
      this.#alarm(problem, `${code} ${key} ${sequence} ${message}`)
      all.push({ ...problem, message: message.slice(0, longestMessage) })
      if (!isNew || liveCodes.has(code)) continue
      if (now.snapshot !== null) this.#verified.set(now.pointer.hash as string, now.snapshot)
      if (then === undefined) kept.delete(key)
      else kept.set(key, then)
    }
    this.#known = { ...this.#known, running: kept }
  }

  async #nextRunning(problems: GatewayProblem[]): Promise<ReadonlyMap<string, Running>> {
    const { seenSet, seen, running } = this.#known
    // The manager has forgotten the others: a database that was restored.
    const next = new Map([...running].filter(([key]) => seenSet?.entries.has(key)))
    // What was shown before, and is not what the set names, is not to come into force any more.
    const missing = [...seen].filter(
      ([key, { json, pointer }]) =>
        running.get(key)?.json !== json && seenSet?.entries.get(key)?.sequence === pointer.sequence,
    )
    await this.#fetchMany(missing.map(([, { pointer }]) => pointer))
    await eachOf(missing, concurrent, async ([key, one]) => {
      const { hash } = one.pointer
      const old = running.get(key)
      if (hash === null) {
        next.set(key, { ...one, snapshot: null })
      } else if (hash === old?.pointer.hash) {
        next.set(key, { ...one, snapshot: old.snapshot })
      } else {
        const snapshot = await this.#snapshotOf(one, problems)
        if (snapshot !== undefined) next.set(key, { ...one, snapshot })
      }
    })
    return missing.length === 0 && next.size === running.size ? running : next
  }

  /** Where many are missing, they come in one answer; what is not in it, or is not whole, is fetched by itself. */
  async #fetchMany(pointers: readonly Pointer[]): Promise<void> {
    const wanted = new Map<string, Pointer>()
    for (const pointer of pointers) {
      const { hash } = pointer
      if (hash !== null && !this.#verified.has(hash)) wanted.set(hash, pointer)
    }
    if (wanted.size < manyMissing) return
    try {
      const answer = await this.#client.open('snapshots/', { signal: this.#closing.signal })
      if (answer.statusCode !== 200) {
        answer.destroy()
        return
      }
      for await (const line of linesOf(chunksOf(answer), maxSnapshotBytes)) {
        const pointer = wanted.get(sha256Hex(line))
        const read = pointer && verifySnapshot(line, pointer)
        if (read?.ok) this.#verified.set(pointer?.hash as string, read.value)
      }
    } catch (error) {
      if (!(error instanceof ManagerUnreachable || error instanceof ManagerRefused)) throw error
    }
  }

  async #snapshotOf(
    { pointer }: Pick<Running, 'pointer'>,
    problems: GatewayProblem[],
  ): Promise<Snapshot | undefined> {
    const { hash } = pointer
    const { project, apiProxy, sequence } = pointer
    const known = this.#verified.get(hash as string)
    if (known?.project === project && known.apiProxy === apiProxy) return known
    const whose = { project, apiProxy, sequence }
    const octets = await this.#fetch(
      `snapshots/${hash}/`,
      maxSnapshotBytes,
      'snapshot-unavailable',
      whose,
      problems,
    )
    if (octets === undefined) return undefined
    const read = verifySnapshot(octets, pointer)
    if (read.ok) {
      this.#verified.set(hash as string, read.value)
      return read.value
    }
    this.#refuseContent(read.failure, whose, problems)
    return undefined
  }

  async #nextLive(problems: GatewayProblem[]): Promise<RunningLive | undefined> {
    const { seenLive, runningLive } = this.#known
    if (seenLive === undefined) return runningLive
    const { pointer } = seenLive
    const isKnown = pointer.hash === runningLive?.pointer.hash
    if (isKnown && runningLive.kept.size === 0) {
      return seenLive.json === runningLive.json ? runningLive : { ...runningLive, ...seenLive }
    }
    const data = isKnown ? runningLive.data : await this.#liveData(pointer, problems)
    return data === undefined ? runningLive : await this.#withCrls({ ...seenLive, data }, problems)
  }

  async #liveData(pointer: LivePointer, problems: GatewayProblem[]): Promise<LiveData | undefined> {
    const whose = { project: '', apiProxy: '', sequence: pointer.sequence }
    const octets = await this.#fetch(
      `live/${pointer.hash}/`,
      maxLiveBytes,
      'live-unavailable',
      whose,
      problems,
    )
    if (octets === undefined) return undefined
    const read = verifyLiveData(octets, pointer)
    if (read.ok) return read.value
    this.#refuseContent(read.failure, whose, problems)
    return undefined
  }

  /**
   * The lists of each project by themselves: a project whose lists are not to be had, or are too large, keeps those that it had, and holds
   * nobody else up. Kill list entries are all in force.
   */
  async #withCrls(next: OfLive, problems: GatewayProblem[]): Promise<RunningLive> {
    const { sequence } = next.pointer
    const byProject = new Map<string, Set<string>>()
    for (const { project, sha256 } of next.data.crls) {
      const digests = byProject.get(project)
      if (digests === undefined) byProject.set(project, new Set([sha256]))
      else digests.add(sha256)
    }
    const fetched = await this.#fetchCrls(byProject, sequence)
    const crls = new Map<string, Uint8Array>()
    const kept = new Map<string, OfLive | null>()
    this.#spareCrls.clear()
    let left = liveCapacity('crlOctets')
    const all = Array.from(byProject, ([project, digests]) => {
      const own = Array.from(digests, (sha256) => ({ sha256, ...fetched.get(sha256) }))
      const octets =
        this.#tooLargeOf(project, digests) ??
        own.reduce((length, { der }) => length + (der?.length ?? 0), 0)
      return { project, digests, own, octets }
    })
    // Those with little first: where there is no room for all, it is who takes the most of it that goes without.
    for (const { project, digests, own, octets } of all.sort((a, b) => a.octets - b.octets)) {
      const whose = { project, apiProxy: '', sequence }
      const isTooLarge = octets > Math.min(left, liveLimits.crlOctets.perProject)
      // Not to be fetched again and again, only to be thrown away.
      if (isTooLarge) this.#tooLarge.set(project, { digests: textOf(digests), octets })
      else this.#tooLarge.delete(project)
      if (isTooLarge) {
        const message = `${octets} octets of CRLs are more than there is room for`
        this.#problem('crls-too-large', message, whose, problems)
      } else if (own.every(({ der }) => der !== undefined)) {
        for (const { sha256, der } of own) crls.set(sha256, der as Uint8Array)
        left -= octets
        continue
      } else {
        for (const { sha256, der } of own) if (der !== undefined) this.#spareCrls.set(sha256, der)
        const found = own.flatMap((one) => one.problems ?? [])
        // There is room for them again.
        const late = { ...whose, code: 'crl-unavailable', message: 'lists are to be fetched again' }
        problems.push(...(found.length === 0 ? [late] : found))
      }
      kept.set(project, this.#olderOf(project))
    }
    const have = this.#known.runningLive?.crls
    for (const [project, older] of kept) {
      for (const { sha256 } of crlsOfProject(older?.data, project)) {
        crls.set(sha256, have?.get(sha256) as Uint8Array)
      }
    }
    return { ...next, crls, kept }
  }

  /** Octets of lists that were found to be too large before. */
  #tooLargeOf(project: string, digests: ReadonlySet<string>): number | undefined {
    const known = this.#tooLarge.get(project)
    return known?.digests === textOf(digests) ? known.octets : undefined
  }

  /** The live data whose lists of the project are in force. */
  #olderOf(project: string): OfLive | null {
    const { runningLive } = this.#known
    if (runningLive === undefined) return null
    const older = runningLive.kept.get(project)
    if (older !== undefined) return older
    const { json, pointer, data } = runningLive
    return { json, pointer, data }
  }

  /**
   * Lists of projects that are not known to be too large. Waits a moment for those that are not here yet: a large one that takes longer
   * must not keep a kill list entry of somebody else from being in force, and comes with the next look.
   */
  async #fetchCrls(
    byProject: ReadonlyMap<string, ReadonlySet<string>>,
    sequence: number,
  ): Promise<ReadonlyMap<string, FetchedCrl>> {
    const have = this.#known.runningLive?.crls
    const found = new Map<string, FetchedCrl>()
    const waiting = new Map<string, Promise<FetchedCrl>>()
    for (const [project, digests] of byProject) {
      if (this.#tooLargeOf(project, digests) !== undefined) continue
      for (const sha256 of digests) {
        const der = have?.get(sha256) ?? this.#spareCrls.get(sha256)
        if (der !== undefined) found.set(sha256, { der, problems: [] })
        else waiting.set(sha256, this.#crl(sha256, { project, apiProxy: '', sequence }))
      }
    }
    // What is on its way and no longer wanted ends by itself, and is not kept.
    for (const sha256 of this.#crlFetches.keys()) {
      if (!waiting.has(sha256)) this.#crlFetches.delete(sha256)
    }
    const arriving = Array.from(waiting, async ([sha256, fetching]) => {
      found.set(sha256, await fetching)
    })
    const moment = new AbortController()
    await Promise.race([Promise.all(arriving), pause(patienceMs, moment.signal)])
    moment.abort()
    const taken = new Map(found)
    for (const sha256 of taken.keys()) this.#crlFetches.delete(sha256)
    const late = new Map([...waiting].filter(([sha256]) => !taken.has(sha256)))
    if (late.size === 0) return taken
    void Promise.race(late.values()).then(() => {
      if (!this.#closing.signal.aborted) this.#work()
    })
    for (const [project, digests] of byProject) {
      const missing = [...digests].find((sha256) => late.has(sha256))
      if (missing === undefined) continue
      const message = `the list ${missing} is on its way`
      const problem = { project, apiProxy: '', sequence, code: 'crl-unavailable', message }
      taken.set(missing, { der: undefined, problems: [problem] })
    }
    return taken
  }

  /** Begun once, whoever asks for it again. */
  #crl(sha256: string, whose: Whose): Promise<FetchedCrl> {
    const begun = this.#crlFetches.get(sha256)
    if (begun !== undefined) return begun
    const fetching = this.#fetchCrl(sha256, whose)
    this.#crlFetches.set(sha256, fetching)
    return fetching
  }

  async #fetchCrl(sha256: string, whose: Whose): Promise<FetchedCrl> {
    const problems: GatewayProblem[] = []
    const path = `crls/${sha256}/`
    const octets = await this.#fetch(path, maxCrlBytes, 'crl-unavailable', whose, problems)
    if (octets === undefined) return { der: undefined, problems }
    const read = verifyCrl(octets, sha256)
    if (read.ok) return { der: read.value, problems }
    this.#refuseContent(read.failure, whose, problems)
    return { der: undefined, problems }
  }

  async #fetch(
    path: string,
    maximum: number,
    code: AlarmCode,
    whose: Whose,
    problems: GatewayProblem[],
  ): Promise<Uint8Array | undefined> {
    try {
      const asked = { signal: this.#closing.signal }
      return (await this.#client.ask(path, asked, [200], maximum)).body
    } catch (error) {
      if (!(error instanceof ManagerUnreachable || error instanceof ManagerRefused)) throw error
      if (this.#closing.signal.aborted) return undefined
      // What was replaced a moment ago is no longer to be had, and the next state is on its way: nothing to be alarmed at yet.
      const since = this.#failing.get(path) ?? performance.now()
      this.#failing.set(path, since)
      if (performance.now() - since >= this.#times.graceMs) {
        this.#problem(code, error.message, whose, problems)
      } else {
        problems.push({ ...whose, code, message: error.message.slice(0, longestMessage) })
      }
      return undefined
    }
  }

  #refuseContent(failure: DeploymentFailure, whose: Whose, problems: GatewayProblem[]): void {
    this.#problem(failure.code, describeDeploymentFailure(failure), whose, problems)
  }

  #problem(code: AlarmCode, message: string, whose: Whose, problems: GatewayProblem[]): void {
    this.#alarm({ code, message, ...whose }, textOfProblem({ code, ...whose }))
    problems.push({ ...whose, code, message: message.slice(0, longestMessage) })
  }

  /** Of what nobody wants any more nothing is kept. */
  #dropVerified(): void {
    const { seen, running } = this.#known
    const wanted = new Set<string | null>()
    for (const [key, { json, pointer }] of seen) {
      if (running.get(key)?.json !== json) wanted.add(pointer.hash)
    }
    for (const hash of this.#verified.keys()) if (!wanted.has(hash)) this.#verified.delete(hash)
  }

  #forgetFailures(): void {
    this.#retries = 0
    this.#failing.clear()
  }

  /** What could not be fetched, or was damaged on its way, may be whole the next time. */
  #retryLater(): void {
    clearTimeout(this.#retryTimer)
    const { firstRetryMs, maxRetryMs } = this.#times
    const longest = Math.min(maxRetryMs, firstRetryMs * 2 ** Math.min(this.#retries++, 16))
    const delay = longest * (0.5 + this.#random() / 2)
    this.#retryTimer = setTimeout(async () => {
      if (this.#isShort()) await this.#askAgain()
      if (!this.#closing.signal.aborted) this.#work()
    }, delay)
  }

  // Keeping and telling.

  /** Of several changes during one writing the last is written. */
  #store(): void {
    this.#hasSeenMore = false
    this.#isStored = false
    this.#isStoreDue = true
    this.#storing ??= this.#storeNow().finally(() => {
      this.#storing = undefined
      if (this.#isStoreDue) this.#store()
    })
  }

  async #storeNow(): Promise<void> {
    while (this.#isStoreDue) {
      this.#isStoreDue = false
      const known = this.#known
      try {
        await this.#folder.write(storedText(known), storedContents(known))
        this.#isStored = !this.#isStoreDue
        this.#told.delete('state-not-stored')
      } catch (error) {
        this.#alarm({ code: 'state-not-stored', message: reasonOf(error) }, 'state-not-stored')
      }
    }
  }

  async #reportRegularly(): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      this.#report()
      // A disk that was full may have room again.
      if (!this.#isStored) this.#store()
      await pause(this.#times.reportMs, signal)
    }
  }

  #report(): void {
    this.#isReportDue = true
    this.#reporting ??= this.#reportNow().finally(() => {
      this.#reporting = undefined
      if (this.#isReportDue && !this.#closing.signal.aborted) this.#report()
    })
  }

  async #reportNow(): Promise<void> {
    const { signal } = this.#closing
    while (this.#isReportDue && !signal.aborted) {
      this.#isReportDue = false
      const body = JSON.stringify(this.#reportOf())
      try {
        const asked = { method: 'PUT', body, signal } as const
        await this.#client.ask(this.#reportPath(), asked, [204], 65_536)
      } catch (error) {
        // The next one is due soon, and the loops above tell that the manager is away.
        if (!(error instanceof ManagerUnreachable || error instanceof ManagerRefused)) throw error
      }
    }
  }

  #reportOf(): GatewayReport {
    const { gateway, environment } = this.#options
    const { runningLive } = this.#known
    return {
      gateway,
      environment,
      runs: this.#runs(),
      live:
        runningLive === undefined
          ? null
          : { hash: runningLive.pointer.hash, sequence: runningLive.pointer.sequence },
      problems: this.#problems(),
    }
  }

  #problems(): readonly GatewayProblem[] {
    return [...this.#damage, ...this.#refusals, ...this.#missing, ...this.#unsettled]
  }

  #runs(): GatewayReport['runs'] {
    return Array.from(this.#known.running.values(), ({ pointer }) => {
      const { project, apiProxy, hash, sequence } = pointer
      return { project, apiProxy, hash, sequence }
    })
  }

  #reportPath(): string {
    return `gateways/${encodeURIComponent(this.#options.gateway)}/report/`
  }

  async #sayGoodbye(): Promise<void> {
    if (this.#channel === 'away') return
    try {
      const asked = { method: 'DELETE', signal: AbortSignal.timeout(1000) } as const
      await this.#client.ask(this.#reportPath(), asked, [204], 65_536)
    } catch (error) {
      // It will find out by itself.
      if (!(error instanceof ManagerUnreachable || error instanceof ManagerRefused)) throw error
    }
  }

  /** @param once - What tells this alarm apart from others; absent: it is always told. */
  #alarm(alarm: SubscriptionAlarm, once?: string): void {
    if (once !== undefined) {
      if (this.#told.has(once)) return
      if (this.#told.size >= maxTold) this.#told.clear()
      this.#told.add(once)
    }
    this.#options.onAlarm?.(alarm)
  }
}

/** What became of asking for a list. */
interface FetchedCrl {
  /** `undefined`: it is not to be had, or not yet. */
  readonly der: Uint8Array | undefined
  readonly problems: readonly GatewayProblem[]
}

interface Whose {
  readonly project: string
  readonly apiProxy: string
  readonly sequence: number
}

/** What it no longer names is not deployed. */
function withSet(known: Known, seenSet: SeenSet): Known {
  const seen = new Map([...known.seen].filter(([key]) => seenSet.entries.has(key)))
  return { ...known, seenSet, seen }
}

function problemOf({ pointer }: Running, code: AlarmCode, message: string): GatewayProblem {
  const { project, apiProxy, sequence } = pointer
  return { project, apiProxy, sequence, code, message }
}

/** The same for the same problem, in whatever words. */
function textOfProblem({ code, ...whose }: Whose & Pick<GatewayProblem, 'code'>): string {
  return `${code} ${keyOf(whose)} ${whose.sequence}`
}

function setOf(
  running: ReadonlyMap<string, Running>,
  live: RunningLive | undefined,
  held: readonly HeldPlace[],
): string {
  const parts = Array.from(running, ([key, { pointer }]) => `${key} ${pointer.sequence}`)
  const kept = [...(live?.kept.keys() ?? [])].sort()
  const places = held.map((one) => JSON.stringify(one))
  return [live?.pointer.sequence ?? 0, kept.length, ...kept, ...places, ...parts].join('\n\n')
}

function stateOf(
  from: SubscribedState['from'],
  running: ReadonlyMap<string, Running>,
  held: readonly HeldPlace[],
  live: RunningLive | undefined,
): SubscribedState {
  const proxies: { hash: string; sequence: number; snapshot: Snapshot }[] = []
  for (const { pointer, snapshot } of running.values()) {
    if (snapshot === null) continue
    proxies.push({ hash: pointer.hash as string, sequence: pointer.sequence, snapshot })
  }
  const crls = (live === undefined ? [] : crlsInForce(live)).map((one) => ({
    ...one,
    der: live?.crls.get(one.sha256) as Uint8Array,
  }))
  return { from, proxies, held, crls, killList: live?.data.killList ?? [] }
}

function textOf(digests: ReadonlySet<string>): string {
  return [...digests].sort().join()
}

/** `undefined`: no JSON, and so no state either. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return undefined
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    signal.addEventListener('abort', end)
  })
}

function reasonOf(error: unknown): string {
  return error instanceof Error
    ? ((error as NodeJS.ErrnoException).code ?? error.message)
    : String(error)
}

/** Of no proxy in particular. */
const nobodys: Whose = { project: '', apiProxy: '', sequence: 0 }
const noProblems: StateResult = { problems: [] }
const retried: ReadonlySet<string> = new Set<AlarmCode>([
  'snapshot-unavailable',
  'live-unavailable',
  'crl-unavailable',
  'snapshot-hash-mismatch',
  'live-hash-mismatch',
  'crl-hash-mismatch',
  'state-not-applied',
])
/** Of a gateway's problems: about live data, whichever proxy has them. */
const liveCodes: ReadonlySet<string> = new Set(['kill-entry-unusable', 'crl-unusable'])
const concurrent = 16
/** Milliseconds for which everything waits for CRLs. */
const patienceMs = 250
const manyMissing = 8
const maxTold = 4096
const longestMessage = 2048
/** Local limits. */
const maxStateBytes = 67_108_864
const maxCrlBytes = 67_108_864
