/** What the middleware adds to a request of a whole server: Express over TLS. @module */

import { issueCa } from '../src/testing/index.ts'
import { validity } from './material.ts'
import { median } from './measure.ts'
import { type Credentials, ServersUnderLoad } from './middleware-load.ts'
import type { Kind, Served } from './middleware-server.ts'
import { host } from './requests.ts'
import { type Work, workOf } from './result.ts'
import type { Row, Run } from './row.ts'

export const overheadRow: Row = { name: 'middleware-express', work: overhead }

/**
 * The three kinds take turns in one process, and each round of one is held against the same round of another. Several processes, as
 * what the compiler makes of the same code is not the same in each.
 */
async function overhead(run: Run): Promise<Work> {
  const row = 'middleware-express'
  const { served, client } = await issue()
  const { processes, rounds, requests, warm } = sizes[run.size]
  const times: Record<Kind, number[]> = { none: [], empty: [], ours: [] }
  for (let process = 0; process < processes; process++) {
    run.say(`${row}: process ${process + 1} of ${processes}`)
    const servers = await ServersUnderLoad.start(served, client)
    try {
      await checkAnswers(run, row, servers, client)
      for (const index of kinds.keys()) await servers.round(index, warm)
      for (let round = 0; round < rounds; round++) {
        for (let step = 0; step < kinds.length; step++) {
          const index = (round + step) % kinds.length
          times[kinds[index] as Kind].push(await servers.round(index, requests))
        }
      }
    } finally {
      servers.stop()
    }
  }
  run.checked(`${row}: every request was answered`, true)
  const tell = (what: string, kind: Kind, of: Kind, limit?: number): void => {
    const value = median(times[kind].map((took, round) => took / (times[of][round] as number)))
    run.found({ row, what, value, unit: '×', ...(limit === undefined ? {} : { limit }) })
  }
  if (run.size === 'full') {
    tell('processor time a request, of none', 'ours', 'none', added)
    tell('an empty middleware, of none', 'empty', 'none')
    tell('of an empty middleware', 'ours', 'empty')
  }
  const note = `a request to Express over TLS; floor: without a middleware; means of ${requests}`
  return workOf(row, note, times.ours, times.none)
}

async function checkAnswers(
  run: Run,
  row: string,
  servers: ServersUnderLoad,
  client: Credentials,
): Promise<void> {
  const ours = kinds.indexOf('ours')
  const subject = await servers.ask(ours, '/subject', client)
  run.checked(`${row}: tells the subject`, subject.endsWith('\r\n\r\nCN=client'))
  run.checked(`${row}: lets it in`, subject.startsWith('HTTP/1.1 200 '))
  const refused = await servers.ask(ours, '/', {})
  run.checked(`${row}: refuses who has no certificate`, refused.startsWith('HTTP/1.1 401 '))
  for (const kind of ['none', 'empty'] as const) {
    const answer = await servers.ask(kinds.indexOf(kind), '/subject', client)
    run.checked(`${row}: ${kind} knows nobody`, answer.endsWith('\r\n\r\nnobody'))
  }
}

async function issue(): Promise<{ readonly served: Served; readonly client: Credentials }> {
  const root = await issueCa('Root', validity)
  const issuing = await root.issueCa('Issuing CA', validity)
  const server = await issuing.issue(host, {
    ...validity,
    subjectAltName: [{ dns: host }],
    extendedKeyUsage: ['serverAuth'],
  })
  const { chainPem, privateKeyPem } = await issuing.issue('client', validity)
  const keys = { cert: server.chainPem, key: server.privateKeyPem }
  return {
    served: { kinds, anchors: root.pem, ...keys },
    client: { cert: chainPem, key: privateKeyPem },
  }
}

const kinds: readonly Kind[] = ['none', 'empty', 'ours']

/** `requests`: of one round. `warm`: of each kind before the first. */
const sizes = {
  full: { processes: 3, rounds: 80, requests: 500, warm: 10_000 },
  check: { processes: 1, rounds: 2, requests: 100, warm: 100 },
} as const

/** What is promised. */
const added = 1.03
