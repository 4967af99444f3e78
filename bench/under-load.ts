/** What happens beside 2,000 validations a second in the same process: a new list, a new entry of a kill list. @module */

import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TrustAnchors } from '../src/client/trust-anchors.ts'
import type { ClientCertificateValidator } from '../src/index.node.ts'
import { serveFile } from './list-server.ts'
import { signList, writeEntry } from './lists.ts'
import { benchTime, type Material, validity } from './material.ts'
import type { Run } from './row.ts'
import { call } from './supply.ts'

export interface Taken {
  /** From asking for the new list until it is in force. */
  readonly tookMs: number
  /** The longest that the event loop stood still meanwhile. */
  readonly longestTurnMs: number
  /** Likewise, as long again without a new list. */
  readonly quietTurnMs: number
}

/**
 * Takes over one list after the other, each with one entry of its own. The first, which finds the code cold, is not counted.
 *
 * @param isEnough - Asked whether to stop after as many as there shall be at least.
 */
export async function takeOver(
  run: Run,
  name: string,
  way: 'file' | 'http',
  { material, entries }: { readonly material: Material; readonly entries: Uint8Array },
  isEnough: (taken: readonly Taken[]) => boolean,
): Promise<readonly Taken[]> {
  const { subject } = run
  const { root, issuing, leaves } = material
  const folder = await mkdtemp(join(tmpdir(), 'mtls-policy-takeover-'))
  const published = join(folder, 'list.crl')
  const intermediates = subject.parseIntermediates(issuing.der)
  const put = async (list: Uint8Array): Promise<void> => {
    await writeFile(join(folder, '.next'), list)
    await rename(join(folder, '.next'), published)
  }
  await put(signList(issuing, { number: 1, entries: [entries] }))
  const server = way === 'http' ? await serveFile(published) : undefined
  const origin = server?.url ?? published
  const source = subject.createRevocationSource({
    crls: server === undefined ? { files: [origin] } : { urls: [origin] },
    signers: intermediates,
    allowAddresses: ['loopback'],
    now: () => benchTime,
  })
  try {
    await source.ready()
    const options = {
      trustAnchors: subject.parseTrustAnchors(root.der),
      intermediates,
      revocation: { mode: 'crl', depth: 'target', source } as const,
    }
    const validator = subject.createClientCertificateValidator(options, { verdicts: 0 })
    const taken: Taken[] = []
    const rounds = run.size === 'full' ? 10 : 3
    for (let round = 0; round <= rounds || (!isEnough(taken) && round <= maxRounds); round++) {
      const serialNumber = Uint8Array.of(1, round)
      const { der } = await issuing.issueBytes('client', {
        ...validity,
        serialNumber,
        key: 'P-256',
      })
      const entry = writeEntry(serialNumber)
      const list = signList(issuing, { number: round + 2, entries: [entries, entry] })
      run.checked(`${name}: accepted before`, (await validator.validate(der, call)).ok)
      await writeFile(join(folder, '.later'), list)
      const load = new Load(async (i) => {
        const verdict = await validator.validate(leaves[i % 400] as Uint8Array, call)
        if (!verdict.ok) run.checked(`${name}: accepts meanwhile`, false)
      })
      await sleep(quietMs)
      const quietTurnMs = load.longestTurnMs()
      const start = performance.now()
      await rename(join(folder, '.later'), published)
      await source.refresh(origin)
      const tookMs = performance.now() - start
      const verdict = await validator.validate(der, call)
      const longestTurnMs = load.longestTurnMs()
      await load.end()
      const isRevoked = !verdict.ok && verdict.failure.code === 'certificate-revoked'
      run.checked(`${name}: in force`, isRevoked)
      if (round > 0) taken.push({ tookMs, longestTurnMs, quietTurnMs })
    }
    return taken
  } finally {
    await source.close()
    await server?.close()
    await rm(folder, { recursive: true })
  }
}

/** @returns Microseconds from each `add` to the first refusal that somebody got. */
export async function killUnderLoad(
  run: Run,
  name: string,
  options: { readonly trustAnchors: TrustAnchors },
  { leaves }: Material,
): Promise<readonly number[]> {
  const killList = run.subject.createKillList()
  const validator: ClientCertificateValidator = run.subject.createClientCertificateValidator({
    ...options,
    killList,
  })
  const clients = leaves.slice(0, 100)
  let asked = 0
  let killed:
    | { readonly at: number; readonly number: number; refusedAt: number | undefined }
    | undefined
  const load = new Load(async (i) => {
    asked = i
    const now = killed
    const verdict = await validator.validate(clients[i % clients.length] as Uint8Array, call)
    if (now === undefined || i % clients.length !== now.number) {
      if (!verdict.ok) run.checked(`${name}: accepts the others`, false)
    } else if (verdict.ok) run.checked(`${name}: refuses from the next request on`, false)
    else now.refusedAt ??= performance.now()
  })
  const times: number[] = []
  for (let round = 0; round < (run.size === 'full' ? 200 : 20); round++) {
    await sleep(60)
    const number = (asked + 1) % clients.length
    const at = performance.now()
    const id = killList.add({ certificate: clients[number] as Uint8Array, note: 'stolen' })
    const now = { at, number, refusedAt: undefined as number | undefined }
    killed = now
    while (now.refusedAt === undefined) await sleep(1)
    times.push((now.refusedAt - at) * 1000)
    killed = undefined
    killList.remove(id)
  }
  await load.end()
  run.checked(`${name}: ${times.length} were refused`, true)
  return times
}

/** Asks 2,000 times a second, as often every millisecond as has become due, and watches how late each millisecond is. */
class Load {
  readonly #request: (index: number) => Promise<void>
  readonly #begin = performance.now()
  readonly #pending = new Set<Promise<void>>()
  #done = 0
  #last = this.#begin
  #longest = 0
  readonly #timer: NodeJS.Timeout

  constructor(request: (index: number) => Promise<void>) {
    this.#request = request
    this.#timer = setInterval(() => this.#turn(), 1)
  }

  /** Since this was asked last. */
  longestTurnMs(): number {
    const longest = this.#longest
    this.#longest = 0
    return longest
  }

  async end(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#pending)
  }

  #turn(): void {
    const now = performance.now()
    // The clock of timers counts whole milliseconds: one that is kept by nothing comes one to two after the last.
    this.#longest = Math.max(this.#longest, now - this.#last - 1)
    this.#last = now
    const due = (now - this.#begin) * perMillisecond
    for (; this.#done < due; this.#done++) {
      const one = this.#request(this.#done)
      this.#pending.add(one)
      void one.finally(() => this.#pending.delete(one))
    }
  }
}

const perMillisecond = 2
const maxRounds = 20
const quietMs = 500
