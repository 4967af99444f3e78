/**
 * What the gateway costs: with the policy against without, for requests and for new connections; against nginx; and how soon a large
 * configuration is in force. `tsx bench/gateway.ts [--json] [--quick]`.
 *
 * What is held against each other takes turns in short rounds within one run, and processor time is that of the server's process alone.
 * @module
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSecureContext, type SecureContext } from 'node:tls'
import { parseArgs } from 'node:util'
import { defaultUpstream, type Snapshot } from '../src/deployment/snapshot.ts'
import type { GatewayState } from '../src/gateway/index.ts'
import { generateKey, issueCa } from '../src/testing/index.ts'
import { cpuOf, KeptConnections, newConnections, Process, type Target } from './gateway-load.ts'
import { startNginx } from './gateway-nginx.ts'
import { deployedProxy } from './gateway-state.ts'
import { validity } from './material.ts'
import { median } from './measure.ts'

interface Figure {
  readonly what: string
  readonly value: number
  readonly unit: string
  /** What is promised; `undefined`: it is only told. */
  readonly atLeast?: number
  readonly atMost?: number
}

const { values: flags } = parseArgs({
  options: { json: { type: 'boolean' }, quick: { type: 'boolean' } },
})
/** Rounds are short: what else the machine does changes from one half second to the next. */
const size = flags.quick
  ? { rounds: 20, requests: 200, warm: 2000, newRounds: 10, connections: 10, clients: 40, open: 4 }
  : {
      rounds: 240,
      requests: 250,
      warm: 20_000,
      newRounds: 160,
      connections: 20,
      clients: 400,
      open: 4,
    }
const warmRounds = flags.quick ? 4 : 20

/** Of the gateway itself. */
const ownKinds = 3
const kinds = ['without policy', 'with policy', 'with policy and header', 'nginx']
/** Rounds after which connections are opened anew. */
const roundsOpen = 10
/** In which connections that were closed come to their end. */
const settleMs = 10

const folder = await mkdtemp(join(tmpdir(), 'mtls-policy-bench-'))
const begun: { stop(): void }[] = []
try {
  const figures = await measure()
  if (flags.json)
    console.log(JSON.stringify({ node: process.version, cpus: cpus().length, figures }))
  else print(figures)
  const isKept = figures.every(
    ({ value, atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY }) =>
      value >= atLeast && value <= atMost,
  )
  process.exitCode = isKept ? 0 : 1
} finally {
  for (const one of begun) one.stop()
  await rm(folder, { recursive: true, force: true })
}

async function measure(): Promise<readonly Figure[]> {
  const names = ['plain.example', 'guarded.example', 'telling.example']
  const root = await issueCa('Root', validity)
  const issuing = await root.issueCa('Issuing CA', validity)
  const server = await issuing.issue('gateway', {
    ...validity,
    subjectAltName: names.map((dns) => ({ dns })),
    extendedKeyUsage: ['serverAuth'],
  })
  const key = await generateKey('P-256')
  const clients: SecureContext[] = []
  for (let n = 0; n < size.clients; n++) {
    const { chainPem, privateKeyPem } = await issuing.issue(`client-${n}`, { ...validity, key })
    clients.push(createSecureContext({ cert: chainPem, key: privateKeyPem }))
  }
  const cert = join(folder, 'server.pem')
  const keyFile = join(folder, 'server.key')
  await writeFile(cert, server.chainPem)
  await writeFile(keyFile, server.privateKeyPem)
  await writeFile(join(folder, 'anchors.pem'), root.pem)

  const upstream = await started(Process.start({ begin: 'upstream' }))
  const url = `http://127.0.0.1:${upstream.ports[0]}`
  const trustAnchors = [Buffer.from(root.der).toString('base64')]
  const snapshot = (name: string, policies: number, identityHeaders = {}): Snapshot => ({
    version: 1,
    project: 'bench',
    apiProxy: name,
    hosts: [`${name}.example`],
    basePath: '/',
    upstream: { ...defaultUpstream, url, identityHeaders },
    policies: {
      requestPolicyList: Array.from({ length: policies }, (_, n) => ({
        type: 'policy-auth-mtls',
        name: `mtls-${n}`,
        validateACLForIssuer: false,
      })),
      responsePolicyList: [],
      errorPolicyList: [],
    },
    trustAnchors,
    intermediates: [],
    issuerAcl: null,
    revocation: null,
  })
  const stateOf = (...all: readonly Snapshot[]): GatewayState => ({
    proxies: all.map(deployedProxy),
    crls: [],
    held: [],
    killList: [],
  })
  const listener = {
    host: '127.0.0.1',
    port: 0,
    clientCertificate: 'request',
    advertise: 'none',
    certificates: [{ hosts: names, cert, key: keyFile }],
  } as const
  const options = { listeners: [listener], limits: { keepAliveMs: 600_000 } }
  const gateway = await started(
    Process.start({
      begin: 'gateway',
      options,
      state: stateOf(
        snapshot('plain', 0),
        snapshot('guarded', 1),
        snapshot('telling', 1, { 'x-client-subject': 'subject' }),
      ),
    }),
  )
  const port = gateway.ports[0] as number
  // The same proxy but for the policy; the third also tells the upstream who the client is, in a header more.
  const ours = names.map((host): Server => ({ port, host, cpu: () => gateway.cpu() }))
  const nginx = await startNginx(folder, upstream.ports[0] as number)
  if (nginx !== undefined) begun.push(nginx)
  const other: Server | undefined = nginx && {
    port: nginx.port,
    host: 'guarded.example',
    cpu: async () => cpuOf(nginx.pid),
  }

  const figures: Figure[] = []
  const servers = [...ours, ...(other === undefined ? [] : [other])]
  say('requests')
  const requests = await requestRounds(servers, clients)
  figures.push(...compare('requests', requests, 0.97), ...absolute('requests', requests, kinds))
  for (const [name, pool] of [
    ['new connections, known clients', clients.slice(0, 1)],
    ['new connections, other clients', clients],
  ] as const) {
    say(name)
    const connections = await connectionRounds(servers, pool)
    figures.push(...compare(name, connections, 0.95), ...absolute(name, connections, kinds))
  }

  say('a thousand proxies')
  const many = Array.from({ length: 1000 }, (_, n) => snapshot(`p${n}`, 10))
  const large = await started(Process.start({ begin: 'gateway', options, state: stateOf(...many) }))
  figures.push({
    what: 'start with 1,000 proxies and 10,000 policies',
    value: large.milliseconds,
    unit: 'ms',
    atMost: 2000,
  })
  return figures
}

interface Server extends Target {
  /** Microseconds that it has used. */
  readonly cpu: () => Promise<number>
}

/** Of each round, a server: microseconds of processor time and of time for one request. */
type Rounds = readonly { readonly cpu: number[]; readonly time: number[] }[]

async function requestRounds(servers: readonly Server[], clients: readonly SecureContext[]) {
  const client = clients[0] as SecureContext
  const found = servers.map(() => ({ cpu: [] as number[], time: [] as number[] }))
  // Connections of their own for some rounds: what became of the first ones, when nothing was compiled yet, is no matter of policy.
  for (let turn = 0; turn < size.rounds / roundsOpen; turn++) {
    const open = new Map<number, KeptConnections>()
    for (const index of rotated(servers.length, turn)) {
      open.set(index, await KeptConnections.open(servers[index] as Server, client, size.open))
    }
    const round = (index: number): Promise<number> =>
      (open.get(index) as KeptConnections).round(size.requests)
    for (const index of rotated(servers.length, turn)) {
      await (open.get(index) as KeptConnections).round(turn === 0 ? size.warm : size.requests)
    }
    await inTurns(servers, round, size.requests, roundsOpen, found)
    for (const one of open.values()) one.close()
  }
  return found
}

async function connectionRounds(servers: readonly Server[], clients: readonly SecureContext[]) {
  const next = servers.map(() => 0)
  const round = async (index: number): Promise<number> => {
    const from = next[index] as number
    next[index] = from + size.connections
    return await newConnections(servers[index] as Server, clients, from, size.connections)
  }
  // The compiler takes its time.
  for (let n = 0; n < warmRounds; n++) {
    for (const index of servers.keys()) await round(index)
  }
  const found = servers.map(() => ({ cpu: [] as number[], time: [] as number[] }))
  await inTurns(servers, round, size.connections, size.newRounds, found)
  return found
}

/**
 * The gateway's own change places from round to round, so that each comes as often behind each other as behind nginx: what one leaves to be
 * done falls on the next.
 */
async function inTurns(
  servers: readonly Server[],
  work: (index: number) => Promise<number>,
  count: number,
  rounds: number,
  found: Rounds,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const order = rotated(ownKinds, round % ownKinds)
    for (const index of servers.length > ownKinds ? [...order, ownKinds] : order) {
      const { cpu } = servers[index] as Server
      await new Promise((resolve) => setTimeout(resolve, settleMs))
      const before = await cpu()
      const time = await work(index)
      found[index]?.cpu.push(((await cpu()) - before) / count)
      found[index]?.time.push(time / count)
    }
  }
}

function rotated(length: number, by: number): readonly number[] {
  return Array.from({ length }, (_, index) => (index + by) % length)
}

/** Each round of one is held against the same round of another. */
function ratio(of: readonly number[], to: readonly number[]): number {
  return median(of.map((value, round) => value / (to[round] as number)))
}

function compare(name: string, [plain, guarded, telling, nginx]: Rounds, atLeast: number) {
  if (plain === undefined || guarded === undefined || telling === undefined) return []
  const figures: Figure[] = [
    {
      what: `${name}: for the same processor time, with the policy of without`,
      value: ratio(plain.cpu, guarded.cpu) * 100,
      unit: '%',
      atLeast: atLeast * 100,
    },
    {
      what: `${name}: a second, with the policy of without`,
      value: ratio(plain.time, guarded.time) * 100,
      unit: '%',
    },
    {
      what: `${name}: for the same processor time, with policy and header of without`,
      value: ratio(plain.cpu, telling.cpu) * 100,
      unit: '%',
    },
  ]
  if (nginx !== undefined) {
    // Its processor time is counted in steps of 10 ms: the sum, not each round.
    const sum = (times: readonly number[]): number => times.reduce((all, one) => all + one, 0)
    figures.push(
      {
        what: `${name}: a second, of nginx`,
        value: ratio(nginx.time, guarded.time) * 100,
        unit: '%',
      },
      {
        what: `${name}: for the same processor time, of nginx`,
        value: (sum(nginx.cpu) / sum(guarded.cpu)) * 100,
        unit: '%',
      },
    )
  }
  return figures
}

function absolute(name: string, rounds: Rounds, names: readonly string[]): Figure[] {
  return rounds.flatMap(({ cpu, time }, index) => [
    { what: `${name}, ${names[index]}: processor time of each`, value: median(cpu), unit: 'µs' },
    { what: `${name}, ${names[index]}: a second`, value: 1e6 / median(time), unit: '/s' },
  ])
}

async function started(starting: Promise<Process>): Promise<Process> {
  const one = await starting
  begun.push(one)
  return one
}

function say(text: string): void {
  process.stderr.write(`${text} …\n`)
}

function print(figures: readonly Figure[]): void {
  for (const { what, value, unit, atLeast, atMost } of figures) {
    const limit =
      atLeast !== undefined
        ? `at least ${atLeast}`
        : atMost !== undefined
          ? `at most ${atMost}`
          : ''
    console.log(`${what.padEnd(78)} ${value.toFixed(1).padStart(9)} ${unit.padEnd(3)} ${limit}`)
  }
}
