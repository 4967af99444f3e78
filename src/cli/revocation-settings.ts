/** From the options about revocation to what the core takes: lists, responses, a source that fetches, a kill list. @module */

import { resolve } from 'node:path'
import type { RevocationOptions } from '../client/revocation-options.ts'
import { Crls } from '../revocation/crls.ts'
import type { KillList } from '../revocation/kill-list.ts'
import type { StatusProvider, WantedStatus } from '../revocation/provider.ts'
import { OcspResponses } from '../revocation/responses.ts'
import type { RevocationMode } from '../revocation/rule.ts'
import { createRevocationSource, type RevocationSource } from '../revocation.ts'
import type { RevocationEvent } from '../runtime/revocation/event.ts'
import { readUri } from '../runtime/revocation/uri.ts'
import type { CertificateList } from '../x509/crl.ts'
import type { OcspResponse } from '../x509/ocsp.ts'
import { allowedAddresses, type Fetched, type FetchFlags, recordOf, timeoutOf } from './fetching.ts'
import { type Io, UsageError } from './io.ts'
import { fetchReason } from './render/fetched.ts'
import { readCrls, readKillList, readOcspResponses } from './revocation-files.ts'
import type { RevocationRule } from './revocation-rule.ts'

/** Of `check` and `explain`. */
export interface RevocationFlags extends FetchFlags {
  readonly crl: readonly string[]
  readonly ocsp: readonly string[]
  readonly revocation?: RevocationRule
  readonly fetch?: true
  readonly cache?: string
  readonly killList?: string
}

export interface RevocationSettings {
  /** Absent: not checked. */
  readonly revocation: RevocationOptions | undefined
  readonly killList: KillList | undefined
  /** Whether the network is asked: then only the async driver waits for it. */
  readonly fetches: boolean
  /** What was asked so far. */
  readonly fetched: () => readonly Fetched[]
  /** Ends what was begun. */
  readonly close: () => Promise<void>
}

/**
 * Reads what is named, and begins to fetch.
 *
 * @throws UsageError
 */
export async function readRevocation(flags: RevocationFlags, io: Io): Promise<RevocationSettings> {
  const killList = flags.killList === undefined ? undefined : await readKillList(flags.killList, io)
  refuseContradictions(flags)
  const mode = modeOf(flags)
  if (mode === 'none') {
    const revocation: RevocationOptions | undefined = flags.revocation && { mode }
    return { revocation, killList, ...nothingFetched }
  }
  const urls = flags.crl.filter(isUrl)
  const lists = await readCrls(
    flags.crl.filter((name) => !isUrl(name)),
    io,
  )
  const responses = await readOcspResponses(flags.ocsp, io)
  const rule = { ...flags.revocation, mode }
  if (!flags.fetch) {
    return { revocation: given(rule, lists, responses), killList, ...nothingFetched }
  }
  const events: RevocationEvent[] = []
  const source = createRevocationSource({
    crls: { urls, distributionPoints: true },
    ocsp: { responder: 'aia' },
    timeout: timeoutOf(flags),
    cacheFolder: flags.cache === undefined ? undefined : resolve(io.cwd, flags.cache),
    allowAddresses: allowedAddresses(flags),
    now: io.now,
    onEvent: (event) => events.push(event),
  })
  await source.ready()
  const provided = { source: new WithFiles(source, lists, responses), wait: longestWait }
  return {
    revocation: fetchedBy(rule, provided),
    killList,
    fetches: true,
    fetched: () => recordOf(events),
    close: source.close,
  }
}

/** Whether a name is for the network. */
export function isUrl(name: string): boolean {
  return /^https?:\/\//i.test(name)
}

/** For commands that judge nothing by it, and for runs that fetch nothing. */
export const nothingFetched: Pick<RevocationSettings, 'fetches' | 'fetched' | 'close'> = {
  fetches: false,
  fetched: () => [],
  close: async () => {},
}

function given(
  { mode, ...rule }: RevocationRule,
  lists: readonly CertificateList[],
  responses: readonly OcspResponse[],
): RevocationOptions {
  const crls = new Crls(lists)
  const ocspResponses = new OcspResponses(responses)
  switch (mode) {
    case 'none':
      return { mode }
    case 'crl':
      return { mode, ...rule, crls }
    case 'ocsp':
      return { mode, ...rule, ocspResponses }
    case 'crl-or-ocsp':
      return { mode, ...rule, crls, ocspResponses }
  }
}

function fetchedBy(
  { mode, ...rule }: RevocationRule,
  provided: { readonly source: StatusProvider; readonly wait: number },
): RevocationOptions {
  switch (mode) {
    case 'none':
      return { mode }
    case 'crl':
      return { mode, ...rule, ...provided }
    case 'ocsp':
      return { mode, ...rule, ...provided }
    case 'crl-or-ocsp':
      return { mode, ...rule, ...provided }
  }
}

/** What is fetched, and beside it what was named: a source knows files of its own, and no responses in files. */
class WithFiles implements StatusProvider {
  readonly #source: RevocationSource
  readonly #lists: readonly CertificateList[]
  readonly #responses: readonly OcspResponse[]
  #joined: { readonly epoch: number; readonly crls: Crls; readonly responses: OcspResponses }

  constructor(
    source: RevocationSource,
    lists: readonly CertificateList[],
    responses: readonly OcspResponse[],
  ) {
    this.#source = source
    this.#lists = lists
    this.#responses = responses
    this.#joined = this.#join()
  }

  get epoch(): number {
    return this.#source.epoch
  }

  get crls(): Crls {
    return this.#current().crls
  }

  get responses(): OcspResponses {
    return this.#current().responses
  }

  readonly request = (wanted: WantedStatus): Promise<void> | undefined =>
    this.#source.request(wanted)

  #current() {
    if (this.#joined.epoch !== this.#source.epoch) this.#joined = this.#join()
    return this.#joined
  }

  #join() {
    const { epoch, crls, responses } = this.#source
    return {
      epoch,
      crls: new Crls([...this.#lists, ...crls.lists]),
      responses: new OcspResponses([...this.#responses, ...responses.responses]),
    }
  }
}

function modeOf({ crl, ocsp, revocation, fetch }: RevocationFlags): RevocationMode {
  if (revocation !== undefined) return revocation.mode
  const hasCrl = crl.length > 0
  const hasOcsp = ocsp.length > 0
  if (hasCrl !== hasOcsp) return hasCrl ? 'crl' : 'ocsp'
  return hasCrl || fetch ? 'crl-or-ocsp' : 'none'
}

function refuseContradictions(flags: RevocationFlags): void {
  const { crl, ocsp, fetch, revocation } = flags
  if (!fetch) {
    const url = crl.find(isUrl)
    if (url !== undefined) {
      throw conflict(
        `--crl ${url}: nothing is fetched without --fetch`,
        'add --fetch, or get the list with mtls-policy crl fetch and name the file',
      )
    }
    const idle = (
      [
        ['--cache', flags.cache],
        ['--timeout', flags.timeout],
        ['--allow-private-addresses', flags.allowPrivateAddresses],
      ] as const
    ).find(([, value]) => value !== undefined)
    if (idle !== undefined)
      throw conflict(`${idle[0]} has no effect without --fetch`, 'add --fetch')
  }
  for (const url of crl.filter(isUrl)) {
    const read = readUri(url)
    if (read.ok) continue
    const { message, remedy } = fetchReason(read.failure)
    throw new UsageError('usage-invalid-value', `--crl ${url}: ${message}`, remedy)
  }
  if (revocation === undefined) return
  const { mode } = revocation
  const named = (
    option: string,
    isThere: boolean | undefined,
    looksAt: readonly RevocationMode[],
  ) => {
    if (!isThere || looksAt.includes(mode)) return
    throw conflict(
      `--revocation ${mode} does not look at ${option}`,
      mode === 'none'
        ? `leave ${option} out, or write --revocation ${looksAt[0]}`
        : `leave ${option} out, or write --revocation crl-or-ocsp`,
    )
  }
  named('--crl', crl.length > 0, ['crl', 'crl-or-ocsp'])
  named('--ocsp', ocsp.length > 0, ['ocsp', 'crl-or-ocsp'])
  named('--fetch', fetch, ['crl-or-ocsp', 'crl', 'ocsp'])
  if (fetch || mode === 'none') return
  if (mode !== 'ocsp' && crl.length === 0) throw missing(mode, 'list', '--crl FILE', 'ocsp')
  if (mode !== 'crl' && ocsp.length === 0) throw missing(mode, 'response', '--ocsp FILE', 'crl')
}

function missing(mode: string, what: string, option: string, other: string): UsageError {
  const instead = mode === 'crl-or-ocsp' ? `, or write --revocation ${other}` : ''
  return new UsageError(
    'usage-missing-option',
    `--revocation ${mode} wants a ${what}, and none is given`,
    `add ${option}, or --fetch to get what the certificates name${instead}`,
  )
}

function conflict(message: string, remedy: string): UsageError {
  return new UsageError('options-conflict', message, remedy)
}

/** Milliseconds, the most that the core takes: the timeout of each exchange ends it long before. */
const longestWait = 60_000
