/**
 * What deploy/compose.yaml says, run as processes on this machine: its command lines, health checks and secrets, and the commands of
 * deploy/README.md letter by letter. Docker's part is played here: mounts are folders, the name of both managers is a port that leads to
 * either.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:http'
import { request } from 'node:https'
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeDemoPki } from '../../src/cli/demo-pki.ts'
import { blocksOf, root, sectionOf } from '../docs/markdown.ts'
import { enter } from '../docs/shell.ts'
import { hasCurl } from '../examples/shown.ts'
import { type PostgresServer, startPostgres } from '../management/postgres.ts'
import { folder, read, readCompose } from './support.ts'

const hasOpenssl = spawnSync('openssl', ['version']).status === 0
const postgres = hasCurl() && hasOpenssl ? await startPostgres('deploy/compose.yaml') : undefined
const { services, secrets } = readCompose()

describe.skipIf(postgres === undefined)('what deploy/compose.yaml runs', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'mtls-policy-compose-'))
  const children = new Map<string, ChildProcess>()
  const logs = new Map<string, string>()
  /** Of a service and a port in it → the port here. */
  const ports = new Map<string, number>()
  const servers: { close(): unknown }[] = []
  let balancer = 0
  let upstream = 0

  beforeAll(async () => {
    cpSync(`${folder}prepare.sh`, join(scratch, 'prepare.sh'))
    for (const [service, inside] of published()) {
      ports.set(`${service} ${inside}`, await freePort())
    }
    await writeDemoPki(
      join(scratch, 'pki'),
      new Date(),
      { organization: 'Example', key: 'P-256' },
      true,
    )
    // Six processes that each compile the sources would take a minute.
    symlinkSync(join(root, 'node_modules'), join(scratch, 'node_modules'))
    await build({
      absWorkingDir: root,
      entryPoints: ['src/cli/main.ts'],
      bundle: true,
      format: 'esm',
      platform: 'node',
      packages: 'external',
      outfile: join(scratch, 'cli.mjs'),
      logLevel: 'error',
    })
    balancer = await startBalancer()
    const application = createServer((incoming, response) => {
      response.end(`hello ${incoming.headers['x-client-subject']}\n`)
    })
    upstream = await listening(application)
  }, 60_000)
  afterAll(async () => {
    for (const child of children.values()) child.kill('SIGKILL')
    for (const server of servers) server.close()
    await postgres?.remove()
    rmSync(scratch, { recursive: true, force: true })
  }, 60_000)

  test('comes up by the commands of the README, and answers as healthy', {
    timeout: 120_000,
  }, async () => {
    const [first, second, third] = blocksOf(sectionOf(read('README.md'), '## Compose'))
    await shell(first?.code ?? '')
    const url = await (postgres as PostgresServer).createDatabase()
    writeFileSync(join(scratch, 'secrets/database-url'), url)
    const before = mounted()
    await start('manager-1')
    await start('manager-2')
    // In a container nothing of it can be written.
    expect(mounted()).toEqual(before)
    await shell(second?.code ?? '')
    for (const name of ['gateway-1', 'gateway-2', 'gateway-3']) await start(name)
    const listed = JSON.parse(await shell(`${apiFunction(second?.code ?? '')}\n${third?.code}`))
    expect(listed).toMatchObject({ success: true, resultCount: 3 })
    expect(
      listed.resultList.map((one: { name: string; connected: boolean }) => [
        one.name,
        one.connected,
      ]),
    ).toEqual([
      ['gateway-1', true],
      ['gateway-2', true],
      ['gateway-3', true],
    ])
  })

  test('puts a deployment in force on all three gateways', { timeout: 60_000 }, async () => {
    const project = '/apiops/projects/MyProject/'
    const proxy = `${project}apiProxies/MyAPI/`
    await api('manager-1', 'POST', project, {})
    await api('manager-2', 'PUT', `${project}trustStore/`, {
      anchors: pki('ca.pem'),
      intermediates: pki('intermediates.pem'),
    })
    await api('manager-1', 'PUT', `${project}issuerAcl/`, { acl: pki('issuers.acl') })
    await api('manager-2', 'POST', proxy, {
      hosts: ['localhost'],
      upstream: {
        url: `http://127.0.0.1:${upstream}`,
        identityHeaders: { 'X-Client-Subject': 'subject' },
      },
      environments: ['production'],
    })
    expect(await deploy('manager-1', 'POST', 'ALL')).toEqual({
      success: true,
      deploymentResult: {
        success: true,
        deploymentResults: [
          { environmentName: 'production', success: true, message: 'Deployment successful' },
        ],
      },
    })
    for (const name of ['gateway-1', 'gateway-2', 'gateway-3']) {
      expect(await ask(name, 'client-a')).toEqual([200, 'hello CN=client-a,O=Example\n'])
      expect((await ask(name, 'expired'))[0]).toBe(401)
      expect((await ask(name, undefined))[0]).toBe(401)
    }
  })

  test('goes on with one manager', { timeout: 60_000 }, async () => {
    expect(await stop('manager-1')).toBe(0)
    await until(async () => {
      const { runs, channel } = await ready('gateway-1')
      return channel === 'stream' && runs.length === 1
    })
    const { deploymentResult } = (await deploy('manager-2', 'PUT', 'ALL')) as {
      deploymentResult: { success: boolean }
    }
    expect(deploymentResult.success).toBe(true)
  })

  test('serves without managers and database, also after a restart', {
    timeout: 60_000,
  }, async () => {
    await (postgres as PostgresServer).stop()
    expect(await stop('manager-2')).toBe(0)
    expect((await ask('gateway-2', 'client-a'))[0]).toBe(200)
    expect(await stop('gateway-2')).toBe(0)
    await start('gateway-2')
    expect((await ask('gateway-2', 'client-a'))[0]).toBe(200)
    expect((await ask('gateway-2', 'expired'))[0]).toBe(401)
  })

  test('ends when it is told to', { timeout: 60_000 }, async () => {
    for (const name of ['gateway-1', 'gateway-2', 'gateway-3']) expect(await stop(name)).toBe(0)
    const written = [...logs.values()].join('\n')
    expect(written).not.toMatch(/mtlsp_|BEGIN [A-Z ]*PRIVATE KEY/)
    expect(written).not.toContain((postgres as PostgresServer).password)
  })

  /** As compose would start it, and once its health check is content. */
  async function start(name: string): Promise<void> {
    const { command = [], healthcheck } = services[name] ?? { command: [] }
    const argv = [join(scratch, 'cli.mjs')]
    const child = spawn(
      process.execPath,
      [...argv, ...command.map((argument) => here(name, argument))],
      { cwd: scratch, env: { PATH: process.env.PATH, NODE_ENV: 'production' }, stdio: 'pipe' },
    )
    children.set(name, child)
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (data) => logs.set(name, `${logs.get(name) ?? ''}${data}`))
    }
    const [, program = '', , url = ''] = healthcheck?.test ?? []
    expect(program).toBe('node')
    await until(
      async () => {
        if (child.exitCode !== null) throw new Error(`${name} ended:\n${logs.get(name)}`)
        const check = spawn(process.execPath, [`${folder}health.mjs`, here(name, url)])
        const [code] = await once(check, 'exit')
        return code === 0
      },
      () => `${name} is not healthy:\n${logs.get(name)}`,
    )
  }

  async function stop(name: string): Promise<number | null> {
    const child = children.get(name) as ChildProcess
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    const [code] = await ended
    return code
  }

  /** An argument with what is mounted, published and named in the container as it is here. */
  function here(name: string, argument: string): string {
    const { volumes = [] } = services[name] ?? {}
    let text = argument
    for (const [secret, { file }] of Object.entries(secrets)) {
      // The longest first would be enough, but names end where the argument ends.
      text = text.replace(
        new RegExp(`/run/secrets/${secret.replaceAll('.', '\\.')}$`),
        join(scratch, file),
      )
    }
    for (const volume of volumes) {
      const [source = '', target = ''] = volume.split(':')
      const path = source.startsWith('./')
        ? join(scratch, source)
        : join(scratch, 'volumes', source)
      mkdirSync(path, { recursive: true })
      text = text.replace(target, path)
    }
    return text
      .replace('https://manager:8080', `https://127.0.0.1:${balancer}`)
      .replace('--host=0.0.0.0', '--host=127.0.0.1')
      .replace(
        /(--port=|127\.0\.0\.1:|0\.0\.0\.0:)(\d{4})\b/,
        (_, before: string, port: string) => {
          const real = ports.get(`${name} ${port}`) ?? Number(port)
          return `${before.replace('0.0.0.0', '127.0.0.1')}${real}`
        },
      )
  }

  /** The reader's commands; of docker what they need. */
  async function shell(commands: string): Promise<string> {
    const state = join(scratch, 'volumes/managers')
    writeFileSync(
      join(scratch, '.curlrc'),
      [
        `connect-to = "localhost:8080:127.0.0.1:${ports.get('manager-1 8080')}"`,
        `connect-to = "localhost:8081:127.0.0.1:${ports.get('manager-2 8080')}"`,
      ].join('\n'),
    )
    const docker = [
      'docker() { case "$*" in',
      `"compose exec manager-1 cat "*) cat "${state}/\${5##*/}" ;;`,
      '"compose up "*) ;;',
      '*) return 9 ;; esac; }',
    ].join('\n')
    const text = commands.replace(/^cd deploy$/m, '')
    return await enter(`${docker}\n${text}`, scratch, { CURL_HOME: scratch })
  }

  async function api(
    manager: string,
    method: string,
    path: string,
    body: object,
  ): Promise<unknown> {
    const { status, text } = await exchange({
      port: ports.get(`${manager} 8080`) as number,
      ca: readFileSync(join(scratch, 'secrets/manager-ca.pem')),
      method,
      path,
      headers: { authorization: `Bearer ${adminToken()}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    expect([status, text]).toEqual([200, expect.stringMatching(/^\{"success":true/)])
    return JSON.parse(text)
  }

  async function deploy(manager: string, method: string, targetScope: string): Promise<unknown> {
    const path = '/apiops/projects/MyProject/apiProxies/MyAPI/policies/mtls-auth-policy/'
    return await api(manager, method, path, {
      operationMetadata: { targetScope, targetPipeline: 'REQUEST' },
      policy: { type: 'policy-auth-mtls' },
    })
  }

  /** Files with secrets, and when they were written. */
  function mounted(): readonly unknown[] {
    const at = join(scratch, 'secrets')
    return readdirSync(at, { recursive: true, encoding: 'utf8' })
      .toSorted()
      .map((name) => [name, statSync(join(at, name)).mtimeMs])
  }

  function adminToken(): string {
    return readFileSync(join(scratch, 'volumes/managers/admin-token'), 'utf8').trim()
  }

  async function ask(gateway: string, client: string | undefined): Promise<[number, string]> {
    const { status, text } = await exchange({
      port: ports.get(`${gateway} 8443`) as number,
      ca: readFileSync(join(scratch, 'secrets/manager-ca.pem')),
      method: 'GET',
      path: '/',
      ...(client === undefined
        ? {}
        : { cert: pki(`clients/${client}.pem`), key: pki(`keys/${client}.key`) }),
    })
    return [status, text]
  }

  async function ready(gateway: string): Promise<{ channel: string; runs: readonly unknown[] }> {
    const response = await fetch(`http://127.0.0.1:${ports.get(`${gateway} 9090`)}/ready`)
    return (await response.json()) as { channel: string; runs: readonly unknown[] }
  }

  function pki(name: string): string {
    return readFileSync(join(scratch, 'pki', name), 'utf8')
  }

  /** The name `manager` of the compose file: one of those that are there. */
  async function startBalancer(): Promise<number> {
    let turn = 0
    const server = createTcpServer((client) => {
      const names = ['manager-1', 'manager-2']
      const open = (left: number): void => {
        const name = names[turn++ % names.length] as string
        const manager = connect(ports.get(`${name} 8080`) as number, '127.0.0.1')
        manager.on('connect', () => {
          client.pipe(manager)
          manager.pipe(client)
        })
        manager.on('error', () => (left > 0 ? open(left - 1) : client.destroy()))
        client.on('error', () => manager.destroy())
      }
      open(1)
    })
    return await listening(server as unknown as Server)
  }

  async function listening(server: Server): Promise<number> {
    servers.push(server.listen(0, '127.0.0.1'))
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }
})

/** Every port in a container that this test reaches. */
function published(): readonly (readonly [service: string, port: string])[] {
  const own: Readonly<Record<string, readonly string[]>> = {
    manager: ['8080'],
    gateway: ['8443', '9090'],
  }
  return Object.keys(services).flatMap((name) =>
    (own[name.split('-')[0] ?? ''] ?? []).map((port) => [name, port] as const),
  )
}

/** The reader's shell still has its functions and variables. */
function apiFunction(commands: string): string {
  return commands
    .split('\n')
    .filter((line) => /^(?:token=|api\(\))/.test(line))
    .join('\n')
}

interface Exchange {
  readonly port: number
  readonly ca: Buffer
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly cert?: string
  readonly key?: string
}

async function exchange({ body, ...options }: Exchange): Promise<{ status: number; text: string }> {
  const sent = request({ host: 'localhost', ...options, agent: false })
  sent.end(body)
  const [response] = await once(sent, 'response')
  let text = ''
  for await (const chunk of response) text += chunk
  return { status: response.statusCode, text }
}

async function until(
  holds: () => Promise<boolean>,
  otherwise = () => 'it did not come true',
): Promise<void> {
  const deadline = performance.now() + 30_000
  while (
    !(await holds().catch((error: Error) => {
      if (/ended:/.test(error.message)) throw error
      return false
    }))
  ) {
    if (performance.now() > deadline) throw new Error(otherwise())
    await sleep(100)
  }
}

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
