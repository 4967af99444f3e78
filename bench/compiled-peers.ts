/** Runs the compiled peers, where the folder with their sources lies beside the repository and their toolchains are there. @module */

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { toPem } from '../src/testing/index.ts'

/** A folder as the peers read it. */
export interface PkiFolder {
  readonly root: Uint8Array
  readonly issuing: Uint8Array
  readonly leaves: readonly Uint8Array[]
  /** Every peer has to refuse it. */
  readonly forged: Uint8Array
  readonly time: Date
}

const script = fileURLToPath(new URL('../../shared/peers/speed/run.sh', import.meta.url))

/**
 * Times each peer `repeats` times and keeps its best, so that noise speaks for them.
 *
 * @param say - Told why a peer is left out.
 * @returns Microseconds per client certificate by the peer's name.
 * @throws Error when a peer accepts the forged certificate: then it did other work.
 */
export async function runCompiledPeers(
  pki: PkiFolder,
  repeats: number,
  say: (line: string) => void,
): Promise<Readonly<Record<string, number>>> {
  if (!existsSync(script)) {
    say('compiled peers left out: their sources are not beside this repository')
    return {}
  }
  const good = await writePki(pki, pki.leaves)
  const bad = await writePki(pki, [pki.forged])
  const best: Record<string, number> = {}
  try {
    for (const peer of ['rust', 'go', 'openssl', 'pyca']) {
      for (let i = 0; i < repeats; i++) {
        const result = runPeer(peer, good, pki.time)
        if (typeof result === 'string') {
          say(`${peer} left out: ${result}`)
          break
        }
        best[result.peer] = Math.min(best[result.peer] ?? Number.POSITIVE_INFINITY, result.us)
        if (i === 0 && typeof runPeer(peer, bad, pki.time) !== 'string') {
          throw new Error(`${peer} accepts a forged certificate`)
        }
      }
    }
  } finally {
    await rm(good, { recursive: true })
    await rm(bad, { recursive: true })
  }
  return best
}

function runPeer(
  peer: string,
  folder: string,
  time: Date,
): { readonly peer: string; readonly us: number } | string {
  const at = time.toISOString().replace('.000Z', 'Z')
  const { status, stdout, error } = spawnSync(script, [folder, at, peer], { encoding: 'utf8' })
  if (error !== undefined) return error.message
  if (status !== 0) return `exit ${status}`
  for (const line of stdout.split('\n')) {
    if (!line.startsWith('{')) continue
    const said: { peer: string; work?: string; us?: number; skipped?: string } = JSON.parse(line)
    if (said.skipped !== undefined) return said.skipped
    if (said.work === 'client-leaf' && said.us !== undefined)
      return { peer: said.peer, us: said.us }
  }
  return 'it printed no time'
}

async function writePki(
  { root, issuing }: PkiFolder,
  leaves: readonly Uint8Array[],
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mtls-policy-peers-'))
  const pem = (der: Uint8Array) => toPem(der, 'CERTIFICATE')
  await writeFile(join(folder, 'root.pem'), pem(root))
  await writeFile(join(folder, 'int.pem'), pem(issuing))
  await writeFile(join(folder, 'leaves.pem'), leaves.map(pem).join(''))
  return folder
}
