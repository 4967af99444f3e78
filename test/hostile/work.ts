/** What one validation costs: signature checks weighed as the budget weighs them, time, memory. @module */

import * as crypto from 'node:crypto'
import * as v8 from 'node:v8'
import * as vm from 'node:vm'
import type { Prepared } from '../../src/client/options.ts'
import { prepareOptions, type ValidateOptions } from '../../src/client/options.ts'
import { validateSteps } from '../../src/client/validate.ts'
import type { Verdict } from '../../src/client/verdict.ts'
import { type Handlers, runSync } from '../../src/effect/effect.ts'
import { signatureCost } from '../../src/path/algorithms.ts'
import { nodeHandlers } from '../../src/runtime/node.ts'
import { testTime } from '../../src/testing/index.ts'
import { describeKey, parseSubjectPublicKeyInfo } from '../../src/x509/algorithms.ts'

export interface Work {
  readonly verdict: Verdict
  /** Weighted signature checks: one with P-256 is 1. */
  readonly signatures: number
  /**
   * Least of three runs, options read anew in each, nothing remembered from one to the next: what else the machine does only adds.
   * Of wall time and processor time the lesser: they are the same where nothing else runs. Divided by how much slower than usual
   * this machine verifies a signature just now.
   */
  readonly milliseconds: number
  /** Memory in use, beyond that before, at most: looked at when the first signature is asked for and at the end, garbage collected. */
  readonly megabytes: number
}

/** Judges `presented` three times for the time and once more for the memory. */
export function work(presented: readonly Uint8Array[], options: ValidateOptions): Work {
  const times: number[] = []
  for (let run = 0; run < 3; run++) {
    const started = performance.now()
    const cpu = process.cpuUsage()
    judgeOnce(presented, prepareOptions(options))
    const { user, system } = process.cpuUsage(cpu)
    times.push(Math.min(performance.now() - started, (user + system) / 1000))
  }
  const before = memory()
  let most = 0
  let looks = 0
  const { verdict, signatures } = judgeOnce(presented, prepareOptions(options), () => {
    if (looks++ === 0) most = Math.max(most, memory() - before)
  })
  most = Math.max(most, memory() - before)
  return {
    verdict,
    signatures,
    milliseconds: Math.min(...times) / slowness(),
    megabytes: most / 2 ** 20,
  }
}

function judgeOnce(
  presented: readonly Uint8Array[],
  prepared: Prepared,
  onSignature?: () => void,
): { readonly verdict: Verdict; readonly signatures: number } {
  const inner = nodeHandlers()
  let signatures = 0
  const handlers: Handlers = {
    ...inner,
    verifySignature: (question) => {
      onSignature?.()
      const spki = parseSubjectPublicKeyInfo(question.spki)
      if (spki.ok) signatures += signatureCost(describeKey(spki.value))
      return inner.verifySignature(question)
    },
  }
  const verdict = runSync(validateSteps(presented, prepared, testTime), handlers)
  return { verdict, signatures }
}

/** How many times longer than 120 µs, the figure of a quiet reference machine, one verification with P-256 takes now; at least 1. */
function slowness(): number {
  const { publicKey, privateKey } = pair
  const data = Buffer.alloc(700)
  const signature = crypto.sign('sha256', data, privateKey)
  const times = Array.from({ length: 31 }, () => {
    const started = performance.now()
    crypto.verify('sha256', data, publicKey, signature)
    return performance.now() - started
  }).sort((a, b) => a - b)
  return Math.max(1, (times[15] as number) / 0.12)
}

const pair = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' })

v8.setFlagsFromString('--expose-gc')
const collect = vm.runInNewContext('gc') as () => void

/** Octets that are reachable. */
function memory(): number {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
