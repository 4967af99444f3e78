/** Runs other validators over a file of limbo testcases. @module */

import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The peers, beside the repository; a user's clone does not have them. */
export const peersFolder: URL = new URL('../../../shared/peers/verdicts/', import.meta.url)

export const peerNames = ['go', 'rust', 'pyca', 'openssl'] as const
export type PeerName = (typeof peerNames)[number]

/** `undefined`: the peer has no opinion, because it lacks what the case asks for, or ran out of time. */
export type PeerVerdict = 'accept' | 'refuse' | undefined

export interface Peer {
  readonly name: PeerName
  readonly seconds: number
  verdict(id: string): PeerVerdict
  /** Why it refused, in its words. */
  reason(id: string): string
}

interface Said {
  readonly actual: 'SUCCESS' | 'FAILURE' | 'SKIPPED'
  readonly context?: string
}

/**
 * Asks every peer, all at the same time. One whose toolchain is absent is not among the answers; its own words about that go
 * to `say`.
 *
 * @param cases - File of testcases.
 * @param folder - Takes the peers' answers.
 */
export async function askPeers(
  cases: string,
  folder: string,
  say: (line: string) => void,
): Promise<readonly Peer[]> {
  const asked = await Promise.all(peerNames.map((name) => ask(name, cases, folder, say)))
  return asked.filter((peer) => peer !== undefined)
}

async function ask(
  name: PeerName,
  cases: string,
  folder: string,
  say: (line: string) => void,
): Promise<Peer | undefined> {
  const begin = performance.now()
  const run = fileURLToPath(new URL('run.sh', peersFolder))
  const program = spawn('bash', [run, cases, folder, name], { stdio: ['ignore', 'ignore', 'pipe'] })
  let complaints = ''
  program.stderr.on('data', (piece: Buffer) => {
    complaints += piece
  })
  await new Promise<void>((resolve) => {
    program.on('close', () => resolve())
    program.on('error', () => resolve())
  })
  const answers = join(folder, `${name}.json`)
  if (!existsSync(answers)) {
    say(`${name}: left out: ${complaints.trim().split('\n').at(-1) || 'it does not start'}`)
    return undefined
  }
  const said = JSON.parse(readFileSync(answers, 'utf8')) as Readonly<Record<string, Said>>
  return {
    name,
    seconds: (performance.now() - begin) / 1000,
    verdict: (id) => {
      const one = said[id]
      if (one === undefined || one.actual === 'SKIPPED') return
      if (noOpinion.test(one.context ?? '')) return
      return one.actual === 'SUCCESS' ? 'accept' : 'refuse'
    },
    reason: (id) => said[id]?.context ?? '',
  }
}

/**
 * Out of time; or OpenSSL, which takes a caller who names no policies to accept none, where RFC 5280 §6.1.1 (c) has any-policy:
 * it refuses every path that needs a policy.
 */
const noOpinion = /^TIMEOUT$|^43 no explicit policy/
