/** A subscriber as a process of its own, to be killed. Arguments: URL of the manager, its public key, folder. */

import { writeSync } from 'node:fs'
import { createSubscription } from '../../../src/gateway/subscription/index.ts'
import { environment, token } from './names.ts'

const [managerUrl = '', publicKey = '', folder = ''] = process.argv.slice(2)

// A file that may not grow any more: the write fails, the process stays.
process.on('SIGXFSZ', () => {})

function print(line: object): void {
  // At once: what was printed before the end counts.
  writeSync(1, `${JSON.stringify(line)}\n`)
}

createSubscription({
  managerUrl,
  publicKey,
  token,
  environment,
  gateway: 'gw-killed',
  folder,
  onState: ({ from, proxies, crls, killList }) => {
    const runs = proxies.map(({ snapshot, sequence }) => `${snapshot.apiProxy} ${sequence}`)
    print({ from, set: [...runs.sort(), `${crls.length} ${killList.length}`].join() })
    return undefined
  },
  onAlarm: ({ code, message }) => print({ alarm: code, message }),
  times: { pollMs: 100, firstRetryMs: 20, maxRetryMs: 200, reportMs: 200 },
})
