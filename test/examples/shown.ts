/**
 * Runs what a page shows, in a temporary folder: commands, programs that go on running, and requests with their answers. What a page
 * calls port 8443 or 3000 is a free port here: of the programs by a preload that changes `listen` alone, of curl by its `.curlrc`.
 *
 * @module
 */

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, open, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { onTestFinished } from 'vitest'

export const root: string = fileURLToPath(new URL('../..', import.meta.url))
const isContinuousIntegration = process.env.CI === 'true'

/** Whether the package is built, as `npm cit` does before it tests. A desk without it skips. */
export function isBuilt(): boolean {
  const isThere = existsSync(join(root, 'dist/cli.js')) && existsSync(join(root, 'dist/types'))
  return isThere || isContinuousIntegration || skipped('no package is built. npm run build')
}

/** A desk without curl skips; under `CI=true` the tests run, and fail. */
export function hasCurl(): boolean {
  const found = path().some((folder) => existsSync(join(folder, 'curl')))
  return found || isContinuousIntegration || skipped('curl is missing. apt-get install curl')
}

export function skipped(why: string): false {
  console.warn(`skipped: ${why}`)
  return false
}

/** What runs on after its command, as a server. */
export interface Program {
  readonly pid: number
  /** What it has printed so far, with the ports of the page. */
  log(): Promise<string>
}

/** A folder like a reader's. It and what runs in it are gone when the test is over. */
export class Desk {
  /** Where the commands run. */
  cwd: string
  readonly folder: string
  /** By the number on the page. */
  readonly #ports: ReadonlyMap<number, number>
  readonly #children: ChildProcess[] = []

  private constructor(folder: string, ports: ReadonlyMap<number, number>) {
    this.folder = folder
    this.cwd = folder
    this.#ports = ports
  }

  static async open(): Promise<Desk> {
    const base = await realpath(await mkdtemp(join(tmpdir(), 'mtls-policy-page-')))
    const folder = join(base, 'project')
    const home = join(base, 'home')
    for (const one of [folder, home]) await mkdir(one)
    const ports = new Map<number, number>()
    for (const shown of [8443, 3000]) ports.set(shown, await freePort())
    const connections = [...ports].map(
      ([shown, real]) => `connect-to = "localhost:${shown}:localhost:${real}"\n`,
    )
    await writeFile(join(home, '.curlrc'), connections.join(''))
    await writeFile(join(home, 'ports.mjs'), preload(ports))
    const desk = new Desk(folder, ports)
    onTestFinished(() => desk.#close(base))
    return desk
  }

  get #home(): string {
    return join(this.folder, '../home')
  }

  /** As `npm install`, of packages of this repository: this one as it is built, the others as they are locked. */
  async link(...packages: readonly string[]): Promise<void> {
    const modules = join(this.folder, 'node_modules')
    await mkdir(join(modules, '.bin'), { recursive: true })
    await symlink(root, join(modules, 'mtls-policy'))
    await symlink(join(root, 'dist/cli.js'), join(modules, '.bin/mtls-policy'))
    for (const name of packages) {
      await mkdir(dirname(join(modules, name)), { recursive: true })
      await symlink(join(root, 'node_modules', name), join(modules, name))
    }
  }

  async write(name: string, text: string): Promise<void> {
    await writeFile(join(this.cwd, name), text)
  }

  read(name: string): Promise<string> {
    return readFile(join(this.cwd, name), 'utf8')
  }

  /** With the real ports in the place of those on the page, for files that only another program reads. */
  withPorts(text: string): string {
    let real = text
    for (const [shown, port] of this.#ports) real = real.replaceAll(String(shown), String(port))
    return real
  }

  /**
   * Runs commands in one shell, as a reader who enters them one after the other: `cd` stays in force.
   *
   * @returns What they printed.
   * @throws Error with what they printed when one of them fails.
   */
  async run(commands: string): Promise<string> {
    const where = join(this.#home, 'cwd')
    const { code, stdout, stderr } = await this.#shell(`set -e\n${commands}\npwd > '${where}'`)
    if (code !== 0) throw new Error(`${commands}\nended with ${code}:\n${stdout}${stderr}`)
    this.cwd = (await readFile(where, 'utf8')).trimEnd()
    return stdout
  }

  /**
   * Runs the lines after `$` and puts below each what it printed, whatever it ended with.
   *
   * @throws Error when a line names a program that is not there.
   */
  async replay(session: string): Promise<string> {
    let text = ''
    for (const line of session.split('\n').filter((one) => one.startsWith('$ '))) {
      const { code, stdout, stderr } = await this.#shell(line.slice(2))
      if (code === notFound) throw new Error(`${line}\n${stderr}`)
      text += `${line}\n${stdout}${stdout.endsWith('\n') ? '' : '\n'}`
    }
    return text
  }

  /** @returns Once somebody listens on that port of the page. */
  async start(command: string, port: number): Promise<Program> {
    const file = join(this.#home, `${this.#children.length}.log`)
    const output = await open(file, 'a')
    const stdio: ['ignore', number, number] = ['ignore', output.fd, output.fd]
    const options = `--import=${pathToFileURL(join(this.#home, 'ports.mjs'))}`
    const env = { ...this.#environment(), NODE_OPTIONS: options }
    const child = spawn('sh', ['-c', `exec ${command}`], { cwd: this.cwd, stdio, env })
    this.#children.push(child)
    await output.close()
    const log = () => readFile(file, 'utf8')
    const deadline = performance.now() + 15_000
    while (!(await isListening(this.#ports.get(port) ?? port))) {
      const hasEnded = child.exitCode !== null || child.signalCode !== null
      if (hasEnded || performance.now() > deadline) {
        throw new Error(`${command} does not listen:\n${await log()}`)
      }
      await sleep(50)
    }
    return { pid: child.pid ?? 0, log }
  }

  #shell(
    script: string,
  ): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
    const options = { cwd: this.cwd, env: this.#environment(), timeout: 60_000 }
    return new Promise((done) => {
      execFile('sh', ['-c', script], options, (error, stdout, stderr) => {
        done({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr })
      })
    })
  }

  #environment(): NodeJS.ProcessEnv {
    // What `npm test` tells its scripts about this repository must not reach the npm of another folder.
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(?:npm_(?:package|lifecycle)_|npm_config_local_prefix$|INIT_CWD$)/.test(name),
    )
    const PATH = path().join(delimiter)
    return { ...Object.fromEntries(inherited), PATH, CURL_HOME: this.#home, NODE_OPTIONS: '' }
  }

  async #close(base: string): Promise<void> {
    for (const child of this.#children) await stop(child)
    await rm(base, { recursive: true, force: true })
  }
}

/** Every id by the order in which it first appears, so that the same id in two places stays the same. */
export function withoutIds(text: string): string {
  const known = new Map<string, string>()
  return text.replace(/[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g, (id) => {
    const name = known.get(id) ?? `id-${known.size + 1}`
    known.set(id, name)
    return name
  })
}

/** What a shell ends with: POSIX.1-2017 XCU §2.8.2. */
const notFound = 127

function path(): readonly string[] {
  // Where Debian has nginx, which is not in everybody's path.
  return [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']
}

function preload(ports: ReadonlyMap<number, number>): string {
  return `import { Server } from 'node:net'
const ports = new Map(${JSON.stringify([...ports])})
const { listen } = Server.prototype
Server.prototype.listen = function (first, ...others) {
  const real = typeof first === 'object' ? { ...first, port: ports.get(first.port) ?? first.port } : ports.get(first) ?? first
  return listen.call(this, real, ...others)
}
`
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const ended = new Promise<void>((end) => child.once('exit', () => end()))
  child.kill('SIGTERM')
  const force = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await ended
  clearTimeout(force)
}

function isListening(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const socket = connect(port, 'localhost')
    const done = (result: boolean) => {
      socket.destroy()
      answer(result)
    }
    socket.once('connect', () => done(true))
    socket.once('error', () => done(false))
  })
}

function freePort(): Promise<number> {
  return new Promise((found, failed) => {
    const server = createServer()
    server.once('error', failed)
    server.listen(0, () => {
      const address = server.address()
      server.close(() => found(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
