/** The rows about revocation, and what is promised of it. @module */

import * as crypto from 'node:crypto'
import { toHex } from '../src/base/hex.ts'
import type { RevocationOptions } from '../src/client/revocation-options.ts'
import type { KillList } from '../src/revocation/kill-list.ts'
import { against, type Timed } from './against.ts'
import {
  better,
  type ListFolder,
  type Loaded,
  loadCompiledPeers,
  loadOurs,
  loadPkijs,
  withListFolder,
} from './list-folder.ts'
import { type Entries, type ListShape, signList, writeEntries } from './lists.ts'
import { type Material, validity } from './material.ts'
import { median, quantile } from './measure.ts'
import { type Work, workOf } from './result.ts'
import type { Row, Run } from './row.ts'
import { call, checkJudge, leavesPerRow, optionsOf, supplyOf } from './supply.ts'
import { killUnderLoad, takeOver } from './under-load.ts'

export const revocationRows: readonly Row[] = [
  { name: 'crl-100000-load', work: (run) => loadList(run, 'crl-100000-load', 100_000, 'usual') },
  { name: 'crl-1000000-load', work: (run) => loadList(run, 'crl-1000000-load', million, 'usual') },
  {
    name: 'crl-1000000-mixed-load',
    work: (run) => loadList(run, 'crl-1000000-mixed-load', million, 'mixed'),
  },
  { name: 'crl-1000000-hit', work: (run) => lookUp(run, 'crl-1000000-hit', 'usual', 'hit') },
  { name: 'crl-1000000-miss', work: (run) => lookUp(run, 'crl-1000000-miss', 'usual', 'miss') },
  {
    name: 'crl-1000000-mixed-hit',
    work: (run) => lookUp(run, 'crl-1000000-mixed-hit', 'mixed', 'hit'),
  },
  {
    name: 'crl-1000000-mixed-miss',
    work: (run) => lookUp(run, 'crl-1000000-mixed-miss', 'mixed', 'miss'),
  },
  {
    name: 'crl-1000000-takeover-file',
    work: (run) => takeOverRow(run, 'crl-1000000-takeover-file', 'file'),
  },
  {
    name: 'crl-1000000-takeover-http',
    work: (run) => takeOverRow(run, 'crl-1000000-takeover-http', 'http'),
  },
  { name: 'client-crl-ec256', work: (run) => client(run, 'client-crl-ec256', withSmallLists) },
  {
    name: 'client-crl-ec256-async',
    work: (run) => client(run, 'client-crl-ec256-async', withSmallLists),
  },
  {
    name: 'client-crl-1000000-ec256',
    work: (run) => client(run, 'client-crl-1000000-ec256', withLargeList),
  },
  { name: 'client-ocsp-ec256', work: (run) => clientByOcsp(run, 'client-ocsp-ec256') },
  { name: 'client-ocsp-new-ec256', work: (run) => clientByOcsp(run, 'client-ocsp-new-ec256') },
  {
    name: 'client-kill-list-empty',
    work: (run) => client(run, 'client-kill-list-empty', (run) => withKillList(run, 0)),
  },
  {
    name: 'client-kill-list-10000',
    work: (run) => client(run, 'client-kill-list-10000', (run) => withKillList(run, 10_000)),
  },
  { name: 'kill-list-add', work: killRow },
]

interface Extra {
  readonly revocation?: RevocationOptions
  readonly killList?: KillList
}

/** The whole way: from octets to the first verdict by the list. The floor is one SHA-256 of them. */
async function loadList(run: Run, name: string, count: number, shape: ListShape): Promise<Work> {
  const { crl, material, entries } = await listOf(run, count, shape)
  const leaf = material.leaves[0] as Uint8Array
  const options = {
    ...optionsOf(run, material),
    trustAnchors: run.subject.parseTrustAnchors(material.issuing.der),
  }
  const load = (der = crl) => {
    const crls = run.subject.parseCrls(der)
    const byList = { ...options, revocation: { mode: 'crl', crls } as const }
    const validator = run.subject.createClientCertificateValidatorSync(byList)
    return { crls, accept: validator.validate(leaf, call).ok }
  }
  const { crls, accept } = load()
  const revoked = crls.lists[0]?.tbsCertList.revokedCertificates
  run.checked(`${name}: accepts by it`, accept)
  run.checked(`${name}: has all entries`, revoked?.count === count)
  const forged = crl.slice()
  forged[forged.length - 1] = (forged.at(-1) as number) ^ 1
  run.checked(`${name}: no good answer by a forged one`, !load(forged).accept)
  const passes = run.size === 'full' ? 15 : 3
  let best: Timed
  let tries = 0
  do {
    const times: number[] = []
    const floor: number[] = []
    for (let pass = 0; pass < passes; pass++) {
      floor.push(timeOf(() => crypto.createHash('sha256').update(crl).digest()))
      times.push(timeOf(() => load()))
    }
    best = { times, floor }
  } while (quickest(best) > hashes && ++tries < 3)
  run.found({
    row: name,
    what: 'against one SHA-256, the quickest of each',
    value: quickest(best),
    unit: '×',
    limit: hashes,
  })
  run.found({ row: name, what: 'against one SHA-256, medians', value: ratioOf(best), unit: '×' })
  const others = await loadElsewhere(run, name, {
    ca: material.issuing.der,
    client: leaf,
    crl,
    count,
    entries,
  })
  const note = `${count} entries, ${crl.length} octets: to the first verdict; floor: SHA-256 of them`
  return workOf(name, note, best.times, best.floor, others)
}

/** In processes of their own: memory is told apart only so, and nobody is warm. */
async function loadElsewhere(
  run: Run,
  name: string,
  content: ListFolder,
): Promise<Readonly<Record<string, number>>> {
  const { count } = content
  const tell = (what: string, value: number, unit: string, limit?: number): void =>
    run.found({ row: name, what, value, unit, ...(limit === undefined ? {} : { limit }) })
  return await withListFolder(content, (folder) => {
    run.say(`${name}: processes of their own`)
    const ours = loadOurs(folder)
    const isLarge = count === million
    tell('index', ours.indexBytes / count, 'octets an entry', octetsAnEntry)
    const held = ours.heldBytes / count
    // In a small one what the program itself takes would be counted.
    tell('memory beyond the DER', held, 'octets an entry', isLarge ? octetsAnEntry : undefined)
    if (run.peers === 'none' || run.size === 'check') return {}
    const best = better(ours, loadOurs(folder))
    const others: Record<string, Loaded> = loadCompiledPeers(folder, run.say)
    const pkijs = loadPkijs(folder)
    if (typeof pkijs === 'string') run.say(`${name}: pkijs: ${pkijs}`)
    else others.pkijs = pkijs
    tell('first load in a new process', best.loadMs, 'ms')
    tell('resident memory', best.rssMiB, 'MiB')
    tell('look-up in a new process', best.lookupUs, 'µs')
    for (const [peer, loaded] of Object.entries(others)) {
      tell(`${peer}: load`, loaded.loadMs, 'ms')
      tell(`${peer}: resident memory`, loaded.rssMiB, 'MiB')
      tell(`${peer}: look-up`, loaded.lookupUs, 'µs')
      if (!isLarge) continue
      tell(`load, of ${peer}’s`, best.loadMs / loaded.loadMs, '×', 1)
      if (peer !== 'pyca') tell(`memory, of ${peer}’s`, best.rssMiB / loaded.rssMiB, '×', 1)
      else tell('look-up, of pyca’s', best.lookupUs / loaded.lookupUs, '×', 1)
    }
    return Object.fromEntries(
      Object.entries(others).map(([peer, { loadMs }]) => [peer, loadMs * 1000]),
    )
  })
}

async function lookUp(
  run: Run,
  name: string,
  shape: ListShape,
  which: 'hit' | 'miss',
): Promise<Work> {
  const { crl, entries } = await listOf(run, million, shape)
  const revoked = run.subject.parseCrls(crl).lists[0]?.tbsCertList.revokedCertificates
  if (revoked === undefined) throw new Error(`${name}: the list is not read`)
  const expected = which === 'hit' ? 1 : 0
  let best = Number.POSITIVE_INFINITY
  let times: number[] = []
  for (let pass = 0; pass < (run.size === 'full' ? 10 : 3); pass++) {
    const now: number[] = []
    for (let from = 0; from < entries.listed; from += lookUpsInOne) {
      const serials = Array.from({ length: lookUpsInOne }, (_, i) => {
        const serial = entries.serialAt(from + i)
        // Serial numbers are written from 0x40 to 0x7f: then it is on no list.
        if (which === 'miss') serial[0] = 0x01
        return serial
      })
      let found = 0
      const took = timeOf(() => {
        for (const serial of serials) found += revoked.find(serial).length
      })
      now.push(took / lookUpsInOne)
      if (found !== expected * lookUpsInOne) run.checked(`${name}: finds what is listed`, false)
    }
    if (median(now) < best) {
      best = median(now)
      times = now
    }
  }
  run.checked(`${name}: ${entries.listed} answers`, true)
  run.found({ row: name, what: 'one look-up', value: best, unit: 'µs', limit: 2 })
  return workOf(name, `one look-up among ${million}, means of ${lookUpsInOne}`, times)
}

async function takeOverRow(run: Run, name: string, way: 'file' | 'http'): Promise<Work> {
  const { material, entries } = await listOf(run, million, 'usual')
  const taken = await takeOver(run, name, way, { material, entries: entries.der }, (some) =>
    some.some((one) => one.longestTurnMs <= longestTurn),
  )
  const turns = taken.map(({ longestTurnMs }) => longestTurnMs).sort((a, b) => a - b)
  run.found({
    row: name,
    what: 'longest turn, the least of all lists',
    value: turns[0] as number,
    unit: 'ms',
    limit: longestTurn,
  })
  run.found({ row: name, what: 'longest turn, the median', value: median(turns), unit: 'ms' })
  run.found({
    row: name,
    what: 'longest turn, the most',
    value: turns.at(-1) as number,
    unit: 'ms',
  })
  const quiet = taken.map(({ quietTurnMs }) => quietTurnMs)
  run.found({
    row: name,
    what: 'longest turn without a list, the median',
    value: median(quiet),
    unit: 'ms',
  })
  const note = `a new list in force, beside 2,000 validations/s; ${way}`
  return workOf(
    name,
    note,
    taken.map(({ tookMs }) => tookMs * 1000),
  )
}

/** A validator with `extra` beside one without: that is the floor. */
async function client(
  run: Run,
  name: string,
  extraOf: (run: Run, material: Material) => Promise<Extra>,
): Promise<Work> {
  const supply = await supplyOf('P-256', run)
  const { material } = supply
  const options = optionsOf(run, material)
  const extra = await extraOf(run, material)
  const isAsync = name.endsWith('-async')
  const { createClientCertificateValidator, createClientCertificateValidatorSync } = run.subject
  const create = isAsync ? createClientCertificateValidator : createClientCertificateValidatorSync
  const [without, with_] = [options, { ...options, ...extra }].map((one) =>
    create(one, { verdicts: 0 }),
  ) as [ReturnType<typeof create>, ReturnType<typeof create>]
  await checkJudge(run, name, async (leaf) => (await with_.validate(leaf, call)).ok, material)
  const revoked = await with_.validate(await revokedClient(material), call)
  const code = extra.killList === undefined ? 'certificate-revoked' : 'certificate-killed'
  const isRefused = !revoked.ok && revoked.failure.code === code
  run.checked(`${name}: refuses who is listed`, isRefused || extra.killList?.size === 0)
  const timed = await against(
    'full',
    { warm: supply.warm, take: () => supply.take(leavesPerRow) },
    (leaf) => with_.validate(leaf, call),
    (leaves) => (index) => without.validate(leaves[index] as Uint8Array, call),
    (timed) => ratioOf(timed) <= added,
  )
  const what = 'a validation with it, of one without'
  run.found({ row: name, what, value: ratioOf(timed), unit: '×', limit: added })
  return workOf(name, 'one client; floor: without it', timed.times, timed.floor)
}

/** `…-new`: each response is seen for the first time, and so its signature is verified. */
async function clientByOcsp(
  run: Run,
  name: 'client-ocsp-ec256' | 'client-ocsp-new-ec256',
): Promise<Work> {
  const supply = await supplyOf('P-256', run)
  const { material } = supply
  const { subject } = run
  const { root, issuing } = material
  const dates = {
    thisUpdate: Date.UTC(2026, 4, 31) / 1000,
    nextUpdate: Date.UTC(2026, 5, 8) / 1000,
  }
  const isNew = name === 'client-ocsp-new-ec256'
  const count = run.size === 'full' ? leavesPerRow : 50
  const warm = supply.warm.slice(0, count)
  const leaves = supply.take(count)
  run.say(`${name}: issuing ${warm.length + count} responses`)
  const responses = [(await root.issueOcspResponse({ responses: [issuing], ...dates })).der]
  for (const leaf of [...warm, ...leaves]) {
    const parsed = subject.parseCertificate(leaf)
    if (!parsed.ok) throw new Error(parsed.failure.code)
    responses.push((await issuing.issueOcspResponse({ responses: [parsed.value], ...dates })).der)
  }
  const options = optionsOf(run, material)
  const validatorOver = (all: readonly Uint8Array[]) => {
    const ocspResponses = subject.parseOcspResponses(all)
    const byResponses = { ...options, revocation: { mode: 'ocsp', ocspResponses } as const }
    return subject.createClientCertificateValidatorSync(byResponses, { verdicts: 0 })
  }
  const without = subject.createClientCertificateValidatorSync(options, { verdicts: 0 })
  const judge = validatorOver(responses)
  await checkJudge(run, name, (leaf) => judge.validate(leaf, call).ok, {
    ...material,
    leaves: warm,
  })
  const unknown = judge.validate(await revokedClient(material), call)
  const isUnknown = !unknown.ok && unknown.failure.code === 'revocation-unknown'
  run.checked(`${name}: nothing is known about others`, isUnknown)
  let validator = judge
  const timed = await against(
    'full',
    {
      warm,
      take: () => {
        validator = validatorOver(responses)
        if (!isNew) for (const leaf of leaves) validator.validate(leaf, call)
        return leaves
      },
    },
    (leaf) => validator.validate(leaf, call),
    (some) => (index) => {
      without.validate(some[index] as Uint8Array, call)
      // A validation costs its one signature and little else: the second stands for that of the response.
      if (isNew) without.validate(some[index] as Uint8Array, call)
    },
  )
  const note = isNew
    ? 'one client, its response seen first; floor: two validations without'
    : 'one client, its response seen before; floor: without it'
  run.found({ row: name, what: 'of its floor', value: ratioOf(timed), unit: '×' })
  return workOf(name, note, timed.times, timed.floor)
}

async function killRow(run: Run): Promise<Work> {
  const name = 'kill-list-add'
  const { material } = await supplyOf('P-256', run)
  const took = await killUnderLoad(run, name, optionsOf(run, material), material)
  const what = 'add() to the first refusal'
  // What the machine stops for longer than that is seen in the last tenth.
  const most = quantile(took, 0.9) / 1000
  run.found({ row: name, what: `${what}, nine of ten`, value: most, unit: 'ms', limit: 5 })
  run.found({
    row: name,
    what: `${what}, the longest`,
    value: Math.max(...took) / 1000,
    unit: 'ms',
  })
  return workOf(name, 'add() to the first refusal, beside 2,000 validations/s from the cache', took)
}

/** Of a thousand entries and of none, for both certificates of the path. */
async function withSmallLists(run: Run, material: Material): Promise<Extra> {
  const { der } = writeEntries(1000, 'usual')
  return listsOf(run, material, signList(material.issuing, { number: 1, entries: [der] }))
}

async function withLargeList(run: Run): Promise<Extra> {
  const { crl, material } = await listOf(run, million, 'usual')
  return listsOf(run, material, crl)
}

function listsOf({ subject }: Run, { root }: Material, crl: Uint8Array): Extra {
  const crls = subject.parseCrls([crl, signList(root, { number: 1, entries: [] })])
  return { revocation: { mode: 'crl', crls } }
}

/** Serial numbers of this issuer, and last the one that `revokedClient` has. */
async function withKillList({ subject }: Run, count: number): Promise<Extra> {
  const issuer = 'CN=Issuing CA 1,O=Example Bank A.S.,C=TR'
  const { listed, serialAt } = writeEntries(count * 10, 'usual')
  const entries = Array.from({ length: listed }, (_, i) => ({
    issuer,
    serialNumber: toHex(serialAt(i)),
  }))
  return { killList: subject.createKillList(entries) }
}

/** Its serial number is the first of every list that is written here. */
async function revokedClient({ issuing }: Material): Promise<Uint8Array> {
  const serialNumber = writeEntries(1, 'usual').serialAt(0)
  return (await issuing.issueBytes('revoked', { ...validity, key: 'P-256', serialNumber })).der
}

interface LargeList {
  readonly crl: Uint8Array
  readonly entries: Entries
  readonly material: Material
}

const lists = new Map<string, Promise<LargeList>>()

/** Written once for all rows. */
function listOf(run: Run, count: number, shape: ListShape): Promise<LargeList> {
  const key = `${count} ${shape}`
  let list = lists.get(key)
  if (list === undefined) {
    list = supplyOf('P-256', run).then(({ material }) => {
      run.say(`writing a list of ${count} entries, ${shape}`)
      const entries = writeEntries(count, shape)
      return {
        crl: signList(material.issuing, { number: 1, entries: [entries.der] }),
        entries,
        material,
      }
    })
    lists.set(key, list)
  }
  return list
}

function timeOf(work: () => unknown): number {
  const start = process.hrtime.bigint()
  work()
  return Number(process.hrtime.bigint() - start) / 1000
}

function ratioOf({ times, floor }: Timed): number {
  return median(times) / median(floor)
}

/** A hash is over before the system gives the processor to somebody else; what lasts ten times as long is not, half of the time. */
function quickest({ times, floor }: Timed): number {
  return Math.min(...times) / Math.min(...floor)
}

const million = 1_000_000
const lookUpsInOne = 1000
/** What is promised: hashes of the same octets, octets beyond them, what a check adds, and milliseconds. */
const hashes = 12
const octetsAnEntry = 12
const added = 1.05
const longestTurn = 20
