/** What one decision of a guard costs: for a client that is known, and for one that is not, beside a plain validation. @module */

import type { HttpRequest } from '../src/http/request.ts'
import type { ClientCertificateSource } from '../src/http/source.ts'
import type { KeyKind } from '../src/testing/index.ts'
import { against } from './against.ts'
import type { Subject } from './bundle.ts'
import { median } from './measure.ts'
import {
  connectionWith,
  nginxLines,
  proxyAddress,
  requestOn,
  rfc9440Lines,
  trust,
} from './requests.ts'
import { type Work, workOf } from './result.ts'
import type { Row, Run } from './row.ts'
import { call, countOf, leavesPerRow, optionsOf, type Supply, supplyOf } from './supply.ts'

export const decisionRows: readonly Row[] = [
  { name: 'decision-known-connection', work: byConnection },
  {
    name: 'decision-known-header-ec256',
    work: (run) => byHeader(run, 'decision-known-header-ec256', 'P-256', 4),
  },
  {
    name: 'decision-known-header-rsa2048',
    work: (run) => byHeader(run, 'decision-known-header-rsa2048', 'RSA-2048', 6),
  },
]

/** One way in which clients come to a guard. */
interface Way {
  readonly row: string
  /** What figures begin with; empty when the row has one way only. */
  readonly prefix: string
  readonly supply: Supply
  readonly source: ClientCertificateSource
  /** As a client's first request: on a connection of its own where the connection tells who it is. */
  readonly newRequest: (leaf: Uint8Array) => HttpRequest
  /** A maker of later ones. */
  readonly known: (leaf: Uint8Array) => () => HttpRequest
  /** What is validated in the end. */
  readonly presented: (leaf: Uint8Array) => readonly Uint8Array[]
  /** Microseconds that a decision about a known client may take. */
  readonly limit: number
}

async function byConnection(run: Run): Promise<Work> {
  const row = 'decision-known-connection'
  const supply = await supplyOf('P-256', run)
  const presented = (leaf: Uint8Array) => [leaf, supply.material.issuing.der]
  const connection = (leaf: Uint8Array) => connectionWith(clientAddress, presented(leaf))
  const way: Way = {
    row,
    prefix: '',
    supply,
    source: run.subject.tls(),
    newRequest: (leaf) => requestOn(connection(leaf)),
    known: (leaf) => {
      const open = connection(leaf)
      return () => requestOn(open)
    },
    presented,
    limit: 1,
  }
  await checkWay(run, way)
  const nobody = await guardOf(run, way).decide(requestOn(connectionWith(clientAddress, [])))
  run.checked(`${row}: refuses who has none`, nobody.code === 'certificate-missing')
  const times = await timeKnown(run, way)
  await timeFirst(run, way)
  return workOf(row, `one decision, the connection known; means of ${inOne}`, times)
}

/** The row is the header of nginx, and that of RFC 9440 a figure beside it. */
async function byHeader(run: Run, row: string, kind: KeyKind, limit: number): Promise<Work> {
  const supply = await supplyOf(kind, run)
  const { nginx, rfc9440 } = run.subject
  // A proxy keeps a few connections open.
  const proxies = Array.from({ length: 16 }, () => connectionWith(proxyAddress))
  let asked = 0
  const wayOf = (
    source: ClientCertificateSource,
    linesOf: (leaf: Uint8Array) => readonly string[],
  ): Way => {
    const newRequest = (leaf: Uint8Array) =>
      requestOn(proxies[asked++ % proxies.length] as (typeof proxies)[0], linesOf(leaf))
    return {
      row,
      prefix: `${source.name}: `,
      supply,
      source,
      newRequest,
      known: (leaf) => () => newRequest(leaf),
      presented: (leaf) => [leaf],
      limit,
    }
  }
  const all: (readonly number[])[] = []
  for (const way of [
    wayOf(nginx({ trust }), nginxLines),
    wayOf(rfc9440({ trust }), rfc9440Lines),
  ]) {
    await checkWay(run, way)
    const [leaf] = supply.warm as [Uint8Array]
    const { rawHeaders } = way.newRequest(leaf)
    const stranger = { ...requestOn(connectionWith(clientAddress)), rawHeaders }
    const distrusted = await guardOf(run, way).decide(stranger)
    const isDistrusted = distrusted.code === 'proxy-not-trusted'
    run.checked(`${row}: ${way.prefix}refuses who is no proxy`, isDistrusted)
    all.push(await timeKnown(run, way))
    await timeFirst(run, way)
  }
  return workOf(row, `one decision, the header known, nginx’s; means of ${inOne}`, all[0] ?? [])
}

type Guard = ReturnType<Subject['createNodeGuard']>

function guardOf(run: Run, { supply, source }: Way, kept?: number): Guard {
  return run.subject.createNodeGuard({
    policy: { type: 'policy-auth-mtls', validateACLForIssuer: false },
    ...optionsOf(run, supply.material),
    source,
    ...(kept === undefined ? {} : { cache: { headers: kept, verdicts: kept } }),
  })
}

async function checkWay(run: Run, way: Way): Promise<void> {
  const guard = guardOf(run, way)
  const { leaves, forged } = way.supply.material
  const name = `${way.row}: ${way.prefix}`
  const accepted = await guard.decide(way.newRequest(leaves[0] as Uint8Array))
  run.checked(`${name}accepts`, accepted.allowed && accepted.identity !== undefined)
  const refused = await guard.decide(way.newRequest(forged))
  run.checked(`${name}refuses a forged twin`, refused.code === 'signature-invalid')
}

/** A thousand clients, each known: batches of one request of each, which are made outside the clock. */
async function timeKnown(run: Run, way: Way): Promise<readonly number[]> {
  const { row, prefix, limit } = way
  const guard = guardOf(run, way)
  const requests = way.supply.take(leavesPerRow).map(way.known)
  const outcomes = new Set<unknown>()
  for (const request of requests) outcomes.add((await guard.decide(request())).outcome)
  let best: readonly number[] = []
  const passes = run.size === 'full' ? 10 : 3
  for (let pass = 0; pass < passes || (median(best) > limit && pass < maxPasses); pass++) {
    const times: number[] = []
    for (let batch = 0; batch < batches; batch++) {
      const all = requests.map((request) => request())
      let allowed = 0
      const begin = process.hrtime.bigint()
      for (let i = 0; i < all.length; i++) {
        const decision = guard.decide(all[i] as HttpRequest)
        if (!(decision instanceof Promise) && decision.allowed) allowed++
      }
      times.push(Number(process.hrtime.bigint() - begin) / 1000 / inOne)
      if (allowed !== inOne) run.checked(`${row}: ${prefix}lets all in at once`, false)
    }
    if (best.length === 0 || median(times) < median(best)) best = times
  }
  const again = requests.map((request) => guard.decide(request()))
  const isKnown = again.every((one) => !(one instanceof Promise) && outcomes.has(one.outcome))
  run.checked(`${row}: ${prefix}every outcome was known`, isKnown)
  run.found({ row, what: `${prefix}one decision`, value: median(best), unit: 'µs', limit })
  return best
}

/** Clients that come for the first time, in turns with a validation of what they present. */
async function timeFirst(run: Run, way: Way): Promise<void> {
  const { row, prefix, supply, presented } = way
  // Fewer than there are clients for warming up, so that those are new each time.
  const guard = guardOf(run, way, 200)
  const validator = run.subject.createClientCertificateValidatorSync(
    optionsOf(run, supply.material),
    { verdicts: 0 },
  )
  let requests = new Map<Uint8Array, HttpRequest>()
  const { times, floor } = await against(
    run.size,
    {
      warm: supply.warm,
      take: () => {
        const leaves = supply.take(countOf(run))
        requests = new Map(leaves.map((leaf) => [leaf, way.newRequest(leaf)]))
        return leaves
      },
    },
    (leaf) => guard.decide(requests.get(leaf) ?? way.newRequest(leaf)),
    (leaves) => (index) => validator.validate(presented(leaves[index] as Uint8Array), call),
  )
  for (const [leaf, request] of requests) {
    if (!(await guard.decide(request)).allowed) run.checked(`${row}: ${prefix}accepts`, false)
    if (!validator.validate(presented(leaf), call).ok) run.checked(`${row}: floor accepts`, false)
  }
  if (run.size === 'check') return
  run.found({ row, what: `${prefix}the first one`, value: median(times), unit: 'µs' })
  const ratio = median(times) / median(floor)
  run.found({ row, what: `${prefix}the first one, of a validation`, value: ratio, unit: '×' })
}

const clientAddress = '203.0.113.7'
const inOne = leavesPerRow
const batches = 20
const maxPasses = 20
