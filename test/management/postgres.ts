/**
 * A PostgreSQL server of its own for a test file: made in a temporary folder, with a password, its writes synced to the disk as in
 * production. It ends with the process that started it, however that ends.
 *
 * @module
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'

export interface PostgresServer {
  /** Of the user that owns everything; its password is in `password`. */
  readonly url: string
  readonly password: string
  /** @returns The URL of a new empty database. */
  readonly createDatabase: () => Promise<string>
  readonly start: () => Promise<void>
  /** As an administrator would: connections are cut, what was committed is flushed. */
  readonly stop: () => Promise<void>
  /** Every process of the server gets SIGKILL. */
  readonly kill: () => Promise<void>
  /** Stops it and removes all that it wrote. */
  readonly remove: () => Promise<void>
}

/**
 * Starts a server, or says on standard error what is skipped without one. Under `CI=true` its absence is an error.
 *
 * @example
 * const postgres = await startPostgres('the store over PostgreSQL')
 * afterAll(() => postgres?.remove())
 * describe.skipIf(!postgres)('…')
 */
export async function startPostgres(what: string): Promise<PostgresServer | undefined> {
  const programs = findPrograms()
  if ('missing' in programs) {
    const line = `${what}: ${programs.missing}; on Debian: apt-get install postgresql`
    if (process.env.CI === 'true') throw new Error(line)
    console.error(`skipped: ${line}`)
    return undefined
  }
  const { bin, user } = programs
  const folder = await mkdtemp(join(tmpdir(), 'mtls-policy-pg-'))
  if (user) await chown(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  const password = `pw-${crypto.randomUUID()}`
  const passwordFile = join(folder, 'password')
  await writeFile(passwordFile, password, { mode: 0o600 })
  if (user) await chown(passwordFile, user.uid, user.gid)
  const options = { ...user, cwd: folder, env: { PATH: process.env.PATH, LC_ALL: 'C' } }
  // Only the making goes without a sync.
  const initdb = spawnSync(
    join(bin, 'initdb'),
    `-D ${data} -U owner -A scram-sha-256 --pwfile ${passwordFile} -E UTF8 --locale=C.UTF-8 --no-sync`.split(
      ' ',
    ),
    { ...options, encoding: 'utf8' },
  )
  if (initdb.status !== 0) throw new Error(`initdb: ${initdb.stderr}${initdb.error ?? ''}`)

  let port = await freePort()
  let running: { shell: ChildProcess; output: () => string } | undefined
  const urlOf = (database: string) => `postgres://owner:${password}@127.0.0.1:${port}/${database}`

  const start = async (): Promise<void> => {
    for (let attempt = 0; ; attempt++) {
      let text = ''
      const shell = spawn(
        'sh',
        // It stops when the other end of its standard input is gone.
        [
          '-c',
          watch,
          'sh',
          join(bin, 'postgres'),
          '-D',
          data,
          '-p',
          String(port),
          '-k',
          folder,
        ].concat(['-h', '127.0.0.1', '-c', 'max_connections=60', '-c', 'shared_buffers=32MB']),
        { ...options, stdio: ['pipe', 'ignore', 'pipe'] },
      )
      shell.stderr?.on('data', (chunk) => {
        text = (text + chunk).slice(-10_000)
      })
      shell.stdin?.on('error', () => {})
      running = { shell, output: () => text }
      if (await answers(urlOf('postgres'), shell)) return
      await ended(shell)
      // Somebody took the port in between; an old URL must stay true, so that only the first start may take another.
      if (attempt > 3 || !/address already in use|Address already in use/u.test(text)) {
        throw new Error(`postgres does not start: ${text}`)
      }
      if (databases === 0) port = await freePort()
    }
  }
  const halt = async (signal: 'SIGINT' | 'SIGQUIT' | 'SIGKILL'): Promise<void> => {
    if (!running) return
    const { shell } = running
    running = undefined
    const postmaster = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0])
    const pids = signal === 'SIGKILL' ? [postmaster, ...childrenOf(postmaster)] : [postmaster]
    for (const pid of pids) {
      try {
        process.kill(pid, signal)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
      }
    }
    await ended(shell)
    // The memory that they share is free when the last of them is gone.
    while (pids.some((pid) => existsSync(`/proc/${pid}/exe`))) await sleep(5)
  }
  let databases = 0
  const server: PostgresServer = {
    get url() {
      return urlOf('postgres')
    },
    password,
    async createDatabase() {
      const name = `db${++databases}`
      const client = new pg.Client(urlOf('postgres'))
      client.on('error', () => {})
      await client.connect()
      await client.query(`create database ${name}`)
      await client.end()
      return urlOf(name)
    },
    start,
    stop: () => halt('SIGINT'),
    kill: () => halt('SIGKILL'),
    async remove() {
      // Nobody needs the data: it ends without writing what is in its memory.
      await halt('SIGQUIT')
      await rm(folder, { recursive: true, force: true })
    },
  }
  await start()
  return server
}

const watch = `
exec 3<&0
"$@" < /dev/null 3<&- &
server=$!
(cat <&3 > /dev/null; kill -QUIT $server) 2> /dev/null &
watcher=$!
exec 3<&-
wait $server
kill $watcher
`

function findPrograms():
  | { readonly bin: string; readonly user: { uid: number; gid: number } | undefined }
  | { readonly missing: string } {
  const root = '/usr/lib/postgresql'
  const versions = existsSync(root) ? readdirSync(root) : []
  const bin = versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(root, version, 'bin'))
    .find((folder) => existsSync(join(folder, 'initdb')))
  if (bin === undefined) return { missing: `no PostgreSQL server in ${root}` }
  if (process.getuid?.() !== 0) return { bin, user: undefined }
  // It refuses to run as root.
  try {
    const id = (flag: string) =>
      Number(execFileSync('id', [flag, 'postgres'], { stdio: ['ignore', 'pipe', 'ignore'] }))
    return { bin, user: { uid: id('-u'), gid: id('-g') } }
  } catch {
    return { missing: 'no user postgres to run the server as' }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function answers(url: string, shell: ChildProcess): Promise<boolean> {
  const end = Date.now() + 30_000
  while (shell.exitCode === null && Date.now() < end) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.query('select 1')
      return true
    } catch {
      await sleep(20)
    } finally {
      // The end of a connection that never was one may not come.
      await Promise.race([client.end().catch(() => {}), sleep(500)])
    }
  }
  return false
}

async function ended(shell: ChildProcess): Promise<void> {
  if (shell.exitCode === null && shell.signalCode === null) await once(shell, 'exit')
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
        // The name in brackets may hold anything; the state and the parent follow it.
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent
      } catch {
        return false
      }
    })
    .map(Number)
}
