/**
 * A fleet of processes of the real command line: managers, gateways and what stands behind them, on loopback and free ports, with a PKI of
 * its own. Everything ends with the test file that opened it.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { Agent, request } from 'node:https'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { writeDemoPki } from '../../../src/cli/demo-pki.ts'
import {
  type ApiProxyClient,
  createManagementClient,
  type ManagementClient,
  ManagementError,
} from '../../../src/management/client.ts'
import type { PolicyRequest } from '../../../src/management/resources.ts'
import { root } from '../../docs/markdown.ts'

/** The full figures, which take minutes. */
export const slow: boolean = process.env.SLOW === '1'

/** A process of the command line. */
export interface Program {
  readonly pid: number
  /** The one line of `--json`. */
  readonly line: Readonly<Record<string, unknown>>
  /** What it wrote on standard error. */
  readonly log: () => string
  readonly signal: (signal: NodeJS.Signals) => void
  /** @returns The exit code; `null` where the signal ended it. */
  readonly end: (signal: NodeJS.Signals) => Promise<number | null>
}

export interface GatewayProgram extends Program {
  readonly name: string
  readonly port: number
  readonly metricsPort: number
}

export interface Manager {
  readonly url: string
  readonly database: string
  readonly port: number
  /** Of the first start on. */
  readonly client: ManagementClient
  readonly adminToken: string
  program: Program
}

/** The name of a client of the demo PKI: `client-a` is the good one. */
export type ClientName = 'client-a' | 'expired' | 'foreign' | 'partner' | 'forged' | 'revoked'

export class Fleet {
  readonly folder: string
  readonly #children = new Set<ChildProcess>()
  readonly #servers: Server[] = []
  readonly #agents = new Map<string, Agent>()
  /** Asked for by managers and gateways that are started again. */
  #count = 0

  private constructor(folder: string) {
    this.folder = folder
  }

  static async open(): Promise<Fleet> {
    const fleet = new Fleet(mkdtempSync(join(tmpdir(), 'mtls-policy-fleet-')))
    const pki = join(fleet.folder, 'pki')
    await writeDemoPki(pki, new Date(), { organization: 'Example', key: 'P-256' }, true)
    // As it is now, whatever was built last; compiling in every process would take a minute.
    symlinkSync(join(root, 'node_modules'), join(fleet.folder, 'node_modules'))
    await build({
      absWorkingDir: root,
      entryPoints: ['src/cli/main.ts'],
      bundle: true,
      format: 'esm',
      platform: 'node',
      packages: 'external',
      outfile: join(fleet.folder, 'cli.mjs'),
      logLevel: 'error',
    })
    return fleet
  }

  async close(): Promise<void> {
    for (const agent of this.#agents.values()) agent.destroy()
    for (const server of this.#servers) {
      server.closeAllConnections()
      server.close()
    }
    const ended = [...this.#children].map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const end = once(child, 'exit')
      child.kill('SIGKILL')
      await end
    })
    await Promise.all(ended)
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** @param nodeArguments - Before the program. */
  spawn(argv: readonly string[], nodeArguments: readonly string[] = []): ChildProcess {
    const child = spawn(
      process.execPath,
      [...nodeArguments, join(this.folder, 'cli.mjs'), ...argv],
      {
        cwd: this.folder,
        env: { PATH: process.env.PATH, NODE_ENV: 'production' },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    this.#children.add(child)
    child.once('exit', () => this.#children.delete(child))
    return child
  }

  /** Once it has said that it is ready. */
  async run(argv: readonly string[], nodeArguments: readonly string[] = []): Promise<Program> {
    const child = this.spawn([...argv, '--json'], nodeArguments)
    const exited = once(child, 'exit')
    let [out, log] = ['', '']
    child.stderr?.on('data', (data) => {
      log = `${log}${data}`.slice(-keptLog)
    })
    child.stdout?.setEncoding('utf8')
    const ready = new Promise<string>((resolve) => {
      child.stdout?.on('data', (data) => {
        out += data
        if (out.includes('\n')) resolve(out)
      })
    })
    const first = await Promise.race([ready, exited.then(() => undefined)])
    if (first === undefined) throw new Error(`${argv.join(' ')} ended:\n${out}${log}`)
    return {
      pid: child.pid as number,
      line: JSON.parse(first),
      log: () => log,
      signal: (signal) => void child.kill(signal),
      end: async (signal) => {
        child.kill(signal)
        const [code] = await exited
        return code
      },
    }
  }

  /** The first start; {@link startManager} starts it again. */
  async manager(
    database = `file:${join(this.folder, 'manager.sqlite')}`,
    nodeArguments: readonly string[] = [],
  ): Promise<Manager> {
    const port = await freePort()
    const name = `manager-${++this.#count}`
    const flags = ['manager', '--database', database, '--port', String(port)]
    const files = ['--signing-key', `${name}.key`, '--admin-token-file', `${name}.token`]
    const start = (): Promise<Program> =>
      this.run([...flags, ...files, '--log-level', 'warn'], nodeArguments)
    const program = await start()
    const adminToken = this.read(`${name}.token`).trim()
    const url = `http://127.0.0.1:${port}`
    const client = createManagementClient({ url, token: adminToken })
    const manager = { url, database, port, client, adminToken, program }
    this.#starts.set(manager, start)
    this.#keys.set(manager, `${name}.key.pub`)
    return manager
  }
  readonly #starts = new Map<Manager, () => Promise<Program>>()
  readonly #keys = new Map<Manager, string>()

  async startManager(manager: Manager): Promise<void> {
    manager.program = await (this.#starts.get(manager) as () => Promise<Program>)()
  }

  /** @param managerUrl - Where it finds the manager; default: where the manager is. */
  async gateway(
    manager: Manager,
    name: string,
    managerUrl = manager.url,
    nodeArguments: readonly string[] = [],
  ): Promise<GatewayProgram> {
    const tokenFile = `${name}.token`
    const { token } = await manager.client.tokens.create(name, {
      rights: [{ right: 'gateway', environment: 'production' }],
    })
    writeFileSync(join(this.folder, tokenFile), token, { mode: 0o600 })
    const program = await this.run(
      [
        ...['gateway', '--environment', 'production', '--manager', managerUrl, '--name', name],
        ...['--token-file', tokenFile, '--manager-key', this.#keys.get(manager) as string],
        ...['--data', `${name}.data`, '--listen', '127.0.0.1:0', '--log-level', 'warn'],
        ...['--certificate', 'pki/server.pem', '--key', 'pki/keys/server.key'],
        ...['--metrics-listen', '127.0.0.1:0'],
      ],
      nodeArguments,
    )
    const { listeners, metrics } = program.line as {
      listeners: readonly { readonly port: number }[]
      metrics: { readonly port: number }
    }
    return { ...program, name, port: listeners[0]?.port as number, metricsPort: metrics.port }
  }

  /** MyProject with the demo's PKI, MyAPI before `upstreamPort`, its policy deployed. */
  async makeProject(manager: Manager, upstreamPort: number): Promise<ApiProxyClient> {
    const { client } = manager
    await client.environments.create('production')
    const project = client.project('MyProject')
    await project.create()
    await project.trustStore.put({
      anchors: this.read('pki/ca.pem'),
      intermediates: this.read('pki/intermediates.pem'),
    })
    await project.issuerAcl.put({ acl: this.read('pki/issuers.acl') })
    const proxy = project.apiProxy('MyAPI')
    await proxy.create({
      hosts: ['localhost'],
      upstream: { url: `http://127.0.0.1:${upstreamPort}` },
      environments: ['production'],
    })
    await proxy.policies.add(policyName, policy({}))
    return proxy
  }

  /** Says hello to everybody. @returns Its port. */
  async upstream(): Promise<number> {
    return await this.listen(createServer((_, response) => response.end('hello\n')))
  }

  /** @returns The port. */
  async listen(server: Server): Promise<number> {
    this.#servers.push(server.listen(0, '127.0.0.1'))
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }

  /** One request over a connection that stays open. @returns The status. */
  async ask({ port }: { readonly port: number }, name: ClientName): Promise<number> {
    const key = `${port} ${name}`
    let agent = this.#agents.get(key)
    if (agent === undefined) {
      agent = new Agent({
        keepAlive: true,
        ca: this.read('pki/ca.pem'),
        cert: this.read(`pki/clients/${name}.pem`),
        key: this.read(`pki/keys/${name}.key`),
      })
      this.#agents.set(key, agent)
    }
    const sent = request({
      host: '127.0.0.1',
      servername: 'localhost',
      port,
      path: '/',
      agent,
      headers: { host: `localhost:${port}` },
    })
    sent.setTimeout(10_000, () => sent.destroy(new Error('no answer in 10 s')))
    sent.end()
    const [response] = await once(sent, 'response')
    response.resume()
    await once(response, 'end')
    return response.statusCode
  }

  read(file: string): string {
    return readFileSync(join(this.folder, file), 'utf8')
  }
}

/** Requests through a gateway, one after another in each of several loops, until it is ended. */
export class Load {
  count = 0
  /** What was not answered as it should be; only the first few are kept. */
  readonly wrong: string[] = []
  readonly #loops: readonly Promise<void>[]
  #isOver = false

  /** @param loops - Who asks, and the status that is right. */
  constructor(
    fleet: Fleet,
    gateway: { readonly port: number },
    loops: readonly (readonly [ClientName, number])[],
    pauseMs = 5,
  ) {
    this.#loops = loops.map(async ([name, expected]) => {
      while (!this.#isOver) {
        const outcome = await fleet.ask(gateway, name).catch((error: Error) => error.message)
        this.count++
        if (outcome !== expected && this.wrong.length < 20) {
          this.wrong.push(`${new Date().toISOString()} ${name}: ${outcome}`)
        }
        await sleep(pauseMs)
      }
    })
  }

  async end(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#loops)
  }
}

export const policyName = 'mtls-auth-policy'

export interface PolicyChange {
  readonly validateACLForIssuer?: boolean
  readonly description?: string
  readonly deploy?: boolean
}

/** The document's example, with a change. */
export function policy({ deploy = true, ...changed }: PolicyChange): PolicyRequest {
  return {
    operationMetadata: { targetScope: 'ALL', targetPipeline: 'REQUEST', deploy },
    policy: { type: 'policy-auth-mtls', ...changed },
  }
}

/** What it logged, line by line; what was cut off at the beginning is left out. */
export function linesOf(program: Program): readonly Readonly<Record<string, unknown>>[] {
  const log = program.log()
  return log
    .split('\n')
    .slice(log.length < keptLog ? 0 : 1)
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

/** Characters. */
const keptLog = 100_000

/** What a gateway says of itself. */
export interface Ready {
  /** Of the answer. */
  readonly code: number
  readonly status: string
  readonly channel: string
  readonly problems: readonly { readonly apiProxy: string; readonly code: string }[]
  readonly held: readonly { readonly apiProxy: string }[]
  readonly runs: readonly {
    readonly apiProxy: string
    readonly hash: string | null
    readonly sequence: number
  }[]
}

export async function readyOf({ metricsPort }: GatewayProgram): Promise<Ready> {
  const answer = await fetch(`http://127.0.0.1:${metricsPort}/ready`)
  return { ...((await answer.json()) as Omit<Ready, 'code'>), code: answer.status }
}

/** @returns By the whole name with its labels. */
export async function metricsOf({
  metricsPort,
}: GatewayProgram): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
  return new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const space = line.lastIndexOf(' ')
        return [line.slice(0, space), Number(line.slice(space + 1))] as const
      }),
  )
}

/** @returns Arguments for `node`: on SIGUSR2 the program collects its garbage and writes down what is left. */
export function watchMemory(fleet: Fleet): readonly string[] {
  const file = join(fleet.folder, 'memory.mjs')
  writeFileSync(
    file,
    `import { renameSync, writeFileSync } from 'node:fs'
process.on('SIGUSR2', () => {
  globalThis.gc()
  const name = \`memory-\${process.pid}.json\`
  writeFileSync(\`\${name}.new\`, JSON.stringify(process.memoryUsage()))
  renameSync(\`\${name}.new\`, name)
})
`,
  )
  return ['--expose-gc', '--import', pathToFileURL(file).href]
}

/** Of a program that was started with {@link watchMemory}. */
export async function memoryOf(fleet: Fleet, program: Program): Promise<NodeJS.MemoryUsage> {
  const name = `memory-${program.pid}.json`
  rmSync(join(fleet.folder, name), { force: true })
  program.signal('SIGUSR2')
  let usage: NodeJS.MemoryUsage | undefined
  await until(
    () => {
      usage = JSON.parse(fleet.read(name))
      return true
    },
    () => 'the program does not tell its memory',
  )
  return usage as NodeJS.MemoryUsage
}

/** Asks over and over; what `holds` rejects with counts as no. */
export async function until(
  holds: () => Promise<boolean> | boolean,
  what: () => string,
  milliseconds = 30_000,
): Promise<void> {
  const deadline = performance.now() + milliseconds
  let last: unknown
  while (
    !(await (async () => holds())().catch((error: unknown) => {
      last = error
      return false
    }))
  ) {
    if (performance.now() > deadline) throw new Error(`${what()} ${last ?? ''}`)
    await sleep(25)
  }
}

/** Of numbers; `share` from 0 to 1: nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

export async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Whether the manager was away or going, so that nobody knows what became of the request. */
export function isUnknownOutcome(error: unknown): boolean {
  return error instanceof ManagementError ? error.status === 503 : error instanceof TypeError
}
