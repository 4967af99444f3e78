/** Kill lists and revocation data in force: they outlive snapshots, and change without them. @module */

import type { KillEntryJson } from '../deployment/live.ts'
import type { Snapshot } from '../deployment/snapshot.ts'
import { createKillList, type KillList } from '../revocation/kill-list.ts'
import { type KillListEntry, readKillEntry } from '../revocation/kill-list-entry.ts'
import type { RevocationEvent } from '../runtime/revocation/event.ts'
import type { CertificateList } from '../x509/crl.ts'
import { parseCrl } from '../x509/parse-crl.ts'
import type { LiveTrust } from './api-proxy.ts'
import { keyOf } from './proxy-key.ts'
import { LiveRevocation } from './revocation.ts'
import { ScopedKillList } from './scoped-kill-list.ts'
import type { ApplyProblem, GatewayState, ScopedCrl } from './state.ts'

interface HeldRevocation {
  readonly settings: string
  readonly revocation: LiveRevocation
}

type OnEvent = (of: Pick<Snapshot, 'project' | 'apiProxy'>, event: RevocationEvent) => void

export class LiveTrusts {
  readonly #onEvent: OnEvent
  /** By project, and by project and proxy: from the beginning, for a proxy that stays as it is must get an entry of its own, too. */
  readonly #killLists = new Map<string, KillList>()
  /** What each was filled from. */
  readonly #contents = new WeakMap<KillList, string>()
  readonly #revocations = new Map<string, HeldRevocation>()
  /** Those whose settings changed: they serve until the new snapshot is in force. */
  #replaced: readonly (readonly [key: string, revocation: LiveRevocation])[] = []
  readonly #formerKillLists = new Former<KillList>()
  readonly #formerRevocations = new Former<LiveRevocation>()
  /** Lists that are in use, by their digests: parsing one of a million entries is not done twice. */
  #parsed = new Map<string, CertificateList>()
  #entries: Scoped<KillEntryJson> = new Scoped()
  #crls: Scoped<CertificateList> = new Scoped()
  /** Of each project those of the last update in which all could be read. */
  #whole: Scoped<CertificateList> = new Scoped()

  constructor(onEvent: OnEvent) {
    this.#onEvent = onEvent
  }

  /** Puts what changed in force at once, for the proxies that are running. */
  update({ crls, killList }: GatewayState): readonly ApplyProblem[] {
    const problems: ApplyProblem[] = []
    this.#entries = new Scoped()
    for (const { project, apiProxy, entry } of killList) this.#entries.add(project, apiProxy, entry)
    const next = new Scoped<CertificateList>()
    const parsed = new Map<string, CertificateList>()
    const unusable = new Set<string>()
    for (const one of crls) {
      const list = this.#parse(one, problems)
      if (list === undefined) {
        unusable.add(one.project)
        continue
      }
      parsed.set(one.sha256, list)
      next.add(one.project, one.apiProxy, list)
    }
    const whole = new Scoped<CertificateList>()
    whole.addOf(next, (project) => !unusable.has(project))
    // Without the list that an unreadable one was to replace, the project would let in who is on it.
    whole.addOf(this.#whole, (project) => unusable.has(project))
    next.addOf(this.#whole, (project) => unusable.has(project))
    this.#whole = whole
    this.#crls = next
    this.#parsed = parsed
    for (const [key, list] of this.#killLists) this.#fill(key, list, problems)
    for (const [key, { revocation }] of this.#revocations) revocation.upload(this.#listsOf(key))
    for (const [key, revocation] of this.#replaced) revocation.upload(this.#listsOf(key))
    // What cannot be read was told above, if there is anybody to be told.
    for (const [key, list] of this.#formerKillLists.all()) this.#fill(key, list, [])
    for (const [key, revocation] of this.#formerRevocations.all()) {
      revocation.upload(this.#listsOf(key))
    }
    return problems
  }

  /** What is in force for a proxy; the same objects as long as they need not be others. */
  of(snapshot: Snapshot, problems: ApplyProblem[]): LiveTrust {
    const key = keyOf(snapshot)
    const ofProject = this.#killListOf(snapshot.project, createKillList, problems)
    const killList = this.#killListOf(key, () => new ScopedKillList(ofProject), problems)
    return { killList, revocation: this.#revocationOf(key, snapshot) }
  }

  /** Ends what no proxy uses any more. A request that is under way may: what is new reaches it all the same. */
  keepOnly(used: ReadonlySet<object>): void {
    const projects = new Set<string>()
    for (const [key, list] of this.#killLists) if (used.has(list)) projects.add(projectOf(key))
    for (const [key, list] of this.#killLists) {
      if (used.has(list) || projects.has(key)) continue
      this.#killLists.delete(key)
      this.#formerKillLists.add(key, list)
    }
    for (const [key, { revocation }] of this.#revocations) {
      if (used.has(revocation)) continue
      this.#revocations.delete(key)
      this.#end(key, revocation)
    }
    // One whose proxy could not be built anew serves on, and ends another time.
    const ended = this.#replaced.filter(([, revocation]) => !used.has(revocation))
    this.#replaced = this.#replaced.filter(([, revocation]) => used.has(revocation))
    for (const [key, revocation] of ended) this.#end(key, revocation)
  }

  #end(key: string, revocation: LiveRevocation): void {
    this.#formerRevocations.add(key, revocation)
    void revocation.close()
  }

  #killListOf(key: string, create: () => KillList, problems: ApplyProblem[]): KillList {
    const known = this.#killLists.get(key)
    if (known !== undefined) return known
    const list = create()
    this.#killLists.set(key, list)
    this.#fill(key, list, problems)
    return list
  }

  #revocationOf(key: string, snapshot: Snapshot): LiveRevocation | undefined {
    if (snapshot.revocation === null) return undefined
    const { urls, distributionPoints, responder, allowAddresses } = snapshot.revocation
    const settings = JSON.stringify([urls, distributionPoints, responder, allowAddresses])
    const known = this.#revocations.get(key)
    if (known?.settings === settings) return known.revocation
    const { project, apiProxy } = snapshot
    const revocation = new LiveRevocation(snapshot.revocation, (event) =>
      this.#onEvent({ project, apiProxy }, event),
    )
    revocation.upload(this.#listsOf(key))
    if (known !== undefined) this.#replaced = [...this.#replaced, [key, known.revocation]]
    this.#revocations.set(key, { settings, revocation })
    return revocation
  }

  #listsOf(key: string): readonly CertificateList[] {
    return [...this.#crls.own(key), ...this.#crls.own(projectOf(key))]
  }

  #fill(key: string, list: KillList, problems: ApplyProblem[]): void {
    const project = projectOf(key)
    const apiProxy = key.slice(project.length + 1)
    const all = this.#entries.own(key)
    const content = all.length === 0 ? '' : JSON.stringify(all)
    if (content === (this.#contents.get(list) ?? '')) return
    const read: KillListEntry[] = []
    for (const [index, entry] of all.entries()) {
      const one = readEntry(entry, index)
      if (typeof one !== 'string') read.push(one)
      else problems.push({ project, apiProxy, code: 'kill-entry-unusable', message: one })
    }
    list.replace(read)
    this.#contents.set(list, content)
  }

  #parse(crl: ScopedCrl, problems: ApplyProblem[]): CertificateList | undefined {
    const known = this.#parsed.get(crl.sha256)
    if (known !== undefined) return known
    const parsed = parseCrl(new Uint8Array(crl.der))
    if (parsed.ok) return parsed.value
    const { project, apiProxy } = crl
    const message = `the list ${crl.sha256} cannot be read: ${parsed.failure.code}`
    problems.push({ project, apiProxy: apiProxy ?? '', code: 'crl-unusable', message })
    return undefined
  }
}

/** What no proxy in force has, and what is there for as long as a request that is under way has it. */
class Former<T extends object> {
  #refs: (readonly [key: string, ref: WeakRef<T>])[] = []

  add(key: string, value: T): void {
    this.#refs.push([key, new WeakRef(value)])
  }

  all(): readonly (readonly [key: string, value: T])[] {
    this.#refs = this.#refs.filter(([, ref]) => ref.deref() !== undefined)
    return this.#refs.flatMap(([key, ref]) => {
      const value = ref.deref()
      return value === undefined ? [] : [[key, value] as const]
    })
  }
}

/** What belongs to a project or to one of its proxies, by `keyOf` or the project's name. */
class Scoped<T> {
  readonly #by = new Map<string, T[]>()

  add(project: string, apiProxy: string | null, value: T): void {
    const key = apiProxy === null ? project : keyOf({ project, apiProxy })
    const list = this.#by.get(key)
    if (list === undefined) this.#by.set(key, [value])
    else list.push(value)
  }

  own(key: string): readonly T[] {
    return this.#by.get(key) ?? []
  }

  /** What such projects and their proxies have there, beside what they have here. */
  addOf(from: Scoped<T>, isMeant: (project: string) => boolean): void {
    for (const [key, list] of from.#by) {
      if (!isMeant(projectOf(key))) continue
      const own = this.#by.get(key) ?? []
      this.#by.set(key, [...own, ...list.filter((one) => !own.includes(one))])
    }
  }
}

function projectOf(key: string): string {
  const end = key.indexOf('\n')
  return end === -1 ? key : key.slice(0, end)
}

/** @returns Why it is none, as a text: one bad entry must not keep the others from being in force. */
function readEntry({ expires, ...entry }: KillEntryJson, index: number): KillListEntry | string {
  const given = expires === undefined ? entry : { ...entry, expires: new Date(expires) }
  try {
    return readKillEntry(given, index).entry
  } catch (error) {
    if (error instanceof TypeError && 'code' in error) return error.message
    throw error
  }
}
