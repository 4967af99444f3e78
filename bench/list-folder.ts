/** Everybody who reads lists in a process of its own: ours, pkijs and the compiled peers, over one folder. @module */

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { toHex } from '../src/base/hex.ts'
import { toPem } from '../src/testing/index.ts'
import type { Entries } from './lists.ts'

export interface ListFolder {
  readonly ca: Uint8Array
  readonly client: Uint8Array
  readonly crl: Uint8Array
  readonly count: number
  readonly entries: Entries
}

export interface ListFacts {
  readonly entries: number
  /** Hexadecimal, those whose entries come last at the end. */
  readonly listed: readonly string[]
}

/** `rssMiB` is how much resident memory grew over the process that had the list in memory and nothing done. */
export interface Loaded {
  readonly loadMs: number
  readonly lookupUs: number
  readonly rssMiB: number
}

export interface OursLoaded extends Loaded {
  readonly indexBytes: number
  /** After a collection of garbage, beyond the DER. */
  readonly heldBytes: number
}

/** Writes the folder, calls `use` and removes it again. */
export async function withListFolder<T>(
  { ca, client, crl, count, entries }: ListFolder,
  use: (folder: string) => T | Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'mtls-policy-lists-'))
  const listed = Array.from({ length: entries.listed }, (_, i) => toHex(entries.serialAt(i)))
  const facts: ListFacts = { entries: count, listed }
  try {
    await writeFile(join(folder, 'ca.pem'), toPem(ca, 'CERTIFICATE'))
    await writeFile(join(folder, 'ca.der'), ca)
    await writeFile(join(folder, 'client.der'), client)
    await writeFile(join(folder, 'crl.der'), crl)
    await writeFile(join(folder, 'facts.json'), JSON.stringify(facts))
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** @throws Error when it gives a wrong answer or none. */
export function loadOurs(folder: string): OursLoaded {
  const loaded = runChild('ours', folder)
  if (typeof loaded === 'string') throw new Error(loaded)
  return loaded as OursLoaded
}

/** @returns Or why there is nothing: it may need more memory or time than it has. */
export function loadPkijs(folder: string): Loaded | string {
  return runChild('pkijs', folder)
}

/** @returns By the peer's name, the better of two runs; nothing where their sources are not beside the repository. */
export function loadCompiledPeers(
  folder: string,
  say: (line: string) => void,
): Readonly<Record<string, Loaded>> {
  if (!existsSync(script)) {
    say('compiled peers left out: their sources are not beside this repository')
    return {}
  }
  const all: Record<string, Loaded> = {}
  for (const peer of ['go', 'openssl', 'pyca']) {
    // A look-up takes pyca so long that a second run would say nothing new.
    for (let turn = 0; turn < (peer === 'pyca' ? 1 : 2); turn++) {
      const loaded = runPeer(peer, folder)
      if (typeof loaded === 'string') {
        say(`${peer} left out: ${loaded}`)
        break
      }
      const before = all[peer]
      all[peer] = before === undefined ? loaded : better(before, loaded)
    }
  }
  return all
}

export function better<T extends Loaded>(a: T, b: T): T {
  return {
    ...a,
    loadMs: Math.min(a.loadMs, b.loadMs),
    lookupUs: Math.min(a.lookupUs, b.lookupUs),
    rssMiB: Math.min(a.rssMiB, b.rssMiB),
  }
}

function runPeer(peer: string, folder: string): Loaded | string {
  const { status, stdout, error } = spawnSync(script, [folder, peer], { encoding: 'utf8' })
  if (error !== undefined) return error.message
  return status === 0 ? readLine(stdout) : `exit ${status}`
}

function runChild(who: string, folder: string): Loaded | string {
  const { status, signal, stdout, error } = spawnSync(
    process.execPath,
    ['--expose-gc', '--import', 'tsx', childScript, who, folder],
    { encoding: 'utf8', timeout: childTimeout, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  if (signal === 'SIGTERM') return `not done after ${childTimeout / 1000} s`
  if (signal !== null) return `ended by ${signal}, as for want of memory`
  if (error !== undefined) return error.message
  return status === 0 ? readLine(stdout) : `exit ${status}`
}

function readLine(stdout: string): Loaded | string {
  for (const line of stdout.split('\n')) {
    if (!line.startsWith('{')) continue
    const said: Partial<Loaded> & { readonly skipped?: string } = JSON.parse(line)
    if (said.skipped !== undefined) return said.skipped
    if (said.loadMs !== undefined) return said as Loaded
  }
  return 'it printed no time'
}

const script = fileURLToPath(new URL('../../shared/peers/crl/run.sh', import.meta.url))
const childScript = fileURLToPath(new URL('list-child.ts', import.meta.url))
/** Milliseconds. */
const childTimeout = 120_000
